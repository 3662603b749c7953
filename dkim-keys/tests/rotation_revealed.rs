//! Private keys that are revealed, or left, when they sign no more.
#![allow(clippy::unwrap_used)]

mod world;

use dkim_keys::{KeyKind, NamedKey, Phase, Plan};
use dkim_tags::UnixTime;
use world::{DAY, Shown, World, abort, domain, live, step, world};

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
