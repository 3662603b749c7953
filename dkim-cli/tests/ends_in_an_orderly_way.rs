//! However the world outside behaves, the command ends with a code and without a panic.
#![allow(clippy::unwrap_used)]

mod command;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use command::{dkim, run, text};

const COMMANDS: [&[&str]; 19] = [
    &["verify", "--zone", "example.zone", "signed.eml"],
    &["verify", "--zone", "example.zone", "--json", "signed.eml"],
    &[
        "sign",
        "--domain",
        "example.com",
        "--selector",
        "s",
        "--key",
        "keys/ed25519.pem",
        "plain.eml",
    ],
    &["explain", "--zone", "example.zone", "body-changed.eml"],
    &["diff", "signed.eml", "body-changed.eml"],
    &["relay-check", "signed.eml", "body-changed.eml"],
    &["report", "show", "report.eml"],
    &["key", "test", "--domain", "example.com", "--selector", "sel", "--zone", "example.zone"],
    &["adsp", "lookup", "--zone", "practices.zone", "example.com"],
    &["audit", "--keys", "keys"],
    &["config", "check", "--config", "config/config.toml"],
    &["config", "which", "--config", "config/config.toml", "--from", "joe@example.com"],
    &["rotate", "status", "--config", "config/rotating/config.toml"],
    &["rotate", "plan", "--config", "config/rotating/config.toml"],
    &["completions", "bash"],
    &["man", "verify"],
    &["--help"],
    &["help", "sign"],
    &["--version"],
];

const SIGN_STDIN: [&str; 7] =
    ["sign", "--domain", "example.com", "--selector", "s", "--key", "keys/ed25519.pem"];

#[test]
fn a_reader_that_went_away_is_no_news() {
    for args in COMMANDS {
        // Shut down, a socket has no reader though another test's child may have been handed a copy of it.
        let (reader, writer) = UnixStream::pair().unwrap();
        reader.shutdown(Shutdown::Both).unwrap();
        let output =
            dkim(args).stdout(OwnedFd::from(writer)).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), &*text(&output.stderr)), (Some(74), ""), "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    for args in COMMANDS {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = dkim(args).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(74), "{args:?}");
        assert!(text(&output.stderr).starts_with("dkim: standard output: "), "{args:?}");
    }
}

#[test]
fn file_names_cannot_steer_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let name = directory.path().join(OsStr::from_bytes(b"a\x1b]0;owned\x07\xff.eml"));
    for contents in [&b"From: joe@example.com\n\n"[..], b""] {
        fs::write(&name, contents).unwrap();
        for form in [
            &["verify", "--zone", "example.zone"][..],
            &["verify", "--json", "--zone", "example.zone"],
        ] {
            let output = dkim(form).arg(&name).output().unwrap();
            for said in [output.stdout, output.stderr] {
                assert!(!said.contains(&0x1b) && !said.contains(&0x07), "{}", text(&said));
            }
        }
    }
}

#[test]
fn an_endless_header_is_refused_early() {
    let endless = b"A: b\r\n".repeat(1_000_000);
    for args in [
        &["verify", "--zone", "example.zone"][..],
        &["explain", "--zone", "example.zone"],
        &SIGN_STDIN,
        &["strip", "--authserv-id", "mx.example.org"],
        &["border", "--authserv-id", "mx.example.org", "--zone", "example.zone"],
        &["report", "make", "--zone", "example.zone"],
    ] {
        let output = run(args, &endless);
        assert_eq!(output.status.code(), Some(65), "{args:?}");
        assert!(text(&output.stderr).contains("the header is longer than"), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

/// What is read twice is copied as it is read, and so no more of it than the limit lets through.
#[test]
#[cfg(target_os = "linux")]
fn a_stream_without_end_is_refused() {
    let report = ["report", "make", "--zone", "example.zone"];
    for args in [&SIGN_STDIN[..], &report] {
        for file in ["/dev/zero", "-"] {
            let zero = File::open("/dev/zero").unwrap();
            let output = dkim(args).arg(file).stdin(zero).output().unwrap();
            assert_eq!(output.status.code(), Some(65), "{args:?}");
            assert!(text(&output.stderr).contains("the header is longer than"), "{args:?}");
        }
    }
}

#[test]
fn scripts_and_pages_are_written() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell], b"");
        assert!(
            script.status.success() && text(&script.stdout).contains("min-key-bits"),
            "{shell}"
        );
    }
    for (args, title) in [(&["man"][..], ".TH dkim 1"), (&["man", "sign"], ".TH dkim-sign 1")] {
        let page = run(args, b"");
        assert!(page.status.success() && text(&page.stdout).contains(title), "{args:?}");
    }
    // Examples stand as they are typed.
    let page = text(&run(&["man", "sign"], b"").stdout);
    let (_, examples) = page.split_once("\n.nf\nExamples:\n").unwrap();
    let (examples, _) = examples.split_once("\n.fi\n").unwrap();
    assert!(examples.contains("\n  dkim sign \\-\\-config"), "{examples}");
    // So do files.
    let page = text(&run(&["man", "agent"], b"").stdout);
    let (before, _) = page.split_once("\n  ExecStart=").unwrap();
    assert!(before.rfind("\n.nf\n") > before.rfind("\n.fi\n"), "{before}");
}

#[test]
fn as_many_signatures_are_explained_as_people_read() {
    let message = "DKIM-Signature: v=1; oops\r\n".repeat(12) + "From: joe@example.com\r\n\r\n";
    let told = |args: &[&str]| {
        let args = [&["explain", "--zone", "example.zone"], args].concat();
        let output = run(&args, message.as_bytes());
        text(&output.stderr)
    };
    let noted = told(&[]);
    assert!(noted.contains("2 more signatures; choose one with --signature"), "{noted}");
    assert_eq!(told(&["--signature", "12"]), "");
}

/// Nobody writes into it: who reads it waits for ever.
#[test]
fn what_is_no_file_in_a_maildir_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let cur = directory.path().join("cur");
    fs::create_dir(&cur).unwrap();
    assert!(Command::new("mkfifo").arg(cur.join("1")).status().unwrap().success());
    fs::copy(format!("{}/signed.eml", command::DATA), cur.join("2")).unwrap();
    let maildir = directory.path().to_str().unwrap();
    for name in ["verify", "explain"] {
        let output = run(&[name, "--zone", "example.zone", "--at", "1700000100", maildir], b"");
        assert_eq!(output.status.code(), Some(66), "{name}");
        assert!(text(&output.stderr).contains("cur/1: is no regular file\n"), "{name}");
        assert!(text(&output.stdout).contains("pass"), "{name}: {}", text(&output.stdout));
    }
}

/// What a record says was written by somebody else; so was the number of signatures.
#[test]
fn why_no_report_is_due_is_told_once_for_each_domain() {
    let zone = std::env::temp_dir().join(format!("dkim-terms-{}.zone", std::process::id()));
    fs::write(
        &zone,
        "_report._domainkey.a.example. TXT \"rs=go=20away; ra\"\n\
         _report._domainkey.b.example. TXT \"rs=go=20away\"\n",
    )
    .unwrap();
    let fields =
        ["a", "b"].map(|name| format!("DKIM-Signature: r=y; d={name}.example; s=s\r\n").repeat(50));
    let message = fields.concat() + "From: joe@example.com\r\n\r\n";
    let zone_arg = zone.to_str().unwrap();
    let output = run(&["report", "make", "--zone", zone_arg], message.as_bytes());
    fs::remove_file(&zone).unwrap();
    let told = text(&output.stderr);
    for (what, times) in [
        ("is no tag-list", 1),
        ("no report, as for signature 1\n", 49),
        ("say: go away", 1),
        ("no address (ra=)", 50),
    ] {
        assert_eq!(told.matches(what).count(), times, "{what}: {told}");
    }
}
