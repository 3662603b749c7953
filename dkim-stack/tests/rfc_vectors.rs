//! The RFCs' own messages through the one-call functions, on an async runtime and without one; and
//! what `sign` writes is what `verify` accepts.
#![cfg(any(feature = "ring", feature = "aws-lc-rs"))]
#![allow(clippy::unwrap_used)]

use dkim_stack::tags::Canonicalizations;
use dkim_stack::{
    DomainName, Policy, PrivateKey, Request, Selector, UnixTime, Verification, Zone, provider,
    sign, verify, verify_blocking,
};
use dkim_testkit::{Scoring, own_vectors, score};

const NOW: UnixTime = UnixTime(1_700_000_000);

#[tokio::test]
async fn every_rfc_vector_on_a_runtime_and_without() {
    let vectors = own_vectors().unwrap();
    let from_rfc = vectors.iter().filter(|vector| vector.has_tag("rfc-vector"));
    let mut judged = 0;
    for vector in from_rfc {
        let zone = Zone::parse(&vector.zone).unwrap();
        let (message, now) = (&vector.message, UnixTime(vector.time));
        for found in [
            verify(message, &Policy::rfc(), now, provider(), &zone).await,
            verify_blocking(message, &Policy::rfc(), now, provider(), &zone),
        ] {
            let reported: Vec<_> = found.iter().map(report).collect();
            assert_eq!(score(vector, &reported, Scoring::Names), [], "{}", vector.id);
            judged += 1;
        }
    }
    assert!(judged > 40, "the vectors were not found");
}

fn report(verification: &Verification) -> dkim_testkit::Reported {
    let claims = &verification.claims();
    dkim_testkit::Reported {
        result: verification.outcome.result().name().to_owned(),
        reason: verification.outcome.reason().code().to_owned(),
        domain: claims.sdid.as_ref().map(|sdid| sdid.as_written().to_owned()),
        selector: claims.selector.as_ref().map(|selector| selector.as_written().to_owned()),
    }
}

#[test]
fn what_is_signed_verifies() {
    let key = PrivateKey::from_ed25519_seed(&[7; 32]);
    let key = provider().signing_key(&key).unwrap();
    let record = dkim_stack::keyrec::KeyRecord::new(key.public_key().clone()).to_text();
    let zone = Zone::new().txt("s._domainkey.example.com", record);
    let message = b"From: Joe <joe@example.com>\r\nSubject: a  b\r\n\r\n Hi  Bob \r\n\r\n\r\n";
    for form in ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"] {
        let (sdid, selector) =
            (DomainName::parse("example.com").unwrap(), Selector::parse("s").unwrap());
        let mut request = Request::new(sdid, selector, key.algorithm());
        request.canonicalization = Canonicalizations::parse(form).unwrap();
        let signature = sign(message, request, NOW, provider(), &*key).unwrap();
        let signed = [signature.to_field().as_bytes(), message].concat();
        let found = verify_blocking(&signed, &Policy::strict(), NOW, provider(), &zone);
        assert!(found.len() == 1 && found[0].passes(), "{form}: {:?}", found[0].outcome);

        let found = verify_blocking(
            &[&signed[..], b"more\r\n"].concat(),
            &Policy::lenient(),
            NOW,
            provider(),
            &zone,
        );
        assert_eq!(found[0].outcome.reason().code(), "body-hash-mismatch");
    }
}
