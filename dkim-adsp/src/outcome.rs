//! From signatures and practices to the words of Authentication-Results (RFC 5617 §5.4).

use dkim_authres::{AdspResult, ResInfo};
use dkim_tags::DomainName;

use crate::{Adsp, AdspRecord, Author, AuthorError, LookupFailure};

/// The method in Authentication-Results (RFC 5617 §5.3).
const METHOD: &str = "dkim-adsp";

/// Whether one of the signatures found valid, given by their SDIDs, is an Author Domain Signature
/// (RFC 5617 §2.7). If so, no lookup is needed (RFC 5617 §3.2).
///
/// The names must be the same: "ADSP makes no connection between a domain and its parent or child
/// domains" (RFC 5617 §3.1).
pub fn has_author_domain_signature<'a>(
    author_domain: &DomainName,
    valid_sdids: impl IntoIterator<Item = &'a DomainName>,
) -> bool {
    valid_sdids.into_iter().any(|sdid| sdid == author_domain)
}

/// The result for one Author Domain, from the SDIDs of the signatures found valid and from what
/// [`AdspLookup::finish`](crate::AdspLookup::finish) gave.
///
/// A message may have several Author Domains. How to put their results together is not for ADSP
/// to say (RFC 5617 §3).
///
/// ```
/// use dkim_adsp::{AdspRecord, evaluate};
/// use dkim_authres::AdspResult;
/// use dkim_tags::DomainName;
///
/// let author_domain = DomainName::parse("example.com")?;
/// let sdid = DomainName::parse("mail.example.com")?;
/// let published = Ok(Some(AdspRecord::parse(b"dkim=all")?));
/// assert_eq!(evaluate(&author_domain, &[sdid], &published), AdspResult::Fail);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate<'a>(
    author_domain: &DomainName,
    valid_sdids: impl IntoIterator<Item = &'a DomainName>,
    lookup: &Result<Option<AdspRecord>, LookupFailure>,
) -> AdspResult {
    // RFC 5617 §5.4: "a valid Author Domain Signature satisfies all possible ADSP policies".
    if has_author_domain_signature(author_domain, valid_sdids) {
        return AdspResult::Pass;
    }
    match lookup {
        Ok(None) => AdspResult::None,
        Ok(Some(record)) => match record.practices() {
            Adsp::Unknown => AdspResult::Unknown,
            Adsp::All => AdspResult::Fail,
            Adsp::Discardable => AdspResult::Discard,
        },
        Err(LookupFailure::NoSuchDomain) => AdspResult::NxDomain,
        Err(LookupFailure::Temporary(_) | LookupFailure::Unanswered) => AdspResult::TempError,
        Err(LookupFailure::SeveralRecords | LookupFailure::Permanent(_)) => AdspResult::PermError,
    }
}

/// The result as it goes into Authentication-Results: `dkim-adsp=… header.from=…` (RFC 5617 §5.3).
#[must_use]
pub fn res_info(author: &Author, result: AdspResult) -> ResInfo {
    ResInfo::new(METHOD, result.name()).prop("header", "from", author.address().to_string())
}

/// The result where it cannot be told who the authors are: `permerror`, with the reason. No RFC
/// speaks of this; to say less would let a From field that nobody can read pass for one in order.
#[must_use]
pub fn res_info_without_author(error: &AuthorError) -> ResInfo {
    ResInfo::new(METHOD, AdspResult::PermError.name()).reason(error.to_string())
}
