//! The input of the header hash (RFC 6376 §3.7, step 2).

use std::ops::Range;

use dkim_canon::{Canonicalization, write_field, write_field_body};
use dkim_message::Header;
use smallvec::SmallVec;

use crate::FieldIndex;
use crate::places::Places;

/// The inputs of the header hashes of a message, one behind the other.
///
/// A field is brought into canonical form once, however many signatures are over it.
///
/// ```
/// use dkim_canon::Canonicalization::Relaxed;
/// use dkim_hash::HeaderInputs;
/// use dkim_message::Header;
///
/// let header = Header::parse(b"DKIM-Signature: v=1; b=Zm9v\r\nFrom:  joe\r\nTo: ann\r\n");
/// let mut inputs = HeaderInputs::new(&header);
/// inputs.open(Relaxed, ["from"], Some(0));
/// inputs.close(Relaxed, b"DKIM-Signature", [b" v=1; b=", b""]);
/// assert_eq!(inputs.octets(), b"from:joe\r\ndkim-signature:v=1; b=");
/// ```
#[derive(Clone, Debug)]
pub struct HeaderInputs<'h, 'm> {
    index: FieldIndex<'h, 'm>,
    octets: Vec<u8>,
    /// Where fields stand in `octets` in a canonical form.
    places: SmallVec<[(Canonicalization, Places); 1]>,
}

/// Octets of a field, on average; many have more, and not all are signed.
const USUAL: usize = 64;

/// Octets that room is made for before it is known how much is needed.
const ROOM_AHEAD: usize = 4096;

impl<'h, 'm> HeaderInputs<'h, 'm> {
    /// No inputs yet.
    #[must_use]
    pub fn new(header: &'h Header<'m>) -> Self {
        let (octets, places) = (Vec::new(), SmallVec::new());
        Self { index: FieldIndex::new(header), octets, places }
    }

    /// Begins an input with the fields that `signed_fields` [picks](FieldIndex::pick), canonical
    /// and each closed by CRLF. Returns where among the [octets](Self::octets) they stand.
    pub fn open<'n>(
        &mut self,
        canonicalization: Canonicalization,
        signed_fields: impl IntoIterator<Item = &'n str>,
        own: Option<usize>,
    ) -> Range<usize> {
        let Self { index, octets, places } = self;
        let known = places.iter().position(|(form, _)| *form == canonicalization);
        let known = known.unwrap_or_else(|| {
            places.push((canonicalization, Places::new(index.fields.len())));
            places.len() - 1
        });
        octets.reserve(index.fields.len().saturating_mul(USUAL).min(ROOM_AHEAD));
        let start = octets.len();
        let Some((_, places)) = places.get_mut(known) else { return start..start };
        for picked in index.pick(signed_fields, own).flatten() {
            let Some(field) = index.fields.get(picked) else { continue };
            match places.get(picked) {
                Some(place) => octets.extend_from_within(place),
                None => {
                    let start = octets.len();
                    write_field(canonicalization, field.raw_name(), field.body(), octets);
                    octets.extend_from_slice(b"\r\n");
                    places.set(picked, start..octets.len());
                }
            }
        }
        start..octets.len()
    }

    /// Ends the input begun last, with the DKIM-Signature field. Returns where that stands.
    /// See [`close_input`].
    pub fn close(
        &mut self,
        canonicalization: Canonicalization,
        name: &[u8],
        body_without_b: [&[u8]; 2],
    ) -> Range<usize> {
        let start = self.octets.len();
        close_input(canonicalization, name, body_without_b, &mut self.octets);
        start..self.octets.len()
    }

    /// The fields of the header.
    #[must_use]
    pub fn index(&self) -> &FieldIndex<'h, 'm> {
        &self.index
    }

    /// All inputs.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// All inputs, and nothing borrowed from the header any more.
    #[must_use]
    pub fn into_octets(self) -> Vec<u8> {
        self.octets
    }
}

/// Adds the DKIM-Signature field, the value of its `b=` deleted, to the input of the header hash:
/// last and "without a trailing CRLF" (RFC 6376 §3.7, step 2). Name and body are as they stand in
/// the message, so that `simple` keeps them; the body comes as what stands before the value deleted
/// and what stands after it, and where the two meet is no white space.
pub fn close_input(
    canonicalization: Canonicalization,
    name: &[u8],
    body_without_b: [&[u8]; 2],
    input: &mut Vec<u8>,
) {
    let [before, after] = body_without_b;
    write_field(canonicalization, name, before, input);
    write_field_body(canonicalization, after, input);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_the_fields_and_the_signature() {
        let header = Header::parse(b"A: X\r\nB : Y\t\r\n\tZ  \r\nA: W\r\n");
        let mut inputs = HeaderInputs::new(&header);
        let mut input = |form, names: [&str; 3]| {
            let fields = inputs.open(form, names, None);
            let own = inputs.close(form, b"DKIM-Signature", [b" v=1; \t b=", b"; c=x "]);
            assert_eq!((fields.end, own.end), (own.start, inputs.octets().len()));
            String::from_utf8_lossy(&inputs.octets()[fields.start..own.end]).into_owned()
        };
        assert_eq!(
            input(Canonicalization::Simple, ["b", "a", "x"]),
            "B : Y\t\r\n\tZ  \r\nA: W\r\nDKIM-Signature: v=1; \t b=; c=x "
        );
        assert_eq!(
            input(Canonicalization::Relaxed, ["b", "a", "a"]),
            "b:Y Z\r\na:W\r\na:X\r\ndkim-signature:v=1; b=; c=x"
        );
        // Once more, of what is there.
        assert_eq!(
            input(Canonicalization::Relaxed, ["a", "b", "x"]),
            "a:W\r\nb:Y Z\r\ndkim-signature:v=1; b=; c=x"
        );
        assert_eq!(
            input(Canonicalization::Simple, ["a", "a", "b"]),
            "A: W\r\nA: X\r\nB : Y\t\r\n\tZ  \r\nDKIM-Signature: v=1; \t b=; c=x "
        );
    }

    /// Whatever was asked before, an input is its fields in canonical form, one by one.
    #[test]
    fn inputs_are_the_same_in_any_order() {
        use Canonicalization::{Relaxed, Simple};
        let octets: String = (0..40).map(|n| format!("F{} :  {n}\r\n\t x \r\n", n % 7)).collect();
        let header = Header::parse(octets.as_bytes());
        let mut inputs = HeaderInputs::new(&header);
        let mut seed = 7_u32;
        let mut next = |bound: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from((seed >> 16) % bound).unwrap_or(0)
        };
        let names: Vec<String> = (0..8).map(|name| format!("f{name}")).collect();
        for _ in 0..if cfg!(miri) { 20 } else { 500 } {
            let form = [Simple, Relaxed][next(2)];
            let wanted: Vec<&str> = (0..next(12)).map(|_| names[next(8)].as_str()).collect();
            let own = [None, Some(next(40))][next(2)];
            let mut expected = Vec::new();
            for picked in FieldIndex::new(&header).pick(wanted.iter().copied(), own).flatten() {
                let field = header.fields().get(picked).expect("a field that was picked");
                write_field(form, field.raw_name(), field.body(), &mut expected);
                expected.extend_from_slice(b"\r\n");
            }
            let place = inputs.open(form, wanted.iter().copied(), own);
            assert_eq!(&inputs.octets()[place], expected, "{form} {wanted:?} {own:?}");
        }
        let octets = inputs.octets().to_vec();
        assert_eq!(inputs.into_octets(), octets);
    }
}
