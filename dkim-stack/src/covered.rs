//! Which fields of a header a signature covers.

use dkim_hash::FieldIndex;
use dkim_message::Header;
use dkim_tags::Signature;

/// Where the fields stand that a signature covers, the `number`th of the header: not all fields of
/// the names in `h=` (RFC 6376 §5.4.2).
pub(crate) fn covered(
    signature: &Signature,
    number: usize,
    header: &Header<'_>,
    index: &FieldIndex<'_, '_>,
) -> Vec<usize> {
    let own = header.fields().positions(Signature::FIELD_NAME).nth(number);
    index.pick(signature.signed_fields.iter(), own).flatten().collect()
}
