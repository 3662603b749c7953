//! The form of line ends: CRLF as in transit, or LF as files have it.

use memchr::{memchr, memchr_iter, memchr2_iter};

/// How the lines of a message end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEnds {
    /// As in transit; octets are taken as they stand.
    Crlf,
    /// As in files on Unix: every LF stands for CRLF.
    Lf,
}

impl LineEnds {
    /// Decided by the header and the empty line after it: LF when there is no CRLF. A header with
    /// both is taken as it stands, so that nothing is mended that a reader might see otherwise.
    pub(crate) fn of_header(octets: &[u8]) -> Self {
        let mut previous = memchr_iter(b'\n', octets).map(|lf| lf.checked_sub(1)).peekable();
        let crlf = |before: Option<usize>| before.and_then(|at| octets.get(at)) == Some(&b'\r');
        if previous.peek().is_some() && !previous.any(crlf) { Self::Lf } else { Self::Crlf }
    }

    /// The octets in transit form; `scratch` holds them where they differ.
    pub(crate) fn to_crlf<'o>(self, octets: &'o [u8], scratch: &'o mut Vec<u8>) -> &'o [u8] {
        if self == Self::Crlf {
            return octets;
        }
        scratch.clear();
        let mut from = 0;
        for lf in memchr_iter(b'\n', octets) {
            scratch.extend_from_slice(octets.get(from..lf).unwrap_or_default());
            scratch.extend_from_slice(b"\r\n");
            from = lf + 1;
        }
        scratch.extend_from_slice(octets.get(from..).unwrap_or_default());
        scratch
    }

    /// Octets in transit form, in this form again.
    pub(crate) fn of_octets(self, octets: &[u8]) -> Vec<u8> {
        if self == Self::Crlf {
            return octets.to_vec();
        }
        let mut form = Vec::with_capacity(octets.len());
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            match line.strip_suffix(b"\r\n") {
                // One CR came before each LF, whatever stood there already.
                Some(line) => {
                    form.extend_from_slice(line);
                    form.push(b'\n');
                }
                None => form.extend_from_slice(line),
            }
        }
        form
    }

    /// Text with CRLF in this form.
    pub(crate) fn of_text(self, text: &str) -> String {
        match self {
            Self::Crlf => text.to_owned(),
            Self::Lf => text.replace("\r\n", "\n"),
        }
    }
}

/// Watches a body for line ends of another form than its header's.
#[derive(Debug)]
pub(crate) struct BodyLineEnds {
    form: LineEnds,
    after_cr: bool,
    mixed: bool,
}

impl BodyLineEnds {
    pub(crate) fn new(form: LineEnds) -> Self {
        Self { form, after_cr: false, mixed: false }
    }

    /// Takes the next octets of the body as they stand.
    pub(crate) fn chunk(&mut self, octets: &[u8]) {
        if self.form == LineEnds::Lf {
            self.mixed |= memchr(b'\r', octets).is_some();
            return;
        }
        // Where an LF must stand, and nowhere else.
        let mut lf_at = self.after_cr.then_some(0);
        for at in memchr2_iter(b'\r', b'\n', octets) {
            let is_lf = octets.get(at) == Some(&b'\n');
            self.mixed |= if is_lf { lf_at != Some(at) } else { lf_at.is_some() };
            lf_at = (!is_lf).then_some(at + 1);
        }
        self.after_cr = lf_at == Some(octets.len());
        self.mixed |= lf_at.is_some() && !self.after_cr;
    }

    /// Whether the body had line ends of another form.
    pub(crate) fn finish(self) -> bool {
        self.mixed || self.after_cr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_decides() {
        for (header, form) in [
            (&b"A: b\r\n\r\n"[..], LineEnds::Crlf),
            (b"A: b\n\n", LineEnds::Lf),
            (b"A: b\nC: d\r\n\r\n", LineEnds::Crlf),
            (b"A: b\nC: d\n\r\n", LineEnds::Crlf),
            (b"A: b\r\nC: d\n\n", LineEnds::Crlf),
            (b"A: b", LineEnds::Crlf),
            (b"\n", LineEnds::Lf),
        ] {
            assert_eq!(LineEnds::of_header(header), form, "{header:?}");
        }
    }

    #[test]
    fn every_lf_becomes_crlf() {
        let mut scratch = Vec::new();
        assert_eq!(LineEnds::Lf.to_crlf(b"\na\n\nb", &mut scratch), b"\r\na\r\n\r\nb");
        assert_eq!(LineEnds::Crlf.to_crlf(b"\na", &mut scratch), b"\na");
        assert_eq!(LineEnds::Lf.of_octets(b"\r\na\rb\r\n\r\nc\r"), b"\na\rb\n\nc\r");
        assert_eq!(LineEnds::Crlf.of_octets(b"\r\na\n"), b"\r\na\n");
    }

    /// All bodies over a small alphabet, cut at every place, against a count of what is there.
    #[test]
    fn mixed_bodies_are_found_however_they_are_cut() {
        let alphabet = [b'x', b'\r', b'\n'];
        for len in 0..=7_u32 {
            for number in 0..3_usize.pow(len) {
                let body: Vec<u8> =
                    (0..len).map(|place| alphabet[number / 3_usize.pow(place) % 3]).collect();
                let text = String::from_utf8_lossy(&body);
                let crlf_mixed = text.replace("\r\n", "").contains(['\r', '\n']);
                for (form, mixed) in
                    [(LineEnds::Crlf, crlf_mixed), (LineEnds::Lf, text.contains('\r'))]
                {
                    for cut in 0..=body.len() {
                        let mut seen = BodyLineEnds::new(form);
                        seen.chunk(&body[..cut]);
                        seen.chunk(&body[cut..]);
                        assert_eq!(seen.finish(), mixed, "{form:?} {text:?} at {cut}");
                    }
                }
            }
        }
    }
}
