//! What a mailing list found out is believed if one says so and the list has signed it (RFC 6377
//! §5.7, §7.2).
#![allow(clippy::unwrap_used)]

mod command;

use std::fs;

use command::{DATA, run, text};

/// A message whose signature was right when the list had it, and that the list has changed, says
/// what it had found, and signs.
fn through_a_list(sign: bool) -> Vec<u8> {
    let zone = ["--zone", "example.zone", "signed.eml"];
    let mediated = run(&[&["mediate", "--domain", "example.org"][..], &zone].concat(), b"").stdout;
    let changed = text(&mediated).replace("Subject: ", "Subject: [dinner] ").into_bytes();
    assert_ne!(changed, mediated);
    if !sign {
        return changed;
    }
    let key = ["--selector", "list", "--key", "keys/ed25519.pem"];
    run(&[&["sign", "--mediator", "--domain", "example.org"][..], &key].concat(), &changed).stdout
}

fn verify(message: &[u8], more: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let zone = directory.path().join("list.zone");
    let example = fs::read_to_string(format!("{DATA}/example.zone")).unwrap();
    let key = example.lines().find(|line| line.starts_with("sel._domainkey")).unwrap();
    let record = key.split_once('"').unwrap().1;
    let records = format!(
        "list._domainkey.example.org. IN TXT \"{record}\n\
         _adsp._domainkey.example.com. IN TXT \"dkim=all\"\n"
    );
    fs::write(&zone, records).unwrap();
    let zones = ["verify", "--zone", "example.zone", "--zone", zone.to_str().unwrap(), "--adsp"];
    text(&run(&[&zones, more].concat(), message).stdout)
}

#[test]
fn that_have_signed() {
    let message = through_a_list(true);
    let said = verify(&message, &[]);
    assert!(said.contains("dkim-adsp=fail") && !said.contains("found by"), "{said}");

    let said = verify(&message, &["--trust", "example.org"]);
    assert!(said.contains("  found by example.org:\n"), "{said}");
    assert!(said.contains("    dkim=pass header.d=example.com"), "{said}");
    assert!(said.contains("dkim-adsp=pass"), "{said}");

    let said = verify(&message, &["--trust", "example.org", "--json"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let trusted = &said["trusted"];
    assert_eq!(trusted.as_array().unwrap().len(), 1);
    assert_eq!(trusted[0]["site"], "example.org");
    assert_eq!(trusted[0]["valid"], serde_json::json!(["example.com"]));
    let field = trusted[0]["authentication_results"].as_str().unwrap();
    assert!(field.contains("dkim=pass"), "{field}");
}

#[test]
fn and_no_others() {
    let signed = through_a_list(true);
    for (message, trusted) in [
        (through_a_list(false), "example.org"),
        (signed.clone(), "example.com"),
        (signed.clone(), "org"),
        (
            text(&signed).replace("header.d=example.com", "header.d=example.net").into(),
            "example.org",
        ),
    ] {
        let said = verify(&message, &["--trust", trusted]);
        assert!(said.contains("dkim-adsp=fail") && !said.contains("found by"), "{said}");
        let said = verify(&message, &["--trust", trusted, "--json"]);
        assert!(said.contains("\"trusted\":[]"), "{said}");
    }
    assert!(!verify(&signed, &["--json"]).contains("trusted"));
}
