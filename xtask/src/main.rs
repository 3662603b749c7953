//! The project's own tasks: `cargo xtask --help` lists them.
#![forbid(unsafe_code)]

mod conformance;
mod judge;
mod workspace;

use clap::{Parser, Subcommand};

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Conformance(conformance::Options),
}

fn main() -> anyhow::Result<()> {
    match Options::parse().command {
        Command::Conformance(options) => conformance::run(&options),
    }
}
