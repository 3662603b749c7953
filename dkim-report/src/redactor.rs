//! The keyed hash that stands for a local-part (RFC 6590 §3).

use std::fmt;

use dkim_crypto::{HashAlgorithm, HashValue, Provider};
use dkim_tags::value::to_base64;
use zeroize::Zeroizing;

/// The block size of SHA-1 and SHA-256, in octets (RFC 2104 §2: B).
const BLOCK: usize = 64;

/// Replaces local-parts by a keyed hash: the same by the same with one key, and nobody without the
/// key can tell which was which.
///
/// ```
/// use dkim_crypto::ring::PROVIDER;
/// use dkim_report::Redactor;
///
/// let redactor = Redactor::new(&PROVIDER, b"potatoes").ok_or("no SHA-256")?;
/// let redacted = redactor.redact("bob");
/// assert_eq!(redacted, redactor.redact("bob"));
/// assert_ne!(redacted, redactor.redact("alice"));
/// # Ok::<(), &str>(())
/// ```
pub struct Redactor {
    provider: &'static dyn Provider,
    /// The key, xored with what RFC 2104 §2 calls ipad and opad.
    inner: Zeroizing<[u8; BLOCK]>,
    outer: Zeroizing<[u8; BLOCK]>,
}

impl Redactor {
    /// A redactor with this key, of any length; 32 octets at random are a good one. `None` if the
    /// provider does not offer SHA-256.
    #[must_use]
    pub fn new(provider: &'static dyn Provider, key: &[u8]) -> Option<Self> {
        let hashed = if key.len() > BLOCK { Some(hash(provider, [key])?) } else { None };
        let key = hashed.as_ref().map_or(key, HashValue::as_bytes);
        let pad = |octet: u8| {
            let mut pad = Zeroizing::new([octet; BLOCK]);
            for (octet, key) in pad.iter_mut().zip(key) {
                *octet ^= key;
            }
            pad
        };
        let redactor = Self { provider, inner: pad(0x36), outer: pad(0x5c) };
        redactor.keyed_hash(b"").is_some().then_some(redactor)
    }

    /// What stands for a local-part: 44 characters that are a local-part themselves. Upper and
    /// lower case make no difference, as they make none to those who have the address.
    #[must_use]
    pub fn redact(&self, local_part: &str) -> String {
        // That the provider has the hash was tried when the redactor was made. Were it gone,
        // nothing of the local-part may be told.
        let hash = self.keyed_hash(local_part.to_ascii_lowercase().as_bytes());
        hash.map_or_else(|| "redacted".to_owned(), |hash| to_base64(hash.as_bytes()))
    }

    /// HMAC-SHA-256 (RFC 2104 §2).
    fn keyed_hash(&self, octets: &[u8]) -> Option<HashValue> {
        let inner = hash(self.provider, [&*self.inner, octets])?;
        hash(self.provider, [&*self.outer, inner.as_bytes()])
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

fn hash<const N: usize>(provider: &dyn Provider, pieces: [&[u8]; N]) -> Option<HashValue> {
    let mut digest = provider.digest(HashAlgorithm::Sha256)?;
    pieces.into_iter().for_each(|piece| digest.update(piece));
    Some(digest.finish())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_crypto::ring::PROVIDER;

    use super::*;

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// RFC 4231 §4.2, §4.3, §4.7
    #[test]
    fn the_keyed_hash_is_hmac() {
        let hmac = |key: &[u8], octets: &[u8]| {
            let redactor = Redactor::new(&PROVIDER, key).unwrap();
            hex(redactor.keyed_hash(octets).unwrap().as_bytes())
        };
        assert_eq!(
            hmac(&[0x0b; 20], b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hmac(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn a_redactor_tells_nothing_of_its_key() {
        let redactor = Redactor::new(&PROVIDER, b"potatoes").unwrap();
        assert_eq!(format!("{redactor:?}"), "Redactor { .. }");
        assert_eq!(redactor.redact("bob").len(), 44);
    }
}
