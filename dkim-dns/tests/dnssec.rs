//! Answers validated from a trust anchor (RFC 4035 §5), with what a real server said, and with lies
//! made of it: whatever is changed or left out, nothing but the truth is secure.
#![cfg(any(feature = "ring", feature = "aws-lc-rs"))]
#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use dkim_dns::{
    Answer, BlockingResolver, Dnssec, HickoryBlocking, HickoryOptions, LookupError, Query, QueryId,
    QueryKind, TrustAnchors,
};

const ROOT_DS: &str = include_str!("data/root_ds.txt");
const SECURE: &str = "s._domainkey.secure.test";
const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

const TXT: u16 = 16;
const NS: u16 = 2;
const DS: u16 = 43;
const RRSIG: u16 = 46;
const DNSKEY: u16 = 48;

/// For a server that answers, however busy the machine is.
const LONG: Duration = Duration::from_secs(120);
/// For a server that does not: what is told is the same if it was merely slow.
const SHORT: Duration = Duration::from_millis(1500);

/// A question as it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    name: String,
    kind: u16,
    dnssec_ok: bool,
}

/// What the server said.
static SAID: LazyLock<HashMap<Asked, Vec<u8>>> = LazyLock::new(|| {
    let lines = include_str!("data/signed_zones.txt").lines();
    let read = |line: &str| {
        let [name, kind, dnssec_ok, hex] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let kind = match kind {
            "TXT" => TXT,
            "NS" => NS,
            "CNAME" => 5,
            "MX" => 15,
            "DS" => DS,
            "DNSKEY" => DNSKEY,
            _ => panic!("{kind}"),
        };
        let octets = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
        let message = octets.map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect();
        (Asked { name: name.to_owned(), kind, dnssec_ok: dnssec_ok == "DO" }, message)
    };
    lines.filter(|line| !line.starts_with('#')).map(read).collect()
});

impl Asked {
    fn read(message: &[u8]) -> Self {
        let mut name = String::new();
        let mut at = 12;
        while message[at] != 0 {
            let end = at + 1 + usize::from(message[at]);
            name += &String::from_utf8_lossy(&message[at + 1..end]).to_lowercase();
            name.push('.');
            at = end;
        }
        if name.is_empty() {
            name.push('.');
        }
        let kind = u16::from_be_bytes([message[at + 1], message[at + 2]]);
        // One record follows the question: OPT, whose owner is the root (RFC 6891 §6.1.2).
        let flags = message.get(at + 5 + 7).copied().unwrap_or_default();
        Self { name, kind, dnssec_ok: flags & 0x80 != 0 }
    }

    /// What the server said, or that it refuses.
    fn truth(&self, message: &[u8]) -> Vec<u8> {
        let mut answer = SAID.get(self).cloned().unwrap_or_else(|| refusal(message));
        answer[..2].copy_from_slice(&message[..2]);
        answer
    }
}

fn refusal(message: &[u8]) -> Vec<u8> {
    let mut end = 12;
    while message[end] != 0 {
        end += 1 + usize::from(message[end]);
    }
    [&message[..2], &[0x81, 0x05, 0, 1, 0, 0, 0, 0, 0, 0], &message[12..end + 5]].concat()
}

/// Answers over UDP as it is told.
struct Server {
    address: SocketAddr,
    questions: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn start(answer: impl Fn(&Asked, &[u8]) -> Option<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let questions: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = Arc::clone(&questions);
        thread::spawn(move || {
            let mut message = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut message) {
                let asked = Asked::read(&message[..length]);
                let answer = answer(&asked, &message[..length]);
                // Before who asked knows it.
                log.lock().unwrap().push(asked);
                if let Some(answer) = answer {
                    socket.send_to(&answer, from).unwrap();
                }
            }
        });
        Self { address, questions }
    }

    fn truthful() -> Self {
        Self::start(|asked, message| Some(asked.truth(message)))
    }

    /// Of a server that answers.
    fn resolver(&self, anchors: &str) -> HickoryBlocking {
        self.resolver_with(anchors, LONG)
    }

    /// All questions for an answer are asked within this time, or it is not validated.
    fn resolver_with(&self, anchors: &str, patience: Duration) -> HickoryBlocking {
        let mut options = HickoryOptions::new();
        options.timeout = patience;
        options.attempts = 1;
        options.cache_size = 0;
        options.trust_anchors = Some(TrustAnchors::parse(anchors).unwrap());
        HickoryBlocking::with_servers(&[self.address], &options).unwrap()
    }

    fn told(&self, name: &str) -> Answer {
        self.resolver(ROOT_DS).lookup(&query(name, QueryKind::Txt))
    }
}

fn query(name: &str, kind: QueryKind) -> Query {
    Query { id: QueryId(0), name: name.to_owned(), kind }
}

/// The first record and the state.
fn said(answer: &Answer) -> (String, Dnssec) {
    let found = answer.as_ref().unwrap();
    let text = found.records.first().map(|record| record.joined()).unwrap_or_default();
    (String::from_utf8_lossy(&text).into_owned(), found.dnssec)
}

/// Where a name ends, whatever pointers it has.
fn after_name(message: &[u8], mut at: usize) -> usize {
    loop {
        match message[at] {
            0 => return at + 1,
            0xc0.. => return at + 2,
            length => at += 1 + usize::from(length),
        }
    }
}

/// The message with those records only, by section and type, and with these more in its authority
/// section.
fn edited(message: &[u8], keep: impl Fn(usize, u16) -> bool, more: &[&[u8]]) -> Vec<u8> {
    let count = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    let mut at = after_name(message, 12) + 4;
    // What is left out may hold names that others point to.
    assert_eq!(count(4), 1);
    let mut edited = message[..at].to_vec();
    for (section, count) in [count(6), count(8), count(10)].into_iter().enumerate() {
        let mut kept = 0_u16;
        for _ in 0..count {
            let begin = at;
            at = after_name(message, at);
            let kind = u16::from_be_bytes([message[at], message[at + 1]]);
            at += 10 + usize::from(u16::from_be_bytes([message[at + 8], message[at + 9]]));
            if keep(section, kind) {
                edited.extend(&message[begin..at]);
                kept += 1;
            }
        }
        if section == 1 {
            more.iter().for_each(|record| edited.extend(*record));
            kept += u16::try_from(more.len()).unwrap();
        }
        edited[6 + 2 * section..8 + 2 * section].copy_from_slice(&kept.to_be_bytes());
    }
    edited
}

/// The SOA record of the zone that is not signed, as anybody may add it.
fn insecure_soa() -> Vec<u8> {
    let name = b"\x08insecure\x04test\0";
    let data = [&b"\x02ns\x04test\0\x01h\x04test\0"[..], &[0; 19], &[60]].concat();
    let length = u8::try_from(data.len()).unwrap();
    [&name[..], &[0, 6, 0, 1, 0, 0, 0, 60, 0, length], &data].concat()
}

#[test]
fn records_are_secure_insecure_or_bogus() {
    let server = Server::truthful();
    for (name, state) in [
        (SECURE, Dnssec::Secure),
        ("s._domainkey.nsec3.test", Dnssec::Secure),
        ("s._domainkey.insecure.test", Dnssec::Insecure),
        ("s._domainkey.expired.test", Dnssec::Bogus),
        ("s._domainkey.stripped.test", Dnssec::Bogus),
        ("alias._domainkey.secure.test", Dnssec::Secure),
        ("out._domainkey.secure.test", Dnssec::Insecure),
        // RFC 4035 §5.3.4: made by a wildcard.
        ("aaaaa.wild.secure.test", Dnssec::Secure),
        ("aaaaa.wild.nsec3.test", Dnssec::Secure),
        ("aaaaa.cwild.secure.test", Dnssec::Secure),
    ] {
        assert_eq!(said(&server.told(name)), (KEY.to_owned(), state), "{name}");
    }
    let (changed, state) = said(&server.told("s._domainkey.damaged.test"));
    assert_eq!(state, Dnssec::Bogus);
    assert_ne!(changed, KEY);
    let found = server.told("out._domainkey.secure.test").unwrap();
    assert_eq!(found.chain, ["s._domainkey.insecure.test"]);
}

/// RFC 4035 §5.4.
#[test]
fn that_nothing_is_there_is_proved_as_well() {
    let server = Server::truthful();
    for (name, told) in [
        ("none._domainkey.secure.test", LookupError::NoSuchName),
        ("none._domainkey.nsec3.test", LookupError::NoSuchName),
        ("none._domainkey.insecure.test", LookupError::NoSuchName),
        ("nowhere._domainkey.secure.test", LookupError::NoSuchName),
        ("_domainkey.secure.test", LookupError::NoRecords),
        ("none._domainkey.expired.test", LookupError::Bogus),
    ] {
        assert_eq!(server.told(name), Err(told), "{name}");
    }
    // No proof, or that of another zone.
    for insecure in [false, true] {
        for stripped in ["none._domainkey.secure.test", "none._domainkey.nsec3.test"] {
            let server = Server::start(move |asked, message| {
                let answer = asked.truth(message);
                let soa = insecure_soa();
                let more: &[&[u8]] = if insecure { &[&soa] } else { &[] };
                let strip = asked.kind == TXT && asked.dnssec_ok;
                Some(if strip { edited(&answer, |section, _| section == 2, more) } else { answer })
            });
            assert_eq!(server.told(stripped), Err(LookupError::Bogus), "{stripped} {insecure}");
        }
    }
}

#[test]
fn other_questions_have_a_state_as_well() {
    let server = Server::truthful();
    let resolver = server.resolver(ROOT_DS);
    let ask = |name: &str, kind| resolver.lookup(&query(name, kind));
    let alias = ask("alias._domainkey.secure.test", QueryKind::Cname).unwrap();
    assert_eq!((alias.chain, alias.dnssec), (vec![SECURE.to_owned()], Dnssec::Secure));
    assert_eq!(ask(SECURE, QueryKind::Cname), Err(LookupError::NoRecords));
    assert_eq!(ask(SECURE, QueryKind::Exists).unwrap().dnssec, Dnssec::Secure);
    let insecure = ask("s._domainkey.insecure.test", QueryKind::Exists).unwrap();
    assert_eq!(insecure.dnssec, Dnssec::Insecure);
    let through = ask("out._domainkey.secure.test", QueryKind::Exists).unwrap();
    assert_eq!(through.dnssec, Dnssec::Insecure);
    let nothing = ask("none._domainkey.secure.test", QueryKind::Exists);
    assert_eq!(nothing, Err(LookupError::NoSuchName));
}

#[test]
fn without_anchors_nothing_is_validated() {
    let server = Server::truthful();
    let resolver =
        HickoryBlocking::with_servers(&[server.address], &HickoryOptions::new()).unwrap();
    let answer = resolver.lookup(&query(SECURE, QueryKind::Txt));
    assert_eq!(said(&answer), (KEY.to_owned(), Dnssec::Unknown));
    assert!(server.questions.lock().unwrap().iter().all(|asked| !asked.dnssec_ok));
}

#[test]
fn the_anchor_decides() {
    let server = Server::truthful();
    let ask = |anchors: &str| server.resolver(anchors).lookup(&query(SECURE, QueryKind::Txt));
    // The root's digest, changed: no key of the root zone is that.
    let wrong = ROOT_DS.replace("C099BD", "C099BE");
    assert_eq!(ask(&wrong), Err(LookupError::Bogus));
    // An anchor elsewhere says nothing of this name.
    assert_eq!(said(&ask(&ROOT_DS.replacen('.', "example.", 1))).1, Dnssec::Unknown);
    // Algorithms that nobody here knows (RFC 4035 §5.2).
    for unknown in ["34634 250 2", "34634 13 250"] {
        let anchors = ROOT_DS.replace("34634 13 2", unknown);
        assert_eq!(said(&ask(&anchors)).1, Dnssec::Unknown, "{unknown}");
    }
}

/// Every chain that is complete is; one octet changed somewhere, and what is not the truth is not
/// secure.
#[test]
fn no_changed_octet_passes_for_the_truth() {
    const STEP: usize = 5;

    let truth = Server::truthful();
    assert_eq!(said(&truth.told(SECURE)).1, Dnssec::Secure);
    let asked = truth.questions.lock().unwrap().clone();
    assert!(asked.len() >= 6, "{asked:?}");
    for changed in asked {
        let length = SAID[&changed].len();
        let at = Arc::new(AtomicUsize::new(12));
        let here = Arc::clone(&at);
        let server = Server::start(move |asked, message| {
            let mut answer = asked.truth(message);
            if *asked == changed {
                answer[here.load(Ordering::SeqCst)] ^= 0x04;
            }
            Some(answer)
        });
        // An answer to another question is none.
        let resolver = server.resolver_with(ROOT_DS, SHORT);
        while at.load(Ordering::SeqCst) < length {
            let answer = resolver.lookup(&query(SECURE, QueryKind::Txt));
            if answer.as_ref().is_ok_and(|found| found.dnssec == Dnssec::Secure) {
                assert_eq!(said(&answer).0, KEY, "octet {at:?}");
            }
            at.fetch_add(STEP, Ordering::SeqCst);
        }
    }
}

/// RFC 4035 §4.3, "Indeterminate": what cannot be asked is no proof of anything.
#[test]
fn what_is_not_answered_is_unknown() {
    let truth = Server::truthful();
    assert_eq!(said(&truth.told(SECURE)).1, Dnssec::Secure);
    let questions = truth.questions.lock().unwrap().clone();
    for unanswered in questions {
        for refuses in [true, false] {
            let unanswered = unanswered.clone();
            let shown = unanswered.clone();
            let server = Server::start(move |asked, message| match *asked == unanswered {
                true => refuses.then(|| refusal(message)),
                false => Some(asked.truth(message)),
            });
            let patience = if refuses { LONG } else { SHORT };
            let resolver = server.resolver_with(ROOT_DS, patience);
            let answer = resolver.lookup(&query(SECURE, QueryKind::Txt));
            assert_eq!(said(&answer), (KEY.to_owned(), Dnssec::Unknown), "{shown:?}");
        }
    }
}

/// As a forwarder does that was made before RFC 4035.
#[test]
fn who_knows_nothing_of_dnssec_proves_nothing() {
    let server = Server::start(|asked, message| {
        Some(Asked { dnssec_ok: false, ..asked.clone() }.truth(message))
    });
    for name in [SECURE, "s._domainkey.insecure.test", "s._domainkey.expired.test"] {
        assert_eq!(said(&server.told(name)), (KEY.to_owned(), Dnssec::Unknown), "{name}");
    }
    assert_eq!(server.told("none._domainkey.secure.test"), Err(LookupError::NoSuchName));
}

#[test]
fn without_its_signature_nothing_is_secure() {
    for (name, kind) in
        [("s._domainkey.secure.test.", TXT), ("secure.test.", DS), ("test.", DNSKEY)]
    {
        let server = Server::start(move |asked, message| {
            let answer = asked.truth(message);
            let is_it = asked.name == name && asked.kind == kind && asked.dnssec_ok;
            Some(if is_it { edited(&answer, |_, kind| kind != RRSIG, &[]) } else { answer })
        });
        assert_eq!(said(&server.told(SECURE)).1, Dnssec::Bogus, "{name} {kind}");
    }
    // The DS record left out, signature and all.
    let server = Server::start(|asked, message| {
        let answer = asked.truth(message);
        let is_it = asked.kind == DS && asked.name == "secure.test.";
        Some(if is_it { edited(&answer, |section, _| section == 2, &[]) } else { answer })
    });
    assert_eq!(said(&server.told(SECURE)).1, Dnssec::Bogus);
}

/// RFC 4035 §5.3.4: what a wildcard made holds for names of which it is proved that nothing nearer is
/// there; `there.wild.secure.test` has a record of its own.
#[test]
fn a_wildcard_does_not_hide_what_is_there() {
    let truth = Server::truthful();
    assert_eq!(said(&truth.told("there.wild.secure.test")), ("here".to_owned(), Dnssec::Secure));
    for (keeps_denial, adds_soa) in [(true, false), (false, false), (false, true), (true, true)] {
        let server = Server::start(move |asked, message| {
            if asked.name != "there.wild.secure.test." || asked.kind != TXT {
                return Some(asked.truth(message));
            }
            let other = Asked { name: "aaaaa.wild.secure.test.".to_owned(), ..asked.clone() };
            let mut lie = other.truth(message);
            // The answer's names point at the question's.
            lie[13..18].copy_from_slice(b"there");
            let soa = insecure_soa();
            let more: &[&[u8]] = if adds_soa { &[&soa] } else { &[] };
            Some(edited(&lie, |section, _| section != 1 || keeps_denial, more))
        });
        let answer = server.told("there.wild.secure.test");
        assert_eq!(said(&answer), (KEY.to_owned(), Dnssec::Bogus), "{keeps_denial} {adds_soa}");
    }
}

/// RFC 4035 §5.4: "the resolver MUST bound the work it puts into answering any particular query".
#[test]
fn questions_are_bounded() {
    // No zone begins anywhere on the way up, and at the end is an alias of another such name.
    let name =
        |label: &str| format!("{label}insecure.test", label = format!("{label}.").repeat(115));
    let target = [&b"\x01b".repeat(115)[..], b"\x08insecure\x04test\0"].concat();
    let server = Server::start(move |asked, message| {
        if SAID.contains_key(asked) {
            return Some(asked.truth(message));
        }
        let mut answer = refusal(message);
        answer[3] = 0;
        if asked.kind == TXT {
            answer[7] = 1;
            let (kind, data) =
                if asked.name.starts_with('a') { (5, &target[..]) } else { (16, &b"\x01x"[..]) };
            answer.extend([
                0xc0,
                12,
                0,
                kind,
                0,
                1,
                0,
                0,
                0,
                60,
                0,
                u8::try_from(data.len()).unwrap(),
            ]);
            answer.extend(data);
        }
        Some(answer)
    });
    let answer = server.told(&name("a"));
    assert_eq!(said(&answer), ("x".to_owned(), Dnssec::Unknown));
    // On a busy machine one may be sent again.
    let asked: HashSet<Asked> = server.questions.lock().unwrap().iter().cloned().collect();
    let to_validate = asked.iter().filter(|asked| asked.dnssec_ok).count();
    // And without validation both names once more.
    assert_eq!((to_validate, asked.len() - to_validate), (128, 2));
    // One such name is not too much.
    assert_eq!(said(&server.told(&name("b"))), ("x".to_owned(), Dnssec::Insecure));
}

/// Eight signatures of the anchored keys are tried.
#[test]
fn signatures_of_anchored_keys_are_bounded() {
    for (lies, is_found) in [(7, true), (8, false)] {
        let server = Server::start(move |asked, message| {
            let answer = asked.truth(message);
            if asked.kind != DNSKEY || asked.name != "." || !asked.dnssec_ok {
                return Some(answer);
            }
            let start = after_name(&answer, 12) + 4;
            let mut lie = edited(&answer, |section, kind| section == 0 && kind == DNSKEY, &[]);
            let signatures = edited(&answer, |section, kind| section == 0 && kind == RRSIG, &[]);
            let signatures = &signatures[start..];
            // That of the key that signs keys and that of the other, which are of one algorithm. A key
            // is told by its tag, behind the root's name and the first fields (RFC 4034 §3.1).
            let tag = ROOT_DS.split_whitespace().find_map(|word| word.parse::<u16>().ok()).unwrap();
            let mut both = signatures.chunks_exact(signatures.len() / 2);
            let anchored = both.find(|one| one[27..29] == tag.to_be_bytes()).unwrap();
            for number in 1..=lies {
                lie.extend(anchored);
                *lie.last_mut().unwrap() ^= number;
            }
            lie.extend(anchored);
            lie[7] += lies + 1;
            Some(lie)
        });
        let answer = server.told(SECURE);
        if is_found {
            assert_eq!(said(&answer).1, Dnssec::Secure);
        } else {
            assert_eq!(answer, Err(LookupError::Bogus));
        }
    }
}
