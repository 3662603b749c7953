//! What the Author Domains of a message say about its signatures, where that is asked for: ADSP and
//! ATPS.

pub(crate) mod json;
pub(crate) mod text;

use dkim_stack::adsp::{
    AdspCheck, AdspFinding, AtpsCheck, AtpsFinding, Author, AuthorError,
    atps_res_info_without_author, authors_of, res_info_without_author,
};
use dkim_stack::authres::{AdspResult, ResInfo};
use dkim_stack::dns::drive;
use dkim_stack::message::Header;
use dkim_stack::{DomainName, Resolver, Signature, TrustedResults, Verification};

use crate::provider::provider;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) adsp: bool,
    pub(crate) atps: bool,
}

/// What was found; `None` of what was not asked for.
#[derive(Default)]
pub(crate) struct Practices {
    pub(crate) adsp: Option<Result<Vec<AdspFinding>, AuthorError>>,
    pub(crate) atps: Option<Result<Vec<AtpsFinding>, AuthorError>>,
}

impl Wanted {
    /// Asks the Author Domains of a message whose signatures were verified, here and by trusted
    /// sites before.
    pub(crate) async fn ask(
        self,
        header: &Header<'_>,
        found: &[Verification],
        trusted: impl Iterator<Item = &TrustedResults>,
        dns: &impl Resolver,
    ) -> Practices {
        if !self.adsp && !self.atps {
            return Practices::default();
        }
        let authors = match authors_of(header) {
            Ok(authors) => authors,
            Err(error) => {
                let adsp = self.adsp.then(|| Err(error.clone()));
                return Practices { adsp, atps: self.atps.then_some(Err(error)) };
            }
        };
        // RFC 6376 §3.6.1 `t=y`: such mail is not to be treated otherwise than unsigned mail.
        let valid = found.iter().filter(|found| found.passes() && !found.is_testing());
        let valid: Vec<&Signature> = valid.filter_map(|found| found.signature.as_ref()).collect();
        let mut sdids: Vec<DomainName> =
            valid.iter().map(|signature| signature.sdid.clone()).collect();
        // RFC 6541 §6: "MUST test ATPS first", and what it confirms counts for ADSP.
        let atps = if self.atps { Some(atps(&authors, valid, dns).await) } else { None };
        sdids.extend(atps.iter().flatten().filter_map(AtpsFinding::authorized).cloned());
        // RFC 6377 §5.4: a signature that was there "can be inferred even if one is not present on
        // receipt".
        sdids.extend(trusted.flat_map(TrustedResults::valid_sdids));
        let adsp = if self.adsp { Some(adsp(&authors, &sdids, dns).await) } else { None };
        Practices { adsp: adsp.map(Ok), atps: atps.map(Ok) }
    }
}

/// Why an author's result by ADSP is what it is.
pub(crate) fn reason(finding: &AdspFinding) -> String {
    finding.failure().unwrap_or_else(|| {
        match finding.result() {
            AdspResult::Pass => "signed by or for the Author Domain",
            AdspResult::None => "the Author Domain says nothing",
            _ => "not signed by or for the Author Domain",
        }
        .to_owned()
    })
}

async fn atps(authors: &[Author], valid: Vec<&Signature>, dns: &impl Resolver) -> Vec<AtpsFinding> {
    let mut check = AtpsCheck::new(authors, valid, provider());
    drive(&mut check, dns).await;
    check.finish()
}

async fn adsp(authors: &[Author], sdids: &[DomainName], dns: &impl Resolver) -> Vec<AdspFinding> {
    let mut check = AdspCheck::new(authors, sdids);
    drive(&mut check, dns).await;
    check.finish()
}

impl Practices {
    /// For Authentication-Results.
    pub(crate) fn res_infos(&self) -> Vec<ResInfo> {
        let mut infos = Vec::new();
        match &self.atps {
            Some(Ok(found)) => infos.extend(found.iter().map(AtpsFinding::res_info)),
            Some(Err(error)) => infos.push(atps_res_info_without_author(error)),
            None => {}
        }
        match &self.adsp {
            Some(Ok(found)) => infos.extend(found.iter().map(AdspFinding::res_info)),
            Some(Err(error)) => infos.push(res_info_without_author(error)),
            None => {}
        }
        infos
    }
}
