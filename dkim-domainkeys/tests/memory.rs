//! A longer message takes no more memory. One test, so that nothing else is counted.
#![allow(clippy::unwrap_used)]

mod craft;

use std::alloc::System;

use craft::{Plain, TAGS, archive, outcome, sign_plainly, zone};
use dkim_dns::{BlockingResolver, Inquirer};
use dkim_domainkeys::{Verification, Verifier};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn verify(message: &str) -> (Vec<Verification>, usize, usize) {
    let (header, body) = dkim_message::split(message.as_bytes());
    let zone = zone();
    let region = Region::new(GLOBAL);
    let mut verifier = Verifier::new(&header, &archive(), &Plain);
    let queries = verifier.queries();
    let before = region.change();
    let answers: Vec<_> = queries.iter().map(|query| (query.id, zone.lookup(query))).collect();
    let region = Region::new(GLOBAL);
    for chunk in body.chunks(4096) {
        verifier.body_chunk(chunk);
    }
    answers.into_iter().for_each(|(id, answer)| verifier.answer(id, answer));
    let found = verifier.finish();
    let after = region.change();
    let times = before.allocations + before.reallocations + after.allocations + after.reallocations;
    (found, times, before.bytes_allocated + after.bytes_allocated)
}

#[test]
fn memory_does_not_grow_with_the_body() {
    for form in ["simple", "nofws"] {
        let tags = TAGS.replace("nofws", form);
        // Text, and nothing but what has to be held back until something follows.
        for piece in ["We lost  the game. \t Are you hungry yet?\r\n", "\r\n", " \r\n", "\r\r\n"] {
            let counts = [1 << 10, 64 << 10, 2 << 20].map(|size| {
                let body = piece.repeat(size / piece.len());
                let message = format!("From: joe@example.com\r\n\r\nHi.\r\n{body}end");
                let (found, times, octets) = verify(&sign_plainly(&tags, &message));
                assert_eq!(outcome(&found), "pass ok", "{form} {piece:?}");
                (times, octets)
            });
            assert!(counts.iter().all(|count| *count == counts[0]), "{form} {piece:?} {counts:?}");
        }
    }
}
