//! What Author Domains say, for programs.

use dkim_stack::DomainName;
use dkim_stack::adsp::{AdspFinding, AtpsFinding, AuthorError};
use dkim_stack::authres::AdspResult;
use serde::Serialize;

use super::reason as why;

/// An Author Domain and its result by ADSP.
#[derive(Serialize)]
pub(crate) struct Adsp {
    address: Option<String>,
    domain: Option<String>,
    result: &'static str,
    record: Option<String>,
    practices: Option<&'static str>,
    reason: Option<String>,
}

/// An Author Domain and its result by ATPS.
#[derive(Serialize)]
pub(crate) struct Atps {
    address: Option<String>,
    domain: Option<String>,
    result: &'static str,
    signer: Option<String>,
    reason: Option<String>,
}

/// The result where nobody can tell the authors.
const UNREADABLE: &str = AdspResult::PermError.name();

/// One object for each author, or one without author that says why there is none.
pub(crate) fn adsp(found: &Result<Vec<AdspFinding>, AuthorError>) -> Vec<Adsp> {
    let of_author = |finding: &AdspFinding| Adsp {
        address: Some(finding.author().address().to_string()),
        domain: finding.author().domain().ok().map(DomainName::to_string),
        result: finding.result().name(),
        record: finding.record().map(|record| record.to_text()),
        practices: finding.record().map(|record| record.practices().name()),
        reason: Some(why(finding)),
    };
    match found {
        Ok(found) => found.iter().map(of_author).collect(),
        Err(error) => vec![Adsp {
            address: None,
            domain: None,
            result: UNREADABLE,
            record: None,
            practices: None,
            reason: Some(error.to_string()),
        }],
    }
}

/// One object for each author, or one without author that says why there is none.
pub(crate) fn atps(found: &Result<Vec<AtpsFinding>, AuthorError>) -> Vec<Atps> {
    let of_author = |finding: &AtpsFinding| Atps {
        address: Some(finding.author().address().to_string()),
        domain: finding.author().domain().ok().map(DomainName::to_string),
        result: finding.result().name(),
        signer: finding.signer().map(DomainName::to_string),
        reason: finding.failure().map(ToString::to_string),
    };
    match found {
        Ok(found) => found.iter().map(of_author).collect(),
        Err(error) => vec![Atps {
            address: None,
            domain: None,
            result: UNREADABLE,
            signer: None,
            reason: Some(error.to_string()),
        }],
    }
}
