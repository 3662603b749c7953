//! A whole rotation against a world that can be stopped at any point.
#![allow(clippy::unwrap_used)]

mod world;

use std::path::Path;

use dkim_keys::{
    Done, Hands, KeyKind, NamedKey, Phase, Plan, Progress, RotatedKey, RotationError,
    RotationState, Sharer,
};
use dkim_tags::{DomainName, Selector, UnixTime};
use world::{DAY, Shown, Stopped, World, abort, domain, live, revoke, step, world};

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
