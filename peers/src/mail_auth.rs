//! mail-auth, which is handed the keys through its cache.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use mail_auth::dkim::DomainKey;
use mail_auth::dns::{DnsCache, NoCache, Parameters, ResolverCache, TxtRecord, TxtRecordParser};
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator};

use crate::Records;

pub(crate) fn verify(message: &[u8], records: &Records) -> Result<bool, String> {
    // It would ask this one what its cache does not know.
    let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
    let authenticator = MessageAuthenticator::new(nobody, ResolverOpts::default());
    let authenticator = authenticator.map_err(|error| error.to_string())?;
    let keys = records.iter().map(|(name, text)| {
        let key = TxtRecord::from(DomainKey::parse(text.as_bytes()));
        (format!("{name}.").into_boxed_str(), key)
    });
    let keys = Keys(keys.collect());
    let message = AuthenticatedMessage::parse(message).ok_or("it reads no message")?;
    let parameters = Parameters::new(&message).with_cache(&keys);
    let verified = pin!(authenticator.verify_dkim(parameters));
    match verified.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => Ok(found.iter().any(|one| one.result() == &DkimResult::Pass)),
        // It asks for a key that is not there.
        Poll::Pending => Ok(false),
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
