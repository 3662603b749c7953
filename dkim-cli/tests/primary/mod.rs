//! A primary name server of example.com that takes updates (RFC 2136) of its TXT records, and keeps
//! count of them.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

const CNAME: u16 = 5;
const SOA: u16 = 6;
const TXT: u16 = 16;

const NXDOMAIN: u8 = 3;
const REFUSED: u8 = 5;
const YXRRSET: u8 = 7;
const NXRRSET: u8 = 8;

#[derive(Clone)]
pub struct Primary {
    pub address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

#[derive(Default)]
struct Zone {
    /// By name, the data of its TXT record.
    records: BTreeMap<String, Vec<u8>>,
    /// Names that lead to another zone, of which nothing is known here.
    aliases: Vec<String>,
    updates: usize,
    /// What somebody else publishes just before the next update.
    meanwhile: Option<(String, Vec<u8>)>,
}

impl Primary {
    pub fn start() -> Self {
        // A port that is free for both.
        let (tcp, udp) = (0..100)
            .find_map(|_| {
                let tcp = TcpListener::bind("127.0.0.1:0").ok()?;
                let udp = UdpSocket::bind(tcp.local_addr().ok()?).ok()?;
                Some((tcp, udp))
            })
            .unwrap();
        let server = Self { address: tcp.local_addr().unwrap(), zone: Arc::default() };
        let (by_udp, by_tcp) = (server.clone(), server.clone());
        thread::spawn(move || {
            let mut request = [0; 4096];
            while let Ok((length, from)) = udp.recv_from(&mut request) {
                udp.send_to(&by_udp.answer(&request[..length]), from).unwrap();
            }
        });
        thread::spawn(move || {
            while let Ok((mut stream, _)) = tcp.accept() {
                let server = by_tcp.clone();
                // Whoever asked may have been stopped.
                thread::spawn(move || -> std::io::Result<()> {
                    let mut length = [0; 2];
                    stream.read_exact(&mut length)?;
                    let mut request = vec![0; u16::from_be_bytes(length).into()];
                    stream.read_exact(&mut request)?;
                    let answer = server.answer(&request);
                    let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                    stream.write_all(&[&length[..], &answer].concat())
                });
            }
        });
        server
    }

    /// How many updates were carried out.
    pub fn updates(&self) -> usize {
        self.zone.lock().unwrap().updates
    }

    /// The text at a name.
    pub fn text(&self, name: &str) -> Option<String> {
        let zone = self.zone.lock().unwrap();
        let mut rest: &[u8] = zone.records.get(name)?;
        let mut text = String::new();
        while let [length, after @ ..] = rest {
            let (string, after) = after.split_at((*length).into());
            text.push_str(std::str::from_utf8(string).unwrap());
            rest = after;
        }
        Some(text)
    }

    pub fn names(&self) -> Vec<String> {
        self.zone.lock().unwrap().records.keys().cloned().collect()
    }

    /// What a person does.
    pub fn publish(&self, name: &str, text: &str) {
        self.zone.lock().unwrap().records.insert(name.to_owned(), data(text));
    }

    /// Lets a name lead to `target.example.org`.
    pub fn alias(&self, name: &str) {
        self.zone.lock().unwrap().aliases.push(name.to_owned());
    }

    /// What another person does, between our look and our update.
    pub fn publish_meanwhile(&self, name: &str, text: &str) {
        self.zone.lock().unwrap().meanwhile = Some((name.to_owned(), data(text)));
    }

    pub fn withdraw(&self, name: &str) {
        self.zone.lock().unwrap().records.remove(name);
    }

    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let is_update = request[2] & 0x78 == 0x28;
        match is_update {
            true => self.update(request),
            false => self.look_up(request),
        }
    }

    fn look_up(&self, request: &[u8]) -> Vec<u8> {
        let mut at = 12;
        let (name, kind, _) = question(request, &mut at);
        let zone = self.zone.lock().unwrap();
        let wildcard = || zone.records.get("*._domainkey.example.com");
        let text = zone.records.get(&name).or_else(wildcard).cloned().filter(|_| kind == TXT);
        let target = || b"\x06target\x07example\x03org\0".to_vec();
        let is_alias = zone.aliases.contains(&name);
        let found = match is_alias {
            true => Some((CNAME, target())),
            false => text.map(|text| (TXT, text)),
        };
        drop(zone);
        let rcode = match &found {
            Some(_) => 0,
            None if name.ends_with("example.com") => NXDOMAIN,
            None => REFUSED,
        };
        let counts = if found.is_some() { [0, 1, 0, 0, 0, 0] } else { [0, 0, 0, 1, 0, 0] };
        let flags = [0x84 | request[2] & 1, rcode];
        let mut answer = [&request[..2], &flags, &[0, 1], &counts, &request[12..at]].concat();
        let numbers = [1_u32, 2, 3, 4, 1].map(u32::to_be_bytes).concat();
        let soa = || [&b"\x02ns\0\x02ns\0"[..], &numbers].concat();
        let (owner, kind, data) = match found {
            Some((kind, data)) => (&[0xc0, 12][..], kind, data),
            None => (&b"\x07example\x03com\0"[..], SOA, soa()),
        };
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        answer.extend([owner, &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 1], &length, &data].concat());
        answer
    }

    /// RFC 2136 §3.2, §3.4: if what must be there is there and what must not is not, what is of class
    /// ANY goes and what is of class IN comes. Any name has one record at most.
    fn update(&self, request: &[u8]) -> Vec<u8> {
        let count = |at: usize| u16::from_be_bytes([request[at], request[at + 1]]);
        let mut at = 12;
        assert_eq!(question(request, &mut at), ("example.com".to_owned(), SOA, 1));
        let mut zone = self.zone.lock().unwrap();
        if let Some((name, data)) = zone.meanwhile.take() {
            zone.records.insert(name, data);
        }
        let refuse = |code| [&request[..2], &[0xa8, code, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
        for number in 0..count(6) + count(8) {
            let (name, kind, class) = question(request, &mut at);
            let length: usize = count(at + 4).into();
            let data = request[at + 6..at + 6 + length].to_vec();
            at += 6 + length;
            match (number < count(6), kind, class) {
                // There is no CNAME record here.
                (true, CNAME, 254) => {}
                (true, TXT, 254) if zone.records.contains_key(&name) => return refuse(YXRRSET),
                (true, TXT, 254) => {}
                (true, TXT, 1) if zone.records.get(&name) != Some(&data) => return refuse(NXRRSET),
                (true, TXT, 1) => {}
                (false, TXT, 255) => drop(zone.records.remove(&name)),
                (false, TXT, 1) => drop(zone.records.insert(name, data)),
                other => panic!("{other:?}"),
            }
        }
        zone.updates += 1;
        [&request[..2], &[0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat()
    }
}

/// The data of a TXT record.
fn data(text: &str) -> Vec<u8> {
    let strings = text.as_bytes().chunks(255);
    strings.flat_map(|string| [&[u8::try_from(string.len()).unwrap()], string].concat()).collect()
}

/// Name, type and class, as questions and records begin (RFC 1035 §4.1.2, §4.1.4).
fn question(message: &[u8], at: &mut usize) -> (String, u16, u16) {
    let (mut labels, mut from, mut end) = (Vec::new(), *at, None);
    loop {
        match usize::from(message[from]) {
            0 => break,
            pointer @ 0xc0.. => {
                end.get_or_insert(from + 2);
                from = (pointer & 0x3f) << 8 | usize::from(message[from + 1]);
            }
            length => {
                let label = &message[from + 1..=from + length];
                labels.push(String::from_utf8_lossy(label).to_lowercase());
                from += length + 1;
            }
        }
    }
    let end = end.unwrap_or(from + 1);
    let number = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    *at = end + 4;
    (labels.join("."), number(end), number(end + 2))
}
