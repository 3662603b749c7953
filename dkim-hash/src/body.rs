//! The body hashes of a message, all of them in one pass over its body (RFC 6376 §3.7, step 1).

use std::fmt;

use dkim_canon::{BodyCanonicalizer, Canonicalization};
use dkim_crypto::{Digest, HashAlgorithm, HashValue, Provider};

/// Which of the body hashes requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BodyHashId {
    lane: usize,
    hash: usize,
}

/// Whether more of the body is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stance {
    /// Yes.
    Interested,
    /// No: nothing that follows can change an outcome. The rest may be left out.
    Done,
}

/// What a body hash is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BodyHashRequest {
    /// The canonicalization of the body.
    pub canonicalization: Canonicalization,
    /// The hash algorithm.
    pub hash: HashAlgorithm,
    /// How many octets of the canonical body are hashed at most; `None` for all (`l=`).
    pub limit: Option<u64>,
}

/// Hashes a body that comes in pieces, for any number of signatures in one pass.
///
/// ```
/// use dkim_canon::Canonicalization;
/// use dkim_crypto::{HashAlgorithm, ring::PROVIDER};
/// use dkim_hash::{BodyHashRequest, BodyHasher};
///
/// let mut hasher = BodyHasher::new();
/// let id = hasher.request(
///     &PROVIDER,
///     BodyHashRequest {
///         canonicalization: Canonicalization::Simple,
///         hash: HashAlgorithm::Sha256,
///         limit: None,
///     },
/// );
/// hasher.chunk(b"Hi.\r\n");
/// assert_eq!(hasher.finish().get(id).ok_or("no such hash")?.hashed, 5);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Default)]
pub struct BodyHasher {
    lanes: Vec<Lane>,
}

impl BodyHasher {
    /// A hasher that hashes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a hash. What was asked for before is not hashed again. To be called before the
    /// first [`chunk`](Self::chunk).
    pub fn request(&mut self, provider: &dyn Provider, request: BodyHashRequest) -> BodyHashId {
        let lane = self.lanes.iter().position(|lane| lane.is_of(request.canonicalization));
        let lane = lane.unwrap_or_else(|| {
            self.lanes.push(Lane::new(request.canonicalization));
            self.lanes.len() - 1
        });
        let hash = self.lanes.get_mut(lane).map(|lane| lane.request(provider, request));
        BodyHashId { lane, hash: hash.unwrap_or_default() }
    }

    /// Takes the next octets of the body.
    pub fn chunk(&mut self, chunk: &[u8]) -> Stance {
        for lane in &mut self.lanes {
            lane.chunk(chunk);
        }
        self.stance()
    }

    /// Whether more of the body is needed. A body hash with a limit needs to know whether the body
    /// is longer, and not by how much.
    #[must_use]
    pub fn stance(&self) -> Stance {
        if self.lanes.iter().any(Lane::is_interested) { Stance::Interested } else { Stance::Done }
    }

    /// The body has ended.
    #[must_use]
    pub fn finish(self) -> BodyHashes {
        BodyHashes { lanes: self.lanes.into_iter().map(Lane::finish).collect() }
    }
}

/// The hashes of a body.
#[derive(Clone, Debug)]
pub struct BodyHashes {
    lanes: Vec<Vec<Option<BodyHash>>>,
}

impl BodyHashes {
    /// The hash asked for; `None` when the provider does not offer its algorithm.
    #[must_use]
    pub fn get(&self, id: BodyHashId) -> Option<BodyHash> {
        *self.lanes.get(id.lane)?.get(id.hash)?
    }
}

/// A body hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyHash {
    /// The hash.
    pub value: HashValue,
    /// How many octets of the canonical body it covers.
    pub hashed: u64,
    /// How many octets of the canonical body were seen. More than `hashed` when the limit left
    /// some out; all of the body's unless the caller stopped at [`Stance::Done`].
    pub seen: u64,
}

/// One canonicalization of the body, and the hashes of it.
struct Lane {
    form: Canonicalization,
    canonicalizer: BodyCanonicalizer,
    hashes: Vec<Hashing>,
    seen: u64,
}

struct Hashing {
    request: BodyHashRequest,
    /// `None` when the provider does not offer the algorithm.
    digest: Option<Box<dyn Digest>>,
    hashed: u64,
}

impl Lane {
    fn new(form: Canonicalization) -> Self {
        let canonicalizer = BodyCanonicalizer::new(form);
        Self { form, canonicalizer, hashes: Vec::new(), seen: 0 }
    }

    fn is_of(&self, form: Canonicalization) -> bool {
        self.form == form
    }

    fn request(&mut self, provider: &dyn Provider, request: BodyHashRequest) -> usize {
        let known = self.hashes.iter().position(|hashing| hashing.request == request);
        known.unwrap_or_else(|| {
            let digest = provider.digest(request.hash);
            self.hashes.push(Hashing { request, digest, hashed: 0 });
            self.hashes.len() - 1
        })
    }

    fn chunk(&mut self, chunk: &[u8]) {
        // Past all limits too: `seen` must not depend on how the body was cut, and who does not
        // care heeds the stance.
        let Self { canonicalizer, hashes, seen, .. } = self;
        canonicalizer.chunk(chunk, |octets| update(hashes, seen, octets));
    }

    fn is_interested(&self) -> bool {
        self.hashes.iter().any(|hashing| hashing.is_interested(self.seen))
    }

    fn finish(self) -> Vec<Option<BodyHash>> {
        let Self { canonicalizer, mut hashes, mut seen, .. } = self;
        canonicalizer.finish(|octets| update(&mut hashes, &mut seen, octets));
        let finish = |hashing: Hashing| {
            let value = hashing.digest?.finish();
            Some(BodyHash { value, hashed: hashing.hashed, seen })
        };
        hashes.into_iter().map(finish).collect()
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests: Vec<_> = self.hashes.iter().map(|hashing| hashing.request).collect();
        f.debug_struct("Lane").field("seen", &self.seen).field("requests", &requests).finish()
    }
}

impl Hashing {
    /// Past its limit a hash wants one octet more, to tell a body that ends there from a longer.
    fn is_interested(&self, seen: u64) -> bool {
        self.digest.is_some() && self.request.limit.is_none_or(|limit| seen <= limit)
    }

    fn update(&mut self, octets: &[u8]) {
        let Some(digest) = &mut self.digest else { return };
        let room = self.request.limit.map_or(u64::MAX, |limit| limit - self.hashed);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let octets = octets.get(..room).unwrap_or(octets);
        digest.update(octets);
        self.hashed += length(octets);
    }
}

fn update(hashes: &mut [Hashing], seen: &mut u64, octets: &[u8]) {
    *seen += length(octets);
    for hashing in hashes {
        hashing.update(octets);
    }
}

fn length(octets: &[u8]) -> u64 {
    u64::try_from(octets.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_crypto::ring::PROVIDER;

    use super::*;

    const BODY: &[u8] = b" C \r\nD \t E\r\n\r\n\r\n";

    fn request(canonicalization: Canonicalization, limit: Option<u64>) -> BodyHashRequest {
        BodyHashRequest { canonicalization, hash: HashAlgorithm::Sha256, limit }
    }

    fn sha256(octets: &[u8]) -> HashValue {
        let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).unwrap();
        digest.update(octets);
        digest.finish()
    }

    /// RFC 6376 §3.4.5 and the empty bodies of §3.4.3 and §3.4.4.
    #[test]
    fn hashes_are_of_the_canonical_body() {
        use Canonicalization::{Relaxed, Simple};
        for (body, form, canonical) in [
            (BODY, Relaxed, &b" C\r\nD E\r\n"[..]),
            (BODY, Simple, b" C \r\nD \t E\r\n"),
            (b"", Simple, b"\r\n"),
            (b"", Relaxed, b""),
        ] {
            let mut hasher = BodyHasher::new();
            let id = hasher.request(&PROVIDER, request(form, None));
            for octet in body.chunks(1) {
                assert_eq!(hasher.chunk(octet), Stance::Interested);
            }
            let hash = hasher.finish().get(id).unwrap();
            assert_eq!(hash.value, sha256(canonical), "{form}");
            assert_eq!(hash.hashed, length(canonical));
        }
    }

    #[test]
    fn one_pass_serves_every_limit() {
        let canonical = b" C\r\nD E\r\n";
        let mut hasher = BodyHasher::new();
        let ids: Vec<_> = (0..=12)
            .map(|limit| hasher.request(&PROVIDER, request(Canonicalization::Relaxed, Some(limit))))
            .collect();
        let whole = hasher.request(&PROVIDER, request(Canonicalization::Simple, None));
        assert_eq!(hasher.request(&PROVIDER, request(Canonicalization::Relaxed, Some(3))), ids[3]);
        hasher.chunk(BODY);
        let hashes = hasher.finish();
        for (limit, id) in ids.into_iter().enumerate() {
            let hash = hashes.get(id).unwrap();
            let covered = &canonical[..limit.min(canonical.len())];
            assert_eq!((hash.value, hash.hashed), (sha256(covered), length(covered)));
            assert_eq!(hash.seen, length(canonical));
        }
        assert_eq!(hashes.get(whole).unwrap().value, sha256(b" C \r\nD \t E\r\n"));
    }

    #[test]
    fn octets_past_the_limit_are_counted_however_the_body_is_cut() {
        for size in 1..=BODY.len() {
            let mut hasher = BodyHasher::new();
            let id = hasher.request(&PROVIDER, request(Canonicalization::Relaxed, Some(3)));
            for chunk in BODY.chunks(size) {
                hasher.chunk(chunk);
            }
            let hash = hasher.finish().get(id).unwrap();
            assert_eq!((hash.hashed, hash.seen), (3, 9), "in pieces of {size}");
        }
    }

    #[test]
    fn past_its_limit_a_hash_wants_one_octet_more() {
        let mut hasher = BodyHasher::new();
        assert_eq!(hasher.stance(), Stance::Done);
        let id = hasher.request(&PROVIDER, request(Canonicalization::Simple, Some(2)));
        assert_eq!(hasher.chunk(b"ab"), Stance::Interested);
        assert_eq!(hasher.chunk(b"c"), Stance::Done);
        let hash = hasher.finish().get(id).unwrap();
        assert_eq!((hash.hashed, hash.value), (2, sha256(b"ab")));
        assert!(hash.seen > 2);
    }
}
