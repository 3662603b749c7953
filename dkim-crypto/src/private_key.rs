//! Private keys as files carry them.

use std::fmt;

use zeroize::Zeroizing;

use crate::der::{self, NotDer, Reader};
use crate::pem::{self, PemError};
use crate::public_key::{ID_ED25519, RSA_ENCRYPTION, read_rsa_parameters, write_rsa_algorithm};
use crate::{KeyType, PublicKey, PublicKeyError};

/// A private key in memory; zeroized when dropped, and not shown by `Debug`.
///
/// Only its form is checked here. That its parts belong together is checked when a
/// [`Provider`](crate::Provider) makes a signing key of it.
///
/// ```
/// use dkim_crypto::{KeyType, PrivateKey, PrivateKeyError};
///
/// let file = b"-----BEGIN PRIVATE KEY-----
/// MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
/// -----END PRIVATE KEY-----
/// ";
/// let key = PrivateKey::from_pem(file)?;
/// assert_eq!(key.key_type(), KeyType::Ed25519);
/// assert_eq!(key.to_pkcs8_pem().as_bytes(), file);
/// # Ok::<(), PrivateKeyError>(())
/// ```
pub struct PrivateKey {
    material: Material,
}

enum Material {
    /// An RSAPrivateKey in DER (RFC 8017 §A.1.2), and the public key in it.
    Rsa { pkcs1: Zeroizing<Vec<u8>>, public: PublicKey },
    /// The 32 octets from which Ed25519 derives all else (RFC 8032 §5.1.5), and the public key
    /// where the file has one. On the heap, where no move leaves a copy behind.
    Ed25519 { seed: Zeroizing<Vec<u8>>, public: Option<PublicKey> },
}

impl PrivateKey {
    /// The shortest RSA modulus, in bits, of a key that may sign. RFC 8301 §3.2 says SHOULD; every
    /// provider makes it a must, and so keeps the 1024 bits of RFC 6376 §3.3.3, too.
    pub const MIN_RSA_BITS: u32 = 2048;

    /// Reads a PEM file: the first block labelled `PRIVATE KEY` (PKCS#8, RFC 5958: RSA or Ed25519)
    /// or `RSA PRIVATE KEY` (PKCS#1, RFC 8017).
    ///
    /// Text and other blocks around it, such as certificates, and CRLF line ends are let pass.
    ///
    /// # Errors
    ///
    /// When there is no such block, or its key is encrypted, damaged, or neither RSA nor Ed25519.
    /// Errors tell lines by number and never their text.
    pub fn from_pem(text: &[u8]) -> Result<Self, PrivateKeyError> {
        let mut other = None;
        for block in pem::blocks(text) {
            match block.label {
                b"PRIVATE KEY" | b"RSA PRIVATE KEY" => return Self::from_der(&block.contents()?),
                b"ENCRYPTED PRIVATE KEY" => {
                    return Err(PrivateKeyError::Encrypted { line: block.line });
                }
                label => {
                    let (line, found) = (block.line, name_of(label));
                    other.get_or_insert(PrivateKeyError::NotPrivate { line, found });
                }
            }
        }
        Err(other.unwrap_or(PrivateKeyError::NoPem))
    }

    /// Reads PKCS#8 (RFC 5958) or PKCS#1 (RFC 8017 §A.1.2) in DER.
    ///
    /// # Errors
    ///
    /// When the octets are neither, or the key is neither RSA nor Ed25519.
    pub fn from_der(octets: &[u8]) -> Result<Self, PrivateKeyError> {
        let mut outer = Reader::new(octets);
        let mut key = outer.sequence()?;
        outer.finish()?;
        let version = key.unsigned()?;
        match key.peek() {
            Some(der::SEQUENCE) => Self::from_pkcs8(version, key),
            Some(der::INTEGER) => Self::from_pkcs1(octets, version, key),
            _ => Err(PrivateKeyError::Malformed("it is neither PKCS#8 nor PKCS#1")),
        }
    }

    /// Takes the 32 octets that are an Ed25519 private key (RFC 8032 §5.1.5).
    #[must_use]
    pub fn from_ed25519_seed(seed: &[u8; 32]) -> Self {
        Self { material: Material::Ed25519 { seed: Zeroizing::new(seed.to_vec()), public: None } }
    }

    // OneAsymmetricKey ::= SEQUENCE {
    //     version              INTEGER { v1(0), v2(1) },
    //     privateKeyAlgorithm  SEQUENCE { algorithm OBJECT IDENTIFIER, parameters … },
    //     privateKey           OCTET STRING,
    //     attributes           [0] … OPTIONAL,
    //     publicKey            [1] BIT STRING OPTIONAL }  -- v2 only
    fn from_pkcs8(version: &[u8], mut key: Reader<'_>) -> Result<Self, PrivateKeyError> {
        const ATTRIBUTES: u8 = 0xa0;
        const PUBLIC_KEY: u8 = 0x81;
        const PUBLIC_KEY_CONSTRUCTED: u8 = 0xa1;

        let mut algorithm = key.sequence()?;
        let object_identifier = algorithm.element(der::OBJECT_IDENTIFIER)?;
        let private = key.element(der::OCTET_STRING)?;
        if key.peek() == Some(ATTRIBUTES) {
            key.element(ATTRIBUTES)?;
        }
        let public = match (version, key.peek()) {
            ([] | [1], None) => None,
            ([1], Some(PUBLIC_KEY)) => Some(key.bit_string(PUBLIC_KEY)?),
            // A whole BIT STRING within the tag: ring before 0.17 wrote Ed25519 keys so.
            ([1], Some(PUBLIC_KEY_CONSTRUCTED)) => {
                let mut wrapped = Reader::new(key.element(PUBLIC_KEY_CONSTRUCTED)?);
                let public = wrapped.bit_string(der::BIT_STRING)?;
                wrapped.finish()?;
                Some(public)
            }
            ([] | [1], Some(_)) => {
                return Err(PrivateKeyError::Malformed("something unknown follows the key"));
            }
            _ => return Err(PrivateKeyError::Malformed("its PKCS#8 version is unknown")),
        };
        key.finish()?;

        if object_identifier == RSA_ENCRYPTION {
            read_rsa_parameters(algorithm)?;
            let mut outer = Reader::new(private);
            let mut integers = outer.sequence()?;
            outer.finish()?;
            let version = integers.unsigned()?;
            let key = Self::from_pkcs1(private, version, integers)?;
            match (&key.material, public) {
                (Material::Rsa { public: inner, .. }, Some(outer)) if inner.to_bare() != outer => {
                    Err(PrivateKeyError::Mismatch)
                }
                _ => Ok(key),
            }
        } else if object_identifier == ID_ED25519 {
            // RFC 8410 §3: no parameters. §7: CurvePrivateKey ::= OCTET STRING.
            algorithm.finish()?;
            let mut outer = Reader::new(private);
            let seed = outer.element(der::OCTET_STRING)?;
            outer.finish()?;
            if seed.len() != 32 {
                return Err(PrivateKeyError::Malformed("an Ed25519 key has 32 octets"));
            }
            let seed = Zeroizing::new(seed.to_vec());
            let public = public
                .map(|point| PublicKey::from_p_tag(KeyType::Ed25519, point))
                .transpose()
                .map_err(PrivateKeyError::PublicHalf)?;
            Ok(Self { material: Material::Ed25519 { seed, public } })
        } else {
            Err(PrivateKeyError::OtherAlgorithm)
        }
    }

    // RSAPrivateKey ::= SEQUENCE {
    //     version INTEGER { two-prime(0), multi(1) }, modulus, publicExponent, privateExponent,
    //     prime1, prime2, exponent1, exponent2, coefficient INTEGER }
    fn from_pkcs1(
        octets: &[u8],
        version: &[u8],
        mut integers: Reader<'_>,
    ) -> Result<Self, PrivateKeyError> {
        if !version.is_empty() {
            return Err(PrivateKeyError::Malformed("it is not an RSA key of two primes"));
        }
        let modulus = integers.unsigned()?;
        let exponent = integers.unsigned()?;
        let public =
            PublicKey::from_rsa_integers(modulus, exponent).map_err(PrivateKeyError::PublicHalf)?;
        for _ in ["privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient"] {
            integers.unsigned()?;
        }
        integers.finish()?;
        Ok(Self { material: Material::Rsa { pkcs1: Zeroizing::new(octets.to_vec()), public } })
    }

    /// The key type.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        match self.material {
            Material::Rsa { .. } => KeyType::Rsa,
            Material::Ed25519 { .. } => KeyType::Ed25519,
        }
    }

    /// The key as a PEM file: PKCS#8 of version 1, which every tool reads, labelled `PRIVATE KEY`.
    #[must_use]
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        const MARGIN: usize = 64;
        let secret = self.expose_secret();
        // Room for all at once: a vector that grows leaves copies of itself behind.
        let mut contents = Zeroizing::new(Vec::with_capacity(secret.len() + MARGIN));
        der::write_unsigned(&mut contents, &[]);
        match self.material {
            Material::Rsa { .. } => {
                write_rsa_algorithm(&mut contents);
                der::write(&mut contents, der::OCTET_STRING, secret);
            }
            Material::Ed25519 { .. } => {
                der::write_header(&mut contents, der::SEQUENCE, ID_ED25519.len() + 2);
                der::write(&mut contents, der::OBJECT_IDENTIFIER, ID_ED25519);
                // An OCTET STRING within the OCTET STRING (RFC 8410 §7).
                der::write_header(&mut contents, der::OCTET_STRING, secret.len() + 2);
                der::write(&mut contents, der::OCTET_STRING, secret);
            }
        }
        let mut out = Zeroizing::new(Vec::with_capacity(contents.len() + MARGIN));
        der::write(&mut out, der::SEQUENCE, &contents);
        pem::write("PRIVATE KEY", &out)
    }

    /// The key as cryptographic libraries take it: RSAPrivateKey in DER (RFC 8017 §A.1.2), or the
    /// 32 octets of Ed25519. For implementations of [`Provider`](crate::Provider); copies are the
    /// caller's to zeroize.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        match &self.material {
            Material::Rsa { pkcs1: secret, .. } | Material::Ed25519 { seed: secret, .. } => secret,
        }
    }

    /// Whether a provider may make a signing key of this key.
    ///
    /// # Errors
    ///
    /// [`PrivateKeyError::TooSmall`] when it may not.
    pub fn check_signable(&self) -> Result<(), PrivateKeyError> {
        match &self.material {
            Material::Rsa { public, .. } if public.bits() < Self::MIN_RSA_BITS => {
                Err(PrivateKeyError::TooSmall { bits: public.bits(), minimum: Self::MIN_RSA_BITS })
            }
            _ => Ok(()),
        }
    }

    /// The public key of a signing key, from what a library derived in the form of
    /// [`PublicKey::to_bare`].
    ///
    /// # Errors
    ///
    /// [`PrivateKeyError::Mismatch`] when the file holds another one: whoever signs with it would
    /// publish a key record under which nothing verifies.
    pub fn match_public(&self, derived: &[u8]) -> Result<PublicKey, PrivateKeyError> {
        let derived =
            PublicKey::from_p_tag(self.key_type(), derived).map_err(PrivateKeyError::PublicHalf)?;
        match &self.material {
            Material::Rsa { public, .. } | Material::Ed25519 { public: Some(public), .. }
                if *public != derived =>
            {
                Err(PrivateKeyError::Mismatch)
            }
            _ => Ok(derived),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("key_type", &self.key_type()).finish_non_exhaustive()
    }
}

/// What people put where a private key belongs, by its PEM label (RFC 7468 §4). The label itself
/// is not told: it is a line of the file.
const fn name_of(label: &[u8]) -> &'static str {
    match label {
        b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => "a certificate",
        b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => "a certificate request",
        b"PUBLIC KEY" | b"RSA PUBLIC KEY" => "a public key",
        b"OPENSSH PRIVATE KEY" => "a private key in OpenSSH's own format",
        b"EC PRIVATE KEY" | b"EC PARAMETERS" => "an elliptic curve key that DKIM does not know",
        b"DSA PRIVATE KEY" => "a DSA key",
        _ => "something else",
    }
}

/// Why octets are no usable private key. No variant holds anything of the key but its length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// No PEM block at all.
    #[error("no private key found: a key file has a line `-----BEGIN PRIVATE KEY-----`")]
    NoPem,
    /// A damaged PEM block.
    #[error("line {line}: {problem}")]
    Pem {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An encrypted key, in PKCS#8 or in OpenSSL's older way.
    #[error(
        "line {line}: the private key is encrypted; decrypt it first: `openssl pkey -in KEY -out DECRYPTED`"
    )]
    Encrypted {
        /// The line that says so, counted from 1.
        line: usize,
    },
    /// A PEM file of something else.
    #[error("line {line}: this is {found}; needed is a `PRIVATE KEY` or `RSA PRIVATE KEY`")]
    NotPrivate {
        /// The line that says so, counted from 1.
        line: usize,
        /// What it is.
        found: &'static str,
    },
    /// Not a private key: what is wrong with its encoding.
    #[error("the private key is malformed: {0}")]
    Malformed(&'static str),
    /// A key of another algorithm, such as ECDSA.
    #[error("the private key is neither RSA nor Ed25519")]
    OtherAlgorithm,
    /// The public key within the private key is unusable.
    #[error("the public half of the private key cannot be used")]
    PublicHalf(#[source] PublicKeyError),
    /// The public key in the file belongs to another private key.
    #[error("the public key in the file does not belong to the private key")]
    Mismatch,
    /// An RSA key too short to sign with.
    #[error("an RSA key of {bits} bits is too short to sign with: make one of {minimum} or more")]
    TooSmall {
        /// Length of the modulus in bits.
        bits: u32,
        /// The shortest that would do.
        minimum: u32,
    },
    /// The library will not have it.
    #[error("{provider} refuses the private key: {reason}")]
    Refused {
        /// The provider's name.
        provider: &'static str,
        /// The library's own words.
        reason: String,
    },
    /// This provider does not do that.
    #[error("{provider} does not sign or make keys")]
    Unsupported {
        /// The provider's name.
        provider: &'static str,
    },
    /// This provider makes no RSA keys.
    #[error("{provider} makes no RSA keys: a build with the feature `aws-lc-rs` does")]
    NoRsaKeys {
        /// The provider's name.
        provider: &'static str,
    },
    /// RSA keys of this length are not made.
    #[error("RSA keys are made with 2048, 3072 or 4096 bits, not {bits}")]
    Length {
        /// The length asked for.
        bits: u32,
    },
    /// The library made no key.
    #[error("{provider} failed to make a key, perhaps for want of random numbers")]
    Failed {
        /// The provider's name.
        provider: &'static str,
    },
}

impl From<NotDer> for PrivateKeyError {
    fn from(NotDer(reason): NotDer) -> Self {
        Self::Malformed(reason)
    }
}

impl From<PemError> for PrivateKeyError {
    fn from(error: PemError) -> Self {
        match error {
            PemError::Encrypted { line } => Self::Encrypted { line },
            PemError::Malformed { line, problem } => Self::Pem { line, problem },
        }
    }
}
