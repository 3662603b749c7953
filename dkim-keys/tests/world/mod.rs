//! A world in which keys change, and which can be stopped at any point: at no moment does a key sign
//! whose record is not shown, and no record goes while mail that needs it may be on its way.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dkim_keys::{
    Config, Done, Finding, Hands, Phase, Plan, Progress, RotatedKey, RotationError, RotationState,
    Sharer, is_in_token,
};
use dkim_tags::{DomainName, Selector, UnixTime};

pub const DAY: u64 = 24 * 60 * 60;

pub fn step<H: Hands>(
    state: &mut RotationState,
    name: (&str, &DomainName),
    plan: &Plan,
    now: u64,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    dkim_keys::step(state, name, plan, UnixTime(now), hands)
}

pub fn abort<H: Hands>(
    state: &mut RotationState,
    name: &str,
    now: u64,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    dkim_keys::abort(state, name, UnixTime(now), hands)
}

pub fn revoke<H: Hands>(
    state: &mut RotationState,
    (name, selector): (&str, &str),
    plan: &Plan,
    now: u64,
    hands: &mut H,
) -> Result<Progress, RotationError<H::Error>> {
    dkim_keys::revoke(state, (name, &selector.parse().unwrap()), plan, UnixTime(now), hands)
}

pub fn check_rotation(config: &Config, state: &RotationState, now: u64) -> Vec<Finding> {
    dkim_keys::check_rotation(config, state, UnixTime(now))
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Key,
    Revoked,
}

#[derive(Debug, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

/// The DNS, the disk, and somebody who pulls the plug.
#[derive(Default)]
pub struct World {
    pub now: u64,
    pub records: BTreeMap<String, Shown>,
    /// What a record is going to be, when somebody has done what was asked for.
    pub asked: BTreeMap<String, Option<Shown>>,
    pub by_hand: bool,
    /// By selector, the key that is in its file.
    pub files: BTreeMap<String, String>,
    /// How many keys were made.
    pub made: u32,
    /// What everybody can read.
    pub revealed: BTreeSet<String>,
    /// Since when there is no record any more.
    pub gone_since: BTreeMap<String, u64>,
    pub plan: Plan,
    /// Selectors of others.
    pub in_use: BTreeSet<String>,
    pub saved: RotationState,
    pub hooks: u32,
    /// Until when mail signed with a selector may be on its way.
    pub mail: BTreeMap<String, u64>,
    /// How many things can still be done before the plug is pulled.
    pub left: Option<u32>,
    pub hook_fails: bool,
    pub names_fail: bool,
    pub sharer: Option<Sharer>,
}

impl World {
    /// Does something, or stops before it or right after it.
    pub fn act<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> Result<T, Stopped> {
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

    pub fn show(&mut self, selector: &str, shown: Option<Shown>) -> Done {
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
    pub fn help(&mut self) {
        for (selector, shown) in std::mem::take(&mut self.asked) {
            match shown {
                Some(shown) => self.records.insert(selector, shown),
                None => self.take_away(&selector),
            };
        }
    }

    pub fn take_away(&mut self, selector: &str) -> Option<Shown> {
        self.gone_since.insert(selector.to_owned(), self.now);
        self.records.remove(selector)
    }

    /// What signs now signs mail, which is on its way for six days.
    pub fn sign(&mut self) {
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

pub fn domain() -> DomainName {
    DomainName::parse("example.com").unwrap()
}

/// Takes steps for so many days, a look every six hours, beginning again from what was saved
/// whenever it is stopped.
pub fn live(world: &mut World, days: u64, mut stops: impl FnMut() -> Option<u32>) -> Vec<String> {
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

pub fn world() -> World {
    // 2024-01-01.
    World { now: 1_704_067_200, ..World::default() }
}
