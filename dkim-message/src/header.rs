//! The header of a message as its fields, every octet where it stood.

use std::fmt;

use memchr::{memchr, memchr_iter, memchr2_iter};

use crate::lex::is_wsp;

/// A header field, octets as they stand, without the line end that closes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'m> {
    octets: &'m [u8],
    /// Where the name ends, white space before the colon left out.
    name_end: usize,
}

impl<'m> Field<'m> {
    /// A field, and what is wrong with it.
    pub(crate) fn read(octets: &'m [u8]) -> (Self, Option<DefectKind>) {
        // Nearly every field begins with a name and a colon, and names are short.
        let name_end = ftext_len(octets);
        if name_end > 0 && octets.get(name_end) == Some(&b':') {
            return (Self { octets, name_end }, None);
        }
        let Some(colon) = memchr(b':', octets) else {
            return (Self { octets, name_end: 0 }, Some(DefectKind::NoColon));
        };
        let raw_name = octets.get(..colon).unwrap_or_default();
        // Looked for once: names are compared many times, and there may be much white space.
        let name_end = raw_name.iter().rposition(|octet| !is_wsp(*octet)).map_or(0, |at| at + 1);
        let field = Self { octets, name_end };
        (field, (!field.is_well_formed()).then_some(DefectKind::InvalidName))
    }

    /// Where the colon stands; `None` for a line that has none.
    #[inline]
    fn colon(&self) -> Option<usize> {
        let after_name = self.octets.get(self.name_end..)?;
        if after_name.first() == Some(&b':') {
            return Some(self.name_end);
        }
        let blanks = after_name.iter().position(|octet| !is_wsp(*octet))?;
        (after_name.get(blanks) == Some(&b':')).then_some(self.name_end + blanks)
    }

    /// The whole field: name, colon and body, without the closing line end.
    #[inline]
    #[must_use]
    pub fn octets(&self) -> &'m [u8] {
        self.octets
    }

    /// The octets before the colon as they stand, with any white space before it (RFC 5322 §4.5).
    /// Empty for a line without a colon.
    #[inline]
    #[must_use]
    pub fn raw_name(&self) -> &'m [u8] {
        self.colon().and_then(|colon| self.octets.get(..colon)).unwrap_or_default()
    }

    /// The field name, without white space before the colon.
    #[inline]
    #[must_use]
    pub fn name(&self) -> &'m [u8] {
        self.octets.get(..self.name_end).unwrap_or_default()
    }

    /// The field body: everything after the colon, folds included. The whole line if it has no
    /// colon.
    #[inline]
    #[must_use]
    pub fn body(&self) -> &'m [u8] {
        match self.colon() {
            Some(colon) => self.octets.get(colon + 1..).unwrap_or_default(),
            None => self.octets,
        }
    }

    /// Whether the field has this name. Names are compared without regard to ASCII case.
    #[inline]
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name_end == name.len() && self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether this is a field by the grammar: a name of printable ASCII, then a colon
    /// (RFC 5322 §2.2).
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let name = self.name();
        !name.is_empty() && name.iter().all(|octet| is_ftext(*octet))
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.octets))
    }
}

/// Something in a header that RFC 5322 does not allow, and that readers disagree about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// What it is.
    pub kind: DefectKind,
    /// Where it stands, in octets from the start of the header.
    pub offset: usize,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed header: {} at octet {}", self.kind, self.offset)
    }
}

/// The kinds of [`Defect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DefectKind {
    /// A CR that no LF follows.
    BareCr,
    /// An LF that no CR precedes.
    BareLf,
    /// A NUL octet.
    Nul,
    /// A line that is neither a field nor the continuation of one.
    NoColon,
    /// A field name that is empty or holds other octets than printable ASCII.
    InvalidName,
    /// White space at the start of the first line: the continuation of nothing.
    OrphanFold,
    /// A line end inside a field body that no white space follows.
    BrokenFold,
    /// A field that begins beyond 4 GiB, or has a name of that length: none of the fields is read.
    TooLong,
}

impl fmt::Display for DefectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BareCr => "a CR without LF",
            Self::BareLf => "an LF without CR",
            Self::Nul => "a NUL octet",
            Self::NoColon => "a line without colon",
            Self::InvalidName => "an invalid field name",
            Self::OrphanFold => "a continuation line before the first field",
            Self::BrokenFold => "a line end that no white space follows",
            Self::TooLong => "more than 4 GiB",
        })
    }
}

/// The fields of a header, top to bottom.
///
/// ```
/// use dkim_message::Header;
///
/// let header = Header::parse(b"From: joe@example.com\r\nTo: ann@example.com\r\n");
/// let fields = header.fields();
/// assert_eq!(fields.len(), 2);
/// assert!(fields.get(0).is_some_and(|field| field.is("From")));
/// assert!(fields.iter().all(|field| field.is_well_formed()));
/// ```
#[derive(Clone, Copy)]
pub struct Fields<'h, 'm> {
    octets: &'m [u8],
    places: &'h [Place],
}

impl<'h, 'm> Fields<'h, 'm> {
    /// How many there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The field at this position, from the top; 0 is the first.
    #[inline]
    #[must_use]
    pub fn get(&self, position: usize) -> Option<Field<'m>> {
        let place = self.places.get(position)?;
        let end = self.places.get(position + 1).map_or(self.octets.len(), Place::start);
        Some(place.field(self.octets, end))
    }

    /// The name of the field at this position: sooner at hand than the field.
    #[inline]
    #[must_use]
    pub fn name(&self, position: usize) -> Option<&'m [u8]> {
        self.places.get(position).map(|place| place.name(self.octets))
    }

    /// The name of each of them.
    #[inline]
    pub fn names(
        self,
    ) -> impl DoubleEndedIterator<Item = &'m [u8]> + ExactSizeIterator + Clone + use<'h, 'm> {
        self.places.iter().map(move |place| place.name(self.octets))
    }

    /// The fields of one name and their positions, top to bottom.
    pub fn named<'n>(
        self,
        name: &'n str,
    ) -> impl DoubleEndedIterator<Item = (usize, Field<'m>)> + use<'h, 'm, 'n> {
        let field = move |position| Some((position, self.get(position)?));
        self.positions(name).filter_map(field)
    }

    /// The positions of the fields of one name, top to bottom.
    pub fn positions<'n>(
        self,
        name: &'n str,
    ) -> impl DoubleEndedIterator<Item = usize> + use<'h, 'm, 'n> {
        let is = move |place: &Place| {
            index(place.name_len) == name.len()
                && place.name(self.octets).eq_ignore_ascii_case(name.as_bytes())
        };
        let places = self.places.iter().enumerate();
        places.filter_map(move |(position, place)| is(place).then_some(position))
    }

    /// Those below this position, counted from 0 again.
    #[inline]
    #[must_use]
    pub fn below(self, position: usize) -> Self {
        let below = position.saturating_add(1);
        Self { places: self.places.get(below..).unwrap_or_default(), ..self }
    }

    /// Each of them.
    #[inline]
    pub fn iter(
        self,
    ) -> impl DoubleEndedIterator<Item = Field<'m>> + ExactSizeIterator + Clone + use<'h, 'm> {
        (0..self.len()).map(move |at| self.get(at).unwrap_or(Field { octets: &[], name_end: 0 }))
    }
}

/// The same octets in each.
impl PartialEq for Fields<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Fields<'_, '_> {}

impl fmt::Debug for Fields<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Where a field stands among the octets of its header, and how long its name is. A header may have
/// a line in every two octets: no more is kept of each than it takes to find it.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u32,
    name_len: u32,
}

impl Place {
    fn new(start: usize, name_len: usize) -> Option<Self> {
        Some(Self { start: u32::try_from(start).ok()?, name_len: u32::try_from(name_len).ok()? })
    }

    #[inline]
    fn start(&self) -> usize {
        index(self.start)
    }

    #[inline]
    fn name<'m>(&self, octets: &'m [u8]) -> &'m [u8] {
        let start = self.start();
        octets.get(start..start + index(self.name_len)).unwrap_or_default()
    }

    /// The field here, where the next one starts at `next`: the line end between them is no part
    /// of it.
    #[inline]
    fn field<'m>(&self, octets: &'m [u8], next: usize) -> Field<'m> {
        let octets = octets.get(self.start()..next).unwrap_or_default();
        let octets = match octets {
            [field @ .., b'\r', b'\n'] | [field @ .., b'\n'] => field,
            field => field,
        };
        Field { octets, name_end: index(self.name_len) }
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Room for the fields of most messages.
const FEW: usize = 24;

/// The header of a message: its fields, top to bottom.
///
/// Reading never fails and changes nothing. What the grammar does not allow is still a field, so
/// that it can be looked at, and is noted as a [`Defect`].
#[derive(Clone, Debug, Default)]
pub struct Header<'m> {
    octets: &'m [u8],
    places: Vec<Place>,
    defects: Vec<Defect>,
}

impl<'m> Header<'m> {
    /// Reads a header up to its end or to the first empty line.
    #[must_use]
    pub fn parse(octets: &'m [u8]) -> Self {
        Self::parse_prefix(octets).0
    }

    /// A header of which the octets are known and nothing else yet.
    pub(crate) fn unread(octets: &'m [u8]) -> Self {
        Self { octets, ..Self::default() }
    }

    /// Reads a header, and returns with it what follows the first empty line.
    pub(crate) fn parse_prefix(octets: &'m [u8]) -> (Self, &'m [u8]) {
        let (header, body, crlfs) = Self::read(octets, false);
        let crs = memchr_iter(b'\r', header.octets).count();
        if crs == crlfs && memchr(0, header.octets).is_none() {
            return (header, body);
        }
        // Rarely does an octet stand where it may not: only then each line is searched for it.
        drop(header);
        let (header, body, _) = Self::read(octets, true);
        (header, body)
    }

    /// Reads a header, and searches its lines for octets that may not stand there, or not. Returns
    /// what follows it, too, and how many of its lines end in CRLF.
    fn read(octets: &'m [u8], search: bool) -> (Self, &'m [u8], usize) {
        let mut header = Self::unread(octets);
        header.places.reserve(FEW);
        let mut crlfs = 0;
        // Where the field being read starts, and where its last line ends without the line end.
        let mut open: Option<(usize, usize)> = None;
        let mut start = 0;
        let mut lfs = memchr_iter(b'\n', octets);
        // The end of the octets reads as an empty line, too.
        loop {
            let line = Line::read(octets, start, lfs.next());
            if line.is_empty() {
                header.note_line_end(&line);
                header.close(open);
                header.octets = octets.get(..start).unwrap_or_default();
                return (header, octets.get(line.next..).unwrap_or_default(), crlfs);
            }
            if search {
                header.note_octets(&line);
            } else {
                header.note_line_end(&line);
            }
            crlfs += usize::from(line.next == line.end + 2);
            open = match (octets.get(start).copied(), open) {
                (Some(first), Some((field, _))) if is_wsp(first) => Some((field, line.end)),
                (first, before) => {
                    header.close(before);
                    if first.is_some_and(is_wsp) {
                        header.note(DefectKind::OrphanFold, start);
                    }
                    Some((start, line.end))
                }
            };
            start = line.next;
        }
    }

    /// The fields, top to bottom.
    #[inline]
    #[must_use]
    pub fn fields(&self) -> Fields<'_, 'm> {
        Fields { octets: self.octets, places: &self.places }
    }

    /// The fields of one name, top to bottom.
    pub fn named<'h>(
        &'h self,
        name: &'h str,
    ) -> impl DoubleEndedIterator<Item = Field<'m>> + use<'h, 'm> {
        self.fields().named(name).map(|(_, field)| field)
    }

    /// The octets read, without the empty line.
    #[must_use]
    pub fn octets(&self) -> &'m [u8] {
        self.octets
    }

    /// The defects: the first of each kind.
    #[must_use]
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }

    pub(crate) fn close(&mut self, open: Option<(usize, usize)>) {
        let Some((start, end)) = open else { return };
        let (field, defect) = Field::read(self.octets.get(start..end).unwrap_or_default());
        if let Some(kind) = defect {
            self.note(kind, start);
        }
        match Place::new(start, field.name_end) {
            Some(place) => self.places.push(place),
            None => {
                // Nobody is to take a part of the fields for all of them.
                self.places.clear();
                self.note(DefectKind::TooLong, start);
            }
        }
    }

    pub(crate) fn note(&mut self, kind: DefectKind, offset: usize) {
        // The first of each kind: a header of nothing but defects must not fill the memory.
        if !self.defects.iter().any(|defect| defect.kind == kind) {
            self.defects.push(Defect { kind, offset });
        }
    }

    fn note_line_end(&mut self, line: &Line) {
        if line.bare_lf {
            self.note(DefectKind::BareLf, line.end);
        }
    }

    pub(crate) fn note_octets(&mut self, line: &Line) {
        self.note_line_end(line);
        let text = self.octets.get(line.start..line.end).unwrap_or_default();
        for at in memchr2_iter(0, b'\r', text) {
            let kind = match text.get(at) {
                Some(0) => DefectKind::Nul,
                _ => DefectKind::BareCr,
            };
            self.note(kind, line.start + at);
        }
    }
}

/// A line: `start..end` is its text; the next one starts at `next`.
pub(crate) struct Line {
    start: usize,
    pub(crate) end: usize,
    pub(crate) next: usize,
    bare_lf: bool,
}

impl Line {
    /// The line from `start` to the next LF, or to the end where there is none.
    pub(crate) fn read(octets: &[u8], start: usize, lf: Option<usize>) -> Self {
        let Some(lf) = lf else {
            return Self { start, end: octets.len(), next: octets.len(), bare_lf: false };
        };
        let crlf = lf > start && octets.get(lf - 1) == Some(&b'\r');
        Self { start, end: lf - usize::from(crlf), next: lf + 1, bare_lf: !crlf }
    }

    /// Whether this is the empty line that ends a header.
    fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// Whether the octet may stand in a field name: printable ASCII but for the colon (RFC 5322
/// §2.2).
fn is_ftext(octet: u8) -> bool {
    matches!(octet, 33..=126) && octet != b':'
}

/// How many octets may stand in a field name before the first that may not: eight at a time, because
/// a loop over so few octets costs most where it ends.
fn ftext_len(octets: &[u8]) -> usize {
    let (words, rest) = octets.as_chunks();
    let mut len = 0;
    for word in words {
        let strays = strays(u64::from_le_bytes(*word));
        if strays != 0 {
            return usize::try_from(strays.trailing_zeros() / 8).map_or(len, |clean| len + clean);
        }
        len += word.len();
    }
    len + rest.iter().position(|octet| !is_ftext(*octet)).unwrap_or(rest.len())
}

/// The octets of a word that may not stand in a field name, the high bit of each; exact up to the
/// first of them, which is the lowest.
const fn strays(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let up_to_space = word.wrapping_sub(EACH * 33) & !word;
    let from_delete = word.wrapping_add(EACH) | word;
    let without_colons = word ^ (EACH * 58);
    let colons = without_colons.wrapping_sub(EACH) & !without_colons;
    (up_to_space | from_delete | colons) & (EACH * 0x80)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::DefectKind::{BareCr, BareLf, Nul};
    use super::*;

    fn names<'m>(header: &Header<'m>) -> Vec<&'m [u8]> {
        header.fields().iter().map(|field| field.name()).collect()
    }

    fn kinds(header: &Header<'_>) -> Vec<DefectKind> {
        header.defects().iter().map(|defect| defect.kind).collect()
    }

    #[test]
    fn fields_keep_every_octet() {
        let header = Header::parse(b"From: a\r\nSubject \t: b\r\n  c\r\n \t\r\n d\r\nX:\r\n");
        assert_eq!(names(&header), [&b"From"[..], b"Subject", b"X"]);
        assert_eq!(header.fields().get(1).unwrap().raw_name(), b"Subject \t");
        assert_eq!(header.fields().get(1).unwrap().body(), b" b\r\n  c\r\n \t\r\n d");
        assert_eq!(header.fields().get(2).unwrap().body(), b"");
        assert_eq!(kinds(&header), []);
    }

    #[test]
    fn defects_are_noted_and_the_field_stays() {
        use DefectKind::*;
        for (octets, expected) in [
            (&b"From: a\rb\r\n"[..], vec![BareCr]),
            (b"From: a\r\r\n", vec![BareCr]),
            (b"From: a\nTo: b\r\n", vec![BareLf]),
            (b"From: a\0\r\n", vec![Nul]),
            (b"nothing here\r\nFrom: a\r\n", vec![NoColon]),
            (b"From joe 10:00\r\n", vec![InvalidName]),
            (b": x\r\n", vec![InvalidName]),
            (b"Fr\xc3\xb6m: x\r\n", vec![InvalidName]),
            (b" x: y\r\n", vec![OrphanFold, InvalidName]),
            (b"From: a\r\n\nbody", vec![BareLf]),
        ] {
            let header = Header::parse(octets);
            assert_eq!(kinds(&header), expected, "{:?}", String::from_utf8_lossy(octets));
            assert!(!header.fields().is_empty());
        }
    }

    /// All headers over a small alphabet: their lines are searched when there is a reason to, and
    /// what is found is what a search of every octet finds.
    #[test]
    fn no_octet_that_may_not_stand_there_is_missed() {
        let alphabet = [b'x', b':', b' ', b'\r', b'\n', 0];
        for len in 0..=if cfg!(miri) { 3 } else { 6_u32 } {
            for number in 0..6_usize.pow(len) {
                let octets: Vec<u8> =
                    (0..len).map(|place| alphabet[number / 6_usize.pow(place) % 6]).collect();
                let header = Header::parse(&octets);
                let read = header.octets();
                // The line end that closes the header is not part of it.
                let closing = octets.get(read.len()..).unwrap_or_default();
                let next = |at: usize| read.get(at + 1).copied();
                let before = |at: usize| at.checked_sub(1).and_then(|at| read.get(at)).copied();
                let any = |is: &dyn Fn(usize) -> bool| (0..read.len()).any(is);
                let expected = [
                    (Nul, any(&|at| read[at] == 0)),
                    (BareCr, any(&|at| read[at] == b'\r' && next(at) != Some(b'\n'))),
                    (
                        BareLf,
                        closing.starts_with(b"\n")
                            || any(&|at| read[at] == b'\n' && before(at) != Some(b'\r')),
                    ),
                ];
                for (kind, is_there) in expected {
                    assert_eq!(kinds(&header).contains(&kind), is_there, "{kind:?} in {octets:?}");
                }
            }
        }
    }

    #[test]
    fn a_name_ends_where_it_does_octet_by_octet() {
        let naive = |octets: &[u8]| octets.iter().take_while(|octet| is_ftext(**octet)).count();
        for len in (0..=20).step_by(if cfg!(miri) { 9 } else { 1 }) {
            assert_eq!(ftext_len(&vec![b'n'; len]), len);
            for at in 0..len {
                for octet in (0..=255).step_by(if cfg!(miri) { 51 } else { 1 }) {
                    // What stands behind it must not matter.
                    for after in [b'n', b'!', b'~', 0, b' ', b':', 0x7f, 0x80, 0xff] {
                        let mut octets = vec![b'n'; len];
                        octets[at] = octet;
                        octets[at + 1..].fill(after);
                        assert_eq!(ftext_len(&octets), naive(&octets), "{octets:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn one_defect_of_each_kind_is_kept() {
        let header = Header::parse(b"a\0b\0c\r\nd\0\r\n");
        assert_eq!(kinds(&header), [DefectKind::Nul, DefectKind::NoColon]);
        assert_eq!(header.defects()[0].offset, 1);
    }

    #[test]
    fn defects_have_their_place_in_the_header() {
        use DefectKind::*;
        let header = Header::parse(b"A: b\r\nC: \0d\re\r\nF: g\n\xfc: h\r\ni\r\n");
        let places: Vec<_> =
            header.defects().iter().map(|defect| (defect.offset, defect.kind)).collect();
        let expected = [(9, Nul), (11, BareCr), (19, BareLf), (20, InvalidName), (26, NoColon)];
        assert_eq!(places, expected);
        let told = header.defects()[1].to_string();
        assert_eq!(told, "malformed header: a CR without LF at octet 11");
    }

    #[test]
    fn names_are_the_same_in_any_case_and_nothing_else() {
        let header = Header::parse(
            b"From: 1\r\nfRom: 2\r\nFro: 3\r\nFromm: 4\r\nDate: 5\r\nFrom : 6\r\n: 7\r\n",
        );
        let bodies: Vec<_> = header.named("FROM").map(|field| field.body()).collect();
        assert_eq!(bodies, [b" 1", b" 2", b" 6"]);
    }

    #[test]
    fn fields_are_found_by_their_positions() {
        let header = Header::parse(b"From: 1\r\nDate : 2\r\nTo: 3\r\n");
        let fields = header.fields();
        let from = fields.get(0).unwrap();
        assert!(from.is("fROM") && !from.is("Date") && !from.is("Fro") && !from.is(""));
        assert_eq!(
            [0, 1, 2, 3].map(|at| fields.name(at)),
            [Some(&b"From"[..]), Some(b"Date"), Some(b"To"), None]
        );
        assert!(fields.below(0).names().eq([&b"Date"[..], b"To"]));
        assert!(fields.below(2).is_empty() && fields.below(usize::MAX).is_empty());
    }

    #[test]
    fn fields_are_the_same_if_each_octet_is() {
        let header = Header::parse(b"From: 1\r\nTo: 2\r\n");
        for (octets, are) in [
            (&b"From: 1\nTo: 2"[..], true),
            (b"From: 1\r\nTo: 3\r\n", false),
            (b"from: 1\r\nTo: 2\r\n", false),
            (b"From: 1\r\n", false),
        ] {
            assert_eq!(header.fields() == Header::parse(octets).fields(), are, "{octets:?}");
        }
    }

    #[test]
    fn fields_and_defects_are_shown_as_text() {
        let header = Header::parse(b"A: \"b\"\r\n c\r\n");
        assert_eq!(format!("{:?}", header.fields()), r#"["A: \"b\"\r\n c"]"#);
        assert_eq!(BareCr.to_string(), "a CR without LF");
    }
}
