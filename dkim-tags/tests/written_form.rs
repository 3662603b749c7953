//! How a DKIM-Signature field is written, to the octet.

#![allow(clippy::unwrap_used)]

use dkim_crypto::SigningAlgorithm;
use dkim_tags::{Claims, DomainName, FieldName, Selector, Signature, TagList, TagWriter, UnixTime};

/// A signature with a selector of so many octets.
fn signature(selector: usize) -> Signature {
    let names = ["From", "To", "Subject", "Date", "Message-ID", "From", "MIME-Version"];
    let mut signature = Signature::new(
        SigningAlgorithm::RSA_SHA256,
        DomainName::parse("football.example.com").unwrap(),
        Selector::parse(&"s".repeat(selector)).unwrap(),
        names.map(|name| FieldName::parse(name).unwrap()).into_iter().collect(),
    );
    signature.timestamp = Some(UnixTime(1_700_000_000));
    signature.body_hash = vec![7; 32];
    signature.signature = vec![9; 64];
    signature
}

/// RFC 5322 §2.1.1: 78 characters, and not one less where they fit.
#[test]
fn lines_are_filled_and_no_more() {
    for (selector, field) in [
        (
            7,
            "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=football.example.com;\r\n\
             \ts=sssssss; t=1700000000; h=From:To:Subject:Date:Message-ID:From:MIME-Version;\r\n\
             \tbh=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=; b=CQkJCQkJCQkJCQkJCQkJCQkJC\r\n\
             \tQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ==\r\n",
        ),
        (
            8,
            "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=football.example.com;\r\n\
             \ts=ssssssss; t=1700000000; h=From:To:Subject:Date:Message-ID:From:\r\n\
             \tMIME-Version; bh=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=; b=CQkJCQkJCQk\r\n\
             \tJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ=\r\n\
             \t=\r\n",
        ),
        (
            60,
            "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=football.example.com;\r\n\
             \ts=ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss; t=1700000000;\r\n\
             \th=From:To:Subject:Date:Message-ID:From:MIME-Version;\r\n\
             \tbh=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=; b=CQkJCQkJCQkJCQkJCQkJCQkJC\r\n\
             \tQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ==\r\n",
        ),
        (
            61,
            "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=football.example.com;\r\n\
             \ts=sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss;\r\n\
             \tt=1700000000; h=From:To:Subject:Date:Message-ID:From:MIME-Version;\r\n\
             \tbh=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=; b=CQkJCQkJCQkJCQkJCQkJCQkJC\r\n\
             \tQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ==\r\n",
        ),
    ] {
        assert_eq!(signature(selector).to_field(), field, "{selector}");
    }
}

/// A body hash of a length that none of today's has may be folded; one that fits a line is not.
#[test]
fn a_body_hash_that_fits_a_line_stays_in_one_piece() {
    let mut signature = signature(7);
    signature.body_hash = vec![7; 48];
    assert!(signature.to_field().contains(&format!("bh={};", "BwcH".repeat(16))));
    signature.body_hash = vec![7; 96];
    let field = signature.to_field();
    assert!(!field.contains(&"BwcH".repeat(20)) && field.lines().all(|line| line.len() <= 78));
}

#[test]
fn a_signature_claims_what_its_field_does() {
    let mut signature = signature(7);
    signature.auid =
        Some("joe@mail.football.example.com").map(|i| dkim_tags::Auid::parse(i).unwrap());
    let field_body = signature.to_field_body();
    let tags = TagList::parse(field_body.as_bytes()).unwrap();
    assert_eq!(Claims::from(&signature), Claims::from_tags(&tags));
}

/// Not even where a piece is empty, or longer than a line.
#[test]
fn no_line_is_of_white_space_alone() {
    let (long, longer) = ("x".repeat(80), "y".repeat(90));
    let mut writer = TagWriter::field("X");
    writer.tag("a", [&*long, "", &*longer]);
    assert_eq!(writer.finish(), format!(" a={long}\r\n\t{longer}"));
}

/// `dns/txt` is meant whether or not it is said.
#[test]
fn the_query_method_is_said_on_request() {
    let mut signature = signature(7);
    assert_eq!(signature.query_methods(), [""; 0]);
    assert!(!signature.to_field().contains("q="));
    signature.say_query_method();
    assert_eq!(signature.query_methods(), ["dns/txt"]);
    assert!(signature.to_field().contains(" q=dns/txt;"));
}
