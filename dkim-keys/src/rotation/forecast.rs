//! What is still to happen, and when.

use dkim_tags::{DomainName, UnixTime};

use super::{Phase, Plan, RotatedKey, RotationState};
use crate::is_in_token;

/// Something that will happen to a key, if steps are taken often enough and nothing holds them up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The selector of the key; of one that is not there yet, what it would be called.
    pub selector: String,
    /// Where the key comes to.
    pub phase: Phase,
    /// When, at the earliest.
    pub at: UnixTime,
}

/// What will happen to the keys of a name, the next one included, up to the time at which that one
/// signs and the one before it is gone: the earliest first.
#[must_use]
pub fn forecast(
    state: &RotationState,
    (name, domain): (&str, &DomainName),
    plan: &Plan,
    now: UnixTime,
) -> Vec<Event> {
    let mut events = Events { plan, now, all: Vec::new() };
    let signs = match state.successor(name) {
        Some(next) => events.goes_on(next),
        None => events.begins(state, (name, domain)),
    };
    for key in state.keys.iter().filter(|key| key.name == name) {
        match key.phase {
            Phase::Active => {
                let mut retiring = key.clone();
                retiring.enter(Phase::Retiring, signs, String::new());
                events.ends(&retiring);
            }
            phase if phase > Phase::Active => events.ends(key),
            _ => {}
        }
    }
    events.all.sort_by_key(|event| event.at);
    events.all
}

struct Events<'p> {
    plan: &'p Plan,
    now: UnixTime,
    all: Vec<Event>,
}

impl Events<'_> {
    /// Notes when a key comes to another phase: what is late happens now.
    fn note(&mut self, selector: &str, phase: Phase, at: UnixTime) -> UnixTime {
        let at = at.max(self.now);
        self.all.push(Event { selector: selector.to_owned(), phase, at });
        at
    }

    /// A key on its way to sign: when it does.
    fn goes_on(&mut self, next: &RotatedKey) -> UnixTime {
        let at = match next.phase {
            Phase::Published | Phase::Proven => self.plan.end_of(next).unwrap_or(self.now),
            // It is published now.
            _ => self.now.after(self.plan.negative_ttl),
        };
        self.note(next.selector.as_str(), Phase::Active, at)
    }

    /// A key that is not there yet: when it signs.
    fn begins(&mut self, state: &RotationState, (name, domain): (&str, &DomainName)) -> UnixTime {
        let due = state.active(name).and_then(|key| self.plan.end_of(key));
        let due = due.unwrap_or(self.now).max(self.now);
        let selector = self.plan.selector.fresh(due, |selector| state.is_used(domain, selector));
        self.note(&selector, Phase::Planned, due);
        self.note(&selector, Phase::Active, due.after(self.plan.negative_ttl))
    }

    /// A key that signs no more, to its end.
    fn ends(&mut self, key: &RotatedKey) {
        let mut key = key.clone();
        while let Some(at) = self.plan.end_of(&key) {
            let phase = match key.phase {
                Phase::Retiring => {
                    // A key in a token does not come out of it.
                    key.kept = self.plan.reveal.is_some() && !is_in_token(&key.file);
                    Phase::Revoked
                }
                Phase::Revoked => Phase::Removed,
                Phase::Removed if self.plan.reveal.is_some() => Phase::Revealed,
                _ => break,
            };
            let at = self.note(key.selector.as_str(), phase, at);
            key.enter(phase, at, String::new());
        }
    }
}
