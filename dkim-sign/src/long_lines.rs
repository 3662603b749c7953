//! Lines that are longer than mail may have.

use memchr::{memchr, memrchr};

/// Octets of a line without its CRLF, at most (RFC 5322 §2.1.1, RFC 5321 §4.5.3.1.6).
const LIMIT: u64 = 998;

/// No line that begins and ends within so many octets, its LF among them, is over the limit.
const WITHIN: usize = 999;

/// Where a line ends in the [`LAST`] octets of one step and of the next, none between is over the
/// limit.
const STEP: usize = 768;

/// More octets than most lines of text have.
const LAST: usize = 128;

const _: () = assert!(STEP + LAST <= WITHIN);

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
        let mut rest = octets;
        while !rest.is_empty() {
            let end = if self.line == 0 { end_of_short_lines(rest) } else { None };
            let end = end.unwrap_or_else(|| self.read_line(rest));
            rest = rest.get(end..).unwrap_or_default();
        }
    }

    /// Reads up to the end of the line, and returns where that is.
    fn read_line(&mut self, octets: &[u8]) -> usize {
        let Some(lf) = memchr(b'\n', octets) else {
            self.extend(octets);
            return octets.len();
        };
        self.extend(octets.get(..lf).unwrap_or_default());
        self.end();
        lf + 1
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

/// Where the last of the lines ends that are known to be short. Most octets need not be looked at,
/// and in text it need not be known where in each step a line ends.
fn end_of_short_lines(octets: &[u8]) -> Option<usize> {
    let (steps, _) = octets.as_chunks::<STEP>();
    let sure = steps.iter().take_while(|step| ends_a_line(step)).count() * STEP;
    let sure = octets.get(..sure.max(WITHIN)).unwrap_or(octets);
    memrchr(b'\n', sure).map(|lf| lf + 1)
}

/// Whether a line ends in the last octets of a step. Without branches, so that the compiler makes
/// vector instructions of it.
fn ends_a_line(step: &[u8; STEP]) -> bool {
    let last: Option<&[u8; LAST]> = step.last_chunk();
    last.is_some_and(|last| last.iter().fold(false, |any, octet| any | (*octet == b'\n')))
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

    /// Every line of the whole, one by one.
    fn naive(octets: &[u8]) -> u64 {
        let lines = octets.split(|octet| *octet == b'\n');
        let text = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        text.map(|text| u64::from(text.len() > 998)).sum()
    }

    /// Lines of lengths about the limit and of few octets, with every line end, cut anywhere.
    #[test]
    fn as_many_are_counted_as_one_by_one() {
        let mut seed = 5_u32;
        let mut next = |bound: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from((seed >> 16) % bound).unwrap_or(0)
        };
        for _ in 0..2000 {
            let mut octets = Vec::new();
            for _ in 0..next(40) {
                let length = [next(6), 60 + next(30), 480 + next(40), 990 + next(15), next(2100)];
                octets.resize(octets.len() + length[next(5)], b'x');
                octets.extend([&b"\r\n"[..], b"\n", b"\r\r\n", b"\r", b"\r\n\n"][next(5)]);
            }
            octets.truncate(octets.len().saturating_sub(next(4)));
            let (mut lines, mut rest) = (LongLines::default(), &octets[..]);
            let longest = [2, 80, 1000, 5000][next(4)];
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at((1 + next(longest)).min(rest.len()));
                lines.chunk(chunk);
                rest = after;
            }
            assert_eq!(lines.count(), naive(&octets), "{:?}", String::from_utf8_lossy(&octets));
        }
    }
}
