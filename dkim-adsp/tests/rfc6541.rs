//! The examples of RFC 6541 Appendix A, and what its §4 asks of a verifier.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_adsp::{
    AdspCheck, AtpsCheck, AtpsFailure, AtpsFinding, AtpsRecord, LookupFailure, UnsupportedHash,
    authors,
};
use dkim_authres::{AtpsResult, AuthenticationResults};
use dkim_crypto::{
    Digest, HashAlgorithm, Provider, PublicKey, PublicKeyError, VerifyingKey, ring::PROVIDER,
};
use dkim_dns::{
    Dnssec, Found, Inquirer, LookupError, MAX_CNAME_HOPS, QueryId, QueryKind, Zone, drive_blocking,
};
use dkim_tags::{Atps, AtpsHash, DomainName, Signature};

/// The SHA-1 of one.example.net and two.example.net in base32, as Appendix A prints them.
const ONE: &str = "QSP4I4D24CRHOPDZ3O3ZIU2KSGS3X6Z6._atps.example.com";
const TWO: &str = "ZTZGRRV3F45A4U6HLDKBF3ZCOW4V2AJX._atps.example.com";

/// A signature of this domain that makes this claim, found valid.
fn valid(sdid: &str, claim: &str) -> Signature {
    let tags = format!("v=1; a=rsa-sha256; d={sdid}; s=s; h=from; bh=Zm9v; b=Zm9v; {claim}");
    Signature::parse(tags.as_bytes()).unwrap()
}

/// The two signatures of Appendix A.
fn signatures() -> [Signature; 2] {
    ["one.example.net", "two.example.net"].map(|sdid| valid(sdid, "atps=example.com; atpsh=sha1"))
}

fn check(from: &str, valid: &[Signature]) -> AtpsCheck {
    AtpsCheck::new(&authors(from.as_bytes()).unwrap(), valid, &PROVIDER)
}

fn found(from: &str, valid: &[Signature], zone: &Zone) -> Vec<AtpsFinding> {
    let mut check = check(from, valid);
    drive_blocking(&mut check, zone);
    check.finish()
}

/// The result for mail from example.com.
fn result(valid: &[Signature], zone: &Zone) -> &'static str {
    let [finding] = &found("joe@example.com", valid, zone)[..] else { panic!() };
    finding.result().name()
}

/// The hashes that the RFC prints are right.
#[test]
fn appendix_a_the_names() {
    let name = |sdid, hash| {
        let author_domain = DomainName::parse("Example.COM").unwrap();
        let claim = Atps { author_domain, hash };
        AtpsRecord::name(&DomainName::parse(sdid).unwrap(), &claim, &PROVIDER).unwrap()
    };
    let sha1 = AtpsHash::Hashed(HashAlgorithm::Sha1);
    assert_eq!(name("one.example.net", sha1), ONE);
    assert_eq!(name("two.example.net", sha1), TWO);
    // §4.3, step 3.
    assert_eq!(name("ONE.Example.Net", sha1), ONE);
    // Not of the RFC: the base32 of `printf one.example.net | sha256sum`, without its padding.
    assert_eq!(
        name("one.example.net", AtpsHash::Hashed(HashAlgorithm::Sha256)),
        "SQWHEPKQYG5KRIOG6F7LPEDTTNOIF7DQUSVCO2PCHSH3QUGXAKHA._atps.example.com"
    );
    assert_eq!(name("One.example.net", AtpsHash::Plain), "one.example.net._atps.example.com");
}

/// One question after the other, until one is answered.
#[test]
fn appendix_a_the_steps() {
    let mut check = check("joe@example.com", &signatures());
    let first = check.queries();
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].name.as_str(), first[0].kind), (ONE, QueryKind::Txt));
    assert!(check.queries().is_empty());

    // Step 3: "If a valid reply arrives, the algorithm stops".
    let reply = |zone: Zone, name: &str| {
        zone.answer(&dkim_dns::Query {
            id: QueryId(0),
            name: name.to_owned(),
            kind: QueryKind::Txt,
        })
    };
    let valid_reply = reply(Zone::new().txt(ONE, "v=ATPS1; d=one.example.net"), ONE);
    let mut confirmed = check.clone();
    confirmed.answer(first[0].id, valid_reply.clone());
    assert!(confirmed.queries().is_empty());
    let [finding] = &confirmed.finish()[..] else { panic!() };
    assert_eq!(finding.result(), AtpsResult::Pass);
    assert_eq!(finding.signer().unwrap().as_str(), "one.example.net");
    assert_eq!(finding.authorized().unwrap().as_str(), "example.com");

    // Step 3: "If a DNS error code other than NXDOMAIN is returned, the algorithm stops".
    for (error, result) in [
        (LookupError::Failed("SERVFAIL".to_owned()), AtpsResult::TempError),
        (LookupError::Timeout, AtpsResult::TempError),
        (LookupError::ChainTooLong, AtpsResult::PermError),
    ] {
        let mut failed = check.clone();
        failed.answer(first[0].id, Err(error));
        assert!(failed.queries().is_empty());
        let finding = failed.finish().remove(0);
        assert_eq!((finding.result(), finding.signer()), (result, None));
    }

    // What anybody may have made up confirms nothing, nor does what lies behind too many aliases.
    let found = valid_reply.clone().unwrap();
    let bogus = Found { dnssec: Dnssec::Bogus, ..found.clone() };
    let far = Found { chain: vec!["a.example".to_owned(); MAX_CNAME_HOPS + 1], ..found };
    for (found, result) in [(bogus, AtpsResult::TempError), (far, AtpsResult::PermError)] {
        let mut refused = check.clone();
        refused.answer(first[0].id, Ok(found));
        assert!(refused.queries().is_empty());
        let finding = refused.finish().remove(0);
        assert_eq!((finding.result(), finding.signer()), (result, None));
    }

    // Steps 4 and 5; and answers to what is not asked, or no longer, change nothing.
    check.answer(QueryId(77), valid_reply.clone());
    check.answer(first[0].id, Err(LookupError::NoSuchName));
    check.answer(first[0].id, valid_reply);
    let second = check.queries();
    assert_eq!(second[0].name, TWO);
    assert_eq!(
        check.clone().finish()[0].failure(),
        Some(&AtpsFailure::Lookup(LookupFailure::Unanswered))
    );
    // Step 7 names the result "unknown", which §8.3 does not have; its `fail` is what happened.
    check.answer(second[0].id, Err(LookupError::NoRecords));
    assert!(check.queries().is_empty());
    assert_eq!(check.finish()[0].result(), AtpsResult::Fail);
}

#[test]
fn a_question_not_asked_is_not_answered() {
    let check = check("joe@example.com", &signatures());
    assert_eq!(check.finish()[0].result(), AtpsResult::TempError);
}

/// RFC 6541 §4.4.
#[test]
fn replies() {
    let both = signatures();
    for (record, expected) in [
        ("v=ATPS1; d=one.example.net", "pass"),
        ("v=ATPS1; d=ONE.example.net; x=y", "pass"),
        ("v=ATPS1", "pass"),
        // A collision of hashes: somebody else is meant.
        ("v=ATPS1; d=three.example.net", "fail"),
        // The RFC's words would have it the domain of the atps tag, which signs nothing here.
        ("v=ATPS1; d=example.com", "fail"),
        ("v=ATPS2; d=one.example.net", "fail"),
        ("d=one.example.net", "fail"),
        ("v=ATPS1; d=", "fail"),
        ("v=spf1 -all", "fail"),
        ("", "fail"),
    ] {
        assert_eq!(result(&both, &Zone::new().txt(ONE, record)), expected, "{record}");
    }
    // "at least one answer [...] containing a valid ATPS reply".
    let several = Zone::new().txt(ONE, "v=spf1 -all").txt(ONE, "v=ATPS1; d=one.example.net");
    assert_eq!(result(&both, &several), "pass");
    // The next signer may be the one, unless the DNS fails before.
    let second = Zone::new().txt(TWO, "v=ATPS1");
    assert_eq!(result(&both, &second), "pass");
    assert_eq!(result(&both, &second.clone().fails(ONE)), "temperror");
    assert_eq!(result(&both, &second.times_out(ONE)), "temperror");
    // An alias, and a name that is only above others.
    let alias = Zone::new().cname(ONE, "x.example.org").txt("x.example.org", "v=ATPS1");
    assert_eq!(result(&both, &alias), "pass");
    assert_eq!(result(&both, &Zone::new().exists(&format!("x.{ONE}"))), "fail");
    assert_eq!(result(&both, &Zone::new().cname(ONE, ONE)), "permerror");
    let long = format!("v=ATPS1; x={}", "y".repeat(AtpsRecord::MAX_LEN));
    assert_eq!(result(&both, &Zone::new().txt(ONE, long)), "fail");
}

/// RFC 6541 §4.1 to §4.3 and §8.3.
#[test]
fn claims() {
    let zone = Zone::new()
        .txt("one.example.net._atps.example.com", "v=ATPS1")
        .txt("example.com._atps.example.com", "v=ATPS1")
        .txt("one.example.net._atps.xn--bcher-kva.example", "v=ATPS1");
    let judged = |sdid: &str, claim: &str| result(&[valid(sdid, claim)], &zone);
    assert_eq!(judged("one.example.net", "atps=Example.com; atpsh=none"), "pass");
    assert_eq!(judged("two.example.net", "atps=example.com; atpsh=none"), "fail");
    // No claim, or one for itself.
    assert_eq!(result(&[], &zone), "none");
    assert_eq!(judged("one.example.net", "atpsh=none"), "none");
    assert_eq!(judged("example.com", "atps=example.com; atpsh=none"), "none");
    // "If they do not match, the "atps" tag MUST be ignored."
    for domain in ["example.org", "mail.example.com", "com", "", "a..b"] {
        let claim = format!("atps={domain}; atpsh=none");
        assert_eq!(judged("one.example.net", &claim), "fail", "{domain}");
    }
    assert_eq!(judged("one.example.net", "atps=example.org"), "fail");
    // "abort the query": nothing was tested.
    for claim in ["atps=example.com", "atps=example.com; atpsh=md5", "atps=example.com; atpsh=None"]
    {
        assert_eq!(judged("one.example.net", claim), "permerror", "{claim}");
        let others =
            [valid("x.example", claim), valid("one.example.net", "atps=example.com; atpsh=none")];
        assert_eq!(result(&others, &zone), "pass", "{claim}");
    }
    // Names are those of the DNS.
    let bucher = [valid("one.example.net", "atps=b\u{fc}cher.example; atpsh=none")];
    assert_eq!(found("j@B\u{fc}cher.example", &bucher, &zone)[0].result(), AtpsResult::Pass);
    // No record can stand at a name that is too long for the DNS; hashed it fits.
    let long = format!("{}.example.net", vec!["a".repeat(60); 3].join("."));
    let author = "b".repeat(60);
    let from = format!("joe@{author}.example");
    let claim = |hash| [valid(&long, &format!("atps={author}.example; atpsh={hash}"))];
    assert_eq!(found(&from, &claim("none"), &zone)[0].result(), AtpsResult::Fail);
    assert_eq!(check(&from, &claim("none")).queries(), []);
    let name = AtpsRecord::name(
        &claim("sha256")[0].sdid,
        &claim("sha256")[0].atps().unwrap().unwrap(),
        &PROVIDER,
    );
    let zone = zone.txt(&name.unwrap(), format!("v=ATPS1; d={long}"));
    assert_eq!(found(&from, &claim("sha256"), &zone)[0].result(), AtpsResult::Pass);
}

#[test]
fn the_same_claim_twice_is_asked_once() {
    let claim = "atps=example.com; atpsh=none";
    let mut check = check(
        "joe@example.com, jane@example.com",
        &[valid("one.example.net", claim), valid("ONE.example.net", claim)],
    );
    let query = check.queries().remove(0);
    check.answer(query.id, Err(LookupError::NoSuchName));
    assert!(check.queries().is_empty());
    assert_eq!(check.finish().len(), 1);
}

/// "this process SHOULD be applied if the "atps" tag's value matches any of the domains found in
/// that field".
#[test]
fn every_author_has_a_say() {
    let zone = Zone::new()
        .txt("esp.example._atps.a.example", "v=ATPS1; d=esp.example")
        .fails("esp.example._atps.c.example");
    let claim = |domain: &str| valid("esp.example", &format!("atps={domain}; atpsh=none"));
    let signatures = ["a.example", "b.example", "c.example"].map(claim);
    let from = "Team: x@a.example, y@b.example, z@c.example, w@d.example; , v@[192.0.2.1]";
    let found = found(from, &signatures, &zone);
    let words: Vec<_> = found.iter().map(|finding| finding.result().name()).collect();
    assert_eq!(words, ["pass", "fail", "temperror", "fail", "fail"]);
    let results = found.iter().map(AtpsFinding::res_info);
    let field =
        results.fold(AuthenticationResults::new("mx.example.org"), AuthenticationResults::with);
    assert_eq!(
        field.field_body(),
        "mx.example.org;\r\n    dkim-atps=pass header.from=x@a.example;\r\n    \
         dkim-atps=fail header.from=y@b.example;\r\n    \
         dkim-atps=temperror reason=\"a temporary failure of the DNS\"\r\n    \
         header.from=z@c.example;\r\n    dkim-atps=fail header.from=w@d.example;\r\n    \
         dkim-atps=fail header.from=\"v@[192.0.2.1]\""
    );
}

/// RFC 6541 §6: with a valid delegation "the Verifier MUST act, with respect to ADSP, as though the
/// message has a valid Author Domain Signature", and "no ADSP test is required".
#[test]
fn adsp_comes_after_and_takes_it_for_the_authors_signature() {
    let zone = Zone::new()
        .txt(ONE, "v=ATPS1")
        .exists("example.com")
        .txt("_adsp._domainkey.example.com", "dkim=discardable");
    let authors = authors(b"joe@example.com").unwrap();
    let adsp = |zone: &Zone| {
        let found = found("joe@example.com", &signatures(), zone);
        let authorized = found.iter().filter_map(AtpsFinding::authorized);
        let sdids: Vec<_> = signatures()
            .into_iter()
            .map(|signature| signature.sdid)
            .chain(authorized.cloned())
            .collect();
        let mut check = AdspCheck::new(&authors, &sdids);
        let asks = !check.queries().is_empty();
        let mut check = AdspCheck::new(&authors, &sdids);
        drive_blocking(&mut check, zone);
        (check.finish()[0].result().name(), asks)
    };
    assert_eq!(adsp(&zone), ("pass", false));
    assert_eq!(adsp(&zone.fails(ONE)), ("discard", true));
}

/// Ring without its hashes.
#[derive(Debug)]
struct NoHashes;

impl Provider for NoHashes {
    fn name(&self) -> &'static str {
        "none"
    }

    fn digest(&self, _: HashAlgorithm) -> Option<Box<dyn Digest>> {
        None
    }

    fn prepare(&self, key: &PublicKey) -> Result<std::sync::Arc<dyn VerifyingKey>, PublicKeyError> {
        PROVIDER.prepare(key)
    }
}

#[test]
fn a_provider_may_lack_the_hash() {
    let authors = authors(b"joe@example.com").unwrap();
    let mut check = AtpsCheck::new(&authors, &signatures(), &NoHashes);
    assert!(check.queries().is_empty());
    let finding = check.finish().remove(0);
    assert_eq!(finding.result(), AtpsResult::PermError);
    let sha1 = AtpsHash::Hashed(HashAlgorithm::Sha1);
    assert_eq!(finding.failure(), Some(&AtpsFailure::UnsupportedHash(UnsupportedHash(sha1))));
    assert_eq!(finding.res_info().reason.unwrap(), "the cryptographic library does not offer sha1");
}
