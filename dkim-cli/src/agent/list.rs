//! `dkim agent --list`: which keys an agent has.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use dkim_keys::agent::Agent;
use dkim_stack::keyrec::{KeyRecord, record_name};
use serde::Serialize;

use super::remote::failure;
use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::json;

#[derive(Serialize)]
struct Key<'a> {
    schema: u32,
    domain: &'a str,
    selector: &'a str,
    algorithm: &'static str,
    key_bits: u32,
    name: &'a str,
    record: &'a str,
}

pub(super) fn list(socket: &Path, patience: Duration, as_json: bool) -> Result<Exit, Failure> {
    let agent = Agent::at(socket).with_patience(patience);
    let keys = agent.list().map_err(|error| failure(&error, socket))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for key in keys {
        let (bits, algorithm) = (key.public.bits(), key.algorithm.name());
        let name = record_name(&key.name.selector, &key.name.domain);
        let written = if as_json {
            let key = Key {
                schema: json::SCHEMA,
                domain: key.name.domain.as_str(),
                selector: key.name.selector.as_str(),
                algorithm,
                key_bits: bits,
                name: &name,
                record: &KeyRecord::new(key.public).to_text(),
            };
            json::line(&mut out, &key)
        } else {
            writeln!(out, "{name} {algorithm}, {bits} bits")
        };
        written.map_err(|error| Failure::output(&error))?;
    }
    out.flush().map_err(|error| Failure::output(&error))?;
    Ok(Exit::Success)
}
