//! mail-auth, which is handed what the DNS says: for comparisons in one process.
#![forbid(unsafe_code)]

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

pub use mail_auth;
use mail_auth::dkim::DomainKey;
use mail_auth::dns::{DnsCache, NoCache, Parameters, ResolverCache, TxtRecord, TxtRecordParser};
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimOutput, MessageAuthenticator};

/// The verifier, which asks nobody.
pub struct MailAuth(MessageAuthenticator);

impl MailAuth {
    /// # Errors
    ///
    /// What its resolver says of having no server.
    pub fn new() -> Result<Self, String> {
        // It would ask this one what it is not handed.
        let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        let authenticator = MessageAuthenticator::new(nobody, ResolverOpts::default());
        authenticator.map(Self).map_err(|error| error.to_string())
    }

    /// An output for each signature; `None` if it has a question that the records do not answer.
    #[must_use]
    pub fn verify<'m>(
        &self,
        message: &'m AuthenticatedMessage<'m>,
        records: &'m Records,
    ) -> Option<Vec<DkimOutput<'m>>> {
        let parameters = Parameters::new(message).with_cache(records);
        let verified = pin!(self.0.verify_dkim(parameters));
        match verified.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(found) => Some(found),
            Poll::Pending => None,
        }
    }
}

/// What the DNS says, by name.
#[derive(Default)]
pub struct Records {
    by_name: HashMap<Box<str>, TxtRecord>,
    /// Of all other names.
    otherwise: Option<TxtRecord>,
}

impl Records {
    /// Of every name that is not inserted, that it has no record.
    #[must_use]
    pub fn complete() -> Self {
        let none = DomainKey::parse_records(&[]).into();
        Self { by_name: HashMap::new(), otherwise: Some(none) }
    }

    /// What is at a name, in lower case and without the dot at its end.
    pub fn insert(&mut self, name: &str, record: impl Into<TxtRecord>) {
        self.by_name.insert(format!("{name}.").into_boxed_str(), record.into());
    }

    /// The key record at a name, be it one or not.
    pub fn insert_key(&mut self, name: &str, text: &[u8]) {
        self.insert(name, DomainKey::parse(text));
    }
}

impl ResolverCache<Box<str>, TxtRecord> for Records {
    fn get<Q>(&self, name: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.by_name.get(name).or(self.otherwise.as_ref()).cloned()
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

impl DnsCache for Records {
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
