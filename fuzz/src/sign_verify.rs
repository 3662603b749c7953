//! What is signed verifies (RFC 6376 §5, §6).

use std::sync::Arc;

use arbitrary::Unstructured;
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{PrivateKey, Provider, SigningAlgorithm, SigningKey};
use dkim_dns::{Answer, Query, Zone};
use dkim_keyrec::{KeyRecord, record_name};
use dkim_message::{Header, split};
use dkim_sign::{Expiration, Fields, Request, RequestError, Signer};
use dkim_tags::{Signature, UnixTime};
use dkim_verify::{Outcome, Policy};

use crate::canon_twin;
use crate::judge::Case;
use crate::lines;
use crate::made_up;
use crate::pieces::{Random, pieces};
use crate::providers::{Plain, PlainKey};
use crate::said::assert_harmless;

/// Any request over any message is refused for a reason that is there, or gives signatures that
/// verify; then a body of another canonical form fails, and so does another author.
pub fn sign_verify(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok((keys, requests, now)) = asked(&mut u) else { return };
    let with_from = u.arbitrary().unwrap_or(true);
    let message = [if with_from { &b"From: joe@example.com\r\n"[..] } else { b"" }, u.take_rest()];
    let message = message.concat();
    let (header, body) = split(&message);

    let mut signer = match Signer::new(requests.clone(), &header, now, keys.provider) {
        Ok(signer) => signer,
        Err(error) => return assert_refusable(&error, &requests, &header, now),
    };
    for piece in pieces(body, 0) {
        signer.body_chunk(piece);
    }
    let unsigned = signer.finish();
    assert_eq!(unsigned.len(), requests.len());
    let signatures: Vec<Signature> = unsigned
        .into_iter()
        .map(|unsigned| unsigned.sign(&*keys.signing).expect("the key is of the algorithm"))
        .collect();
    assert_verify(&message, &signatures, &keys, now);
}

struct Keys {
    provider: &'static dyn Provider,
    signing: Arc<dyn SigningKey>,
}

fn asked(u: &mut Unstructured<'_>) -> arbitrary::Result<(Keys, Vec<Request>, UnixTime)> {
    let keys = if u.ratio(1, 4)? {
        let key = PrivateKey::from_ed25519_seed(&[7; 32]);
        let signing = PROVIDER.signing_key(&key).expect("ring signs with Ed25519");
        Keys { provider: &PROVIDER, signing }
    } else {
        Keys { provider: &Plain, signing: Arc::new(PlainKey(made_up::rsa_key(2048))) }
    };
    let algorithm =
        if u.ratio(1, 50)? { SigningAlgorithm::RSA_SHA1 } else { keys.signing.algorithm() };
    let count = u.int_in_range(1..=3)?;
    let requests = (0..count).map(|_| made_up::request(u, algorithm)).collect::<Result<_, _>>()?;
    let now = if u.ratio(1, 20)? { u.arbitrary()? } else { 1_700_000_000 };
    Ok((keys, requests, UnixTime(now)))
}

fn assert_refusable(
    error: &RequestError,
    requests: &[Request],
    header: &Header<'_>,
    now: UnixTime,
) {
    assert_harmless(error);
    let froms = header.named("From").count();
    let any = |asks: &dyn Fn(&Request) -> bool| requests.iter().any(asks);
    assert!(
        match error {
            RequestError::NoFrom => froms == 0,
            RequestError::SeveralFrom => froms > 1,
            RequestError::MalformedHeader(defect) => header.defects().contains(defect),
            RequestError::TooManyFields => {
                let most_listed = header.fields().len() + 50;
                most_listed > Signature::MAX_ITEMS
            }
            RequestError::AtpsForItself(sdid) => any(&|r| {
                r.sdid == *sdid && r.atps.as_ref().is_some_and(|atps| atps.author_domain == *sdid)
            }),
            RequestError::Forbidden(algorithm) => *algorithm == SigningAlgorithm::RSA_SHA1,
            RequestError::SingleLabelDomain(sdid) =>
                any(&|r| r.sdid == *sdid && !sdid.as_str().contains('.')),
            RequestError::NoRoomForKey { selector, sdid } => {
                record_name(selector, sdid).len() > 253
                    && any(&|r| r.sdid == *sdid && r.selector == *selector)
            }
            RequestError::ExpiresAtOnce => any(&|r| r.expiration == Expiration::After(0)),
            RequestError::SignsItself => any(&|request| match &request.fields {
                Fields::Exact(names) => names.iter().any(|name| name.is("DKIM-Signature")),
                Fields::Chosen { oversigned, .. } => {
                    oversigned.iter().any(|name| name.is("DKIM-Signature"))
                }
                _ => false,
            }),
            RequestError::TimeOutOfRange(time) => time.0 >= made_up::END_OF_TIME && *time >= now,
            _ => false,
        },
        "{error} {now}"
    );
}

fn assert_verify(message: &[u8], signatures: &[Signature], keys: &Keys, now: UnixTime) {
    let record = KeyRecord::new(keys.signing.public_key().clone()).to_text();
    let mut zone = Zone::new();
    let mut signed = Vec::new();
    for signature in signatures {
        let field = signature.to_field();
        lines::assert_field(&field);
        assert_eq!(Signature::parse(signature.to_field_body().as_bytes()).as_ref(), Ok(signature));
        zone = zone.txt(&record_name(&signature.selector, &signature.sdid), &record);
        signed.extend(field.bytes());
    }
    let fields = signed.len();
    signed.extend(message);
    let answer = |query: &Query| -> Option<Answer> { Some(zone.answer(query)) };
    let case = Case { message: &signed, now, provider: keys.provider, answer: &answer };

    for (signature, found) in signatures.iter().zip(case.judge(&Policy::lenient())) {
        let name = record_name(&signature.selector, &signature.sdid);
        assert!(name.len() <= 253);
        assert_eq!(found.outcome, Outcome::Pass, "{signature:#?}");
    }

    let mut random = Random::new(&signed, 2);
    let body = fields + message.len() - split(message).1.len();
    if body < signed.len() {
        let mut changed = signed.clone();
        let place = body + random.below(changed.len() - body);
        changed[place] = b"x \r\n"[random.below(4)];
        let before = split(message).1;
        let judged = Case { message: &changed, ..case }.verify(&Policy::lenient());
        for (signature, found) in signatures.iter().zip(judged) {
            let form = signature.canonicalization.body;
            let covered = |body: &[u8]| {
                let mut canonical = canon_twin::body(form, body);
                let length = signature.body_length.and_then(|l| usize::try_from(l).ok());
                canonical.truncate(length.unwrap_or(canonical.len()));
                canonical
            };
            if covered(before) != covered(&changed[body..]) {
                assert!(!found.passes(), "another body passes");
            }
        }
    }

    // A header without defects, so each field is closed by CRLF.
    let header = split(message).0;
    let above = header.fields().iter().take_while(|field| !field.is("From"));
    let start = fields + above.map(|field| field.octets().len() + 2).sum::<usize>();
    let author = header.named("From").next().expect("it was signed").octets();
    let colon = author.iter().position(|octet| *octet == b':');
    let place = author.iter().rposition(u8::is_ascii_alphanumeric);
    if let Some(place) = place.filter(|place| Some(*place) > colon) {
        let mut changed = signed.clone();
        let octet = &mut changed[start + place];
        *octet = if *octet == b'q' { b'r' } else { b'q' };
        let judged = Case { message: &changed, ..case }.verify(&Policy::lenient());
        for found in judged.iter().take(signatures.len()) {
            assert!(!found.passes(), "another author passes");
        }
    }
}
