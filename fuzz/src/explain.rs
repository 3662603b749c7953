//! Why a signature does not verify, with a provider that takes one signature in 256 for good, so that
//! causes are found where there are none.

use dkim_dns::drive_blocking;
use dkim_explain::{BodyChange, BodyFinding, HeaderFinding, diff, explain as why};
use dkim_message::split;
use dkim_tags::UnixTime;
use dkim_verify::{Outcome, Policy, Verifier};

use crate::made_up;
use crate::pieces::Random;
use crate::providers::Fickle;

/// A message as it stands, with a key for each signature.
pub fn explain(data: &[u8]) {
    let (header, body) = split(data);
    let now = UnixTime(1_528_637_909);
    let mut verifier = Verifier::new(&header, &Policy::lenient(), now, &Fickle);
    drive_blocking(&mut verifier, &made_up::keys_of(&header));
    verifier.body_chunk(body);
    let found = verifier.finish();
    let explanations = why(&header, body, &found, &Fickle);
    assert_eq!(explanations.len(), found.len());
    let mut explained = 0;
    for (found, explanation) in found.into_iter().zip(explanations) {
        let is_limited = matches!(found.outcome, Outcome::Limit(_));
        let expected = found.signature.is_some() && !is_limited && explained < 10;
        assert_eq!(explanation.is_some(), expected, "what is read is explained");
        explained += usize::from(expected);
        let (Some(explanation), Some(signature)) = (explanation, found.signature) else { continue };
        assert_eq!(explanation.input.fields.len(), signature.signed_fields.len() + 1);
        if let (Some(hash), Some(now)) = (found.body_hash, explanation.body_hash) {
            assert_eq!(hash.value, now, "there is one body hash");
        }
        match &explanation.body {
            BodyFinding::Changed(change) => {
                assert!(!change.to_string().is_empty() && !change.code().is_empty());
                if let BodyChange::Added { octets, .. } = change {
                    let mut windows = body.windows(octets.len().max(1));
                    assert!(windows.any(|window| window == octets), "what was added is there");
                }
            }
            BodyFinding::Intact => {
                let value = explanation.body_hash.expect("a hash that was compared");
                assert_eq!(value.as_bytes(), signature.body_hash);
            }
            _ => {}
        }
        if let HeaderFinding::Changed(changes) = &explanation.header {
            assert!(!changes.is_empty());
            for change in changes {
                assert!(!change.to_string().is_empty() && !change.code().is_empty());
            }
        }
        let own = explanation.input.fields.last().and_then(|field| field.position);
        let side = (&header, own, body);
        assert!(diff(&signature, side, side).is_empty(), "a message is as it is");
        let mut other = data.to_vec();
        if let Some(octet) = other.get_mut(Random::new(data, 3).below(data.len().max(1))) {
            *octet ^= 1;
        }
        let (other_header, other_body) = split(&other);
        let difference = diff(&signature, side, (&other_header, None, other_body));
        assert!(difference.body.iter().all(|stretch| stretch.signed != stretch.received));
    }
}
