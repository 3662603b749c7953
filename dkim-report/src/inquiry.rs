//! Whether reports are wanted about the signatures of a message (RFC 6651 §3.3).

use dkim_dns::{Answer, Inquirer, LookupError, Query, QueryId, TxtQuestions};
use dkim_message::Header;
use dkim_tags::DomainName;
use dkim_verify::Verification;

use crate::{Automatic, DkimIncident, ReportAddress, ReportTerms, TermsError, automatic};

/// Of so many domains a message's signatures may ask for reports. RFC 6651 §3.3: "a report
/// generator SHOULD establish an upper bound on the number of reports a single message can generate
/// overall".
pub const MAX_DOMAINS: usize = 5;

/// Finds out whether reports are wanted about signatures that failed: an
/// [`Inquirer`], made after the verification, which it does not change.
///
/// Only a signature that failed and says `r=y` costs a question, and each domain one at most; none in
/// mail that a machine sent ([`automatic`]). See the [crate] for an example.
#[derive(Clone, Debug)]
pub struct ReportInquiry {
    /// For each verification, whether there is something to be asked.
    candidates: Vec<(usize, Result<Candidate, Unwanted>)>,
    /// By SDID.
    questions: TxtQuestions<DomainName>,
}

#[derive(Clone, Debug)]
struct Candidate {
    question: usize,
    incidents: Vec<DkimIncident>,
}

/// What to do about one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// Which of the message's DKIM-Signature fields, counted from 0, top to bottom.
    pub index: usize,
    /// Where a report is to go, or why there is none.
    pub wanted: Result<ReportAddress, Unwanted>,
    /// What the domain asks to be said if the message is refused for it in SMTP; see
    /// [`ReportTerms::smtp_text`].
    pub smtp_text: Option<String>,
}

impl ReportInquiry {
    /// What there is to be asked about what the verifier found in a message with this header.
    /// `mail_from` is its envelope sender with or without `<>`, if that is known; else Return-Path
    /// counts.
    #[must_use]
    pub fn new(found: &[Verification], header: &Header<'_>, mail_from: Option<&str>) -> Self {
        let mut inquiry = Self { candidates: Vec::new(), questions: TxtQuestions::default() };
        let automatic = automatic(header, mail_from);
        for one in found {
            let candidate = match automatic {
                Some(why) => Err(Unwanted::Automatic(why)),
                None => inquiry.candidate(one),
            };
            inquiry.candidates.push((one.index, candidate));
        }
        inquiry
    }

    fn candidate(&mut self, found: &Verification) -> Result<Candidate, Unwanted> {
        if found.passes() {
            return Err(Unwanted::Passes);
        }
        let claims = found.claims();
        // Step 1.
        if !claims.asks_for_reports {
            return Err(Unwanted::NotAsked);
        }
        // RFC 6591 §3.2.3: a report tells both.
        let (Some(sdid), Some(_)) = (claims.sdid, claims.selector) else {
            return Err(Unwanted::Nameless);
        };
        if sdid.is_single_label() {
            return Err(Unwanted::SingleLabelDomain);
        }
        let question = match self.questions.place_of(&sdid) {
            Some(question) => question,
            None if self.questions.len() == MAX_DOMAINS => return Err(Unwanted::TooManyDomains),
            None => self.questions.push(sdid),
        };
        Ok(Candidate { question, incidents: DkimIncident::of(found) })
    }

    /// One decision for each verification, in the same order. `drawn` is a number at random from 0
    /// to 99, drawn by the caller for this message (step 7).
    ///
    /// A domain gets one report about a message at most, about the first signature that it asks to
    /// hear of.
    #[must_use]
    pub fn finish(self, drawn: u8) -> Vec<Decision> {
        let Self { candidates, questions, .. } = self;
        let asked: Vec<_> = questions.iter().map(|(sdid, answer)| (sdid, terms(answer))).collect();
        let mut told = vec![None; questions.len()];
        let decide = |(index, candidate): (usize, Result<Candidate, Unwanted>)| {
            let mut smtp_text = None;
            let wanted = candidate.and_then(|Candidate { question, incidents }| {
                let (sdid, terms) = asked.get(question).ok_or(Unwanted::Unanswered)?;
                let terms = terms.as_ref().map_err(Clone::clone)?;
                // §3.2: "In the absence of an "ra=" tag, the "rp=" and "rr=" tags MUST be ignored",
                // and step 10 goes without it.
                let Some(address) = terms.address(sdid) else {
                    smtp_text = terms.smtp_text();
                    return Err(Unwanted::NoAddress);
                };
                // Steps 6 and 7.
                if !incidents.iter().any(|incident| terms.asks_for(*incident)) {
                    return Err(Unwanted::NotRequested);
                }
                if !terms.samples(drawn) {
                    return Err(Unwanted::NotSampled);
                }
                smtp_text = terms.smtp_text();
                match told.get_mut(question) {
                    Some(Some(earlier)) => Err(Unwanted::ToldAlready(*earlier)),
                    Some(told) => {
                        *told = Some(index);
                        Ok(address)
                    }
                    None => Err(Unwanted::Unanswered),
                }
            });
            Decision { index, wanted, smtp_text }
        };
        candidates.into_iter().map(decide).collect()
    }
}

impl Inquirer for ReportInquiry {
    fn queries(&mut self) -> Vec<Query> {
        self.questions.queries(|sdid| Some(ReportTerms::record_name(sdid)))
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        self.questions.answer(id, answer);
    }
}

/// Steps 3 to 5.
fn terms(answer: Option<&Answer>) -> Result<ReportTerms<DkimIncident>, Unwanted> {
    match dkim_dns::records(answer.ok_or(Unwanted::Unanswered)?).map_err(Unwanted::NoRecord)? {
        [] => Err(Unwanted::NoRecord(LookupError::NoRecords)),
        [record] => record
            .joined_within(ReportTerms::MAX_LEN)
            .ok_or(TermsError::TooLong)
            .and_then(|text| ReportTerms::parse(&text))
            .map_err(Unwanted::Invalid),
        _ => Err(Unwanted::SeveralRecords),
    }
}

/// Why no report is to be sent about a signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unwanted {
    /// A machine sent the message.
    #[error("{0}")]
    Automatic(Automatic),
    /// The signature passes.
    #[error("the signature passes")]
    Passes,
    /// It does not ask for reports.
    #[error("the signature does not ask for reports (r=y)")]
    NotAsked,
    /// Its domain or selector cannot be read.
    #[error("the signature names no domain or no selector that can be read")]
    Nameless,
    /// Its domain has one label only.
    #[error("d= is a top-level domain")]
    SingleLabelDomain,
    /// Other domains were asked for, and no more are.
    #[error("more than {MAX_DOMAINS} domains ask for reports about this message")]
    TooManyDomains,
    /// The domain has published no terms, or they could not be had.
    #[error("no record says where reports go: {0}")]
    NoRecord(#[source] LookupError),
    /// The question was not answered.
    #[error("the question to the DNS was not answered")]
    Unanswered,
    /// Several records are published.
    #[error("several records say where reports go")]
    SeveralRecords,
    /// The record is invalid.
    #[error("the record that says where reports go is invalid: {0}")]
    Invalid(#[source] TermsError),
    /// The domain does not ask to hear of such a failure.
    #[error("no report is asked for about such a failure (rr=)")]
    NotRequested,
    /// The domain asks to hear of some failures, and not of this one.
    #[error("this failure is not among the percentage to be reported (rp=)")]
    NotSampled,
    /// The domain names no address.
    #[error("the record names no address (ra=)")]
    NoAddress,
    /// The domain hears of this message by another signature, the one of this index.
    #[error("the domain hears of the message already")]
    ToldAlready(usize),
}
