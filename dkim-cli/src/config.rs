//! `dkim config`: which key signs for whom.

mod authors;
mod check;
mod file;
mod import;
mod which;

use clap::{Args, Subcommand};

pub(crate) use self::authors::decide;
pub(crate) use self::file::{ConfigFile, state_failure};
use crate::diagnostics::Failure;
use crate::exit::{self, Exit};

/// Ask and check the configuration of a signer, or take one over from OpenDKIM
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Which(which::Which),
    Check(check::Check),
    ImportOpendkim(import::ImportOpendkim),
}

fn help() -> String {
    const FILE: &str = "\
The configuration, in TOML:
  match = \"every\"                # or \"first\": the first rule that fits decides

  [keys.main]
  domain = \"example.com\"         # d=; % stands for the domain of the author
  selector = \"s2024\"             # s=
  file = \"s2024._domainkey.example.com.pem\"    # seen from here; % as above; or pkcs11:...

  [keys.changing]                # selector and file may stand here, too, until the first change
  domain = \"example.com\"
  rotate = { kind = \"rsa2048\", selector = \"{year}{month}\", every = 7776000 }
                                 # `dkim rotate --help` tells the rest

  [[rules]]                      # from the first to the last
  from = [\"*@example.com\", \"*@*.example.com\"]    # domains in A-labels
  keys = [\"main\"]                # a signature with each; none: left unsigned
  identity = \"@%\"                # i=, if wanted
  clients = [\"192.0.2.0/24\", \"2001:db8::25\"]    # mail from there alone, if said,
  authenticated = true           # and from whoever has shown who they are

  [signing]                      # all of it may be left out
  canonicalization = \"relaxed/relaxed\"
  oversign = [\"From\", \"To\"]
  expires = 604800               # x=, seconds after t=
  body-length = false            # l=

Paths are seen from the directory of the file itself, whatever symbolic links lead to it; the state
of keys that change is kept there, too.
";
    [FILE, "\n", &exit::help()].concat()
}

impl Config {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Which(which) => which.run(),
            Command::Check(check) => check.run(),
            Command::ImportOpendkim(import) => import.run(),
        }
    }
}
