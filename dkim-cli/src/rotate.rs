//! `dkim rotate`: keys that change by a plan.

mod abort;
mod hands;
mod open;
mod plan;
mod progress;
mod reveal;
mod run;
mod status;

use clap::{Args, Subcommand};

pub(crate) use self::hands::Means;
pub(crate) use self::open::Which;
pub(crate) use self::progress::{Teller, also_in_json};
use crate::diagnostics::Failure;
use crate::exit::{self, Exit};

/// Change keys by a plan, one step at a time
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Rotate {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(status::Status),
    Plan(plan::Plan),
    Step(run::Step),
    Run(run::Run),
    Abort(abort::Abort),
}

fn help() -> String {
    const WAY: &str = "\
The way of a key:
  planned      its selector is taken: one that was never used, and at which nothing is published
  new          the private key is in its file
  published    every name server shows the record
  proven       a test message verifies, and no resolver remembers that there was no record
  active       it signs; the one before it retires in the same moment
  retiring     it signs no more, its record stays for mail on its way
  revoked      its record says so, its file is gone (or kept to be revealed)
  removed      its record is gone; its selector is not used again
  revealed     everybody can read its private key, if the plan says `reveal`

In the configuration (`dkim config --help`), times in seconds:
  [keys.main]
  domain = \"example.com\"
  rotate = { kind = \"rsa2048\", selector = \"{year}{month}\", every = 7776000 }
      # and, unless these are wanted: ttl = 3600 (of the records), negative-ttl = 3600 (before a new
      # key signs; at least the smaller of the TTL and the minimum in the zone's SOA record),
      # message-life = 604800 (before an old one is revoked), revoked-for = 2592000 (before its record
      # goes); selectors may have {day} and {counter}, too;
      # reveal = \"DIR\" (not at all, unless said)

  [rotation]                       # all of it may be left out
  server = \"192.0.2.53\"            # takes updates (RFC 2136); without it a person publishes
  tsig = \"update.key\"              # as `tsig-keygen` writes it
  zone = \"example.com\"             # if the server is not to be asked
  servers = [\"192.0.2.53\"]         # must show every record; else all that the DNS names
  owner = \"opendkim\"               # is to have the files of keys
  hook = [\"systemctl\", \"reload\", \"opendkim\"]    # after the signing key has changed

Where each key stands is kept beside the configuration, for config.toml in config.rotation.toml. It
is replaced as a whole: whoever is stopped half-way goes on with the next call. One at a time takes
steps; config.rotation.toml.lock, mode 0600, sees to that, and is to be left where it is. From cron,
every hour:
  dkim rotate run --config /etc/dkim/config.toml

Who signs reads that file with the configuration: `dkim sign` each time, other programs when the
hook tells them. An agent (`dkim agent`) has the next key at hand once it is proven, and looks again
where keys stand when it is asked for one that it does not know: it must be able to read that file,
and the files of keys (owner). Let the hook tell it, too (SIGHUP), so that it lets go of old keys.

While another key of the configuration signs by the name of an old one, that is not revoked, and
for message-life more after the first step that finds nobody else: who signs by one name shares
one record.

With `reveal` a private key is not deleted when it is revoked. Once no server shows its record, and
for message-life more (ttl, if that is longer), it is put into that directory, mode 0644, for the
operator to publish: from then on anybody may have made its signatures, and old mail that leaks
proves nothing of its writer. The directory must be there, and another one than that of the keys. A
key that still signs under another name is not revealed; one that another program uses, too, must
not be.

A key in a token (pkcs11:...) stays there when it is revoked: the step says so, and a person has to
destroy it.

The keys of a name are of one domain. For another one choose a new name, and let the old one stand
until its keys are removed.
";
    [WAY, "\n", &exit::help()].concat()
}

impl Rotate {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Status(status) => status.run(),
            Command::Plan(plan) => plan.run(),
            Command::Step(step) => step.run(),
            Command::Run(run) => run.run(),
            Command::Abort(abort) => abort.run(),
        }
    }
}
