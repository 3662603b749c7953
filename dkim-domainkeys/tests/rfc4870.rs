//! The rules of RFC 4870, one by one.
#![allow(clippy::unwrap_used)]

mod craft;

use craft::{
    MESSAGE, TAGS, archive, canonical, judge, outcome, p, record, sign, verify_with, zone,
};
use dkim_dns::{Inquirer, Zone};
use dkim_domainkeys::{Policy, Stance, Treatment, Verifier, most_appropriate};

const H: &str = "; h=from:to:subject:received";

/// §3.4.2: what the forms forgive, and what not.
#[test]
fn both_forms_verify_with_and_without_h() {
    for form in ["simple", "nofws"] {
        for h in ["", H] {
            let tags = format!("{}{h}", TAGS.replace("nofws", form));
            let signed = sign(&tags, MESSAGE);
            assert_eq!(judge(&signed, &zone()), "pass ok", "{tags}");
            let is_nofws = form == "nofws";
            for (what, with, forgiven) in [
                ("We lost", "We  lo st ", is_nofws),
                ("Hi. \r\n", "Hi.\r\n", is_nofws),
                ("dinner\r\n ready?", "dinner ready?", is_nofws),
                ("Subject: Is", "Subject : Is", is_nofws),
                ("game.\r\n", "game.\r\n\r\n\r\n", true),
                ("game.\r\n", "game.", true),
                ("game.\r\n", "game.\r\n \r\n", is_nofws),
                ("Hi. \r\n\r\nWe", "Hi. \r\nWe", false),
                ("lost", "won", false),
                ("Subject", "SUBJECT", false),
                ("Subject: Is", "Subject: Is it", false),
                ("To: Suzie", "To: Joe", false),
                ("by b.example", "by d.example", false),
            ] {
                let changed = signed.replacen(what, with, 1);
                assert_ne!(changed, signed);
                let expected = if forgiven { "pass ok" } else { "fail signature-mismatch" };
                assert_eq!(judge(&changed, &zone()), expected, "{tags}: {what:?} to {with:?}");
            }
        }
    }
}

/// §3.4.2.1: "If the body consists entirely of empty lines, then the header/body line is similarly
/// ignored."
#[test]
fn a_body_of_empty_lines_is_none() {
    let header = MESSAGE.split("\r\n\r\n").next().unwrap();
    for form in ["simple", "nofws"] {
        let tags = TAGS.replace("nofws", form);
        let bodies = ["\r\n", "\r\n\r\n", "\r\n\r\n\r\n\r\n"];
        let signed = sign(&tags, &format!("{header}\r\n\r\n"));
        let fields = canonical(form, None, &format!("{header}\r\n"));
        assert_eq!(canonical(form, None, &format!("{header}\r\n\r\n")), fields);
        let (top, _) = signed.split_once("\r\n\r\n").unwrap();
        for body in bodies {
            assert_eq!(judge(&format!("{top}\r\n{body}"), &zone()), "pass ok", "{body:?}");
        }
        // No empty line at all.
        assert_eq!(judge(&format!("{top}\r\n"), &zone()), "pass ok");
        let white = judge(&format!("{top}\r\n\r\n \t\r\n"), &zone());
        let expected = if form == "nofws" { "pass ok" } else { "fail signature-mismatch" };
        assert_eq!(white, expected);
        assert_eq!(judge(&format!("{top}\r\n\r\nx"), &zone()), "fail signature-mismatch");
    }
}

/// §3.3: "The "DomainKey-Signature:" header MUST precede the original email headers", and it is "not
/// included in the signature calculation".
#[test]
fn only_what_stands_below_is_signed() {
    for h in ["", H] {
        let signed = sign(&format!("{TAGS}{h}"), MESSAGE);
        // Above, anything may be added.
        let above = format!("Received: from d.example\r\nTo: anybody\r\nX-A: b\r\n{signed}");
        assert_eq!(judge(&above, &zone()), "pass ok", "{h}");
        // The field itself may be folded and spelled anew.
        let folded = signed.replacen("a=rsa-sha1; c=", "a=rsa-sha1;\r\n\tc= ", 1);
        assert_eq!(judge(&folded, &zone()), "pass ok", "{h}");
        // A field below that h= does not name.
        let below = signed.replacen("To: Suzie", "X-A: b\r\nTo: Suzie", 1);
        let expected = if h.is_empty() { "fail signature-mismatch" } else { "pass ok" };
        assert_eq!(judge(&below, &zone()), expected, "{h}");
        // "All occurrences of that header, subsequent": a third Received field below.
        let third = signed.replacen("To: Suzie", "Received: x\r\nTo: Suzie", 1);
        assert_eq!(judge(&third, &zone()), "fail signature-mismatch", "{h}");
    }
    // Names twice or more, in any case and any order, mean the same.
    for h in
        ["; h=RECEIVED:From:to:Received:received:subject", "; h=Subject : from:\r\n\tt o:received"]
    {
        assert_eq!(judge(&sign(&format!("{TAGS}{h}"), MESSAGE), &zone()), "pass ok");
    }
}

/// §3.3: `h=` is "in the order presented to the signing algorithm"; §3.7.1 would not have a verifier
/// rely on more than the order of the fields.
#[test]
fn the_list_tells_the_order() {
    let moved = |signed: &str| {
        let to = "To: Suzie <suzie@example.net>\r\n";
        signed.replacen(to, "", 1).replacen("ready?\r\n", &format!("ready?\r\n{to}"), 1)
    };
    for h in ["; h=from:to:subject:received", "; h=subject:received:to:from:received"] {
        let signed = sign(&format!("{TAGS}{h}"), MESSAGE);
        assert_ne!(moved(&signed), signed);
        assert_eq!(judge(&signed, &zone()), "pass ok", "{h}");
        assert_eq!(judge(&moved(&signed), &zone()), "pass ok", "{h}");
    }
    let signed = sign(TAGS, MESSAGE);
    assert_eq!(judge(&moved(&signed), &zone()), "fail signature-mismatch");
}

/// §3.1, §3.7.3 rules 1 to 3.
#[test]
fn the_sender_decides_whose_signature_counts() {
    let with = |fields: &str| format!("{fields}\r\n\r\nHi.\r\n");
    let own = "From: joe@example.com";
    let foreign = "From: joe@example.org";
    let both = "Sender: joe@example.com\r\nFrom: ann@example.org";
    let h = |names| format!("{TAGS}; h={names}");
    for (tags, fields, expected) in [
        (TAGS.to_owned(), own, "pass ok"),
        (TAGS.to_owned(), "From: joe@EXAMPLE.com, ann@example.org", "pass ok"),
        (TAGS.to_owned(), "From: joe@a.b.example.com", "pass ok"),
        (TAGS.to_owned(), both, "pass ok"),
        (h("from"), own, "pass ok"),
        (h("from:sender"), both, "pass ok"),
        (h("sender"), both, "pass ok"),
        (TAGS.to_owned(), foreign, "permerror domain-mismatch"),
        (TAGS.to_owned(), "From: ann@example.org, joe@example.com", "permerror domain-mismatch"),
        (TAGS.to_owned(), "From: joe@notexample.com", "permerror domain-mismatch"),
        (TAGS.to_owned(), "From: joe@com", "permerror domain-mismatch"),
        (
            TAGS.to_owned(),
            "Sender: ann@example.org\r\nFrom: joe@example.com",
            "permerror domain-mismatch",
        ),
        (h("to"), "From: joe@example.com\r\nTo: x", "permerror sender-not-signed"),
        (h("from"), both, "permerror sender-not-signed"),
        (TAGS.to_owned(), "To: joe@example.com", "permerror from-missing"),
        (TAGS.to_owned(), "Sender: joe@example.com", "permerror from-missing"),
        (TAGS.to_owned(), "From: joe", "permerror sender-syntax"),
        (TAGS.to_owned(), "Sender: joe\r\nFrom: joe@example.com", "permerror sender-syntax"),
        (TAGS.to_owned(), "From: joe@[192.0.2.1]", "permerror sender-syntax"),
        (TAGS.to_owned(), "From: joe@example.com\r\nFrom: joe@example.com", "policy multiple-from"),
        (
            TAGS.to_owned(),
            "From: a@example.com\r\nSender: a@example.com\r\nSender: b@example.com",
            "policy multiple-sender",
        ),
    ] {
        assert_eq!(judge(&sign(&tags, &with(fields)), &zone()), expected, "{tags} {fields}");
    }
}

/// What somebody puts on top of a signed message does not become its sender.
#[test]
fn a_sender_above_the_signature_is_not_signed() {
    let message = "From: joe@example.com\r\n\r\nHi.\r\n";
    for h in ["", "; h=from", "; h=from:sender"] {
        let signed = sign(&format!("{TAGS}{h}"), message);
        let above = format!("Sender: boss@example.com\r\n{signed}");
        assert_eq!(judge(&above, &zone()), "permerror sender-not-signed", "{h}");
    }
    let signed = sign(&format!("{TAGS}; h=from:subject"), "Subject: x\r\n\r\nHi.\r\n");
    let above = format!("From: boss@example.com\r\n{signed}");
    assert_eq!(judge(&above, &zone()), "permerror sender-not-signed");
}

/// §3.7.3: "a verifier MUST find the most appropriate signature to use".
#[test]
fn the_topmost_that_matches_is_the_most_appropriate() {
    let message = "Sender: list@example.com\r\nFrom: joe@example.org\r\n\r\nHi.\r\n";
    let other = TAGS.replace("d=example.com", "d=example.org");
    let unknown = TAGS.replace("rsa-sha1", "rsa-sha256");
    let good = sign(TAGS, message);
    for (signed, place) in [
        (sign(&other, &good), Some(1)),
        (sign(&unknown, &sign(&other, &good)), Some(2)),
        (sign(TAGS, &good), Some(0)),
        // Even if it does not verify.
        (format!("DomainKey-Signature: {TAGS}; b=Zm9v\r\n{good}"), Some(0)),
        (sign(&other, message), None),
        (message.to_owned(), None),
    ] {
        let found = verify_with(&archive(), signed.as_bytes(), &zone());
        assert_eq!(most_appropriate(&found).map(|one| one.index), place);
    }
    // A signature below is part of what the one above signs.
    assert_eq!(judge(&sign(TAGS, &good), &zone()), "pass ok");
    let found = verify_with(&archive(), sign(TAGS, &good).as_bytes(), &zone());
    assert!(found.iter().all(dkim_domainkeys::Verification::passes));
}

/// §3.2.3 and §3.7.4.
#[test]
fn keys_serve_on_their_terms() {
    let signed = sign(TAGS, MESSAGE);
    let p = p();
    for (text, expected) in [
        (format!("p={p}"), "pass ok"),
        (format!("k=rsa; p={p}"), "pass ok"),
        (format!("g=; k=rsa; p={p}"), "pass ok"),
        (format!("g=joe; p={p}"), "pass ok"),
        (format!("g=*; p={p}"), "pass ok"),
        (format!("g=ann; p={p}"), "permerror key-granularity"),
        (format!("g=Joe; p={p}"), "permerror key-granularity"),
        (format!("g=j*; p={p}"), "permerror key-granularity"),
        (format!("t=y; p={p}"), "pass ok"),
        // What DKIM added.
        (format!("v=DKIM1; h=sha256; s=other; t=s; p={p}"), "pass ok"),
        (format!("v=DKIM2; p={p}"), "permerror key-version"),
        ("p=".to_owned(), "permerror key-revoked"),
        ("n=gone; k=rsa; p= ;".to_owned(), "permerror key-revoked"),
        ("k=rsa".to_owned(), "permerror key-syntax"),
        ("hello".to_owned(), "permerror key-syntax"),
        (format!("k=dsa; p={p}"), "permerror key-type"),
        (
            "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_owned(),
            "permerror key-type",
        ),
        (format!("p=!{p}"), "permerror key-syntax"),
        // §3.2.3's own key has 768 bits, which RFC 8301 §3.2 forbids whatever else is allowed.
        (
            "p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAKJ2lzDLZ8XlVambQfMXn3LRGKOD5o6lMIgulclWjZwP56LRqd\
             g5ZX15bhc/GsvW8xW/R5Sh1NnkJNyL/cqY1a+GzzL47t7EXzVc+nRLWT1kwTvFNGIoAUsFUq+J6+OprwIDAQAB"
                .to_owned(),
            "policy key-weak",
        ),
    ] {
        assert_eq!(judge(&signed, &record(&text)), expected, "{text}");
    }
    let name = "sel._domainkey.example.com";
    let too_long = format!("n={}", "x".repeat(16 * 1024));
    for (zone, expected) in [
        (Zone::new(), "permerror key-missing"),
        (Zone::new().exists(name), "permerror key-missing"),
        (Zone::new().fails(name), "temperror key-unavailable"),
        (Zone::new().times_out(name), "temperror key-unavailable"),
        // §9: any of several.
        (zone().txt(name, "v=spf1 -all"), "pass ok"),
        (Zone::new().txt(name, "v=spf1 -all").txt(name, format!("p={p}")), "pass ok"),
        (record("p=").txt(name, format!("p={p}")), "pass ok"),
        (record("v=spf1 -all").txt(name, "g=ann; p="), "permerror key-revoked"),
        (
            record("p=").txt(name, "p=; n=2").txt(name, "p=; n=3").txt(name, format!("p={p}")),
            "policy limit-key-records",
        ),
        (record(&too_long), "policy limit-key-record"),
        // What was not tried might have been the key, wherever it stands.
        (record(&too_long).txt(name, "p="), "policy limit-key-records"),
        (record("p=").txt(name, &too_long), "policy limit-key-records"),
        (record("hello").txt(name, &too_long), "policy limit-key-records"),
        (zone().txt(name, &too_long), "pass ok"),
    ] {
        assert_eq!(judge(&signed, &zone), expected);
    }
}

/// Of several records that do not do, what the best of them tells is told.
#[test]
fn the_best_of_several_records_is_told() {
    let changed = sign(TAGS, MESSAGE).replace("Hi.", "Ho.");
    assert_ne!(changed, sign(TAGS, MESSAGE));
    let name = "sel._domainkey.example.com";
    let good = format!("k=rsa; p={}", p());
    for (first, second, expected) in [
        ("p=", &*good, "fail signature-mismatch"),
        ("p=!", &good, "fail signature-mismatch"),
        ("v=spf1 -all", "p=!", "permerror key-syntax"),
        ("p=!", "p=", "permerror key-revoked"),
        ("g=ann; k=rsa; p=", &good, "fail signature-mismatch"),
    ] {
        for (first, second) in [(first, second), (second, first)] {
            let zone = record(first).txt(name, second);
            assert_eq!(judge(&changed, &zone), expected, "{first}, then {second}");
        }
    }
}

/// Some hosts have them.
#[test]
fn a_sender_may_have_an_underscore_in_the_domain() {
    let message = MESSAGE.replacen("joe@football.example.com", "joe@web_01.example.com", 1);
    assert_ne!(message, MESSAGE);
    assert_eq!(judge(&sign(TAGS, &message), &zone()), "pass ok");
}

/// RFC 8301 §3.1 against RFC 4870: nothing passes unless somebody asks for it.
#[test]
fn sha1_is_refused_by_default_before_any_work() {
    let signed = sign(TAGS, MESSAGE);
    let (header, body) = dkim_message::split(signed.as_bytes());
    let mut verifier = Verifier::new(&header, &Policy::default(), &dkim_crypto::ring::PROVIDER);
    assert_eq!(verifier.queries(), []);
    assert_eq!(verifier.body_chunk(body), Stance::Done);
    assert_eq!(outcome(&verifier.finish()), "policy weak-algorithm");
}

#[test]
fn what_deviates_is_told_and_may_be_refused() {
    let signed = sign(TAGS, MESSAGE);
    let testing = record(&format!("t=y; p={}", p()));
    let found = verify_with(&archive(), signed.as_bytes(), &testing);
    let codes: Vec<_> = found[0].deviations.iter().map(dkim_domainkeys::Deviation::code).collect();
    assert_eq!((outcome(&found).as_str(), codes), ("pass ok", vec!["weak-algorithm", "testing"]));
    assert!(found[0].is_testing());
    let mut policy = archive();
    policy.testing = Treatment::Refuse;
    assert_eq!(outcome(&verify_with(&policy, signed.as_bytes(), &testing)), "policy testing");

    let mut policy = archive();
    policy.min_rsa_bits = 2049;
    let found = verify_with(&policy, signed.as_bytes(), &zone());
    let short = dkim_domainkeys::Deviation::ShortKey { bits: 2048 };
    assert_eq!(outcome(&found), "policy short-key");
    assert!(found[0].deviations.contains(&short), "{found:?}");

    let mut policy = archive();
    policy.unacceptable_domains.push(dkim_tags::DomainName::parse("example.com").unwrap());
    let found = verify_with(&policy, signed.as_bytes(), &zone());
    assert_eq!(outcome(&found), "policy unacceptable-domain");

    let single = sign(&TAGS.replace("example.com", "com"), MESSAGE);
    let zone_of_com = Zone::new().txt("sel._domainkey.com", format!("p={}", p()));
    assert_eq!(judge(&single, &zone_of_com), "policy single-label-domain");
    let mut policy = archive();
    policy.single_label_domain = Treatment::Accept;
    assert_eq!(outcome(&verify_with(&policy, single.as_bytes(), &zone_of_com)), "pass ok");

    let malformed = format!("no colon\r\n{signed}");
    assert_eq!(judge(&malformed, &zone()), "permerror malformed-header");
    let mut policy = archive();
    policy.malformed_header = Treatment::Accept;
    assert_eq!(outcome(&verify_with(&policy, malformed.as_bytes(), &zone())), "pass ok");
}

/// RFC 8601 §2.7.1 and RFC 7601 §2.7.1: the address without its local-part, unless a key for that
/// one vouches for it.
#[test]
fn results_tell_the_domains_and_the_sender() {
    let info = |message: &str, zone: &Zone| {
        let found = verify_with(&archive(), message.as_bytes(), zone);
        let info = found[0].res_info();
        let get = |property| info.get("header", property).map(str::to_owned);
        (format!("{}={}", info.method, info.result), get("d"), get("from"), get("sender"))
    };
    let text = |text: &str| Some(text.to_owned());
    let signed = sign(TAGS, MESSAGE);
    let (football, domain) = ("football.example.com", "example.com");
    let pass = || "domainkeys=pass".to_owned();
    assert_eq!(info(&signed, &zone()), (pass(), text(domain), text(football), None));
    let for_joe = record(&format!("g=joe; p={}", p()));
    let joe = text("joe@football.example.com");
    assert_eq!(info(&signed, &for_joe), (pass(), text(domain), joe, None));
    let for_ann = record(&format!("g=ann; p={}", p()));
    let refused = "domainkeys=permerror".to_owned();
    assert_eq!(info(&signed, &for_ann), (refused, text(domain), text(football), None));
    let listed = sign(TAGS, &format!("Sender: <list@EXAMPLE.com>\r\n{MESSAGE}"));
    assert_eq!(info(&listed, &zone()), (pass(), text(domain), None, text(domain)));
    let changed = signed.replace("lost", "won");
    let fail = "domainkeys=fail".to_owned();
    assert_eq!(info(&changed, &for_joe), (fail, text(domain), text(football), None));
}

/// §4.2 is the RFC's own example; the private key was not published, so it is read and no more.
#[test]
fn the_example_of_section_4_is_read() {
    let message = "DomainKey-Signature: a=rsa-sha1; s=brisbane; d=football.example.com;\r\n \
        c=simple; q=dns;\r\n b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZ\r\n \
        VoG4ZHRNiYzR;\r\nReceived: from dsl-10.2.3.4.football.example.com  [10.2.3.4]\r\n     by \
        submitserver.football.example.com with SUBMISSION;\r\n     Fri, 11 Jul 2003 21:01:54 -0700 \
        (PDT)\r\nFrom: \"Joe SixPack\" <joe@football.example.com>\r\n\r\nHi.\r\n";
    let (header, _) = dkim_message::split(message.as_bytes());
    let mut verifier = Verifier::new(&header, &archive(), &dkim_crypto::ring::PROVIDER);
    let names: Vec<_> = verifier.queries().into_iter().map(|query| query.name).collect();
    assert_eq!(names, ["brisbane._domainkey.football.example.com"]);
    assert_eq!(outcome(&verifier.finish()), "temperror key-unavailable");
}
