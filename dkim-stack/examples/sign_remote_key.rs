//! Signs with a key that is somewhere else: the library says what is to be signed, somebody signs
//! it, and the library puts the signature where it belongs.
//!
//! `cargo run --package dkim-stack --example sign_remote_key < message.eml`

use std::io::{self, Read, Write};

use dkim_stack::message::split;
use dkim_stack::{
    DomainName, PrivateKey, Request, Selector, Signer, SigningAlgorithm, now, provider,
};

/// Stands for a token, a vault or an agent: all it sees are octets, and it answers with octets.
fn vault(input: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let key = PrivateKey::from_ed25519_seed(&[7; 32]);
    Ok(provider().signing_key(&key)?.sign(input)?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut message = Vec::new();
    io::stdin().lock().read_to_end(&mut message)?;
    let (header, body) = split(&message);

    let (domain, selector) = (DomainName::parse("example.com")?, Selector::parse("s2024")?);
    let request = Request::new(domain, selector, SigningAlgorithm::ED25519_SHA256);
    let mut signer = Signer::new([request], &header, now(), provider())?;
    signer.body_chunk(body);
    for unsigned in signer.finish() {
        let signature = vault(unsigned.input())?;
        // RFC 6376 §5.6: on top of the message.
        io::stdout().lock().write_all(unsigned.complete(signature).to_field().as_bytes())?;
    }
    io::stdout().lock().write_all(&message)?;
    Ok(())
}
