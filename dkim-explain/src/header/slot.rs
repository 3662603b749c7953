//! One field of a header hash input, and what it may have been when it was signed.

use dkim_canon::{Canonicalization, write_field};
use dkim_message::{Field, Header};
use dkim_tags::{FieldName, Signature, value};

use super::{FieldChange, FieldChangeKind};
use crate::input::body_without_b;

/// How many instances of a name are tried for one another.
const MOST_INSTANCES: usize = 8;

/// How many options there are for a field, at most.
const MOST_OPTIONS: usize = 64;

/// How many tags are taken from a subject, at most.
const MOST_TAGS: usize = 8;

/// Octets after which a field is not changed in search of what it was: it would take too long.
const MOST_OCTETS: usize = 64 * 1024;

/// The values of Content-Transfer-Encoding (RFC 2045 §6.1), as they are mostly written.
const ENCODINGS: [&str; 5] = ["7bit", "8bit", "quoted-printable", "base64", "binary"];

/// What a name in `h=` may have stood for; first what it stands for now.
pub(super) struct Slot {
    options: Vec<SlotOption>,
    /// How many of the options come from what is usually done to messages; the rest is rare.
    usual: usize,
    /// The canonical field under each of [`RESPACINGS`].
    respaced: Vec<Option<Vec<u8>>>,
}

struct SlotOption {
    change: Option<FieldChange>,
    octets: Option<Vec<u8>>,
}

impl Slot {
    /// The place of a name in `h=` that picks the field at this position.
    pub(super) fn of(
        name: &FieldName,
        position: Option<usize>,
        own: usize,
        header: &Header<'_>,
        signature: &Signature,
        room: &mut usize,
    ) -> Self {
        let mut options = Options::new(name.as_str(), signature.canonicalization.header, room);
        let now = position.and_then(|position| header.fields().get(position));
        options.now(now.map(|field| (field.raw_name(), field.body())));
        let copies = signature.copied_fields.iter().filter(|copy| copy.name.is(name.as_str()));
        for copy in copies.take(MOST_INSTANCES) {
            options.add(FieldChangeKind::NotAsCopied, name.as_str(), &copy.body);
        }
        let now = now.filter(|field| field.octets().len() <= MOST_OCTETS);
        if let Some(field) = now {
            options.absent();
            options.rewritten(field);
        } else if position.is_none() {
            options.usual_values(FieldChangeKind::Removed, name);
        }
        for (kind, body) in moved(name.as_str(), header) {
            let kind = if position.is_some() { kind } else { FieldChangeKind::Removed };
            options.add(kind, name.as_str(), body);
        }
        let usual = options.all.len();
        if let Some(field) = now {
            options.respaced(field.raw_name(), field.body());
            options.name_case(field.raw_name(), field.body());
            options.usual_values(FieldChangeKind::Rewritten, name);
        }
        let others = header.fields().iter().enumerate().filter(|(other, field)| {
            field.is(name.as_str()) && *other != own && Some(*other) != position
        });
        for (_, other) in others.take(MOST_INSTANCES) {
            options.add_raw(FieldChangeKind::Reordered, other.raw_name(), other.body());
        }
        options.slot(usual, now.map(|field| (field.raw_name(), field.body())))
    }

    /// The place of the DKIM-Signature field itself.
    pub(super) fn of_own(field: &Field<'_>, signature: &Signature, room: &mut usize) -> Self {
        let form = signature.canonicalization.header;
        let mut options = Options::new(Signature::FIELD_NAME, form, room);
        let body = body_without_b(field);
        options.now(Some((field.raw_name(), &body)));
        let short = Some((field.raw_name(), &*body)).filter(|_| body.len() <= MOST_OCTETS);
        if let Some((name, body)) = short {
            options.respaced(name, body);
            options.name_case(name, body);
        }
        options.slot(1, short)
    }

    /// How many options there are to choose from when so many fields are taken to be changed:
    /// several at once have the usual changes only.
    pub(super) fn choices(&self, changes: usize) -> usize {
        if changes == 1 { self.options.len() } else { self.usual }
    }

    /// The canonical field with its white space changed in this way.
    pub(super) fn respaced(&self, respacing: usize) -> Option<&[u8]> {
        self.respaced.get(respacing)?.as_deref()
    }

    /// The canonical field; `None` if there is none.
    pub(super) fn octets(&self, option: usize) -> Option<&[u8]> {
        self.options.get(option)?.octets.as_deref()
    }

    pub(super) fn change(&self, option: usize) -> Option<FieldChange> {
        self.options.get(option)?.change.clone()
    }
}

/// Options as they are collected.
struct Options<'n> {
    name: &'n str,
    form: Canonicalization,
    all: Vec<SlotOption>,
    /// How many octets of options there is still room for.
    room: &'n mut usize,
}

impl<'n> Options<'n> {
    fn new(name: &'n str, form: Canonicalization, room: &'n mut usize) -> Self {
        Self { name, form, all: Vec::new(), room }
    }

    fn now(&mut self, field: Option<(&[u8], &[u8])>) {
        let octets = field.map(|(name, body)| self.canonical(name, body));
        self.all.push(SlotOption { change: None, octets });
    }

    fn absent(&mut self) {
        self.push(FieldChangeKind::Added, None, None);
    }

    fn add(&mut self, kind: FieldChangeKind, name: &str, body: &[u8]) {
        self.add_raw(kind, name.as_bytes(), body);
    }

    fn add_raw(&mut self, kind: FieldChangeKind, name: &[u8], body: &[u8]) {
        let octets = self.canonical(name, body);
        self.push(kind, Some(body.to_vec()), Some(octets));
    }

    fn push(&mut self, kind: FieldChangeKind, signed: Option<Vec<u8>>, octets: Option<Vec<u8>>) {
        let length = octets.as_ref().map_or(0, Vec::len);
        if length > MOST_OCTETS || length > *self.room || self.all.len() > MOST_OPTIONS {
            return;
        }
        if self.all.iter().all(|option| option.octets != octets) {
            *self.room -= length;
            let change = FieldChange { name: self.name.to_owned(), kind, signed };
            self.all.push(SlotOption { change: Some(change), octets });
        }
    }

    fn canonical(&self, name: &[u8], body: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        write_field(self.form, name, body, &mut octets);
        octets
    }

    /// What the field there may have been before it was rewritten.
    fn rewritten(&mut self, field: &Field<'_>) {
        let (raw_name, body) = (field.raw_name(), field.body());
        if field.is("Subject") {
            for untagged in untagged(body) {
                self.add_raw(FieldChangeKind::Tagged, raw_name, &untagged);
            }
        }
        if ["From", "To", "Cc", "Reply-To", "Sender"].iter().any(|name| field.is(name)) {
            for body in requoted(body) {
                self.add_raw(FieldChangeKind::Quotes, raw_name, &body);
            }
        }
        if field.is("Content-Type") {
            let unquoted: Vec<u8> = body.iter().copied().filter(|octet| *octet != b'"').collect();
            self.add_raw(FieldChangeKind::Quotes, raw_name, &unquoted);
        }
        if field.is("Content-Transfer-Encoding") {
            for encoding in ENCODINGS {
                let body = format!(" {encoding}");
                self.add_raw(FieldChangeKind::TransferEncoding, raw_name, body.as_bytes());
            }
        }
        if let Some(decoded) = decoded_words(body) {
            self.add_raw(FieldChangeKind::EncodedWords, raw_name, &decoded);
        }
    }

    /// What such a field says as a rule.
    fn usual_values(&mut self, kind: FieldChangeKind, name: &FieldName) {
        let guesses: &[&str] = match () {
            () if name.is("MIME-Version") => &["1.0"],
            () if name.is("Content-Transfer-Encoding") => &ENCODINGS,
            () if name.is("Content-Type") => &["text/plain", "text/plain; charset=us-ascii"],
            () => &[],
        };
        for guess in guesses {
            let body = format!(" {guess}");
            self.add(kind.clone(), name.as_str(), body.as_bytes());
        }
    }

    fn respaced(&mut self, raw_name: &[u8], body: &[u8]) {
        for respace in RESPACINGS {
            let (name, body) = respace(raw_name, body);
            self.add_raw(FieldChangeKind::WhiteSpace, &name, &body);
        }
    }

    fn slot(self, usual: usize, now: Option<(&[u8], &[u8])>) -> Slot {
        let respaced = |respace: &Respacing| {
            let (name, body) = now.map(|(name, body)| respace(name, body))?;
            Some(self.canonical(&name, &body))
        };
        let respaced = match now {
            Some(_) => RESPACINGS.iter().map(respaced).collect(),
            None => vec![self.all.first().and_then(|now| now.octets.clone()); RESPACINGS.len()],
        };
        Slot { options: self.all, usual, respaced }
    }

    fn name_case(&mut self, raw_name: &[u8], body: &[u8]) {
        let mut capitalized = raw_name.to_ascii_lowercase();
        let mut begins = true;
        for octet in &mut capitalized {
            if begins {
                octet.make_ascii_uppercase();
            }
            begins = *octet == b'-';
        }
        let mime = replaced(&capitalized, b"Mime-", b"MIME-");
        let id = replaced(&capitalized, b"-Id", b"-ID");
        let dkim = replaced(&capitalized, b"Dkim-", b"DKIM-");
        for name in [
            raw_name.to_ascii_lowercase(),
            raw_name.to_ascii_uppercase(),
            capitalized,
            mime,
            id,
            dkim,
        ] {
            self.add_raw(FieldChangeKind::NameCase, &name, body);
        }
    }
}

/// Writes a field, its name as it stands before the colon, with other folds or blanks.
type Respacing = fn(&[u8], &[u8]) -> (Vec<u8>, Vec<u8>);

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
fn words(body: &[u8]) -> Vec<Vec<u8>> {
    let is_blank = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    body.split(is_blank).filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Fields in which lists and gateways keep what a field was before they rewrote it.
fn moved<'m>(name: &str, header: &Header<'m>) -> Vec<(FieldChangeKind, &'m [u8])> {
    let mut kept: Vec<String> =
        ["X-Original-", "Original-", "X-Google-Original-", "X-", "Old-", "X-Old-", "Resent-"]
            .iter()
            .map(|prefix| format!("{prefix}{name}"))
            .collect();
    if name.eq_ignore_ascii_case("From") {
        kept.extend(["Reply-To", "Cc", "X-Original-Sender", "Sender"].map(str::to_owned));
    }
    kept.into_iter()
        .filter_map(|name| {
            let field = header.named(&name).last()?;
            Some((FieldChangeKind::MovedTo(name), field.body()))
        })
        .collect()
}

/// A subject without one or more of the tags before it or after `Re:`: `[list]`, `***SPAM***`,
/// `{Spam?}`, `(list)`, `EXTERNAL:`.
fn untagged(body: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut rest = body.to_vec();
    while let Some(shorter) = without_first_tag(&rest).filter(|_| all.len() < MOST_TAGS) {
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
const MOST_QUOTED: u32 = 5;

/// The addresses with and without quotation marks around their display names.
fn requoted(body: &[u8]) -> Vec<Vec<u8>> {
    let without: Vec<u8> = body.iter().copied().filter(|octet| *octet != b'"').collect();
    let addresses: Vec<&[u8]> = without.split(|octet| *octet == b',').collect();
    let all = (1_u32 << MOST_QUOTED) - 1;
    (0..=all)
        .take(1 << addresses.len().min(usize::try_from(MOST_QUOTED).unwrap_or(0)))
        .chain([all])
        .map(|chosen| {
            let each = addresses.iter().zip(0..).map(|(address, number)| {
                let is_chosen = chosen & (1 << number.min(MOST_QUOTED - 1)) != 0;
                if is_chosen { quoted(address) } else { address.to_vec() }
            });
            each.collect::<Vec<_>>().join(&b',')
        })
        .collect()
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
fn decoded_words(body: &[u8]) -> Option<Vec<u8>> {
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

/// Reads `=?charset?encoding?text?=`.
fn encoded_word(octets: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut parts = octets.strip_prefix(b"=?")?.splitn(3, |octet| *octet == b'?');
    let (_charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let end = rest.windows(2).position(|pair| pair == b"?=")?;
    let (text, after) = (std::str::from_utf8(rest.get(..end)?).ok()?, rest.get(end + 2..)?);
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
    fn encoded_words_are_decoded() {
        let words = b" =?utf-8?Q?gr=C3=BCn_?=\r\n =?UTF-8?B?w7xiZXI=?= x =? y";
        assert_eq!(decoded_words(words), Some(" grün über x =? y".as_bytes().to_vec()));
        assert_eq!(decoded_words(b" =?utf-8?Q?=XX?= =?"), None);
    }
}
