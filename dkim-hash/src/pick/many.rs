//! Many fields, put into order by name.

use std::cmp::Ordering;

use dkim_message::Field;

use super::{is, key_of};

/// Fields in buckets by the key of their name, half as many as there are fields or more, and sorted there:
/// in most headers there is hardly anything to sort, and in a hostile one, where all names share a
/// bucket, that costs a sort.
#[derive(Clone, Debug)]
pub(super) struct Many {
    /// By name, then from the bottom up.
    by_name: Vec<Place>,
    /// Where in `by_name` each bucket ends and the next begins.
    ends: Vec<u32>,
}

/// A field by its index, and the key of its name.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    key: u32,
    field: u32,
}

/// Fields beyond are not looked at: a header of so many has gigabytes.
const MOST: usize = 1 << 30;

/// How many instances are taken of the name that begins at each place in `by_name`.
#[derive(Default)]
pub(super) struct Taken(Vec<u32>);

impl Many {
    /// Sorted by the first bits of the key by counting: how many each bucket holds, where it begins,
    /// and then each to its place, behind which its bucket ends so far. What a bucket holds is then
    /// sorted by name.
    pub(super) fn new(fields: &[Field<'_>]) -> Self {
        let keys: Vec<u32> = fields.iter().take(MOST).map(|field| key_of(field.name())).collect();
        let (by_name, buckets) =
            (vec![Place::default(); keys.len()], keys.len().div_ceil(2).next_power_of_two());
        let ends = vec![0; buckets];
        let mut many = Self { by_name, ends };
        for key in &keys {
            let bucket = many.bucket(*key);
            many.ends.get_mut(bucket).into_iter().for_each(|count| *count += 1);
        }
        let mut begun = 0;
        for end in &mut many.ends {
            begun += std::mem::replace(end, begun);
        }
        for (field, key) in keys.iter().enumerate().rev() {
            let (bucket, field) = (many.bucket(*key), u32::try_from(field).unwrap_or(u32::MAX));
            let Some(end) = many.ends.get_mut(bucket) else { continue };
            if let Some(place) = many.by_name.get_mut(index(*end)) {
                *place = Place { key: *key, field };
            }
            *end += 1;
        }
        many.sort_buckets(fields);
        many
    }

    fn sort_buckets(&mut self, fields: &[Field<'_>]) {
        let mut start = 0;
        for end in self.ends.iter().map(|end| index(*end)) {
            if let Some(bucket @ [_, _, ..]) = self.by_name.get_mut(start..end) {
                bucket.sort_unstable_by(|a, b| {
                    a.order(b.key, || b.name(fields), fields).then_with(|| b.field.cmp(&a.field))
                });
            }
            start = end;
        }
    }

    fn bucket(&self, key: u32) -> usize {
        // The first bits of a key are as good as any.
        let bits = self.ends.len().trailing_zeros();
        index(key.checked_shr(u32::BITS - bits).unwrap_or(0))
    }

    pub(super) fn none_taken(&self) -> Taken {
        Taken(vec![0; self.by_name.len()])
    }

    /// The lowest field of this name that is not taken and not `own`, which it then is.
    pub(super) fn pick(
        &self,
        fields: &[Field<'_>],
        name: &[u8],
        own: Option<usize>,
        taken: &mut Taken,
    ) -> Option<usize> {
        let (_, first) = self.first(fields, name);
        let taken = taken.0.get_mut(first)?;
        loop {
            let place = self.by_name.get(first + index(*taken))?;
            if !is(fields.get(index(place.field)), name) {
                return None;
            }
            *taken += 1;
            let picked = index(place.field);
            if Some(picked) != own {
                return Some(picked);
            }
        }
    }

    pub(super) fn count(&self, fields: &[Field<'_>], name: &[u8]) -> usize {
        let (key, first) = self.first(fields, name);
        let from = self.by_name.get(first..).unwrap_or_default();
        from.iter().take_while(|place| place.order(key, || name, fields).is_eq()).count()
    }

    /// The key of a name, and where in `by_name` the name begins, or would.
    fn first(&self, fields: &[Field<'_>], name: &[u8]) -> (u32, usize) {
        let key = key_of(name);
        let bucket = self.bucket(key);
        let end_of = |bucket: usize| self.ends.get(bucket).map(|end| index(*end));
        let start = bucket.checked_sub(1).and_then(end_of).unwrap_or(0);
        let places = self.by_name.get(start..end_of(bucket).unwrap_or(start)).unwrap_or_default();
        (key, start + places.partition_point(|place| place.order(key, || name, fields).is_lt()))
    }
}

impl Place {
    /// How a field stands to a name of this key, ASCII case apart.
    fn order<'n>(
        &self,
        key: u32,
        name: impl FnOnce() -> &'n [u8],
        fields: &[Field<'_>],
    ) -> Ordering {
        self.key.cmp(&key).then_with(|| {
            let (field, name) = (self.name(fields), name());
            if field.eq_ignore_ascii_case(name) {
                return Ordering::Equal;
            }
            let lower = |octet: &u8| octet.to_ascii_lowercase();
            field.iter().map(lower).cmp(name.iter().map(lower))
        })
    }

    fn name<'m>(&self, fields: &[Field<'m>]) -> &'m [u8] {
        fields.get(index(self.field)).map(Field::name).unwrap_or_default()
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use dkim_message::Header;

    use super::*;

    /// Where the instances of one name end, those of another with the same key begin.
    #[test]
    fn names_of_one_key_stay_apart() {
        let octets = "xxontent-id: 1\r\nyxontent-id: 2\r\n".repeat(40);
        let header = Header::parse(octets.as_bytes());
        let many = Many::new(header.fields());
        assert_eq!(key_of(b"xxontent-id"), key_of(b"yxontent-id"));
        for (name, lowest) in [(&b"xxontent-id"[..], 78), (b"yxontent-id", 79)] {
            let mut taken = many.none_taken();
            let mut pick = || many.pick(header.fields(), name, Some(2), &mut taken);
            let all = (0..=lowest).rev().step_by(2).filter(|place| *place != 2);
            assert!(all.eq(std::iter::from_fn(&mut pick)));
            assert_eq!(pick(), None);
        }
    }

    /// What is in one bucket is sorted: slow where that is much.
    #[test]
    fn names_are_spread_over_the_buckets() {
        let octets: String = (0..1000).map(|name| format!("X-Field-{name}: x\r\n")).collect();
        let header = Header::parse(octets.as_bytes());
        let many = Many::new(header.fields());
        let before = std::iter::once(&0).chain(&many.ends);
        let fullest = many.ends.iter().zip(before).map(|(end, start)| end - start).max();
        assert_eq!(many.ends.len(), 512);
        assert!(fullest.is_some_and(|fields| fields <= 10), "{fullest:?}");
    }
}
