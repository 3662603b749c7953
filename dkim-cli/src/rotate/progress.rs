//! What steps did, for people and programs.

use std::io::{self, Write};

use dkim_keys::{Phase, Progress};
use serde::Serialize;

use crate::date::date;
use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::json;
use crate::printable::printable;

/// The fields, for `--help`.
pub(crate) const JSON_HELP: &str = "
JSON, one object a step, on one line (null where there is no value):
  schema                1; raised when a change breaks readers
  key                   its name in the configuration
  did                   moved, told, waiting or failed
  selector, phase       of the key that moved, and where it stands now
  why                   what showed that it could; what is waited for; what is wrong
  until                 when it is worth looking again, in seconds since 1970; null if up to others
";

/// Tells what steps did.
pub(crate) struct Teller {
    pub(crate) json: bool,
    /// Whether others than a server are waited for.
    pub(crate) is_by_hand: bool,
}

#[derive(Serialize)]
struct Json<'p> {
    schema: u32,
    key: &'p str,
    did: &'static str,
    selector: Option<&'p str>,
    phase: Option<Phase>,
    why: Option<&'p str>,
    until: Option<u64>,
}

impl Teller {
    /// Tells, and says how a command ends that ends with this.
    pub(crate) fn tell(&self, key: &str, progress: &Progress) -> Result<Exit, Failure> {
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let written = match self.json {
            true => json::line(&mut out, &as_json(key, progress)),
            false => write(&mut out, key, progress),
        };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(match progress {
            Progress::Waiting { until: None, .. } if self.is_by_hand => Exit::NonePasses,
            Progress::Waiting { until: None, .. } => Exit::Temporary,
            _ => Exit::Success,
        })
    }
}

/// Tells in JSON why no step was taken.
pub(super) fn tell_failure(key: &str, failure: &Failure) -> Result<(), Failure> {
    let why = failure.to_string();
    let json = Json { did: "failed", why: Some(&why), ..Json::of(key) };
    let written = json::line(&mut io::stdout().lock(), &json);
    written.map_err(|error| Failure::output(&error))
}

/// A failure that is told in JSON, too, if that is wanted. Where nobody reads it, standard error has it.
pub(crate) fn also_in_json(wanted: bool, key: &str, failure: Failure) -> Failure {
    if wanted {
        let _ = tell_failure(key, &failure);
    }
    failure
}

impl<'p> Json<'p> {
    /// Of a key, with nothing said yet.
    fn of(key: &'p str) -> Self {
        Self {
            schema: json::SCHEMA,
            key,
            did: "told",
            selector: None,
            phase: None,
            why: None,
            until: None,
        }
    }
}

fn as_json<'p>(key: &'p str, progress: &'p Progress) -> Json<'p> {
    let json = Json::of(key);
    match progress {
        Progress::Moved { selector, phase, evidence } => Json {
            did: "moved",
            selector: Some(selector.as_str()),
            phase: Some(*phase),
            why: Some(evidence),
            ..json
        },
        Progress::Waiting { what, until } => {
            Json { did: "waiting", why: Some(what), until: until.map(|until| until.0), ..json }
        }
        _ => json,
    }
}

fn write(out: &mut impl Write, key: &str, progress: &Progress) -> io::Result<()> {
    let key = printable(key);
    match progress {
        Progress::Moved { selector, phase, evidence } => {
            writeln!(out, "{key}: {} is {phase}: {}", selector, printable(evidence))
        }
        Progress::Waiting { what, until } => {
            write!(out, "{key}: waits: {}", printable(what))?;
            match until {
                Some(until) => writeln!(out, " (until {})", date(*until)),
                None => writeln!(out),
            }
        }
        _ => writeln!(out, "{key}: whoever signs was told"),
    }
}
