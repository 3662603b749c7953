//! What a configuration says of keys that change, and a state of where they stand.
#![allow(clippy::unwrap_used)]

mod world;

use dkim_keys::{Config, KeyKind, Mail, NamedKey, Phase, Plan, RotationError, RotationState};
use dkim_tags::{DomainName, UnixTime};
use world::{DAY, World, check_rotation, domain, live, revoke, step, world};

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
