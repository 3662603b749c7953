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

    /// Write one JSON object: schema, findings; and rotation, with error, remedy and exit, if one could
    /// not begin
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Json<'f> {
    schema: u32,
    findings: Vec<findings::Json<'f>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<Stops<'f>>,
}

/// What a rotation would stop at before its first step.
#[derive(serde::Serialize)]
struct Stops<'f> {
    error: &'f str,
    remedy: Option<&'f str>,
    exit: u8,
}

impl<'f> From<&'f Failure> for Stops<'f> {
    fn from(failure: &'f Failure) -> Self {
        let remedy = failure.remedy.as_deref();
        Self { error: &failure.what, remedy, exit: failure.exit.code() }
    }
}

impl Check {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let file = ConfigFile::read(&self.config)?;
        let findings = check_config(&file.config, &file.directory, provider());
        let rotates = file.config.rotated().next().is_some();
        let stops = if rotates { Means::of(&file).err() } else { None };
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let written = if self.json {
            let findings = findings.iter().map(findings::Json::from).collect();
            let rotation = stops.as_ref().map(Stops::from);
            json::line(&mut out, &Json { schema: json::SCHEMA, findings, rotation })
        } else if findings.is_empty() && stops.is_some() {
            Ok(())
        } else {
            findings::write_by_subject(&mut out, &findings)
        };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        match stops {
            Some(failure) => Err(failure),
            None => Ok(self.fail_on.exit(&findings)),
        }
    }
}
