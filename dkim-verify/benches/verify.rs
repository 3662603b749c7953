//! Verifying a message, its key at hand, beside what the cryptographic library needs for the same
//! octets: SHA-256 over the canonical body and header, and one public-key operation.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dkim_canon::Canonicalization;
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, PrivateKey, Provider, SigningAlgorithm, SigningKey};
use dkim_dns::{Zone, drive_blocking};
use dkim_keyrec::KeyRecord;
use dkim_sign::{Request, Signer};
use dkim_tags::{DomainName, Selector, UnixTime};
use dkim_verify::{Policy, Verification, Verifier};

const NOW: UnixTime = UnixTime(1_700_000_000);

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

fn signed(message: &[u8], form: Canonicalization, key: &dyn SigningKey, times: usize) -> Vec<u8> {
    let (header, body) = dkim_message::split(message);
    let mut request = Request::new(
        DomainName::parse("example.com").unwrap(),
        Selector::parse("sel").unwrap(),
        key.algorithm(),
    );
    (request.canonicalization.header, request.canonicalization.body) = (form, form);
    let requests = std::iter::repeat_n(request, times);
    let mut signer = Signer::new(requests, &header, NOW, &PROVIDER).unwrap();
    signer.body_chunk(body);
    let fields: String =
        signer.finish().into_iter().map(|one| one.sign(key).unwrap().to_field()).collect();
    [fields.as_bytes(), message].concat()
}

fn verify(message: &[u8], zone: &Zone) -> Vec<Verification> {
    let (header, body) = dkim_message::split(message);
    let mut verifier = Verifier::new(&header, &Policy::rfc(), NOW, &PROVIDER);
    drive_blocking(&mut verifier, zone);
    verifier.body_chunk(body);
    verifier.finish()
}

/// The library's share: the hash over a body that is canonical already, and the public-key
/// operation with a prepared key.
fn limit(c: &mut Criterion, name: &str, algorithm: SigningAlgorithm, key: &dyn SigningKey) {
    let mut group = c.benchmark_group("verify/limit");
    let prepared = PROVIDER.prepare(key.public_key()).unwrap();
    let input = vec![b'x'; 1024];
    let signature = key.sign(&input).unwrap();
    for size in [1024, 16 * 1024, 256 * 1024] {
        let body = vec![b'x'; size];
        group.bench_function(BenchmarkId::new(name, size), |b| {
            b.iter(|| {
                let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).unwrap();
                digest.update(black_box(&body));
                black_box(digest.finish());
                prepared.verify(algorithm, black_box(&input), &signature).unwrap();
            });
        });
    }
    group.finish();
}

fn benches(c: &mut Criterion) {
    let rsa = PrivateKey::from_pem(include_bytes!("../../dkim-crypto/tests/keys/rsa2048.pem"));
    let keys = [("rsa-2048", rsa.unwrap()), ("ed25519", PrivateKey::from_ed25519_seed(&[7; 32]))];
    for (name, private) in keys {
        let key = PROVIDER.signing_key(&private).unwrap();
        let record = KeyRecord::new(key.public_key().clone()).to_text();
        let zone = Zone::new().txt("sel._domainkey.example.com", record);
        limit(c, name, key.algorithm(), &*key);
        let mut group = c.benchmark_group("verify");
        for form in [Canonicalization::Simple, Canonicalization::Relaxed] {
            for (size, times) in [(1024, 1), (16 * 1024, 1), (256 * 1024, 1), (16 * 1024, 5)] {
                let message = signed(&message(size), form, &*key, times);
                assert!(verify(&message, &zone).iter().all(Verification::passes));
                let id = BenchmarkId::new(format!("{name}/{form}"), format!("{size}x{times}"));
                group.bench_function(id, |b| b.iter(|| verify(black_box(&message), &zone)));
            }
        }
        group.finish();
    }
}

criterion_group!(all, benches);
criterion_main!(all);
