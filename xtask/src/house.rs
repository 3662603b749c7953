//! The crates of the house and their sources, read for the tasks that look at them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::workspace;

/// The crates and their sources, as far as the rules look at them.
#[derive(Default)]
pub(crate) struct House {
    pub(crate) crates: Vec<Crate>,
    pub(crate) files: Vec<File>,
    /// The floor of each crate that stands on one.
    pub(crate) floors: BTreeMap<String, u64>,
}

/// A crate of ours.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) arrows: Vec<Arrow>,
}

/// A dependency that a manifest lists.
pub(crate) struct Arrow {
    pub(crate) to: String,
    pub(crate) kind: DependencyKind,
}

/// A source file.
pub(crate) struct File {
    /// The crate it belongs to.
    pub(crate) owner: String,
    /// Its path from the workspace's directory, with slashes.
    pub(crate) path: String,
    /// Whether it is the root of a library or a program.
    pub(crate) is_root: bool,
    pub(crate) text: String,
}

impl House {
    pub(crate) fn read() -> Result<Self> {
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

/// How many lines come before the unit tests, which stand last in a file.
pub(crate) fn lines_of_product(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.iter().rposition(|line| line.trim_start().starts_with("mod tests {"));
    let attribute = tests.and_then(|tests| {
        lines.get(..tests)?.iter().rposition(|line| line.trim() == "#[cfg(test)]")
    });
    attribute.unwrap_or(lines.len())
}
