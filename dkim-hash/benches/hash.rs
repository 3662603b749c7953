//! The two hashes of a message, beside SHA-256 over octets that are canonical already.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dkim_canon::Canonicalization::{self, Relaxed, Simple};
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, HashValue, Provider};
use dkim_hash::{BodyHashRequest, BodyHasher, HeaderInputs};
use dkim_message::Header;

fn sha256(octets: &[u8]) -> HashValue {
    let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).unwrap();
    digest.update(octets);
    digest.finish()
}

fn body_hash(form: Canonicalization, chunks: &[&[u8]]) -> HashValue {
    let request =
        BodyHashRequest { canonicalization: form, hash: HashAlgorithm::Sha256, limit: None };
    let mut hasher = BodyHasher::new(&PROVIDER, [request]);
    for chunk in chunks {
        hasher.chunk(chunk);
    }
    hasher.finish().get(&request).unwrap().value
}

fn body(c: &mut Criterion) {
    let mut group = c.benchmark_group("hash/body");
    for size in [16 * 1024, 1024 * 1024] {
        let line = b"The quick brown fox jumps over the lazy dog, and then it does so again.\r\n";
        let text: Vec<u8> =
            line.iter().copied().cycle().take(size / line.len() * line.len()).collect();
        group.throughput(Throughput::Bytes(text.len().try_into().unwrap()));
        group.bench_function(BenchmarkId::new("sha256-alone", size), |b| {
            b.iter(|| sha256(black_box(&text)));
        });
        for form in [Simple, Relaxed] {
            group.bench_function(BenchmarkId::new(form.name(), size), |b| {
                b.iter(|| body_hash(form, black_box(&[&text])));
            });
        }
        let chunks: Vec<&[u8]> = text.chunks(4096).collect();
        group.bench_function(BenchmarkId::new("relaxed-in-4096", size), |b| {
            b.iter(|| body_hash(Relaxed, black_box(&chunks)));
        });
    }
    group.finish();
}

fn header(c: &mut Criterion) {
    let mut group = c.benchmark_group("hash/header");
    for (fields, names) in [(20, 12), (2000, 12), (2000, 1000)] {
        let octets: String = (0..fields)
            .map(|n| {
                format!("X-Field-{n}: the body of a field, number {n}, with some text in it\r\n")
            })
            .collect();
        let signed: Vec<String> =
            (0..names).map(|n| format!("x-field-{}", n * fields / names)).collect();
        let header = Header::parse(octets.as_bytes());
        for form in [Simple, Relaxed] {
            let id = BenchmarkId::new(form.name(), format!("{fields}-fields-{names}-names"));
            group.bench_function(id, |b| {
                b.iter(|| {
                    let mut inputs = HeaderInputs::new(black_box(&header));
                    inputs.open(form, signed.iter().map(String::as_str), None);
                    inputs
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, body, header);
criterion_main!(benches);
