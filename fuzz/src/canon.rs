//! Canonicalization (RFC 6376 §3.4).

use bytes::Bytes;
use dkim_canon::{BodyCanonicalizer, Canonicalization, body_slices, write_field};

use crate::canon_twin;
use crate::pieces::pieces;

const FORMS: [Canonicalization; 2] = [Canonicalization::Simple, Canonicalization::Relaxed];

/// A body in any pieces has the canonical form that the whole has by the RFC's words; the canonical
/// form is its own.
pub fn canon_body(data: &[u8]) {
    for form in FORMS {
        let expected = canon_twin::body(form, data);
        let by_octets: Vec<&[u8]> = data.chunks(1).collect();
        for pieces in [vec![data], by_octets, pieces(data, 0), pieces(data, 1), pieces(data, 2)] {
            assert_eq!(streamed(form, &pieces), expected, "{form}");
        }
        assert_eq!(streamed(form, &[&expected]), expected, "{form}: not a fixed point");
    }
    for form in FORMS {
        let slices = body_slices(form, &Bytes::copy_from_slice(data));
        assert_eq!(slices.concat(), canon_twin::body(form, data), "{form}");
    }
}

/// A field has the canonical form that it has by the RFC's words; the canonical form of a
/// field of a header is its own.
pub fn canon_field(data: &[u8]) {
    let colon = data.iter().position(|octet| *octet == b':').unwrap_or(data.len());
    let (name, body) = (&data[..colon], data.get(colon + 1..).unwrap_or_default());
    for form in FORMS {
        let mut canonical = b"before".to_vec();
        write_field(form, name, body, &mut canonical);
        let canonical = canonical.strip_prefix(b"before").expect("what stood there stays");
        assert_eq!(canonical, canon_twin::field(form, name, body), "{form}");

        // Two line ends before a fold: no field of a header, and unfolding makes a new fold of it.
        if form == Canonicalization::Relaxed && canonical.windows(2).any(|two| two == b"\r\n") {
            continue;
        }
        let colon = canonical.iter().position(|octet| *octet == b':').expect("it was written");
        let mut again = Vec::new();
        write_field(form, &canonical[..colon], &canonical[colon + 1..], &mut again);
        assert_eq!(again, canonical, "{form}: not a fixed point");
    }
}

fn streamed(form: Canonicalization, pieces: &[&[u8]]) -> Vec<u8> {
    let mut canonical = Vec::new();
    let mut canonicalizer = BodyCanonicalizer::new(form);
    for piece in pieces {
        canonicalizer.chunk(piece, |octets| canonical.extend_from_slice(octets));
    }
    canonicalizer.finish(|octets| canonical.extend_from_slice(octets));
    canonical
}
