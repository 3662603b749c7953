//! Verifies a message that comes in pieces, as a mail filter gets it: the header, then the body, and
//! the answers of the DNS whenever they are there. Nothing of the body is kept.
//!
//! `cargo run --package dkim-stack --example verify_stream < message.eml`

use std::io::{self, Read};

use dkim_stack::dns::{HickoryOptions, Inquirer};
use dkim_stack::message::Splitter;
use dkim_stack::{BlockingResolver, HickoryBlocking, Policy, Verifier, now, provider};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let policy = Policy::rfc();
    let mut input = io::stdin().lock();
    let mut chunk = [0; 4096];

    // The header, up to a limit; what came with its last octets is the beginning of the body.
    let mut splitter = Splitter::new(policy.limits.header_octets);
    let beginning = loop {
        let length = input.read(&mut chunk)?;
        let octets = chunk.get(..length).unwrap_or_default();
        match splitter.push(octets)? {
            Some(body) => break body.to_vec(),
            None if octets.is_empty() => break Vec::new(),
            None => {}
        }
    };
    let mut verifier = Verifier::new(&splitter.header(), &policy, now(), provider());

    // The questions may go out now; here they are answered one by one, and before the body.
    let dns = HickoryBlocking::from_system(&HickoryOptions::new())?;
    for query in verifier.queries() {
        let answer = dns.lookup(&query);
        verifier.answer(query.id, answer);
    }

    // The body, in pieces of any size.
    verifier.body_chunk(&beginning);
    loop {
        let length = input.read(&mut chunk)?;
        match chunk.get(..length) {
            Some(octets @ [_, ..]) => verifier.body_chunk(octets),
            _ => break,
        };
    }
    for found in verifier.finish() {
        println!("{}: {}", found.outcome.result(), found.outcome);
    }
    Ok(())
}
