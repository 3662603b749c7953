//! Redaction: who received a message stays between the receivers, and reports about the same one
//! can still be told to be so (RFC 6590).

use std::fmt;

use dkim_crypto::{HashAlgorithm, HashValue, Provider};
use dkim_message::{Address, Field, Header, author_addresses};
use dkim_tags::value::to_base64;
use dkim_tags::{Signature, TagList};
use zeroize::Zeroizing;

use crate::{Original, Report};

/// Fields that name those who receive a message.
const RECIPIENT_FIELDS: [&str; 12] = [
    "To",
    "Cc",
    "Bcc",
    "Resent-To",
    "Resent-Cc",
    "Resent-Bcc",
    "Delivered-To",
    "X-Original-To",
    "X-Envelope-To",
    "Envelope-To",
    "Original-Recipient",
    "Apparently-To",
];

/// What stands for a field body whose addresses cannot be read.
const UNREADABLE: &str = " redacted:;";

/// The block size of SHA-1 and SHA-256, in octets (RFC 2104 §2: B).
const BLOCK: usize = 64;

/// Replaces local-parts by a keyed hash: the same by the same with one key, and nobody without the
/// key can tell which was which.
///
/// ```
/// use dkim_crypto::ring::PROVIDER;
/// use dkim_report::Redactor;
///
/// let redactor = Redactor::new(&PROVIDER, b"potatoes").ok_or("no SHA-256")?;
/// let redacted = redactor.redact("bob");
/// assert_eq!(redacted, redactor.redact("bob"));
/// assert_ne!(redacted, redactor.redact("alice"));
/// # Ok::<(), &str>(())
/// ```
pub struct Redactor {
    provider: &'static dyn Provider,
    /// The key, xored with what RFC 2104 §2 calls ipad and opad.
    inner: Zeroizing<[u8; BLOCK]>,
    outer: Zeroizing<[u8; BLOCK]>,
}

impl Redactor {
    /// A redactor with this key, of any length; 32 octets at random are a good one. `None` if the
    /// provider does not offer SHA-256.
    #[must_use]
    pub fn new(provider: &'static dyn Provider, key: &[u8]) -> Option<Self> {
        let hashed = if key.len() > BLOCK { Some(hash(provider, [key])?) } else { None };
        let key = hashed.as_ref().map_or(key, HashValue::as_bytes);
        let pad = |octet: u8| {
            let mut pad = Zeroizing::new([octet; BLOCK]);
            for (octet, key) in pad.iter_mut().zip(key) {
                *octet ^= key;
            }
            pad
        };
        let redactor = Self { provider, inner: pad(0x36), outer: pad(0x5c) };
        redactor.keyed_hash(b"").is_some().then_some(redactor)
    }

    /// What stands for a local-part: 44 characters that are a local-part themselves. Upper and
    /// lower case make no difference, as they make none to those who have the address.
    #[must_use]
    pub fn redact(&self, local_part: &str) -> String {
        // That the provider has the hash was tried when the redactor was made. Were it gone,
        // nothing of the local-part may be told.
        let hash = self.keyed_hash(local_part.to_ascii_lowercase().as_bytes());
        hash.map_or_else(|| "redacted".to_owned(), |hash| to_base64(hash.as_bytes()))
    }

    /// HMAC-SHA-256 (RFC 2104 §2).
    fn keyed_hash(&self, octets: &[u8]) -> Option<HashValue> {
        let inner = hash(self.provider, [&*self.inner, octets])?;
        hash(self.provider, [&*self.outer, inner.as_bytes()])
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

fn hash<const N: usize>(provider: &dyn Provider, pieces: [&[u8]; N]) -> Option<HashValue> {
    let mut digest = provider.digest(HashAlgorithm::Sha256)?;
    pieces.into_iter().for_each(|piece| digest.update(piece));
    Some(digest.finish())
}

impl Report {
    /// Hides who received the message: the local-parts of its recipients, in the envelope and in
    /// the header, are [redacted](Redactor::redact) wherever they stand with their domain, as
    /// `joe@example.org` or `joe=example.org`; their names and the copies in `z=` are left out, and
    /// so are the body and the canonical octets, which "MUST NOT be included" then (RFC 6591
    /// §3.2.4).
    ///
    /// Who can look into the sender's logs may still find the recipient by the Message-ID and the
    /// like (RFC 6590 §5.3). The name in the From field is not touched: it is the sender's.
    pub fn redact(&mut self, redactor: &Redactor) {
        let feedback = &mut self.feedback;
        (feedback.canonicalized_header, feedback.canonicalized_body) = (None, None);
        let header = self.original.header();
        let mut private = Private::default();
        for path in &feedback.original_rcpt_to {
            private.add(path.as_bytes());
        }
        for field in header.fields().iter().filter(|field| is_recipient(field)) {
            private.add(field.body());
        }
        let hide = |text: &mut String| {
            let hidden = private.hide(redactor, text.as_bytes());
            *text = String::from_utf8_lossy(&hidden).into_owned();
        };
        feedback.original_rcpt_to.iter_mut().for_each(|path| *path = hidden_path(redactor, path));
        feedback.original_mail_from.iter_mut().for_each(hide);
        feedback.original_envelope_id.iter_mut().for_each(hide);
        feedback.reported_uri.iter_mut().for_each(hide);
        for result in feedback.authentication_results.iter_mut().flat_map(|one| &mut one.results) {
            result.reason.iter_mut().for_each(hide);
            result.props.iter_mut().for_each(|prop| hide(&mut prop.value));
        }
        feedback.other.iter_mut().for_each(|(_, value)| hide(value));
        hide(&mut self.text);
        if let Some(subject) = &mut self.subject {
            hide(subject);
        }
        self.original = Original::Header(hidden_header(redactor, &private, &header));
    }
}

fn is_recipient(field: &Field<'_>) -> bool {
    RECIPIENT_FIELDS.iter().any(|name| field.is(name))
}

/// The header with its recipients hidden.
fn hidden_header(redactor: &Redactor, private: &Private, header: &Header<'_>) -> Vec<u8> {
    let mut octets = Vec::with_capacity(header.octets().len());
    for field in header.fields() {
        if is_recipient(field) {
            octets.extend_from_slice(field.raw_name());
            octets.push(b':');
            octets.extend_from_slice(hidden_list(redactor, field.body()).as_bytes());
        } else if field.is(Signature::FIELD_NAME) {
            octets.extend_from_slice(&private.hide(redactor, &without_copies(field)));
        } else {
            octets.extend_from_slice(&private.hide(redactor, field.octets()));
        }
        octets.extend_from_slice(b"\r\n");
    }
    octets
}

/// The addresses of a field, and nothing else of it.
fn hidden_list(redactor: &Redactor, body: &[u8]) -> String {
    let Ok(addresses) = addresses(body) else { return UNREADABLE.to_owned() };
    let hidden: Vec<String> =
        addresses.iter().map(|address| hidden_address(redactor, address)).collect();
    format!(" {}", hidden.join(",\r\n "))
}

fn hidden_path(redactor: &Redactor, path: &str) -> String {
    match addresses(path.as_bytes()).as_deref() {
        Ok([address]) => hidden_address(redactor, address),
        _ => redactor.redact(path),
    }
}

fn hidden_address(redactor: &Redactor, address: &Address) -> String {
    let local_part = String::from_utf8_lossy(&address.local_part);
    format!("{}@{}", redactor.redact(&local_part), String::from_utf8_lossy(&address.domain))
}

fn addresses(body: &[u8]) -> Result<Vec<Address>, dkim_message::AddressError> {
    // `rfc822;joe@example.org`, as Original-Recipient has it (RFC 3798 §2.3).
    let body = body.trim_ascii();
    let typed = body.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"rfc822;"));
    author_addresses(if typed { body.get(7..).unwrap_or_default() } else { body })
}

/// A DKIM-Signature field without the value of `z=`, which copies fields in an encoding of its own.
fn without_copies(field: &Field<'_>) -> Vec<u8> {
    let body = field.body();
    let span = TagList::parse(body).ok().and_then(|tags| tags.get("z").map(|tag| tag.span()));
    let Some(span) = span else {
        // What is no tag-list may have copies in it all the same.
        return match TagList::parse(body) {
            Ok(_) => field.octets().to_vec(),
            Err(_) => [field.raw_name(), b": redacted"].concat(),
        };
    };
    let before = body.get(..span.start).unwrap_or_default();
    let after = body.get(span.end..).unwrap_or_default();
    [field.raw_name(), b":", before, after].concat()
}

/// Addresses not to be told.
#[derive(Default)]
struct Private {
    addresses: Vec<PrivateAddress>,
}

struct PrivateAddress {
    /// The local-part as it may stand somewhere, quoted or not.
    written: Vec<u8>,
    domain: Vec<u8>,
    local_part: String,
}

/// Private addresses beyond this many are not looked for in other fields: who writes so many to To
/// shall not make us search for each of them.
const MOST_PRIVATE: usize = 200;

impl Private {
    fn add(&mut self, body: &[u8]) {
        for address in addresses(body).unwrap_or_default() {
            let quoted = address.to_string();
            let quoted = quoted.rsplit_once('@').map_or("", |(local_part, _)| local_part);
            for written in [quoted.as_bytes(), &address.local_part] {
                let is_known = self.addresses.iter().any(|known| {
                    known.written.eq_ignore_ascii_case(written)
                        && known.domain.eq_ignore_ascii_case(&address.domain)
                });
                if !written.is_empty() && !is_known && self.addresses.len() < MOST_PRIVATE {
                    self.addresses.push(PrivateAddress {
                        written: written.to_vec(),
                        domain: address.domain.clone(),
                        local_part: String::from_utf8_lossy(&address.local_part).into_owned(),
                    });
                }
            }
        }
    }

    /// Octets with these addresses hidden, in upper or lower case.
    fn hide(&self, redactor: &Redactor, octets: &[u8]) -> Vec<u8> {
        let mut hidden = Vec::with_capacity(octets.len());
        let mut rest = octets;
        // The sign stands between a local-part and a domain: in an address, or in one that became
        // part of another, as mailing lists make them.
        while let Some(at) = rest.iter().position(|octet| matches!(octet, b'@' | b'=')) {
            let (before, after) = rest.split_at_checked(at).unwrap_or((rest, b""));
            let (sign, after) = after.split_at_checked(1).unwrap_or((after, b""));
            let found = self.addresses.iter().filter(|one| one.is_around(before, after));
            match found.max_by_key(|one| one.written.len()) {
                Some(one) => {
                    let start = before.len() - one.written.len();
                    hidden.extend_from_slice(before.get(..start).unwrap_or_default());
                    hidden.extend_from_slice(redactor.redact(&one.local_part).as_bytes());
                }
                None => hidden.extend_from_slice(before),
            }
            hidden.extend_from_slice(sign);
            rest = after;
        }
        hidden.extend_from_slice(rest);
        hidden
    }
}

impl PrivateAddress {
    fn is_around(&self, before: &[u8], after: &[u8]) -> bool {
        let starts = after.get(..self.domain.len());
        let start = before.len().checked_sub(self.written.len());
        let ends = start.and_then(|start| before.get(start..));
        starts.is_some_and(|domain| domain.eq_ignore_ascii_case(&self.domain))
            && ends.is_some_and(|written| written.eq_ignore_ascii_case(&self.written))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_crypto::ring::PROVIDER;

    use super::*;

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// RFC 4231 §4.2, §4.3, §4.7
    #[test]
    fn the_keyed_hash_is_hmac() {
        let hmac = |key: &[u8], octets: &[u8]| {
            let redactor = Redactor::new(&PROVIDER, key).unwrap();
            hex(redactor.keyed_hash(octets).unwrap().as_bytes())
        };
        assert_eq!(
            hmac(&[0x0b; 20], b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hmac(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn a_redactor_tells_nothing_of_its_key() {
        let redactor = Redactor::new(&PROVIDER, b"potatoes").unwrap();
        assert_eq!(format!("{redactor:?}"), "Redactor { .. }");
        assert_eq!(redactor.redact("bob").len(), 44);
    }

    #[test]
    fn addresses_are_hidden_wherever_they_stand() {
        let redactor = Redactor::new(&PROVIDER, b"potatoes").unwrap();
        let mut private = Private::default();
        private.add(b"Bob <Bob@Example.NET>, \"a b\"@example.net, b@example.net");
        let (bob, ab, b) = (redactor.redact("bob"), redactor.redact("a b"), redactor.redact("b"));
        for (text, hidden) in [
            ("for <bob@example.net>;", format!("for <{bob}@example.net>;")),
            ("BOB@EXAMPLE.NET", format!("{bob}@EXAMPLE.NET")),
            ("list-bob=example.net@lists.example", format!("list-{bob}=example.net@lists.example")),
            ("\"a b\"@example.net", format!("{ab}@example.net")),
            ("b@example.net,bob@example.net", format!("{b}@example.net,{bob}@example.net")),
            ("bob@example.org @= bob", "bob@example.org @= bob".to_owned()),
            ("=@=", "=@=".to_owned()),
        ] {
            let text = private.hide(&redactor, text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&text), hidden);
        }
    }
}
