//! Other implementations, beside ours: from raw octets to verdicts, the key at hand.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use mail_auth::dkim::DomainKey;
use mail_auth::dns::{DnsCache, NoCache, Parameters, ResolverCache, TxtRecord, TxtRecordParser};
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator};

use crate::signing::DOMAIN;
use crate::verifying::Verifying;
use crate::work::Work;

/// mail-auth, where it has the same cryptographic library and passes the message.
pub(crate) fn mail_auth(verifying: &Verifying) -> Option<Work> {
    if verifying.signing.provider.name() != "aws-lc-rs" {
        return None;
    }
    // It would ask this one what its cache does not know.
    let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
    let authenticator = MessageAuthenticator::new(nobody, ResolverOpts::default()).ok()?;
    let record = verifying.signing.key_record();
    let key = |selector: &String| {
        let name = format!("{selector}._domainkey.{DOMAIN}.");
        Some((name.into_boxed_str(), TxtRecord::from(DomainKey::parse(record.as_bytes()).ok()?)))
    };
    let keys = Keys(verifying.signing.selectors.iter().map(key).collect::<Option<_>>()?);
    let message = verifying.message.clone();
    let passes = verify(&authenticator, &keys, &message)?;
    passes.then(|| {
        Work::new(move || {
            black_box(verify(&authenticator, &keys, black_box(&message)));
        })
    })
}

/// Whether all signatures pass; `None` for what it cannot read.
fn verify(authenticator: &MessageAuthenticator, keys: &Keys, message: &[u8]) -> Option<bool> {
    let message = AuthenticatedMessage::parse(message)?;
    let parameters = Parameters::new(&message).with_cache(keys);
    let verified = pin!(authenticator.verify_dkim(parameters));
    // All keys are at hand, so there is nothing to wait for.
    match verified.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => {
            Some(!found.is_empty() && found.iter().all(|one| one.result() == &DkimResult::Pass))
        }
        Poll::Pending => None,
    }
}

/// The keys that are at hand.
struct Keys(HashMap<Box<str>, TxtRecord>);

impl ResolverCache<Box<str>, TxtRecord> for Keys {
    fn get<Q>(&self, name: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).cloned()
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

impl DnsCache for Keys {
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
