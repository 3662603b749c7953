//! What the Author Domains of a message say about its signatures, where that is asked for: ADSP and
//! ATPS.

pub(crate) mod json;
pub(crate) mod text;

use dkim_stack::adsp::AdspFinding;
use dkim_stack::authres::AdspResult;
use dkim_stack::message::Header;
use dkim_stack::{AuthorPractices, PracticesCheck, Resolver, TrustedResults, Verification};

use crate::provider::provider;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) adsp: bool,
    pub(crate) atps: bool,
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
    ) -> AuthorPractices {
        if !self.adsp && !self.atps {
            return AuthorPractices::default();
        }
        let mut check = PracticesCheck::new(header, found).trusting(trusted);
        if self.adsp {
            check = check.adsp();
        }
        if self.atps {
            check = check.atps(provider());
        }
        check.ask(dns).await
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
