//! `dkim key dns`: prints the record of a key in the form that somebody asks for.

use std::path::PathBuf;

use clap::Args;
use dkim_keys::Publication;
use dkim_stack::{DomainName, Selector};

use super::tags::Tags;
use crate::diagnostics::Failure;
use crate::exit::{self, Exit};
use crate::key_file;
use crate::publication::FormArgs;

/// Print the key record of a private key, ready to be published
///
/// The key itself stays in its file: only its public half is printed.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(super) struct Dns {
    /// The domain that signs
    #[arg(long, value_name = "D", value_parser = DomainName::parse)]
    domain: DomainName,

    /// The selector: the record stands at S._domainkey.D
    #[arg(long, value_name = "S", value_parser = Selector::parse)]
    selector: Selector,

    #[command(flatten)]
    form: FormArgs,

    #[command(flatten)]
    tags: Tags,

    /// The file with the private key
    key: PathBuf,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim key dns --domain example.com --selector s2024 s2024.pem \\
      >> example.com.zone
  dkim key dns --domain example.com --selector s2024 --format nsupdate \\
      s2024.pem | nsupdate -k ddns.key
  # for a web page
  dkim key dns --domain example.com --selector s2024 --format plain s2024.pem
";
    [EXAMPLES, &exit::help()].join("\n")
}

impl Dns {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let key = key_file::read(&self.key)?;
        let record = self.tags.record(key.public_key().clone())?;
        self.form.write(vec![Publication::new(&self.selector, &self.domain, &record)?])
    }
}
