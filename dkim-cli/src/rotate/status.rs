//! `dkim rotate status`: where each key stands.

use std::io::{self, Write};

use clap::Args;
use dkim_keys::{Phase, RotatedKey, Transition};
use serde::Serialize;

use super::open::{Changing, Which};
use crate::config::ConfigFile;
use crate::date::date;
use crate::diagnostics::Failure;
use crate::exit::{self, Exit};
use crate::json;
use crate::printable::printable;

/// Tell where each key stands, since when, and what showed that it could come there
///
/// Exits with 1 if no key signs by a name.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(super) struct Status {
    #[command(flatten)]
    which: Which,

    /// Tell of keys that are gone, too, and everything that happened to each
    #[arg(long)]
    history: bool,

    /// Write JSON, one object a name, on one line
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const JSON: &str = "\
JSON, one object a name:
  schema                1; raised when a change breaks readers
  key, domain           its name in the configuration, and d=
  signing               the selector that signs; null if none does
  hook_pending          whether the hook is to be run
  keys                  one object each, oldest first: selector, kind, file, phase, since, history
                        (phase, at, evidence); times in seconds since 1970
";
    [JSON, "\n", &exit::help()].concat()
}

#[derive(Serialize)]
struct Json<'s> {
    schema: u32,
    key: &'s str,
    domain: &'s str,
    signing: Option<&'s str>,
    hook_pending: bool,
    keys: Vec<Key<'s>>,
}

#[derive(Serialize)]
struct Key<'s> {
    selector: &'s str,
    kind: &'static str,
    file: String,
    phase: Phase,
    since: u64,
    history: &'s [Transition],
}

impl Status {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let (file, names) = self.which.read()?;
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let mut exit = Exit::Success;
        for name in &names {
            let keys = file.state.keys.iter().filter(|key| key.name == name.name);
            let keys = keys.filter(|key| self.history || !key.is_gone());
            let keys: Vec<&RotatedKey> = keys.collect();
            let signing = file.config.keys.get(&name.name).and_then(|entry| entry.signing());
            let signing = signing.map(|key| key.selector.as_str());
            if signing.is_none() {
                exit = Exit::NonePasses;
            }
            let written = match self.json {
                true => json::line(&mut out, &as_json(&file, name, signing, &keys)),
                false => self.write(&mut out, name, signing, &keys),
            };
            written.map_err(|error| Failure::output(&error))?;
        }
        if file.state.hook_pending && !self.json {
            writeln!(out, "the hook is to be run").map_err(|error| Failure::output(&error))?;
        }
        out.flush().map_err(|error| Failure::output(&error))?;
        Ok(exit)
    }

    fn write(
        &self,
        out: &mut impl Write,
        name: &Changing,
        signing: Option<&str>,
        keys: &[&RotatedKey],
    ) -> io::Result<()> {
        let bold = anstyle::Style::new().bold();
        let (key, domain) = (printable(&name.name), name.domain.as_str());
        write!(out, "{bold}{key}{bold:#} ({domain}): ")?;
        match signing {
            Some(selector) => writeln!(out, "{selector} signs")?,
            None => writeln!(out, "no key signs")?,
        }
        for key in keys {
            let (phase, since) = (key.phase, date(key.since()));
            writeln!(out, "  {:<12} {phase} since {since}", key.selector.as_str())?;
            if self.history {
                for Transition { phase, at, evidence, .. } in &key.history {
                    let at = date(*at);
                    writeln!(out, "    {at}  {phase}: {}", printable(evidence))?;
                }
            }
        }
        Ok(())
    }
}

fn as_json<'s>(
    file: &'s ConfigFile,
    name: &'s Changing,
    signing: Option<&'s str>,
    keys: &[&'s RotatedKey],
) -> Json<'s> {
    let key = |key: &&'s RotatedKey| Key {
        selector: key.selector.as_str(),
        kind: key.kind.name(),
        file: file.path_of(&key.file).display().to_string(),
        phase: key.phase,
        since: key.since().0,
        history: &key.history,
    };
    Json {
        schema: json::SCHEMA,
        key: &name.name,
        domain: name.domain.as_str(),
        signing,
        hook_pending: file.state.hook_pending,
        keys: keys.iter().map(key).collect(),
    }
}
