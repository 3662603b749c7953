//! Random messages, and who signs them how.

use std::collections::{BTreeMap, BTreeSet};

use super::dice::Dice;
use super::{Party, name_of};
use crate::interop::FORMS;
use crate::interop::peer::{Algorithm, Order};

/// A message, not yet signed.
pub(super) struct Message {
    /// Fields without the line end that closes them. No two are the same.
    pub(super) fields: Vec<Vec<u8>>,
    pub(super) body: Vec<u8>,
}

/// A message and the signature that is to be made.
pub(super) struct Letter {
    pub(super) message: Message,
    pub(super) signer: Party,
    pub(super) algorithm: Algorithm,
    pub(super) form: &'static str,
    /// As in `h=`.
    pub(super) names: Vec<String>,
    /// Whether `l=` is there.
    pub(super) length: bool,
}

impl Message {
    pub(super) fn octets(&self) -> Vec<u8> {
        octets(&self.fields, &self.body)
    }
}

/// The message of these fields and this body.
pub(super) fn octets(fields: &[Vec<u8>], body: &[u8]) -> Vec<u8> {
    let mut octets = fields.join(&b"\r\n"[..]);
    octets.extend_from_slice(b"\r\n\r\n");
    octets.extend_from_slice(body);
    octets
}

/// Which of the fields at these places, top to bottom, `h=` covers: of the instances of a name,
/// those at the bottom (RFC 6376 §5.4.2).
pub(super) fn covered(
    names: &[String],
    fields: &[impl AsRef<[u8]>],
    places: impl DoubleEndedIterator<Item = usize>,
) -> BTreeSet<usize> {
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *left.entry(name.to_ascii_lowercase()).or_default() += 1;
    }
    let mut is_covered = |at: &usize| {
        let name = fields.get(*at).map(|field| name_of(field.as_ref()));
        let left = name.and_then(|name| left.get_mut(&name)).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    };
    places.rev().filter(|at| is_covered(at)).collect()
}

impl Letter {
    /// Letters are signed in turn.
    pub(super) fn random(dice: &mut Dice, number: u64) -> Self {
        let signer = match number % 3 {
            0 => Party::Dkimpy,
            1 => Party::MailDkim,
            _ => Party::We,
        };
        let message = message(dice, signer);
        let algorithm = dice.pick(&Algorithm::ALL);
        Self {
            names: names(dice, &message),
            message,
            signer,
            algorithm: if signer == Party::MailDkim { Algorithm::Rsa } else { algorithm },
            form: dice.pick(&FORMS),
            // Mail::DKIM would have to be told the length.
            length: dice.percent(35) && signer != Party::MailDkim,
        }
    }

    pub(super) fn order(&self) -> Order {
        Order {
            message: self.message.octets(),
            algorithm: self.algorithm,
            form: self.form,
            fields: self.names.clone(),
            length: self.length,
        }
    }
}

/// Fields that stand once in most messages.
const SINGLE: [&str; 13] = [
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "Sender",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "In-Reply-To",
    "References",
    "Return-Path",
];

/// Fields that may be repeated.
const REPEATED: [&str; 12] = [
    "Comments",
    "Keywords",
    "Resent-From",
    "Resent-Date",
    "Resent-To",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Post",
    "X-Loop",
    "X_odd.name!",
    "Authentication-Results",
];

fn message(dice: &mut Dice, signer: Party) -> Message {
    let mut names = vec!["From"];
    for name in SINGLE {
        names.extend(dice.percent(50).then_some(name));
        // Against RFC 5322 §3.6, but seen.
        names.extend(dice.percent(2).then_some(name));
    }
    for name in REPEATED {
        let count = if dice.percent(20) { dice.between(1, 3) } else { 0 };
        names.extend(std::iter::repeat_n(name, count));
    }
    dice.shuffle(&mut names);
    let received = if dice.percent(60) { dice.between(1, 5) } else { 0 };
    names.splice(..0, std::iter::repeat_n("Received", received));
    if dice.percent(10) {
        names.insert(dice.below(names.len() + 1), "DKIM-Signature");
    }
    // dkimpy reads no header with white space before a colon.
    let blank_before_colon = dice.percent(4) && signer != Party::Dkimpy;
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        let mut field = odd_case(dice, name).into_bytes();
        if blank_before_colon && dice.percent(30) {
            field.extend_from_slice(dice.pick(&[&b" "[..], b"\t", b"  "]));
        }
        field.push(b':');
        if name == "DKIM-Signature" {
            field.extend_from_slice(old_signature(dice).as_bytes());
        } else {
            field.extend(field_body(dice, number));
        }
        fields.push(field);
    }
    if dice.percent(5) {
        let empty = dice.pick(&[&b"X-Empty:"[..], b"X-Empty: ", b"X-Empty:\t \t"]);
        fields.insert(dice.below(fields.len() + 1), empty.to_vec());
    }
    Message { fields, body: body(dice) }
}

fn odd_case(dice: &mut Dice, name: &str) -> String {
    match dice.below(10) {
        0 => name.to_ascii_uppercase(),
        1 => name.to_ascii_lowercase(),
        2 => {
            let odd = |letter: char| match dice.percent(50) {
                true => letter.to_ascii_uppercase(),
                false => letter.to_ascii_lowercase(),
            };
            name.chars().map(odd).collect()
        }
        _ => name.to_owned(),
    }
}

/// What another domain signed once; its key is not to be had.
pub(super) fn old_signature(dice: &mut Dice) -> String {
    let form = dice.pick(&FORMS);
    let number = dice.below(1_000_000);
    format!(
        " v=1; a=rsa-sha256; c={form}; d=example.org;\r\n\ts=old{number}; h=from:to:subject;\r\n\t\
         bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=dGhpcyBpcyBub3Qg\r\n\t \
         YSBzaWduYXR1cmU="
    )
}

/// Words with a number among them that no other field of the message has.
fn field_body(dice: &mut Dice, number: usize) -> Vec<u8> {
    const FIRST: [&[u8]; 10] =
        [b" ", b" ", b" ", b" ", b" ", b"", b"  ", b"\t", b"\r\n ", b" \r\n\t"];
    const BETWEEN: [&[u8]; 12] = [
        b" ",
        b" ",
        b" ",
        b" ",
        b"  ",
        b"\t",
        b" \t ",
        b"\r\n ",
        b"\r\n\t",
        b" \r\n  \t",
        b"\t\r\n ",
        b"\r\n \r\n\t",
    ];
    const LAST: [&[u8]; 12] =
        [b"", b"", b"", b"", b"", b"", b"", b"", b" ", b"\t", b" \t ", b"\r\n "];
    let mut text = dice.pick(&FIRST).to_vec();
    let count = dice.between(1, 9);
    let unique = dice.below(count);
    for place in 0..count {
        if place > 0 {
            text.extend_from_slice(dice.pick(&BETWEEN));
        }
        if place == unique {
            text.extend(format!("no{number}").bytes());
        } else {
            text.extend(word(dice));
        }
    }
    text.extend_from_slice(dice.pick(&LAST));
    // Controls are in mail although RFC 5322 §4.1 wants them gone; some take them for blanks.
    if dice.percent(1) {
        let control = dice.pick(b"\x01\x08\x0b\x0c\x1b\x1c\x1f\x7f\x85\xa0");
        let at = dice.pick(&[0, text.len()]);
        text.insert(at, control);
    }
    text
}

fn word(dice: &mut Dice) -> Vec<u8> {
    match dice.below(14) {
        0 => b"<alice@example.com>".to_vec(),
        1 => b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=".to_vec(),
        2 => "Gr\u{fc}\u{df}e".as_bytes().to_vec(),
        3 => vec![b'a', 0x80 | dice.octet(), 0xff, b'z'],
        4 => (dice.pick(&[&b"b=1;"[..], b"h=from:to;", b"a:b", b";", b"(comment)", b"\"q\\\"\""]))
            .to_vec(),
        _ => (0..dice.between(1, 12))
            .map(|_| dice.pick(b"abcdefghijklmnopqrstuvwxyzABC0123456"))
            .collect(),
    }
}

/// The names for `h=`: From, and of the others some, once or more often, present or not.
fn names(dice: &mut Dice, message: &Message) -> Vec<String> {
    let mut there: Vec<String> = message.fields.iter().map(|field| name_of(field)).collect();
    there.sort();
    let mut names = Vec::new();
    for same in there.chunk_by(|one, next| one == next) {
        let Some(name) = same.first() else { continue };
        let there = same.len();
        let times = match name.as_str() {
            "from" => dice.pick(&[1, 1, 1, 2, 2, 3]),
            // One more would be the signature itself.
            "dkim-signature" => dice.pick(&[0, there]),
            _ => match dice.below(10) {
                0..=3 => 0,
                4..=6 => there,
                7 => dice.between(1, there),
                8 => there + 1,
                _ => there + 2,
            },
        };
        names.extend(std::iter::repeat_n(name.clone(), times));
    }
    for absent in ["x-absent", "reply-to", "list-help", "resent-cc"] {
        if dice.percent(15) && !there.iter().any(|name| name == absent) {
            names.push(absent.to_owned());
        }
    }
    dice.shuffle(&mut names);
    names.iter().map(|name| odd_case(dice, name)).collect()
}

fn body(dice: &mut Dice) -> Vec<u8> {
    let mut body = match dice.below(12) {
        0 => Vec::new(),
        1 => b"\r\n".repeat(dice.between(1, 5)),
        2 => {
            let blank = |_| dice.pick(&[&b" \r\n"[..], b"\r\n", b"\t \r\n"]);
            (0..3).map(blank).collect::<Vec<_>>().concat()
        }
        3 => octets_of_all_kinds(dice),
        4 => {
            let mut line = b"long ".to_vec();
            line.extend((0..dice.between(900, 12_000)).map(|_| dice.pick(b"abcdefghij \t")));
            line.extend_from_slice(b"\r\n");
            line
        }
        5 => html(dice),
        _ => lines(dice),
    };
    match dice.below(12) {
        0 => body.extend(b"\r\n".repeat(dice.between(1, 4))),
        1 => body.extend_from_slice(b" \r\n\t\r\n"),
        2 => body.extend_from_slice(b"\r\n \r\n\r\n"),
        3 => body.extend_from_slice(b"no line end"),
        4 => body.extend_from_slice(b"no line end \t"),
        5 => body.extend_from_slice(b" \t"),
        6 => body.truncate(body.len() - usize::from(body.ends_with(b"\r\n")) * 2),
        _ => {}
    }
    body
}

fn lines(dice: &mut Dice) -> Vec<u8> {
    let mut body = Vec::new();
    for number in 0..dice.between(1, 12) {
        body.extend_from_slice(dice.pick(&[&b""[..], b"", b"", b" ", b"\t", b".", b"> "]));
        for _ in 0..dice.below(8) {
            body.extend(word(dice));
            body.extend_from_slice(dice.pick(&[&b" "[..], b" ", b" ", b"  ", b"\t", b" \t "]));
        }
        if dice.percent(70) {
            body.extend(format!("line{number}").bytes());
            body.extend_from_slice(dice.pick(&[&b""[..], b"", b"", b"", b" ", b"\t", b"  \t"]));
        }
        body.extend_from_slice(b"\r\n");
    }
    body
}

fn html(dice: &mut Dice) -> Vec<u8> {
    let mut body = b"<!DOCTYPE html>\r\n<html>\r\n\t<body  class=\"a\">\r\n".to_vec();
    for number in 0..dice.between(1, 5) {
        body.extend(format!("\t\t<p>\r\n\t\t  {number} &nbsp;  ").bytes());
        body.extend(word(dice));
        body.extend_from_slice(b"</p>   \r\n\r\n");
    }
    body.extend_from_slice(b"\t</body>\r\n</html>\r\n");
    body
}

/// Lines of any octets, NUL and CR without LF among them. An LF alone is not: some read it as a
/// line end (RFC 6376 §5.3 leaves the conversion to whoever signs).
fn octets_of_all_kinds(dice: &mut Dice) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..dice.between(1, 4) {
        let line = (0..dice.below(60)).map(|_| dice.octet()).filter(|octet| *octet != b'\n');
        body.extend(line);
        body.extend_from_slice(b"x\r\n");
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(seed: u64, number: u64) -> Letter {
        Letter::random(&mut Dice::new(seed, number), number)
    }

    #[test]
    fn a_seed_and_a_number_make_one_message() {
        for number in 0..50 {
            let (one, same, other) = (letter(1, number), letter(1, number), letter(2, number));
            assert_eq!(one.order().message, same.order().message);
            assert_eq!((one.form, one.names), (same.form, same.names));
            assert_ne!(one.message.octets(), other.message.octets());
        }
    }

    /// What the mutations rely on.
    #[test]
    fn fields_are_sound_and_no_two_are_the_same() {
        for number in 0..1000 {
            let Letter { message, names, .. } = letter(3, number);
            let octets = message.octets();
            let (header, body) = dkim_message::split(&octets);
            assert_eq!((header.defects(), body), (&[][..], &message.body[..]), "{number}");
            assert_eq!(header.fields().len(), message.fields.len());
            assert_eq!(header.named("From").count(), 1);
            assert!(names.iter().any(|name| name.eq_ignore_ascii_case("from")));
            let squeezed = |field: &Vec<u8>| -> Vec<u8> {
                field.iter().filter(|octet| !octet.is_ascii_whitespace()).copied().collect()
            };
            let mut fields: Vec<Vec<u8>> = message.fields.iter().map(squeezed).collect();
            fields.sort();
            let count = fields.len();
            fields.dedup();
            assert_eq!(fields.len(), count, "{number}");
        }
    }

    #[test]
    fn every_kind_of_message_comes_up() {
        let letters: Vec<Letter> = (0..2000).map(|number| letter(4, number)).collect();
        let some = |kind: &dyn Fn(&Letter) -> bool| letters.iter().any(kind);
        let bodies = |kind: &dyn Fn(&[u8]) -> bool| some(&|letter| kind(&letter.message.body));
        assert!(bodies(&|body| body.is_empty()));
        assert!(bodies(&|body| body == b"\r\n\r\n"));
        assert!(bodies(&|body| body.contains(&0)));
        assert!(bodies(&|body| body.len() > 5000));
        assert!(bodies(&|body| body.ends_with(b" \t")));
        let has = |wanted: &[u8]| {
            some(&|letter| letter.order().message.windows(wanted.len()).any(|at| at == wanted))
        };
        assert!(has(b" :") && has(b"\r\n \r\n\t") && has(b"\r\nDKIM-Signature:") && has(b"\x0b"));
        for form in FORMS {
            for algorithm in Algorithm::ALL {
                for length in [false, true] {
                    let kind = (form, algorithm, length);
                    assert!(some(&|letter| (letter.form, letter.algorithm, letter.length) == kind));
                }
            }
        }
        assert!(some(&|letter| letter.names.len() > letter.message.fields.len()));
    }
}
