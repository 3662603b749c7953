//! The tag-list: `name=value; name=value`, read without copying.

use std::collections::BTreeSet;
use std::ops::Range;

use memchr::{memchr, memchr_iter};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, satisfy};
use nom::combinator::recognize;
use nom::multi::many0_count;
use nom::sequence::pair;
use nom::{IResult, Parser};
use smallvec::SmallVec;

use crate::value::excerpt;

/// A tag-spec of a tag-list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    name: &'a str,
    value: &'a str,
    after_equals: Range<usize>,
}

impl<'a> Tag<'a> {
    /// The tag name. Names are case-sensitive.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The value without the white space around it; white space inside, folds included, is part
    /// of it.
    #[must_use]
    pub fn value(&self) -> &'a str {
        self.value
    }

    /// Where everything between the `=` and the next `;` (or the end) stands in the octets
    /// parsed: the value with all surrounding white space.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.after_equals.clone()
    }
}

/// A tag-list (RFC 6376 §3.2), tags in the order written.
///
/// ```
/// use dkim_tags::TagList;
///
/// let list = TagList::parse(b"v=DKIM1; p=Zm9v\r\n YmFy")?;
/// assert_eq!(list.value("v"), Some("DKIM1"));
/// assert_eq!(list.tags()[1].value(), "Zm9v\r\n YmFy");
/// # Ok::<(), dkim_tags::TagListError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagList<'a> {
    tags: SmallVec<[Tag<'a>; FEW]>,
}

/// As many tags as most lists have at most: these are searched sooner than looked up.
const FEW: usize = 16;

impl<'a> TagList<'a> {
    /// The most tags a list may have. The RFCs define fewer than twenty; the limit keeps a list
    /// made of nothing but tags from costing more than its octets.
    pub const MAX_TAGS: usize = 256;

    /// Reads a tag-list.
    ///
    /// ```text
    /// tag-list  =  tag-spec *( ";" tag-spec ) [ ";" ]
    /// tag-spec  =  [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
    /// tag-name  =  ALPHA *ALNUMPUNC
    /// tag-value =  [ tval *( 1*(WSP / FWS) tval ) ]
    /// tval      =  1*VALCHAR
    /// VALCHAR   =  %x21-3A / %x3C-7E
    /// ALNUMPUNC =  ALPHA / DIGIT / "_"
    /// ```
    ///
    /// Beyond the grammar, white space may follow the last `;` ("WSP is allowed anywhere around
    /// tags", and published records often end so), and a value may hold UTF-8 (RFC 6376 §3.2's
    /// implementation note, RFC 8616 §5).
    ///
    /// # Errors
    ///
    /// When there is no tag, when the octets break the grammar, when a name occurs twice (the whole
    /// list is invalid then), or when there are more than [`MAX_TAGS`](Self::MAX_TAGS) tags.
    pub fn parse(octets: &'a [u8]) -> Result<Self, TagListError> {
        Self::read(octets, std::str::from_utf8(octets).ok().filter(|_| is_clean(octets)))
    }

    /// Reads a tag-list. `text` is all octets, if they are text and [clean](is_clean).
    fn read(octets: &'a [u8], text: Option<&'a str>) -> Result<Self, TagListError> {
        let mut start = skip_fws(octets);
        if start.is_empty() {
            return Err(TagListError::Empty);
        }
        let mut tags: SmallVec<[Tag<'a>; FEW]> = SmallVec::new();
        // Of the tags after the first few: there may be many, and a header has room for many lists.
        let mut names = BTreeSet::new();
        let mut offset = 0;
        loop {
            let (after, tag) = read_tag(octets, text, start)?;
            if tags.len() == Self::MAX_TAGS {
                return Err(TagListError::TooMany { limit: Self::MAX_TAGS });
            }
            // RFC 6376 §3.2: "if a tag name does occur more than once, the entire tag-list is
            // invalid."
            let is_new = tags.iter().take(FEW).all(|earlier| !is_same(earlier.name, tag.name))
                && (tags.len() < FEW || names.insert(tag.name));
            if !is_new {
                return Err(TagListError::Duplicate { name: excerpt(tag.name), offset });
            }
            let name = tag.name;
            tags.push(tag);
            match after.split_first() {
                Some((b';', next)) => {
                    (start, offset) = (skip_fws(next), octets.len() - next.len());
                    if start.is_empty() {
                        break;
                    }
                }
                Some((found, _)) => {
                    return Err(TagListError::Octet {
                        name: excerpt(name),
                        offset: octets.len() - after.len(),
                        found: *found,
                    });
                }
                None => break,
            }
        }
        Ok(Self { tags })
    }

    /// The tags in the order written; at least one.
    #[must_use]
    pub fn tags(&self) -> &[Tag<'a>] {
        &self.tags
    }

    /// The tag of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tag<'a>> {
        self.tags.iter().find(|tag| tag.name == name)
    }

    /// The value of the tag of this name. An empty value is not an absent tag.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.get(name).map(Tag::value)
    }
}

/// Why octets are no tag-list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagListError {
    /// There is no tag at all.
    #[error("an empty tag-list")]
    Empty,
    /// An octet stands where the grammar does not allow it.
    #[error("not a tag-list: unexpected {} at octet {offset}", found.map_or_else(|| "end".to_owned(), |octet| format!("{:?}", char::from(octet))))]
    Syntax {
        /// Where, counted from the start of the list.
        offset: usize,
        /// The octet found there; `None` at the end.
        found: Option<u8>,
    },
    /// A value holds an octet that cannot stand in one.
    #[error("tag {name}= holds {:?} at octet {offset}, which cannot stand there", char::from(*found))]
    Octet {
        /// The tag name, up to [`MAX_EXCERPT`](crate::value::MAX_EXCERPT).
        name: String,
        /// Where, counted from the start of the list.
        offset: usize,
        /// The octet.
        found: u8,
    },
    /// A value holds octets that are neither ASCII nor UTF-8.
    #[error("tag {name}= holds octets that are neither ASCII nor UTF-8")]
    Encoding {
        /// The tag name, up to [`MAX_EXCERPT`](crate::value::MAX_EXCERPT).
        name: String,
    },
    /// A tag name occurs twice.
    #[error("tag {name}= occurs twice, the second time at octet {offset}")]
    Duplicate {
        /// The tag name, up to [`MAX_EXCERPT`](crate::value::MAX_EXCERPT).
        name: String,
        /// Where the second tag-spec starts.
        offset: usize,
    },
    /// There are too many tags.
    #[error("more than {limit} tags")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

fn syntax(octets: &[u8], rest: &[u8]) -> TagListError {
    TagListError::Syntax { offset: octets.len() - rest.len(), found: rest.first().copied() }
}

/// One tag-spec off the front of `start`, which is the end of `octets`.
fn read_tag<'a>(
    octets: &'a [u8],
    text: Option<&'a str>,
    start: &'a [u8],
) -> Result<(&'a [u8], Tag<'a>), TagListError> {
    let at = |rest: &[u8]| octets.len() - rest.len();
    let (after_name, name) = tag_name(start).map_err(|_| syntax(octets, start))?;
    let name = std::str::from_utf8(name).map_err(|_| syntax(octets, start))?;
    let after_name = skip_fws(after_name);
    let (after_equals, _) = equals(after_name).map_err(|_| syntax(octets, after_name))?;
    let (after_value, value) = match text {
        Some(_) => until_semicolon(after_equals),
        None => tag_value(after_equals).map_err(|_| syntax(octets, after_equals))?,
    };
    let after_equals = at(after_equals)..at(after_value);
    let value = match text {
        Some(text) => text.get(after_equals.clone()),
        None => std::str::from_utf8(value).ok(),
    };
    let value = value.ok_or_else(|| TagListError::Encoding { name: excerpt(name) })?;
    Ok((after_value, Tag { name, value: trim_fws(value), after_equals }))
}

/// Whether two names, neither of them empty, are the same. Nearly all are of one letter, and differ
/// there.
fn is_same(name: &str, other: &str) -> bool {
    name.as_bytes().first() == other.as_bytes().first() && name == other
}

/// What stands behind a value of a clean list, and the value.
fn until_semicolon(input: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr(b';', input).unwrap_or(input.len());
    let (value, after) = input.split_at_checked(end).unwrap_or((input, &[]));
    (after, value)
}

fn equals(input: &[u8]) -> IResult<&[u8], char> {
    char('=').parse(input)
}

/// `tag-name = ALPHA *ALNUMPUNC`
fn tag_name(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let alpha = satisfy(|c| c.is_ascii_alphabetic());
    let alnumpunc = take_while(|octet: u8| octet.is_ascii_alphanumeric() || octet == b'_');
    recognize(pair(alpha, alnumpunc)).parse(input)
}

/// The value and all white space around it: up to the next `;`, octet that cannot stand in a
/// value, or the end.
fn tag_value(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let on_a_line =
        take_while1(|octet| matches!(octet, b'\t' | b' '..=0x3a | 0x3c..=0x7e | 0x80..));
    let fold = recognize(pair(tag(&b"\r\n"[..]), satisfy(|c| matches!(c, ' ' | '\t'))));
    recognize(many0_count(alt((on_a_line, fold)))).parse(input)
}

/// Whether all octets may stand in a value, or between two: nearly every list is so, and in one
/// that is, a value ends where the next `;` stands and nowhere else.
fn is_clean(octets: &[u8]) -> bool {
    // Without branches, so that many octets are looked at together.
    let stray = |o: u8| (o < b' ') & (o != b'\t') & (o != b'\r') & (o != b'\n') | (o == 0x7f);
    if octets.iter().fold(0, |any, octet| any | u8::from(stray(*octet))) != 0 {
        return false;
    }
    let folds = memchr_iter(b'\r', octets).try_fold(0, |folds, cr| {
        let fold = octets.get(cr + 1..cr + 3)?;
        matches!(fold, [b'\n', b' ' | b'\t']).then_some(folds + 1)
    });
    folds == Some(memchr_iter(b'\n', octets).count())
}

/// What follows `[FWS]`.
///
/// ```text
/// FWS = [*WSP CRLF] 1*WSP
/// ```
///
/// The obsolete form with several line ends (RFC 5322 §4.2) counts, too: relays leave it behind.
fn skip_fws(mut input: &[u8]) -> &[u8] {
    loop {
        input = match input {
            [b' ' | b'\t', after @ ..] => after,
            [b'\r', b'\n', after @ ..] if matches!(after, [b' ' | b'\t', ..]) => after,
            _ => return input,
        };
    }
}

/// Whether the octet may stand in FWS. In a parsed value, CR and LF stand nowhere else.
pub(crate) fn is_fws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// The text without the white space around it.
pub(crate) fn trim_fws(text: &str) -> &str {
    let octets = text.as_bytes();
    let start = octets.iter().position(|octet| !is_fws(*octet)).unwrap_or(octets.len());
    let end = octets.iter().rposition(|octet| !is_fws(*octet)).map_or(start, |at| at + 1);
    text.get(start..end).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pairs(octets: &[u8]) -> Vec<(&str, &str)> {
        let list = TagList::parse(octets).unwrap();
        list.tags().iter().map(|tag| (tag.name(), tag.value())).collect()
    }

    #[test]
    fn white_space_may_stand_around_names_and_values() {
        assert_eq!(
            pairs(b" \r\n\tv = 1 ;\r\n a\t=\trsa-sha256;c = relaxed\r\n /simple\t; x=;y="),
            [("v", "1"), ("a", "rsa-sha256"), ("c", "relaxed\r\n /simple"), ("x", ""), ("y", "")]
        );
    }

    /// A line end without white space behind it is no white space, wherever it stands.
    #[test]
    fn a_line_end_alone_is_no_white_space() {
        for octets in ["\r\nv=1", "v\r\n=1", "v=\r\n1", "v=1\r\n;", "v=1;\r\na=b", "v=1; \r\na=b"] {
            assert!(TagList::parse(octets.as_bytes()).is_err(), "{octets:?}");
        }
    }

    /// The short way is taken for all lists that it is for, and for no others.
    #[test]
    fn clean_is_what_has_no_stray_octet() {
        let naive = |octets: &[u8]| {
            octets.iter().enumerate().all(|(at, octet)| match octet {
                b'\r' => {
                    matches!(octets.get(at + 1..at + 3), Some([b'\n', b' ' | b'\t']))
                }
                b'\n' => at > 0 && octets.get(at - 1) == Some(&b'\r'),
                b'\t' => true,
                octet => !octet.is_ascii_control(),
            })
        };
        let alphabet = [b'a', b';', b' ', b'\t', b'\r', b'\n', 0, 0x1f, 0x7f, 0x80, 0xff];
        let longest = if cfg!(miri) { 2 } else { 5 };
        let mut longest_so_far = vec![Vec::new()];
        let mut all = Vec::new();
        for _ in 0..=longest {
            let longer = longest_so_far
                .iter()
                .flat_map(|octets| alphabet.map(|octet| [octets.as_slice(), &[octet]].concat()))
                .collect();
            all.append(&mut std::mem::replace(&mut longest_so_far, longer));
        }
        for octets in all {
            assert_eq!(is_clean(&octets), naive(&octets), "{octets:?}");
        }
        let folded = b"v=1;\r\n a=rsa-sha256; \r\n\tb=cd\r\n ef".repeat(5);
        assert!(is_clean(&folded) && !is_clean(&folded[..folded.len() - 3]));
    }

    #[test]
    fn the_list_may_end_in_a_semicolon_and_white_space() {
        for end in ["", ";", "; ", ";\r\n\t ", " ; "] {
            assert_eq!(pairs(format!("v=1{end}").as_bytes()), [("v", "1")], "{end:?}");
        }
    }

    #[test]
    fn names_may_hold_digits_and_underscores() {
        assert_eq!(pairs(b"Q9_=a=b;q9_=:"), [("Q9_", "a=b"), ("q9_", ":")]);
    }

    #[test]
    fn spans_hold_the_value_and_all_white_space_around_it() {
        let octets = b"a=1; b= \r\n\tYQ== \t;c=2";
        let list = TagList::parse(octets).unwrap();
        assert_eq!(&octets[list.get("b").unwrap().span()], b" \r\n\tYQ== \t");
        assert_eq!(&octets[list.get("c").unwrap().span()], b"2");
    }

    #[test]
    fn what_the_grammar_forbids_is_refused_with_its_place() {
        for (octets, offset) in [
            (&b";"[..], 0),
            (b"v=1;;a=2", 4),
            (b"v=1; ;a=2", 5),
            (b"; v=1", 0),
            (b"v=1;a", 5),
            (b"v=1;a;b=2", 5),
            (b"fo o=1", 3),
            (b"9z=1", 0),
            (b"x-y=1", 1),
            (b"v=a\0b", 3),
            (b"v=a\rb", 3),
            (b"v=a\r\nb", 3),
            (b"v=a\nb", 3),
            (b"v=a\x7fb", 3),
            (b"=1", 0),
        ] {
            let error = TagList::parse(octets).unwrap_err();
            let shown = String::from_utf8_lossy(octets);
            match error {
                TagListError::Syntax { offset: found, .. } => {
                    assert_eq!(found, offset, "{shown:?}")
                }
                // Inside a value it is told in whose.
                TagListError::Octet { name, offset: found, .. } => {
                    assert_eq!((name.as_str(), found), ("v", offset), "{shown:?}");
                }
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn a_list_has_a_tag() {
        for octets in [&b""[..], b" ", b"\r\n\t"] {
            assert_eq!(TagList::parse(octets), Err(TagListError::Empty));
        }
    }

    #[test]
    fn a_name_twice_spoils_the_list() {
        assert_eq!(
            TagList::parse(b"zz=1; d=x; zz=1"),
            Err(TagListError::Duplicate { name: "zz".to_owned(), offset: 10 })
        );
    }

    /// Early names are searched and later ones looked up.
    #[test]
    fn a_name_twice_is_found_wherever_it_stands() {
        let step = if cfg!(miri) { 11 } else { 1 };
        for count in [2, FEW - 1, FEW, FEW + 1, FEW + 2, 3 * FEW] {
            for twice in (0..count).step_by(step) {
                for first in (0..twice).step_by(step) {
                    let name = |at| format!("t{}", if at == twice { first } else { at });
                    let list: Vec<String> = (0..count).map(|at| name(at) + "=").collect();
                    let found = TagList::parse(list.join(";").as_bytes()).unwrap_err();
                    let is_right = matches!(&found, TagListError::Duplicate { name: found, .. } if *found == name(twice));
                    assert!(is_right, "{first} and {twice} of {count}: {found}");
                }
            }
        }
    }

    #[test]
    fn values_may_be_utf8_and_no_other_octets() {
        assert_eq!(pairs("d=b\u{fc}cher.example".as_bytes()), [("d", "b\u{fc}cher.example")]);
        let error = TagList::parse(b"zz=caf\xe9").unwrap_err();
        assert_eq!(error.to_string(), "tag zz= holds octets that are neither ASCII nor UTF-8");
    }

    /// All lists over a small alphabet: what is known to be clean reads as it does octet by octet.
    #[test]
    fn clean_lists_are_read_like_any() {
        let alphabet = [b'a', b'=', b';', b' ', b'\r', b'\n', 0x7f];
        for len in 0..=if cfg!(miri) { 3 } else { 6_u32 } {
            for number in 0..7_usize.pow(len) {
                // Most of what stands in front of a value is no list.
                let front = [&b"b="[..], b""][number % 2];
                let rest = (0..len).map(|place| alphabet[number / 7_usize.pow(place) % 7]);
                let octets: Vec<u8> = front.iter().copied().chain(rest).collect();
                let careful = TagList::read(&octets, None);
                assert_eq!(TagList::parse(&octets), careful, "{:?}", octets.escape_ascii());
            }
        }
    }

    #[test]
    fn too_many_tags_are_refused() {
        let list = |count: usize| (0..count).map(|n| format!("t{n}=;")).collect::<String>();
        assert!(TagList::parse(list(TagList::MAX_TAGS).as_bytes()).is_ok());
        let error = TagList::parse(list(TagList::MAX_TAGS + 1).as_bytes()).unwrap_err();
        assert_eq!(error, TagListError::TooMany { limit: TagList::MAX_TAGS });
    }
}
