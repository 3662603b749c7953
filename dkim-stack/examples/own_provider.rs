//! Brings cryptography of one's own: here one that counts what the library behind it does.
//!
//! `cargo run --package dkim-stack --example own_provider`

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dkim_stack::crypto::{
    Digest, HashAlgorithm, Provider, PublicKey, PublicKeyError, VerifyingKey,
};
use dkim_stack::{Policy, Zone, now, provider, verify_blocking};

#[derive(Debug)]
struct Counting {
    hashes: AtomicU32,
    keys: AtomicU32,
}

static PROVIDER: Counting = Counting { hashes: AtomicU32::new(0), keys: AtomicU32::new(0) };

impl Provider for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn digest(&self, hash: HashAlgorithm) -> Option<Box<dyn Digest>> {
        self.hashes.fetch_add(1, Ordering::Relaxed);
        provider().digest(hash)
    }

    fn prepare(&self, key: &PublicKey) -> Result<Arc<dyn VerifyingKey>, PublicKeyError> {
        self.keys.fetch_add(1, Ordering::Relaxed);
        provider().prepare(key)
    }
}

fn main() {
    let zone = Zone::new().txt(
        "s._domainkey.example.com",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    );
    let message =
        b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s;\r\n \
                    h=from; bh=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=; b=Zm9v\r\n\
                    From: joe@example.com\r\n\r\nHi.\r\n";
    for found in verify_blocking(message, &Policy::rfc(), now(), &PROVIDER, &zone) {
        println!("{}: {}", found.outcome.result(), found.outcome);
    }
    let count = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
    println!("hashes: {}, keys: {}", count(&PROVIDER.hashes), count(&PROVIDER.keys));
}
