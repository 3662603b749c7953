//! `dkim verify --dns` asks the server that it is told to ask.
#![allow(clippy::unwrap_used)]

mod command;

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::thread;

use command::{DATA, run, text};

/// The TXT record of `sel._domainkey.example.com`, out of the zone file.
fn record() -> Vec<u8> {
    let zone = fs::read_to_string(format!("{DATA}/example.zone")).unwrap();
    let line = zone.lines().find(|line| line.starts_with("sel.")).unwrap();
    line.split('"').nth(1).unwrap().as_bytes().to_vec()
}

/// Answers with the record to whoever asks for it, and SERVFAIL to others (RFC 1035 §4.1).
fn answer(query: &[u8]) -> Vec<u8> {
    let mut end = 12;
    while query[end] != 0 {
        end += usize::from(query[end]) + 1;
    }
    let mut answer = query[..end + 5].to_vec();
    let known = query[12..].starts_with(b"\x03sel");
    let servfail = 2;
    answer[2] |= 0x80;
    answer[3] = 0x80 | if known { 0 } else { servfail };
    answer[6..12].copy_from_slice(&[0, u8::from(known), 0, 0, 0, 0]);
    if known {
        let text = record();
        let length = u8::try_from(text.len()).unwrap();
        answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
        answer.extend(text);
    }
    answer
}

fn server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            socket.send_to(&answer(&query[..length]), from).unwrap();
        }
    });
    address
}

#[test]
fn and_takes_its_word() {
    let server = server().to_string();
    for (file, code, reason) in
        [("signed.eml", 0, "ok"), ("missing.eml", 75, "key-unavailable"), ("plain.eml", 1, "")]
    {
        let output = run(&["verify", "--json", "--dns", &server, file], b"");
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.contains("\"reason\""), !reason.is_empty());
        assert!(reason.is_empty() || said.contains(&format!("\"reason\":\"{reason}\"")), "{said}");
    }
}
