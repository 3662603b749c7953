//! Changes to a zone, sent to its primary server (RFC 2136) and authenticated (RFC 8945), through
//! hickory-proto.

mod error;
mod tsig_key;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm as RawAlgorithm, TsigError};
use hickory_proto::rr::{
    DNSClass, Name, RData, Record as RawRecord, RecordType, TSigVerifier, TSigner,
};

pub use self::error::{ClockSkew, UpdateError};
pub use self::tsig_key::{TsigAlgorithm, TsigKey, TsigKeyError};
use crate::{Record, name};

/// A change to the TXT records of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The zone that the name is in, without closing dot; [`Updater::zone_of`] finds it.
    pub zone: String,
    /// The name, without closing dot.
    pub name: String,
    /// What the server must have there, or nothing is changed.
    pub condition: Condition,
    /// What becomes of its TXT records.
    pub change: Change,
}

/// Under which condition a change is carried out; the server looks and changes in one, so that
/// nobody can come between. That the name is no alias is always one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// Whatever TXT records there are.
    #[default]
    Any,
    /// There are just these TXT records, whatever their order and TTL; with an empty list, none.
    Just(Vec<Record>),
}

/// What becomes of the TXT records of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Whatever there is goes, and this one comes.
    Replace {
        /// The record.
        record: Record,
        /// How long resolvers may keep it, in seconds.
        ttl: u32,
    },
    /// They go.
    Delete,
}

/// Sends updates to a server, over TCP: a request may be longer than a UDP datagram, and which of
/// the two is taken is "at the discretion of the requestor" (RFC 2136 §2.1).
///
/// ```no_run
/// use dkim_dns::{Change, Condition, Record, TsigKey, Update, Updater};
///
/// let key = TsigKey::parse(&std::fs::read_to_string("/etc/dkim/update.key")?)?;
/// let updater = Updater::new("192.0.2.53:53".parse()?, Some(key))?;
/// let name = "s._domainkey.example.com".to_owned();
/// let record = Record { strings: vec![b"v=DKIM1; p=".to_vec()] };
/// let change = Change::Replace { record, ttl: 3600 };
/// // There is to be none before.
/// let condition = Condition::Just(Vec::new());
/// let zone = updater.zone_of(&name)?;
/// updater.send(&Update { zone, name, condition, change }, 1_700_000_000)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Updater {
    server: SocketAddr,
    key: Option<TsigKey>,
    timeout: Duration,
}

impl Updater {
    /// For this server, with this key.
    ///
    /// RFC 5863 §3.2 asks for "operational security controls to prevent insertion of spurious DNS
    /// records by an attacker", §3.5.1 for a DNS side that "verifies the authenticity" of each
    /// request. A server that takes requests without a key by their address can do so only for its
    /// own machine.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Unauthenticated`] without a key, unless the address is one of the loopback
    /// interface.
    pub fn new(server: SocketAddr, key: Option<TsigKey>) -> Result<Self, UpdateError> {
        if key.is_none() && !server.ip().to_canonical().is_loopback() {
            return Err(UpdateError::Unauthenticated);
        }
        Ok(Self { server, key, timeout: Duration::from_secs(10) })
    }

    /// Gives up after this time; ten seconds, unless said.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The server.
    #[must_use]
    pub const fn server(&self) -> SocketAddr {
        self.server
    }

    /// The zone that a name is in, of those that the server is in charge of: its SOA record is asked
    /// for at the name, then above it (RFC 1035 §4.3.2, RFC 2308 §3: where there is none, the answer
    /// bears that of the zone).
    ///
    /// # Errors
    ///
    /// [`UpdateError`]; [`UpdateError::NoZone`] when there is none, or the name is in a zone below
    /// that is somebody else's.
    pub fn zone_of(&self, name: &str) -> Result<String, UpdateError> {
        let mut above = raw_name(name)?;
        // Of what it hears of others or leaves to them, the zone nearest to the name.
        let mut elsewhere: Option<Name> = None;
        let none = || UpdateError::NoZone(name.to_owned());
        while !above.is_root() {
            let mut question = Message::query();
            question.add_query(Query::query(above.clone(), RecordType::SOA));
            let octets = self.exchange(&encode(&question)?)?;
            let answer = decode(&octets, &question)?;
            match answer.response_code {
                ResponseCode::NoError | ResponseCode::NXDomain => {}
                ResponseCode::Refused => return Err(none()),
                ResponseCode::ServFail => return Err(UpdateError::Failed),
                code => return Err(UpdateError::Other(code.to_string())),
            }
            // The answer to an alias tells the zone that it leads to.
            let is_alias = |record: &RawRecord| record.record_type() == RecordType::CNAME;
            // Who heard it from others is not the one to be told of changes.
            let is_first_hand = answer.authoritative && !answer.answers.iter().any(is_alias);
            let owners = |is_of: fn(RecordType) -> bool| {
                let records = answer.answers.iter().chain(&answer.authorities);
                let of_kind = records.filter(move |record| is_of(record.record_type()));
                of_kind.map(|record| &record.name).filter(|owner| owner.zone_of(&above))
            };
            if is_first_hand && let Some(owner) = owners(|kind| kind == RecordType::SOA).next() {
                // What is below a delegation is not seen, though a server takes it (RFC 2136 §3.4.1).
                let is_cut = elsewhere.is_some_and(|cut| cut != *owner && owner.zone_of(&cut));
                let zone = owner.to_ascii().trim_end_matches('.').to_ascii_lowercase();
                return if is_cut { Err(none()) } else { Ok(zone) };
            }
            if !answer.authoritative {
                let cuts = owners(|kind| matches!(kind, RecordType::SOA | RecordType::NS));
                elsewhere = elsewhere.into_iter().chain(cuts.cloned()).max_by_key(Name::num_labels);
            }
            above = above.base_name();
        }
        Err(none())
    }

    /// Sends an update, at this time in seconds since 1970, and waits for the server's word. It is
    /// carried out as a whole or not at all, and not at all where the name is an alias or has other
    /// records than the condition says.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]; it may have been carried out where what came back is not known to be the
    /// server's word, or did not come: after [`UpdateError::Silent`], [`UpdateError::Unreachable`],
    /// [`UpdateError::NotAuthentic`], [`UpdateError::Unreadable`], and after
    /// [`UpdateError::UnknownKey`] and [`UpdateError::WrongSecret`], which no server can sign.
    pub fn send(&self, update: &Update, now: u64) -> Result<(), UpdateError> {
        let mut message = message(update)?;
        let mut verifier = None;
        if let Some(key) = &self.key {
            let unsendable = |error: &dyn std::error::Error| UpdateError::Unsendable {
                what: format!("an update with the TSIG key {}", key.name()),
                why: error.to_string(),
            };
            let signer = signer(key, &raw_name(key.name())?).map_err(|error| unsendable(&error))?;
            verifier = message.finalize(&signer, now).map_err(|error| unsendable(&error))?;
        }
        let octets = self.exchange(&encode(&message)?)?;
        let answer = decode(&octets, &message)?;
        if let (Some(key), Some(verifier)) = (&self.key, verifier) {
            authenticate(&answer, &octets, key, verifier, now)?;
        }
        outcome(answer.response_code, update)
    }

    /// Sends a message and takes the answer, each after its length (RFC 1035 §4.2.2).
    fn exchange(&self, request: &[u8]) -> Result<Vec<u8>, UpdateError> {
        let mut what = "did not take a connection";
        let mut exchange = || -> io::Result<Vec<u8>> {
            let start = Instant::now();
            let left = || match self.timeout.saturating_sub(start.elapsed()) {
                Duration::ZERO => Err(io::Error::from(io::ErrorKind::TimedOut)),
                left => Ok(left),
            };
            let mut stream = TcpStream::connect_timeout(&self.server, left()?)?;
            what = "did not answer";
            let length = u16::try_from(request.len()).map_err(io::Error::other)?;
            stream.set_write_timeout(Some(left()?))?;
            stream.write_all(&[&length.to_be_bytes(), request].concat())?;
            let mut fill = |octets: &mut [u8]| -> io::Result<()> {
                let mut rest = octets;
                while !rest.is_empty() {
                    stream.set_read_timeout(Some(left()?))?;
                    match stream.read(rest) {
                        Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                        Ok(count) => rest = rest.get_mut(count..).unwrap_or_default(),
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            };
            let mut length = [0; 2];
            fill(&mut length)?;
            let mut answer = vec![0; u16::from_be_bytes(length).into()];
            fill(&mut answer)?;
            Ok(answer)
        };
        exchange().map_err(|error| match error.kind() {
            // What a read or write is called that took too long differs between systems.
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                UpdateError::Silent { server: self.server, what, waited: self.timeout }
            }
            _ => UpdateError::Unreachable(error),
        })
    }
}

/// RFC 2136 §2.4.2, §2.4.3, §2.5.2, §2.5.1: under the condition that there is no CNAME record, and
/// that the TXT records are those, they go, and one comes.
fn message(update: &Update) -> Result<Message, UpdateError> {
    let name = raw_name(&update.name)?;
    let of_class = |class, kind| {
        let mut record = RawRecord::update0(name.clone(), 0, kind);
        record.dns_class = class;
        record
    };
    let mut message = Message::query();
    message.metadata.op_code = OpCode::Update;
    message.metadata.recursion_desired = false;
    message.add_query(Query::query(raw_name(&update.zone)?, RecordType::SOA));
    message.add_answer(of_class(DNSClass::NONE, RecordType::CNAME));
    match &update.condition {
        Condition::Any => {}
        Condition::Just(records) if records.is_empty() => {
            message.add_answer(of_class(DNSClass::NONE, RecordType::TXT));
        }
        Condition::Just(records) => {
            for record in records {
                message.add_answer(RawRecord::from_rdata(name.clone(), 0, data(record)?));
            }
        }
    }
    message.add_authority(of_class(DNSClass::ANY, RecordType::TXT));
    if let Change::Replace { record, ttl } = &update.change {
        message.add_authority(RawRecord::from_rdata(name, *ttl, data(record)?));
    }
    Ok(message)
}

fn data(record: &Record) -> Result<RData, UpdateError> {
    const STRING: usize = 255;

    if record.strings.is_empty() || record.strings.iter().any(|string| string.len() > STRING) {
        let (what, why) = ("the record", "a TXT record has strings of at most 255 octets");
        return Err(UpdateError::Unsendable { what: what.to_owned(), why: why.to_owned() });
    }
    let strings = record.strings.iter().map(Vec::as_slice).collect();
    Ok(RData::TXT(TXT::from_bytes(strings)))
}

fn signer(key: &TsigKey, name: &Name) -> Result<TSigner, hickory_proto::dnssec::DnsSecError> {
    /// "The RECOMMENDED value … is 300 seconds" (RFC 8945 §10).
    const FUDGE: u16 = 300;

    let algorithm = match key.algorithm() {
        TsigAlgorithm::HmacSha256 => RawAlgorithm::HmacSha256,
        TsigAlgorithm::HmacSha384 => RawAlgorithm::HmacSha384,
        TsigAlgorithm::HmacSha512 => RawAlgorithm::HmacSha512,
    };
    TSigner::new(key.secret().to_vec(), algorithm, name.clone(), FUDGE)
}

/// RFC 8945 §5.3, §5.4: the answer bears a code over itself and that of the request, unless the
/// server could not make one, and says so.
fn authenticate(
    answer: &Message,
    octets: &[u8],
    key: &TsigKey,
    mut verifier: TSigVerifier,
    now: u64,
) -> Result<(), UpdateError> {
    let name = || key.name().to_owned();
    let signature = answer.signature().map(|record| &record.data);
    match signature.map(|data| data.error) {
        // §5.3.2: these are not signed, and whoever believes them does nothing.
        Some(Some(TsigError::BadKey)) => return Err(UpdateError::UnknownKey(name())),
        Some(Some(TsigError::BadSig)) => return Err(UpdateError::WrongSecret(name())),
        Some(_) => {}
        None => {
            let code = answer.response_code;
            return Err(UpdateError::NotAuthentic(format!("without a signature, it says {code}")));
        }
    }
    let not_authentic =
        |error: hickory_proto::ProtoError| UpdateError::NotAuthentic(error.to_string());
    verifier.verify(octets).map_err(not_authentic)?;
    match signature.filter(|data| data.error == Some(TsigError::BadTime)) {
        Some(data) => {
            let theirs = server_time(&data.other);
            Err(UpdateError::Clocks(ClockSkew { ours: now, theirs }))
        }
        None => Ok(()),
    }
}

/// RFC 8945 §5.2.3: who finds that the clocks differ tells its own time, in 48 bits.
fn server_time(other: &[u8]) -> Option<u64> {
    let time: &[u8; 6] = other.try_into().ok()?;
    Some(time.iter().fold(0, |time, octet| time << 8 | u64::from(*octet)))
}

/// RFC 2136 §2.2: what the server says.
fn outcome(code: ResponseCode, update: &Update) -> Result<(), UpdateError> {
    let zone = || update.zone.clone();
    Err(match code {
        ResponseCode::NoError => return Ok(()),
        // A CNAME record, or the TXT record that was not to be there.
        ResponseCode::YXRRSet if update.condition == Condition::Just(Vec::new()) => {
            UpdateError::Changed(update.name.clone())
        }
        ResponseCode::YXRRSet => UpdateError::Alias(update.name.clone()),
        ResponseCode::NXRRSet => UpdateError::Changed(update.name.clone()),
        ResponseCode::NotAuth => UpdateError::NotAuthoritative(zone(), "NOTAUTH"),
        ResponseCode::NotZone => UpdateError::NotAuthoritative(zone(), "NOTZONE"),
        ResponseCode::Refused => UpdateError::Refused,
        ResponseCode::NotImp => UpdateError::NotImplemented,
        ResponseCode::ServFail => UpdateError::Failed,
        code => UpdateError::Other(code.to_string()),
    })
}

fn raw_name(name: &str) -> Result<Name, UpdateError> {
    let unsendable = |why: String| UpdateError::Unsendable { what: name.to_owned(), why };
    // Label by label, so that nothing is taken for an escape, a U-label or a relative name.
    let labels = name::Name::absolute(name).map_err(|error| unsendable(error.to_string()))?;
    Name::from_labels(labels.labels()).map_err(|error| unsendable(error.to_string()))
}

fn encode(message: &Message) -> Result<Vec<u8>, UpdateError> {
    let what = "the request".to_owned();
    message.to_vec().map_err(|error| UpdateError::Unsendable { what, why: error.to_string() })
}

/// Reads an answer to a request.
fn decode(octets: &[u8], request: &Message) -> Result<Message, UpdateError> {
    let answer =
        Message::from_vec(octets).map_err(|error| UpdateError::Unreadable(error.to_string()))?;
    let is_answer = answer.message_type == MessageType::Response
        && (answer.id, answer.op_code) == (request.id, request.op_code);
    match is_answer {
        true => Ok(answer),
        false => Err(UpdateError::Unreadable("it answers another question".to_owned())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread::{self, JoinHandle};

    use hickory_proto::rr::TSigResponseContext;
    use hickory_proto::rr::rdata::SOA;
    use zeroize::Zeroizing;

    use super::*;

    const NOW: u64 = 1_700_000_000;
    const ZONE: &str = "example.com";
    const NAME: &str = "s._domainkey.example.com";

    fn key(secret: &[u8]) -> TsigKey {
        let secret = Zeroizing::new(secret.to_vec());
        TsigKey::new("dkim.Example", TsigAlgorithm::HmacSha256, secret).unwrap()
    }

    fn replace() -> Update {
        let record = Record { strings: vec![b"v=DKIM1; ".to_vec(), vec![b'p'; 255]] };
        let change = Change::Replace { record, ttl: 60 };
        let condition = Condition::Any;
        Update { zone: ZONE.to_owned(), name: NAME.to_owned(), condition, change }
    }

    /// Answers one request after the other, and gives back what it was asked.
    fn server(
        answers: Vec<impl FnOnce(&Message, &[u8]) -> Vec<u8> + Send + 'static>,
    ) -> (SocketAddr, JoinHandle<Vec<Vec<u8>>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let serve = move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut octets = vec![0; u16::from_be_bytes(length).into()];
                stream.read_exact(&mut octets).unwrap();
                let answer = answer(&Message::from_vec(&octets).unwrap(), &octets);
                let length = u16::try_from(answer.len()).unwrap();
                stream.write_all(&[&length.to_be_bytes(), &*answer].concat()).unwrap();
                asked.push(octets);
            }
            asked
        };
        (address, thread::spawn(serve))
    }

    fn code(request: &Message, code: ResponseCode) -> Message {
        Message::error_msg(request.id, request.op_code, code)
    }

    fn plain(is: ResponseCode) -> impl FnOnce(&Message, &[u8]) -> Vec<u8> {
        move |request, _| code(request, is).to_vec().unwrap()
    }

    fn signer_with(secret: &[u8]) -> TSigner {
        let key = key(secret);
        signer(&key, &raw_name(key.name()).unwrap()).unwrap()
    }

    /// An answer that only who has the secret can give.
    fn signed(
        is: ResponseCode,
        secret: &[u8],
        error: Option<TsigError>,
    ) -> impl FnOnce(&Message, &[u8]) -> Vec<u8> {
        let signer = signer_with(secret);
        move |request, octets| {
            let (mac, time, _) = signer.verify_message_byte(octets, None, true).unwrap();
            let mut answer = code(request, is);
            let context = TSigResponseContext::new(request.id, time, signer, mac, error);
            answer.set_signature(context.sign(&answer.to_vec().unwrap()).unwrap());
            answer.to_vec().unwrap()
        }
    }

    #[test]
    fn nothing_goes_without_a_key_to_another_machine() {
        for server in ["192.0.2.53:53", "[2001:db8::1]:53", "0.0.0.0:53", "[::ffff:192.0.2.1]:53"] {
            let refused = Updater::new(server.parse().unwrap(), None);
            assert!(matches!(refused, Err(UpdateError::Unauthenticated)), "{server}");
            assert!(Updater::new(server.parse().unwrap(), Some(key(b"x"))).is_ok(), "{server}");
        }
        for server in ["127.0.0.1:53", "127.8.9.1:53", "[::1]:53", "[::ffff:127.0.0.1]:53"] {
            assert!(Updater::new(server.parse().unwrap(), None).is_ok(), "{server}");
        }
    }

    /// The octets of RFC 2136 §2, up to the TSIG record.
    #[test]
    fn an_update_has_its_condition_and_its_changes() {
        let (address, asked) = server(vec![plain(ResponseCode::NoError)]);
        Updater::new(address, None).unwrap().send(&replace(), NOW).unwrap();
        let octets = asked.join().unwrap().remove(0);
        let zone = b"\x07example\x03com\0";
        // A name that was said before is said by where (RFC 1035 §4.1.4).
        let name = b"\x01s\x0a_domainkey\xc0\x0c";
        let again = &[0xc0, u8::try_from(12 + zone.len() + 4).unwrap()][..];
        let mut expected = vec![0x28, 0, 0, 1, 0, 1, 0, 2, 0, 0];
        expected.extend([zone, &[0, 6, 0, 1][..]].concat());
        expected.extend([name, &[0, 5, 0, 254, 0, 0, 0, 0, 0, 0][..]].concat());
        expected.extend([again, &[0, 16, 0, 255, 0, 0, 0, 0, 0, 0]].concat());
        // 266 octets: two strings, each after its length.
        expected.extend([again, &[0, 16, 0, 1, 0, 0, 0, 60, 1, 10]].concat());
        expected.extend([&b"\x09v=DKIM1; \xff"[..], &[b'p'; 255]].concat());
        assert_eq!(octets[2..], expected);
    }

    /// RFC 2136 §2.4.2 and §2.4.3, octet by octet.
    #[test]
    fn what_must_be_there_is_said() {
        let conditions = |records: &[&[&[u8]]]| {
            let (address, asked) = server(vec![plain(ResponseCode::NoError)]);
            let record = |strings: &&[&[u8]]| Record {
                strings: strings.iter().map(|string| string.to_vec()).collect(),
            };
            let condition = Condition::Just(records.iter().map(record).collect());
            let update = Update { condition, change: Change::Delete, ..replace() };
            Updater::new(address, None).unwrap().send(&update, NOW).unwrap();
            let octets = asked.join().unwrap().remove(0);
            // The first condition begins after the header and the zone, is that there is no CNAME
            // record, and takes 25 octets; the change at the end takes 12.
            let first = 12 + 13 + 4;
            (octets[7], octets[first + 25..octets.len() - 12].to_vec())
        };
        let again = &[0xc0, 12 + 13 + 4];
        let none = [again, &[0, 16, 0, 254, 0, 0, 0, 0, 0, 0][..]].concat();
        assert_eq!(conditions(&[]), (2, none));
        let records: [&[&[u8]]; 2] = [&[b"v=DKIM1; ", b"p="], &[b"\"\xff"]];
        let first = [again, &[0, 16, 0, 1, 0, 0, 0, 0, 0, 13][..], b"\x09v=DKIM1; \x02p="];
        let second = [again, &[0, 16, 0, 1, 0, 0, 0, 0, 0, 3][..], b"\x02\"\xff"];
        assert_eq!(conditions(&records), (3, [first.concat(), second.concat()].concat()));
    }

    #[test]
    fn what_has_changed_meanwhile_is_told() {
        let send = |code, condition| {
            let (address, _) = server(vec![plain(code)]);
            let update = Update { condition, ..replace() };
            Updater::new(address, None).unwrap().send(&update, NOW).unwrap_err()
        };
        let record = Record { strings: vec![b"v=DKIM1; p=".to_vec()] };
        let (none, one) = (Condition::Just(Vec::new()), Condition::Just(vec![record]));
        let error = send(ResponseCode::YXRRSet, none);
        assert!(matches!(error, UpdateError::Changed(_)), "{error}");
        let error = send(ResponseCode::NXRRSet, one.clone());
        assert!(matches!(error, UpdateError::Changed(_)), "{error}");
        // Beside records that are to be there, only an alias is not to be there.
        let error = send(ResponseCode::YXRRSet, one);
        assert!(matches!(error, UpdateError::Alias(_)), "{error}");
    }

    #[test]
    fn the_word_of_the_server_is_taken() {
        let (address, _) = server(vec![plain(ResponseCode::NoError)]);
        let updater = Updater::new(address, None).unwrap();
        updater.send(&Update { change: Change::Delete, ..replace() }, NOW).unwrap();
        type Is = fn(&UpdateError) -> bool;
        let cases: [(ResponseCode, Is); 7] = [
            (ResponseCode::YXRRSet, |e| matches!(e, UpdateError::Alias(_))),
            (ResponseCode::NotAuth, |e| matches!(e, UpdateError::NotAuthoritative(..))),
            (ResponseCode::NotZone, |e| matches!(e, UpdateError::NotAuthoritative(..))),
            (ResponseCode::Refused, |e| matches!(e, UpdateError::Refused)),
            (ResponseCode::NotImp, |e| matches!(e, UpdateError::NotImplemented)),
            (ResponseCode::ServFail, |e| e.is_temporary()),
            (ResponseCode::FormErr, |e| matches!(e, UpdateError::Other(_))),
        ];
        for (code, is) in cases {
            // With a key and without.
            let (address, _) = server(vec![plain(code)]);
            let updater = Updater::new(address, None).unwrap();
            assert!(is(&updater.send(&replace(), NOW).unwrap_err()), "{code}");
            let (address, _) = server(vec![signed(code, b"secret", None)]);
            let updater = Updater::new(address, Some(key(b"secret"))).unwrap();
            assert!(is(&updater.send(&replace(), NOW).unwrap_err()), "{code}");
        }
    }

    #[test]
    fn an_answer_is_authentic_or_none() {
        let send = |answer| {
            let (address, _) = server(vec![answer]);
            Updater::new(address, Some(key(b"secret"))).unwrap().send(&replace(), NOW)
        };
        type Server = Box<dyn FnOnce(&Message, &[u8]) -> Vec<u8> + Send>;
        let good = || -> Server { Box::new(signed(ResponseCode::NoError, b"secret", None)) };
        assert!(send(good()).is_ok());
        let wrongly_signed: Server = Box::new(|request, _| {
            let signer = signer(&key(b"other"), &raw_name("dkim.example").unwrap()).unwrap();
            let mut answer = code(request, ResponseCode::NoError);
            let context = TSigResponseContext::new(request.id, NOW, signer, vec![0; 32], None);
            answer.set_signature(context.sign(&answer.to_vec().unwrap()).unwrap());
            answer.to_vec().unwrap()
        });
        let changed: Server = Box::new(|request, octets| {
            let mut answer = signed(ResponseCode::Refused, b"secret", None)(request, octets);
            // The code becomes NOERROR.
            answer[3] &= 0xf0;
            answer
        });
        let unsigned: Server = Box::new(plain(ResponseCode::NoError));
        for forged in [wrongly_signed, changed, unsigned] {
            assert!(matches!(send(forged), Err(UpdateError::NotAuthentic(_))));
        }
        let tsig_error = |error: TsigError| -> Server {
            Box::new(move |request, octets| {
                let signer = signer(&key(b"secret"), &raw_name("dkim.example").unwrap()).unwrap();
                let mut answer = code(request, ResponseCode::NotAuth);
                let name = signer.signer_name().clone();
                let context = match error {
                    TsigError::BadSig => {
                        TSigResponseContext::bad_signature(request.id, NOW, signer)
                    }
                    TsigError::BadKey => TSigResponseContext::unknown_key(request.id, NOW, name),
                    error => {
                        let code = ResponseCode::NotAuth;
                        return signed(code, b"secret", Some(error))(request, octets);
                    }
                };
                answer.set_signature(context.sign(&answer.to_vec().unwrap()).unwrap());
                answer.to_vec().unwrap()
            })
        };
        assert!(matches!(send(tsig_error(TsigError::BadSig)), Err(UpdateError::WrongSecret(_))));
        assert!(matches!(send(tsig_error(TsigError::BadKey)), Err(UpdateError::UnknownKey(_))));
        let skew = ClockSkew { ours: NOW, theirs: None };
        let bad_time = send(tsig_error(TsigError::BadTime)).unwrap_err();
        assert!(matches!(bad_time, UpdateError::Clocks(is) if is == skew), "{bad_time}");
    }

    /// RFC 8945 §5.2.3: the server says what time it has.
    #[test]
    fn clocks_that_differ_are_told_by_how_much() {
        for (theirs, told) in
            [(NOW - 3600, "3600 seconds behind"), (NOW + 301, "301 seconds ahead")]
        {
            let with_time = move |secret: &'static [u8]| {
                move |request: &Message, octets: &[u8]| {
                    let answer = signed(ResponseCode::NotAuth, b"secret", Some(TsigError::BadTime));
                    let mut answer = Message::from_vec(&answer(request, octets)).unwrap();
                    let mut signature = answer.take_signature().unwrap();
                    signature.data.other = theirs.to_be_bytes()[2..].to_vec();
                    let signer = signer_with(b"secret");
                    let (mac, ..) = signer.verify_message_byte(octets, None, true).unwrap();
                    let bare = answer.to_vec().unwrap();
                    let tbs = signer.encode_response_tbs(&mac, &bare, &signature.data).unwrap();
                    signature.data.mac = signer_with(secret).sign(&tbs).unwrap();
                    answer.set_signature(signature);
                    answer.to_vec().unwrap()
                }
            };
            let send = |secret: &'static [u8]| {
                let (address, _) = server(vec![with_time(secret)]);
                let updater = Updater::new(address, Some(key(b"secret"))).unwrap();
                updater.send(&replace(), NOW).unwrap_err()
            };
            let error = send(b"secret");
            assert!(error.to_string().contains(told), "{error}");
            // Whoever can write in between tells no time.
            assert!(matches!(send(b"guessed"), UpdateError::NotAuthentic(_)));
        }
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let send = |answer: Vec<u8>| {
            let (address, _) = server(vec![|_: &Message, _: &[u8]| answer]);
            Updater::new(address, None).unwrap().send(&replace(), NOW)
        };
        let other = Message::error_msg(0, OpCode::Query, ResponseCode::NoError).to_vec().unwrap();
        for answer in [Vec::new(), b"HTTP/1.1 400 Bad Request".to_vec(), other] {
            assert!(matches!(send(answer), Err(UpdateError::Unreadable(_))));
        }
        let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let error = Updater::new(nobody, None).unwrap().send(&replace(), NOW).unwrap_err();
        assert!(error.is_temporary(), "{error}");
        // Whoever takes the request and falls silent is not waited for for ever.
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let updater = Updater::new(silent.local_addr().unwrap(), None).unwrap();
        let updater = updater.with_timeout(Duration::from_millis(20));
        let error = updater.send(&replace(), NOW).unwrap_err();
        let told = format!("{} did not answer within 20ms", updater.server());
        assert!(error.is_temporary() && error.to_string() == told, "{error}");
    }

    #[test]
    fn what_cannot_be_sent_is_told() {
        let updater = Updater::new("127.0.0.1:9".parse().unwrap(), None).unwrap();
        let long = Record { strings: vec![vec![b'p'; 256]] };
        for update in [
            Update { name: "a..b".to_owned(), ..replace() },
            Update { zone: "x".repeat(64), ..replace() },
            Update { change: Change::Replace { record: long, ttl: 1 }, ..replace() },
            Update { change: Change::Replace { record: Record::default(), ttl: 1 }, ..replace() },
            Update { condition: Condition::Just(vec![Record::default()]), ..replace() },
        ] {
            let error = updater.send(&update, NOW).unwrap_err();
            assert!(matches!(error, UpdateError::Unsendable { .. }), "{error}");
        }
    }

    /// What a server says of a zone: its SOA record, in the authority section of what is not there.
    fn soa(owner: &str, is_first_hand: bool) -> impl FnOnce(&Message, &[u8]) -> Vec<u8> {
        let owner = Name::from_ascii(owner).unwrap();
        move |request, _| {
            let mut answer = code(request, ResponseCode::NXDomain);
            answer.metadata.authoritative = is_first_hand;
            let data = SOA::new(owner.clone(), owner.clone(), 1, 2, 3, 4, 5);
            answer.add_authority(RawRecord::from_rdata(owner, 60, RData::SOA(data)));
            answer.to_vec().unwrap()
        }
    }

    #[test]
    fn zones_are_found() {
        type Server = Box<dyn FnOnce(&Message, &[u8]) -> Vec<u8> + Send>;
        let find = |answers: Vec<Server>| {
            let (address, asked) = server(answers);
            let found = Updater::new(address, None).unwrap().zone_of(NAME);
            (found, asked)
        };
        let (found, _) = find(vec![Box::new(soa("Example.COM.", true))]);
        assert_eq!(found.unwrap(), ZONE);
        // An alias into another zone of the same server, or within a zone above.
        let alias = || -> Server {
            Box::new(|request, _| {
                let mut answer = code(request, ResponseCode::NoError);
                answer.metadata.authoritative = true;
                let target = Name::from_ascii("x.com.").unwrap();
                let owner = request.queries.first().unwrap().name().clone();
                let data = RData::CNAME(hickory_proto::rr::rdata::CNAME(target.clone()));
                answer.add_answer(RawRecord::from_rdata(owner, 60, data));
                let com = Name::from_ascii("com.").unwrap();
                let data = SOA::new(com.clone(), com.clone(), 1, 2, 3, 4, 5);
                answer.add_authority(RawRecord::from_rdata(com, 60, RData::SOA(data)));
                answer.to_vec().unwrap()
            })
        };
        let (found, asked) = find(vec![alias(), Box::new(soa("example.com.", true))]);
        assert_eq!(found.unwrap(), ZONE);
        let asked = asked.join().unwrap();
        let second = Message::from_vec(&asked[1]).unwrap();
        assert_eq!(second.queries[0].name().to_ascii(), "_domainkey.example.com.");
        // Who is not in charge says nothing that counts.
        let second_hand = || -> Server { Box::new(soa("example.com.", false)) };
        let (found, _) = find((0..4).map(|_| second_hand()).collect());
        assert!(matches!(found, Err(UpdateError::NoZone(_))));
        // Nor is the zone above a cut the one: what is written there is not seen.
        let cut = |owner: &'static str| -> Server {
            Box::new(move |request, _| {
                let mut answer = code(request, ResponseCode::NoError);
                let owner = Name::from_ascii(owner).unwrap();
                let data = RData::NS(hickory_proto::rr::rdata::NS(owner.clone()));
                answer.add_authority(RawRecord::from_rdata(owner, 60, data));
                answer.to_vec().unwrap()
            })
        };
        for (other, is_below) in
            [("_domainkey.example.com.", true), ("example.com.", false), (".", false)]
        {
            let first_hand = || -> Server { Box::new(soa("example.com.", true)) };
            for below in [cut(other), Box::new(soa(other, false))] {
                let (found, _) = find(vec![below, first_hand()]);
                assert_eq!(found.is_err(), is_below, "{other}: {found:?}");
            }
        }
        let (found, _) = find(vec![Box::new(plain(ResponseCode::Refused))]);
        assert!(matches!(found, Err(UpdateError::NoZone(_))));
    }
}
