//! What a filter and a mailing list make of a message (RFC 5585 §5, RFC 6377).

use dkim_adsp::{AdspCheck, AdspFinding, authors_of};
use dkim_authres::{AdspResult, AuthenticationResults};
use dkim_dns::{Zone, drive_blocking};
use dkim_message::{Header, split};
use dkim_stack::{Assessment, Known, Mediation, TrustedResults};
use dkim_tags::{DomainName, Signature, UnixTime};
use dkim_verify::{Policy, Verification, Verifier};

use crate::made_up;
use crate::providers::Accepting;

const RESULTS: &str = "Authentication-Results";

/// A message as it stands, with a key for each signature and a provider to which each is good.
pub fn assess(data: &[u8]) {
    let (header, body) = split(data);
    let found = verified(&header, body);
    let passing: Vec<&Verification> = found.iter().filter(|found| found.passes()).collect();
    let sdids: Vec<DomainName> =
        passing.iter().filter_map(|found| Some(found.signature.as_ref()?.sdid.clone())).collect();

    let adsp = practices(&header, &sdids);
    for known in [Known::default(), Known { adsp: &adsp, ..Known::default() }] {
        let assessment = Assessment::new(&header, &found, &known);
        let signers: Vec<_> = assessment.signers.iter().map(|signer| &signer.sdid).collect();
        assert_eq!(signers, sdids.iter().collect::<Vec<_>>());
    }
    for finding in &adsp {
        let is_signed = finding.author().domain().is_ok_and(|domain| sdids.contains(domain));
        assert_eq!(finding.result() == AdspResult::Pass, is_signed);
    }

    assert_eq!(TrustedResults::of(&header, &found, &[]), []);
    let trusted = TrustedResults::of(&header, &found, &sdids);
    for one in &trusted {
        let field = header.fields().get(one.position).expect("it stands there");
        assert!(field.is(RESULTS));
        assert_eq!(AuthenticationResults::parse(field.body()).as_ref(), Ok(&one.results));
        let vouches = |found: &&Verification| {
            let signature = found.signature.as_ref().expect("what passes was read");
            signature.sdid == one.site && signature.signed_fields.contains(RESULTS)
        };
        assert!(passing.iter().any(vouches), "nobody has signed it");
        let id = DomainName::parse(&one.results.authserv_id).expect("a name");
        assert!(id.is_within(&one.site));
    }
    let positions: Vec<usize> = trusted.iter().map(|one| one.position).collect();
    assert!(positions.is_sorted_by(|a, b| a < b), "each is told once");

    let own = DomainName::parse("example.com").expect("a name");
    assert_mediated(&header, &found, &own);
}

/// What the Author Domains publish, all of them the same.
fn practices(header: &Header<'_>, sdids: &[DomainName]) -> Vec<AdspFinding> {
    let authors = authors_of(header).unwrap_or_default();
    let domains = authors.iter().filter_map(|author| author.domain().ok());
    let zone = domains.fold(Zone::new(), |zone, domain| {
        zone.exists(domain.as_str()).txt(&format!("_adsp._domainkey.{domain}"), "dkim=discardable")
    });
    let mut check = AdspCheck::new(&authors, sdids);
    drive_blocking(&mut check, &zone);
    check.finish()
}

fn verified(header: &Header<'_>, body: &[u8]) -> Vec<Verification> {
    let now = UnixTime(1_528_637_909);
    let mut verifier = Verifier::new(header, &Policy::lenient(), now, &Accepting);
    drive_blocking(&mut verifier, &made_up::keys_of(header));
    verifier.body_chunk(body);
    verifier.finish()
}

/// A list says one thing about what it found, nobody else says anything, its own signatures are
/// gone, and everything else stands as it did.
fn assert_mediated(header: &Header<'_>, found: &[Verification], own: &DomainName) {
    let mediation = Mediation::new(header, own, "lists.example.com", found, &[]);
    let octets = mediation.header(header);
    let mediated = Header::parse(&octets);
    let results: Vec<_> = mediated.named(RESULTS).collect();
    assert_eq!(results.len(), 1);
    let written = format!(" {}", mediation.results.field_body());
    assert_eq!(results[0].body(), written.as_bytes());
    let read = AuthenticationResults::parse(results[0].body()).expect("it was written just now");
    assert_eq!(read.results.len(), mediation.results.results.len());
    assert_eq!(mediation.results.results.len(), found.len().max(1));

    let is_own = |body: &[u8]| Signature::parse(body).is_ok_and(|made| made.sdid.is_within(own));
    let left = |header: &Header<'_>| -> Vec<Vec<u8>> {
        let goes = |field: &dkim_message::Field<'_>| {
            field.is(RESULTS) || (field.is(Signature::FIELD_NAME) && is_own(field.body()))
        };
        let kept = header.fields().iter().filter(|field| !goes(field));
        kept.map(|field| field.octets().to_vec()).collect()
    };
    assert_eq!(left(&mediated), left(header));
    assert!(!mediated.named(Signature::FIELD_NAME).any(|field| is_own(field.body())));
}
