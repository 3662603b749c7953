//! Key records and a message, and the signature that is put where the message has room for it.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{PrivateKey, Provider, SigningKey};
use dkim_dns::{Answer, Found, LookupError, Query, Record};
use dkim_hash::HeaderInputs;
use dkim_message::{Header, split};
use dkim_tags::value::{base64, to_base64};
use dkim_tags::{Signature, TagList, UnixTime, without_b};
use dkim_verify::{Policy, Verification};

use crate::body_hash::digest;
use crate::{canon_twin, judge};

/// Key records, and a message that may have room for a signature.
///
/// As text: a line for each record, its name and its text, or a comment behind `;`; an empty line;
/// the message. `{bh}` in the message stands for the body hash, `{b}` for the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The names of records, in lower case, and their texts.
    pub records: Vec<(String, Vec<u8>)>,
    /// The message.
    pub message: Vec<u8>,
}

/// What stands in the message for a body hash that is not known yet.
pub(super) const BODY_HASH: &[u8] = b"{bh}";
/// What stands in the message for a signature that is not made yet.
pub(super) const SIGNATURE: &[u8] = b"{b}";

/// What the room is filled with until it is known.
const NOT_YET: &str = "bm90IHlldA==";

/// The seed of the key for `ed25519-sha256`.
pub(super) const SEED: [u8; 32] = [7; 32];

static ED25519: LazyLock<Arc<dyn SigningKey>> =
    LazyLock::new(|| signing_key(&PrivateKey::from_ed25519_seed(&SEED)));
static RSA: LazyLock<Arc<dyn SigningKey>> = LazyLock::new(|| {
    let pem = include_bytes!("../../../dkim-testkit/vectors/keys/rsa2048.pem");
    signing_key(&PrivateKey::from_pem(pem).expect("a key of the vectors"))
});

fn signing_key(key: &PrivateKey) -> Arc<dyn SigningKey> {
    PROVIDER.signing_key(key).expect("ring signs with such keys")
}

/// The key that signs where `a=` asks for one, and the hash of the algorithm.
pub(super) fn key(is_rsa: bool) -> &'static dyn SigningKey {
    if is_rsa { &**RSA } else { &**ED25519 }
}

impl Case {
    /// Reads the text; `None` if the records do not end.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let end = text.windows(2).position(|pair| pair == b"\n\n")?;
        let lines = text[..end].split(|octet| *octet == b'\n');
        let records = lines.filter(|line| !line.starts_with(b";")).filter_map(|line| {
            let space = line.iter().position(|octet| *octet == b' ')?;
            let name = std::str::from_utf8(&line[..space]).ok()?;
            Some((name.to_lowercase(), line[space + 1..].to_vec()))
        });
        Some(Self { records: records.collect(), message: text[end + 2..].to_vec() })
    }

    /// The text that [`read`](Self::read) reads.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let record = |(name, text): &(String, Vec<u8>)| [name.as_bytes(), b" ", text].concat();
        let mut lines: Vec<Vec<u8>> = self.records.iter().map(record).collect();
        // For a case without records, a comment.
        lines.resize(lines.len().max(1), b";".to_vec());
        [&lines.join(&b'\n'), &b"\n\n"[..], &self.message].concat()
    }

    /// The texts at a name, in order.
    pub(super) fn texts(&self, name: &str) -> Vec<Vec<u8>> {
        let name = name.to_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        let at = self.records.iter().filter(|(at, _)| at == name);
        at.map(|(_, text)| text.clone()).collect()
    }

    /// The message signed as we read it; `None` if there is no room, or nothing that we can read.
    #[must_use]
    pub fn signed_by_us(&self) -> Option<Vec<u8>> {
        let [body_hash, signature] = self.values()?;
        Some(filled(&filled(&self.message, BODY_HASH, &body_hash), SIGNATURE, &signature))
    }

    /// The message with something where there is room, which is neither body hash nor signature.
    #[must_use]
    pub fn draft(&self) -> Vec<u8> {
        filled(&filled(&self.message, SIGNATURE, NOT_YET), BODY_HASH, NOT_YET)
    }

    /// The body hash and the signature that there is room for, as we read the message.
    pub(super) fn values(&self) -> Option<[String; 2]> {
        let message = filled(&self.message, SIGNATURE, NOT_YET);
        let draft = filled(&message, BODY_HASH, NOT_YET);
        let signature = read(&split(&draft).0)?.1;
        let body = canon_twin::body(signature.canonicalization.body, split(&draft).1);
        let length = signature.body_length.map_or(body.len(), |l| usize::try_from(l).unwrap_or(0));
        let hash = digest(signature.algorithm.hash(), body.get(..length).unwrap_or(&body));
        let hash = to_base64(hash.as_bytes());
        let draft = filled(&message, BODY_HASH, &hash);

        let (header, _) = split(&draft);
        let (position, signature) = read(&header)?;
        let field = header.fields().get(position)?;
        let tags = TagList::parse(field.body()).ok()?;
        let form = signature.canonicalization.header;
        let mut inputs = HeaderInputs::new(&header);
        inputs.open(form, signature.signed_fields.iter(), Some(position));
        inputs.close(form, field.raw_name(), without_b(field.body(), &tags));
        let made = key(signature.algorithm.name().starts_with("rsa")).sign(inputs.octets()).ok()?;
        Some([hash, to_base64(&made)])
    }

    /// What we make of the message, signed or not.
    #[must_use]
    pub fn verify(&self, message: &[u8]) -> Vec<Verification> {
        self.judge(message, |case| case.verify(&Policy::rfc()))
    }

    /// Whatever the message, our verdict is one that can be (see `judge`).
    #[cfg(not(feature = "peers"))]
    pub(super) fn assert_judged(&self) {
        for message in [Some(self.message.clone()), self.signed_by_us()].into_iter().flatten() {
            self.judge(&message, |case| case.judge(&Policy::rfc()));
        }
    }

    fn judge<T>(&self, message: &[u8], verdict: impl FnOnce(&judge::Case<'_>) -> T) -> T {
        let answer = |query: &Query| Some(self.answer(query));
        let case = judge::Case { message, now: now(), provider: &PROVIDER, answer: &answer };
        verdict(&case)
    }

    fn answer(&self, query: &Query) -> Answer {
        let records: Vec<Record> = self
            .texts(&query.name)
            .iter()
            .map(|text| Record { strings: text.chunks(255).map(<[u8]>::to_vec).collect() })
            .collect();
        if records.is_empty() {
            return Err(LookupError::NoSuchName);
        }
        let records = records.into_iter().collect();
        Ok(Found { records, ttl: Duration::from_secs(60), ..Found::default() })
    }
}

/// The time that the peer has, too: it asks the clock.
fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixTime(since.map_or(0, |since| since.as_secs()))
}

/// The DKIM-Signature field that has room for a signature, among the fields of the header.
fn read(header: &Header<'_>) -> Option<(usize, Signature)> {
    let room = base64(NOT_YET)?;
    header.fields().named(Signature::FIELD_NAME).find_map(|(position, field)| {
        let signature = Signature::parse(field.body()).ok()?;
        (signature.signature == room).then_some((position, signature))
    })
}

/// Puts a value where the message has room for it.
pub(super) fn filled(message: &[u8], room: &[u8], value: &str) -> Vec<u8> {
    match message.windows(room.len()).position(|octets| octets == room) {
        Some(at) => [&message[..at], value.as_bytes(), &message[at + room.len()..]].concat(),
        None => message.to_vec(),
    }
}

/// What the room for a signature is filled with until it is made.
#[cfg(feature = "peers")]
pub(super) fn not_yet() -> &'static str {
    NOT_YET
}
