//! `dkim config check`: can everything that a configuration says be done?

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use dkim_keys::check_config;

use super::file::ConfigFile;
use crate::diagnostics::Failure;
use crate::exit::{self, Exit};
use crate::findings::{self, FailOn};
use crate::json;
use crate::provider::provider;

/// Check a configuration: that its key files are there and fit, and that every rule has a use
///
/// No two keys may have one name in the DNS, and a rotation needs its TSIG key and its hook. `dkim audit
/// --config` looks at the same, and at who can read and change all these files.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help())]
pub(super) struct Check {
    /// The configuration; `dkim config --help` shows how it is written
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    #[command(flatten)]
    fail_on: FailOn,

    /// Write one JSON object: schema, findings
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Json<'f> {
    schema: u32,
    findings: Vec<findings::Json<'f>>,
}

impl Check {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let file = ConfigFile::read(&self.config)?;
        let findings = check_config(&file.config, &file.directory, provider());
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let written = if self.json {
            let findings = findings.iter().map(findings::Json::from).collect();
            json::line(&mut out, &Json { schema: json::SCHEMA, findings })
        } else {
            findings::write_by_subject(&mut out, &findings)
        };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(self.fail_on.exit(&findings))
    }
}
