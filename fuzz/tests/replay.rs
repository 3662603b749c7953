//! Every input that was kept keeps every property, and every target has its places.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dkim_fuzz::TARGETS;

fn room() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names_in(directory: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(room().join(directory)).expect("a directory of the room");
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    entries.filter_map(|entry| stem(entry.expect("it can be read").path())).collect()
}

/// Our own vectors are input to every target, whatever it reads.
#[test]
fn what_was_kept() {
    for (name, property) in TARGETS {
        let own = ["seeds", "regressions"].map(|kept| room().join(kept).join(name));
        let vectors = room().join("../dkim-testkit/vectors/generated/messages");
        for directory in own.into_iter().chain([vectors]) {
            for input in fs::read_dir(directory).expect("a directory per target") {
                let path = input.expect("it can be read").path();
                println!("{}", path.display());
                property(&fs::read(&path).expect("it can be read"));
            }
        }
    }
}

/// Short inputs of all kinds, for targets that make up values from octets.
#[test]
fn a_few_octets_of_noise() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for (_, property) in TARGETS {
        for length in 0..300 {
            let noise: Vec<u8> = (0..length)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state.to_be_bytes()[0]
                })
                .collect();
            property(&noise);
        }
    }
}

#[test]
fn every_target_has_its_places() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for directory in ["fuzz_targets", "seeds", "regressions"] {
        assert_eq!(names_in(directory), names, "{directory}");
    }
    let manifest = fs::read_to_string(room().join("Cargo.toml")).expect("the manifest");
    for name in &names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
}

/// A row of the log's findings ends with the input that is replayed, or the file and name of a test.
#[test]
fn every_finding_is_kept() {
    let log = fs::read_to_string(room().join("LOG.md")).expect("the log");
    let (_, findings) = log.split_once("## Findings").expect("a table of findings");
    let rows: Vec<&str> = findings.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(!rows.is_empty());
    for row in rows {
        let kept = row.trim_end_matches("` |").rsplit('`').next().expect("the last cell");
        let (file, test) = kept.split_once(": ").unwrap_or((kept, ""));
        let contents = fs::read(room().join(file)).unwrap_or_else(|error| panic!("{row}: {error}"));
        assert_eq!(test.is_empty(), file.starts_with("regressions/"), "{row}");
        let contents = String::from_utf8_lossy(&contents);
        assert!(
            test.is_empty() || contents.contains(&format!("fn {test}()")),
            "{row}: no such test"
        );
    }
}
