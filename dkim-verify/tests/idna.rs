//! Names in other scripts (RFC 8616 §3, §4): U-labels in the field, A-labels in the DNS.

mod craft;

use craft::{MESSAGE, TEMPLATE, outcome, p, record, sign, under_each, verify};
use dkim_dns::Zone;

fn zone(name: &str) -> Zone {
    Zone::new().txt(name, format!("v=DKIM1; k=ed25519; p={}", p(&*craft::key())))
}

fn with(d: &str, s: &str, more: &str) -> Vec<u8> {
    let template = TEMPLATE
        .replace("d=example.com", &format!("d={d}"))
        .replace("s=sel;", &format!("s={s}; {more}"));
    sign(&template, MESSAGE.as_bytes())
}

#[test]
fn u_labels_are_looked_up_as_a_labels() {
    for (d, s, name) in [
        ("b\u{fc}cher.example", "sel", "sel._domainkey.xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "sel", "sel._domainkey.xn--bcher-kva.example"),
        ("XN--Bcher-KVA.Example", "SEL", "sel._domainkey.xn--bcher-kva.example"),
        ("mail.b\u{fc}cher.example", "sel", "sel._domainkey.mail.xn--bcher-kva.example"),
        ("example.com", "schl\u{fc}ssel", "xn--schlssel-95a._domainkey.example.com"),
        ("example.com", "a.schl\u{fc}ssel", "a.xn--schlssel-95a._domainkey.example.com"),
        // What IDNA forbids in U-labels alone.
        ("ab--cd.b\u{fc}cher.example", "sel", "sel._domainkey.ab--cd.xn--bcher-kva.example"),
        ("example.com", "a_b.schl\u{fc}ssel", "a_b.xn--schlssel-95a._domainkey.example.com"),
        (
            "\u{4f8b}\u{3048}.\u{30c6}\u{30b9}\u{30c8}",
            "sel",
            "sel._domainkey.xn--r8jz45g.xn--zckzah",
        ),
    ] {
        let message = with(d, s, "");
        assert_eq!(under_each(&message, &zone(name)), ["pass ok"; 3], "{d} {s}");
        // What goes on to others is in A-labels.
        let found = verify(&message, &zone(name));
        let info = &dkim_verify::res_infos(&found)[0];
        for property in ["d", "s"] {
            assert!(info.get("header", property).is_some_and(str::is_ascii), "{d} {s}");
        }
    }
}

#[test]
fn one_domain_in_two_spellings_is_one_domain() {
    let name = "sel._domainkey.xn--bcher-kva.example";
    for (d, i, expected) in [
        ("b\u{fc}cher.example", "joe@b\u{fc}cher.example", "pass ok"),
        ("b\u{fc}cher.example", "joe@xn--bcher-kva.example", "pass ok"),
        ("xn--bcher-kva.example", "j\u{f6}rg@b\u{fc}cher.example", "pass ok"),
        ("xn--bcher-kva.example", "@mail.b\u{fc}cher.example", "pass ok"),
        ("b\u{fc}cher.example", "joe@bucher.example", "permerror domain-mismatch"),
        ("b\u{fc}cher.example", "joe@b\u{fa}cher.example", "permerror domain-mismatch"),
        ("b\u{fc}cher.example", "joe@xb\u{fc}cher.example", "permerror domain-mismatch"),
        ("b\u{fc}cher.example", "joe@example", "permerror domain-mismatch"),
    ] {
        let message = with(d, "sel", &format!("i={i};"));
        assert_eq!(outcome(&verify(&message, &zone(name))), expected, "{d} {i}");
    }
    // A strict key compares the same way.
    let strict = Zone::new().txt(name, format!("v=DKIM1; t=s; k=ed25519; p={}", p(&*craft::key())));
    for (i, expected) in [
        ("joe@xn--bcher-kva.example", "pass ok"),
        ("joe@m.b\u{fc}cher.example", "permerror strict-domain"),
    ] {
        let message = with("b\u{fc}cher.example", "sel", &format!("i={i};"));
        assert_eq!(outcome(&verify(&message, &strict)), expected, "{i}");
    }
}

/// RFC 8601 §2.7.1: "in an EAI-formatted message, the values of the "d" and "i" properties can be
/// expressed in UTF-8"; in another they cannot, and the local-part has no other form.
#[test]
fn results_about_an_ascii_message_are_ascii() {
    let told = |message: &[u8]| {
        let found = verify(message, &Zone::new());
        dkim_verify::res_infos(&found)[0].get("header", "i").map(str::to_owned)
    };
    let encoded = with("example.com", "sel", "i=j=C3=BCrgen@b=C3=BCcher.example.com;");
    assert_eq!(told(&encoded).as_deref(), Some("@xn--bcher-kva.example.com"));
    let subject = ["Subject: Gr\u{fc}\u{df}e\r\n".as_bytes(), &encoded].concat();
    assert_eq!(told(&subject).as_deref(), Some("j\u{fc}rgen@xn--bcher-kva.example.com"));
    let raw = with("example.com", "sel", "i=j\u{fc}rgen@example.com;");
    assert_eq!(told(&raw).as_deref(), Some("j\u{fc}rgen@example.com"));
    let ascii = with("example.com", "sel", "i=j=75rgen@example.com;");
    assert_eq!(told(&ascii).as_deref(), Some("jurgen@example.com"));
    // Of what is no signature, too.
    let claimed =
        b"DKIM-Signature: v=2; i=j=C3=BCrgen@example.com; d=example.com\r\nFrom: a\r\n\r\n";
    assert_eq!(told(claimed).as_deref(), Some("@example.com"));
}

#[test]
fn what_is_no_name_is_a_syntax_error() {
    for name in [
        "b\u{fc}cher..example",
        "\u{fc}\u{200b}\u{ffff}.example",
        "\u{0300}a.example",
        "a\u{2028}b.example",
        "b\u{fc}_cher.example",
        "b\u{fc}cher.example.",
        "\u{fc}/a.example",
    ] {
        let found = verify(&with(name, "sel", ""), &Zone::new());
        assert_eq!(outcome(&found), "permerror syntax", "{name:?}");
        assert!(found[0].outcome.to_string().contains("tag d="), "{name:?}");
    }
    let long = "\u{4e00}".repeat(64);
    assert_eq!(outcome(&verify(&with(&long, "sel", ""), &Zone::new())), "permerror syntax");
    // 8-bit octets that are no UTF-8 (RFC 6532 §3.1) are no name.
    for octets in [&b"d=b\xfccher.example"[..], b"d=\xc0\xae.example", b"d=\xed\xa0\x80.example"] {
        let message = with("example.com", "sel", "");
        let at = message.windows(13).position(|window| window == b"d=example.com").unwrap_or(0);
        let mut message = message;
        message.splice(at..at + 13, octets.iter().copied());
        assert_eq!(under_each(&message, &Zone::new()), ["permerror syntax"; 3], "{octets:?}");
    }
}

/// RFC 8616 §5: key records are ASCII.
#[test]
fn key_records_stay_ascii() {
    let good = format!("v=DKIM1; k=ed25519; p={}", p(&*craft::key()));
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    assert_eq!(outcome(&verify(&message, &record(&good))), "pass ok");
    let noted = format!("{good}; n=caf\u{e9}");
    assert_eq!(outcome(&verify(&message, &record(&noted))), "permerror key-syntax");
}
