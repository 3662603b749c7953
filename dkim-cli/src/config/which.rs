//! `dkim config which`: who would sign a message, and why others would not.

use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use dkim_keys::{Mail, Selection};
use serde::Serialize;

use super::authors::decide;
use super::file::ConfigFile;
use crate::diagnostics::Failure;
use crate::exit::{self, Exit};
use crate::json;
use crate::printable::printable;

/// Tell which rules and keys would sign a message, and why others would not
///
/// Exits with 1 if nothing would sign it.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(super) struct Which {
    /// The configuration; `dkim config --help` shows how it is written
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// The author: an address, or what stands after `From:`
    #[arg(long, value_name = "A")]
    from: String,

    /// Where the message comes from
    #[arg(long, value_name = "IP")]
    client: Option<IpAddr>,

    /// The sender has shown who they are (SMTP AUTH)
    #[arg(long)]
    authenticated: bool,

    /// Write one JSON object an author, on one line
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Example:
  dkim config which --config /etc/dkim/config.toml --from joe@example.com \\
      --client 192.0.2.1

JSON, one object an author:
  schema                1; raised when a change breaks readers
  author                the address
  signatures            one object each: rule, key, domain, selector, file, identity
  passed_over           one object for each other rule: rule, why
";
    [EXAMPLES, "\n", &exit::help()].concat()
}

#[derive(Serialize)]
struct Json<'s> {
    schema: u32,
    author: String,
    signatures: Vec<Signature<'s>>,
    passed_over: Vec<PassedOver>,
}

#[derive(Serialize)]
struct Signature<'s> {
    rule: usize,
    key: &'s str,
    domain: &'s str,
    selector: &'s str,
    file: String,
    identity: Option<String>,
}

#[derive(Serialize)]
struct PassedOver {
    rule: usize,
    why: String,
}

impl Which {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let file = ConfigFile::read(&self.config)?;
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let client = (self.client, self.authenticated);
        let (mails, decision) = decide(&file.config, self.from.as_bytes(), client)?;
        for (mail, selection) in mails.iter().zip(&decision.authors) {
            let written = if self.json {
                json::line(&mut out, &as_json(&file, mail, selection))
            } else {
                write(&mut out, &file, mail, selection)
            };
            written.map_err(|error| Failure::output(&error))?;
        }
        out.flush().map_err(|error| Failure::output(&error))?;
        let is_signed = !decision.signatures.is_empty();
        Ok(if is_signed { Exit::Success } else { Exit::NonePasses })
    }
}

fn author(mail: &Mail) -> String {
    format!("{}@{}", mail.local_part, mail.domain)
}

fn as_json<'s>(file: &ConfigFile, mail: &Mail, selection: &'s Selection) -> Json<'s> {
    let signatures = selection.chosen.iter().map(|chosen| Signature {
        rule: chosen.rule,
        key: &chosen.key,
        domain: chosen.domain.as_str(),
        selector: chosen.selector.as_str(),
        file: file.key_file(chosen).display().to_string(),
        identity: chosen.identity.as_ref().map(ToString::to_string),
    });
    let passed_over = selection.passed_over.iter();
    let passed_over =
        passed_over.map(|over| PassedOver { rule: over.rule, why: over.why.to_string() });
    Json {
        schema: json::SCHEMA,
        author: author(mail),
        signatures: signatures.collect(),
        passed_over: passed_over.collect(),
    }
}

fn write(
    out: &mut impl Write,
    file: &ConfigFile,
    mail: &Mail,
    selection: &Selection,
) -> io::Result<()> {
    let bold = anstyle::Style::new().bold();
    writeln!(out, "{bold}{}{bold:#}", printable(&author(mail)))?;
    if selection.chosen.is_empty() {
        writeln!(out, "  is not signed for")?;
    }
    for chosen in &selection.chosen {
        let (rule, key) = (chosen.rule, &chosen.key);
        let (domain, selector) = (chosen.domain.as_str(), chosen.selector.as_str());
        write!(out, "  rule {rule}: signed with {}: d={domain} s={selector}", printable(key))?;
        if let Some(identity) = &chosen.identity {
            write!(out, " i={}", printable(&identity.to_string()))?;
        }
        let path = file.key_file(chosen).display().to_string();
        writeln!(out, ", the key in {}", printable(&path))?;
    }
    for over in &selection.passed_over {
        writeln!(out, "  rule {}: {}", over.rule, printable(&over.why.to_string()))?;
    }
    Ok(())
}
