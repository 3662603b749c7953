//! Signs with DomainKeys, which nothing else here does: the arithmetic by big numbers, and the
//! canonical form as the words of RFC 4870 §3.4.2 go, over the whole message.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its share")]

use std::sync::Arc;

use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{
    Digest, HashAlgorithm, HashValue, PrivateKey, Provider, PublicKey, PublicKeyError,
    SigningAlgorithm, VerifyError, VerifyingKey,
};
use dkim_dns::{Zone, drive_blocking};
use dkim_domainkeys::{Policy, Treatment, Verification, Verifier};
use dkim_tags::value::to_base64;
use num_bigint::BigUint;

pub const MESSAGE: &str = "Received: from a.example\r\n\tby b.example\r\nFrom: Joe SixPack \
    <joe@football.example.com>\r\nTo: Suzie <suzie@example.net>\r\nSubject: Is dinner\r\n \
    ready?\r\nReceived: from c.example\r\n\r\nHi. \r\n\r\nWe lost\tthe game.\r\n";

/// Tags without `b=`; a signature of it covers everything below.
pub const TAGS: &str = "a=rsa-sha1; c=nofws; d=example.com; q=dns; s=sel";

/// The private key as the numbers that it is: modulus and private exponent.
struct Key {
    public: PublicKey,
    modulus: BigUint,
    private: BigUint,
}

fn key() -> Key {
    let pem = include_bytes!("../../../dkim-testkit/vectors/keys/rsa2048.pem");
    let key = PrivateKey::from_pem(pem).expect("a key file");
    let public = PROVIDER.signing_key(&key).expect("a good key").public_key().clone();
    // RSAPrivateKey ::= SEQUENCE { version, modulus, publicExponent, privateExponent, … }
    let mut rest = element(key.expose_secret()).0;
    let mut integers = Vec::new();
    for _ in 0..4 {
        let (contents, after) = element(rest);
        integers.push(BigUint::from_bytes_be(contents));
        rest = after;
    }
    Key { public, modulus: integers[1].clone(), private: integers[3].clone() }
}

/// A DER element's contents, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, start) = match der[1] {
        short @ 0..=0x7f => (usize::from(short), 2),
        long => {
            let octets = usize::from(long & 0x7f);
            let length = der[2..2 + octets].iter().fold(0, |sum, o| sum * 256 + usize::from(*o));
            (length, 2 + octets)
        }
    };
    (&der[start..start + length], &der[start + length..])
}

/// The base64 of the key for `p=`.
pub fn p() -> String {
    to_base64(&key().public.to_p_tag())
}

/// `openssl dgst -sign rsa.private -sha1` (RFC 4870 §3.2.2).
fn sign_octets(octets: &[u8]) -> String {
    let prefix = b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14";
    let info = [&prefix[..], &sha1(octets)].concat();
    let padded = [&[0, 1][..], &vec![0xff; 256 - 3 - info.len()], &[0], &info].concat();
    let key = key();
    let power = BigUint::from_bytes_be(&padded).modpow(&key.private, &key.modulus).to_bytes_be();
    to_base64(&[vec![0; 256 - power.len()], power].concat())
}

/// What is signed of a message by RFC 4870 §3.4.2: by `simple` or `nofws`, and all of the header or
/// the fields that are named.
pub fn canonical(form: &str, names: Option<&[&str]>, message: &str) -> Vec<u8> {
    let (header, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
    let mut lines: Vec<String> = Vec::new();
    // Fields, with the lines that continue them.
    let mut fields: Vec<Vec<&str>> = Vec::new();
    for line in header.split("\r\n").filter(|line| !line.is_empty()) {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => field.push(line),
            _ => fields.push(vec![line]),
        }
    }
    if let Some(names) = names {
        // From the bottom up, each entry takes one, and the first of its name what is left.
        let is = |field: &[&str], name: &str| {
            field[0].split(':').next().unwrap_or_default().trim().eq_ignore_ascii_case(name)
        };
        let mut picked = Vec::new();
        for (at, name) in names.iter().enumerate().rev() {
            let first = names[..at].iter().all(|other| !other.eq_ignore_ascii_case(name));
            while let Some(last) = fields.iter().rposition(|field| is(field, name)) {
                picked.push(fields.remove(last));
                if !first {
                    break;
                }
            }
        }
        picked.reverse();
        fields = picked;
    }
    for field in fields {
        match form {
            "simple" => lines.extend(field.iter().map(|line| (*line).to_owned())),
            _ => lines.push(field.concat()),
        }
    }
    lines.push(String::new());
    lines.extend(body.split("\r\n").map(str::to_owned));
    if form == "nofws" {
        for line in &mut lines {
            line.retain(|c| !matches!(c, '\t' | '\n' | '\r' | ' '));
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.iter().map(|line| line.clone() + "\r\n").collect::<String>().into_bytes()
}

/// Real hashes, and "signatures" that are hashes: for tests of what is hashed, by the thousand.
#[derive(Debug)]
pub struct Plain;

impl Provider for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn digest(&self, hash: HashAlgorithm) -> Option<Box<dyn Digest>> {
        PROVIDER.digest(hash)
    }

    fn prepare(&self, key: &PublicKey) -> Result<Arc<dyn VerifyingKey>, PublicKeyError> {
        PROVIDER.prepare(key)
    }

    fn verify_hash(
        &self,
        _: &PublicKey,
        _: SigningAlgorithm,
        hash: &HashValue,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if hash.as_bytes() == signature { Ok(()) } else { Err(VerifyError::Mismatch) }
    }
}

/// Puts a DomainKey-Signature field with these tags on top of a message; its form and its fields
/// follow `c=` and `h=`.
pub fn sign(tags: &str, message: &str) -> String {
    sign_by(sign_octets, tags, message)
}

/// [`sign`] for [`Plain`].
pub fn sign_plainly(tags: &str, message: &str) -> String {
    sign_by(|octets| to_base64(&sha1(octets)), tags, message)
}

fn sha1(octets: &[u8]) -> Vec<u8> {
    let mut digest = PROVIDER.digest(HashAlgorithm::Sha1).expect("ring has SHA-1");
    digest.update(octets);
    digest.finish().as_bytes().to_vec()
}

fn sign_by(sign_octets: impl Fn(&[u8]) -> String, tags: &str, message: &str) -> String {
    let value = |name: &str| {
        let specs = tags.split(';').filter_map(|spec| spec.split_once('='));
        specs.map(|(tag, value)| (tag.trim(), value.trim())).find(|(tag, _)| *tag == name)
    };
    let names = value("h").map(|(_, value)| value.replace([' ', '\t', '\r', '\n'], ""));
    let names: Option<Vec<&str>> = names.as_ref().map(|names| names.split(':').collect());
    let form = value("c").map_or("nofws", |(_, form)| form);
    let b = sign_octets(&canonical(form, names.as_deref(), message));
    format!("DomainKey-Signature: {tags};\r\n b={b}\r\n{message}")
}

/// A zone with one record at the key's name.
pub fn record(text: &str) -> Zone {
    Zone::new().txt("sel._domainkey.example.com", text)
}

pub fn zone() -> Zone {
    record(&format!("k=rsa; p={}", p()))
}

/// A policy for archives.
pub fn archive() -> Policy {
    let mut policy = Policy::default();
    policy.sha1 = Treatment::Accept;
    policy
}

pub fn verify_with(policy: &Policy, message: &[u8], zone: &Zone) -> Vec<Verification> {
    verify_by(&PROVIDER, policy, message, zone)
}

pub fn verify_by(
    provider: &'static dyn Provider,
    policy: &Policy,
    message: &[u8],
    zone: &Zone,
) -> Vec<Verification> {
    let (header, body) = dkim_message::split(message);
    let mut verifier = Verifier::new(&header, policy, provider);
    drive_blocking(&mut verifier, zone);
    verifier.body_chunk(body);
    verifier.finish()
}

/// What became of the topmost signature, in two words.
pub fn outcome(found: &[Verification]) -> String {
    found.first().map_or_else(String::new, |first| {
        format!("{} {}", first.outcome.result(), first.outcome.reason())
    })
}

/// What becomes of a message in an archive.
pub fn judge(message: &str, zone: &Zone) -> String {
    outcome(&verify_with(&archive(), message.as_bytes(), zone))
}
