//! `cargo xtask package`: what would be published, made twice at two places, and looked through.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, Provider};
use serde_json::Value;

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
    let commit = clean_commit()?;
    println!("commit {commit}, and nothing beside it");
    let manifest = workspace::path("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
    // An empty list of registries is `publish = false`.
    let is_published =
        |one: &&cargo_metadata::Package| one.publish.as_ref().is_none_or(|to| !to.is_empty());
    let published = metadata.packages.iter().filter(is_published);
    let crates: Vec<Crate> = published.map(Crate::of).collect::<Result<_>>()?;
    ensure!(!crates.is_empty(), "no crate is published");

    let place = tempfile::tempdir()?;
    // Of different lengths: a path that gets into a package shows.
    let here = place.path().join("one");
    let one = packages(&here, &crates, options.verify)?;
    let other = packages(&place.path().join("another/place"), &crates, false)?;
    let mut faults = Vec::new();
    for ((package, again), of) in one.iter().zip(&other).zip(&crates) {
        let Package { file, octets, files } = package;
        let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).context("no SHA-256")?;
        digest.update(octets);
        let hash = digest.finish();
        let hash: String = hash.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
        println!("{hash}  {file}  {} octets, {} files", octets.len(), files.len());
        let mut found = missing(files);
        found.extend(differences(package, again));
        found.extend(strangers(files, |name| committed(&here, of, name)));
        found.extend(made_of(files, &commit).err().map(|error| error.to_string()));
        if octets.len() > LARGEST {
            found.push(format!("{} octets, over {LARGEST}", octets.len()));
        }
        faults.extend(found.into_iter().map(|fault| format!("{file}: {fault}")));
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    println!("{} packages of {commit}, each the same from two places", one.len());
    Ok(())
}

/// The last commit, if there is nothing beside it: who looks at the tree sees what is in the packages.
fn clean_commit() -> Result<String> {
    let git = |arguments: &[&str]| -> Result<String> {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(workspace::root());
        let output = command.output().context("cannot start git")?;
        ensure!(output.status.success(), "{} failed", workspace::line(&command));
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let changes = git(&["status", "--porcelain"])?;
    let what = "packages are made of a commit, and this is beside it";
    ensure!(changes.is_empty(), "{commit} is not what is here: {what}:\n{changes}");
    Ok(commit)
}

/// A crate to be packaged.
struct Crate {
    name: String,
    version: String,
    /// Its directory, seen from that of the workspace.
    directory: PathBuf,
}

impl Crate {
    fn of(package: &cargo_metadata::Package) -> Result<Self> {
        let directory = package.manifest_path.parent().context("a manifest is in a directory")?;
        Ok(Self {
            name: package.name.to_string(),
            version: package.version.to_string(),
            directory: directory.as_std_path().strip_prefix(workspace::root())?.to_owned(),
        })
    }
}

/// Files by name, seen from the directory of the crate.
type Files = BTreeMap<String, Vec<u8>>;

/// What cargo made of a crate.
struct Package {
    /// Its name, that of a file.
    file: String,
    octets: Vec<u8>,
    /// What is in it.
    files: Files,
}

/// The packages of a clone of the last commit at this path, in the order of the crates.
fn packages(clone: &Path, crates: &[Crate], verify: bool) -> Result<Vec<Package>> {
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--no-hardlinks"]).arg(workspace::root()).arg(clone);
    workspace::run(&mut git)?;
    // Neither of the two has the other's target directory.
    let target = clone.join("target");
    let chosen = crates.iter().flat_map(|one| ["--package", one.name.as_str()]);
    let how = if verify { &[][..] } else { &["--no-verify"] };
    let arguments = ["package", "--quiet"].into_iter().chain(how.iter().copied()).chain(chosen);
    let mut cargo = workspace::cargo(arguments);
    workspace::run(cargo.current_dir(clone).env("CARGO_TARGET_DIR", &target))?;
    let package = |one: &Crate| {
        let stem = format!("{}-{}", one.name, one.version);
        let file = format!("{stem}.crate");
        let path = target.join("package").join(&file);
        let octets = fs::read(&path).with_context(|| format!("no {}", path.display()))?;
        let files = unpacked(&path, &stem).with_context(|| path.display().to_string())?;
        Ok(Package { file, octets, files })
    };
    crates.iter().map(package).collect()
}

/// What is in a package, all of it below one directory.
fn unpacked(package: &Path, stem: &str) -> Result<Files> {
    let place = tempfile::tempdir()?;
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--gzip", "--file"]).arg(package);
    workspace::run(tar.arg("--directory").arg(place.path()))?;
    let top = place.path().join(stem);
    let beside: Vec<PathBuf> =
        entries(place.path())?.into_iter().filter(|path| *path != top).collect();
    ensure!(beside.is_empty(), "{beside:?} beside {stem}");
    let mut files = Files::new();
    let mut directories = vec![top.clone()];
    while let Some(directory) = directories.pop() {
        for path in entries(&directory)? {
            let kind = path.symlink_metadata()?.file_type();
            if kind.is_dir() {
                directories.push(path);
                continue;
            }
            ensure!(kind.is_file(), "{} is no file", path.display());
            let name = path.strip_prefix(&top)?.to_str().context("a name beyond UTF-8")?;
            files.insert(name.to_owned(), fs::read(&path)?);
        }
    }
    Ok(files)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| Ok(entry?.path()));
    entries.collect()
}

/// The same package from another place, file by file where the octets differ.
fn differences(one: &Package, other: &Package) -> Vec<String> {
    if one.octets == other.octets {
        return Vec::new();
    }
    let names = one.files.keys().chain(other.files.keys());
    let differs = |name: &&String| one.files.get(*name) != other.files.get(*name);
    let names: BTreeSet<&String> = names.filter(differs).collect();
    match names.is_empty() {
        true => vec!["differs from place to place, and no file in it does".to_owned()],
        false => names.iter().map(|name| format!("{name} differs from place to place")).collect(),
    }
}

/// What cargo writes into a package about where it comes from.
fn made_of(files: &Files, commit: &str) -> Result<()> {
    let told = files.get(".cargo_vcs_info.json").context("does not tell its commit")?;
    let told: Value = serde_json::from_slice(told)?;
    ensure!(told["git"]["sha1"] == commit, "is not made of {commit}: {told}");
    ensure!(told["git"]["dirty"].is_null(), "is not made of a commit alone: {told}");
    Ok(())
}

/// Files that are not what was committed. `committed` knows what was.
fn strangers(files: &Files, committed: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<String> {
    // Cargo's own; the manifest as it was written has another name there.
    let is_made = |name: &str| ["Cargo.toml", "Cargo.lock", ".cargo_vcs_info.json"].contains(&name);
    let is_strange = |(name, octets): &(&String, &Vec<u8>)| {
        let source = if *name == "Cargo.toml.orig" { "Cargo.toml" } else { name };
        !is_made(name) && committed(source).as_ref() != Some(octets)
    };
    let strange = files.iter().filter(is_strange);
    strange.map(|(name, _)| format!("{name} is not what was committed")).collect()
}

/// A file of a crate, or of the workspace where the crate has it from there.
fn committed(clone: &Path, of: &Crate, name: &str) -> Option<Vec<u8>> {
    let own = clone.join(&of.directory).join(name);
    fs::read(own).or_else(|_| fs::read(clone.join(name))).ok()
}

/// What a package of these files lacks.
fn missing(files: &Files) -> Vec<String> {
    let root = ["src/lib.rs", "src/main.rs"];
    let has = |name: &str| files.contains_key(name);
    let lacks = WITH.into_iter().filter(|name| !has(name));
    let sources = (!root.into_iter().any(has)).then_some("src/lib.rs, nor src/main.rs");
    lacks.chain(sources).map(|name| format!("no {name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Files {
        names.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_vec())).collect()
    }

    #[test]
    fn what_is_missing_is_told() {
        let whole = files(&[&WITH[..], &["src/lib.rs"]].concat());
        assert_eq!(missing(&whole), [""; 0]);
        let program = files(&[&WITH[..], &["src/main.rs"]].concat());
        assert_eq!(missing(&program), [""; 0]);
        for name in WITH {
            let mut without = whole.clone();
            without.remove(name);
            assert_eq!(missing(&without), [format!("no {name}")]);
        }
        assert_eq!(missing(&files(&WITH)), ["no src/lib.rs, nor src/main.rs"]);
    }

    #[test]
    fn a_package_tells_its_commit_and_nothing_beside() {
        let told = |text: &str| {
            let files =
                Files::from([(".cargo_vcs_info.json".to_owned(), text.as_bytes().to_vec())]);
            made_of(&files, "c0ffee").is_ok()
        };
        assert!(told(r#"{"git": {"sha1": "c0ffee"}, "path_in_vcs": "dkim-tags"}"#));
        assert!(!told(r#"{"git": {"sha1": "c0ffee", "dirty": true}}"#));
        assert!(!told(r#"{"git": {"sha1": "decaf"}}"#));
        assert!(!told("{}"));
        assert!(made_of(&Files::new(), "c0ffee").is_err());
    }

    #[test]
    fn a_file_is_what_was_committed() {
        let committed = |name: &str| match name {
            "src/lib.rs" => Some(b"src/lib.rs".to_vec()),
            "Cargo.toml" => Some(b"Cargo.toml.orig".to_vec()),
            _ => None,
        };
        let good = files(&["src/lib.rs", "Cargo.toml", "Cargo.toml.orig", "Cargo.lock"]);
        assert_eq!(strangers(&good, committed), [""; 0]);
        let mut changed = good.clone();
        changed.insert("src/lib.rs".to_owned(), b"other".to_vec());
        assert_eq!(strangers(&changed, committed), ["src/lib.rs is not what was committed"]);
        let mut more = good;
        more.insert("notes".to_owned(), Vec::new());
        assert_eq!(strangers(&more, committed), ["notes is not what was committed"]);
    }

    #[test]
    fn the_file_that_differs_is_named() {
        let package = |octets: &[u8], names: &[&str]| Package {
            file: String::new(),
            octets: octets.to_vec(),
            files: files(names),
        };
        let one = package(b"1", &["a", "b"]);
        assert_eq!(differences(&one, &package(b"1", &["a", "b"])), [""; 0]);
        let other = package(b"2", &["a", "c"]);
        let differ = ["b differs from place to place", "c differs from place to place"];
        assert_eq!(differences(&one, &other), differ);
        assert_eq!(differences(&one, &package(b"2", &["a", "b"])).len(), 1);
    }
}
