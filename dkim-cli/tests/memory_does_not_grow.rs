//! A message is read as a stream: a long one takes no more memory than a short one.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod command;

use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};

use command::{DATA, dkim};

const MIB: usize = 1 << 20;

/// The most memory that the command has held, in octets, once it has read as much of a body and
/// waits for more.
fn most_memory(args: &[&str], header: &[u8], body: usize) -> usize {
    let mut command = dkim(args);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(header).unwrap();
    let lines =
        b"We lost  the game.\t Are you hungry yet? We will be there at seven.\r\n".repeat(1000);
    let mut written = 0;
    while written < body {
        stdin.write_all(&lines).unwrap();
        written += lines.len();
    }
    // A pipe holds less than this, so that what went before has been read.
    stdin.write_all(&b"\r\n".repeat(MIB)).unwrap();
    let most = high_water_mark(&child);
    drop(stdin);
    child.wait().unwrap();
    most
}

/// Without the pages of the program itself, of which a test has more than what is installed.
fn high_water_mark(child: &Child) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let octets = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    };
    octets("VmHWM:") - octets("RssFile:")
}

fn check(args: &[&str], header: &[u8]) {
    let (short, long) = (most_memory(args, header, MIB), most_memory(args, header, 64 * MIB));
    assert!(long < short + 8 * MIB, "{args:?}: {short} octets for a short one, {long} for a long");
    assert!(long <= 16 * MIB, "{args:?}: {long} octets");
}

#[test]
fn verifying_a_long_message_takes_no_more() {
    let message = fs::read(format!("{DATA}/signed.eml")).unwrap();
    let end = message.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    check(&["verify", "--zone", "example.zone", "-"], &message[..end]);
}

/// A header as long as is judged, of the shortest fields.
#[test]
fn a_header_of_the_shortest_fields_takes_little() {
    let fields = b"a:b\r\n".repeat((MIB - 5000) / 5);
    let message = fs::read(format!("{DATA}/signed.eml")).unwrap();
    let end = message.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let header = [&fields[..], &message[..end]].concat();
    let most = most_memory(&["verify", "--zone", "example.zone", "-"], &header, 0);
    assert!(most < 40 * MIB, "{most} octets for a header of {}", header.len());
}

#[test]
fn signing_a_long_message_takes_no_more() {
    let sign = ["sign", "--domain", "example.com", "--selector", "s", "--key", "keys/ed25519.pem"];
    check(&[&sign[..], &["-"]].concat(), b"From: joe@example.com\r\n\r\n");
}
