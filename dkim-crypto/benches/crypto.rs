//! What the cryptography costs, for each provider compiled in. SHA-256 is the yardstick.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dkim_crypto::{HashAlgorithm, PrivateKey, Provider, PublicKey};

/// About what a header hash input is made of.
const HEADER_LEN: usize = 2048;

fn providers() -> Vec<&'static dyn Provider> {
    vec![
        #[cfg(feature = "ring")]
        &dkim_crypto::ring::PROVIDER,
        #[cfg(feature = "aws-lc-rs")]
        &dkim_crypto::aws_lc::PROVIDER,
    ]
}

fn hash(c: &mut Criterion) {
    let mut group = c.benchmark_group("sha256");
    for len in [16 << 10, 1 << 20] {
        let octets = vec![b'x'; len];
        group.throughput(Throughput::Bytes(u64::try_from(len).unwrap()));
        for provider in providers() {
            group.bench_function(BenchmarkId::new(provider.name(), len), |b| {
                b.iter(|| {
                    let mut digest = provider.digest(HashAlgorithm::Sha256).unwrap();
                    digest.update(black_box(&octets));
                    digest.finish()
                });
            });
        }
    }
}

fn keys(c: &mut Criterion) {
    let message = vec![b'x'; HEADER_LEN];
    let kinds = [
        ("rsa2048", include_str!("../tests/keys/rsa2048.pem")),
        ("ed25519", include_str!("../tests/keys/ed25519.pem")),
    ];
    for (kind, pem) in kinds {
        let mut group = c.benchmark_group(kind);
        for provider in providers() {
            let private = PrivateKey::from_pem(pem.as_bytes()).unwrap();
            let signing = provider.signing_key(&private).unwrap();
            let algorithm = signing.algorithm();
            let p = signing.public_key().to_p_tag();
            let key = PublicKey::from_p_tag(algorithm.key(), &p).unwrap();
            let prepared = provider.prepare(&key).unwrap();
            let signature = signing.sign(&message).unwrap();

            group.bench_function(BenchmarkId::new("sign", provider.name()), |b| {
                b.iter(|| signing.sign(black_box(&message)).unwrap());
            });
            group.bench_function(BenchmarkId::new("verify", provider.name()), |b| {
                b.iter(|| prepared.verify(algorithm, black_box(&message), &signature).unwrap());
            });
            group.bench_function(BenchmarkId::new("prepare", provider.name()), |b| {
                b.iter(|| {
                    let key = PublicKey::from_p_tag(algorithm.key(), black_box(&p)).unwrap();
                    provider.prepare(&key).unwrap()
                });
            });
        }
    }
}

criterion_group!(benches, hash, keys);
criterion_main!(benches);
