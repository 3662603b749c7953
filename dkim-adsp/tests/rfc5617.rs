//! The examples of RFC 5617 Appendix A and B, and what its §4.3 leaves to DNS.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_adsp::{
    AdspCheck, AdspFinding, AdspLookup, LookupFailure, atps_res_info_without_author, authors,
    evaluate, gravest, res_info, res_info_without_author,
};
use dkim_authres::{AdspResult, AuthenticationResults};
use dkim_dns::{
    Dnssec, Found, Inquirer, LookupError, Query, QueryKind, Record, Zone, drive_blocking,
};
use dkim_tags::DomainName;

/// The domains of Appendix A, and others for the cases it has not.
fn zone() -> Zone {
    Zone::new()
        .exists("aaa.example")
        .txt("_adsp._domainkey.aaa.example", "dkim=all")
        .exists("sub.aaa.example")
        .exists("bbb.example")
        .exists("mail.bbb.example")
        .exists("unknown.example")
        .txt("_adsp._domainkey.unknown.example", "dkim=unknown")
        .exists("bulk.example")
        .txt("_adsp._domainkey.bulk.example", "dkim=discardable")
        .exists("new.example")
        .txt("_adsp._domainkey.new.example", "dkim=newer-than-this; x=y")
        .exists("web_01.example")
        .txt("_adsp._domainkey.web_01.example", "dkim=discardable")
        .exists("split.example")
        .record(
            "_adsp._domainkey.split.example",
            Record { strings: vec![b"dk".to_vec(), b"im=a".to_vec(), b"ll".to_vec()] },
        )
        .exists("xn--bcher-kva.example")
        .txt("_adsp._domainkey.xn--bcher-kva.example", "dkim=all")
        // A wildcard's foreign record, alone and beside a record.
        .exists("wild.example")
        .txt("_adsp._domainkey.wild.example", "v=spf1 -all")
        .exists("both.example")
        .txt("_adsp._domainkey.both.example", "v=spf1 -all")
        .txt("_adsp._domainkey.both.example", "dkim=all")
        .exists("first.example")
        .txt("_adsp._domainkey.first.example", "t=y; dkim=all")
        .exists("two.example")
        .txt("_adsp._domainkey.two.example", "dkim=all")
        .txt("_adsp._domainkey.two.example", "dkim=discardable")
        .exists("alias.example")
        .cname("_adsp._domainkey.alias.example", "_adsp._domainkey.bulk.example")
        .cname("aliased.example", "aaa.example")
        .cname("_adsp._domainkey.aliased.example", "nowhere.example")
        // Only names below the record's.
        .exists("empty.example")
        .exists("x._adsp._domainkey.empty.example")
        .exists("slow.example")
        .times_out("_adsp._domainkey.slow.example")
        .exists("broken.example")
        .fails("_adsp._domainkey.broken.example")
        .fails("dead.example")
}

fn result(from: &str, valid_sdids: &[&str]) -> AdspResult {
    let sdids: Vec<_> = valid_sdids.iter().map(|sdid| DomainName::parse(sdid).unwrap()).collect();
    let [author] = &authors(from.as_bytes()).unwrap()[..] else { panic!("{from}") };
    let mut lookup = AdspLookup::new(author.domain().unwrap());
    drive_blocking(&mut lookup, &zone());
    evaluate(author.domain().unwrap(), &sdids, &lookup.finish())
}

#[test]
fn appendix_a() {
    assert_eq!(result("bob@aaa.example (Bob the Author)", &[]), AdspResult::Fail);
    assert_eq!(result("alice@bbb.example (Old-fashioned Alice)", &[]), AdspResult::None);
    assert_eq!(result("frank@ccc.example (Unreliable Frank)", &[]), AdspResult::NxDomain);
}

#[test]
fn appendix_b() {
    // B.1, B.2: mail signed by the domain itself, mail through another path.
    assert_eq!(result("a@aaa.example", &["aaa.example"]), AdspResult::Pass);
    assert_eq!(result("a@aaa.example", &[]), AdspResult::Fail);
    // B.3, B.6: forgeries of a bulk mailer, of a domain without mail.
    assert_eq!(result("a@bulk.example", &["bulk.example"]), AdspResult::Pass);
    assert_eq!(result("a@bulk.example", &[]), AdspResult::Discard);
    // B.4: the third party's signature is none of the author's.
    assert_eq!(result("a@bulk.example", &["esp.example"]), AdspResult::Discard);
    // B.5: users go their own ways.
    assert_eq!(result("a@unknown.example", &["list.example"]), AdspResult::Unknown);
}

#[test]
fn an_author_domain_signature_is_of_the_very_domain() {
    assert_eq!(result("a@aaa.example", &["sub.aaa.example"]), AdspResult::Fail);
    assert_eq!(result("a@sub.aaa.example", &["aaa.example"]), AdspResult::None);
    assert_eq!(result("a@aaa.example", &["notaaa.example"]), AdspResult::Fail);
    assert_eq!(result("A <a@AAA.Example>", &["aaa.EXAMPLE"]), AdspResult::Pass);
    assert_eq!(result("a@bücher.example", &["xn--bcher-kva.example"]), AdspResult::Pass);
    assert_eq!(result("a@bücher.example", &[]), AdspResult::Fail);
    // It satisfies whatever is, or is not, published.
    assert_eq!(result("a@ccc.example", &["x.example", "ccc.example"]), AdspResult::Pass);
    assert_eq!(result("a@slow.example", &["slow.example"]), AdspResult::Pass);
}

#[test]
fn records_as_they_are_published() {
    assert_eq!(result("a@new.example", &[]), AdspResult::Unknown);
    assert_eq!(result("a@split.example", &[]), AdspResult::Fail);
    assert_eq!(result("a@wild.example", &[]), AdspResult::None);
    assert_eq!(result("a@both.example", &[]), AdspResult::Fail);
    assert_eq!(result("a@first.example", &[]), AdspResult::None);
    assert_eq!(result("a@two.example", &[]), AdspResult::PermError);
    assert_eq!(result("a@alias.example", &[]), AdspResult::Discard);
    assert_eq!(result("a@aliased.example", &[]), AdspResult::None);
    assert_eq!(result("a@empty.example", &[]), AdspResult::None);
    // One of them is a record: it counts, unless there are so many that none is looked at.
    let name = "_adsp._domainkey.many.example";
    for (others, found) in [(19, true), (20, false), (999, false)] {
        let zone = Zone::new().exists("many.example").txt(name, "dkim=all");
        let zone = (0..others).fold(zone, |zone, n| zone.txt(name, format!("x={n}")));
        let mut lookup = AdspLookup::new(&DomainName::parse("many.example").unwrap());
        drive_blocking(&mut lookup, &zone);
        match lookup.finish() {
            Ok(record) => assert!(found && record.is_some(), "{others}"),
            Err(error) => {
                assert_eq!((found, error), (false, LookupFailure::SeveralRecords), "{others}");
            }
        }
    }
}

#[test]
fn failures_of_the_dns_are_temporary() {
    assert_eq!(result("a@slow.example", &[]), AdspResult::TempError);
    assert_eq!(result("a@broken.example", &[]), AdspResult::TempError);
    assert_eq!(result("a@dead.example", &[]), AdspResult::TempError);
}

#[test]
fn questions_are_asked_once_and_only_as_needed() {
    let domain = DomainName::parse("Example.COM").unwrap();
    let question = |queries: Vec<Query>| {
        let [query] = &queries[..] else { panic!("{queries:?}") };
        query.clone()
    };

    let mut lookup = AdspLookup::new(&domain);
    let scope = question(lookup.queries());
    assert_eq!((scope.name.as_str(), scope.kind), ("example.com", QueryKind::Exists));
    assert_eq!(lookup.queries(), []);
    assert_eq!(lookup.clone().finish(), Err(LookupFailure::Unanswered));
    let mut gone = lookup.clone();
    lookup.answer(scope.id, Err(LookupError::NoRecords));
    let record = question(lookup.queries());
    assert_eq!(
        (record.name.as_str(), record.kind),
        ("_adsp._domainkey.example.com", QueryKind::Txt)
    );
    // Answers to what is not asked, or no longer, change nothing.
    lookup.answer(scope.id, Err(LookupError::NoSuchName));
    lookup.answer(dkim_dns::QueryId(77), Err(LookupError::NoSuchName));
    assert_eq!(lookup.queries(), []);
    lookup.answer(record.id, Err(LookupError::NoSuchName));
    lookup.answer(record.id, Err(LookupError::Timeout));
    assert_eq!(lookup.finish(), Ok(None));

    // What anybody may have made up is no answer, to either question.
    let bogus = Found { dnssec: Dnssec::Bogus, ..Found::default() };
    let far = Found { chain: vec!["a.example".to_owned(); 9], ..Found::default() };
    for steps in [1, 2] {
        let refused = |found: &Found| {
            let mut lookup = AdspLookup::new(&domain);
            for step in 1..=steps {
                let query = question(lookup.queries());
                let good = Found::default();
                let found = if step == steps { found.clone() } else { good };
                lookup.answer(query.id, Ok(found));
            }
            assert_eq!(lookup.queries(), []);
            lookup.finish()
        };
        assert!(matches!(refused(&bogus), Err(LookupFailure::Temporary(_))));
        assert!(matches!(refused(&far), Err(LookupFailure::Permanent(LookupError::ChainTooLong))));
    }

    gone.answer(scope.id, Err(LookupError::NoSuchName));
    assert_eq!(gone.queries(), []);
    assert_eq!(gone.finish(), Err(LookupFailure::NoSuchDomain));

    // No record can stand where its name would have more than 253 octets.
    for (last_label, is_asked) in [(47, true), (48, false), (60, false)] {
        let long = format!("{}.{}", vec!["a".repeat(62); 3].join("."), "b".repeat(last_label));
        let mut lookup = AdspLookup::new(&DomainName::parse(&long).unwrap());
        let scope = question(lookup.queries());
        lookup.answer(scope.id, Err(LookupError::NoRecords));
        let names: Vec<_> = lookup.queries().into_iter().map(|query| query.name.len()).collect();
        assert_eq!(names, if is_asked { vec![253] } else { vec![] });
        let nothing = if is_asked { Err(LookupFailure::Unanswered) } else { Ok(None) };
        assert_eq!(lookup.finish(), nothing);
    }
}

#[test]
fn results_go_into_authentication_results() {
    let author = &authors(b"\"J. Doe\" <\"j doe\"@Aaa.example>").unwrap()[0];
    let results = AuthenticationResults::new("mx.example.org")
        .with(res_info(author, AdspResult::Fail))
        .with(res_info(&authors(b"a@b.example").unwrap()[0], AdspResult::NxDomain));
    assert_eq!(
        results.field_body(),
        "mx.example.org;\r\n    dkim-adsp=fail header.from=\"j doe\"@Aaa.example;\r\n    \
         dkim-adsp=nxdomain header.from=a@b.example"
    );
}

/// RFC 5617 §3: "If a message has multiple Author Addresses, the ADSP lookups SHOULD be performed
/// independently on each address."
#[test]
fn every_author_counts() {
    let check = |from: &str, valid_sdids: &[&str]| {
        let sdids: Vec<_> =
            valid_sdids.iter().map(|sdid| DomainName::parse(sdid).unwrap()).collect();
        let mut check = AdspCheck::new(&authors(from.as_bytes()).unwrap(), &sdids);
        drive_blocking(&mut check, &zone());
        check.finish()
    };
    let words = |findings: &[AdspFinding]| {
        let words: Vec<_> = findings.iter().map(|finding| finding.result().name()).collect();
        words.join(" ")
    };
    let all = "a@aaa.example, b@bbb.example, c@ccc.example, d@unknown.example, e@bulk.example, \
               f@slow.example, g@two.example, h@[192.0.2.1], i@a_b.example";
    let found = check(all, &["esp.example"]);
    assert_eq!(
        words(&found),
        "fail none nxdomain unknown discard temperror permerror nxdomain nxdomain"
    );
    assert_eq!(gravest(&found), Some(AdspResult::Discard));
    let found = check(all, &["AAA.example", "bulk.example", "slow.example"]);
    assert_eq!(words(&found), "pass none nxdomain unknown pass pass permerror nxdomain nxdomain");
    assert_eq!(gravest(&found), Some(AdspResult::NxDomain));
    let record = check("g@bulk.example", &[]).remove(0);
    assert_eq!(record.record().unwrap().to_text(), "dkim=discardable");

    // With an underscore a host is one like others.
    assert_eq!(words(&check("root@web_01.example, a@aaa.example", &[])), "discard fail");

    // The reason of a failure is told.
    let told: Vec<_> = check("g@two.example, f@slow.example, h@[192.0.2.1]", &[])
        .iter()
        .map(|finding| finding.res_info().reason.unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "several ADSP records are published",
            "a temporary failure of the DNS",
            "the Author Domain is an IP address"
        ]
    );

    // Every result has its rank.
    for (from, gravest_result) in [
        ("a@aaa.example, e@bulk.example", "discard"),
        ("c@ccc.example, a@aaa.example", "fail"),
        ("f@slow.example, c@ccc.example", "nxdomain"),
        ("g@two.example, f@slow.example", "temperror"),
        ("d@unknown.example, g@two.example", "permerror"),
        ("b@bbb.example, d@unknown.example", "unknown"),
        ("x@signed.example, b@bbb.example", "none"),
        ("x@signed.example", "pass"),
    ] {
        let found = check(from, &["signed.example"]);
        assert_eq!(gravest(&found).unwrap().name(), gravest_result, "{from}");
    }
    assert_eq!(gravest(&[]), None);
}

#[test]
fn lookups_of_several_authors_do_not_mix() {
    let authors = authors(b"a@aaa.example, b@bbb.example").unwrap();
    let mut check = AdspCheck::new(&authors, &[]);
    let scopes = check.queries();
    let names: Vec<_> = scopes.iter().map(|query| query.name.as_str()).collect();
    assert_eq!(names, ["aaa.example", "bbb.example"]);
    assert_ne!(scopes[0].id, scopes[1].id);
    check.answer(scopes[1].id, Err(LookupError::NoRecords));
    let record = check.queries();
    assert_eq!(record[0].name, "_adsp._domainkey.bbb.example");
    check.answer(record[0].id, Err(LookupError::NoSuchName));
    check.answer(dkim_dns::QueryId(99), Err(LookupError::NoSuchName));
    let found = check.finish();
    assert_eq!(found[0].result(), AdspResult::TempError);
    assert_eq!(found[1].result(), AdspResult::None);
}

/// A From field that each reader reads in another way is in order with nobody's practices.
#[test]
fn authors_that_cannot_be_told() {
    let error = authors(b"a@aaa.example, oops").unwrap_err();
    let (info, atps) = (res_info_without_author(&error), atps_res_info_without_author(&error));
    assert_eq!((&*info.method, &*info.result), ("dkim-adsp", "permerror"));
    assert_eq!((&*atps.method, &*atps.result), ("dkim-atps", "permerror"));
    assert_eq!(info.reason, atps.reason);
    assert_eq!(
        info.reason.as_deref(),
        Some("the From field cannot be read: `<` or `@` expected at octet 19")
    );
}

/// RFC 5617 §4.1: records that do not comply "MUST be ignored [...], although they MAY cause the
/// logging of warning messages".
#[test]
fn ignored_records_can_be_told() {
    let ignored = |domain: &str| {
        let mut lookup = AdspLookup::new(&DomainName::parse(domain).unwrap());
        drive_blocking(&mut lookup, &zone());
        lookup.ignored().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(ignored("both.example"), ["the record does not begin with dkim="]);
    assert_eq!(ignored("aaa.example"), [""; 0]);
    let long = format!("dkim=all; x={}", "y".repeat(20_000));
    let zone = Zone::new().exists("long.example").txt("_adsp._domainkey.long.example", long);
    let mut lookup = AdspLookup::new(&DomainName::parse("long.example").unwrap());
    drive_blocking(&mut lookup, &zone);
    assert_eq!(lookup.ignored(), [dkim_adsp::AdspError::TooLong]);
    assert_eq!(lookup.finish(), Ok(None));
}

#[test]
fn twenty_records_of_a_name_are_looked_at() {
    for (others, is_found) in [(19, true), (20, false)] {
        let name = "_adsp._domainkey.many.example";
        let foreign = (0..others).fold(Zone::new().exists("many.example"), |zone, n| {
            zone.txt(name, format!("v=spf{n}"))
        });
        let mut lookup = AdspLookup::new(&DomainName::parse("many.example").unwrap());
        drive_blocking(&mut lookup, &foreign.txt(name, "dkim=all"));
        let found = lookup.finish();
        assert_eq!(matches!(found, Ok(Some(_))), is_found, "{others}");
        assert_eq!(found == Err(LookupFailure::SeveralRecords), !is_found, "{others}");
    }
}

/// With `_adsp._domainkey.` before it a name has 253 octets at most.
#[test]
fn names_are_asked_for_as_long_as_they_may_be() {
    for (last, is_asked) in [(47, true), (48, false)] {
        let domain = format!("{}.{}", vec!["a".repeat(62); 3].join("."), "b".repeat(last));
        let mut lookup = AdspLookup::new(&DomainName::parse(&domain).unwrap());
        let scope = lookup.queries()[0].id;
        lookup.answer(scope, Err(LookupError::NoRecords));
        let asked = lookup.queries();
        assert_eq!(asked.len(), usize::from(is_asked), "{last}");
        assert!(asked.iter().all(|query| query.name.len() == 253), "{asked:?}");
    }
}
