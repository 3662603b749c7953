//! The `dkim` command: signs and verifies messages, and makes keys.
#![forbid(unsafe_code)]

mod cli;
mod completions;
mod coverage;
mod date;
mod diagnostics;
mod dns;
mod exit;
mod input;
mod json;
mod key_file;
mod keygen;
mod man;
mod printable;
mod provider;
mod reasons;
mod report;
mod sign;
mod verify;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.tell();
            failure.exit.into()
        }
    }
}
