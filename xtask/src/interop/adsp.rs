//! Author Domain Signing Practices (RFC 5617): what a domain publishes, as Mail::DKIM and we read it.

use std::collections::BTreeMap;

use anyhow::Result;
use dkim_adsp::{AdspLookup, AdspRecord, LookupFailure};
use dkim_dns::{Zone, drive_blocking};
use dkim_tags::DomainName;

use super::script::Conversation;

const DOMAIN: &str = "author.example";

/// What may stand at the domain's name and at that of its record; `None` for nothing at all.
const PUBLISHED: [Option<&str>; 9] = [
    None,
    Some(""),
    Some("dkim=unknown"),
    Some("dkim=all"),
    Some("dkim=discardable"),
    Some("dkim=all;"),
    Some("dkim = discardable ; x=y"),
    Some("dkim=all; t=s; n=notes"),
    Some("v=spf1 -all"),
];

/// Looks up each, prints what came of it, and returns how many disagreements there are.
pub(super) fn compare(peer: &mut Conversation) -> Result<usize> {
    let mut disagreements = 0;
    for published in PUBLISHED {
        let mut records = BTreeMap::new();
        let mut zone = Zone::new();
        if let Some(text) = published {
            zone = zone.exists(DOMAIN);
            records.insert(format!("mail.{DOMAIN}"), "a name below".to_owned());
            if !text.is_empty() {
                let name = format!("_adsp._domainkey.{DOMAIN}");
                zone = zone.txt(&name, text);
                records.insert(name, text.to_owned());
            }
        }
        let ours = practices(&zone)?;
        let theirs = peer.practices(DOMAIN, &records)?;
        if theirs.as_deref() != Ok(ours) {
            disagreements += 1;
            println!("    DISAGREES: {published:?}: here {ours}, there {theirs:?}");
        }
    }
    let all = PUBLISHED.len();
    println!("  {:<15} {:<16}  the same {} of {all}", "ADSP", "practices", all - disagreements);
    Ok(disagreements)
}

/// In the words that Mail::DKIM has for them.
fn practices(zone: &Zone) -> Result<&'static str> {
    let mut lookup = AdspLookup::new(&DomainName::parse(DOMAIN)?);
    drive_blocking(&mut lookup, zone);
    match lookup.finish() {
        Ok(record) => {
            Ok(record.as_ref().map_or("unknown", |record: &AdspRecord| record.practices().name()))
        }
        Err(LookupFailure::NoSuchDomain) => Ok("NXDOMAIN"),
        Err(failure) => Err(failure.into()),
    }
}
