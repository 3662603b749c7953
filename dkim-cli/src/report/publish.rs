//! `dkim report publish`: the record that asks for reports.

use clap::{Args, ValueEnum};
use dkim_keys::Publication;
use dkim_stack::DomainName;
use dkim_stack::report::{DkimIncident, ReportTerms};

use crate::diagnostics::Failure;
use crate::exit::{self, Exit};
use crate::publication::FormArgs;

/// Print the record that asks for reports about failures, ready to be published
///
/// It stands at _report._domainkey.DOMAIN and says where reports go, and about what they are wanted
/// (RFC 6651). Each signature asks too, with r=y: `dkim sign --reports` puts it in.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Publish {
    /// The domain that signs (d=)
    #[arg(long, value_name = "DOMAIN", value_parser = DomainName::parse)]
    domain: DomainName,

    /// Where reports go: the part of the address before the @; the domain is always the one that
    /// signs
    #[arg(long, value_name = "LOCALPART")]
    address: String,

    /// Of so many failures in a hundred; of all unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=100))]
    percent: Option<u8>,

    /// About these failures, with commas between them; about all unless said
    #[arg(long, value_name = "KINDS", value_enum, value_delimiter = ',')]
    incidents: Vec<Incident>,

    /// What to say to the client when a message is refused for such a failure
    #[arg(long, value_name = "TEXT", value_parser = reply)]
    smtp_reply: Option<String>,

    #[command(flatten)]
    form: FormArgs,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim report publish --domain example.com --address dkim-errors \\
      >> example.zone
  dkim report publish --domain example.com --address dkim-errors \\
      --percent 10 --incidents verification,expired
";
    [EXAMPLES, &exit::help()].join("\n")
}

/// Words of RFC 6651 §5.1.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Incident {
    /// Trouble with the DNS, as a key that cannot be retrieved
    Dns,
    /// A reason that no other word covers
    Other,
    /// Refused by the verifier's policy
    Policy,
    /// A syntax error in the signature or the key
    Syntax,
    /// The signature has tags that nobody knows
    UnknownTags,
    /// The signature or the body hash does not verify
    Verification,
    /// The signature has expired
    Expired,
}

impl From<Incident> for DkimIncident {
    fn from(incident: Incident) -> Self {
        match incident {
            Incident::Dns => Self::Dns,
            Incident::Other => Self::Other,
            Incident::Policy => Self::Policy,
            Incident::Syntax => Self::Syntax,
            Incident::UnknownTags => Self::UnknownTags,
            Incident::Verification => Self::Verification,
            Incident::Expired => Self::Expired,
        }
    }
}

/// Text as verifiers can say it.
fn reply(text: &str) -> Result<String, String> {
    let said = ReportTerms::<DkimIncident>::none().with_smtp_text(text.as_bytes()).smtp_text();
    if said.as_deref() == Some(text) {
        Ok(text.to_owned())
    } else {
        Err("some printable ASCII is needed, at most 400 characters".to_owned())
    }
}

/// What is wrong with a local-part that is none.
pub(crate) fn no_local_part(local_part: &str) -> Failure {
    Failure::new(Exit::Usage, format_args!("{local_part:?} is no local-part of ASCII characters"))
        .remedy("give what stands before the @; reports go to the domain itself and nowhere else")
}

impl Publish {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let incidents: Vec<DkimIncident> = self.incidents.into_iter().map(Into::into).collect();
        let mut terms = ReportTerms::none()
            .to_local_part(&self.address)
            .map_err(|_| no_local_part(&self.address))?
            .about(&incidents);
        if let Some(percent) = self.percent {
            terms =
                terms.of_percentage(percent).map_err(|error| Failure::of(Exit::Usage, &error))?;
        }
        if let Some(text) = &self.smtp_reply {
            terms = terms.with_smtp_text(text.as_bytes());
        }
        let name = ReportTerms::record_name(&self.domain);
        self.form.write(vec![Publication::of(name, &self.domain, terms.to_text())?])
    }
}
