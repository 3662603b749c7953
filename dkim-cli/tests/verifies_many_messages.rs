//! `dkim verify` judges many messages at once, and nobody can tell from what it writes.
#![allow(clippy::unwrap_used)]

mod command;
mod name_server;

use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Output, Stdio};

use command::{DATA, dkim, text};
use dkim_stack::{DomainName, PrivateKey, Request, Selector, UnixTime, provider, sign};
use name_server::NameServer;

const RECORD: &str = "v=DKIM1; k=ed25519; p=8vZGyah9eIa0iPkErh33Ez5MOGlWXWs5C4cet/sYT3A=";

fn signed(selector: &str, body: &[u8]) -> Vec<u8> {
    let pem = fs::read(format!("{DATA}/keys/ed25519.pem")).unwrap();
    let key = provider().signing_key(&PrivateKey::from_pem(&pem).unwrap()).unwrap();
    let sdid = DomainName::parse("example.com").unwrap();
    let request = Request::new(sdid, Selector::parse(selector).unwrap(), key.algorithm());
    let message = [b"From: joe@example.com\r\nSubject: Hi\r\n\r\n", body].concat();
    let now = UnixTime(1_700_000_000);
    let field = sign(&message, request, now, provider(), &*key).unwrap().to_field();
    [field.as_bytes(), &message].concat()
}

fn mbox(messages: &[Vec<u8>]) -> Vec<u8> {
    let separated = |message: &Vec<u8>| [b"From joe\r\n", &**message, b"\r\n"].concat();
    messages.iter().flat_map(separated).collect()
}

fn lf(message: &[u8]) -> Vec<u8> {
    text(message).replace("\r\n", "\n").into_bytes()
}

/// Bodies from nothing to more than is read at once, in no order of size.
fn uneven(count: usize) -> Vec<Vec<u8>> {
    let body = |at: usize| b"0123456789 abcdef\r\n".repeat(at * 7919 % 40);
    let mut messages: Vec<Vec<u8>> = (0..count).map(|at| signed("sel", &body(at))).collect();
    messages[count / 3] = signed("sel", &b"0123456789 abcdef\r\n".repeat(40_000));
    messages[count / 2] = signed("sel", &b"0123456789 abcdef\r\n".repeat(2_000));
    messages[count / 2 + 1].extend(b"changed\r\n");
    messages[count / 2 + 2] = b"no field here\r\n".to_vec();
    messages
}

fn verify(directory: &Path, args: &[&str]) -> Output {
    let zone = format!("{DATA}/example.zone");
    let mut command = dkim(&["verify", "--zone", &zone, "--at", "1700000100"]);
    command.args(["--authserv-id", "mx.example.net"]).args(args).current_dir(directory);
    command.stdin(Stdio::null()).output().unwrap()
}

/// Standard output and standard error as a terminal shows them.
fn verify_together(directory: &Path, args: &[&str]) -> String {
    let (mut reader, writer) = io::pipe().unwrap();
    let zone = format!("{DATA}/example.zone");
    let mut command = dkim(&["verify", "--zone", &zone, "--at", "1700000100"]);
    command.args(["--authserv-id", "mx.example.net"]).args(args).current_dir(directory);
    command.stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut shown = String::new();
    reader.read_to_string(&mut shown).unwrap();
    child.wait().unwrap();
    shown
}

/// An mbox, a Maildir and files; what cannot be read among them.
fn inputs(directory: &Path) -> Vec<String> {
    let messages = uneven(60);
    fs::write(directory.join("all.mbox"), mbox(&messages)).unwrap();
    let maildir = directory.join("maildir");
    for name in ["cur", "new"] {
        fs::create_dir_all(maildir.join(name)).unwrap();
    }
    for (at, message) in messages.iter().enumerate() {
        let place = if at % 2 == 0 { "cur" } else { "new" };
        fs::write(maildir.join(place).join(format!("{at:03}.host")), message).unwrap();
    }
    fs::create_dir(maildir.join("cur/030.directory")).unwrap();
    let mut files = vec!["all.mbox".to_owned(), "nowhere.eml".to_owned(), "maildir".to_owned()];
    for (at, message) in messages.iter().enumerate() {
        let name = format!("{at}.eml");
        let message = if at % 5 == 0 { lf(message) } else { message.clone() };
        fs::write(directory.join(&name), message).unwrap();
        files.push(name);
        if at % 20 == 7 {
            files.extend(["nowhere.eml".to_owned(), ".".to_owned()]);
        }
    }
    fs::write(directory.join("lf.mbox"), mbox(&messages.iter().map(|m| lf(m)).collect::<Vec<_>>()))
        .unwrap();
    files.push("lf.mbox".to_owned());
    files
}

#[test]
fn what_is_written_does_not_depend_on_the_jobs() {
    let directory = tempfile::tempdir().unwrap();
    let inputs = inputs(directory.path());
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    for form in [&[][..], &["--json"]] {
        let args = |jobs: &[&'static str]| [jobs, form, &inputs].concat();
        let one = verify(directory.path(), &args(&["--jobs", "1"]));
        assert_eq!(one.status.code(), Some(66));
        let shown = verify_together(directory.path(), &args(&["--jobs", "1"]));
        for jobs in [&["--jobs", "8"][..], &[]] {
            let many = verify(directory.path(), &args(jobs));
            assert_eq!(many.status.code(), Some(66));
            assert!(many.stdout == one.stdout, "{}", text(&many.stdout));
            assert_eq!(text(&many.stderr), text(&one.stderr));
            // What is said of a message stands right before what is found in it.
            assert!(shown == verify_together(directory.path(), &args(jobs)));
        }
    }
}

#[test]
fn the_order_is_that_of_the_messages() {
    let directory = tempfile::tempdir().unwrap();
    let inputs = inputs(directory.path());
    let mut expected = Vec::new();
    for input in &inputs {
        match input.as_str() {
            "all.mbox" | "lf.mbox" => {
                expected.extend((1..=60).map(|number| (input.clone(), Some(number))));
            }
            "maildir" => {
                for at in 0..60 {
                    let place = if at % 2 == 0 { "cur" } else { "new" };
                    if at == 30 {
                        expected.push(("maildir/cur/030.directory".to_owned(), None));
                    }
                    expected.push((format!("maildir/{place}/{at:03}.host"), None));
                }
            }
            file => expected.push((file.to_owned(), None)),
        }
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let output = verify(directory.path(), &[&["--json"], &*inputs].concat());
    let found: Vec<(String, Option<u64>)> = text(&output.stdout)
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            (line["file"].as_str().unwrap().to_owned(), line["message"].as_u64())
        })
        .collect();
    assert_eq!(found, expected);
    // Of each mailbox and of each set of files all but the one that was changed and the one that
    // is none.
    assert_eq!(text(&output.stdout).matches("\"result\":\"pass\"").count(), 4 * 58);
}

/// The input never ends: only the output tells that nobody reads any more.
#[test]
fn a_reader_that_goes_away_ends_the_run() {
    // Shut down, a socket has no reader though another test's child may have been handed a copy of it.
    let (mut reader, writer) = UnixStream::pair().unwrap();
    let mut command = dkim(&["verify", "--json", "--zone", "example.zone", "--at", "1700000100"]);
    command.stdin(Stdio::piped()).stdout(OwnedFd::from(writer)).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut input = child.stdin.take().unwrap();
    input.write_all(&mbox(&vec![signed("sel", b"Hi.\r\n"); 50])).unwrap();
    input.flush().unwrap();
    // The last one is not known to be complete; those before it are seen at once.
    let mut lines = 0;
    while lines < 49 {
        let mut octets = [0; 1024];
        let length = reader.read(&mut octets).unwrap();
        assert_ne!(length, 0);
        lines += octets[..length].iter().filter(|octet| **octet == b'\n').count();
    }
    reader.shutdown(Shutdown::Both).unwrap();
    input.write_all(b"From joe\r\nFrom: joe@example.com\r\n\r\nFrom joe\r\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*text(&output.stderr)), (Some(74), ""));
    drop(input);
}

fn ask(server: &NameServer, messages: &[Vec<u8>], jobs: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("all.mbox"), mbox(messages)).unwrap();
    let address = server.address.to_string();
    let args = [&["verify", "--json", "--dns", &address, "all.mbox"], jobs].concat();
    dkim(&args).current_dir(directory.path()).output().unwrap()
}

#[test]
fn messages_wait_for_the_dns_together() {
    let server = NameServer::start(RECORD, |_, account| account.names_asked() > 20);
    let messages: Vec<Vec<u8>> = (0..200).map(|at| signed(&format!("s{at}"), b"Hi.\r\n")).collect();
    let output = ask(&server, &messages, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(text(&output.stdout).lines().count(), 200);
    assert_eq!(server.asked(), [1; 200]);
}

/// None is answered before so many were asked, and none is asked before another was answered.
#[test]
fn so_many_questions_are_open_at_once() {
    let server = NameServer::start(RECORD, |_, account| account.names_asked() >= 128);
    let messages: Vec<Vec<u8>> = (0..200).map(|at| signed(&format!("s{at}"), b"Hi.\r\n")).collect();
    let output = ask(&server, &messages, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(server.most_open(), 128);
}

#[test]
fn one_job_is_one_question_at_a_time() {
    let server = NameServer::start(RECORD, |_, _| true);
    let messages: Vec<Vec<u8>> = (0..20).map(|at| signed(&format!("s{at}"), b"Hi.\r\n")).collect();
    let output = ask(&server, &messages, &["--jobs", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(server.most_open(), 1);
}

#[test]
fn what_many_messages_ask_is_asked_once() {
    let server = NameServer::start(RECORD, |_, _| true);
    let output = ask(&server, &vec![signed("sel", b"Hi.\r\n"); 200], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(text(&output.stdout).lines().count(), 200);
    assert_eq!(server.asked(), [1]);
}

/// More messages wait for one name than questions may be open. It is answered when another is asked.
#[test]
fn a_slow_name_keeps_no_other_from_being_asked() {
    let server = NameServer::start(RECORD, |name, account| {
        name.starts_with("other.") || account.was_asked("other._domainkey.example.com")
    });
    let mut messages = vec![signed("slow", b"Hi.\r\n"); 200];
    messages.push(signed("other", b"Hi.\r\n"));
    let output = ask(&server, &messages, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(text(&output.stdout).lines().count(), 201);
}

/// RFC 6376 §3.6.1 `t=y`: "Verifiers MUST NOT treat messages from Signers in testing mode differently
/// from unsigned email".
#[test]
fn a_domain_that_tests_has_signed_nothing() {
    let at = ["--zone", "example.zone", "--at", "1700000100"];
    for (message, code) in [("signed.eml", 0), ("testing.eml", 1), ("plain.eml", 1)] {
        for command in ["verify", "explain"] {
            let output = dkim(&[command]).args(at).arg(message).output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{command} {message}");
        }
        let border = ["border", "--authserv-id", "mx.example", "--zone", "example.zone"];
        let output = dkim(&border).arg(message).output().unwrap();
        assert_eq!(text(&output.stdout).contains("dkim=pass"), code == 0, "{message}");
    }
}
