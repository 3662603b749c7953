//! Messages damaged in usual ways: the cause is named, and nothing else.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use dkim_canon::Canonicalization::{Relaxed, Simple};
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{PrivateKey, Provider, PublicKey, SigningKey};
use dkim_dns::{Zone, drive_blocking};
use dkim_explain::{BodyFinding, Explanation, HeaderFinding, KeyFit, explain};
use dkim_message::split;
use dkim_sign::{BodyLength, Copies, Fields, Request, Signer};
use dkim_tags::value::to_base64;
use dkim_tags::{Canonicalizations, DomainName, FieldName, Selector, UnixTime};
use dkim_verify::{Policy, Verifier};
use num_bigint::BigUint;

const NOW: UnixTime = UnixTime(1_700_000_000);
const FORMS: [Canonicalizations; 4] = [
    Canonicalizations { header: Simple, body: Simple },
    Canonicalizations { header: Simple, body: Relaxed },
    Canonicalizations { header: Relaxed, body: Simple },
    Canonicalizations { header: Relaxed, body: Relaxed },
];
const RELAXED: [Canonicalizations; 1] = [FORMS[3]];
const SIMPLE: [Canonicalizations; 1] = [FORMS[0]];

const HEADER: &str = "Received: from a.example\r\n\tby b.example\r\n\
    From: Joe SixPack <joe@example.com>\r\nTo: \"Suzie Q\" <suzie@example.net>,\r\n\
    \tBob <bob@example.net>\r\nSubject: Re: Is dinner  ready?\r\n\
    Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n";
const BODY: &str = "Hi.\r\n\r\nWe lost the game.  Are you h\u{fc}ngry yet?\r\n\
    From now on, I cook.\r\n.hidden\r\n\r\n-- \r\nJoe.\r\n";

fn rsa() -> Arc<dyn SigningKey> {
    let pem = include_bytes!("../../dkim-crypto/tests/keys/rsa2048.pem");
    PROVIDER.signing_key(&PrivateKey::from_pem(pem).unwrap()).unwrap()
}

fn ed25519(seed: u8) -> Arc<dyn SigningKey> {
    PROVIDER.signing_key(&PrivateKey::from_ed25519_seed(&[seed; 32])).unwrap()
}

fn sign_with(
    key: &dyn SigningKey,
    forms: Canonicalizations,
    message: &str,
    change: impl Fn(&mut Request),
) -> String {
    let (domain, selector) =
        (DomainName::parse("example.com").unwrap(), Selector::parse("s").unwrap());
    let mut request = Request::new(domain, selector, key.algorithm());
    request.canonicalization = forms;
    change(&mut request);
    let (header, body) = split(message.as_bytes());
    let mut signer = Signer::new([request], &header, NOW, &PROVIDER).unwrap();
    signer.body_chunk(body);
    let signature = signer.finish().pop().unwrap().sign(key).unwrap();
    format!("{}{message}", signature.to_field())
}

fn sign(forms: Canonicalizations, message: &str) -> String {
    sign_with(&*ed25519(1), forms, message, |_| ())
}

/// What is said of the topmost signature of a message, the key being this one.
fn explanation_with(key: &dyn SigningKey, message: &str) -> Explanation {
    explanations(key, message).remove(0).unwrap()
}

/// What is said of each signature of a message.
fn explanations(key: &dyn SigningKey, message: &str) -> Vec<Option<Explanation>> {
    let p = to_base64(&key.public_key().to_p_tag());
    let record = format!("v=DKIM1; k={}; p={p}", key.algorithm().key());
    explanations_in(&Zone::new().txt("s._domainkey.example.com", record), message)
}

fn explanations_in(zone: &Zone, message: &str) -> Vec<Option<Explanation>> {
    let (header, body) = split(message.as_bytes());
    let mut verifier = Verifier::new(&header, &Policy::rfc(), NOW, &PROVIDER);
    drive_blocking(&mut verifier, zone);
    verifier.body_chunk(body);
    explain(&header, body, &verifier.finish(), &PROVIDER)
}

fn explanation(message: &str) -> Explanation {
    explanation_with(&*ed25519(1), message)
}

/// The codes of the causes, those of the header first.
fn causes(explanation: &Explanation) -> Vec<&'static str> {
    let mut causes = Vec::new();
    match &explanation.header {
        HeaderFinding::Intact => {}
        HeaderFinding::Changed(changes) => {
            causes.extend(changes.iter().map(|change| change.code()))
        }
        HeaderFinding::Unexplained { .. } => causes.push("header-unexplained"),
        _ => causes.push("no-key"),
    }
    match &explanation.body {
        BodyFinding::Intact => {}
        BodyFinding::Changed(change) => causes.push(change.code()),
        BodyFinding::Short { .. } => causes.push("body-short"),
        _ => causes.push("body-unexplained"),
    }
    causes
}

fn message() -> String {
    format!("{HEADER}\r\n{BODY}")
}

#[test]
fn an_undamaged_message_has_no_causes() {
    for forms in FORMS {
        assert_eq!(causes(&explanation(&sign(forms, &message()))), [""; 0]);
    }
}

/// What is done to a signed message, in which forms it breaks it, and what is to be said of it.
type Damage = (&'static [Canonicalizations], fn(String) -> String, &'static [&'static str]);

#[test]
fn usual_damage_is_named() {
    const TO_BODY: &[Damage] = &[
        (
            &FORMS,
            |m| m + "_____\r\nlist mailing list\r\nhttps://list.example\r\n",
            &["lines-appended"],
        ),
        (&FORMS, |m| m + "no line end", &["lines-appended"]),
        (
            &FORMS,
            |m| m.replace("\r\n\r\nHi.", "\r\n\r\n[CAUTION] External\r\n\r\nHi."),
            &["lines-prepended"],
        ),
        (&[FORMS[0], FORMS[2]], |m| m.replace("Hi.\r\n", "Hi. \t\r\n"), &["trailing-space-added"]),
        (&[FORMS[0], FORMS[2]], |m| m.replace("-- \r\n", "--\r\n"), &["dashes-trimmed"]),
        (&FORMS, |m| m.replace("\r\nFrom now", "\r\n>From now"), &["from-escaped"]),
        (&FORMS, |m| m.replace("\r\n.hidden", "\r\n..hidden"), &["dot-doubled"]),
        (
            &FORMS,
            |m| m.replace("We lost", "We\nlost").replace("Hi.\r\n\r\n", "Hi.\n\r\n"),
            &["body-unexplained"],
        ),
        (&FORMS, |m| m.replace("Hi.\r\n", "Hi.\r\r\n"), &["line-ends"]),
        (&FORMS, |m| m.replace("Hi.", "Hi!"), &["body-unexplained"]),
        (&FORMS, |m| m.replace("h\u{fc}ngry", "h=C3=BCngry"), &["quoted-printable"]),
    ];
    const TO_HEADER: &[Damage] = &[
        (&FORMS, |m| m.replace("Subject: Re:", "Subject: Re: [list]"), &["subject-tagged"]),
        (&FORMS, |m| m.replace("Subject: Re:", "Subject: [list] Re:"), &["subject-tagged"]),
        (&FORMS, |m| format!("Subject: other\r\n{m}"), &["field-added"]),
        (&FORMS, |m| format!("Reply-To: <list@example.org>\r\n{m}"), &["field-added"]),
        (
            &FORMS,
            |m| {
                m.replace("From: Joe SixPack <joe@example.com>", "From: Joe via list <l@example.org>\r\nX-Original-From: Joe SixPack <joe@example.com>")
            },
            &["field-rewritten"],
        ),
        (&FORMS, |m| m.replace("\"Suzie Q\"", "Suzie Q"), &["quotes"]),
        (&FORMS, |m| m.replace("MIME-Version: 1.0\r\n", ""), &["field-removed"]),
        (
            &FORMS,
            |m| m.replace("Encoding: 8bit", "Encoding: quoted-printable"),
            &["transfer-encoding"],
        ),
        (&SIMPLE, |m| m.replace(",\r\n\tBob", ", Bob"), &["header-unexplained"]),
        (&SIMPLE, |m| m.replace("Subject: Re", "Subject:  Re"), &["white-space"]),
        (&SIMPLE, |m| m.replace("MIME-Version: 1", "Mime-Version: 1"), &["name-case"]),
        (&SIMPLE, |m| m.replace("\r\n\t", "\r\n "), &["white-space"]),
        (&FORMS, |m| m.replace("Tue, 14", "Wed, 15"), &["header-unexplained"]),
        (
            &FORMS,
            |m| m.replace("MIME-Version: 1.0", "MIME-Version: 1.0 (a mailer)"),
            &["rewritten"],
        ),
    ];
    const TO_BOTH: &[Damage] = &[
        (
            &FORMS,
            |m| m.replace("Subject: Re:", "Subject: Re: [list]") + "--\r\nlist\r\n",
            &["subject-tagged", "lines-appended"],
        ),
        (
            &FORMS,
            |m| m.replace("8bit", "quoted-printable").replace("h\u{fc}ngry", "h=C3=BCngry"),
            &["transfer-encoding", "quoted-printable"],
        ),
        (
            &RELAXED,
            |m| {
                let m = m.replace("From: Joe SixPack", "X-Original-From: Joe SixPack");
                let m = m.replace("Subject: Re:", "Subject: [list] Re:");
                format!("From: list <l@example.org>\r\nReply-To: l@example.org\r\n{m}--\r\n")
            },
            &["field-rewritten", "subject-tagged", "field-added", "lines-appended"],
        ),
    ];
    for (forms, damage, expected) in [TO_BODY, TO_HEADER, TO_BOTH].concat() {
        for form in forms {
            let damaged = damage(sign(*form, &message()));
            assert_eq!(causes(&explanation(&damaged)), expected, "{form} {damaged}");
        }
    }
}

#[test]
fn footers_in_body_parts_are_found() {
    let header =
        HEADER.replace("text/plain; charset=\"utf-8\"", "multipart/alternative;\r\n boundary=x");
    let body = "--x\r\nContent-Type: text/plain\r\n\r\nHi.\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>Hi.\r\n--x--\r\n";
    for forms in FORMS {
        let signed = sign(forms, &format!("{header}\r\n{body}"));
        for (damaged, cause) in [
            (signed.replacen("Hi.\r\n--x", "Hi.\r\n\r\nA footer.\r\n--x", 1), "lines-inserted"),
            (signed.replacen("\r\n\r\nHi.", "\r\n\r\nCAUTION\r\n\r\nHi.", 1), "lines-inserted"),
            (signed.replace("--x--", "--x\r\n\r\nA part.\r\n--x--"), "lines-inserted"),
        ] {
            assert_eq!(causes(&explanation(&damaged)), [cause], "{damaged}");
        }
        let (header, body) = signed.split_once("\r\n\r\n").unwrap();
        let wrapped = format!(
            "{header}\r\n\r\n--y\r\nContent-Type: multipart/alternative;\r\n boundary=x\r\n\r\n{body}\r\n\
             --y\r\n\r\nlist\r\n--y--\r\n"
        );
        assert_eq!(causes(&explanation(&wrapped)), ["wrapped"]);
    }
}

/// The signer's own faults.
#[test]
fn what_a_signer_does_wrong_is_named() {
    let length = |request: &mut Request| request.body_length = BodyLength::AsSigned;
    let short = sign_with(&*ed25519(1), FORMS[3], &message(), length).replace("Joe.\r\n", "");
    assert_eq!(causes(&explanation(&short)), ["body-short"]);
    // The message as it was signed is not the one that is sent.
    let lf = sign(FORMS[0], &message());
    let (field, _) = lf.split_once("Received:").unwrap();
    for (signed, expected) in [
        (
            lf.replace("c=simple/simple", "c=relaxed/relaxed"),
            &["header-unexplained", "other-canonicalization"][..],
        ),
        (field.to_owned() + &message().replace("\r\n.hidden", "\r\nhidden"), &["body-unexplained"]),
        (
            field.to_owned() + &message().replace("\r\n.hidden", "\r\n.hidden\r\n\u{c}"),
            &["body-unexplained"],
        ),
    ] {
        assert_eq!(causes(&explanation(&signed)), expected);
    }
}

#[test]
fn copies_tell_what_was_rewritten() {
    let copying = |request: &mut Request| request.copies = Copies::OfSignedFields;
    for forms in FORMS {
        let signed = sign_with(&*ed25519(1), forms, &message(), copying);
        assert_eq!(explanation(&signed).copies, []);
        // None of the usual changes, and two at once.
        let damaged = signed.replace("Date: Tue, 14", "Date: Wed, 15");
        let damaged = damaged.replace("dinner  ready?\r\n", "supper ready?\r\n");
        let explanation = explanation(&damaged);
        assert_eq!(causes(&explanation), ["not-as-copied", "not-as-copied"]);
        let copies: Vec<(&str, &[u8])> =
            explanation.copies.iter().map(|copy| (&*copy.name, &*copy.copy)).collect();
        assert_eq!(
            copies,
            [
                ("Subject", &b" Re: Is dinner  ready?"[..]),
                ("Date", b" Tue, 14 Nov 2023 22:13:20 +0000")
            ]
        );
        assert_eq!(explanation.copies[0].now, [b" Re: Is supper ready?"]);
    }
}

/// An RSA signature tells whether the key is the right one; an Ed25519 signature does not.
#[test]
fn a_wrong_key_is_told() {
    let changed = |message: String| message.replace("Tue, 14", "Wed, 15");
    let fit = |explanation: &Explanation| match explanation.header {
        HeaderFinding::Unexplained { key, .. } => Some(key),
        _ => None,
    };
    let signed = sign_with(&*rsa(), FORMS[3], &message(), |_| ());
    let sha256 = dkim_crypto::HashAlgorithm::Sha256;
    let right = explanation_with(&*rsa(), &changed(signed.clone()));
    assert_eq!(fit(&right), Some(KeyFit::Fits(sha256)));
    let b = signed.find("b=").unwrap() + 12;
    let damaged = signed.get(..b).unwrap().to_owned() + "AAAA" + signed.get(b + 4..).unwrap();
    assert_eq!(fit(&explanation_with(&*rsa(), &damaged)), Some(KeyFit::DoesNotFit));
    let signed = sign(FORMS[3], &message());
    assert_eq!(fit(&explanation_with(&*ed25519(2), &signed)), Some(KeyFit::Unknown));
}

#[test]
fn without_a_key_the_body_is_still_looked_at() {
    let signed = sign(FORMS[3], &message()) + "footer\r\n";
    let (header, body) = split(signed.as_bytes());
    let mut verifier = Verifier::new(&header, &Policy::rfc(), NOW, &PROVIDER);
    drive_blocking(&mut verifier, &Zone::new());
    let found = verifier.finish();
    let explanation = explain(&header, body, &found[..1], &PROVIDER).remove(0).unwrap();
    assert_eq!(causes(&explanation), ["no-key", "lines-appended"]);
}

/// Each of these would take hours or gigabytes, were there no limit to the changes tried.
#[test]
fn hostile_messages_are_given_up() {
    let signed = sign(FORMS[0], &message());
    let damaged = signed.replace("Tue, 14", "Wed, 15");
    let subjects = |tags: usize, count: usize| {
        damaged
            .replace("\r\nSubject:", &format!("\r\nSubject: {}", "[]".repeat(tags)).repeat(count))
    };
    let names =
        |count: usize| damaged.replace("h=From:", &format!("h={}From:", "x:".repeat(count)));
    let copies: String = (0..900).map(|_| "Subject:a|").collect();
    for hostile in [
        subjects(400, 4).replace("h=From:", "h=Subject:Subject:Subject:Subject:From:"),
        subjects(15_000, 3),
        damaged.replace("t=1700000000;", &format!("t=1700000000; z={copies}Subject:a;")),
        names(900),
        damaged.replace("\r\nTo: ", &"\r\nSubject: x".repeat(3_000)),
        signed.clone() + &"--\r\n".repeat(300_000),
        signed.clone() + &"--x\r\n\r\n".repeat(100_000),
        signed.replace("t=1700000000;", "t=1700000000; l=0;") + &"--x\r\n\r\ny\r\n".repeat(100_000),
    ] {
        assert!(!causes(&explanation(&hostile)).is_empty());
    }
}

/// Signed names that no field has cost nothing but their number.
#[test]
fn a_hundred_names_are_looked_at() {
    for (count, expected) in [(100, "subject-tagged"), (101, "header-unexplained")] {
        let names = [vec!["From", "Subject"], vec!["X"; count - 2]].concat();
        let signed = sign_over(&names);
        let damaged = signed.replace("Subject: Re:", "Subject: [list] Re:");
        assert_eq!(causes(&explanation(&damaged)), [expected], "{count}");
    }
}

#[test]
fn four_changes_at_once_are_found() {
    let names = ["From", "A", "B", "C", "D", "E"];
    for (count, expected) in [(4, vec!["field-added"; 4]), (5, vec!["header-unexplained"])] {
        let added: String = names[1..=count].iter().map(|name| format!("{name}: x\r\n")).collect();
        let damaged = added + &sign_over(&names);
        assert_eq!(causes(&explanation(&damaged)), expected, "{count}");
    }
}

/// The message with a signature over these fields.
fn sign_over(names: &[&'static str]) -> String {
    let exact: Vec<FieldName> = names.iter().map(|name| FieldName::from_static(name)).collect();
    sign_with(&*ed25519(1), FORMS[3], &message(), |request| {
        request.fields = Fields::Exact(exact.clone());
    })
}

/// How many headers were tried for each signature.
fn tried(explanations: &[Option<Explanation>]) -> Vec<usize> {
    let tried = |explanation: &Explanation| match explanation.header {
        HeaderFinding::Unexplained { tried, .. } => Some(tried),
        _ => None,
    };
    explanations.iter().flatten().filter_map(tried).collect()
}

/// A message has 20 000 trials, however many signatures there are, and one signature half of them;
/// with a longer key there are fewer, and signatures that pass take none.
#[test]
fn a_message_has_so_many_trials() {
    let header =
        HEADER.replace("Received: ", "Cc: A B <a@b.example>, C D <c@d.example>\r\nReceived: ");
    let message = format!("{header}\r\n{BODY}");
    let broken = |key: &dyn SigningKey, count: usize| {
        let signed = sign_with(key, FORMS[3], &message, |_| ());
        let field = signed.strip_suffix(&*message).unwrap().repeat(count);
        explanations(key, &(field + &message.replace("Tue, 14", "Wed, 15")))
    };
    let key = ed25519(1);
    for (count, each) in [(1, 10_000), (11, 2_000)] {
        assert_eq!(tried(&broken(&*key, count)), vec![each; count.min(10)], "{count} signatures");
    }
    let good = sign(FORMS[3], &message.replace("Tue, 14", "Wed, 15"));
    let signed = sign(FORMS[3], &message);
    let bad = signed.strip_suffix(&*message).unwrap();
    assert_eq!(tried(&explanations(&*key, &(bad.repeat(2) + &good))), [10_000; 2]);
}

/// An RSA key of 8192 bits and what it opens to a hash of zeros, made without its private key: a
/// cube is the signature's and the hash's distance from it is the modulus.
fn key_made_for_a_signature() -> (PublicKey, Vec<u8>) {
    const DIGEST_INFO: &[u8] =
        b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let hash = [DIGEST_INFO, &[0; 32]].concat();
    let padding = vec![0xff; 1024 - 3 - hash.len()];
    let encoded = BigUint::from_bytes_be(&[&[0, 1], &*padding, &[0], &*hash].concat());
    let mut root = (BigUint::from(1_u8) << 8192_u32).cbrt();
    // The encoded hash is even, and a modulus is odd.
    root = root.clone() - u8::from(!root.bit(0));
    let modulus = (root.pow(3) - encoded).to_bytes_be();
    let root = root.to_bytes_be();
    let signature = [vec![0; 1024 - root.len()], root].concat();
    (PublicKey::from_rsa_integers(&modulus, &[3]).unwrap(), signature)
}

/// Whoever publishes a long key does not get as many trials with it as with a short one.
#[test]
fn trials_with_a_long_key_are_fewer() {
    let (key, signature) = key_made_for_a_signature();
    let field = |count: usize| {
        let b = to_base64(&signature);
        let field = format!(
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s; bh=YQ==;\r\n \
             h=From:To:Cc:Subject:Date:MIME-Version:Content-Type:Content-Transfer-Encoding; b={b}\r\n"
        );
        field.repeat(count)
    };
    let zone =
        Zone::new().txt("s._domainkey.example.com", format!("p={}", to_base64(&key.to_p_tag())));
    for (count, least, all) in [(1, 3_333, 3_333), (10, 666, 6_666)] {
        let message = field(count) + "Cc: A B <a@b.example>, C D <c@d.example>\r\n" + &message();
        let tried = tried(&explanations_in(&zone, &message));
        let sum = tried.iter().sum::<usize>();
        assert_eq!((tried.len(), tried.into_iter().min(), sum), (count, Some(least), all));
    }
}

/// What is refused before a key is asked for is no work for the policy, and would be for us.
#[test]
fn ten_signatures_are_explained() {
    let refused =
        "DKIM-Signature: v=1; a=rsa-sha1; d=example.com; s=s; h=from; bh=YQ==; b=YQ==\r\n";
    for (count, explained) in [(10, 10), (11, 10), (1_000, 10)] {
        let message = refused.repeat(count) + &message();
        let explanations = explanations(&*ed25519(1), &message);
        assert_eq!(explanations.len(), count);
        assert_eq!(explanations.iter().flatten().count(), explained);
        assert!(explanations.iter().take(10).all(Option::is_some));
    }
}

/// What is beyond a limit of the policy is not looked into.
#[test]
fn signatures_over_the_limit_are_not_explained() {
    let signed = sign(FORMS[3], &message());
    let field = signed.split_inclusive("Received:").next().unwrap().replace("Received:", "");
    let many = field.repeat(11) + &signed;
    let (header, body) = split(many.as_bytes());
    let mut verifier = Verifier::new(&header, &Policy::rfc(), NOW, &PROVIDER);
    verifier.body_chunk(body);
    let explanations = explain(&header, body, &verifier.finish(), &PROVIDER);
    assert_eq!(explanations.len(), 12);
    assert_eq!(explanations.iter().flatten().count(), 10);
}
