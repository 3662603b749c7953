//! The project's own tasks: `cargo xtask --help` lists them.
#![forbid(unsafe_code)]

mod conformance;
mod judge;
mod layers;
mod vectors;
mod workspace;

use std::process::ExitCode;

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
    Layers(layers::Options),
    Vectors(vectors::Options),
}

fn main() -> ExitCode {
    let done = match Options::parse().command {
        Command::Conformance(options) => conformance::run(&options),
        Command::Layers(options) => layers::run(&options),
        Command::Vectors(options) => vectors::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
