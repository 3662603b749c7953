//! Where a key is in a token: the URI of RFC 7512, as far as it says that.

use std::path::PathBuf;

use super::Pkcs11Error;

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
pub(super) struct Pkcs11Uri {
    pub(super) token: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) model: Option<String>,
    pub(super) object: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    kind: Option<String>,
    module_path: Option<String>,
    pin_source: Option<String>,
}

/// The longest URI that is read, in octets.
const MAX_LEN: usize = 4096;

impl Pkcs11Uri {
    pub(super) fn parse(uri: &str) -> Result<Self, Pkcs11Error> {
        let malformed = || Pkcs11Error::Uri("it is no pkcs11: URI");
        let rest = uri.strip_prefix("pkcs11:").ok_or_else(malformed)?;
        if uri.len() > MAX_LEN {
            return Err(Pkcs11Error::Uri("it is too long"));
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = path.split(';').filter(|_| !path.is_empty()).map(|one| (true, one));
        let query = query.split('&').filter(|_| !query.is_empty()).map(|one| (false, one));
        let mut read = Self::default();
        for (is_path, attribute) in path.chain(query) {
            let (name, value) =
                attribute.split_once('=').ok_or(Pkcs11Error::Uri("an attribute has no value"))?;
            let octets = percent_decode(value)?;
            if is_path && name == "id" {
                set(&mut read.id, octets)?;
                continue;
            }
            let text = String::from_utf8(octets)
                .map_err(|_| Pkcs11Error::Uri("an attribute is not UTF-8"))?;
            let place = match (is_path, name) {
                (true, "token") => &mut read.token,
                (true, "manufacturer") => &mut read.manufacturer,
                (true, "serial") => &mut read.serial,
                (true, "model") => &mut read.model,
                (true, "object") => &mut read.object,
                (true, "type") => &mut read.kind,
                (false, "module-path") => &mut read.module_path,
                (false, "pin-source") => &mut read.pin_source,
                // What is on a command line or in a configuration is no secret.
                (false, "pin-value") => return Err(Pkcs11Error::PinValue),
                _ => return Err(Pkcs11Error::Attribute(name.to_owned())),
            };
            set(place, text)?;
        }
        if read.kind.as_deref().is_some_and(|kind| kind != "private") {
            return Err(Pkcs11Error::Uri("only type=private can sign"));
        }
        Ok(read)
    }

    /// The library that speaks to the token.
    pub(super) fn module(&self) -> Result<PathBuf, Pkcs11Error> {
        self.module_path.as_ref().map(PathBuf::from).ok_or(Pkcs11Error::NoModule)
    }

    /// The file with the PIN. RFC 7512 §2.4 lets `pin-source` be other things, too, a program to be
    /// run among them; we take a `file:` URI or a path.
    pub(super) fn pin_file(&self) -> Result<Option<PathBuf>, Pkcs11Error> {
        let Some(source) = &self.pin_source else { return Ok(None) };
        let path = match source.strip_prefix("file:") {
            // With an empty authority: file:///etc/pin.
            Some(path) => path.strip_prefix("//").unwrap_or(path),
            None => source,
        };
        if path.starts_with('/') {
            Ok(Some(PathBuf::from(path)))
        } else {
            Err(Pkcs11Error::Uri("pin-source is no absolute path, nor file: and one"))
        }
    }
}

/// RFC 7512 §2.3: an attribute occurs once.
fn set<T>(place: &mut Option<T>, value: T) -> Result<(), Pkcs11Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Pkcs11Error::Uri("an attribute occurs twice")),
    }
}

fn percent_decode(text: &str) -> Result<Vec<u8>, Pkcs11Error> {
    let digit = |octet: Option<u8>| {
        let digit = octet.and_then(|octet| char::from(octet).to_digit(16));
        digit.and_then(|digit| u8::try_from(digit).ok())
    };
    let (mut octets, mut rest) = (Vec::new(), text.bytes());
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => match (digit(rest.next()), digit(rest.next())) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(Pkcs11Error::Uri("two hexadecimal digits must follow a `%`")),
            },
            octet => octet,
        });
    }
    Ok(octets)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(uri: &str) -> String {
        Pkcs11Uri::parse(uri).unwrap_err().to_string()
    }

    #[test]
    fn what_is_said_is_read() {
        let uri = Pkcs11Uri::parse(
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
        assert_eq!(Pkcs11Uri::parse("pkcs11:").unwrap(), Pkcs11Uri::default());
        assert_eq!(Pkcs11Uri::default().pin_file().unwrap(), None);
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
            let uri = Pkcs11Uri::parse(&format!("pkcs11:?pin-source={source}")).unwrap();
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
            ("pkcs11:slot-id=3", "\"slot-id\" is not known"),
            ("pkcs11:module-path=/x", "\"module-path\" is not known"),
            ("pkcs11:?token=a", "\"token\" is not known"),
            ("pkcs11:?module-name=x", "\"module-name\" is not known"),
            ("pkcs11:?pin-value=123456", "a PIN stands in it"),
            (&format!("pkcs11:token={}", "a".repeat(5000)), "too long"),
        ] {
            let told = told(uri);
            assert!(told.contains(why) && !told.contains("123456"), "{uri}: {told}");
        }
        assert!(matches!(Pkcs11Uri::default().module(), Err(Pkcs11Error::NoModule)));
    }

    #[test]
    fn a_uri_has_4096_octets() {
        let long = |octets: usize| format!("pkcs11:token={}", "a".repeat(octets - 13));
        assert!(Pkcs11Uri::parse(&long(MAX_LEN)).is_ok());
        assert!(told(&long(MAX_LEN + 1)).contains("it is too long"));
    }
}
