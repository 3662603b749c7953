//! `cargo xtask bench`: the benches of all crates, against a named baseline if one is wanted.

use anyhow::Result;
use cargo_metadata::MetadataCommand;

use crate::workspace;

/// Run the benches.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only benches whose name contains this.
    filter: Option<String>,
    /// Keep the results under this name.
    #[arg(long, value_name = "NAME", conflicts_with = "against")]
    save: Option<String>,
    /// Compare with the results kept under this name.
    #[arg(long, value_name = "NAME")]
    against: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let manifest = workspace::path("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
    let mut command = workspace::cargo(["bench"]);
    for package in &metadata.packages {
        let benches = package.targets.iter().filter(|target| target.is_bench());
        let names: Vec<&str> = benches.map(|target| target.name.as_str()).collect();
        if !names.is_empty() {
            command.args(["--package", package.name.as_str()]);
            command.args(names.iter().flat_map(|name| ["--bench", name]));
        }
    }
    command.arg("--").args(&options.filter);
    if let Some(name) = &options.save {
        command.args(["--save-baseline", name]);
    }
    if let Some(name) = &options.against {
        command.args(["--baseline", name]);
    }
    workspace::run(&mut command)
}
