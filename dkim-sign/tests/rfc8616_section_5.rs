//! RFC 8616 §5: names in another script, as the header they go into has them.
#![allow(clippy::unwrap_used)]

use dkim_crypto::SigningAlgorithm;
use dkim_crypto::ring::PROVIDER;
use dkim_sign::{Request, Signer};
use dkim_tags::{Auid, DomainName, Selector, UnixTime};

/// The header hash input, which ends in the field to be written, and that field.
fn sign(from: &[u8]) -> (String, String) {
    let mut request = Request::new(
        DomainName::parse("b\u{fc}cher.example").unwrap(),
        Selector::parse("\u{fc}").unwrap(),
        SigningAlgorithm::ED25519_SHA256,
    );
    request.auid = Some(Auid::parse("@m\u{e4}rz.b\u{fc}cher.example").unwrap());
    let message = [b"From: ", from, b"\r\n\r\nHi.\r\n"].concat();
    let (header, body) = dkim_message::split(&message);
    let mut signer = Signer::new([request], &header, UnixTime(1), &PROVIDER).unwrap();
    signer.body_chunk(body);
    let unsigned = signer.finish().remove(0);
    let input = String::from_utf8_lossy(unsigned.input()).into_owned();
    (input, unsigned.complete(vec![1]).to_field())
}

#[test]
fn an_ascii_header_has_a_labels() {
    let (input, field) = sign(b"joe@example.com");
    assert!(field.is_ascii() && input.is_ascii());
    // In ISO 8859-1 it is not internationalized either.
    let (_, of_stray_octets) = sign(b"J\xf6e <joe@example.com>");
    assert_eq!(of_stray_octets, field);
    for tag in ["d=xn--bcher-kva.example;", "s=xn--tda;", "i=@xn--mrz-qla.xn--bcher-kva.example;"] {
        assert!(field.contains(tag) && input.contains(tag), "{tag} in {field}");
    }
}

#[test]
fn an_internationalized_header_has_u_labels() {
    let (input, field) = sign("j\u{f6}e@example.com".as_bytes());
    for tag in ["d=b\u{fc}cher.example;", "s=\u{fc};", "i=@m\u{e4}rz.b\u{fc}cher.example;"] {
        assert!(field.contains(tag) && input.contains(tag), "{tag} in {field}");
    }
}
