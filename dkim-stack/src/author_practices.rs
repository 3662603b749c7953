//! What the Author Domains of a message say about its signatures: ADSP and ATPS, in one call.

use std::future::pending;
use std::pin::pin;

use dkim_adsp::{
    AdspCheck, AdspFinding, AtpsCheck, AtpsFinding, Author, AuthorError,
    atps_res_info_without_author, authors_of, res_info_without_author,
};
use dkim_authres::ResInfo;
use dkim_crypto::Provider;
use dkim_dns::{BlockingResolver, Resolver, drive_blocking, drive_until};
use dkim_message::Header;
use dkim_tags::{DomainName, Signature};
use dkim_verify::Verification;

use crate::{Known, TrustedResults};

/// Asks the Author Domains of a message whose signatures were verified.
///
/// A signature of a key in test is none (RFC 6376 §3.6.1 `t=y`), and whom ATPS lets sign has signed
/// for the author when ADSP is asked for (RFC 6541 §6).
///
/// ```
/// use dkim_stack::message::split;
/// use dkim_stack::{PracticesCheck, Policy, Zone, now, provider, verify_blocking};
///
/// let zone = Zone::new()
///     .exists("example.com")
///     .txt("_adsp._domainkey.example.com", "dkim=discardable");
/// let message = b"From: joe@example.com\r\n\r\nHi.\r\n";
/// let (header, _) = split(message);
/// let found = verify_blocking(message, &Policy::rfc(), now(), provider(), &zone);
/// let practices = PracticesCheck::new(&header, &found).adsp().ask_blocking(&zone);
/// assert_eq!(practices.res_infos()[0].result, "discard");
/// ```
#[derive(Clone, Debug)]
pub struct PracticesCheck<'f> {
    authors: Result<Vec<Author>, AuthorError>,
    valid: Vec<&'f Signature>,
    /// Those of the valid signatures, and of all that others say were valid.
    sdids: Vec<DomainName>,
    adsp: bool,
    atps: Option<&'f dyn Provider>,
}

/// What Author Domains say of a message.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuthorPractices {
    /// By ADSP (RFC 5617, Historic), for each author, or why nobody can tell them; `None` if that was
    /// not asked for.
    pub adsp: Option<Result<Vec<AdspFinding>, AuthorError>>,
    /// By ATPS (RFC 6541, Experimental), in the same way.
    pub atps: Option<Result<Vec<AtpsFinding>, AuthorError>>,
}

impl<'f> PracticesCheck<'f> {
    /// Of a message with this header, in which this was found. Nothing is asked yet.
    #[must_use]
    pub fn new(header: &Header<'_>, found: &'f [Verification]) -> Self {
        let valid = found.iter().filter(|found| found.counts());
        let valid: Vec<&Signature> = valid.filter_map(|found| found.signature.as_ref()).collect();
        let sdids = valid.iter().map(|signature| signature.sdid.clone()).collect();
        Self { authors: authors_of(header), valid, sdids, adsp: false, atps: None }
    }

    /// Lets signatures count that a site which is trusted found valid: one that was there "can be
    /// inferred even if one is not present on receipt" (RFC 6377 §5.4).
    #[must_use]
    pub fn trusting<'t>(mut self, trusted: impl IntoIterator<Item = &'t TrustedResults>) -> Self {
        self.sdids.extend(trusted.into_iter().flat_map(TrustedResults::valid_sdids));
        self
    }

    /// Asks for ADSP.
    #[must_use]
    pub fn adsp(self) -> Self {
        Self { adsp: true, ..self }
    }

    /// Asks for ATPS; the provider hashes the names of its records.
    #[must_use]
    pub fn atps(self, provider: &'f dyn Provider) -> Self {
        Self { atps: Some(provider), ..self }
    }

    /// Asks, on any async runtime that the resolver works with. A future that is dropped has told
    /// nothing: [`ask_until`](Self::ask_until) gives up and tells what it has.
    pub async fn ask(self, resolver: &impl Resolver) -> AuthorPractices {
        self.ask_until(resolver, pending()).await
    }

    /// As [`ask`](Self::ask), until something else happens, such as a deadline: what was not found out by
    /// then is `temperror`. Each author may have claims of ATPS that are tested one after the other, and
    /// two questions of ADSP after them, so that who writes a message decides how long all of it takes.
    pub async fn ask_until(
        mut self,
        resolver: &impl Resolver,
        end: impl Future<Output = ()>,
    ) -> AuthorPractices {
        let mut end = pin!(end);
        let mut goes_on = true;
        let mut practices = self.without_authors();
        if let Some(mut check) = self.atps_check() {
            goes_on = drive_until(&mut check, resolver, &mut end).await;
            practices.atps = Some(Ok(self.count(check.finish())));
        }
        if let Some(mut check) = self.adsp_check() {
            if goes_on {
                drive_until(&mut check, resolver, &mut end).await;
            }
            practices.adsp = Some(Ok(check.finish()));
        }
        practices
    }

    /// Asks while the caller waits; otherwise as [`ask`](Self::ask).
    pub fn ask_blocking(mut self, resolver: &(impl BlockingResolver + ?Sized)) -> AuthorPractices {
        let mut practices = self.without_authors();
        if let Some(mut check) = self.atps_check() {
            drive_blocking(&mut check, resolver);
            practices.atps = Some(Ok(self.count(check.finish())));
        }
        if let Some(mut check) = self.adsp_check() {
            drive_blocking(&mut check, resolver);
            practices.adsp = Some(Ok(check.finish()));
        }
        practices
    }

    /// Where nobody can tell the authors, that is all there is to say.
    fn without_authors(&self) -> AuthorPractices {
        let error = || self.authors.as_ref().err().cloned();
        AuthorPractices {
            adsp: error().filter(|_| self.adsp).map(Err),
            atps: error().filter(|_| self.atps.is_some()).map(Err),
        }
    }

    /// RFC 6541 §6: verifiers "MUST test ATPS first".
    fn atps_check(&self) -> Option<AtpsCheck> {
        let authors = self.authors.as_ref().ok()?;
        Some(AtpsCheck::new(authors, self.valid.iter().copied(), self.atps?))
    }

    /// What ATPS confirms counts for ADSP.
    fn count(&mut self, found: Vec<AtpsFinding>) -> Vec<AtpsFinding> {
        self.sdids.extend(found.iter().filter_map(AtpsFinding::authorized).cloned());
        found
    }

    fn adsp_check(&self) -> Option<AdspCheck> {
        let authors = self.authors.as_ref().ok().filter(|_| self.adsp)?;
        Some(AdspCheck::new(authors, &self.sdids))
    }
}

impl AuthorPractices {
    /// The results for an Authentication-Results field (RFC 5617 §5.4, RFC 6541 §8.2).
    #[must_use]
    pub fn res_infos(&self) -> Vec<ResInfo> {
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

    /// For an [`Assessment`](crate::Assessment).
    #[must_use]
    pub fn known(&self) -> Known<'_> {
        fn found<F>(of: &Option<Result<Vec<F>, AuthorError>>) -> &[F] {
            of.as_ref().and_then(|found| found.as_deref().ok()).unwrap_or_default()
        }
        Known { adsp: found(&self.adsp), atps: found(&self.atps), local: None }
    }
}
