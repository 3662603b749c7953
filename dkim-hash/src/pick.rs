//! Which instances of a field are signed (RFC 6376 §5.4.2).

use std::cmp::Ordering;

use dkim_message::{Field, Header};
use smallvec::{SmallVec, smallvec};

/// The fields of a header, ready to be picked by name from the bottom up.
///
/// Made once and used for every signature of the message. Fields are put into buckets by a key of
/// their name, about as many as there are fields, and sorted there: in most headers there is hardly
/// anything to sort, and in a hostile one, where all names share a bucket, that costs a sort.
#[derive(Clone, Debug)]
pub struct FieldIndex<'h, 'm> {
    pub(crate) fields: &'h [Field<'m>],
    /// Indexes of the fields, each behind the key of its name: by name, then from the bottom up.
    by_name: SmallVec<[(u64, usize); MANY]>,
    /// Where in `by_name` each bucket ends and the next begins.
    ends: SmallVec<[usize; 1]>,
}

/// Few messages have more fields.
pub(crate) const MANY: usize = 32;

impl<'h, 'm> FieldIndex<'h, 'm> {
    /// Reads the names of all fields.
    #[must_use]
    pub fn new(header: &'h Header<'m>) -> Self {
        let fields = header.fields();
        let keys = || fields.iter().map(|field| key_of(field.name())).enumerate();
        let mut index = if fields.len() <= MANY {
            // A few are sorted sooner than put into buckets.
            let by_name = keys().map(|(field, key)| (key, field)).collect();
            Self { fields, by_name, ends: smallvec![fields.len()] }
        } else {
            Self::in_buckets(fields, &keys().map(|(_, key)| key).collect::<Vec<u64>>())
        };
        index.sort_buckets();
        index
    }

    /// Sorted by the first bits of the key alone, by counting: how many each bucket holds, where it
    /// begins, and then each to its place, behind which its bucket ends so far.
    fn in_buckets(fields: &'h [Field<'m>], keys: &[u64]) -> Self {
        let (by_name, ends) =
            (smallvec![(0, 0); keys.len()], smallvec![0; keys.len().next_power_of_two()]);
        let mut index = Self { fields, by_name, ends };
        for key in keys {
            let bucket = index.bucket(*key);
            index.ends.get_mut(bucket).into_iter().for_each(|count| *count += 1);
        }
        let mut begun = 0;
        for end in &mut index.ends {
            begun += std::mem::replace(end, begun);
        }
        for (field, key) in keys.iter().enumerate().rev() {
            let bucket = index.bucket(*key);
            let Some(end) = index.ends.get_mut(bucket) else { continue };
            if let Some(place) = index.by_name.get_mut(*end) {
                *place = (*key, field);
            }
            *end += 1;
        }
        index
    }

    fn sort_buckets(&mut self) {
        let mut by_name = std::mem::take(&mut self.by_name);
        let mut start = 0;
        for end in &self.ends {
            if let Some(bucket @ [_, _, ..]) = by_name.get_mut(start..*end) {
                bucket.sort_unstable_by(|a, b| {
                    self.order(a, b.0, || self.name(b)).then_with(|| b.1.cmp(&a.1))
                });
            }
            start = *end;
        }
        self.by_name = by_name;
    }

    fn bucket(&self, key: u64) -> usize {
        // The first bits of a key are as good as any.
        let bits = self.ends.len().trailing_zeros();
        let bucket = key.checked_shr(u64::BITS - bits).unwrap_or(0);
        usize::try_from(bucket).unwrap_or(0)
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
            let (key, name) = (key_of(name.as_bytes()), name.as_bytes());
            let picked = self.pick_next(key, name, &mut taken)?;
            if Some(picked) == own { self.pick_next(key, name, &mut taken) } else { Some(picked) }
        })
    }

    /// The names that stand there more than once, each as it is first written from below, and how
    /// many fields have it.
    pub fn repeated(&self) -> impl Iterator<Item = (&'m [u8], usize)> {
        let runs = self.by_name.chunk_by(|a, b| self.order(a, b.0, || self.name(b)).is_eq());
        let several = runs.filter(|run| run.len() > 1);
        several.filter_map(|run| Some((self.name(run.first()?), run.len())))
    }

    /// How many fields have this name.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        let (key, name) = (key_of(name.as_bytes()), name.as_bytes());
        let from = self.by_name.get(self.first(key, name)..).unwrap_or_default();
        from.iter().take_while(|field| self.order(field, key, || name).is_eq()).count()
    }

    fn pick_next(&self, key: u64, name: &[u8], taken: &mut [usize]) -> Option<usize> {
        let first = self.first(key, name);
        let taken = taken.get_mut(first)?;
        let field = self.by_name.get(first + *taken)?;
        if field.0 != key || !self.name(field).eq_ignore_ascii_case(name) {
            return None;
        }
        *taken += 1;
        Some(field.1)
    }

    /// Where in `by_name` a name begins, or would.
    fn first(&self, key: u64, name: &[u8]) -> usize {
        let bucket = self.bucket(key);
        let start = bucket.checked_sub(1).and_then(|before| self.ends.get(before)).unwrap_or(&0);
        let end = self.ends.get(bucket).unwrap_or(start);
        let bucket = self.by_name.get(*start..*end).unwrap_or_default();
        let keys = bucket.partition_point(|field| field.0 < key);
        let from = bucket.get(keys..).unwrap_or_default();
        start
            + keys
            + match from {
                // Two names of one key are rare.
                [_, next, ..] if next.0 == key => {
                    from.partition_point(|field| self.order(field, key, || name).is_lt())
                }
                _ => 0,
            }
    }

    /// How a field stands to a name of this key, ASCII case apart.
    fn order<'n>(
        &self,
        field: &(u64, usize),
        key: u64,
        name: impl FnOnce() -> &'n [u8],
    ) -> Ordering {
        field.0.cmp(&key).then_with(|| {
            let (field, name) = (self.name(field), name());
            if field.eq_ignore_ascii_case(name) {
                return Ordering::Equal;
            }
            let lower = |octet: &u8| octet.to_ascii_lowercase();
            field.iter().map(lower).cmp(name.iter().map(lower))
        })
    }

    fn name(&self, field: &(u64, usize)) -> &'m [u8] {
        self.fields.get(field.1).map(Field::name).unwrap_or_default()
    }
}

/// By what names are put in order first: their length and their last octets, in which most of them
/// differ, scattered so that the first bits depend on all. Upper and lower case have the same key.
fn key_of(name: &[u8]) -> u64 {
    // 2^64 divided by the golden ratio, odd.
    const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut key = [0; 8];
    let [length, last @ ..] = &mut key;
    *length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    match name.last_chunk() {
        Some(octets) => *last = *octets,
        None => last.iter_mut().zip(name).for_each(|(to, octet)| *to = *octet),
    }
    let lower = u64::from_be_bytes([0, 32, 32, 32, 32, 32, 32, 32]);
    (u64::from_be_bytes(key) | lower).wrapping_mul(SCATTER)
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
            "xxontent-id",
            "yxontent-id",
        ];
        let mut seed = 1_u32;
        let mut next = |bound: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from((seed >> 16) % bound).unwrap_or(0)
        };
        for round in 0..20_000 {
            // More fields now and then: they are kept otherwise.
            let most = if round % 100 == 0 { 200 } else { 8 };
            let octets: String = (0..next(most))
                .map(|number| format!("{} : {number}\r\n", names[next(14)]))
                .collect();
            let header = Header::parse(octets.as_bytes());
            let wanted: Vec<&str> = (0..next(10)).map(|_| names[next(14)]).collect();
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
            for own in [None, Some(next(most))] {
                let picked: Vec<_> = index.pick(wanted.iter().copied(), own).collect();
                assert_eq!(picked, naive(&header, &wanted, own), "{octets:?} {own:?}");
            }
        }
    }
}
