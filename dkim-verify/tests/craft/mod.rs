//! Makes messages that no ordinary signer makes: whatever the field says, the arithmetic is right.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its share")]

use std::sync::Arc;

use dkim_canon::BodyCanonicalizer;
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, PrivateKey, Provider, SigningKey};
use dkim_dns::{Zone, drive_blocking};
use dkim_hash::HeaderInputs;
use dkim_message::split;
use dkim_tags::value::to_base64;
use dkim_tags::{Canonicalizations, TagList, UnixTime};
use dkim_verify::{Policy, Verification, Verifier};

pub const NOW: UnixTime = UnixTime(1_700_000_000);

pub const MESSAGE: &str = "From: Joe SixPack <joe@example.com>\r\nTo: Suzie <suzie@example.net>\r\n\
                           Subject: Is dinner ready?\r\n\r\nHi.\r\n\r\nWe lost the game.\r\n";

/// A signature by the key of [`key`], with places for the body hash and for the signature.
pub const TEMPLATE: &str = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=sel;\r\n\
                            \th=from:to:subject; bh={bh};\r\n\tb={b}";

pub fn key() -> Arc<dyn SigningKey> {
    PROVIDER.signing_key(&PrivateKey::from_ed25519_seed(&[7; 32])).expect("a seed is a key")
}

pub fn rsa_key() -> Arc<dyn SigningKey> {
    let pem = include_bytes!("../../../dkim-crypto/tests/keys/rsa2048.pem");
    let key = PrivateKey::from_pem(pem).expect("a key file");
    PROVIDER.signing_key(&key).expect("a good key")
}

/// The base64 of a key for `p=`.
pub fn p(key: &dyn SigningKey) -> String {
    to_base64(&key.public_key().to_p_tag())
}

/// The zone with the key record of [`key`].
pub fn zone() -> Zone {
    record(&format!("v=DKIM1; k=ed25519; p={}", p(&*key())))
}

/// A zone with one record at the key's name.
pub fn record(text: &str) -> Zone {
    Zone::new().txt("sel._domainkey.example.com", text)
}

/// Puts a DKIM-Signature field on top of a message. `{bh}` and `{b}` in the template become the
/// body hash and the signature; the hashes follow `c=`, `h=` and `l=` as far as they can be read.
pub fn sign_with(key: &dyn SigningKey, template: &str, message: &[u8]) -> Vec<u8> {
    let value = |name: &str| {
        let spec = template.split(';').filter_map(|spec| spec.split_once('='));
        spec.map(|(tag, value)| (tag.trim(), value.trim())).find(|(tag, _)| *tag == name)
    };
    let value = |name| value(name).map(|(_, value)| value);
    let forms = value("c").and_then(Canonicalizations::parse).unwrap_or_default();
    let (header, body) = split(message);

    let mut canonical = Vec::new();
    let mut canonicalizer = BodyCanonicalizer::new(forms.body);
    canonicalizer.chunk(body, |octets| canonical.extend_from_slice(octets));
    canonicalizer.finish(|octets| canonical.extend_from_slice(octets));
    if let Some(length) = value("l").and_then(|length| length.parse().ok()) {
        canonical.truncate(length);
    }
    let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).expect("ring has SHA-256");
    digest.update(&canonical);
    let field = template.replace("{bh}", &to_base64(digest.finish().as_bytes()));

    let names = value("h").unwrap_or_default().split(':').map(str::trim);
    let mut inputs = HeaderInputs::new(&header);
    inputs.open(forms.header, names, None);
    let unsigned = format!(" {}", field.replace("{b}", ""));
    // A list that does not parse is signed as it stands.
    let own = TagList::parse(unsigned.as_bytes()).map_or([unsigned.as_bytes(), b""], |tags| {
        dkim_tags::without_b(unsigned.as_bytes(), &tags)
    });
    inputs.close(forms.header, b"DKIM-Signature", own);
    let signature = to_base64(&key.sign(inputs.octets()).expect("ring signs"));

    let field = format!("DKIM-Signature: {}\r\n", field.replace("{b}", &signature));
    [field.as_bytes(), message].concat()
}

/// [`sign_with`] the key of [`key`].
pub fn sign(template: &str, message: &[u8]) -> Vec<u8> {
    sign_with(&*key(), template, message)
}

pub fn verify_with(policy: &Policy, message: &[u8], zone: &Zone) -> Vec<Verification> {
    let (header, body) = split(message);
    let mut verifier = Verifier::new(&header, policy, NOW, &PROVIDER);
    drive_blocking(&mut verifier, zone);
    verifier.body_chunk(body);
    verifier.finish()
}

pub fn verify(message: &[u8], zone: &Zone) -> Vec<Verification> {
    verify_with(&Policy::rfc(), message, zone)
}

/// What became of the topmost signature, in two words.
pub fn outcome(found: &[Verification]) -> String {
    found.first().map_or_else(String::new, |first| {
        format!("{} {}", first.outcome.result(), first.outcome.reason())
    })
}

/// The deviations of the topmost signature, by their codes.
pub fn deviations(found: &[Verification]) -> Vec<&'static str> {
    let deviations = found.first().map(|first| first.deviations.as_slice()).unwrap_or_default();
    deviations.iter().map(dkim_verify::Deviation::code).collect()
}

/// What became of the topmost signature under `rfc`, `strict` and `lenient`.
pub fn under_each(message: &[u8], zone: &Zone) -> [String; 3] {
    [Policy::rfc(), Policy::strict(), Policy::lenient()]
        .map(|policy| outcome(&verify_with(&policy, message, zone)))
}

/// The template with one more tag.
pub fn with_tag(tag: &str) -> String {
    TEMPLATE.replace("s=sel;", &format!("s=sel; {tag};"))
}

/// The template with another `h=`.
pub fn with_fields(names: &str) -> String {
    TEMPLATE.replace("h=from:to:subject", &format!("h={names}"))
}

/// The template with another `c=`.
pub fn with_forms(forms: &str) -> String {
    TEMPLATE.replace("c=relaxed/relaxed", &format!("c={forms}"))
}
