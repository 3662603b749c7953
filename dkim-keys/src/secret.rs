//! Secrets that stand where the name of a file should.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dkim_crypto::{PrivateKey, PrivateKeyError};
use zeroize::Zeroizing;

use crate::key_file;
use crate::token_uri::holds_pin;

/// Whether a text that is to name a file is itself the secret that belongs into one, and so must not
/// be told: PEM or what is left of it, a private key in base64, a TSIG key as `nsupdate -y` takes it
/// (`hmac-sha256:NAME:SECRET`, or `NAME:SECRET` if the base64 is padded), or a `pkcs11:` URI with a PIN
/// in it (RFC 7512 §2.4).
///
/// ```
/// use dkim_keys::is_secret;
///
/// assert!(is_secret("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="));
/// assert!(is_secret("hmac-sha256:dkim:c2VjcmV0IHNlY3JldCBzZWNyZXQ="));
/// assert!(is_secret("pkcs11:token=t?pin-value=123456"));
/// assert!(!is_secret("/etc/dkim/s2024._domainkey.example.com.pem"));
/// ```
#[must_use]
pub fn is_secret(text: &str) -> bool {
    let text = text.trim();
    text.contains("-----") || is_private_key(text) || is_tsig_key(text) || holds_pin(text)
}

fn is_private_key(text: &str) -> bool {
    key_file::read(text.as_bytes()).is_ok() || is_der_in_base64(text)
}

/// PKCS#8 or PKCS#1 (RFC 5958, RFC 8017 §A.1.2); a key that DKIM does not know, or of which the parts
/// do not fit together, is one all the same.
pub(crate) fn is_private_der(octets: &[u8]) -> bool {
    !matches!(PrivateKey::from_der(octets), Err(PrivateKeyError::Malformed(_)))
}

/// What is between the lines of a PEM file.
fn is_der_in_base64(text: &str) -> bool {
    let mut base64 = Zeroizing::new(Vec::with_capacity(text.len()));
    base64.extend(text.bytes().filter(|octet| !octet.is_ascii_whitespace()));
    let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(base64.len())]);
    let len = STANDARD.decode_slice(&*base64, &mut der);
    len.ok().and_then(|len| der.get(..len)).is_some_and(is_private_der)
}

fn is_tsig_key(text: &str) -> bool {
    const HMAC: &str = "hmac-";

    let is_base64 = |text: &str| {
        let is = |octet: u8| octet.is_ascii_alphanumeric() || b"+/=".contains(&octet);
        !text.is_empty() && text.bytes().all(is)
    };
    let is_hmac =
        |name: &str| name.get(..HMAC.len()).is_some_and(|start| start.eq_ignore_ascii_case(HMAC));
    match *text.split(':').collect::<Vec<_>>() {
        [algorithm, _, secret] => is_hmac(algorithm) && is_base64(secret),
        // Without the padding it may be a path.
        [_, secret] => secret.ends_with('=') && is_base64(secret),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn between_the_lines(pem: &str) -> Vec<&str> {
        pem.lines().filter(|line| !line.starts_with('-')).collect()
    }

    #[test]
    fn secrets_are_known_however_they_are_pasted() {
        let pem = PrivateKey::from_ed25519_seed(&[7; 32]).to_pkcs8_pem();
        let base64 = between_the_lines(&pem).concat();
        let seed = STANDARD.encode([7; 32]);
        let rsa = include_str!("../../dkim-testkit/vectors/keys/rsa2048.pem");
        // id-ecPublicKey, which DKIM does not know.
        let mut other = STANDARD.decode(&base64).unwrap();
        other[9] ^= 1;
        for secret in [
            &*pem,
            pem.lines().next().unwrap(),
            "-----END PRIVATE KEY-----",
            &base64,
            &format!(" {base64}\n"),
            &between_the_lines(rsa).concat(),
            &between_the_lines(rsa).join("\n"),
            &STANDARD.encode(other),
            &seed,
            &format!("{seed}\n"),
            "hmac-sha256:k.example:AQIDBA==",
            "HMAC-MD5.sig-alg.reg.int:k:AQID",
            "k.example:AQIDBA==",
            "pkcs11:token=a?pin-value=123456",
            "pkcs11:pin-value=123456",
            "PKCS11:token=a;Pin-Value=123456",
            "Pkcs11:?p%69n%2DVALUE=123456",
            "pkcs11:%4?%zz&pin-value=1",
            "pkcs11:%pin-value=1",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
    }

    #[test]
    fn names_of_files_are_none() {
        let public = STANDARD.encode([0x30; 40]);
        for name in [
            "",
            "s2024._domainkey.example.com.pem",
            "/etc/dkim/%.pem",
            "hmac-sha256:k",
            "hmac-sha256:k:",
            "hmac-sha256:k:a.key",
            "keys/hmac-sha256:k:AQID",
            "a:b:AQID",
            "k.example:AQID",
            "file:/etc/dkim/key",
            "pkcs11:object=pin-value",
            "pkcs11:token=t?pin-source=file:/etc/dkim/pin-value",
            "pkcs11:token=my%20token;object=dkim?pin-source=file:/etc/pin",
            "/etc/pin-value",
            "file:/x?pin-value=1",
            &public,
            &STANDARD.encode([7; 31]),
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
