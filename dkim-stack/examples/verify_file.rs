//! Verifies a message in a file with the keys that the DNS has now.
//!
//! `cargo run --package dkim-stack --example verify_file message.eml`

use dkim_stack::{HickoryBlocking, Policy, now, provider, verify_blocking};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: verify_file MESSAGE")?;
    let message = std::fs::read(path)?;
    let dns = HickoryBlocking::from_system(&dkim_stack::dns::HickoryOptions::new())?;
    for found in verify_blocking(&message, &Policy::rfc(), now(), provider(), &dns) {
        let sdid = found.sdid().map_or("?", |sdid| sdid.as_str());
        println!("{sdid}: {} ({})", found.outcome.result(), found.outcome);
    }
    Ok(())
}
