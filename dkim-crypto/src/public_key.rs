//! Public keys as key records carry them.

use std::cmp::Ordering;

use crate::KeyType;
use crate::der::{self, NotDer, Reader};

/// A public key, its shape checked (RFC 6376 §3.6.1 `p=`, RFC 8463 §4.2).
///
/// An RSA key is accepted up to 8192 bits. A short one is accepted too, because how short is too
/// short is the verifier's policy; but below 1024 bits no [`Provider`](crate::Provider) prepares
/// it.
///
/// ```
/// use dkim_crypto::{KeyType, PublicKey, PublicKeyError};
///
/// let p = [
///     0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07,
///     0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07,
///     0x51, 0x1a,
/// ];
/// let key = PublicKey::from_p_tag(KeyType::Ed25519, &p)?;
/// assert_eq!(key.bits(), 256);
/// assert_eq!(key.to_p_tag(), p);
/// # Ok::<(), PublicKeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey {
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Material {
    /// The modulus is big-endian, without leading zero octets.
    Rsa { modulus: Vec<u8>, bits: u32, exponent: u64 },
    /// The encoded point (RFC 8032 §5.1.2).
    Ed25519([u8; 32]),
}

/// Contents of the object identifier rsaEncryption, 1.2.840.113549.1.1.1 (RFC 8017 §A.1).
pub(crate) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// Contents of the object identifier id-Ed25519, 1.3.101.112 (RFC 8410 §3).
pub(crate) const ID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];

impl PublicKey {
    /// The shortest RSA modulus, in bits, of a key that may verify (RFC 8301 §3.2). The 512 bits of
    /// RFC 6376 §3.3.3 are no longer enough.
    pub const MIN_RSA_BITS: u32 = 1024;

    /// The longest RSA modulus, in bits. RFC 8301 §3.2 asks verifiers for 4096; the work of a
    /// verification grows with the square of the length, and whoever sends the mail chooses it.
    pub const MAX_RSA_BITS: u32 = 8192;

    /// Reads the decoded octets of a `p=` tag.
    ///
    /// An RSA key is either an RSAPublicKey, as RFC 6376 §3.6.1 says, or a SubjectPublicKeyInfo,
    /// as its examples show and nearly everybody publishes (erratum 3017). Either is read as
    /// strict DER. An Ed25519 key is the 32 octets alone (RFC 8463 §4.2).
    ///
    /// # Errors
    ///
    /// When the octets are no key of that type, or a key with which anyone could sign.
    pub fn from_p_tag(key_type: KeyType, octets: &[u8]) -> Result<Self, PublicKeyError> {
        match key_type {
            KeyType::Rsa => Self::from_rsa_der(octets),
            KeyType::Ed25519 => Self::from_ed25519_point(octets),
        }
    }

    // RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
    // SubjectPublicKeyInfo ::= SEQUENCE {
    //     algorithm         SEQUENCE { algorithm OBJECT IDENTIFIER, parameters NULL },
    //     subjectPublicKey  BIT STRING }  -- of an RSAPublicKey
    fn from_rsa_der(octets: &[u8]) -> Result<Self, PublicKeyError> {
        let mut outer = Reader::new(octets);
        let mut key = outer.sequence()?;
        outer.finish()?;
        if key.peek() == Some(der::SEQUENCE) {
            let mut algorithm = key.sequence()?;
            if algorithm.element(der::OBJECT_IDENTIFIER)? != RSA_ENCRYPTION {
                return Err(PublicKeyError::OtherAlgorithm);
            }
            read_rsa_parameters(algorithm)?;
            let mut wrapped = Reader::new(key.bit_string(der::BIT_STRING)?);
            key.finish()?;
            key = wrapped.sequence()?;
            wrapped.finish()?;
        }
        let modulus = key.unsigned()?;
        let exponent = key.unsigned()?;
        key.finish()?;
        Self::from_rsa_integers(modulus, exponent)
    }

    /// Takes the two integers of an RSA key (RFC 8017 §3.1), big-endian. Zero octets before them
    /// are let pass.
    ///
    /// # Errors
    ///
    /// When the key is one with which anyone could sign, or too long.
    pub fn from_rsa_integers(modulus: &[u8], exponent: &[u8]) -> Result<Self, PublicKeyError> {
        let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
        let bits = bit_length(modulus);
        if bits > Self::MAX_RSA_BITS {
            return Err(PublicKeyError::TooLarge { bits });
        }
        // RFC 8017 §3.1: a product of odd primes.
        if modulus.last().is_none_or(|last| last & 1 == 0) {
            return Err(PublicKeyError::Modulus);
        }
        // RFC 8017 §3.1: from 3 on, and prime to an even number. With 1 a signature is its own
        // message, so anyone can sign. Exponents beyond 33 bits only make verifying slow.
        let exponent = match exponent.len() {
            0..=8 => exponent.iter().fold(0, |value, &octet| value << 8 | u64::from(octet)),
            _ => u64::MAX,
        };
        if exponent & 1 == 0 || !(3..1 << 33).contains(&exponent) {
            return Err(PublicKeyError::Exponent);
        }
        Ok(Self { material: Material::Rsa { modulus: modulus.to_vec(), bits, exponent } })
    }

    fn from_ed25519_point(octets: &[u8]) -> Result<Self, PublicKeyError> {
        let Ok(point) = <[u8; 32]>::try_from(octets) else {
            return Err(if octets.starts_with(ED25519_SUBJECT_PUBLIC_KEY_INFO) {
                PublicKeyError::Wrapped
            } else {
                PublicKeyError::Length { octets: octets.len() }
            });
        };
        let y = y_of(&point);
        // RFC 8032 §5.1.3, step 1: decoding fails if y is not below the field's prime. The
        // libraries would reduce it, and one key would have two spellings.
        if y.iter().rev().cmp(FIELD_PRIME.iter().rev()) != Ordering::Less {
            return Err(PublicKeyError::Malformed("its y coordinate is not below the prime"));
        }
        if SMALL_ORDER_Y.contains(&y) {
            return Err(PublicKeyError::SmallOrder);
        }
        Ok(Self { material: Material::Ed25519(point) })
    }

    /// The key type.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        match self.material {
            Material::Rsa { .. } => KeyType::Rsa,
            Material::Ed25519(_) => KeyType::Ed25519,
        }
    }

    /// Length of the RSA modulus in bits, exact; 256 for Ed25519.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        match self.material {
            Material::Rsa { bits, .. } => bits,
            Material::Ed25519(_) => 256,
        }
    }

    /// The RSA modulus, big-endian, without leading zero octets; `None` for Ed25519.
    #[must_use]
    pub fn modulus(&self) -> Option<&[u8]> {
        match &self.material {
            Material::Rsa { modulus, .. } => Some(modulus),
            Material::Ed25519(_) => None,
        }
    }

    /// The RSA public exponent, odd, from 3 to 2^33 - 1; `None` for Ed25519.
    #[must_use]
    pub const fn exponent(&self) -> Option<u64> {
        match self.material {
            Material::Rsa { exponent, .. } => Some(exponent),
            Material::Ed25519(_) => None,
        }
    }

    /// The octets for a `p=` tag: SubjectPublicKeyInfo for RSA, the 32 octets for Ed25519.
    #[must_use]
    pub fn to_p_tag(&self) -> Vec<u8> {
        let bare = self.to_bare();
        if self.key_type() != KeyType::Rsa {
            return bare;
        }
        let mut contents = Vec::with_capacity(bare.len() + 32);
        write_rsa_algorithm(&mut contents);
        der::write_header(&mut contents, der::BIT_STRING, 1 + bare.len());
        contents.push(0);
        contents.extend_from_slice(&bare);
        let mut out = Vec::with_capacity(contents.len() + 8);
        der::write(&mut out, der::SEQUENCE, &contents);
        out
    }

    /// The key without a SubjectPublicKeyInfo around it, as cryptographic libraries take it:
    /// RSAPublicKey in DER (RFC 8017 §A.1.1), or the 32 octets of Ed25519.
    #[must_use]
    pub fn to_bare(&self) -> Vec<u8> {
        match &self.material {
            Material::Rsa { modulus, exponent, .. } => {
                let exponent = exponent.to_be_bytes();
                let zeros = exponent.iter().take_while(|&&octet| octet == 0).count();
                let mut integers = Vec::with_capacity(modulus.len() + 16);
                der::write_unsigned(&mut integers, modulus);
                der::write_unsigned(&mut integers, exponent.get(zeros..).unwrap_or_default());
                let mut out = Vec::with_capacity(integers.len() + 4);
                der::write(&mut out, der::SEQUENCE, &integers);
                out
            }
            Material::Ed25519(point) => point.to_vec(),
        }
    }

    /// Whether octets can be a signature of this key at all. Every provider asks, since libraries
    /// differ in what they let pass.
    ///
    /// An RSA signature is as long as the modulus (RFC 8017 §8.2.2, step 1) and below it (§5.2.2,
    /// step 1); an Ed25519 signature is 64 octets long (RFC 8032 §5.1.6).
    #[must_use]
    pub fn admits_signature(&self, signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa { modulus, .. } => {
                signature.len() == modulus.len() && signature < modulus.as_slice()
            }
            Material::Ed25519(_) => signature.len() == 64,
        }
    }

    /// Whether a provider may prepare this key.
    ///
    /// # Errors
    ///
    /// [`PublicKeyError::TooSmall`] when it may not.
    pub fn check_verifiable(&self) -> Result<(), PublicKeyError> {
        // RFC 8301 §3.2: verifiers MUST NOT consider signatures using RSA keys of less than 1024
        // bits as valid signatures.
        match self.material {
            Material::Rsa { bits, .. } if bits < Self::MIN_RSA_BITS => {
                Err(PublicKeyError::TooSmall { bits, minimum: Self::MIN_RSA_BITS })
            }
            _ => Ok(()),
        }
    }
}

/// Appends the AlgorithmIdentifier of rsaEncryption, for public and private keys alike.
pub(crate) fn write_rsa_algorithm(out: &mut Vec<u8>) {
    der::write_header(out, der::SEQUENCE, RSA_ENCRYPTION.len() + 4);
    der::write(out, der::OBJECT_IDENTIFIER, RSA_ENCRYPTION);
    der::write(out, der::NULL, &[]);
}

/// Reads what follows rsaEncryption: NULL.
///
/// RFC 3279 §2.3.1: the parameters MUST be NULL. Absent ones are refused; nothing we know of
/// writes such keys, and one spelling of a key is enough.
pub(crate) fn read_rsa_parameters(mut algorithm: Reader<'_>) -> Result<(), NotDer> {
    match algorithm.element(der::NULL) {
        Ok([]) => algorithm.finish(),
        _ => Err(NotDer("the parameters of rsaEncryption are not NULL")),
    }
}

/// The octets of an integer from the first that is not zero.
fn without_zeros(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|&&octet| octet == 0).count();
    integer.get(zeros..).unwrap_or_default()
}

/// Length in bits of a big-endian integer without leading zero octets.
fn bit_length(magnitude: &[u8]) -> u32 {
    let unused = magnitude.first().map_or(0, |first| first.leading_zeros());
    let octets = u32::try_from(magnitude.len()).unwrap_or(u32::MAX);
    octets.saturating_mul(8) - unused
}

/// How a SubjectPublicKeyInfo of an Ed25519 key begins (RFC 8410 §4): all but the key.
const ED25519_SUBJECT_PUBLIC_KEY_INFO: &[u8] =
    &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// 2^255 - 19, little-endian.
const FIELD_PRIME: [u8; 32] = [
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
];

/// The y coordinates, little-endian, of the eight points whose order divides 8. Under such a key
/// anyone can make signatures that verify.
///
/// On the curve -x² + y² = 1 + d·x²·y² (RFC 8032 §5.1) these are: the identity, y = 1; the point
/// of order 2, y = -1; the two of order 4, y = 0; and the four of order 8, whose double has y = 0,
/// so that x² = -y² and d·y⁴ + 2·y² - 1 = 0. A test below does this sum again. The sign of x does
/// not matter, so it is masked, which covers the encodings of x = 0 with the sign set, too.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32],
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// The y coordinate of an encoded point: all but the highest bit, the sign of x (RFC 8032 §5.1.2).
const fn y_of(point: &[u8; 32]) -> [u8; 32] {
    let mut y = *point;
    y[31] &= 0x7f;
    y
}

/// Why octets are no usable public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// Not a key of the type named: what is wrong with its encoding.
    #[error("the public key is malformed: {0}")]
    Malformed(&'static str),
    /// A SubjectPublicKeyInfo of something else than RSA, where RSA was named.
    #[error("the public key is of another algorithm than rsaEncryption")]
    OtherAlgorithm,
    /// An Ed25519 key within a SubjectPublicKeyInfo, as many tools write it.
    #[error(
        "the Ed25519 key is wrapped in a SubjectPublicKeyInfo, but a key record takes its last 32 octets alone"
    )]
    Wrapped,
    /// An Ed25519 key of another length than 32 octets.
    #[error("an Ed25519 key has 32 octets, this one has {octets}")]
    Length {
        /// How many octets there are.
        octets: usize,
    },
    /// An Ed25519 point of small order, under which anyone can sign.
    #[error("the Ed25519 key is a point of small order, under which anyone can sign")]
    SmallOrder,
    /// An RSA modulus that is even.
    #[error("the RSA modulus is even, so no product of two primes")]
    Modulus,
    /// An RSA public exponent that is even, 1, or longer than 33 bits.
    #[error("the RSA public exponent is not an odd number from 3 to 8589934591")]
    Exponent,
    /// An RSA modulus over [`PublicKey::MAX_RSA_BITS`].
    #[error("the RSA key has {bits} bits, more than {}", PublicKey::MAX_RSA_BITS)]
    TooLarge {
        /// Length of the modulus in bits.
        bits: u32,
    },
    /// An RSA modulus too short to verify with.
    #[error("the RSA key has {bits} bits, fewer than {minimum}")]
    TooSmall {
        /// Length of the modulus in bits.
        bits: u32,
        /// The shortest that would do.
        minimum: u32,
    },
    /// The library will not have it.
    #[error("{provider} refuses the public key")]
    Refused {
        /// The provider's name.
        provider: &'static str,
    },
}

impl From<NotDer> for PublicKeyError {
    fn from(NotDer(reason): NotDer) -> Self {
        Self::Malformed(reason)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::as_conversions)]

    use super::*;

    /// a + b modulo the field's prime, little-endian, one octet at a time.
    fn add(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
        let mut sum = [0; 32];
        let mut carry = 0;
        for i in 0..32 {
            carry += u16::from(a[i]) + u16::from(b[i]);
            sum[i] = carry as u8;
            carry >>= 8;
        }
        // Both are below 2^255, so nothing is carried out of the last octet.
        if sum.iter().rev().cmp(FIELD_PRIME.iter().rev()) == Ordering::Less {
            return sum;
        }
        let mut borrow = 0;
        for i in 0..32 {
            borrow += i16::from(sum[i]) - i16::from(FIELD_PRIME[i]);
            sum[i] = borrow as u8;
            borrow >>= 8;
        }
        sum
    }

    /// a · b modulo the field's prime: double and add.
    fn mul(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
        (0..256).rev().fold([0; 32], |product, bit| {
            let doubled = add(&product, &product);
            if b[bit / 8] >> (bit % 8) & 1 == 1 { add(&doubled, a) } else { doubled }
        })
    }

    fn number(value: u32) -> [u8; 32] {
        let mut octets = [0; 32];
        octets[..4].copy_from_slice(&value.to_le_bytes());
        octets
    }

    #[test]
    fn the_table_of_small_order_points_is_right_and_whole() {
        let [zero, one, minus_one, eight, other_eight] = SMALL_ORDER_Y;
        assert_eq!(zero, number(0));
        assert_eq!(one, number(1));
        assert_eq!(add(&minus_one, &one), zero);
        // d = -121665/121666, so d·y⁴ + 2·y² - 1 = 0 times -121666 reads
        // 121665·y⁴ + 121666 = 243332·y². It has two roots ±y with a square y², for the product
        // of the two values of y² is -1/d, no square: these two are all.
        for y in [eight, other_eight] {
            let y2 = mul(&y, &y);
            let left = add(&mul(&number(121_665), &mul(&y2, &y2)), &number(121_666));
            assert_eq!(left, mul(&number(243_332), &y2));
        }
        assert_eq!(add(&eight, &other_eight), zero);
    }

    #[test]
    fn small_order_points_are_refused_in_every_spelling() {
        for y in SMALL_ORDER_Y {
            for sign in [0, 0x80] {
                let mut point = y;
                point[31] |= sign;
                assert_eq!(
                    PublicKey::from_p_tag(KeyType::Ed25519, &point),
                    Err(PublicKeyError::SmallOrder)
                );
            }
        }
        // 0 and 1 written as p and p + 1, and whatever else is not reduced.
        for above in 0..19 {
            for sign in [0, 0x80] {
                let mut point = FIELD_PRIME;
                point[0] += above;
                point[31] |= sign;
                assert!(matches!(
                    PublicKey::from_p_tag(KeyType::Ed25519, &point),
                    Err(PublicKeyError::Malformed(_))
                ));
            }
        }
    }

    #[test]
    fn bits_are_counted_exactly() {
        assert_eq!(bit_length(&[]), 0);
        assert_eq!(bit_length(&[1]), 1);
        assert_eq!(bit_length(&[0x7f, 0xff]), 15);
        assert_eq!(bit_length(&[0x80, 0]), 16);
    }
}
