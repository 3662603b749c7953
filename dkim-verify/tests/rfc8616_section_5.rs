//! RFC 8616 §5: signatures in internationalized headers.
#![allow(clippy::unwrap_used)]

mod craft;

use craft::{MESSAGE, TEMPLATE, outcome, p, sign, verify};
use dkim_dns::Zone;

fn keys() -> Zone {
    let record = format!("v=DKIM1; k=ed25519; p={}", p(&*craft::key()));
    Zone::new().txt("xn--tda._domainkey.xn--bcher-kva.example", record)
}

fn signed() -> String {
    let tags = "d=b\u{fc}cher.example; i=j\u{fc}rgen@m\u{e4}rz.B\u{fc}cher.example; s=\u{fc};";
    let template = TEMPLATE.replace("d=example.com; s=sel;", tags);
    let message = MESSAGE.replace("Joe SixPack <joe", "J\u{fc}rgen <j\u{fc}rgen");
    String::from_utf8(sign(&template, message.as_bytes())).unwrap()
}

#[test]
fn u_labels_and_utf8_local_parts_are_read() {
    let found = verify(signed().as_bytes(), &keys());
    assert_eq!(outcome(&found), "pass ok");
    let signature = found[0].signature.as_ref().unwrap();
    assert_eq!(signature.sdid.as_str(), "xn--bcher-kva.example");
    assert_eq!(signature.auid.as_ref().unwrap().local_part(), "j\u{fc}rgen");
}

/// Only ASCII is made lower case: a field name or a value in another script stays as it is.
#[test]
fn names_are_hashed_as_they_are_written() {
    for (from, to) in [
        ("d=b\u{fc}cher.example", "d=xn--bcher-kva.example"),
        ("s=\u{fc};", "s=xn--tda;"),
        ("s=\u{fc};", "s=\u{dc};"),
        ("m\u{e4}rz.B\u{fc}cher", "m\u{e4}rz.b\u{fc}cher"),
        ("From: J\u{fc}rgen", "From: J\u{dc}rgen"),
    ] {
        assert!(signed().contains(from), "{from}");
        let changed = signed().replace(from, to);
        let found = verify(changed.as_bytes(), &keys());
        assert_eq!(outcome(&found), "fail signature-mismatch", "{to}");
    }
}
