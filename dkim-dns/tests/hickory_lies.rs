//! Name servers, and those who speak for them, that do not keep to the protocol: what they say is
//! taken for no answer, or for a failure that may pass.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use dkim_dns::{
    Answer, BlockingResolver, HickoryBlocking, HickoryOptions, LookupError, Query, QueryId,
    QueryKind,
};

const NXDOMAIN: u8 = 3;
const NS: u8 = 2;

/// Says whatever it likes on one port, over UDP and TCP.
struct Liar {
    address: SocketAddr,
}

impl Liar {
    /// Over UDP each question is answered with these datagrams; over TCP, whoever connects has this
    /// done to them.
    fn start(
        datagrams: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
        connection: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let (udp, tcp) = std::iter::repeat_with(|| {
            let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
            Some((UdpSocket::bind(tcp.local_addr().ok()?).ok()?, tcp))
        })
        .take(20)
        .find_map(|sockets| sockets)
        .unwrap();
        let address = udp.local_addr().unwrap();
        thread::spawn(move || {
            let mut question = [0; 4096];
            while let Ok((length, from)) = udp.recv_from(&mut question) {
                for datagram in datagrams(&question[..length]) {
                    udp.send_to(&datagram, from).unwrap();
                }
            }
        });
        let connection = std::sync::Arc::new(connection);
        thread::spawn(move || {
            for mut stream in tcp.incoming().map_while(Result::ok) {
                let connection = connection.clone();
                // Who asked may be gone.
                thread::spawn(move || drop(connection(&mut stream)));
            }
        });
        Self { address }
    }

    fn over_udp(datagrams: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        Self::start(datagrams, |_| Ok(()))
    }

    /// Over UDP there is not room enough.
    fn over_tcp(
        connection: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let truncated = |question: &[u8]| {
            let mut answer = head(question, 0, [0, 0, 0]);
            answer[2] |= 0x02;
            vec![answer]
        };
        Self::start(truncated, connection)
    }

    fn resolver(&self) -> HickoryBlocking {
        let mut options = HickoryOptions::new();
        options.timeout = Duration::from_millis(300);
        options.attempts = 2;
        options.cache_size = 0;
        HickoryBlocking::with_servers(&[self.address], &options).unwrap()
    }

    fn told(&self) -> Answer {
        self.resolver().lookup(&query("a.test"))
    }
}

fn query(name: &str) -> Query {
    Query { id: QueryId(0), name: name.to_owned(), kind: QueryKind::Txt }
}

/// The octets of the question section of a message.
fn question(message: &[u8]) -> &[u8] {
    let mut end = 12;
    while message[end] != 0 {
        end += 1 + usize::from(message[end]);
    }
    &message[12..end + 5]
}

/// The first label of the name asked for.
fn label(message: &[u8]) -> &[u8] {
    let length = usize::from(message[12]);
    &message[13..13 + length]
}

/// A message up to its answers, which are so many as the counts of the three sections say.
fn head(asked: &[u8], rcode: u8, counts: [u8; 3]) -> Vec<u8> {
    let [answers, authorities, additionals] = counts;
    let flags = [0x81, 0x80 | rcode];
    let counts = [0, 1, 0, answers, 0, authorities, 0, additionals];
    [&asked[..2], &flags, &counts, question(asked)].concat()
}

/// A record of the name asked for.
fn record(kind: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len()).unwrap();
    [&[0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, length][..], data].concat()
}

/// A message with one TXT record.
fn txt(asked: &[u8], text: &[u8]) -> Vec<u8> {
    let string = [&[u8::try_from(text.len()).unwrap()], text].concat();
    [head(asked, 0, [1, 0, 0]), record(16, &string)].concat()
}

fn said(answer: &Answer) -> Option<String> {
    let found = answer.as_ref().ok()?;
    Some(String::from_utf8(found.records.first()?.joined().to_vec()).unwrap())
}

fn is_temporary(answer: &Answer) -> bool {
    answer.as_ref().is_err_and(LookupError::is_temporary)
}

/// RFC 5452 §3 and §9.1: an answer has the id and the question of what it answers.
#[test]
fn answers_to_something_else_are_none() {
    type Lie = fn(&[u8]) -> Vec<u8>;
    let lies: [Lie; 5] = [
        |asked| {
            let mut lie = txt(asked, b"another id");
            lie[0] ^= 0x5a;
            lie
        },
        |asked| {
            let mut lie = txt(asked, b"another name");
            lie[13] = b'b';
            lie
        },
        |asked| {
            let mut lie = txt(asked, b"another type");
            let end = 12 + question(asked).len();
            lie[end - 3] = NS;
            lie
        },
        |asked| {
            let mut lie = txt(asked, b"no question");
            lie.drain(12..12 + question(asked).len());
            lie[5] = 0;
            lie
        },
        |asked| {
            let mut lie = txt(asked, b"a question");
            lie[2] &= 0x7f;
            lie
        },
    ];
    for lie in lies {
        let before_the_truth = Liar::over_udp(move |asked| vec![lie(asked), txt(asked, b"true")]);
        let answer = before_the_truth.told();
        // A failure is right as well; what is said falsely is not.
        assert!(is_temporary(&answer) || said(&answer).as_deref() == Some("true"), "{answer:?}");
        let answer = Liar::over_udp(move |asked| vec![lie(asked)]).told();
        assert!(is_temporary(&answer), "{answer:?}");
    }
}

/// RFC 5452 §9.1: and it comes from the address that was asked.
#[test]
fn answers_from_elsewhere_are_none() {
    // Where the question came from is known to the socket that receives it only.
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let elsewhere = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut asked = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut asked) {
            elsewhere.send_to(&txt(&asked[..length], b"false"), from).unwrap();
            thread::sleep(Duration::from_millis(20));
            socket.send_to(&txt(&asked[..length], b"true"), from).unwrap();
        }
    });
    assert_eq!(said(&Liar { address }.told()).as_deref(), Some("true"));
}

#[test]
fn what_is_no_message_is_no_answer() {
    type Lie = fn(&[u8]) -> Vec<u8>;
    let lies: [Lie; 8] = [
        |_| vec![],
        |_| vec![0xff],
        |_| vec![0xff; 4000],
        |asked| asked[..2].to_vec(),
        |asked| asked.to_vec(),
        |asked| txt(asked, b"cut").split_at(39).0.to_vec(),
        // More records than there are.
        |asked| {
            let mut lie = txt(asked, b"counted");
            lie[6] = 0xff;
            lie
        },
        // A name that points at itself.
        |asked| {
            let mut lie = head(asked, 0, [1, 0, 0]);
            let at = u8::try_from(lie.len()).unwrap();
            lie.extend([0xc0, at, 0, 16, 0, 1, 0, 0, 0, 60, 0, 2, 1, b'x']);
            lie
        },
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let answer = Liar::over_udp(move |asked| vec![lie(asked)]).told();
        assert!(is_temporary(&answer), "{number}: {answer:?}");
        let answer = Liar::over_udp(move |asked| vec![lie(asked), txt(asked, b"true")]).told();
        assert!(is_temporary(&answer) || said(&answer).as_deref() == Some("true"), "{answer:?}");
    }
}

/// RFC 2308 §2.1 and §2.2: without an SOA record but with NS records it is a referral. A server
/// that sends who asks elsewhere has not said that there is nothing.
#[test]
fn a_lame_server_has_not_said_that_there_is_nothing() {
    let root = Liar::over_udp(|asked| {
        let mut referral = head(asked, 0, [0, 1, 0]);
        referral.extend([0, 0, NS, 0, 1, 0, 0, 0, 60, 0, 4, 2, b'n', b's', 0]);
        vec![referral]
    });
    for kind in [QueryKind::Txt, QueryKind::Cname, QueryKind::Exists] {
        let answer = root.resolver().lookup(&Query { kind, ..query("a.test") });
        assert!(is_temporary(&answer), "{kind:?}: {answer:?}");
    }
    // Another server may know.
    let good = Liar::over_udp(|asked| vec![txt(asked, b"x")]);
    let servers = [root.address, good.address];
    let resolver = HickoryBlocking::with_servers(&servers, &HickoryOptions::new()).unwrap();
    assert_eq!(said(&resolver.lookup(&query("a.test"))).as_deref(), Some("x"));
}

/// RFC 2181 §5.4.1: of an answer's records, those that are not about the name asked may not be taken
/// for answers to later questions.
#[test]
fn what_one_answer_says_of_another_name_is_not_kept() {
    const CNAME: u8 = 5;
    let alias = |owner: &[u8], target: &[u8]| {
        let length = u8::try_from(target.len()).unwrap();
        [owner, &[0, CNAME, 0, 1, 0, 1, 0, 0, 0, length], target].concat()
    };
    let server = Liar::over_udp(move |asked| {
        if label(asked) != b"evil" {
            return vec![txt(asked, b"true")];
        }
        let victim = b"\x06victim\x04test\x00";
        let aliases = [alias(victim, b"\x01x\x04evil\x00"), alias(&[0xc0, 12], victim)].concat();
        vec![[head(asked, 0, [2, 0, 0]), aliases].concat()]
    });
    let resolver = HickoryBlocking::with_servers(&[server.address], &HickoryOptions::new());
    let resolver = resolver.unwrap();
    for kind in [QueryKind::Txt, QueryKind::Exists, QueryKind::Cname] {
        let _ = resolver.lookup(&Query { kind, ..query("evil.test") });
    }
    let found = resolver.lookup(&query("victim.test"));
    assert_eq!(said(&found).as_deref(), Some("true"), "{found:?}");
    assert_eq!(found.unwrap().chain, Vec::<String>::new());
}

/// Over TCP there is nothing, a part, or one octet after another: the question is given up after
/// its time all the same. Were it not, the last of these would bring an answer, some day.
#[test]
fn a_connection_that_stalls_is_a_time_out() {
    fn answer(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut asked = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut asked)?;
        let message = txt(&asked, &[b'x'; 200]);
        let length = u16::try_from(message.len()).unwrap().to_be_bytes();
        Ok([&length[..], &message].concat())
    }
    fn stall(stream: &mut TcpStream, octets: &[u8]) -> std::io::Result<()> {
        stream.write_all(octets)?;
        // Until who asked goes away.
        stream.read_exact(&mut [0; 4096])
    }
    type Connection = fn(&mut TcpStream) -> std::io::Result<()>;
    let stalls: [Connection; 5] = [
        |stream| stall(stream, &[]),
        |stream| stall(stream, &[0xff]),
        |stream| answer(stream).and_then(|octets| stall(stream, &octets[..2])),
        |stream| answer(stream).and_then(|octets| stall(stream, &octets[..100])),
        |stream| {
            answer(stream)?.iter().try_for_each(|octet| {
                thread::sleep(Duration::from_millis(100));
                stream.write_all(&[*octet])
            })
        },
    ];
    for (number, stalls) in stalls.into_iter().enumerate() {
        let answer = Liar::over_tcp(stalls).told();
        assert_eq!(answer, Err(LookupError::Timeout), "{number}");
    }
    // Hung up on.
    let closes: [Connection; 3] = [
        |_| Ok(()),
        |stream| answer(stream).map(|_| ()),
        |stream| answer(stream).and_then(|octets| stream.write_all(&octets[..100])),
    ];
    for closes in closes {
        let answer = Liar::over_tcp(closes).told();
        assert!(is_temporary(&answer), "{answer:?}");
    }
    let whole = Liar::over_tcp(|stream| {
        let octets = answer(stream)?;
        stream.write_all(&octets)
    });
    assert_eq!(said(&whole.told()).as_deref(), Some(&*"x".repeat(200)));
}

/// What is not there may be there the next time: nothing is remembered beyond the cache.
#[test]
fn a_name_that_does_not_exist_may_exist_later() {
    let asked_before = std::sync::atomic::AtomicBool::new(false);
    let server = Liar::over_udp(move |asked| {
        let before = asked_before.swap(true, std::sync::atomic::Ordering::SeqCst);
        vec![if before { txt(asked, b"now") } else { head(asked, NXDOMAIN, [0, 0, 0]) }]
    });
    let resolver = server.resolver();
    assert_eq!(resolver.lookup(&query("a.test")), Err(LookupError::NoSuchName));
    assert_eq!(said(&resolver.lookup(&query("a.test"))).as_deref(), Some("now"));
    // In one breath: the first answer counts, whichever it is.
    let both =
        Liar::over_udp(|asked| vec![head(asked, NXDOMAIN, [0, 0, 0]), txt(asked, b"too late")]);
    assert_eq!(both.told(), Err(LookupError::NoSuchName));
}

/// Answered in any order, ten at a time, each with its own name: none is taken for another.
#[test]
fn two_hundred_questions_at_once_are_not_mixed_up() {
    let waiting = std::sync::Mutex::new(Vec::<(Vec<u8>, SocketAddr)>::new());
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut asked = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut asked) {
            let mut waiting = waiting.lock().unwrap();
            waiting.push((txt(&asked[..length], label(&asked[..length])), from));
            if waiting.len() == 10 {
                for (message, from) in waiting.drain(..).rev() {
                    socket.send_to(&message, from).unwrap();
                }
            }
        }
    });
    let mut options = HickoryOptions::new();
    options.cache_size = 0;
    let resolver = HickoryBlocking::with_servers(&[address], &options).unwrap();
    let names: Vec<String> = (0..200).map(|number| format!("n{number}")).collect();
    let queries: Vec<Query> = names.iter().map(|name| query(&format!("{name}.test"))).collect();
    let answers = resolver.lookup_all(&queries);
    let found: Vec<Option<String>> = answers.iter().map(said).collect();
    assert_eq!(found, names.into_iter().map(Some).collect::<Vec<_>>());
}
