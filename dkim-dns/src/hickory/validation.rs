//! DNSSEC: answers validated here, down from a trust anchor (RFC 4035 §5), by hickory-net.
//!
//! Signatures, DS records and proofs of absence are the library's work. Ours is what it leaves open:
//! from which keys to begin, what is asked and how often, and what a failed question means.

mod relevant;

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, Stream};
use hickory_net::dnssec::DnssecDnsHandle;
use hickory_net::runtime::{RuntimeProvider, Time, TokioRuntimeProvider};
use hickory_net::xfer::FirstAnswer;
use hickory_net::{DnsError, DnsHandle, NetError};
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG};
use hickory_proto::dnssec::{
    Algorithm, DigestType, Proof, PublicKey, TrustAnchors as Keys, Verifier,
};
use hickory_proto::op::{
    DnsRequest, DnsRequestOptions, DnsResponse, Query as RawQuery, ResponseCode,
};
use hickory_proto::rr::{DNSClass, Name, RData, Record as RawRecord, RecordType, SerialNumber};
use hickory_resolver::config::{NameServerConfig, ResolverOpts};
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};

use self::relevant::relevant;
use super::{HickoryError, Trail, or_lame};
use crate::trust_anchors::{TrustAnchors, Trusted};
use crate::{Answer, Dnssec, Found, LookupError, QueryKind, name};

/// At most this many questions are sent for one that is to be validated, whatever the answers say. A
/// chain through four zones takes ten or so; each alias begins another.
const MAX_QUESTIONS: u32 = 128;

/// At most this many signatures of an anchored zone's keys are tried, and as many keys: a signature
/// costs the same whether it holds or not.
const MAX_KEYS: usize = 8;

/// Asks and validates.
#[derive(Clone)]
pub(super) struct Validator {
    pool: NameServerPool<TokioRuntimeProvider>,
    anchors: Arc<TrustAnchors>,
    attempts: u32,
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator").field("anchors", &self.anchors).finish_non_exhaustive()
    }
}

/// What an answer says of the name itself, aliases not followed.
enum Reply {
    Records(Vec<RawRecord>, Dnssec),
    Nothing { why: LookupError, ttl: Duration, dnssec: Dnssec },
}

impl Validator {
    pub(super) fn new(
        servers: &[NameServerConfig],
        opts: ResolverOpts,
        anchors: TrustAnchors,
        attempts: u32,
    ) -> Result<Self, HickoryError> {
        let tls = TlsConfig::new().map_err(|error| HickoryError::Configuration(error.into()))?;
        let context = Arc::new(PoolContext::new(opts, tls));
        let provider = TokioRuntimeProvider::default();
        let pool = NameServerPool::from_config(servers.iter().cloned(), context, provider);
        Ok(Self { pool, anchors: Arc::new(anchors), attempts })
    }

    /// The answer and its state, or `None` if that cannot be told: no anchor is above the name, or
    /// the servers do not give what it takes.
    pub(super) async fn lookup(&self, name: Name, kind: QueryKind) -> Option<Answer> {
        let record_type = match kind {
            QueryKind::Txt => RecordType::TXT,
            QueryKind::Exists => RecordType::MX,
            QueryKind::Cname => RecordType::CNAME,
        };
        let asking = Asking::new(self);
        let mut trail = Trail::new(name);
        let mut state = Dnssec::Secure;
        loop {
            match self.reply(&asking, &trail.name, record_type).await? {
                Reply::Nothing { dnssec: Dnssec::Bogus, .. } => {
                    return Some(Err(LookupError::Bogus));
                }
                Reply::Nothing { why: LookupError::NoRecords, ttl, dnssec }
                    if kind == QueryKind::Exists =>
                {
                    let dnssec = weaker(state, dnssec);
                    return Some(Ok(Found { chain: trail.chain, dnssec, ttl, ..Found::default() }));
                }
                Reply::Nothing { why, .. } => return Some(Err(why)),
                Reply::Records(records, dnssec) => {
                    state = weaker(state, dnssec);
                    let hops = trail.chain.len();
                    if let Err(error) = trail.follow(&records) {
                        return Some(Err(error));
                    }
                    let is_end = trail.chain.len() == hops;
                    if kind == QueryKind::Cname {
                        return Some(trail.alias(state));
                    }
                    if is_end || state == Dnssec::Bogus {
                        let answer = trail.end(&records, record_type, state);
                        let is_bogus = state == Dnssec::Bogus;
                        return Some(
                            answer.map_err(|e| if is_bogus { LookupError::Bogus } else { e }),
                        );
                    }
                }
            }
        }
    }

    async fn reply(&self, asking: &Asking, name: &Name, kind: RecordType) -> Option<Reply> {
        let Some(keys) = self.keys(asking, name).await? else {
            let (why, ttl) = (LookupError::Bogus, Duration::ZERO);
            return Some(Reply::Nothing { why, ttl, dnssec: Dnssec::Bogus });
        };
        let reply = self.validated(asking, &keys, name, kind).await?;
        let dnssec = match &reply {
            Reply::Records(_, dnssec) | Reply::Nothing { dnssec, .. } => *dnssec,
        };
        // What could not be asked looks like what is missing.
        if dnssec == Dnssec::Unknown || (dnssec == Dnssec::Bogus && asking.has_failed()) {
            return None;
        }
        Some(reply)
    }

    async fn validated(
        &self,
        asking: &Asking,
        keys: &Arc<Keys>,
        name: &Name,
        kind: RecordType,
    ) -> Option<Reply> {
        let handle = DnssecDnsHandle::with_trust_anchor(asking.clone(), Arc::clone(keys));
        let query = RawQuery::query(name.clone(), kind);
        let (message, denial) = match handle.lookup(query, options()).first_answer().await {
            Ok(message) => (message, Proof::Secure),
            Err(NetError::Dns(DnsError::Nsec { response, proof, .. })) => (*response, proof),
            Err(_) => return None,
        };
        let (records, signatures): (Vec<RawRecord>, Vec<RawRecord>) = message
            .answers
            .iter()
            .filter(|record| record.name == *name)
            .cloned()
            .partition(|record| record.record_type() != RecordType::RRSIG);
        if let Some(weakest) = records.iter().map(|record| record.proof).min() {
            let of_wildcard = (weakest == Proof::Secure)
                .then(|| wildcard_labels(name, &signatures))
                .flatten()
                .map(|labels| no_nearer(name, labels, &message, denial));
            let is_alias = kind != RecordType::CNAME
                && records.iter().any(|record| record.record_type() == RecordType::CNAME);
            let dnssec = match of_wildcard {
                // What else is in the answer may concern the alias's target.
                Some(Dnssec::Bogus) if is_alias => {
                    let alias = self.validated(asking, keys, name, RecordType::CNAME);
                    return Box::pin(alias).await;
                }
                Some(dnssec) => dnssec,
                None => state(weakest),
            };
            return Some(Reply::Records(records, dnssec));
        }
        let why = match message.response_code {
            ResponseCode::NXDomain => LookupError::NoSuchName,
            ResponseCode::NoError => LookupError::NoRecords,
            _ => return None,
        };
        let is_insecure = |record: &RawRecord| {
            record.proof == Proof::Insecure
                && record.record_type() == RecordType::SOA
                && record.name.zone_of(name)
        };
        let dnssec = match denial {
            Proof::Secure if message.authorities.iter().any(is_denial) => Dnssec::Secure,
            Proof::Secure if message.authorities.is_empty() => Dnssec::Insecure,
            Proof::Secure if message.authorities.iter().any(is_insecure) => Dnssec::Insecure,
            Proof::Secure => Dnssec::Bogus,
            proof => state(proof),
        };
        let ttl = Duration::from_secs(message.negative_ttl().unwrap_or(0).into());
        Some(Reply::Nothing { why, ttl, dnssec })
    }

    /// The keys of the anchored zone that the name is in, once an anchor has signed them; `Some(None)`
    /// if none has (RFC 4035 §5). The library takes keys for anchors and no digests, and below the
    /// root it wants all keys of the zone to be among them.
    async fn keys(&self, asking: &Asking, name: &Name) -> Option<Option<Arc<Keys>>> {
        let labels = name.iter().map(<[u8]>::to_vec).collect();
        let ours = name::Name::new(labels, &name::Name::root()).ok()?;
        let (zone, trusted) = self.anchors.nearest(&ours)?;
        let zone = Name::from_labels(zone.labels()).ok()?;
        let query = RawQuery::query(zone.clone(), RecordType::DNSKEY);
        let message = asking.lookup(query, options()).first_answer().await.ok()?;
        let records: Vec<&RawRecord> = message
            .answers
            .iter()
            .filter(|r| r.name == zone && r.record_type() == RecordType::DNSKEY)
            .collect();
        let keys: Vec<&DNSKEY> = records.iter().filter_map(|record| dnskey(record)).collect();
        let signatures: Vec<&RRSIG> = message
            .answers
            .iter()
            .filter(|record| record.name == zone)
            .filter_map(signature)
            .filter(|signature| signature.input().type_covered == RecordType::DNSKEY)
            .collect();
        // A server that knows nothing of DNSSEC, or of this zone.
        if keys.is_empty() || signatures.is_empty() || !trusted.iter().any(|one| is_usable(one)) {
            return None;
        }
        let is_anchored = |key: &&&DNSKEY| {
            key.zone_key() && !key.revoke() && trusted.iter().any(|one| matches(one, &zone, key))
        };
        let holds = keys.iter().filter(is_anchored).take(MAX_KEYS).any(|key| {
            signatures.iter().take(MAX_KEYS).any(|signature| {
                let records = records.iter().copied();
                is_current(signature, key, &zone)
                    && key.verify_rrsig(&zone, DNSClass::IN, signature, records).is_ok()
            })
        });
        if !holds {
            return Some(None);
        }
        let mut anchored = Keys::empty();
        for key in keys {
            anchored.insert_with_name(key.public_key(), (&zone).into());
        }
        Some(Some(Arc::new(anchored)))
    }
}

fn options() -> DnsRequestOptions {
    let mut options = DnsRequestOptions::default();
    options.edns_set_dnssec_ok = true;
    options
}

fn dnskey(record: &RawRecord) -> Option<&DNSKEY> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some(key),
        _ => None,
    }
}

fn signature(record: &RawRecord) -> Option<&RRSIG> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => Some(signature),
        _ => None,
    }
}

const fn state(proof: Proof) -> Dnssec {
    match proof {
        Proof::Secure => Dnssec::Secure,
        Proof::Insecure => Dnssec::Insecure,
        Proof::Bogus => Dnssec::Bogus,
        Proof::Indeterminate => Dnssec::Unknown,
    }
}

/// A chain of aliases is as good as its weakest part.
const fn weaker(one: Dnssec, other: Dnssec) -> Dnssec {
    match (one, other) {
        (Dnssec::Bogus, _) | (_, Dnssec::Bogus) => Dnssec::Bogus,
        (Dnssec::Secure, Dnssec::Secure) => Dnssec::Secure,
        _ => Dnssec::Insecure,
    }
}

/// RFC 4034 §3.1.3: where a wildcard made the records, the labels of its parent, which are less than
/// those of the name.
fn wildcard_labels(name: &Name, signatures: &[RawRecord]) -> Option<u8> {
    let signatures = signatures.iter().filter(|record| record.proof == Proof::Secure);
    let labels = signatures.filter_map(signature).map(|one| one.input().num_labels);
    labels.min().filter(|labels| *labels < name.num_labels())
}

/// RFC 4035 §5.3.4: who gives what a wildcard made must prove that nothing nearer to the name is
/// there. The library's verdict on NSEC3 records is taken; with NSEC records it refuses where the
/// wildcard itself is the owner of the one that covers the name, as it is for names right below it.
/// All that is left of the message is of the zone that signed the wildcard ([`relevant`]).
fn no_nearer(name: &Name, labels: u8, message: &DnsResponse, verdict: Proof) -> Dnssec {
    let nearer = |other: &Name| {
        let common = |(one, other): &(&[u8], &[u8])| one.eq_ignore_ascii_case(other);
        let common = name.iter().rev().zip(other.iter().rev()).take_while(common).count();
        common > usize::from(labels)
    };
    let covers = |record: &RawRecord| match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC(nsec)) if record.proof == Proof::Secure => {
            let (owner, next) = (&record.name, nsec.next_domain_name());
            // RFC 6840 §4.1: the parent's side of a delegation says nothing of names below it.
            !(nsec.is_ancestor_delegation() && owner.zone_of(name))
                && owner < name
                // The last one leads back to the zone's own name.
                && (name < next || (next <= owner && next.zone_of(name)))
                && !nearer(owner)
                && !nearer(next)
        }
        _ => false,
    };
    let is_nsec3 =
        |record: &RawRecord| is_denial(record) && record.record_type() == RecordType::NSEC3;
    if message.authorities.iter().any(covers) {
        return Dnssec::Secure;
    }
    match verdict {
        Proof::Secure if message.authorities.iter().any(is_nsec3) => Dnssec::Secure,
        Proof::Insecure => Dnssec::Insecure,
        _ => Dnssec::Bogus,
    }
}

/// Whether it is part of a proof that something is not there, and holds.
fn is_denial(record: &RawRecord) -> bool {
    record.proof == Proof::Secure
        && matches!(record.record_type(), RecordType::NSEC | RecordType::NSEC3)
}

/// Whether this library knows the algorithms of an anchor.
fn is_usable(trusted: &Trusted) -> bool {
    match trusted {
        Trusted::Ds { algorithm, digest_type, .. } => {
            Algorithm::from_u8(*algorithm).is_supported()
                && DigestType::from(*digest_type).is_supported()
        }
        Trusted::Key { algorithm, .. } => Algorithm::from_u8(*algorithm).is_supported(),
    }
}

fn matches(trusted: &Trusted, zone: &Name, key: &DNSKEY) -> bool {
    match trusted {
        Trusted::Ds { key_tag, algorithm, digest_type, digest } => {
            let algorithm = Algorithm::from_u8(*algorithm);
            let ds = DS::new(*key_tag, algorithm, DigestType::from(*digest_type), digest.clone());
            algorithm == key.public_key().algorithm()
                && key.calculate_key_tag().is_ok_and(|tag| tag == *key_tag)
                && ds.covers(zone, key).unwrap_or(false)
        }
        Trusted::Key { algorithm, public_key } => {
            Algorithm::from_u8(*algorithm) == key.public_key().algorithm()
                && public_key == key.public_key().public_bytes()
        }
    }
}

/// RFC 4035 §5.3.1, for a signature of a zone's keys by one of them.
fn is_current(signature: &RRSIG, key: &DNSKEY, zone: &Name) -> bool {
    let now = <<TokioRuntimeProvider as RuntimeProvider>::Timer as Time>::current_time();
    // In serial number arithmetic (RFC 4034 §3.1.5), so that the low 32 bits are all there is.
    let Ok(now) = u32::try_from(now & u64::from(u32::MAX)) else { return false };
    let (now, input) = (SerialNumber::new(now), signature.input());
    input.signer_name == *zone
        && input.num_labels == zone.num_labels()
        && input.algorithm == key.public_key().algorithm()
        && key.calculate_key_tag().is_ok_and(|tag| tag == input.key_tag)
        && now >= input.sig_inception
        && now <= input.sig_expiration
}

/// The questions of one lookup: each sent once, and a bounded number of them.
#[derive(Clone)]
struct Asking {
    pool: NameServerPool<TokioRuntimeProvider>,
    attempts: u32,
    round: Arc<Round>,
}

struct Round {
    left: AtomicU32,
    /// What was answered so far.
    told: Mutex<HashMap<(Name, RecordType), Result<DnsResponse, NetError>>>,
    has_failed: AtomicBool,
}

impl Asking {
    fn new(validator: &Validator) -> Self {
        let round = Round {
            left: AtomicU32::new(MAX_QUESTIONS),
            told: Mutex::default(),
            has_failed: false.into(),
        };
        Self { pool: validator.pool.clone(), attempts: validator.attempts, round: Arc::new(round) }
    }

    /// Whether a question found no answer, so that something may seem to be missing.
    fn has_failed(&self) -> bool {
        self.round.has_failed.load(Ordering::Relaxed)
    }

    async fn ask(self, mut request: DnsRequest) -> Result<DnsResponse, NetError> {
        let query = request.queries.first().cloned().ok_or(NetError::Message("no question"))?;
        let key = (query.name.clone(), query.query_type);
        let told = || self.round.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = told().get(&key) {
            return answer.clone();
        }
        // RFC 6840 §5.9: who validates sets CD. Without it a server that validates, too, says SERVFAIL
        // for what is bogus, as it does for anything that fails.
        request.metadata.checking_disabled = true;
        let mut answer = Err(NetError::Message("too many questions"));
        for _ in 0..self.attempts {
            let left = self
                .round
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            if left.is_err() {
                break;
            }
            answer = self.pool.send(request.clone()).first_answer().await.map_err(or_lame);
            if matches!(answer, Ok(_) | Err(NetError::Dns(DnsError::NoRecordsFound(_)))) {
                break;
            }
        }
        let answer = relevant(&query, answer);
        if !matches!(answer, Ok(_) | Err(NetError::Dns(DnsError::NoRecordsFound(_)))) {
            self.round.has_failed.store(true, Ordering::Relaxed);
        }
        told().insert(key, answer.clone());
        answer
    }
}

impl DnsHandle for Asking {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        Box::pin(stream::once(self.clone().ask(request)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_keys_are_those_the_library_knows() {
        let root = TrustAnchors::root();
        let (zone, trusted) = root.nearest(&name::Name::root()).expect("of the root zone");
        assert_eq!(*zone, name::Name::root());
        let known = Keys::default();
        let keys = (0..known.len()).filter_map(|at| known.get(at));
        let keys: Vec<DNSKEY> = keys.map(|key| DNSKEY::with_flags(257, key.clone())).collect();
        assert_eq!(trusted.len(), keys.len());
        for one in trusted {
            let matching = keys.iter().filter(|key| matches(one, &Name::root(), key)).count();
            assert_eq!(matching, 1, "{one:?}");
            assert!(is_usable(one));
        }
    }
}
