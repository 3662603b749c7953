//! ATPS for a message: whether its Author Domains let others sign for them (RFC 6541).

use std::vec;

use dkim_authres::{AtpsResult, ResInfo};
use dkim_crypto::Provider;
use dkim_dns::{Answer, Inquirer, LookupError, Query, QueryId, QueryKind, Record, records};
use dkim_tags::{AtpsError, DomainName, Signature};

use crate::{AtpsRecord, Author, AuthorError, LookupFailure, UnsupportedHash};

/// The method in Authentication-Results (RFC 6541 §8.2).
const METHOD: &str = "dkim-atps";

/// Asks the Author Domains of a message whether they confirm what the signatures found valid claim.
/// An [`Inquirer`]: a driver of dkim-dns serves it, or whoever carries its questions and answers.
///
/// For each Author Domain one question is open at a time, and none after a confirmation (RFC 6541
/// §4.4): a claim costs whoever makes it nothing, and others a question (§9.4).
///
/// ```
/// use dkim_adsp::{AtpsCheck, authors};
/// use dkim_authres::AtpsResult;
/// use dkim_crypto::ring::PROVIDER;
/// use dkim_dns::{Zone, drive_blocking};
/// use dkim_tags::Signature;
///
/// let zone = Zone::new()
///     .txt("one.example.net._atps.example.com", "v=ATPS1; d=one.example.net");
/// // A signature that was verified.
/// let valid = Signature::parse(
///     b"v=1; a=rsa-sha256; d=one.example.net; s=s; h=from; bh=Zm9v; b=Zm9v; \
///       atps=example.com; atpsh=none",
/// )?;
/// let mut check = AtpsCheck::new(&authors(b"joe@example.com")?, [&valid], &PROVIDER);
/// drive_blocking(&mut check, &zone);
/// for finding in check.finish() {
///     assert_eq!(finding.result(), AtpsResult::Pass);
///     assert_eq!(finding.signer().map(|sdid| sdid.as_str()), Some("one.example.net"));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AtpsCheck {
    tests: Vec<Test>,
    next_id: u32,
}

/// The test of an Author Domain.
#[derive(Clone, Debug)]
struct Test {
    author: Author,
    /// Claims to be tested yet.
    claims: vec::IntoIter<Claim>,
    step: Step,
    /// The result if none of the claims is confirmed, and why.
    otherwise: (AtpsResult, Option<AtpsFailure>),
}

#[derive(Clone, Debug)]
enum Step {
    Ask,
    Wait { id: QueryId, sdid: DomainName },
    Confirmed { sdid: DomainName },
    Failed(AtpsFailure),
}

/// Who claims to sign for the Author Domain, and the name of the record that confirms it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Claim {
    sdid: DomainName,
    name: String,
}

impl AtpsCheck {
    /// A check of these authors against the signatures that are valid and acceptable, and no others
    /// (RFC 6541 §4.3): none with a key in test (RFC 6376 §3.6.1 `t=y`;
    /// `dkim_verify::Verification::counts` tells).
    #[must_use]
    pub fn new<'s>(
        authors: &[Author],
        valid: impl IntoIterator<Item = &'s Signature>,
        provider: &dyn Provider,
    ) -> Self {
        let valid: Vec<&Signature> = valid.into_iter().collect();
        let test = |author: &Author| Test::new(author, &valid, provider);
        Self { tests: authors.iter().map(test).collect(), next_id: 0 }
    }

    /// What was found, author by author.
    #[must_use]
    pub fn finish(self) -> Vec<AtpsFinding> {
        self.tests.into_iter().map(Test::finish).collect()
    }
}

impl Test {
    fn new(author: &Author, valid: &[&Signature], provider: &dyn Provider) -> Self {
        let mut claims: Vec<Claim> = Vec::new();
        let mut otherwise = (AtpsResult::None, None);
        for signature in valid {
            let Some(claim) = signature.atps() else { continue };
            // Signed by the Author Domain itself, which needs nobody's leave.
            if author.domain() == Ok(&signature.sdid) {
                continue;
            }
            // RFC 6541 §8.3: `none` without a claim, `fail` if none of them can be confirmed.
            if otherwise.0 == AtpsResult::None {
                otherwise.0 = AtpsResult::Fail;
            }
            let name = match &claim {
                // RFC 6541 §4.3: "If they do not match, the "atps" tag MUST be ignored."
                Ok(claim) if author.domain() != Ok(&claim.author_domain) => continue,
                Ok(claim) => AtpsRecord::name(&signature.sdid, claim, provider)
                    .map_err(AtpsFailure::UnsupportedHash),
                Err(AtpsError::Hash { author_domain, .. })
                    if author.domain() == Ok(author_domain) =>
                {
                    Err(AtpsFailure::Hash)
                }
                Err(_) => continue,
            };
            match name {
                Ok(name) => {
                    let claim = Claim { sdid: signature.sdid.clone(), name };
                    if !claims.contains(&claim) {
                        claims.push(claim);
                    }
                }
                // RFC 6541 §4.3, step 1: "abort the query". No test was made, so that none failed.
                Err(failure) => otherwise = (AtpsResult::PermError, Some(failure)),
            }
        }
        Self { author: author.clone(), claims: claims.into_iter(), step: Step::Ask, otherwise }
    }

    /// The next question, if one is to be asked.
    fn ask(&mut self, id: QueryId) -> Option<Query> {
        let Step::Ask = self.step else { return None };
        // Where there is no room for a name, there is no record.
        let Claim { sdid, name } = self.claims.find(|claim| claim.name.len() <= Query::MAX_NAME)?;
        self.step = Step::Wait { id, sdid };
        Some(Query { id, name, kind: QueryKind::Txt })
    }

    /// RFC 6541 §4.4: the first confirmation is enough, any failure is the end, and without an
    /// answer or a valid record in it the next claim is tested.
    fn answer(&mut self, answer: Answer) {
        let Step::Wait { sdid, .. } = &self.step else { return };
        self.step = match records(&answer) {
            Ok(records) if confirms(records, sdid) => Step::Confirmed { sdid: sdid.clone() },
            Ok(_) | Err(LookupError::NoSuchName | LookupError::NoRecords) => Step::Ask,
            Err(error) => Step::Failed(AtpsFailure::Lookup(error.into())),
        };
    }

    fn finish(self) -> AtpsFinding {
        let (result, failure, signer) = match self.step {
            Step::Confirmed { sdid } => (AtpsResult::Pass, None, Some(sdid)),
            Step::Failed(failure) => (failure.result(), Some(failure), None),
            Step::Ask if self.claims.len() == 0 => (self.otherwise.0, self.otherwise.1, None),
            Step::Ask | Step::Wait { .. } => {
                let failure = AtpsFailure::Lookup(LookupFailure::Unanswered);
                (failure.result(), Some(failure), None)
            }
        };
        AtpsFinding { author: self.author, result, failure, signer }
    }
}

/// Whether one of the records at the name for this SDID lets it sign.
fn confirms(records: &[Record], sdid: &DomainName) -> bool {
    let texts = records.iter().filter_map(|record| record.joined_within(AtpsRecord::MAX_LEN));
    let mut valid = texts.filter_map(|text| AtpsRecord::parse(&text).ok());
    valid.any(|record| record.authorizes(sdid))
}

impl Inquirer for AtpsCheck {
    fn queries(&mut self) -> Vec<Query> {
        let mut queries = Vec::new();
        for test in &mut self.tests {
            if let Some(query) = test.ask(QueryId(self.next_id)) {
                self.next_id = self.next_id.saturating_add(1);
                queries.push(query);
            }
        }
        queries
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        let waits =
            |test: &&mut Test| matches!(test.step, Step::Wait { id: asked, .. } if asked == id);
        if let Some(test) = self.tests.iter_mut().find(waits) {
            test.answer(answer);
        }
    }
}

/// What was found about an Author Domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtpsFinding {
    author: Author,
    result: AtpsResult,
    failure: Option<AtpsFailure>,
    signer: Option<DomainName>,
}

impl AtpsFinding {
    /// The author.
    #[must_use]
    pub fn author(&self) -> &Author {
        &self.author
    }

    /// The result (RFC 6541 §8.3), for this Author Domain: the RFC speaks of the message.
    #[must_use]
    pub fn result(&self) -> AtpsResult {
        self.result
    }

    /// Who signed with the Author Domain's leave.
    #[must_use]
    pub fn signer(&self) -> Option<&DomainName> {
        self.signer.as_ref()
    }

    /// Why the test could not be completed.
    #[must_use]
    pub fn failure(&self) -> Option<&AtpsFailure> {
        self.failure.as_ref()
    }

    /// The Author Domain, if it authorized a signer: the message is to be judged "as though it
    /// contained a valid signature" of it (RFC 6541 §5), and by ADSP, too (§6).
    #[must_use]
    pub fn authorized(&self) -> Option<&DomainName> {
        self.signer.as_ref().and_then(|_| self.author.domain().ok())
    }

    /// The result as it goes into Authentication-Results: `dkim-atps=… header.from=…` (RFC 6541
    /// §8.2).
    #[must_use]
    pub fn res_info(&self) -> ResInfo {
        let mut info = ResInfo::new(METHOD, self.result.name());
        if let Some(failure) = &self.failure {
            info = info.reason(failure.to_string());
        }
        info.prop("header", "from", self.author.address().to_string())
    }
}

/// The result where it cannot be told who the authors are, as
/// [`res_info_without_author`](crate::res_info_without_author) has it for ADSP.
#[must_use]
pub fn atps_res_info_without_author(error: &AuthorError) -> ResInfo {
    ResInfo::new(METHOD, AtpsResult::PermError.name()).reason(error.to_string())
}

/// Why it could not be found out whether an Author Domain confirms a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AtpsFailure {
    /// The claim names no hash of DKIM.
    #[error("the claim has no tag atpsh=, or an unknown hash there")]
    Hash,
    /// The cryptographic library does not offer the hash.
    #[error(transparent)]
    UnsupportedHash(UnsupportedHash),
    /// The DNS gave no answer.
    #[error(transparent)]
    Lookup(LookupFailure),
}

impl AtpsFailure {
    fn result(&self) -> AtpsResult {
        match self {
            Self::Lookup(LookupFailure::Temporary(_) | LookupFailure::Unanswered) => {
                AtpsResult::TempError
            }
            Self::Lookup(_) | Self::Hash | Self::UnsupportedHash(_) => AtpsResult::PermError,
        }
    }
}
