//! `cargo xtask bench`: how fast the stack is, and whether it was faster.

mod instructions;

use std::fs;

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;

use crate::workspace;

pub(crate) use instructions::{
    check as check_instructions, has_valgrind, is_comparable as instructions_are_comparable,
};

/// The workspace of the benches of the whole stack.
const MANIFEST: &str = "bench/Cargo.toml";

/// Measure the stack.
///
/// Without --ratios or --instructions, the benches of all crates and of the whole stack (the cells
/// of bench/) run one after the other with criterion. To see what a change does:
///
///     cargo xtask bench canon --save before
///     (the change)
///     cargo xtask bench canon --against before
///
/// --ratios measures each cell of bench/ in turns with its limit, which is what the cryptographic
/// library alone needs for the same octets, and prints ours, the limit, the ratio of the two and the
/// target in one table; --save and --against work here too. A missed target is marked and is no
/// failure, since a timing is no test. Time is that of the processor, but for the cell of two
/// threads, which is worth something on an idle machine only.
///
/// --instructions counts, with valgrind, what a message takes outside the cryptographic library.
/// The count is the same in every run, so that it is compared with what bench/instructions.txt has,
/// and more than 5 % above that is a failure.
///
/// A cell's name is made of steps, such as verify/ring/rsa-2048/relaxed/16KiB; FILTER is any part
/// of it.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {
    /// Only benches or cells whose name contains this.
    filter: Option<String>,
    /// Keep the results under this name.
    #[arg(long, value_name = "NAME", conflicts_with = "against")]
    save: Option<String>,
    /// Compare with the results kept under this name.
    #[arg(long, value_name = "NAME")]
    against: Option<String>,
    /// Print the table of ours beside the limit.
    #[arg(long)]
    ratios: bool,
    /// The same with another implementation beside ours, where it has the same cryptographic
    /// library (aws-lc-rs).
    #[arg(long)]
    peers: bool,
    /// How long to measure each cell of the table.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    seconds: f64,
    /// Count instructions, and compare them with what was kept.
    #[arg(long, conflicts_with_all = ["filter", "save", "against", "ratios", "peers"])]
    instructions: bool,
    /// Count instructions, and keep them in bench/instructions.txt.
    #[arg(long, conflicts_with_all = ["filter", "save", "against", "ratios", "peers", "instructions"])]
    save_instructions: bool,
    /// Where valgrind is missing, say so and do not fail.
    #[arg(long)]
    without_valgrind: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.instructions || options.save_instructions {
        if options.without_valgrind && !has_valgrind() {
            eprintln!("NOTHING WAS COUNTED: {}", instructions::MISSING);
            return Ok(());
        }
        return if options.instructions { instructions::check() } else { instructions::keep() };
    }
    if options.ratios || options.peers { ratios(options) } else { criterion(options) }
}

/// The table, made by a program of its own.
fn ratios(options: &Options) -> Result<()> {
    let mut command = workspace::cargo(["bench", "--manifest-path", MANIFEST, "--bench", "ratios"]);
    if options.peers {
        // The peer's parser names a newer compiler than it needs.
        command.args(["--features", "peers", "--ignore-rust-version"]);
    }
    command.arg("--").args(&options.filter);
    command.args(["--seconds", &options.seconds.to_string()]);
    let kept = MetadataCommand::new().manifest_path(workspace::path(MANIFEST)).no_deps().exec()?;
    let directory = kept.target_directory.join("ratios");
    if let Some(name) = &options.save {
        fs::create_dir_all(&directory).with_context(|| directory.to_string())?;
        command.arg("--save").arg(directory.join(name));
    }
    if let Some(name) = &options.against {
        command.arg("--against").arg(directory.join(name));
    }
    workspace::run(&mut command)
}

/// The benches of the crates, then the cells.
fn criterion(options: &Options) -> Result<()> {
    let manifest = workspace::path("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
    let mut crates = workspace::cargo(["bench"]);
    for package in &metadata.packages {
        let benches = package.targets.iter().filter(|target| target.is_bench());
        let names: Vec<&str> = benches.map(|target| target.name.as_str()).collect();
        if !names.is_empty() {
            crates.args(["--package", package.name.as_str()]);
            crates.args(names.iter().flat_map(|name| ["--bench", name]));
        }
    }
    let cells = workspace::cargo(["bench", "--manifest-path", MANIFEST, "--bench", "cells"]);
    for mut command in [crates, cells] {
        command.arg("--").args(&options.filter);
        if let Some(name) = &options.save {
            command.args(["--save-baseline", name]);
        }
        if let Some(name) = &options.against {
            command.args(["--baseline", name]);
        }
        workspace::run(&mut command)?;
    }
    Ok(())
}
