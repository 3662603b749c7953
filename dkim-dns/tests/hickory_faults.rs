//! The DNS resolver tells the faults apart, against a scripted server on the loopback interface.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use dkim_dns::{
    Answer, BlockingResolver, Dnssec, Found, HickoryBlocking, HickoryError, HickoryOptions,
    HickoryResolver, LookupError, MAX_RECORDS, Query, QueryId, QueryKind, Record, Resolver,
};
use futures_util::future::{Either, select};

const CNAME: u16 = 5;
const MX: u16 = 15;
const TXT: u16 = 16;

const NXDOMAIN: u8 = 3;

/// What the server says; `Default` is NOERROR without records, and with the SOA record due then.
#[derive(Clone, Debug, Default)]
struct Reply {
    rcode: u8,
    truncated: bool,
    /// Owner, type, TTL, data.
    answers: Vec<(String, u16, u32, Vec<u8>)>,
    without_soa: bool,
}

impl Reply {
    fn rcode(rcode: u8) -> Self {
        Self { rcode, ..Self::default() }
    }

    fn txt(self, owner: &str, ttl: u32, strings: &[&str]) -> Self {
        let data = strings.iter().flat_map(|string| {
            [&[u8::try_from(string.len()).unwrap()], string.as_bytes()].concat()
        });
        self.record(owner, TXT, ttl, data.collect())
    }

    fn cname(self, owner: &str, ttl: u32, target: &str) -> Self {
        self.record(owner, CNAME, ttl, wire(target))
    }

    fn record(mut self, owner: &str, kind: u16, ttl: u32, data: Vec<u8>) -> Self {
        self.answers.push((owner.to_owned(), kind, ttl, data));
        self
    }

    /// The message (RFC 1035 §4.1), without compression.
    fn message(&self, request: &[u8], question: &[u8]) -> Vec<u8> {
        let soa = self.answers.is_empty() && !self.without_soa;
        let flags = [0x81 | u8::from(self.truncated) << 1, 0x80 | self.rcode];
        let count = |count: usize| u16::try_from(count).unwrap().to_be_bytes();
        let counts = [count(1), count(self.answers.len()), count(usize::from(soa)), count(0)];
        let mut out = [&request[..2], &flags, &counts.concat(), question].concat();
        let mut record = |owner: &str, kind: u16, ttl: u32, data: &[u8]| {
            out.extend(wire(owner));
            out.extend([kind.to_be_bytes(), [0, 1]].concat());
            out.extend(ttl.to_be_bytes());
            out.extend(count(data.len()));
            out.extend(data);
        };
        for (owner, kind, ttl, data) in &self.answers {
            record(owner, *kind, *ttl, data);
        }
        if soa {
            let numbers = [1u32, 2, 3, 4, 77].map(u32::to_be_bytes).concat();
            record("test", 6, 77, &[wire("ns.test"), wire("host.test"), numbers].concat());
        }
        out
    }
}

fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    labels
        .flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat())
        .chain([0])
        .collect()
}

/// A question as the server reads it.
struct Asked {
    name: String,
    kind: u16,
    tcp: bool,
}

/// A name server on one port for UDP and TCP, until the process ends.
struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    /// Answers as the script says; no answer for `None`.
    fn start(script: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let (udp, tcp) = std::iter::repeat_with(|| {
            let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
            Some((UdpSocket::bind(tcp.local_addr().ok()?).ok()?, tcp))
        })
        .take(20)
        .find_map(|sockets| sockets)
        .unwrap();
        let address = udp.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let answer = Arc::new(move |request: &[u8], tcp: bool| {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut labels = Vec::new();
            let mut at = 12;
            while request[at] != 0 {
                let end = at + 1 + usize::from(request[at]);
                labels.push(String::from_utf8(request[at + 1..end].to_vec()).unwrap());
                at = end;
            }
            let kind = u16::from_be_bytes([request[at + 1], request[at + 2]]);
            let reply = script(&Asked { name: labels.join("."), kind, tcp })?;
            Some(reply.message(request, &request[12..at + 5]))
        });
        let over_udp = answer.clone();
        thread::spawn(move || {
            let mut request = [0; 4096];
            while let Ok((length, client)) = udp.recv_from(&mut request) {
                if let Some(message) = over_udp(&request[..length], false) {
                    udp.send_to(&message, client).unwrap();
                }
            }
        });
        thread::spawn(move || {
            for mut stream in tcp.incoming().map_while(Result::ok) {
                let answer = answer.clone();
                thread::spawn(move || {
                    let mut length = [0; 2];
                    while stream.read_exact(&mut length).is_ok() {
                        let mut request = vec![0; u16::from_be_bytes(length).into()];
                        stream.read_exact(&mut request).unwrap();
                        if let Some(message) = answer(&request, true) {
                            let length = u16::try_from(message.len()).unwrap().to_be_bytes();
                            stream.write_all(&[&length[..], &message].concat()).unwrap();
                        }
                    }
                });
            }
        });
        Self { address, asked }
    }

    fn blocking(&self) -> HickoryBlocking {
        HickoryBlocking::with_servers(&[self.address], &options()).unwrap()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn options() -> HickoryOptions {
    let mut options = HickoryOptions::new();
    options.timeout = Duration::from_millis(400);
    options.attempts = 2;
    options
}

fn query(name: &str, kind: QueryKind) -> Query {
    Query { id: QueryId(0), name: name.to_owned(), kind }
}

fn txt(resolver: &HickoryBlocking, name: &str) -> Answer {
    resolver.lookup(&query(name, QueryKind::Txt))
}

/// The answer to one TXT question when the server always says the same.
fn told(reply: Reply) -> Answer {
    txt(&Server::start(move |_| Some(reply.clone())).blocking(), "a.test")
}

fn failed(answer: &Answer) -> bool {
    matches!(answer, Err(LookupError::Failed(_)))
}

#[test]
fn strings_stay_apart_and_records_in_order() {
    let long = "x".repeat(255);
    let reply =
        Reply::default().txt("a.test", 300, &["v=DKIM1; ", "", &long]).txt("A.Test", 200, &["two"]);
    let strings = |strings: &[&str]| Record {
        strings: strings.iter().map(|string| string.as_bytes().to_vec()).collect(),
    };
    assert_eq!(
        told(reply),
        Ok(Found {
            records: [strings(&["v=DKIM1; ", "", &long]), strings(&["two"])].into(),
            chain: Vec::new(),
            dnssec: Dnssec::Unknown,
            ttl: Duration::from_secs(200),
        })
    );
}

#[test]
fn only_records_that_answer_are_taken() {
    let reply = Reply::default()
        .txt("b.test", 1, &["another name"])
        .record("a.test", MX, 1, [&[0, 10][..], &wire("mx.test")].concat())
        .txt("a.test", 300, &["x"]);
    let found = told(reply).unwrap();
    assert_eq!((found.records.len(), found.ttl.as_secs()), (1, 300));
    assert_eq!(found.records[0].joined(), b"x");
    assert_eq!(told(Reply::default().txt("b.test", 1, &["x"])), Err(LookupError::NoRecords));
}

#[test]
fn one_record_more_than_is_read_is_kept() {
    let server = Server::start(|asked| {
        if !asked.tcp {
            return Some(Reply { truncated: true, ..Reply::default() });
        }
        Some((0..1000).fold(Reply::default(), |reply, number| {
            reply.txt("a.test", 300, &[&number.to_string()])
        }))
    });
    let found = txt(&server.blocking(), "a.test").unwrap();
    let texts: Vec<_> = found.records.iter().map(Record::joined).collect();
    assert_eq!(
        texts,
        (0..=MAX_RECORDS).map(|number| number.to_string().into_bytes()).collect::<Vec<_>>()
    );
}

#[test]
fn negative_answers() {
    assert_eq!(told(Reply::rcode(NXDOMAIN)), Err(LookupError::NoSuchName));
    assert_eq!(told(Reply::default()), Err(LookupError::NoRecords));
    let without_soa = Reply { without_soa: true, ..Reply::default() };
    assert_eq!(told(without_soa.clone()), Err(LookupError::NoRecords));
    assert_eq!(told(Reply { rcode: NXDOMAIN, ..without_soa }), Err(LookupError::NoSuchName));
}

#[test]
fn failures_of_the_server() {
    // FORMERR, SERVFAIL, NOTIMP, REFUSED, NOTAUTH, and one that nobody knows.
    for rcode in [1, 2, 4, 5, 9, 12] {
        let answer = told(Reply::rcode(rcode));
        assert!(failed(&answer), "{rcode}: {answer:?}");
    }
}

#[test]
fn silence_is_a_time_out() {
    let server = Server::start(|_| None);
    let resolver = server.blocking();
    let start = Instant::now();
    assert_eq!(txt(&resolver, "a.test"), Err(LookupError::Timeout));
    let waited = start.elapsed();
    assert!(waited >= Duration::from_millis(300) && waited < Duration::from_secs(2), "{waited:?}");
}

#[test]
fn a_closed_port_is_temporary() {
    let address = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let resolver = HickoryBlocking::with_servers(&[address], &options()).unwrap();
    assert!(txt(&resolver, "a.test").is_err_and(|error| error.is_temporary()));
}

#[test]
fn a_second_attempt_and_a_second_server_help() {
    let deaf_once = AtomicUsize::new(0);
    let server = Server::start(move |_| match deaf_once.fetch_add(1, Ordering::SeqCst) {
        0 => Some(Reply::rcode(2)),
        _ => Some(Reply::default().txt("a.test", 300, &["x"])),
    });
    assert!(txt(&server.blocking(), "a.test").is_ok());

    let broken = Server::start(|_| Some(Reply::rcode(5)));
    let servers = [broken.address, server.address];
    let resolver = HickoryBlocking::with_servers(&servers, &options()).unwrap();
    assert!(txt(&resolver, "a.test").is_ok());
}

#[test]
fn truncated_answers_are_asked_for_over_tcp() {
    let long = "x".repeat(255);
    let server = Server::start(move |asked| {
        let reply = Reply { truncated: !asked.tcp, ..Reply::default() };
        Some(if asked.tcp { reply.txt("a.test", 300, &[long.as_str(); 20]) } else { reply })
    });
    let found = txt(&server.blocking(), "a.test").unwrap();
    assert_eq!(found.records[0].len(), 20 * 255);

    // Part of an answer is none, where TCP does not work.
    let server = Server::start(|asked| {
        let part = Reply { truncated: true, ..Reply::default() }.txt("a.test", 300, &["part"]);
        (!asked.tcp).then_some(part)
    });
    assert!(txt(&server.blocking(), "a.test").is_err_and(|error| error.is_temporary()));
}

#[test]
fn aliases_in_one_answer_or_one_by_one() {
    let whole = |_: &Asked| {
        let reply = Reply::default().cname("a.test", 30, "B.test").cname("b.test", 20, "c.test");
        Some(reply.txt("c.test", 40, &["x"]))
    };
    let single = |asked: &Asked| {
        Some(match asked.name.as_str() {
            "a.test" => Reply::default().cname("a.test", 30, "B.test"),
            "b.test" | "B.test" => Reply::default().cname("b.test", 20, "c.test"),
            _ => Reply::default().txt("c.test", 40, &["x"]),
        })
    };
    for server in [Server::start(whole), Server::start(single)] {
        let found = txt(&server.blocking(), "a.test").unwrap();
        assert_eq!(found.chain, ["b.test", "c.test"]);
        assert_eq!((found.ttl.as_secs(), found.records.len()), (20, 1));
    }
}

#[test]
fn aliases_of_one_name_are_told_apart() {
    let server = Server::start(|asked| {
        Some(match asked.name.as_str() {
            "key.test" => Reply::default().txt("key.test", 300, &["x"]),
            alias => Reply::default().cname(alias, 300, "key.test"),
        })
    });
    let resolver = server.blocking();
    // What is kept of the one is no part of an answer to the other.
    for name in ["a.test", "b.test"] {
        let found = txt(&resolver, name).unwrap();
        assert_eq!((found.chain, found.records.len()), (vec!["key.test".to_owned()], 1), "{name}");
    }
    let asked = server.asked();
    for name in ["a.test", "b.test"] {
        let found = txt(&resolver, name).unwrap();
        assert_eq!((found.chain, found.records.len()), (vec!["key.test".to_owned()], 1), "{name}");
    }
    assert_eq!(server.asked(), asked);
}

#[test]
fn aliases_that_lead_nowhere() {
    let alias = |rcode| Reply::rcode(rcode).cname("a.test", 30, "b.test");
    let server = |at_target: Option<Reply>, rcode| {
        Server::start(move |asked| match asked.name.as_str() {
            "a.test" => Some(alias(rcode)),
            _ => at_target.clone(),
        })
    };
    let answer = |at_target, rcode| txt(&server(at_target, rcode).blocking(), "a.test");
    assert_eq!(answer(Some(Reply::rcode(NXDOMAIN)), 0), Err(LookupError::NoSuchName));
    assert_eq!(answer(Some(Reply::rcode(NXDOMAIN)), NXDOMAIN), Err(LookupError::NoSuchName));
    assert_eq!(answer(Some(Reply::default()), 0), Err(LookupError::NoRecords));
    assert!(failed(&answer(Some(Reply::rcode(2)), 0)));
    assert_eq!(answer(None, 0), Err(LookupError::Timeout));
}

/// For how long there is nothing at the target says nothing of the alias.
#[test]
fn where_an_alias_leads_is_asked_again_after_it_led_nowhere() {
    let moved = Arc::new(AtomicBool::new(false));
    let is_moved = Arc::clone(&moved);
    let server = Server::start(move |asked| {
        let target = if is_moved.load(Ordering::SeqCst) { "c.test" } else { "b.test" };
        Some(match asked.name.as_str() {
            "a.test" => Reply::default().cname("a.test", 1, target),
            "c.test" => Reply::default().txt("c.test", 30, &["x"]),
            _ => Reply::rcode(NXDOMAIN),
        })
    });
    let resolver = server.blocking();
    assert_eq!(txt(&resolver, "a.test"), Err(LookupError::NoSuchName));
    moved.store(true, Ordering::SeqCst);
    assert_eq!(txt(&resolver, "a.test").unwrap().records[0].joined(), b"x");
}

#[test]
fn at_most_eight_aliases_are_followed() {
    let number = |name: &str| name[1..name.len() - 5].parse::<usize>().unwrap();
    let alias = |reply: Reply, n: usize| {
        reply.cname(&format!("n{n}.test"), 30, &format!("n{}.test", n + 1))
    };
    let last = |n: usize| Reply::default().txt(&format!("n{n}.test"), 30, &["x"]);
    // One by one, and all in one answer.
    for hops in [8, 9] {
        let server = Server::start(move |asked| {
            let n = number(&asked.name);
            Some(if n < hops {
                alias(Reply::default(), n)
            } else if asked.kind == TXT {
                last(n)
            } else {
                Reply::default()
            })
        });
        let one_by_one = txt(&server.blocking(), "n0.test");
        let server = Server::start(move |asked| {
            let reply = (number(&asked.name)..hops).fold(Reply::default(), alias);
            Some(reply.txt(&format!("n{hops}.test"), 30, &["x"]))
        });
        let at_once = txt(&server.blocking(), "n0.test");
        for answer in [one_by_one, at_once] {
            if hops == 8 {
                assert_eq!(answer.unwrap().chain.len(), 8);
            } else {
                assert_eq!(answer, Err(LookupError::ChainTooLong));
            }
        }
    }
}

#[test]
fn loops_are_chains_too_long() {
    let single = |asked: &Asked| {
        let target = if asked.name == "a.test" { "b.test" } else { "a.test" };
        Some(Reply::default().cname(&asked.name, 30, target))
    };
    let whole = |_: &Asked| {
        Some(Reply::default().cname("a.test", 30, "b.test").cname("b.test", 30, "a.test"))
    };
    let own = |asked: &Asked| Some(Reply::default().cname(&asked.name, 30, &asked.name));
    for server in [Server::start(single), Server::start(whole), Server::start(own)] {
        assert_eq!(txt(&server.blocking(), "a.test"), Err(LookupError::ChainTooLong));
        let exists = server.blocking().lookup(&query("a.test", QueryKind::Exists));
        assert_eq!(exists, Err(LookupError::ChainTooLong));
    }
}

/// Where a name exists that leads to one that does not, it is as if it did not, however long the way.
#[test]
fn a_name_exists_where_it_leads_to_one_that_does() {
    for (end, exists) in [("MX", true), ("nothing", true), ("nobody", false)] {
        for hops in [1, 2, 8] {
            let server = Server::start(move |asked: &Asked| {
                let number: usize =
                    asked.name.strip_prefix('n')?.strip_suffix(".test")?.parse().ok()?;
                let next = format!("n{}.test", number + 1);
                let reply = Reply::default();
                Some(match end {
                    _ if number < hops => reply.cname(&asked.name, 30, &next),
                    "nobody" => Reply::rcode(3),
                    _ => reply,
                })
            });
            let found = server.blocking().lookup(&query("n0.test", QueryKind::Exists));
            assert_eq!(found.is_ok(), exists, "{end} after {hops}: {found:?}");
            if !exists {
                assert_eq!(found, Err(LookupError::NoSuchName));
            }
        }
    }
}

#[test]
fn an_alias_is_told_and_not_followed() {
    let server = Server::start(|asked: &Asked| {
        let reply = Reply::default();
        Some(if asked.name == "a.test" { reply.cname("a.test", 40, "b.test") } else { reply })
    });
    let alias = |name| server.blocking().lookup(&query(name, QueryKind::Cname));
    let found = alias("a.test").unwrap();
    assert_eq!((found.chain, found.ttl.as_secs()), (vec!["b.test".to_owned()], 40));
    assert_eq!(alias("b.test"), Err(LookupError::NoRecords));
}

#[test]
fn name_servers_are_those_of_the_zone_above() {
    const A: u16 = 1;
    const NS: u16 = 2;
    let server = Server::start(|asked: &Asked| {
        let reply = Reply::default();
        Some(match (&*asked.name, asked.kind) {
            ("a.test", NS) => reply.record("a.test", NS, 40, wire("ns1.test")).record(
                "a.test",
                NS,
                40,
                wire("ns2.test"),
            ),
            ("ns1.test", A) => reply.record("ns1.test", A, 40, vec![192, 0, 2, 1]),
            // An alias, whose zone has servers of its own.
            ("s._domainkey.a.test", NS) => {
                let reply = reply.cname("s._domainkey.a.test", 40, "esp.test");
                reply.record("esp.test", NS, 40, wire("ns.esp.test"))
            }
            _ => reply,
        })
    });
    let servers = server.blocking().name_servers("s._domainkey.a.test").unwrap();
    let shown = |server: &dkim_dns::NameServer| format!("{} {:?}", server.name, server.addresses);
    let servers: Vec<String> = servers.iter().map(shown).collect();
    assert_eq!(servers, ["ns1.test [192.0.2.1]", "ns2.test []"]);
    assert_eq!(server.blocking().name_servers("x.other"), Err(LookupError::NoSuchName));
}

#[test]
fn a_name_server_without_an_address_is_not_left_out_for_a_failure() {
    const A: u16 = 1;
    const NS: u16 = 2;
    const SERVFAIL: u8 = 2;
    let asked_of = |fails: &'static [u16]| {
        let server = Server::start(move |asked: &Asked| {
            let reply = Reply::default();
            Some(match (&*asked.name, asked.kind) {
                ("a.test", NS) => reply.record("a.test", NS, 40, wire("ns1.test")),
                ("ns1.test", kind) if fails.contains(&kind) => Reply::rcode(SERVFAIL),
                ("ns1.test", A) => reply.record("ns1.test", A, 40, vec![192, 0, 2, 1]),
                _ => reply,
            })
        });
        server.blocking().name_servers("a.test")
    };
    assert_eq!(asked_of(&[28]).unwrap()[0].addresses.len(), 1);
    assert!(asked_of(&[A, 28]).is_err_and(|error| error.is_temporary()));
    assert!(asked_of(&[A]).is_err_and(|error| error.is_temporary()));
}

#[test]
fn existence_is_any_answer_but_nxdomain() {
    let exists = |reply: Reply| {
        let server = Server::start(move |asked| (asked.kind == MX).then(|| reply.clone()));
        server.blocking().lookup(&query("a.test", QueryKind::Exists))
    };
    let mx = |reply: Reply, owner| {
        reply.record(owner, MX, 50, [&[0, 10][..], &wire("mx.test")].concat())
    };
    let positive = exists(mx(Reply::default(), "a.test")).unwrap();
    assert_eq!((positive.records.len(), positive.ttl.as_secs()), (0, 50));
    let aliased = exists(mx(Reply::default().cname("a.test", 40, "b.test"), "b.test")).unwrap();
    assert_eq!((aliased.chain, aliased.ttl.as_secs()), (vec!["b.test".to_owned()], 40));
    assert_eq!(exists(Reply::default()).unwrap().ttl.as_secs(), 77);
    assert_eq!(exists(Reply::rcode(NXDOMAIN)), Err(LookupError::NoSuchName));
    assert!(failed(&exists(Reply::rcode(2))));
}

#[test]
fn answers_are_kept() {
    let server = Server::start(|asked| {
        let good = asked.name == "a.test";
        Some(if good {
            Reply::default().txt("a.test", 300, &["x"])
        } else {
            Reply::rcode(NXDOMAIN)
        })
    });
    let resolver = server.blocking();
    for name in ["a.test", "A.TEST.", "b.test", "b.test"] {
        let _ = txt(&resolver, name);
    }
    assert_eq!(server.asked(), 2);

    let mut options = options();
    options.cache_size = 0;
    let resolver = HickoryBlocking::with_servers(&[server.address], &options).unwrap();
    for _ in 0..2 {
        assert!(txt(&resolver, "a.test").is_ok());
    }
    assert_eq!(server.asked(), 4);
}

#[test]
fn failures_and_what_has_no_ttl_are_not_kept() {
    const SERVFAIL: u8 = 2;
    let replies = [
        Reply::rcode(SERVFAIL),
        Reply { without_soa: true, ..Reply::rcode(NXDOMAIN) },
        Reply::default().txt("a.test", 0, &["x"]),
    ];
    for reply in replies {
        let server = Server::start(move |_| Some(reply.clone()));
        let resolver = server.blocking();
        let _ = txt(&resolver, "a.test");
        let asked = server.asked();
        let _ = txt(&resolver, "a.test");
        assert!(server.asked() > asked);
    }
}

#[test]
fn names_are_sent_absolute_or_not_at_all() {
    let server = Server::start(|asked| {
        let reply = Reply::default().txt("ghost.test", 300, &["x"]);
        Some(if asked.name == "single" { Reply::rcode(NXDOMAIN) } else { reply })
    });
    let resolver = server.blocking();
    for name in ["a..b", ".a", &"x".repeat(64), &["x"; 200].join(".")] {
        assert_eq!(txt(&resolver, name), Err(LookupError::NoSuchName));
    }
    assert_eq!(server.asked(), 0);
    // One question: no search list is gone through.
    assert_eq!(txt(&resolver, "single"), Err(LookupError::NoSuchName));
    assert_eq!(server.asked(), 1);
}

#[test]
fn open_questions_wait_together() {
    let server = Server::start(|asked| {
        (asked.name != "slow.test").then(|| Reply::default().txt(&asked.name, 300, &["x"]))
    });
    let queries: Vec<Query> = ["slow.test", "a.test", "slow.test", "b.test"]
        .map(|name| query(name, QueryKind::Txt))
        .into();
    let start = Instant::now();
    let answers = server.blocking().lookup_all(&queries);
    assert!(start.elapsed() < Duration::from_millis(1300));
    let good: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(good, [false, true, false, true]);
}

/// The time of a question begins when it is asked.
#[test]
fn so_many_questions_are_open_at_once() {
    let names = Arc::new(Mutex::new(Vec::new()));
    let seen = names.clone();
    let server = Server::start(move |asked: &Asked| {
        seen.lock().unwrap().push(asked.name.clone());
        (asked.name == "fast.test").then(|| Reply::default().txt(&asked.name, 300, &["x"]))
    });
    let mut options = options();
    options.open_questions = 2;
    let resolver = HickoryBlocking::with_servers(&[server.address], &options).unwrap();
    let queries = ["a.test", "b.test", "fast.test"].map(|name| query(name, QueryKind::Txt));
    let answers = resolver.lookup_all(&queries);
    assert_eq!(answers[..2], [Err(LookupError::Timeout), Err(LookupError::Timeout)]);
    assert!(answers[2].is_ok(), "{answers:?}");
    // Once another was given up, which was asked again before.
    let names = names.lock().unwrap();
    let place = names.iter().position(|name| name == "fast.test").unwrap();
    let again = |name: &str| names[..place].iter().filter(|one| *one == name).count() > 1;
    assert!(again("a.test") || again("b.test"), "{names:?}");
    drop(names);
    // What is kept is there while another is waited for.
    options.open_questions = 1;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let resolver = HickoryResolver::with_servers(&[server.address], &options).unwrap();
        let (slow, fast) = (query("a.test", QueryKind::Txt), query("fast.test", QueryKind::Txt));
        assert!(resolver.lookup(&fast).await.is_ok());
        let open = pin!(resolver.lookup(&slow));
        match select(open, pin!(resolver.lookup(&fast))).await {
            Either::Right((kept, _)) => assert!(kept.is_ok()),
            Either::Left((slow, _)) => panic!("{slow:?}"),
        }
    });
    // None at all would be none for ever.
    options.open_questions = 0;
    let resolver = HickoryBlocking::with_servers(&[server.address], &options).unwrap();
    assert!(txt(&resolver, "fast.test").is_ok());
}

#[test]
fn both_faces_and_where_they_may_be_used() {
    let server = Server::start(|_| Some(Reply::default().txt("a.test", 300, &["x"])));
    let blocking = server.blocking();
    let question = query("a.test", QueryKind::Txt);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let resolver = HickoryResolver::with_servers(&[server.address], &options()).unwrap();
        assert!(resolver.lookup(&question).await.is_ok());
        assert!(failed(&blocking.lookup(&question)));
        let other = server.blocking();
        assert!(failed(&other.lookup(&question)));
        drop(other);
    });
    // From several threads at once.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(blocking.lookup(&question).is_ok()));
        }
    });
    assert!(matches!(HickoryResolver::with_servers(&[], &options()), Err(HickoryError::NoServers)));
}
