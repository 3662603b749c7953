//! RFC 6376 §5.4: which fields are signed, as the signer does unless it is told otherwise.
#![allow(clippy::unwrap_used)]

use dkim_crypto::SigningAlgorithm;
use dkim_crypto::ring::PROVIDER;
use dkim_sign::{Fields, Request, RequestError, Signer};
use dkim_tags::{DomainName, FieldName, Selector, Signature, UnixTime};

fn sign(fields: Fields, header: &str) -> Result<(Signature, String), RequestError> {
    let mut request = Request::new(
        DomainName::parse("example.com").unwrap(),
        Selector::parse("s").unwrap(),
        SigningAlgorithm::ED25519_SHA256,
    );
    request.fields = fields;
    let message = format!("{header}\r\n");
    let (header, _) = dkim_message::split(message.as_bytes());
    let unsigned = Signer::new([request], &header, UnixTime(1), &PROVIDER)?.finish().remove(0);
    let input = String::from_utf8(unsigned.input().to_vec()).unwrap();
    Ok((unsigned.complete(Vec::new()), input))
}

fn exact(names: &[&str]) -> Fields {
    Fields::Exact(names.iter().map(|name| FieldName::parse(name).unwrap()).collect())
}

/// How often `h=` has the name.
fn listed(signature: &Signature, name: &str) -> usize {
    signature.signed_fields.count(name)
}

/// §5.4.1: "Common examples of fields with addresses and fields with textual content".
#[test]
fn the_core_of_the_message_is_signed() {
    let core = [
        "From",
        "Reply-To",
        "Subject",
        "Date",
        "To",
        "Cc",
        "Resent-Date",
        "Resent-From",
        "Resent-To",
        "Resent-Cc",
        "In-Reply-To",
        "References",
        "List-Id",
        "List-Help",
        "List-Unsubscribe",
        "List-Subscribe",
        "List-Post",
        "List-Owner",
        "List-Archive",
        "Content-Type",
    ];
    let header: String = core.iter().map(|name| format!("{name}: x\r\n")).collect();
    let (signature, input) = sign(Fields::default(), &header).unwrap();
    for name in core {
        assert!(listed(&signature, name) >= 1, "{name}");
        assert!(input.contains(&format!("{}:x\r\n", name.to_lowercase())), "{name}");
    }
}

#[test]
fn fields_that_change_on_the_way_are_not_signed() {
    let names = ["Return-Path", "Received", "Comments", "Keywords", "DKIM-Signature"];
    let header: String = names.iter().map(|name| format!("{name}: x\r\n")).collect();
    let (signature, _) = sign(Fields::default(), &format!("{header}From: a@b\r\n")).unwrap();
    for name in names {
        assert_eq!(listed(&signature, name), 0, "{name}");
    }
}

#[test]
fn from_is_signed_or_nothing_is() {
    assert_eq!(listed(&sign(Fields::default(), "From: a@b\r\n").unwrap().0, "From"), 2);
    for names in [&["to", "subject"][..], &[]] {
        assert_eq!(sign(exact(names), "From: a@b\r\n"), Err(RequestError::FromNotListed));
    }
}

/// §5.4: a name that is not there adds nothing, neither colon nor CRLF.
#[test]
fn a_field_that_is_not_there_is_the_null_string() {
    let (_, with) = sign(exact(&["from", "x-absent", "from"]), "From: a@b\r\n").unwrap();
    let (_, without) = sign(exact(&["from"]), "From: a@b\r\n").unwrap();
    let fields = |input: String| input.split_once("dkim-signature:").unwrap().0.to_owned();
    assert_eq!(fields(with), "from:a@b\r\n");
    assert_eq!(fields(without), "from:a@b\r\n");
}

/// §5.4.2, its example: of three Received the two at the bottom, the lowest first.
#[test]
fn instances_are_signed_from_the_bottom_up() {
    let header = "Received: <A>\r\nReceived: <B>\r\nFrom: a@b\r\nReceived: <C>\r\n";
    for (names, fields) in [
        (&["Received", "Received", "from"][..], "received:<C>\r\nreceived:<B>\r\nfrom:a@b\r\n"),
        (&["received", "From"], "received:<C>\r\nfrom:a@b\r\n"),
    ] {
        let (_, input) = sign(exact(names), header).unwrap();
        assert!(input.starts_with(&format!("{fields}dkim-signature:")), "{input}");
    }
}

#[test]
fn every_instance_signed_has_its_name_in_h() {
    let header = "Resent-To: 1\r\nResent-To: 2\r\nFrom: a@b\r\nresent-to: 3\r\n";
    let (signature, input) = sign(Fields::default(), header).unwrap();
    assert_eq!(listed(&signature, "Resent-To"), 3);
    assert!(input.contains("resent-to:3\r\nresent-to:2\r\nresent-to:1\r\n"), "{input}");
}

/// §5.4: DKIM-Signature is listed for signatures that are there, never for the one being made.
#[test]
fn other_signatures_may_be_signed_and_its_own_not() {
    let names = exact(&["from", "dkim-signature"]);
    assert_eq!(sign(names.clone(), "From: a@b\r\n"), Err(RequestError::SignsItself));
    let (_, input) = sign(names, "DKIM-Signature: v=1; b=Zm9v\r\nFrom: a@b\r\n").unwrap();
    // §3.5: "the "b=" tag is not treated specially" in the others.
    assert!(input.contains("dkim-signature:v=1; b=Zm9v\r\ndkim-signature:v=1; a="), "{input}");
}
