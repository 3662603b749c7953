//! `dkim adsp publish`: the record to publish.

use clap::{Args, ValueEnum};
use dkim_keys::Publication;
use dkim_stack::DomainName;
use dkim_stack::adsp::{self, AdspRecord};
use dkim_stack::report::{AdspIncident, ReportTerms};

use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::publication::FormArgs;
use crate::report::no_local_part;

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

    /// Ask for reports about mail that does not keep them (RFC 6651 §4), to this address: the part
    /// before the @; its domain is always the Author Domain
    #[arg(long, value_name = "LOCALPART")]
    report_address: Option<String>,

    /// Reports about these failures, with commas between them; about all unless said
    #[arg(
        long,
        value_name = "KINDS",
        value_enum,
        value_delimiter = ',',
        requires = "report_address"
    )]
    report_incidents: Vec<Incident>,

    #[command(flatten)]
    form: FormArgs,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim adsp publish example.com --practices all >> example.zone
  dkim adsp publish no-mail.example.com --practices discardable
  dkim adsp publish example.com --practices all \\
      --report-address dkim-adsp-errors
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

/// Words of RFC 6651 §5.2.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Incident {
    /// A reason that no other word covers
    Other,
    /// Refused by the verifier's policy
    Policy,
    /// A valid signature, and not the one that the practices ask for
    Signed,
    /// No valid signature, where the practices ask for one
    Unsigned,
}

impl From<Incident> for AdspIncident {
    fn from(incident: Incident) -> Self {
        match incident {
            Incident::Other => Self::Other,
            Incident::Policy => Self::Policy,
            Incident::Signed => Self::Signed,
            Incident::Unsigned => Self::Unsigned,
        }
    }
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
        let mut text = record.to_text();
        if let Some(local_part) = &self.report_address {
            let incidents: Vec<AdspIncident> =
                self.report_incidents.into_iter().map(Into::into).collect();
            let terms = ReportTerms::none().to_local_part(local_part);
            let terms = terms.map_err(|_| no_local_part(local_part))?.about(&incidents);
            text = format!("{text}; {}", terms.to_tags());
        }
        let publication = Publication::of(name, &self.domain, text)?;
        note(&self.domain, "ADSP is Historic; what receivers look for today is DMARC (RFC 7489)");
        // RFC 6377 §4.1: such practices are for "the mail streams subject to the most end-to-end
        // control".
        if practices == adsp::Adsp::Discardable {
            note(
                &self.domain,
                "mailing lists break signatures: let people who write to them have another domain",
            );
        }
        self.form.write(vec![publication])
    }
}
