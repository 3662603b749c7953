//! Key records published, changed and withdrawn through a name server on the loopback interface, and
//! nobody else's with them.
#![allow(clippy::unwrap_used)]

mod command;
mod desk;
mod primary;

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use desk::{ED25519, NAME, OTHER, PRIVATE, dkim};
use primary::Primary;

#[test]
fn a_record_is_published_once_and_withdrawn_once() {
    let server = Primary::start();
    let address = server.address.to_string();
    let place = ["--domain", "example.com", "--selector", "s", "--server", &address, "--json"];
    let key = ["--key", "keys/ed25519.pem"];
    let publish = [&["key", "publish"], &place[..], &key].concat();
    let name = "s._domainkey.example.com";
    for (sent, updates) in [("\"sent\":true", 1), ("\"sent\":false", 1)] {
        let (code, said) = dkim(&publish);
        assert!(code == 0 && said.contains(sent) && said.contains("\"done\":true"), "{said}");
        assert_eq!(server.updates(), updates);
    }
    assert!(server.text(name).unwrap().starts_with("v=DKIM1; k=ed25519; p="));
    // Of another key.
    let other = ["--key", "keys/rsa2048-pkcs1.pem"];
    let (code, said) = dkim(&[&["key", "withdraw"], &place[..], &other].concat());
    assert!(code == 73 && said.contains("another key's"), "{said}");
    let withdraw = [&["key", "withdraw"], &place[..], &key].concat();
    let dry = ["key", "withdraw", "--domain", "example.com", "--selector", "s", "--dry-run"];
    let (code, said) = dkim(&[&dry[..], &["--server", &address]].concat());
    assert!(code == 0 && said.contains(&format!("update delete {name}. IN TXT\nsend\n")), "{said}");
    assert!(said.contains("zone example.com.\n"), "{said}");
    assert_eq!(server.updates(), 1);
    for sent in ["\"sent\":true", "\"sent\":false"] {
        let (code, said) = dkim(&withdraw);
        assert!(code == 0 && said.contains(sent) && server.updates() == 2, "{said}");
    }
    assert_eq!(server.text(name), None);
    let (code, said) = dkim(&[&publish[..], &["--wait", "18446744073709551615"]].concat());
    assert!(code == 2 && said.contains("0..=86400"), "{said}");
    // A second server that does not show it.
    let other = Primary::start();
    let second = other.address.to_string();
    let with_second = [&publish[..], &["--server", &second, "--wait", "0"]].concat();
    let (code, said) = dkim(&with_second);
    assert!(code == 75 && said.contains("\"done\":false"), "{said}");
    other.publish(name, PRIVATE);
    let (code, said) = dkim(&with_second);
    assert!(code == 75 && said.contains("another record: (a private key)"), "{said}");
}

#[test]
fn another_keys_record_stays_unless_it_may_go() {
    let server = Primary::start();
    let address = server.address.to_string();
    let run = |verb: &str, more: &[&str]| {
        let place = ["--domain", "example.com", "--selector", "s", "--server", &address];
        dkim(&[&["key", verb], &place[..], more].concat())
    };
    let key = ["--key", "keys/ed25519.pem"];
    for (stands, told) in [
        (OTHER, "another key's record"),
        ("v=DKIM1; k=ed25519; p=", "the record of a revoked key"),
        ("v=spf1 -all", "that is no key record"),
    ] {
        server.publish(NAME, stands);
        for verb in ["publish", "withdraw"] {
            for dry in [&[][..], &["--dry-run"]] {
                let (code, said) = run(verb, &[&key, dry].concat());
                let is_refused = code == 73 && said.contains(told) && said.contains("remedy: ");
                assert!(is_refused, "{verb}: {said}");
            }
        }
        assert_eq!((server.text(NAME).as_deref(), server.updates()), (Some(stands), 0));
    }
    // Said in so many words, and what is gone is told.
    server.publish(NAME, OTHER);
    let (code, said) = run("publish", &[&key[..], &["--replace"]].concat());
    assert!(code == 0 && said.contains(&format!("gone: {OTHER}\n")), "{said}");
    assert_eq!(server.text(NAME).as_deref(), Some(ED25519));
    // But for what nobody may see.
    server.publish(NAME, PRIVATE);
    let (code, said) = run("publish", &["--key", "keys/ed25519.pem", "--replace"]);
    assert!(code == 0 && said.contains("gone: (a private key)\n"), "{said}");
    server.publish(NAME, OTHER);
    let (code, said) = run("withdraw", &["--json"]);
    assert!(code == 0 && said.contains(&format!("\"was\":[\"{OTHER}\"],\"sent\":true")), "{said}");
    assert_eq!(server.text(NAME), None);
}

#[test]
fn the_same_keys_record_may_get_other_tags() {
    let server = Primary::start();
    let address = server.address.to_string();
    let place = ["--domain", "example.com", "--selector", "s", "--server", &address];
    let publish = [&["key", "publish", "--key", "keys/ed25519.pem"], &place[..]].concat();
    let (code, said) = dkim(&[&publish[..], &["--testing", "--note", "spring"]].concat());
    let tagged = server.text(NAME).unwrap();
    assert!(code == 0 && tagged.starts_with("v=DKIM1; t=y; k=ed25519; n=spring; p="), "{said}");
    let (code, said) = dkim(&[&publish[..], &["--dry-run"]].concat());
    let condition = format!("prereq yxrrset {NAME}. IN TXT \"{tagged}\"\n");
    assert!(code == 0 && said.contains(&condition), "{said}");
    assert_eq!(dkim(&publish).0, 0);
    assert_eq!(server.text(NAME).as_deref(), Some(ED25519));
}

#[test]
fn a_key_is_revoked_by_its_own_record_and_no_other() {
    let server = Primary::start();
    let address = server.address.to_string();
    let place = ["--domain", "example.com", "--selector", "s", "--server", &address];
    let publish = [&["key", "publish", "--json", "--key", "keys/ed25519.pem"], &place[..]].concat();
    let revoke = [&publish[..], &["--revoked"]].concat();
    server.publish(NAME, OTHER);
    assert_eq!(dkim(&revoke).0, 73);
    server.publish(NAME, ED25519);
    for sent in ["\"sent\":true", "\"sent\":false"] {
        let (code, said) = dkim(&revoke);
        assert!(code == 0 && said.contains(sent), "{said}");
        assert_eq!(server.text(NAME).as_deref(), Some("v=DKIM1; k=ed25519; p="));
    }
    assert_eq!(dkim(&publish).0, 73);
}

/// What a wildcard says does not stand at the name.
#[test]
fn a_wildcard_is_in_nobodys_way() {
    let server = Primary::start();
    let address = server.address.to_string();
    server.publish("*._domainkey.example.com", OTHER);
    let place = ["--domain", "example.com", "--selector", "s", "--server", &address];
    let publish = ["key", "publish", "--json", "--key", "keys/ed25519.pem"];
    let (code, said) = dkim(&[&publish[..], &place].concat());
    assert!(code == 0 && said.contains("\"was\":[],\"sent\":true"), "{said}");
    assert_eq!(server.text(NAME).as_deref(), Some(ED25519));
    // What does stand there, beside a wildcard.
    server.publish(NAME, "v=DKIM1; p=");
    assert_eq!(dkim(&[&publish[..], &place].concat()).0, 73);
    // What is gone is gone, though the wildcard answers.
    server.publish(NAME, ED25519);
    let withdraw = ["key", "withdraw", "--json", "--wait", "0", "--key", "keys/ed25519.pem"];
    for sent in ["\"sent\":true", "\"sent\":false"] {
        let (code, said) = dkim(&[&withdraw[..], &place].concat());
        assert!(code == 0 && said.contains(sent) && said.contains("\"done\":true"), "{said}");
    }
}

/// Whoever publishes between the look and the update does so first.
#[test]
fn nobody_comes_between_the_look_and_the_update() {
    let server = Primary::start();
    let address = server.address.to_string();
    let run = |verb: &str| {
        let place = ["--domain", "example.com", "--selector", "s", "--server", &address];
        dkim(&[&["key", verb, "--key", "keys/ed25519.pem"], &place[..]].concat())
    };
    server.publish_meanwhile(NAME, OTHER);
    let (code, said) = run("publish");
    assert!(code == 75 && said.contains("has other records"), "{said}");
    assert_eq!(server.text(NAME).as_deref(), Some(OTHER));
    assert_eq!(run("publish").0, 73);
    server.publish(NAME, ED25519);
    server.publish_meanwhile(NAME, OTHER);
    let (code, said) = run("withdraw");
    assert!(code == 75 && said.contains("has other records"), "{said}");
    assert_eq!((server.text(NAME).as_deref(), server.updates()), (Some(OTHER), 0));
}

/// Killed at one moment after another: what was sent stands there whole, and who asks again gets it
/// done once.
#[test]
fn whoever_is_killed_can_be_asked_again() {
    let server = Primary::start();
    let address = server.address.to_string();
    let place = ["--domain", "example.com", "--selector", "s", "--server", &address];
    let mut updates = 0;
    for (verb, before, after) in
        [("publish", None, Some(ED25519)), ("withdraw", Some(ED25519), None)]
    {
        let args = [&["key", verb, "--key", "keys/ed25519.pem"], &place[..]].concat();
        for delay in 0.. {
            let mut command = command::dkim(&args);
            let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let mut child = child.unwrap();
            thread::sleep(Duration::from_millis(2 * delay));
            let _ = child.kill();
            let is_done = child.wait().unwrap().success();
            let shown = server.text(NAME);
            assert!([before, after].contains(&shown.as_deref()), "{verb}, {delay}: {shown:?}");
            if is_done {
                break;
            }
        }
        updates += 1;
        let (code, said) = dkim(&args);
        assert_eq!((code, server.updates()), (0, updates), "{verb}: {said}");
        assert_eq!(server.text(NAME).as_deref(), after, "{verb}");
    }
}
