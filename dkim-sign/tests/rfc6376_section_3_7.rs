//! RFC 6376 §3.7: what a signer hashes, octet by octet.
#![allow(clippy::unwrap_used)]

use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, PrivateKey, Provider, SigningAlgorithm};
use dkim_sign::{BodyLength, Fields, Request, Signer, Timestamp, Unsigned, UnsignedError};
use dkim_tags::value::to_base64;
use dkim_tags::{Canonicalizations, DomainName, FieldName, Selector, UnixTime};

fn request(form: &str, names: &[&str]) -> Request {
    let mut request = Request::new(
        DomainName::parse("example.com").unwrap(),
        Selector::parse("s").unwrap(),
        SigningAlgorithm::ED25519_SHA256,
    );
    request.canonicalization = Canonicalizations::parse(form).unwrap();
    request.fields =
        Fields::Exact(names.iter().map(|name| FieldName::parse(name).unwrap()).collect());
    request.timestamp = Timestamp::Absent;
    request
}

fn unsigned(request: Request, message: &str) -> Unsigned {
    let (header, body) = dkim_message::split(message.as_bytes());
    let mut signer = Signer::new([request], &header, UnixTime(1), &PROVIDER).unwrap();
    signer.body_chunk(body);
    signer.finish().remove(0)
}

fn body_hash(body: &str) -> String {
    let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).unwrap();
    digest.update(body.as_bytes());
    to_base64(digest.finish().as_bytes())
}

const HEADER: &str = "Received: 1\r\nReceived: 2\r\nFROM : Joe\r\n\t<a@b>  \r\nTo: c\r\n";

/// Step 2: the fields in the order of `h=`, each closed by CRLF, those that are not there left
/// out; last the field itself with `b=` empty and without CRLF. `bh=` in it is step 1.
#[test]
fn the_input_is_as_the_steps_say() {
    let names = ["to", "From", "Cc", "received", "From"];
    let message = format!("{HEADER}\r\n a  b \r\n\r\n");
    for (form, fields, body) in [
        ("relaxed/simple", "to:c\r\nfrom:Joe <a@b>\r\nreceived:2\r\ndkim-signature:", " a  b \r\n"),
        (
            "simple/relaxed",
            "To: c\r\nFROM : Joe\r\n\t<a@b>  \r\nReceived: 2\r\nDKIM-Signature: ",
            " a b\r\n",
        ),
    ] {
        let unsigned = unsigned(request(form, &names), &message);
        let input = String::from_utf8(unsigned.input().to_vec()).unwrap();
        let own = input.strip_prefix(fields).unwrap_or_else(|| panic!("{input}"));
        let tags = format!(
            "v=1; a=ed25519-sha256; c={form}; d=example.com; s=s; h=to:From:Cc:received:From; \
             bh={}; b=",
            body_hash(body)
        );
        assert_eq!(own.replace("\r\n\t", " "), tags);
        assert!(input.ends_with("b="));
    }
}

/// The field written differs from the one that was hashed in the value of `b=` alone (§5.6).
#[test]
fn the_field_is_the_one_hashed() {
    let unsigned = unsigned(request("simple/simple", &["from"]), &format!("{HEADER}\r\nx\r\n"));
    let input = String::from_utf8(unsigned.input().to_vec()).unwrap();
    let field = unsigned.complete(vec![7; 64]).to_field();
    let (own, b) = field.trim_end().split_once("; b=").unwrap();
    assert!(input.ends_with(&format!("\r\n{own}; b=")), "{input}");
    assert_eq!(b.replace("\r\n\t", ""), to_base64(&[7; 64]));
}

/// No transfer encoding is undone, no dot is taken away or added, no part is left out.
#[test]
fn the_body_is_hashed_as_it_stands() {
    for body in [
        "SGVsbG8sIEJvYi4NCg==\r\n",
        "caf=C3=A9=\r\n =3D\r\n",
        ".\r\n..\r\n.x\r\n",
        "--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/png\r\n\r\niVBORw0KGgo=\r\n--b--\r\n",
    ] {
        let header = "From: a@b\r\nContent-Transfer-Encoding: base64\r\n\
                      Content-Type: multipart/mixed; boundary=b\r\n";
        let unsigned =
            unsigned(request("simple/simple", &["from"]), &format!("{header}\r\n{body}"));
        let field = unsigned.complete(Vec::new()).to_field().replace("\r\n\t", " ");
        assert!(field.contains(&format!("bh={};", body_hash(body))), "{body}");
    }
}

/// §5.3.1: the length is that of the canonical body.
#[test]
fn the_length_is_counted_after_canonicalization() {
    for (form, body, length) in [
        ("simple/simple", " a  b \r\n\r\n\r\n", 8),
        ("simple/relaxed", " a  b \r\n\r\n\r\n", 6),
        ("simple/simple", "", 2),
        ("simple/relaxed", "\r\n", 0),
    ] {
        let mut request = request(form, &["from"]);
        request.body_length = BodyLength::AsSigned;
        let unsigned = unsigned(request, &format!("{HEADER}\r\n{body}"));
        assert_eq!(unsigned.complete(Vec::new()).body_length, Some(length), "{form} {body:?}");
    }
}

/// §5.6: the signature is made with the algorithm that `a=` names.
#[test]
fn a_key_of_another_algorithm_does_not_sign() {
    let mut request = request("simple/simple", &["from"]);
    let key = PROVIDER.signing_key(&PrivateKey::from_ed25519_seed(&[7; 32])).unwrap();
    let good = unsigned(request.clone(), &format!("{HEADER}\r\n"));
    let input = good.input().to_vec();
    assert_eq!(good.sign(&*key).unwrap().signature, key.sign(&input).unwrap());
    request.algorithm = SigningAlgorithm::RSA_SHA256;
    let refused = unsigned(request, &format!("{HEADER}\r\n")).sign(&*key);
    let (key, request) = (SigningAlgorithm::ED25519_SHA256, SigningAlgorithm::RSA_SHA256);
    assert_eq!(refused, Err(UnsignedError::WrongKey { key, request }));
}
