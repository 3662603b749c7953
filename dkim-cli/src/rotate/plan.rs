//! `dkim rotate plan`: what will happen when.

use std::io::{self, Write};

use clap::Args;
use dkim_keys::{Phase, RotatedKey, RotationState, is_in_token};
use dkim_stack::{UnixTime, now};
use serde::Serialize;

use super::open::{Changing, Which};
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
struct Event {
    schema: u32,
    key: String,
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
            for event in events(name, &file.state, now().0) {
                written = written.and_then(|()| match self.json {
                    true => json::line(&mut out, &event),
                    false => {
                        let (key, selector) = (printable(&event.key), printable(&event.selector));
                        let at = date(UnixTime(event.at));
                        writeln!(out, "{at}  {key}: {selector} {}", words(event.phase))
                    }
                });
            }
        }
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }
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

/// What is still to happen, in order.
fn events(name: &Changing, state: &RotationState, now: u64) -> Vec<Event> {
    let plan = &name.plan;
    let mut events = Vec::new();
    let mut note = |selector: &str, phase, at: u64| {
        let (schema, key) = (json::SCHEMA, name.name.clone());
        // What is late happens now.
        events.push(Event { schema, key, selector: selector.to_owned(), phase, at: at.max(now) });
    };
    let active = state.active(&name.name);
    let signs = match state.successor(&name.name) {
        Some(next) => {
            let waits = if next.phase == Phase::Proven { 0 } else { plan.negative_ttl };
            let from = if next.phase == Phase::Published { next.since() } else { now };
            note(&next.selector, Phase::Active, from.saturating_add(waits));
            from.saturating_add(waits).max(now)
        }
        None => {
            let due = active.map_or(now, |key| key.since().saturating_add(plan.every)).max(now);
            let is_used = |selector: &str| {
                let of_domain = |key: &&RotatedKey| key.domain == name.domain.as_str();
                let mut keys = state.keys.iter().filter(of_domain);
                keys.any(|key| key.selector.eq_ignore_ascii_case(selector))
            };
            let selector = plan.selector.fresh(due, is_used);
            note(&selector, Phase::Planned, due);
            note(&selector, Phase::Active, due.saturating_add(plan.negative_ttl));
            due.saturating_add(plan.negative_ttl)
        }
    };
    let reveal = |note: &mut dyn FnMut(&str, Phase, u64), key: &RotatedKey, removed: u64| {
        // A key in a token does not come out of it.
        let is_to_be = key.kept || key.phase < Phase::Revoked && !is_in_token(&key.file);
        if plan.reveal.is_some() && is_to_be {
            let at = removed.saturating_add(plan.until_revealed());
            note(&key.selector, Phase::Revealed, at);
        }
    };
    for key in state.keys.iter().filter(|key| key.name == name.name) {
        let retires = match key.phase {
            Phase::Active => signs,
            Phase::Retiring => key.since(),
            Phase::Revoked => {
                let removed = key.since().saturating_add(plan.grave).max(now);
                note(&key.selector, Phase::Removed, removed);
                reveal(&mut note, key, removed);
                continue;
            }
            Phase::Removed => {
                reveal(&mut note, key, key.since());
                continue;
            }
            _ => continue,
        };
        let rest = if key.revoke_now { 0 } else { plan.message_life };
        let revoked = retires.saturating_add(rest);
        note(&key.selector, Phase::Revoked, revoked);
        let removed = revoked.max(now).saturating_add(plan.grave);
        note(&key.selector, Phase::Removed, removed);
        reveal(&mut note, key, removed);
    }
    events.sort_by_key(|event| event.at);
    events
}
