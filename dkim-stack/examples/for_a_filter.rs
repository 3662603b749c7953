//! What a filter makes its decision from: who has verifiably signed, and how they stand to the
//! author. Nothing that does not verify is in it.
//!
//! `cargo run --package dkim-stack --example for_a_filter message.eml`

use dkim_stack::message::split;
use dkim_stack::{
    Assessment, DomainName, HickoryBlocking, Known, LocalPractices, Policy, now, provider,
    verify_blocking,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: for_a_filter MESSAGE")?;
    let message = std::fs::read(path)?;
    let dns = HickoryBlocking::from_system(&dkim_stack::dns::HickoryOptions::new())?;
    let found = verify_blocking(&message, &Policy::rfc(), now(), provider(), &dns);

    // What is known here about senders: all mail of the bank is signed, by itself or its service.
    let mut local = LocalPractices::new();
    let (bank, service) = (DomainName::parse("bank.example")?, DomainName::parse("esp.example")?);
    local.add(bank, true, vec![service]);

    let (header, _) = split(&message);
    let known = Known { local: Some(&local), ..Known::default() };
    let assessment = Assessment::new(&header, &found, &known);
    for signer in assessment.signers.iter().filter(|signer| !signer.testing) {
        println!("{} takes responsibility, as {:?}", signer.sdid, signer.role);
    }
    for practices in &assessment.practices {
        println!("{}: {}", practices.author_domain, practices.result.name());
    }
    println!("signed for all authors: {}", assessment.is_signed_for_all_authors());
    Ok(())
}
