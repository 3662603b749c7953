//! What a key record says beside the key.

use clap::Args;
use dkim_stack::crypto::{HashAlgorithm, PublicKey};
use dkim_stack::keyrec::{KeyRecord, KeyRecordError};

use crate::diagnostics::{Failure, note};
use crate::exit::Exit;

/// The tags of a key record (RFC 6376 §3.6.1) that its owner may choose.
#[derive(Debug, Args)]
pub(super) struct Tags {
    /// h=: accept this hash algorithm only; may be given several times
    #[arg(long, value_name = "HASH")]
    hash: Vec<String>,

    /// s=: for this service only, such as email; may be given several times
    #[arg(long, value_name = "SERVICE")]
    service: Vec<String>,

    /// t=y: the domain is testing; verifiers may treat its mail as unsigned
    #[arg(long)]
    testing: bool,

    /// t=s: the domain of i= must be that of d=, not one below it
    #[arg(long)]
    strict: bool,

    /// n=: a note for people
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,

    /// An empty p=: the key is revoked, and nothing that it signed verifies any more
    #[arg(long)]
    revoked: bool,
}

impl Tags {
    /// The record of a key, with these tags.
    pub(super) fn record(&self, key: PublicKey) -> Result<KeyRecord, Failure> {
        let mut record = KeyRecord::new(key);
        let words =
            |words: &[String], set: &mut dyn FnMut(&[&str]) -> Result<(), KeyRecordError>| {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                set(&words).map_err(|error| {
                    Failure::of(Exit::Usage, &error)
                        .remedy("a word such as sha256 or email is needed")
                })
            };
        words(&self.hash, &mut |words| record.set_hashes(words))?;
        words(&self.service, &mut |words| record.set_services(words))?;
        let flags = [(self.testing, "y"), (self.strict, "s")];
        let flags: Vec<String> =
            flags.iter().filter(|(is, _)| *is).map(|(_, flag)| (*flag).to_owned()).collect();
        words(&flags, &mut |words| record.set_flags(words))?;
        record.set_notes(self.note.as_deref().unwrap_or_default());
        if self.revoked {
            record.key = None;
        }
        if !record.allows_hash(HashAlgorithm::Sha256) {
            let what = "without sha256 no signature made today verifies with this record";
            note(format_args!("h={}", self.hash.join(":")), what);
        }
        Ok(record)
    }
}
