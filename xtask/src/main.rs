//! The project's own tasks: `cargo xtask --help` lists them.
#![forbid(unsafe_code)]

mod attacks;
mod bench;
mod ci;
mod conformance;
mod fuzz;
mod house;
mod interop;
mod judge;
mod layers;
mod miri;
mod mutants;
mod package;
mod spec;
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
    Attacks(attacks::Options),
    Ci(ci::Options),
    Fuzz(fuzz::Options),
    Bench(bench::Options),
    Conformance(conformance::Options),
    Interop(interop::Options),
    Layers(layers::Options),
    Miri(miri::Options),
    Mutants(mutants::Options),
    Package(package::Options),
    Spec(spec::Options),
    Vectors(vectors::Options),
}

fn main() -> ExitCode {
    let done = match Options::parse().command {
        Command::Attacks(options) => attacks::run(&options),
        Command::Ci(options) => ci::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Conformance(options) => conformance::run(&options),
        Command::Interop(options) => interop::run(&options),
        Command::Layers(options) => layers::run(&options),
        Command::Miri(options) => miri::run(&options),
        Command::Mutants(options) => mutants::run(&options),
        Command::Package(options) => package::run(&options),
        Command::Spec(options) => spec::run(&options),
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
