//! The lookup of RFC 5617 §4.3: does the Author Domain exist, and what does it publish.

use dkim_dns::{Answer, Inquirer, LookupError, Query, QueryId, QueryKind, records};
use dkim_tags::DomainName;

use crate::{AdspError, AdspRecord};

/// More TXT records than this at one name are not looked at.
const MAX_RECORDS: usize = 20;

const SCOPE: QueryId = QueryId(0);
const RECORD: QueryId = QueryId(1);

/// Looks up the practices of one Author Domain. An [`Inquirer`]: a driver of dkim-dns serves it, or
/// whoever carries its questions and answers.
///
/// The second question is asked only after the first was answered, and only if it must be: RFC
/// 5617 §4.3 would have unnecessary ones avoided.
#[derive(Clone, Debug)]
pub struct AdspLookup {
    domain: DomainName,
    step: Step,
    ignored: Vec<AdspError>,
}

#[derive(Clone, Debug)]
enum Step {
    /// A question is to be asked.
    Ask(QueryId),
    /// It was asked.
    Wait(QueryId),
    Done(Result<Option<AdspRecord>, LookupFailure>),
}

impl AdspLookup {
    /// A lookup for this Author Domain.
    #[must_use]
    pub fn new(author_domain: &DomainName) -> Self {
        Self { domain: author_domain.clone(), step: Step::Ask(SCOPE), ignored: Vec::new() }
    }

    /// Why records that were found do not count, if there were such. RFC 5617 §4.1 lets them be
    /// logged.
    #[must_use]
    pub fn ignored(&self) -> &[AdspError] {
        &self.ignored
    }

    /// What was found: a record, or that the domain exists and has none.
    ///
    /// # Errors
    /// [`LookupFailure`], if that could not be found out, and for a domain that does not exist.
    pub fn finish(self) -> Result<Option<AdspRecord>, LookupFailure> {
        match self.step {
            Step::Done(result) => result,
            Step::Ask(_) | Step::Wait(_) => Err(LookupFailure::Unanswered),
        }
    }

    /// RFC 5617 §4.3, "Check Domain Scope": "if the result of this query is that the Author Domain
    /// does not exist in the DNS […], the algorithm MUST terminate with an error". "NODATA is not
    /// the same as NXDOMAIN".
    fn scope(&self, answer: Answer) -> Step {
        match records(&answer) {
            Ok(_) | Err(LookupError::NoRecords) if self.record_name().len() > Query::MAX_NAME => {
                Step::Done(Ok(None))
            }
            Ok(_) | Err(LookupError::NoRecords) => Step::Ask(RECORD),
            Err(LookupError::NoSuchName) => Step::Done(Err(LookupFailure::NoSuchDomain)),
            Err(error) => Step::Done(Err(error.into())),
        }
    }

    fn record_name(&self) -> String {
        AdspRecord::name(&self.domain)
    }
}

impl Inquirer for AdspLookup {
    fn queries(&mut self) -> Vec<Query> {
        let Step::Ask(id) = self.step else { return Vec::new() };
        self.step = Step::Wait(id);
        let (name, kind) = if id == SCOPE {
            (self.domain.as_str().to_owned(), QueryKind::Exists)
        } else {
            (self.record_name(), QueryKind::Txt)
        };
        vec![Query { id, name, kind }]
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        if !matches!(self.step, Step::Wait(asked) if asked == id) {
            return;
        }
        self.step = if id == SCOPE {
            self.scope(answer)
        } else {
            Step::Done(record(answer, &mut self.ignored))
        };
    }
}

/// RFC 5617 §4.3, "Fetch Named ADSP Record": a single valid record is used; NXDOMAIN or no records
/// is none. For several, or one that is not valid, "the ADSP result is undefined"; but §4.1 has
/// records that do not comply "ignored (considered equivalent to a NODATA result)". Our choice:
/// ignore those first (a wildcard puts foreign records here), then refuse several.
fn record(
    answer: Answer,
    ignored: &mut Vec<AdspError>,
) -> Result<Option<AdspRecord>, LookupFailure> {
    let records = match records(&answer) {
        Ok(records) => records,
        Err(LookupError::NoSuchName | LookupError::NoRecords) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if records.len() > MAX_RECORDS {
        return Err(LookupFailure::SeveralRecords);
    }
    let mut valid = Vec::new();
    for record in records {
        let text = record.joined_within(AdspRecord::MAX_LEN).ok_or(AdspError::TooLong);
        match text.and_then(|text| AdspRecord::parse(&text)) {
            Ok(record) => valid.push(record),
            Err(error) => ignored.push(error),
        }
    }
    match valid.len() {
        ..=1 => Ok(valid.pop()),
        _ => Err(LookupFailure::SeveralRecords),
    }
}

/// Why a lookup gave no practices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupFailure {
    /// The Author Domain does not exist: it is out of the scope of ADSP (RFC 5617 §3.1).
    #[error("the Author Domain does not exist")]
    NoSuchDomain,
    /// More than one valid record is published.
    #[error("several ADSP records are published")]
    SeveralRecords,
    /// The DNS gave no answer; another attempt may have one.
    #[error("a temporary failure of the DNS")]
    Temporary(#[source] LookupError),
    /// The DNS gave no answer, and will not.
    #[error("a permanent failure of the DNS")]
    Permanent(#[source] LookupError),
    /// The lookup was finished while a question was open.
    #[error("a question to the DNS was not answered")]
    Unanswered,
}

impl From<LookupError> for LookupFailure {
    fn from(error: LookupError) -> Self {
        if error.is_temporary() { Self::Temporary(error) } else { Self::Permanent(error) }
    }
}
