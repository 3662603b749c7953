//! `dkim rotate plan`: what will happen when.

use std::io::{self, Write};

use clap::Args;
use dkim_keys::{Event, KeySource, Phase, RotationState, forecast};
use dkim_stack::now;
use serde::Serialize;

use super::open::{Changing, Which};
use crate::config::ConfigFile;
use crate::date::date;
use crate::diagnostics::Failure;
use crate::exit::{self, Exit};
use crate::json;
use crate::printable::printable;

/// Tell what will happen to each key and when, if `dkim rotate run` is run often enough
///
/// Up to the time at which the next key signs; nothing is done.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(super) struct Plan {
    #[command(flatten)]
    which: Which,

    /// Write JSON, one object an event, on one line: schema, key, selector, phase, at (seconds since
    /// 1970)
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Example:
  dkim rotate plan --config /etc/dkim/config.toml
";
    [EXAMPLES, "\n", &exit::help()].concat()
}

/// Something that will happen.
#[derive(Serialize)]
struct Json<'p> {
    schema: u32,
    key: &'p str,
    selector: String,
    phase: Phase,
    at: u64,
}

impl Plan {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let (file, names) = self.which.read()?;
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let mut written = Ok(());
        for name in &names {
            let state = taken_over(&file, name);
            for Event { selector, phase, at, .. } in
                forecast(&state, (&name.name, &name.domain), &name.plan, now())
            {
                let (schema, key) = (json::SCHEMA, &*name.name);
                written = written.and_then(|()| match self.json {
                    true => json::line(&mut out, &Json { schema, key, selector, phase, at: at.0 }),
                    false => {
                        let (key, at) = (printable(key), date(at));
                        writeln!(out, "{at}  {key}: {selector} {}", words(phase))
                    }
                });
            }
        }
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }
}

/// The state as the next step finds it, which begins with taking over the key that signs.
fn taken_over(file: &ConfigFile, name: &Changing) -> RotationState {
    let mut state = file.state.clone();
    let source = file.config.keys.get(&name.name).map(|entry| &entry.key);
    if let Some(KeySource::Rotated { before: Some(before), plan, .. }) = source {
        // Which key it is matters to nobody here.
        let known_by = (plan.kind, String::new());
        state.take_over((&name.name, &name.domain), known_by, before, now());
    }
    state
}

const fn words(phase: Phase) -> &'static str {
    match phase {
        Phase::Planned => "is made and published",
        Phase::Active => "signs",
        Phase::Revoked => "is revoked",
        Phase::Removed => "is removed from the DNS",
        Phase::Revealed => "is revealed",
        _ => "goes on",
    }
}
