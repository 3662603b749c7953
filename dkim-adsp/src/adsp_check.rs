//! ADSP for a whole message: every Author Domain of it (RFC 5617 §3).

use dkim_authres::{AdspResult, ResInfo};
use dkim_dns::{Answer, Inquirer, Query, QueryId};
use dkim_tags::DomainName;

use crate::{
    AdspLookup, AdspRecord, Author, LookupFailure, OutOfScope, evaluate,
    has_author_domain_signature, res_info,
};

/// Looks up the practices of all Author Domains of a message that have not signed it, each
/// "independently" (RFC 5617 §3). An [`Inquirer`], as [`AdspLookup`] is for one domain.
///
/// ```
/// use dkim_adsp::{AdspCheck, authors, gravest};
/// use dkim_authres::AdspResult;
/// use dkim_dns::{Zone, drive_blocking};
/// use dkim_tags::DomainName;
///
/// let zone = Zone::new().exists("b.example").txt("_adsp._domainkey.b.example", "dkim=discardable");
/// let signed_by = [DomainName::parse("a.example")?];
/// let mut check = AdspCheck::new(&authors(b"x@a.example, y@b.example")?, &signed_by);
/// drive_blocking(&mut check, &zone);
/// let findings = check.finish();
/// let results: Vec<_> = findings.iter().map(|finding| finding.result().name()).collect();
/// assert_eq!(results, ["pass", "discard"]);
/// assert_eq!(gravest(&findings), Some(AdspResult::Discard));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AdspCheck {
    tests: Vec<(Author, Test)>,
}

/// What there is to do about an Author Domain.
#[derive(Clone, Debug)]
enum Test {
    Signed,
    OutOfScope(OutOfScope),
    Lookup(AdspLookup),
}

impl AdspCheck {
    /// A check of these authors against the SDIDs of the signatures found valid, which none with a key
    /// in test is (RFC 6376 §3.6.1 `t=y`; `dkim_verify::Verification::counts` tells). Where ATPS was
    /// tested, the Author Domains that authorized a signer count among them (RFC 6541 §6).
    #[must_use]
    pub fn new<'a>(
        authors: &[Author],
        valid_sdids: impl IntoIterator<Item = &'a DomainName>,
    ) -> Self {
        let valid_sdids: Vec<_> = valid_sdids.into_iter().collect();
        let test = |author: &Author| match author.domain() {
            // RFC 5617 §3.2: with an Author Domain Signature "ADSP provides no benefit", and §4.3:
            // "implementations SHOULD avoid doing unnecessary DNS lookups".
            Ok(domain) if has_author_domain_signature(domain, valid_sdids.iter().copied()) => {
                Test::Signed
            }
            Ok(domain) => Test::Lookup(AdspLookup::new(domain)),
            Err(why) => Test::OutOfScope(why),
        };
        Self { tests: authors.iter().map(|author| (author.clone(), test(author))).collect() }
    }

    /// What was found, author by author.
    #[must_use]
    pub fn finish(self) -> Vec<AdspFinding> {
        let finding = |(author, test)| AdspFinding {
            author,
            practices: match test {
                Test::Signed => Practices::NotNeeded,
                Test::OutOfScope(why) => Practices::OutOfScope(why),
                Test::Lookup(lookup) => Practices::LookedUp(lookup.finish()),
            },
        };
        self.tests.into_iter().map(finding).collect()
    }
}

/// Each lookup has so many ids of questions.
const IDS: u32 = 2;

impl Inquirer for AdspCheck {
    fn queries(&mut self) -> Vec<Query> {
        let mut queries = Vec::new();
        for (index, (_, test)) in (0..).zip(&mut self.tests) {
            if let Test::Lookup(lookup) = test {
                let renumbered =
                    |query: Query| Query { id: QueryId(index * IDS + query.id.0), ..query };
                queries.extend(lookup.queries().into_iter().map(renumbered));
            }
        }
        queries
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        let test = usize::try_from(id.0 / IDS).ok().and_then(|index| self.tests.get_mut(index));
        if let Some((_, Test::Lookup(lookup))) = test {
            lookup.answer(QueryId(id.0 % IDS), answer);
        }
    }
}

/// What was found about an Author Domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdspFinding {
    author: Author,
    practices: Practices,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Practices {
    NotNeeded,
    OutOfScope(OutOfScope),
    LookedUp(Result<Option<AdspRecord>, LookupFailure>),
}

impl AdspFinding {
    /// The author.
    #[must_use]
    pub fn author(&self) -> &Author {
        &self.author
    }

    /// The result (RFC 5617 §5.4). A domain out of the scope of ADSP is one that "does not exist in
    /// the DNS" (RFC 5617 §3.3), whatever keeps it from there.
    #[must_use]
    pub fn result(&self) -> AdspResult {
        match (&self.practices, self.author.domain()) {
            (Practices::NotNeeded, _) => AdspResult::Pass,
            (Practices::LookedUp(found), Ok(domain)) => evaluate(domain, &[], found),
            (Practices::OutOfScope(_), _) | (_, Err(_)) => AdspResult::NxDomain,
        }
    }

    /// The record that the result rests on.
    #[must_use]
    pub fn record(&self) -> Option<&AdspRecord> {
        match &self.practices {
            Practices::LookedUp(Ok(record)) => record.as_ref(),
            _ => None,
        }
    }

    /// Why there are no practices, if there should be some.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match &self.practices {
            Practices::LookedUp(Err(failure)) => Some(failure.to_string()),
            Practices::OutOfScope(why) => Some(why.to_string()),
            Practices::NotNeeded | Practices::LookedUp(Ok(_)) => None,
        }
    }

    /// The result for Authentication-Results: [`res_info`], with the reason of a failure.
    #[must_use]
    pub fn res_info(&self) -> ResInfo {
        let info = res_info(&self.author, self.result());
        match self.failure() {
            Some(why) => info.reason(why),
            None => info,
        }
    }
}

/// Of the results of several authors, the one to heed first; `None` of none.
///
/// RFC 5617 §3 "does not address the process a host might use to combine the lookup results". Ours:
/// whoever's practices were broken comes first, then those that could not be had, then the rest.
#[must_use]
pub fn gravest(findings: &[AdspFinding]) -> Option<AdspResult> {
    const ORDER: [AdspResult; 8] = [
        AdspResult::Discard,
        AdspResult::Fail,
        AdspResult::NxDomain,
        AdspResult::TempError,
        AdspResult::PermError,
        AdspResult::Unknown,
        AdspResult::None,
        AdspResult::Pass,
    ];
    ORDER.into_iter().find(|result| findings.iter().any(|finding| finding.result() == *result))
}
