//! The keys of an agent, and what it says when it is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use dkim_crypto::{SignError, SigningAlgorithm, SigningKey};
use dkim_tags::{DomainName, Selector, TagList};

use super::wire::{Answer, KeyName, PublicHalf, Refusal, Request};

/// The keys of an agent, by name.
#[derive(Clone, Default)]
pub struct Keyring {
    /// By the name of the record, which selector and domain can be told from: a domain name has no
    /// underscore.
    keys: BTreeMap<String, (KeyName, Arc<dyn SigningKey>)>,
}

/// What an agent says to a request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reply<I> {
    /// To whoever asked, in order.
    pub answers: I,
    /// To whoever keeps the agent: why a key failed.
    pub failure: Option<SignError>,
}

impl Keyring {
    /// Takes a key. Whether there was none of this name: else the one that was there stays.
    #[must_use]
    pub fn insert(&mut self, name: KeyName, key: Arc<dyn SigningKey>) -> bool {
        let record_name = name.to_string();
        let is_new = !self.keys.contains_key(&record_name);
        if is_new {
            self.keys.insert(record_name, (name, key));
        }
        is_new
    }

    /// Whether there is a key of this name.
    #[must_use]
    pub fn has(&self, name: &KeyName) -> bool {
        self.keys.contains_key(&name.to_string())
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What is to be answered.
    pub fn answer(&self, request: &Request) -> Reply<impl Iterator<Item = Answer>> {
        let mut failure = None;
        let (listed, last) = match request {
            Request::List => (Some(&self.keys), Answer::End),
            Request::Key(name) => (None, self.find(name).map_or_else(Answer::Refused, public_half)),
            Request::Sign { key, algorithm, input } => {
                let signed = self.sign(key, *algorithm, input, &mut failure);
                (None, signed.map_or_else(Answer::Refused, Answer::Signature))
            }
        };
        let listed = listed.into_iter().flat_map(BTreeMap::values);
        Reply { answers: listed.map(public_half).chain([last]), failure }
    }

    fn find(&self, name: &KeyName) -> Result<&(KeyName, Arc<dyn SigningKey>), Refusal> {
        self.keys.get(&name.to_string()).ok_or(Refusal::UnknownKey)
    }

    fn sign(
        &self,
        name: &KeyName,
        algorithm: SigningAlgorithm,
        input: &[u8],
        failure: &mut Option<SignError>,
    ) -> Result<Vec<u8>, Refusal> {
        let (_, key) = self.find(name)?;
        if key.algorithm() != algorithm {
            return Err(Refusal::OtherAlgorithm);
        }
        if !is_header_hash_input(input, name, algorithm) {
            return Err(Refusal::NotDkim);
        }
        key.sign(input).map_err(|error| {
            *failure = Some(error);
            Refusal::Failed
        })
    }
}

fn public_half((name, key): &(KeyName, Arc<dyn SigningKey>)) -> Answer {
    let (name, algorithm) = (name.clone(), key.algorithm());
    Answer::Key(PublicHalf { name, algorithm, public: key.public_key().clone() })
}

/// Whether octets are to become a DKIM-Signature of this key and nothing else: the agent's keys
/// are no use to whoever wants other things signed, or for another domain.
///
/// RFC 6376 §3.7: the input ends with the DKIM-Signature field, b= empty, its last CRLF left out.
fn is_header_hash_input(input: &[u8], name: &KeyName, algorithm: SigningAlgorithm) -> bool {
    let field = last_field(input);
    let Some(colon) = field.iter().position(|&octet| octet == b':') else { return false };
    let (field_name, body) = field.split_at(colon);
    let body = body.get(1..).unwrap_or_default();
    let Ok(tags) = TagList::parse(body) else { return false };
    let domain = tags.value("d").and_then(|domain| DomainName::parse(domain).ok());
    let selector = tags.value("s").and_then(|selector| Selector::parse(selector).ok());
    field_name.trim_ascii_end().eq_ignore_ascii_case(b"DKIM-Signature")
        && tags.value("v") == Some("1")
        && tags.value("a") == Some(algorithm.name())
        && tags.value("b") == Some("")
        && domain.is_some_and(|domain| domain.as_str() == name.domain.as_str())
        && selector.is_some_and(|selector| selector.as_str() == name.selector.as_str())
}

/// What stands behind the last line end that no blank follows.
fn last_field(input: &[u8]) -> &[u8] {
    let is_start = |at: &usize| {
        let (before, after) = input.split_at(*at);
        before.ends_with(b"\r\n") && !matches!(after.first(), Some(b' ' | b'\t'))
    };
    let start = (0..=input.len()).rev().find(is_start);
    input.get(start.unwrap_or(0)..).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_crypto::ring::PROVIDER;
    use dkim_crypto::{PrivateKey, Provider};

    use super::*;

    fn name(selector: &str) -> KeyName {
        let domain = DomainName::parse("example.com").unwrap();
        KeyName { domain, selector: Selector::parse(selector).unwrap() }
    }

    fn keyring() -> Keyring {
        let mut keyring = Keyring::default();
        for (selector, seed) in [("b", 1), ("a", 2)] {
            let key = PROVIDER.signing_key(&PrivateKey::from_ed25519_seed(&[seed; 32])).unwrap();
            assert!(keyring.insert(name(selector), key));
        }
        keyring
    }

    fn answer(request: &Request) -> Vec<Answer> {
        keyring().answer(request).answers.collect()
    }

    const FIELD: &str = "dkim-signature:v=1; a=ed25519-sha256; d=example.com; s=a; b=";

    fn sign(selector: &str, algorithm: SigningAlgorithm, input: &str) -> Vec<Answer> {
        let input = input.as_bytes().to_vec();
        answer(&Request::Sign { key: name(selector), algorithm, input })
    }

    #[test]
    fn a_list_is_in_order_and_ends() {
        let all = answer(&Request::List);
        let known = |selector| answer(&Request::Key(name(selector))).remove(0);
        assert_eq!(all, [known("a"), known("b"), Answer::End]);
        assert_ne!(all[0], all[1]);
        assert!(matches!(&all[0], Answer::Key(half) if half.name == name("a")));
    }

    #[test]
    fn a_name_has_one_key() {
        let mut keyring = keyring();
        let other = PROVIDER.signing_key(&PrivateKey::from_ed25519_seed(&[3; 32])).unwrap();
        let before: Vec<Answer> = keyring.answer(&Request::List).answers.collect();
        assert!(!keyring.insert(name("a"), other));
        assert_eq!(keyring.answer(&Request::List).answers.collect::<Vec<_>>(), before);
        assert_eq!((keyring.len(), keyring.is_empty()), (2, false));
        assert!(keyring.has(&name("a")) && !keyring.has(&name("c")));
    }

    #[test]
    fn a_signature_is_the_keys() {
        let ed25519 = SigningAlgorithm::ED25519_SHA256;
        for fields in ["", "from:joe@example.com\r\n", "From: a\r\n b\r\n"] {
            for own in [
                FIELD.to_owned(),
                FIELD.replace("; ", ";\r\n\t").replace("dkim-signature:", "DKIM-Signature : "),
                FIELD.replace("example", "EXAMPLE"),
            ] {
                let input = format!("{fields}{own}");
                let answers = sign("a", ed25519, &input);
                let [Answer::Signature(signature)] = &answers[..] else {
                    panic!("{input:?}: {answers:?}")
                };
                let Answer::Key(half) = answer(&Request::Key(name("a"))).remove(0) else {
                    panic!()
                };
                let key = PROVIDER.prepare(&half.public).unwrap();
                assert_eq!(key.verify(ed25519, input.as_bytes(), signature), Ok(()));
            }
        }
    }

    /// As a token does that was pulled out.
    struct Broken(Arc<dyn SigningKey>);

    impl SigningKey for Broken {
        fn algorithm(&self) -> SigningAlgorithm {
            self.0.algorithm()
        }

        fn public_key(&self) -> &dkim_crypto::PublicKey {
            self.0.public_key()
        }

        fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
            Err(SignError::OutOfReach("pulled out".to_owned()))
        }
    }

    #[test]
    fn why_a_key_failed_is_for_the_keeper() {
        let mut keyring = Keyring::default();
        let key = PROVIDER.signing_key(&PrivateKey::from_ed25519_seed(&[2; 32])).unwrap();
        assert!(keyring.insert(name("a"), Arc::new(Broken(key))));
        let (key, algorithm) = (name("a"), SigningAlgorithm::ED25519_SHA256);
        let request = Request::Sign { key, algorithm, input: FIELD.as_bytes().to_vec() };
        let reply = keyring.answer(&request);
        assert_eq!(reply.failure, Some(SignError::OutOfReach("pulled out".to_owned())));
        assert_eq!(reply.answers.collect::<Vec<_>>(), [Answer::Refused(Refusal::Failed)]);
    }

    #[test]
    fn what_cannot_be_signed_is_told() {
        let (ed25519, rsa) = (SigningAlgorithm::ED25519_SHA256, SigningAlgorithm::RSA_SHA256);
        let refused = |refusal| [Answer::Refused(refusal)];
        assert_eq!(sign("c", ed25519, FIELD), refused(Refusal::UnknownKey));
        assert_eq!(answer(&Request::Key(name("c"))), refused(Refusal::UnknownKey));
        assert_eq!(sign("a", rsa, FIELD), refused(Refusal::OtherAlgorithm));
        for input in [
            "",
            "\r\n",
            "any text",
            "from:joe@example.com",
            &FIELD.replace("s=a", "s=b"),
            &FIELD.replace("example", "victim"),
            &FIELD.replace("ed25519", "rsa"),
            &FIELD.replace("v=1; ", ""),
            &FIELD.replace("dkim", "dkim2"),
            &FIELD.replace("; b=", ""),
            &format!("{FIELD}Zm9v"),
            &format!("{FIELD}\r\n"),
            &format!("{FIELD}\r\nfrom:joe@example.com"),
            &format!("{FIELD}; d=victim.com"),
            &format!("{FIELD}\r\n{}", FIELD.replace("s=a", "s=b")),
        ] {
            assert_eq!(sign("a", ed25519, input), refused(Refusal::NotDkim), "{input:?}");
        }
    }
}
