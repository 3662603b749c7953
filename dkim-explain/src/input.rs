//! What is hashed of a message for one signature (RFC 6376 §3.7).

use dkim_canon::{BodyCanonicalizer, Canonicalization, write_field};
use dkim_hash::FieldIndex;
use dkim_message::{Field, Header};
use dkim_tags::{Signature, TagList, without_b};

/// A header and where the fields of a name stand in it, which is found out once for all signatures.
pub(crate) struct Indexed<'h, 'm> {
    pub(crate) header: &'h Header<'m>,
    pub(crate) index: FieldIndex<'h, 'm>,
}

impl<'h, 'm> Indexed<'h, 'm> {
    pub(crate) fn new(header: &'h Header<'m>) -> Self {
        Self { header, index: FieldIndex::new(header) }
    }
}

/// The canonical fields that a signature is over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashInput {
    /// The fields, in the order hashed: one for each name in `h=`, and the DKIM-Signature field
    /// itself.
    pub fields: Vec<HashedField>,
}

/// A name in `h=`, and what it picks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashedField {
    /// The name, as `h=` has it.
    pub name: String,
    /// The index of the field among the header's fields; `None` when there is none left of that
    /// name, and nothing is hashed (RFC 6376 §5.4.2).
    pub position: Option<usize>,
    /// The canonical field without its closing CRLF.
    pub octets: Option<Vec<u8>>,
}

impl HashInput {
    /// What `signature`, the field at the index `own` of this header, is over.
    #[must_use]
    pub fn of(signature: &Signature, own: usize, header: &Header<'_>) -> Self {
        let form = signature.canonicalization.header;
        Self::in_form(form, signature, own, &Indexed::new(header))
    }

    /// What it would be over in this canonicalization.
    pub(crate) fn in_form(
        form: Canonicalization,
        signature: &Signature,
        own: usize,
        Indexed { header, index }: &Indexed<'_, '_>,
    ) -> Self {
        let names = signature.signed_fields.iter();
        let picked = index.pick(names.clone(), Some(own));
        let mut fields: Vec<HashedField> = names
            .zip(picked)
            .map(|(name, position)| HashedField {
                name: name.to_owned(),
                position,
                octets: position
                    .and_then(|position| header.fields().get(position))
                    .map(|field| canonical_field(form, field.raw_name(), field.body())),
            })
            .collect();
        fields.extend(header.fields().get(own).map(|field| HashedField {
            name: Signature::FIELD_NAME.to_owned(),
            position: Some(own),
            octets: Some(canonical_field(form, field.raw_name(), &body_without_b(&field))),
        }));
        Self { fields }
    }

    /// The input of the header hash: every field closed by CRLF but the last.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        let fields: Vec<&[u8]> =
            self.fields.iter().filter_map(|field| field.octets.as_deref()).collect();
        fields.join(&b"\r\n"[..])
    }
}

/// A canonical field without its closing CRLF.
pub(crate) fn canonical_field(form: Canonicalization, name: &[u8], body: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    write_field(form, name, body, &mut octets);
    octets
}

/// A canonical body, up to `l=` octets.
pub(crate) fn canonical_body(form: Canonicalization, body: &[u8], length: Option<u64>) -> Vec<u8> {
    let mut canonical = Vec::with_capacity(body.len() + 2);
    let mut canonicalizer = BodyCanonicalizer::new(form);
    canonicalizer.chunk(body, |octets| canonical.extend_from_slice(octets));
    canonicalizer.finish(|octets| canonical.extend_from_slice(octets));
    if let Some(length) = length {
        canonical.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    }
    canonical
}

/// The body of a DKIM-Signature field, the value of `b=` deleted; as it stands if it is no
/// tag-list.
pub(crate) fn body_without_b(field: &Field<'_>) -> Vec<u8> {
    TagList::parse(field.body())
        .map_or_else(|_| field.body().to_vec(), |tags| without_b(field.body(), &tags).concat())
}
