//! Which instances of a field are signed (RFC 6376 §5.4.2).

mod few;
mod many;

use dkim_message::{Fields, Header};

use few::Few;
use many::Many;

/// The fields of a header, ready to be picked by name from the bottom up.
///
/// Made once and used for every signature of the message. The few fields of most headers are
/// looked through; many are put into buckets first.
#[derive(Clone, Debug)]
pub struct FieldIndex<'h, 'm> {
    pub(crate) fields: Fields<'h, 'm>,
    by_name: ByName,
}

#[derive(Clone, Debug)]
enum ByName {
    Few(Few),
    Many(Many),
}

impl<'h, 'm> FieldIndex<'h, 'm> {
    /// Reads the names of all fields.
    #[must_use]
    pub fn new(header: &'h Header<'m>) -> Self {
        let fields = header.fields();
        let by_name = match Few::new(fields) {
            Some(few) => ByName::Few(few),
            None => ByName::Many(Many::new(fields)),
        };
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
        let (mut few_taken, mut many_taken) = (few::Taken::default(), many::Taken::default());
        match &self.by_name {
            ByName::Few(_) => few_taken.take(own),
            ByName::Many(many) => many_taken = many.none_taken(),
        }
        names.into_iter().map(move |name| match &self.by_name {
            ByName::Few(few) => few.pick(self.fields, name.as_bytes(), &mut few_taken),
            ByName::Many(many) => many.pick(self.fields, name.as_bytes(), own, &mut many_taken),
        })
    }

    /// Where the fields of this name stand, from the bottom up.
    ///
    /// ```
    /// use dkim_hash::FieldIndex;
    /// use dkim_message::Header;
    ///
    /// let header = Header::parse(b"Received: 1\r\nFrom: a\r\nReceived: 2\r\n");
    /// assert!(FieldIndex::new(&header).positions("received").eq([2, 0]));
    /// ```
    pub fn positions(&self, name: &str) -> impl Iterator<Item = usize> {
        let name = name.as_bytes();
        let (few, many) = match &self.by_name {
            ByName::Few(few) => (Some(few.positions(self.fields, name)), None),
            ByName::Many(many) => (None, Some(many.positions(self.fields, name))),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }

    /// How many fields have this name.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        match &self.by_name {
            ByName::Few(few) => few.count(self.fields, name.as_bytes()),
            ByName::Many(many) => many.count(self.fields, name.as_bytes()),
        }
    }

    /// Those of the names that more than one field has, and how many have it.
    pub fn repeated<'n>(&self, names: &[&'n str]) -> impl Iterator<Item = (&'n str, usize)> {
        let some_are = match &self.by_name {
            ByName::Few(few) => few.may_repeat(),
            ByName::Many(_) => true,
        };
        let looked_for = if some_are { names } else { &[] };
        let counted = looked_for.iter().map(|name| (*name, self.count(name)));
        counted.filter(|(_, count)| *count > 1)
    }
}

/// By what names are told apart before they are compared: their length and their last octets, in
/// which most of them differ, scattered so that the first bits depend on all. Upper and lower case
/// have the same key.
fn key_of(name: &[u8]) -> u32 {
    // 2^64 divided by the golden ratio, odd.
    const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
    let length = u64::try_from(name.len()).unwrap_or(u64::MAX) << 56;
    let last = match name.last_chunk() {
        Some([a, b, c, d, e, f, g]) => u64::from_be_bytes([0, *a, *b, *c, *d, *e, *f, *g]),
        None => name.iter().fold(0, |key, octet| key << 8 | u64::from(*octet)),
    };
    let lower = u64::from_be_bytes([0, 32, 32, 32, 32, 32, 32, 32]);
    let scattered = (length | last | lower).wrapping_mul(SCATTER);
    u32::try_from(scattered >> 32).unwrap_or(0)
}

fn is(fields: Fields<'_, '_>, field: usize, name: &[u8]) -> bool {
    fields.name(field).is_some_and(|of_field| of_field.eq_ignore_ascii_case(name))
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
                let found = (0..header.fields().len()).rev().find(|index| {
                    !taken[*index]
                        && header.fields().get(*index).is_some_and(|field| field.is(name))
                })?;
                taken[found] = true;
                Some(found)
            })
            .collect()
    }

    /// A few fields are looked through, many are put into buckets: the numbers where that changes.
    #[test]
    fn few_and_many_fields_are_picked_alike() {
        for count in 60..70 {
            for others in [0, 1, 3] {
                let name = |at: usize| if at < others { "Other" } else { "To" };
                let octets: String =
                    (0..count).map(|at| format!("{}: {at}\r\n", name(at))).collect();
                let header = Header::parse(octets.as_bytes());
                let index = FieldIndex::new(&header);
                let wanted = vec!["to"; count + 2];
                for own in [None, Some(0), Some(count - 1), Some(62), Some(63), Some(64)] {
                    let picked: Vec<_> = index.pick(wanted.iter().copied(), own).collect();
                    assert_eq!(picked, naive(&header, &wanted, own), "{count} fields, {own:?}");
                }
                assert_eq!(index.count("TO"), count - others);
            }
        }
    }

    /// Names with one key are compared octet by octet: slow where many are.
    #[test]
    fn names_that_are_met_have_keys_of_their_own() {
        let names = [
            "To",
            "Cc",
            "Bcc",
            "Date",
            "From",
            "Sender",
            "Subject",
            "Reply-To",
            "Received",
            "MIME-Version",
            "X-Received",
            "Message-ID",
            "References",
            "In-Reply-To",
            "Return-Path",
            "Content-Type",
            "Delivered-To",
            "Received-SPF",
            "DKIM-Signature",
            "ARC-Seal",
            "ARC-Message-Signature",
            "List-Post",
            "List-Help",
            "List-Id",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "Authentication-Results",
            "ARC-Authentication-Results",
            "Content-Transfer-Encoding",
        ];
        for (place, name) in names.iter().enumerate() {
            assert_eq!(key_of(name.as_bytes()), key_of(name.to_uppercase().as_bytes()), "{name}");
            for other in &names[..place] {
                assert_ne!(key_of(name.as_bytes()), key_of(other.as_bytes()), "{name} {other}");
            }
        }
        // Names as short as these differ in the octet before the last, too.
        assert_ne!(key_of(b"ab"), key_of(b"bb"));
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
        for round in 0..if cfg!(miri) { 20 } else { 20_000 } {
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
                let positions = header.fields().positions(name).rev();
                assert!(index.positions(name).eq(positions), "{octets:?}");
            }
            let several: Vec<_> = names.iter().map(|name| (*name, index.count(name))).collect();
            let several: Vec<_> = several.into_iter().filter(|(_, count)| *count > 1).collect();
            assert_eq!(index.repeated(&names).collect::<Vec<_>>(), several, "{octets:?}");
            for own in [None, Some(next(most))] {
                let picked: Vec<_> = index.pick(wanted.iter().copied(), own).collect();
                assert_eq!(picked, naive(&header, &wanted, own), "{octets:?} {own:?}");
            }
        }
    }
}
