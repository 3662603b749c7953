//! Trust anchors: the keys from which DNSSEC's chains of trust begin (RFC 4033 §2).

use data_encoding::{BASE64, HEXUPPER_PERMISSIVE};

use crate::name::{Name, NameError};

/// The keys with which validation begins: those of the root zone, or of zones one knows better.
///
/// Of several anchors those of the zone nearest to a name apply to it, and only those.
///
/// ```
/// use dkim_dns::TrustAnchors;
///
/// let anchors = TrustAnchors::parse(
///     "example. IN DS 31589 8 2 CDE0D742D6998AA554A92D890F8184C698CFAC8A26FA59875A990C03E576343C",
/// )?;
/// assert_ne!(anchors, TrustAnchors::root());
/// # Ok::<(), dkim_dns::TrustAnchorsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustAnchors {
    anchors: Vec<Anchor>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) zone: Name,
    pub(crate) trusted: Trusted,
}

/// A key of a zone, or its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trusted {
    /// RFC 4034 §5.1.
    Ds { key_tag: u16, algorithm: u8, digest_type: u8, digest: Vec<u8> },
    /// RFC 4034 §2.1.
    Key { algorithm: u8, public_key: Vec<u8> },
}

/// Trust anchors that cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
#[non_exhaustive]
pub struct TrustAnchorsError {
    /// The line, counted from 1, on which the entry begins.
    pub line: usize,
    /// What is wrong there.
    #[source]
    pub kind: TrustAnchorsErrorKind,
}

/// What is wrong with a trust anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustAnchorsErrorKind {
    /// The file has no DS record and no DNSKEY record.
    #[error("no DS or DNSKEY record up to here")]
    None,
    /// An entry of another type, or none.
    #[error("not a DS or DNSKEY record, as in `example. IN DS 31589 8 2 CDE0…`")]
    Type,
    /// It begins with a blank, and so is of the owner of the entry before it, and there is none.
    #[error("no owner, here or in an entry before it")]
    Owner,
    /// Not a domain name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Data that are none of a DS record (RFC 4034 §5.3).
    #[error("not the data of a DS record: key tag, algorithm, digest type, digest in hexadecimal")]
    Ds,
    /// Data that are none of a DNSKEY record (RFC 4034 §2.2).
    #[error("not the data of a DNSKEY record: flags, 3, algorithm, key in Base64")]
    Key,
    /// A DNSKEY record without the Zone Key flag, or with the REVOKE flag (RFC 5011 §2.1).
    #[error("a key that is not for zones, or is revoked")]
    Unfit,
    /// `(` without `)`.
    #[error("parenthesis is not closed")]
    Unclosed,
}

impl TrustAnchors {
    /// The keys of the root zone, of 2017 and 2024, as IANA publishes them.
    #[must_use]
    pub fn root() -> Self {
        const IANA: &str = "\
. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
. IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16
";
        Self::parse(IANA).expect("the records are well-formed: a test reads them")
    }

    /// Reads DS and DNSKEY records as they stand in a master file (RFC 4034 §2.2 and §5.3): what
    /// `dnssec-keygen` and `dnssec-signzone` write, and `dig DNSKEY`. Owners are absolute, with or
    /// without closing dot; an entry that begins with a blank has that of the one before it (RFC 1035
    /// §5.1). Algorithms are numbers. Names and digests have no quotes or escapes.
    ///
    /// # Errors
    ///
    /// At the first entry that is neither, and when there is none.
    pub fn parse(text: &str) -> Result<Self, TrustAnchorsError> {
        let mut anchors = Vec::new();
        let mut begun: Option<(usize, usize, String)> = None;
        let mut line = 0;
        for raw in text.lines() {
            line += 1;
            let (at, before, mut entry) = begun.take().unwrap_or((line, 0, String::new()));
            let text = raw.split(';').next().unwrap_or_default();
            let opened = before + text.matches('(').count();
            let closed = text.matches(')').count();
            entry.push_str(text);
            entry.push(' ');
            if opened > closed {
                begun = Some((at, opened - closed, entry));
                continue;
            }
            let entry = entry.replace(['(', ')'], " ");
            if entry.trim().is_empty() {
                continue;
            }
            let before = anchors.last().map(|anchor: &Anchor| &anchor.zone);
            let anchor = Anchor::read(&entry, before);
            anchors.push(anchor.map_err(|kind| TrustAnchorsError { line: at, kind })?);
        }
        match begun {
            Some((line, ..)) => {
                Err(TrustAnchorsError { line, kind: TrustAnchorsErrorKind::Unclosed })
            }
            None if anchors.is_empty() => {
                Err(TrustAnchorsError { line: line.max(1), kind: TrustAnchorsErrorKind::None })
            }
            None => Ok(Self { anchors }),
        }
    }

    /// Those of the zone nearest to the name, and that zone.
    #[cfg(all(feature = "dnssec", any(feature = "ring", feature = "aws-lc-rs")))]
    pub(crate) fn nearest(&self, name: &Name) -> Option<(&Name, Vec<&Trusted>)> {
        let above = |anchor: &&Anchor| name.is_within(&anchor.zone);
        let depth = |anchor: &&Anchor| anchor.zone.labels().count();
        let zone = &self.anchors.iter().filter(above).max_by_key(depth)?.zone;
        let of_zone = self.anchors.iter().filter(|anchor| anchor.zone == *zone);
        Some((zone, of_zone.map(|anchor| &anchor.trusted).collect()))
    }
}

impl Anchor {
    /// `[<owner>] [<TTL>] [<class>] <type> <RDATA>`, TTL and class in any order (RFC 1035 §5.1); and
    /// the owner of the entry before it.
    fn read(entry: &str, before: Option<&Name>) -> Result<Self, TrustAnchorsErrorKind> {
        let words: Vec<&str> = entry.split_whitespace().collect();
        let (owner, rest) = match words.split_first() {
            Some((owner, rest)) if !entry.starts_with(char::is_whitespace) => (Some(*owner), rest),
            _ => (None, &*words),
        };
        let is_type = |word: &&&str| !word.eq_ignore_ascii_case("IN") && !is_ttl(word);
        let at = rest.iter().take(3).take_while(|word| !is_type(word)).count();
        let (kind, data) =
            rest.get(at..).and_then(<[_]>::split_first).ok_or(TrustAnchorsErrorKind::Type)?;
        let trusted = match kind.to_ascii_uppercase().as_str() {
            "DS" => Trusted::ds(data).ok_or(TrustAnchorsErrorKind::Ds)?,
            "DNSKEY" => Trusted::key(data)?,
            _ => return Err(TrustAnchorsErrorKind::Type),
        };
        let zone = match owner {
            Some(owner) => Name::absolute(owner)?,
            None => before.ok_or(TrustAnchorsErrorKind::Owner)?.clone(),
        };
        Ok(Self { zone, trusted })
    }
}

fn is_ttl(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
}

impl Trusted {
    fn ds(data: &[&str]) -> Option<Self> {
        let [key_tag, algorithm, digest_type, digest @ ..] = data else { return None };
        let digest = HEXUPPER_PERMISSIVE.decode(digest.concat().as_bytes()).ok()?;
        let (key_tag, algorithm) = (key_tag.parse().ok()?, algorithm.parse().ok()?);
        let digest_type = digest_type.parse().ok()?;
        (!digest.is_empty()).then_some(Self::Ds { key_tag, algorithm, digest_type, digest })
    }

    fn key(data: &[&str]) -> Result<Self, TrustAnchorsErrorKind> {
        const ZONE_KEY: u16 = 0x0100;
        const REVOKE: u16 = 0x0080;

        let [flags, "3", algorithm, key @ ..] = data else {
            return Err(TrustAnchorsErrorKind::Key);
        };
        let read = || Some((flags.parse::<u16>().ok()?, algorithm.parse().ok()?));
        let (flags, algorithm) = read().ok_or(TrustAnchorsErrorKind::Key)?;
        let public_key = BASE64.decode(key.concat().as_bytes()).unwrap_or_default();
        if public_key.is_empty() {
            return Err(TrustAnchorsErrorKind::Key);
        }
        if flags & ZONE_KEY == 0 || flags & REVOKE != 0 {
            return Err(TrustAnchorsErrorKind::Unfit);
        }
        Ok(Self::Key { algorithm, public_key })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// RFC 4034 §5.4, and its key.
    const DS: &str = "60485 5 1 2BB183AF5F22588179A53B0A 98631FAD1A292118";

    fn kind(text: &str) -> (usize, TrustAnchorsErrorKind) {
        let error = TrustAnchors::parse(text).unwrap_err();
        (error.line, error.kind)
    }

    #[test]
    fn entries_are_read_in_every_form_they_are_written_in() {
        let one = TrustAnchors::parse(&format!("dskey.example.com. 86400 IN DS {DS}")).unwrap();
        for same in [
            format!("; of the parent\n\nDskey.Example.COM IN 1d DS {DS} ; done\n"),
            "dskey.example.com. DS 60485 5 1 ( ; in parts\n 2bb183af5f22588179a53b0a\n \
             98631fad1a292118 )"
                .to_owned(),
            format!("dskey.example.com.\tds\t{DS}\r\n"),
        ] {
            assert_eq!(TrustAnchors::parse(&same).unwrap(), one, "{same}");
        }
        let key = "example. 3600 IN DNSKEY 257 3 13 (AQID\n BAUG) ; KSK";
        let key = TrustAnchors::parse(key).unwrap();
        let public_key = vec![1, 2, 3, 4, 5, 6];
        assert_eq!(key.anchors[0].trusted, Trusted::Key { algorithm: 13, public_key });
    }

    #[test]
    fn what_is_no_anchor_is_told_with_its_line() {
        use TrustAnchorsErrorKind as K;
        assert_eq!(kind(""), (1, K::None));
        assert_eq!(kind("; nothing\n\n"), (2, K::None));
        assert_eq!(kind("\nexample. IN TXT hello"), (2, K::Type));
        assert_eq!(kind("example. 3600 IN"), (1, K::Type));
        assert_eq!(kind("trust-anchors {"), (1, K::Type));
        assert_eq!(kind(&format!("a..b. DS {DS}")), (1, K::Name(NameError::EmptyLabel)));
        for bad in
            ["", "60485 5 1", "60485 5 1 XY", "x 5 1 AB", "60485 RSASHA1 1 AB", "70000 5 1 AB"]
        {
            assert_eq!(kind(&format!("e. DS {bad}")), (1, K::Ds), "{bad}");
        }
        for bad in ["", "257 3 13", "257 2 13 AQID", "257 3 13 ?", "x 3 13 AQID"] {
            assert_eq!(kind(&format!("e. DNSKEY {bad}")), (1, K::Key), "{bad}");
        }
        assert_eq!(kind("e. DNSKEY 0 3 13 AQID"), (1, K::Unfit));
        assert_eq!(kind("e. DNSKEY 385 3 13 AQID"), (1, K::Unfit));
        assert_eq!(kind("\ne. DS (\n 1 2 3"), (2, K::Unclosed));
    }

    /// RFC 1035 §5.1.
    #[test]
    fn a_blank_at_the_beginning_stands_for_the_owner_before() {
        for blank in ["\tIN DS", "  3600 IN DS", " DS"] {
            let anchors =
                TrustAnchors::parse(&format!("e.example. DS {DS}\n\n{blank} {DS}")).unwrap();
            let [one, other] = &*anchors.anchors else { panic!("{anchors:?}") };
            assert_eq!(one, other, "{blank}");
            assert_eq!(
                kind(&format!("\n{blank} {DS}")),
                (2, TrustAnchorsErrorKind::Owner),
                "{blank}"
            );
        }
        let owner = format!(" e.example. DS {DS}");
        assert_eq!(kind(&owner), (1, TrustAnchorsErrorKind::Type));
    }

    #[cfg(any(feature = "ring", feature = "aws-lc-rs"))]
    #[test]
    fn the_nearest_zone_has_the_say() {
        let text = format!(". DS {DS}\nb.example. DS {DS}\nexample. DS {DS}\nexample. DS {DS}");
        let anchors = TrustAnchors::parse(&text).unwrap();
        let nearest = |name: &str| {
            let name = Name::absolute(name).unwrap();
            anchors.nearest(&name).map(|(zone, trusted)| (zone.to_string(), trusted.len()))
        };
        assert_eq!(nearest("a.example"), Some(("example".to_owned(), 2)));
        assert_eq!(nearest("example"), Some(("example".to_owned(), 2)));
        assert_eq!(nearest("a.b.example"), Some(("b.example".to_owned(), 1)));
        assert_eq!(nearest("notexample"), Some((".".to_owned(), 1)));
        let one = TrustAnchors::parse(&format!("example. DS {DS}")).unwrap();
        assert_eq!(one.nearest(&Name::absolute("org").unwrap()), None);
    }
}
