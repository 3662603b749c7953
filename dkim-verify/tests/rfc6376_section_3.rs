//! RFC 6376 §3: what a verifier makes of the elements of the protocol.
#![allow(clippy::unwrap_used)]

mod craft;

use craft::{MESSAGE, NOW, TEMPLATE, outcome, p, record, rsa_key, sign, verify, verify_with, zone};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::{Inquirer, QueryKind};
use dkim_verify::{Policy, Treatment, Verifier, res_infos};

/// [`MESSAGE`] signed with `openssl dgst -sha1 -sign` and the key of [`rsa_key`].
const SHA1: &str = "DKIM-Signature: v=1; a=rsa-sha1; c=relaxed/relaxed; d=example.com; s=sel;\r\n\
    \th=from:to:subject; bh=fPwkpzxtYF+7QlphLTx6kreU+o0=; b=jf7scvNhTDgEyni0l/KgZPOs\r\n\
    \tRVFPZ6rMKC0V8pB1Y0jntPwKVc5UzNN6Ogsuh3cFQXlHFrIQXj468GXd3ampUEYGHvoefJO9wDZAlCC94Go\r\n\
    \tgsxf+hmO7SoEFQMWlZ+oC/dBnsnuwrxVCiaHauAGyYUtKNjQNYl87r7i3VCy8e3QxmsxzLvZWvos5SI/hg8\r\n\
    \t1xGkZflyO3C4JcrIMIZA52si6OyVhIDRiCn5OBqFyg8jlMSHJuRRUf1EfSqB3jtvfGfBEhdnn7cOTLecFTU\r\n\
    \tw5l6u+SLCSoY5AloRQ+pVlBa+Ul02H3mMB8JfcZFwJu4LtsRHgR/szAndJKiD3dnH44Kw==\r\n";

/// §3.3 asks verifiers for rsa-sha1, RFC 8301 §3.1 forbids it: archives want it.
#[test]
fn sha1_verifies_only_where_the_policy_says_so() {
    let message = [SHA1, MESSAGE].concat();
    let keys = record(&format!("v=DKIM1; p={}", p(&*rsa_key())));
    let under =
        |policy: &Policy, message: &str| outcome(&verify_with(policy, message.as_bytes(), &keys));
    let mut archive = Policy::rfc();
    archive.sha1 = Treatment::Accept;
    assert_eq!(under(&archive, &message), "pass ok");
    assert_eq!(under(&archive, &message.replace("dinner", "lunch")), "fail signature-mismatch");
    assert_eq!(under(&archive, &message.replace("game", "match")), "fail body-hash-mismatch");
    for policy in [Policy::rfc(), Policy::strict(), Policy::lenient()] {
        assert_eq!(under(&policy, &message), "policy weak-algorithm");
    }
}

/// §3.5, §3.7: an unknown tag means nothing, and is signed like any other.
#[test]
fn an_unknown_tag_is_ignored_and_signed() {
    let signed = sign(&TEMPLATE.replace("s=sel;", "s=sel; zz=one two;"), MESSAGE.as_bytes());
    let signed = String::from_utf8(signed).unwrap();
    assert_eq!(outcome(&verify(signed.as_bytes(), &zone())), "pass ok");
    for other in ["zz=one  three;", "zz=onetwo;", "zz=;", ""] {
        let changed = signed.replace("zz=one two;", other);
        assert_eq!(outcome(&verify(changed.as_bytes(), &zone())), "fail signature-mismatch");
    }
}

/// §3.5: white space in the values of `b=` and `bh=` is no part of them.
#[test]
fn white_space_in_b_and_bh_is_ignored() {
    let signed = String::from_utf8(sign(TEMPLATE, MESSAGE.as_bytes())).unwrap();
    let (_, hash) = signed.split_once("bh=").unwrap();
    let (hash, _) = hash.split_once(';').unwrap();
    let folded = format!("{}\r\n\t{} {}", &hash[..3], &hash[3..20], &hash[20..]);
    let signed = sign(&TEMPLATE.replace("{bh}", &folded), MESSAGE.as_bytes());
    let signed = String::from_utf8(signed).unwrap();
    assert_eq!(outcome(&verify(signed.as_bytes(), &zone())), "pass ok");
    let (front, b) = signed.split_once("\tb=").unwrap();
    let refolded = format!("{front}\tb=\r\n  {}\r\n\t {}", &b[..10], &b[10..]);
    assert_eq!(outcome(&verify(refolded.as_bytes(), &zone())), "pass ok");
}

/// §3.6.2: the key is asked for in a TXT record, whatever other methods `q=` lists, and once.
#[test]
fn the_key_is_asked_for_by_dns_txt() {
    for q in ["", " q=dns/txt;", " q=http/rest:dns/txt;", " q=dns/txt:x;"] {
        let message =
            sign(&TEMPLATE.replace("s=sel;", &format!("s=foo.bar;{q}")), b"From: a\r\n\r\n");
        let (header, _) = dkim_message::split(&message);
        let mut verifier = Verifier::new(&header, &Policy::rfc(), NOW, &PROVIDER);
        let queries = verifier.queries();
        assert_eq!(queries.len(), 1, "{q}");
        assert_eq!(queries[0].name, "foo.bar._domainkey.example.com");
        assert_eq!(queries[0].kind, QueryKind::Txt);
    }
}

/// §3.7: the body is a string of octets. Nothing is decoded, no part of it is left out.
#[test]
fn encoded_bodies_and_attachments_are_hashed_as_they_stand() {
    let body = "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--b\r\n\
                Content-Type: image/png\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                =C3=A9=\r\n.x\r\n--b--\r\n";
    let message =
        format!("From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{body}");
    let signed = String::from_utf8(sign(TEMPLATE, message.as_bytes())).unwrap();
    assert_eq!(outcome(&verify(signed.as_bytes(), &zone())), "pass ok");
    // The same content, encoded or stuffed otherwise, and another attachment.
    for (from, to) in [
        ("SGVsbG8=", "SGVs\r\nbG8="),
        ("=C3=A9=", "=c3=a9="),
        ("\r\n.x", "\r\n..x"),
        ("image/png", "image/gif"),
    ] {
        assert!(body.contains(from));
        let changed = signed.replace(from, to);
        assert_eq!(outcome(&verify(changed.as_bytes(), &zone())), "fail body-hash-mismatch");
    }
}

/// §3.9, §3.11: domain and result of what passes and of what may pass later.
#[test]
fn domain_and_result_are_told() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let unavailable = dkim_dns::Zone::new().fails("sel._domainkey.example.com");
    for (zone, result) in [(zone(), "pass"), (unavailable, "temperror")] {
        let found = verify(&message, &zone);
        assert_eq!(found[0].outcome.result().name(), result);
        assert_eq!(found[0].sdid().unwrap().as_str(), "example.com");
        assert_eq!(found[0].claims().sdid.as_ref(), found[0].sdid());
        let told = res_infos(&found).remove(0);
        assert_eq!(told.get("header", "d"), Some("example.com"));
    }
    // A field that is no signature claims a domain, if one can be read there.
    for (field, sdid) in [("v=2; d=example.com", Some("example.com")), ("v=1", None), ("d", None)] {
        let message = format!("DKIM-Signature: {field}\r\n{MESSAGE}");
        let found = verify(message.as_bytes(), &zone());
        assert_eq!(found[0].sdid().map(|sdid| sdid.as_str()), sdid, "{field}");
    }
}

/// §3.11: "MUST communicate the Signing Domain Identifier (d=) […] and MAY communicate the Agent or
/// User Identifier (i=) if present". The selector names a key and nobody (§3.1), so it is told as
/// `header.s` and in no other place.
#[test]
fn identifiers_are_told_as_what_they_are() {
    let told = |template: &str| {
        let message = sign(template, MESSAGE.as_bytes());
        res_infos(&verify(&message, &zone())).remove(0)
    };
    let plain = told(TEMPLATE);
    assert_eq!((plain.get("header", "d"), plain.get("header", "i")), (Some("example.com"), None));
    let selector: Vec<_> = plain.props.iter().filter(|prop| prop.value.contains("sel")).collect();
    assert_eq!(selector.len(), 1);
    assert_eq!((&*selector[0].ptype, &*selector[0].property), ("header", "s"));
    let identified = told(&format!("{TEMPLATE}; i=joe@mail.example.com"));
    assert_eq!(identified.get("header", "d"), Some("example.com"));
    assert_eq!(identified.get("header", "i"), Some("joe@mail.example.com"));
}
