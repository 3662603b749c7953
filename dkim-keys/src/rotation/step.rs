//! One step at a time.

use std::path::Path;

use dkim_tags::{DomainName, InvalidName, Selector, UnixTime};

use super::{Done, Hands, Phase, Plan, RotatedKey, RotationState, Sharer};
use crate::{is_in_token, key_file_name};

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A key came to another phase.
    Moved {
        /// Its selector.
        selector: Selector,
        /// Where it stands now.
        phase: Phase,
        /// What showed that it could.
        evidence: String,
    },
    /// The hook was run.
    Told,
    /// Nothing can be done before something happens.
    Waiting {
        /// What.
        what: String,
        /// When it is worth looking again; `None` if that is up to others.
        until: Option<UnixTime>,
    },
}

/// Why no step was taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError<E: std::error::Error> {
    /// The world did not let it happen.
    #[error(transparent)]
    Hands(E),
    /// The template makes no name that can be used.
    #[error("selector {selector:?}: {error}")]
    Selector {
        /// The selector.
        selector: String,
        /// What is wrong.
        error: InvalidName,
    },
    /// Whatever the template makes is in use.
    #[error("no selector is free; the last one tried is {0}")]
    NoneFree(Selector),
    /// The domain of the keys of a name has been changed under them.
    #[error(
        "{}, a key of {}, is one of {}, and the configuration says {configured}",
        key.selector, key.name, key.domain
    )]
    OtherDomain {
        /// One of its keys.
        key: Box<RotatedKey>,
        /// What the configuration says.
        configured: DomainName,
    },
    /// The clock says an earlier time than the state: by how much it is wrong, nobody knows, and
    /// whatever waits would wait too long or not at all. It may have been ahead before.
    #[error("the clock says {now}, and the last step was taken at {newest}")]
    ClockBehind {
        /// What it says.
        now: UnixTime,
        /// The newest time in the state.
        newest: UnixTime,
    },
    /// There is no key to do that with.
    #[error("{name} has no {what}")]
    Missing {
        /// The name.
        name: String,
        /// What is missing.
        what: &'static str,
    },
}

/// Takes one step for the keys of this name, if one can be taken at this time.
///
/// The order of things is that of RFC 5863 §3.5: at no moment does a key sign whose record is not
/// shown by every server, and no record goes while mail that needs it may be on its way.
///
/// # Errors
///
/// [`RotationError`]; the state is as it was, and the step can be tried again.
pub fn step<H: Hands>(
    state: &mut RotationState,
    (name, domain): (&str, &DomainName),
    plan: &Plan,
    now: UnixTime,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    let mut waiting = Vec::new();
    // What one key cannot do keeps no other from its way, nor does a hook that fails.
    let (mut failed, mut untold) = (None, None);
    let all: Vec<(usize, RotatedKey)> = state.keys.iter().cloned().enumerate().collect();
    // What is in other hands waits for nobody: neither for the hook nor for the next key.
    let (urgent, keys): (Vec<_>, Vec<_>) = all
        .iter()
        .filter(|(_, key)| key.name == name)
        .partition(|(_, key)| key.revoke_now && key.phase == Phase::Retiring);
    let newest = state.newest();
    for (at, key) in urgent {
        match advance(key, plan, now, hands) {
            Ok(Next::Entry(entry)) => return enter(state, *at, now.max(newest), entry, hands),
            Ok(Next::Wait(what, until)) => waiting.push((what, until)),
            Ok(Next::Make | Next::Nothing) => {}
            Err(error) => failed = failed.or(Some(RotationError::Hands(error))),
        }
    }
    // Whoever signs is told which keys are to be let go of, whatever the clock says.
    if state.hook_pending {
        match hands.hook() {
            Ok(()) => {
                let mut next = state.clone();
                next.told(now);
                return commit(state, next, hands).map(|()| Progress::Told);
            }
            Err(error) => untold = Some(error),
        }
    }
    if now < newest {
        // A person may have to publish that a key is revoked, and is told that first.
        return match (failed, waiting.is_empty(), untold) {
            (None, false, untold) => Ok(waits(waiting, untold)),
            (Some(error), ..) => Err(error),
            (None, true, Some(error)) => Err(RotationError::Hands(error)),
            (None, true, None) => Err(RotationError::ClockBehind { now, newest }),
        };
    }
    // Nothing can be told of what is wanted: that the old ones go on to their end, or that
    // somebody mistyped.
    if let Some(key) = state.of_other_domain(name, domain) {
        return Err(RotationError::OtherDomain {
            key: Box::new(key.clone()),
            configured: domain.clone(),
        });
    }
    // The way to a signing key comes first, then that of each old one to its end.
    let (mut successors, mut old): (Vec<_>, Vec<_>) =
        keys.into_iter().partition(|(_, key)| key.phase.is_successor());
    // Until whoever signs has been told, none that signs is followed by another, and none that did is
    // revoked; a name by which none signs waits for nobody.
    let is_untold = state.hook_pending && state.active(name).is_some();
    let has_successor = !successors.is_empty();
    successors.retain(|(_, key)| !(is_untold && key.phase == Phase::Proven));
    old.retain(|(_, key)| !(state.hook_pending && key.phase == Phase::Retiring));
    // One that cannot be revealed keeps no other from being revoked.
    old.sort_by_key(|(_, key)| key.phase >= Phase::Removed);
    if !has_successor && !is_untold {
        match state.active(name).and_then(|key| plan.end_of(key)) {
            Some(due) if now < due => {
                waiting.push(("the next key is not due".to_owned(), Some(due)));
            }
            _ => match begin(state, (name, domain), plan, now, hands) {
                Err(error) => failed = failed.or(Some(error)),
                begun => return begun,
            },
        }
    }
    for (at, key) in successors.into_iter().chain(old) {
        match advance(key, plan, now, hands) {
            Ok(Next::Entry(entry)) => return enter(state, *at, now, entry, hands),
            Ok(Next::Make) => match make(state, *at, now, hands) {
                Err(error) => failed = failed.or(Some(error)),
                made => return made,
            },
            Ok(Next::Wait(what, until)) => waiting.push((what, until)),
            Ok(Next::Nothing) => {}
            Err(error) => failed = failed.or(Some(RotationError::Hands(error))),
        }
    }
    // What a person has to do is told, and not only that the hook fails.
    let is_up_to_others = waiting.iter().any(|(_, until)| until.is_none());
    match (failed, untold) {
        (Some(error), _) => Err(error),
        (None, Some(error)) if !is_up_to_others => Err(RotationError::Hands(error)),
        (None, untold) => Ok(waits(waiting, untold)),
    }
}

/// Takes back a key that does not sign yet: its record goes, and its file.
///
/// # Errors
///
/// [`RotationError`], also when there is no such key; the state is as it was.
pub fn abort<H: Hands>(
    state: &mut RotationState,
    name: &str,
    now: UnixTime,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    let is = |key: &RotatedKey| {
        let is_left = key.phase == Phase::Revoked && !key.was(Phase::Active);
        key.name == name && (key.phase.is_successor() || is_left)
    };
    let Some(at) = state.keys.iter().position(is) else {
        return Err(RotationError::Missing { name: name.to_owned(), what: "key on its way" });
    };
    let Some(key) = state.keys.get(at).cloned() else { return Ok(nothing()) };
    // Nothing waits for the time of this.
    let now = now.max(state.newest());
    // From here on it never signs, whoever is stopped; what is left is done by the next step.
    if key.phase.is_successor() {
        let entry = Entry::gone(Phase::Revoked, "taken back".to_owned());
        enter(state, at, now, entry, hands)?;
    }
    match withdraw(&key, hands).map_err(RotationError::Hands)? {
        Done::Seen(evidence) => {
            let evidence = format!("taken back; {evidence}");
            let entry = deleted(&key, Phase::Removed, evidence, hands);
            enter(state, at, now, entry.map_err(RotationError::Hands)?, hands)
        }
        Done::NotYet(what) => Ok(Progress::Waiting { what, until: None }),
    }
}

/// Revokes a key that signs, or did, at once and whatever mail is on its way: it is in other hands.
/// If it is the one that signs, the first call ends that, and the second revokes it; nothing signs by
/// this name then until the next key has gone all its way. Its plan says what becomes of the private
/// key.
///
/// # Errors
///
/// [`RotationError`], also when there is no such key; the state is as it was.
pub fn revoke<H: Hands>(
    state: &mut RotationState,
    (name, selector): (&str, &Selector),
    plan: &Plan,
    now: UnixTime,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    let is = |key: &RotatedKey| {
        (&*key.name, &key.selector) == (name, selector)
            && matches!(key.phase, Phase::Active | Phase::Retiring)
    };
    let Some(at) = state.keys.iter().position(is) else {
        let what = "such key that signs, or did and is not revoked";
        return Err(RotationError::Missing { name: name.to_owned(), what });
    };
    // This waits for no clock to be set, and no later step is to find a time that is too early.
    let now = now.max(state.newest());
    // It signs no more before it is revoked: mail signed meanwhile would be refused.
    if let Some(key) = state.keys.get(at).filter(|key| key.phase == Phase::Active) {
        let selector = key.selector.clone();
        let mut next = state.clone();
        if let Some(key) = next.keys.get_mut(at) {
            key.revoke_now = true;
            key.enter(Phase::Retiring, now, "to be revoked at once");
        }
        next.hook_pending = true;
        commit(state, next, hands)?;
        let evidence = "to be revoked at once".to_owned();
        return Ok(Progress::Moved { selector, phase: Phase::Retiring, evidence });
    }
    // Whoever is stopped here leaves it to the next step.
    let mut next = state.clone();
    next.keys.iter_mut().skip(at).take(1).for_each(|key| key.revoke_now = true);
    commit(state, next, hands)?;
    let Some(key) = state.keys.get(at).cloned() else { return Ok(nothing()) };
    match hands.publish_revocation(&key).map_err(RotationError::Hands)? {
        Done::Seen(evidence) => {
            let entry = revoked(&key, plan, evidence, hands).map_err(RotationError::Hands)?;
            enter(state, at, now, entry, hands)
        }
        Done::NotYet(what) => Ok(Progress::Waiting { what, until: None }),
    }
}

/// All that is waited for, and until when; why the hook fails, if it does.
fn waits(
    mut waiting: Vec<(String, Option<UnixTime>)>,
    untold: Option<impl std::error::Error>,
) -> Progress {
    waiting.extend(untold.map(|error| (error.to_string(), None)));
    // What is up to others is not to be slept over until the next key is due.
    let until: Option<Vec<UnixTime>> = waiting.iter().map(|(_, until)| *until).collect();
    let until = until.and_then(|until| until.into_iter().min());
    let what: Vec<String> = waiting.into_iter().map(|(what, _)| what).collect();
    Progress::Waiting { what: what.join("; "), until }
}

const fn nothing() -> Progress {
    Progress::Waiting { what: String::new(), until: None }
}

enum Next {
    Entry(Entry),
    /// A private key is to be made.
    Make,
    Wait(String, Option<UnixTime>),
    Nothing,
}

/// Where a key comes to.
struct Entry {
    phase: Phase,
    evidence: String,
    /// Its private key is to be revealed.
    kept: bool,
    /// Another key signs by its name.
    shared: bool,
}

impl Entry {
    /// With nothing kept of it.
    const fn gone(phase: Phase, evidence: String) -> Self {
        Self { phase, evidence, kept: false, shared: false }
    }

    /// With the private key kept to be revealed.
    const fn kept(phase: Phase, evidence: String) -> Self {
        Self { phase, evidence, kept: true, shared: false }
    }
}

/// What becomes of a key whose record says that it is revoked.
fn revoked<H: Hands>(
    key: &RotatedKey,
    plan: &Plan,
    evidence: String,
    hands: &mut H,
) -> Result<Entry, H::Error> {
    // RFC 5863 §3.5.2, step 2: "The signer deletes all records of the private key". Who reveals it
    // wants the contrary, in time; what is in a token does not come out of it.
    if plan.reveal.is_some() && !is_in_token(&key.file) {
        let evidence = format!("{evidence}; the private key is kept to be revealed");
        return Ok(Entry::kept(Phase::Revoked, evidence));
    }
    deleted(key, Phase::Revoked, evidence, hands)
}

/// Takes the record of a key away.
fn withdraw<H: Hands>(key: &RotatedKey, hands: &mut H) -> Result<Done, H::Error> {
    // What stands at its name is somebody else's.
    if !key.had_private_key() {
        return Ok(Done::Seen("it had no key yet".to_owned()));
    }
    hands.withdraw(key)
}

/// Deletes the private key, and says what is left of it.
fn deleted<H: Hands>(
    key: &RotatedKey,
    phase: Phase,
    evidence: String,
    hands: &mut H,
) -> Result<Entry, H::Error> {
    if !key.had_private_key() {
        return Ok(Entry::gone(phase, evidence));
    }
    Ok(Entry::gone(
        phase,
        match hands.delete(key)? {
            Some(left) => format!("{evidence}; {left}"),
            None => evidence,
        },
    ))
}

/// What becomes of the private key of one that is removed and kept.
fn reveal<H: Hands>(
    key: &RotatedKey,
    plan: &Plan,
    directory: &Path,
    now: UnixTime,
    hands: &mut H,
) -> Result<Next, H::Error> {
    let entry = |phase, evidence| Next::Entry(Entry::kept(phase, evidence));
    // Asked whenever somebody looks: with a record that is there again the time begins anew.
    let gone = match hands.is_withdrawn(key)? {
        Done::Seen(evidence) => evidence,
        Done::NotYet(shown) => {
            return Ok(entry(Phase::Revoked, format!("its record was there again: {shown}")));
        }
    };
    if let Some(until) = plan.end_of(key).filter(|until| now < *until) {
        let what = "mail that it signed may be on its way, or its record remembered";
        return Ok(Next::Wait(format!("{}: {what}", key.selector), Some(until)));
    }
    Ok(match hands.reveal(key, directory)? {
        Done::Seen(evidence) => entry(Phase::Revealed, format!("{evidence}; its record {gone}")),
        Done::NotYet(what) => Next::Wait(format!("{}: {what}", key.selector), None),
    })
}

/// What a key needs to come on, and whether it is there.
fn advance<H: Hands>(
    key: &RotatedKey,
    plan: &Plan,
    now: UnixTime,
    hands: &mut H,
) -> Result<Next, H::Error> {
    let when_seen = |done: Done, phase: Phase| match done {
        Done::Seen(evidence) => Next::Entry(Entry::gone(phase, evidence)),
        Done::NotYet(what) => Next::Wait(format!("{}: {what}", key.selector), None),
    };
    let stays = |what: &str| {
        let until = plan.end_of(key).filter(|until| now < *until);
        until.map(|until| Next::Wait(format!("{}: {what}", key.selector), Some(until)))
    };
    Ok(match key.phase {
        Phase::Planned => Next::Make,
        Phase::New => when_seen(hands.publish(key)?, Phase::Published),
        Phase::Published => match stays("servers may remember that there was none") {
            Some(wait) => wait,
            None => when_seen(hands.prove(key)?, Phase::Proven),
        },
        // Proven once more: the DNS may have changed since.
        Phase::Proven => when_seen(hands.prove(key)?, Phase::Active),
        Phase::Active => Next::Nothing,
        Phase::Retiring => {
            let needed = if key.revoke_now { None } else { needed(key, plan, now, hands)? };
            match needed {
                Some(next) => next,
                None => match hands.publish_revocation(key)? {
                    Done::Seen(evidence) => Next::Entry(revoked(key, plan, evidence, hands)?),
                    done @ Done::NotYet(_) => when_seen(done, Phase::Revoked),
                },
            }
        }
        Phase::Revoked => match stays("its record shows that it is revoked") {
            Some(wait) => wait,
            None => match withdraw(key, hands)? {
                Done::Seen(evidence) if key.kept => {
                    Next::Entry(Entry::kept(Phase::Removed, evidence))
                }
                Done::Seen(evidence) => Next::Entry(deleted(key, Phase::Removed, evidence, hands)?),
                Done::NotYet(what) => Next::Wait(format!("{}: {what}", key.selector), None),
            },
        },
        Phase::Removed if key.kept => match &plan.reveal {
            Some(directory) => reveal(key, plan, directory, now, hands)?,
            None => {
                let evidence = "it is not to be revealed any more".to_owned();
                Next::Entry(deleted(key, Phase::Removed, evidence, hands)?)
            }
        },
        Phase::Revealed if key.kept => {
            let evidence = "it is nowhere else any more".to_owned();
            Next::Entry(deleted(key, Phase::Revealed, evidence, hands)?)
        }
        Phase::Removed | Phase::Revealed => Next::Nothing,
    })
}

/// What keeps the record of a key that retires: mail that is on its way, its own or that of another
/// key with the same record. When the last of the others has stopped to sign, the time begins anew:
/// nobody knows when that was.
fn needed<H: Hands>(
    key: &RotatedKey,
    plan: &Plan,
    now: UnixTime,
    hands: &mut H,
) -> Result<Option<Next>, H::Error> {
    let wait = |what: &str, until| Next::Wait(format!("{}: {what}", key.selector), until);
    let stays =
        |evidence, shared| Next::Entry(Entry { shared, ..Entry::gone(Phase::Retiring, evidence) });
    let until = plan.end_of(key).unwrap_or_default();
    Ok(match hands.sharer(key)? {
        Some(Sharer::Signs(what)) if key.shared => {
            Some(wait(&format!("not revoked: {what}"), Some(until).filter(|until| now < *until)))
        }
        Some(Sharer::Signs(what)) => Some(stays(format!("not revoked: {what}"), true)),
        _ if key.shared => Some(stays("no other key signs by its name any more".to_owned(), false)),
        Some(Sharer::Signed { what, until: other }) if now < other => {
            Some(wait(&format!("not revoked: {what}"), Some(other.max(until))))
        }
        _ if now < until => Some(wait("mail that it signed may be on its way", Some(until))),
        _ => None,
    })
}

/// So many selectors in use are passed over, and each is asked for in the DNS.
const MAX_TAKEN: usize = 30;

/// A new key begins with its name, so that what is made under it is found again.
fn begin<H: Hands>(
    state: &mut RotationState,
    (name, domain): (&str, &DomainName),
    plan: &Plan,
    now: UnixTime,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    let mut taken: Vec<Selector> = Vec::new();
    let selector = loop {
        let is_taken = |fresh: &str| {
            state.is_used(domain, fresh) || taken.iter().any(|taken| taken.as_str() == fresh)
        };
        let fresh = plan.selector.fresh(now, is_taken);
        let selector = match Selector::parse(&fresh) {
            Ok(selector) => selector,
            Err(error) => return Err(RotationError::Selector { selector: fresh, error }),
        };
        if hands.is_free(domain, &selector).map_err(RotationError::Hands)? {
            break selector;
        }
        // A wildcard record takes every name.
        if taken.len() == MAX_TAKEN {
            return Err(RotationError::NoneFree(selector));
        }
        taken.push(selector);
    };
    let file = key_file_name(&selector, domain);
    let names = (name.to_owned(), domain.clone());
    let mut key = RotatedKey::new(names, selector.clone(), plan.kind, file);
    let evidence = match state.active(name) {
        Some(active) => format!("the key before it, {}, is due", active.selector),
        None => "no key signs yet".to_owned(),
    };
    key.enter(Phase::Planned, now, evidence.clone());
    let mut next = state.clone();
    next.keys.push(key);
    commit(state, next, hands)?;
    Ok(Progress::Moved { selector, phase: Phase::Planned, evidence })
}

/// Makes the private key of a selector that is taken. By what it is known is saved before there is a
/// file: whoever is stopped finds a file of this key or none, and one with another key is not taken
/// for its own. Two configurations in one directory may have come upon the same selector.
fn make<H: Hands>(
    state: &mut RotationState,
    at: usize,
    now: UnixTime,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    let Some(key) = state.keys.get(at).cloned() else { return Ok(nothing()) };
    let is_own = match hands.holds_key(&key).map_err(RotationError::Hands)? {
        Some(is_own) => is_own,
        None => {
            let (private, sha256) = hands.make_key(&key).map_err(RotationError::Hands)?;
            let mut next = state.clone();
            if let Some(key) = next.keys.get_mut(at) {
                key.public_sha256 = Some(sha256);
            }
            commit(state, next, hands)?;
            hands.save_key(&key, private).map_err(RotationError::Hands)?
        }
    };
    let entry = match is_own {
        true => Entry::gone(Phase::New, "the private key is in its file".to_owned()),
        // Neither the file nor a record at the name is its own.
        false => {
            let what = match key.public_sha256 {
                Some(_) => "somebody else has put another key into its file; it is let be",
                None => {
                    "its file was there before there was a key; it is let be, and if nobody uses it, delete it"
                }
            };
            Entry::gone(Phase::Removed, what.to_owned())
        }
    };
    enter(state, at, now, entry, hands)
}

/// Moves a key on. With the one that begins to sign, the one that did retires: in the same stroke.
fn enter<H: Hands>(
    state: &mut RotationState,
    at: usize,
    now: UnixTime,
    Entry { phase, evidence, kept, shared }: Entry,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    let mut next = state.clone();
    let Some(name) = next.keys.get(at).map(|key| key.name.clone()) else { return Ok(nothing()) };
    if phase == Phase::Active {
        for old in next.keys.iter_mut().filter(|key| key.name == name && key.phase == Phase::Active)
        {
            old.enter(Phase::Retiring, now, "another key signs");
        }
        next.hook_pending = true;
    }
    let Some(key) = next.keys.get_mut(at) else { return Ok(nothing()) };
    key.enter(phase, now, evidence.clone());
    key.kept = kept;
    key.shared = shared;
    let selector = key.selector.clone();
    commit(state, next, hands)?;
    Ok(Progress::Moved { selector, phase, evidence })
}

fn commit<H: Hands>(
    state: &mut RotationState,
    next: RotationState,
    hands: &mut H,
) -> Result<(), RotationError<H::Error>> {
    hands.save(&next).map_err(RotationError::Hands)?;
    *state = next;
    Ok(())
}
