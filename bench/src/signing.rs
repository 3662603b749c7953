//! Signing a message, and what the library needs for it.

use std::hint::black_box;
use std::sync::Arc;

use dkim_canon::{BodyCanonicalizer, Canonicalization};
use dkim_crypto::{HashAlgorithm, Provider, SigningKey};
use dkim_keyrec::KeyRecord;
use dkim_sign::{Fields, Request, Signer, Unsigned};
use dkim_tags::{DomainName, FieldName, Selector, UnixTime};

use crate::message;
use crate::work::{Pair, Work};

/// Who signs.
pub(crate) const DOMAIN: &str = "football.example.com";

/// When all messages are signed and verified.
pub(crate) const NOW: UnixTime = UnixTime(1_700_000_000);

/// A message, how it is to be signed and what with.
#[derive(Clone)]
pub(crate) struct Signing {
    pub(crate) provider: &'static dyn Provider,
    pub(crate) key: Arc<dyn SigningKey>,
    pub(crate) form: Canonicalization,
    pub(crate) message: Vec<u8>,
    /// The names in `h=`.
    pub(crate) names: Vec<String>,
    /// The names of the keys: one signature each.
    pub(crate) selectors: Vec<String>,
}

impl Signing {
    /// One signature over what an ordinary signature covers.
    pub(crate) fn new(
        provider: &'static dyn Provider,
        key: Arc<dyn SigningKey>,
        form: Canonicalization,
        message: Vec<u8>,
    ) -> Self {
        let names = message::NAMES.map(str::to_owned).to_vec();
        Self { provider, key, form, message, names, selectors: vec!["s0".to_owned()] }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        let domain = DomainName::parse(DOMAIN).expect("a domain name");
        let names = self.names.iter().map(|name| FieldName::parse(name).expect("a field name"));
        let names: Vec<FieldName> = names.collect();
        let request = |selector: &String| {
            let selector = Selector::parse(selector).expect("a selector");
            let mut request = Request::new(domain.clone(), selector, self.key.algorithm());
            (request.canonicalization.header, request.canonicalization.body) =
                (self.form, self.form);
            request.fields = Fields::Exact(names.clone());
            request
        };
        self.selectors.iter().map(request).collect()
    }

    pub(crate) fn unsigned(&self, requests: Vec<Request>) -> Vec<Unsigned> {
        let (header, body) = dkim_message::split(&self.message);
        let mut signer = Signer::new(requests, &header, NOW, self.provider)
            .expect("a message that may be signed");
        signer.body_chunk(body);
        signer.finish()
    }

    /// What stands at the names of all keys.
    pub(crate) fn key_record(&self) -> String {
        KeyRecord::new(self.key.public_key().clone()).to_text()
    }

    /// The canonical form of the body.
    pub(crate) fn canonical_body(&self) -> Vec<u8> {
        let (_, body) = dkim_message::split(&self.message);
        let mut canonical = Vec::with_capacity(body.len());
        let mut canonicalizer = BodyCanonicalizer::new(self.form);
        canonicalizer.chunk(body, |octets| canonical.extend_from_slice(octets));
        canonicalizer.finish(|octets| canonical.extend_from_slice(octets));
        canonical
    }

    /// From the message to the fields to be put above it.
    pub(crate) fn pair(self) -> Pair {
        let requests = self.requests();
        let inputs: Vec<Vec<u8>> =
            self.unsigned(requests.clone()).iter().map(|one| one.input().to_vec()).collect();
        let (body, key, provider) = (self.canonical_body(), self.key.clone(), self.provider);
        let limit = move || {
            hash(provider, &body);
            for input in &inputs {
                black_box(key.sign(black_box(input)).expect("a key that signs"));
            }
        };
        let ours = move || {
            for unsigned in self.unsigned(requests.clone()) {
                black_box(unsigned.sign(&*self.key).expect("a key that signs").to_field());
            }
        };
        Pair::new(Work::new(limit), Work::new(ours))
    }
}

/// SHA-256 over octets that are canonical already.
pub(crate) fn hash(provider: &dyn Provider, octets: &[u8]) {
    let mut digest = provider.digest(HashAlgorithm::Sha256).expect("every library has SHA-256");
    digest.update(black_box(octets));
    black_box(digest.finish());
}
