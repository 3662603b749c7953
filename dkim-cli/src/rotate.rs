//! `dkim rotate`: keys that change by a plan.

mod abort;
mod hands;
mod open;
mod plan;
mod progress;
mod run;
mod status;

use clap::{Args, Subcommand};

pub(crate) use self::open::Which;
pub(crate) use self::progress::Teller;
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
  revoked      its record says so, its file is gone
  removed      nothing is left; its selector is not used again

In the configuration (`dkim config --help`), times in seconds:
  [keys.main]
  domain = \"example.com\"
  rotate = { kind = \"rsa2048\", selector = \"{year}{month}\", every = 7776000 }
      # and, unless these are wanted: ttl = 3600 (of the records), negative-ttl = 3600 (before a new
      # key signs), message-life = 604800 (before an old one is revoked), grave = 2592000 (before
      # its record goes); selectors may have {day} and {counter}, too

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

Who signs reads which key does with the configuration: `dkim sign` each time, other programs when the
hook tells them. An agent (`dkim agent`) has the next key at hand once it is proven, and looks again
where keys stand when it is asked for one that it does not know: it must be able to read that file,
and the files of keys (owner). Let the hook tell it, too (SIGHUP), so that it lets go of old keys.

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
