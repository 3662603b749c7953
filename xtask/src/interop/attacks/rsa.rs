//! RSA signatures that no library makes (RFC 8017): for keys whose factors are known to all, and
//! for keys that need none.

use anyhow::{Context, Result};
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, Provider, PublicKey, SignError, SigningAlgorithm, SigningKey};
use dkim_tags::value::to_base64;
use num_bigint::BigUint;

/// DigestInfo of SHA-256 up to the hash (RFC 8017 §9.2, note 1).
const SHA256: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

/// The modulus of the keys here: the product of two Mersenne primes, 1886 bits.
fn primes() -> (BigUint, BigUint) {
    let one = BigUint::from(1u8);
    ((&one << 1279u32) - 1u8, (&one << 607u32) - 1u8)
}

fn modulus() -> BigUint {
    let (p, q) = primes();
    p * q
}

/// The key record for that modulus and this exponent.
pub(super) fn record(exponent: u32) -> Result<String> {
    let octets = exponent.to_be_bytes();
    let first = octets.iter().position(|octet| *octet != 0).context("no exponent")?;
    let integer = |octets: &[u8]| match octets.first() {
        Some(0x80..) => element(2, &[&[0], octets].concat()),
        _ => element(2, octets),
    };
    let exponent = octets.get(first..).unwrap_or_default();
    let key = [integer(&modulus().to_bytes_be()), integer(exponent)].concat();
    let bits = element(3, &[&[0][..], &element(0x30, &key)].concat());
    let algorithm = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let info = element(0x30, &[element(0x30, algorithm), bits].concat());
    Ok(format!("v=DKIM1; k=rsa; p={}", to_base64(&info)))
}

/// A DER element of up to 65,535 octets.
fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [.., high, low] = contents.len().to_be_bytes();
    let length = match contents.len() {
        0..=0x7f => vec![low],
        0x80..=0xff => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag][..], &length, contents].concat()
}

/// What a lax reader takes for EMSA-PKCS1-v1_5 of a hash, in so many octets.
type Encode = fn(hash: &[u8], length: usize) -> Vec<u8>;

/// Who signs with the private key of exponent 65537, whatever the encoded message, or without one.
pub(super) struct Forger {
    encode: Encode,
    power: fn(&[u8]) -> Vec<u8>,
    public: PublicKey,
}

impl Forger {
    /// All is right but the form of the encoded message.
    pub(super) fn with_form(encode: Encode) -> Self {
        Self { encode, power: private_power, public: any_key() }
    }

    /// For the exponent 1: the encoded message is its own signature.
    pub(super) fn for_exponent_1() -> Self {
        Self { encode: padded, power: <[u8]>::to_vec, public: any_key() }
    }

    /// For the exponent 3, by Bleichenbacher (2006): the cube begins as it should, and no more.
    pub(super) fn for_exponent_3() -> Self {
        let encode: Encode = |hash, length| {
            let begins = [&[0, 1][..], &[0xff; 8], &[0], SHA256, hash].concat();
            let rest = vec![0; length.saturating_sub(begins.len())];
            let target = BigUint::from_bytes_be(&[begins, rest].concat());
            to_length(&(target.cbrt() + 1u8), length)
        };
        Self { encode, power: <[u8]>::to_vec, public: any_key() }
    }
}

impl SigningKey for Forger {
    fn algorithm(&self) -> SigningAlgorithm {
        SigningAlgorithm::RSA_SHA256
    }

    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).expect("ring has SHA-256");
        digest.update(message);
        let length = modulus().to_bytes_be().len();
        Ok((self.power)(&(self.encode)(digest.finish().as_bytes(), length)))
    }
}

/// Nobody asks for it.
fn any_key() -> PublicKey {
    super::craft::rsa_key().public_key().clone()
}

fn private_power(encoded: &[u8]) -> Vec<u8> {
    let (p, q) = primes();
    let order = (&p - 1u8) * (&q - 1u8);
    let private = BigUint::from(65_537u32).modinv(&order).expect("it is prime to the order");
    to_length(&BigUint::from_bytes_be(encoded).modpow(&private, &modulus()), encoded.len())
}

fn to_length(number: &BigUint, length: usize) -> Vec<u8> {
    let octets = number.to_bytes_be();
    [vec![0; length.saturating_sub(octets.len())], octets].concat()
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
pub(super) fn padded(hash: &[u8], length: usize) -> Vec<u8> {
    with_info(&[SHA256, hash].concat(), length)
}

/// The DigestInfo without the NULL of its parameters.
pub(super) fn without_parameters(hash: &[u8], length: usize) -> Vec<u8> {
    let algorithm = element(0x30, &element(6, b"\x60\x86\x48\x01\x65\x03\x04\x02\x01"));
    with_info(&element(0x30, &[algorithm, element(4, hash)].concat()), length)
}

/// The DigestInfo with 64 octets in its parameters.
pub(super) fn filled_parameters(hash: &[u8], length: usize) -> Vec<u8> {
    let identifier = element(6, b"\x60\x86\x48\x01\x65\x03\x04\x02\x01");
    let algorithm = element(0x30, &[identifier, element(5, &[0x5a; 64])].concat());
    with_info(&element(0x30, &[algorithm, element(4, hash)].concat()), length)
}

/// The DigestInfo with a length of one octet more than it needs, as BER may write it.
pub(super) fn long_length(hash: &[u8], length: usize) -> Vec<u8> {
    let contents = [SHA256.get(2..).unwrap_or_default(), hash].concat();
    with_info(&[&[0x30, 0x81, 0x31][..], &contents].concat(), length)
}

/// Eight octets of padding, the DigestInfo, and whatever fills the rest.
pub(super) fn garbage_behind(hash: &[u8], length: usize) -> Vec<u8> {
    let begins = [&[0, 1][..], &[0xff; 8], &[0], SHA256, hash].concat();
    let rest = vec![0x5a; length.saturating_sub(begins.len())];
    [begins, rest].concat()
}

/// The block type 2, which is for encryption.
pub(super) fn block_type_2(hash: &[u8], length: usize) -> Vec<u8> {
    let mut encoded = padded(hash, length);
    if let Some(kind) = encoded.get_mut(1) {
        *kind = 2;
    }
    encoded
}

fn with_info(info: &[u8], length: usize) -> Vec<u8> {
    let filler = vec![0xff; length.saturating_sub(info.len() + 3)];
    [&[0, 1][..], &filler, &[0], info].concat()
}
