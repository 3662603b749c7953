//! A DomainKeys signature in the shape of all signatures.

use dkim_stack::domainkeys::Verification;

use super::Entry;

impl<'a> From<&'a Verification> for Entry<'a> {
    fn from(found: &'a Verification) -> Self {
        let (claims, signature) = (found.claims(), found.signature.as_ref());
        let key = found.key.as_ref().and_then(|key| key.record().key.as_ref());
        let names = signature.and_then(|signature| signature.signed_fields.as_ref());
        let sender = found.sender.as_ref();
        Self {
            index: found.index,
            r#type: "domainkeys",
            result: found.outcome.result().name(),
            reason: found.outcome.reason().code(),
            detail: found.outcome.to_string(),
            deviations: found.deviations.iter().map(|deviation| deviation.code()).collect(),
            deviation_details: found.deviations.iter().map(ToString::to_string).collect(),
            domain: claims.sdid.as_ref().map(|sdid| sdid.as_written().to_owned()),
            selector: claims.selector.as_ref().map(|selector| selector.as_written().to_owned()),
            identity: None,
            algorithm: claims.algorithm,
            canonicalization: claims.canonicalization,
            key_bits: key.map(|key| key.bits()),
            signed_fields: names.map(|names| names.iter().collect()),
            body_length: None,
            unsigned_fields: None,
            body_octets: None,
            unsigned_body_octets: None,
            timestamp: None,
            expiration: None,
            testing: found.is_testing(),
            sender: sender.map(|sender| sender.address().to_string()),
            sender_field: sender.map(|sender| sender.field().name()),
        }
    }
}
