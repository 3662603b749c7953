//! Whether a key made a signature, whatever it is over.

use dkim_crypto::{HashAlgorithm, PublicKey};
use num_bigint::BigUint;

/// Whether a key made a signature, told by the signature alone. Only RSA signatures can be opened
/// with the public key (RFC 8017 §8.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFit {
    /// The key made it, over a header with another hash.
    Fits(HashAlgorithm),
    /// Another key made it, or the signature was damaged.
    DoesNotFit,
    /// That cannot be told: it is an Ed25519 signature.
    Unknown,
}

/// DigestInfo up to the hash (RFC 8017 §9.2, note 1).
const DIGEST_INFO: [(HashAlgorithm, &[u8]); 2] = [
    (
        HashAlgorithm::Sha256,
        b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
    ),
    (HashAlgorithm::Sha1, b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"),
];

impl KeyFit {
    /// Opens the signature and looks for the padding of EMSA-PKCS1-v1_5, which no other key leaves
    /// there.
    pub(crate) fn of(key: &PublicKey, signature: &[u8]) -> Self {
        let (Some(modulus), Some(exponent)) = (key.modulus(), key.exponent()) else {
            return Self::Unknown;
        };
        if !key.admits_signature(signature) {
            return Self::DoesNotFit;
        }
        let opened = BigUint::from_bytes_be(signature)
            .modpow(&BigUint::from(exponent), &BigUint::from_bytes_be(modulus))
            .to_bytes_be();
        // 0x00 0x01 0xff … 0xff 0x00 DigestInfo, of which the number has lost the leading zero.
        let hash_of = |(hash, prefix): &(HashAlgorithm, &[u8])| {
            let digest = opened.len().checked_sub(hash.output_len())?;
            let padding = opened.get(..digest)?.strip_suffix(*prefix)?;
            let filler = padding.strip_prefix(&[1])?.strip_suffix(&[0])?;
            let whole = opened.len() + 1 == modulus.len();
            (whole && filler.iter().all(|octet| *octet == 0xff)).then_some(*hash)
        };
        DIGEST_INFO.iter().find_map(hash_of).map_or(Self::DoesNotFit, Self::Fits)
    }
}
