//! Reads master files (RFC 1035 §5.1) entry by entry, on octets.

use std::mem;
use std::str::{self, FromStr};
use std::time::Duration;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::digit1;
use nom::combinator::{all_consuming, map_opt, not, recognize, verify};
use nom::multi::{fold_many1, many0, many0_count, many1_count};
use nom::number::complete::u8 as any;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::Record;
use crate::name::{Name, NameError};

/// TTL of what states none, nor inherits one.
pub(crate) const DEFAULT_TTL: Duration = Duration::from_secs(3600);

/// The longest excerpt from a file in a message, in octets before they are escaped.
const MAX_EXCERPT: usize = 24;

/// A master file that cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
#[non_exhaustive]
pub struct ZoneError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    #[source]
    pub kind: ZoneErrorKind,
}

/// What is wrong in a master file. Text from the file is shortened, and escaped where not ASCII.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZoneErrorKind {
    /// `(` without `)` up to the end of the file; the line is the one of `(`.
    #[error("parenthesis is not closed")]
    UnclosedParenthesis,
    /// `)` without `(`.
    #[error("closing parenthesis without an opening one")]
    UnopenedParenthesis,
    /// `"` without another on the same line.
    #[error("quoted string is not closed on its line")]
    UnclosedQuote,
    /// `\` at the end of a line, or before digits that are not three or exceed 255.
    #[error("a backslash takes one octet that is no digit, or three digits up to 255")]
    Escape,
    /// The entry begins with white space and no owner was stated before.
    #[error("the entry begins with white space, and no owner name comes before it")]
    NoOwner,
    /// A name without a closing dot, or `@`, where no `$ORIGIN` completes it.
    #[error("the relative name \"{0}\" needs an $ORIGIN before it")]
    Relative(String),
    /// A domain name in quotes.
    #[error("a domain name stands in quotes")]
    QuotedName,
    /// Not a domain name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Neither seconds nor numbers with the units s, m, h, d, w, up to 2147483647 seconds.
    #[error("\"{0}\" is no TTL")]
    Ttl(String),
    /// A class other than IN.
    #[error("class {0} is not supported, only IN")]
    Class(String),
    /// The entry ends before its type.
    #[error("the entry has no type")]
    NoType,
    /// Something else where the type should stand.
    #[error("\"{0}\" is no record type")]
    NotAType(String),
    /// The entry ends after its type.
    #[error("the entry has no data")]
    NoData,
    /// More than the entry takes, beginning with this.
    #[error("unexpected \"{0}\" at the end of the entry")]
    Trailing(String),
    /// A character-string of more than 255 octets (RFC 1035 §3.3).
    #[error("a character-string of {0} octets, the limit is 255: split it into several")]
    StringTooLong(usize),
    /// A TXT or CNAME record in the form for unknown types, `\# length hex` (RFC 3597 §5).
    #[error("TXT and CNAME in the form of unknown types are not supported")]
    UnknownTypeForm,
    /// `$INCLUDE`: no file is opened from here.
    #[error("$INCLUDE is not supported, give the files one by one")]
    Include,
    /// Another word with `$`, such as `$GENERATE`.
    #[error("unknown control entry {0}")]
    Control(String),
    /// `$ORIGIN`, `$TTL`, `;! SERVFAIL` or `;! TIMEOUT` without what it sets.
    #[error("{0} lacks its argument")]
    NoArgument(&'static str),
}

/// What one entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) owner: Name,
    pub(crate) ttl: Duration,
    pub(crate) data: Data,
}

/// The data of an entry, as far as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Txt(Record),
    Cname(Name),
    /// A type that is not read.
    Other,
    Fails(Failure),
}

/// A failure that a directive comment asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Servfail,
    Timeout,
}

/// The entries of a file, read one after the other; memory is bounded by the longest entry.
pub(crate) struct Entries<'a> {
    file: &'a [u8],
    rest: &'a [u8],
    origin: Option<Name>,
    owner: Option<Name>,
    /// What `$TTL` said last (RFC 2308 §4).
    default_ttl: Option<Duration>,
    /// What a record said last (RFC 1035 §5.1).
    stated_ttl: Option<Duration>,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(file: &'a [u8]) -> Self {
        Self { file, rest: file, origin: None, owner: None, default_ttl: None, stated_ttl: None }
    }

    /// With an origin before the first `$ORIGIN`.
    pub(crate) fn with_origin(file: &'a [u8], origin: &str) -> Result<Self, ZoneError> {
        let entries = Self::new(file);
        match Name::absolute(origin) {
            Ok(origin) => Ok(Self { origin: Some(origin), ..entries }),
            Err(error) => Err(entries.error(file, error.into())),
        }
    }

    /// The error with the number of the line on which `rest`, the tail of the file, begins.
    fn error(&self, rest: &[u8], kind: ZoneErrorKind) -> ZoneError {
        let read = self.file.len() - rest.len();
        let line = self.file.iter().take(read).filter(|&&octet| octet == b'\n').count() + 1;
        ZoneError { line, kind }
    }

    /// The error with the number of the line on which a token stands.
    fn at(&self, token: &Token<'_>, kind: ZoneErrorKind) -> ZoneError {
        self.error(token.rest, kind)
    }

    /// ```text
    /// <blank>[<comment>]
    /// $ORIGIN <domain-name> [<comment>]
    /// $INCLUDE <file-name> [<domain-name>] [<comment>]
    /// <domain-name><rr> [<comment>]
    /// <blank><rr> [<comment>]
    /// ```
    fn entry(&mut self) -> Result<Option<Entry>, ZoneError> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            if let Some(entry) = self.directive()? {
                return Ok(Some(entry));
            }
            let line = self.line()?;
            match line.tokens.split_first() {
                None => {}
                Some((word, arguments)) if word.is_control() => self.control(word, arguments)?,
                Some((first, following)) => {
                    let (owner, rr) = if line.indented {
                        let owner = self.owner.clone();
                        let missing = || self.at(first, ZoneErrorKind::NoOwner);
                        (owner.ok_or_else(missing)?, line.tokens.as_slice())
                    } else {
                        (self.name(first)?, following)
                    };
                    self.owner = Some(owner.clone());
                    return self.record(owner, rr, first).map(Some);
                }
            }
        }
    }

    /// A comment alone on its line that asks for a failure, up to another comment:
    /// `;! SERVFAIL name` or `;! TIMEOUT name`. Any other text after `;!` is a comment like others.
    fn directive(&mut self) -> Result<Option<Entry>, ZoneError> {
        let Some(comment) = skip(self.rest, is_blank).strip_prefix(b";!") else {
            return Ok(None);
        };
        let after = skip(comment, |octet| octet != b'\n');
        let text = comment.strip_suffix(after).unwrap_or_default();
        let text = text.split(|octet| *octet == b';').next().unwrap_or_default();
        let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (failure, word) = match words.next() {
            Some(w) if w.eq_ignore_ascii_case(b"SERVFAIL") => (Failure::Servfail, ";! SERVFAIL"),
            Some(w) if w.eq_ignore_ascii_case(b"TIMEOUT") => (Failure::Timeout, ";! TIMEOUT"),
            _ => return Ok(None),
        };
        let missing = || self.error(comment, ZoneErrorKind::NoArgument(word));
        let name = words.next().ok_or_else(missing)?;
        if let Some(extra) = words.next() {
            return Err(self.error(comment, ZoneErrorKind::Trailing(excerpt(extra))));
        }
        let owner = self.name(&Token { raw: name, quoted: false, rest: comment })?;
        self.rest = after;
        Ok(Some(Entry { owner, ttl: DEFAULT_TTL, data: Data::Fails(failure) }))
    }

    /// The tokens up to the next line end that is not inside parentheses.
    fn line(&mut self) -> Result<Line<'a>, ZoneError> {
        let mut line =
            Line { indented: self.rest.first().copied().is_some_and(is_blank), tokens: Vec::new() };
        let mut open = Vec::new();
        loop {
            let here = skip(self.rest, is_blank);
            self.rest = match here.split_first() {
                None => {
                    self.rest = here;
                    let unclosed = |at| self.error(at, ZoneErrorKind::UnclosedParenthesis);
                    return open.pop().map(unclosed).map_or(Ok(line), Err);
                }
                Some((b'\n', after)) => {
                    if open.is_empty() {
                        self.rest = after;
                        return Ok(line);
                    }
                    after
                }
                Some((b';', comment)) => skip(comment, |octet| octet != b'\n'),
                Some((b'(', after)) => {
                    open.push(here);
                    after
                }
                Some((b')', after)) => match open.pop() {
                    Some(_) => after,
                    None => return Err(self.error(here, ZoneErrorKind::UnopenedParenthesis)),
                },
                Some((b'"', _)) => {
                    let (after, raw) =
                        quoted(here).map_err(|_| self.error(here, ZoneErrorKind::UnclosedQuote))?;
                    line.tokens.push(Token { raw, quoted: true, rest: here });
                    after
                }
                Some(_) => {
                    let (after, raw) =
                        bare(here).map_err(|_| self.error(here, ZoneErrorKind::Escape))?;
                    line.tokens.push(Token { raw, quoted: false, rest: here });
                    after
                }
            };
        }
    }

    /// `$ORIGIN` (RFC 1035 §5.1) and `$TTL` (RFC 2308 §4).
    fn control(&mut self, word: &Token<'_>, arguments: &[Token<'_>]) -> Result<(), ZoneError> {
        let mut arguments = arguments.iter();
        let mut argument =
            |of| arguments.next().ok_or_else(|| self.at(word, ZoneErrorKind::NoArgument(of)));
        if word.is("$ORIGIN") {
            self.origin = Some(self.name(argument("$ORIGIN")?)?);
        } else if word.is("$TTL") {
            self.default_ttl = Some(self.ttl(argument("$TTL")?)?);
        } else if word.is("$INCLUDE") {
            return Err(self.at(word, ZoneErrorKind::Include));
        } else {
            return Err(self.at(word, ZoneErrorKind::Control(word.excerpt())));
        }
        self.end(arguments.next())
    }

    /// ```text
    /// [<TTL>] [<class>] <type> <RDATA>
    /// [<class>] [<TTL>] <type> <RDATA>
    /// ```
    fn record(
        &mut self,
        owner: Name,
        rr: &[Token<'_>],
        first: &Token<'_>,
    ) -> Result<Entry, ZoneError> {
        let mut tokens = rr.iter();
        let mut stated = None;
        let mut class = false;
        let kind = loop {
            let token = tokens.next().ok_or_else(|| self.at(first, ZoneErrorKind::NoType))?;
            if stated.is_none() && token.raw.first().is_some_and(u8::is_ascii_digit) {
                stated = Some(self.ttl(token)?);
            } else if !class && (token.is("IN") || token.is("CLASS1")) {
                class = true;
            } else if token.is_class() {
                return Err(self.at(token, ZoneErrorKind::Class(token.excerpt())));
            } else if token.is_type() {
                break token;
            } else {
                return Err(self.at(token, ZoneErrorKind::NotAType(token.excerpt())));
            }
        };
        self.stated_ttl = stated.or(self.stated_ttl);
        // $TTL is for records "which do not explicitly include a TTL" (RFC 2308 §4), before the
        // last one stated (RFC 1035 §5.1).
        let ttl = stated.or(self.default_ttl).or(self.stated_ttl).unwrap_or(DEFAULT_TTL);

        let rdata = tokens.as_slice();
        let Some((datum, more)) = rdata.split_first() else {
            return Err(self.at(kind, ZoneErrorKind::NoData));
        };
        let numbered = kind.is("TYPE16") || kind.is("TYPE5");
        let data = if numbered || (datum.is("\\#") && (kind.is("TXT") || kind.is("CNAME"))) {
            return Err(self.at(datum, ZoneErrorKind::UnknownTypeForm));
        } else if kind.is("TXT") {
            let strings = rdata.iter().map(|token| self.string(token)).collect::<Result<_, _>>()?;
            Data::Txt(Record { strings })
        } else if kind.is("CNAME") {
            self.end(more.first())?;
            Data::Cname(self.name(datum)?)
        } else {
            Data::Other
        };
        Ok(Entry { owner, ttl, data })
    }

    /// A token that must not be there.
    fn end(&self, token: Option<&Token<'_>>) -> Result<(), ZoneError> {
        token.map_or(Ok(()), |t| Err(self.at(t, ZoneErrorKind::Trailing(t.excerpt()))))
    }

    /// `<domain-name>`: labels with dots between, a closing one if absolute; `@` is the origin.
    fn name(&self, token: &Token<'_>) -> Result<Name, ZoneError> {
        if token.quoted {
            return Err(self.at(token, ZoneErrorKind::QuotedName));
        }
        if token.raw == b"." {
            return Ok(Name::root());
        }
        let (mut labels, mut label) = (Vec::new(), Vec::new());
        let mut rest = if token.raw == b"@" { &b""[..] } else { token.raw };
        while let Some((first, after)) = rest.split_first() {
            if *first == b'.' {
                labels.push(mem::take(&mut label));
                rest = after;
            } else {
                let (after, octet) =
                    octet(rest).map_err(|_| self.at(token, ZoneErrorKind::Escape))?;
                label.push(octet);
                rest = after;
            }
        }
        let absolute = label.is_empty() && !labels.is_empty();
        if !label.is_empty() {
            labels.push(label);
        }
        let root = Name::root();
        let origin = match &self.origin {
            _ if absolute => &root,
            Some(origin) => origin,
            None => return Err(self.at(token, ZoneErrorKind::Relative(token.excerpt()))),
        };
        Name::new(labels, origin).map_err(|error| self.at(token, error.into()))
    }

    /// `<character-string>`: at most 255 octets (RFC 1035 §3.3).
    fn string(&self, token: &Token<'_>) -> Result<Vec<u8>, ZoneError> {
        let (_, octets) = all_consuming(many0(octet))
            .parse(token.raw)
            .map_err(|_| self.at(token, ZoneErrorKind::Escape))?;
        match octets.len() {
            ..=255 => Ok(octets),
            length => Err(self.at(token, ZoneErrorKind::StringTooLong(length))),
        }
    }

    /// A TTL of at most 2^31 - 1 seconds (RFC 2181 §8).
    fn ttl(&self, token: &Token<'_>) -> Result<Duration, ZoneError> {
        match ttl(token.raw) {
            Ok((_, seconds)) if !token.quoted && seconds <= 0x7fff_ffff => {
                Ok(Duration::from_secs(seconds))
            }
            _ => Err(self.at(token, ZoneErrorKind::Ttl(token.excerpt()))),
        }
    }
}

/// After an error nothing more comes.
impl Iterator for Entries<'_> {
    type Item = Result<Entry, ZoneError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entry();
        if entry.is_err() {
            self.rest = b"";
        }
        entry.transpose()
    }
}

/// What stands between two line ends outside parentheses.
struct Line<'a> {
    /// Whether it begins with white space: the owner is the one before.
    indented: bool,
    tokens: Vec<Token<'a>>,
}

/// A word or quoted string, escapes not yet resolved.
struct Token<'a> {
    /// Without the quotes.
    raw: &'a [u8],
    quoted: bool,
    /// The file from here on, for the line number.
    rest: &'a [u8],
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        !self.quoted && self.raw.eq_ignore_ascii_case(word.as_bytes())
    }

    fn is_control(&self) -> bool {
        !self.quoted && self.raw.starts_with(b"$")
    }

    /// A mnemonic such as `CH`, or any class by its number (RFC 3597 §5).
    fn is_class(&self) -> bool {
        let is_number = |class: &[u8]| !class.is_empty() && class.iter().all(u8::is_ascii_digit);
        let numbered = self.raw.split_at_checked("CLASS".len());
        ["CH", "HS", "CS"].iter().any(|class| self.is(class))
            || !self.quoted
                && numbered.is_some_and(|(word, number)| {
                    word.eq_ignore_ascii_case(b"CLASS") && is_number(number)
                })
    }

    /// A mnemonic such as `A`, `NSAP-PTR` or `TYPE65534`.
    fn is_type(&self) -> bool {
        !self.quoted
            && self.raw.first().is_some_and(u8::is_ascii_alphabetic)
            && self.raw.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
    }

    fn excerpt(&self) -> String {
        excerpt(self.raw)
    }
}

/// The beginning of something from the file, for a message: enough to find it, and too little to be
/// of use if the file is no zone and has a key in it.
fn excerpt(octets: &[u8]) -> String {
    match octets.split_at_checked(MAX_EXCERPT) {
        Some((begin, [_, ..])) => format!("{}...", begin.escape_ascii()),
        _ => octets.escape_ascii().to_string(),
    }
}

/// CR too, so that CRLF is white space and a line end.
fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r')
}

/// What follows the octets of a kind.
fn skip(input: &[u8], kind: impl Fn(u8) -> bool) -> &[u8] {
    let end = input.iter().position(|octet| !kind(*octet));
    end.and_then(|end| input.get(end..)).unwrap_or_default()
}

/// `DQUOTE *(any octet but DQUOTE, "\" and LF / escaped) DQUOTE`
fn quoted(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let plain = take_while1(|octet| !matches!(octet, b'"' | b'\\' | b'\n'));
    let quote = || tag(&b"\""[..]);
    delimited(quote(), recognize(many0_count(alt((plain, escaped)))), quote()).parse(input)
}

/// `1*(any octet but white space, LF, ";", "(", ")", DQUOTE and "\" / escaped)`
fn bare(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let plain = take_while1(|octet| !is_blank(octet) && !b"\n;()\"\\".contains(&octet));
    terminated(recognize(many1_count(alt((plain, escaped)))), not(tag(&b"\\"[..]))).parse(input)
}

/// `"\" any octet but CR and LF`: be it one that loses its meaning or the first of three digits.
fn escaped(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let one = take_while_m_n(1, 1, |octet| !matches!(octet, b'\r' | b'\n'));
    recognize(preceded(tag(&b"\\"[..]), one)).parse(input)
}

/// `any octet but "\" / "\" any octet but DIGIT / "\" 3DIGIT`
fn octet(input: &[u8]) -> IResult<&[u8], u8> {
    let verbatim = verify(any, |octet| !octet.is_ascii_digit());
    let decimal = map_opt(take_while_m_n(3, 3, |octet: u8| octet.is_ascii_digit()), number);
    alt((verify(any, |octet| *octet != b'\\'), preceded(tag(&b"\\"[..]), alt((verbatim, decimal)))))
        .parse(input)
}

/// `1*DIGIT / 1*(1*DIGIT unit)`, in seconds; `unit = "s" / "m" / "h" / "d" / "w"`
fn ttl(input: &[u8]) -> IResult<&[u8], u64> {
    let seconds = || map_opt(digit1, number::<u32>);
    let unit = map_opt(any, |unit: u8| match unit.to_ascii_lowercase() {
        b's' => Some(1),
        b'm' => Some(60),
        b'h' => Some(60 * 60),
        b'd' => Some(24 * 60 * 60),
        b'w' => Some(7 * 24 * 60 * 60),
        _ => None,
    });
    let sum = |sum: u64, (number, unit)| sum.saturating_add(u64::from(number) * unit);
    alt((
        all_consuming(seconds().map(u64::from)),
        all_consuming(fold_many1((seconds(), unit), || 0, sum)),
    ))
    .parse(input)
}

/// Digits as a number, if it fits.
fn number<N: FromStr>(digits: &[u8]) -> Option<N> {
    str::from_utf8(digits).ok()?.parse().ok()
}
