//! A cryptographic library that lacks an algorithm leaves the signature unjudged, and does not fail it.

mod craft;

use std::sync::Arc;

use craft::{MESSAGE, TEMPLATE, outcome, sign, zone};
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{
    Digest, HashAlgorithm, Provider, PublicKey, PublicKeyError, SigningAlgorithm, VerifyError,
    VerifyingKey,
};
use dkim_dns::{Inquirer, drive_blocking};
use dkim_message::split;
use dkim_verify::{KeyCache, Policy, Verifier};

/// Has hashes, if they are wanted, and no public-key algorithm.
#[derive(Debug)]
struct Lacking {
    hashes: bool,
}

struct NoKey;

impl Provider for Lacking {
    fn name(&self) -> &'static str {
        "lacking"
    }

    fn digest(&self, hash: HashAlgorithm) -> Option<Box<dyn Digest>> {
        PROVIDER.digest(hash).filter(|_| self.hashes)
    }

    fn prepare(&self, _key: &PublicKey) -> Result<Arc<dyn VerifyingKey>, PublicKeyError> {
        Ok(Arc::new(NoKey))
    }
}

impl VerifyingKey for NoKey {
    fn verify(
        &self,
        algorithm: SigningAlgorithm,
        _message: &[u8],
        _signature: &[u8],
    ) -> Result<(), VerifyError> {
        Err(VerifyError::Unsupported(algorithm))
    }
}

#[test]
fn what_is_not_supported_is_neutral() {
    static PROVIDERS: [Lacking; 2] = [Lacking { hashes: true }, Lacking { hashes: false }];
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    for provider in &PROVIDERS {
        let (header, body) = split(&message);
        let mut verifier = Verifier::new(&header, &Policy::rfc(), craft::NOW, provider);
        // Without the hash the key is of no use.
        let asked = Verifier::new(&header, &Policy::rfc(), craft::NOW, provider).queries().len();
        assert_eq!(asked, usize::from(provider.hashes), "{provider:?}");
        drive_blocking(&mut verifier, &zone());
        verifier.body_chunk(body);
        assert_eq!(outcome(&verifier.finish()), "neutral unsupported-algorithm", "{provider:?}");
    }
}

/// A key that one library made ready says nothing for another.
#[test]
fn keys_of_another_provider_are_not_used() {
    static PROVIDERS: [Lacking; 2] = [Lacking { hashes: true }, Lacking { hashes: true }];
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let judged = |provider, keys: &Arc<KeyCache>| {
        let (header, body) = split(&message);
        let verifier = Verifier::new(&header, &Policy::rfc(), craft::NOW, provider);
        let mut verifier = verifier.with_key_cache(keys);
        drive_blocking(&mut verifier, &zone());
        verifier.body_chunk(body);
        outcome(&verifier.finish())
    };
    let [one, other] = &PROVIDERS;
    let (of_ring, of_one) = (KeyCache::new(&PROVIDER, 10), KeyCache::new(one, 10));
    let (of_ring, of_one) = (Arc::new(of_ring), Arc::new(of_one));
    // In both orders, so that each cache holds the key before another library comes.
    for _ in 0..2 {
        assert_eq!(judged(&PROVIDER, &of_ring), "pass ok");
        assert_eq!(judged(one, &of_one), "neutral unsupported-algorithm");
        assert_eq!(judged(one, &of_ring), "neutral unsupported-algorithm");
        assert_eq!(judged(other, &of_ring), "neutral unsupported-algorithm");
        assert_eq!(judged(&PROVIDER, &of_one), "pass ok");
    }
}
