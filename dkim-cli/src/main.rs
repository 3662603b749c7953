//! The `dkim` command: signs and verifies messages, explains what became of them, and makes keys.
#![forbid(unsafe_code)]

mod adsp;
mod agent;
mod atps;
mod audit;
mod border;
mod cli;
mod completions;
mod config;
mod coverage;
mod date;
mod delegate;
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
mod lock;
mod man;
mod mediate;
mod name_servers;
mod octets;
mod one_by_one;
mod output;
mod practices;
mod preset;
mod printable;
mod provider;
mod publication;
mod reasons;
mod relay_check;
mod report;
mod rotate;
mod runtime;
mod sign;
mod strip;
mod token;
mod update;
mod verify;

use std::process::ExitCode;

fn main() -> ExitCode {
    let ended = cli::Cli::read().and_then(|cli| cli.map_or(Ok(exit::Exit::Success), cli::Cli::run));
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.tell();
            failure.exit.into()
        }
    }
}
