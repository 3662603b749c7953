//! A border deletes every field that could pass for its own, and no other (RFC 8601 §5).
#![allow(missing_docs)]

use dkim_authres::{Forged, forged};

const OWN: [&str; 3] = ["example.org", "MX1.Example.Net.", "xn--bcher-kva.example"];

fn positions(found: &[Forged]) -> Vec<usize> {
    found.iter().map(|forged| forged.position).collect()
}

fn is_removed(body: &[u8]) -> bool {
    !forged([("Authentication-Results", body)], &OWN).is_empty()
}

#[test]
fn forty_spellings_of_ours() {
    let spellings: [&[u8]; 44] = [
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
        // Versions that nobody knows.
        b"example.org 2; dkim=pass",
        b"other.example 2; dkim=pass",
        b"other.example 0; dkim=pass",
        // Ours for readers who do not know comments well.
        b"(a(b) example.org; dkim=pass) other.example; dkim=pass",
        b"(\\) example.org; dkim=pass (\\)) other.example; dkim=pass",
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
    ];
    for body in spellings {
        assert!(is_removed(body), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn fields_of_others_stay() {
    let others: [&[u8]; 15] = [
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
    let found = forged(fields, &["example.org"]);
    assert_eq!(positions(&found), [6, 1]);
    assert_eq!(found.iter().map(|forged| forged.instance).collect::<Vec<_>>(), [3, 1]);
    assert!(forged(fields, &[""; 0]).is_empty());
    assert!(forged(fields, &["", ".", " "]).is_empty());
    let spaced = [(b"Authentication-Results".to_vec(), b"\"my  host\"; none".to_vec())];
    assert_eq!(forged(spaced, &["My  Host".to_owned()]).len(), 1);
}
