//! Where a key is in a token: the URI of RFC 7512, as far as it says that. Whoever cannot open tokens
//! reads it, too: a PIN must not stand in it, and the file that has one is looked at.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::excerpt::excerpt;

/// A `pkcs11:` URI of a private key.
///
/// ```text
/// pk11-URI   =  "pkcs11:" pk11-path [ "?" pk11-query ]     ; RFC 7512 §2.3
/// pk11-path  =  [ pk11-pattr *( ";" pk11-pattr ) ]
/// pk11-query =  [ pk11-qattr *( "&" pk11-qattr ) ]
/// ```
///
/// Of the path, `token`, `manufacturer`, `serial`, `model`, `object`, `id` and `type=private` are
/// known; of the query, `module-path` and `pin-source`. Whatever else there is narrows what is
/// meant, or changes how it is reached, and is refused rather than let pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenUri {
    pub(crate) token: Option<String>,
    pub(crate) manufacturer: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) object: Option<String>,
    pub(crate) id: Option<Vec<u8>>,
    kind: Option<String>,
    module_path: Option<String>,
    pin_source: Option<String>,
}

/// The longest URI that is read, in octets.
const MAX_LEN: usize = 4096;

impl TokenUri {
    pub(crate) fn parse(uri: &str) -> Result<Self, TokenUriError> {
        let malformed = || TokenUriError::Malformed("it is no pkcs11: URI");
        let rest = after_scheme(uri).ok_or_else(malformed)?;
        // What is on a command line or in a configuration is no secret.
        if holds_pin(uri) {
            return Err(TokenUriError::PinValue);
        }
        if uri.len() > MAX_LEN {
            return Err(TokenUriError::Malformed("it is too long"));
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = path.split(';').filter(|_| !path.is_empty()).map(|one| (true, one));
        let query = query.split('&').filter(|_| !query.is_empty()).map(|one| (false, one));
        let mut read = Self::default();
        for (is_path, attribute) in path.chain(query) {
            let (name, value) = attribute
                .split_once('=')
                .ok_or(TokenUriError::Malformed("an attribute has no value"))?;
            let octets = percent_decode(value)?;
            if is_path && name == "id" {
                set(&mut read.id, octets)?;
                continue;
            }
            let text = String::from_utf8(octets)
                .map_err(|_| TokenUriError::Malformed("an attribute is not UTF-8"))?;
            let place = match (is_path, name) {
                (true, "token") => &mut read.token,
                (true, "manufacturer") => &mut read.manufacturer,
                (true, "serial") => &mut read.serial,
                (true, "model") => &mut read.model,
                (true, "object") => &mut read.object,
                (true, "type") => &mut read.kind,
                (false, "module-path") => &mut read.module_path,
                (false, "pin-source") => &mut read.pin_source,
                _ => return Err(TokenUriError::unknown(name)),
            };
            set(place, text)?;
        }
        if read.kind.as_deref().is_some_and(|kind| kind != "private") {
            return Err(TokenUriError::Malformed("only type=private can sign"));
        }
        Ok(read)
    }

    /// The library that speaks to the token.
    pub(crate) fn module(&self) -> Result<PathBuf, TokenUriError> {
        self.module_path.as_ref().map(PathBuf::from).ok_or(TokenUriError::NoModule)
    }

    /// The file with the PIN. RFC 7512 §2.4 lets `pin-source` be other things, too, a program to be
    /// run among them; we take a `file:` URI or a path.
    pub(crate) fn pin_file(&self) -> Result<Option<PathBuf>, TokenUriError> {
        let Some(source) = &self.pin_source else { return Ok(None) };
        let path = match source.strip_prefix("file:") {
            // With an empty authority: file:///etc/pin.
            Some(path) => path.strip_prefix("//").unwrap_or(path),
            None => source,
        };
        if path.starts_with('/') {
            Ok(Some(PathBuf::from(path)))
        } else {
            Err(TokenUriError::Malformed("pin-source is no absolute path, nor file: and one"))
        }
    }
}

/// RFC 7512 §2.3: an attribute occurs once.
fn set<T>(place: &mut Option<T>, value: T) -> Result<(), TokenUriError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(TokenUriError::Malformed("an attribute occurs twice")),
    }
}

/// What follows the scheme, which is the same in upper and in lower case (RFC 3986 §3.1).
fn after_scheme(uri: &str) -> Option<&str> {
    const SCHEME: &str = "pkcs11:";

    let (scheme, rest) = uri.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(rest)
}

/// Whether this is a `pkcs11:` URI, however it goes on.
pub(crate) fn is_token_uri(text: &str) -> bool {
    after_scheme(text).is_some()
}

/// Whether a PIN stands in a `pkcs11:` URI, be it where the grammar has no place for it, or in
/// letters that nobody would read.
pub(crate) fn holds_pin(text: &str) -> bool {
    const NAME: &[u8] = b"pin-value=";

    let Some(rest) = after_scheme(text) else { return false };
    let mut octets = Zeroizing::new(Vec::with_capacity(rest.len()));
    octets.extend(decoded(rest).map(|octet| octet.unwrap_or_else(|broken| broken)));
    octets.windows(NAME.len()).any(|octets| octets.eq_ignore_ascii_case(NAME))
}

/// The octets that a text stands for (RFC 3986 §2.1); as an error, a `%` that no two hexadecimal
/// digits follow.
fn decoded(text: &str) -> impl Iterator<Item = Result<u8, u8>> {
    let digit = |octet: u8| u8::try_from(char::from(octet).to_digit(16)?).ok();
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (&octet, after) = rest.split_first()?;
        rest = after;
        match (octet, after) {
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    Some(Ok(high << 4 | low))
                }
                _ => Some(Err(octet)),
            },
            (b'%', _) => Some(Err(octet)),
            _ => Some(Ok(octet)),
        }
    })
}

fn percent_decode(text: &str) -> Result<Vec<u8>, TokenUriError> {
    let broken = |_| TokenUriError::Malformed("two hexadecimal digits must follow a `%`");
    decoded(text).collect::<Result<_, _>>().map_err(broken)
}

/// Why a URI says of no key where it is.
#[derive(Debug)]
pub(crate) enum TokenUriError {
    /// It breaks its grammar.
    Malformed(&'static str),
    /// It has an attribute that says something we do not know.
    Attribute(String),
    /// It holds the PIN.
    PinValue,
    /// It names no module.
    NoModule,
}

impl TokenUriError {
    /// What stands in the place of a name is told only where it can be one: it may be a secret.
    fn unknown(name: &str) -> Self {
        match name.bytes().all(|octet| octet.is_ascii_alphabetic() || octet == b'-') {
            true => Self::Attribute(excerpt(name)),
            false => Self::Malformed("an attribute is not known at its place"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(uri: &str) -> String {
        format!("{:?}", TokenUri::parse(uri).unwrap_err())
    }

    #[test]
    fn what_is_said_is_read() {
        let uri = TokenUri::parse(
            "pkcs11:token=The%20Token%3b1;manufacturer=Snake%20Oil;serial=DECAFBAD;model=v1;\
             object=dkim;id=%69%95%3E%5C%F4%BD;type=private\
             ?module-path=/usr/lib/x.so&pin-source=file:/etc/token%20pin",
        )
        .unwrap();
        assert_eq!(uri.token.as_deref(), Some("The Token;1"));
        assert_eq!(uri.manufacturer.as_deref(), Some("Snake Oil"));
        assert_eq!((uri.serial.as_deref(), uri.model.as_deref()), (Some("DECAFBAD"), Some("v1")));
        assert_eq!(uri.object.as_deref(), Some("dkim"));
        assert_eq!(uri.id.as_deref(), Some(&b"\x69\x95\x3e\x5c\xf4\xbd"[..]));
        assert_eq!(uri.module().unwrap(), PathBuf::from("/usr/lib/x.so"));
        assert_eq!(uri.pin_file().unwrap(), Some(PathBuf::from("/etc/token pin")));
        for none in ["pkcs11:", "PKCS11:"] {
            assert_eq!(TokenUri::parse(none).unwrap(), TokenUri::default());
        }
        assert_eq!(TokenUri::default().pin_file().unwrap(), None);
    }

    #[test]
    fn a_pin_is_in_a_file() {
        for (source, file) in [
            ("/etc/pin", Some("/etc/pin")),
            ("file:/etc/pin", Some("/etc/pin")),
            ("file:///etc/pin", Some("/etc/pin")),
            ("file://host/etc/pin", None),
            ("file:pin", None),
            ("pin", None),
            ("|/usr/bin/pin", None),
            ("https://example.com/pin", None),
            ("", None),
        ] {
            let uri = TokenUri::parse(&format!("pkcs11:?pin-source={source}")).unwrap();
            assert_eq!(uri.pin_file().ok(), file.map(|file| Some(PathBuf::from(file))), "{source}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_and_no_pin_is_told() {
        for (uri, why) in [
            ("file:key", "no pkcs11: URI"),
            ("pkcs11:token", "has no value"),
            ("pkcs11:token=a;", "has no value"),
            ("pkcs11:token=a;token=b", "occurs twice"),
            ("pkcs11:id=a;id=b", "occurs twice"),
            ("pkcs11:token=%4", "two hexadecimal digits"),
            ("pkcs11:token=%+1", "two hexadecimal digits"),
            ("pkcs11:token=%ff", "not UTF-8"),
            ("pkcs11:type=public", "only type=private"),
            ("pkcs11:slot-id=3", r#"Attribute("slot-id")"#),
            ("pkcs11:module-path=/x", r#"Attribute("module-path")"#),
            ("pkcs11:?token=a", r#"Attribute("token")"#),
            ("pkcs11:?module-name=x", r#"Attribute("module-name")"#),
            ("pkcs11:?pin-value=123456", "PinValue"),
            ("pkcs11:pin-value=123456", "PinValue"),
            ("PKCS11:token=a;Pin-Value=123456", "PinValue"),
            ("pkcs11:?token=a&p%69n%2dvalue=123456", "PinValue"),
            ("pkcs11:token=%4?pin-value=123456", "PinValue"),
            ("pkcs11:pin%123456=a", "an attribute is not known"),
            ("pkcs11:123456=a", "an attribute is not known"),
            (&format!("pkcs11:token={}", "a".repeat(5000)), "too long"),
        ] {
            let told = told(uri);
            assert!(told.contains(why) && !told.contains("123456"), "{uri}: {told}");
        }
        assert!(matches!(TokenUri::default().module(), Err(TokenUriError::NoModule)));
    }

    #[test]
    fn a_uri_has_4096_octets() {
        let long = |octets: usize| format!("pkcs11:token={}", "a".repeat(octets - 13));
        assert!(TokenUri::parse(&long(MAX_LEN)).is_ok());
        assert!(told(&long(MAX_LEN + 1)).contains("it is too long"));
    }
}
