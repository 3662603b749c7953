//! Many fields, put into buckets by the key of their name.

use std::cmp::Ordering;

use dkim_message::Fields;

use super::{is, key_of};

/// Half as many buckets as there are fields, or more. A bucket is looked through. One of many fields
/// is sorted by name before: in most headers there is none, and in a hostile one, where all names
/// share a bucket, that costs a sort.
#[derive(Clone, Debug)]
pub(super) struct Many {
    /// The fields by their number: one bucket behind the other, from the bottom up in each.
    by_name: Vec<u32>,
    /// Where each bucket ends there.
    ends: Vec<u32>,
}

/// Fields that are looked at, so that 32 bits number them and the buckets: a header of more has
/// gigabytes.
const NUMBERED: usize = 1 << 30;

/// Fields of a bucket that are looked through sooner than they are sorted.
const FEW: usize = 8;

/// For each place in `by_name` where the fields of a name begin: how many places behind it were
/// looked at.
#[derive(Default)]
pub(super) struct Taken(Vec<u32>);

impl Many {
    /// Counts what goes into each bucket, and puts it there.
    pub(super) fn new(fields: Fields<'_, '_>) -> Self {
        let count = fields.len().min(NUMBERED);
        let buckets = count.div_ceil(2).next_power_of_two();
        let mut many = Self { by_name: vec![0; count], ends: vec![0; buckets] };
        // The keys are computed twice rather than kept: there may be millions.
        for name in fields.names().take(count) {
            let bucket = many.bucket(name);
            many.ends.get_mut(bucket).into_iter().for_each(|count| *count += 1);
        }
        let mut begun = 0;
        for end in &mut many.ends {
            begun += std::mem::replace(end, begun);
        }
        for (field, name) in fields.names().take(count).enumerate().rev() {
            let (bucket, field) = (many.bucket(name), u32::try_from(field).unwrap_or(u32::MAX));
            let Some(end) = many.ends.get_mut(bucket) else { continue };
            if let Some(place) = many.by_name.get_mut(index(*end)) {
                *place = field;
            }
            *end += 1;
        }
        many.sort_large_buckets(fields);
        many
    }

    fn sort_large_buckets(&mut self, fields: Fields<'_, '_>) {
        let mut start = 0;
        for end in self.ends.iter().map(|end| index(*end)) {
            let bucket = self.by_name.get_mut(start..end).filter(|bucket| bucket.len() > FEW);
            if let Some(bucket) = bucket {
                bucket.sort_unstable_by(|a, b| {
                    order(name(fields, *a), name(fields, *b)).then_with(|| b.cmp(a))
                });
            }
            start = end;
        }
    }

    fn bucket(&self, name: &[u8]) -> usize {
        let bits = self.ends.len().trailing_zeros();
        index(key_of(name).checked_shr(u32::BITS - bits).unwrap_or(0))
    }

    pub(super) fn none_taken(&self) -> Taken {
        Taken(vec![0; self.by_name.len()])
    }

    /// The lowest field of this name that is not taken, which it then is.
    pub(super) fn pick(
        &self,
        fields: Fields<'_, '_>,
        wanted: &[u8],
        own: Option<usize>,
        taken: &mut Taken,
    ) -> Option<usize> {
        let (first, named) = self.named(fields, wanted)?;
        let taken = taken.0.get_mut(first)?;
        for field in named.get(index(*taken)..)? {
            *taken += 1;
            let picked = index(*field);
            if Some(picked) != own && is(fields, picked, wanted) {
                return Some(picked);
            }
        }
        None
    }

    /// The fields of this name, from the bottom up.
    pub(super) fn positions(
        &self,
        fields: Fields<'_, '_>,
        wanted: &[u8],
    ) -> impl Iterator<Item = usize> {
        let named = self.named(fields, wanted).map_or(&[][..], |(_, named)| named);
        named.iter().map(|field| index(*field)).filter(move |field| is(fields, *field, wanted))
    }

    pub(super) fn count(&self, fields: Fields<'_, '_>, wanted: &[u8]) -> usize {
        self.positions(fields, wanted).count()
    }

    /// The fields of a name and where in `by_name` they begin; between those of a small bucket stand
    /// others.
    fn named(&self, fields: Fields<'_, '_>, wanted: &[u8]) -> Option<(usize, &[u32])> {
        let bucket = self.bucket(wanted);
        let end_of = |bucket: usize| self.ends.get(bucket).map(|end| index(*end));
        let start = bucket.checked_sub(1).and_then(end_of).unwrap_or(0);
        let bucket = self.by_name.get(start..end_of(bucket)?)?;
        let compared = |field: &u32| order(name(fields, *field), wanted);
        let (before, named) = if bucket.len() > FEW {
            let before = bucket.partition_point(|field| compared(field).is_lt());
            let named = bucket.get(before..)?;
            (before, named.get(..named.partition_point(|field| compared(field).is_eq()))?)
        } else {
            let before = bucket.iter().position(|field| is(fields, index(*field), wanted))?;
            (before, bucket.get(before..)?)
        };
        Some((start + before, named))
    }
}

/// By key first, which tells most names apart.
fn order(name: &[u8], other: &[u8]) -> Ordering {
    key_of(name).cmp(&key_of(other)).then_with(|| {
        // Mostly they are the same, which is told sooner than in what they differ.
        if name.eq_ignore_ascii_case(other) {
            return Ordering::Equal;
        }
        let lower = |octet: &u8| octet.to_ascii_lowercase();
        name.iter().map(lower).cmp(other.iter().map(lower))
    })
}

fn name<'m>(fields: Fields<'_, 'm>, field: u32) -> &'m [u8] {
    fields.name(index(field)).unwrap_or_default()
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

    /// What is in one bucket is looked through: slow where that is much.
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
