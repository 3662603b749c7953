//! The DER (X.690 §10) that RSA and PKCS#8 keys need: a strict reader and its twin, the writer.
//!
//! Our own, because six element types make it shorter than the glue to a general ASN.1 library,
//! and because a key file is read here without copying an octet of it.

/// What is not DER, in words; never an octet of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotDer(pub(crate) &'static str);

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// Elements one after another, each lent from the input.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// The tag of the next element, if there is one.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The contents of the next element, which must have this tag.
    pub(crate) fn element(&mut self, tag: u8) -> Result<&'a [u8], NotDer> {
        let truncated = NotDer("it ends within an element");
        let (&found, rest) = self.rest.split_first().ok_or(truncated)?;
        if found != tag {
            return Err(NotDer("an element has another type than expected"));
        }
        let (&first, rest) = rest.split_first().ok_or(truncated)?;
        // X.690 §8.1.3 and §10.1: the definite form, with the fewest octets that will do. Four
        // octets of length are more than any key has.
        let (len, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (octets, rest) =
                    rest.split_at_checked(usize::from(first & 0x7f)).ok_or(truncated)?;
                let len = octets.iter().fold(0, |len, &octet| len << 8 | usize::from(octet));
                if len < 0x80 || octets.first() == Some(&0) {
                    return Err(NotDer("a length is not in its shortest form"));
                }
                (len, rest)
            }
            0x80 => return Err(NotDer("a length is indefinite")),
            _ => return Err(NotDer("a length is too large")),
        };
        let (contents, rest) = rest.split_at_checked(len).ok_or(truncated)?;
        self.rest = rest;
        Ok(contents)
    }

    /// The elements of the SEQUENCE that comes next.
    pub(crate) fn sequence(&mut self) -> Result<Self, NotDer> {
        self.element(SEQUENCE).map(Self::new)
    }

    /// An INTEGER that is not negative, big-endian, without leading zero octets: zero is empty.
    pub(crate) fn unsigned(&mut self) -> Result<&'a [u8], NotDer> {
        // X.690 §8.3.2: the fewest octets of two's complement.
        match self.element(INTEGER)? {
            [] => Err(NotDer("an integer has no octets")),
            [0x80..=0xff, ..] => Err(NotDer("an integer is negative")),
            [0] => Ok(&[]),
            [0, 0..=0x7f, ..] => Err(NotDer("an integer has needless leading zeros")),
            [0, magnitude @ ..] | magnitude => Ok(magnitude),
        }
    }

    /// A BIT STRING of whole octets, under its usual tag or an implicit one.
    pub(crate) fn bit_string(&mut self, tag: u8) -> Result<&'a [u8], NotDer> {
        match self.element(tag)? {
            [0, octets @ ..] => Ok(octets),
            _ => Err(NotDer("a bit string is not a whole number of octets")),
        }
    }

    /// Nothing may be left over.
    pub(crate) fn finish(self) -> Result<(), NotDer> {
        if self.rest.is_empty() { Ok(()) } else { Err(NotDer("octets are left over at the end")) }
    }
}

/// Appends an element.
pub(crate) fn write(out: &mut Vec<u8>, tag: u8, contents: &[u8]) {
    write_header(out, tag, contents.len());
    out.extend_from_slice(contents);
}

/// Appends tag and length of an element; the caller appends the contents.
pub(crate) fn write_header(out: &mut Vec<u8>, tag: u8, len: usize) {
    out.push(tag);
    match u8::try_from(len) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let octets = len.to_be_bytes();
            let significant = octets.iter().skip_while(|&&octet| octet == 0);
            // At most eight octets of length, so the count fits beside the mark.
            out.push(significant.clone().fold(0x80, |count, _| count + 1));
            out.extend(significant);
        }
    }
}

/// Appends an INTEGER from its magnitude, big-endian, without leading zero octets.
pub(crate) fn write_unsigned(out: &mut Vec<u8>, magnitude: &[u8]) {
    // Two's complement: a set high bit would read as a minus sign.
    let sign: &[u8] = if matches!(magnitude, [] | [0x80..=0xff, ..]) { &[0] } else { &[] };
    write_header(out, INTEGER, sign.len() + magnitude.len());
    out.extend_from_slice(sign);
    out.extend_from_slice(magnitude);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn written_elements_read_back() {
        for len in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let contents = vec![0x5a; len];
            let mut out = Vec::new();
            write(&mut out, OCTET_STRING, &contents);
            let mut reader = Reader::new(&out);
            assert_eq!(reader.element(OCTET_STRING), Ok(&contents[..]));
            reader.finish().unwrap();
        }
        for magnitude in [&[][..], &[1], &[0x7f], &[0x80], &[0xff, 0], &[1, 0, 1]] {
            let mut out = Vec::new();
            write_unsigned(&mut out, magnitude);
            assert_eq!(Reader::new(&out).unsigned(), Ok(magnitude));
        }
    }

    #[test]
    fn other_encodings_of_the_same_are_refused() {
        let refused: [(&[u8], &str); 12] = [
            (&[], "ends within"),
            (&[0x02], "ends within"),
            (&[0x02, 0x02, 0x01], "ends within"),
            (&[0x02, 0x82, 0x01], "ends within"),
            (&[0x02, 0x81, 0x01, 0x05], "shortest"),
            (&[0x02, 0x82, 0x00, 0x01, 0x05], "shortest"),
            (&[0x02, 0x80, 0x05, 0x00, 0x00], "indefinite"),
            (&[0x02, 0x85, 0, 0, 0, 0, 1, 5], "too large"),
            (&[0x02, 0x00], "no octets"),
            (&[0x02, 0x01, 0x80], "negative"),
            (&[0x02, 0x02, 0x00, 0x01], "leading zeros"),
            (&[0x03, 0x01, 0x01], "another type"),
        ];
        for (octets, reason) in refused {
            let NotDer(found) = Reader::new(octets).unsigned().unwrap_err();
            assert!(found.contains(reason), "{octets:x?}: {found}");
        }
        assert!(Reader::new(&[0x03, 0x02, 0x01, 0x80]).bit_string(BIT_STRING).is_err());
        assert!(Reader::new(&[0x03, 0x00]).bit_string(BIT_STRING).is_err());
        assert!(Reader::new(&[0]).finish().is_err());
    }
}
