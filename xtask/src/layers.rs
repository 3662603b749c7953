//! `cargo xtask layers`: the arrows between the crates, and what may be named where.

mod arrows;
mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::workspace;

/// Check the arrows between the crates, and what may be named where.
#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options) -> Result<()> {
    let house = House::read()?;
    let mut broken = arrows::broken(&house);
    broken.extend(sources::broken(&house));
    if !broken.is_empty() {
        for line in &broken {
            eprintln!("{line}");
        }
        bail!("{} rules of the house broken (ARCHITECTURE.md)", broken.len());
    }
    let arrows: usize = house.crates.iter().map(|one| one.arrows.len()).sum();
    println!(
        "{} crates, {arrows} dependencies, {} files: every arrow goes down",
        house.crates.len(),
        house.files.len()
    );
    Ok(())
}

/// The crates and their sources, as far as the rules look at them.
#[derive(Default)]
struct House {
    crates: Vec<Crate>,
    files: Vec<File>,
    /// The floor of each crate that stands on one.
    floors: BTreeMap<String, u64>,
}

/// A crate of ours.
struct Crate {
    name: String,
    arrows: Vec<Arrow>,
}

/// A dependency that a manifest lists.
struct Arrow {
    to: String,
    kind: DependencyKind,
}

/// A source file.
struct File {
    /// The crate it belongs to.
    owner: String,
    /// Its path from the workspace's directory, with slashes.
    path: String,
    /// Whether it is the root of a library or a program.
    is_root: bool,
    text: String,
}

impl House {
    fn read() -> Result<Self> {
        let manifest = workspace::path("Cargo.toml");
        let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
        let floors = metadata.workspace_metadata.get("floors").cloned();
        let floors = floors.context("no [workspace.metadata.floors] in Cargo.toml")?;
        let mut house = Self { floors: serde_json::from_value(floors)?, ..Self::default() };
        for package in &metadata.packages {
            let arrow = |dependency: &cargo_metadata::Dependency| Arrow {
                to: dependency.name.clone(),
                kind: dependency.kind,
            };
            let name = package.name.to_string();
            let arrows = package.dependencies.iter().map(arrow).collect();
            house.crates.push(Crate { name, arrows });
            let directory = package.manifest_path.parent().context("a manifest in no directory")?;
            house.read_files(package, directory.as_std_path())?;
        }
        Ok(house)
    }

    fn read_files(&mut self, package: &Package, directory: &Path) -> Result<()> {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                self.read_files(package, &path)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(workspace::root()).unwrap_or(&path);
                let is_root = |target: &cargo_metadata::Target| {
                    (target.is_lib() || target.is_bin()) && target.src_path == path
                };
                self.files.push(File {
                    owner: package.name.to_string(),
                    path: relative.to_string_lossy().replace('\\', "/"),
                    is_root: package.targets.iter().any(is_root),
                    text: fs::read_to_string(&path)
                        .with_context(|| format!("cannot read {}", path.display()))?,
                });
            }
        }
        Ok(())
    }
}
