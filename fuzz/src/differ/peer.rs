//! mail-auth: its verdict, and its reading of what is to be signed.

use std::borrow::Borrow;
use std::hash::Hash;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use dkim_tags::value::to_base64;
use mail_auth::crypto::{Algorithm, Ed25519Key};
use mail_auth::dkim::{AtpsRecord, DkimSigner, DomainKey};
use mail_auth::dns::{DnsCache, NoCache, Parameters, ResolverCache, TxtRecord, TxtRecordParser};
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator};

use super::Case;
use super::case::{BODY_HASH, SEED, SIGNATURE, filled, key, not_yet};

static AUTHENTICATOR: LazyLock<MessageAuthenticator> = LazyLock::new(|| {
    // It would ask this one what its cache does not know, and its cache knows all.
    let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
    MessageAuthenticator::new(nobody, ResolverOpts::default()).expect("nothing to set up")
});

/// A signature that it read, and what it makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The octets of `b=`; empty where the field was not read.
    pub(super) signature: Vec<u8>,
    pub(super) passes: bool,
    /// In its words.
    pub(super) said: String,
}

/// What it makes of a message. Signatures with `l=` are looked at too.
pub(super) fn verify(case: &Case, message: &[u8]) -> Vec<Verdict> {
    let Some(message) = AuthenticatedMessage::parse_with_opts(message, None, false) else {
        return Vec::new();
    };
    let records = Records(case);
    let parameters = Parameters::new(&message).with_cache(&records);
    let verified = pin!(AUTHENTICATOR.verify_dkim(parameters));
    let Poll::Ready(found) = verified.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it asks nobody, so there is nothing to wait for");
    };
    let verdict = |one: &mail_auth::DkimOutput<'_>| Verdict {
        signature: one.signature().map(|signature| signature.b.clone()).unwrap_or_default(),
        passes: one.result() == &DkimResult::Pass,
        said: one.result().to_string(),
    };
    found.iter().map(verdict).collect()
}

/// The message signed as it reads it; `None` if there is no room, or nothing that it can read.
pub(super) fn signed(case: &Case) -> Option<Vec<u8>> {
    let message = filled(&case.message, SIGNATURE, not_yet());
    let draft = filled(&message, BODY_HASH, not_yet());
    let body_hash = to_base64(&body_hash(&draft)?);
    let draft = filled(&message, BODY_HASH, &body_hash);
    let parsed = AuthenticatedMessage::parse_with_opts(&draft, None, false)?;
    let signature = room(&parsed)?;
    let is_rsa = signature.a == Algorithm::RsaSha256;
    let made = key(is_rsa).sign(&parsed.canonicalized_dkim_headers()?).ok()?;
    let signed = filled(&case.message, BODY_HASH, &body_hash);
    Some(filled(&signed, SIGNATURE, &to_base64(&made)))
}

/// The body hash that its own signer would write. It signs nothing with SHA-1.
fn body_hash(draft: &[u8]) -> Option<Vec<u8>> {
    let parsed = AuthenticatedMessage::parse_with_opts(draft, None, false)?;
    let signature = room(&parsed)?;
    if signature.a == Algorithm::RsaSha1 {
        return None;
    }
    let body = parsed.raw_body();
    let length = usize::try_from(signature.l).unwrap_or(usize::MAX);
    let body = if length == 0 { body } else { body.get(..length).unwrap_or(body) };
    let key = Ed25519Key::from_seed_and_public_key(&SEED, &key(false).public_key().to_p_tag());
    let signer = DkimSigner::from_key(key.expect("the two belong together"))
        .domain("example.com")
        .selector("s")
        .headers(["From"])
        .body_canonicalization(signature.cb);
    Some(signer.sign(&[b"From: a@example.com\r\n\r\n", body].concat()).ok()?.bh)
}

/// The signature that there is room for, if it is the one whose input can be had.
fn room<'m>(message: &'m AuthenticatedMessage<'_>) -> Option<&'m mail_auth::dkim::Signature> {
    let mut signatures = message.dkim_signatures().iter().map(|header| &header.header);
    let first = signatures.find(|signature| signature.x == 0 || signature.x > signature.t)?;
    (dkim_tags::value::base64(not_yet()).as_ref() == Some(&first.b)).then_some(first)
}

/// What the DNS says of a case.
struct Records<'a>(&'a Case);

impl ResolverCache<Box<str>, TxtRecord> for Records<'_> {
    fn get<Q>(&self, name: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        // All that is known of `Q` is that a name may be borrowed as one.
        let at = |(at, _): &&(String, Vec<u8>)| {
            let at = format!("{at}.").into_boxed_str();
            let at: &Q = at.borrow();
            at == name
        };
        let name = self.0.records.iter().find(at).map(|(name, _)| name);
        let texts = name.map(|name| self.0.texts(name)).unwrap_or_default();
        Some(match name {
            Some(name) if name.contains("._atps.") => AtpsRecord::parse_records(&texts).into(),
            _ => DomainKey::parse_records(&texts).into(),
        })
    }

    fn remove<Q>(&self, _: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: TxtRecord, _: Instant) {}
}

impl DnsCache for Records<'_> {
    type Txt = Self;
    type Mx = NoCache;
    type Ipv4 = NoCache;
    type Ipv6 = NoCache;
    type Ptr = NoCache;

    fn txt(&self) -> Option<&Self> {
        Some(self)
    }

    fn mx(&self) -> Option<&NoCache> {
        None
    }

    fn ipv4(&self) -> Option<&NoCache> {
        None
    }

    fn ipv6(&self) -> Option<&NoCache> {
        None
    }

    fn ptr(&self) -> Option<&NoCache> {
        None
    }
}
