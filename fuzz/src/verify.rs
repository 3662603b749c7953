//! The verifier (RFC 6376 §6), with a provider to which every signature is good.

use std::fmt::Write as _;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use dkim_crypto::HashAlgorithm;
use dkim_dns::{Answer, Dnssec, Found, LookupError, Query, Record};
use dkim_keyrec::KeyRecord;
use dkim_tags::{UnixTime, value::to_base64};
use dkim_verify::Policy;

use crate::body_hash::digest;
use crate::judge::Case;
use crate::pieces::Random;
use crate::providers::Accepting;
use crate::{canon_twin, made_up};

/// A message as it stands. What the DNS answers follows from the name asked for.
pub fn verify_message(data: &[u8]) {
    let answer = |query: &Query| {
        let both = [made_up::ed25519_key(), made_up::rsa_key(2048)].map(KeyRecord::new);
        let both = both.map(|record| record.to_text().into_bytes());
        match Random::new(query.name.as_bytes(), 0).below(16) {
            0 => None,
            1 => Some(Err(LookupError::NoSuchName)),
            2 => Some(Err(LookupError::Timeout)),
            3 => Some(Ok(found([b"v=DKIM1; t=y:s; p=".to_vec()]))),
            4 => Some(Ok(found([b"v=spf1 -all".to_vec(), both[0].clone(), both[1].clone()]))),
            _ => Some(Ok(found(both))),
        }
    };
    let now = UnixTime(1_528_637_909);
    let case = Case { message: data, now, provider: &Accepting, answer: &answer };
    case.judge(&Policy::rfc());
}

/// Plausible signatures over any body, plausible and other answers, any policy with any limits.
pub fn verify(data: &[u8]) {
    let Ok(made) = Made::arbitrary(&mut Unstructured::new(data)) else { return };
    let message = made.message();
    let answers: Vec<Option<Answer>> = made.answers.iter().map(Reply::answer).collect();
    let answer = |query: &Query| {
        let place = Random::new(query.name.as_bytes(), 0).below(answers.len().max(1));
        answers.get(place).cloned().flatten()
    };
    let mut policy =
        [Policy::rfc(), Policy::strict(), Policy::lenient()][usize::from(made.policy % 3)].clone();
    if made.small_limits {
        policy.limits.signatures = 2;
        policy.limits.queries = 1;
        policy.limits.body_hashes = 1;
        policy.limits.signed_fields = 3;
        policy.limits.key_records = 1;
    }
    let now = UnixTime(made.now.into());
    let case = Case { message: &message, now, provider: &Accepting, answer: &answer };
    case.judge(&policy);
}

fn found(records: impl IntoIterator<Item = Vec<u8>>) -> Found {
    let record = |text: Vec<u8>| Record { strings: text.chunks(255).map(<[u8]>::to_vec).collect() };
    let records = records.into_iter().map(record).collect();
    Found { records, ttl: Duration::from_secs(60), ..Found::default() }
}

#[derive(Arbitrary, Debug)]
struct Made<'a> {
    policy: u8,
    small_limits: bool,
    now: u32,
    fields: Vec<Part<'a>>,
    answers: Vec<Reply<'a>>,
    body: &'a [u8],
}

#[derive(Arbitrary, Debug)]
enum Part<'a> {
    From,
    Subject(&'a str),
    Signature(Box<Tags<'a>>),
    Octets(&'a [u8]),
}

/// What a signature says; each number picks a word, most of them sensible.
#[derive(Arbitrary, Debug)]
struct Tags<'a> {
    name: u8,
    algorithm: u8,
    canonicalization: u8,
    domain: u8,
    selector: u8,
    identity: Option<u8>,
    fields: Vec<u8>,
    length: Option<u16>,
    right_body_hash: bool,
    signature: u64,
    timestamp: Option<u32>,
    expiration: Option<u32>,
    tail: Option<&'a str>,
}

impl Made<'_> {
    fn message(&self) -> Vec<u8> {
        let mut message = Vec::new();
        for field in &self.fields {
            match field {
                Part::From => message.extend(b"From: joe@example.com"),
                Part::Subject(text) => message.extend(format!("Subject: {text}").bytes()),
                Part::Signature(tags) => message.extend(tags.field(self.body).bytes()),
                Part::Octets(octets) => message.extend(*octets),
            }
            message.extend(b"\r\n");
        }
        message.extend(b"\r\n");
        message.extend(self.body);
        message
    }
}

impl Tags<'_> {
    fn field(&self, body: &[u8]) -> String {
        use dkim_canon::Canonicalization::{Relaxed, Simple};
        let name = pick(self.name, &["DKIM-Signature", "dkim-signature", "DKIM-Signature \t"]);
        let algorithm =
            pick(self.algorithm, &["rsa-sha256", "ed25519-sha256", "rsa-sha1", "rsa-sha512"]);
        let forms = ["relaxed/relaxed", "simple/simple", "relaxed/simple", "simple", "nofws"];
        let form = pick(self.canonicalization, &forms);
        let domains =
            ["example.com", "sub.example.com", "b\u{fc}cher.example", "com", "EXAMPLE.com"];
        let domain = pick(self.domain, &domains);
        let selector = pick(self.selector, &["a", "b", "s_1.x", "c"]);
        let fields: Vec<&str> = self
            .fields
            .iter()
            .map(|field| *pick(*field, &["From", "subject", "X", "DKIM-Signature", "from "]))
            .chain(["from"])
            .collect();

        let canonical =
            canon_twin::body(if form.ends_with("relaxed") { Relaxed } else { Simple }, body);
        let length = self.length.map_or(canonical.len(), usize::from);
        let signed = canonical.get(..length).unwrap_or(&canonical);
        let hash =
            if *algorithm == "rsa-sha1" { HashAlgorithm::Sha1 } else { HashAlgorithm::Sha256 };
        let hash = digest(hash, if self.right_body_hash { signed } else { b"other" });

        let mut field = format!(
            "{name}: v=1; a={algorithm}; c={form}; d={domain}; s={selector};\r\n\th={}; bh={};",
            fields.join(" : "),
            to_base64(hash.as_bytes()),
        );
        let identity = self.identity.map(|identity| {
            pick(
                identity,
                &["@example.com", "joe@sub.example.com", "=40@x.com", "@b\u{fc}cher.example"],
            )
            .to_string()
        });
        for (tag, value) in [
            ("i", identity),
            ("l", self.length.map(|length| length.to_string())),
            ("t", self.timestamp.map(|time| time.to_string())),
            ("x", self.expiration.map(|time| time.to_string())),
        ] {
            if let Some(value) = value {
                let _ = write!(field, " {tag}={value};");
            }
        }
        let _ = write!(field, " b={}", to_base64(&self.signature.to_be_bytes()));
        if let Some(tail) = self.tail {
            let _ = write!(field, ";{tail}");
        }
        field
    }
}

#[derive(Arbitrary, Debug)]
enum Reply<'a> {
    Records(Vec<Text<'a>>, bool),
    NoSuchName,
    NoRecords,
    Timeout,
    Silence,
}

/// A TXT record.
#[derive(Arbitrary, Debug)]
enum Text<'a> {
    Ed25519(u8),
    Rsa(u8),
    ShortRsa,
    Revoked,
    Octets(&'a [u8]),
}

impl Reply<'_> {
    fn answer(&self) -> Option<Answer> {
        match self {
            Self::Records(texts, bogus) => {
                let mut found = found(texts.iter().map(Text::octets));
                if *bogus {
                    found.dnssec = Dnssec::Bogus;
                }
                Some(Ok(found))
            }
            Self::NoSuchName => Some(Err(LookupError::NoSuchName)),
            Self::NoRecords => Some(Err(LookupError::NoRecords)),
            Self::Timeout => Some(Err(LookupError::Timeout)),
            Self::Silence => None,
        }
    }
}

impl Text<'_> {
    fn octets(&self) -> Vec<u8> {
        let terms = |number: &u8| {
            *pick(*number, &["", "t=y; ", "t=s; ", "h=sha1; ", "s=other; ", "h=sha256:sha1; s=*; "])
        };
        let (terms, key) = match self {
            Self::Octets(octets) => return octets.to_vec(),
            Self::Revoked => return b"v=DKIM1; p=".to_vec(),
            Self::Ed25519(number) => (terms(number), made_up::ed25519_key()),
            Self::Rsa(number) => (terms(number), made_up::rsa_key(2048)),
            Self::ShortRsa => ("", made_up::rsa_key(1023)),
        };
        let p = to_base64(&key.to_p_tag());
        format!("v=DKIM1; {terms}k={}; p={p}", key.key_type()).into_bytes()
    }
}

/// The word of this number, the first more often than the others.
fn pick<T>(number: u8, words: &[T]) -> &T {
    words.get(usize::from(number)).unwrap_or(&words[0])
}
