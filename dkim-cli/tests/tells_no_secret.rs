//! A secret that is put where it does not belong is not told.
#![allow(clippy::unwrap_used)]

mod command;

use std::fs;

use command::{DATA, run, text};

/// Secrets, and of each a part that nobody must see.
fn secrets() -> Vec<(String, &'static str)> {
    let pem = fs::read_to_string(format!("{DATA}/keys/ed25519.pem")).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let body = &*base64.clone().leak();
    let seed = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
    vec![
        (pem, body),
        (base64, body),
        (seed.to_owned(), seed),
        (format!("hmac-sha256:k:{seed}"), seed),
        ("pkcs11:token=a;pin-value=123456".to_owned(), "123456"),
        ("PKCS11:token=a?pin-value=123456".to_owned(), "123456"),
        ("pkcs11:token=a;p%69n-value=123456".to_owned(), "123456"),
    ]
}

#[test]
fn of_arguments() {
    let sign: &[&str] = &["sign", "--domain", "a.example", "--selector", "s", "plain.eml"];
    let test: &[&str] = &["key", "test", "--domain", "a.example", "--selector", "s"];
    let withdraw: &[&str] =
        &["key", "withdraw", "--domain", "a.example", "--selector", "s", "--server", "127.0.0.1"];
    for (secret, hidden) in secrets() {
        for (command, option) in [
            (sign, "--key="),
            (test, "--key="),
            (withdraw, "--key="),
            (withdraw, "--tsig="),
            (&["config", "check"], "--config="),
            (&["verify", "--"], ""),
            (&["verify", "--json", "--"], ""),
        ] {
            let output = run(&[command, &[&format!("{option}{secret}")]].concat(), b"");
            let said = text(&output.stderr) + &text(&output.stdout);
            assert!(matches!(output.status.code(), Some(65 | 66)), "{said}");
            assert!(!said.contains(hidden), "{said}");
        }
        // Apart from its option, what begins with hyphens is taken for another one.
        for command in [
            &["sign", "--domain", "a.example", "--selector", "s", "plain.eml", "--key"][..],
            &["sign", "--domain"],
            &["key", "test", "--domain", "a.example", "--selector", "s", "--key"],
            &["key", "new", "--out"],
            &["key", "publish", "--tsig"],
            &["config", "check", "--config"],
            &["agent", "--user"],
            &["verify"],
            &["verify", "--jobs"],
            &["border", "--policy"],
            &["nothing"],
            &[],
        ] {
            let output = run(&[command, &[&secret]].concat(), b"");
            let said = text(&output.stderr) + &text(&output.stdout);
            assert!(!output.status.success() && !said.contains(hidden), "{command:?}: {said}");
        }
    }
}

#[test]
fn of_records() {
    let key = secrets().remove(0).1;
    for record in [
        format!("v=DKIM1; k=ed25519; p={key}"),
        format!("\\\"v=DKIM1\\; k=ed25519\\; p={key}\\\""),
        format!("v=DKIM1; p=-----BEGIN PRIVATE KEY-----{key}-----END PRIVATE KEY-----"),
    ] {
        let zone = tempfile::NamedTempFile::new().unwrap();
        fs::write(&zone, format!("s._domainkey.a.example. TXT \"{record}\"\n")).unwrap();
        let zone = zone.path().to_str().unwrap();
        for form in [&[][..], &["--json"]] {
            let test = ["key", "test", "--domain", "a.example", "--selector", "s", "--zone", zone];
            let output = run(&[&test, form].concat(), b"");
            let said = text(&output.stderr) + &text(&output.stdout);
            assert!(said.contains("private-key-published"), "{said}");
            assert!(!said.contains(key), "{said}");

            let check = ["key", "check-domainkeys", "--domain", "a.example", "--selector", "s"];
            let output = run(&[&check, &["--zone", zone][..], form].concat(), b"");
            let said = text(&output.stderr) + &text(&output.stdout);
            assert!(said.contains("no-key-record"), "{said}");
            assert!(!said.contains(key), "{said}");
        }
    }
}
