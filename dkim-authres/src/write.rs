//! Values to field text; the twin of `parse.rs`, in the same order.

use std::collections::HashMap;

use dkim_message::lex::{is_atext, quoted_string};

use crate::{AuthenticationResults, MAX_OCTETS, ResInfo};

/// The field's name and what stands before its body.
const NAME: &str = "Authentication-Results: ";

/// What begins a folded line.
const FOLD: &str = "\r\n    ";

/// Lines are folded at this many characters where a token allows it (RFC 5322 §2.1.1).
const LINE: usize = 78;

/// A written value has at most this many octets, so that no line passes 998 (RFC 5322 §2.1.1):
/// no fold may split a value.
const MAX_VALUE: usize = 800;

/// What is kept of [`MAX_OCTETS`] for what stands before and behind the results: the authserv-id
/// and the version, and how many results are left out.
const AROUND: usize = MAX_VALUE + 100;

/// A written keyword has at most this many octets.
const MAX_KEYWORD: usize = 64;

impl AuthenticationResults {
    /// The field body, to stand after `Authentication-Results: `; without the closing CRLF.
    ///
    /// It is folded, by CRLF and spaces, between tokens only. No value can end its own token,
    /// the line or the field:
    ///
    /// - a value that is neither a token nor an email identity is put in quotes, `"` and `\`
    ///   within it are escaped;
    /// - a control character (Unicode Cc) other than TAB, U+2028 and U+2029 become a space each;
    /// - in a method, result, ptype or property, what is no letter, digit, `-` or `_` becomes
    ///   `-`, and the empty one `x`;
    /// - an authserv-id or a reason of more than 800 octets (quoting counted) is cut;
    /// - a property with such a value is left out, and so is an address with such a character, since what
    ///   is left of the value would be somebody else's; of an email identity the local-part is, if its
    ///   domain fits.
    ///
    /// A message with thousands of signatures has thousands of results. Those that would make the
    /// body longer than [`MAX_OCTETS`] are left out, and a comment at the end says how many. The
    /// first results of each method stay, so that many of one do not push out those of another.
    ///
    /// ```
    /// use dkim_authres::{AuthenticationResults, ResInfo};
    ///
    /// let forged = ResInfo::new("dkim", "fail").reason("no\r\nX-Trusted: yes");
    /// let body = AuthenticationResults::new("mx.example.org").with(forged).field_body();
    /// assert_eq!(body, "mx.example.org;\r\n    dkim=fail reason=\"no  X-Trusted: yes\"");
    /// assert_eq!(AuthenticationResults::new("mx.example.org").field_body(), "mx.example.org; none");
    /// ```
    #[must_use]
    pub fn field_body(&self) -> String {
        let mut head = vec![value(&self.authserv_id)];
        head.extend(self.version.map(|version| version.to_string()));
        close(&mut head);
        let results = fitting(&self.results);
        if results.is_empty() {
            head.push("none".to_owned());
        }
        let mut lines = Lines { text: String::new(), column: NAME.len() };
        lines.tokens(&head);
        for (index, result) in results.iter().enumerate() {
            let mut tokens = resinfo(result);
            if index + 1 < results.len() {
                close(&mut tokens);
            }
            lines.fold();
            lines.tokens(&tokens);
        }
        let left_out = self.results.len() - results.len();
        if left_out > 0 {
            lines.fold();
            lines.tokens(&[format!("(results left out: {left_out})")]);
        }
        lines.text
    }

    /// The whole field: name, [body](Self::field_body) and closing CRLF.
    #[must_use]
    pub fn field(&self) -> String {
        format!("{NAME}{}\r\n", self.field_body())
    }
}

/// The results for which there is room, in order: the first of each method before the second of
/// any.
fn fitting(results: &[ResInfo]) -> Vec<&ResInfo> {
    let mut seen = HashMap::new();
    let mut ranked: Vec<(usize, usize)> = Vec::with_capacity(results.len());
    for (position, result) in results.iter().enumerate() {
        let rank: &mut usize = seen.entry(result.method.to_ascii_lowercase()).or_default();
        ranked.push((*rank, position));
        *rank += 1;
    }
    ranked.sort_unstable();
    let mut room = MAX_OCTETS - AROUND;
    let mut fits = vec![false; results.len()];
    for (_, position) in ranked {
        if let (Some(result), Some(fits)) = (results.get(position), fits.get_mut(position)) {
            let left = room.checked_sub(length(result));
            *fits = left.is_some();
            room = left.unwrap_or(room);
        }
    }
    results.iter().zip(fits).filter_map(|(result, fits)| fits.then_some(result)).collect()
}

/// The octets that a result takes among others.
fn length(result: &ResInfo) -> usize {
    let mut tokens = resinfo(result);
    close(&mut tokens);
    let mut lines = Lines { text: String::new(), column: 0 };
    lines.fold();
    lines.tokens(&tokens);
    lines.text.len()
}

/// Puts tokens into lines.
struct Lines {
    text: String,
    column: usize,
}

impl Lines {
    /// Writes tokens with a space or a fold between them.
    fn tokens(&mut self, tokens: &[String]) {
        for (index, token) in tokens.iter().enumerate() {
            let length = token.chars().count();
            if index > 0 && self.column + 1 + length > LINE {
                self.fold();
            } else if index > 0 {
                self.text.push(' ');
                self.column += 1;
            }
            self.text.push_str(token);
            self.column += length;
        }
    }

    fn fold(&mut self) {
        self.text.push_str(FOLD);
        self.column = FOLD.len() - "\r\n".len();
    }
}

/// Puts the `;` that separates from what follows after the last token.
fn close(tokens: &mut [String]) {
    if let Some(last) = tokens.last_mut() {
        last.push(';');
    }
}

/// ```abnf
/// methodspec = [CFWS] method [CFWS] "=" [CFWS] result
/// reasonspec = "reason" [CFWS] "=" [CFWS] value
/// propspec   = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue
/// ```
/// as the tokens between which a fold may stand.
fn resinfo(info: &ResInfo) -> Vec<String> {
    let version = info.version.map(|version| format!("/{version}")).unwrap_or_default();
    let mut tokens = vec![format!("{}{version}={}", keyword(&info.method), keyword(&info.result))];
    tokens.extend(info.reason.iter().map(|reason| format!("reason={}", value(reason))));
    tokens.extend(info.props.iter().filter_map(|prop| {
        let (ptype, property) = (keyword(&prop.ptype), keyword(&prop.property));
        Some(format!("{ptype}.{property}={}", pvalue(&prop.value)?))
    }));
    tokens
}

/// `Keyword` (RFC 5321 §4.1.2).
fn keyword(text: &str) -> String {
    let mend = |c| if is_keyword_char(c) { c } else { '-' };
    let keyword: String = text.chars().take(MAX_KEYWORD).map(mend).collect();
    if keyword.is_empty() { "x".to_owned() } else { keyword }
}

/// A letter, digit or hyphen. The underscore is no part of a Keyword, but extension properties
/// in the wild have it.
pub(crate) const fn is_keyword_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// `value = token / quoted-string` (RFC 2045 §5.1), as much of it as there is room for.
fn value(text: &str) -> String {
    let text = in_a_line(text);
    let whole = token_or_quoted(&text);
    if whole.len() <= MAX_VALUE { whole } else { token_or_quoted(&cut(&text)) }
}

/// `pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS]`, if there is room for it.
/// Nothing is cut or mended in what names somebody: whoever chooses the local-part would choose who is
/// left.
fn pvalue(text: &str) -> Option<String> {
    let line = in_a_line(text);
    let whole = if is_identity(&line) { line.clone() } else { token_or_quoted(&line) };
    if whole.len() <= MAX_VALUE && (line == text || !text.contains('@')) {
        return Some(whole);
    }
    let (_, domain) = text.rsplit_once('@')?;
    let domain = format!("@{domain}");
    (domain.len() <= MAX_VALUE && is_identity(&domain)).then_some(domain)
}

fn token_or_quoted(text: &str) -> String {
    let is_token = !text.is_empty() && text.chars().all(|c| c.is_ascii() && is_token_char(c));
    if is_token { text.to_owned() } else { quoted(text) }
}

/// Whether a value is `[ [ local-part ] "@" ] domain-name` as it stands, with nothing in it that
/// a reader might take for the end of the token.
fn is_identity(text: &str) -> bool {
    let (local_part, domain) = text.rsplit_once('@').unwrap_or(("", text));
    let local_part_fits = local_part.is_empty()
        || local_part.split('.').all(is_atom)
        || matches!(
            quoted_string(local_part.as_bytes()),
            Ok((b"", content)) if quoted(&String::from_utf8_lossy(&content)) == local_part
        );
    local_part_fits && domain.contains('.') && domain.split('.').all(is_sub_domain)
}

/// `1*atext` (RFC 5322 §3.2.3) with UTF8-non-ascii (RFC 6532 §3.2), but without what is white space
/// or a control character beyond ASCII.
fn is_atom(text: &str) -> bool {
    let fits = |c: char| match u8::try_from(c) {
        Ok(octet) if c.is_ascii() => is_atext(octet),
        _ => is_visible(c),
    };
    !text.is_empty() && text.chars().all(fits)
}

/// ```abnf
/// domain-name = sub-domain 1*("." sub-domain)
/// sub-domain  = Let-dig [Ldh-str] / U-label
/// ```
/// (RFC 6376 §3.5, RFC 5321 §4.1.2, RFC 6531 §3.3.) No underscore, and no hyphen at an end. Which
/// characters beyond ASCII a U-label has is not for a writer to tell: marks and joiners are among them.
fn is_sub_domain(label: &str) -> bool {
    let is_let_dig = |c: char| if c.is_ascii() { c.is_ascii_alphanumeric() } else { is_visible(c) };
    label.starts_with(is_let_dig)
        && label.ends_with(is_let_dig)
        && label.chars().all(|c| is_let_dig(c) || c == '-')
}

fn is_visible(c: char) -> bool {
    !c.is_control() && !c.is_whitespace()
}

/// A character of a token (RFC 2045 §5.1), or a non-ASCII one (RFC 6532): no space, control or
/// tspecial.
pub(crate) fn is_token_char(c: char) -> bool {
    is_visible(c) && !"()<>@,;:\\\"/[]?=".contains(c)
}

/// `quoted-string` (RFC 5322 §3.2.4, RFC 6532 §3.2).
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if is_escaped(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Text in which what ends lines is a space.
fn in_a_line(text: &str) -> String {
    text.chars().map(|c| if ends_lines(c) { ' ' } else { c }).collect()
}

/// As much of a text as [`MAX_VALUE`] octets have room for in quotes.
fn cut(text: &str) -> String {
    let mut length = "\"\"".len();
    let fits = |c: &char| {
        length += c.len_utf8() + usize::from(is_escaped(*c));
        length <= MAX_VALUE
    };
    text.chars().take_while(fits).collect()
}

const fn is_escaped(c: char) -> bool {
    matches!(c, '"' | '\\')
}

/// Characters that end a line, or a string, for some reader: they neither get out nor in.
pub(crate) fn ends_lines(c: char) -> bool {
    c.is_control() && c != '\t' || matches!(c, '\u{2028}' | '\u{2029}')
}
