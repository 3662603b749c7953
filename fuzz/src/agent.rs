//! What is said to an agent and by it, both ways.

use std::sync::{Arc, LazyLock};

use arbitrary::Unstructured;
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{PrivateKey, Provider, PublicKey, SignError, SigningAlgorithm, SigningKey};
use dkim_keys::agent::Keyring;
use dkim_keys::agent::wire::{Answer, Frames, KeyName, MAX_ANSWER, MAX_REQUEST, Request};
use dkim_tags::{DomainName, Selector};

use crate::made_up;
use crate::pieces::pieces;

/// A stream has the same frames however it comes; a request reads back as written; what an agent
/// answers can be read, and it signs a DKIM-Signature of its key or nothing.
pub fn agent_request(data: &[u8]) {
    for frame in frames(data, MAX_REQUEST) {
        let Ok(request) = Request::parse(&frame) else { continue };
        let written = request.to_frame().expect("it was short enough to be read");
        let again = frames(&written, MAX_REQUEST);
        assert_eq!(again.len(), 1);
        assert_eq!(Request::parse(&again[0]).as_ref(), Ok(&request));
        let reply = KEYRING.answer(&request);
        assert_eq!(reply.failure, None);
        for answer in reply.answers {
            assert_reads_back(&answer);
            if let (Request::Sign { key, input, .. }, Answer::Signature(_)) = (&request, answer) {
                assert!(is_dkim(input), "{input:?}");
                assert_eq!(key, &name());
            }
        }
    }
}

/// An answer reads back as written, and no stream of them makes a client lose its way.
pub fn agent_answer(data: &[u8]) {
    for frame in frames(data, MAX_ANSWER) {
        if let Ok(answer) = Answer::parse(&frame) {
            assert_reads_back(&answer);
        }
    }
}

/// Whatever can be said is understood.
pub fn agent_value(data: &[u8]) {
    let mut octets = Unstructured::new(data);
    if let Ok(request) = made_up::agent_request(&mut octets) {
        let written = request.to_frame().expect("it is short");
        assert_eq!(frames(&written, MAX_REQUEST).len(), 1);
        assert_eq!(Request::parse(&written[4..]), Ok(request));
    }
    if let Ok(answer) = made_up::agent_answer(&mut octets) {
        assert_reads_back(&answer);
    }
}

fn assert_reads_back(answer: &Answer) {
    let written = answer.to_frame().expect("no answer is too long");
    let read = frames(&written, MAX_ANSWER);
    assert_eq!(read.len(), 1);
    assert_eq!(Answer::parse(&read[0]).as_ref(), Ok(answer));
}

/// The frames in a stream, up to one that is too long, and what is left.
fn cut(stream: &[&[u8]], limit: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut frames, mut found) = (Frames::new(limit), Vec::new());
    for mut piece in stream.iter().copied() {
        loop {
            match frames.take(&mut piece) {
                Ok(Some(frame)) => {
                    assert!(frame.len() <= limit && !frames.is_within());
                    found.push(frame);
                }
                Ok(None) => break assert!(piece.is_empty()),
                Err(_) => return (found, true),
            }
        }
    }
    (found, false)
}

fn frames(data: &[u8], limit: usize) -> Vec<Vec<u8>> {
    let whole = cut(&[data], limit);
    assert_eq!(cut(&pieces(data, 0), limit), whole);
    whole.0
}

fn name() -> KeyName {
    let domain = DomainName::parse("example.com").expect("a domain");
    KeyName { domain, selector: Selector::parse("s1").expect("a selector") }
}

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let key = PrivateKey::from_ed25519_seed(&[7; 32]);
    let key = PROVIDER.signing_key(&key).expect("a key");
    let mut keyring = Keyring::default();
    assert!(keyring.insert(name(), Arc::new(Quick(key))));
    keyring
});

/// Signs anything, sooner than a key does.
struct Quick(Arc<dyn SigningKey>);

impl SigningKey for Quick {
    fn algorithm(&self) -> SigningAlgorithm {
        self.0.algorithm()
    }

    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(vec![7; 64])
    }
}

/// With less care for octets: unfolded, the last line is a DKIM-Signature without a signature, and
/// names the key.
fn is_dkim(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input).replace("\r\n ", " ").replace("\r\n\t", " ");
    let line = text.rsplit("\r\n").next().unwrap_or_default();
    let Some((field_name, tags)) = line.split_once(':') else { return false };
    let tags = tags.split(';').filter_map(|tag| tag.split_once('='));
    let value = |wanted: &str| {
        let mut tags = tags.clone();
        tags.find(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim().to_owned())
    };
    let domain = value("d").and_then(|domain| DomainName::parse(&domain).ok());
    let selector = value("s").and_then(|selector| Selector::parse(&selector).ok());
    field_name.trim_end().eq_ignore_ascii_case("DKIM-Signature")
        && domain.is_some_and(|domain| domain.as_str() == "example.com")
        && selector.is_some_and(|selector| selector.as_str() == "s1")
        && value("a").as_deref() == Some("ed25519-sha256")
        && value("b").as_deref() == Some("")
}
