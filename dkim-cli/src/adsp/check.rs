//! `dkim adsp check`: the result for authors and the signatures that were found valid.

use std::io::Write;

use clap::Args;
use dkim_stack::DomainName;
use dkim_stack::adsp::{AdspCheck, AdspFinding, AuthorError, authors, gravest};
use dkim_stack::authres::AdspResult;
use dkim_stack::dns::drive_blocking;
use serde::Serialize;

use crate::diagnostics::Failure;
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::json;
use crate::practices::{json as entries, text};

/// Judge a From field and the signatures found valid
///
/// For each Author Domain of the field: pass if it signed itself, else what its practices make of
/// that (RFC 5617 §5.4). A signature of a domain above or below the Author Domain is none of it.
///
/// `dkim verify --adsp` does the same for a message, and verifies its signatures before.
///
/// A mailing list that breaks signatures asks without any: it should refuse posts whose result is
/// `discard`, and warn who subscribes with such an address (RFC 6377 §5.2, §5.3).
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Check {
    /// The value of the From field
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    from: String,

    /// d= of a signature that was found valid; may be given several times
    #[arg(long, value_name = "D", value_parser = DomainName::parse)]
    valid_signature: Vec<DomainName>,

    /// Write one JSON object: schema, result (of several authors the gravest), authors (for each
    /// Author Domain: address, domain, result, record, practices, reason)
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    dns: DnsArgs,
}

fn help() -> String {
    const HELP: &str = "\
Examples:
  dkim adsp check --from 'Joe <joe@example.com>'
  dkim adsp check --json --zone example.zone --from joe@example.com \\
      --valid-signature example.com

Of several authors the gravest result counts: discard, fail, nxdomain, temperror, permerror,
unknown, none, pass. RFC 5617 leaves that open.
";
    [HELP, &exit::help()].join("\n")
}

#[derive(Serialize)]
struct Judged {
    schema: u32,
    result: &'static str,
    authors: Vec<entries::Adsp>,
}

impl Check {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let dns = Dns::new(&self.dns)?;
        let found = authors(self.from.as_bytes()).map(|authors| {
            let mut check = AdspCheck::new(&authors, &self.valid_signature);
            drive_blocking(&mut check, &dns);
            check.finish()
        });
        let result = result(&found);
        let mut out = anstream::stdout().lock();
        let written = if self.json {
            let (result, authors) = (result.name(), entries::adsp(&found));
            json::line(&mut out, &Judged { schema: json::SCHEMA, result, authors })
        } else {
            match &found {
                Ok(found) => found.iter().try_for_each(|finding| text::adsp(&mut out, finding)),
                Err(error) => text::unreadable(&mut out, "ADSP", error),
            }
        };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(match result {
            AdspResult::Pass | AdspResult::None | AdspResult::Unknown => Exit::Success,
            AdspResult::TempError => Exit::Temporary,
            AdspResult::Fail
            | AdspResult::Discard
            | AdspResult::NxDomain
            | AdspResult::PermError => Exit::NonePasses,
        })
    }
}

/// The gravest, and `permerror` where nobody can tell the authors.
fn result(found: &Result<Vec<AdspFinding>, AuthorError>) -> AdspResult {
    let found = found.as_ref().ok();
    found.and_then(|found| gravest(found)).unwrap_or(AdspResult::PermError)
}
