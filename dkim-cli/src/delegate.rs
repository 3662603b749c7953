//! `dkim delegate`: selectors whose records a provider keeps.

use std::io::{self, Write};

use clap::Args;
use dkim_keys::{Finding, KeyTest, NameTooLong, Publication, RecordFault};
use dkim_stack::dns::{Answer, LookupError, Query, QueryId, QueryKind, drive_blocking};
use dkim_stack::keyrec::record_name;
use dkim_stack::{BlockingResolver, DomainName, Selector};
use serde::Serialize;

use crate::diagnostics::Failure;
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::findings::{self, FailOn};
use crate::json;
use crate::output;
use crate::printable::printable;
use crate::publication::ttl;

/// Let a provider keep the key records of some selectors: print the CNAME records, and check them
///
/// The provider makes the keys, publishes their records in its own domain, and signs with d= of
/// yours; it can change keys without asking you, and you can end it by taking the aliases away.
/// Private keys travel nowhere (RFC 5863 §3.4). Two or three selectors let it change keys without a
/// gap. Only that many: whoever has a selector can sign for the domain.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Delegate {
    /// The domain that is signed for
    #[arg(long, value_name = "D", value_parser = DomainName::parse)]
    domain: DomainName,

    /// The domain of the provider, that holds the records
    #[arg(long, value_name = "PROVIDER", value_parser = DomainName::parse)]
    to: DomainName,

    /// A selector; may be given several times
    #[arg(long, value_name = "S", value_parser = Selector::parse, required = true)]
    selector: Vec<Selector>,

    /// How long resolvers may keep the records, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Publication::TTL, value_parser = ttl())]
    ttl: u32,

    /// Print nothing to publish; see whether the aliases are there, and key records behind them
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    dns: DnsArgs,

    #[command(flatten)]
    fail_on: FailOn,

    /// With --check: write JSON, one object a selector, on one line
    #[arg(long, requires = "check")]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim delegate --domain example.com --to provider.example --selector p1 \\
      --selector p2 >> example.com.zone
  dkim delegate --domain example.com --to provider.example --selector p1 \\
      --selector p2 --check

JSON, one object a selector:
  schema                1; raised when a change breaks readers
  name, target          the alias, and where it should lead
  right                 whether nothing was found that counts (--fail-on)
";
    [EXAMPLES, findings::JSON_HELP, "\n", &exit::help()].concat()
}

#[derive(Serialize)]
struct Json<'s> {
    schema: u32,
    name: &'s str,
    target: &'s str,
    right: bool,
    findings: Vec<findings::Json<'s>>,
}

impl Delegate {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if !self.check {
            output::refuse_closed()?;
        }
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let mut exit = Exit::Success;
        if self.to == self.domain {
            return Err(Failure::new(Exit::Usage, "an alias cannot lead to itself")
                .remedy("give the provider's domain with --to"));
        }
        let dns = self.check.then(|| Dns::new(&self.dns)).transpose()?;
        for selector in &self.selector {
            let name = NameTooLong::unless_it_fits(record_name(selector, &self.domain))?;
            let target = NameTooLong::unless_it_fits(record_name(selector, &self.to))?;
            let written = match &dns {
                None => writeln!(out, "{name}. {} IN CNAME {target}.", self.ttl),
                Some(dns) => {
                    let (findings, is_temporary) = self.look(selector, (&name, &target), dns);
                    let ended = match self.fail_on.exit(&findings) {
                        Exit::NonePasses if is_temporary => Exit::Temporary,
                        ended => ended,
                    };
                    exit = exit.max(ended);
                    self.write(&mut out, (&name, &target), &findings, ended)
                }
            };
            written.map_err(|error| Failure::output(&error))?;
        }
        out.flush().map_err(|error| Failure::output(&error))?;
        Ok(exit)
    }

    /// What is wrong on the way to the key record, and whether that may pass.
    fn look(
        &self,
        selector: &Selector,
        (name, target): (&str, &str),
        dns: &Dns,
    ) -> (Vec<Finding>, bool) {
        let query = Query { id: QueryId(0), name: name.to_owned(), kind: QueryKind::Cname };
        let leads: Answer = dns.lookup(&query);
        let mut test = KeyTest::new(selector, &self.domain, None);
        drive_blocking(&mut test, dns);
        let mut faults = test.finish().faults;
        let is_alias = leads.is_ok();
        let elsewhere = match leads {
            Ok(found) => found.chain.into_iter().next().filter(|one| one != target),
            // The record stands at the name itself, and whoever is to change it cannot.
            Err(LookupError::NoRecords) if !faults.iter().any(is_missing) => Some(name.to_owned()),
            Err(_) => None,
        };
        if let Some(at) = elsewhere {
            faults.insert(0, RecordFault::NotDelegated { at, target: target.to_owned() });
        }
        let is_temporary = faults.iter().any(RecordFault::is_temporary);
        let finding = |fault: &RecordFault| {
            let mut finding = fault.finding(name);
            // The provider has the record: what is missing here leads there.
            if !is_alias && is_missing(fault) {
                "publish the CNAME record that `dkim delegate` prints"
                    .clone_into(&mut finding.remedy);
            }
            finding
        };
        (faults.iter().map(finding).collect(), is_temporary)
    }

    fn write(
        &self,
        out: &mut impl Write,
        (name, target): (&str, &str),
        found: &[Finding],
        ended: Exit,
    ) -> io::Result<()> {
        if self.json {
            let (schema, right) = (json::SCHEMA, ended == Exit::Success);
            let findings = found.iter().map(findings::Json::from).collect();
            return json::line(out, &Json { schema, name, target, right, findings });
        }
        let bold = anstyle::Style::new().bold();
        writeln!(out, "{bold}{}{bold:#} -> {}", printable(name), printable(target))?;
        if found.is_empty() {
            writeln!(out, "  nothing is wrong")?;
        }
        findings::write(out, found)
    }
}

fn is_missing(fault: &RecordFault) -> bool {
    matches!(fault, RecordFault::NoTxt | RecordFault::NoRecord)
}
