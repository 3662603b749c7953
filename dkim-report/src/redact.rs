//! Redaction: who received a message stays between the receivers, and reports about the same one
//! can still be told to be so (RFC 6590).

use dkim_message::{Address, Field, Header};
use dkim_tags::{Auid, Signature, TagList};

use crate::private::{Mask, Private, addresses};
use crate::{Original, Redactor, Report};

/// Fields that name those who receive a message.
const RECIPIENT_FIELDS: [&str; 17] = [
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
    "X-Apparently-To",
    "X-Delivered-To",
    "X-Forwarded-For",
    "X-Forwarded-To",
    "X-Rcpt-To",
];

/// What follows the word `for` in a Received field is read so far: two octets more than an address
/// has at most (RFC 5321 §4.5.3.1.3), for its brackets.
const MAX_FOR: usize = 258;

/// When so many recipients are told by their hashes, the fields that follow are told as those that
/// cannot be read: for each address that costs four octets, a hash is computed and written.
const MAX_RECIPIENTS: usize = 10_000;

/// What stands for a field body whose addresses cannot be read.
const UNREADABLE: &str = " redacted:;";

impl Report {
    /// Hides who received the message: the local-parts of its recipients, in the envelope and in
    /// the header, are [redacted](Redactor::redact) wherever they stand with their domain, as
    /// `joe@example.org`, `joe=example.org`, `joe%40example.org` or `joe=40example.org`; their
    /// names and the copies in `z=` are left out, and so are the body and the canonical octets,
    /// which "MUST NOT be included" then (RFC 6591 §3.2.4). In the header a recipient is whom To,
    /// Cc, Delivered-To, X-Forwarded-To and the like name, and Received behind `for`.
    ///
    /// What stays: an address in another encoding, as in base64, or broken over two lines; a
    /// local-part or a name that stands alone; a recipient of whom only other fields speak, and not
    /// the envelope; and outside the fields above, addresses of more than 200, counted from the
    /// envelope and the top of the header on. Who can look into the sender's logs may still find the recipient by the
    /// Message-ID and the like (RFC 6590 §5.3). The name in the From field is not touched: it is
    /// the sender's.
    pub fn redact(&mut self, redactor: &Redactor) {
        let feedback = &mut self.feedback;
        (feedback.canonicalized_header, feedback.canonicalized_body) = (None, None);
        let header = self.original.header();
        let mut private = Private::default();
        for path in &feedback.original_rcpt_to {
            addresses_of(path.as_bytes()).iter().for_each(|one| private.add(one));
        }
        // What the receivers wrote stands on top, and comes first while there is room.
        for field in header.fields().iter() {
            if private.is_full() {
                break;
            }
            if is_recipient(&field) {
                recipients(field.body()).iter().for_each(|one| private.add(one));
            } else if field.is("Received") {
                received_for(field.body()).for_each(|one| private.add(&one));
            }
        }
        let mask = Mask::new(&private, redactor);
        let hidden = |text: &str| {
            let hidden = mask.hide(text.as_bytes());
            String::from_utf8_lossy(&hidden).into_owned()
        };
        let hide = |text: &mut String| *text = hidden(text);
        feedback.original_rcpt_to.iter_mut().for_each(|path| *path = hidden_path(redactor, path));
        feedback.original_mail_from.iter_mut().for_each(hide);
        feedback.original_envelope_id.iter_mut().for_each(hide);
        feedback.reported_uri.iter_mut().for_each(hide);
        if let Some(auid) = &mut feedback.dkim_identity {
            let text = hidden(&auid.to_string());
            *auid = Auid::parse(&text).unwrap_or_else(|_| Auid::of_domain(auid.domain()));
        }
        for result in feedback.authentication_results.iter_mut().flat_map(|one| &mut one.results) {
            result.reason.iter_mut().for_each(hide);
            result.props.iter_mut().for_each(|prop| hide(&mut prop.value));
        }
        feedback.other.iter_mut().for_each(|(_, value)| hide(value));
        hide(&mut self.text);
        if let Some(subject) = &mut self.subject {
            hide(subject);
        }
        self.original = Original::Header(hidden_header(redactor, &mask, &header));
    }
}

fn is_recipient(field: &Field<'_>) -> bool {
    RECIPIENT_FIELDS.iter().any(|name| field.is(name))
}

/// Whom a field names. Where it is no list of addresses, as X-Forwarded-For of some hosts with
/// nothing but a space between them, each of its words may be one.
fn recipients(body: &[u8]) -> Vec<Address> {
    addresses(body).unwrap_or_else(|_| {
        let words = body.split(|octet| octet.is_ascii_whitespace() || *octet == b',');
        words.filter(|word| word.contains(&b'@')).flat_map(addresses_of).collect()
    })
}

/// Whom a Received field says the message is for.
///
/// ```abnf
/// For = CFWS "FOR" FWS ( Path / Mailbox )
/// ```
/// (RFC 5321 §4.4; there were several paths before.) The word is looked for in comments too, where
/// some servers have it.
fn received_for(body: &[u8]) -> impl Iterator<Item = Address> {
    let follows = |at: usize| body.get(at + b"for".len()..).unwrap_or_default();
    let is_for = move |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| body.get(before));
        let word = body.get(*at..).and_then(|rest| rest.get(..b"for".len()));
        let ends = |octet: &u8| octet.is_ascii_whitespace() || matches!(octet, b'(' | b')');
        before.is_none_or(ends)
            && word.is_some_and(|word| word.eq_ignore_ascii_case(b"for"))
            && follows(*at).first().is_some_and(|octet| ends(octet) || *octet == b'<')
    };
    let found = (0..body.len()).filter(is_for);
    found.flat_map(move |at| {
        let mut rest = follows(at).trim_ascii_start();
        let mut paths = Vec::new();
        loop {
            let path = path(rest);
            paths.extend(addresses_of(path));
            rest = rest.get(path.len()..).unwrap_or_default().trim_ascii_start();
            if path.is_empty() || !rest.starts_with(b"<") {
                return paths;
            }
        }
    })
}

/// The text up to what ends a path: white space, `;` or a comment, unless in quotes.
fn path(text: &[u8]) -> &[u8] {
    let text = text.get(..MAX_FOR).unwrap_or(text);
    let (mut quoted, mut escaped) = (false, false);
    let end = text.iter().position(|octet| {
        quoted ^= *octet == b'"' && !escaped;
        escaped = *octet == b'\\' && !escaped;
        !quoted && (octet.is_ascii_whitespace() || matches!(octet, b';' | b'(' | b')'))
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// The address in a path, or all of them where it is a list. A local-part that should be in quotes,
/// as `joe.` of some mobile networks, is taken without.
fn addresses_of(path: &[u8]) -> Vec<Address> {
    addresses(path).unwrap_or_else(|_| {
        let inner = path.strip_prefix(b"<").and_then(|path| path.strip_suffix(b">"));
        let path = inner.unwrap_or(path);
        let at = path.iter().rposition(|octet| *octet == b'@').unwrap_or_default();
        let (local_part, domain) = path.split_at_checked(at).unwrap_or_default();
        addresses(&[b"\"", local_part, b"\"", domain].concat()).unwrap_or_default()
    })
}

/// The header with its recipients hidden.
fn hidden_header(redactor: &Redactor, mask: &Mask, header: &Header<'_>) -> Vec<u8> {
    let mut octets = Vec::with_capacity(header.octets().len());
    let mut told = 0;
    for field in header.fields().iter() {
        if is_recipient(&field) {
            octets.extend_from_slice(field.raw_name());
            octets.push(b':');
            octets.extend_from_slice(hidden_list(redactor, field.body(), &mut told).as_bytes());
        } else if field.is(Signature::FIELD_NAME) {
            octets.extend_from_slice(&mask.hide(&without_copies(&field)));
        } else {
            octets.extend_from_slice(&mask.hide(field.octets()));
        }
        octets.extend_from_slice(b"\r\n");
    }
    octets
}

/// The addresses of a field, and nothing else of it. `told` counts those of all fields.
fn hidden_list(redactor: &Redactor, body: &[u8], told: &mut usize) -> String {
    if *told >= MAX_RECIPIENTS {
        return UNREADABLE.to_owned();
    }
    let Ok(addresses) = addresses(body) else { return UNREADABLE.to_owned() };
    *told += addresses.len();
    let hidden: Vec<String> =
        addresses.iter().map(|address| hidden_address(redactor, address)).collect();
    format!(" {}", hidden.join(",\r\n "))
}

fn hidden_path(redactor: &Redactor, path: &str) -> String {
    match &*addresses_of(path.as_bytes()) {
        [address] => hidden_address(redactor, address),
        _ => redactor.redact(path),
    }
}

fn hidden_address(redactor: &Redactor, address: &Address) -> String {
    format!("{}@{}", redactor.redact(&address.local_part), address.domain)
}

/// A DKIM-Signature field without the value of `z=`, which copies fields in an encoding of its own.
fn without_copies(field: &Field<'_>) -> Vec<u8> {
    let body = field.body();
    // What is no tag-list may have copies in it all the same.
    let Ok(tags) = TagList::parse(body) else { return [field.raw_name(), b": redacted"].concat() };
    let Some(span) = tags.get("z").map(|tag| tag.span()) else { return field.octets().to_vec() };
    let before = body.get(..span.start).unwrap_or_default();
    let after = body.get(span.end..).unwrap_or_default();
    [field.raw_name(), b":", before, after].concat()
}
