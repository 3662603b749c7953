//! Why the two may differ: each cause is taken away, and then they agree.

use std::collections::BTreeSet;

use super::edit::{RawTag, is_room, plain_base64, without_space};
use super::made::Changed;
use super::{Case, peer};

/// A cause of disagreement, told in `DISAGREEMENTS.md` under its name.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    /// Its name, and that of its example.
    pub name: &'static str,
    /// The case without the cause, and otherwise the same; `None` where the cause is not there.
    mend: fn(&Case) -> Option<Case>,
}

/// Whatever is signed, as we read it and as the peer does, both pass it or neither, or the causes
/// are known.
pub(super) fn assert_explained(case: &Case) {
    if let Some(found) = disagreement(case) {
        assert!(explanation(case).is_some(), "{found}\n{}", case.text().escape_ascii());
    }
}

/// A message that was changed after it was signed: where the two differ, they do so about what is
/// there but for the values, too.
pub(super) fn assert_explained_as_it_stands(case: &Case, changed: &Changed) {
    let signed = Case { message: changed.message.clone(), ..case.clone() };
    let Some(found) = disagreement(&signed) else { return };
    let Some(message) = changed.template() else { return };
    let template = Case { message, ..case.clone() };
    assert!(explanation(&template).is_some(), "{found}\n{}", template.text().escape_ascii());
}

impl Case {
    /// The names of the classes that together explain why the two differ, none of which is one too
    /// many; `None` if the two agree, or nobody knows.
    #[must_use]
    pub fn classes(&self) -> Option<Vec<&'static str>> {
        disagreement(self)?;
        let mut classes = explanation(self)?;
        for class in classes.clone() {
            let fewer: Vec<Class> =
                classes.iter().filter(|other| other.name != class.name).copied().collect();
            if disagreement(&mended(self, &fewer)).is_none() {
                classes = fewer;
            }
        }
        Some(classes.iter().map(|class| class.name).collect())
    }

    /// Where the two differ, in words.
    #[must_use]
    pub fn disagreement(&self) -> Option<String> {
        disagreement(self)
    }
}

/// Which signatures one passes and the other does not, and what was said of them.
fn disagreement(case: &Case) -> Option<String> {
    let signed = [case.signed_by_us(), peer::signed(case), Some(case.message.clone())];
    signed.into_iter().flatten().find_map(|message| {
        let (ours, theirs) = (case.verify(&message), peer::verify(case, &message));
        let ours_passed: BTreeSet<&[u8]> = ours
            .iter()
            .filter(|one| one.passes())
            .filter_map(|one| one.signature.as_ref())
            .map(|signature| &signature.signature[..])
            .collect();
        let theirs_passed: BTreeSet<&[u8]> =
            theirs.iter().filter(|one| one.passes).map(|one| &one.signature[..]).collect();
        (ours_passed != theirs_passed).then(|| {
            let ours: Vec<String> = ours.iter().map(|one| one.outcome.to_string()).collect();
            let theirs: Vec<&str> = theirs.iter().map(|one| &one.said[..]).collect();
            format!("ours: {ours:?}\ntheirs: {theirs:?}\n{}", message.escape_ascii())
        })
    })
}

/// Classes that together explain why the two differ.
fn explanation(case: &Case) -> Option<Vec<Class>> {
    let mut classes = Vec::new();
    let mut case = case.clone();
    for class in CLASSES {
        if let Some(mended) = (class.mend)(&case) {
            classes.push(*class);
            if disagreement(&mended).is_none() {
                return Some(classes);
            }
            case = mended;
        }
    }
    None
}

fn mended(case: &Case, classes: &[Class]) -> Case {
    let mend = |case: Case, class: &Class| (class.mend)(&case).unwrap_or(case);
    classes.iter().fold(case.clone(), mend)
}

/// Every cause that is known, those that a later one depends on first.
pub const CLASSES: &[Class] = &[
    Class { name: "malformed-header", mend: malformed_header },
    Class { name: "unfinished-header", mend: unfinished_header },
    Class { name: "no-from", mend: no_from },
    Class { name: "several-from", mend: several_from },
    Class { name: "space-before-colon", mend: space_before_colon },
    Class { name: "form-feed-is-space", mend: form_feed },
    Class { name: "bare-line-end-in-body", mend: bare_line_end_in_body },
    Class { name: "tag-list-syntax", mend: tag_list_syntax },
    Class { name: "tag-name-case", mend: tag_name_case },
    Class { name: "duplicate-tag", mend: duplicate_tag },
    Class { name: "no-version", mend: no_version },
    Class { name: "version-spelling", mend: version_spelling },
    Class { name: "no-algorithm", mend: no_algorithm },
    Class { name: "space-in-value", mend: space_in_value },
    Class { name: "value-case", mend: value_case },
    Class { name: "canonicalization-syntax", mend: canonicalization_syntax },
    Class { name: "number-syntax", mend: number_syntax },
    Class { name: "l-zero", mend: l_zero },
    Class { name: "l-counts-raw-octets", mend: l_raw },
    Class { name: "x-zero", mend: x_zero },
    Class { name: "query-method", mend: query_method },
    Class { name: "base64", mend: base64 },
    Class { name: "signed-names", mend: signed_names },
    Class { name: "from-not-signed", mend: from_not_signed },
    Class { name: "signs-itself", mend: signs_itself },
    Class { name: "copied-fields", mend: copied_fields },
    Class { name: "domain-syntax", mend: domain_syntax },
    Class { name: "single-label", mend: single_label },
    Class { name: "identity", mend: identity },
    Class { name: "atps", mend: atps },
    Class { name: "record-tag-case", mend: record_tag_case },
    Class { name: "record-syntax", mend: record_syntax },
    Class { name: "record-space", mend: record_space },
    Class { name: "record-case", mend: record_case },
    Class { name: "record-words", mend: record_words },
    Class { name: "record-version", mend: record_version },
    Class { name: "record-service", mend: record_service },
    Class { name: "record-hash", mend: record_hash },
    Class { name: "record-base64", mend: record_base64 },
    Class { name: "record-key-form", mend: record_key_form },
    Class { name: "several-keys", mend: several_keys },
];

/// A line end that is none, a NUL, a line without colon, a field name that is none.
fn malformed_header(case: &Case) -> Option<Case> {
    case.with_header(|header| {
        let header = escaped(header, &[0]);
        let mut is_field = false;
        let line = |line: &[u8]| {
            if let Some(b' ' | b'\t') = line.first() {
                return if is_field { line.to_vec() } else { Vec::new() };
            }
            let colon = line.iter().position(|octet| *octet == b':').unwrap_or(0);
            let (name, body) = line.split_at(colon);
            is_field = !name.trim_ascii().is_empty();
            if !is_field {
                return Vec::new();
            }
            let (name, space) = name.split_at(name.trim_ascii_end().len());
            let name = name.iter().map(|o| if o.is_ascii_graphic() { *o } else { b'x' });
            [&name.collect::<Vec<_>>(), space, body].concat()
        };
        header.split_inclusive(|octet| *octet == b'\n').flat_map(line).collect()
    })
}

/// CR and LF that stand alone, and these octets, become an `x`.
fn escaped(octets: &[u8], others: &[u8]) -> Vec<u8> {
    let mut escaped = octets.to_vec();
    for at in 0..octets.len() {
        let is_alone = match octets[at] {
            b'\r' => octets.get(at + 1) != Some(&b'\n'),
            b'\n' => at == 0 || octets[at - 1] != b'\r',
            octet => others.contains(&octet),
        };
        if is_alone {
            escaped[at] = b'x';
        }
    }
    escaped
}

fn unfinished_header(case: &Case) -> Option<Case> {
    let is_unfinished = !case.message.ends_with(b"\n") && case.header_end() == case.message.len();
    is_unfinished.then(|| case.with_header(|header| [header, b"\r\n"].concat())).flatten()
}

/// The lines that are the first of a From field.
fn is_from(line: &[u8]) -> bool {
    let colon = line.iter().position(|octet| *octet == b':').unwrap_or(0);
    line[..colon].trim_ascii_end().eq_ignore_ascii_case(b"from")
}

fn no_from(case: &Case) -> Option<Case> {
    case.with_header(|header| {
        let mut lines = header.split(|octet| *octet == b'\n');
        if lines.any(is_from) {
            return header.to_vec();
        }
        [header, b"From: a@example.com\r\n"].concat()
    })
}

fn several_from(case: &Case) -> Option<Case> {
    case.with_header(|header| {
        let lines: Vec<&[u8]> = header.split_inclusive(|octet| *octet == b'\n').collect();
        let last = lines.iter().rposition(|line| is_from(line));
        let rename = |(at, line): (usize, &&[u8])| match is_from(line) && Some(at) != last {
            true => [b"X-", *line].concat(),
            false => line.to_vec(),
        };
        lines.iter().enumerate().map(rename).collect::<Vec<_>>().concat()
    })
}

fn space_before_colon(case: &Case) -> Option<Case> {
    case.with_header(|header| {
        let lines = header.split_inclusive(|octet| *octet == b'\n');
        let trimmed = lines.map(|line| match line.iter().position(|octet| *octet == b':') {
            Some(colon) if !b" \t".contains(&line[0]) => {
                [line[..colon].trim_ascii_end(), &line[colon..]].concat()
            }
            _ => line.to_vec(),
        });
        trimmed.collect::<Vec<_>>().concat()
    })
}

fn form_feed(case: &Case) -> Option<Case> {
    case.with_header(|header| header.iter().map(|o| if *o == 0x0c { b'x' } else { *o }).collect())
}

fn bare_line_end_in_body(case: &Case) -> Option<Case> {
    case.with_body(|body| escaped(body, &[]))
}

/// RFC 6376 §3.2: tag-spec, without FWS around it; a fold is one CRLF before WSP.
fn tag_list_syntax(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        let last = tags.len() - 1;
        let mut at = 0;
        tags.retain(|tag| {
            at += 1;
            let is_end = at - 1 == last && tag.name.trim_ascii().is_empty() && last > 0;
            is_end && tag.value.is_none() || is_tag_spec(tag)
        });
    })
}

fn is_tag_spec(tag: &RawTag) -> bool {
    let Some(value) = &tag.value else { return false };
    let name = tag.name.trim_ascii();
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'_');
    is_name
        && is_folded(&tag.name)
        && is_folded(value)
        && value.iter().all(|octet| match octet {
            b'\t' | b'\r' | b'\n' | 0x20..=0x7e => true,
            octet => *octet >= 0x80 && std::str::from_utf8(value).is_ok(),
        })
}

/// Whether all white space is FWS: WSP, and at most one CRLF with WSP behind it.
fn is_folded(octets: &[u8]) -> bool {
    let is_fold = |run: &[u8]| {
        let run = String::from_utf8_lossy(run).replacen("\r\n ", " ", 1).replacen("\r\n\t", " ", 1);
        run.bytes().all(|octet| b" \t".contains(&octet))
    };
    octets.split(|octet| !octet.is_ascii_whitespace()).all(is_fold)
}

const KNOWN: &[&str] =
    &["v", "a", "b", "bh", "c", "d", "h", "i", "l", "q", "r", "s", "t", "x", "z", "atps", "atpsh"];

/// RFC 6376 §3.2: "Tags MUST be interpreted in a case-sensitive manner."
fn tag_name_case(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        tags.retain(|tag| {
            let name = without_space(&tag.name);
            let lower = name.to_ascii_lowercase();
            name == lower || !KNOWN.iter().any(|known| known.as_bytes() == lower)
        });
    })
}

fn duplicate_tag(case: &Case) -> Option<Case> {
    case.with_tags(only_first)
}

fn only_first(tags: &mut Vec<RawTag>) {
    let mut names = BTreeSet::new();
    // The one there is room in is the one that counts.
    let has_room = |tag: &RawTag| is_room(tag.trimmed());
    for tag in tags.iter().filter(|tag| has_room(tag)) {
        names.insert(tag.name.trim_ascii().to_vec());
    }
    tags.retain(|tag| {
        has_room(tag) || tag.value.is_none() || names.insert(tag.name.trim_ascii().to_vec())
    });
}

fn no_version(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        if !tags.iter().any(|tag| tag.is("v")) {
            tags.insert(0, RawTag::new("v", "1"));
        }
    })
}

/// What counts as the number 1, and is not "1".
fn version_spelling(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        for tag in tags.iter_mut().filter(|tag| tag.is("v")) {
            let digits = without_space(tag.trimmed());
            if digits.strip_suffix(b"1").is_some_and(|zeros| zeros.iter().all(|o| *o == b'0')) {
                tag.value = Some(b"1".to_vec());
            }
        }
    })
}

fn no_algorithm(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        if !tags.iter().any(|tag| tag.is("a")) {
            tags.insert(0, RawTag::new("a", "rsa-sha256"));
        }
    })
}

/// RFC 6376 §3.2: values are case-sensitive, too, unless it is said.
fn value_case(case: &Case) -> Option<Case> {
    case.with_tags(|tags| lower(tags, &["a", "c", "q"]))
}

fn lower(tags: &mut [RawTag], names: &[&str]) {
    for tag in tags.iter_mut().filter(|tag| names.iter().any(|name| tag.is(name))) {
        if let Some(value) = &mut tag.value {
            value.make_ascii_lowercase();
        }
    }
}

/// White space inside of a value that has no room for it.
fn space_in_value(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        let words = ["v", "a", "c", "d", "s", "l", "t", "x", "q"];
        for tag in tags.iter_mut().filter(|tag| words.iter().any(|word| tag.is(word))) {
            let value = without_space(tag.trimmed());
            if value != tag.trimmed() {
                tag.value = Some(value);
            }
        }
    })
}

/// Parts of `c=` that are empty, or too many.
fn canonicalization_syntax(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        tags.retain_mut(|tag| {
            if !tag.is("c") {
                return true;
            }
            let value = tag.trimmed().to_vec();
            let parts: Vec<&[u8]> =
                value.split(|octet| *octet == b'/').filter(|part| !part.is_empty()).collect();
            let last_two = &parts[parts.len().saturating_sub(2)..];
            tag.value = Some(last_two.join(&b'/'));
            !parts.is_empty()
        });
    })
}

/// Whether it is a number of at most so many digits.
fn is_number(value: &[u8], digits: usize) -> bool {
    (1..=digits).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

fn number_syntax(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        tags.retain(|tag| match tag.name.trim_ascii() {
            b"l" => is_number(tag.trimmed(), 76),
            b"t" | b"x" => is_number(tag.trimmed(), 12),
            _ => true,
        });
    })
}

fn is_zero(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|octet| *octet == b'0')
}

fn l_zero(case: &Case) -> Option<Case> {
    case.with_tags(|tags| tags.retain(|tag| !tag.is("l") || !is_zero(tag.trimmed())))
}

fn x_zero(case: &Case) -> Option<Case> {
    case.with_tags(|tags| tags.retain(|tag| !tag.is("x") || !is_zero(tag.trimmed())))
}

/// Its octets are those of the body before it is canonical.
fn l_raw(case: &Case) -> Option<Case> {
    case.with_tags(|tags| tags.retain(|tag| !tag.is("l")))
}

fn query_method(case: &Case) -> Option<Case> {
    case.with_tags(|tags| tags.retain(|tag| !tag.is("q") || tag.trimmed() == b"dns/txt"))
}

/// Base64 with something that is none.
fn base64(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        for tag in tags.iter_mut().filter(|tag| tag.is("b") || tag.is("bh")) {
            let room = if tag.is("b") { b"{b}".to_vec() } else { b"{bh}".to_vec() };
            if tag.trimmed().windows(room.len()).any(|octets| octets == room) {
                tag.value = Some(room);
            }
        }
    })
}

/// Names in `h=` that are none.
fn signed_names(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        for tag in tags.iter_mut().filter(|tag| tag.is("h")) {
            let value = tag.value.clone().unwrap_or_default();
            let names = value.split(|octet| *octet == b':');
            let is_name = |name: &&[u8]| {
                let name = name.trim_ascii();
                !name.is_empty() && name.iter().all(|octet| matches!(octet, 0x21..=0x7e))
            };
            tag.value = Some(names.filter(is_name).collect::<Vec<_>>().join(&b':'));
        }
    })
}

/// RFC 6376 §3.5 `h=`: it "MUST NOT include the DKIM-Signature header field that is being created or
/// verified".
fn signs_itself(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        for tag in tags.iter_mut().filter(|tag| tag.is("h")) {
            let value = tag.value.clone().unwrap_or_default();
            let names = value.split(|octet| *octet == b':');
            let is_other =
                |name: &&[u8]| !name.trim_ascii().eq_ignore_ascii_case(b"dkim-signature");
            tag.value = Some(names.filter(is_other).collect::<Vec<_>>().join(&b':'));
        }
    })
}

fn copied_fields(case: &Case) -> Option<Case> {
    case.with_tags(|tags| tags.retain(|tag| !tag.is("z")))
}

fn from_not_signed(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        for tag in tags.iter_mut().filter(|tag| tag.is("h")) {
            let value = tag.value.clone().unwrap_or_default();
            let mut names = value.split(|octet| *octet == b':');
            if !names.any(|name| name.trim_ascii().eq_ignore_ascii_case(b"from")) {
                tag.value = Some([&value, &b":From"[..]].concat());
            }
        }
    })
}

/// A domain or selector that no DNS name is: `sub-domain` and `Let-dig` of RFC 5321 §4.1.2, with
/// the underscore that many use.
fn domain_syntax(case: &Case) -> Option<Case> {
    let is_label = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && label.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(octet))
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
    };
    case.with_tags(|tags| {
        for (name, good) in [("d", "example.com"), ("s", "s")] {
            for tag in tags.iter_mut().filter(|tag| tag.is(name)) {
                if !tag.trimmed().split(|octet| *octet == b'.').all(is_label) {
                    tag.value = Some(good.into());
                }
            }
        }
    })
}

fn single_label(case: &Case) -> Option<Case> {
    case.with_tags(|tags| {
        for tag in tags.iter_mut().filter(|tag| tag.is("d")) {
            if !tag.trimmed().contains(&b'.') {
                tag.value = Some(b"example.com".to_vec());
            }
        }
    })
}

fn identity(case: &Case) -> Option<Case> {
    case.with_tags(|tags| tags.retain(|tag| !tag.is("i")))
}

fn atps(case: &Case) -> Option<Case> {
    case.with_tags(|tags| tags.retain(|tag| !tag.is("atps")))
}

/// RFC 6376 §3.6.1: `v=DKIM1`, first.
fn record_version(case: &Case) -> Option<Case> {
    case.with_records(|tags| {
        let is_first = tags.first().is_some_and(|tag| tag.is("v") && tag.trimmed() == b"DKIM1");
        if !is_first {
            tags.retain(|tag| !tag.name.trim_ascii().eq_ignore_ascii_case(b"v"));
        }
    })
}

fn record_syntax(case: &Case) -> Option<Case> {
    case.with_records(|tags| {
        let last = tags.len() - 1;
        let mut at = 0;
        tags.retain(|tag| {
            at += 1;
            let is_end = at - 1 == last && tag.name.trim_ascii().is_empty() && tag.value.is_none();
            let is_ascii = tag.value.as_ref().is_some_and(|value| value.is_ascii());
            is_end && is_folded(&tag.name) || is_ascii && is_tag_spec(tag)
        });
        only_first(tags);
    })
}

/// Words that are no `hyphenated-word`, which ends in a letter or digit.
fn record_words(case: &Case) -> Option<Case> {
    let is_word = |word: &[u8]| {
        let word = word.trim_ascii();
        word.first().is_some_and(u8::is_ascii_alphabetic)
            && word.last().is_some_and(u8::is_ascii_alphanumeric)
            && word.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
    };
    case.with_records(|tags| {
        tags.retain_mut(|tag| {
            if !["h", "k", "s", "t"].iter().any(|name| tag.is(name)) {
                return true;
            }
            let value = tag.value.clone().unwrap_or_default();
            let is_service = tag.is("s");
            let words = value.split(|octet| *octet == b':');
            let words =
                words.filter(|word| is_word(word) || is_service && word.trim_ascii() == b"*");
            let words: Vec<&[u8]> = words.collect();
            tag.value = Some(words.join(&b':'));
            !words.is_empty()
        });
    })
}

fn record_service(case: &Case) -> Option<Case> {
    case.with_records(|tags| tags.retain(|tag| !tag.is("s")))
}

fn record_hash(case: &Case) -> Option<Case> {
    case.with_records(|tags| tags.retain(|tag| !tag.is("h")))
}

/// RFC 6376 §3.2 again, in records.
fn record_tag_case(case: &Case) -> Option<Case> {
    case.with_records(|tags| {
        tags.retain(|tag| {
            let name = without_space(&tag.name);
            name == name.to_ascii_lowercase()
        });
    })
}

fn record_space(case: &Case) -> Option<Case> {
    case.with_records(|tags| {
        let words = ["v", "k", "h", "s", "t"];
        for tag in tags.iter_mut().filter(|tag| words.iter().any(|word| tag.is(word))) {
            let value = without_space(tag.trimmed());
            if value != tag.trimmed() {
                tag.value = Some(value);
            }
        }
    })
}

fn record_case(case: &Case) -> Option<Case> {
    case.with_records(|tags| {
        lower(tags, &["k", "h", "s", "t"]);
        for tag in tags.iter_mut().filter(|tag| tag.is("v")) {
            tag.value = tag.value.take().map(|value| value.to_ascii_uppercase());
        }
    })
}

fn record_base64(case: &Case) -> Option<Case> {
    case.with_records(|tags| {
        for tag in tags.iter_mut().filter(|tag| tag.is("p")) {
            let plain = plain_base64(tag.trimmed());
            if plain != without_space(tag.trimmed()) {
                tag.value = Some(plain);
            }
        }
    })
}

/// What stands around the RSAPublicKey in a SubjectPublicKeyInfo, for the length of ours.
fn record_key_form(case: &Case) -> Option<Case> {
    const AROUND: [u8; 24] = [
        0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
        0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
    ];
    case.with_records(|tags| {
        for tag in tags.iter_mut().filter(|tag| tag.is("p")) {
            let text = String::from_utf8_lossy(&plain_base64(tag.trimmed())).into_owned();
            let key = dkim_tags::value::base64(&text).unwrap_or_default();
            if key.len() == 294 && !key.starts_with(&AROUND) {
                let key = [&AROUND[..], &key[24..]].concat();
                tag.value = Some(dkim_tags::value::to_base64(&key).into_bytes());
            }
        }
    })
}

/// Of the keys of a name the first is left.
fn several_keys(case: &Case) -> Option<Case> {
    let mut first = case.clone();
    let mut names = BTreeSet::new();
    first.records.retain(|(name, text)| {
        dkim_keyrec::KeyRecord::parse(text).is_err() || names.insert(name.clone())
    });
    (first != *case).then_some(first)
}
