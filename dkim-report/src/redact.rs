//! Redaction: who received a message stays between the receivers, and reports about the same one
//! can still be told to be so (RFC 6590).

use dkim_message::{Address, Field, Header};
use dkim_tags::{Signature, TagList};

use crate::private::{Mask, Private, addresses};
use crate::{Original, Redactor, Report};

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
    /// which "MUST NOT be included" then (RFC 6591 §3.2.4).
    ///
    /// What stays: an address in another encoding, as in base64, or broken over two lines; a
    /// local-part or a name that stands alone. Who can look into the sender's logs may still find the recipient by the Message-ID and the
    /// like (RFC 6590 §5.3). The name in the From field is not touched: it is the sender's.
    pub fn redact(&mut self, redactor: &Redactor) {
        let feedback = &mut self.feedback;
        (feedback.canonicalized_header, feedback.canonicalized_body) = (None, None);
        let header = self.original.header();
        let mut private = Private::default();
        for path in &feedback.original_rcpt_to {
            addresses(path.as_bytes()).iter().flatten().for_each(|one| private.add(one));
        }
        for field in header.fields().iter().filter(|field| is_recipient(field)) {
            if private.is_full() {
                break;
            }
            addresses(field.body()).iter().flatten().for_each(|one| private.add(one));
        }
        let mask = Mask::new(&private, redactor);
        let hide = |text: &mut String| {
            let hidden = mask.hide(text.as_bytes());
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
        self.original = Original::Header(hidden_header(redactor, &mask, &header));
    }
}

fn is_recipient(field: &Field<'_>) -> bool {
    RECIPIENT_FIELDS.iter().any(|name| field.is(name))
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
    match addresses(path.as_bytes()).as_deref() {
        Ok([address]) => hidden_address(redactor, address),
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
