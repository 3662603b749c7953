//! `dkim report`: asks for reports about failures, makes and reads them.

mod make;
mod publish;
mod show;

use clap::Subcommand;

use crate::diagnostics::Failure;
use crate::exit::Exit;
use make::Make;
use publish::Publish;
use show::Show;

pub(crate) use publish::no_local_part;

/// Ask for, make or read reports about signatures that failed (RFC 6651, RFC 6591)
#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    Make(Box<Make>),
    Show(Show),
    Publish(Publish),
}

impl Report {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Make(make) => make.run(),
            Self::Show(show) => show.run(),
            Self::Publish(publish) => publish.run(),
        }
    }
}
