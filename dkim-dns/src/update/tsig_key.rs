//! The secret that a name server and those who may update it share, in the file that BIND's
//! `tsig-keygen` writes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::name::Name;

/// How the authentication code of TSIG is computed (RFC 8945 §6). Those that the RFC wants no more,
/// with MD5 and SHA-1, are not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TsigAlgorithm {
    /// HMAC with SHA-256, the one that everybody has.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
}

impl TsigAlgorithm {
    /// All algorithms.
    pub const ALL: [Self; 3] = [Self::HmacSha256, Self::HmacSha384, Self::HmacSha512];

    /// Its name, such as `hmac-sha256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha384 => "hmac-sha384",
            Self::HmacSha512 => "hmac-sha512",
        }
    }

    /// The algorithm of this name, without regard to case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
}

/// A TSIG key (RFC 8945 §4.2, §6): whoever has it may change the zone.
///
/// ```
/// use dkim_dns::TsigKey;
///
/// let key = TsigKey::parse(
///     r#"key "dkim." { algorithm hmac-sha256; secret "c2VjcmV0IHNlY3JldCBzZWNyZXQ="; };"#,
/// )?;
/// assert_eq!(key.name(), "dkim");
/// assert!(!format!("{key:?}").contains("c2Vj"));
/// # Ok::<(), dkim_dns::TsigKeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TsigKey {
    name: String,
    algorithm: TsigAlgorithm,
    secret: Zeroizing<Vec<u8>>,
}

/// Without the secret.
impl fmt::Debug for TsigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, algorithm, .. } = self;
        f.debug_struct("TsigKey").field("name", name).field("algorithm", algorithm).finish()
    }
}

impl TsigKey {
    /// The longest file that is read, in octets.
    pub const MAX_LEN: usize = 64 * 1024;

    /// Reads a `key` statement of BIND, as `tsig-keygen` writes it, with comments or without. A file
    /// has one key.
    ///
    /// # Errors
    ///
    /// When it is none, or more than one. Errors never tell what stands there.
    pub fn parse(text: &str) -> Result<Self, TsigKeyError> {
        if text.len() > Self::MAX_LEN {
            return Err(TsigKeyError::Syntax { expected: "a key statement, and not so much else" });
        }
        let mut words = words(text)?.into_iter();
        let mut expect = |word: &str, expected| match words.next() {
            Some(next) if word.is_empty() || next.eq_ignore_ascii_case(word) => Ok(next),
            _ => Err(TsigKeyError::Syntax { expected }),
        };
        expect("key", "`key`")?;
        let name = expect("", "the name of the key")?;
        expect("{", "`{` after the name of the key")?;
        let (mut algorithm, mut secret) = (None, None);
        loop {
            let setting = expect("", "`algorithm` or `secret`")?;
            let is = |word: &str| setting.eq_ignore_ascii_case(word);
            if is("}") {
                break;
            } else if is("algorithm") && algorithm.is_none() {
                algorithm = Some(expect("", "an algorithm")?);
            } else if is("secret") && secret.is_none() {
                secret = Some(expect("", "a secret")?);
            } else {
                return Err(TsigKeyError::Syntax { expected: "`algorithm` or `secret`, once" });
            }
            expect(";", "`;` at the end of a setting")?;
        }
        expect(";", "`;` after `}`")?;
        if words.next().is_some() {
            return Err(TsigKeyError::Syntax { expected: "one key and nothing else" });
        }
        let algorithm = algorithm.ok_or(TsigKeyError::Missing { what: "algorithm" })?;
        let algorithm = TsigAlgorithm::from_name(algorithm).ok_or(TsigKeyError::Algorithm)?;
        let secret = secret.ok_or(TsigKeyError::Missing { what: "secret" })?;
        Self::new(name, algorithm, decode(secret).ok_or(TsigKeyError::NotBase64)?)
    }

    /// A key out of its parts.
    ///
    /// # Errors
    ///
    /// When the name is none or the root, or has octets that are no printing ASCII or one of
    /// `\{};"+/=`; when the secret is empty.
    pub fn new(
        name: &str,
        algorithm: TsigAlgorithm,
        secret: Zeroizing<Vec<u8>>,
    ) -> Result<Self, TsigKeyError> {
        // BIND would read a backslash as the begin of an escape, and what does not print is nobody's
        // name for a key, such as the line end after a quote that was not closed; nor is what has a
        // meaning in the file. What base64 has beside letters and digits stands in a secret that was
        // put in the place of the name, which is sent to the server for all to see.
        let is_plain = |octet: u8| octet.is_ascii_graphic() && !b"\\{};\"+/=".contains(&octet);
        if !name.bytes().all(is_plain) {
            return Err(TsigKeyError::Name);
        }
        // RFC 8945 §4.2: the name is compared in lower case, as everything in the DNS.
        let absolute = Name::absolute(name).map_err(|_| TsigKeyError::Name)?;
        if absolute == Name::root() {
            return Err(TsigKeyError::Name);
        }
        let name = absolute.to_string();
        if secret.is_empty() {
            return Err(TsigKeyError::Missing { what: "secret" });
        }
        Ok(Self { name, algorithm, secret })
    }

    /// What server and client call it, in lower case and without a closing dot.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is used.
    #[must_use]
    pub const fn algorithm(&self) -> TsigAlgorithm {
        self.algorithm
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }
}

/// Without a copy that is not zeroized.
fn decode(base64: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(vec![0; base64::decoded_len_estimate(base64.len())]);
    let len = STANDARD.decode_slice(base64, &mut octets).ok()?;
    octets.truncate(len);
    Some(octets)
}

/// The words of a statement: names, what stands in quotes, and `{`, `}` and `;` each for itself.
/// Comments are those of C, C++ and the shell.
fn words(text: &str) -> Result<Vec<&str>, TsigKeyError> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = match first {
            _ if first.is_whitespace() => after,
            '#' => after.split_once('\n').map_or("", |(_, rest)| rest),
            '/' if after.starts_with('/') => after.split_once('\n').map_or("", |(_, rest)| rest),
            '/' if after.starts_with('*') => {
                let unclosed = TsigKeyError::Syntax { expected: "`*/` at the end of a comment" };
                let body = after.get(1..).unwrap_or_default();
                body.split_once("*/").map(|(_, rest)| rest).ok_or(unclosed)?
            }
            '"' => {
                let unclosed = TsigKeyError::Syntax { expected: "a second quote" };
                let (word, rest) = after.split_once('"').ok_or(unclosed)?;
                words.push(word);
                rest
            }
            '{' | '}' | ';' => {
                words.extend(rest.get(..first.len_utf8()));
                after
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, '{' | '}' | ';' | '"' | '#');
                // A comment may stand right behind a word, as BIND has it; a `/` alone may be in one.
                let ends = [rest.find(ends), rest.find("//"), rest.find("/*")];
                let end = ends.into_iter().flatten().min().unwrap_or(rest.len());
                let (word, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
                words.push(word);
                rest
            }
        };
    }
    Ok(words)
}

/// Why a text is no TSIG key. What stands there may be the secret, in a place that is not for it:
/// nothing of it is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TsigKeyError {
    /// Not a key statement.
    #[error("no key statement of BIND: {expected} expected")]
    Syntax {
        /// What should stand there.
        expected: &'static str,
    },
    /// A part is missing.
    #[error("the {what} of the key is missing")]
    Missing {
        /// Which one.
        what: &'static str,
    },
    /// The name is no domain name, or one with octets that names of keys do not have.
    #[error("the name of the key is no domain name of letters, digits and the like")]
    Name,
    /// The algorithm is not known, or not to be used any more.
    #[error("the algorithm of the key is not one of hmac-sha256, hmac-sha384, hmac-sha512")]
    Algorithm,
    /// The secret is not base64.
    #[error("the secret is not base64")]
    NotBase64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_tsig_keygen_writes_is_read() {
        let texts = [
            "key \"k.example\" {\n\talgorithm hmac-sha512;\n\tsecret \"AQID\";\n};\n",
            "# made by hand\nkey K.example. { // a name\n secret AQID; /* no\nquotes */ algorithm HMAC-SHA512; };",
        ];
        for text in texts {
            let key = TsigKey::parse(text).unwrap();
            assert_eq!((key.name(), key.algorithm()), ("k.example", TsigAlgorithm::HmacSha512));
            assert_eq!(key.secret(), [1, 2, 3]);
        }
    }

    #[test]
    fn what_is_no_key_is_told_without_its_text() {
        for text in [
            "",
            "AQIDsecret",
            "key \"k\"",
            "key \"k\" { algorithm hmac-sha256; };",
            "key \"k\" { secret \"AQIDsecretAQI\"; };",
            "key \"k\" { algorithm hmac-sha256; secret \"AQIDsecret\"; };",
            "key \"k\" { algorithm hmac-sha256; secret \"\"; };",
            "key \"k\" { algorithm hmac-sha256; secret \"AQID\"; secret \"AQID\"; };",
            "key \"k\" { algorithm hmac-sha256; secret \"AQID\" };",
            "key \"k\" { algorithm hmac-sha256; secret \"AQID\"; }",
            "key \"k\" { algorithm hmac-sha256; secret \"AQIDsecret",
            "key \"k\" { algorithm hmac-sha256; /* secret \"AQIDsecret\"; };",
            "key \"k\" { algorithm hmac-sha256; secret \"AQID\"; }; key \"l\" { };",
            "key \"a..b\" { algorithm hmac-sha256; secret \"AQID\"; };",
            "key \"k\" { algorithm \"AQIDsecret=\"; secret hmac-sha256; };",
            "key \"AQIDsecret==\" { algorithm hmac-sha256; secret \"\"; };",
            "key \"AQID secret\" { algorithm hmac-sha256; secret k; };",
        ] {
            let error = TsigKey::parse(text).unwrap_err();
            assert!(!error.to_string().contains("AQID"), "{error}");
        }
        let md5 = "key k { algorithm hmac-md5; secret AQID; };";
        assert!(matches!(TsigKey::parse(md5), Err(TsigKeyError::Algorithm)));
    }

    /// Ours would be another name than BIND's.
    #[test]
    fn a_key_has_a_name_without_escapes() {
        let swapped = ["AQ+D", "AQ/D", "AQI="];
        for name in
            ["a\nb", "a\r\nb", "a b", "a\\.b", "a\\010b", "\u{fc}", "a\0", "", ".", ";", "}"]
                .into_iter()
                .chain(swapped)
        {
            let text = format!("key \"{name}\" {{ algorithm hmac-sha256; secret \"AQID\"; }};");
            assert_eq!(TsigKey::parse(&text), Err(TsigKeyError::Name));
        }
    }

    #[test]
    fn a_comment_may_follow_at_once() {
        let texts = [
            "key k// a {\n{ algorithm hmac-sha256/* b; */; secret AQ/D; }; // c",
            "key/**/\"k\"/**/{ algorithm/**/hmac-sha256; secret \"AQ/D\"// d\n; };",
        ];
        for text in texts {
            let key = TsigKey::parse(text).unwrap();
            assert_eq!((key.name(), key.secret()), ("k", &[1, 0x0f, 0xc3][..]), "{text}");
        }
        // Without quotes it is the begin of a comment, and the `;` is in it.
        let bare = "key k { algorithm hmac-sha256; secret AQ//; };";
        assert!(matches!(TsigKey::parse(bare), Err(TsigKeyError::Syntax { .. })));
        let quoted = "key k { algorithm hmac-sha256; secret \"AQ//\"; };";
        assert_eq!(TsigKey::parse(quoted).unwrap().secret(), [1, 0x0f, 0xff]);
        assert!(TsigKey::parse("key } { algorithm hmac-sha256; secret AQID; };").is_err());
    }

    #[test]
    fn so_much_is_read() {
        let key = "key k { algorithm hmac-sha256; secret AQID; };";
        let long = |octets: usize| format!("{key}#{}", "x".repeat(octets - key.len() - 1));
        assert!(TsigKey::parse(&long(TsigKey::MAX_LEN)).is_ok());
        assert!(TsigKey::parse(&long(TsigKey::MAX_LEN + 1)).is_err());
    }
}
