//! Which instances of a field are signed (RFC 6376 §5.4.2).

use std::cmp::Ordering;

use dkim_message::{Field, Header};
use smallvec::{SmallVec, smallvec};

/// The fields of a header, ready to be picked by name from the bottom up.
///
/// Sorted by name, so that picking costs as much for a hostile header as for any other. Made once
/// and used for every signature of the message.
#[derive(Clone, Debug)]
pub struct FieldIndex<'h, 'm> {
    pub(crate) fields: &'h [Field<'m>],
    /// By name, and then from the bottom up.
    by_name: SmallVec<[Named<'m>; MANY]>,
}

/// Few messages have more fields.
pub(crate) const MANY: usize = 32;

impl<'h, 'm> FieldIndex<'h, 'm> {
    /// Reads the names of all fields.
    #[must_use]
    pub fn new(header: &'h Header<'m>) -> Self {
        let fields = header.fields();
        let names = fields.iter().enumerate();
        let mut by_name: SmallVec<[Named<'m>; MANY]> =
            names.map(|(index, field)| Named { name: Name::new(field.name()), index }).collect();
        by_name.sort_unstable_by(|a, b| a.name.order(&b.name).then(b.index.cmp(&a.index)));
        Self { fields, by_name }
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
    /// let index = FieldIndex::new(&header);
    /// let picked: Vec<_> = index.pick(["received", "from", "Received", "received"], None).collect();
    /// assert_eq!(picked, [Some(2), Some(1), Some(0), None]);
    /// ```
    pub fn pick<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
        own: Option<usize>,
    ) -> impl Iterator<Item = Option<usize>> {
        // How many instances of the name that begins at this place in `by_name` are taken.
        let mut taken: SmallVec<[usize; MANY]> = smallvec![0; self.by_name.len()];
        names.into_iter().map(move |name| {
            let name = Name::new(name.as_bytes());
            let picked = self.pick_next(&name, &mut taken)?;
            if Some(picked) == own { self.pick_next(&name, &mut taken) } else { Some(picked) }
        })
    }

    /// The names that stand there more than once, each as it is first written from below, and how
    /// many fields have it.
    pub fn repeated(&self) -> impl Iterator<Item = (&'m [u8], usize)> {
        let runs = self.by_name.chunk_by(|a, b| a.name.order(&b.name).is_eq());
        runs.filter(|run| run.len() > 1).filter_map(|run| {
            let field = self.fields.get(run.first()?.index)?;
            Some((field.name(), run.len()))
        })
    }

    /// How many fields have this name.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        let name = Name::new(name.as_bytes());
        let first = self.by_name.partition_point(|named| named.name.order(&name).is_lt());
        let from = self.by_name.get(first..).unwrap_or_default();
        from.iter().take_while(|named| named.name.order(&name).is_eq()).count()
    }

    fn pick_next(&self, name: &Name<'_>, taken: &mut [usize]) -> Option<usize> {
        let first = self.by_name.partition_point(|named| named.name.order(name).is_lt());
        let taken = taken.get_mut(first)?;
        let named = self.by_name.get(first + *taken)?;
        if named.name.order(name).is_ne() {
            return None;
        }
        *taken += 1;
        Some(named.index)
    }
}

/// The field of a name, as an index.
#[derive(Clone, Debug)]
struct Named<'m> {
    name: Name<'m>,
    index: usize,
}

/// A name to be put in order, ASCII case apart.
#[derive(Clone, Debug)]
struct Name<'m> {
    /// Its first octets in lower case, as a number: most names differ there, and numbers are soon
    /// compared.
    start: u64,
    len: usize,
    rest: &'m [u8],
}

impl<'m> Name<'m> {
    fn new(name: &'m [u8]) -> Self {
        let (start, rest) = name.split_at_checked(8).unwrap_or((name, &[]));
        let mut octets = [0; 8];
        for (to, octet) in octets.iter_mut().zip(start) {
            *to = octet.to_ascii_lowercase();
        }
        Self { start: u64::from_be_bytes(octets), len: name.len(), rest }
    }

    fn order(&self, other: &Name<'_>) -> Ordering {
        if self.start != other.start {
            return self.start.cmp(&other.start);
        }
        let lower = |octet: &u8| octet.to_ascii_lowercase();
        let rest = || self.rest.iter().map(lower).cmp(other.rest.iter().map(lower));
        self.len.cmp(&other.len).then_with(rest)
    }
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
        let names = [
            "a",
            "A",
            "b",
            "ab",
            "",
            "B",
            "a\0",
            "content-id",
            "Content-Id",
            "content-ie",
            "content-idx",
            "content-",
        ];
        let mut seed = 1_u32;
        let mut next = |bound: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from((seed >> 16) % bound).unwrap_or(0)
        };
        for _ in 0..20_000 {
            let octets: String =
                (0..next(8)).map(|number| format!("{} : {number}\r\n", names[next(12)])).collect();
            let header = Header::parse(octets.as_bytes());
            let wanted: Vec<&str> = (0..next(10)).map(|_| names[next(12)]).collect();
            let index = FieldIndex::new(&header);
            for name in names {
                assert_eq!(index.count(name), header.named(name).count(), "{octets:?}");
            }
            for (name, count) in index.repeated() {
                let is = |field: &&Field<'_>| field.name().eq_ignore_ascii_case(name);
                assert_eq!(header.fields().iter().filter(is).count(), count, "{octets:?}");
            }
            let several = names.iter().filter(|name| index.count(name) > 1);
            let several: Vec<String> = several.map(|name| name.to_lowercase()).collect();
            let repeated: Vec<String> = index
                .repeated()
                .map(|(name, _)| String::from_utf8_lossy(name).to_lowercase())
                .collect();
            assert!(several.iter().all(|name| repeated.contains(name)), "{octets:?}");
            for own in [None, Some(next(8))] {
                let picked: Vec<_> = index.pick(wanted.iter().copied(), own).collect();
                assert_eq!(picked, naive(&header, &wanted, own), "{octets:?} {own:?}");
            }
        }
    }
}
