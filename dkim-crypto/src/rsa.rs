//! RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2) over a hash that is at hand, which ring does not offer; and
//! what a signature tells of itself.

use num_bigint::BigUint;

use crate::{HashAlgorithm, HashValue, KeyType, PublicKey, SigningAlgorithm, VerifyError};

/// Verifies a signature over a hash. Everything here is public, so that nothing is told by how long
/// it takes.
pub(crate) fn verify_hash(
    key: &PublicKey,
    algorithm: SigningAlgorithm,
    hash: &HashValue,
    signature: &[u8],
) -> Result<(), VerifyError> {
    let unsupported = VerifyError::Unsupported(algorithm);
    // The bounds that every provider keeps to, RFC 8301 §3.2 first.
    key.check_verifiable().map_err(|_| unsupported)?;
    let (Some(modulus), Some(exponent)) = (key.modulus(), key.exponent()) else {
        return Err(unsupported);
    };
    let fits =
        algorithm.key() == KeyType::Rsa && hash.as_bytes().len() == algorithm.hash().output_len();
    if !fits {
        return Err(unsupported);
    }
    // Step 1, and step 1 of §5.2.2.
    if !key.admits_signature(signature) {
        return Err(VerifyError::Mismatch);
    }
    // Step 2.
    let opened = BigUint::from_bytes_be(signature)
        .modpow(&BigUint::from(exponent), &BigUint::from_bytes_be(modulus));
    // Steps 3 and 4: what should be there is written and compared, and never what is there read,
    // which is how forged paddings got through elsewhere.
    let expected = encode(algorithm.hash(), hash, modulus.len());
    if opened == BigUint::from_bytes_be(&expected) { Ok(()) } else { Err(VerifyError::Mismatch) }
}

impl PublicKey {
    /// With which hash algorithm this key made a signature, told by the signature alone, whatever
    /// it is over: it is opened (RFC 8017 §8.2.2, step 2), and the padding of EMSA-PKCS1-v1_5, which
    /// no other key leaves there, is looked for. `None` if another key made it, if it was damaged,
    /// and for Ed25519, whose signatures cannot be opened.
    ///
    /// This says why a signature fails, and verifies none.
    #[must_use]
    pub fn signed_hash(&self, signature: &[u8]) -> Option<HashAlgorithm> {
        let (modulus, exponent) = (self.modulus()?, self.exponent()?);
        if !self.admits_signature(signature) {
            return None;
        }
        // The number has lost the zero that EMSA-PKCS1-v1_5 begins with.
        let opened = BigUint::from_bytes_be(signature)
            .modpow(&BigUint::from(exponent), &BigUint::from_bytes_be(modulus))
            .to_bytes_be();
        let is_of = |hash: &HashAlgorithm| {
            let digest = opened.len().checked_sub(hash.output_len())?;
            let padding = opened.get(..digest)?.strip_suffix(digest_info(*hash))?;
            let filler = padding.strip_prefix(&[1])?.strip_suffix(&[0])?;
            Some(opened.len() + 1 == modulus.len() && filler.iter().all(|octet| *octet == 0xff))
        };
        HashAlgorithm::ALL.iter().copied().find(|hash| is_of(hash) == Some(true))
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2): `0x00 0x01 0xff … 0xff 0x00 DigestInfo`. The shortest modulus
/// has room for it, since it is one of 1024 bits.
fn encode(algorithm: HashAlgorithm, hash: &HashValue, length: usize) -> Vec<u8> {
    let digest_info = [digest_info(algorithm), hash.as_bytes()].concat();
    let filler = length.saturating_sub(digest_info.len() + 3);
    [&[0, 1][..], &vec![0xff; filler], &[0], &digest_info].concat()
}

/// DigestInfo up to the hash (RFC 8017 §9.2, note 1).
const fn digest_info(algorithm: HashAlgorithm) -> &'static [u8] {
    match algorithm {
        HashAlgorithm::Sha1 => b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
        HashAlgorithm::Sha256 => {
            b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
        }
    }
}
