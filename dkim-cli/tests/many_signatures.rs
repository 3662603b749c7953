//! Of many signatures, a few are shown at length: what is told of a message stays in proportion to
//! it.
#![allow(clippy::unwrap_used, missing_docs)]

mod command;

use std::fmt::Write;
use std::fs;

use command::{run, text};

/// So many signatures that can be read, above as many fields with names of their own.
fn message(count: usize) -> String {
    let mut message = String::new();
    for number in 0..count {
        write!(
            message,
            "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s{number};\r\n h=from; bh=Zm9v; b=Zm9v{number:04}\r\n"
        )
        .unwrap();
    }
    for number in 0..count {
        write!(message, "X-{number}: x\r\n").unwrap();
    }
    message + "From: joe@example.com\r\n\r\nHi.\r\n"
}

#[test]
fn it_is_told_of_ten_what_they_cover() {
    let zone = tempfile::NamedTempFile::new().unwrap();
    let zone = zone.path().to_str().unwrap();
    let shown = |count: usize| {
        let output = run(&["verify", "--zone", zone, "-"], message(count).as_bytes());
        text(&output.stdout)
    };
    let ten = shown(10);
    assert_eq!(ten.matches("not signed ").count(), 10, "{ten}");
    assert!(!ten.contains("not listed"), "{ten}");
    let many = shown(30);
    assert_eq!(many.matches("  signature ").count(), 30, "{many}");
    assert_eq!(many.matches("not signed ").count(), 10, "{many}");
    assert_eq!(many.matches("(not listed: 10 others are above)").count(), 20, "{many}");
}

#[test]
fn programs_are_told_of_ten_what_they_do_not_cover() {
    let zone = tempfile::NamedTempFile::new().unwrap();
    let zone = zone.path().to_str().unwrap();
    let args = ["verify", "--json", "--zone", zone, "-"];
    let told = text(&run(&args, message(30).as_bytes()).stdout);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let fields: Vec<_> = told["signatures"].as_array().unwrap().iter().collect();
    // The other signatures are not signed, and neither are the fields below.
    let first: Vec<_> = fields[0]["unsigned_fields"].as_array().unwrap().iter().collect();
    assert_eq!(first.len(), 31);
    assert_eq!((first[0], first[30]), (&"DKIM-Signature".into(), &"X-29".into()));
    assert!(fields[9]["unsigned_fields"].is_array() && fields[10]["unsigned_fields"].is_null());
    let one = message(1).replace("From: ", &format!("{}From: ", self::fields(1_000)));
    let told = text(&run(&args, one.as_bytes()).stdout);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["signatures"][0]["unsigned_fields"].as_array().unwrap().len(), 100);
}

#[test]
fn names_are_cut_where_they_are_many() {
    let zone = tempfile::NamedTempFile::new().unwrap();
    let zone = zone.path().to_str().unwrap();
    let one = message(1).replace("From: ", &format!("{}From: ", fields(1_000)));
    let shown = text(&run(&["verify", "--zone", zone, "-"], one.as_bytes()).stdout);
    assert!(shown.contains(", and 901 more\n"), "{shown}");
}

fn fields(count: usize) -> String {
    (0..count).map(|number| format!("Y-{number}: y\r\n")).collect()
}

#[test]
fn ten_are_compared_and_others_by_their_number() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (signed, received) = (path("signed"), path("received"));
    for (count, compared) in [(10, 10), (11, 10), (40, 10)] {
        fs::write(&signed, message(count)).unwrap();
        fs::write(&received, message(count).replace("Hi.", "Ho.")).unwrap();
        let output = run(&["diff", &signed, &received], b"");
        assert_eq!(text(&output.stdout).matches("+ Ho.").count(), compared, "{output:?}");
        let told = format!("10 of {count} signatures are compared, choose others with --signature");
        assert_eq!(text(&output.stderr).contains(&told), count > compared, "{output:?}");
    }
    let output = run(&["diff", "--signature", "40", &signed, &received], b"");
    assert_eq!(text(&output.stdout).matches("+ Ho.").count(), 1, "{output:?}");
    assert_eq!(text(&output.stderr), "");
}
