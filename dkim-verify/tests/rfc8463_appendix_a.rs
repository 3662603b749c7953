//! RFC 8463 Appendix A.3: both signatures verify, each for itself.
#![allow(clippy::unwrap_used)]

mod ways;

use dkim_tags::UnixTime;
use dkim_verify::{Deviation, Outcome};
use ways::{WAYS, blocking, outcomes, vector, zone};

#[test]
fn both_verify_whichever_way_they_come() {
    let vector = vector("rfc8463-a3");
    for (name, way) in WAYS {
        let found = way(&vector.message, &zone(&vector), UnixTime(vector.time));
        let deviations = vec![Deviation::ShortKey { bits: 1024 }];
        let expected = [(0, Outcome::Pass, vec![]), (1, Outcome::Pass, deviations)];
        assert_eq!(outcomes(&found), expected, "{name}");
        let algorithms: Vec<_> =
            found.iter().map(|one| one.signature.as_ref().unwrap().algorithm.name()).collect();
        assert_eq!(algorithms, ["ed25519-sha256", "rsa-sha256"]);
    }
}

#[test]
fn one_fails_alone() {
    for (id, results) in [
        ("rfc8463-a3-ed25519-broken", ["fail", "pass"]),
        ("rfc8463-a3-rsa-broken", ["pass", "fail"]),
        ("rfc8463-a3-one-key", ["pass", "temperror"]),
    ] {
        let vector = vector(id);
        for (name, way) in WAYS {
            let found = way(&vector.message, &zone(&vector), UnixTime(vector.time));
            let names = found.iter().map(|one| one.outcome.result().name());
            assert_eq!(names.collect::<Vec<_>>(), results, "{id}, {name}");
        }
    }
}

/// Both sign all fields and the whole body; `relaxed` forgives white space and the case of names,
/// and nothing else.
#[test]
fn no_letter_can_be_changed() {
    let vector = vector("rfc8463-a3");
    let zone = zone(&vector);
    let message = &vector.message;
    let from = message.windows(6).position(|at| at == b"\nFrom:").unwrap() + 1;
    let mut in_name = true;
    for at in from..message.len() {
        match message[at] {
            b':' => in_name = false,
            b'\n' => in_name = true,
            _ => {}
        }
        // A name of other case is the same name.
        let case = if in_name { 0x20 } else { 0 };
        if !message[at].is_ascii_graphic() {
            continue;
        }
        for octet in (0..8).map(|bit| message[at] ^ (1 << bit)) {
            if octet == message[at] ^ case {
                continue;
            }
            let mut changed = message.clone();
            changed[at] = octet;
            for verification in blocking(&changed, &zone, UnixTime(vector.time)) {
                assert!(!verification.passes(), "octet {at} changed to {octet}");
            }
        }
    }
}
