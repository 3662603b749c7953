//! DomainKeys (RFC 4870): Mail::DKIM signs, and both verify what was signed and what became of it.
//! We sign none, so that there is no way back.

use std::collections::BTreeMap;

use anyhow::Result;
use dkim_dns::Zone;

use super::messages::{Damage, MESSAGES, Message, NO_FINAL_LINE_END};
use super::peer::{Algorithm, Answer};
use super::script::Conversation;
use crate::judge;

const FORMS: [&str; 2] = ["simple", "nofws"];

/// Lists of fields to sign; the empty one is none, and signs them all.
const LISTS: [&[&str]; 3] =
    [&[], &["From", "To", "Subject", "Date"], &["Date", "Subject", "To", "From", "Cc"]];

/// RFC 4870 §3.4.2: "Remove any local line terminator. Append CRLF to the resulting line."
const FAULT: &str = "it does not add the missing line end (RFC 4870 §3.4.2)";

/// Exchanges all messages, prints what came of it, and returns how many disagreements there are.
pub(super) fn exchange(
    peer: &mut Conversation,
    zone: &Zone,
    records: &BTreeMap<String, String>,
) -> Result<usize> {
    let mut disagreements = 0;
    for form in FORMS {
        for list in LISTS {
            let told = if list.is_empty() { "without h=".to_owned() } else { list.join(":") };
            let plain: Vec<Vec<u8>> = MESSAGES.iter().map(Message::octets).collect();
            let signed = peer.sign_domainkeys(&plain, Algorithm::Rsa, form, list)?;
            let mut trials = Vec::new();
            for (message, signed) in MESSAGES.iter().zip(signed) {
                match signed {
                    Ok(signed) => trials.extend(
                        message
                            .with_damages(&signed)
                            .map(|(damage, octets)| (message, damage, octets)),
                    ),
                    Err(error) => {
                        disagreements += 1;
                        println!("    DISAGREES: {} is not signed: {error}", message.title);
                    }
                }
            }
            let octets: Vec<&[u8]> = trials.iter().map(|(.., octets)| octets.as_slice()).collect();
            let theirs = peer.verify(&octets, records)?;
            let (mut agreed, mut known) = (0, 0);
            for ((message, damage, octets), theirs) in trials.iter().zip(theirs) {
                match disagreement(*damage, form, we_pass(octets, zone), &theirs) {
                    None => agreed += 1,
                    Some(_) if message.title == NO_FINAL_LINE_END => known += 1,
                    Some(why) => {
                        disagreements += 1;
                        let damage = damage.map_or("unharmed", |damage| damage.title);
                        println!("    DISAGREES: {}, {damage}: {why}", message.title);
                    }
                }
            }
            let all = trials.len();
            println!("  {:<15} {form:<16}  theirs here {agreed} of {all}  ({told})", "domainkeys");
            if known > 0 {
                println!("    {known} by a known fault of Mail::DKIM: {FAULT}");
            }
        }
    }
    Ok(disagreements)
}

/// What is not as it should be: all three are to be one.
fn disagreement(
    damage: Option<&Damage>,
    form: &str,
    ours: bool,
    theirs: &Answer<bool>,
) -> Option<String> {
    // White space is all that nofws forgives, and it forgives it in header and body.
    let expected = damage.is_none_or(|damage| form == "nofws" && damage.is_white_space());
    match theirs {
        Ok(theirs) if *theirs == expected && ours == expected => None,
        Ok(theirs) => Some(format!("should be {expected}, here {ours}, there {theirs}")),
        Err(error) => Some(error.clone()),
    }
}

fn we_pass(message: &[u8], zone: &Zone) -> bool {
    let found = judge::domainkeys(message, zone);
    found.iter().any(dkim_domainkeys::Verification::passes)
}
