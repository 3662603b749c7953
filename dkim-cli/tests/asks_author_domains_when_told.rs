//! Author Domains are asked about their practices by who was told to, and by nobody else.
#![allow(clippy::unwrap_used)]

mod command;
mod name_server;

use command::{run, text};
use name_server::NameServer;

/// What is said, and how many names were asked to find it out.
fn said(args: &[&str]) -> (String, usize) {
    let server = NameServer::start("dkim=discardable", |_, _| true);
    let address = server.address.to_string();
    let output = run(&[args, &["--dns", &address]].concat(), b"");
    (text(&output.stdout), server.asked().len())
}

#[test]
fn not_unless_asked_for() {
    for flags in [&[][..], &["--json"]] {
        let (said, asked) = said(&[&["verify", "plain.eml"], flags].concat());
        assert!(!said.to_lowercase().contains("adsp"), "{said}");
        assert!(!said.to_lowercase().contains("atps"), "{said}");
        assert_eq!(asked, 0);
    }
}

/// RFC 5617 §4.3: the domain itself, then its record.
#[test]
fn of_the_server_given() {
    let (said_of_message, asked) = said(&["verify", "--adsp", "--atps", "plain.eml"]);
    assert!(said_of_message.contains("dkim-adsp=discard header.from=joe@example.com"));
    // No signature claims to be for another.
    assert!(said_of_message.contains("dkim-atps=none"), "{said_of_message}");
    assert_eq!(asked, 2, "{said_of_message}");

    let (said_of_domain, asked) = said(&["adsp", "lookup", "example.com"]);
    assert!(said_of_domain.contains("dkim=discardable"), "{said_of_domain}");
    assert_eq!(asked, 2);
    let signed = ["adsp", "check", "--from", "joe@example.com", "--valid-signature", "example.com"];
    let (said_of_author, asked) = said(&signed);
    assert!(said_of_author.contains("ADSP: pass"), "{said_of_author}");
    assert_eq!(asked, 0);
}

/// RFC 6376 §3.6.1 `t=y`: such mail is not to be treated otherwise than unsigned mail.
#[test]
fn a_key_in_test_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let zone = directory.path().join("adsp.zone");
    let records = "_adsp._domainkey.example.com. IN TXT \"dkim=all\"\n";
    std::fs::write(&zone, records).unwrap();
    let zone = zone.to_str().unwrap();
    for (message, result) in [("signed.eml", "pass"), ("testing.eml", "fail")] {
        let args = ["verify", "--adsp", "--zone", "example.zone", "--zone", zone, message];
        let output = run(&args, b"");
        let said = text(&output.stdout);
        assert!(said.contains("dkim=pass"), "{said}");
        assert!(said.contains(&format!("dkim-adsp={result} ")), "{said}");
    }
}
