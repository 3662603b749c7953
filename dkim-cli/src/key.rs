//! `dkim key`: looks after published key records.

mod check_domainkeys;

use clap::{Args, Subcommand};

use crate::diagnostics::Failure;
use crate::exit::Exit;
use check_domainkeys::CheckDomainKeys;

/// Look after published key records
#[derive(Debug, Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(name = "check-domainkeys")]
    CheckDomainKeys(CheckDomainKeys),
}

impl Key {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::CheckDomainKeys(check) => check.run(),
        }
    }
}
