//! `dkim adsp publish`: the record to publish.

use clap::{Args, ValueEnum};
use dkim_stack::DomainName;
use dkim_stack::adsp::{self, AdspRecord};

use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::publication::{FormArgs, publication};

/// Print the record of a domain, ready to be published
///
/// Each domain needs its own: practices do not reach to subdomains, and wildcards must not be used
/// (RFC 5617 §4.1, §6.3).
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Publish {
    /// The Author Domain
    #[arg(value_name = "DOMAIN", value_parser = DomainName::parse)]
    domain: DomainName,

    /// What it says about its mail
    #[arg(long, value_enum)]
    practices: Practices,

    #[command(flatten)]
    form: FormArgs,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim adsp publish example.com --practices all >> example.zone
  dkim adsp publish no-mail.example.com --practices discardable
";
    [EXAMPLES, &exit::help()].join("\n")
}

/// Words of RFC 5617 §4.2.1.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Practices {
    /// The domain might sign some or all email
    Unknown,
    /// All mail from the domain is signed by it
    All,
    /// As all, and what arrives without such a signature may be discarded
    Discardable,
}

impl Publish {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let practices = match self.practices {
            Practices::Unknown => adsp::Adsp::Unknown,
            Practices::All => adsp::Adsp::All,
            Practices::Discardable => adsp::Adsp::Discardable,
        };
        let record = AdspRecord::new(practices);
        let name = AdspRecord::name(&self.domain);
        let publication = publication(name, &self.domain, record.to_text())?;
        note(&self.domain, "ADSP is Historic; what receivers look for today is DMARC (RFC 7489)");
        self.form.write(vec![publication])
    }
}
