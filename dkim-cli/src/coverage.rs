//! What of a header a signature covers.

use std::collections::HashMap;
use std::fmt;

use dkim_stack::Signature;
use dkim_stack::hash::FieldIndex;
use dkim_stack::message::{Field, Header};

/// Names of fields, each with how often it stands here, in the order of their first appearance.
#[derive(Debug, Default)]
pub(crate) struct Names {
    listed: Vec<(String, usize)>,
    /// Where each stands there, by the name in lower case: a hostile header has names without end.
    places: HashMap<String, usize>,
}

/// More names than these are counted, and not shown.
const MAX_SHOWN: usize = 100;

impl Names {
    fn add(&mut self, name: &str) {
        let place = *self.places.entry(name.to_ascii_lowercase()).or_insert(self.listed.len());
        match self.listed.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => self.listed.push((name.to_owned(), 1)),
        }
    }

    /// The names, without how often they stand here; not all, where they are many.
    pub(crate) fn into_shown(self) -> Vec<String> {
        self.listed.into_iter().take(MAX_SHOWN).map(|(name, _)| name).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, count)) in self.listed.iter().take(MAX_SHOWN).enumerate() {
            let gap = if place == 0 { "" } else { ", " };
            write!(f, "{gap}{name}")?;
            if *count > 1 {
                write!(f, " ({count} times)")?;
            }
        }
        match self.listed.len().checked_sub(MAX_SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, ", and {more} more"),
        }
    }
}

/// What `h=` picks of a header (RFC 6376 §5.4.2).
#[derive(Debug, Default)]
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
        let coverage = Coverage::of(&signature, 1, &header);
        assert_eq!(coverage.signed.to_string(), "from, x, Received");
        assert_eq!(coverage.oversigned.to_string(), "From");
        assert_eq!(
            coverage.unsigned.to_string(),
            "Received, DKIM-Signature, (a line that is no field)"
        );
    }

    #[test]
    fn so_many_names_are_shown() {
        let mut names = Names::default();
        for number in 0..MAX_SHOWN {
            names.add(&format!("X-{number}"));
            names.add(&format!("x-{number}"));
        }
        let all = names.to_string();
        assert!(
            all.starts_with("X-0 (2 times), X-1 (2 times), ") && all.ends_with("X-99 (2 times)")
        );
        names.add("Y");
        names.add("Z");
        assert_eq!(names.to_string(), format!("{all}, and 2 more"));
    }
}
