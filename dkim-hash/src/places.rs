//! Where fields that were brought into canonical form stand.

use std::collections::BTreeMap;
use std::ops::Range;

use smallvec::{SmallVec, smallvec};

/// Where the fields of a header stand among the octets of the inputs, in one canonical form.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// Of each field of the header, `0..0` of one that is not there yet; of none if there are many.
    each: SmallVec<[Range<usize>; FEW]>,
    /// Of many fields, those that are there: the signed ones.
    some: BTreeMap<usize, Range<usize>>,
}

/// Few messages have more fields.
const FEW: usize = 32;

/// Of so many fields at most each has its place, whether it is there or not.
const EACH: usize = 4096;

impl Places {
    /// For a header of so many fields, none of which is there.
    pub(crate) fn new(fields: usize) -> Self {
        let each = if fields <= EACH { fields } else { 0 };
        Self { each: smallvec![0..0; each], some: BTreeMap::new() }
    }

    /// Where the field of this index stands.
    pub(crate) fn get(&self, field: usize) -> Option<Range<usize>> {
        match self.each.get(field) {
            Some(place) => (place.end > 0).then(|| place.clone()),
            None => self.some.get(&field).cloned(),
        }
    }

    /// The field of this index stands there.
    pub(crate) fn set(&mut self, field: usize, place: Range<usize>) {
        match self.each.get_mut(field) {
            Some(old) => *old = place,
            None => drop(self.some.insert(field, place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_or_many_each_has_its_place() {
        for fields in [1, FEW, FEW + 1, EACH, EACH + 1] {
            let mut places = Places::new(fields);
            assert_eq!(places.get(0), None);
            places.set(0, 0..7);
            places.set(fields - 1, 7..9);
            let first = if fields == 1 { 7..9 } else { 0..7 };
            assert_eq!((places.get(0), places.get(fields - 1)), (Some(first), Some(7..9)));
            assert_eq!(places.get(fields), None);
            let kept = places.each.len() + places.some.len();
            assert_eq!(kept, if fields > EACH { 2 } else { fields });
        }
    }
}
