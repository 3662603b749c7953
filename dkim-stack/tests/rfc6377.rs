//! RFC 6377: DKIM and mailing lists, from the post to the last receiver.
#![cfg(any(feature = "ring", feature = "aws-lc-rs"))]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use dkim_stack::adsp::{AdspCheck, authors_of};
use dkim_stack::authres::AuthenticationResults;
use dkim_stack::dns::drive_blocking;
use dkim_stack::explain::{Fate, relayed};
use dkim_stack::message::{Header, split};
use dkim_stack::tags::FieldName;
use dkim_stack::{
    Assessment, BodyLength, DomainName, Fields, Known, Mediation, Policy, PrivateKey, Request,
    Role, Selector, SigningKey, TrustedResults, UnixTime, Verification, Zone, provider, sign,
    verify_blocking,
};

const NOW: UnixTime = UnixTime(1_700_000_000);

/// As it is posted.
const POST: &str = "From: joe@example.org\r\nTo: talk@lists.example.com\r\n\
                    Subject: Dinner\r\n\r\nHi.\r\n";

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn key() -> Arc<dyn SigningKey> {
    provider().signing_key(&PrivateKey::from_ed25519_seed(&[7; 32])).unwrap()
}

/// The author's domain, which calls what it has not signed discardable, and everybody's keys.
fn zone() -> Zone {
    let record = dkim_stack::keyrec::KeyRecord::new(key().public_key().clone()).to_text();
    let keys = ["example.org", "example.com", "example.edu"].map(|d| format!("s._domainkey.{d}"));
    let zone = keys.iter().fold(Zone::new(), |zone, name| zone.txt(name, &record));
    zone.txt("s._domainkey.test.example", record.replace("v=DKIM1;", "v=DKIM1; t=y;"))
        .txt("_adsp._domainkey.example.org", "dkim=discardable")
        .exists("example.org")
}

fn signed_with(fields: Fields, domain: &str, message: &str) -> String {
    let selector = Selector::parse("s").unwrap();
    let mut request = Request::new(name(domain), selector, key().algorithm());
    request.fields = fields;
    sign(message.as_bytes(), request, NOW, provider(), &*key()).unwrap().to_field() + message
}

/// As whoever writes mail signs it.
fn posted() -> String {
    signed_with(Fields::default(), "example.org", POST)
}

/// As a list signs what it sends.
fn listed(message: &str) -> String {
    signed_with(Fields::of_mediator(), "example.com", message)
}

fn verified(message: &str) -> Vec<Verification> {
    verify_blocking(message.as_bytes(), &Policy::rfc(), NOW, provider(), &zone())
}

fn results(message: &str) -> Vec<&'static str> {
    verified(message).iter().map(|one| one.outcome.result().name()).collect()
}

/// What a list sends out of a post that it has put a footer under.
fn with_footer(post: &str) -> String {
    let received = verified(post);
    let changed = format!("List-Post: <mailto:talk@lists.example.com>\r\n{post}-- \r\nTalk\r\n");
    let (header, body) = split(changed.as_bytes());
    let mediation = Mediation::new(&header, &name("example.com"), "example.com", &received, &[]);
    let out = [&mediation.header(&header), &b"\r\n"[..], body].concat();
    listed(std::str::from_utf8(&out).unwrap())
}

fn trusted(message: &str, sites: &[&str]) -> Vec<TrustedResults> {
    let (header, _) = split(message.as_bytes());
    let sites: Vec<_> = sites.iter().map(|site| name(site)).collect();
    TrustedResults::of(&header, &verified(message), &sites)
}

/// The results of ADSP, with these signatures found valid.
fn practices(message: &str, valid: &[DomainName]) -> Vec<dkim_stack::adsp::AdspFinding> {
    let (header, _) = split(message.as_bytes());
    let mut check = AdspCheck::new(&authors_of(&header).unwrap(), valid);
    drive_blocking(&mut check, &zone());
    check.finish()
}

/// What continues nothing would continue the list's own results, and be signed as its word.
#[test]
fn nobody_adds_to_the_results_of_a_list() {
    let forged = b" ; dkim=pass header.d=example.com\r\nFrom: joe@example.com\r\n";
    let header = Header::parse(forged);
    let own = DomainName::parse("lists.example").unwrap();
    let mediated = Mediation::new(&header, &own, "lists.example", &[], &[]).header(&header);
    let mediated = Header::parse(&mediated);
    let results: Vec<_> = mediated.named("Authentication-Results").collect();
    assert_eq!(results.len(), 1);
    let results = AuthenticationResults::parse(results[0].body()).unwrap();
    assert_eq!(results.results.len(), 1, "{results:?}");
    assert_eq!(results.results[0].result, "none");
    // It is as malformed as before, so that nobody signs it.
    assert_eq!(mediated.defects(), header.defects());
}

#[test]
fn what_lists_add_to_the_header_breaks_nothing_and_what_they_change_does() {
    let post = posted();
    let (before, before_body) = split(post.as_bytes());
    let is_kept = |after: &str| {
        let (header, body) = split(after.as_bytes());
        let fates = relayed((&before, before_body), (&header, body));
        let is_kept = fates[0].fate == Fate::Kept;
        assert_eq!(results(after) == ["pass"], is_kept, "{after}");
        is_kept
    };
    for added in [
        "List-Id: Talk <talk.lists.example.com>",
        "List-Post: <mailto:talk@lists.example.com>",
        "List-Help: <mailto:help@lists.example.com>",
        "List-Subscribe: <mailto:join@lists.example.com>",
        "List-Unsubscribe: <https://lists.example.com/leave>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Owner: <mailto:owner@lists.example.com>",
        "List-Archive: <https://lists.example.com/talk>",
        "Sender: talk@lists.example.com",
        "Resent-From: talk@lists.example.com",
        "Resent-Sender: talk@lists.example.com",
        "Resent-To: all@lists.example.com",
        "Received: by lists.example.com; Tue, 14 Nov 2023 22:13:20 +0000",
        "Precedence: list",
    ] {
        assert!(is_kept(&format!("{added}\r\n{post}")), "{added}");
    }
    for changed in [
        post.replace("Subject: ", "Subject: [talk] "),
        format!("Reply-To: talk@lists.example.com\r\n{post}"),
        format!("{post}-- \r\nTalk\r\n"),
        post.replace("From: joe@example.org", "From: talk@lists.example.com"),
    ] {
        assert!(!is_kept(&changed), "{changed}");
    }
}

#[test]
fn a_list_signs_every_post_and_the_whole_of_it() {
    for (post, found) in [(POST.to_owned(), "dkim=none"), (posted(), "dkim=pass")] {
        let out = with_footer(&post);
        assert!(out.contains(found), "{out}");
        let passes = |message: &str| verified(message)[0].passes();
        assert!(passes(&out), "{out}");
        let changes = [
            format!("{out}More.\r\n"),
            out.replace("Talk\r\n", "Walk\r\n"),
            out.replace("Subject: D", "Subject: W"),
            out.replace(found, "dkim=fail"),
            out.replace("List-Post: <mailto:talk@", "List-Post: <mailto:walk@"),
        ];
        for changed in changes {
            assert_ne!(changed, out);
            assert!(!passes(&changed), "{changed}");
        }
    }
}

#[test]
fn practices_make_no_exception_for_lists() {
    let out = with_footer(&posted());
    assert_eq!(results(&out), ["pass", "fail"]);
    let adsp = practices(&out, &[name("example.com")]);
    let known = Known { adsp: &adsp, ..Known::default() };
    let (header, _) = split(out.as_bytes());
    let assessment = Assessment::new(&header, &verified(&out), &known);
    // The list is a signer as any other.
    let signers: Vec<_> =
        assessment.signers.iter().map(|one| (one.sdid.as_str(), one.role)).collect();
    assert_eq!(signers, [("example.com", Role::Mediator)]);
    assert_eq!(assessment.practices[0].result.name(), "discard");
}

/// Before it breaks a signature, a list may ask what the author's domain makes of that.
#[test]
fn a_list_is_told_whose_mail_would_be_discarded() {
    let post = posted();
    assert_eq!(results(&post), ["pass"]);
    assert_eq!(practices(&post, &[name("example.org")])[0].result().name(), "pass");
    assert_eq!(practices(&post, &[])[0].result().name(), "discard");
}

/// The example of RFC 6377 §5.4.
#[test]
fn what_a_trusted_list_found_counts_where_its_changes_broke_the_authors_signature() {
    let out = with_footer(&posted());
    let found = trusted(&out, &["example.com"]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].position, found[0].site.as_str()), (1, "example.com"));
    let valid: Vec<_> = found[0].valid_sdids().collect();
    assert_eq!(valid, [name("example.org")]);
    assert_eq!(practices(&out, &valid)[0].result().name(), "pass");
    // Nobody else is believed, nor is the list when what it says is not what it signed.
    assert_eq!(trusted(&out, &["example.edu", "lists.example.com"]), []);
    assert_eq!(
        trusted(&out.replace("header.d=example.org", "header.d=example.net"), &["example.com"]),
        []
    );
}

/// What an author's domain has not signed but for a test, or to which anybody could add, is not made a
/// valid signature by a list that says what it found.
#[test]
fn a_list_vouches_for_no_test_and_for_no_part_of_a_message() {
    let test = signed_with(Fields::default(), "test.example", POST);
    let selector = Selector::parse("s").unwrap();
    let mut request = Request::new(name("example.org"), selector, key().algorithm());
    request.body_length = BodyLength::AsSigned;
    let part = sign(POST.as_bytes(), request, NOW, provider(), &*key()).unwrap().to_field();
    let part = format!("{part}{POST}More.\r\n");
    // Signed once, where it stood once.
    let names = ["From", "Subject"].map(|name| FieldName::parse(name).unwrap());
    let exact = Fields::Exact(names.into_iter().collect());
    let second = signed_with(exact, "example.org", POST);
    let second = format!("Subject: Pay now\r\n{second}");
    for (post, reason) in [
        (test, "testing DKIM"),
        (part, "only the first 5 octets"),
        (second, "a second Subject field that is not signed"),
    ] {
        assert_eq!(results(&post), ["pass"]);
        let out = with_footer(&post);
        let found = trusted(&out, &["example.com"]);
        let [info] = &*found[0].results.results else { panic!("{found:?}") };
        assert_eq!(info.result, "policy");
        assert!(info.reason.as_ref().unwrap().contains(reason), "{info:?}");
        assert_eq!(found[0].valid_sdids().count(), 0);
    }
    // What fails does so under a test, too.
    let test = signed_with(Fields::default(), "test.example", POST).replace("Hi.", "Ho.");
    let found = trusted(&with_footer(&test), &["example.com"]);
    assert_eq!(found[0].results.results[0].result, "fail");
}

#[test]
fn results_are_believed_under_the_signature_of_their_site_alone() {
    const RESULTS: &str =
        "Authentication-Results: mx.example.com; dkim=pass header.d=example.org\r\n";
    let sites = ["example.com", "example.edu", "test.example"];
    let with = |results: &str| format!("{results}{POST}");
    let message = listed(&with(RESULTS));
    assert_eq!(trusted(&message, &sites).len(), 1);

    let chosen = |names: &[&str]| {
        Fields::Exact(names.iter().map(|name| FieldName::parse(name).unwrap()).collect())
    };
    let all = ["From", "Authentication-Results"];
    for (message, why) in [
        (with(RESULTS), "it is not signed"),
        (signed_with(chosen(&["From"]), "example.com", &with(RESULTS)), "it is not covered"),
        (signed_with(chosen(&all), "example.edu", &with(RESULTS)), "another has signed"),
        (signed_with(chosen(&all), "test.example", &with(RESULTS)), "another has signed, in test"),
        (
            signed_with(
                chosen(&all),
                "test.example",
                &with(&RESULTS.replace("mx.example.com", "test.example")),
            ),
            "the key is a test",
        ),
        (listed(&with(&RESULTS.replace("mx.", "mx"))), "the name is another's"),
        (listed(&with(&RESULTS.replace(".com;", ".com 2;"))), "the version is not known"),
        (listed(&with(&RESULTS.replace("dkim=", "dkim"))), "it cannot be read"),
        (message.replace("Hi.", "Ho."), "the signature fails"),
    ] {
        assert_eq!(trusted(&message, &sites), [], "{why}: {message}");
    }

    // Of several fields only those that were signed, wherever they stand.
    let topped = format!("{}{message}", RESULTS.replace("example.org", "bank.example"));
    let found = trusted(&topped, &sites);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].position, 2);
    assert!(found[0].valid_sdids().eq([name("example.org")]));
}

#[test]
fn only_valid_signatures_of_dkim_are_handed_on() {
    let results = "Authentication-Results: example.com; DKIM=Pass header.d=A.example;\r\n \
                   dkim=fail header.d=b.example; spf=pass header.d=c.example;\r\n \
                   dkim/2=pass header.d=d.example; dkim=pass header.i=@e.example;\r\n \
                   dkim/1=pass header.d=f.example; dkim=pass header.d=\"g example\"\r\n";
    let found = trusted(&listed(&format!("{results}{POST}")), &["example.com"]);
    assert!(found[0].valid_sdids().eq([name("a.example"), name("f.example")]));
}
