//! A whole rotation against a world that can be stopped at any point: at no moment does a key sign
//! whose record is not shown, and no record goes while mail that needs it may be on its way.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use dkim_keys::{
    Done, Hands, Phase, Plan, Progress, RotatedKey, RotationError, RotationState, abort, revoke,
    step,
};
use dkim_tags::DomainName;

const DAY: u64 = 24 * 60 * 60;

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
    files: BTreeSet<String>,
    saved: RotationState,
    hooks: u32,
    /// Until when mail signed with a selector may be on its way.
    mail: BTreeMap<String, u64>,
    /// How many things can still be done before the plug is pulled.
    left: Option<u32>,
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
            None => self.records.remove(selector),
        };
        Done::NotYet("a server does not show it yet".to_owned())
    }

    /// Somebody does what was asked for.
    fn help(&mut self) {
        for (selector, shown) in std::mem::take(&mut self.asked) {
            match shown {
                Some(shown) => self.records.insert(selector, shown),
                None => self.records.remove(&selector),
            };
        }
    }

    /// What signs now signs mail, which is on its way for six days.
    fn sign(&mut self) {
        let signing: Vec<String> = self
            .saved
            .keys
            .iter()
            .filter(|key| key.phase == Phase::Active)
            .map(|key| key.selector.clone())
            .collect();
        assert!(signing.len() <= 1, "{signing:?}");
        for selector in signing {
            assert_eq!(self.records.get(&selector), Some(&Shown::Key), "{selector} signs");
            assert!(self.files.contains(&selector), "{selector} has no file");
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

    fn make_key(&mut self, key: &RotatedKey) -> Result<(), Stopped> {
        self.act(|world| {
            world.files.insert(key.selector.clone());
        })
    }

    fn publish(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
        assert!(self.files.contains(&key.selector));
        self.act(|world| world.show(&key.selector, Some(Shown::Key)))
    }

    fn publish_revocation(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
        self.act(|world| world.show(&key.selector, Some(Shown::Revoked)))
    }

    fn withdraw(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
        self.act(|world| world.show(&key.selector, None))
    }

    fn prove(&mut self, key: &RotatedKey) -> Result<Done, Stopped> {
        self.act(|world| match world.records.get(&key.selector) {
            Some(Shown::Key) => Done::Seen("pass".to_owned()),
            _ => Done::NotYet("fail".to_owned()),
        })
    }

    fn bury(&mut self, key: &RotatedKey) -> Result<(), Stopped> {
        self.act(|world| {
            world.files.remove(&key.selector);
        })
    }

    fn hook(&mut self) -> Result<(), Stopped> {
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
            match step(&mut state, ("main", &domain()), &Plan::default(), world.now, world) {
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
        assert_eq!(world.files.iter().collect::<Vec<_>>(), ["202403"]);
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
            state.keys.iter().map(|key| (key.selector.clone(), key.phase)).collect()
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
    let next = state.successor("main").map(|key| key.selector.clone());
    // By then the next key may sign already; if so, there is nothing to take back.
    if next.is_none() {
        world.now += 90 * DAY;
        step(&mut state, ("main", &domain()), &Plan::default(), world.now, &mut world).unwrap();
    }
    let taken_back = state.successor("main").unwrap().selector.clone();
    let now = world.now;
    while state.successor("main").is_some() {
        abort(&mut state, "main", now, &mut world).unwrap();
    }
    assert!(!world.files.contains(&taken_back) && !world.records.contains_key(&taken_back));
    let again = step(&mut state, ("main", &domain()), &Plan::default(), now, &mut world).unwrap();
    let Progress::Moved { selector, .. } = again else { panic!("{again:?}") };
    assert_ne!(selector, taken_back);
    assert!(abort(&mut RotationState::default(), "main", now, &mut world).is_err());
}

#[test]
fn a_key_in_other_hands_is_revoked_at_once() {
    let mut world = world();
    live(&mut world, 10, || None);
    let mut state = world.saved.clone();
    let stolen = state.active("main").unwrap().selector.clone();
    let now = world.now;
    for _ in 0..5 {
        if world.records.get(&stolen) == Some(&Shown::Revoked) && state.active("main").is_none() {
            break;
        }
        revoke(&mut state, "main", now, &mut world).unwrap();
    }
    assert_eq!(world.records.get(&stolen), Some(&Shown::Revoked));
    // Nothing signs with it any more, and a new one is on its way.
    assert!(state.active("main").is_none() && state.hook_pending);
    step(&mut state, ("main", &domain()), &Plan::default(), now, &mut world).unwrap();
    step(&mut state, ("main", &domain()), &Plan::default(), now, &mut world).unwrap();
    assert!(state.successor("main").is_some());
    assert!(revoke(&mut RotationState::default(), "main", now, &mut world).is_err());
}

#[test]
fn a_state_that_cannot_be_read_is_an_error() {
    for bad in ["keys = 1", "[[keys]]\nname = \"x\"\n", "{", "nonsense = true"] {
        assert!(RotationState::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(RotationState::parse(""), Ok(RotationState::default()));
}
