//! Where lines may have been put into a body.

use std::ops::Range;

use super::Place;

/// How many lines a footer or a banner has at most.
const MAX_LINES: usize = 200;
/// How many lines a body may have that is looked at line by line.
const MAX_LINES_OF_BODY: usize = 1_000_000;
/// How many lines are put in at once in the middle of a body, at most.
const MAX_INSIDE: usize = 60;
/// How many delimiters of body parts are looked at.
const MAX_DELIMITERS: usize = 60;

/// A body by its lines.
pub(super) struct Lines<'b> {
    body: &'b [u8],
    /// Where each line begins, and where the body ends.
    starts: Vec<usize>,
    /// The lines that delimit body parts (RFC 2046 §5.1.1), by their numbers from 0.
    delimiters: Vec<usize>,
    /// The empty lines, by their numbers from 0.
    empty: Vec<usize>,
}

/// Octets that may have been put in.
pub(super) struct Cut {
    pub(super) place: Place,
    octets: Range<usize>,
}

impl Cut {
    /// What stands before the octets, the octets, and what stands after them.
    pub(super) fn parts<'b>(&self, body: &'b [u8]) -> (&'b [u8], &'b [u8], &'b [u8]) {
        let (before, rest) = body.split_at(self.octets.start.min(body.len()));
        let (added, after) = rest.split_at(self.octets.len().min(rest.len()));
        (before, added, after)
    }
}

/// How many lines there are, the last one closed or not.
pub(super) fn count(octets: &[u8]) -> usize {
    octets.split_inclusive(|octet| *octet == b'\n').count()
}

impl<'b> Lines<'b> {
    /// The lines; `None` when they are too many.
    pub(super) fn of(body: &'b [u8]) -> Option<Self> {
        let mut starts = vec![0];
        for line in body.split_inclusive(|octet| *octet == b'\n') {
            if starts.len() > MAX_LINES_OF_BODY {
                return None;
            }
            starts.push(starts.last().map_or(0, |start| start + line.len()));
        }
        let mut lines = Self { body, starts, delimiters: Vec::new(), empty: Vec::new() };
        lines.delimiters = (0..lines.len())
            .filter(|line| lines.line(*line).starts_with(b"--"))
            .take(MAX_DELIMITERS)
            .filter(|line| lines.is_repeated(*line))
            .collect();
        lines.empty = (0..lines.len()).filter(|line| lines.line(*line).is_empty()).collect();
        Some(lines)
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.body.len())
    }

    /// A line without its end.
    fn line(&self, line: usize) -> &'b [u8] {
        let octets = self.body.get(self.start(line)..self.start(line + 1)).unwrap_or_default();
        octets.trim_ascii_end()
    }

    /// Whether this is a delimiter: the same line stands there again, perhaps closed by `--`.
    fn is_repeated(&self, line: usize) -> bool {
        let text = self.line(line);
        let text = text.strip_suffix(b"--").filter(|text| text.len() > 2).unwrap_or(text);
        text.len() > 2
            && (0..self.len()).filter(|other| self.line(*other).starts_with(text)).nth(1).is_some()
    }

    /// What may have been put in, in the order it is to be tried.
    pub(super) fn cuts(&self) -> impl Iterator<Item = Cut> + '_ {
        let end = self.len();
        let last =
            (1..=end.min(MAX_LINES)).map(move |count| self.cut(Place::End, end - count, end));
        let first = (1..=end.min(MAX_LINES)).map(|count| self.cut(Place::Start, 0, count));
        let parts = self.pairs().map(|(from, to)| self.cut(Place::Line(from + 1), from, to));
        let in_parts = self.delimiters.iter().flat_map(move |delimiter| {
            (1..=MAX_INSIDE.min(*delimiter)).map(move |count| {
                let from = delimiter - count;
                self.cut(Place::Line(from + 1), from, *delimiter)
            })
        });
        let after_headers = self.pairs().flat_map(move |(from, to)| {
            let content = self.content(from, to);
            (1..=MAX_INSIDE.min(to.saturating_sub(content)))
                .map(move |count| self.cut(Place::Line(content + 1), content, content + count))
        });
        last.chain(first).chain(parts).chain(in_parts).chain(after_headers)
    }

    /// The contents of body parts, each of which may have been the body.
    pub(super) fn parts(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.pairs().map(|(from, to)| self.start(self.content(from, to))..self.start(to))
    }

    /// The delimiters before and after each body part, by their lines.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.delimiters.iter().enumerate().filter_map(|(number, from)| {
            let boundary = self.line(*from);
            let mut later = self.delimiters.iter().skip(number + 1);
            let closes = |to: &&usize| {
                self.line(**to)
                    .strip_prefix(boundary)
                    .is_some_and(|rest| matches!(rest, b"" | b"--"))
            };
            Some((*from, *later.find(closes)?))
        })
    }

    /// The first line after the header of a body part.
    fn content(&self, from: usize, to: usize) -> usize {
        let before = self.empty.partition_point(|line| *line < from);
        self.empty.get(before).filter(|line| **line < to).map_or(to, |line| line + 1)
    }

    fn cut(&self, place: Place, from: usize, to: usize) -> Cut {
        Cut { place, octets: self.start(from)..self.start(to) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_parts_can_be_cut_at_each_of_them() {
        let body = b"pre\r\n--b\r\nA: b\r\n\r\none\r\nfooter\r\n--b\r\n\r\ntwo\r\n--b--\r\nend";
        let lines = Lines::of(body).expect("few lines");
        assert_eq!(lines.delimiters, [1, 6, 9]);
        let cuts: Vec<(Vec<u8>, &[u8])> = lines
            .cuts()
            .map(|cut| {
                let (before, added, after) = cut.parts(body);
                ([before, after].concat(), added)
            })
            .collect();
        for added in
            [&b"end"[..], b"pre\r\n", b"footer\r\n", b"--b\r\n\r\ntwo\r\n", b"one\r\n", b"two\r\n"]
        {
            assert!(cuts.iter().any(|(_, cut)| *cut == added), "{}", added.escape_ascii());
        }
        for (rest, added) in &cuts {
            assert_eq!(rest.len() + added.len(), body.len());
        }
        let parts: Vec<&[u8]> = lines.parts().filter_map(|part| body.get(part)).collect();
        assert_eq!(parts, [&b"one\r\nfooter\r\n"[..], b"two\r\n"]);
    }

    #[test]
    fn a_body_of_nothing_has_no_lines() {
        let lines = Lines::of(b"").expect("few lines");
        assert_eq!((lines.len(), lines.cuts().count(), lines.parts().count()), (0, 0, 0));
        assert_eq!([count(b""), count(b"a"), count(b"a\nb"), count(b"a\nb\n")], [0, 1, 2, 2]);
    }

    #[test]
    fn a_body_of_a_million_lines_is_looked_at() {
        assert!(Lines::of(&vec![b'\n'; MAX_LINES_OF_BODY]).is_some());
        assert!(Lines::of(&vec![b'\n'; MAX_LINES_OF_BODY + 1]).is_none());
    }

    /// Whether these lines are among what may have been put into this body.
    fn may_be_put_in(body: &str, added: &str) -> bool {
        let lines = Lines::of(body.as_bytes()).expect("few lines");
        lines.cuts().any(|cut| cut.parts(body.as_bytes()).1 == added.as_bytes())
    }

    #[test]
    fn footers_and_banners_have_200_lines() {
        for (count, is_tried) in [(MAX_LINES, true), (MAX_LINES + 1, false)] {
            let added = "x\r\n".repeat(count);
            for body in [format!("a\r\n{added}"), format!("{added}a\r\n")] {
                assert_eq!(may_be_put_in(&body, &added), is_tried, "{count}");
            }
        }
    }

    #[test]
    fn in_body_parts_they_have_60_lines() {
        for (count, is_tried) in [(MAX_INSIDE, true), (MAX_INSIDE + 1, false)] {
            let added = "x\r\n".repeat(count);
            for part in [format!("a\r\n{added}"), format!("{added}a\r\n")] {
                let body = format!("--b\r\nA: b\r\n\r\n{part}--b--\r\n");
                assert_eq!(may_be_put_in(&body, &added), is_tried, "{count}");
            }
        }
    }

    /// Those count, too, that turn out to be none.
    #[test]
    fn sixty_delimiters_are_looked_at() {
        for (others, known) in [(MAX_DELIMITERS - 1, 1), (MAX_DELIMITERS, 0)] {
            let none: String = (0..others).map(|number| format!("--{number:02}\r\n")).collect();
            let body = format!("{none}--b\r\n--b\r\n");
            let lines = Lines::of(body.as_bytes()).expect("few lines");
            assert_eq!(lines.delimiters.len(), known, "{others}");
        }
    }
}
