//! Just so much of MIME (RFC 2045, RFC 2046) as reports need: a multipart split into its parts, and
//! their transfer encodings undone.

use std::borrow::Cow;

use dkim_message::lex::{optional_cfws, quoted_string};
use dkim_message::{Header, HeaderTooLong, Splitter};
use dkim_tags::value::base64;
use nom::bytes::complete::take_while1;

/// A multipart of more parts than this is not read to its end.
pub(crate) const MAX_PARTS: usize = 20;

/// The header of a report or of one of its parts has at most this many octets; the fields for
/// machines count as one, and have room for a canonical header of 1 MiB. Short lines take many
/// times their octets in memory.
pub(crate) const MAX_HEADER: usize = 2 * 1024 * 1024;

/// The header of a message or a part, for as long as the splitter lives, and what follows it.
pub(crate) fn split(octets: &[u8]) -> Result<(Splitter, &[u8]), HeaderTooLong> {
    let mut splitter = Splitter::new(MAX_HEADER);
    let body = splitter.push(octets)?.unwrap_or_default();
    Ok((splitter, body))
}

/// A boundary has at most this many characters (RFC 2046 §5.1.1).
const MAX_BOUNDARY: usize = 70;

/// The value of a Content-Type field, type and parameter names in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ContentType {
    /// As in `multipart/report`.
    pub(crate) media_type: String,
    parameters: Vec<(String, String)>,
}

impl ContentType {
    /// The type that a header states; `text/plain`, if it states none (RFC 2045 §5.2).
    pub(crate) fn of(header: &Header<'_>) -> Option<Self> {
        match header.named("Content-Type").next() {
            Some(field) => Self::parse(&unfolded(field.body())),
            None => Some(Self { media_type: "text/plain".to_owned(), parameters: Vec::new() }),
        }
    }

    /// ```abnf
    /// content   = type "/" subtype *(";" parameter)
    /// parameter = attribute "=" value
    /// value     = token / quoted-string
    /// ```
    /// with CFWS between any two tokens. A parameter that cannot be read ends the list: some
    /// senders write file names as they please, behind what matters.
    fn parse(body: &[u8]) -> Option<Self> {
        let (rest, kind) = token(body)?;
        let (rest, subtype) = token(special(rest, b'/')?)?;
        let media_type = format!("{kind}/{subtype}").to_ascii_lowercase();
        let (mut parameters, mut rest) = (Vec::new(), rest);
        while let Some((after, parameter)) = special(rest, b';').and_then(parameter) {
            parameters.push(parameter);
            rest = after;
        }
        Some(Self { media_type, parameters })
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// The boundary between parts.
    pub(crate) fn boundary(&self) -> Option<&str> {
        let fits = |boundary: &&str| !boundary.is_empty() && boundary.len() <= MAX_BOUNDARY;
        self.parameter("boundary").filter(fits)
    }
}

/// A field body without its line ends, be they CRLF or LF (RFC 5322 §2.2.3).
pub(crate) fn unfolded(body: &[u8]) -> Vec<u8> {
    body.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect()
}

fn parameter(input: &[u8]) -> Option<(&[u8], (String, String))> {
    let (rest, name) = token(input)?;
    let rest = special(rest, b'=')?;
    let (rest, ()) = optional_cfws(rest).ok()?;
    let (rest, value) = match quoted_string(rest) {
        Ok((rest, value)) => (rest, String::from_utf8_lossy(&value).into_owned()),
        Err(_) => token(rest)?,
    };
    Some((rest, (name.to_ascii_lowercase(), value)))
}

/// `token` (RFC 2045 §5.1), and CFWS before it.
fn token(input: &[u8]) -> Option<(&[u8], String)> {
    let is_token =
        |octet: u8| matches!(octet, b'!'..=b'~') && !b"()<>@,;:\\\"/[]?=".contains(&octet);
    let (rest, ()) = optional_cfws(input).ok()?;
    let (rest, token) = take_while1::<_, _, nom::error::Error<&[u8]>>(is_token)(rest).ok()?;
    Some((rest, String::from_utf8_lossy(token).into_owned()))
}

/// One character, and CFWS before it.
fn special(input: &[u8], octet: u8) -> Option<&[u8]> {
    let (rest, ()) = optional_cfws(input).ok()?;
    rest.split_first().filter(|(first, _)| **first == octet).map(|(_, rest)| rest)
}

/// A body part.
#[derive(Debug, Default)]
pub(crate) struct Part<'m> {
    pub(crate) content_type: ContentType,
    encoding: String,
    body: &'m [u8],
}

impl<'m> Part<'m> {
    /// A part whose header is too long is of no type.
    fn read(octets: &'m [u8]) -> Self {
        let Ok((splitter, body)) = split(octets) else { return Self::default() };
        let header = splitter.header();
        let content_type = ContentType::of(&header).unwrap_or_default();
        let encoding = header.named("Content-Transfer-Encoding").next();
        let encoding =
            encoding.and_then(|field| token(&unfolded(field.body())).map(|(_, token)| token));
        Self { content_type, encoding: encoding.unwrap_or_default().to_ascii_lowercase(), body }
    }

    /// The content, its transfer encoding undone (RFC 2045 §6); `None` if that is unknown or
    /// broken.
    pub(crate) fn content(&self) -> Option<Cow<'m, [u8]>> {
        match &*self.encoding {
            "" | "7bit" | "8bit" | "binary" => Some(Cow::Borrowed(self.body)),
            "quoted-printable" => Some(Cow::Owned(from_quoted_printable(self.body))),
            "base64" => from_base64(self.body).map(Cow::Owned),
            _ => None,
        }
    }
}

/// The parts of a multipart body, in order, [`MAX_PARTS`] at most. What stands before the first
/// boundary and after the last is for nobody; a last boundary may be missing.
pub(crate) fn parts<'m>(body: &'m [u8], boundary: &str) -> Vec<Part<'m>> {
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let mut parts = Vec::new();
    let mut start = None;
    for line in lines(body) {
        let text = body.get(line.start..line.end).unwrap_or_default();
        let Some(after) = text.strip_prefix(&*delimiter) else { continue };
        // RFC 2046 §5.1.1: white space may be padded.
        let is_last = after.starts_with(b"--");
        let after = after.strip_prefix(b"--").unwrap_or(after);
        if !after.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if let Some(start) = start.replace(line.next) {
            parts.push(Part::read(body.get(start..line.before).unwrap_or_default()));
        }
        if is_last || parts.len() == MAX_PARTS {
            return parts;
        }
    }
    parts.extend(start.map(|start| Part::read(body.get(start..).unwrap_or_default())));
    parts
}

struct Line {
    start: usize,
    /// Where the line end before it begins: that belongs to the boundary.
    before: usize,
    /// Where its text ends.
    end: usize,
    /// Where the next begins.
    next: usize,
}

fn lines(octets: &[u8]) -> impl Iterator<Item = Line> {
    let (mut start, mut before) = (0, 0);
    octets.split_inclusive(|octet| *octet == b'\n').map(move |line| {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let (end, next) = (start + text.len(), start + line.len());
        let line = Line { start, before, end, next };
        (start, before) = (next, end);
        line
    })
}

/// Undoes quoted-printable (RFC 2045 §6.7) by its note for robust decoders: what is no encoding
/// stands for itself.
fn from_quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(octets.len());
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let end = line.get(text.len()..).unwrap_or_default();
        let text = text.trim_ascii_end();
        let (mut rest, mut soft) = (text, false);
        while let Some((octet, after)) = rest.split_first() {
            rest = after;
            match (octet, after) {
                (b'=', []) => soft = true,
                (b'=', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => {
                        decoded.push(high << 4 | low);
                        rest = after;
                    }
                    _ => decoded.push(b'='),
                },
                (octet, _) => decoded.push(*octet),
            }
        }
        if !soft {
            decoded.extend_from_slice(end);
        }
    }
    decoded
}

fn digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Undoes base64; "any characters not in the base64 alphabet are ignored" (RFC 6591 §2.3, RFC 2045
/// §6.8).
pub(crate) fn from_base64(octets: &[u8]) -> Option<Vec<u8>> {
    let is_base64 = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
    let text: String = octets.iter().copied().filter(is_base64).map(char::from).collect();
    // Octets of none are no base64string.
    if text.is_empty() { Some(Vec::new()) } else { base64(&text) }
}

/// Whether octets can stand in a message as they are: lines of at most 998 octets that end in CRLF,
/// no NUL (RFC 2045 §2.7, §2.8).
pub(crate) fn is_lines(octets: &[u8]) -> bool {
    let mut rest = octets;
    while !rest.is_empty() {
        let end = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n' | 0));
        let end = end.unwrap_or(rest.len());
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
        if line.len() > 998 {
            return false;
        }
        rest = match after {
            [] => after,
            [b'\r', b'\n', after @ ..] => after,
            _ => return false,
        };
    }
    true
}

/// Writes octets as quoted-printable (RFC 2045 §6.7). Line ends of CRLF stay, any other octet that
/// is not plain is encoded.
pub(crate) fn to_quoted_printable(octets: &[u8]) -> String {
    const LINE: usize = 76;
    let mut text = String::new();
    let mut column = 0;
    let mut rest = octets;
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        if let (b'\r', [b'\n', after @ ..]) = (octet, after) {
            text.push_str("\r\n");
            (rest, column) = (after, 0);
            continue;
        }
        let at_end = after.is_empty() || after.starts_with(b"\r\n");
        let is_plain = match octet {
            b' ' | b'\t' => !at_end,
            b'!'..=b'~' => *octet != b'=',
            _ => false,
        };
        let piece = if is_plain { char::from(*octet).to_string() } else { format!("={octet:02X}") };
        // Room for the `=` of a soft line end.
        if column + piece.len() >= LINE {
            text.push_str("=\r\n");
            column = 0;
        }
        text.push_str(&piece);
        column += piece.len();
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_read_with_comments_and_quotes() {
        let read = |body: &str| ContentType::parse(body.as_bytes());
        let one = read(
            " Multipart (x) / REPORT;\r\n boundary=\"a b;\\\"c\" ; (y) Report-Type = feedback-report (z)",
        )
        .unwrap();
        assert_eq!(one.media_type, "multipart/report");
        assert_eq!(one.boundary(), Some("a b;\"c"));
        assert_eq!(one.parameter("report-type"), Some("feedback-report"));
        let one = read("a/b; c=d; e; f=g").unwrap();
        assert_eq!((one.parameter("c"), one.parameter("f")), (Some("d"), None));
        assert_eq!(read("a/b; boundary=\"\"").unwrap().boundary(), None);
        for bad in ["", "a", "a/", "/b", "a b/c", "(a/b", "a/b=c"] {
            let read = read(bad);
            assert!(read.is_none() || bad == "a/b=c", "{bad}");
        }
    }

    /// RFC 2046 §5.1.1: "boundary delimiters [...] must be no longer than 70 characters".
    #[test]
    fn boundaries_have_70_octets() {
        let boundary = |count: usize| {
            let body = format!("a/b; boundary={}", "x".repeat(count));
            ContentType::parse(body.as_bytes()).unwrap().boundary().map(str::len)
        };
        assert_eq!(boundary(MAX_BOUNDARY), Some(70));
        assert_eq!(boundary(MAX_BOUNDARY + 1), None);
    }

    fn contents(body: &str) -> Vec<String> {
        parts(body.as_bytes(), "x")
            .iter()
            .map(|part| String::from_utf8_lossy(&part.content().unwrap()).into_owned())
            .collect()
    }

    #[test]
    fn parts_stand_between_boundaries() {
        assert_eq!(
            contents("pre\r\n--x\r\n\r\na\r\n--x  \r\n\r\nb\r\n\r\n--x--\r\nepi"),
            ["a", "b\r\n"]
        );
        assert_eq!(contents("--x\n\na\n--x\n\nb\n--x--"), ["a", "b"]);
        assert_eq!(contents("--x\r\nA: b\r\n\r\n\r\n--x--"), [""]);
        assert_eq!(contents("--x\r\nA: b\r\n--x--"), [""]);
        assert_eq!(contents("--x\r\n\r\na\r\n--xy\r\n--\r\n --x"), ["a\r\n--xy\r\n--\r\n --x"]);
        assert_eq!(contents("--x--\r\n--x\r\n\r\na"), [""; 0]);
        assert_eq!(contents(""), [""; 0]);
        for (there, read) in [(MAX_PARTS - 1, MAX_PARTS - 1), (MAX_PARTS, MAX_PARTS)] {
            assert_eq!(contents(&"--x\r\n\r\na\r\n".repeat(there)).len(), read);
        }
        for more in [1, 79] {
            let body = "--x\r\n\r\na\r\n".repeat(MAX_PARTS + more);
            assert_eq!(contents(&body).len(), MAX_PARTS);
        }
    }

    #[test]
    fn transfer_encodings_are_undone() {
        let content = |encoding: &str, body: &str| {
            let part = format!("Content-Transfer-Encoding: {encoding}\r\n\r\n{body}");
            Part::read(part.as_bytes()).content().map(Cow::into_owned)
        };
        assert_eq!(content("7bit", "=41").unwrap(), b"=41");
        assert_eq!(
            content("Quoted-Printable (x)", "=41=\r\nb=C3=bc =\r\n c  \r\n=4=\n").unwrap(),
            "Ab\u{fc}  c\r\n=4".as_bytes()
        );
        assert_eq!(content("base64", "Zm9v\r\n*YmFy\r\n").unwrap(), b"foobar");
        assert_eq!(content("base64", "Zm9vY"), None);
        assert_eq!(content("base64", "").unwrap(), b"");
        assert_eq!(content("x-own", ""), None);
    }

    #[test]
    fn quoted_printable_twins() {
        for octets in [
            &b"a=b \r\nc\t\r\n\r\n."[..],
            b" ",
            b"a\rb\nc\0\xff",
            b"a\r",
            &[b'x'; 500],
            &[b'='; 100],
            b"",
        ] {
            let text = to_quoted_printable(octets);
            assert_eq!(from_quoted_printable(text.as_bytes()), octets, "{text}");
            assert!(text.is_ascii() && text.split("\r\n").all(|line| line.len() <= 76));
            assert!(is_lines(text.as_bytes()));
        }
    }

    #[test]
    fn lines_are_crlf_and_not_too_long() {
        for good in [&b""[..], b"a", b"a\r\n", b"\r\n\r\nb", &[b'x'; 998], b"\xff\r\n"] {
            assert!(is_lines(good));
        }
        for bad in [&b"a\n"[..], b"a\rb", b"a\r", b"\0", &[b'x'; 999], b"\n"] {
            assert!(!is_lines(bad));
        }
    }
}
