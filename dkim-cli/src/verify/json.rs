//! What is found, for programs: one JSON object a message, on one line.

mod domainkeys;

use std::io::{self, Write};

use dkim_stack::authres::AuthenticationResults;
use dkim_stack::message::Header;
use dkim_stack::{TrustedResults, Verification};
use serde::Serialize;

use super::judge::Found;
use super::text::MAX_COVERAGES;
use crate::coverage::Coverage;
use crate::input::Origin;
use crate::json::{SCHEMA, line};
use crate::practices::json as entries;

/// The fields, for `--help`.
pub(super) const HELP: &str = "\
JSON, one object a message, on one line (null where there is no value or it cannot be parsed):
  schema                  1; raised when a change breaks readers
  file                    the file, \"-\" for standard input
  message                 the number of the message in an mbox, from 1
  signatures              one object for each DKIM-Signature field, top to bottom, and behind them
                          one for each DomainKey-Signature field (RFC 4870, Historic):
    index                 counted from 0, for each type anew
    type                  \"dkim\" or \"domainkeys\"
    result                pass, fail, neutral, policy, temperror or permerror (RFC 8601)
    reason                a stable code, see below
    detail                the reason in words
    deviations            codes of what is not as it should be, even if the signature passes
    deviation_details     the same in words, in the same order
    domain                d=, the SDID, as written
    selector              s=, as written
    identity              i=, the AUID
    algorithm             a=
    canonicalization      c=, of header and body; as written if the signature is invalid
    key_bits              length of the key
    signed_fields         the names in h=, in order
    body_length           l=
    unsigned_fields       the names of fields that are not signed, up to a hundred; null behind ten
                          signatures
    body_octets           octets of the canonical body that are signed, if it was hashed
    unsigned_body_octets  those behind them, which l= leaves out
    timestamp, expiration t= and x=, in seconds since 1970
    testing               whether the key says t=y
    sender, sender_field  of \"domainkeys\" only: the sending address, and \"From\" or \"Sender\"
  trusted                 with --trust, one object for each Authentication-Results field that a
                          trusted site has signed:
    site                  its domain
    valid                 d= of the signatures that it found valid
    authentication_results  the body of the field, folded
  adsp                    with --adsp, one object for each Author Domain:
    address, domain       an author in it, and the domain in A-labels
    result                of dkim-adsp (RFC 5617)
    record, practices     what the domain publishes, and what that means
    reason                why the result is that one
  atps                    with --atps, one object for each Author Domain:
    address, domain       as with adsp
    result                of dkim-atps (RFC 6541)
    signer                d= of the signature that is as good as one of the Author Domain
    reason                why that cannot be told
  authentication_results  the body of the field to be added, folded
Of an input that cannot be read, or is no message, there are only schema, file, message, in the
second case an empty list of signatures, and:
  error                   what is wrong
  remedy                  what to do about it
  exit                    the exit code that it causes
";

#[derive(Serialize)]
struct Message<'a> {
    schema: u32,
    file: &'a str,
    message: Option<u64>,
    signatures: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted: Option<Vec<Trusted<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adsp: Option<Vec<entries::Adsp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    atps: Option<Vec<entries::Atps>>,
    authentication_results: String,
}

#[derive(Serialize)]
struct Entry<'a> {
    index: usize,
    r#type: &'static str,
    result: &'static str,
    reason: &'static str,
    detail: String,
    deviations: Vec<&'static str>,
    deviation_details: Vec<String>,
    domain: Option<String>,
    selector: Option<String>,
    identity: Option<String>,
    algorithm: Option<String>,
    canonicalization: Option<String>,
    key_bits: Option<u32>,
    signed_fields: Option<Vec<&'a str>>,
    body_length: Option<u64>,
    unsigned_fields: Option<Vec<String>>,
    body_octets: Option<u64>,
    unsigned_body_octets: Option<u64>,
    timestamp: Option<u64>,
    expiration: Option<u64>,
    testing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_field: Option<&'static str>,
}

#[derive(Serialize)]
struct Trusted<'a> {
    site: &'a str,
    valid: Vec<String>,
    authentication_results: String,
}

impl<'a> From<&'a Verification> for Entry<'a> {
    fn from(found: &'a Verification) -> Self {
        let (claims, signature) = (found.claims(), found.signature.as_ref());
        let key = found.key_record.as_ref().and_then(|record| record.key.as_ref());
        Self {
            index: found.index,
            r#type: "dkim",
            result: found.outcome.result().name(),
            reason: found.outcome.reason().code(),
            detail: found.outcome.to_string(),
            deviations: found.deviations.iter().map(|deviation| deviation.code()).collect(),
            deviation_details: found.deviations.iter().map(ToString::to_string).collect(),
            domain: claims.sdid.as_ref().map(|sdid| sdid.as_written().to_owned()),
            selector: claims.selector.as_ref().map(|selector| selector.as_written().to_owned()),
            identity: claims.auid.as_ref().map(ToString::to_string),
            algorithm: claims.algorithm,
            canonicalization: claims.canonicalization,
            key_bits: key.map(|key| key.bits()),
            signed_fields: signature.map(|signature| signature.signed_fields.iter().collect()),
            body_length: signature.and_then(|signature| signature.body_length),
            unsigned_fields: None,
            body_octets: found.body_hash.map(|body| body.hashed),
            unsigned_body_octets: found.body_hash.map(|body| body.seen.saturating_sub(body.hashed)),
            timestamp: signature.and_then(|signature| signature.timestamp).map(|time| time.0),
            expiration: signature.and_then(|signature| signature.expiration).map(|time| time.0),
            testing: found.is_testing(),
            sender: None,
            sender_field: None,
        }
    }
}

impl<'a> From<&'a TrustedResults> for Trusted<'a> {
    fn from(trusted: &'a TrustedResults) -> Self {
        Self {
            site: trusted.site.as_str(),
            valid: trusted.valid_sdids().map(|sdid| sdid.to_string()).collect(),
            authentication_results: trusted.results.field_body(),
        }
    }
}

/// Writes what was found in a message.
pub(super) fn message(
    out: &mut impl Write,
    origin: &Origin,
    header: &Header<'_>,
    found: &Found,
    results: &AuthenticationResults,
) -> io::Result<()> {
    let message = Message {
        schema: SCHEMA,
        file: &origin.file,
        message: origin.number,
        signatures: dkim(&found.dkim, header)
            .chain(found.domainkeys.iter().map(Entry::from))
            .collect(),
        trusted: found.trusted.as_ref().map(|all| all.iter().map(Trusted::from).collect()),
        adsp: found.practices.adsp.as_ref().map(entries::adsp),
        atps: found.practices.atps.as_ref().map(entries::atps),
        authentication_results: results.field_body(),
    };
    line(out, &message)
}

/// An entry for each DKIM-Signature field; of the first it is told what they leave unsigned.
fn dkim<'f>(found: &'f [Verification], header: &Header<'_>) -> impl Iterator<Item = Entry<'f>> {
    let mut to_cover = MAX_COVERAGES;
    found.iter().map(move |found| {
        let mut entry = Entry::from(found);
        if let (Some(signature), Some(left)) = (&found.signature, to_cover.checked_sub(1)) {
            to_cover = left;
            let coverage = Coverage::of(signature, found.index, header);
            entry.unsigned_fields = Some(coverage.unsigned.into_shown());
        }
        entry
    })
}
