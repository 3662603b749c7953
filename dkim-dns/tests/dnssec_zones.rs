//! What one zone says of names of another one proves nothing (RFC 4035 §5.4, RFC 5155 §8): zones signed
//! here, and genuine records of theirs in the wrong place.
#![cfg(any(feature = "ring", feature = "aws-lc-rs"))]
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::str::FromStr;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dkim_dns::{
    Answer, BlockingResolver, Dnssec, HickoryBlocking, HickoryOptions, LookupError, Query, QueryId,
    QueryKind, TrustAnchors,
};
use hickory_proto::dnssec::crypto::Ed25519SigningKey;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, NSEC, NSEC3, RRSIG, SigInput};
use hickory_proto::dnssec::{Algorithm, DigestType, Nsec3HashAlgorithm, SigningKey, TBS};
use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{NS, TXT};
use hickory_proto::rr::{DNSClass, Name, RData, Record as Raw, RecordType, SerialNumber};

fn n(text: &str) -> Name {
    Name::from_str(text).unwrap()
}

struct Zone {
    name: Name,
    key: Ed25519SigningKey,
}

impl Zone {
    fn new(name: &str) -> Self {
        let key = Ed25519SigningKey::generate_pkcs8().unwrap();
        Self { name: n(name), key: Ed25519SigningKey::from_pkcs8(&key).unwrap() }
    }
    fn dnskey(&self) -> DNSKEY {
        DNSKEY::with_flags(257, self.key.to_public_key().unwrap())
    }
    fn ds(&self) -> DS {
        let key = self.dnskey();
        let digest = key.to_digest(&self.name, DigestType::SHA256).unwrap();
        DS::new(
            key.calculate_key_tag().unwrap(),
            Algorithm::ED25519,
            DigestType::SHA256,
            digest.as_ref().to_vec(),
        )
    }
    /// Record and signature; `shown` is the owner name it is sent under.
    fn sign(&self, owner: &Name, shown: &Name, data: RData) -> Vec<Raw> {
        let record = Raw::from_rdata(owner.clone(), 300, data.clone());
        let now =
            u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let input = SigInput {
            type_covered: record.record_type(),
            algorithm: Algorithm::ED25519,
            num_labels: owner.num_labels(),
            original_ttl: 300,
            sig_expiration: SerialNumber::new(now + 86400),
            sig_inception: SerialNumber::new(now - 86400),
            key_tag: self.dnskey().calculate_key_tag().unwrap(),
            signer_name: self.name.clone(),
        };
        let tbs = TBS::from_input(owner, DNSClass::IN, &input, [&record].into_iter()).unwrap();
        let sig = self.key.sign(&tbs).unwrap();
        let rrsig = RRSIG::from_sig(input, sig);
        vec![
            Raw::from_rdata(shown.clone(), 300, data),
            Raw::from_rdata(shown.clone(), 300, RData::DNSSEC(DNSSECRData::RRSIG(rrsig))),
        ]
    }
}

fn txt(text: &str) -> RData {
    RData::TXT(TXT::from_bytes(vec![text.as_bytes()]))
}

type Said = HashMap<(Name, RecordType), (ResponseCode, Vec<Raw>, Vec<Raw>)>;

fn serve(said: Said) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut octets = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut octets) {
            let mut message = Message::from_vec(&octets[..length]).unwrap();
            let query = message.queries[0].clone();
            message.metadata.message_type = MessageType::Response;
            message.metadata.recursion_available = true;
            // Else there is nothing, and no proof of it.
            let told = said.get(&(query.name.clone(), query.query_type));
            if let Some((code, answers, authorities)) = told {
                message.metadata.response_code = *code;
                for record in answers {
                    message.add_answer(record.clone());
                }
                for record in authorities {
                    message.add_authority(record.clone());
                }
            }
            socket.send_to(&message.to_vec().unwrap(), from).unwrap();
        }
    });
    address
}

fn ask(said: Said, root: &Zone, name: &str) -> Answer {
    let address = serve(said);
    let ds = root.ds();
    let anchors =
        format!(". IN DS {} 15 2 {}", ds.key_tag(), data_encoding::HEXUPPER.encode(ds.digest()));
    let mut options = HickoryOptions::new();
    options.timeout = Duration::from_millis(3000);
    options.attempts = 1;
    options.cache_size = 0;
    options.trust_anchors = Some(TrustAnchors::parse(&anchors).unwrap());
    let resolver = HickoryBlocking::with_servers(&[address], &options).unwrap();
    resolver.lookup(&Query { id: QueryId(0), name: name.to_owned(), kind: QueryKind::Txt })
}

const NAME: &str = "s._domainkey.victim.tld.";

struct Zones {
    root: Zone,
    tld: Zone,
    victim: Zone,
    evil: Zone,
}

fn world() -> (Said, Zones) {
    let (root, tld) = (Zone::new("."), Zone::new("tld."));
    let (victim, evil) = (Zone::new("victim.tld."), Zone::new("aevil."));
    let mut said = Said::new();
    for zone in [&root, &tld, &victim, &evil] {
        let key = RData::DNSSEC(DNSSECRData::DNSKEY(zone.dnskey()));
        said.insert(
            (zone.name.clone(), RecordType::DNSKEY),
            (ResponseCode::NoError, zone.sign(&zone.name, &zone.name, key), vec![]),
        );
    }
    for (parent, zone) in [(&root, &tld), (&tld, &victim), (&root, &evil)] {
        let ds = RData::DNSSEC(DNSSECRData::DS(zone.ds()));
        said.insert(
            (zone.name.clone(), RecordType::DS),
            (ResponseCode::NoError, parent.sign(&zone.name, &zone.name, ds), vec![]),
        );
    }
    (said, Zones { root, tld, victim, evil })
}

/// An NSEC3 record of a zone, opt-out, that covers the hash of a name and hardly another.
fn nsec3(zone: &Zone, covers: &str) -> Vec<Raw> {
    let hash = Nsec3HashAlgorithm::SHA1.hash(&[], &n(covers), 0).unwrap().as_ref().to_vec();
    let (mut before, mut after) = (hash.clone(), hash);
    before[10] = before[10].wrapping_sub(1);
    after[10] = after[10].wrapping_add(1);
    let label = data_encoding::BASE32_DNSSEC.encode(&before);
    let owner = n(&format!("{label}.{}", zone.name));
    let data = NSEC3::new(
        Nsec3HashAlgorithm::SHA1,
        true,
        0,
        vec![],
        after,
        [RecordType::NS, RecordType::DS, RecordType::RRSIG],
    );
    zone.sign(&owner, &owner, RData::DNSSEC(DNSSECRData::NSEC3(data)))
}

/// An NSEC record of a zone.
fn nsec(zone: &Zone, owner: &str, next: &str) -> Vec<Raw> {
    let owner = n(owner);
    let data = NSEC::new(n(next), [RecordType::TXT, RecordType::RRSIG, RecordType::NSEC]);
    zone.sign(&owner, &owner, RData::DNSSEC(DNSSECRData::NSEC(data)))
}

/// What is said of the name: its TXT records, what stands beside them, and, if it is taken for a zone,
/// of its DS records.
fn told(
    answer: impl FnOnce(&Zones) -> (ResponseCode, Vec<Raw>, Vec<Raw>),
    no_ds: impl FnOnce(&Zones) -> Option<Vec<Raw>>,
) -> Answer {
    let (mut said, zones) = world();
    let name = n(NAME);
    said.insert((name.clone(), RecordType::TXT), answer(&zones));
    if let Some(proof) = no_ds(&zones) {
        let ns = Raw::from_rdata(name.clone(), 300, RData::NS(NS(n("ns.aevil."))));
        said.insert((name.clone(), RecordType::NS), (ResponseCode::NoError, vec![ns], vec![]));
        said.insert((name, RecordType::DS), (ResponseCode::NoError, vec![], proof));
    }
    ask(said, &zones.root, NAME.trim_end_matches('.'))
}

/// What the wildcard of the zone makes at the name.
fn of_wildcard(zones: &Zones) -> Vec<Raw> {
    zones.victim.sign(&n("*.victim.tld."), &n(NAME), txt("wild"))
}

fn state(answer: &Answer) -> Dnssec {
    answer.as_ref().unwrap().dnssec
}

/// RFC 4035 §5.3.4.
#[test]
fn only_the_zone_of_a_wildcard_proves_that_nothing_nearer_is_there() {
    type Denial = fn(&Zones) -> Vec<Raw>;
    let cases: [(&str, Denial, Dnssec); 6] = [
        ("nothing", |_| vec![], Dnssec::Bogus),
        ("its own", |z| nsec3(&z.victim, "_domainkey.victim.tld."), Dnssec::Secure),
        ("its own NSEC", |z| nsec(&z.victim, "*.victim.tld.", "www.victim.tld."), Dnssec::Secure),
        ("the parent's", |z| nsec3(&z.tld, "_domainkey.victim.tld."), Dnssec::Bogus),
        ("a stranger's", |z| nsec(&z.evil, "x.aevil.", "zzz."), Dnssec::Bogus),
        ("leads elsewhere", |z| nsec(&z.victim, "*.victim.tld.", "zzz."), Dnssec::Bogus),
    ];
    for (what, denial, expected) in cases {
        let answer = |z: &Zones| (ResponseCode::NoError, of_wildcard(z), denial(z));
        assert_eq!(state(&told(answer, |_| None)), expected, "{what}");
    }
}

/// Another signature beside that of the wildcard does not say which wildcard it was.
#[test]
fn signatures_at_one_name_agree() {
    let answer = |z: &Zones| {
        let mut records = of_wildcard(z);
        records.extend(z.tld.sign(&n(NAME), &n(NAME), txt("wild")).pop());
        (ResponseCode::NoError, records, nsec3(&z.victim, "_domainkey.victim.tld."))
    };
    assert_eq!(state(&told(answer, |_| None)), Dnssec::Unknown);
}

#[test]
fn a_stranger_does_not_say_that_there_is_no_such_name() {
    let own = |z: &Zones| {
        let denial = nsec(&z.victim, "victim.tld.", "www.victim.tld.");
        (ResponseCode::NXDomain, vec![], denial)
    };
    assert_eq!(told(own, |_| None), Err(LookupError::NoSuchName));
    let stranger = |z: &Zones| (ResponseCode::NXDomain, vec![], nsec(&z.evil, "x.aevil.", "zzz."));
    assert_eq!(told(stranger, |_| None), Err(LookupError::Bogus));
}

/// RFC 5155 §8.6.
#[test]
fn what_is_not_signed_is_insecure_only_if_the_zone_above_leaves_it_so() {
    type Denial = fn(&Zones) -> Vec<Raw>;
    let cases: [(&str, Denial, Dnssec); 4] = [
        ("nothing", |_| vec![], Dnssec::Bogus),
        ("the grandparent's", |z| nsec3(&z.tld, NAME), Dnssec::Unknown),
        ("the zone's, not right above", |z| nsec3(&z.victim, NAME), Dnssec::Unknown),
        ("a stranger's", |z| nsec(&z.evil, "x.aevil.", "zzz."), Dnssec::Bogus),
    ];
    let forged = |_: &Zones| {
        (ResponseCode::NoError, vec![Raw::from_rdata(n(NAME), 300, txt("forged"))], vec![])
    };
    for (what, denial, expected) in cases {
        assert_eq!(state(&told(forged, |z| Some(denial(z)))), expected, "{what}");
    }
}
