//! A header whose fields come one by one.

use memchr::{memchr, memchr_iter};

use crate::header::Line;
use crate::lex::is_wsp;
use crate::{DefectKind, Header};

/// A header whose fields come one by one, as a mail filter is handed them.
///
/// ```
/// use dkim_message::HeaderBuf;
///
/// let mut buffer = HeaderBuf::new();
/// buffer.push(b"From", b" Joe SixPack\n <joe@football.example.com>");
/// let header = buffer.header();
/// let from = header.fields().get(0).ok_or("no field")?;
/// assert_eq!(from.body(), b" Joe SixPack\r\n <joe@football.example.com>");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct HeaderBuf {
    octets: Vec<u8>,
    ends: Vec<usize>,
}

impl HeaderBuf {
    /// An empty header.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field below those that are there. `body` is what follows the colon, leading white
    /// space included: a mail server hands that over if it is asked to (Milter: `SMFIP_HDR_LEADSPC`),
    /// and without it no signature over the header as it stands (`simple`) verifies. An LF without CR,
    /// which is how filters are handed folds, becomes CRLF.
    pub fn push(&mut self, name: &[u8], body: &[u8]) {
        self.octets.extend_from_slice(name);
        self.octets.push(b':');
        let mut from = 0;
        for lf in memchr_iter(b'\n', body) {
            self.octets.extend_from_slice(body.get(from..lf).unwrap_or_default());
            if self.octets.last() != Some(&b'\r') {
                self.octets.push(b'\r');
            }
            self.octets.push(b'\n');
            from = lf + 1;
        }
        self.octets.extend_from_slice(body.get(from..).unwrap_or_default());
        self.ends.push(self.octets.len());
        self.octets.extend_from_slice(b"\r\n");
    }

    /// Length in octets, line ends included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.octets.len()
    }

    /// Whether no field was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The header so far. Each field pushed is one field here, whatever is in it.
    #[must_use]
    pub fn header(&self) -> Header<'_> {
        let mut header = Header::unread(&self.octets);
        let mut start = 0;
        for end in &self.ends {
            let mut from = start;
            while from < *end {
                let field = self.octets.get(..*end).unwrap_or_default();
                let lf = memchr(b'\n', field.get(from..).unwrap_or_default());
                let line = Line::read(field, from, lf.map(|lf| from + lf));
                header.note_octets(&line);
                let folded = self.octets.get(line.next).copied().is_some_and(is_wsp);
                if line.next > line.end && !folded {
                    header.note(DefectKind::BrokenFold, line.end);
                }
                from = line.next;
            }
            header.close(Some((start, *end)));
            start = end + 2;
        }
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushed_fields_stay_apart() {
        let mut buffer = HeaderBuf::new();
        buffer.push(b"A", b" x\n y");
        buffer.push(b"B", b" x\r\nC: y");
        buffer.push(b"D", b"");
        let header = buffer.header();
        assert_eq!(
            header.fields().iter().map(|field| field.octets()).collect::<Vec<_>>(),
            [&b"A: x\r\n y"[..], b"B: x\r\nC: y", b"D:"]
        );
        assert_eq!(
            header.defects().iter().map(|defect| defect.kind).collect::<Vec<_>>(),
            [DefectKind::BrokenFold]
        );
    }

    #[test]
    fn pushed_fields_read_like_the_octets_they_stand_for() {
        let octets = b"From: a\r\nSubject : b\r\n\tc\r\nX:\r\n";
        let mut buffer = HeaderBuf::new();
        for field in Header::parse(octets).fields().iter() {
            buffer.push(field.raw_name(), field.body());
        }
        assert_eq!(buffer.header().octets(), octets);
        assert_eq!(buffer.header().fields(), Header::parse(octets).fields());
        assert_eq!(buffer.header().defects(), []);
        assert_eq!((buffer.len(), buffer.is_empty()), (octets.len(), false));
    }

    #[test]
    fn nothing_pushed_is_no_header() {
        let buffer = HeaderBuf::new();
        assert_eq!((buffer.len(), buffer.is_empty()), (0, true));
        assert!(buffer.header().fields().is_empty());
    }

    #[test]
    fn defects_have_their_place_in_the_header() {
        let mut buffer = HeaderBuf::new();
        buffer.push(b"A", b" b\n c");
        buffer.push(b"D", b" e\n f\0\ng");
        let places: Vec<_> =
            buffer.header().defects().iter().map(|defect| (defect.offset, defect.kind)).collect();
        assert_eq!(places, [(18, DefectKind::Nul), (19, DefectKind::BrokenFold)]);
    }
}
