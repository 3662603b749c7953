//! `dkim key check-domainkeys`: tells whether a key record serves both DKIM and DomainKeys.

use std::io::{self, Write};

use clap::{ArgGroup, Args};
use dkim_keys::{RecordFault, examine};
use dkim_stack::dns::{LookupError, Query, QueryId, QueryKind, Record};
use dkim_stack::domainkeys::{Compatibility, Finding};
use dkim_stack::keyrec::{KeyRecord, record_name};
use dkim_stack::{BlockingResolver, DomainName, Selector};
use serde::Serialize;

use crate::diagnostics::Failure;
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::json;
use crate::printable::printable;

/// Of more records than this at one name nothing is said: who reads which of them is open.
const MAX_RECORDS: usize = 20;

/// Tell whether a key record serves both DKIM and DomainKeys
///
/// DKIM took over the key records of DomainKeys (RFC 4870, Historic), but not what an empty g= means
/// (RFC 5863 appendix A.1.1.1). Looks at the records published at S._domainkey.D, or at the text of
/// one. Advice alone, such as to add v=DKIM1, does not keep a record from serving both.
#[derive(Debug, Args)]
#[command(after_long_help = help(), group = what())]
pub(crate) struct CheckDomainKeys {
    /// The text of a record, its strings put together
    #[arg(value_name = "RECORD", conflicts_with_all = ["domain", "selector", "zone", "dns"])]
    record: Option<String>,

    /// The domain that signs
    #[arg(long, value_name = "D", value_parser = DomainName::parse, requires = "selector")]
    domain: Option<DomainName>,

    /// The selector: the record stands at S._domainkey.D
    #[arg(long, value_name = "S", value_parser = Selector::parse, requires = "domain")]
    selector: Option<Selector>,

    #[command(flatten)]
    dns: DnsArgs,

    /// Write one JSON object: schema, name (null for a text), serves_both, and records, each with
    /// its text (null if it holds a private key), serves_both, and findings: code, obstacle (or advice), detail, remedy
    #[arg(long)]
    json: bool,
}

/// The text of a record, or where it is published.
fn what() -> ArgGroup {
    ArgGroup::new("what").args(["record", "domain"]).required(true)
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim key check-domainkeys --domain example.com --selector s2006
  dkim key check-domainkeys --zone keys.zone --domain example.com \\
      --selector s2006 --json
  dkim key check-domainkeys 'g=; k=rsa; p=MIGfMA0GCSqGSIb3DQEB…'
";
    [EXAMPLES, &exit::help()].join("\n")
}

#[derive(Serialize)]
struct Checked {
    schema: u32,
    name: Option<String>,
    serves_both: bool,
    records: Vec<CheckedRecord>,
}

#[derive(Serialize)]
struct CheckedRecord {
    /// The text, unless somebody published a private key.
    record: Option<String>,
    serves_both: bool,
    findings: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    code: &'static str,
    obstacle: bool,
    detail: String,
    remedy: &'static str,
}

impl CheckDomainKeys {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let (name, records) = match (self.record, self.selector, self.domain) {
            (Some(text), ..) => (None, vec![text.into_bytes()]),
            (None, Some(selector), Some(domain)) => {
                let name = record_name(&selector, &domain);
                let records = published(&Dns::new(&self.dns)?, &name)?;
                (Some(name), records)
            }
            // Of these, the command line has one.
            (None, ..) => (None, Vec::new()),
        };
        let records: Vec<CheckedRecord> = records.iter().map(|record| check(record)).collect();
        // What else stands at the name would be tried by some verifiers, and taken by others.
        let serves_both = !records.is_empty() && records.iter().all(|record| record.serves_both);
        let checked = Checked { schema: json::SCHEMA, name, serves_both, records };
        let mut out = io::stdout().lock();
        let written =
            if self.json { json::line(&mut out, &checked) } else { tell(&mut out, &checked) };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(if serves_both { Exit::Success } else { Exit::NonePasses })
    }
}

/// The records at a name; none if it has none.
fn published(dns: &Dns, name: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let query = Query { id: QueryId(0), name: name.to_owned(), kind: QueryKind::Txt };
    match dns.lookup(&query) {
        Ok(found) => {
            // One octet more than is read: then it is too long.
            let start = |record: &Record| {
                let mut octets = record.joined();
                octets.truncate(KeyRecord::MAX_LEN + 1);
                octets
            };
            if found.records.len() > MAX_RECORDS {
                let what = format_args!("more than {MAX_RECORDS} records stand there");
                return Err(Failure::new(Exit::NonePasses, what)
                    .on(name)
                    .remedy("take away what is no key record"));
            }
            Ok(found.records.iter().map(start).collect())
        }
        Err(LookupError::NoSuchName | LookupError::NoRecords) => Ok(Vec::new()),
        Err(error) => {
            let exit = if error.is_temporary() { Exit::Temporary } else { Exit::NonePasses };
            Err(Failure::of(exit, &error)
                .on(name)
                .remedy("try again later, or look at the name servers of the domain"))
        }
    }
}

fn check(record: &[u8]) -> CheckedRecord {
    let found = Compatibility::of(record);
    let told = |finding: &Finding| Told {
        code: finding.code(),
        obstacle: finding.is_obstacle(),
        detail: finding.to_string(),
        remedy: finding.remedy(),
    };
    let whole = Record { strings: vec![record.to_vec()] };
    let is_secret = examine(&whole, None).contains(&RecordFault::PrivateKey);
    CheckedRecord {
        record: (!is_secret).then(|| String::from_utf8_lossy(record).into_owned()),
        serves_both: found.serves_both(),
        findings: found.findings().iter().map(told).collect(),
    }
}

fn tell(out: &mut impl Write, checked: &Checked) -> io::Result<()> {
    if checked.records.is_empty() {
        let name = checked.name.as_deref().unwrap_or_default();
        writeln!(out, "{}: no record is published", printable(name))?;
    }
    for record in &checked.records {
        let subject = checked.name.as_deref().unwrap_or("record");
        let says = if record.serves_both {
            "serves both DKIM and DomainKeys"
        } else {
            "does not serve both DKIM and DomainKeys"
        };
        writeln!(out, "{}: {says}", printable(subject))?;
        for Told { code, obstacle, detail, remedy } in &record.findings {
            let kind = if *obstacle { "obstacle" } else { "advice" };
            writeln!(out, "  {kind}: {} ({code})", printable(detail))?;
            writeln!(out, "  remedy: {remedy}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_stack::dns::Zone;

    use super::*;

    #[test]
    fn twenty_records_are_looked_at_or_none() {
        let name = "s._domainkey.example.com";
        for (count, is_read) in [(MAX_RECORDS, true), (MAX_RECORDS + 1, false)] {
            let zone = (0..count).fold(Zone::new(), |zone, n| zone.txt(name, format!("n={n}")));
            let found = published(&Dns::Zone(zone), name);
            assert_eq!(found.as_ref().is_ok_and(|found| found.len() == count), is_read, "{count}");
        }
    }
}
