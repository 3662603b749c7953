//! What undoes a change of one field.

use dkim_tags::value;

/// How many tags are taken from a subject, at most.
const MAX_TAGS: usize = 8;

/// Writes a field, its name as it stands before the colon, with other folds or blanks.
pub(super) type Respacing = fn(&[u8], &[u8]) -> (Vec<u8>, Vec<u8>);

/// What relays do to white space. Under `relaxed` most of it changes nothing.
pub(super) const RESPACINGS: [Respacing; 11] = [
    |name, body| (name.to_vec(), unfolded(body)),
    |name, body| (name.to_vec(), [b" ", &*words(body).join(&b' ')].concat()),
    |name, body| (name.to_vec(), words(body).join(&b' ')),
    |name, body| (name.to_vec(), words(body).concat()),
    |name, body| (name.to_vec(), body.strip_prefix(b" ").unwrap_or(body).to_vec()),
    |name, body| (name.to_vec(), [b" ", body].concat()),
    |name, body| (name.to_vec(), replaced(body, b"\r\n\t", b"\r\n ")),
    |name, body| (name.to_vec(), replaced(body, b"\r\n ", b"\r\n\t")),
    |name, body| (name.to_vec(), replaced(&replaced(body, b"\r\n\t", b""), b"\r\n ", b"")),
    |name, body| (name.to_vec(), body.trim_ascii_end().to_vec()),
    |name, body| (name.trim_ascii_end().to_vec(), body.to_vec()),
];

fn unfolded(body: &[u8]) -> Vec<u8> {
    replaced(body, b"\r\n", b"")
}

/// What stands between the blanks of a field body.
fn words(body: &[u8]) -> Vec<&[u8]> {
    let is_blank = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    body.split(is_blank).filter(|word| !word.is_empty()).collect()
}

/// A subject without one or more of the tags before it or after `Re:`: `[list]`, `***SPAM***`,
/// `{Spam?}`, `(list)`, `EXTERNAL:`.
pub(super) fn untagged(body: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut rest = body.to_vec();
    while let Some(shorter) = without_first_tag(&rest).filter(|_| all.len() < MAX_TAGS) {
        all.push(shorter.clone());
        rest = shorter;
    }
    all
}

/// Takes away the first tag.
fn without_first_tag(body: &[u8]) -> Option<Vec<u8>> {
    let blanks = |octets: &[u8]| octets.len() - octets.trim_ascii_start().len();
    let mut start = blanks(body);
    // Replies keep their `Re:` before the tag.
    loop {
        let rest = body.get(start..)?;
        let reply = ["re:", "fwd:", "fw:", "aw:", "wg:", "sv:"].iter().find(|reply| {
            rest.get(..reply.len()).is_some_and(|rest| rest.eq_ignore_ascii_case(reply.as_bytes()))
        });
        let Some(reply) = reply else { break };
        start += reply.len();
        start += blanks(body.get(start..)?);
    }
    let (before, rest) = body.split_at_checked(start)?;
    let up_to = |close: &[u8]| {
        let at = rest.windows(close.len()).skip(1).position(|window| window == close)?;
        Some(at + 1 + close.len())
    };
    let end = match rest.first()? {
        b'[' => up_to(b"]")?,
        b'{' => up_to(b"}")?,
        b'(' => up_to(b")")?,
        b'*' => {
            let stars = rest.iter().take_while(|octet| **octet == b'*').count();
            let text = rest.get(stars..)?.iter().position(|octet| *octet == b'*')?;
            let after = rest.get(stars + text..)?;
            stars + text + after.iter().take_while(|octet| **octet == b'*').count()
        }
        _ => {
            let word = rest.iter().position(|octet| !octet.is_ascii_alphanumeric())?;
            if rest.get(word) != Some(&b':') || word == 0 {
                return None;
            }
            word + 1
        }
    };
    let after = rest.get(end..)?;
    let after = after.get(blanks(after)..)?;
    Some([before, after].concat())
}

/// How many addresses of a field are tried with and without quotation marks, each by itself.
const MAX_QUOTED: u32 = 5;

/// The addresses with and without quotation marks around their display names.
pub(super) fn requoted(body: &[u8]) -> Vec<Vec<u8>> {
    let without = unquoted(body);
    let addresses: Vec<&[u8]> = without.split(|octet| *octet == b',').collect();
    let all = (1_u32 << MAX_QUOTED) - 1;
    (0..=all)
        .take(1 << addresses.len().min(usize::try_from(MAX_QUOTED).unwrap_or(0)))
        .chain([all])
        .map(|chosen| {
            let each = addresses.iter().zip(0..).map(|(address, number)| {
                let is_chosen = chosen & (1 << number.min(MAX_QUOTED - 1)) != 0;
                if is_chosen { quoted(address) } else { address.to_vec() }
            });
            each.collect::<Vec<_>>().join(&b',')
        })
        .collect()
}

/// Text without its quotation marks.
pub(super) fn unquoted(body: &[u8]) -> Vec<u8> {
    body.iter().copied().filter(|octet| *octet != b'"').collect()
}

/// An address with quotation marks around its display name, if it has one.
fn quoted(address: &[u8]) -> Vec<u8> {
    let open = address.iter().position(|octet| *octet == b'<').unwrap_or(0);
    let (display, route) = address.split_at(open);
    let text = display.trim_ascii();
    if text.is_empty() {
        return address.to_vec();
    }
    let (before, rest) = display.split_at(display.len() - display.trim_ascii_start().len());
    let after = rest.get(text.len()..).unwrap_or_default();
    [before, b"\"", text, b"\"", after, route].concat()
}

/// The text with its encoded words (RFC 2047 §2) decoded, as octets; `None` if there is none.
pub(super) fn decoded_words(body: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(body.len());
    let mut rest = body;
    let mut any = false;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"=?") {
        let (before, from) = rest.split_at(at);
        match encoded_word(from) {
            Some((octets, after)) => {
                // White space between encoded words is not part of the text (§6.2).
                if !(any && before.trim_ascii().is_empty()) {
                    decoded.extend_from_slice(before);
                }
                decoded.extend_from_slice(&octets);
                any = true;
                rest = after;
            }
            None => {
                decoded.extend_from_slice(before);
                decoded.extend_from_slice(b"=?");
                rest = from.get(2..).unwrap_or_default();
            }
        }
    }
    decoded.extend_from_slice(rest);
    any.then_some(decoded)
}

/// "An 'encoded-word' may not be more than 75 characters long" (RFC 2047 §2). What is longer is
/// none, and is not read to its end.
const MAX_ENCODED_WORD: usize = 75;

/// Reads `=?charset?encoding?text?=`.
fn encoded_word(octets: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let word = octets.get(..MAX_ENCODED_WORD).unwrap_or(octets);
    let mut parts = word.strip_prefix(b"=?")?.splitn(3, |octet| *octet == b'?');
    let (_charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let end = rest.windows(2).position(|pair| pair == b"?=")?;
    let text = std::str::from_utf8(rest.get(..end)?).ok()?;
    let after = octets.get(word.len() - rest.len() + end + 2..)?;
    let decoded = match encoding {
        b"B" | b"b" => value::base64(text)?,
        b"Q" | b"q" => {
            let text = text.replace('_', " ");
            let mut decoded = Vec::with_capacity(text.len());
            let mut octets = text.bytes();
            while let Some(octet) = octets.next() {
                let digit = |octet: Option<u8>| char::from(octet?).to_digit(16);
                decoded.push(match octet {
                    b'=' => {
                        u8::try_from(digit(octets.next())? * 16 + digit(octets.next())?).ok()?
                    }
                    octet => octet,
                });
            }
            decoded
        }
        _ => return None,
    };
    Some((decoded, after))
}

/// A field name in the letter cases that programs write.
pub(super) fn in_other_case(name: &[u8]) -> Vec<Vec<u8>> {
    let mut capitalized = name.to_ascii_lowercase();
    let mut begins = true;
    for octet in &mut capitalized {
        if begins {
            octet.make_ascii_uppercase();
        }
        begins = *octet == b'-';
    }
    vec![
        name.to_ascii_lowercase(),
        name.to_ascii_uppercase(),
        replaced(&capitalized, b"Mime-", b"MIME-"),
        replaced(&capitalized, b"-Id", b"-ID"),
        replaced(&capitalized, b"Dkim-", b"DKIM-"),
        capitalized,
    ]
}

fn replaced(octets: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        let (before, after) = rest.split_at(at);
        replaced.extend_from_slice(before);
        replaced.extend_from_slice(to);
        rest = after.get(from.len()..).unwrap_or_default();
    }
    replaced.extend_from_slice(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_subjects_are_taken_away() {
        for (subject, was) in [
            (" [list] Hi", " Hi"),
            (" Re: [list] Hi", " Re: Hi"),
            (" re: FWD: [list 12] Hi", " re: FWD: Hi"),
            (" ***SPAM*** Hi", " Hi"),
            (" {Spam?} Hi", " Hi"),
            (" EXTERNAL: Hi", " Hi"),
            (" [a] [b] Hi", " [b] Hi"),
        ] {
            let untagged = untagged(subject.as_bytes());
            assert_eq!(untagged.first().map(Vec::as_slice), Some(was.as_bytes()), "{subject}");
        }
        assert!(untagged(b" Hi there: you").is_empty() && untagged(b"").is_empty());
        assert_eq!(untagged(b" [a] [b] Hi").last().map(Vec::as_slice), Some(&b" Hi"[..]));
    }

    #[test]
    fn names_are_quoted_and_not_quoted() {
        let all = requoted(b" \"Joe\" <joe@a>,\r\n\tAnn B<ann@b>, c@d");
        for form in [
            &b" Joe <joe@a>,\r\n\tAnn B<ann@b>, c@d"[..],
            b" \"Joe\" <joe@a>,\r\n\tAnn B<ann@b>, c@d",
            b" Joe <joe@a>,\r\n\t\"Ann B\"<ann@b>, c@d",
            b" \"Joe\" <joe@a>,\r\n\t\"Ann B\"<ann@b>, c@d",
        ] {
            assert!(all.iter().any(|one| one == form), "{}", form.escape_ascii());
        }
        assert_eq!(requoted(&b"A <a@b>,".repeat(1_000)).len(), 33);
    }

    #[test]
    fn eight_tags_are_taken_away() {
        for (tags, left) in [(MAX_TAGS, 0), (MAX_TAGS + 1, 1)] {
            let subject = |tags: usize| format!(" {}Hi", "[a] ".repeat(tags)).into_bytes();
            let untagged = untagged(&subject(tags));
            assert_eq!(untagged.len(), MAX_TAGS);
            assert_eq!(untagged.last(), Some(&subject(left)), "{tags}");
        }
    }

    #[test]
    fn five_addresses_are_quoted_each_by_itself() {
        for (others, is_tried) in [(4, true), (5, false)] {
            let last_alone = format!("{}\"A\" <a@b>", "A <a@b>,".repeat(others));
            let all = requoted(last_alone.as_bytes());
            let is_there = all.iter().any(|one| *one == last_alone.as_bytes());
            assert_eq!(is_there, is_tried, "{others}");
        }
    }

    #[test]
    fn encoded_words_are_decoded() {
        let words = b" =?utf-8?Q?gr=C3=BCn_?=\r\n =?UTF-8?B?w7xiZXI=?= x =? y";
        assert_eq!(decoded_words(words), Some(" grün über x =? y".as_bytes().to_vec()));
        assert_eq!(decoded_words(b" =?utf-8?Q?=XX?= =?"), None);
    }

    /// A word of 75 octets is one, a longer one is none: from no `=?` more is read than that.
    #[test]
    fn encoded_words_have_75_octets() {
        let word = |text: usize| format!("=?utf-8?Q?{}?= x", "a".repeat(text));
        let longest = MAX_ENCODED_WORD - "=?utf-8?Q??=".len();
        let decoded = decoded_words(word(longest).as_bytes());
        assert_eq!(decoded, Some(format!("{} x", "a".repeat(longest)).into_bytes()));
        assert_eq!(decoded_words(word(longest + 1).as_bytes()), None);
    }
}
