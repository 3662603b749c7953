//! Holds what a verifier reported against what a vector expects.

use std::fmt;

use crate::{Expected, Vector};

/// What a verifier said of one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The result in RFC 8601's words (§2.7.1).
    pub result: String,
    /// Why, in the words of [`Expected::reason`].
    pub reason: String,
    /// `d=`, as far as it could be read.
    pub domain: Option<String>,
    /// `s=`, as far as it could be read.
    pub selector: Option<String>,
}

/// How closely reports are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scoring {
    /// By class of result: `pass`, `temperror`, or anything else. A signature that is not reported
    /// is one without a result, thus anything else.
    Classes,
    /// By name: nothing may be missing, the result is one of those accepted, and where it is the
    /// one wanted first and the RFCs leave nothing open (no tag `may`), the reason counts too.
    Names,
}

/// Where a report is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Miss {
    /// A signature was judged otherwise, or not reported.
    Judged {
        /// What was expected.
        expected: Expected,
        /// What was reported.
        reported: Option<Reported>,
    },
    /// A signature passed that nobody expected.
    UnexpectedPass(Reported),
}

/// Compares the reports on a vector, one per signature, top to bottom. Nothing missed means that
/// the vector came out right.
#[must_use]
pub fn score(vector: &Vector, reported: &[Reported], scoring: Scoring) -> Vec<Miss> {
    let (pairs, unclaimed) = pair(&vector.expect, reported);
    let judged = pairs.into_iter().filter_map(|(expected, reported)| {
        let right = match scoring {
            Scoring::Classes => is_in_class(expected, reported),
            Scoring::Names => is_named(expected, reported, vector.has_tag("may")),
        };
        let miss = || Miss::Judged { expected: expected.clone(), reported: reported.cloned() };
        (!right).then(miss)
    });
    let passed = unclaimed.into_iter().filter(|reported| reported.result == "pass");
    judged.chain(passed.map(|reported| Miss::UnexpectedPass(reported.clone()))).collect()
}

type Pair<'v> = (&'v Expected, Option<&'v Reported>);

/// Finds for each expectation its report: the next one of the same domain and selector, or where
/// these are not known, the next one that nobody claimed. Returns the reports left over, too.
fn pair<'v>(
    expect: &'v [Expected],
    reported: &'v [Reported],
) -> (Vec<Pair<'v>>, Vec<&'v Reported>) {
    let mut unclaimed: Vec<&Reported> = reported.iter().collect();
    let mut pairs: Vec<Pair<'v>> = expect.iter().map(|expected| (expected, None)).collect();
    // Whoever is known by name takes first, so that the others do not take what is not theirs.
    let rounds: [fn(&Expected, &Reported) -> bool; 2] = [is_same, may_be_same];
    for matches in rounds {
        for (expected, found) in pairs.iter_mut().filter(|(_, found)| found.is_none()) {
            let next = unclaimed.iter().position(|reported| matches(expected, reported));
            *found = next.map(|next| unclaimed.remove(next));
        }
    }
    (pairs, unclaimed)
}

fn is_same(expected: &Expected, reported: &Reported) -> bool {
    let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) => a.to_lowercase() == b.to_lowercase(),
        _ => false,
    };
    same(&expected.domain, &reported.domain) && same(&expected.selector, &reported.selector)
}

fn may_be_same(expected: &Expected, reported: &Reported) -> bool {
    let unknown =
        |domain: &Option<String>, selector: &Option<String>| domain.is_none() || selector.is_none();
    unknown(&expected.domain, &expected.selector) || unknown(&reported.domain, &reported.selector)
}

#[derive(PartialEq, Eq)]
enum Class {
    Pass,
    TempError,
    Other,
}

fn class(result: &str) -> Class {
    match result {
        "pass" => Class::Pass,
        "temperror" => Class::TempError,
        _ => Class::Other,
    }
}

fn is_in_class(expected: &Expected, reported: Option<&Reported>) -> bool {
    let reported = class(reported.map_or("none", |reported| &reported.result));
    expected.accept.iter().any(|accepted| class(accepted) == reported)
}

fn is_named(expected: &Expected, reported: Option<&Reported>, open: bool) -> bool {
    let Some(reported) = reported else { return false };
    let because = open || reported.result != expected.result || reported.reason == expected.reason;
    because && expected.accept.contains(&reported.result)
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Judged { expected, reported: Some(reported) } => write!(
                f,
                "expected {} ({}), got {} ({})",
                expected.accept.join(" or "),
                expected.reason,
                reported.result,
                reported.reason
            ),
            Self::Judged { expected, reported: None } => {
                let (result, reason) = (&expected.result, &expected.reason);
                write!(f, "expected {result} ({reason}), got nothing")
            }
            Self::UnexpectedPass(_) => f.write_str("a signature passed that was not expected"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(accept: &[&str], reason: &str, names: Option<(&str, &str)>) -> Expected {
        Expected {
            result: accept[0].to_owned(),
            accept: accept.iter().map(|&name| name.to_owned()).collect(),
            reason: reason.to_owned(),
            domain: names.map(|(domain, _)| domain.to_owned()),
            selector: names.map(|(_, selector)| selector.to_owned()),
            kind: "dkim".to_owned(),
        }
    }

    fn reported(result: &str, reason: &str, names: Option<(&str, &str)>) -> Reported {
        Reported {
            result: result.to_owned(),
            reason: reason.to_owned(),
            domain: names.map(|(domain, _)| domain.to_owned()),
            selector: names.map(|(_, selector)| selector.to_owned()),
        }
    }

    fn vector(expect: Vec<Expected>, tag: &str) -> Vector {
        Vector {
            id: "id".to_owned(),
            title: String::new(),
            message: Vec::new(),
            zone: Vec::new(),
            time: 0,
            expect,
            tags: vec![tag.to_owned()],
            section: String::new(),
            source: String::new(),
        }
    }

    const A: Option<(&str, &str)> = Some(("example.com", "a"));
    const B: Option<(&str, &str)> = Some(("example.com", "b"));

    #[test]
    fn classes_and_names() {
        let vector = vector(vec![expected(&["permerror", "neutral"], "syntax", A)], "");
        for (result, reason, class_right, name_right) in [
            ("permerror", "syntax", true, true),
            ("permerror", "version", true, false),
            ("neutral", "whatever", true, true),
            ("fail", "syntax", true, false),
            ("pass", "ok", false, false),
            ("temperror", "syntax", false, false),
        ] {
            let report = [reported(result, reason, A)];
            assert_eq!(score(&vector, &report, Scoring::Classes).is_empty(), class_right);
            assert_eq!(score(&vector, &report, Scoring::Names).is_empty(), name_right);
        }
        assert_eq!(score(&vector, &[], Scoring::Classes), []);
        assert_eq!(score(&vector, &[], Scoring::Names).len(), 1);
    }

    #[test]
    fn an_open_question_has_no_reason() {
        let vector = vector(vec![expected(&["pass", "policy"], "ok", A)], "may");
        let report = [reported("pass", "whatever", A)];
        assert_eq!(score(&vector, &report, Scoring::Names), []);
    }

    #[test]
    fn names_pair_before_places() {
        let unknown = expected(&["permerror"], "syntax", None);
        let vector = vector(vec![unknown, expected(&["pass"], "ok", A)], "");
        let report = [
            reported("pass", "ok", Some(("EXAMPLE.com", "A"))),
            reported("permerror", "syntax", None),
        ];
        assert_eq!(score(&vector, &report, Scoring::Names), []);
    }

    #[test]
    fn a_pass_of_somebody_else_is_a_miss() {
        let vector = vector(vec![expected(&["fail"], "signature-mismatch", A)], "");
        let report = [reported("pass", "ok", B)];
        assert_eq!(
            score(&vector, &report, Scoring::Classes),
            [Miss::UnexpectedPass(report[0].clone())]
        );
    }

    #[test]
    fn the_same_names_twice_pair_in_order() {
        let vector = vector(
            vec![expected(&["fail"], "signature-mismatch", A), expected(&["pass"], "ok", A)],
            "",
        );
        let fail = reported("fail", "signature-mismatch", A);
        let pass = reported("pass", "ok", A);
        assert_eq!(score(&vector, &[fail.clone(), pass.clone()], Scoring::Names), []);
        assert_eq!(score(&vector, &[pass, fail], Scoring::Names).len(), 2);
    }
}
