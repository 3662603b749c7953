//! Every disagreement that is known has an example, a reason and a verdict of ours.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use dkim_fuzz::Case;

/// The names of the examples, with what they say of our verdict, and the case.
fn examples() -> Vec<(String, String, Case)> {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("disagreements");
    let entries = fs::read_dir(room).expect("a directory of the room");
    let example = |entry: Result<fs::DirEntry, _>| {
        let path = entry.expect("it can be read").path();
        let text = fs::read(&path).expect("it can be read");
        let said = text.split(|octet| *octet == b'\n').next().unwrap_or_default();
        let said = String::from_utf8_lossy(said.strip_prefix(b"; we say ").expect("our verdict"));
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, said.into_owned(), Case::read(&text).expect("records and a message"))
    };
    entries.map(example).collect()
}

/// Signed as we read it, or hardly where we cannot.
#[test]
fn we_say_what_we_said() {
    let codes = |case: &Case| {
        let message = case.signed_by_us().unwrap_or_else(|| case.draft());
        let found = case.verify(&message);
        found.iter().map(|one| one.outcome.reason().code()).collect::<Vec<_>>().join(" ")
    };
    let say = examples().into_iter().map(|(name, said, case)| (name, codes(&case), said));
    let others: Vec<_> = say.filter(|(_, say, said)| say != said).collect();
    assert!(others.is_empty(), "what we say, and what we said: {others:#?}");
}

#[test]
fn each_is_explained() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(room.join("DISAGREEMENTS.md")).expect("the table");
    let told: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    let examples = examples();
    let kept: BTreeSet<&str> = examples.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(told, kept);
    #[cfg(feature = "peers")]
    assert_eq!(told, dkim_fuzz::CLASSES.iter().map(|class| class.name).collect());
}

/// The two differ about each example, for the reason that it is the example of and no other.
#[cfg(feature = "peers")]
#[test]
fn each_is_an_example() {
    let classes =
        examples().into_iter().map(|(name, _, case)| (name, case.classes(), case.disagreement()));
    let others: Vec<_> = classes.filter(|(name, of, _)| *of != Some(vec![&**name])).collect();
    assert!(others.is_empty(), "{others:#?}");
}
