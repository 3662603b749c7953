//! Keys in tokens, by PKCS #11: they sign there, and cannot be read.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{
    Attribute, AttributeType, KeyType as TokenKeyType, ObjectClass, ObjectHandle,
};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use dkim_crypto::{
    HashAlgorithm, PrivateKey, Provider, PublicKey, PublicKeyError, SignError, SigningAlgorithm,
    SigningKey,
};
use zeroize::Zeroizing;

use crate::token_uri::{TokenUri, TokenUriError};

/// A private key in a token, and a session with it.
///
/// RSA signs with CKM_SHA256_RSA_PKCS, Ed25519 with CKM_EDDSA. The token must hold the public key,
/// too.
pub struct TokenKey {
    /// One operation at a time.
    session: Mutex<Session>,
    key: ObjectHandle,
    algorithm: SigningAlgorithm,
    public: PublicKey,
    provider: &'static dyn Provider,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl TokenKey {
    /// Opens the key that a URI names (RFC 7512):
    /// `pkcs11:token=…;object=…?module-path=…&pin-source=file:…`. The attributes known are `token`,
    /// `manufacturer`, `serial`, `model`, `object`, `id`, `type`; `module-path` is the library that
    /// speaks to the token, and `pin-source` a file with the PIN.
    ///
    /// # Errors
    ///
    /// When the URI is none of ours, or there is not exactly one such key, or it cannot sign for
    /// DKIM. No error holds the PIN.
    pub fn open(uri: &str, provider: &'static dyn Provider) -> Result<Self, Pkcs11Error> {
        let uri = TokenUri::parse(uri)?;
        let module = Pkcs11::new(uri.module()?);
        let module = module.map_err(|error| Pkcs11Error::Module(error.to_string()))?;
        let flags = CInitializeFlags::OS_LOCKING_OK;
        match module.initialize(CInitializeArgs::new(flags)) {
            // By another key of this process.
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(error.into()),
        }
        let (slot, info) = find_token(&module, &uri)?;
        let session = module.open_ro_session(slot)?;
        if let Some(file) = uri.pin_file()? {
            log_in(&session, &info, &read_pin(&file).map_err(Pkcs11Error::Pin)?)?;
        }
        let private = find_key(&session, &uri)?;
        let (algorithm, public) = public_half(&session, private)?;
        let session = Mutex::new(session);
        let key = Self { session, key: private, algorithm, public, provider };
        key.check()?;
        Ok(key)
    }

    /// Whether the key signs, and what was taken for its public half verifies it.
    fn check(&self) -> Result<(), Pkcs11Error> {
        const MESSAGE: &[u8] = b"Do they belong together?";

        let signature = self.sign(MESSAGE).map_err(|error| match error {
            SignError::Failed(why) | SignError::OutOfReach(why) => Pkcs11Error::Token(why),
            other => Pkcs11Error::Token(other.to_string()),
        })?;
        let verifying = self.provider.prepare(&self.public)?;
        let verified = verifying.verify(self.algorithm, MESSAGE, &signature);
        verified.map_err(|_| Pkcs11Error::Mismatch)
    }
}

impl SigningKey for TokenKey {
    fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        // Whoever panicked has left no operation half done: each is one call.
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let signed = if self.algorithm == SigningAlgorithm::ED25519_SHA256 {
            // RFC 8463 §3: what is signed is the SHA-256 of the header hash input.
            let hash = self.provider.digest(HashAlgorithm::Sha256);
            let mut hash =
                hash.ok_or_else(|| SignError::Failed("there is no SHA-256".to_owned()))?;
            hash.update(message);
            let ed25519 = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519));
            session.sign(&ed25519, self.key, hash.finish().as_bytes())
        } else {
            session.sign(&Mechanism::Sha256RsaPkcs, self.key, message)
        };
        signed.map_err(|error| match &error {
            // It was logged in once.
            Error::Pkcs11(RvError::UserNotLoggedIn, _) => SignError::OutOfReach(in_short(&error)),
            error if is_away(error) => SignError::OutOfReach(in_short(error)),
            _ => SignError::Failed(in_short(&error)),
        })
    }
}

/// Whether it is for the token's absence, and may be another time when it is back.
fn is_away(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::DeviceError
                | RvError::DeviceRemoved
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::TokenNotPresent,
            _,
        )
    )
}

/// The one token that a URI means.
fn find_token(module: &Pkcs11, uri: &TokenUri) -> Result<(Slot, TokenInfo), Pkcs11Error> {
    let mut fitting = Vec::new();
    for slot in module.get_slots_with_initialized_token()? {
        let info = module.get_token_info(slot)?;
        let fits = |said: &Option<String>, is: &str| said.as_deref().is_none_or(|said| said == is);
        if fits(&uri.token, info.label())
            && fits(&uri.manufacturer, info.manufacturer_id())
            && fits(&uri.serial, info.serial_number())
            && fits(&uri.model, info.model())
        {
            fitting.push((slot, info));
        }
    }
    only_one(fitting, "token")
}

/// The one private key that a URI means.
fn find_key(session: &Session, uri: &TokenUri) -> Result<ObjectHandle, Pkcs11Error> {
    let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    template.extend(uri.object.iter().map(|label| Attribute::Label(label.clone().into_bytes())));
    template.extend(uri.id.iter().map(|id| Attribute::Id(id.clone())));
    only_one(session.find_objects(&template)?, "private key")
}

fn only_one<T>(mut all: Vec<T>, what: &'static str) -> Result<T, Pkcs11Error> {
    match (all.pop(), all.len()) {
        (None, _) => Err(Pkcs11Error::None(what)),
        (Some(one), 0) => Ok(one),
        (Some(_), others) => Err(Pkcs11Error::Several { what, count: others + 1 }),
    }
}

/// What is to be published of a private key, and what it signs with.
fn public_half(
    session: &Session,
    private: ObjectHandle,
) -> Result<(SigningAlgorithm, PublicKey), Pkcs11Error> {
    let about = session.get_attributes(private, &[AttributeType::KeyType, AttributeType::Id])?;
    let is_type = |wanted| about.contains(&Attribute::KeyType(wanted));
    let is_rsa = is_type(TokenKeyType::RSA);
    if !is_rsa && !is_type(TokenKeyType::EC_EDWARDS) {
        return Err(Pkcs11Error::OtherAlgorithm);
    }
    // PKCS #11 v2.40 §4.9: the CKA_ID of a private key is that of its public key.
    let mut template = vec![Attribute::Class(ObjectClass::PUBLIC_KEY)];
    template.extend(
        about.into_iter().filter(|one| matches!(one, Attribute::Id(_) | Attribute::KeyType(_))),
    );
    let public = only_one(session.find_objects(&template)?, "public key beside it")?;
    if is_rsa {
        let wanted = [AttributeType::Modulus, AttributeType::PublicExponent];
        let (mut modulus, mut exponent) = (Vec::new(), Vec::new());
        for attribute in session.get_attributes(public, &wanted)? {
            match attribute {
                Attribute::Modulus(octets) => modulus = octets,
                Attribute::PublicExponent(octets) => exponent = octets,
                _ => {}
            }
        }
        let public = PublicKey::from_rsa_integers(&modulus, &exponent)?;
        // RFC 8301 §3.2.
        let (bits, minimum) = (public.bits(), PrivateKey::MIN_RSA_BITS);
        if bits < minimum {
            return Err(Pkcs11Error::TooSmall { bits, minimum });
        }
        return Ok((SigningAlgorithm::RSA_SHA256, public));
    }
    let algorithm = SigningAlgorithm::ED25519_SHA256;
    let point = session.get_attributes(public, &[AttributeType::EcPoint])?;
    let point = point.iter().find_map(|attribute| match attribute {
        Attribute::EcPoint(octets) => bare_point(octets),
        _ => None,
    });
    let point = point.ok_or(Pkcs11Error::OtherAlgorithm)?;
    Ok((algorithm, PublicKey::from_p_tag(algorithm.key(), point)?))
}

/// The 32 octets of an Ed25519 key, which some tokens give as they are, and others within an OCTET
/// STRING or a BIT STRING. Another curve of Edwards has more.
fn bare_point(octets: &[u8]) -> Option<&[u8]> {
    const LENGTH: usize = 32;

    let bare = match octets.len().checked_sub(LENGTH)? {
        0 => octets,
        2 => octets.strip_prefix(&[0x04, 0x20])?,
        3 => octets.strip_prefix(&[0x03, 0x21, 0x00])?,
        _ => return None,
    };
    Some(bare)
}

fn log_in(session: &Session, info: &TokenInfo, pin: &AuthPin) -> Result<(), Pkcs11Error> {
    // Whoever starts a program with a wrong PIN again and again locks the token.
    if info.user_pin_locked() || info.user_pin_final_try() {
        return Err(Pkcs11Error::LastTry);
    }
    match session.login(UserType::User, Some(pin)) {
        // By another key of this process.
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Longer than any token takes, in octets.
const MAX_PIN: usize = 255;

fn read_pin(file: &Path) -> io::Result<AuthPin> {
    // Room for all at once: a vector that grows leaves copies of itself behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(MAX_PIN + 2));
    let beyond = u64::try_from(MAX_PIN + 1).unwrap_or(u64::MAX);
    File::open(file)?.take(beyond).read_to_end(&mut octets)?;
    let no_pin = || io::Error::new(io::ErrorKind::InvalidData, "it holds no PIN");
    pin_in(&octets).map(|pin| AuthPin::new(pin.into())).ok_or_else(no_pin)
}

/// The first line of a file.
fn pin_in(octets: &[u8]) -> Option<&str> {
    let line = octets.split(|&octet| octet == b'\n').next()?;
    let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()?;
    Some(line).filter(|line| !line.is_empty() && octets.len() <= MAX_PIN)
}

/// What the token says, in a few words instead of a paragraph.
fn in_short(error: &Error) -> String {
    match error {
        Error::Pkcs11(value, function) => format!("{value:?} from C_{function:?}"),
        other => other.to_string(),
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs11Error {
    /// The URI breaks its grammar.
    #[error("the URI cannot be read: {0}")]
    Uri(&'static str),
    /// It has an attribute that says something we do not know, and that can be told: letters and `-`.
    #[error("the attribute {0:?} is not known at its place in the URI")]
    Attribute(String),
    /// It holds the PIN.
    #[error(
        "a PIN stands in it, for all to see; put it into a file, and name that with pin-source"
    )]
    PinValue,
    /// It names no module.
    #[error("the URI names no module-path, the library that speaks to the token")]
    NoModule,
    /// The module cannot be loaded.
    #[error("the module cannot be loaded: {0}")]
    Module(String),
    /// The PIN cannot be read.
    #[error("the file with the PIN: {0}")]
    Pin(#[source] io::Error),
    /// With another wrong PIN the token would be locked.
    #[error("the token is locked, or one wrong PIN from it; log in with another program first")]
    LastTry,
    /// There is none.
    #[error("the module knows of no such {0}")]
    None(&'static str),
    /// There is more than one.
    #[error("the URI fits {count} of {what}; say more of it")]
    Several {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
    },
    /// The key is neither RSA nor Ed25519.
    #[error("the key is neither RSA nor Ed25519")]
    OtherAlgorithm,
    /// An RSA key too short to sign with.
    #[error("the RSA key has {bits} bits; at least {minimum} are needed to sign")]
    TooSmall {
        /// Its length in bits.
        bits: u32,
        /// The minimum.
        minimum: u32,
    },
    /// The public key is none.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// The public key beside it is not its own.
    #[error("the public key beside it in the token is another's")]
    Mismatch,
    /// The token was there, and is away.
    #[error("the token is out of reach: {0}")]
    OutOfReach(String),
    /// Module or token refuse.
    #[error("the token refuses: {0}")]
    Token(String),
}

impl From<TokenUriError> for Pkcs11Error {
    fn from(error: TokenUriError) -> Self {
        match error {
            TokenUriError::Malformed(why) => Self::Uri(why),
            TokenUriError::Attribute(name) => Self::Attribute(name),
            TokenUriError::PinValue => Self::PinValue,
            TokenUriError::NoModule => Self::NoModule,
        }
    }
}

impl Pkcs11Error {
    /// Whether it may be another time when the token is there again.
    #[must_use]
    pub fn is_out_of_reach(&self) -> bool {
        matches!(self, Self::None("token") | Self::OutOfReach(_))
    }
}

impl From<Error> for Pkcs11Error {
    fn from(error: Error) -> Self {
        match is_away(&error) {
            true => Self::OutOfReach(in_short(&error)),
            false => Self::Token(in_short(&error)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_point_is_found_in_what_is_around_it() {
        let point = [7; 32];
        for around in [&[][..], &[0x04, 0x20], &[0x03, 0x21, 0x00]] {
            assert_eq!(bare_point(&[around, &point].concat()), Some(&point[..]));
        }
        for other in [&[0x04, 0x21][..], &[0x03, 0x21, 0x01], &[0x04]] {
            assert_eq!(bare_point(&[other, &point].concat()), None);
        }
        assert_eq!(bare_point(&[7; 57]), None);
        assert_eq!(bare_point(&[7; 31]), None);
    }

    #[test]
    fn a_pin_is_the_line_of_its_file() {
        for text in ["123456", "123456\n", "123456\r\n", "123456\nmore\n"] {
            assert_eq!(pin_in(text.as_bytes()), Some("123456"), "{text:?}");
        }
        for none in [&b""[..], b"\n123456", b"\xff\xfe", &[b'1'; 256]] {
            assert_eq!(pin_in(none), None, "{none:?}");
        }
        assert!(pin_in(&[b'1'; 255]).is_some());
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(read_pin(file.path()).is_err());
        fs::write(&file, "123456\n").unwrap();
        assert!(read_pin(file.path()).is_ok());
        fs::write(&file, "1".repeat(10_000)).unwrap();
        assert!(read_pin(file.path()).is_err());
    }

    #[test]
    fn a_token_that_is_away_may_come_back() {
        let error = |value| {
            Pkcs11Error::from(Error::Pkcs11(value, cryptoki::context::Function::OpenSession))
        };
        assert!(error(RvError::TokenNotPresent).is_out_of_reach());
        assert!(error(RvError::DeviceRemoved).is_out_of_reach());
        assert!(!error(RvError::PinIncorrect).is_out_of_reach());
        assert!(!error(RvError::UserNotLoggedIn).is_out_of_reach());
        assert!(Pkcs11Error::None("token").is_out_of_reach());
        assert!(!Pkcs11Error::None("private key").is_out_of_reach());
    }

    #[test]
    fn what_is_no_module_is_told() {
        let provider = &dkim_crypto::ring::PROVIDER;
        let error = TokenKey::open("pkcs11:token=a", provider).unwrap_err();
        assert!(matches!(error, Pkcs11Error::NoModule), "{error}");
        for module in ["/none.so", "/etc/passwd"] {
            let uri = format!("pkcs11:token=a?module-path={module}");
            let error = TokenKey::open(&uri, provider).unwrap_err();
            assert!(matches!(error, Pkcs11Error::Module(_)), "{error}");
        }
    }
}
