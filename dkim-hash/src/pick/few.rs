//! A few fields, looked through each time.

use dkim_message::Fields;
use smallvec::SmallVec;

use super::{is, key_of};

/// The keys of the names of at most [`FEW`] fields, top to bottom.
#[derive(Clone, Debug)]
pub(super) struct Few {
    keys: SmallVec<[u32; 32]>,
}

/// As many as there are bits to say which are taken.
const FEW: usize = 64;

const _: () = assert!(FEW == size_of::<Taken>() * 8);

/// Which fields are taken: a bit for each.
#[derive(Default)]
pub(super) struct Taken(u64);

impl Few {
    /// `None` if there are more than a few.
    pub(super) fn new(fields: Fields<'_, '_>) -> Option<Self> {
        let are_few = fields.len() <= FEW;
        are_few.then(|| Self { keys: fields.names().map(key_of).collect() })
    }

    /// The lowest field of this name that is not taken, which it then is.
    pub(super) fn pick(
        &self,
        fields: Fields<'_, '_>,
        name: &[u8],
        taken: &mut Taken,
    ) -> Option<usize> {
        let key = key_of(name);
        let mut places = self.keys.iter().enumerate().rev();
        let picked = places
            .find(|(at, of_field)| **of_field == key && !taken.is(*at) && is(fields, *at, name));
        let picked = picked.map(|(at, _)| at);
        taken.take(picked);
        picked
    }

    /// The fields of this name, from the bottom up.
    pub(super) fn positions(
        &self,
        fields: Fields<'_, '_>,
        name: &[u8],
    ) -> impl Iterator<Item = usize> {
        let key = key_of(name);
        let keys = self.keys.iter().enumerate().rev();
        keys.filter(move |(at, of_field)| **of_field == key && is(fields, *at, name))
            .map(|(at, _)| at)
    }

    pub(super) fn count(&self, fields: Fields<'_, '_>, name: &[u8]) -> usize {
        self.positions(fields, name).count()
    }

    /// Whether two fields may have one name.
    pub(super) fn may_repeat(&self) -> bool {
        let mut keys = self.keys.as_slice();
        while let [key, below @ ..] = keys {
            // Without branches, so that many are looked at together.
            if below.iter().fold(false, |any, other| any | (other == key)) {
                return true;
            }
            keys = below;
        }
        false
    }
}

impl Taken {
    /// Takes a field, if there is one.
    pub(super) fn take(&mut self, field: Option<usize>) {
        self.0 |= field.map_or(0, Self::bit);
    }

    fn is(&self, field: usize) -> bool {
        self.0 & Self::bit(field) != 0
    }

    fn bit(field: usize) -> u64 {
        u32::try_from(field).ok().and_then(|bits| 1_u64.checked_shl(bits)).unwrap_or(0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_message::Header;

    use super::*;

    /// Fields that all differ are not counted one by one.
    #[test]
    fn names_that_may_repeat_are_told_from_those_that_do_not() {
        for (octets, may_repeat) in [
            (&b""[..], false),
            (b"From: 1\r\nTo: 2\r\nCc: 3\r\n", false),
            (b"From: 1\r\nTo: 2\r\nfrom: 3\r\n", true),
            (b"From: 1\r\nFrom: 2\r\nFrom: 3\r\n", true),
        ] {
            let header = Header::parse(octets);
            assert_eq!(Few::new(header.fields()).unwrap().may_repeat(), may_repeat, "{octets:?}");
        }
    }

    #[test]
    fn few_are_as_many_as_bits() {
        let octets = b"A: b\r\n".repeat(FEW + 1);
        assert!(Few::new(Header::parse(&octets).fields()).is_none());
        let header = Header::parse(&octets[6..]);
        let fields = header.fields();
        let few = Few::new(fields).unwrap();
        let mut taken = Taken::default();
        for place in (0..FEW).rev() {
            assert_eq!(few.pick(fields, b"a", &mut taken), Some(place));
        }
        assert_eq!(few.pick(fields, b"a", &mut taken), None);
    }
}
