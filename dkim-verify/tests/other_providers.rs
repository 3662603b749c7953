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
use dkim_verify::{Policy, Verifier};

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
