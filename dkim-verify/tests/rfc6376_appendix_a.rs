//! RFC 6376 Appendix A.2, with errata 3192 and 4926, verifies, and nothing else that looks like it.
#![allow(clippy::unwrap_used)]

mod ways;

use dkim_dns::Zone;
use dkim_tags::UnixTime;
use dkim_verify::{Deviation, Outcome};
use ways::{WAYS, blocking, outcomes, vector, zone};

#[test]
fn it_verifies_whichever_way_it_comes() {
    let vector = vector("rfc6376-a2");
    for (name, way) in WAYS {
        let found = way(&vector.message, &zone(&vector), UnixTime(vector.time));
        let deviations = vec![Deviation::ShortKey { bits: 1024 }];
        assert_eq!(outcomes(&found), [(0, Outcome::Pass, deviations)], "{name}");
        let signature = found[0].signature.as_ref().unwrap();
        assert_eq!(signature.sdid.as_str(), "example.com");
        assert_eq!(signature.selector.as_str(), "brisbane");
        assert_eq!(signature.auid.as_ref().unwrap().to_string(), "joe@football.example.com");
        assert_eq!(signature.canonicalization.to_string(), "simple/simple");
        assert_eq!(signature.signed_fields.len(), 6);
    }
}

#[test]
fn as_printed_it_does_not() {
    for (id, outcome) in [
        ("rfc6376-a2-printed", Outcome::BodyHashMismatch),
        ("rfc6376-a2-indented", Outcome::SignatureMismatch),
    ] {
        let vector = vector(id);
        for (name, way) in WAYS {
            let found = way(&vector.message, &zone(&vector), UnixTime(vector.time));
            assert_eq!(found[0].outcome, outcome, "{id}, {name}");
        }
    }
}

/// All fields of the message are signed, and `simple` forgives nothing: whatever octet changes, the
/// signature fails. White space in the value of `b=` is the one exception (§3.5), and so are the
/// bits of its last character that stand for nothing; its octets are left out here.
#[test]
fn no_octet_can_be_changed() {
    let vector = vector("rfc6376-a2");
    let zone = zone(&vector);
    let message = &vector.message;
    let find = |text: &[u8]| message.windows(text.len()).position(|at| at == text).unwrap();
    let b_value = find(b"b=AuUo") + 2..find(b"Received:");
    for at in (0..message.len()).filter(|at| !b_value.contains(at)) {
        let bits = (0..8).map(|bit| message[at] ^ (1 << bit));
        for octet in bits.chain(*b" \t\r\n:;=\0").filter(|octet| *octet != message[at]) {
            let mut changed = message.clone();
            changed[at] = octet;
            refuse(&changed, &zone, vector.time, &format!("octet {at} changed to {octet}"));
        }
        let mut shorter = message.clone();
        shorter.remove(at);
        // A body without its last line end is the same body (§3.4.3).
        if at + 2 < message.len() {
            refuse(&shorter, &zone, vector.time, &format!("octet {at} removed"));
        }
        let mut longer = message.clone();
        longer.insert(at, b'x');
        refuse(&longer, &zone, vector.time, &format!("an octet put before octet {at}"));
    }
}

fn refuse(message: &[u8], zone: &Zone, time: u64, what: &str) {
    for verification in blocking(message, zone, UnixTime(time)) {
        assert!(!verification.passes(), "{what}: {}", String::from_utf8_lossy(message));
    }
}
