//! Every vector comes out as expected, whichever way it goes through the verifier.
#![allow(clippy::unwrap_used)]

mod ways;

use dkim_tags::UnixTime;
use dkim_testkit::{Reported, Scoring, own_vectors, score};
use ways::{WAYS, blocking, milter_order, outcomes, report, zone};

#[test]
fn every_vector_every_way() {
    for vector in own_vectors().unwrap() {
        for (name, way) in WAYS {
            let found = way(&vector.message, &zone(&vector), UnixTime(vector.time));
            let reported: Vec<Reported> = found.iter().map(report).collect();
            let misses = score(&vector, &reported, Scoring::Names);
            assert_eq!(misses, [], "{}, {name}", vector.id);
        }
    }
}

/// Where the body is cut and when the answers come makes no difference.
#[test]
fn any_order_has_the_same_outcomes() {
    for vector in own_vectors().unwrap() {
        let (zone, now) = (zone(&vector), UnixTime(vector.time));
        let expected = outcomes(&blocking(&vector.message, &zone, now));
        for size in [1, 2, 3, 7, 64, usize::MAX] {
            for pieces_first in [0, 1, 2, 5, usize::MAX] {
                let found = milter_order(&vector.message, &zone, now, size, pieces_first);
                assert_eq!(
                    outcomes(&found),
                    expected,
                    "{}: pieces of {size}, answers after {pieces_first}",
                    vector.id
                );
            }
        }
    }
}
