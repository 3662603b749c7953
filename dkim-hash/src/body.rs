//! The body hashes of a message, all of them in one pass over its body (RFC 6376 §3.7, step 1).

use std::fmt;

use dkim_canon::{BodyCanonicalizer, Canonicalization};
use dkim_crypto::{Digest, HashAlgorithm, HashValue, Provider};
use smallvec::{SmallVec, smallvec};

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
/// let request = BodyHashRequest {
///     canonicalization: Canonicalization::Simple,
///     hash: HashAlgorithm::Sha256,
///     limit: None,
/// };
/// let mut hasher = BodyHasher::new(&PROVIDER, [request]);
/// hasher.chunk(b"Hi.\r\n");
/// assert_eq!(hasher.finish().get(&request).ok_or("no such hash")?.hashed, 5);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Default)]
pub struct BodyHasher {
    lanes: SmallVec<[Lane; 1]>,
}

impl BodyHasher {
    /// A hasher for these hashes; what is asked for twice is hashed once. A hash that the provider
    /// does not offer will not be among the results.
    #[must_use]
    pub fn new(
        provider: &dyn Provider,
        requests: impl IntoIterator<Item = BodyHashRequest>,
    ) -> Self {
        let mut hasher = Self::default();
        for request in requests {
            hasher.add(provider, request);
        }
        hasher
    }

    /// Asks for one hash more, before the first octet. Returns whether the provider offers it.
    pub fn add(&mut self, provider: &dyn Provider, request: BodyHashRequest) -> bool {
        if self.requests().any(|asked| asked == request) {
            return true;
        }
        let Some(digest) = provider.digest(request.hash) else { return false };
        let hashing = Hashing { request, digest, hashed: 0 };
        let form = request.canonicalization;
        match self.lanes.iter_mut().find(|lane| lane.form == form) {
            Some(lane) => lane.hashes.push(hashing),
            None => self.lanes.push(Lane::new(form, hashing)),
        }
        true
    }

    /// What is hashed.
    pub fn requests(&self) -> impl Iterator<Item = BodyHashRequest> {
        self.lanes.iter().flat_map(|lane| lane.hashes.iter().map(|hashing| hashing.request))
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
        BodyHashes { hashes: self.lanes.into_iter().flat_map(Lane::finish).collect() }
    }
}

/// The hashes of a body.
#[derive(Clone, Debug)]
pub struct BodyHashes {
    hashes: SmallVec<[(BodyHashRequest, BodyHash); 1]>,
}

impl BodyHashes {
    /// The hash asked for; `None` when it was not, or the provider does not offer it.
    #[must_use]
    pub fn get(&self, request: &BodyHashRequest) -> Option<BodyHash> {
        self.hashes.iter().find(|(asked, _)| asked == request).map(|(_, hash)| *hash)
    }
}

/// A body hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyHash {
    /// The hash.
    pub value: HashValue,
    /// How many octets of the canonical body it covers.
    pub hashed: u64,
    /// How many octets the canonical body has, as far as it was handed over: more than `hashed`
    /// when the limit left some out. A caller that stops at [`Stance::Done`] sees fewer here.
    pub seen: u64,
}

/// One canonicalization of the body, and the hashes of it.
struct Lane {
    form: Canonicalization,
    canonicalizer: BodyCanonicalizer,
    hashes: SmallVec<[Hashing; 1]>,
    seen: u64,
}

struct Hashing {
    request: BodyHashRequest,
    digest: Box<dyn Digest>,
    hashed: u64,
}

impl Lane {
    fn new(form: Canonicalization, hashing: Hashing) -> Self {
        let canonicalizer = BodyCanonicalizer::new(form);
        Self { form, canonicalizer, hashes: smallvec![hashing], seen: 0 }
    }

    fn chunk(&mut self, chunk: &[u8]) {
        let Self { canonicalizer, hashes, seen, .. } = self;
        canonicalizer.chunk(chunk, |octets| update(hashes, seen, octets));
    }

    fn is_interested(&self) -> bool {
        self.hashes.iter().any(|hashing| hashing.is_interested(self.seen))
    }

    fn finish(self) -> impl Iterator<Item = (BodyHashRequest, BodyHash)> {
        let Self { canonicalizer, mut hashes, mut seen, .. } = self;
        canonicalizer.finish(|octets| update(&mut hashes, &mut seen, octets));
        hashes.into_iter().map(move |Hashing { request, digest, hashed }| {
            (request, BodyHash { value: digest.finish(), hashed, seen })
        })
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
        self.request.limit.is_none_or(|limit| seen <= limit)
    }

    fn update(&mut self, octets: &[u8]) {
        let room = self.request.limit.map_or(u64::MAX, |limit| limit - self.hashed);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let octets = octets.get(..room).unwrap_or(octets);
        self.digest.update(octets);
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
            let mut hasher = BodyHasher::new(&PROVIDER, [request(form, None)]);
            for octet in body.chunks(1) {
                assert_eq!(hasher.chunk(octet), Stance::Interested);
            }
            let hash = hasher.finish().get(&request(form, None)).unwrap();
            assert_eq!(hash.value, sha256(canonical), "{form}");
            assert_eq!(hash.hashed, length(canonical));
        }
    }

    #[test]
    fn one_pass_serves_every_limit() {
        let canonical = b" C\r\nD E\r\n";
        let limited = |limit| request(Canonicalization::Relaxed, Some(limit));
        let whole = request(Canonicalization::Simple, None);
        let requests = (0..=12).map(limited).chain([whole, limited(3)]);
        let mut hasher = BodyHasher::new(&PROVIDER, requests);
        hasher.chunk(BODY);
        let hashes = hasher.finish();
        assert_eq!(hashes.hashes.len(), 14);
        for limit in 0..=12 {
            let hash = hashes.get(&limited(limit)).unwrap();
            let covered = &canonical[..usize::try_from(limit).unwrap().min(canonical.len())];
            assert_eq!((hash.value, hash.hashed), (sha256(covered), length(covered)));
            assert_eq!(hash.seen, length(canonical));
        }
        assert_eq!(hashes.get(&whole).unwrap().value, sha256(b" C \r\nD \t E\r\n"));
    }

    #[test]
    fn past_its_limit_a_hash_wants_one_octet_more() {
        assert_eq!(BodyHasher::new(&PROVIDER, []).stance(), Stance::Done);
        let request = request(Canonicalization::Simple, Some(2));
        let mut hasher = BodyHasher::new(&PROVIDER, [request]);
        assert_eq!(hasher.chunk(b"ab"), Stance::Interested);
        assert_eq!(hasher.chunk(b"c"), Stance::Done);
        let hash = hasher.finish().get(&request).unwrap();
        assert_eq!((hash.hashed, hash.value), (2, sha256(b"ab")));
        assert!(hash.seen > 2);
    }

    #[test]
    fn what_is_hashed_is_shown_without_the_octets() {
        let mut hasher = BodyHasher::new(&PROVIDER, [request(Canonicalization::Simple, Some(2))]);
        hasher.chunk(b"secret");
        let shown = format!("{hasher:?}");
        assert!(shown.contains("seen: 6") && shown.contains("limit: Some(2)"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn the_length_of_the_body_does_not_depend_on_its_pieces() {
        let request = request(Canonicalization::Relaxed, Some(2));
        for size in 1..20 {
            let mut hasher = BodyHasher::new(&PROVIDER, [request]);
            for chunk in BODY.chunks(size) {
                hasher.chunk(chunk);
            }
            assert_eq!(hasher.finish().get(&request).unwrap().seen, 9);
        }
    }
}
