//! What of a header a signature covers.

use dkim_stack::Signature;
use dkim_stack::hash::FieldIndex;
use dkim_stack::message::{Field, Header};

/// Names of fields, each with how often it stands here, in the order of their first appearance.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(pub(crate) Vec<(String, usize)>);

impl Names {
    fn add(&mut self, name: &str) {
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, count)) => *count += 1,
            None => self.0.push((name.to_owned(), 1)),
        }
    }
}

/// What `h=` picks of a header (RFC 6376 §5.4.2).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// Fields of the message that are signed.
    pub(crate) signed: Names,
    /// Names signed more often than they are there: one more field breaks the signature.
    pub(crate) oversigned: Names,
    /// Fields of the message that are not signed.
    pub(crate) unsigned: Names,
}

impl Coverage {
    /// `own` tells which DKIM-Signature field this is, counted from 0: it is covered by itself.
    pub(crate) fn of(signature: &Signature, own: usize, header: &Header<'_>) -> Self {
        let names = signature.signed_fields.iter();
        let own = header.fields().positions(Signature::FIELD_NAME).nth(own);
        let index = FieldIndex::new(header);
        let picked = index.pick(names.clone(), own);
        let mut coverage = Self::default();
        let mut is_signed = vec![false; header.fields().len()];
        for (name, field) in names.zip(picked) {
            match field.and_then(|field| is_signed.get_mut(field)) {
                Some(is_signed) => {
                    *is_signed = true;
                    coverage.signed.add(name);
                }
                None => coverage.oversigned.add(name),
            }
        }
        for (position, (field, is_signed)) in header.fields().iter().zip(is_signed).enumerate() {
            if Some(position) == own {
                continue;
            }
            if !is_signed {
                coverage.unsigned.add(&name_of(&field));
            }
        }
        coverage
    }
}

fn name_of(field: &Field<'_>) -> String {
    if field.is_well_formed() {
        String::from_utf8_lossy(field.name()).into_owned()
    } else {
        "(a line that is no field)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_signed_or_not() {
        let header = Header::parse(
            b"Received: 1\r\nDKIM-Signature: x\r\nDKIM-Signature: y\r\nreceived: 2\r\n\
              From: a\r\nX: b\r\nno colon\r\n",
        );
        let signature = Signature::parse(
            b"v=1; a=rsa-sha256; d=example.com; s=s; h=from:From:x:Received; bh=YQ==; b=YQ==",
        )
        .expect("a signature");
        let names = |names: &[(&str, usize)]| {
            Names(names.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect())
        };
        assert_eq!(
            Coverage::of(&signature, 1, &header),
            Coverage {
                signed: names(&[("from", 1), ("x", 1), ("Received", 1)]),
                oversigned: names(&[("From", 1)]),
                unsigned: names(&[
                    ("Received", 1),
                    ("DKIM-Signature", 1),
                    ("(a line that is no field)", 1)
                ]),
            }
        );
    }
}
