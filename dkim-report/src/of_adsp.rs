//! Reports about messages that do not keep their author's signing practices
//! (RFC 6651 §4; Historic, as ADSP is).

use dkim_adsp::{AdspRecord, Author};
use dkim_authres::{AdspResult, AuthenticationResults};
use dkim_tags::DomainName;

use crate::{AdspIncident, AuthFailure, Feedback, ReportAddress, ReportTerms, Unwanted};

/// Where a report about an Author Domain's practices goes, or why there is none.
///
/// `record` is the one that the result rests on, `signed` tells whether any signature of the
/// message passes, and `drawn` is a number at random from 0 to 99.
///
/// Whoever writes a From field names the Author Domain. Ask [`automatic`](crate::automatic) first,
/// and send a domain one report about a message, whatever it is about.
///
/// ```
/// use dkim_adsp::AdspRecord;
/// use dkim_authres::AdspResult;
/// use dkim_report::adsp_decision;
/// use dkim_tags::DomainName;
///
/// let record = AdspRecord::parse(b"dkim=all; ra=dkim-adsp-errors; rr=u")?;
/// let author_domain = DomainName::parse("example.com")?;
/// let address = adsp_decision(&author_domain, &record, AdspResult::Fail, false, 42)?;
/// assert_eq!(address.to_string(), "dkim-adsp-errors@example.com");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Unwanted`], if no report is to be sent.
pub fn adsp_decision(
    author_domain: &DomainName,
    record: &AdspRecord,
    result: AdspResult,
    signed: bool,
    drawn: u8,
) -> Result<ReportAddress, Unwanted> {
    let incident = match result {
        AdspResult::None | AdspResult::Pass | AdspResult::Unknown => return Err(Unwanted::Passes),
        AdspResult::Fail | AdspResult::Discard if signed => AdspIncident::Signed,
        AdspResult::Fail | AdspResult::Discard => AdspIncident::Unsigned,
        AdspResult::NxDomain | AdspResult::TempError | AdspResult::PermError => AdspIncident::Other,
    };
    if author_domain.is_single_label() {
        return Err(Unwanted::SingleLabelDomain);
    }
    let terms = ReportTerms::of_adsp(record).map_err(Unwanted::Invalid)?;
    // RFC 6651 §4: without `ra=`, `rp=` and `rr=` are ignored.
    let address = terms.address(author_domain).ok_or(Unwanted::NoAddress)?;
    if !terms.asks_for(incident) {
        return Err(Unwanted::NotRequested);
    }
    if !terms.samples(drawn) {
        return Err(Unwanted::NotSampled);
    }
    Ok(address)
}

impl Feedback {
    /// What there is to report about a message that does not keep its author's signing practices;
    /// `record` is the text of the record that the result rests on.
    ///
    /// RFC 6591 §3.3: "The DKIM-ADSP-DNS field MUST be included".
    #[must_use]
    pub fn of_adsp(author: &Author, result: AdspResult, record: &str, authserv_id: &str) -> Self {
        let mut feedback = Self::new(AuthFailure::Adsp);
        let info = dkim_adsp::res_info(author, result);
        feedback.authentication_results = vec![AuthenticationResults::new(authserv_id).with(info)];
        // A domain out of the scope of ADSP has no practices that could be reported about.
        let domain = author.domain().map(|domain| domain.as_str().to_owned());
        feedback.reported_domain = domain.into_iter().collect();
        // RFC 6591 §3.2.5: "MUST be formatted per Section 4.2.1 of [ADSP]". What is no such record
        // cannot have been used.
        feedback.dkim_adsp_dns =
            AdspRecord::parse(record.as_bytes()).is_ok().then(|| record.to_owned());
        feedback
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_sent_about_failures_that_are_asked_for() {
        let decide = |record: &str, result, signed, drawn| {
            let record = AdspRecord::parse(record.as_bytes()).unwrap();
            let domain = DomainName::parse("example.com").unwrap();
            adsp_decision(&domain, &record, result, signed, drawn).map(|to| to.to_string())
        };
        let to = || Ok("a@example.com".to_owned());
        assert_eq!(decide("dkim=all; ra=a", AdspResult::Fail, false, 99), to());
        assert_eq!(decide("dkim=discardable; ra=a; rr=s", AdspResult::Discard, true, 0), to());
        let wanted = decide("dkim=all; ra=a; rr=s", AdspResult::Fail, false, 0);
        assert_eq!(wanted, Err(Unwanted::NotRequested));
        let wanted = decide("dkim=all; ra=a; rp=10", AdspResult::Fail, false, 10);
        assert_eq!(wanted, Err(Unwanted::NotSampled));
        assert_eq!(decide("dkim=all", AdspResult::Fail, false, 0), Err(Unwanted::NoAddress));
        let wanted = decide("dkim=all; rp=0; rr=s", AdspResult::Fail, false, 0);
        assert_eq!(wanted, Err(Unwanted::NoAddress));
        for result in [AdspResult::Pass, AdspResult::Unknown, AdspResult::None] {
            assert_eq!(decide("dkim=all; ra=a", result, true, 0), Err(Unwanted::Passes));
        }
        assert!(matches!(
            decide("dkim=all; ra=a@b", AdspResult::Fail, false, 0),
            Err(Unwanted::Invalid(_))
        ));
    }
}
