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
use crate::rotate::Means;

/// Check a configuration: that its key files are there and fit, and that every rule has a use
///
/// No two keys may have one name in the DNS, and a rotation needs its TSIG key, its hook and the owner
/// of its keys: where it could not begin, the exit code is the one that it would end with. `dkim audit
/// --config` looks at the same files, and at who can read and change them.
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
        // What a rotation would stop at; of a TSIG key that is not there is a finding.
        let rotates = file.config.rotated().next().is_some();
        let is_found = |code| findings.iter().any(|finding| finding.code == code);
        let is_looked_at = rotates && !is_found("dangling-tsig");
        let means = if is_looked_at { Means::of(&file).err() } else { None };
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let written = if self.json {
            let findings = findings.iter().map(findings::Json::from).collect();
            json::line(&mut out, &Json { schema: json::SCHEMA, findings })
        } else if findings.is_empty() && means.is_some() {
            Ok(())
        } else {
            findings::write_by_subject(&mut out, &findings)
        };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        match means {
            Some(failure) => Err(failure),
            None => Ok(self.fail_on.exit(&findings)),
        }
    }
}
