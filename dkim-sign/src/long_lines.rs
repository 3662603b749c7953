//! Lines that are longer than mail may have.

use memchr::memchr_iter;

/// Octets of a line without its CRLF, at most (RFC 5322 §2.1.1, RFC 5321 §4.5.3.1.6).
const LIMIT: u64 = 998;

/// Counts lines over the limit in octets that come in pieces. A bare LF ends a line too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LongLines {
    /// Octets of the line being read.
    line: u64,
    after_cr: bool,
    found: u64,
}

impl LongLines {
    pub(crate) fn chunk(&mut self, octets: &[u8]) {
        let mut from = 0;
        for lf in memchr_iter(b'\n', octets) {
            self.extend(octets.get(from..lf).unwrap_or_default());
            self.end();
            from = lf + 1;
        }
        self.extend(octets.get(from..).unwrap_or_default());
    }

    /// How many there are, if nothing follows.
    pub(crate) fn count(mut self) -> u64 {
        self.end();
        self.found
    }

    fn extend(&mut self, octets: &[u8]) {
        if let Some(last) = octets.last() {
            self.after_cr = *last == b'\r';
        }
        self.line = self.line.saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
    }

    fn end(&mut self) {
        self.found += u64::from(self.line - u64::from(self.after_cr) > LIMIT);
        (self.line, self.after_cr) = (0, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_over_the_limit_are_counted_however_they_are_cut() {
        let line = |length: usize| [&vec![b'x'; length][..], b"\r\n"].concat();
        let octets =
            [line(998), line(999), line(0), line(5000), b"\n".to_vec(), vec![b'y'; 999]].concat();
        for cut in [0, 1, 997, 998, 999, 1000, 1001, 1999, 2000, 7003, octets.len()] {
            let mut lines = LongLines::default();
            lines.chunk(&octets[..cut]);
            lines.chunk(&octets[cut..]);
            assert_eq!(lines.count(), 3, "{cut}");
        }
        let mut lines = LongLines::default();
        lines.chunk(&line(998));
        assert_eq!(lines.count(), 0);
    }
}
