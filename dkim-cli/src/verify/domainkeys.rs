//! DomainKeys beside DKIM: a second verifier, for messages that bear its signatures and no others.

use dkim_stack::dns::drive;
use dkim_stack::domainkeys::{Policy, Signature, Treatment, Verification, Verifier};
use dkim_stack::message::Header;
use dkim_stack::verify::{self, Stance};

use crate::dns::SharedDns;
use crate::provider::provider;

/// What DKIM's policy means for DomainKeys.
pub(super) fn policy(dkim: &dkim_stack::Policy) -> Policy {
    let treatment = |treatment| match treatment {
        verify::Treatment::Accept => Treatment::Accept,
        _ => Treatment::Refuse,
    };
    let mut policy = Policy::default();
    policy.sha1 = treatment(dkim.sha1);
    policy.min_rsa_bits = dkim.min_rsa_bits;
    policy.malformed_header = treatment(dkim.malformed_header);
    policy.single_label_domain = treatment(dkim.single_label_domain);
    policy.unacceptable_domains.clone_from(&dkim.unacceptable_domains);
    policy.testing = treatment(dkim.testing);
    policy.limits.listed = dkim.limits.listed;
    policy.limits.header_octets = dkim.limits.header_octets;
    policy.limits.key_records = dkim.limits.key_records;
    policy
}

/// The verifier of a message that has DomainKey-Signature fields; nothing for any other.
pub(super) struct DomainKeys(Option<Box<Verifier>>);

impl DomainKeys {
    pub(super) fn new(header: &Header<'_>, policy: &Policy) -> Self {
        let has_some = header.fields().positions(Signature::FIELD_NAME).next().is_some();
        Self(has_some.then(|| Box::new(Verifier::new(header, policy, provider()))))
    }

    pub(super) fn unlisted(&self) -> usize {
        self.0.as_ref().map_or(0, |verifier| verifier.unlisted())
    }

    pub(super) fn stance(&self) -> Stance {
        self.0.as_ref().map_or(Stance::Done, |verifier| verifier.stance())
    }

    pub(super) fn body_chunk(&mut self, chunk: &[u8]) {
        if let Some(verifier) = &mut self.0 {
            verifier.body_chunk(chunk);
        }
    }

    /// Asks for the keys, and judges.
    pub(super) async fn judge(self, dns: &SharedDns) -> Vec<Verification> {
        let Some(mut verifier) = self.0 else { return Vec::new() };
        drive(&mut *verifier, dns).await;
        verifier.finish()
    }
}
