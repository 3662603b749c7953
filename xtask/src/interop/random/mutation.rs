//! What may happen to a signed message, and whether its signature must survive.
//!
//! The answer is known from the rule each mutation is made from, not from canonicalizing anything.

use super::dice::Dice;
use super::message::{Letter, old_signature};
use super::place::{
    blank_after_colon, blank_before_colon, body_places, change_base64, change_name_case,
    change_octet, change_text, colon, exchange_blank, flip_case, is_blank, is_blank_at,
    is_inside_word, is_letter, is_line_start, is_text, is_wsp, places, set_value, tag_blanks, tags,
    value,
};
use super::sent::Sent;

use Forgiven::{Always, ByLength, ByRelaxed, ByRelaxedOrLength, Never};
use Part::{Body, Header, Signature};

// Faults of the others are told by these names.
pub(super) const BLANK_BEFORE_OWN_COLON: &str = "white space before the signature's colon";
pub(super) const NOT_BASE64: &str = "an octet in b= that is not base64";

/// A change to one part of a message.
pub(super) struct Mutation {
    pub(super) name: &'static str,
    part: Part,
    forgiven: Forgiven,
    /// Carries it out; `false` if the message has no place for it.
    change: fn(&mut Dice, &mut Sent<'_>) -> bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The DKIM-Signature field.
    Signature,
    /// The other fields.
    Header,
    Body,
}

/// When a signature survives.
#[derive(Clone, Copy)]
enum Forgiven {
    Always,
    Never,
    /// When the part is in `relaxed` form.
    ByRelaxed,
    /// When the signature has `l=`.
    ByLength,
    ByRelaxedOrLength,
}

impl Mutation {
    const fn new(
        part: Part,
        forgiven: Forgiven,
        name: &'static str,
        change: fn(&mut Dice, &mut Sent<'_>) -> bool,
    ) -> Self {
        Self { name, part, forgiven, change }
    }

    /// Whether the signature survives in a letter of this kind.
    fn is_forgiven(&self, letter: &Letter) -> bool {
        let relaxed = match self.part {
            Signature | Header => letter.form.starts_with("relaxed/"),
            Body => letter.form.ends_with("/relaxed"),
        };
        match self.forgiven {
            Always => true,
            Never => false,
            ByRelaxed => relaxed,
            ByLength => letter.length,
            ByRelaxedOrLength => relaxed || letter.length,
        }
    }
}

/// Changes up to three parts of a message, at most one of them beyond what is forgiven. Returns
/// what was done, and whether the signature survives.
pub(super) fn mutate(dice: &mut Dice, sent: &mut Sent<'_>) -> (Vec<&'static Mutation>, bool) {
    let mut parts = [Signature, Header, Header, Body, Body];
    dice.shuffle(&mut parts);
    let mut done: Vec<&'static Mutation> = Vec::new();
    let breaks = dice.percent(50);
    let wanted = dice.pick(&[1, 1, 2, 3]);
    for part in parts {
        if done.len() == wanted {
            break;
        }
        if done.iter().any(|mutation| mutation.part == part) {
            continue;
        }
        let forgiven = !breaks || !done.is_empty();
        let mut possible: Vec<&'static Mutation> = MUTATIONS
            .iter()
            .filter(|mutation| mutation.part == part)
            .filter(|mutation| mutation.is_forgiven(sent.letter) == forgiven)
            .collect();
        dice.shuffle(&mut possible);
        done.extend(possible.into_iter().find(|mutation| (mutation.change)(dice, sent)));
    }
    let survives = done.iter().all(|mutation| mutation.is_forgiven(sent.letter));
    (done, survives)
}

/// RFC 6376 §3.4 says what each form forgives, §3.5 `l=` and §5.4.2 what is signed at all, §3.7
/// what of its own field a signature is over.
pub(super) static MUTATIONS: &[Mutation] = &[
    // The signature's own field.
    Mutation::new(Signature, Never, "b= changed", |dice, sent| {
        change_base64(dice, sent.own(), "b")
    }),
    Mutation::new(Signature, Never, "bh= changed", |dice, sent| {
        change_base64(dice, sent.own(), "bh")
    }),
    Mutation::new(Signature, Never, NOT_BASE64, |dice, sent| {
        let Some(value) = value(sent.own(), "b") else { return false };
        let at = dice.between(value.start, value.end);
        sent.own().insert(at, dice.pick(b"-_!*.,"));
        true
    }),
    Mutation::new(Signature, Never, "b= emptied", |_, sent| {
        let Some(value) = value(sent.own(), "b") else { return false };
        sent.own().drain(value);
        true
    }),
    Mutation::new(Signature, Always, "white space in or around b=", |dice, sent| {
        let own = sent.own();
        let Some(value) = value(own, "b") else { return false };
        // RFC 6376 §2.8: no two folds in a row.
        let clear = |at: &usize| {
            let before = at.checked_sub(1).and_then(|before| own.get(before));
            !before.is_some_and(is_blank) && !own.get(*at).is_some_and(is_blank)
        };
        let places: Vec<usize> = (value.start..=value.end).filter(clear).collect();
        let Some(at) = dice.pick_any(&places) else { return false };
        let blank = dice.pick(&[&b" "[..], b"\t", b"\r\n ", b" \r\n\t "]);
        own.splice(at..at, blank.iter().copied());
        true
    }),
    Mutation::new(Signature, Always, "b= on one line", |_, sent| {
        let own = sent.own();
        let Some(value) = value(own, "b") else { return false };
        let old = own.get(value.clone()).unwrap_or_default().to_vec();
        let new: Vec<u8> = old.iter().copied().filter(|octet| !is_blank(octet)).collect();
        let differs = new != old;
        own.splice(value, new);
        differs
    }),
    Mutation::new(Signature, Never, "white space before the = of b=", |dice, sent| {
        let Some(value) = value(sent.own(), "b") else { return false };
        sent.own().insert(value.start - 1, dice.pick(b" \t"));
        true
    }),
    Mutation::new(Signature, Never, "a tag's value changed", |dice, sent| {
        let own = sent.own();
        let text = |at: &usize| own.get(*at).is_some_and(u8::is_ascii_alphanumeric);
        let values = tags(own).into_iter().filter(|(name, _)| name != "b");
        let places: Vec<usize> = values.flat_map(|(_, value)| value).filter(text).collect();
        let Some(at) = dice.pick_any(&places) else { return false };
        change_octet(dice, own, at);
        true
    }),
    Mutation::new(Signature, Never, "a letter of a tag's value in other case", |dice, sent| {
        let own = sent.own();
        let letter = |at: &usize| own.get(*at).is_some_and(u8::is_ascii_alphabetic);
        let values = tags(own).into_iter().filter(|(name, _)| name != "b");
        let places: Vec<usize> = values.flat_map(|(_, value)| value).filter(letter).collect();
        let Some(at) = dice.pick_any(&places) else { return false };
        flip_case(own, at);
        true
    }),
    Mutation::new(Signature, Never, "a tag added", |dice, sent| {
        let own = sent.own();
        let Some(at) = own.iter().position(|octet| *octet == b';') else { return false };
        let tag = dice.pick(&[&b"; x-y=z"[..], b"; z=From:a", b";n=", b"; r=y"]);
        own.splice(at..at, tag.iter().copied());
        true
    }),
    Mutation::new(Signature, Never, "a tag removed", |dice, sent| {
        let own = sent.own();
        let removable = tags(own).into_iter().filter(|(name, _)| name != "b" && name != "v");
        let (starts, ends): (Vec<_>, Vec<_>) = removable
            .filter_map(|(_, value)| {
                let before = own.get(..value.start)?;
                Some((before.iter().rposition(|octet| *octet == b';')?, value.end))
            })
            .unzip();
        let Some(which) = dice.pick_any(&(0..starts.len()).collect::<Vec<_>>()) else {
            return false;
        };
        let (Some(start), Some(end)) = (starts.get(which), ends.get(which)) else { return false };
        own.drain(*start..*end);
        true
    }),
    Mutation::new(Signature, Never, "another canonicalization in c=", |dice, sent| {
        let form = sent.letter.form;
        let others: Vec<&str> =
            crate::interop::FORMS.into_iter().filter(|other| *other != form).collect();
        set_value(sent.own(), "c", dice.pick(&others).as_bytes())
    }),
    Mutation::new(Signature, Never, "another number in l=", |dice, sent| {
        let own = sent.own();
        let Some(value) = value(own, "l") else { return false };
        let text = String::from_utf8_lossy(own.get(value).unwrap_or_default()).into_owned();
        let Ok(length) = text.parse::<u64>() else { return false };
        let other = dice.pick(&[length + 1, length.saturating_sub(1), length * 10 + 7]);
        other != length && set_value(own, "l", other.to_string().as_bytes())
    }),
    Mutation::new(Signature, Never, "a name added to h=", |dice, sent| {
        let Some(value) = value(sent.own(), "h") else { return false };
        let name = dice.pick(&[&b"subject:"[..], b"x-new:", b"from:"]);
        sent.own().splice(value.start..value.start, name.iter().copied());
        true
    }),
    Mutation::new(Signature, Never, "a ; at the end of the signature", |_, sent| {
        sent.own().push(b';');
        true
    }),
    Mutation::new(
        Signature,
        ByRelaxed,
        "the signature's field name in other case",
        |dice, sent| change_name_case(dice, sent.own()),
    ),
    Mutation::new(Signature, ByRelaxed, "white space after the signature's colon", |dice, sent| {
        blank_after_colon(dice, sent.own())
    }),
    Mutation::new(Signature, ByRelaxed, BLANK_BEFORE_OWN_COLON, |dice, sent| {
        blank_before_colon(dice, sent.own())
    }),
    Mutation::new(Signature, ByRelaxed, "white space in the signature doubled", |dice, sent| {
        let own = sent.own();
        let places = tag_blanks(own, is_wsp);
        let Some(at) = dice.pick_any(&places) else { return false };
        own.insert(at, dice.pick(b" \t"));
        true
    }),
    Mutation::new(Signature, ByRelaxed, "the signature folded", |dice, sent| {
        let own = sent.own();
        // At a blank that stands alone, so that no two folds come to stand in a row.
        let alone = |own: &[u8], at: usize| {
            let before = at.checked_sub(1).and_then(|before| own.get(before));
            is_wsp(own, at)
                && !before.is_some_and(is_blank)
                && !own.get(at + 1).is_some_and(is_blank)
        };
        let places = tag_blanks(own, alone);
        let Some(at) = dice.pick_any(&places) else { return false };
        own.splice(at..at, *b"\r\n");
        true
    }),
    Mutation::new(Signature, ByRelaxed, "the signature unfolded", |dice, sent| {
        let own = sent.own();
        let places = tag_blanks(own, |own, at| own.get(at..at + 2) == Some(b"\r\n"));
        let Some(at) = dice.pick_any(&places) else { return false };
        own.drain(at..at + 2);
        true
    }),
    // The other fields.
    Mutation::new(Header, Never, "an octet of a signed field changed", |dice, sent| {
        sent.change_signed(dice, change_text)
    }),
    Mutation::new(Header, Never, "a letter of a signed field in other case", |dice, sent| {
        sent.change_signed(dice, |dice, field| {
            let places = body_places(field, is_letter);
            let Some(at) = dice.pick_any(&places) else { return false };
            flip_case(field, at);
            true
        })
    }),
    Mutation::new(Header, Never, "a blank inside a word of a signed field", |dice, sent| {
        sent.change_signed(dice, |dice, field| {
            // Not right after the colon, where it would be no part of the text.
            let start = colon(field) + 1;
            let mut places = body_places(field, is_inside_word);
            places.retain(|at| *at > start);
            let Some(at) = dice.pick_any(&places) else { return false };
            field.insert(at, dice.pick(b" \t"));
            true
        })
    }),
    Mutation::new(
        Header,
        Never,
        "white space between words of a signed field gone",
        |dice, sent| {
            sent.change_signed(dice, |dice, field| {
                let places = body_places(field, |field, at| {
                    is_blank_at(field, at) && is_letter(field, at.saturating_sub(1))
                });
                let Some(at) = dice.pick_any(&places) else { return false };
                let run = field.iter().skip(at).take_while(|octet| is_blank(octet)).count();
                let between = is_letter(field, at + run);
                if between {
                    field.drain(at..at + run);
                }
                between
            })
        },
    ),
    Mutation::new(Header, Never, "a signed field removed", |dice, sent| {
        let signed = sent.with_signed(true);
        sent.remove_one_of(dice, &signed)
    }),
    Mutation::new(Header, Never, "an over-signed field added", |dice, sent| {
        let mut names = sent.letter.names.clone();
        names.retain(|name| {
            let name = name.to_ascii_lowercase();
            sent.listed(&name) > sent.present(&name)
        });
        let name = if names.is_empty() { return false } else { dice.pick(&names) };
        let at = dice.below(sent.fields.len() + 1);
        sent.insert(at, new_field(dice, &name));
        true
    }),
    Mutation::new(Header, Never, "a field below those signed of its name", |dice, sent| {
        let Some(at) = dice.pick_any(&sent.with_signed(true)) else { return false };
        let name = sent.name(at);
        if name == "dkim-signature" {
            return false;
        }
        let end = sent.fields.len();
        sent.insert(end, new_field(dice, &name));
        true
    }),
    Mutation::new(Header, Never, "two signed fields of one name exchanged", |dice, sent| {
        // The lower one is signed if any is.
        let signed = sent.with_signed(true);
        sent.swap(dice, |sent, above, below| {
            sent.own != above
                && sent.own != below
                && signed.contains(&below)
                && sent.name(above) == sent.name(below)
        })
    }),
    Mutation::new(Header, ByRelaxed, "a signed field's name in other case", |dice, sent| {
        sent.change_signed(dice, change_name_case)
    }),
    Mutation::new(Header, ByRelaxed, "white space in a signed field doubled", |dice, sent| {
        sent.change_signed(dice, |dice, field| {
            let Some(at) = dice.pick_any(&body_places(field, is_wsp)) else { return false };
            field.insert(at, dice.pick(b" \t"));
            true
        })
    }),
    Mutation::new(
        Header,
        ByRelaxed,
        "a tab for a space in a signed field, or back",
        |dice, sent| {
            sent.change_signed(dice, |dice, field| {
                let Some(at) = dice.pick_any(&body_places(field, is_wsp)) else { return false };
                exchange_blank(field, at);
                true
            })
        },
    ),
    Mutation::new(Header, ByRelaxed, "a signed field folded", |dice, sent| {
        sent.change_signed(dice, |dice, field| {
            // Right after a line end it would make an empty line.
            let places = body_places(field, |field, at| {
                is_wsp(field, at) && field.get(at - 1) != Some(&b'\n')
            });
            let Some(at) = dice.pick_any(&places) else { return false };
            field.splice(at..at, *b"\r\n");
            true
        })
    }),
    Mutation::new(Header, ByRelaxed, "a signed field unfolded", |dice, sent| {
        sent.change_signed(dice, |dice, field| {
            let folds = |field: &[u8], at: usize| field.get(at..at + 2) == Some(b"\r\n");
            let Some(at) = dice.pick_any(&body_places(field, folds)) else { return false };
            field.drain(at..at + 2);
            true
        })
    }),
    Mutation::new(Header, ByRelaxed, "white space at the end of a signed field", |dice, sent| {
        sent.change_signed(dice, |dice, field| {
            field.extend_from_slice(dice.pick(&[&b" "[..], b"\t", b" \t ", b"\r\n "]));
            true
        })
    }),
    Mutation::new(Header, ByRelaxed, "white space after a signed field's colon", |dice, sent| {
        sent.change_signed(dice, blank_after_colon)
    }),
    Mutation::new(Header, ByRelaxed, "white space before a signed field's colon", |dice, sent| {
        sent.change_signed(dice, blank_before_colon)
    }),
    Mutation::new(Header, Always, "an octet of an unsigned field changed", |dice, sent| {
        let unsigned = sent.with_signed(false);
        sent.change_one_of(dice, unsigned, change_text)
    }),
    Mutation::new(Header, Always, "an unsigned field removed", |dice, sent| {
        let unsigned = sent.with_signed(false);
        sent.remove_one_of(dice, &unsigned)
    }),
    Mutation::new(Header, Always, "an unsigned field added on top", |dice, sent| {
        let field = unlisted_field(dice, sent);
        sent.insert(0, field);
        true
    }),
    Mutation::new(Header, Always, "an unsigned field added anywhere", |dice, sent| {
        let at = dice.below(sent.fields.len() + 1);
        let field = unlisted_field(dice, sent);
        sent.insert(at, field);
        true
    }),
    Mutation::new(Header, Always, "a field above those signed of its name", |dice, sent| {
        // More than one From is refused whatever is signed (RFC 6376 §8.15).
        let signed = sent.with_signed(true);
        let names = signed.into_iter().map(|at| sent.name(at));
        let names: Vec<String> = names
            .filter(|name| name != "from" && name != "dkim-signature")
            .filter(|name| sent.listed(name) <= sent.present(name))
            .collect();
        let name = if names.is_empty() { return false } else { dice.pick(&names) };
        sent.insert(0, new_field(dice, &name));
        true
    }),
    Mutation::new(Header, Always, "fields of two names exchanged", |dice, sent| {
        sent.swap(dice, |sent, above, below| sent.name(above) != sent.name(below))
    }),
    Mutation::new(Header, Always, "the signature below the other fields", |_, sent| {
        if sent.present("dkim-signature") > 0 {
            return false;
        }
        let own = sent.fields.remove(sent.own);
        sent.own = sent.fields.len();
        sent.fields.push(own);
        true
    }),
    Mutation::new(Header, Always, "another signature on top", |dice, sent| {
        for _ in 0..dice.between(1, 3) {
            let field = match dice.below(4) {
                0 => "DKIM-Signature: nothing of the kind".to_owned(),
                1 => "dkim-signature: v=1; a=rsa-sha256".to_owned(),
                _ => format!("DKIM-Signature:{}", old_signature(dice)),
            };
            sent.insert(0, field.into_bytes());
        }
        true
    }),
    // The body.
    Mutation::new(Body, Never, "an octet of the body changed", |dice, sent| {
        let places = places(&sent.body, is_text);
        let Some(at) = dice.pick_any(&places) else { return false };
        change_octet(dice, &mut sent.body, at);
        true
    }),
    Mutation::new(Body, Never, "a letter of the body in other case", |dice, sent| {
        let places = places(&sent.body, is_letter);
        let Some(at) = dice.pick_any(&places) else { return false };
        flip_case(&mut sent.body, at);
        true
    }),
    Mutation::new(Body, Never, "a blank inside a word of the body", |dice, sent| {
        let places = places(&sent.body, is_inside_word);
        let Some(at) = dice.pick_any(&places) else { return false };
        sent.body.insert(at, dice.pick(b" \t"));
        true
    }),
    Mutation::new(Body, Never, "a blank before a line's first word", |dice, sent| {
        let starts = places(&sent.body, |body, at| is_line_start(body, at) && is_text(body, at));
        let Some(at) = dice.pick_any(&starts) else { return false };
        sent.body.insert(at, dice.pick(b" \t"));
        true
    }),
    Mutation::new(Body, Never, "a line inserted above text", |dice, sent| {
        insert_above_text(dice, sent, b"an inserted line\r\n")
    }),
    Mutation::new(Body, Never, "an empty line inserted above text", |dice, sent| {
        insert_above_text(dice, sent, b"\r\n")
    }),
    Mutation::new(Body, Never, "a line removed", |dice, sent| {
        let starts = places(&sent.body, |body, at| is_line_start(body, at) && is_text(body, at));
        let Some(start) = dice.pick_any(&starts) else { return false };
        let line = sent.body.get(start..).unwrap_or_default();
        let end = line.windows(2).position(|pair| pair == b"\r\n");
        sent.body.drain(start..end.map_or(sent.body.len(), |end| start + end + 2));
        true
    }),
    Mutation::new(Body, Never, "a line end for a blank", |dice, sent| {
        let places = places(&sent.body, |body, at| is_wsp(body, at) && is_text(body, at + 1));
        let Some(at) = dice.pick_any(&places) else { return false };
        sent.body.splice(at..at + 1, *b"\r\n");
        true
    }),
    Mutation::new(Body, ByLength, "text after the body", |dice, sent| {
        sent.end_body();
        let text = dice.pick(&[&b"-- \r\na list\r\n"[..], b"x", b"\r\n\r\nx\r\n", b" x"]);
        sent.body.extend_from_slice(text);
        true
    }),
    Mutation::new(Body, ByRelaxedOrLength, "lines of white space after the body", |dice, sent| {
        sent.end_body();
        let text = dice.pick(&[&b" \r\n"[..], b"\t\r\n \r\n\r\n", b"  ", b"\r\n \t\r\n"]);
        sent.body.extend_from_slice(text);
        true
    }),
    Mutation::new(Body, ByRelaxed, "white space at the end of a line", |dice, sent| {
        let ends = places(&sent.body, |body, at| {
            body.get(at..at + 2) == Some(b"\r\n") && !is_line_start(body, at)
        });
        let Some(at) = dice.pick_any(&ends) else { return false };
        let blank = dice.pick(&[&b" "[..], b"\t", b" \t "]);
        sent.body.splice(at..at, blank.iter().copied());
        true
    }),
    Mutation::new(Body, ByRelaxed, "white space at the end of a line removed", |dice, sent| {
        let ends = places(&sent.body, |body, at| {
            is_wsp(body, at) && body.get(at + 1..at + 3) == Some(b"\r\n")
        });
        let Some(at) = dice.pick_any(&ends) else { return false };
        sent.body.remove(at);
        true
    }),
    Mutation::new(Body, ByRelaxed, "white space in the body doubled", |dice, sent| {
        let Some(at) = dice.pick_any(&places(&sent.body, is_wsp)) else { return false };
        sent.body.insert(at, dice.pick(b" \t"));
        true
    }),
    Mutation::new(Body, ByRelaxed, "a tab for a space in the body, or back", |dice, sent| {
        let Some(at) = dice.pick_any(&places(&sent.body, is_wsp)) else { return false };
        exchange_blank(&mut sent.body, at);
        true
    }),
    Mutation::new(Body, Always, "empty lines after the body", |dice, sent| {
        sent.end_body();
        sent.body.extend(b"\r\n".repeat(dice.below(4)));
        true
    }),
    Mutation::new(Body, Always, "empty lines at the end removed", |_, sent| {
        let before = sent.body.len();
        while sent.body.ends_with(b"\r\n\r\n") || sent.body == b"\r\n" {
            sent.body.truncate(sent.body.len() - 2);
        }
        sent.body.len() != before
    }),
    Mutation::new(Body, Always, "the last line end removed", |_, sent| {
        let ends = sent.body.ends_with(b"\r\n");
        if ends {
            sent.body.truncate(sent.body.len() - 2);
        }
        ends
    }),
];

fn insert_above_text(dice: &mut Dice, sent: &mut Sent<'_>, line: &[u8]) -> bool {
    let starts = places(&sent.body, |body, at| is_line_start(body, at) && is_text(body, at));
    let Some(at) = dice.pick_any(&starts) else { return false };
    sent.body.splice(at..at, line.iter().copied());
    true
}

/// A field of this name that the message does not have yet.
fn new_field(dice: &mut Dice, name: &str) -> Vec<u8> {
    let (number, fold) = (dice.below(1_000_000), dice.pick(&["", "\r\n\t"]));
    format!("{name}: new{number}{fold} \tadded").into_bytes()
}

/// A field of a name that is not in `h=`.
fn unlisted_field(dice: &mut Dice, sent: &Sent<'_>) -> Vec<u8> {
    let names = ["Received", "X-New", "Comments", "List-Id", "Subject"];
    let unlisted: Vec<&str> =
        names.into_iter().filter(|name| sent.listed(name) == 0).chain(["X-New"]).collect();
    let name = dice.pick(&unlisted);
    new_field(dice, name)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::Party;
    use super::*;
    use crate::interop::peer::Algorithm;
    use crate::interop::{Bench, sign};

    /// Every mutation does to our own signatures what it is said to do, in our own judgement.
    #[test]
    fn what_is_forgiven_passes_and_nothing_else() {
        let bench = Bench::new().expect("keys are at hand");
        let mut seen: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
        for number in 0..2000 {
            let mut dice = Dice::new(5, number);
            let mut letter = Letter::random(&mut dice, number);
            // The key decides nothing about what is forgiven, and this one is quicker.
            (letter.signer, letter.algorithm) = (Party::We, Algorithm::Ed25519);
            let signed = sign(&letter.order()).expect("every letter can be signed");
            let mut sent = Sent::new(&letter, &signed).expect("the signature is on top");
            let (done, survives) = mutate(&mut dice, &mut sent);
            let names: Vec<&str> = done.iter().map(|mutation| mutation.name).collect();
            let (octets, form) = (sent.octets(), letter.form);
            assert_eq!(
                bench.we_pass(&octets),
                survives,
                "{number}, {form}, {names:?}:\n{}",
                octets.escape_ascii()
            );
            for mutation in done {
                let forgiven = mutation.is_forgiven(&letter);
                seen.entry(mutation.name).or_default().insert(forgiven);
            }
        }
        for mutation in MUTATIONS {
            let both = matches!(mutation.forgiven, ByRelaxed | ByLength | ByRelaxedOrLength);
            let seen = seen.get(mutation.name).map_or(0, BTreeSet::len);
            assert_eq!(seen, if both { 2 } else { 1 }, "{}", mutation.name);
        }
    }
}
