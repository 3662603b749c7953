//! The codes that `dkim verify` gives, for people.

use std::fmt::Write;

/// Every reason code with the result it comes with, and what it means.
const REASONS: [(&str, &str, &str); 45] = [
    ("ok", "pass", "the signature is valid and accepted"),
    ("body-hash-mismatch", "fail", "the body was changed"),
    ("signature-mismatch", "fail", "a signed field was changed, or another key signed"),
    ("expired", "fail", "x= has passed"),
    ("syntax", "permerror", "the DKIM-Signature field breaks the grammar"),
    ("duplicate-tag", "permerror", "a tag stands twice"),
    ("missing-tag", "permerror", "a required tag is missing"),
    ("version", "permerror", "v= is not 1"),
    ("bad-algorithm", "permerror", "a= is unknown"),
    ("bad-canonicalization", "permerror", "c= is unknown"),
    ("bad-query-method", "permerror", "q= names no method that is known"),
    ("domain-mismatch", "permerror", "the domain of i= is not within d="),
    ("from-not-signed", "permerror", "h= does not name From"),
    ("from-missing", "permerror", "the message has no From field"),
    ("malformed-header", "permerror", "the header is not one by RFC 5322"),
    ("l-too-long", "permerror", "l= is larger than the body"),
    ("key-missing", "permerror", "there is no key record"),
    ("key-syntax", "permerror", "the key record or the key in it is malformed"),
    ("key-version", "permerror", "the key record is not of version DKIM1"),
    ("key-unusable", "permerror", "the key is too long, or one under which anyone can sign"),
    ("key-type", "permerror", "the key is of another type than the signature"),
    ("key-hash", "permerror", "the key is not for this hash algorithm"),
    ("key-service", "permerror", "the key is not for electronic mail"),
    ("key-revoked", "permerror", "the key was revoked"),
    ("strict-domain", "permerror", "the key allows no i= in a subdomain of d="),
    ("key-unavailable", "temperror", "the DNS gave no answer; try again later"),
    ("unsupported-algorithm", "neutral", "the cryptographic library lacks the algorithm"),
    ("weak-algorithm", "policy", "rsa-sha1; --allow-sha1 accepts it"),
    ("key-weak", "policy", "an RSA key shorter than --min-key-bits, or than 1024 bits"),
    ("multiple-from", "policy", "there is more than one From field"),
    ("unsigned-duplicate", "policy", "a second Subject or the like is not signed"),
    ("body-not-fully-signed", "policy", "l= leaves octets of the body unsigned"),
    ("single-label-domain", "policy", "d= is a top-level domain"),
    ("unacceptable-domain", "policy", "d= is on the list of domains that sign for nobody"),
    ("future", "policy", "t= is in the future"),
    ("limit-signatures", "policy", "more signatures than are judged"),
    ("limit-queries", "policy", "more questions to the DNS than are asked"),
    ("limit-header", "policy", "the header is longer than is judged"),
    ("limit-tags", "policy", "more tags than are read"),
    ("limit-signed-fields", "policy", "more names in h= than are looked for"),
    ("limit-items", "policy", "more items in q= or z= than are read"),
    ("limit-body-hashes", "policy", "more different body hashes than are computed"),
    ("limit-key-record", "policy", "the key record is longer than is read"),
    ("limit-key-records", "policy", "more key records at one name than are tried"),
    ("limit-cname-hops", "policy", "more CNAME records in a row than are followed"),
];

/// Every code of a deviation, and what it means.
const DEVIATIONS: [(&str, &str); 13] = [
    ("weak-algorithm", "a= is rsa-sha1"),
    ("short-key", "an RSA key of fewer than 2048 bits"),
    ("body-not-fully-signed", "l= leaves octets of the body unsigned"),
    ("multiple-from", "there is more than one From field"),
    ("malformed-header", "the header is not one by RFC 5322"),
    ("unsigned-duplicate", "a second Subject or the like is not signed"),
    ("single-label-domain", "d= is a top-level domain"),
    ("unacceptable-domain", "d= is on the list of domains that sign for nobody"),
    ("expired", "x= has passed"),
    ("future", "t= is in the future"),
    ("several-key-records", "several records stand at the key's name"),
    ("key-without-version", "the key record has no v=DKIM1"),
    ("testing", "the key says t=y: the domain is testing DKIM"),
];

/// The tables for people.
pub(crate) fn help() -> String {
    let mut text = "Reasons, and the results they come with:\n".to_owned();
    // Writing to a string does not fail.
    for (code, result, meaning) in REASONS {
        let _ = writeln!(text, "  {code:<22} {result:<10} {meaning}");
    }
    text.push_str("\nDeviations, of signatures that pass too if the policy accepts them:\n");
    for (code, meaning) in DEVIATIONS {
        let _ = writeln!(text, "  {code:<22} {meaning}");
    }
    text
}
