//! Commands that compare or mediate take a message from standard input as from a file, no mailbox, and
//! leave its line ends alone.
#![allow(clippy::unwrap_used)]

mod command;

use std::fs;

use command::{DATA, run, text};

const MEDIATE: [&str; 5] = ["mediate", "--domain", "lists.example", "--zone", "example.zone"];

fn data(name: &str) -> Vec<u8> {
    fs::read(format!("{DATA}/{name}")).unwrap()
}

#[test]
fn standard_input_is_a_message() {
    for name in ["diff", "relay-check"] {
        let expected = run(&[name, "signed.eml", "list.eml"], b"");
        assert_eq!(expected.status.code(), Some(1), "{name}");
        for (args, stdin) in
            [([name, "-", "list.eml"], "signed.eml"), ([name, "signed.eml", "-"], "list.eml")]
        {
            let output = run(&args, &data(stdin));
            assert_eq!(output.status.code(), Some(1), "{args:?}: {}", text(&output.stderr));
            assert_eq!(text(&output.stdout), text(&expected.stdout), "{args:?}");
        }
    }
    let received = [&MEDIATE[..], &["--received", "signed.eml"]].concat();
    let expected = run(&[&received[..], &["list.eml"]].concat(), b"");
    let output = run(&[&received[..], &["-"]].concat(), &data("list.eml"));
    assert_eq!(text(&output.stdout), text(&expected.stdout));
    assert!(output.status.success() && !output.stdout.is_empty());
}

#[test]
fn standard_input_is_one_message() {
    let mediate = [&MEDIATE[..], &["--received", "-", "-"]].concat();
    for args in [&["diff", "-", "-"][..], &["relay-check", "-", "-"], &mediate] {
        let output = run(args, &data("signed.eml"));
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).starts_with("dkim: `-` stands twice"), "{args:?}");
    }
}

#[test]
fn an_mbox_is_no_message() {
    let mediate = [&MEDIATE[..], &["three.mbox"]].concat();
    for args in [
        &["diff", "three.mbox", "signed.eml"][..],
        &["diff", "signed.eml", "three.mbox"],
        &["relay-check", "three.mbox", "signed.eml"],
        &mediate,
    ] {
        let output = run(args, b"");
        assert_eq!(output.status.code(), Some(65), "{args:?}");
        let said = text(&output.stderr);
        assert!(said.contains("three.mbox: is an mbox and not a message"), "{args:?}: {said}");
    }
}

#[test]
fn a_message_with_results_keeps_its_line_ends() {
    let border = ["border", "--authserv-id", "mx.example.org", "--zone", "example.zone"];
    for args in [&MEDIATE[..], &border] {
        keeps_line_ends(&[args, &["-"]].concat());
    }
}

/// As a delivery agent hands it over: the line on top stays there, and the body is not touched.
#[test]
fn a_delivered_message_keeps_its_first_line() {
    let args = ["border", "--authserv-id", "mx.example.org", "--zone", "example.zone"];
    let long = "a".repeat(300);
    let body = b"\nFrom here on\r\n\rit is \xff mixed\n\n".repeat(50_000);
    for line in ["", "From joe@example.com Tue Nov 14 22:13:20 2023\n", &format!("From {long}\n")] {
        let header = b"Authentication-Results: mx.example.org; dkim=pass\nFrom: joe@example.com\n";
        let output = run(&args, &[line.as_bytes(), header, &body].concat());
        let said = text(&output.stderr);
        assert!(output.status.success() && said.contains("1 field deleted"), "{said}");
        let rest = output.stdout.strip_prefix(line.as_bytes()).unwrap();
        let results =
            b"Authentication-Results: mx.example.org;\n    dkim=none\nFrom: joe@example.com\n";
        assert!(rest == [&results[..], &body].concat(), "{line}");
    }
    // A From field is one, however far its colon stands, and in the line there is no other field.
    let blanks = " ".repeat(124);
    let field = format!("From{blanks}: ceo@bank.example\nTo: a\n\nHi.\n");
    let output = run(&args, field.as_bytes());
    assert!(output.stdout.starts_with(b"Authentication-Results: "), "{}", text(&output.stdout));
    for hidden in ["\r", "\0"] {
        let line = format!("From x{hidden}Authentication-Results: mx.example.org; dkim=pass\n");
        let output = run(&args, format!("{line}From: joe@example.com\n\nHi.\n").as_bytes());
        assert_eq!((output.status.code(), &*output.stdout), (Some(65), &b""[..]));
    }
    // A file is read as a pipe is.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, b"From x\nFrom: joe@example.com\n\nHi.\n").unwrap();
    let named = [&args[..], &[file.path().to_str().unwrap()]].concat();
    let (named, piped) = (run(&named, b""), run(&args, b"From x\nFrom: joe@example.com\n\nHi.\n"));
    assert!(named.status.success() && named.stdout == piped.stdout);
    assert!(piped.stdout.starts_with(b"From x\nAuthentication-Results: "));
    // What is not written must not be delivered as it was.
    let malformed = b"From: joe@example.com\nTo: a\0b\n\nHi.\n";
    let output = run(&args, malformed);
    assert_eq!((output.status.code(), &*output.stdout), (Some(65), &b""[..]));
    // Without an empty line there is none.
    let output = run(&args, b"From: joe@example.com\n");
    assert!(output.stdout.ends_with(b"From: joe@example.com\n"), "{}", text(&output.stdout));
}

fn keeps_line_ends(args: &[&str]) {
    let message = b"From: joe@example.com\nTo: list@lists.example\n\nA CR\r in a line\nHi.\r\n\n";
    let output = run(args, message);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let added = output.stdout.strip_suffix(message).unwrap();
    assert!(added.starts_with(b"Authentication-Results: ") && !added.contains(&b'\r'));
    let crlf = text(message).replace("\r\n", "\n").replace('\n', "\r\n");
    let output = run(args, crlf.as_bytes());
    let added = text(output.stdout.strip_suffix(crlf.as_bytes()).unwrap());
    assert_eq!(added.matches('\n').count(), added.matches("\r\n").count());
}
