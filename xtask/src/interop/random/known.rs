//! What is known to be wrong with the others, each for a reason that can be read in an RFC.
//!
//! There is no row for us, and none that looks at a verdict alone: a row says beforehand which
//! messages it concerns, and which way the verdict on them errs.

use super::message::{Letter, covered};
use super::mutation::{BLANK_BEFORE_OWN_COLON, Mutation, NOT_BASE64};
use super::{Party, Trial};

/// A fault of another implementation.
pub(super) struct Fault {
    of: Party,
    wrong: Wrong,
    pub(super) reason: &'static str,
    concerns: fn(&Seen<'_>) -> bool,
}

/// What comes of a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// It fails signatures that hold.
    Fails,
    /// It passes signatures that are broken.
    Passes,
    /// It hashes something else, as a judge and as a signer: it fails signatures that hold, its
    /// own signatures are wrong, and those it passes.
    Hashes,
}

/// A message, as it is signed or judged.
struct Seen<'t> {
    letter: &'t Letter,
    mutations: &'t [&'static Mutation],
    fields: Vec<&'t [u8]>,
    body: &'t [u8],
}

static FAULTS: &[Fault] = &[
    Fault {
        of: Party::Dkimpy,
        wrong: Wrong::Fails,
        reason: "it reads no header with white space before a colon (RFC 5322 §4.5; RFC 6376 \
                 §3.4.2: \"before and after the colon\")",
        concerns: |seen| {
            seen.fields.iter().any(|field| {
                let name = field.split(|octet| *octet == b':').next();
                name.and_then(<[u8]>::last).is_some_and(is_wsp)
            })
        },
    },
    Fault {
        of: Party::Dkimpy,
        wrong: Wrong::Hashes,
        reason: "it keeps white space at the end of a last line without line end (RFC 6376 \
                 §3.4.4: \"Ignore all whitespace at the end of lines\")",
        // It takes "end of lines" for "before a CRLF". To Mail::DKIM and to us the body's end is the
        // end of a line too: step (b) counts it as one when it adds the CRLF.
        concerns: |seen| seen.is_relaxed_body() && seen.body.last().is_some_and(is_wsp),
    },
    Fault {
        of: Party::Dkimpy,
        wrong: Wrong::Hashes,
        reason: "it takes VT and FF at the ends of a field body for white space (RFC 6376 §2.8, \
                 §3.4.2)",
        concerns: |seen| {
            seen.is_relaxed_header()
                && seen.signed().map(text).any(|text| {
                    text.first().is_some_and(is_control) || text.last().is_some_and(is_control)
                })
        },
    },
    Fault {
        of: Party::MailDkim,
        wrong: Wrong::Hashes,
        reason: "it takes VT and FF at the start of a field body for white space (RFC 6376 §2.8, \
                 §3.4.2)",
        concerns: |seen| {
            seen.is_relaxed_header()
                && seen.signed().map(text).any(|text| text.first().is_some_and(is_control))
        },
    },
    Fault {
        of: Party::MailDkim,
        wrong: Wrong::Hashes,
        reason: "it does not add the missing line end at the end of a body (RFC 6376 §3.4.3)",
        concerns: |seen| {
            !seen.is_relaxed_body() && !seen.body.is_empty() && !seen.body.ends_with(b"\r\n")
        },
    },
    Fault {
        of: Party::MailDkim,
        wrong: Wrong::Fails,
        reason: "it reads no signature with white space before the colon (RFC 5322 §4.5; RFC \
                 6376 §3.4.2)",
        concerns: |seen| seen.is_relaxed_header() && seen.was_changed(BLANK_BEFORE_OWN_COLON),
    },
    Fault {
        of: Party::MailDkim,
        wrong: Wrong::Fails,
        reason: "it takes l=0 for no l= (RFC 6376 §3.5)",
        concerns: |seen| {
            // A canonical body is empty in relaxed form only, when it is blank throughout.
            let blank = |octet: &u8| b" \t\r\n".contains(octet);
            let signed = &seen.letter.message.body;
            seen.letter.length && seen.is_relaxed_body() && signed.iter().all(blank)
        },
    },
    Fault {
        of: Party::MailDkim,
        wrong: Wrong::Passes,
        reason: "it reads over octets in b= that are not base64 (RFC 6376 §3.5)",
        concerns: |seen| seen.was_changed(NOT_BASE64),
    },
];

/// The fault for which a letter's signature is wrong from the start and must not pass.
pub(super) fn in_signing(letter: &Letter) -> Option<&'static Fault> {
    let fields = letter.message.fields.iter().map(Vec::as_slice).collect();
    let seen = Seen { letter, mutations: &[], fields, body: &letter.message.body };
    let applies = |fault: &&Fault| {
        fault.of == letter.signer && fault.wrong == Wrong::Hashes && (fault.concerns)(&seen)
    };
    FAULTS.iter().find(applies)
}

/// The fault that explains why a party did not judge as it should.
pub(super) fn in_judging(judge: Party, trial: &Trial<'_>) -> Option<&'static Fault> {
    let (header, body) = dkim_message::split(&trial.octets);
    let fields = header.fields().iter().map(|field| field.octets()).collect();
    let seen = Seen { letter: trial.letter, mutations: &trial.mutations, fields, body };
    let explains = |fault: &&Fault| match fault.wrong {
        Wrong::Fails => trial.survives,
        Wrong::Passes => !trial.survives,
        // It fails what it should pass, or passes what was signed with a fault.
        Wrong::Hashes => trial.survives || in_signing(trial.letter).is_some(),
    };
    FAULTS
        .iter()
        .filter(|fault| fault.of == judge)
        .filter(explains)
        .find(|fault| (fault.concerns)(&seen))
}

impl<'t> Seen<'t> {
    fn is_relaxed_header(&self) -> bool {
        self.letter.form.starts_with("relaxed/")
    }

    fn is_relaxed_body(&self) -> bool {
        self.letter.form.ends_with("/relaxed")
    }

    /// The fields that are signed. The signature itself counts for another of its name, which
    /// matters to no row.
    fn signed(&self) -> impl Iterator<Item = &'t [u8]> {
        let covered = covered(&self.letter.names, &self.fields, 0..self.fields.len());
        covered.into_iter().filter_map(|at| self.fields.get(at).copied())
    }

    fn was_changed(&self, name: &str) -> bool {
        self.mutations.iter().any(|mutation| mutation.name == name)
    }
}

/// A field body without the white space and the folds at its ends.
fn text(field: &[u8]) -> &[u8] {
    let colon = field.iter().position(|octet| *octet == b':');
    let mut text = colon.and_then(|colon| field.get(colon + 1..)).unwrap_or_default();
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..]
    | [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = text
    {
        text = rest;
    }
    text
}

fn is_wsp(octet: &u8) -> bool {
    b" \t".contains(octet)
}

/// VT or FF, which programming languages count as white space.
fn is_control(octet: &u8) -> bool {
    b"\x0b\x0c".contains(octet)
}

#[cfg(test)]
mod tests {
    use super::super::dice::Dice;
    use super::super::message::Message;
    use super::*;
    use crate::interop::peer::Algorithm;

    fn letter(signer: Party, form: &'static str, field: &[u8], body: &[u8]) -> Letter {
        let mut letter = Letter::random(&mut Dice::new(1, 1), 1);
        letter.message = Message { fields: vec![field.to_vec()], body: body.to_vec() };
        (letter.signer, letter.algorithm, letter.form) = (signer, Algorithm::Rsa, form);
        (letter.names, letter.length) = (vec!["From".to_owned()], false);
        letter
    }

    /// The fault for which a letter that arrives unchanged is judged other than it should be.
    fn judged(judge: Party, letter: &Letter, survives: bool) -> Option<&'static str> {
        let (octets, mutations) = (letter.message.octets(), Vec::new());
        let trial = Trial { letter, number: 0, arrival: 0, mutations, octets, survives };
        in_judging(judge, &trial).map(|fault| fault.reason)
    }

    #[test]
    fn nothing_excuses_us_and_nothing_excuses_plain_mail() {
        assert!(FAULTS.iter().all(|fault| fault.of != Party::We));
        for party in [Party::Dkimpy, Party::MailDkim] {
            for form in crate::interop::FORMS {
                let letter = letter(party, form, b"From: a b", b"c\r\n");
                assert!(in_signing(&letter).is_none());
                assert_eq!(judged(party, &letter, true), None);
                assert_eq!(judged(party, &letter, false), None);
            }
        }
    }

    #[test]
    fn a_fault_excuses_what_it_concerns_and_in_its_direction() {
        let unended = letter(Party::MailDkim, "relaxed/simple", b"From: a", b"b");
        let reason = in_signing(&unended).expect("it is signed without line end").reason;
        assert_eq!(judged(Party::MailDkim, &unended, true), Some(reason));
        assert_eq!(judged(Party::MailDkim, &unended, false), Some(reason));
        assert_eq!(judged(Party::Dkimpy, &unended, false), None);
        let unended = letter(Party::We, "relaxed/simple", b"From: a", b"b");
        assert!(in_signing(&unended).is_none());
        assert_eq!(judged(Party::MailDkim, &unended, true), Some(reason));
        assert_eq!(judged(Party::MailDkim, &unended, false), None);
        let unended = letter(Party::MailDkim, "relaxed/relaxed", b"From: a", b"b");
        assert!(in_signing(&unended).is_none());
        assert_eq!(judged(Party::MailDkim, &unended, true), None);
    }

    #[test]
    fn controls_matter_at_the_ends_of_signed_fields() {
        for (field, form, dkimpy, mail_dkim) in [
            (&b"From: \x0ba"[..], "relaxed/simple", true, true),
            (b"From: a\x0c\r\n ", "relaxed/simple", true, false),
            (b"From: a\x0cb", "relaxed/simple", false, false),
            (b"Subject:\x0ca", "relaxed/simple", false, false),
            (b"From:\x0ca", "simple/simple", false, false),
        ] {
            let of = |party| in_signing(&letter(party, form, field, b"")).is_some();
            assert_eq!((of(Party::Dkimpy), of(Party::MailDkim)), (dkimpy, mail_dkim));
        }
        let mut unsigned = letter(Party::Dkimpy, "relaxed/simple", b"From: \x0ba", b"");
        unsigned.message.fields.push(b"From: b".to_vec());
        assert!(in_signing(&unsigned).is_none());
    }
}
