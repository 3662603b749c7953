//! The hashes of an empty body, as RFC 6376 §3.4.3 and §3.4.4 print them.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_canon::Canonicalization;
use dkim_crypto::HashAlgorithm;
use dkim_crypto::ring::PROVIDER;
use dkim_hash::{BodyHashRequest, BodyHasher};

#[test]
fn hashes_of_an_empty_body_are_as_printed() {
    use Canonicalization::{Relaxed, Simple};
    use HashAlgorithm::{Sha1, Sha256};
    // In base64 there, in hexadecimal here.
    for (canonicalization, hash, length, printed) in [
        (Simple, Sha1, 2, "ba8ab5a0280b953aa97435ff8946cbcbb2755a27"),
        (Simple, Sha256, 2, "7eb70257593da06f682a3ddda54a9d260d4fc514f645237f5ca74b08f8da61a6"),
        (Relaxed, Sha1, 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        (Relaxed, Sha256, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ] {
        let request = BodyHashRequest { canonicalization, hash, limit: None };
        for body in [&b""[..], b"\r\n\r\n"] {
            let mut hasher = BodyHasher::new(&PROVIDER, [request]);
            hasher.chunk(body);
            let found = hasher.finish().get(&request).unwrap();
            assert_eq!(format!("{:?}", found.value), printed, "{canonicalization} {hash}");
            assert_eq!(found.hashed, length);
        }
    }
}
