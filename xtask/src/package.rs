//! `cargo xtask package`: what would be published, made twice at two places, and looked through.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, Provider};

use crate::workspace;

/// What each package holds beside its sources.
const WITH: [&str; 5] = ["Cargo.toml", "Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// A compressed package has at most so many octets: no corpus travels with a library.
const LARGEST: usize = 512 * 1024;

/// Make the packages of all crates that are published, twice, from two clones of the last commit;
/// compare them octet by octet, look through them, and print their SHA-256 and sizes.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Compile each package, from what is in it and nothing else. Takes as long as it sounds.
    #[arg(long)]
    verify: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let manifest = workspace::path("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
    // An empty list of registries is `publish = false`.
    let is_published =
        |one: &&cargo_metadata::Package| one.publish.as_ref().is_none_or(|to| !to.is_empty());
    let published = metadata.packages.iter().filter(is_published);
    let names: Vec<(String, String)> =
        published.map(|one| (one.name.to_string(), one.version.to_string())).collect();
    ensure!(!names.is_empty(), "no crate is published");

    let place = tempfile::tempdir()?;
    // Of different lengths: a path that gets into a package shows.
    let one = packages(&place.path().join("one"), &names, options.verify)?;
    let other = packages(&place.path().join("another/place"), &names, false)?;
    let mut faults = Vec::new();
    for (name, (octets, files)) in &one {
        let same = other.get(name).is_some_and(|(others, _)| others == octets);
        let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).context("no SHA-256")?;
        digest.update(octets);
        let hash = digest.finish();
        let hash: String = hash.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
        println!("{hash}  {name}  {} octets, {} files", octets.len(), files.len());
        if !same {
            faults.push(format!("{name}: differs from place to place"));
        }
        faults.extend(missing(files).into_iter().map(|file| format!("{name}: no {file}")));
        if octets.len() > LARGEST {
            faults.push(format!("{name}: {} octets, over {LARGEST}", octets.len()));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    println!("{} packages, each the same from two places", one.len());
    Ok(())
}

/// A package's octets, and the files in it.
type Package = (Vec<u8>, Vec<String>);

/// The packages of a clone of the last commit at this path, by file name.
fn packages(
    clone: &Path,
    names: &[(String, String)],
    verify: bool,
) -> Result<BTreeMap<String, Package>> {
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--no-hardlinks"]).arg(workspace::root()).arg(clone);
    workspace::run(&mut git)?;
    // Neither of the two has the other's target directory.
    let target = clone.join("target");
    let cargo = |arguments: &[&str]| {
        let mut command = workspace::cargo(arguments.iter().copied());
        command.current_dir(clone).env("CARGO_TARGET_DIR", &target);
        command
    };
    let chosen = names.iter().flat_map(|(name, _)| ["--package", name.as_str()]);
    let how = if verify { &[][..] } else { &["--no-verify"] };
    let arguments: Vec<&str> =
        ["package", "--quiet"].into_iter().chain(how.iter().copied()).chain(chosen).collect();
    workspace::run(&mut cargo(&arguments))?;
    let mut found = BTreeMap::new();
    for (name, version) in names {
        let file = format!("{name}-{version}.crate");
        let path = target.join("package").join(&file);
        let octets = fs::read(&path).with_context(|| format!("no {}", path.display()))?;
        let list = cargo(&["package", "--quiet", "--list", "--package", name]).output()?;
        ensure!(list.status.success(), "cargo package --list --package {name} failed");
        let list = String::from_utf8(list.stdout)?.lines().map(str::to_owned).collect();
        found.insert(file, (octets, list));
    }
    Ok(found)
}

/// What a package of these files lacks.
fn missing(files: &[String]) -> Vec<&'static str> {
    let root = ["src/lib.rs", "src/main.rs"];
    let has = |name: &str| files.iter().any(|file| file == name);
    let lacks = WITH.into_iter().filter(|name| !has(name));
    let sources = (!root.into_iter().any(has)).then_some("src/lib.rs, nor src/main.rs");
    lacks.chain(sources).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told() {
        let files = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let whole: Vec<String> = files(&[&WITH[..], &["src/lib.rs"]].concat());
        assert_eq!(missing(&whole), [""; 0]);
        let program: Vec<String> = files(&[&WITH[..], &["src/main.rs"]].concat());
        assert_eq!(missing(&program), [""; 0]);
        for name in WITH {
            let without: Vec<String> = whole.iter().filter(|one| *one != name).cloned().collect();
            assert_eq!(missing(&without), [name]);
        }
        assert_eq!(missing(&files(&WITH)), ["src/lib.rs, nor src/main.rs"]);
    }
}
