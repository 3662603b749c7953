//! The DKIM-Signature field, both ways (RFC 6376 §3.5).

use arbitrary::Unstructured;
use dkim_tags::{Claims, Signature, TagList, without_b};

use crate::said::unless_refused;
use crate::{lines, made_up};

/// What is read and written reads as the same value, and could stand in a header.
pub fn signature(data: &[u8]) {
    let Some(signature) = unless_refused(Signature::parse(data)) else { return };
    let claims = Claims::from(&signature);
    assert_eq!(
        TagList::parse(data).map(|tags| Claims::from_tags(&tags).sdid),
        Ok(claims.sdid.clone())
    );
    assert_eq!(claims.sdid.as_ref(), Some(&signature.sdid));
    assert_eq!(claims.auid, signature.auid);
    assert!(signature.auid_or_default().domain().is_within(&signature.sdid));
    assert_twins(&signature);

    let selector = signature.selector.as_written().to_owned();
    let whole = [signature.auid_or_default().to_string(), selector];
    let copied = signature.copied_fields.iter().map(|copy| copy.name.as_str());
    let names = signature.signed_fields.iter().chain(copied);
    let whole = whole.into_iter().chain(names.map(ToString::to_string));
    let whole = whole.chain(signature.query_methods().iter().cloned());
    let mut whole =
        whole.chain(signature.other().iter().map(|(name, value)| format!("{name}={value}")));
    if whole.all(|text| 3 * text.len() < 900) {
        lines::assert_field(&signature.to_field());
    }
}

/// Any signature that can be made reads back as it was written, in lines that may stand in a
/// header.
pub fn signature_value(data: &[u8]) {
    if let Ok(signature) = made_up::signature(&mut Unstructured::new(data)) {
        assert_twins(&signature);
        lines::assert_field(&signature.to_field());
    }
}

fn assert_twins(signature: &Signature) {
    let body = signature.to_field_body();
    let again = Signature::parse(body.as_bytes());
    // A name with a bar cannot be told in `z=`, and is not written.
    let mut written = signature.clone();
    written.copied_fields.retain(|copy| !copy.name.as_str().contains('|'));
    assert_eq!(again, Ok(written), "{body:?}");
    assert_eq!(signature.to_field(), format!("DKIM-Signature:{body}\r\n"));

    // RFC 6376 §3.7: what is hashed is what is written, but for the value of `b=`.
    let mut unsigned = signature.clone();
    unsigned.signature = Vec::new();
    let tags = TagList::parse(body.as_bytes()).expect("it was read just now");
    let emptied = String::from_utf8(without_b(body.as_bytes(), &tags).concat());
    assert_eq!(emptied.as_ref(), Ok(&unsigned.to_field_body()));
}
