//! The writer of tag-lists and of the DKIM-Signature field, twin of the parser.

use crate::value::{to_base64, to_quoted_printable};
use crate::{Canonicalizations, Signature};

/// RFC 5322 §2.1.1: a line SHOULD hold no more than 78 characters, the line end not counted.
const MAX_LINE: usize = 78;

/// Octets that most fields need at most, those of RSA keys of 2048 bits too.
const ROOM: usize = 1024;

/// Writes a tag-list, folded at 78 characters where it may be: between tags, and inside a value
/// between the pieces it is given in. No line it begins is only white space.
///
/// ```
/// use dkim_tags::TagWriter;
///
/// let mut writer = TagWriter::unfolded();
/// writer.tag("v", ["DKIM1"]);
/// writer.tag("t", ["y", ":s"]);
/// assert_eq!(writer.finish(), "v=DKIM1; t=y:s");
/// ```
#[derive(Clone, Debug)]
pub struct TagWriter {
    text: String,
    /// Characters on the line so far; `None` when lines are not folded.
    column: Option<usize>,
    first: bool,
}

impl TagWriter {
    /// A writer of one long line, as DNS records are.
    #[must_use]
    pub fn unfolded() -> Self {
        Self { text: String::new(), column: None, first: true }
    }

    /// A writer of a field body that begins after the `name` and its colon, with a space.
    #[must_use]
    pub fn field(name: &str) -> Self {
        Self::field_behind(String::new(), name)
    }

    /// The same, with what may stand before the field body.
    fn field_behind(mut text: String, name: &str) -> Self {
        text.push(' ');
        Self { text, column: Some(name.len() + 2), first: true }
    }

    /// Adds a tag whose value is these pieces, put together. Between two pieces the value may be
    /// folded, inside one it never is; a value that must stay whole is one piece.
    pub fn tag<'p>(&mut self, name: &str, value: impl IntoIterator<Item = &'p str>) {
        self.list(name, None, value);
    }

    /// Adds a tag whose value is a list, with the separator behind all items but the last: a fold
    /// then stands behind it, where RFC 6376 §3.5 allows one in every list.
    fn list<'i>(
        &mut self,
        name: &str,
        separator: Option<char>,
        items: impl IntoIterator<Item = &'i str>,
    ) {
        let mut items = items.into_iter();
        let (mut item, mut begun) = (items.next().unwrap_or_default(), false);
        loop {
            let next = items.next();
            // What closes the tag wants room on the line of the last item.
            let (separator, closing) = if next.is_some() { (separator, 0) } else { (None, 1) };
            let width = item.chars().count() + usize::from(separator.is_some());
            if begun {
                self.fold_unless_fits(width + closing);
            } else {
                self.begin(name, width);
            }
            self.text.push_str(item);
            if let Some(separator) = separator {
                self.text.push(separator);
            }
            self.advance(width);
            let Some(next) = next else { return };
            (item, begun) = (next, true);
        }
    }

    /// Adds a tag whose value may be folded anywhere, as base64 may. Where the tag begins does not
    /// depend on the value, which may yet be empty.
    pub fn tag_breakable(&mut self, name: &str, value: &str) {
        // Room enough that no fold stands between `=` and the value.
        self.begin(name, 8);
        let mut rest = value;
        while !rest.is_empty() {
            let room = self.column.map_or(usize::MAX, |column| MAX_LINE.saturating_sub(column + 1));
            if room == 0 {
                self.fold();
                continue;
            }
            let (line, next) = rest.split_at_checked(room).unwrap_or((rest, ""));
            self.push(line);
            rest = next;
        }
    }

    /// Writes what stands before a value: the `;` that closes the tag before, a space or a fold,
    /// whichever leaves room for so many characters of the value, the name and the `=`.
    fn begin(&mut self, name: &str, width: usize) {
        if !self.first {
            self.push(";");
            if !self.fold_unless_fits(name.len() + width + 3) {
                self.push(" ");
            }
        }
        self.first = false;
        self.push(name);
        self.push("=");
    }

    /// The text written.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.advance(text.chars().count());
    }

    fn advance(&mut self, characters: usize) {
        self.column = self.column.map(|column| column + characters);
    }

    /// Folds when the line has no room for so many characters more. Returns whether it did.
    fn fold_unless_fits(&mut self, characters: usize) -> bool {
        // A line that holds nothing but its leading tab is as empty as the next would be.
        let full = self.column.is_some_and(|column| column > 1 && column + characters > MAX_LINE);
        if full {
            self.fold();
        }
        full
    }

    fn fold(&mut self) {
        self.text.push_str("\r\n\t");
        self.column = self.column.map(|_| 1);
    }
}

impl Signature {
    /// The field's name.
    pub const FIELD_NAME: &'static str = "DKIM-Signature";

    /// Writes the field with its name and the CRLF that closes it, ready to stand on top of a
    /// message: RFC 6376 §5.6 wants it above all other DKIM-Signature fields.
    #[must_use]
    pub fn to_field(&self) -> String {
        let mut field = self.write(&[Self::FIELD_NAME, ":"]);
        field.push_str("\r\n");
        field
    }

    /// Writes the field body, from the space after the colon on, without the closing line end.
    /// No line is longer than the 998 octets of RFC 5322 §2.1.1, unless what must stay whole is: a
    /// field name, a local-part, one of the [other tags](Self::other).
    ///
    /// `b=` comes last; with an empty [`signature`](Self::signature) this is the form that is
    /// hashed (RFC 6376 §3.7), and it differs from the signed form in nothing but the value of
    /// `b=` and the white space around it.
    #[must_use]
    pub fn to_field_body(&self) -> String {
        self.write(&[])
    }

    /// Writes the field body behind what is to stand before it.
    fn write(&self, before: &[&str]) -> String {
        let mut text = String::with_capacity(ROOM);
        text.extend(before.iter().copied());
        let mut writer = TagWriter::field_behind(text, Self::FIELD_NAME);
        writer.tag("v", ["1"]);
        writer.tag("a", [self.algorithm.name()]);
        // On the first line there is room for all of it: no fold parts the two.
        let Canonicalizations { header, body } = self.canonicalization;
        writer.tag("c", [header.name(), "/", body.name()]);
        writer.tag("d", [self.sdid.as_written()]);
        writer.tag("s", [self.selector.as_written()]);
        if let Some(auid) = &self.auid {
            let local_part = to_quoted_printable(auid.local_part().as_bytes());
            writer.tag("i", [format!("{local_part}@{}", auid.domain().as_written()).as_str()]);
        }
        for (name, time) in [("t", self.timestamp), ("x", self.expiration)] {
            if let Some(time) = time {
                writer.tag(name, [time.0.to_string().as_str()]);
            }
        }
        if let Some(length) = self.body_length {
            writer.tag("l", [length.to_string().as_str()]);
        }
        if !self.query_methods.is_empty() {
            writer.list("q", Some(':'), self.query_methods.iter().map(String::as_str));
        }
        for (name, value) in &self.other {
            writer.tag(name, [value.as_str()]);
        }
        writer.list("h", Some(':'), self.signed_fields.iter());
        let copies: Vec<[String; 2]> = self
            .copied_fields
            .iter()
            .filter(|copy| !copy.name.as_str().contains('|'))
            .map(|copy| [format!("{}:", copy.name), to_quoted_printable(&copy.body)])
            .collect();
        if !copies.is_empty() {
            // A copy may be longer than a line. White space between two characters of its value is
            // no part of it (RFC 6376 §2.11).
            let pieces = copies.iter().enumerate().flat_map(|(index, [name, value])| {
                let bar = if index == 0 { "" } else { "|" };
                [bar, name.as_str()].into_iter().chain(in_runs(value))
            });
            let pieces = pieces.filter(|piece| !piece.is_empty());
            writer.tag("z", pieces);
        }
        // Any hash that DKIM names fits a line, and is easier to compare in one piece.
        let body_hash = to_base64(&self.body_hash);
        if body_hash.len() <= 64 {
            writer.tag("bh", [body_hash.as_str()]);
        } else {
            writer.tag_breakable("bh", &body_hash);
        }
        writer.tag_breakable("b", &to_base64(&self.signature));
        writer.finish()
    }
}

/// Quoted-printable text in pieces of about sixty characters, no hex-octet cut.
fn in_runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = (60..=62).find(|end| {
            let cut = rest.get(end - 2..*end).unwrap_or_default();
            !cut.contains('=')
        });
        let (piece, next) = rest.split_at_checked(end.unwrap_or(63)).unwrap_or((rest, ""));
        rest = next;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_canon::Canonicalization;
    use dkim_crypto::SigningAlgorithm;

    use super::*;
    use crate::signature::{CopiedField, without_b};
    use crate::{Auid, DomainName, FieldName, Selector, TagList, UnixTime};

    fn signature() -> Signature {
        let names = ["From", "To", "Subject", "Date", "Message-ID", "From", "MIME-Version"];
        let mut signature = Signature::new(
            SigningAlgorithm::RSA_SHA256,
            DomainName::parse("football.example.com").unwrap(),
            Selector::parse("brisbane").unwrap(),
            names.map(|name| FieldName::parse(name).unwrap()).into_iter().collect(),
        );
        signature.body_hash = vec![7; 32];
        signature.signature = vec![9; 256];
        signature
    }

    /// Pieces of 60 to 62 characters, as long as no hex-octet is cut.
    #[test]
    fn runs_cut_no_hex_octet() {
        for before in 0..10 {
            let text = format!("{}{}", "a".repeat(before), "=3B".repeat(200));
            let pieces: Vec<&str> = in_runs(&text).collect();
            assert_eq!(pieces.concat(), text);
            let (last, others) = pieces.split_last().unwrap();
            assert!(
                !last.is_empty() && others.iter().all(|piece| (60..=62).contains(&piece.len()))
            );
            for piece in pieces {
                let tail = &piece[piece.len().saturating_sub(2)..];
                assert!(!tail.contains('='), "{piece}");
            }
        }
        assert_eq!(in_runs("").count(), 0);
    }

    fn full() -> Signature {
        let mut signature = signature();
        signature.canonicalization.header = Canonicalization::Relaxed;
        signature.auid = Some(Auid::parse("\"joe;x=|y z\"@football.example.com").unwrap());
        signature.body_length = Some(7);
        signature.query_methods = vec!["dns/txt".to_owned(), "x-other".to_owned()];
        signature.timestamp = Some(UnixTime(1));
        signature.expiration = Some(UnixTime(2));
        let field = |name, body: &[u8]| CopiedField {
            name: FieldName::parse(name).unwrap(),
            body: body.to_vec(),
        };
        signature.copied_fields =
            vec![field("From", b" Joe | x"), field("Subject", "\u{fc}; ".repeat(60).as_bytes())];
        signature.other = vec![("r".to_owned(), "y".to_owned())];
        signature
    }

    #[test]
    fn what_is_written_reads_as_the_same_value() {
        for signature in [signature(), full()] {
            assert_eq!(Signature::parse(signature.to_field_body().as_bytes()), Ok(signature));
        }
    }

    #[test]
    fn lines_are_folded_and_never_blank() {
        for signature in [signature(), full()] {
            let field = format!("DKIM-Signature:{}", signature.to_field_body());
            for line in field.split("\r\n") {
                assert!(line.len() <= 78, "{line:?}");
                assert!(!line.trim().is_empty(), "{field:?}");
            }
            assert!(!field.contains(" \r\n"), "{field:?}");
        }
    }

    /// Every length of the names before `b=` and `bh=` moves them over the line once.
    #[test]
    fn the_hashed_form_is_the_signed_form_without_b() {
        for len in (1..=63).step_by(if cfg!(miri) { 31 } else { 1 }) {
            let mut signed = signature();
            signed.selector = Selector::parse(&"s".repeat(len)).unwrap();
            let mut unsigned = signed.clone();
            unsigned.signature = Vec::new();
            let body = signed.to_field_body();
            let tags = TagList::parse(body.as_bytes()).unwrap();
            let emptied = without_b(body.as_bytes(), &tags).concat();
            assert_eq!(String::from_utf8(emptied).unwrap(), unsigned.to_field_body());
        }
    }

    #[test]
    fn a_copy_whose_name_holds_a_bar_is_left_out() {
        let mut barred = signature();
        let copy = |name| CopiedField { name: FieldName::parse(name).unwrap(), body: vec![b'x'] };
        barred.copied_fields = vec![copy("a|b")];
        assert!(!barred.to_field_body().contains("z="));
        barred.copied_fields.push(copy("c"));
        assert!(barred.to_field_body().contains("z=c:x;"));
    }

    #[test]
    fn a_name_longer_than_a_line_stays_whole() {
        let mut long = signature();
        long.sdid = DomainName::parse(&["a".repeat(60), "b".repeat(60)].join(".")).unwrap();
        assert!(long.to_field_body().contains(long.sdid.as_str()));
        assert_eq!(Signature::parse(long.to_field_body().as_bytes()), Ok(long));
    }
}
