//! `dkim keygen`: makes a key pair, and the record to publish.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dkim_stack::crypto::{KeyType, PrivateKeyError};
use dkim_stack::keyrec::{KeyRecord, record_name};
use dkim_stack::{DomainName, Selector};
use serde::Serialize;

use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::json;
use crate::key_file;
use crate::provider::provider;
use crate::zone_entry::zone_entry;

/// Make a key pair, and the key record to publish
///
/// The private key goes to a file (PKCS#8 in PEM) that only its owner can read; an existing file is
/// never written over. The key record is written to standard output as a zone file has it, cut into
/// strings of 255 octets.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Keygen {
    /// The kind of key; rsa2048 is what every verifier knows
    #[arg(long, value_enum)]
    r#type: Kind,

    /// The domain that will sign
    #[arg(long, value_name = "D", value_parser = DomainName::parse)]
    domain: DomainName,

    /// The selector: the record stands at S._domainkey.D
    #[arg(long, value_name = "S", value_parser = Selector::parse)]
    selector: Selector,

    /// The file for the private key
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    out: Option<PathBuf>,

    /// The directory for the private key, in a file S._domainkey.D.pem
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// Write one JSON object: schema, key (the file), type, bits, name and text of the record,
    /// zone (the record as a zone file has it)
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim keygen --type rsa2048 --domain example.com --selector s2024 --dir /etc/dkim
  dkim keygen --type ed25519 --domain example.com --selector e2024 --out e2024.pem >> keys.zone
";
    [EXAMPLES, &exit::help()].join("\n")
}

/// The kinds of keys that can be made.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Ed25519,
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

impl Kind {
    fn parts(self) -> (KeyType, u32) {
        match self {
            Self::Ed25519 => (KeyType::Ed25519, 256),
            Self::Rsa2048 => (KeyType::Rsa, 2048),
            Self::Rsa3072 => (KeyType::Rsa, 3072),
            Self::Rsa4096 => (KeyType::Rsa, 4096),
        }
    }
}

#[derive(Serialize)]
struct Made<'a> {
    schema: u32,
    key: &'a str,
    r#type: &'static str,
    bits: u32,
    name: &'a str,
    text: &'a str,
    zone: &'a str,
}

impl Keygen {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let name = record_name(&self.selector, &self.domain);
        let path = self.out.unwrap_or_else(|| self.dir.join(format!("{name}.pem")));
        // Said before the work as well as when the file is made.
        key_file::check_free(&path)?;
        let (key_type, bits) = self.r#type.parts();
        let made = provider().generate(key_type, bits).and_then(|key| {
            let public = provider().signing_key(&key)?.public_key().clone();
            Ok((key, public))
        });
        let (key, public) = made.map_err(|error| not_made(&error))?;
        key_file::write(&path, &key)?;
        let text = KeyRecord::new(public).to_text();
        let zone = zone_entry(&name, &text);
        let mut out = io::stdout().lock();
        let written = if self.json {
            let key = &*path.to_string_lossy();
            let (r#type, name, text, zone) = (key_type.name(), &*name, &*text, &*zone);
            let made = Made { schema: json::SCHEMA, key, r#type, bits, name, text, zone };
            json::line(&mut out, &made)
        } else {
            note(path.display(), "the private key; publish the record, then sign with it");
            out.write_all(zone.as_bytes())
        };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }
}

fn not_made(error: &PrivateKeyError) -> Failure {
    let failure = Failure::of(Exit::CannotCreate, error);
    match error {
        PrivateKeyError::NoRsaKeys { .. } => failure.remedy(
            "use that build, or `--type ed25519`, or make an RSA key with `openssl genrsa`",
        ),
        _ => failure,
    }
}
