//! A record to publish, as a zone file has it.

use std::io::{self, Write};

use serde::Serialize;

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::json;

/// A name in the DNS has at most this many octets in text (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;

/// A record to publish.
#[derive(Serialize)]
pub(crate) struct Published {
    schema: u32,
    name: String,
    text: String,
    zone: String,
}

impl Published {
    /// The record with this text at this name, if the DNS has room for the name.
    pub(crate) fn new(name: String, text: String) -> Result<Self, Failure> {
        if name.len() > MAX_NAME {
            let what = format_args!("longer than the {MAX_NAME} octets of a name in the DNS");
            return Err(Failure::new(Exit::Data, what).on(name));
        }
        let zone = zone_entry(&name, &text);
        Ok(Self { schema: json::SCHEMA, name, text, zone })
    }
}

/// Writes records to standard output: for a zone file, or one JSON object for each.
pub(crate) fn write_all(records: &[Published], json: bool) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let written = records.iter().try_for_each(|record| {
        if json { json::line(&mut out, record) } else { out.write_all(record.zone.as_bytes()) }
    });
    written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
    Ok(Exit::Success)
}

/// A TXT record in master file form (RFC 1035 §5.1), in strings of at most 255 octets.
pub(crate) fn zone_entry(name: &str, text: &str) -> String {
    const STRING: usize = 255;
    let mut entry = format!("{name}. IN TXT (");
    // Records are ASCII; `"` and `\` would end or change the string.
    for string in text.as_bytes().chunks(STRING) {
        entry.push_str("\n    \"");
        for octet in string {
            if matches!(octet, b'"' | b'\\') {
                entry.push('\\');
            }
            entry.push(char::from(*octet));
        }
        entry.push('"');
    }
    entry.push_str(" )\n");
    entry
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_stack::dns::{Query, QueryId, QueryKind};
    use dkim_stack::{BlockingResolver, Zone};

    use super::*;

    #[test]
    fn the_record_reads_back_from_a_zone_file() {
        for length in [0, 1, 254, 255, 256, 510, 511, 1000] {
            let text = format!("v=DKIM1; \"\\\"; p={}", "x".repeat(length));
            let zone = Zone::parse(zone_entry("s._domainkey.example.com", &text).as_bytes());
            let name = "s._domainkey.example.com".to_owned();
            let query = Query { id: QueryId(0), name, kind: QueryKind::Txt };
            let found = zone.unwrap().lookup(&query).unwrap();
            assert_eq!(found.records[0].joined(), text.as_bytes());
        }
    }
}
