//! `dkim report`: makes and reads reports about failures.

mod make;
mod show;

use clap::Subcommand;

use crate::diagnostics::Failure;
use crate::exit::Exit;
use make::Make;
use show::Show;

/// Make or read a report about a signature that failed (RFC 6651, RFC 6591)
#[derive(Debug, Subcommand)]
pub(crate) enum FailureReport {
    Make(Box<Make>),
    Show(Show),
}

impl FailureReport {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Make(make) => make.run(),
            Self::Show(show) => show.run(),
        }
    }
}
