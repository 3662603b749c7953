//! `cargo xtask vectors`: signs the messages of a table and writes them down as vectors.

mod cases;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use anyhow::{Context, Result};
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{PrivateKey, Provider, SigningKey};
use dkim_sign::{Fields, Request, Signer};
use dkim_tags::value::to_base64;
use dkim_tags::{Canonicalizations, DomainName, FieldName, Selector, UnixTime};
use dkim_testkit::Expected;
use serde_json::json;

use crate::workspace;
use cases::{Case, Transit};

const RSA: &str = include_str!("../../dkim-testkit/vectors/keys/rsa2048.pem");
const ED25519: &str = include_str!("../../dkim-testkit/vectors/keys/ed25519.pem");

/// When all messages are signed.
const SIGNED: UnixTime = UnixTime(1_700_000_000);

/// Write dkim-testkit/vectors/generated anew.
#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options) -> Result<()> {
    let directory = workspace::path("dkim-testkit/vectors/generated");
    for part in ["messages", "zones"] {
        let part = directory.join(part);
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(&part)?;
    }
    let files = generate()?;
    for (name, octets) in &files {
        let path = directory.join(name);
        fs::write(&path, octets).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{} files in {}", files.len(), directory.display());
    Ok(())
}

/// The files of the directory, by relative path: the same octets each time.
fn generate() -> Result<BTreeMap<String, Vec<u8>>> {
    let keys = Keys::read()?;
    let mut files = BTreeMap::new();
    let mut list = Vec::new();
    for case in cases::all() {
        let id = &case.id;
        let signed = keys.sign(&case).with_context(|| format!("cannot sign {id}"))?;
        let message = carry(signed, &case.transit).with_context(|| format!("transit of {id}"))?;
        let zone = keys.zone(&case)?;
        let zone_file = match case.record {
            cases::PLAIN_RECORD => {
                format!("zones/{}.{}.zone", case.algorithm, DomainName::parse(case.sdid)?)
            }
            _ => format!("zones/{id}.zone"),
        };
        let message_file = format!("messages/{id}.eml");
        let (result, reason) = case.expect;
        let expected = Expected {
            result: result.to_owned(),
            accept: vec![result.to_owned()],
            reason: reason.to_owned(),
            domain: Some(case.sdid.to_owned()),
            selector: Some("s".to_owned()),
            kind: "dkim".to_owned(),
        };
        let line = json!({
            "id": id, "title": case.title, "message": message_file, "zone": zone_file,
            "time": SIGNED.0 + case.judged_after, "expect": [expected],
            "section": case.section, "source": "generated", "tags": [],
        });
        list.push(format!("{line}\n"));
        files.insert(message_file, message);
        files.insert(zone_file, zone.into_bytes());
    }
    files.insert("cases.jsonl".to_owned(), list.concat().into_bytes());
    Ok(files)
}

struct Keys {
    rsa: Arc<dyn SigningKey>,
    ed25519: Arc<dyn SigningKey>,
}

impl Keys {
    fn read() -> Result<Self> {
        let key = |pem: &str| -> Result<Arc<dyn SigningKey>> {
            Ok(PROVIDER.signing_key(&PrivateKey::from_pem(pem.as_bytes())?)?)
        };
        Ok(Self { rsa: key(RSA)?, ed25519: key(ED25519)? })
    }

    fn of(&self, case: &Case) -> &dyn SigningKey {
        match case.algorithm {
            "ed25519" => &*self.ed25519,
            _ => &*self.rsa,
        }
    }

    /// The case's message with its signature on top.
    fn sign(&self, case: &Case) -> Result<Vec<u8>> {
        let key = self.of(case);
        let sdid = DomainName::parse(case.sdid)?;
        let mut request = Request::new(sdid, Selector::parse("s")?, key.algorithm());
        request.canonicalization =
            Canonicalizations::parse(case.canonicalization).context("no canonicalization")?;
        let names = case.signed_fields.split(':').map(FieldName::parse);
        request.fields = Fields::Exact(names.collect::<Result<_, _>>()?);
        (case.ask)(&mut request)?;
        let message = [case.header, case.body].concat();
        let (header, body) = dkim_message::split(&message);
        let mut signer = Signer::new([request], &header, SIGNED, &PROVIDER)?;
        signer.body_chunk(body);
        let unsigned = signer.finish().pop().context("nothing was signed")?;
        Ok([unsigned.sign(key)?.to_field().as_bytes(), &message].concat())
    }

    /// The zone that holds the case's key record.
    fn zone(&self, case: &Case) -> Result<String> {
        let p = |octets: Vec<u8>| to_base64(&octets);
        let own = self.of(case).public_key();
        let text = case
            .record
            .replace("{k}", case.algorithm)
            .replace("{p}", &p(own.to_p_tag()))
            .replace("{bare}", &p(own.to_bare()))
            .replace("{rsa}", &p(self.rsa.public_key().to_p_tag()))
            .replace("{ed25519}", &p(self.ed25519.public_key().to_p_tag()));
        let name = format!("s._domainkey.{}.", DomainName::parse(case.sdid)?);
        let lines = text.split('\n').map(|line| match line.strip_prefix('!') {
            Some(failure) => format!(";! {failure} {name}\n"),
            None => match line.strip_prefix("CNAME ") {
                Some(rest) => match rest.split_once(' ') {
                    Some((target, record)) => {
                        format!("{name} IN CNAME {target}\n{target} IN TXT {}\n", strings(record))
                    }
                    None => format!("{name} IN CNAME {rest}\n"),
                },
                None => format!("{name} IN TXT {}\n", strings(line)),
            },
        });
        Ok(lines.collect())
    }
}

/// A record's text as character-strings: 255 octets at most, or where a bar stands.
fn strings(text: &str) -> String {
    let escaped = |piece: &[char]| piece.iter().collect::<String>().replace('"', "\\\"");
    let pieces = text.split('|').flat_map(|part| {
        let characters: Vec<char> = part.chars().collect();
        characters.chunks(255).map(|piece| format!("\"{}\"", escaped(piece))).collect::<Vec<_>>()
    });
    pieces.collect::<Vec<_>>().join(" ")
}

/// What becomes of a message on its way.
fn carry(mut message: Vec<u8>, transit: &Transit) -> Result<Vec<u8>> {
    match transit {
        Transit::Unharmed => {}
        Transit::Replaced(what, with) => {
            let at = message.windows(what.len()).position(|octets| octets == what.as_bytes());
            let at = at.with_context(|| format!("{what:?} is not in the message"))?;
            message.splice(at..at + what.len(), with.bytes());
        }
        Transit::Added(text) => message.extend_from_slice(text.as_bytes()),
        Transit::OnTop(text) => {
            message.splice(..0, text.bytes());
        }
    }
    Ok(message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_those_of_the_table() {
        let directory = workspace::path("dkim-testkit/vectors/generated");
        let files = generate().unwrap();
        for (name, octets) in &files {
            let kept = fs::read(directory.join(name)).unwrap_or_default();
            assert!(kept == *octets, "{name} differs: cargo xtask vectors");
        }
        let kept: usize = ["messages", "zones"]
            .map(|part| fs::read_dir(directory.join(part)).unwrap().count())
            .iter()
            .sum();
        assert_eq!(kept + 1, files.len(), "files that no case made: cargo xtask vectors");
    }
}
