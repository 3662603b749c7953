//! Signing a message, beside the signature alone.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{PrivateKey, Provider, SigningKey};
use dkim_sign::{Request, Signer};
use dkim_tags::{DomainName, Selector, Signature, UnixTime};

fn message(body: usize) -> Vec<u8> {
    let header = "From: Joe <joe@example.com>\r\nTo: Suzie <suzie@example.net>\r\n\
                  Subject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700\r\n\
                  Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n";
    let line = b"We lost the game. Are you hungry yet? We will be there at seven.\r\n";
    header
        .bytes()
        .chain(line.iter().copied().cycle().take(body / line.len() * line.len()))
        .collect()
}

fn sign(message: &[u8], key: &dyn SigningKey) -> Signature {
    let (header, body) = dkim_message::split(message);
    let request = Request::new(
        DomainName::parse("example.com").unwrap(),
        Selector::parse("sel").unwrap(),
        key.algorithm(),
    );
    let mut signer = Signer::new([request], &header, UnixTime(1), &PROVIDER).unwrap();
    signer.body_chunk(body);
    signer.finish().remove(0).sign(key).unwrap()
}

fn keys() -> [(&'static str, Arc<dyn SigningKey>); 2] {
    let rsa = PrivateKey::from_pem(include_bytes!("../../dkim-crypto/tests/keys/rsa2048.pem"));
    let key = |private: &PrivateKey| PROVIDER.signing_key(private).unwrap();
    [("rsa-2048", key(&rsa.unwrap())), ("ed25519", key(&PrivateKey::from_ed25519_seed(&[7; 32])))]
}

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("sign");
    for (name, key) in keys() {
        group.bench_function(BenchmarkId::new(name, "signature-alone"), |b| {
            b.iter(|| key.sign(black_box(b"the input of a header hash")).unwrap());
        });
        for size in [1024, 16 * 1024, 256 * 1024] {
            let message = message(size);
            group.bench_function(BenchmarkId::new(name, size), |b| {
                b.iter(|| sign(black_box(&message), &*key));
            });
        }
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
