//! How often memory is asked for: little, and no more for a long message than for a short one.
//! One test, so that nothing else is counted.
#![allow(clippy::unwrap_used)]

mod craft;

use std::alloc::System;
use std::sync::Arc;

use craft::{NOW, rsa_key, sign_with};
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, Provider, SigningKey};
use dkim_dns::{Answer, Found, Inquirer, Record};
use dkim_keyrec::KeyRecord;
use dkim_message::split;
use dkim_sign::{Request, Signer};
use dkim_tags::{DomainName, Selector};
use dkim_verify::{KeyCache, Policy, Verification, Verifier};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How often memory was asked for, and for how many octets in all.
fn count<T>(work: impl FnOnce() -> T) -> (T, usize, usize) {
    let region = Region::new(GLOBAL);
    let done = work();
    let stats = region.change();
    (done, stats.allocations + stats.reallocations, stats.bytes_allocated)
}

fn message(body: usize) -> Vec<u8> {
    let header = "Received: from mail.example.com by mx.example.net;\r\n\tFri, 11 Jul 2003\r\n\
                  From: Joe <joe@example.com>\r\nTo: Suzie <suzie@example.net>\r\n\
                  Subject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700\r\n\
                  Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n";
    let line = "We lost  the game. \t Are you hungry yet? We will be there at seven. \r\n";
    [header, &line.repeat(body / line.len())].concat().into_bytes()
}

/// As it comes from a file or a socket.
const CHUNK: usize = 64 * 1024;

fn verify(message: &[u8], answer: &Answer, keys: &Arc<KeyCache>) -> Vec<Verification> {
    let (header, body) = split(message);
    let verifier = Verifier::new(&header, &Policy::rfc(), NOW, &PROVIDER);
    let mut verifier = verifier.with_key_cache(keys);
    for query in verifier.queries() {
        verifier.answer(query.id, answer.clone());
    }
    for chunk in body.chunks(CHUNK) {
        verifier.body_chunk(chunk);
    }
    verifier.finish()
}

fn sign_message(message: &[u8], request: Request, key: &dyn SigningKey) {
    let (header, body) = split(message);
    let mut signer = Signer::new([request], &header, NOW, &PROVIDER).unwrap();
    for chunk in body.chunks(CHUNK) {
        signer.body_chunk(chunk);
    }
    signer.finish().remove(0).sign(key).unwrap();
}

#[test]
fn memory_is_asked_for_seldom_and_not_by_the_length_of_the_message() {
    const TEMPLATE: &str = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; \
                            s=brisbane; t=1700000000; h=From:To:Subject:Date:Message-ID:From; \
                            bh={bh}; b={b}";
    let key = rsa_key();
    let text = KeyRecord::new(key.public_key().clone()).to_text();
    let strings = text.as_bytes().chunks(255).map(<[u8]>::to_vec).collect();
    let answer = Ok(Found { records: [Record { strings }].into(), ..Found::default() });
    let keys = Arc::new(KeyCache::new(&PROVIDER, 10));

    // What the library alone asks for, and the hash that it is reached through.
    let prepared = PROVIDER.prepare(key.public_key()).unwrap();
    let signature = key.sign(b"input").unwrap();
    let ((), by_library, _) = count(|| {
        let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).unwrap();
        digest.update(b"body");
        digest.finish();
        prepared.verify(key.algorithm(), b"input", &signature).unwrap();
    });

    let mut counts = Vec::new();
    for size in [1 << 10, 256 << 10, 8 << 20] {
        let message = sign_with(&*key, TEMPLATE, &message(size));
        // Now the key is at hand.
        verify(&message, &answer, &keys);
        let (found, times, octets) = count(|| verify(&message, &answer, &keys));
        assert!(matches!(&found[..], [one] if one.passes()), "{found:?}");
        counts.push((times, octets));
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    let ours = counts[0].0 - by_library;
    assert!(ours <= 8, "{ours} beside {by_library} of the library");

    let request = || {
        let sdid = DomainName::parse("football.example.com").unwrap();
        Request::new(sdid, Selector::parse("brisbane").unwrap(), key.algorithm())
    };
    let counts = [1 << 10, 256 << 10, 8 << 20].map(|size| {
        let (message, request) = (message(size), request());
        let ((), times, octets) = count(|| sign_message(&message, request, &*key));
        (times, octets)
    });
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}
