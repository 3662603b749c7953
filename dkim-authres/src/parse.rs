//! Field text to values; the twin of `write.rs`, in the same order.

use dkim_message::lex::{
    Fault, LexError, Parsed, cfws, expect, optional_cfws, quoted_string, stray_octet,
};
use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{eof, map, opt, peek};
use nom::multi::many0;
use nom::sequence::{delimited, preceded};
use nom::{Err, Parser};

use crate::write::{ends_lines, is_keyword_char, is_token_char, quoted};
use crate::{AuthenticationResults, Prop, ResInfo};

/// A field body of more octets than this is not read: it bounds the memory its results take.
pub const MAX_OCTETS: usize = 65_536;

/// Why an Authentication-Results field cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthResError {
    /// The field does not follow RFC 8601 §2.2.
    #[error("{fault} at octet {offset}")]
    Syntax {
        /// What is wrong.
        fault: Fault,
        /// Where, in octets of the field body.
        offset: usize,
    },
    /// More than [`MAX_OCTETS`] octets.
    #[error("field body of more than {MAX_OCTETS} octets")]
    TooLong,
}

impl AuthenticationResults {
    /// Reads a field body. The closing CRLF may be there or not.
    ///
    /// Comments are dropped. Any method, result, property type and version is read; which of them
    /// to believe is the reader's affair (RFC 8601 §4.1), and so is whether to believe the field
    /// at all. Tolerated beyond the grammar: a `;` at the end; an underscore in a Keyword; in a
    /// property value the tspecials that large senders leave unquoted (`header.b=a/b=`,
    /// `smtp.mailfrom=<>`, `policy.iprev=2001:db8::1`).
    ///
    /// ```
    /// use dkim_authres::AuthenticationResults;
    ///
    /// let field = AuthenticationResults::parse(
    ///     b" example.com (me) 1; dkim=pass (good signature) header.i=@example.net",
    /// )?;
    /// assert_eq!(field.authserv_id, "example.com");
    /// assert_eq!(field.results[0].get("header", "i"), Some("@example.net"));
    /// # Ok::<(), dkim_authres::AuthResError>(())
    /// ```
    ///
    /// # Errors
    /// [`AuthResError`], if the field does not follow the grammar.
    pub fn parse(field_body: &[u8]) -> Result<Self, AuthResError> {
        read(field_body, |input| {
            let (rest, (authserv_id, version)) = head(input)?;
            let (rest, results) = results(rest)?;
            Ok((rest, Self { authserv_id, version, results }))
        })
    }
}

/// The authserv-id of a field, whatever comes behind the first `;`.
///
/// # Errors
/// [`AuthResError`], if the field does not follow the grammar up to there.
pub(crate) fn authserv_id(field_body: &[u8]) -> Result<String, AuthResError> {
    read(field_body, |input| {
        let (rest, (authserv_id, _)) = head(input)?;
        expect("`;`", peek(char(';')))(rest)?;
        Ok((rest, authserv_id))
    })
}

/// The digits behind a field's authserv-id, whatever comes behind them.
pub(crate) fn version_digits(field_body: &[u8]) -> Option<&str> {
    let mut digits = preceded((optional_cfws, value, optional_cfws), digit1);
    let (_, digits) = digits.parse(field_body).ok()?;
    std::str::from_utf8(digits).ok()
}

fn read<'a, T>(
    field_body: &'a [u8],
    parser: impl FnOnce(&'a [u8]) -> Parsed<'a, T>,
) -> Result<T, AuthResError> {
    let body = field_body.strip_suffix(b"\r\n").unwrap_or(field_body);
    if body.len() > MAX_OCTETS {
        return Err(AuthResError::TooLong);
    }
    if let Some(offset) = stray_octet(body) {
        return Err(AuthResError::Syntax { fault: Fault::StrayOctet, offset });
    }
    match parser(body) {
        Ok((_, value)) => Ok(value),
        Err(Err::Error(at) | Err::Failure(at)) => {
            Err(AuthResError::Syntax { fault: at.fault, offset: at.offset(body) })
        }
        Err(Err::Incomplete(_)) => {
            Err(AuthResError::Syntax { fault: Fault::Expected("more"), offset: body.len() })
        }
    }
}

/// ```abnf
/// authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo ) [CFWS]
/// authserv-id     = value
/// authres-version = 1*DIGIT [CFWS]
/// ```
/// up to the first `;`.
fn head(input: &[u8]) -> Parsed<'_, (String, Option<u32>)> {
    let (rest, _) = optional_cfws(input)?;
    let (rest, authserv_id) = expect("authserv-id", value)(rest)?;
    let (rest, version) = opt(preceded(cfws, number)).parse(rest)?;
    let (rest, _) = optional_cfws(rest)?;
    Ok((rest, (authserv_id, version)))
}

/// ```abnf
/// no-result = [CFWS] ";" [CFWS] "none"
/// resinfo   = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
/// ```
/// All of them, to the end of the field.
fn results(input: &[u8]) -> Parsed<'_, Vec<ResInfo>> {
    let (mut rest, _) = expect("`;`", char(';'))(input)?;
    let none = (padded(tag_no_case("none")), opt(padded(char(';'))), eof);
    if let Ok((rest, _)) = none.map(drop).parse(rest) {
        return Ok((rest, Vec::new()));
    }
    let mut results = Vec::new();
    loop {
        let (after, result) = resinfo(rest)?;
        results.push(result);
        let (after, more) = opt(char(';')).parse(after)?;
        // A `;` at the end has nothing to separate; many put one.
        let (after, _) = optional_cfws(after)?;
        if after.is_empty() {
            return Ok((after, results));
        }
        if more.is_none() {
            expect("a property, `;` or the end of the field", eof)(after)?;
        }
        rest = after;
    }
}

/// ```abnf
/// methodspec     = [CFWS] method [CFWS] "=" [CFWS] result
/// method         = Keyword [ [CFWS] "/" [CFWS] method-version ]
/// method-version = 1*DIGIT [CFWS]
/// reasonspec     = "reason" [CFWS] "=" [CFWS] value
/// ```
fn resinfo(input: &[u8]) -> Parsed<'_, ResInfo> {
    let (rest, method) = expect("method", padded(keyword))(input)?;
    let version = preceded(char('/'), expect("version of the method", padded(number)));
    let (rest, version) = opt(version).parse(rest)?;
    let (rest, _) = expect("`=`", char('='))(rest)?;
    let (rest, result) = expect("result", padded(keyword))(rest)?;
    let reason = preceded(
        (tag_no_case("reason"), optional_cfws, char('=')),
        expect("reason", padded(value)),
    );
    let (rest, reason) = opt(reason).parse(rest)?;
    let (rest, props) = many0(propspec).parse(rest)?;
    Ok((rest, ResInfo { method, version, result, reason, props }))
}

/// ```abnf
/// propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue
/// ptype    = Keyword
/// property = special-smtp-verb / Keyword
/// ```
fn propspec(input: &[u8]) -> Parsed<'_, Prop> {
    let (rest, ptype) = padded(keyword).parse(input)?;
    let (rest, _) = expect("`.` after the property type", char('.'))(rest)?;
    let (rest, property) = expect("property", padded(keyword))(rest)?;
    let (rest, _) = expect("`=` after the property", char('='))(rest)?;
    let (rest, value) = expect("value of the property", padded(pvalue))(rest)?;
    Ok((rest, Prop { ptype, property, value }))
}

/// `Keyword` (RFC 5321 §4.1.2).
fn keyword(input: &[u8]) -> Parsed<'_, String> {
    bare(input, is_keyword_char)
}

/// `value = token / quoted-string` (RFC 2045 §5.1).
fn value(input: &[u8]) -> Parsed<'_, String> {
    alt((|input| bare(input, is_token_char), quoted_text)).parse(input)
}

/// `pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS]`, between the CFWS.
fn pvalue(input: &[u8]) -> Parsed<'_, String> {
    enum First {
        Bare(String),
        Quoted(String),
    }
    let loose = |input| bare(input, |c| !c.is_whitespace() && !";()\",\\".contains(c));
    let first = alt((map(loose, First::Bare), map(quoted_text, First::Quoted)));
    let domain = preceded((optional_cfws, char('@')), loose);
    let (rest, (first, domain)) = (first, opt(domain)).parse(input)?;
    let text = match (first, domain) {
        (First::Bare(text) | First::Quoted(text), None) => text,
        (First::Bare(local_part), Some(domain)) => format!("{local_part}@{domain}"),
        (First::Quoted(local_part), Some(domain)) => format!("{}@{domain}", quoted(&local_part)),
    };
    Ok((rest, text))
}

fn number(input: &[u8]) -> Parsed<'_, u32> {
    let (rest, digits) = digit1(input)?;
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    number.map(|number| (rest, number)).ok_or_else(|| failure(input, "number below 2^32"))
}

/// A quoted-string's content.
fn quoted_text(input: &[u8]) -> Parsed<'_, String> {
    let (rest, content) = quoted_string(input)?;
    Ok((rest, text(input, &content)?))
}

/// A run of these characters.
fn bare(input: &[u8], allowed: impl Fn(char) -> bool) -> Parsed<'_, String> {
    let delimits = |octet: u8| octet.is_ascii() && !allowed(octet.into());
    let (rest, run) = take_while1(|octet| !delimits(octet)).parse(input)?;
    let text = text(input, run)?;
    if text.chars().all(allowed) { Ok((rest, text)) } else { Err(failure(input, "plain text")) }
}

/// Text that the writer could have written.
fn text<'a>(input: &'a [u8], octets: &[u8]) -> Result<String, Err<LexError<'a>>> {
    let text = std::str::from_utf8(octets).map_err(|_| failure(input, "UTF-8"))?;
    if text.contains(ends_lines) {
        return Err(failure(input, "text without control characters"));
    }
    Ok(text.to_owned())
}

/// `[CFWS] token [CFWS]`
fn padded<'a, T>(
    token: impl Parser<&'a [u8], Output = T, Error = LexError<'a>>,
) -> impl Parser<&'a [u8], Output = T, Error = LexError<'a>> {
    delimited(optional_cfws, token, optional_cfws)
}

fn failure<'a>(rest: &'a [u8], what: &'static str) -> Err<LexError<'a>> {
    Err::Failure(LexError { rest, fault: Fault::Expected(what) })
}
