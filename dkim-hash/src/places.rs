//! Where fields that were brought into canonical form stand.

use std::collections::BTreeMap;
use std::ops::Range;

use smallvec::{SmallVec, smallvec};

/// Where the fields of a header stand among the octets of the inputs, in one canonical form.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "the large one is the usual one")]
pub(crate) enum Places {
    /// Of each field of the header; `0..0` of one that is not there yet.
    Each(SmallVec<[Range<usize>; FEW]>),
    /// Of those that are there: of a header of very many fields a few are signed.
    Some(BTreeMap<usize, Range<usize>>),
}

/// Few messages have more fields.
const FEW: usize = 32;

/// For so many fields at most each has its place, whether it is there or not.
const MANY: usize = 4096;

impl Places {
    /// For a header of so many fields, none of which is there.
    pub(crate) fn new(fields: usize) -> Self {
        match fields {
            ..=MANY => Self::Each(smallvec![0..0; fields]),
            _ => Self::Some(BTreeMap::new()),
        }
    }

    /// Where the field of this index stands.
    pub(crate) fn get(&self, field: usize) -> Option<Range<usize>> {
        match self {
            Self::Each(places) => places.get(field).filter(|place| place.end > 0).cloned(),
            Self::Some(places) => places.get(&field).cloned(),
        }
    }

    /// The field of this index stands there.
    pub(crate) fn set(&mut self, field: usize, place: Range<usize>) {
        match self {
            Self::Each(places) => {
                places.get_mut(field).into_iter().for_each(|old| *old = place.clone())
            }
            Self::Some(places) => drop(places.insert(field, place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_or_many_each_has_its_place() {
        for fields in [1, FEW, FEW + 1, MANY, MANY + 1] {
            let mut places = Places::new(fields);
            assert_eq!(places.get(0), None);
            places.set(0, 0..7);
            places.set(fields - 1, 7..9);
            let first = if fields == 1 { 7..9 } else { 0..7 };
            assert_eq!((places.get(0), places.get(fields - 1)), (Some(first), Some(7..9)));
            assert_eq!(places.get(fields), None);
        }
        assert!(matches!(Places::new(MANY), Places::Each(_)));
        assert!(matches!(Places::new(MANY + 1), Places::Some(_)));
    }
}
