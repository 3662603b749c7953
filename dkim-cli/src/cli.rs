//! The command line.

use std::sync::LazyLock;

use clap::{CommandFactory, Parser, Subcommand};

use crate::completions::Completions;
use crate::diagnostics::Failure;
use crate::diff::Diff;
use crate::exit::{self, Exit};
use crate::explain::Explain;
use crate::failure_report::FailureReport;
use crate::keygen::Keygen;
use crate::man::Man;
use crate::provider::provider;
use crate::sign::Sign;
use crate::strip::Strip;
use crate::verify::Verify;

static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} ({})", env!("CARGO_PKG_VERSION"), provider().name()));

/// Sign and verify mail with DKIM (RFC 6376)
#[derive(Debug, Parser)]
#[command(name = "dkim", version = VERSION.as_str(), after_long_help = exit::help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Verify(Verify),
    Explain(Explain),
    Diff(Diff),
    Sign(Sign),
    Strip(Strip),
    #[command(subcommand)]
    Report(FailureReport),
    Keygen(Keygen),
    Completions(Completions),
    Man(Man),
}

impl Cli {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Verify(verify) => verify.run(),
            Command::Explain(explain) => explain.run(),
            Command::Diff(diff) => diff.run(),
            Command::Sign(sign) => sign.run(),
            Command::Strip(strip) => strip.run(),
            Command::Report(report) => report.run(),
            Command::Keygen(keygen) => keygen.run(),
            Command::Completions(completions) => completions.run(Self::command()),
            Command::Man(man) => man.run(Self::command()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }
}
