//! The key record: a public key and the terms of its use.

use dkim_crypto::{HashAlgorithm, KeyType, PublicKey, PublicKeyError};
use dkim_tags::value::{
    base64, colon_list, excerpt, is_hyphenated_word, to_base64, to_quoted_printable,
};
use dkim_tags::{TagList, TagListError, TagWriter};

/// A key record (RFC 6376 §3.6.1).
///
/// ```
/// use dkim_keyrec::KeyRecord;
///
/// let record =
///     KeyRecord::parse(b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")?;
/// assert_eq!(record.key.ok_or("revoked")?.bits(), 256);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRecord {
    /// Whether the record says `v=DKIM1`; without it, it counts as if it did.
    pub versioned: bool,
    hashes: Option<Vec<String>>,
    /// `p=`: the public key; `None` when it was revoked.
    pub key: Option<PublicKey>,
    /// `k=`: the key type, kept for a revoked key too.
    pub key_type: KeyType,
    notes: Option<String>,
    services: Option<Vec<String>>,
    flags: Vec<String>,
}

impl KeyRecord {
    /// The longest record that is read, in octets. The largest key that may verify (RSA with 8192
    /// bits) needs a tenth of it.
    pub const MAX_LEN: usize = 16 * 1024;

    /// A record for a key, with `v=DKIM1` and no terms.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        let key_type = key.key_type();
        Self {
            versioned: true,
            hashes: None,
            key: Some(key),
            key_type,
            notes: None,
            services: None,
            flags: Vec::new(),
        }
    }

    /// Reads a record, the strings of the TXT record put together (RFC 6376 §3.6.2.2).
    ///
    /// `g=`, which RFC 4871 had, is an unknown tag (RFC 6376 Appendix C.2). White space may follow
    /// the last `;`, as many published records have it.
    ///
    /// # Errors
    ///
    /// When the record is not to be used, by RFC 6376 §3.6.1 and §6.1.2.
    pub fn parse(record: &[u8]) -> Result<Self, KeyRecordError> {
        if record.len() > Self::MAX_LEN {
            return Err(KeyRecordError::TooLong { limit: Self::MAX_LEN });
        }
        // RFC 8616 §5: key records stay ASCII, whatever the field that names them may hold.
        if !record.is_ascii() {
            return Err(KeyRecordError::NotAscii);
        }
        let tags = TagList::parse(record)?;
        let version = tags.value("v");
        check_version(&tags)?;
        let key_type = tags.value("k").map_or(Ok(KeyType::Rsa), read_key_type)?;
        Ok(Self {
            versioned: version.is_some(),
            hashes: tags
                .value("h")
                .map(|value| read_words("h", value, is_hyphenated_word))
                .transpose()?,
            key: read_key(key_type, tags.value("p").ok_or(KeyRecordError::MissingKey)?)?,
            key_type,
            // A fold is no part of the notes, and no line of the record when it is written.
            notes: tags.value("n").map(|notes| notes.replace("\r\n", "")),
            services: tags
                .value("s")
                .map(|value| read_words("s", value, is_service))
                .transpose()?,
            flags: tags
                .value("t")
                .map_or(Ok(Vec::new()), |value| read_words("t", value, is_flag))?,
        })
    }

    /// `h=`: the names of the acceptable hash algorithms; `None` means all.
    #[must_use]
    pub fn hashes(&self) -> Option<&[String]> {
        self.hashes.as_deref()
    }

    /// `s=`: the service types; `None` means all.
    #[must_use]
    pub fn services(&self) -> Option<&[String]> {
        self.services.as_deref()
    }

    /// `t=`: the flags.
    #[must_use]
    pub fn flags(&self) -> &[String] {
        &self.flags
    }

    /// `n=`: notes for people, as written: quoted-printable.
    #[must_use]
    pub fn notes(&self) -> Option<&str> {
        self.notes.as_deref()
    }

    /// Sets `h=`; no words at all take it away.
    ///
    /// # Errors
    ///
    /// When a word is none by the grammar.
    pub fn set_hashes(&mut self, words: &[&str]) -> Result<(), KeyRecordError> {
        self.hashes = check_words("h", words, is_hyphenated_word)?;
        Ok(())
    }

    /// Sets `s=`; no words at all take it away.
    ///
    /// # Errors
    ///
    /// When a word is none by the grammar.
    pub fn set_services(&mut self, words: &[&str]) -> Result<(), KeyRecordError> {
        self.services = check_words("s", words, is_service)?;
        Ok(())
    }

    /// Sets `t=`; no words at all take it away.
    ///
    /// # Errors
    ///
    /// When a word is none by the grammar.
    pub fn set_flags(&mut self, words: &[&str]) -> Result<(), KeyRecordError> {
        self.flags = check_words("t", words, is_flag)?.unwrap_or_default();
        Ok(())
    }

    /// Sets `n=` to any text; empty text takes it away.
    pub fn set_notes(&mut self, text: &str) {
        self.notes = Some(to_quoted_printable(text.as_bytes())).filter(|notes| !notes.is_empty());
    }

    /// Whether signatures with this hash are acceptable (RFC 6376 §6.1.2, step 6).
    #[must_use]
    pub fn allows_hash(&self, hash: HashAlgorithm) -> bool {
        self.hashes.as_ref().is_none_or(|names| names.iter().any(|name| name == hash.name()))
    }

    /// Whether the key is for electronic mail: `s=` absent, `email` or `*`.
    #[must_use]
    pub fn allows_email(&self) -> bool {
        let for_email = |service: &String| service == "email" || service == "*";
        self.services.as_ref().is_none_or(|services| services.iter().any(for_email))
    }

    /// Flag `y`: the domain is testing DKIM.
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.has_flag("y")
    }

    /// Flag `s`: the domain of `i=` must be that of `d=`, not one below it.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.has_flag("s")
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|set| set == flag)
    }

    /// Writes the record on one line; a TXT record splits it into strings of 255 octets.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut writer = TagWriter::unfolded();
        if self.versioned {
            writer.tag("v", ["DKIM1"]);
        }
        for (name, words) in [("h", &self.hashes), ("s", &self.services)] {
            if let Some(words) = words {
                writer.tag(name, [words.join(":").as_str()]);
            }
        }
        if !self.flags.is_empty() {
            writer.tag("t", [self.flags.join(":").as_str()]);
        }
        writer.tag("k", [self.key_type.name()]);
        if let Some(notes) = &self.notes {
            writer.tag("n", [notes.as_str()]);
        }
        let key = self.key.as_ref().map(|key| to_base64(&key.to_p_tag()));
        writer.tag("p", [key.as_deref().unwrap_or_default()]);
        writer.finish()
    }
}

/// Why a record is no usable key record. What it tells of a value is no more than an
/// [`excerpt`](dkim_tags::value::excerpt).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRecordError {
    /// The record is too long to be read.
    #[error("longer than {limit} octets")]
    TooLong {
        /// The limit, in octets.
        limit: usize,
    },
    /// It holds octets that are not ASCII.
    #[error("octets that are not ASCII")]
    NotAscii,
    /// It is no tag-list.
    #[error(transparent)]
    TagList(#[from] TagListError),
    /// `v=` is not `DKIM1`.
    #[error("version {0:?} is not \"DKIM1\"")]
    Version(String),
    /// `v=` is not the first tag.
    #[error("tag v= is not the first")]
    VersionNotFirst,
    /// There is no `p=`.
    #[error("required tag p= is missing")]
    MissingKey,
    /// `k=` names a key type that DKIM does not know.
    #[error("unknown key type {0:?}")]
    UnknownKeyType(String),
    /// A tag's value breaks its grammar.
    #[error("tag {0}= has an invalid value")]
    Invalid(&'static str),
    /// `p=` holds a character that base64 does not have.
    #[error("tag p= holds {character:?}, which is not of base64, as its character {at}")]
    NotBase64 {
        /// The first one.
        character: char,
        /// Which character of the value it is, counted from 1, white space too.
        at: usize,
    },
    /// `p=` is base64 of too few characters or too many, or of others than those at its end: it was
    /// cut, or put together wrongly.
    #[error("tag p= is not whole: its base64 does not end as base64 ends, or goes on behind that")]
    NotWhole,
    /// The octets of `p=` are no usable key of the type `k=`.
    #[error("tag p= holds no usable {key_type} key: {source}")]
    Key {
        /// The key type.
        key_type: KeyType,
        /// What is wrong with the key.
        source: PublicKeyError,
    },
}

/// RFC 6376 §3.6.1: "This tag MUST be the first tag in the record. Records beginning with a "v="
/// tag with any other value MUST be discarded."
fn check_version(tags: &TagList<'_>) -> Result<(), KeyRecordError> {
    match tags.value("v") {
        None => Ok(()),
        Some(_) if tags.tags().first().is_some_and(|tag| tag.name() != "v") => {
            Err(KeyRecordError::VersionNotFirst)
        }
        Some("DKIM1") => Ok(()),
        Some(version) => Err(KeyRecordError::Version(excerpt(version))),
    }
}

/// `key-k-tag-type = "rsa" / x-key-k-tag-type`
fn read_key_type(value: &str) -> Result<KeyType, KeyRecordError> {
    match KeyType::from_name(value.as_bytes()) {
        Some(key_type) => Ok(key_type),
        None if is_hyphenated_word(value) => Err(KeyRecordError::UnknownKeyType(excerpt(value))),
        None => Err(KeyRecordError::Invalid("k")),
    }
}

/// `key-p-tag = %x70 [FWS] "=" [ [FWS] base64string]`
fn read_key(key_type: KeyType, value: &str) -> Result<Option<PublicKey>, KeyRecordError> {
    if value.is_empty() {
        return Ok(None);
    }
    let octets = base64(value).ok_or_else(|| not_base64(value))?;
    PublicKey::from_p_tag(key_type, &octets)
        .map(Some)
        .map_err(|source| KeyRecordError::Key { key_type, source })
}

/// Why a value is no base64.
fn not_base64(value: &str) -> KeyRecordError {
    let is_stray = |c: char| !(c.is_ascii_alphanumeric() || "+/= \t\r\n".contains(c));
    match (1..).zip(value.chars()).find(|(_, c)| is_stray(*c)) {
        Some((at, character)) => KeyRecordError::NotBase64 { character, at },
        None => KeyRecordError::NotWhole,
    }
}

/// The words of a colon-separated list; unknown ones are kept and mean nothing.
fn read_words(
    tag: &'static str,
    value: &str,
    is_word: impl Fn(&str) -> bool,
) -> Result<Vec<String>, KeyRecordError> {
    let words: Vec<String> = colon_list(value).map(str::to_owned).collect();
    if words.iter().all(|word| is_word(word)) {
        Ok(words)
    } else {
        Err(KeyRecordError::Invalid(tag))
    }
}

/// Words to be written; `None` for none at all.
fn check_words(
    tag: &'static str,
    words: &[&str],
    is_word: impl Fn(&str) -> bool,
) -> Result<Option<Vec<String>>, KeyRecordError> {
    if !words.iter().all(|word| is_word(word)) {
        return Err(KeyRecordError::Invalid(tag));
    }
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Ok(Some(words).filter(|words| !words.is_empty()))
}

/// `key-s-tag-type = "email" / "*" / x-key-s-tag-type`
fn is_service(word: &str) -> bool {
    word == "*" || is_hyphenated_word(word)
}

/// `key-t-tag-flag = "y" / "s" / x-key-t-tag-flag`
fn is_flag(word: &str) -> bool {
    is_hyphenated_word(word)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// RFC 8463 appendix A.2.
    const KEY: &str = "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn with(tags: &str) -> Result<KeyRecord, KeyRecordError> {
        KeyRecord::parse(format!("v=DKIM1; {tags}; {KEY}").as_bytes())
    }

    #[test]
    fn the_version_is_first_and_dkim1_or_absent() {
        assert!(!KeyRecord::parse(KEY.as_bytes()).unwrap().versioned);
        for version in ["DKIM2", "dkim1", "DKIM1.0", "spf1 -all", ""] {
            assert_eq!(
                KeyRecord::parse(format!("v={version}; {KEY}").as_bytes()),
                Err(KeyRecordError::Version(version.to_owned()))
            );
        }
        assert_eq!(
            KeyRecord::parse(format!("{KEY}; v=DKIM1").as_bytes()),
            Err(KeyRecordError::VersionNotFirst)
        );
        assert_eq!(
            KeyRecord::parse(b"v=spf1 -all"),
            Err(KeyRecordError::Version("spf1 -all".to_owned()))
        );
        assert!(matches!(KeyRecord::parse(b"hello world"), Err(KeyRecordError::TagList(_))));
    }

    #[test]
    fn a_revoked_key_is_no_error() {
        for record in ["v=DKIM1; p=", "p=;", "v=DKIM1; k=ed25519; p= ; n=gone"] {
            assert_eq!(KeyRecord::parse(record.as_bytes()).unwrap().key, None, "{record}");
        }
        assert_eq!(KeyRecord::parse(b"v=DKIM1; k=rsa"), Err(KeyRecordError::MissingKey));
    }

    #[test]
    fn hashes_are_those_listed() {
        for (tags, sha1, sha256) in [
            ("n=x", true, true),
            ("h=sha256", false, true),
            ("h= sha1 : sha256", true, true),
            ("h=md9:sha256", false, true),
            ("h=sha512", false, false),
            ("h=SHA256", false, false),
        ] {
            let record = with(tags).unwrap();
            assert_eq!(record.allows_hash(HashAlgorithm::Sha1), sha1, "{tags}");
            assert_eq!(record.allows_hash(HashAlgorithm::Sha256), sha256, "{tags}");
        }
        for bad in ["h=", "h=sha256:", "h=sha 256"] {
            assert_eq!(with(bad), Err(KeyRecordError::Invalid("h")), "{bad}");
        }
    }

    #[test]
    fn services_and_flags() {
        for (tags, email) in [
            ("s=email", true),
            ("s=*", true),
            ("s=foo : email", true),
            ("s=tlsrpt", false),
            ("s=tlsrpt:email", true),
            ("s=Email", false),
        ] {
            assert_eq!(with(tags).unwrap().allows_email(), email, "{tags}");
        }
        let record = with("t=zz : y:s").unwrap();
        assert!(record.is_testing() && record.is_strict());
        assert_eq!(with("t="), Err(KeyRecordError::Invalid("t")));
        assert_eq!(with("s="), Err(KeyRecordError::Invalid("s")));
        assert_eq!(with("t=y:"), Err(KeyRecordError::Invalid("t")));
    }

    #[test]
    fn key_types() {
        let record = |k: &str, p: &str| KeyRecord::parse(format!("v=DKIM1;{k}p={p}").as_bytes());
        assert_eq!(record("k=foo;", "Zm9v"), Err(KeyRecordError::UnknownKeyType("foo".to_owned())));
        assert_eq!(record("k=;", "Zm9v"), Err(KeyRecordError::Invalid("k")));
        let not_base64 = |character, at| Err(KeyRecordError::NotBase64 { character, at });
        assert_eq!(record("", "@@@@"), not_base64('@', 1));
        assert_eq!(record("", "11qY\r\n AYKxC!fV"), not_base64('!', 13));
        for cut in ["1", "11qYA", "11qY=", "11qY==AA", "==", "="] {
            assert_eq!(record("", cut), Err(KeyRecordError::NotWhole), "{cut}");
        }
        assert!(matches!(record("", "aGVsbG8gd29ybGQ="), Err(KeyRecordError::Key { .. })));
    }

    #[test]
    fn records_are_ascii() {
        assert_eq!(with("n=caf\u{e9}"), Err(KeyRecordError::NotAscii));
    }

    #[test]
    fn granularity_is_an_unknown_tag() {
        for tags in ["g=*", "g=", "g=bob"] {
            assert!(with(tags).is_ok());
        }
    }

    #[test]
    fn white_space_may_stand_around_tags_and_in_the_key() {
        let spaced =
            " v = DKIM1 ; k = ed25519 ; p = 11qYAYKxCrfVS/7TyWQHOg7h cvPapiMlrwIaaPcHURo= ; ";
        assert_eq!(
            KeyRecord::parse(spaced.as_bytes()).unwrap().key,
            KeyRecord::parse(KEY.as_bytes()).unwrap().key
        );
    }

    #[test]
    fn a_record_too_long_is_not_read() {
        let of_length = |length: usize| format!("v=DKIM1; p=; n={}", "x".repeat(length - 15));
        assert!(KeyRecord::parse(of_length(16_384).as_bytes()).is_ok());
        assert_eq!(
            KeyRecord::parse(of_length(16_385).as_bytes()),
            Err(KeyRecordError::TooLong { limit: 16_384 })
        );
    }

    #[test]
    fn what_is_set_can_be_written() {
        let mut record = with("n=x").unwrap();
        record.set_hashes(&["sha256"]).unwrap();
        record.set_services(&["email", "*"]).unwrap();
        record.set_flags(&["y"]).unwrap();
        record.set_notes("a; b=c \u{fc}");
        assert_eq!(record.hashes(), Some(&["sha256".to_owned()][..]));
        assert_eq!(record.services(), Some(&["email".to_owned(), "*".to_owned()][..]));
        assert_eq!(record.flags(), ["y"]);
        assert_eq!(record.notes(), Some("a=3B=20b=3Dc=20=C3=BC"));
        assert_eq!(KeyRecord::parse(record.to_text().as_bytes()), Ok(record.clone()));
        for bad in ["", "a b", "y; p=", "y:", "\u{fc}"] {
            assert!(record.set_hashes(&[bad]).is_err(), "{bad:?}");
            assert!(record.set_services(&[bad]).is_err(), "{bad:?}");
            assert!(record.set_flags(&[bad]).is_err(), "{bad:?}");
        }
        record.set_hashes(&[]).unwrap();
        record.set_services(&[]).unwrap();
        record.set_flags(&[]).unwrap();
        record.set_notes("");
        assert_eq!((record.hashes(), record.services(), record.notes()), (None, None, None));
        assert_eq!(record.to_text(), format!("v=DKIM1; {KEY}"));
    }

    #[test]
    fn what_is_written_reads_as_the_same_record() {
        for tags in ["n=x", "h=sha256:sha512; s=email; t=y:s; n=a=20b"] {
            let record = with(tags).unwrap();
            assert_eq!(KeyRecord::parse(record.to_text().as_bytes()), Ok(record));
        }
        let folded = KeyRecord::parse(b"v=DKIM1; n=a\r\n b; p=").unwrap();
        assert_eq!(folded.to_text(), "v=DKIM1; k=rsa; n=a b; p=");
        let revoked = KeyRecord::parse(b"v=DKIM1; p=").unwrap();
        assert_eq!(revoked.to_text(), "v=DKIM1; k=rsa; p=");
    }
}
