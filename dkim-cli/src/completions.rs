//! `dkim completions`: what a shell needs to complete the command line.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// Write a completion script for a shell
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, mut dkim: Command) -> Result<Exit, Failure> {
        // To memory first: the generator panics when it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut dkim, "dkim", &mut script);
        io::stdout().write_all(&script).map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }
}
