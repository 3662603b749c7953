//! Cases made up from octets: plausible messages, signed as requested, then changed a little.

use arbitrary::{Result, Unstructured};
use dkim_keyrec::{KeyRecord, record_name};
use dkim_message::split;
use dkim_sign::Signer;
use dkim_tags::UnixTime;

use super::Case;
use super::case::{BODY_HASH, SIGNATURE, filled, key};
use crate::made_up;

/// Long enough ago for any `t=`.
const THEN: UnixTime = UnixTime(1_700_000_000);

/// A message that was changed after it was signed.
pub(super) struct Changed {
    pub(super) message: Vec<u8>,
    /// What it was signed with: body hash and signature.
    values: [String; 2],
}

impl Changed {
    /// The message with room where its values stand, if they still do.
    pub(super) fn template(&self) -> Option<Vec<u8>> {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let mut rooms = self.values.iter().zip([BODY_HASH, SIGNATURE]);
        rooms.try_fold(self.message.clone(), |message, (value, room)| {
            let filled = filled(&message, value.as_bytes(), &text(room));
            (filled != message).then_some(filled)
        })
    }
}

/// A case and its message as it was changed on the way, or none where the request was refused.
pub(super) fn case(u: &mut Unstructured<'_>) -> Result<Option<(Case, Option<Changed>)>> {
    let key = key(u.ratio(1, 8)?);
    let request = made_up::request(u, key.algorithm())?;
    let mut record = KeyRecord::new(key.public_key().clone()).to_text();
    let name = record_name(&request.selector, &request.sdid).to_lowercase();
    let message = message(u)?;
    let (header, body) = split(&message);
    let provider = &dkim_crypto::ring::PROVIDER;
    let Ok(mut signer) = Signer::new([request], &header, THEN, provider) else { return Ok(None) };
    signer.body_chunk(body);
    let Some(unsigned) = signer.finish().pop() else { return Ok(None) };
    let field = unsigned.complete(Vec::new()).to_field();
    let field = with_room(&with_room(&field, "bh=", "bh={bh}"), "b=", "b={b}");
    let mut message = [field.as_bytes(), &message].concat();
    for _ in 0..u.int_in_range(0..=3)? {
        message = changed(u, &message)?;
    }
    for _ in 0..u.int_in_range(0..=2)? {
        record = changed_record(u, &record)?;
    }
    let case = Case { records: vec![(name, record.into_bytes())], message };
    let Some(values) = case.values() else { return Ok(Some((case, None))) };
    let mut message = filled(&case.message, BODY_HASH, &values[0]);
    message = filled(&message, SIGNATURE, &values[1]);
    for _ in 0..u.int_in_range(1..=3)? {
        message = changed(u, &message)?;
    }
    Ok(Some((case, Some(Changed { message, values }))))
}

/// The field with room where the value of a tag stands.
fn with_room(field: &str, tag: &str, room: &str) -> String {
    // Only the tag itself stands behind white space: no value is folded before an `=`.
    let is_tag = |at: &usize| field[..*at].ends_with([' ', '\t', ';', ':']);
    let Some(start) = field.match_indices(tag).map(|(at, _)| at).find(is_tag) else {
        return field.to_owned();
    };
    let end = field[start..].find(';').map_or_else(|| field.trim_end().len(), |at| start + at);
    format!("{}{room}{}", &field[..start], &field[end..])
}

/// Fields that the requests name, most of them as they should be, and a body with all kinds of
/// white space.
fn message(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let fields: &[&[u8]] = &[
        b"From: joe@example.com",
        b"Subject: a  b \t",
        b"subject:",
        b"SUBJECT:\r\n folded\r\n\ttwice ",
        b"To : ann@example.org",
        b"X:\xc3\xbc\x01",
        b"List-Id: a\r\n \r\n b",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=x; h=from; bh=eA==; b=eA==",
        b"Received: by x",
    ];
    let mut message = Vec::new();
    if u.ratio(15, 16)? {
        message.extend(b"From: joe@example.com\r\n");
    }
    for _ in 0..u.int_in_range(0..=8)? {
        let at = u.int_in_range(1..=fields.len() * 4)?;
        message.extend(*fields.get(at).unwrap_or(&fields[1 + at % (fields.len() - 1)]));
        message.extend(b"\r\n");
    }
    if u.ratio(31, 32)? {
        message.extend(b"\r\n");
    }
    let parts: &[&[u8]] =
        &[b"a", b" ", b"\t", b"\r\n", b"\r\n", b"b c", b"--x", b"\xff", b".", b"\r", b"\n", b"\0"];
    for _ in 0..u.int_in_range(0..=30)? {
        message.extend(*u.choose(parts)?);
    }
    Ok(message)
}

/// What happens to a message on its way, and a little more.
fn changed(u: &mut Unstructured<'_>, message: &[u8]) -> Result<Vec<u8>> {
    let from = if u.arbitrary()? { 0 } else { message.len() / 2 };
    let at = u.int_in_range(from..=message.len())?;
    let (before, after) = message.split_at(at);
    let parts: &[&[u8]] = &[
        b" ",
        b"\t",
        b"\r\n",
        b"\r\n ",
        b";",
        b"=",
        b":",
        b"x=1;",
        b"l=2;",
        b"t=1;",
        b"z=",
        b"q=dns/txt;",
        b"i=@example.com;",
        b"atps=example.com;",
        b"From: x@example.net\r\n",
        b"\x0c",
        b"\x0b",
        b"\xc2\xa0",
        b"h=",
        b"0",
        b"A",
    ];
    Ok(match u.int_in_range(0..=3)? {
        0 => {
            let length = u.int_in_range(0..=after.len().min(20))?;
            [before, &after[length..]].concat()
        }
        1 => {
            let mut after = after.to_vec();
            let length = after.len().min(20);
            after[..length].make_ascii_uppercase();
            [before, &after].concat()
        }
        _ => [before, u.choose(parts)?, after].concat(),
    })
}

/// What people write into records.
fn changed_record(u: &mut Unstructured<'_>, record: &str) -> Result<String> {
    let tags = [
        "t=s",
        "t=y",
        "s=email",
        "s=*",
        "s=other",
        "h=sha1",
        "h=sha256:sha1",
        "n=",
        "g=*",
        "k=rsa",
        "v=DKIM2",
        "x",
        "=",
        "",
        " ",
        "p=",
        "h=",
        "s=",
        "k=",
        "t=",
        "N=1",
        "K=rsa",
    ];
    let mut all: Vec<&str> = record.split(';').collect();
    let at = u.int_in_range(0..=all.len())?;
    match u.int_in_range(0..=3)? {
        0 if at < all.len() => {
            all.remove(at);
        }
        1 => all.rotate_left(at),
        2 => {
            let at = u.int_in_range(0..=record.len())?;
            let (before, after) = record.split_at(at);
            return Ok(format!("{before}{}{after}", u.choose(&[" ", "\t", "=", "-", "A", ";"])?));
        }
        _ => all.insert(at, u.choose(&tags)?),
    }
    Ok(all.join(";"))
}
