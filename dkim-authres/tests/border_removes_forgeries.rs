//! A border deletes every field that could pass for its own, and no other (RFC 8601 §5).
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_authres::{AuthenticationResults, Forged, OwnIdError, OwnIds, forged, without_forged};
use dkim_message::Header;

fn own() -> OwnIds {
    ids(["example.org", "MX1.Example.Net.", "xn--bcher-kva.example"])
}

fn ids<const N: usize>(ids: [&str; N]) -> OwnIds {
    OwnIds::new(ids).unwrap()
}

fn positions(found: &[Forged]) -> Vec<usize> {
    found.iter().map(|forged| forged.position).collect()
}

fn is_removed(body: &[u8]) -> bool {
    !forged([("Authentication-Results", body)], &own()).is_empty()
}

#[test]
fn spellings_of_ours() {
    let spellings: [&[u8]; 81] = [
        // Well-formed.
        b"example.org; none",
        b" example.org; dkim=pass header.d=bank.example\r\n",
        b"EXAMPLE.ORG; dkim=pass",
        b"\r\n example.org;\r\n dkim=pass",
        b"(comment) example.org; dkim=pass",
        b"(nested (comment) \\)) example.org; dkim=pass",
        b"example.org(comment); dkim=pass",
        b"example.org (comment) 1 (comment); dkim=pass",
        b"example.org 1; dkim=pass",
        b"example.org\t; none",
        b"\"example.org\"; dkim=pass",
        b"\"ex\\ample.org\"; dkim=pass",
        b"\"Example.org.\" 1; dkim=pass",
        b"\" example.org \"; dkim=pass",
        b"\"example.org 1\"; dkim=pass",
        b"\"example.org\xc2\xa0\"; dkim=pass",
        b"example.org.; dkim=pass",
        b"mx1.example.net; dkim=pass",
        b"xn--bcher-kva.example; dkim=pass",
        b"XN--BCHER-KVA.Example; dkim=pass",
        b"example.org/1; dkim=pass",
        b"(a)(b) (c)\r\n (d) example.org (e)\r\n (f); dkim=pass",
        b"(\\() example.org; dkim=pass",
        b"\t\r\n\t\"example.org\"\t(x)1(y)\t;dkim=pass",
        b"example.org 01; dkim=pass",
        b"\"example.org\"; none",
        b"..example.org..; none",
        // The same name to those who know IDNA.
        "b\u{fc}cher.example; dkim=pass".as_bytes(),
        "B\u{dc}CHER.example. 1; dkim=pass".as_bytes(),
        "\"bu\u{308}cher.example\"; dkim=pass".as_bytes(),
        "\u{ff45}xample.org; dkim=pass".as_bytes(),
        "example\u{3002}org; dkim=pass".as_bytes(),
        "exam\u{200b}ple.org; dkim=pass".as_bytes(),
        "exam\u{ad}ple.org; dkim=pass".as_bytes(),
        "\u{feff}example.org; dkim=pass".as_bytes(),
        "exam\u{200b}ple.org dkim=pass".as_bytes(),
        "\u{feff}\u{200b}, example.org".as_bytes(),
        // Versions that nobody knows.
        b"example.org 2; dkim=pass",
        b"other.example 2; dkim=pass",
        b"other.example 0; dkim=pass",
        // Ours for readers who do not know comments well.
        b"(a(b) example.org; dkim=pass) other.example; dkim=pass",
        b"(\\) example.org; dkim=pass (\\)) other.example; dkim=pass",
        // Those who know that comments nest and no quoted-pairs, and the other way round.
        b"(((x)\\)) example.org; dkim=pass) other.example; dkim=pass",
        b"(((\\)) example.org; dkim=pass)) other.example; dkim=pass",
        // Readable up to the results.
        b"example.org; dkim=pass action=none",
        b"example.org; dkim",
        b"example.org;",
        b"example.org; dkim=pass (",
        // Not readable, and not so to everyone.
        b"example.org",
        b"example.org dkim=pass",
        b"example.org 1x; dkim=pass",
        b"example.org, dkim=pass",
        b"; example.org; dkim=pass",
        b"<example.org>; dkim=pass",
        b"joe@example.org; dkim=pass",
        b"exam(comment)ple.org; dkim=pass",
        b"exam\r\n ple.org; dkim=pass",
        b"\"example.org; dkim=pass",
        b"(example.org; dkim=pass",
        b"example\0.org; dkim=pass",
        b"example.org\n; dkim=pass",
        b"example.org\xff; dkim=pass",
        b"=?utf-8?q?ex=61mple.org?=; dkim=pass",
        b"=?utf-8?b?ZXhhbXBsZS5vcmc=?=; dkim=pass",
        // Some drop a parenthesis that closes nothing, and put together what it parted.
        b"example).org; dkim=pass",
        b"exam)ple.org; dkim=pass",
        b"example.) org; dkim=pass",
        b"example)\x0b.org; dkim=pass",
        b"example)\r\n .org; dkim=pass",
        b"\"example.org)\"; dkim=pass",
        b"\"exam(ple.org\"; dkim=pass",
        // Octets that are no UTF-8: dropped, read as Latin-1, or without their eighth bit.
        b"example\xad.org; dkim=pass",
        b"\xe5xample.org; dkim=pass",
        b"b\xfccher.example; dkim=pass",
        b"other.example (\xe5) 1; dkim=pass",
        // Punycode of nothing but ASCII.
        b"xn--example-.org; dkim=pass",
        b"example.XN--ORG-; dkim=pass",
        b"xn--example-.org/1; dkim=pass",
        "xn--example-.\u{ff4f}rg; dkim=pass".as_bytes(),
        "xn--example-\u{ff0e}org; dkim=pass".as_bytes(),
        "\u{ff45}xample.xn--org-; dkim=pass".as_bytes(),
    ];
    for body in spellings {
        assert!(is_removed(body), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn an_encoded_word_before_the_semicolon_is_nobodys_id() {
    for body in [
        "\"=?us-ascii?q?mx.example.org?=\"; dkim=pass",
        "\"=\\?us-ascii?q?mx.example.org?=\" 1; dkim=pass",
        "other.example (=?us-ascii?q?x?=); dkim=pass",
        "(a; =?us-ascii?q?)_example.org;?=) other.example; dkim=pass",
    ] {
        assert!(is_removed(body.as_bytes()), "{body}");
    }
    for body in ["other.example; dkim=pass (=?us-ascii?q?x?=)", "\"a = b?\"; none"] {
        assert!(!is_removed(body.as_bytes()), "{body}");
    }
}

#[test]
fn a_version_other_than_1_is_enough() {
    for body in [
        "evil.example 4294967296; dkim=pass",
        "evil.example 99999999999999999999999; dkim=pass",
        "evil.example 2/0; dkim=pass",
        "evil.example 2 dkim=pass",
        "evil.example 2x; dkim=pass",
        "evil.example (x)\r\n 00; dkim=pass\0",
        "\"evil.example\"2; dkim=pass",
    ] {
        assert!(is_removed(body.as_bytes()), "{body}");
    }
    let long =
        format!("evil.example 2; dkim=pass ({})", "x".repeat(if cfg!(miri) { 70 } else { 70_000 }));
    assert!(is_removed(long.as_bytes()));
    for body in ["evil.example 1/0; none", "evil.example 0001; none", "evil.example2; none"] {
        assert!(!is_removed(body.as_bytes()), "{body}");
    }
}

#[test]
fn a_broken_id_is_mapped_too() {
    let own = ids(["b\u{fc}cher.example", "mx.example.org", "a.xn--bcher-kva.b\u{fc}cher.example"]);
    let is_removed = |body: &str| !forged([("Authentication-Results", body)], &own).is_empty();
    for body in [
        "b\u{fc}cher.example/1; dkim=pass",
        "B\u{dc}CHER.example/1; dkim=pass",
        "bu\u{308}cher\u{3002}example/1; dkim=pass",
        "bu\u{fe0f}\u{308}cher.example/1; dkim=pass",
        "b\"\u{fc}\"cher.example/1; dkim=pass",
        "xn--bcher-kva.example/1; dkim=pass",
        "XN--BCHER-KVA.example, x; dkim=pass",
        "joe@xn--bcher-\r\n kva.example; dkim=pass",
        "x@a.b\u{fc}cher.xn--bcher-kva.example; dkim=pass",
        "x xn--bcher-kva.xn--bcher-kva.example; dkim=pass",
        "x a xn--bcher-kva.xn--bcher-kva.example/1; dkim=pass",
        "\u{ff4d}x.example.org/1; dkim=pass",
        "\u{ff2d}x.example.org/1; dkim=pass",
        "\u{fffd} \u{e000}/\u{ff4d}x.example.org; dkim=pass",
        "\u{5d0}/\u{ff4d}x.example.org; dkim=pass",
    ] {
        assert!(is_removed(body), "{body}");
    }
    let padding = if cfg!(miri) { 20 } else { 2_000 };
    // Well-formed, and longer than any name but for what mapping drops.
    let padded = format!("\u{ff4d}x{}.example.org; dkim=pass", "\u{fe0f}".repeat(padding));
    assert!(is_removed(&padded));
    // Too long for anybody's name: 253 characters, of twelve octets at most.
    let broken = |octets: usize| format!("{}/1; dkim=pass", "x".repeat(octets - "/1".len()));
    assert!(!is_removed(&broken(12 * 253)));
    for octets in [12 * 253 + 1, 5_000] {
        assert!(is_removed(&broken(octets)));
    }
    for body in [
        "b\u{fc}cher.net/1; dkim=pass",
        "\u{ff4d}y.example.org/1; dkim=pass",
        "xn--bcher-kva.net/1; dkim=pass",
    ] {
        assert!(!is_removed(body), "{body}");
    }
}

/// What some reader may find in a field is looked for in 64 KiB of them; plain ones need no such look.
#[test]
fn so_many_doubtful_fields_are_looked_at() {
    let plain = format!("other.example; none {}", "x".repeat(1_000));
    let doubtful = "(a) \u{f6}ther.example; none";
    let filler = format!("(b) other.example; none{}", " ".repeat(65_536 - 23 - 2 * doubtful.len()));
    let fields = |bodies: &[&str]| {
        let fields = bodies.iter().map(|body| ("Authentication-Results", *body));
        positions(&forged(fields, &own()))
    };
    assert!(fields(&[&filler, doubtful, doubtful]).is_empty());
    assert_eq!(fields(&[&filler, doubtful, doubtful, doubtful, &plain]), [3]);
    assert_eq!(fields(&[doubtful, &format!("{filler} "), doubtful, doubtful, &plain]), [3, 2]);
    assert!(fields(&[plain.as_str(); 100]).is_empty());
}

#[test]
fn an_id_of_u_labels_is_ours_in_either_form() {
    let own = ids(["b\u{fc}cher.example"]);
    for body in ["b\u{fc}cher.example; none", "xn--bcher-kva.example; none"] {
        assert_eq!(forged([("Authentication-Results", body)], &own).len(), 1, "{body}");
    }
}

/// A name of 231 octets in the DNS has 603 in U-labels, and 1803 where they are not composed.
#[test]
fn a_long_id_of_u_labels_is_ours_in_every_form() {
    let syllables = if cfg!(miri) { 3 } else { 50 };
    let name = |syllable: &str| [syllable.repeat(syllables).as_str(); 4].join(".");
    let composed = name("\u{ac01}");
    let forms = [
        composed.clone(),
        name("\u{1100}\u{1161}\u{11a8}"),
        idna::domain_to_ascii(&composed).unwrap(),
    ];
    for own in &forms {
        for form in &forms {
            let fields = [("Authentication-Results", format!("{form}; none"))];
            assert_eq!(forged(fields, &ids([own])).len(), 1, "{form}");
        }
    }
}

#[test]
fn fields_of_others_stay() {
    let others: [&[u8]; 18] = [
        b"example.net; dkim=pass header.d=example.org",
        b"mail.example.org; dkim=pass",
        b"example.org.example.com; dkim=pass",
        b"notexample.org; dkim=pass",
        b"example.orgs 1; dkim=pass",
        b"\"example.com\" (example.org); dkim=pass",
        b"(for example.org) example.com; dkim=pass",
        b"example.com; dkim=pass (example.org)",
        b"example.com; dkim=pass action=none header.from=example.org",
        b"mail.example.org; dkim=pass action=none",
        "\u{eb}xample.org; dkim=pass".as_bytes(),
        "b\u{fc}cher.example.com; dkim=pass".as_bytes(),
        b"xn--xample-ova.org; dkim=pass",
        b"example.com 1; none",
        b"\"\"; none",
        b"example.com",
        b"spf=pass smtp.mailfrom=example.com; dkim=pass header.d=example.org",
        b"",
    ];
    for body in others {
        assert!(!is_removed(body), "{}", String::from_utf8_lossy(body));
    }
}

/// The version is no part of an id, even where an id of ours ends like one.
#[test]
fn words_are_not_joined() {
    let own = ids(["mx1"]);
    let is_removed = |body: &str| !forged([("Authentication-Results", body)], &own).is_empty();
    for (body, is_ours) in [
        ("mx 1; dkim=pass", false),
        ("mx (x) 1; dkim=pass", false),
        ("mx1 1; dkim=pass", true),
        ("\"mx1)\" 1; dkim=pass", true),
        ("mx(1); dkim=pass", true),
    ] {
        assert_eq!(is_removed(body), is_ours, "{body}");
    }
}

#[test]
fn places_count_from_the_bottom_up() {
    let fields = [
        ("Received", "example.org; dkim=pass"),
        ("Authentication-Results", "example.org; none"),
        ("AUTHENTICATION-RESULTS", "example.com; none"),
        ("ARC-Authentication-Results", "i=1; example.org; none"),
        ("X-Authentication-Results", "example.org; none"),
        ("Authentication-Results\r", "example.org; none"),
        ("authentication-results \t", "example.org; none"),
    ];
    let found = forged(fields, &ids(["example.org"]));
    assert_eq!(positions(&found), [6, 1]);
    assert_eq!(found.iter().map(|forged| forged.instance).collect::<Vec<_>>(), [3, 1]);
    let spaced = [(b"Authentication-Results".to_vec(), b"\"my  host\"; none".to_vec())];
    assert_eq!(forged(spaced, &ids(["My  Host"])).len(), 1);
}

/// Who strips as nobody lets everything through.
#[test]
fn nobody_is_no_id() {
    assert_eq!(OwnIds::new([""; 0]).unwrap_err(), OwnIdError::None);
    let long = "x".repeat(900);
    for nobody in ["", ".", " ", "\"\"", "()", "\\", "\u{ad}", "...", "\r\n", "mx\r\n1", &long] {
        for ids in [vec![nobody], vec!["example.org", "mx", nobody], vec![nobody, "mx"]] {
            let said = OwnIds::new(ids).unwrap_err().to_string();
            let quoted: String = nobody.chars().take(64).collect();
            assert_eq!(
                said,
                format!("the authserv-id {quoted:?} names nobody, or cannot be written")
            );
        }
    }
}

/// Whatever the id looks like, the field that is written with it is one that is deleted.
#[test]
fn what_is_written_is_what_is_deleted() {
    for id in [
        "example.org",
        "EXAMPLE.org.",
        "b\u{fc}cher.example",
        "\u{ff45}xample\u{3002}org",
        "my host",
        "a\"b",
        "a(b)c",
        "a;b",
        "=?utf-8?q?x?=",
        "xn--example-",
        "1",
        &"x".repeat(790),
    ] {
        let own = ids(["other.example", id]);
        let results = ids([id]).results();
        assert_eq!(results, AuthenticationResults::new(id));
        let field = [("Authentication-Results", results.field_body())];
        assert_eq!(forged(field, &own).len(), 1, "{id}");
    }
}

#[test]
fn deletion_leaves_every_other_octet() {
    for (header, left) in [
        ("A: b\r\n", "A: b\r\n"),
        ("Authentication-Results: example.org; none", ""),
        ("Authentication-Results: example.com; none", "Authentication-Results: example.com; none"),
        (
            "authentication-results:\r\n (x) Example.Org.;\r\n none\r\nA: b\r\n c\r\n",
            "A: b\r\n c\r\n",
        ),
        ("A: b\nAuthentication-Results : example.org; none\nC: d\n", "A: b\nC: d\n"),
        (
            "Authentication-Results: example.org; none\r\nAuthentication-Results: example.org; none\r\n\
             Authentication-Results: example.com; none\r\nAuthentication-Results: example.org;\r\n",
            "Authentication-Results: example.com; none\r\n",
        ),
        (" x\r\nno colon\r\n: y\r\n", " x\r\nno colon\r\n: y\r\n"),
    ] {
        let (octets, _) = without_forged(&Header::parse(header.as_bytes()), &ids(["example.org"]));
        assert_eq!(String::from_utf8_lossy(&octets), left, "{header:?}");
    }
}
