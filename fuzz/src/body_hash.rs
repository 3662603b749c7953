//! Body hashes (RFC 6376 §3.7, step 1).

use arbitrary::Unstructured;
use dkim_canon::Canonicalization;
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, HashValue, Provider};
use dkim_hash::{BodyHashRequest, BodyHasher, Stance};

use crate::canon_twin;
use crate::pieces::pieces;

/// Any number of hashes in one pass over any pieces are the hashes of the canonical body, each up to
/// its limit; who stops when told to has the same ones.
pub fn body_hash(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(requests) = requests(&mut u) else { return };
    let body = u.take_rest();
    for salt in 0..3 {
        let twice = requests.iter().chain(&requests).copied();
        let mut hasher = BodyHasher::new(&PROVIDER, twice);
        let mut stopping = BodyHasher::new(&PROVIDER, requests.iter().copied());
        let mut stance = stopping.stance();
        for piece in pieces(body, salt) {
            hasher.chunk(piece);
            if stance == Stance::Interested {
                stance = stopping.chunk(piece);
            }
            assert_eq!(hasher.stance(), stance);
        }
        let (hashes, stopped) = (hasher.finish(), stopping.finish());
        for request in &requests {
            let canonical = canon_twin::body(request.canonicalization, body);
            let limit = request.limit.and_then(|limit| usize::try_from(limit).ok());
            let hashed = limit.map_or(&canonical[..], |l| canonical.get(..l).unwrap_or(&canonical));
            let hash = hashes.get(request).expect("ring has both hashes");
            assert_eq!(hash.value, digest(request.hash, hashed));
            assert_eq!(hash.hashed, length(hashed));
            assert_eq!(hash.seen, length(&canonical), "all was fed");
            let stopped = stopped.get(request).expect("ring has both hashes");
            assert_eq!((stopped.value, stopped.hashed), (hash.value, hash.hashed));
            assert_eq!(stopped.seen > stopped.hashed, hash.seen > hash.hashed);
        }
    }
}

/// The hash of octets that lie there whole.
pub(crate) fn digest(hash: HashAlgorithm, octets: &[u8]) -> HashValue {
    let mut digest = PROVIDER.digest(hash).expect("ring has both hashes");
    digest.update(octets);
    digest.finish()
}

fn requests(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<BodyHashRequest>> {
    let count = u.int_in_range(1..=5)?;
    (0..count)
        .map(|_| {
            let forms = [Canonicalization::Simple, Canonicalization::Relaxed];
            Ok(BodyHashRequest {
                canonicalization: *u.choose(&forms)?,
                hash: *u.choose(&[HashAlgorithm::Sha256, HashAlgorithm::Sha1])?,
                limit: u.arbitrary::<Option<u16>>()?.map(u64::from),
            })
        })
        .collect()
}

fn length(octets: &[u8]) -> u64 {
    u64::try_from(octets.len()).expect("a length fits")
}
