//! What a filter is told: who has verifiably signed, how they stand to the authors, and nothing of
//! what does not verify. And what a mailing list does before it signs.
#![cfg(any(feature = "ring", feature = "aws-lc-rs"))]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use dkim_stack::adsp::{AdspCheck, AtpsCheck, authors_of};
use dkim_stack::dns::{Answer, Query, Resolver, drive_blocking};
use dkim_stack::explain::{Fate, relayed};
use dkim_stack::message::split;
use dkim_stack::tags::{Atps, AtpsHash};
use dkim_stack::{
    Alignment, Assessment, Auid, DomainName, Fields, Known, LocalPractices, Mediation, Policy,
    PracticesCheck, PrivateKey, Request, Role, Selector, SigningKey, Source, UnixTime,
    Verification, Zone, provider, sign, verify_blocking,
};

const NOW: UnixTime = UnixTime(1_700_000_000);

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn key() -> Arc<dyn SigningKey> {
    provider().signing_key(&PrivateKey::from_ed25519_seed(&[7; 32])).unwrap()
}

/// A zone in which each of these domains has the key, `test.` ones as a test.
fn zone(domains: &[&str]) -> Zone {
    let record = dkim_stack::keyrec::KeyRecord::new(key().public_key().clone()).to_text();
    let testing = record.replace("v=DKIM1;", "v=DKIM1; t=y;");
    domains.iter().fold(Zone::new(), |zone, domain| {
        let text = if domain.starts_with("test.") { &testing } else { &record };
        zone.txt(&format!("s._domainkey.{domain}"), text)
    })
}

fn request(domain: &str) -> Request {
    Request::new(name(domain), Selector::parse("s").unwrap(), key().algorithm())
}

fn signed(message: &str, request: Request) -> String {
    sign(message.as_bytes(), request, NOW, provider(), &*key()).unwrap().to_field() + message
}

fn judged(message: &str, zone: &Zone) -> Vec<Verification> {
    verify_blocking(message.as_bytes(), &Policy::rfc(), NOW, provider(), zone)
}

const MESSAGE: &str = "From: Joe <joe@shop.example.com>, Ann <ann@example.org>\r\n\
                       List-Post: <mailto:dinner@talk.lists.example>\r\nSubject: Dinner\r\n\r\nHi.\r\n";

#[test]
fn each_signer_has_a_role_and_what_fails_is_not_there() {
    let domains =
        ["esp.example", "lists.example", "example.com", "example.org", "test.shop.example.com"];
    let mut message = MESSAGE.to_owned();
    for domain in ["broken.example"].iter().chain(&domains) {
        message = signed(&message, request(domain));
    }
    let found = judged(&message, &zone(&domains));
    assert_eq!(found.len(), 6);
    let (header, _) = split(message.as_bytes());
    let assessment = Assessment::new(&header, &found, &Known::default());
    let roles: Vec<_> = assessment
        .signers
        .iter()
        .map(|signer| (signer.sdid.as_str(), signer.role, signer.testing))
        .collect();
    assert_eq!(
        roles,
        [
            ("test.shop.example.com", Role::ThirdParty, true),
            ("example.org", Role::Author, false),
            ("example.com", Role::ParentDomain, false),
            ("lists.example", Role::Mediator, false),
            ("esp.example", Role::ThirdParty, false),
        ]
    );
    let [_, author, parent, ..] = &assessment.signers[..] else { panic!() };
    let shop = name("shop.example.com");
    assert_eq!(Alignment::of(&author.sdid, &shop), Alignment::None);
    assert_eq!(Alignment::of(&author.sdid, &name("example.org")), Alignment::Exact);
    assert_eq!(Alignment::of(&parent.sdid, &shop), Alignment::Parent);
    let authors = assessment.authors.as_ref().unwrap().iter();
    let named: Vec<_> = authors.map(|author| author.domain().cloned()).collect();
    assert_eq!(named, [Ok(shop), Ok(name("example.org"))]);
    // One of the authors has not signed.
    assert!(!assessment.is_signed_for_all_authors());

    // A failed signature weighs exactly as none.
    let without = message.replacen("d=broken.example", "d=other.example", 1);
    let (header, _) = split(without.as_bytes());
    let again = judged(&without, &zone(&domains));
    assert_eq!(Assessment::new(&header, &again, &Known::default()), assessment);
}

#[test]
fn an_auid_is_a_token() {
    let mut request = request("example.org");
    request.auid = Some(Auid::parse("joe@sales.example.org").unwrap());
    let message = signed("From: joe@example.org\r\n\r\nHi.\r\n", request);
    let (header, _) = split(message.as_bytes());
    let assessment =
        Assessment::new(&header, &judged(&message, &zone(&["example.org"])), &Known::default());
    let auid = assessment.signers[0].auid.as_ref().unwrap();
    assert_eq!(auid.to_string(), "joe@sales.example.org");
    assert!(assessment.is_signed_for_all_authors());
}

/// A signer calls itself a mediator only by a field that it has signed.
#[test]
fn what_is_not_covered_says_nothing() {
    let mut request = request("lists.example");
    request.fields = Fields::Exact(vec![dkim_stack::tags::FieldName::parse("From").unwrap()]);
    let message = signed(MESSAGE, request);
    let (header, _) = split(message.as_bytes());
    let assessment =
        Assessment::new(&header, &judged(&message, &zone(&["lists.example"])), &Known::default());
    assert_eq!(assessment.signers[0].role, Role::ThirdParty);
}

#[test]
fn local_practices_go_before_published_ones() {
    let message = signed(MESSAGE, request("esp.example"));
    let zone = zone(&["esp.example"])
        .txt("_adsp._domainkey.shop.example.com", "dkim=discardable")
        .txt("_adsp._domainkey.example.org", "dkim=all")
        .exists("shop.example.com")
        .exists("example.org");
    let found = judged(&message, &zone);
    let (header, _) = split(message.as_bytes());
    let mut check = AdspCheck::new(&authors_of(&header).unwrap(), &[]);
    drive_blocking(&mut check, &zone);
    let adsp = check.finish();
    let known = Known { adsp: &adsp, ..Known::default() };
    let assessment = Assessment::new(&header, &found, &known);
    let practices = |assessment: &Assessment| -> Vec<(String, Source, &'static str)> {
        let practices = assessment.practices.iter();
        practices.map(|p| (p.author_domain.to_string(), p.source, p.result.name())).collect()
    };
    assert_eq!(
        practices(&assessment),
        [
            ("shop.example.com".to_owned(), Source::Remote, "discard"),
            ("example.org".to_owned(), Source::Remote, "fail")
        ]
    );
    let mut local = LocalPractices::new();
    local.add(name("shop.example.com"), true, vec![name("esp.example")]);
    let assessment = Assessment::new(&header, &found, &Known { local: Some(&local), ..known });
    assert_eq!(
        practices(&assessment),
        [
            ("shop.example.com".to_owned(), Source::Local, "pass"),
            ("example.org".to_owned(), Source::Remote, "fail")
        ]
    );
    assert_eq!(assessment.signers[0].role, Role::Delegate);
    assert!(!assessment.is_signed_for_all_authors());
}

/// Who an Author Domain lets sign for it says so with the signature, and the domain in the DNS.
#[test]
fn an_author_domain_may_let_others_sign() {
    let mut request = request("esp.example");
    let claim = Atps { author_domain: name("example.org"), hash: AtpsHash::Plain };
    request.atps = Some(claim);
    let message = signed(MESSAGE, request);
    let zone =
        zone(&["esp.example"]).txt("esp.example._atps.example.org", "v=ATPS1; d=esp.example");
    let found = judged(&message, &zone);
    let (header, _) = split(message.as_bytes());
    let valid: Vec<_> = found.iter().filter_map(|one| one.signature.as_ref()).collect();
    let mut check = AtpsCheck::new(&authors_of(&header).unwrap(), valid, provider());
    drive_blocking(&mut check, &zone);
    let atps = check.finish();
    let known = Known { atps: &atps, ..Known::default() };
    assert_eq!(Assessment::new(&header, &found, &known).signers[0].role, Role::Delegate);
    let nothing = Known::default();
    assert_eq!(Assessment::new(&header, &found, &nothing).signers[0].role, Role::ThirdParty);
}

/// RFC 6376 §3.6.1 `t=y`: as unsigned mail, whether the author is testing or whom it lets sign.
#[test]
fn a_key_in_test_has_signed_for_nobody() {
    let author = "From: joe@AUTHOR\r\nSubject: Dinner\r\n\r\nHi.\r\n";
    for (domain, signer, results) in [
        ("shop.example", "shop.example", ["none", "pass"]),
        ("test.shop.example", "test.shop.example", ["none", "discard"]),
        ("shop.example", "esp.example", ["pass", "pass"]),
        ("shop.example", "test.esp.example", ["none", "discard"]),
    ] {
        let mut request = request(signer);
        if signer != domain {
            let hash = AtpsHash::Plain;
            request.atps = Some(Atps { author_domain: name(domain), hash });
        }
        let message = signed(&author.replace("AUTHOR", domain), request);
        let zone = zone(&[signer])
            .exists(domain)
            .txt(&format!("_adsp._domainkey.{domain}"), "dkim=discardable")
            .txt(&format!("{signer}._atps.{domain}"), format!("v=ATPS1; d={signer}"));
        let found = judged(&message, &zone);
        assert!(found[0].passes());
        let (header, _) = split(message.as_bytes());
        let check = PracticesCheck::new(&header, &found).adsp().atps(provider());
        let practices = check.ask_blocking(&zone);
        let told: Vec<String> = practices.res_infos().into_iter().map(|info| info.result).collect();
        assert_eq!(told, results, "{signer} for {domain}");
        let assessment = Assessment::new(&header, &found, &practices.known());
        assert_eq!(assessment.practices[0].result.name(), results[1]);
    }
    let (header, _) = split(b"Subject: Dinner\r\n\r\nHi.\r\n");
    let nobody = PracticesCheck::new(&header, &[]).adsp().ask_blocking(&Zone::new());
    assert_eq!(nobody.res_infos()[0].result, "permerror");
    assert!(nobody.atps.is_none() && nobody.known().adsp.is_empty());
}

/// Who writes a message decides how long its authors' DNS takes; somebody else, how long that is waited for.
#[test]
fn what_has_not_come_by_the_deadline_is_temperror() {
    struct OnlyAtps(Zone);
    impl Resolver for OnlyAtps {
        async fn lookup(&self, query: &Query) -> Answer {
            if !query.name.contains("._atps.") {
                std::future::pending::<()>().await;
            }
            self.0.answer(query)
        }
    }
    let mut request = request("esp.example");
    let hash = AtpsHash::Plain;
    request.atps = Some(Atps { author_domain: name("bank.example"), hash });
    let message = signed("From: ceo@bank.example, cfo@shop.example\r\n\r\nHi.\r\n", request);
    let zone =
        zone(&["esp.example"]).txt("esp.example._atps.bank.example", "v=ATPS1; d=esp.example");
    let found = judged(&message, &zone);
    let (header, _) = split(message.as_bytes());
    let check = PracticesCheck::new(&header, &found).adsp().atps(provider());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let infos = check.clone().ask_blocking(&zone).res_infos();
    assert_eq!(runtime.block_on(check.clone().ask(&zone)).res_infos(), infos);
    assert_eq!(infos[3].result, "nxdomain");
    let practices = runtime.block_on(check.ask_until(&OnlyAtps(zone), std::future::ready(())));
    let told: Vec<String> = practices
        .res_infos()
        .into_iter()
        .map(|info| format!("{}={}", info.method, info.result))
        .collect();
    // What was confirmed stands, and counts.
    assert_eq!(told, ["dkim-atps=pass", "dkim-atps=fail", "dkim-adsp=pass", "dkim-adsp=temperror"]);
}

/// An author whom nobody in the DNS could sign for is not signed for.
#[test]
fn authors_out_of_the_dns_are_authors() {
    for from in ["ceo@[192.0.2.1], x@esp.example", "ceo@bank_!.example, x@esp.example"] {
        let message = signed(&format!("From: {from}\r\n\r\nHi.\r\n"), request("esp.example"));
        let (header, _) = split(message.as_bytes());
        let found = judged(&message, &zone(&["esp.example"]));
        assert!(found[0].passes());
        let assessment = Assessment::new(&header, &found, &Known::default());
        assert_eq!(assessment.signers[0].role, Role::Author);
        assert!(!assessment.is_signed_for_all_authors(), "{from}");
    }
}

/// A field that somebody put above a signed one of its name is not signed.
#[test]
fn an_instance_that_is_not_signed_makes_no_mediator() {
    let message = "Sender: ann@example.org\r\nFrom: joe@example.com\r\n\r\nHi.\r\n";
    let signed = signed(message, request("esp.example"));
    let topped = format!("Sender: me@esp.example\r\n{signed}");
    let found = judged(&topped, &zone(&["esp.example"]));
    assert!(found[0].passes());
    let (header, _) = split(topped.as_bytes());
    let assessment = Assessment::new(&header, &found, &Known::default());
    assert_eq!(assessment.signers[0].role, Role::ThirdParty);
}

#[test]
fn authors_that_cannot_be_told_are_an_error_and_no_gap() {
    let (header, _) = split(b"From: a@example.com\r\nFrom: b@example.org\r\n\r\n");
    let assessment = Assessment::new(&header, &[], &Known::default());
    assert!(assessment.authors.is_err() && !assessment.is_signed_for_all_authors());
}

#[test]
fn a_list_keeps_the_authors_signature_and_puts_its_own_on_top() {
    let zone = zone(&["example.org", "lists.example"]);
    let posted =
        signed("From: ann@example.org\r\nSubject: Dinner\r\n\r\nHi.\r\n", request("example.org"));
    let received = judged(&posted, &zone);
    assert!(received[0].passes());

    // It came by this list before, and somebody has forged its results.
    let looped = signed(&posted, request("lists.example"));
    let forged = format!(
        "Authentication-Results: LISTS.example; dkim=pass header.d=bank.example\r\n{looped}"
    );
    let listed = forged.replacen("Subject: Dinner", "Subject: [talk] Dinner", 1);
    let (header, body) = split(listed.as_bytes());
    let (before, before_body) = split(posted.as_bytes());
    let fates = relayed((&before, before_body), (&header, body));
    assert!(matches!(fates[0].fate, Fate::Broken(_)));

    let mediation =
        Mediation::new(&header, &name("lists.example"), "lists.example", &received, &[]);
    let out = String::from_utf8(mediation.header(&header)).unwrap() + "\r\nHi.\r\n";
    assert!(!out.contains("bank.example") && !out.contains("d=lists.example"));
    let mut request = request("lists.example");
    request.fields = Fields::of_mediator();
    let out = signed(&out, request);
    let found = judged(&out, &zone);
    let results: Vec<_> = found.iter().map(|one| one.outcome.result().name()).collect();
    assert_eq!(results, ["pass", "fail"]);
    // What the list found out is under its signature.
    assert!(out.contains("header.d=example.org"), "{out}");
    let changed = judged(&out.replace("header.d=example.org", "header.d=example.net"), &zone);
    assert!(!changed[0].passes());

    // It may take away what it has broken.
    let broken = Mediation::new(&header, &name("lists.example"), "lists.example", &received, &[2]);
    assert_eq!(broken.removed, [2, 1, 0]);
    // Under its signature results of anybody would be believed.
    let others = forged.replace("LISTS.example", "mx.trusted.example");
    let (header, _) = split(others.as_bytes());
    let mediation = Mediation::new(&header, &name("lists.example"), "lists.example", &[], &[]);
    assert!(!String::from_utf8(mediation.header(&header)).unwrap().contains("bank.example"));
}
