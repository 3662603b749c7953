//! RFC 6376 §3.5: what the tags of a DKIM-Signature mean, there or absent.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_tags::{Signature, SignatureError, TagList};

const REQUIRED: &str = "v=1; a=rsa-sha256; d=example.com; s=sel; h=from:to; \
                        bh=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=; b=Zm9v";

fn with(tag: &str) -> Result<Signature, SignatureError> {
    Signature::parse(format!("{REQUIRED}; {tag}").as_bytes())
}

#[test]
fn absent_tags_have_their_defaults() {
    let signature = Signature::parse(REQUIRED.as_bytes()).unwrap();
    assert_eq!(signature.canonicalization.to_string(), "simple/simple");
    assert_eq!(signature.auid_or_default().to_string(), "@example.com");
    assert!(signature.query_methods().is_empty() && signature.copied_fields.is_empty());
    let times = (signature.timestamp, signature.expiration);
    assert_eq!((signature.body_length, times), (None, (None, None)));
    let explicit = with("c=simple/simple; i=@example.com; q=dns/txt").unwrap();
    assert_eq!(explicit.canonicalization, signature.canonicalization);
    assert_eq!(explicit.auid_or_default(), signature.auid_or_default());
}

#[test]
fn one_name_in_c_is_that_of_the_header() {
    for (value, both) in [("relaxed", "relaxed/simple"), ("simple", "simple/simple")] {
        assert_eq!(with(&format!("c={value}")).unwrap().canonicalization.to_string(), both);
    }
}

#[test]
fn an_empty_value_is_not_an_absent_tag() {
    for tag in ["c=", "i=", "l=", "q=", "t=", "x=", "z="] {
        assert!(with(tag).is_err(), "{tag}");
    }
}

#[test]
fn h_is_not_empty() {
    for h in ["h=", "h= \r\n\t", "h=:"] {
        let field = REQUIRED.replace("h=from:to", h);
        assert!(Signature::parse(field.as_bytes()).is_err(), "{h:?}");
    }
}

/// `1*12DIGIT`: the largest is one less than the 10^12 of the text.
#[test]
fn times_have_up_to_twelve_digits() {
    let signature = with("t=999999999998; x=999999999999").unwrap();
    assert_eq!(signature.timestamp.unwrap().0, 999_999_999_998);
    assert_eq!(signature.expiration.unwrap().0, 999_999_999_999);
    assert_eq!(signature.expiration.unwrap().to_string(), "999999999999");
    assert_eq!(with("t=1000000000000"), Err(SignatureError::Invalid("t")));
    assert_eq!(with("x=1000000000000"), Err(SignatureError::Invalid("x")));
}

#[test]
fn white_space_in_b_bh_and_z_is_no_part_of_the_value() {
    let plain = with("z=From:a=20b|To:c").unwrap();
    let spaced = REQUIRED.replace("MTIz", "M\r\n\tTI z").replace("Zm9v", "Z m\r\n 9\tv")
        + "; z=From:a=2\r\n 0b|\r\n To\t:\r\n c";
    assert_eq!(Signature::parse(spaced.as_bytes()), Ok(plain));
}

/// "FWS MAY be added at arbitrary locations": OpenDKIM folds `z=` wherever a line is full, be it
/// within a field name.
#[test]
fn white_space_in_a_name_of_z_is_no_part_of_it() {
    let plain = with("z=From:a|Date:=20Fri,=2011=20Jul").unwrap();
    for folded in [
        "z=From:a|Dat\r\n\te:=20Fri,=2011=20Jul",
        "z=F\r\n\trom:a|D\r\n\ta\r\n t e \r\n\t:=20Fri,=2011=20Jul",
    ] {
        assert_eq!(with(folded).as_ref(), Ok(&plain), "{folded:?}");
    }
}

#[test]
fn unknown_tags_change_nothing_else() {
    let mut signature = with("zz=1; Q_9=a b").unwrap();
    assert_eq!(signature.other().len(), 2);
    let mut without = Signature::parse(REQUIRED.as_bytes()).unwrap();
    without.add_other("zz", "1").unwrap();
    without.add_other("Q_9", "a b").unwrap();
    assert_eq!(signature, without);
    signature.signature = Vec::new();
    // They are written, and so they are signed.
    assert!(signature.to_field_body().contains("zz=1; Q_9=a b;"));
    let list = signature.to_field_body();
    assert_eq!(TagList::parse(list.as_bytes()).unwrap().value("zz"), Some("1"));
}
