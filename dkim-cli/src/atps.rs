//! `dkim atps`: who may sign for an Author Domain (RFC 6541).

use clap::{Args, Subcommand};
use dkim_keys::Publication;
use dkim_stack::DomainName;
use dkim_stack::adsp::AtpsRecord;
use dkim_stack::tags::{Atps as Claim, AtpsHash};

use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::provider::provider;
use crate::publication::FormArgs;

/// Let others sign for a domain: ATPS (RFC 6541, Experimental)
///
/// With Authorized Third-Party Signatures an Author Domain publishes whose signatures count as its
/// own. The third party signs with `dkim sign --atps`, and `dkim verify --atps` asks for the
/// records.
#[derive(Debug, Args)]
pub(crate) struct Atps {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Zone(ZoneOf),
}

/// Print the records that let third parties sign, as a zone file has them
///
/// One record for each, at its name or the hash of its name below _atps.D.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
struct ZoneOf {
    /// The domain that lets others sign for it
    #[arg(long, value_name = "D", value_parser = DomainName::parse)]
    author_domain: DomainName,

    /// How the third parties' names are written: sha256, sha1 or none
    ///
    /// Third parties must be told, for they say it in their signatures. `none` can be read, and has
    /// no room for long names; a hash hides nothing (RFC 6541 §9.2).
    #[arg(long, value_name = "HASH", default_value = "sha256", value_parser = parse_hash)]
    hash: AtpsHash,

    /// The domains that may sign, d= of their signatures
    #[arg(value_name = "THIRD", required = true, value_parser = DomainName::parse)]
    third_parties: Vec<DomainName>,

    #[command(flatten)]
    form: FormArgs,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim atps zone --author-domain example.com esp.example lists.example \\
      >> example.zone
  dkim sign --domain esp.example --selector s1 --key s1.pem \\
      --atps example.com message.eml
  dkim verify --atps message.eml
";
    [EXAMPLES, &exit::help()].join("\n")
}

/// Reads the value of `--hash` here and `--atps-hash` of `dkim sign`.
pub(crate) fn parse_hash(text: &str) -> Result<AtpsHash, &'static str> {
    AtpsHash::from_name(text).ok_or("sha256, sha1 or none")
}

impl Atps {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Zone(zone) => zone.run(),
        }
    }
}

impl ZoneOf {
    fn run(self) -> Result<Exit, Failure> {
        let claim = Claim { author_domain: self.author_domain, hash: self.hash };
        let publish = |third: &DomainName| {
            if *third == claim.author_domain {
                let what = "is the Author Domain, which needs no leave to sign for itself";
                return Err(Failure::new(Exit::Usage, what).on(third));
            }
            let name = AtpsRecord::name(third, &claim, provider())
                .map_err(|error| Failure::of(Exit::Data, &error))?;
            Publication::of(name, &claim.author_domain, AtpsRecord::new(third).to_text()).map_err(
                |error| Failure::from(error).remedy("take `--hash sha256`, which has one length"),
            )
        };
        let records = self.third_parties.iter().map(publish).collect::<Result<Vec<_>, _>>()?;
        if self.form.is_plain() {
            for (record, third) in records.iter().zip(&self.third_parties) {
                note(third, format_args!("its record is to stand at {}", record.name));
            }
        }
        self.form.write(records)
    }
}
