//! The `dkim` command: signs and verifies messages, explains what became of them, and makes keys.
#![forbid(unsafe_code)]

mod adsp;
mod agent;
mod atps;
mod audit;
mod cli;
mod completions;
mod config;
mod coverage;
mod date;
mod diagnostics;
mod diff;
mod dns;
mod exit;
mod explain;
mod findings;
mod input;
mod json;
mod key;
mod key_file;
mod man;
mod octets;
mod practices;
mod printable;
mod provider;
mod publication;
mod reasons;
mod report;
mod sign;
mod token;
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
