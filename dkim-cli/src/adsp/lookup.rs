//! `dkim adsp lookup`: what a domain publishes, and what that means.

use std::fmt::Display;
use std::io::{self, Write};

use clap::Args;
use dkim_stack::DomainName;
use dkim_stack::adsp::{Adsp, AdspError, AdspLookup, AdspRecord, LookupFailure};
use dkim_stack::dns::drive_blocking;
use serde::Serialize;

use crate::diagnostics::Failure;
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::json;
use crate::printable::printable;

/// Show what a domain publishes, and what it means
///
/// Looks whether the domain exists, then for the record at _adsp._domainkey.DOMAIN (RFC 5617 §4.3).
/// A domain's practices say nothing about those above or below it.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Lookup {
    /// The Author Domain: what stands behind the @ in From
    #[arg(value_name = "DOMAIN", value_parser = DomainName::parse)]
    domain: DomainName,

    /// Write one JSON object: schema, domain, name (of the record), exists (whether the domain
    /// does; null if nobody knows), record, practices, ignored (why other records do not count),
    /// reason (why there are no practices)
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    dns: DnsArgs,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim adsp lookup example.com
  dkim adsp lookup --json --zone example.zone example.com | jq -r .practices
";
    [EXAMPLES, &exit::help()].join("\n")
}

#[derive(Serialize)]
struct Told<'a> {
    schema: u32,
    domain: &'a str,
    name: String,
    exists: Option<bool>,
    record: Option<String>,
    practices: Option<&'static str>,
    ignored: Vec<String>,
    reason: Option<String>,
}

impl Lookup {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut lookup = AdspLookup::new(&self.domain);
        drive_blocking(&mut lookup, &Dns::new(&self.dns)?);
        let ignored = lookup.ignored().to_vec();
        let found = lookup.finish();
        let mut out = anstream::stdout().lock();
        let written = if self.json {
            json::line(&mut out, &self.told(&found, &ignored))
        } else {
            self.write(&mut out, &found, &ignored)
        };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(exit_of(&found))
    }

    fn told(
        &self,
        found: &Result<Option<AdspRecord>, LookupFailure>,
        ignored: &[AdspError],
    ) -> Told<'_> {
        let record = found.as_ref().ok().and_then(Option::as_ref);
        Told {
            schema: json::SCHEMA,
            domain: self.domain.as_str(),
            name: AdspRecord::name(&self.domain),
            exists: match found {
                Ok(_) | Err(LookupFailure::SeveralRecords) => Some(true),
                Err(LookupFailure::NoSuchDomain) => Some(false),
                Err(_) => None,
            },
            record: record.map(AdspRecord::to_text),
            practices: found.is_ok().then(|| practices(record).name()),
            ignored: ignored.iter().map(ToString::to_string).collect(),
            reason: found.as_ref().err().map(reason),
        }
    }

    fn write(
        &self,
        out: &mut impl Write,
        found: &Result<Option<AdspRecord>, LookupFailure>,
        ignored: &[AdspError],
    ) -> io::Result<()> {
        writeln!(out, "{}", AdspRecord::name(&self.domain))?;
        for error in ignored {
            line(out, "ignored", error)?;
        }
        match found {
            Ok(record) => {
                match record {
                    Some(record) => line(out, "record", &record.to_text())?,
                    None => line(out, "record", &"none")?,
                }
                let practices = practices(record.as_ref());
                line(out, "practices", &format_args!("{practices}: {}", practices.meaning()))
            }
            Err(failure) => line(out, "no practices", &reason(failure)),
        }
    }
}

/// RFC 5617 Appendix A.2: without a record "ADSP returns the default unknown result".
fn practices(record: Option<&AdspRecord>) -> Adsp {
    record.map_or(Adsp::Unknown, AdspRecord::practices)
}

/// With what the DNS said.
fn reason(failure: &LookupFailure) -> String {
    Failure::of(Exit::Temporary, failure).what
}

fn exit_of(found: &Result<Option<AdspRecord>, LookupFailure>) -> Exit {
    match found {
        Ok(_) => Exit::Success,
        Err(LookupFailure::Temporary(_) | LookupFailure::Unanswered) => Exit::Temporary,
        Err(_) => Exit::NonePasses,
    }
}

fn line(out: &mut impl Write, label: &str, value: &dyn Display) -> io::Result<()> {
    writeln!(out, "  {label:<12} {}", printable(&value.to_string()))
}
