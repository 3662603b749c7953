//! The lexical tokens of structured header fields (RFC 5322 §3.2, RFC 6532 §3.2), as nom parsers.
//!
//! They take octets of a field body as it stands in the message, folds included. Any octet from
//! 0x80 up counts as UTF8-non-ascii (RFC 6532 §3.2): old software sends names in 8-bit charsets,
//! and no such octet is a delimiter. Who needs UTF-8 checks what the token gives.
//!
//! A token that was begun and cannot be finished (a comment or quoted-string without end) is a
//! [`nom::Err::Failure`], since no other reading of it makes sense: so nothing is scanned twice.

use std::borrow::Cow;

use nom::branch::alt;
use nom::bytes::complete::{tag, take, take_while, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{opt, peek, recognize, value, verify};
use nom::error::{ErrorKind, ParseError};
use nom::multi::many1_count;
use nom::sequence::{delimited, preceded, terminated};
use nom::{Err, IResult, Parser};

/// Comments nested deeper than this are refused. People nest twice; the limit bounds what a
/// hostile field can ask of readers further on, many of which recurse.
pub const MAX_COMMENT_DEPTH: usize = 100;

/// What a token parser returns: the octets left and the token.
pub type Parsed<'a, T> = IResult<&'a [u8], T, LexError<'a>>;

/// Where a token parser stopped, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexError<'a> {
    /// The octets from the place of the fault to the end of the input.
    pub rest: &'a [u8],
    /// What is wrong there.
    pub fault: Fault,
}

impl LexError<'_> {
    /// The place of the fault as an offset in octets into `body`, the whole input.
    #[must_use]
    pub fn offset(&self, body: &[u8]) -> usize {
        body.len().saturating_sub(self.rest.len())
    }
}

impl<'a> ParseError<&'a [u8]> for LexError<'a> {
    fn from_error_kind(rest: &'a [u8], _: ErrorKind) -> Self {
        Self { rest, fault: Fault::Expected("another token") }
    }

    fn append(_: &'a [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// What is wrong with the octets of a structured field body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Something else should stand here.
    #[error("{0} expected")]
    Expected(&'static str),
    /// NUL, or a CR or LF that does not fold a line.
    #[error("NUL, or CR or LF that folds no line")]
    StrayOctet,
    /// A comment without its closing parenthesis.
    #[error("comment not closed")]
    CommentNotClosed,
    /// Comments within comments beyond [`MAX_COMMENT_DEPTH`].
    #[error("comments nested deeper than {MAX_COMMENT_DEPTH}")]
    CommentTooDeep,
    /// A quoted-string without its closing quote.
    #[error("quoted-string not closed")]
    QuoteNotClosed,
    /// A domain-literal without its closing bracket.
    #[error("domain-literal not closed")]
    LiteralNotClosed,
}

/// The offset of the first octet that no structured field body may hold: NUL, or a CR or LF that
/// is no part of a fold (CRLF and WSP). Obsolete syntax has them (RFC 5322 §4.1); readers disagree
/// about what they mean, so we do not read past them.
#[must_use]
pub fn stray_octet(body: &[u8]) -> Option<usize> {
    let mut previous = 0;
    body.iter().enumerate().find_map(|(at, &octet)| {
        let stray = match octet {
            0 => true,
            b'\r' => !matches!(body.get(at + 1..at + 3), Some([b'\n', b' ' | b'\t'])),
            b'\n' => previous != b'\r',
            _ => false,
        };
        previous = octet;
        stray.then_some(at)
    })
}

/// Turns "no such token here" into a [`nom::Err::Failure`] that names what was expected.
pub fn expect<'a, T>(
    what: &'static str,
    mut parser: impl Parser<&'a [u8], Output = T, Error = LexError<'a>>,
) -> impl FnMut(&'a [u8]) -> Parsed<'a, T> {
    move |input| {
        parser.parse(input).map_err(|error| match error {
            Err::Error(LexError { rest, .. }) => {
                Err::Failure(LexError { rest, fault: Fault::Expected(what) })
            }
            other => other,
        })
    }
}

/// `WSP = SP / HTAB`
#[must_use]
pub const fn is_wsp(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// `atext = ALPHA / DIGIT / "!" / "#" / … / "~" / UTF8-non-ascii`: any printing character that is
/// no special (RFC 5322 §3.2.3, RFC 6532 §3.2).
#[must_use]
pub const fn is_atext(octet: u8) -> bool {
    is_visible(octet)
        && !matches!(
            octet,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'['
                | b']'
                | b':'
                | b';'
                | b'@'
                | b'\\'
                | b','
                | b'.'
                | b'"'
        )
}

/// `VCHAR / UTF8-non-ascii`
const fn is_visible(octet: u8) -> bool {
    octet > b' ' && octet != 0x7f
}

/// `VCHAR / UTF8-non-ascii / obs-NO-WS-CTL`, the ground of ctext, qtext and dtext.
const fn is_text(octet: u8) -> bool {
    !matches!(octet, 0 | b'\t' | b'\n' | b'\r' | b' ')
}

const fn is_ctext(octet: u8) -> bool {
    is_text(octet) && !matches!(octet, b'(' | b')' | b'\\')
}

const fn is_qtext(octet: u8) -> bool {
    is_text(octet) && !matches!(octet, b'"' | b'\\')
}

const fn is_dtext(octet: u8) -> bool {
    is_text(octet) && !matches!(octet, b'[' | b']' | b'\\')
}

/// ```abnf
/// FWS     = ([*WSP CRLF] 1*WSP) / obs-FWS
/// obs-FWS = 1*WSP *(CRLF 1*WSP)
/// ```
/// Gives the octets as they stand.
///
/// # Errors
/// Where no white space stands.
pub fn fws(input: &[u8]) -> Parsed<'_, &[u8]> {
    let fold = terminated(tag("\r\n"), peek(one_of(" \t")));
    recognize(many1_count(alt((take_while1(is_wsp), fold)))).parse(input)
}

/// ```abnf
/// quoted-pair = ("\" (VCHAR / WSP)) / obs-qp
/// ```
/// Gives the octet quoted. Of obs-qp, NUL, CR and LF are left out.
///
/// # Errors
/// Where no quoted-pair stands.
pub fn quoted_pair(input: &[u8]) -> Parsed<'_, &[u8]> {
    let quotable = |pair: &[u8]| pair.iter().all(|&octet| is_text(octet) || is_wsp(octet));
    preceded(char('\\'), verify(take(1_usize), quotable)).parse(input)
}

/// ```abnf
/// ccontent = ctext / quoted-pair / comment
/// comment  = "(" *([FWS] ccontent) [FWS] ")"
/// ```
/// Gives the octets as they stand, with the parentheses.
///
/// # Errors
/// Where no comment stands; [`Fault::CommentNotClosed`] (at its beginning) and
/// [`Fault::CommentTooDeep`] are failures.
pub fn comment(input: &[u8]) -> Parsed<'_, &[u8]> {
    recognize(comment_to_its_end).parse(input)
}

fn comment_to_its_end(input: &[u8]) -> Parsed<'_, ()> {
    #[derive(Clone)]
    enum Piece {
        Text,
        Open,
        Close,
    }
    let (mut rest, _) = char('(').parse(input)?;
    // A counter instead of recursion: depth costs no stack.
    let mut depth = 1_usize;
    while depth > 0 {
        if rest.is_empty() {
            return Err(failure(input, Fault::CommentNotClosed));
        }
        let piece = alt((
            value(Piece::Text, take_while1(is_ctext)),
            value(Piece::Text, fws),
            value(Piece::Text, quoted_pair),
            value(Piece::Open, char('(')),
            value(Piece::Close, char(')')),
        ));
        let (next, piece) = expect("text of a comment", piece)(rest)?;
        match piece {
            Piece::Text => {}
            Piece::Open if depth == MAX_COMMENT_DEPTH => {
                return Err(failure(rest, Fault::CommentTooDeep));
            }
            Piece::Open => depth += 1,
            Piece::Close => depth -= 1,
        }
        rest = next;
    }
    Ok((rest, ()))
}

/// ```abnf
/// CFWS = (1*([FWS] comment) [FWS]) / FWS
/// ```
/// Gives the octets as they stand.
///
/// # Errors
/// Where neither white space nor a comment stands, and as [`comment`].
pub fn cfws(input: &[u8]) -> Parsed<'_, &[u8]> {
    recognize(many1_count(alt((fws, comment)))).parse(input)
}

/// `[CFWS]`
///
/// # Errors
/// As [`comment`].
pub fn optional_cfws(input: &[u8]) -> Parsed<'_, ()> {
    value((), opt(cfws)).parse(input)
}

/// `1*atext`, without CFWS around it.
///
/// # Errors
/// Where no atext stands.
pub fn atom_text(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(is_atext).parse(input)
}

/// ```abnf
/// atom = [CFWS] 1*atext [CFWS]
/// ```
/// Gives the atext alone.
///
/// # Errors
/// Where no atom stands, and as [`comment`].
pub fn atom(input: &[u8]) -> Parsed<'_, &[u8]> {
    delimited(optional_cfws, atom_text, optional_cfws).parse(input)
}

/// ```abnf
/// dot-atom-text = 1*atext *("." 1*atext)
/// ```
///
/// # Errors
/// Where no atext stands.
pub fn dot_atom_text(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (mut rest, _) = atom_text(input)?;
    while let Ok((next, _)) = preceded(char('.'), atom_text).parse(rest) {
        rest = next;
    }
    let length = input.len().saturating_sub(rest.len());
    take(length).parse(input)
}

/// ```abnf
/// qcontent      = qtext / quoted-pair
/// quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE
/// ```
/// without CFWS around it. Gives the content: quotes, the backslashes of quoted-pairs and the
/// CRLFs of folds are gone (RFC 5322 §3.2.4). Borrowed unless one of the latter two was there.
///
/// # Errors
/// Where no quoted-string stands; [`Fault::QuoteNotClosed`] (at its beginning) is a failure.
pub fn quoted_string(input: &[u8]) -> Parsed<'_, Cow<'_, [u8]>> {
    let (start, _) = char('"').parse(input)?;
    let plain = take_while(|octet| is_qtext(octet) || is_wsp(octet));
    if let Ok((rest, content)) = terminated(plain, quote).parse(start) {
        return Ok((rest, Cow::Borrowed(content)));
    }
    let mut content = Vec::new();
    let mut rest = start;
    loop {
        if let Ok((rest, _)) = quote(rest) {
            return Ok((rest, Cow::Owned(content)));
        }
        if rest.is_empty() {
            return Err(failure(input, Fault::QuoteNotClosed));
        }
        let (next, piece) = expect(
            "text of a quoted-string",
            alt((take_while1(is_qtext), quoted_pair, fws)),
        )(rest)?;
        content.extend(piece.iter().filter(|octet| !matches!(octet, b'\r' | b'\n')));
        rest = next;
    }
}

fn quote(input: &[u8]) -> Parsed<'_, char> {
    char('"').parse(input)
}

/// ```abnf
/// domain-literal = "[" *([FWS] dtext) [FWS] "]"
/// dtext          = %d33-90 / %d94-126 / obs-NO-WS-CTL
/// ```
/// without CFWS around it. Gives the brackets and the dtext between them, white space removed.
/// Of obs-dtext, the quoted-pair is left out: no address literal has a use for it.
///
/// # Errors
/// Where no domain-literal stands; [`Fault::LiteralNotClosed`] (at its beginning) is a failure.
pub fn domain_literal(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    let (mut rest, _) = char('[').parse(input)?;
    let mut literal = vec![b'['];
    loop {
        if let Some((b']', rest)) = rest.split_first() {
            literal.push(b']');
            return Ok((rest, literal));
        }
        if rest.is_empty() {
            return Err(failure(input, Fault::LiteralNotClosed));
        }
        let white = value(&b""[..], fws);
        let (next, piece) =
            expect("text of a domain-literal", alt((take_while1(is_dtext), white)))(rest)?;
        literal.extend_from_slice(piece);
        rest = next;
    }
}

/// ```abnf
/// word = atom / quoted-string
/// ```
/// Gives the atext, or the content of the quoted-string, without the CFWS around it.
///
/// # Errors
/// Where no word stands, and as [`comment`] and [`quoted_string`].
pub fn word(input: &[u8]) -> Parsed<'_, Cow<'_, [u8]>> {
    let text = alt((atom_text.map(Cow::Borrowed), quoted_string));
    delimited(optional_cfws, text, optional_cfws).parse(input)
}

fn failure(rest: &[u8], fault: Fault) -> Err<LexError<'_>> {
    Err::Failure(LexError { rest, fault })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn fault<T: std::fmt::Debug>(input: &[u8], parsed: Parsed<'_, T>) -> (usize, Fault) {
        match parsed.unwrap_err() {
            Err::Failure(error) => (error.offset(input), error.fault),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn white_space_folds_and_stops_before_a_line_end_that_folds_nothing() {
        assert_eq!(fws(b" \t\r\n  \r\n\tx"), Ok((&b"x"[..], &b" \t\r\n  \r\n\t"[..])));
        assert_eq!(fws(b"\r\n x").unwrap().0, b"x");
        assert_eq!(fws(b" \r\nx").unwrap().0, b"\r\nx");
        assert!(fws(b"\r\nx").is_err());
        assert!(fws(b"x").is_err());
    }

    #[test]
    fn comments_nest_and_quote() {
        let text: &[u8] = b"(a (b\\)) \r\n (c(d))\xc3\xa4)rest";
        assert_eq!(comment(text).unwrap().0, b"rest");
        assert_eq!(cfws(b" (a)(b) c").unwrap().0, b"c");
        assert_eq!(optional_cfws(b"c"), Ok((&b"c"[..], ())));
        assert_eq!(fault(b" (a(b)", cfws(b" (a(b)")), (1, Fault::CommentNotClosed));
        assert_eq!(fault(b"(\\)", comment(b"(\\)")), (0, Fault::CommentNotClosed));
        assert_eq!(fault(b"(a\0)", comment(b"(a\0)")).0, 2);
        assert_eq!(fault(b"(a\n)", comment(b"(a\n)")).0, 2);
        assert_eq!(fault(b"(\\\r)", comment(b"(\\\r)")).0, 1);
    }

    #[test]
    fn comment_depth_has_a_limit() {
        let nested = |depth: usize| [b"(".repeat(depth), b")".repeat(depth)].concat();
        assert_eq!(comment(&nested(MAX_COMMENT_DEPTH)).unwrap().0, b"");
        let deep = nested(MAX_COMMENT_DEPTH + 1);
        assert_eq!(fault(&deep, comment(&deep)), (MAX_COMMENT_DEPTH, Fault::CommentTooDeep));
        let hostile = b"(".repeat(if cfg!(miri) { 1 << 10 } else { 1 << 20 });
        assert_eq!(fault(&hostile, comment(&hostile)).1, Fault::CommentTooDeep);
    }

    #[test]
    fn atoms() {
        assert_eq!(atom(b" (x) a+b=c\xc3\xa9 (y).d"), Ok((&b".d"[..], &b"a+b=c\xc3\xa9"[..])));
        assert_eq!(dot_atom_text(b"a.b.c.@"), Ok((&b".@"[..], &b"a.b.c"[..])));
        assert!(dot_atom_text(b".a").is_err());
        for octet in 0..=255_u8 {
            let known = octet.is_ascii_alphanumeric()
                || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
                || octet >= 0x80;
            assert_eq!(is_atext(octet), known, "{octet:#x}");
        }
    }

    #[test]
    fn quoted_strings() {
        assert_eq!(quoted_string(b"\"a b\"c"), Ok((&b"c"[..], Cow::Borrowed(&b"a b"[..]))));
        assert!(matches!(quoted_string(b"\"a b\"").unwrap().1, Cow::Borrowed(_)));
        assert_eq!(
            quoted_string(b"\"a\\\"\\\\\r\n b\"").unwrap(),
            (&b""[..], Cow::Owned(b"a\"\\ b".to_vec()))
        );
        assert_eq!(quoted_string(b"\"\"").unwrap().1.as_ref(), b"");
        assert_eq!(fault(b"\"a\\\"", quoted_string(b"\"a\\\"")), (0, Fault::QuoteNotClosed));
        assert_eq!(fault(b"\"a\rb\"", quoted_string(b"\"a\rb\"")).0, 2);
        assert_eq!(fault(b"\"a\\\0\"", quoted_string(b"\"a\\\0\"")).0, 2);
    }

    #[test]
    fn domain_literals() {
        assert_eq!(domain_literal(b"[ 192.0.2.1\r\n ]x"), Ok((&b"x"[..], b"[192.0.2.1]".to_vec())));
        assert_eq!(fault(b"[1", domain_literal(b"[1")), (0, Fault::LiteralNotClosed));
        assert_eq!(fault(b"[a\\]]", domain_literal(b"[a\\]]")).0, 2);
        assert_eq!(fault(b"[1[2]", domain_literal(b"[1[2]")).0, 2);
    }

    #[test]
    fn stray_octets_are_found() {
        assert_eq!(stray_octet(b"a\r\n b\r\n\tc"), None);
        for (text, at) in [
            (&b"a\0"[..], 1),
            (b"ab\rc", 2),
            (b"a\nb", 1),
            (b"\n", 0),
            (b"a\r\nb", 1),
            (b"a\r\r\n b", 1),
            (b"a\r\n", 1),
            (b"a\r\n \n", 4),
        ] {
            assert_eq!(stray_octet(text), Some(at), "{text:?}");
        }
    }
}
