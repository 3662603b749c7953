//! Who a From field says wrote the message: its mailboxes (RFC 5322 §3.4, RFC 6854).

use std::borrow::Cow;
use std::fmt;

use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::char;
use nom::combinator::{opt, recognize, value};
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded, terminated};
use nom::{Err, Parser};

use crate::lex::{
    Fault, LexError, Parsed, atom, cfws, domain_literal, dot_atom_text, expect, optional_cfws,
    stray_octet, word,
};

/// A field with more mailboxes than this is refused: every Author Domain may cost DNS questions.
pub const MAX_ADDRESSES: usize = 1000;

/// An address with more octets than this is refused. (SMTP has 64 for a local-part and 255 for a
/// domain, RFC 5321 §4.5.3.1.)
pub const MAX_LEN: usize = 1000;

/// A mailbox, as far as it identifies somebody: an addr-spec without comments and white space.
///
/// `Display` writes it as RFC 5322 does, with the local-part quoted where it must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Address {
    /// The local-part, quoting removed. With the domain and the `@` between at most [`MAX_LEN`] octets.
    /// May hold any character but NUL, CR and LF.
    pub local_part: String,
    /// The domain, as written, U-labels and upper case included, or a domain-literal with
    /// its brackets.
    pub domain: String,
}

impl Address {
    /// Reads one address, as a From field has it: `joe@example.com`, with or without a display name.
    ///
    /// # Errors
    ///
    /// When it is no address, or more than one.
    ///
    /// ```
    /// use dkim_message::Address;
    ///
    /// assert_eq!(Address::parse("Joe <joe@example.com>")?.local_part, "joe");
    /// assert!(Address::parse("joe@example.com, ann@example.com").is_err());
    /// # Ok::<(), dkim_message::AddressError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let mut addresses = author_addresses(text.as_bytes())?;
        match (addresses.pop(), addresses.is_empty()) {
            (Some(address), true) => Ok(address),
            _ => Err(AddressError::NotOne),
        }
    }

    /// Whether the domain is a domain-literal, as in `user@[192.0.2.1]`, and no name.
    #[must_use]
    pub fn has_domain_literal(&self) -> bool {
        self.domain.starts_with('[')
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(dot_atom_text(self.local_part.as_bytes()), Ok((b"", _))) {
            f.write_str(&self.local_part)?;
        } else {
            let escaped = self.local_part.replace('\\', "\\\\").replace('"', "\\\"");
            write!(f, "\"{escaped}\"")?;
        }
        write!(f, "@{}", self.domain)
    }
}

/// Why the addresses of a field cannot be told. Offsets count octets of the field body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The field is no address-list.
    #[error("{fault} at octet {offset}")]
    Syntax {
        /// What is wrong.
        fault: Fault,
        /// Where.
        offset: usize,
    },
    /// An address with octets that are no UTF-8 (RFC 6532 §3.2).
    #[error("the address at octet {offset} is not UTF-8")]
    NotUtf8 {
        /// Where the address begins.
        offset: usize,
    },
    /// No address, or several, where one is asked for.
    #[error("one address is needed")]
    NotOne,
    /// An address longer than [`MAX_LEN`].
    #[error("the address at octet {offset} is longer than {MAX_LEN} octets")]
    TooLong {
        /// Where the address begins.
        offset: usize,
    },
    /// More than [`MAX_ADDRESSES`] mailboxes.
    #[error("more than {MAX_ADDRESSES} addresses")]
    TooMany,
}

/// The Author Addresses (RFC 5617 §2.3) in the body of a From field, in order, the members of
/// groups among them (RFC 6854).
///
/// Obsolete forms are read: routes, white space and comments between any two tokens, dots in
/// unquoted display names, empty list members. What fits no rule is an error: two readers who
/// guess guess differently, and a From field read in two ways is what a forger wants. A field
/// with nothing but empty groups gives no address. The closing CRLF may be there or not.
///
/// ```
/// use dkim_message::address::author_addresses;
///
/// let authors = author_addresses(br#" "a@b.example" (me) <joe@example.com>"#)?;
/// assert_eq!(authors.len(), 1);
/// assert_eq!(authors[0].domain, "example.com");
/// assert_eq!(authors[0].to_string(), "joe@example.com");
/// # Ok::<(), dkim_message::address::AddressError>(())
/// ```
///
/// # Errors
/// [`AddressError`], if any octet of the field cannot be accounted for.
pub fn author_addresses(from_field_body: &[u8]) -> Result<Vec<Address>, AddressError> {
    let body = from_field_body.strip_suffix(b"\r\n").unwrap_or(from_field_body);
    if let Some(offset) = stray_octet(body) {
        return Err(AddressError::Syntax { fault: Fault::StrayOctet, offset });
    }
    let mut reader = Reader { body, found: Vec::new() };
    if reader.list(body, End::Field)?.1 == 0 {
        return Err(reader.expected("an address", b""));
    }
    Ok(reader.found)
}

/// What closes a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Field,
    Group,
}

/// Goes through the lists and counts; the tokens of a list member are read by the parsers below.
struct Reader<'a> {
    body: &'a [u8],
    found: Vec<Address>,
}

impl<'a> Reader<'a> {
    /// ```abnf
    /// address-list   = (address *("," address)) / obs-addr-list
    /// group-list     = mailbox-list / CFWS / obs-group-list
    /// obs-addr-list  = *([CFWS] ",") address *("," [address / CFWS])
    /// obs-mbox-list  = *([CFWS] ",") mailbox *("," [mailbox / CFWS])
    /// obs-group-list = 1*([CFWS] ",") [CFWS]
    /// ```
    /// Gives what is left from the list's end on, and how many members the list has.
    fn list(&mut self, mut rest: &'a [u8], end: End) -> Result<(&'a [u8], usize), AddressError> {
        let mut members = 0_usize;
        loop {
            (rest, ()) = optional_cfws(rest).map_err(|error| self.syntax(&error))?;
            rest = match rest.split_first() {
                None => return Ok((rest, members)),
                Some((b';', _)) if end == End::Group => return Ok((rest, members)),
                Some((b',', after)) => after,
                Some(_) => {
                    members += 1;
                    let after = match end {
                        End::Field => self.address(rest)?,
                        End::Group => self.mailbox(rest)?,
                    };
                    match (after.split_first(), end) {
                        (Some((b',', after)), _) => after,
                        (None, _) | (Some((b';', _)), End::Group) => return Ok((after, members)),
                        (Some(_), End::Field) => {
                            return Err(self.expected("comma or the end of the field", after));
                        }
                        (Some(_), End::Group) => {
                            return Err(self.expected("comma or semicolon", after));
                        }
                    }
                }
            };
        }
    }

    /// ```abnf
    /// address = mailbox / group
    /// group   = display-name ":" [group-list] ";" [CFWS]
    /// ```
    fn address(&mut self, rest: &'a [u8]) -> Result<&'a [u8], AddressError> {
        let group = terminated(phrase, char(':')).parse(rest);
        let (members, _) = match group {
            Ok(group) => group,
            Err(Err::Error(_)) => return self.mailbox(rest),
            Err(failure) => return Err(self.syntax(&failure)),
        };
        let (rest, _) = self.list(members, End::Group)?;
        let close = terminated(char(';'), optional_cfws);
        let (rest, _) = expect("semicolon", close)(rest).map_err(|error| self.syntax(&error))?;
        Ok(rest)
    }

    fn mailbox(&mut self, rest: &'a [u8]) -> Result<&'a [u8], AddressError> {
        let (after, (local_part, domain)) = mailbox(rest).map_err(|error| self.syntax(&error))?;
        if self.found.len() >= MAX_ADDRESSES {
            return Err(AddressError::TooMany);
        }
        if local_part.len() + 1 + domain.len() > MAX_LEN {
            return Err(AddressError::TooLong { offset: self.offset(rest) });
        }
        // RFC 6532 §3.2: beyond ASCII, an address is UTF-8. (A display name is let pass.)
        match (String::from_utf8(local_part), String::from_utf8(domain)) {
            (Ok(local_part), Ok(domain)) => self.found.push(Address { local_part, domain }),
            _ => return Err(AddressError::NotUtf8 { offset: self.offset(rest) }),
        }
        Ok(after)
    }

    fn offset(&self, rest: &[u8]) -> usize {
        self.body.len().saturating_sub(rest.len())
    }

    fn expected(&self, what: &'static str, rest: &[u8]) -> AddressError {
        AddressError::Syntax { fault: Fault::Expected(what), offset: self.offset(rest) }
    }

    fn syntax(&self, error: &Err<LexError<'_>>) -> AddressError {
        match error {
            Err::Error(at) | Err::Failure(at) => {
                AddressError::Syntax { fault: at.fault, offset: at.offset(self.body) }
            }
            Err::Incomplete(_) => self.expected("more", b""),
        }
    }
}

/// ```abnf
/// phrase     = 1*word / obs-phrase
/// obs-phrase = word *(word / "." / CFWS)
/// ```
fn phrase(input: &[u8]) -> Parsed<'_, &[u8]> {
    let more = alt((value((), word), value((), char('.')), value((), cfws)));
    recognize((word, many0_count(more))).parse(input)
}

/// Octets of a local-part and of a domain.
type Parts = (Vec<u8>, Vec<u8>);

/// ```abnf
/// mailbox      = name-addr / addr-spec
/// name-addr    = [display-name] angle-addr
/// display-name = phrase
/// ```
/// A display name and a local-part look alike until `<` or `@` is seen.
fn mailbox(input: &[u8]) -> Parsed<'_, Parts> {
    let (after, _) = (opt(phrase), optional_cfws).parse(input)?;
    match after.first() {
        Some(b'<') => angle_addr(after),
        Some(b'@') => addr_spec(input),
        _ => Err(Err::Failure(LexError { rest: after, fault: Fault::Expected("`<` or `@`") })),
    }
}

/// ```abnf
/// angle-addr     = [CFWS] "<" addr-spec ">" [CFWS] / obs-angle-addr
/// obs-angle-addr = [CFWS] "<" obs-route addr-spec ">" [CFWS]
/// ```
fn angle_addr(input: &[u8]) -> Parsed<'_, Parts> {
    // RFC 5322 §4.4: "the route portion SHOULD be ignored".
    let open = (char('<'), opt(obs_route));
    let close = (expect("`>`", char('>')), optional_cfws);
    delimited(open, addr_spec, close).parse(input)
}

/// ```abnf
/// obs-route       = obs-domain-list ":"
/// obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain])
/// ```
fn obs_route(input: &[u8]) -> Parsed<'_, ()> {
    let hop = || preceded(char('@'), expect("domain", domain));
    let next = (char(','), optional_cfws, opt(hop()));
    let list = (
        many0_count(alt((cfws, tag(",")))),
        hop(),
        many0_count(next),
        expect("`:` after the route", char(':')),
    );
    value((), list).parse(input)
}

/// ```abnf
/// addr-spec      = local-part "@" domain
/// local-part     = dot-atom / quoted-string / obs-local-part
/// obs-local-part = word *("." word)
/// ```
fn addr_spec(input: &[u8]) -> Parsed<'_, Parts> {
    let local_part = |input| dotted(word, input);
    let (rest, local_part) = expect("local-part", local_part)(input)?;
    let (rest, _) = expect("`@`", char('@'))(rest)?;
    let (rest, domain) = expect("domain", domain)(rest)?;
    Ok((rest, (local_part, domain)))
}

/// ```abnf
/// domain     = dot-atom / domain-literal / obs-domain
/// obs-domain = atom *("." atom)
/// ```
fn domain(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    let literal = delimited(optional_cfws, domain_literal, optional_cfws);
    let atom = |input| atom.map(Cow::Borrowed).parse(input);
    alt((literal, |input| dotted(atom, input))).parse(input)
}

/// `part *("." part)`, put together without what stood between.
fn dotted<'a>(
    part: impl Fn(&'a [u8]) -> Parsed<'a, Cow<'a, [u8]>>,
    input: &'a [u8],
) -> Parsed<'a, Vec<u8>> {
    let (mut rest, first) = part(input)?;
    let mut text = first.into_owned();
    while let Some((b'.', after)) = rest.split_first() {
        let (after, next) = part(after)?;
        text.push(b'.');
        text.extend_from_slice(&next);
        rest = after;
    }
    Ok((rest, text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(body: &[u8]) -> Vec<String> {
        let addresses = author_addresses(body)
            .unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(body)));
        addresses.iter().map(Address::to_string).collect()
    }

    fn refused(body: &[u8]) -> usize {
        match author_addresses(body) {
            Err(AddressError::Syntax { offset, .. } | AddressError::NotUtf8 { offset }) => offset,
            other => panic!("{}: {other:?}", String::from_utf8_lossy(body)),
        }
    }

    #[test]
    fn rfc_5322_appendix_a() {
        let cases: [(&str, &[&str]); 22] = [
            ("John Doe <jdoe@machine.example>", &["jdoe@machine.example"]),
            (r#""Joe Q. Public" <john.q.public@example.com>"#, &["john.q.public@example.com"]),
            (
                "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
                &["mary@x.test", "jdoe@example.org", "one@y.test"],
            ),
            (
                r#"<boss@nil.test>, "Giant; \"Big\" Box" <sysservices@example.net>"#,
                &["boss@nil.test", "sysservices@example.net"],
            ),
            ("Pete <pete@silly.example>", &["pete@silly.example"]),
            (
                "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
                &["c@a.test", "joe@where.test", "jdoe@one.test"],
            ),
            ("Undisclosed recipients:;", &[]),
            (r#""Mary Smith: Personal Account" <smith@home.example>"#, &["smith@home.example"]),
            (
                r"Pete(A nice \) chap) <pete(his account)@silly.test(his host)>",
                &["pete@silly.test"],
            ),
            (
                "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n\
                 \x20        joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)",
                &["c@public.example", "joe@example.org", "jdoe@one.test"],
            ),
            ("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", &[]),
            ("Joe Q. Public <john.q.public@example.com>", &["john.q.public@example.com"]),
            (
                "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
                &["mary@example.net", "jdoe@test.example"],
            ),
            ("John Doe <jdoe@machine(comment).  example>", &["jdoe@machine.example"]),
            ("Mary Smith\r\n  \r\n          <mary@example.net>", &["mary@example.net"]),
            // Beyond the appendix: routes, groups and list members in their obsolete forms.
            ("<@a.test,@b.test,,:c@d.test>", &["c@d.test"]),
            ("<,(x),@a.test:c@d.test>", &["c@d.test"]),
            (",,a@b,,c@d,", &["a@b", "c@d"]),
            ("A:,, a@b,;, c@d", &["a@b", "c@d"]),
            ("A: ( ) ;", &[]),
            ("A:a@b;,B:c@d;,e@f", &["a@b", "c@d", "e@f"]),
            (r#""a b" . c . "d"@e"#, &[r#""a b.c.d"@e"#]),
        ];
        for (body, expected) in cases {
            assert_eq!(read(body.as_bytes()), expected, "{body}");
            assert_eq!(read(format!(" {body}\r\n").as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn readings_that_others_confuse() {
        let cases: [(&[u8], &[&str]); 14] = [
            (b"\"a@b\" <c@d>", &["c@d"]),
            (b"a@b (c@d)", &["a@b"]),
            (b"(c@d) a@b", &["a@b"]),
            (b"<a@b>, <c@d>", &["a@b", "c@d"]),
            (b"\"<a@b>,\" <c@d>", &["c@d"]),
            (b"(\\)<a@b>,) <c@d>", &["c@d"]),
            (b"((<a@b>,)) c@d", &["c@d"]),
            (b"\"(\" <a@b> (\")", &["a@b"]),
            (b"\"a@b\"@c", &["\"a@b\"@c"]),
            (b"=?utf-8?q?a=40b=2C?= <c@d>", &["c@d"]),
            (b"a@[192.0.2.1]", &["a@[192.0.2.1]"]),
            (b"a@[IPv6: 2001:db8::1 ]", &["a@[IPv6:2001:db8::1]"]),
            (b"J\xf6rg <j@example.com>", &["j@example.com"]),
            ("jörg@bücher.example".as_bytes(), &["jörg@bücher.example"]),
        ];
        for (body, expected) in cases {
            assert_eq!(read(body), expected, "{}", String::from_utf8_lossy(body));
        }
        let author = &author_addresses(br#""a \"b\" c"@EXAMPLE.com"#).unwrap()[0];
        assert_eq!(author.local_part, r#"a "b" c"#);
        assert_eq!(author.domain, "EXAMPLE.com");
        assert_eq!(author.to_string(), r#""a \"b\" c"@EXAMPLE.com"#);
        assert!(!author.has_domain_literal());
        assert!(author_addresses(b"a@[1]").unwrap()[0].has_domain_literal());
    }

    #[test]
    fn never_guesses() {
        let cases: [(&[u8], usize); 34] = [
            (b"", 0),
            (b" \r\n ", 4),
            (b",", 1),
            (b"joe", 3),
            (b"joe <", 5),
            (b"joe <>", 5),
            (b"a@b <c@d>", 4),
            (b"<a@b> <c@d>", 6),
            (b"<a@b> c@d", 6),
            (b"a@b c@d", 4),
            (b"a@b@c", 3),
            (b"a@", 2),
            (b"@b", 0),
            (b"<a@b", 4),
            (b"a@b>", 3),
            (b"a@b.", 4),
            (b"a@.b", 2),
            (b"a..b@c", 2),
            (b".a@b", 0),
            (b". <a@b>", 0),
            (b"Doe, John <a@b>", 3),
            (b"a@b; c@d", 3),
            (b"a@b,; c@d", 4),
            (b"A: a@b", 6),
            (b"A: B: a@b;;", 4),
            (b"A: a@b; c@d", 8),
            (b"\"a <b@c>", 0),
            (b"a@b (c", 4),
            (b"a@[1", 2),
            (b"a@b\0", 3),
            (b"a@b\r", 3),
            (b"a\n@b", 1),
            (b"a@b\r\nc@d", 3),
            (b"x <a\xff@b>", 0),
        ];
        for (body, offset) in cases {
            assert_eq!(refused(body), offset, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn limits() {
        let deep = if cfg!(miri) { 200 } else { 200_000 };
        let many = |count: usize| vec!["a@b"; count].join(",").into_bytes();
        // So many would take Miri a quarter of an hour.
        let most = if cfg!(miri) { 10 } else { MAX_ADDRESSES };
        assert_eq!(author_addresses(&many(most)).unwrap().len(), most);
        if most == MAX_ADDRESSES {
            assert_eq!(author_addresses(&many(most + 1)), Err(AddressError::TooMany));
        }
        // Quoting does not count, and neither do comments.
        let of_length = |len: usize| format!("(c) \"{}\\a\"@b.example", "a".repeat(len - 11));
        assert!(author_addresses(of_length(MAX_LEN).as_bytes()).is_ok());
        let long = author_addresses(format!("c@d, {}", of_length(MAX_LEN + 1)).as_bytes());
        assert_eq!(
            long.unwrap_err().to_string(),
            "the address at octet 9 is longer than 1000 octets"
        );
        assert_eq!(
            author_addresses(&[b"(".repeat(deep), b"a@b".to_vec()].concat()),
            Err(AddressError::Syntax { fault: Fault::CommentTooDeep, offset: 100 })
        );
        assert_eq!(
            author_addresses(b"a@b, c (d").unwrap_err().to_string(),
            "comment not closed at octet 7"
        );
    }

    #[test]
    fn mutated_fields_never_panic_and_answers_read_back() {
        let seeds: [&[u8]; 4] = [
            b"A Group(x)\r\n :Chris <c@(h.)public.example>, \"a\\\"b\"@[ 1 ], ; , <@r:a@b>",
            b"\"Giant; \\\"Big\\\" Box\" <sysservices@example.net>, a . \"b c\" @ d",
            b"J. Doe (c(d)\\)) <\xc3\xa4@b>",
            b"a@b,c@d",
        ];
        let mut state = 0x9e37_79b9_u32;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            usize::try_from(state).unwrap() % below
        };
        for round in 0..if cfg!(miri) { 50 } else { 10_000 } {
            let mut body = seeds[round % seeds.len()].to_vec();
            for _ in 0..=random(4) {
                let at = random(body.len());
                let octet = b"()<>[]:;@\\,.\" \t\r\n\0\x80a"[random(20)];
                match random(3) {
                    0 => body[at] = octet,
                    1 => body.insert(at, octet),
                    _ => drop(body.remove(at)),
                }
            }
            let Ok(addresses) = author_addresses(&body) else { continue };
            for address in addresses {
                let again = author_addresses(address.to_string().as_bytes());
                assert_eq!(again, Ok(vec![address]), "{}", String::from_utf8_lossy(&body));
            }
        }
    }
}
