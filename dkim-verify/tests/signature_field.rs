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
    let field = |message: &[u8]| {
        dkim_message::split(message).0.fields().get(0).expect("a field").octets().len() + 2
    };
    let (new, rest) = both.split_at(field(&both));
    let (old, rest) = rest.split_at(field(rest));
    for order in [[new, old], [old, new]] {
        let message = [order.concat().as_slice(), rest].concat();
        let found = verify(&message, &zone());
        assert!(found.iter().all(dkim_verify::Verification::passes), "{found:?}");
    }
}

/// "Meticulously" (RFC 6376 §6.1.1), and never in silence: the result names the tag.
#[test]
fn what_is_wrong_is_told_by_the_tag() {
    let told = |from: &str, to: &str| {
        let message = sign(&TEMPLATE.replace(from, to), MESSAGE.as_bytes());
        let found = verify(&message, &zone());
        (outcome(&found), found[0].outcome.to_string())
    };
    for (from, to, expected, tag) in [
        ("v=1; ", "", "permerror missing-tag", "v="),
        ("v=1", "v=2", "permerror version", "v="),
        ("v=1", "v=", "permerror syntax", "v="),
        ("v=1", "v=1 1", "permerror version", "v="),
        ("v=1", "v=\"1\"", "permerror version", "v="),
        ("a=ed25519-sha256; ", "", "permerror missing-tag", "a="),
        ("a=ed25519-sha256", "a=", "permerror syntax", "a="),
        ("a=ed25519-sha256", "a=ed25519", "permerror bad-algorithm", "a="),
        ("a=ed25519-sha256", "a=ed25519 -sha256", "permerror bad-algorithm", "a="),
        ("a=ed25519-sha256", "a=rsa-md5", "permerror bad-algorithm", "a="),
        ("b={b}", "b=", "permerror syntax", "b="),
        ("b={b}", "b={b}=", "permerror syntax", "b="),
        ("b={b}", "b=A{b}", "permerror syntax", "b="),
        ("b={b}", "b={b}\u{e9}", "permerror syntax", "b="),
        ("b={b}", "b={b}\u{1}", "permerror syntax", "b="),
        ("h=from:to", "h=from:\u{7f}to", "permerror syntax", "h="),
        ("bh={bh}", "bh=", "permerror syntax", "bh="),
        ("bh={bh}", "bh={bh}A", "permerror syntax", "bh="),
        ("c=relaxed/relaxed", "c=", "permerror bad-canonicalization", "c="),
        ("c=relaxed/relaxed", "c=/relaxed", "permerror bad-canonicalization", "c="),
        ("c=relaxed/relaxed", "c=relaxed / relaxed", "permerror bad-canonicalization", "c="),
        ("c=relaxed/relaxed", "c=Relaxed/relaxed", "permerror bad-canonicalization", "c="),
        ("d=example.com", "d=", "permerror syntax", "d="),
        ("d=example.com", "d=example.com.", "permerror syntax", "d="),
        ("d=example.com", "d=.example.com", "permerror syntax", "d="),
        ("d=example.com", "d=example. com", "permerror syntax", "d="),
        ("d=example.com", "d=*.com", "permerror syntax", "d="),
        ("d=example.com", "d=exa_mple.com", "permerror syntax", "d="),
        ("d=example.com", "d=joe@example.com", "permerror syntax", "d="),
        ("h=from:to:subject", "h=", "permerror syntax", "h="),
        ("h=from:to:subject", "h=:from", "permerror syntax", "h="),
        ("h=from:to:subject", "h=from::to", "permerror syntax", "h="),
        ("h=from:to:subject", "h=from to", "permerror syntax", "h="),
        ("h=from:to:subject", "h=from:t\u{f6}", "permerror syntax", "h="),
        ("h=from:to:subject", "h=from,to", "permerror from-not-signed", "h="),
        ("h=from:to:subject", "h=f rom", "permerror syntax", "h="),
        ("s=sel;", "s=;", "permerror syntax", "s="),
        ("s=sel;", "s=se l;", "permerror syntax", "s="),
        ("s=sel;", "s=.sel;", "permerror syntax", "s="),
        ("s=sel;", "s=*;", "permerror syntax", "s="),
        ("s=sel;", "s=sel; i=joe;", "permerror syntax", "i="),
        ("s=sel;", "s=sel; i=joe@;", "permerror syntax", "i="),
        ("s=sel;", "s=sel; i=a@b@example.com;", "permerror syntax", "i="),
        ("s=sel;", "s=sel; i=a=40b@example.com;", "permerror syntax", "i="),
        ("s=sel;", "s=sel; i=a=0Ab@example.com;", "permerror syntax", "i="),
        ("s=sel;", "s=sel; i=a=FFb@example.com;", "permerror syntax", "i="),
        ("s=sel;", "s=sel; l=abc;", "permerror syntax", "l="),
        ("s=sel;", "s=sel; q=;", "permerror syntax", "q="),
        ("s=sel;", "s=sel; q=dns;", "permerror bad-query-method", "q="),
        ("s=sel;", "s=sel; q=dns/txt:;", "permerror syntax", "q="),
        ("s=sel;", "s=sel; t=abc;", "permerror syntax", "t="),
        ("s=sel;", "s=sel; x=abc;", "permerror syntax", "x="),
        ("s=sel;", "s=sel; z=From=3a;", "permerror syntax", "z="),
        ("s=sel;", "s=sel; zz=1; zz=1;", "permerror duplicate-tag", "zz="),
        ("s=sel;", "s=sel; b=AAAA;", "permerror duplicate-tag", "b="),
    ] {
        let (outcome, text) = told(from, to);
        assert_eq!(outcome, expected, "{to}");
        assert!(text.contains(&format!("tag {tag}")), "{to}: {text}");
    }
}

/// RFC 6376 §3.5 `c=`: absent it is `simple/simple`, and one name alone is that of the header.
#[test]
fn the_canonicalizations_that_are_not_named_are_simple() {
    for (c, field, body) in [
        ("", false, false),
        ("c=simple; ", false, false),
        ("c=relaxed; ", true, false),
        ("c=simple/relaxed; ", false, true),
        ("c=relaxed/simple; ", true, false),
        ("c=relaxed/relaxed; ", true, true),
    ] {
        let message = sign(&TEMPLATE.replace("c=relaxed/relaxed; ", c), MESSAGE.as_bytes());
        assert_eq!(outcome(&verify(&message, &zone())), "pass ok", "{c}");
        for (from, to, passes) in
            [("Is dinner", "Is  dinner", field), ("the game", "the  game", body)]
        {
            let carried = String::from_utf8_lossy(&message).replacen(from, to, 1);
            let found = outcome(&verify(carried.as_bytes(), &zone()));
            assert_eq!(found == "pass ok", passes, "{c}: {to}");
        }
    }
}

/// Octets that the tag-list does not know, wherever they stand.
#[test]
fn octets_that_cannot_stand_in_a_tag_list() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let (header, _) = dkim_message::split(&message);
    let end = header.fields().get(0).expect("a field").octets().len();
    for octet in [1, 8, 0x0b, 0x0c, 0x1b, 0x1f, 0x7f, 0x80, 0x85, 0xa0, 0xc3, 0xe9, 0xff] {
        // Within a fold it would make the header malformed instead.
        for at in (15..=end).filter(|at| !matches!(message[at - 1], b'\r' | b'\n')) {
            let changed = [&message[..at], &[octet], &message[at..]].concat();
            let found = outcome(&verify(&changed, &zone()));
            assert_eq!(found, "permerror syntax", "{octet:#x} at {at}");
        }
    }
}

/// White space may stand around tags, names and values, in the midst of base64, and as often as
/// relays put it there; the value of `b=` is deleted with all of it (RFC 6376 §3.5, §3.7).
#[test]
fn white_space_where_it_may_stand() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let text = String::from_utf8_lossy(&message).into_owned();
    let b = text.split("b=").last().and_then(|rest| rest.split("\r\n").next()).unwrap_or_default();
    let folded = |with: &str| b.replacen("", with, b.len() + 1);
    for with in [" ", "\t", "\r\n ", "\r\n\t", " \r\n \r\n "] {
        for form in ["relaxed", "simple"] {
            let template = craft::with_forms(&format!("{form}/{form}"));
            let signed = sign(&template, MESSAGE.as_bytes());
            let text = String::from_utf8_lossy(&signed).into_owned();
            let b = text.split("b=").last().and_then(|rest| rest.split("\r\n").next());
            let b = b.unwrap_or_default();
            // Before each character, each padding among them, and at the end.
            let spread = b.replacen("", with, b.len() + 1);
            let carried = text.replace(b, &spread);
            assert_eq!(outcome(&verify(carried.as_bytes(), &zone())), "pass ok", "{with:?} {form}");
        }
        // Signed so, white space in `bh=` may stand anywhere too.
        for (from, to) in [
            ("bh={bh}", format!("bh={with}{{bh}}{with}")),
            ("h=from:to", format!("h{with}={with}from{with}:{with}to")),
            ("v=1", format!("{with}v{with}={with}1{with}")),
            ("; s=sel", format!("{with};{with}s{with}={with}sel{with}")),
        ] {
            assert_eq!(self::with(from, &to), "pass ok", "{to:?}");
        }
        assert_eq!(adding(&format!("q{with}={with}a{with}:{with}dns/txt{with}")), "pass ok");
    }
    assert_ne!(folded(" "), b);
    // A signature is of its own field, too: what else changes there breaks it.
    for (from, to) in [("v=1; ", "v=1; zz=1; "), ("h=from", "h=From"), ("v=1; ", "v=1;; ")] {
        let carried = text.replacen(from, to, 1);
        assert_ne!(outcome(&verify(carried.as_bytes(), &zone())), "pass ok", "{to}");
    }
    assert_eq!(with("bh={bh}", "bh= {bh}"), "pass ok");
}

/// Text that looks like `b=` is not `b=`: it is signed as it stands (RFC 6376 §3.7).
#[test]
fn what_looks_like_b_is_signed_like_anything_else() {
    for tag in ["xb=AAAA", "bb=AAAA", "B=AAAA", "b_=AAAA", "b1=AAAA", "z=b:b=3DAAAA", "n=b=AAAA"] {
        let message = sign(&craft::with_tag(tag), MESSAGE.as_bytes());
        assert_eq!(outcome(&verify(&message, &zone())), "pass ok", "{tag}");
        for to in ["BBBB", "AAA", ""] {
            let carried = String::from_utf8_lossy(&message).replacen("AAAA", to, 1);
            let expected = "fail signature-mismatch";
            assert_eq!(outcome(&verify(carried.as_bytes(), &zone())), expected, "{tag} {to}");
        }
    }
    // `b=` may stand anywhere, even first.
    let first = format!("b={{b}}; {}", TEMPLATE.replace(";\r\n\tb={b}", ""));
    assert_eq!(outcome(&verify(&sign(&first, MESSAGE.as_bytes()), &zone())), "pass ok");
}

/// What software that takes the field for text of its own makes of it.
#[test]
fn fields_damaged_on_the_way_have_a_result() {
    let good = String::from_utf8_lossy(&sign(TEMPLATE, MESSAGE.as_bytes())).into_owned();
    let (field, rest) = good.split_at(good.find("From:").unwrap_or_default());
    let value = field.trim_start_matches("DKIM-Signature:").trim();
    for (damaged, expected) in [
        (format!("=?utf-8?Q?{value}?="), "permerror syntax"),
        (
            format!("=?us-ascii?B?{}?=", dkim_tags::value::to_base64(value.as_bytes())),
            "permerror syntax",
        ),
        (format!("\"{value}\""), "permerror syntax"),
        (format!("<{value}>"), "permerror syntax"),
        (value.replace('=', "=3D"), "permerror version"),
        (value.replace(';', ","), "permerror version"),
        (value.replace("; ", " "), "permerror version"),
        (format!("{value};"), "fail signature-mismatch"),
        (format!("{value}; ;"), "permerror syntax"),
        (format!("; {value}"), "permerror syntax"),
        (value.chars().take(60).collect(), "permerror missing-tag"),
        (format!("{value}, {value}"), "permerror duplicate-tag"),
        (format!("{value}; {value}"), "permerror duplicate-tag"),
        (String::new(), "permerror missing-tag"),
        ("=".to_owned(), "permerror syntax"),
        (";".to_owned(), "permerror syntax"),
    ] {
        let message = format!("DKIM-Signature: {damaged}\r\n{rest}");
        let found = verify(message.as_bytes(), &zone());
        assert_eq!((found.len(), outcome(&found).as_str()), (1, expected), "{damaged}");
    }
    // The field's own name may be spelt otherwise, if the header is `relaxed`.
    for name in ["dkim-signature:", "DKIM-SIGNATURE :", "DKIM-Signature\t:\r\n\t"] {
        let message = good.replacen("DKIM-Signature:", name, 1);
        assert_eq!(outcome(&verify(message.as_bytes(), &zone())), "pass ok", "{name:?}");
    }
    for name in ["X-DKIM-Signature:", "DKIM-Signatures:", "DKIM_Signature:", "DomainKey-Signature:"]
    {
        let message = good.replacen("DKIM-Signature:", name, 1);
        assert!(verify(message.as_bytes(), &zone()).is_empty(), "{name:?}");
    }
}

/// `i=` is within `d=` on label borders, in any case, and quoted or not (RFC 6376 §3.5).
#[test]
fn the_auid_is_within_the_sdid() {
    for (i, expected) in [
        ("joe@example.com", "pass ok"),
        ("@EXAMPLE.COM", "pass ok"),
        ("joe@a.b.Example.com", "pass ok"),
        ("joe=40evil.example@example.com", "permerror syntax"),
        ("\"joe=40evil.example\"@example.com", "pass ok"),
        ("joe@example=2Ecom", "pass ok"),
        ("joe@e=78ample.com", "pass ok"),
        ("j\u{f6}rg@example.com", "pass ok"),
        ("joe.smith+x@example.com", "pass ok"),
        ("joe@ex\r\n ample.com", "pass ok"),
        ("joe@evilexample.com", "permerror domain-mismatch"),
        ("joe@evil-example.com", "permerror domain-mismatch"),
        ("joe@example.com.evil.example", "permerror domain-mismatch"),
        ("joe@example.co", "permerror domain-mismatch"),
        ("joe@xample.com", "permerror domain-mismatch"),
        ("joe@com", "permerror domain-mismatch"),
        ("joe@.example.com", "permerror syntax"),
        ("joe@evil..example.com", "permerror syntax"),
        ("joe@evil_.example.com", "permerror syntax"),
    ] {
        assert_eq!(adding(&format!("i={i}")), expected, "{i}");
    }
    // Below the border, `d=` is the child.
    let template = TEMPLATE.replace("d=example.com", "d=mail.example.com; i=joe@example.com");
    let found = outcome(&verify(&sign(&template, MESSAGE.as_bytes()), &zone()));
    assert_eq!(found, "permerror domain-mismatch");
}
