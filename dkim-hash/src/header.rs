//! The input of the header hash (RFC 6376 §3.7), and which instances of a field are in it (§5.4.2).

use std::collections::HashMap;
use std::ops::Range;

use dkim_canon::{Canonicalization, write_field};
use dkim_message::{Field, Header};

/// The fields of a header, ready to be picked by name from the bottom up.
///
/// Sorted by name, so that picking costs as much for a hostile header as for any other. Made once
/// and used for every signature of the message.
#[derive(Clone, Debug)]
pub struct FieldIndex<'h, 'm> {
    fields: &'h [Field<'m>],
    /// Indexes into `fields`, by name and then from the bottom up.
    by_name: Vec<usize>,
    canonical: Canonical,
}

impl<'h, 'm> FieldIndex<'h, 'm> {
    /// Reads the names of all fields.
    #[must_use]
    pub fn new(header: &'h Header<'m>) -> Self {
        let fields = header.fields();
        let mut by_name: Vec<usize> = (0..fields.len()).collect();
        let name = |index: &usize| fields.get(*index).map(Field::name).unwrap_or_default();
        by_name.sort_unstable_by(|a, b| order(name(a), name(b)).then(b.cmp(a)));
        Self { fields, by_name, canonical: Canonical::default() }
    }

    /// The fields that `names` picks, as indexes into the header's fields: each name takes the
    /// lowest instance not taken yet, `None` when there is none left (RFC 6376 §5.4.2).
    ///
    /// `own` is the index of the DKIM-Signature field being verified, which no name picks: `h=`
    /// "MUST NOT include the DKIM-Signature header field that is being created or verified but may
    /// include others" (RFC 6376 §3.5).
    ///
    /// ```
    /// use dkim_hash::FieldIndex;
    /// use dkim_message::Header;
    ///
    /// let header = Header::parse(b"Received: 1\r\nFrom: a\r\nReceived: 2\r\n");
    /// let picked = FieldIndex::new(&header).pick(["received", "from", "Received", "received"], None);
    /// assert_eq!(picked, [Some(2), Some(1), Some(0), None]);
    /// ```
    #[must_use]
    pub fn pick<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
        own: Option<usize>,
    ) -> Vec<Option<usize>> {
        // How many instances of the name that begins at this place in `by_name` are taken.
        let mut taken = vec![0_usize; self.by_name.len()];
        let mut next = |name| {
            let picked = self.pick_next(name, &mut taken)?;
            if Some(picked) == own { self.pick_next(name, &mut taken) } else { Some(picked) }
        };
        names.into_iter().map(&mut next).collect()
    }

    fn pick_next(&self, name: &str, taken: &mut [usize]) -> Option<usize> {
        let before = |index: &usize| order(self.name(*index), name.as_bytes()).is_lt();
        let first = self.by_name.partition_point(before);
        let taken = taken.get_mut(first)?;
        let index = *self.by_name.get(first + *taken)?;
        if order(self.name(index), name.as_bytes()).is_ne() {
            return None;
        }
        *taken += 1;
        Some(index)
    }

    /// How many fields have this name.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        let up_to = |ordering: fn(std::cmp::Ordering) -> bool| {
            let before = |index: &usize| ordering(order(self.name(*index), name.as_bytes()));
            self.by_name.partition_point(before)
        };
        up_to(std::cmp::Ordering::is_le) - up_to(std::cmp::Ordering::is_lt)
    }

    fn name(&self, index: usize) -> &'m [u8] {
        self.fields.get(index).map(Field::name).unwrap_or_default()
    }

    /// The fields that `signed_fields` [picks](Self::pick), canonical and each closed by CRLF: the
    /// input of the header hash up to the DKIM-Signature field, which [`close_input`] adds.
    #[must_use]
    pub fn open_input<'n>(
        &mut self,
        canonicalization: Canonicalization,
        signed_fields: impl IntoIterator<Item = &'n str>,
        own: Option<usize>,
    ) -> Vec<u8> {
        let mut input = Vec::with_capacity(2048);
        for index in self.pick(signed_fields, own).into_iter().flatten() {
            if let Some(field) = self.fields.get(index) {
                input.extend_from_slice(self.canonical.field(canonicalization, index, field));
            }
        }
        input
    }
}

/// Fields in canonical form, each closed by CRLF. Each is made once and kept: many signatures of a
/// message may be over the same large field.
#[derive(Clone, Debug, Default)]
struct Canonical {
    octets: Vec<u8>,
    places: HashMap<(Canonicalization, usize), Range<usize>>,
}

impl Canonical {
    /// The field that stands at `index` in the header.
    fn field(&mut self, form: Canonicalization, index: usize, field: &Field<'_>) -> &[u8] {
        let Self { octets, places } = self;
        let place = places.entry((form, index)).or_insert_with(|| {
            let start = octets.len();
            write_field(form, field.raw_name(), field.body(), octets);
            octets.extend_from_slice(b"\r\n");
            start..octets.len()
        });
        octets.get(place.clone()).unwrap_or_default()
    }
}

/// Adds the DKIM-Signature field, the value of its `b=` deleted, to the input of the header hash:
/// last and "without a trailing CRLF" (RFC 6376 §3.7, step 2). Name and body are as they stand in
/// the message, so that `simple` keeps them.
pub fn close_input(
    canonicalization: Canonicalization,
    name: &[u8],
    body_without_b: &[u8],
    input: &mut Vec<u8>,
) {
    write_field(canonicalization, name, body_without_b, input);
}

/// Names in some order, ASCII case apart.
fn order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    let lower = |octet: &u8| octet.to_ascii_lowercase();
    a.len().cmp(&b.len()).then_with(|| a.iter().map(lower).cmp(b.iter().map(lower)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6376 §5.4.2 as its words go: search from the bottom, mark what was taken.
    fn naive(header: &Header<'_>, names: &[&str], own: Option<usize>) -> Vec<Option<usize>> {
        let mut taken = vec![false; header.fields().len()];
        if let Some(own) = own.filter(|own| *own < taken.len()) {
            taken[own] = true;
        }
        names
            .iter()
            .map(|name| {
                let found = (0..header.fields().len())
                    .rev()
                    .find(|index| !taken[*index] && header.fields()[*index].is(name))?;
                taken[found] = true;
                Some(found)
            })
            .collect()
    }

    #[test]
    fn picks_like_the_words_of_the_rfc() {
        let names = ["a", "A", "b", "ab", "", "B"];
        let mut seed = 1_u32;
        let mut next = |bound: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from((seed >> 16) % bound).unwrap_or(0)
        };
        for _ in 0..20_000 {
            let octets: String =
                (0..next(8)).map(|number| format!("{} : {number}\r\n", names[next(6)])).collect();
            let header = Header::parse(octets.as_bytes());
            let wanted: Vec<&str> = (0..next(10)).map(|_| names[next(6)]).collect();
            let index = FieldIndex::new(&header);
            for own in [None, Some(next(8))] {
                let picked = index.pick(wanted.iter().copied(), own);
                assert_eq!(picked, naive(&header, &wanted, own), "{octets:?} {own:?}");
            }
            for name in names {
                assert_eq!(index.count(name), header.named(name).count(), "{octets:?}");
            }
        }
    }

    #[test]
    fn the_input_is_the_fields_and_the_signature() {
        let header = Header::parse(b"A: X\r\nB : Y\t\r\n\tZ  \r\nA: W\r\n");
        let mut index = FieldIndex::new(&header);
        let mut input = |form, names: [&str; 3]| {
            let mut input = index.open_input(form, names, None);
            close_input(form, b"DKIM-Signature", b" v=1; b=", &mut input);
            String::from_utf8(input).unwrap_or_default()
        };
        assert_eq!(
            input(Canonicalization::Simple, ["b", "a", "x"]),
            "B : Y\t\r\n\tZ  \r\nA: W\r\nDKIM-Signature: v=1; b="
        );
        assert_eq!(
            input(Canonicalization::Relaxed, ["b", "a", "a"]),
            "b:Y Z\r\na:W\r\na:X\r\ndkim-signature:v=1; b="
        );
        // Once more, of what is kept.
        assert_eq!(
            input(Canonicalization::Relaxed, ["a", "b", "x"]),
            "a:W\r\nb:Y Z\r\ndkim-signature:v=1; b="
        );
        assert_eq!(
            input(Canonicalization::Simple, ["a", "a", "b"]),
            "A: W\r\nA: X\r\nB : Y\t\r\n\tZ  \r\nDKIM-Signature: v=1; b="
        );
    }
}
