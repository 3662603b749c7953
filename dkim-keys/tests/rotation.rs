//! A whole rotation against a world that can be stopped at any point: at no moment does a key sign
//! whose record is not shown, and no record goes while mail that needs it may be on its way.
#![allow(clippy::unwrap_used)]

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dkim_keys::{
    Config, Done, Finding, Hands, KeyKind, Mail, NamedKey, Phase, Plan, Progress, RotatedKey,
    RotationError, RotationState, Sharer, is_in_token,
};
use dkim_tags::{DomainName, Selector, UnixTime};

const DAY: u64 = 24 * 60 * 60;

fn step<H: Hands>(
    state: &mut RotationState,
    name: (&str, &DomainName),
    plan: &Plan,
    now: u64,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    dkim_keys::step(state, name, plan, UnixTime(now), hands)
}

fn abort<H: Hands>(
    state: &mut RotationState,
    name: &str,
    now: u64,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    dkim_keys::abort(state, name, UnixTime(now), hands)
}

fn revoke<H: Hands>(
    state: &mut RotationState,
    (name, selector): (&str, &str),
    plan: &Plan,
    now: u64,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    dkim_keys::revoke(state, (name, &selector.parse().unwrap()), plan, UnixTime(now), hands)
}

fn check_rotation(config: &Config, state: &RotationState, now: u64) -> Vec<Finding> {
    dkim_keys::check_rotation(config, state, UnixTime(now))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    Key,
    Revoked,
}

#[derive(Debug, thiserror::Error)]
#[error("stopped")]
struct Stopped;

/// The DNS, the disk, and somebody who pulls the plug.
#[derive(Default)]
struct World {
    now: u64,
    records: BTreeMap<String, Shown>,
    /// What a record is going to be, when somebody has done what was asked for.
    asked: BTreeMap<String, Option<Shown>>,
    by_hand: bool,
    /// By selector, the key that is in its file.
    files: BTreeMap<String, String>,
    /// How many keys were made.
    made: u32,
    /// What everybody can read.
    revealed: BTreeSet<String>,
    /// Since when there is no record any more.
    gone_since: BTreeMap<String, u64>,
    plan: Plan,
    /// Selectors of others.
    in_use: BTreeSet<String>,
    saved: RotationState,
    hooks: u32,
    /// Until when mail signed with a selector may be on its way.
    mail: BTreeMap<String, u64>,
    /// How many things can still be done before the plug is pulled.
    left: Option<u32>,
    hook_fails: bool,
    names_fail: bool,
    sharer: Option<Sharer>,
}

impl World {
    /// Does something, or stops before it or right after it.
    fn act<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> Result<T, Stopped> {
        match &mut self.left {
            Some(0) => return Err(Stopped),
            Some(left) => *left -= 1,
            None => {}
        }
        let done = what(self);
        match &mut self.left {
            Some(0) => return Err(Stopped),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(done)
    }

    fn show(&mut self, selector: &str, shown: Option<Shown>) -> Done {
        let is = self.records.get(selector).cloned();
        if is == shown {
            return Done::Seen(format!("all servers show {shown:?}"));
        }
        if self.by_hand {
            self.asked.insert(selector.to_owned(), shown);
            return Done::NotYet("publish it".to_owned());
        }
        match shown {
            Some(shown) => self.records.insert(selector.to_owned(), shown),
            None => self.take_away(selector),
        };
        Done::NotYet("a server does not show it yet".to_owned())
    }

    /// Somebody does what was asked for.
    fn help(&mut self) {
        for (selector, shown) in std::mem::take(&mut self.asked) {
            match shown {
                Some(shown) => self.records.insert(selector, shown),
                None => self.take_away(&selector),
            };
        }
    }

    fn take_away(&mut self, selector: &str) -> Option<Shown> {
        self.gone_since.insert(selector.to_owned(), self.now);
        self.records.remove(selector)
    }

    /// What signs now signs mail, which is on its way for six days.
    fn sign(&mut self) {
        let signing: Vec<String> = self
            .saved
            .keys
            .iter()
            .filter(|key| key.phase == Phase::Active)
            .map(|key| key.selector.to_string())
            .collect();
        assert!(signing.len() <= 1, "{signing:?}");
        for selector in signing {
            assert_eq!(self.records.get(&selector), Some(&Shown::Key), "{selector} signs");
            assert!(self.files.contains_key(&selector), "{selector} has no file");
            self.mail.insert(selector, self.now + 6 * DAY);
        }
        for (selector, until) in &self.mail {
            let is_shown = self.records.get(selector) == Some(&Shown::Key);
            assert!(is_shown || *until < self.now, "mail of {selector} is on its way");
        }
    }
}

impl Hands for World {
    type Error = Stopped;
    type PrivateKey = String;

    fn is_free(&mut self, _: &DomainName, selector: &Selector) -> Result<bool, Stopped> {
        if self.names_fail {
            return Err(Stopped);
        }
        self.act(|world| !world.in_use.contains(selector.as_str()))
    }

    fn holds_key(&mut self, key: &RotatedKey) -> Result<Option<bool>, Stopped> {
        self.act(|world| {
            let held = world.files.get(key.selector.as_str())?;
            Some(key.public_sha256.as_ref() == Some(held))
        })
    }

    fn make_key(&mut self, key: &RotatedKey) -> Result<(String, String), Stopped> {
        self.act(|world| {
            world.made += 1;
            let digest = format!("of {}, made as number {}", key.selector, world.made);
            (digest.clone(), digest)
        })
    }

    fn save_key(&mut self, key: &RotatedKey, private: String) -> Result<bool, Stopped> {
        let told = self.saved.keys.iter().find(|told| told.selector == key.selector).unwrap();
        assert_eq!(told.public_sha256.as_ref(), Some(&private), "it is told before it is there");
        self.act(|world| match world.files.entry(key.selector.to_string()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(file) => {
                file.insert(private);
                true
            }
        })
    }

    fn publish(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
        assert!(self.files.contains_key(key.selector.as_str()));
        self.act(|world| world.show(key.selector.as_str(), Some(Shown::Key)))
    }

    fn sharer(&mut self, _: &RotatedKey) -> Result<Option<Sharer>, Stopped> {
        self.act(|world| world.sharer.clone())
    }

    fn publish_revocation(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
        self.act(|world| world.show(key.selector.as_str(), Some(Shown::Revoked)))
    }

    fn withdraw(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
        self.act(|world| world.show(key.selector.as_str(), None))
    }

    fn prove(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
        self.act(|world| match world.records.get(key.selector.as_str()) {
            Some(Shown::Key) => Done::Seen("pass".to_owned()),
            _ => Done::NotYet("fail".to_owned()),
        })
    }

    fn is_withdrawn(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
        self.act(|world| match world.records.get(key.selector.as_str()) {
            None => Done::Seen("no server shows it".to_owned()),
            Some(_) => Done::NotYet("a server shows it".to_owned()),
        })
    }

    fn delete(&mut self, key: &RotatedKey) -> Result<Option<String>, Stopped> {
        self.act(|world| {
            world.files.remove(key.selector.as_str());
            is_in_token(&key.file).then(|| "destroy it in the token".to_owned())
        })
    }

    fn reveal(&mut self, key: &RotatedKey, directory: &Path) -> Result<Done, Stopped> {
        assert_eq!(directory, Path::new("open"));
        assert!(
            self.files.contains_key(key.selector.as_str()),
            "{} is not there any more",
            key.selector
        );
        assert!(!self.records.contains_key(key.selector.as_str()), "{} has a record", key.selector);
        let gone = self.gone_since.get(key.selector.as_str()).unwrap();
        assert!(self.now >= gone + 7 * DAY, "{} is revealed too early", key.selector);
        assert!(self.mail.get(key.selector.as_str()).is_none_or(|until| *until < self.now));
        self.act(|world| {
            world.revealed.insert(key.selector.to_string());
            Done::Seen("in open".to_owned())
        })
    }

    fn hook(&mut self) -> Result<(), Stopped> {
        if self.hook_fails {
            return Err(Stopped);
        }
        self.act(|world| world.hooks += 1)
    }

    fn save(&mut self, state: &RotationState) -> Result<(), Stopped> {
        // What is saved reads back.
        let text = state.to_toml().unwrap();
        let state = RotationState::parse(&text).unwrap();
        self.act(|world| world.saved = state)
    }
}

fn domain() -> DomainName {
    DomainName::parse("example.com").unwrap()
}

/// Takes steps for so many days, a look every six hours, beginning again from what was saved
/// whenever it is stopped.
fn live(world: &mut World, days: u64, mut stops: impl FnMut() -> Option<u32>) -> Vec<String> {
    let mut steps = Vec::new();
    let end = world.now + days * DAY;
    while world.now < end {
        world.left = stops();
        let mut state = world.saved.clone();
        loop {
            let plan = world.plan.clone();
            match step(&mut state, ("main", &domain()), &plan, world.now, world) {
                Ok(Progress::Moved { selector, phase, .. }) => {
                    steps.push(format!("{selector} {phase}"))
                }
                Ok(Progress::Told) => steps.push("told".to_owned()),
                Ok(_) => break,
                Err(RotationError::Hands(Stopped)) => {
                    // Whatever was under way: what is saved is what is so.
                    state = world.saved.clone();
                    world.left = stops();
                }
                Err(error) => panic!("{error}"),
            }
            world.sign();
        }
        world.sign();
        world.help();
        world.now += DAY / 4;
    }
    steps
}

fn world() -> World {
    // 2024-01-01.
    World { now: 1_704_067_200, ..World::default() }
}

#[test]
fn a_key_goes_its_way_and_the_next_takes_over() {
    for by_hand in [false, true] {
        let mut world = World { by_hand, ..world() };
        let steps = live(&mut world, 140, || None);
        assert_eq!(
            steps,
            [
                "202401 planned",
                "202401 new",
                "202401 published",
                "202401 proven",
                "202401 active",
                "told",
                "202403 planned",
                "202403 new",
                "202403 published",
                "202403 proven",
                "202403 active",
                "told",
                "202401 revoked",
                "202401 removed",
            ],
            "{by_hand}"
        );
        assert_eq!(world.files.keys().collect::<Vec<_>>(), ["202403"]);
        assert_eq!(world.records.len(), 1);
    }
}

/// Stopped before or after whatever is done, once at each point of it, and at many points in a row.
#[test]
fn whoever_is_stopped_goes_on() {
    let undisturbed = {
        let mut world = world();
        live(&mut world, 140, || None);
        world.saved
    };
    for at in 0..400 {
        let mut world = world();
        let mut first = Some(at);
        live(&mut world, 140, || first.take());
        assert_eq!(world.files.len(), 1, "{at}");
        let selectors = |state: &RotationState| -> Vec<(String, Phase)> {
            state.keys.iter().map(|key| (key.selector.to_string(), key.phase)).collect()
        };
        assert_eq!(selectors(&world.saved), selectors(&undisturbed), "{at}");
        assert!(world.hooks >= 2, "{at}");
    }
    for seed in 1..200_u32 {
        let mut world = World { by_hand: seed % 2 == 0, ..world() };
        let mut random = seed;
        live(&mut world, 140, || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(random >> 29)
        });
        assert!(!world.saved.keys.is_empty());
    }
}

#[test]
fn a_successor_is_taken_back_and_its_name_is_not_used_again() {
    let mut world = world();
    live(&mut world, 91, || None);
    let mut state = world.saved.clone();
    let next = state.successor("main").map(|key| key.selector.to_string());
    // By then the next key may sign already; if so, there is nothing to take back.
    if next.is_none() {
        world.now += 90 * DAY;
        step(&mut state, ("main", &domain()), &Plan::default(), world.now, &mut world).unwrap();
    }
    let taken_back = state.successor("main").unwrap().selector.to_string();
    let now = world.now;
    let is_gone = |state: &RotationState| {
        let key = state.keys.iter().find(|key| key.selector.as_str() == taken_back);
        key.is_some_and(|key| key.phase == Phase::Removed)
    };
    while !is_gone(&state) {
        abort(&mut state, "main", now, &mut world).unwrap();
        // From the first word on it never signs.
        assert!(state.successor("main").is_none());
    }
    assert!(!world.files.contains_key(&taken_back) && !world.records.contains_key(&taken_back));
    let again = step(&mut state, ("main", &domain()), &Plan::default(), now, &mut world).unwrap();
    let Progress::Moved { selector, .. } = again else { panic!("{again:?}") };
    assert_ne!(selector.as_str(), taken_back);
    assert!(abort(&mut RotationState::default(), "main", now, &mut world).is_err());
}

#[test]
fn a_key_in_other_hands_is_revoked_at_once() {
    let mut world = world();
    live(&mut world, 10, || None);
    let mut state = world.saved.clone();
    let stolen = state.active("main").unwrap().selector.to_string();
    let now = world.now;
    let phase = |state: &RotationState| {
        state.keys.iter().find(|key| key.selector.as_str() == stolen).map(|key| key.phase)
    };
    while phase(&state) != Some(Phase::Revoked) {
        revoke(&mut state, ("main", &stolen), &Plan::default(), now, &mut world).unwrap();
    }
    assert_eq!(world.records.get(&stolen), Some(&Shown::Revoked));
    // Nothing signs with it any more, and a new one is on its way.
    assert!(state.active("main").is_none() && state.hook_pending);
    step(&mut state, ("main", &domain()), &Plan::default(), now, &mut world).unwrap();
    step(&mut state, ("main", &domain()), &Plan::default(), now, &mut world).unwrap();
    assert!(state.successor("main").is_some());
    // Once is enough, and no other key is meant.
    for (name, selector) in [("main", &*stolen), ("main", "other"), ("other", &stolen)] {
        assert!(
            revoke(&mut state, (name, selector), &Plan::default(), now, &mut world).is_err(),
            "{name} {selector}"
        );
    }
    // RFC 5863 §3.5.2, step 2.
    assert!(!world.files.contains_key(&stolen));
}

#[test]
fn what_others_use_is_left_to_them() {
    let mut world = world();
    world.in_use = ["202401", "202401b"].map(str::to_owned).into();
    let mut state = RotationState::default();
    let plan = Plan::default();
    step(&mut state, ("main", &domain()), &plan, world.now, &mut world).unwrap();
    assert_eq!(state.successor("main").unwrap().selector.as_str(), "202401c");
    step(&mut state, ("main", &domain()), &plan, world.now, &mut world).unwrap();
    assert_eq!(world.saved.keys[0].public_sha256.as_ref(), world.files.get("202401c"));
    // A wildcard record makes all names look used.
    struct Wildcard(World);
    impl Hands for Wildcard {
        type Error = Stopped;
        type PrivateKey = String;

        fn is_free(&mut self, _: &DomainName, _: &Selector) -> Result<bool, Stopped> {
            Ok(false)
        }
        fn holds_key(&mut self, key: &RotatedKey) -> Result<Option<bool>, Stopped> {
            self.0.holds_key(key)
        }
        fn make_key(&mut self, key: &RotatedKey) -> Result<(String, String), Stopped> {
            self.0.make_key(key)
        }
        fn save_key(&mut self, key: &RotatedKey, private: String) -> Result<bool, Stopped> {
            self.0.save_key(key, private)
        }
        fn publish(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
            self.0.publish(key)
        }
        fn sharer(&mut self, key: &RotatedKey) -> Result<Option<Sharer>, Stopped> {
            self.0.sharer(key)
        }
        fn publish_revocation(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
            self.0.publish_revocation(key)
        }
        fn withdraw(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
            self.0.withdraw(key)
        }
        fn prove(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
            self.0.prove(key)
        }
        fn is_withdrawn(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
            self.0.is_withdrawn(key)
        }
        fn delete(&mut self, key: &RotatedKey) -> Result<Option<String>, Stopped> {
            self.0.delete(key)
        }
        fn reveal(&mut self, key: &RotatedKey, directory: &Path) -> Result<Done, Stopped> {
            self.0.reveal(key, directory)
        }
        fn hook(&mut self) -> Result<(), Stopped> {
            self.0.hook()
        }
        fn save(&mut self, state: &RotationState) -> Result<(), Stopped> {
            self.0.save(state)
        }
    }
    let mut state = RotationState::default();
    let stuck = step(&mut state, ("main", &domain()), &plan, world.now, &mut Wildcard(world));
    assert!(matches!(stuck, Err(RotationError::NoneFree(_))));
    assert!(state.keys.is_empty());
}

/// A file that came to be between the look and the step is another's, and so are its records.
#[test]
fn a_file_of_others_is_not_taken_for_its_own() {
    for before in [true, false] {
        let mut world = world();
        let mut state = RotationState::default();
        let go = |state: &mut RotationState, world: &mut World| {
            step(state, ("main", &domain()), &Plan::default(), world.now, world)
        };
        go(&mut state, &mut world).unwrap();
        if !before {
            // Stopped when the key is told and before it is in its file.
            world.left = Some(6);
            assert!(go(&mut state, &mut world).is_err());
            assert!(world.saved.keys[0].public_sha256.is_some() && world.files.is_empty());
            world.left = None;
        }
        world.files.insert("202401".to_owned(), "of somebody else".to_owned());
        world.records.insert("202401".to_owned(), Shown::Key);
        let mut taken_back = (state.clone(), world.now);
        let gone = go(&mut state, &mut world).unwrap();
        assert!(
            matches!(&gone, Progress::Moved { phase: Phase::Removed, evidence, .. }
                if evidence.contains("it is let be")),
            "{gone:?}"
        );
        live(&mut world, 2, || None);
        assert_eq!(world.saved.active("main").unwrap().selector.as_str(), "202401b");
        assert_eq!(world.files["202401"], "of somebody else");
        assert_eq!(world.records.get("202401"), Some(&Shown::Key));
        // What has no key yet has none to take back.
        if before {
            let (state, now) = (&mut taken_back.0, taken_back.1);
            let (files, records) = (world.files.clone(), world.records.clone());
            let gone = abort(state, "main", now, &mut world).unwrap();
            assert!(matches!(gone, Progress::Moved { phase: Phase::Removed, .. }), "{gone:?}");
            assert_eq!((files, records), (world.files, world.records));
        }
    }
}

/// A key in other hands waits neither for the hook nor for a free name, and no key for another.
#[test]
fn what_fails_holds_up_no_key_in_other_hands() {
    let mut world = world();
    live(&mut world, 10, || None);
    let stolen = world.saved.active("main").unwrap().selector.to_string();
    let mut state = world.saved.clone();
    let (now, plan) = (world.now, Plan::default());
    // It signs no more, and whoever revoked it was stopped.
    revoke(&mut state, ("main", &stolen), &plan, now, &mut world).unwrap();
    revoke(&mut state, ("main", &stolen), &plan, now, &mut world).unwrap();
    assert!(state.hook_pending && state.keys[0].phase == Phase::Retiring);
    world.hook_fails = true;
    step(&mut state, ("main", &domain()), &plan, now, &mut world).unwrap();
    assert_eq!(state.keys[0].phase, Phase::Revoked);
    // Nor does the next key wait: here no name is free for it.
    world.names_fail = true;
    assert!(step(&mut state, ("main", &domain()), &plan, now, &mut world).is_err());
    world.hook_fails = false;
    step(&mut state, ("main", &domain()), &plan, now, &mut world).unwrap();
    // The old one goes on to its end, and then that is told.
    world.now += 100 * DAY;
    let now = world.now;
    let mut go = || step(&mut state, ("main", &domain()), &plan, now, &mut world).map(|_| ());
    assert!((0..9).any(|_| go().is_err()));
    assert_eq!(state.keys.len(), 1);
    assert_eq!(world.saved.keys[0].phase, Phase::Revoked);
    world.take_away(&stolen);
    let mut go = || step(&mut state, ("main", &domain()), &plan, now, &mut world).map(|_| ());
    assert!(go().is_ok() && go().is_err());
    assert_eq!(state.keys[0].phase, Phase::Removed);
}

/// Nobody is told to look again in months for what a person has to do now.
#[test]
fn what_is_up_to_others_has_no_time() {
    let mut world = World { by_hand: true, ..world() };
    live(&mut world, 97, || None);
    let mut state = world.saved.clone();
    world.now += 10 * DAY;
    let (now, plan) = (world.now, Plan::default());
    world.asked.clear();
    world.records.insert("202401".to_owned(), Shown::Key);
    for key in state.keys.iter_mut().filter(|key| key.selector.as_str() == "202401") {
        key.phase = Phase::Retiring;
    }
    let waits = step(&mut state, ("main", &domain()), &plan, now, &mut world).unwrap();
    let Progress::Waiting { what, until } = waits else { panic!("{waits:?}") };
    assert!(what.contains("the next key is not due") && what.contains("publish it"), "{what}");
    assert_eq!(until, None);
}

#[test]
fn a_key_is_taken_over_with_its_own_file() {
    let mut state = RotationState::default();
    let named = NamedKey { selector: "old".parse().unwrap(), file: "%.pem".into() };
    let old = (KeyKind::Rsa2048, "digest".to_owned());
    assert!(state.take_over(("main", &domain()), old, &named, UnixTime(1)));
    assert_eq!(state.keys[0].file, Path::new("example.com.pem"));
    assert_eq!(state.keys[0].public_sha256.as_deref(), Some("digest"));
}

/// Whose name nobody signs by yet has nobody to be told.
#[test]
fn a_hook_that_fails_keeps_no_first_key() {
    let mut world = world();
    let mut state = RotationState::default();
    let mut plan = Plan::default();
    plan.every = 10 * DAY;
    world.hook_fails = true;
    for name in ["main", "second"] {
        while state.active(name).is_none() {
            // While it waits for something it tells of the hook.
            let _ = step(&mut state, (name, &domain()), &plan, world.now, &mut world);
            world.now += 60 * 60;
        }
    }
    // None that signs is followed by another before that was told.
    world.now += 30 * DAY;
    let selectors: Vec<_> = state.keys.iter().map(|key| key.selector.clone()).collect();
    for name in ["main", "second"] {
        assert!(step(&mut state, (name, &domain()), &plan, world.now, &mut world).is_err());
    }
    assert!(state.keys.iter().map(|key| &key.selector).eq(&selectors));
    world.hook_fails = false;
    let told = step(&mut state, ("second", &domain()), &plan, world.now, &mut world).unwrap();
    assert_eq!(told, Progress::Told);
    let next = step(&mut state, ("second", &domain()), &plan, world.now, &mut world).unwrap();
    assert!(matches!(next, Progress::Moved { phase: Phase::Planned, .. }));
}

/// Until the hook has run, signers go on with the old key: its mail counts from then.
#[test]
fn a_hook_that_comes_late_holds_the_old_key() {
    let mut world = world();
    live(&mut world, 80, || None);
    let mut state = world.saved.clone();
    let old = state.active("main").unwrap().selector.to_string();
    let plan = Plan::default();
    let go = |state: &mut RotationState, world: &mut World| {
        step(state, ("main", &domain()), &plan, world.now, world)
    };
    world.now += 11 * DAY;
    while state.active("main").unwrap().selector.as_str() == old {
        go(&mut state, &mut world).unwrap();
        world.now += 60 * 60;
    }
    // The hook fails for six days, and eight more: nothing is revoked.
    world.hook_fails = true;
    for _ in 0..14 {
        world.now += DAY;
        assert!(go(&mut state, &mut world).is_err());
    }
    assert_eq!(world.records.get(&old), Some(&Shown::Key));
    world.hook_fails = false;
    assert_eq!(go(&mut state, &mut world).unwrap(), Progress::Told);
    world.now += 6 * DAY;
    assert!(matches!(go(&mut state, &mut world).unwrap(), Progress::Waiting { .. }));
    assert_eq!(world.records.get(&old), Some(&Shown::Key));
    world.now += DAY;
    // The server takes it, then shows it.
    go(&mut state, &mut world).unwrap();
    go(&mut state, &mut world).unwrap();
    assert_eq!(world.records.get(&old), Some(&Shown::Revoked));
}

/// Its record is also that of mail which another key signs, or has just signed.
#[test]
fn a_record_that_another_key_needs_stays() {
    let mut world = world();
    live(&mut world, 93, || None);
    assert_eq!(world.saved.keys[0].phase, Phase::Retiring);
    let is_shown = |world: &World| world.records.get("202401") == Some(&Shown::Key);
    world.sharer = Some(Sharer::Signs("keys.other signs".to_owned()));
    assert_eq!(live(&mut world, 30, || None), ["202401 retiring"]);
    assert!(is_shown(&world) && world.saved.keys[0].shared);
    let (mut state, now) = (world.saved.clone(), world.now);
    let waits = step(&mut state, ("main", &domain()), &Plan::default(), now, &mut world).unwrap();
    let Progress::Waiting { what, until: None } = waits else { panic!("{waits:?}") };
    assert!(what.contains("not revoked: keys.other signs"), "{what}");
    // Its last mail was signed a moment ago.
    world.sharer = None;
    assert_eq!(live(&mut world, 7, || None), ["202401 retiring"]);
    assert!(is_shown(&world) && !world.saved.keys[0].shared);
    // One that is known to have stopped.
    let (what, until) = ("keys.other signed".to_owned(), UnixTime(world.now + 3 * DAY));
    world.sharer = Some(Sharer::Signed { what, until });
    assert_eq!(live(&mut world, 3, || None), [""; 0]);
    assert!(is_shown(&world));
    assert_eq!(live(&mut world, 1, || None), ["202401 revoked"]);
}

/// What is done by a clock that is behind would be long ago as soon as it is set.
#[test]
fn a_clock_that_is_behind_is_told_and_shortens_nothing() {
    let mut world = world();
    live(&mut world, 89, || None);
    world.now += 2 * DAY;
    let mut state = world.saved.clone();
    let plan = Plan::default();
    let go = |state: &mut RotationState, world: &mut World, now: u64| {
        step(state, ("main", &domain()), &plan, now, world)
    };
    let newest = world.now;
    go(&mut state, &mut world, newest).unwrap();
    let before = state.clone();
    let refused = go(&mut state, &mut world, newest - 1);
    let Err(RotationError::ClockBehind { now, newest: told }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((now, told), (UnixTime(newest - 1), UnixTime(newest)));
    assert_eq!((&state, &world.saved), (&before, &before));
    // Nor does whoever signs go on with a key that retires.
    let mut untold = state.clone();
    untold.hook_pending = true;
    assert_eq!(go(&mut untold, &mut world, 1).unwrap(), Progress::Told);
    // What waits for nothing does not wait for the clock, and leaves no time that is too early.
    let times = |state: &RotationState| -> Vec<u64> {
        state.keys.iter().flat_map(|key| &key.history).map(|step| step.at.0).collect()
    };
    let mut taken_back = state.clone();
    abort(&mut taken_back, "main", 1, &mut world).unwrap();
    revoke(&mut state, ("main", "202401"), &plan, 1, &mut world).unwrap();
    state.told(UnixTime(1));
    go(&mut state, &mut world, 1).unwrap();
    go(&mut state, &mut world, 1).unwrap();
    assert_eq!(world.records.get("202401"), Some(&Shown::Revoked));
    for after in [taken_back, state] {
        assert!(times(&after).len() > times(&before).len());
        assert!(times(&after).iter().all(|at| *at == newest || times(&before).contains(at)));
    }
}

/// What is in other hands is revoked, whoever signs by its name.
#[test]
fn a_key_in_other_hands_is_revoked_whoever_shares_its_record() {
    let mut world = world();
    world.sharer = Some(Sharer::Signs("keys.other signs".to_owned()));
    live(&mut world, 93, || None);
    let (mut state, now) = (world.saved.clone(), world.now);
    assert!(state.keys[0].shared);
    for _ in 0..2 {
        revoke(&mut state, ("main", "202401"), &Plan::default(), now, &mut world).unwrap();
    }
    assert_eq!(world.records.get("202401"), Some(&Shown::Revoked));
}

const CONFIG: &str = r#"
[keys.main]
domain = "example.com"
selector = "old"
file = "old.pem"
rotate = { kind = "ed25519", every = 864000 }

[[rules]]
from = ["*"]
keys = ["main"]
"#;

fn signing(config: &Config) -> Option<(String, String)> {
    let chosen = config.select(&Mail::new("joe", "example.com")).chosen;
    let chosen = chosen.first()?;
    Some((chosen.selector.as_str().to_owned(), chosen.file.display().to_string()))
}

/// The state says which key signs; a key that signed before there was a plan does so until another
/// takes over.
#[test]
fn a_configuration_follows_the_state() {
    let mut config = Config::parse(CONFIG).unwrap();
    let old = Some(("old".to_owned(), "old.pem".to_owned()));
    assert_eq!(signing(&config), old);
    assert_eq!(Config::parse(&config.to_toml().unwrap()).unwrap(), config);
    let plan = config.rotated().next().unwrap().2.clone();
    let mut world = world();
    let mut state = RotationState::default();
    let named = NamedKey { selector: "old".parse().unwrap(), file: "old.pem".into() };
    let main = ("main", &domain());
    assert!(state.take_over(main, (KeyKind::Rsa2048, String::new()), &named, UnixTime(world.now)));
    assert!(!state.take_over(main, (KeyKind::Rsa2048, String::new()), &named, UnixTime(world.now)));
    let mut seen = Vec::new();
    for _ in 0..1000 {
        step(&mut state, main, &plan, world.now, &mut world).unwrap();
        config.follow(&state);
        let signs = signing(&config).unwrap();
        if seen.last() != Some(&signs) {
            seen.push(signs);
        }
        if seen.len() == 3 {
            break;
        }
        world.now += 60 * 60;
    }
    let selectors: Vec<&str> = seen.iter().map(|(selector, _)| &**selector).collect();
    assert_eq!(selectors, ["old", "202401", "202401b"]);
    assert_eq!(seen[1].1, "202401._domainkey.example.com.pem");
    // After the last one is revoked nobody signs, least of all the first one.
    let now = world.now;
    revoke(&mut state, ("main", "202401b"), &plan, now, &mut world).unwrap();
    config.follow(&state);
    assert_eq!(signing(&config), None);
}

/// One by one they are taken by others; the thirty-first is the last that is tried.
#[test]
fn thirty_names_in_use_are_passed_over() {
    let mut world = world();
    let begin = |world: &mut World| {
        let mut state = RotationState::default();
        let now = world.now;
        let begun = step(&mut state, ("main", &domain()), &Plan::default(), now, world);
        begun.map(|_| state.successor("main").unwrap().selector.clone())
    };
    for _ in 0..=30 {
        let selector = begin(&mut world).unwrap();
        world.in_use.insert(selector.to_string());
    }
    assert!(matches!(begin(&mut world), Err(RotationError::NoneFree(_))));
}

#[test]
fn keys_are_fixed_or_change() {
    for (key, is) in [
        ("domain = 'example.com'\nrotate = {}", true),
        ("domain = 'example.com'\nrotate = { negative-ttl = 60, ttl = 60 }", true),
        ("domain = 'example.com'", false),
        ("domain = 'example.com'\nselector = 's'", false),
        ("domain = 'example.com'\nfile = 's'\nrotate = {}", false),
        ("domain = '%'\nrotate = {}", false),
        ("domain = 'example.com'\nrotate = { kind = 'rsa1024' }", false),
        ("domain = 'example.com'\nrotate = { evry = 1 }", false),
        ("domain = 'example.com'\nrotate = { every = 0 }", false),
        ("domain = 'example.com'\nrotate = { ttl = 2147483647 }", true),
        ("domain = 'example.com'\nrotate = { ttl = 2147483648 }", false),
        ("domain = 'example.com'\nrotate = { selector = '{hour}' }", false),
    ] {
        let config = Config::parse(&format!("[keys.main]\n{key}\n"));
        assert_eq!(config.is_ok(), is, "{key}: {config:?}");
    }
    // Each of the two names fits, and the record of the key does not.
    let long = format!("{}.example", ["a".repeat(63), "b".repeat(63), "c".repeat(63)].join("."));
    for (selector, is) in [("d".repeat(253 - long.len() - 12), true), ("d".repeat(63), false)] {
        let config = Config::parse(&format!(
            "[keys.main]\ndomain = '{long}'\nselector = '{selector}'\nfile = 'x'\n"
        ));
        assert_eq!(config.is_ok(), is, "{config:?}");
    }
    for (server, is) in [("192.0.2.1", true), ("[::1]:5353", true), ("ns.example", false)] {
        let config = Config::parse(&format!("[rotation]\nserver = '{server}'\n"));
        assert_eq!(config.is_ok(), is, "{server}");
    }
}

/// What should have moved on more than a day ago is told.
#[test]
fn who_stands_too_long_is_told() {
    let mut config = Config::parse(CONFIG).unwrap();
    let mut world = world();
    let mut state = RotationState::default();
    let named = NamedKey { selector: "old".parse().unwrap(), file: "old.pem".into() };
    let main = ("main", &domain());
    state.take_over(main, (KeyKind::Ed25519, String::new()), &named, UnixTime(world.now));
    let codes = |config: &Config, state: &RotationState, now| {
        let findings = check_rotation(config, state, now);
        findings.iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    let plan = config.rotated().next().unwrap().2.clone();
    assert_eq!(codes(&config, &state, world.now + 11 * DAY), [""; 0]);
    assert_eq!(codes(&config, &state, world.now + 11 * DAY + 1), ["rotation-overdue"]);
    world.now += 10 * DAY;
    step(&mut state, main, &plan, world.now, &mut world).unwrap();
    assert_eq!(codes(&config, &state, world.now + DAY), [""; 0]);
    assert_eq!(codes(&config, &state, world.now + DAY + 1), ["rotation-stuck"]);
    while !state.hook_pending {
        step(&mut state, main, &plan, world.now, &mut world).unwrap();
        world.now += 60 * 60;
    }
    assert_eq!(codes(&config, &state, world.now), ["rotation-not-told"]);
    step(&mut state, main, &plan, world.now, &mut world).unwrap();
    assert_eq!(codes(&config, &state, world.now + 8 * DAY), [""; 0]);
    assert_eq!(codes(&config, &state, world.now + 8 * DAY + 1), ["rotation-stuck"]);
    config.keys.clear();
    assert_eq!(codes(&config, &state, world.now), ["rotation-forgotten"; 2]);
}

#[test]
fn a_state_that_cannot_be_read_is_an_error() {
    // What was emptied, or cut, is not taken for a state in which nothing has been done.
    let cut = ["", "\n", "# mine\n", "keys = []\n", "hook_pending = false\n"];
    let bad = ["keys = 1", "[[keys]]\nname = \"x\"\n", "{", "nonsense = true"];
    for bad in cut.into_iter().chain(bad) {
        assert!(RotationState::parse(bad).is_err(), "{bad}");
    }
    let first = RotationState::default();
    assert_eq!(RotationState::parse(&first.to_toml().unwrap()), Ok(first));
    // By what else could be told whether its file still holds it?
    for (phase, is_read) in [
        ("planned", true),
        ("new", false),
        ("active", false),
        ("retiring", false),
        ("revoked", true),
        ("removed", true),
    ] {
        let state = format!(
            "hook_pending = false\n[[keys]]\nname = 'main'\ndomain = 'example.com'\n\
             selector = 's'\nkind = 'ed25519'\nfile = 'f'\nphase = '{phase}'\nhistory = []\n"
        );
        assert_eq!(RotationState::parse(&state).is_ok(), is_read, "{phase}");
    }
}

/// What was begun and has to wait is done by whoever comes next, with no more said.
#[test]
fn what_was_begun_is_finished() {
    let plan = Plan::default();
    let mut world = world();
    live(&mut world, 10, || None);
    let mut state = world.saved.clone();
    let stolen = state.active("main").unwrap().selector.to_string();
    let now = world.now;
    // The second call publishes, and a server does not show it yet.
    for _ in 0..2 {
        revoke(&mut state, ("main", &stolen), &Plan::default(), now, &mut world).unwrap();
    }
    assert_eq!(state.keys[0].phase, Phase::Retiring);
    let mut steps = 0;
    while state.keys[0].phase != Phase::Revoked && steps < 20 {
        step(&mut state, ("main", &domain()), &plan, now, &mut world).unwrap();
        steps += 1;
    }
    assert_eq!(state.keys[0].phase, Phase::Revoked);
    assert!(!world.files.contains_key(&stolen));

    // So is a key that was taken back: it is not put to work, and is shown to nobody as revoked.
    while state.successor("main").is_none() {
        step(&mut state, ("main", &domain()), &plan, now, &mut world).unwrap();
    }
    let next = state.successor("main").unwrap().selector.clone();
    abort(&mut state, "main", now, &mut world).unwrap();
    for _ in 0..40 {
        step(&mut state, ("main", &domain()), &plan, now, &mut world).unwrap();
    }
    let key = state.keys.iter().find(|key| key.selector == next).unwrap();
    assert_eq!(key.phase, Phase::Removed);
    assert!(!key.history.iter().any(|transition| transition.phase == Phase::Active));
}

fn revealing() -> Plan {
    let mut plan = Plan::default();
    plan.reveal = Some("open".into());
    plan
}

/// Only when its record is gone everywhere, and for as long as mail may be on its way.
#[test]
fn a_private_key_is_revealed_when_nothing_depends_on_it() {
    for by_hand in [false, true] {
        let mut world = World { by_hand, plan: revealing(), ..world() };
        live(&mut world, 130, || None);
        let first = |world: &World| world.saved.keys[0].clone();
        assert_eq!((first(&world).phase, first(&world).kept), (Phase::Removed, true));
        assert!(world.revealed.is_empty() && world.files.contains_key("202401"));
        // Somebody publishes it again, and it is remembered anew.
        world.records.insert("202401".to_owned(), Shown::Key);
        let steps = live(&mut world, 5, || None);
        assert_eq!(steps, ["202401 revoked", "202401 removed"]);
        assert!(world.revealed.is_empty() && !world.records.contains_key("202401"));
        let steps = live(&mut world, 8, || None);
        assert_eq!(steps, ["202401 revealed", "202401 revealed"]);
        assert!(first(&world).is_gone());
        assert_eq!(world.revealed.iter().collect::<Vec<_>>(), ["202401"]);
        assert_eq!(world.files.keys().collect::<Vec<_>>(), ["202403"]);
        let evidence = &first(&world).history[first(&world).history.len() - 2].evidence;
        assert_eq!(evidence, "in open; its record no server shows it");
        // One that never signed has nothing to deny.
        let (mut state, now) = (world.saved.clone(), world.now + 90 * DAY);
        step(&mut state, ("main", &domain()), &revealing(), now, &mut world).unwrap();
        abort(&mut state, "main", now, &mut world).unwrap();
        assert!(!state.keys.last().unwrap().kept);
    }
}

#[test]
fn whoever_is_stopped_goes_on_to_reveal() {
    let mut before = World { plan: revealing(), ..world() };
    live(&mut before, 96, || None);
    let again = |before: &World| World {
        now: before.now,
        records: before.records.clone(),
        files: before.files.clone(),
        mail: before.mail.clone(),
        saved: before.saved.clone(),
        plan: before.plan.clone(),
        ..World::default()
    };
    for at in 0..60 {
        let mut world = again(&before);
        let mut first = Some(at);
        live(&mut world, 45, || first.take());
        assert_eq!(world.revealed.iter().collect::<Vec<_>>(), ["202401"], "{at}");
        assert_eq!(world.files.keys().collect::<Vec<_>>(), ["202403"], "{at}");
        assert!(world.saved.keys[0].is_gone());
    }
    for seed in 1..60_u32 {
        let mut world = again(&before);
        let mut random = seed;
        live(&mut world, 60, || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(random >> 28)
        });
        assert_eq!(world.revealed.iter().collect::<Vec<_>>(), ["202401"], "{seed}");
    }
}

/// What was kept is deleted when nobody wants it any more, and nothing is revealed that was deleted.
#[test]
fn a_plan_may_change_its_mind_about_revealing() {
    for days in [100, 130] {
        let mut world = World { plan: revealing(), ..world() };
        live(&mut world, days, || None);
        assert!(world.files.contains_key("202401"));
        world.plan = Plan::default();
        live(&mut world, 60, || None);
        assert!(!world.files.contains_key("202401") && world.revealed.is_empty());
        assert!(world.saved.keys[0].is_gone());
    }
    let mut world = world();
    live(&mut world, 100, || None);
    world.plan = revealing();
    live(&mut world, 60, || None);
    assert!(world.revealed.is_empty() && world.saved.keys[0].is_gone());
}

/// Who has it in a token is told, and the rotation goes on.
#[test]
fn a_key_in_a_token_is_left_to_a_person() {
    for plan in [Plan::default(), revealing()] {
        let mut world = World { plan, ..world() };
        let named =
            NamedKey { selector: "old".parse().unwrap(), file: "pkcs11:token=t;object=old".into() };
        let old = (KeyKind::Rsa2048, String::new());
        world.saved.take_over(("main", &domain()), old, &named, UnixTime(world.now));
        world.records.insert("old".to_owned(), Shown::Key);
        world.files.insert("old".to_owned(), String::new());
        live(&mut world, 140, || None);
        let old = &world.saved.keys[0];
        assert!(old.is_gone() && world.revealed.is_empty());
        let told: Vec<&str> = old
            .history
            .iter()
            .filter(|step| step.evidence.ends_with("destroy it in the token"))
            .map(|step| step.phase.name())
            .collect();
        assert_eq!(told, ["revoked", "removed"]);
    }
}

/// The keys of a name are of one domain; what signs is never one of another.
#[test]
fn a_domain_that_was_changed_under_its_keys_is_told() {
    let mut world = world();
    live(&mut world, 10, || None);
    let other = DomainName::parse("example.org").unwrap();
    let mut state = world.saved.clone();
    let step = |state: &mut RotationState, world: &mut World| {
        let now = world.now + 90 * DAY;
        step(state, ("main", &other), &Plan::default(), now, world)
    };
    let refused = step(&mut state, &mut world);
    assert!(matches!(&refused, Err(RotationError::OtherDomain { key, .. })
        if key.domain == domain()));
    let mut config = Config::parse(&CONFIG.replace("example.com", "example.org")).unwrap();
    config.follow(&state);
    assert_eq!(config.keys["main"].other_domain(), Some(&domain()));
    assert_eq!(signing(&config), None);
    let mut same = Config::parse(&CONFIG.replace("example.com", "Example.COM")).unwrap();
    same.follow(&state);
    assert_eq!(same.keys["main"].other_domain(), None);
    assert!(signing(&same).is_some());
    // Those that are gone are in nobody's way.
    state.keys[0].phase = Phase::Removed;
    config.follow(&state);
    assert_eq!(config.keys["main"].other_domain(), None);
    assert!(step(&mut state, &mut world).is_ok());
}
