//! The examples of RFC 8601 Appendix B, RFC 6008 Appendix A and mail seen in the wild are read,
//! and read the same after writing.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_authres::{AuthResError, AuthenticationResults, ResInfo};

fn read(body: &str) -> AuthenticationResults {
    let value = AuthenticationResults::parse(body.as_bytes())
        .unwrap_or_else(|error| panic!("{body}: {error}"));
    let again = AuthenticationResults::parse(value.field_body().as_bytes());
    assert_eq!(again.as_ref(), Ok(&value), "{}", value.field_body());
    value
}

fn results(id: &str, results: impl IntoIterator<Item = ResInfo>) -> AuthenticationResults {
    results.into_iter().fold(AuthenticationResults::new(id), AuthenticationResults::with)
}

#[test]
fn appendix_b() {
    let mut none = AuthenticationResults::new("example.org");
    none.version = Some(1);
    assert_eq!(read(" example.org 1; none\r\n"), none);
    assert_eq!(none.field(), "Authentication-Results: example.org 1; none\r\n");

    assert_eq!(
        read("example.com;\r\n          spf=pass smtp.mailfrom=example.net"),
        results(
            "example.com",
            [ResInfo::new("spf", "pass").prop("smtp", "mailfrom", "example.net")]
        )
    );
    assert_eq!(
        read(
            "example.com;\r\n          auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n \
             \x20        spf=pass smtp.mailfrom=example.net"
        ),
        results(
            "example.com",
            [
                ResInfo::new("auth", "pass").prop("smtp", "auth", "sender@example.net"),
                ResInfo::new("spf", "pass").prop("smtp", "mailfrom", "example.net"),
            ]
        )
    );
    assert_eq!(
        read(
            "example.com;\r\n          sender-id=fail header.from=example.com;\r\n \
             \x20        dkim=pass (good signature) header.d=example.com"
        ),
        results(
            "example.com",
            [
                ResInfo::new("sender-id", "fail").prop("header", "from", "example.com"),
                ResInfo::new("dkim", "pass").prop("header", "d", "example.com"),
            ]
        )
    );
    assert_eq!(
        read(
            "example.com;\r\n      dkim=pass reason=\"good signature\"\r\n        \
             header.i=@mail-router.example.net;\r\n      dkim=fail reason=\"bad signature\"\r\n \
             \x20      header.i=@newyork.example.com"
        ),
        results(
            "example.com",
            [
                ResInfo::new("dkim", "pass").reason("good signature").prop(
                    "header",
                    "i",
                    "@mail-router.example.net"
                ),
                ResInfo::new("dkim", "fail").reason("bad signature").prop(
                    "header",
                    "i",
                    "@newyork.example.com"
                ),
            ]
        )
    );
    let mut heavy = results(
        "foo.example.net",
        [ResInfo::new("dkim", "fail").version(1).prop("policy", "expired", "1362471462")],
    );
    heavy.version = Some(1);
    assert_eq!(
        read(
            "foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = \
             (wait for it) fail\r\n      policy (A dot can go here) . (like that) expired\r\n \
             \x20    (this surprised me) = (as I wasn't expecting it) 1362471462"
        ),
        heavy
    );
}

/// Those of the RFC's other fields, and of its text (§2.4, §2.7.4, §2.7.6).
#[test]
fn every_kind_of_property() {
    for (body, id, expected) in [
        (
            "example.com; iprev=pass\r\n            policy.iprev=192.0.2.200",
            "example.com",
            ResInfo::new("iprev", "pass").prop("policy", "iprev", "192.0.2.200"),
        ),
        (
            "example.net;\r\n          dkim=pass (good signature) header.i=@newyork.example.com",
            "example.net",
            ResInfo::new("dkim", "pass").prop("header", "i", "@newyork.example.com"),
        ),
        (
            "x; dkim=policy policy.dkim-rules=unsigned-subject",
            "x",
            ResInfo::new("dkim", "policy").prop("policy", "dkim-rules", "unsigned-subject"),
        ),
        (
            "x; auth=pass smtp.auth=client@c.example smtp.mailfrom=bob@b.example",
            "x",
            ResInfo::new("auth", "pass").prop("smtp", "auth", "client@c.example").prop(
                "smtp",
                "mailfrom",
                "bob@b.example",
            ),
        ),
        (
            "example.com;\r\n            foo=pass bar.baz=blob (2 of 3 tests OK)",
            "example.com",
            ResInfo::new("foo", "pass").prop("bar", "baz", "blob"),
        ),
        (
            "x; dkim=pass header.d=a.example header.i=@a.example header.s=s header.a=rsa-sha256 \
             header.b=oINEO8hg body.hash=\"a b\"",
            "x",
            ResInfo::new("dkim", "pass")
                .prop("header", "d", "a.example")
                .prop("header", "i", "@a.example")
                .prop("header", "s", "s")
                .prop("header", "a", "rsa-sha256")
                .prop("header", "b", "oINEO8hg")
                .prop("body", "hash", "a b"),
        ),
    ] {
        assert_eq!(read(body), results(id, [expected]), "{body}");
    }
}

#[test]
fn rfc_6008_appendix_a() {
    let body = "mail-router.example.net;\r\n    dkim=pass (good signature) \
                header.d=newyork.example.com\r\n          header.b=oINEO8hg;\r\n    dkim=fail (bad \
                signature) header.d=newyork.example.com\r\n          header.b=EToRSuvU";
    let value = read(body);
    let signatures: Vec<_> = value.results.iter().map(|info| info.get("header", "b")).collect();
    assert_eq!(signatures, [Some("oINEO8hg"), Some("EToRSuvU")]);
}

#[test]
fn spellings_beyond_the_examples() {
    let value = read("\"a \\\"b\\\" c\" ; dkim = pass reason = \"x\\\\y\"  header . d = \"\" ;");
    assert_eq!(value.authserv_id, "a \"b\" c");
    assert_eq!(value.results[0].reason.as_deref(), Some("x\\y"));
    assert_eq!(value.results[0].get("HEADER", "D"), Some(""));

    let value = read("x; auth=pass smtp.auth=\"a b\" (c) @example.net smtp.mailfrom=c (d) @e.f");
    assert_eq!(value.results[0].get("smtp", "auth"), Some("\"a b\"@example.net"));
    assert_eq!(value.results[0].get("smtp", "mailfrom"), Some("c@e.f"));

    let value =
        read("bücher.example; dkim=pass header.i=jörg@bücher.example header.d=bücher.example");
    assert_eq!(value.authserv_id, "bücher.example");
    assert_eq!(value.results[0].get("header", "i"), Some("jörg@bücher.example"));
    assert!(value.field_body().contains(" header.d=bücher.example"), "{}", value.field_body());

    let value = read(
        "mx.example; dkim=pass header.i=@example.com header.b=Ab+/c1=; spf=none smtp.mailfrom=<>; \
         iprev=pass policy.iprev=2001:db8::1; x-new_thing=odd x-p.x_q=1;",
    );
    assert_eq!(value.results[0].get("header", "b"), Some("Ab+/c1="));
    assert_eq!(value.results[1].get("smtp", "mailfrom"), Some("<>"));
    assert_eq!(value.results[2].get("policy", "iprev"), Some("2001:db8::1"));
    assert_eq!(value.results[3].method, "x-new_thing");

    assert_eq!(read("x 7; NONE ;").version, Some(7));
    assert_eq!(read("x; none=none").results, [ResInfo::new("none", "none")]);
    assert_eq!(
        read("x; reason=pass reason=a reason.reason=b").results,
        [ResInfo::new("reason", "pass").reason("a").prop("reason", "reason", "b")]
    );
}

#[test]
fn what_is_no_field_says_where() {
    let cases = [
        ("", "authserv-id expected at octet 0"),
        ("; dkim=pass", "authserv-id expected at octet 0"),
        ("example.org", "`;` expected at octet 11"),
        ("example.org;", "method expected at octet 12"),
        ("example.org 1x; none", "`;` expected at octet 13"),
        ("example.org 99999999999; none", "number below 2^32 expected at octet 12"),
        ("example.org; none; dkim=pass", "`=` expected at octet 17"),
        ("example.org; dkim", "`=` expected at octet 17"),
        ("example.org; dkim=", "result expected at octet 18"),
        ("example.org; dkim/x=pass", "version of the method expected at octet 18"),
        ("example.org; dkim=pass action=none", "`.` after the property type expected at octet 29"),
        ("example.org; dkim=pass header.d", "`=` after the property expected at octet 31"),
        ("example.org; dkim=pass header.d=", "value of the property expected at octet 32"),
        (
            "example.org; dkim=pass header.d=a,b",
            "a property, `;` or the end of the field expected at octet 33",
        ),
        ("example.org; dkim=pass (x", "comment not closed at octet 23"),
        ("\"example.org; dkim=pass", "quoted-string not closed at octet 0"),
        ("example.org; dkim=pass\nX: y", "NUL, or CR or LF that folds no line at octet 22"),
        (
            "example.org; dkim=pass reason=\"\u{7}\"",
            "text without control characters expected at octet 30",
        ),
        ("example.org\u{a0}; dkim=pass", "plain text expected at octet 0"),
    ];
    for (body, message) in cases {
        let error = AuthenticationResults::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message, "{body}");
    }
    assert!(AuthenticationResults::parse(b"x; a=\xff").is_err());
    let long = format!("x; a=b c.d=\"{}\"", "x".repeat(dkim_authres::MAX_OCTETS));
    assert_eq!(AuthenticationResults::parse(long.as_bytes()), Err(AuthResError::TooLong));
}
