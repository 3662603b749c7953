//! DomainKeys (RFC 4870): its signatures read, and verified over any message.

use arbitrary::Unstructured;
use dkim_crypto::HashAlgorithm;
use dkim_dns::{Answer, Found, Inquirer, LookupError, QueryId, Record};
use dkim_domainkeys::{
    Canonicalization, Outcome, Policy, Sender, SendingPolicy, Signature, Signs, Treatment,
    Verification, Verifier, most_appropriate,
};
use dkim_message::split;
use dkim_tags::value::to_base64;
use dkim_tags::{DomainName, TagList};

use crate::body_hash::digest;
use crate::made_up;
use crate::pieces::pieces;
use crate::providers::{Accepting, PlainHash};
use crate::said::unless_refused;

/// What is read of a field says what its tags say, and no more than RFC 4870's grammar allows.
pub fn domainkeys_signature(data: &[u8]) {
    let Some(signature) = unless_refused(Signature::parse(data)) else { return };
    let tags = TagList::parse(data).expect("a signature is a tag-list");
    assert!(tags.tags().iter().all(|tag| tag.name().len() == 1 && tag.value().is_ascii()));
    assert_eq!(tags.value("a").unwrap_or("rsa-sha1"), signature.algorithm.name());
    assert_eq!(tags.value("c"), Some(signature.canonicalization.name()));
    assert_eq!(tags.value("q"), Some("dns"));
    assert!(!signature.signature.is_empty());
    let names = signature.signed_fields.as_ref();
    assert_eq!(names.is_some(), tags.get("h").is_some());
    assert!(names.is_none_or(|names| (1..=Signature::MAX_FIELDS).contains(&names.len())));
    // Written anew it reads as the same.
    let h = names.map_or_else(String::new, |names| format!("; h={names}"));
    let again = format!(
        "b={}; c={}; d={}; q=dns; s={}{h}",
        to_base64(&signature.signature),
        signature.canonicalization,
        signature.domain,
        signature.selector
    );
    let again = Signature::parse(again.as_bytes()).expect("what was read can be written");
    let names = |names: &Signature| names.signed_fields.as_ref().map(ToString::to_string);
    assert_eq!((&again.signature, &again.domain), (&signature.signature, &signature.domain));
    assert_eq!(names(&again), names(&signature));
}

/// A signature made up, written and read.
pub fn domainkeys_value(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok((wanted, policy)) = made_up::domainkeys(&mut u) else { return };
    let read = Signature::parse(wanted.field_body.as_bytes()).expect("what the grammar allows");
    assert_eq!(read.canonicalization, wanted.canonicalization);
    assert_eq!((&read.domain, &read.selector), (&wanted.domain, &wanted.selector));
    assert_eq!(read.signature, wanted.signature);
    let names = read.signed_fields.as_ref().map(|names| names.iter().collect::<Vec<_>>());
    let wanted_names = wanted.names.iter().map(dkim_tags::FieldName::as_str).collect::<Vec<_>>();
    assert_eq!(names.unwrap_or_default(), wanted_names);
    // So is a policy: it has no value that is not in its text.
    let read = SendingPolicy::parse(policy.as_bytes()).expect("what the grammar allows");
    assert_eq!(SendingPolicy::parse(read.to_text().as_bytes()), Ok(read));
}

/// What is read of a policy record and written reads as the same.
pub fn domainkeys_policy(data: &[u8]) {
    let Some(policy) = unless_refused(SendingPolicy::parse(data)) else { return };
    let tags = TagList::parse(data).expect("a policy is a tag-list");
    assert!(tags.get("v").is_none());
    assert_eq!(policy.signs == Signs::All, tags.value("o") == Some("-"));
    let text = policy.to_text();
    assert!(text.is_ascii() && !text.contains(['\r', '\n']));
    assert_eq!(SendingPolicy::parse(text.as_bytes()), Ok(policy));
}

/// A message as it stands, to a provider that takes every signature; and the same message signed.
pub fn domainkeys_message(data: &[u8]) {
    let mut archive = Policy::default();
    archive.sha1 = Treatment::Accept;
    let found = verify(data, &archive, false);
    assert_eq!(format!("{found:?}"), format!("{:?}", verify(data, &archive, true)));
    let (header, _) = split(data);
    let fields = header.named(Signature::FIELD_NAME).count();
    assert_eq!(found.len(), fields.min(archive.limits.listed));
    for (place, one) in found.iter().enumerate() {
        assert_eq!(one.index, place);
        let info = one.res_info();
        assert!(one.deviations.iter().all(|d| !d.to_string().is_empty()));
        assert_eq!((info.method.as_str(), info.get("header", "b")), ("domainkeys", None));
        if one.passes() {
            assert_passes_by_right(one);
            assert!(most_appropriate(&found).is_some());
        }
    }
    // RFC 8301: nothing passes unasked.
    assert!(!verify(data, &Policy::default(), false).iter().any(Verification::passes));
    for canonicalization in Canonicalization::ALL {
        assert_signed_verifies(data, *canonicalization, &archive);
    }
}

fn assert_passes_by_right(found: &Verification) {
    let signature = found.signature.as_ref().expect("what passes was read");
    let sender = found.sender.as_ref().expect("what passes has a sender");
    assert!(sender.domain().is_within(&signature.domain));
    assert!(signature.domain.as_str().contains('.'));
    let names = signature.signed_fields.as_ref();
    assert!(names.is_none_or(|names| names.contains(sender.field().name())));
    let key = found.key.as_ref().expect("what passes has a key");
    assert!(key.allows(&sender.address().local_part));
    assert!(key.record().key.as_ref().is_some_and(|key| key.bits() >= 1024));
}

/// A signature over what the whole-message twin makes of it, where there is a sender to sign for.
fn assert_signed_verifies(message: &[u8], canonicalization: Canonicalization, policy: &Policy) {
    let (header, body) = split(message);
    let Some(sender) = unless_refused(Sender::of(&header)) else { return };
    // A host with underscores has a name that no `d=` may be.
    let is_sdid = DomainName::parse(sender.domain().as_written()).is_ok();
    if !header.defects().is_empty() || sender.domain().is_single_label() || !is_sdid {
        return;
    }
    let fields: Vec<&[u8]> = header.fields().iter().map(|field| field.octets()).collect();
    let b = digest(HashAlgorithm::Sha1, &twin(canonicalization, &fields, body));
    let field = format!(
        "DomainKey-Signature: c={canonicalization}; d={}; q=dns; s=s; b={}\r\n",
        sender.domain(),
        to_base64(b.as_bytes())
    );
    let signed = [field.as_bytes(), message].concat();
    let (header, body) = split(&signed);
    if header.octets().len() > policy.limits.header_octets {
        return;
    }
    let mut verifier = Verifier::new(&header, policy, &PlainHash);
    for query in verifier.queries() {
        verifier.answer(query.id, rsa_key("p="));
    }
    for piece in pieces(body, 1) {
        verifier.body_chunk(piece);
    }
    let found = verifier.finish();
    assert_eq!(found[0].outcome, Outcome::Pass, "{canonicalization}");
}

/// RFC 4870 §3.4.2, line by line over the whole message.
fn twin(canonicalization: Canonicalization, fields: &[&[u8]], body: &[u8]) -> Vec<u8> {
    let stripped = |line: &[u8]| match canonicalization {
        Canonicalization::Simple => line.to_vec(),
        Canonicalization::Nofws => {
            line.iter().copied().filter(|o| ![9, 10, 13, 32].contains(o)).collect()
        }
    };
    let mut lines: Vec<Vec<u8>> = fields.iter().map(|field| stripped(field)).collect();
    lines.push(Vec::new());
    let mut rest = body;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        lines.push(stripped(&rest[..end]));
        rest = &rest[end + 2..];
    }
    lines.push(stripped(rest));
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines.iter().flat_map(|line| [line, &b"\r\n"[..]].concat()).collect()
}

fn rsa_key(terms: &str) -> Answer {
    let p = to_base64(&made_up::rsa_key(2048).to_p_tag());
    let text = terms.replace("p=", &format!("p={p}"));
    let records = [Record { strings: vec![text.into_bytes()] }].into();
    Ok(Found { records, ..Found::default() })
}

/// Verifies with answers that follow from the names asked for, before the body or behind it.
fn verify(message: &[u8], policy: &Policy, body_first: bool) -> Vec<Verification> {
    let (header, body) = split(message);
    let mut verifier = Verifier::new(&header, policy, &Accepting);
    let queries = verifier.queries();
    assert!(queries.len() <= policy.limits.signatures);
    assert_eq!(verifier.queries(), [], "each question is asked once");
    if body_first {
        for piece in pieces(body, 0) {
            verifier.body_chunk(piece);
        }
    }
    for query in &queries {
        let answer = match query.name.len() % 8 {
            0 => Err(LookupError::NoSuchName),
            1 => Err(LookupError::Timeout),
            2 => rsa_key("g=joe; t=y; p="),
            3 => rsa_key("g=; k=rsa; p="),
            _ => rsa_key("v=DKIM1; p="),
        };
        verifier.answer(query.id, answer);
        verifier.answer(QueryId(u32::MAX), Err(LookupError::Timeout));
    }
    if !body_first {
        verifier.body_chunk(body);
    }
    verifier.finish()
}
