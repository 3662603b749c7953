//! RFC 6376 §6.1.1: the DKIM-Signature field is validated meticulously. Every message here is
//! signed right; what differs is what the field says.

mod craft;

use craft::{MESSAGE, TEMPLATE, outcome, sign, verify, zone};

/// The outcome for the template with `from` replaced by `to`, both as they stand in it.
fn with(from: &str, to: &str) -> String {
    assert!(TEMPLATE.contains(from), "{from}");
    outcome(&verify(&sign(&TEMPLATE.replace(from, to), MESSAGE.as_bytes()), &zone()))
}

fn adding(tag: &str) -> String {
    with("s=sel;", &format!("s=sel; {tag};"))
}

#[test]
fn the_template_passes() {
    assert_eq!(with("v=1", "v=1"), "pass ok");
}

#[test]
fn required_tags_are_required() {
    for tag in [
        "v=1; ",
        "a=ed25519-sha256; ",
        "d=example.com; ",
        "s=sel;",
        "h=from:to:subject; ",
        "bh={bh};\r\n",
        ";\r\n\tb={b}",
    ] {
        assert_eq!(with(tag, ""), "permerror missing-tag", "{tag}");
    }
}

#[test]
fn versions_and_algorithms_and_forms_are_known_ones() {
    for (from, to, expected) in [
        ("v=1", "v=2", "permerror version"),
        ("v=1", "v=0.5", "permerror version"),
        ("v=1", "V=1", "permerror missing-tag"),
        ("a=ed25519-sha256", "a=ed25519-sha1", "permerror bad-algorithm"),
        ("a=ed25519-sha256", "a=ED25519-SHA256", "permerror bad-algorithm"),
        ("c=relaxed/relaxed", "c=relaxed/nowsp", "permerror bad-canonicalization"),
        ("c=relaxed/relaxed; ", "c=; ", "permerror bad-canonicalization"),
    ] {
        assert_eq!(with(from, to), expected, "{to}");
    }
}

#[test]
fn what_breaks_the_grammar_is_a_syntax_error() {
    for tag in [
        "x y=1",
        "9z=1",
        "novalue",
        "",
        "t=abc",
        "t=",
        "x=1234567890123",
        "l=-1",
        "l=",
        "i=example.com",
        "i=",
        "z=From",
        "i=a=3d@example.com",
    ] {
        assert_eq!(adding(tag), "permerror syntax", "{tag:?}");
    }
    assert_eq!(adding(&format!("l={}", "0".repeat(77))), "permerror syntax");
    assert_eq!(with("b={b}", "b={b} x"), "permerror syntax");
    assert_eq!(with("b={b}", "b={b}; x"), "permerror syntax");
    assert_eq!(with("bh={bh}", "bh=%%%%"), "permerror syntax");
    assert_eq!(with("b={b}", "b={b}!"), "permerror syntax");
    assert_eq!(with("h=from:to:subject", "h=from:to:subject:"), "permerror syntax");
    assert_eq!(with("d=example.com", "d=example..com"), "permerror syntax");
    assert_eq!(with("s=sel", "s=se/l"), "permerror syntax");
    // A NUL anywhere makes the header no header.
    assert_eq!(adding("zz=a\0b"), "permerror malformed-header");
    // A field that was encoded as RFC 2047 has it.
    let damaged = format!("DKIM-Signature: =?utf-8?Q?{TEMPLATE}?=\r\n{MESSAGE}");
    assert_eq!(outcome(&verify(damaged.as_bytes(), &zone())), "permerror syntax");
}

#[test]
fn a_tag_twice_spoils_the_signature() {
    for tag in ["d=example.com", "s=other", "zz=1; zz=1"] {
        assert_eq!(adding(tag), "permerror duplicate-tag", "{tag}");
    }
}

#[test]
fn what_the_grammar_allows_passes() {
    for tag in [
        "zz=1",
        "Q9_=foo bar",
        "xb=AAAA; bb=BBBB",
        "n=a b=c =b=",
        "z=From:b=3D|To:x;  r=y",
        "i=@example.com",
        "i=a=3Db=2Ec@mail.EXAMPLE.com",
        "q=dns/txt",
        "q=http/rest : dns/txt",
        "t=1699999999",
        "x=999999999999",
        "t=1; x=1700000001",
        "l=0026",
    ] {
        assert_eq!(adding(tag), "pass ok", "{tag}");
    }
    assert_eq!(with("b={b}", "b= \r\n\t{b} \r\n\t;"), "pass ok");
    assert_eq!(with("v=1; a=ed25519-sha256;", "v = 1 ;\r\n a\t=\r\n\ted25519-sha256 ;"), "pass ok");
    assert_eq!(with("h=from:to:subject", "h=FROM\r\n : to:\r\n\tsubject:cc"), "pass ok");
}

#[test]
fn what_one_tag_demands_of_another_holds() {
    for (tag, expected) in [
        ("i=joe@evilexample.com", "permerror domain-mismatch"),
        ("i=@com", "permerror domain-mismatch"),
        ("q=http/rest", "permerror bad-query-method"),
        ("t=10; x=9", "permerror syntax"),
        ("t=10; x=10", "permerror syntax"),
        ("x=0", "fail expired"),
        ("x=1699999699", "fail expired"),
        ("x=1699999700", "pass ok"),
        ("t=1800000000", "pass ok"),
        ("l=27", "permerror l-too-long"),
        (
            "l=9999999999999999999999999999999999999999999999999999999999999999",
            "permerror l-too-long",
        ),
    ] {
        assert_eq!(adding(tag), expected, "{tag}");
    }
    assert_eq!(with("h=from:to", "h=to"), "permerror from-not-signed");
}

#[test]
fn names_in_another_script_are_looked_up_as_a_labels() {
    let template = TEMPLATE.replace("d=example.com", "d=b\u{fc}cher.example");
    let message = sign(&template, MESSAGE.as_bytes());
    let record = format!("v=DKIM1; k=ed25519; p={}", craft::p(&*craft::key()));
    let zone = dkim_dns::Zone::new().txt("sel._domainkey.xn--bcher-kva.example", record);
    assert_eq!(outcome(&verify(&message, &zone)), "pass ok");
}

#[test]
fn a_signature_that_cannot_be_read_hides_no_other() {
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    let message = [b"DKIM-Signature: rubbish\r\ndkim-signature :\r\n", good.as_slice()].concat();
    let found = verify(&message, &zone());
    let reasons: Vec<_> = found.iter().map(|one| one.outcome.reason().code()).collect();
    assert_eq!(reasons, ["syntax", "missing-tag", "ok"]);
}

/// RFC 6376 §3.5 `h=`: the list may name other DKIM-Signature fields, never the one it stands in,
/// wherever that stands.
#[test]
fn a_signature_does_not_sign_itself() {
    let old = sign(TEMPLATE, MESSAGE.as_bytes());
    let template = TEMPLATE.replace("h=from:to:subject", "h=from:dkim-signature:dkim-signature");
    let both = sign(&template, &old);
    let field = |message: &[u8]| dkim_message::split(message).0.fields()[0].octets().len() + 2;
    let (new, rest) = both.split_at(field(&both));
    let (old, rest) = rest.split_at(field(rest));
    for order in [[new, old], [old, new]] {
        let message = [order.concat().as_slice(), rest].concat();
        let found = verify(&message, &zone());
        assert!(found.iter().all(dkim_verify::Verification::passes), "{found:?}");
    }
}
