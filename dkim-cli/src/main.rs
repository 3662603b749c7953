//! The `dkim` command: signs and verifies messages, explains what became of them, and makes keys.
#![forbid(unsafe_code)]

mod cli;
mod completions;
mod coverage;
mod date;
mod diagnostics;
mod diff;
mod dns;
mod exit;
mod explain;
mod failure_report;
mod input;
mod json;
mod key_file;
mod keygen;
mod man;
mod octets;
mod printable;
mod provider;
mod reasons;
mod report;
mod sign;
mod strip;
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
