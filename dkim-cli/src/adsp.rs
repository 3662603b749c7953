//! `dkim adsp`: what an Author Domain says about its signatures (RFC 5617).

mod check;
mod lookup;
mod publish;

use clap::{Args, Subcommand};

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// Tell what a domain says about its signatures: ADSP (RFC 5617, Historic)
///
/// With Author Domain Signing Practices a domain says whether all mail from it is signed. ADSP is
/// Historic, for old archives and records; what receivers look for today is DMARC (RFC 7489).
#[derive(Debug, Args)]
pub(crate) struct Adsp {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Lookup(lookup::Lookup),
    Check(check::Check),
    Publish(publish::Publish),
}

impl Adsp {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Lookup(lookup) => lookup.run(),
            Command::Check(check) => check.run(),
            Command::Publish(publish) => publish.run(),
        }
    }
}
