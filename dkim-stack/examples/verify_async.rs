//! Verifies a message as a mail server receives it: the questions for keys go out when the header is
//! there, and the body is hashed as it arrives. What the border writes on top is printed.
//!
//! `cargo run --package dkim-stack --example verify_async < message.eml`

use std::time::Duration;

use dkim_stack::authres::{AuthenticationResults, OwnIds, without_forged};
use dkim_stack::dns::{HickoryOptions, Inquirer, ask_until, drive};
use dkim_stack::message::Splitter;
use dkim_stack::{HickoryResolver, Policy, Verifier, now, provider, res_infos};
use tokio::io::AsyncReadExt;

const AUTHSERV_ID: &str = "mx.example.org";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dns = HickoryResolver::from_system(&HickoryOptions::new())?;
    let (own, policy) = (OwnIds::new([AUTHSERV_ID])?, Policy::border());
    let (mut input, mut chunk) = (tokio::io::stdin(), [0; 4096]);

    let mut splitter = Splitter::new(policy.limits.header_octets);
    let beginning = loop {
        let length = input.read(&mut chunk).await?;
        match splitter.push(chunk.get(..length).unwrap_or_default())? {
            Some(body) => break body.to_vec(),
            None if length > 0 => {}
            // The message ends with its header.
            None => break Vec::new(),
        }
    };
    let mut verifier = Verifier::new(&splitter.header(), &policy, now(), provider());

    // Signatures whose key has not come by then are temperror, and no others.
    let deadline = tokio::time::sleep(Duration::from_secs(30));
    let lookups = ask_until(verifier.queries(), &dns, deadline);
    let body = async {
        verifier.body_chunk(&beginning);
        loop {
            match input.read(&mut chunk).await? {
                0 => return std::io::Result::Ok(()),
                length => verifier.body_chunk(chunk.get(..length).unwrap_or_default()),
            };
        }
    };
    // When the message breaks off, nobody waits for the DNS.
    let lookups = async { Ok(lookups.await) };
    let (answers, ()) = tokio::try_join!(lookups, body)?;
    for (id, answer) in answers {
        verifier.answer(id, answer);
    }
    // An answer may raise a question.
    drive(&mut verifier, &dns).await;

    let results =
        res_infos(&verifier.finish()).into_iter().fold(own.results(), AuthenticationResults::with);
    let (_header, forged) = without_forged(&splitter.header(), &own);
    print!("{}", results.field());
    println!("({} forged fields are to be taken away)", forged.len());
    Ok(())
}
