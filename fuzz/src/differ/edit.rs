//! Small changes to a case, with no thought of what a parser would make of it.

use super::Case;
use super::case::{BODY_HASH, SIGNATURE};

/// A tag as it stands: its name, and what follows its `=`; `None` where there is no `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawTag {
    pub(super) name: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
}

impl RawTag {
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self { name: name.into(), value: Some(value.into()) }
    }

    /// Whether it has this name, white space around it aside.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.trim_ascii() == name.as_bytes()
    }

    /// Its value without white space around it.
    pub(super) fn trimmed(&self) -> &[u8] {
        self.value.as_deref().unwrap_or_default().trim_ascii()
    }
}

fn tags_of(text: &[u8]) -> Vec<RawTag> {
    let tag = |part: &[u8]| match part.iter().position(|octet| *octet == b'=') {
        Some(at) => RawTag { name: part[..at].to_vec(), value: Some(part[at + 1..].to_vec()) },
        None => RawTag { name: part.to_vec(), value: None },
    };
    text.split(|octet| *octet == b';').map(tag).collect()
}

fn text_of(tags: &[RawTag]) -> Vec<u8> {
    let text = |tag: &RawTag| match &tag.value {
        Some(value) => [&tag.name, &b"="[..], value].concat(),
        None => tag.name.clone(),
    };
    tags.iter().map(text).collect::<Vec<_>>().join(&b';')
}

impl Case {
    /// Where the header ends: behind the CRLF of its last field.
    pub(super) fn header_end(&self) -> usize {
        let end = self.message.windows(4).position(|octets| octets == b"\r\n\r\n");
        end.map_or(self.message.len(), |end| end + 2)
    }

    /// The header changed; `None` if it is the same.
    pub(super) fn with_header(&self, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<Self> {
        let (header, rest) = self.message.split_at(self.header_end());
        self.with_message([&change(header), rest].concat())
    }

    /// The body changed; `None` if it is the same.
    pub(super) fn with_body(&self, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<Self> {
        let (header, rest) = self.message.split_at(self.header_end());
        let body = rest.strip_prefix(b"\r\n")?;
        self.with_message([header, b"\r\n", &change(body)].concat())
    }

    fn with_message(&self, message: Vec<u8>) -> Option<Self> {
        (message != self.message).then(|| Self { message, ..self.clone() })
    }

    /// The tags of the signature that there is room for, changed.
    pub(super) fn with_tags(&self, change: impl FnOnce(&mut Vec<RawTag>)) -> Option<Self> {
        let (start, end) = self.signature()?;
        let mut tags = tags_of(&self.message[start..end]);
        change(&mut tags);
        let tags = text_of(&tags);
        self.with_message([&self.message[..start], &tags, &self.message[end..]].concat())
    }

    /// The tags of each record, changed.
    pub(super) fn with_records(&self, change: impl Fn(&mut Vec<RawTag>)) -> Option<Self> {
        let mut case = self.clone();
        for (_, text) in &mut case.records {
            let mut tags = tags_of(text);
            change(&mut tags);
            *text = text_of(&tags);
        }
        (case != *self).then_some(case)
    }

    /// Where the body of the field stands that has room for a signature.
    pub(super) fn signature(&self) -> Option<(usize, usize)> {
        let message = &self.message;
        let room = message.windows(SIGNATURE.len()).position(|octets| octets == SIGNATURE)?;
        let is_start = |at: &usize| {
            *at == 0 || message[..*at].ends_with(b"\n") && !b" \t".contains(&message[*at])
        };
        let start = (0..=room).rev().find(is_start)?;
        let colon = start + message[start..room].iter().position(|octet| *octet == b':')?;
        let end = (room + 1..message.len()).find(is_start).unwrap_or(message.len());
        let end = start + message[start..end].trim_ascii_end().len();
        Some((colon + 1, end))
    }
}

/// The octets without ASCII white space.
pub(super) fn without_space(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect()
}

/// Whether there is room in these octets.
pub(super) fn is_room(octets: &[u8]) -> bool {
    [BODY_HASH, SIGNATURE].contains(&octets)
}

/// Base64 as one would write it: no octets of another alphabet, no padding but at the end, and no
/// bits left over.
pub(super) fn plain_base64(value: &[u8]) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = value.iter().filter_map(|octet| alphabet.iter().position(|one| one == octet));
    let (mut octets, mut bits, mut count) = (Vec::new(), 0_usize, 0);
    for digit in digits {
        bits = (bits << 6 | digit) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push(u8::try_from(bits >> count & 0xff).expect("eight bits"));
        }
    }
    dkim_tags::value::to_base64(&octets).into_bytes()
}
