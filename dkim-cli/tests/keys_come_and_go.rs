//! Keys that change by a plan, published through a name server on the loopback interface: at no moment
//! does a key sign that does not verify.
#![allow(clippy::unwrap_used)]

mod command;
mod desk;
mod primary;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use command::{run, text};
use desk::{Desk, ED25519, MESSAGE, PLAN, dkim};
use dkim_keys::StateFile;

#[test]
fn keys_follow_one_another() {
    let desk =
        Desk::new("server = SERVER\nhook = ['touch', 'HOOK']", &format!("rotate = {{ {PLAN} }}"));
    // The hook leaves a trace.
    let (hook, config) = (desk.path("hook"), fs::read_to_string(&desk.config).unwrap());
    fs::write(&desk.config, config.replace("HOOK", hook.to_str().unwrap())).unwrap();
    assert_eq!(desk.sign(), None);
    assert_eq!(desk.dkim(&["rotate", "status"]).0, 1);
    let (_, said) = desk.dkim(&["config", "which", "--from", "joe@example.com"]);
    assert!(said.contains("no key signs by this name yet, or any more"), "{said}");
    // Step after step, a message signed between any two.
    let mut signed = Vec::new();
    while !signed.contains(&"k3".to_owned()) {
        let (code, said) = desk.dkim(&["rotate", "step"]);
        assert_eq!(code, 0, "{said}");
        if let Some(selector) = desk.sign().filter(|selector| signed.last() != Some(selector)) {
            signed.push(selector);
        }
        if said.contains("waits") {
            thread::sleep(Duration::from_millis(200));
        }
    }
    assert_eq!(signed, ["k1", "k2", "k3"]);
    assert!(hook.exists());
    // Those before go, with their files.
    desk.dkim(&["rotate", "run"]);
    assert!(!desk.path("k1._domainkey.example.com.pem").exists());
    assert!(!desk.server.names().contains(&"k1._domainkey.example.com".to_owned()));
    let (_, said) = desk.dkim(&["rotate", "status", "--history"]);
    for phase in ["published", "proven", "active", "retiring", "revoked", "removed"] {
        assert!(said.contains(&format!("{phase}: ")), "{phase}: {said}");
    }
    let (_, plan) = desk.dkim(&["rotate", "plan", "--json"]);
    assert!(plan.contains("\"phase\":\"active\""), "{plan}");
}

/// Killed at one moment after another, in the middle of whatever it was doing.
#[test]
fn whoever_is_killed_goes_on() {
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {PLAN} }}"));
    let mut signed = Vec::new();
    let mut delay = 0;
    while !signed.contains(&"k2".to_owned()) {
        desk.step_killed_after(&mut delay);
        if let Some(selector) = desk.sign().filter(|selector| signed.last() != Some(selector)) {
            signed.push(selector);
        }
    }
    assert_eq!(signed, ["k1", "k2"]);
}

#[test]
fn a_person_publishes_what_is_asked_for() {
    let desk = Desk::new("", &format!("rotate = {{ {PLAN} }}"));
    let (code, said) = desk.dkim(&["rotate", "run"]);
    assert_eq!(code, 1, "{said}");
    let (_, record) = said.split_once("the TXT record `").unwrap();
    let name = "k1._domainkey.example.com";
    desk.server.publish(name, "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 1);
    assert_eq!(desk.sign(), None);
    desk.server.publish(name, record.split('`').next().unwrap());
    assert_eq!(desk.dkim(&["rotate", "step"]).0, 0);
    assert_eq!(desk.server.updates(), 0);
    // And takes back what is not wanted any more.
    let (code, said) = desk.dkim(&["rotate", "abort"]);
    assert!(code == 1 && said.contains("take the TXT record of k1._domainkey"), "{said}");
    desk.server.withdraw(name);
    assert_eq!(desk.dkim(&["rotate", "abort"]).0, 0);
    assert!(!desk.path("k1._domainkey.example.com.pem").exists());
}

#[test]
fn a_key_that_signed_before_is_taken_over() {
    let key = format!("selector = 'old'\nfile = 'old.pem'\nrotate = {{ {PLAN} }}");
    let desk = Desk::new("server = SERVER", &key);
    let address = desk.server.address.to_string();
    fs::copy(Path::new(command::DATA).join("keys/ed25519.pem"), desk.path("old.pem")).unwrap();
    let (key, server) = (desk.path("old.pem"), ["--server", &address]);
    let publish = ["key", "publish", "--domain", "example.com", "--selector", "old", "--key"];
    assert_eq!(dkim(&[&publish[..], &[key.to_str().unwrap()], &server].concat()).0, 0);
    assert_eq!(desk.sign().as_deref(), Some("old"));
    // What somebody else has under a name that the template makes is let be.
    desk.server.publish("k1._domainkey.example.com", "v=DKIM1; p=");
    while desk.sign().as_deref() == Some("old") {
        assert_eq!(desk.dkim(&["rotate", "step"]).0, 0);
    }
    assert_eq!(desk.sign().as_deref(), Some("k2"));
    assert_eq!(desk.server.text("k1._domainkey.example.com").as_deref(), Some("v=DKIM1; p="));
    // In other hands.
    let (code, said) = desk.dkim(&["key", "revoke", "--now", "--selector", "k2"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(desk.sign(), None);
    let revoked = desk.server.text("k2._domainkey.example.com");
    assert_eq!(revoked.as_deref(), Some("v=DKIM1; k=ed25519; p="));
    assert!(!desk.path("k2._domainkey.example.com.pem").exists());
    assert_eq!(desk.dkim(&["key", "revoke", "--now"]).0, 2);
    assert_eq!(desk.dkim(&["key", "revoke", "--now", "--selector", "k2"]).0, 2);
    let directory = desk.directory.path().to_str().unwrap();
    let (_, said) = desk.dkim(&["audit", "--keys", directory]);
    assert!(said.contains("no-signing-key"), "{said}");
}

#[test]
fn a_domain_that_was_changed_is_told() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    assert_eq!(desk.sign().as_deref(), Some("k1"));
    let before = fs::read_to_string(&desk.config).unwrap();
    fs::write(&desk.config, before.replace("= 'example.com'", "= 'example.org'")).unwrap();
    let state = desk.path("config.rotation.toml");
    let as_it_was = fs::read_to_string(&state).unwrap();
    for command in ["step", "run"] {
        let (code, said) = desk.dkim(&["rotate", command]);
        assert!(code == 65 && said.contains("is one of example.com"), "{said}");
        assert!(said.contains("remedy: put the old domain back"), "{said}");
    }
    assert_eq!(fs::read_to_string(&state).unwrap(), as_it_was);
    let directory = desk.directory.path().to_str().unwrap();
    for command in [&["config", "check"][..], &["audit", "--keys", directory]] {
        let (code, said) = desk.dkim(command);
        assert!(code == 1 && said.contains("domain-changed"), "{said}");
        assert!(!said.contains("no-signing-key"), "{said}");
    }
    let (_, said) = desk.dkim(&["config", "which", "--from", "joe@example.com"]);
    assert!(said.contains("its keys are of example.com"), "{said}");
    assert_eq!(desk.sign(), None);
    // A key in other hands is revoked nevertheless.
    let (code, said) = desk.dkim(&["key", "revoke", "--now", "--selector", "k1"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(desk.server.text("k1._domainkey.example.com").unwrap(), "v=DKIM1; k=ed25519; p=");
    // A domain is the same in capitals.
    fs::write(&desk.config, before.replace("= 'example.com'", "= 'EXAMPLE.com'")).unwrap();
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    assert_eq!(desk.sign().as_deref(), Some("k2"));
}

/// Killed at one moment after another: a private key is for all to read only when no server shows its
/// record, and then it is whole, and nowhere else.
#[test]
fn a_private_key_is_revealed_when_its_record_is_gone() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan}, reveal = 'open' }}"));
    let (file, name) = ("k1._domainkey.example.com.pem", "k1._domainkey.example.com");
    let (kept, open) = (desk.path(file), desk.path("open").join(file));
    let run = || desk.dkim(&["rotate", "run"]);
    let run_until = |done: &dyn Fn(&str) -> bool| {
        while !done(&run().1) {
            thread::sleep(Duration::from_millis(100));
        }
    };
    run();
    let private_key = fs::read_to_string(&kept).unwrap();
    let revoke = ["key", "revoke", "--now"];
    let (code, said) = desk.dkim(&revoke);
    assert!(code == 0 && said.contains("the private key is kept to be revealed"), "{said}");
    // Without the directory nothing is lost, and it is told.
    let (_, said) = desk.dkim(&["config", "check"]);
    assert!(said.contains("reveal-directory"), "{said}");
    run_until(&|said| said.contains("remedy: make the directory"));
    assert!(kept.exists() && desk.server.text(name).is_none());
    // The next one goes on meanwhile.
    assert_eq!(desk.sign().as_deref(), Some("k2"));
    assert_eq!(desk.dkim(&revoke).0, 0);
    run_until(&|_| desk.server.text(&name.replace("k1", "k2")).is_none());
    fs::create_dir(desk.path("open")).unwrap();
    // What somebody else has there is not touched.
    fs::write(&open, "precious").unwrap();
    run_until(&|said| said.contains("remedy: move what is there away"));
    assert_eq!(fs::read(&open).unwrap(), b"precious");
    fs::remove_file(&open).unwrap();
    // A record that came back goes first.
    desk.server.publish(name, "v=DKIM1; p=");
    while desk.server.text(name).is_some() {
        assert!(!open.exists());
        desk.dkim(&["rotate", "step"]);
    }
    assert!(!open.exists());
    let mut delay = 0;
    let history = || desk.dkim(&["rotate", "status", "--history"]).1;
    while !history().contains("it is nowhere else any more") {
        desk.step_killed_after(&mut delay);
        assert!(desk.server.text(name).is_none());
        if open.exists() {
            assert_eq!(fs::read_to_string(&open).unwrap(), private_key);
            assert_eq!(fs::metadata(&open).unwrap().permissions().mode() & 0o7777, 0o644);
        } else {
            assert!(kept.exists());
        }
    }
    assert!(open.exists() && !kept.exists());
    let said = history();
    assert!(said.contains("its record was there again: shown by"), "{said}");
    assert!(said.contains("for all to read; its record is not shown any more by"), "{said}");
}

#[test]
fn a_plan_tells_when_what_is_under_way_ends() {
    const DAY: u64 = 24 * 60 * 60;
    let plan = PLAN.replace("message-life = 0", "message-life = 604800");
    let desk = Desk::new("", &format!("rotate = {{ {plan}, reveal = 'open' }}"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let at = now - 6 * DAY;
    let key = |selector: &str, phase: &str, more: &str| {
        format!(
            "[[keys]]\nname = 'main'\ndomain = 'example.com'\nselector = '{selector}'\n\
             kind = 'ed25519'\nfile = '{selector}.pem'\npublic_sha256 = 'x'\nphase = '{phase}'\n\
             {more} = true\n\
             [[keys.history]]\nphase = '{phase}'\nat = {at}\nevidence = ''\n"
        )
    };
    let state = "hook_pending = false\n".to_owned()
        + &key("gone", "removed", "kept")
        + &key("stolen", "retiring", "revoke_now");
    fs::write(desk.path("config.rotation.toml"), state).unwrap();
    let (_, said) = desk.dkim(&["rotate", "plan", "--json"]);
    let time = |selector: &str, phase: &str| -> u64 {
        let event = format!("\"selector\":\"{selector}\",\"phase\":\"{phase}\",\"at\":");
        let (_, rest) = said.split_once(&event).unwrap();
        rest.split('}').next().unwrap().parse().unwrap()
    };
    assert_eq!(time("gone", "revealed"), at + 7 * DAY);
    let due = time("stolen", "revoked");
    assert!(due < at + 7 * DAY, "{said}");
    assert_eq!(time("stolen", "revealed"), time("stolen", "removed") + 7 * DAY);
}

/// The key that signs goes on as the plan says, and whoever looks before the first step is told so.
#[test]
fn a_plan_begins_with_the_key_that_signs() {
    let plan = PLAN.replace("every = 1", "every = 7776000");
    let key = format!("selector = 'old'\nfile = 'mail.pem'\nrotate = {{ {plan} }}\n");
    let desk = Desk::new("server = SERVER", &key);
    fs::copy(Path::new(command::DATA).join("keys/ed25519.pem"), desk.path("mail.pem")).unwrap();
    desk.server.publish("old._domainkey.example.com", ED25519);
    let events = |said: &str| {
        let events = said.lines().map(|line| line.split_once("main: ").unwrap().1.to_owned());
        events.collect::<Vec<_>>()
    };
    let (_, before) = desk.dkim(&["rotate", "plan"]);
    assert_eq!(
        events(&before),
        ["k1 is made and published", "k1 signs", "old is revoked", "old is removed from the DNS"]
    );
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    let (_, after) = desk.dkim(&["rotate", "plan"]);
    assert_eq!(events(&after), events(&before));
}

/// It is run once for all keys, and what is to be published by hand is told all the same.
#[test]
fn a_hook_that_fails_hides_nothing() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    let state = fs::read_to_string(desk.path("config.rotation.toml")).unwrap();
    fs::write(
        desk.path("config.rotation.toml"),
        state.replace("pending = false", "pending = true"),
    )
    .unwrap();
    let runs = desk.path("runs");
    let hook = desk.path("hook");
    fs::write(&hook, format!("#!/bin/sh\necho x >> {}\nexit 1\n", runs.display())).unwrap();
    let config = fs::read_to_string(&desk.config).unwrap();
    let by_hand = config.replace(&format!("server = '{}'", desk.server.address), "");
    let second = format!("[keys.second]\ndomain = 'example.com'\nrotate = {{ {plan} }}\n[[rules]]");
    let hook = format!("hook = ['sh', '{}']\n[keys.main]", hook.display());
    let by_hand = by_hand.replace("[keys.main]", &hook).replacen("[[rules]]", &second, 1);
    fs::write(&desk.config, by_hand).unwrap();
    for args in [&["rotate", "run"][..], &["rotate", "run", "--json"]] {
        let _ = fs::remove_file(&runs);
        let (code, said) = desk.dkim(args);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("publish at k2._domainkey.example.com the TXT record"), "{said}");
        assert_eq!(said.matches("mend the hook").count(), 1, "{said}");
        let failed = said.lines().find(|line| line.contains("\"did\":\"failed\""));
        assert_eq!(failed.is_some_and(|line| line.contains("sh: ends with")), args.len() == 3);
        assert_eq!(fs::read_to_string(&runs).unwrap(), "x\n");
    }
}

/// Signers may go on with the key, and whoever revoked it must know.
#[test]
fn a_revocation_that_was_not_told_is_not_done() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    let config = fs::read_to_string(&desk.config).unwrap();
    fs::write(&desk.config, config.replace("[keys.main]", "hook = ['false']\n[keys.main]"))
        .unwrap();
    let (code, said) = desk.dkim(&["key", "revoke", "--now", "--selector", "K1"]);
    assert!(
        code == 1 && said.contains("k1 is revoked") && said.contains("rotation.hook"),
        "{said}"
    );
}

#[test]
fn a_key_in_a_token_is_left_to_a_person() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    let name = "old._domainkey.example.com";
    desk.server.publish(name, "v=DKIM1; p=");
    let file = "pkcs11:token=T;object=O?pin-source=file:/secret";
    let state = format!(
        "hook_pending = false\n\
         [[keys]]\nname = 'main'\ndomain = 'example.com'\nselector = 'old'\nkind = 'rsa2048'\n\
         file = '{file}'\npublic_sha256 = 'x'\nphase = 'retiring'\n\
         [[keys.history]]\nphase = 'active'\nat = 1\nevidence = ''\n\
         [[keys.history]]\nphase = 'retiring'\nat = 2\nevidence = ''\n"
    );
    fs::write(desk.path("config.rotation.toml"), state).unwrap();
    let (code, said) = desk.dkim(&["rotate", "run"]);
    assert_eq!(code, 0, "{said}");
    let left = "a person has to destroy it there (pkcs11:token=T;object=O)";
    let told: Vec<&str> = said.lines().filter(|line| line.contains(left)).collect();
    assert_eq!(told.len(), 2, "{said}");
    assert!(told[0].contains("old is revoked: ") && told[1].contains("old is removed: "), "{said}");
    assert!(!said.contains("secret"), "{said}");
    assert_eq!(desk.server.text(name), None);
    assert_eq!(desk.sign().as_deref(), Some("k1"));
    // It is told later, too, and by its own name.
    let (_, said) = desk.dkim(&["rotate", "status", "--history", "--json"]);
    assert!(said.contains(left) && said.contains("\"file\":\"pkcs11:"), "{said}");
}

/// What cannot be published by anybody is no change of anything.
#[test]
fn no_update_goes_to_another_machine_unsigned() {
    let desk = Desk::new("server = '192.0.2.53'", &format!("rotate = {{ {PLAN} }}"));
    let (code, said) = desk.dkim(&["rotate", "step"]);
    assert!(code == 2 && said.contains("without a TSIG key"), "{said}");
    assert!(!desk.path("config.rotation.toml").exists());
}

/// Nobody knows which key signs: nothing is begun anew over it.
#[test]
fn an_emptied_state_is_no_first_one() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    let state = desk.path("config.rotation.toml");
    let before = fs::read_to_string(&state).unwrap();
    fs::write(&state, "").unwrap();
    for command in [&["rotate", "run"][..], &["rotate", "status"], &["key", "revoke", "--now"]] {
        let (code, said) = desk.dkim(command);
        assert!(code == 65 && said.contains("not a state of rotation: "), "{said}");
        assert!(said.contains("remedy: put the last good copy back"), "{said}");
    }
    assert_eq!(fs::read(&state).unwrap(), b"");
    fs::write(&state, before).unwrap();
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    assert_eq!(desk.sign().as_deref(), Some("k1"));
}

/// By how much it is wrong, nobody knows: nothing is done by it.
#[test]
fn a_clock_that_is_behind_is_told() {
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {PLAN} }}"));
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    let path = desk.path("config.rotation.toml");
    let state = fs::read_to_string(&path).unwrap();
    let (before, last) = state.rsplit_once("at = ").unwrap();
    let (_, after) = last.split_once('\n').unwrap();
    let ahead = format!("{before}at = 4102444800\n{after}");
    fs::write(&path, &ahead).unwrap();
    let (code, said) = desk.dkim(&["rotate", "run"]);
    assert!(code == 75 && said.contains("and the last step was taken at 2100-01-01"), "{said}");
    assert!(said.contains("remedy: set the clock; if it is right, it was ahead then"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), ahead);
    fs::write(&path, &state).unwrap();
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
}

/// By a symbolic link the keys, the state and the lock are those of the configuration.
#[test]
fn a_link_leads_to_the_same_keys() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("dkim.toml");
    symlink(&desk.config, &link).unwrap();
    let link = link.to_str().unwrap();
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    let (code, said) = dkim(&["rotate", "run", "--config", link]);
    assert!(code == 0 && said.contains("the next key is not due"), "{said}");
    let signed = run(&["sign", "--config", link], MESSAGE);
    assert!(text(&signed.stdout).contains("s=k1"), "{}", text(&signed.stderr));
    let _locked = StateFile::beside(Path::new(&desk.config)).lock(Duration::ZERO).unwrap();
    assert_eq!(dkim(&["rotate", "run", "--config", link]).0, 75);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    // A state that was left where the link is may be the one that counts.
    let state = desk.path("config.rotation.toml");
    let left = elsewhere.path().join("dkim.rotation.toml");
    fs::rename(&state, &left).unwrap();
    for command in ["status", "run"] {
        let (code, said) = dkim(&["rotate", command, "--config", link]);
        assert!(code == 65 && said.contains("config.rotation.toml: there is none, but"), "{said}");
        assert!(said.contains("dkim.rotation.toml"), "{said}");
    }
    fs::rename(&left, &state).unwrap();
    // What is wrong with it is told by the name that was said.
    fs::write(&desk.config, "nonsense").unwrap();
    let (code, said) = dkim(&["rotate", "run", "--config", link]);
    assert!(code == 65 && said.starts_with(&format!("dkim: {link}: ")), "{said}");
}

/// Whoever has no key to be taken over keeps no other from its way.
#[test]
fn a_key_that_is_missing_holds_up_no_other() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let lost = "[keys.lost]\ndomain = 'example.com'\nselector = 'old'\nfile = 'lost.pem'\n";
    let keys = format!("rotate = {{ {plan} }}\n{lost}rotate = {{ {plan} }}\n");
    let desk = Desk::new("server = SERVER", &keys);
    let (code, said) = desk.dkim(&["rotate", "run"]);
    assert!(code == 66 && said.contains("lost.pem: cannot be read"), "{said}");
    assert!(said.contains("remedy: put it back, or let `file` of keys.lost name it"), "{said}");
    assert_eq!(desk.sign().as_deref(), Some("k1"));
}

/// What was published is taken back by whoever lost the key.
#[test]
fn a_successor_that_is_missing_is_told_with_the_way_out() {
    let plan = PLAN.replace("negative-ttl = 0", "negative-ttl = 1");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    while !desk.dkim(&["rotate", "step"]).1.contains("k1 is published") {}
    fs::remove_file(desk.path("k1._domainkey.example.com.pem")).unwrap();
    thread::sleep(Duration::from_millis(1100));
    let (code, said) = desk.dkim(&["rotate", "run"]);
    assert!(code == 66 && said.contains("k1._domainkey.example.com.pem: cannot be read"), "{said}");
    let remedy = "remedy: put it back, or take k1 back: dkim rotate abort --config FILE --key main";
    assert!(said.contains(remedy), "{said}");
    assert_eq!(desk.dkim(&["rotate", "abort"]).0, 0);
    assert_eq!(desk.server.text("k1._domainkey.example.com"), None);
}

/// A state that has its name is the state, whatever the file system says of the directory.
#[test]
fn a_directory_that_cannot_be_written_onto_the_disk_holds_up_nothing() {
    const NOBODY: u32 = 65534;

    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {PLAN} }}"));
    let (directory, program) = (desk.directory.path(), desk.path("dkim"));
    fs::copy(env!("CARGO_BIN_EXE_dkim"), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["rotate", "step", "--config", &desk.config]).current_dir("/");
    // It cannot be opened; the superuser can open everything.
    if rustix::process::geteuid().is_root() {
        chown(directory, Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o300)).unwrap();
    let output = command.output().unwrap();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("k1 is planned"), "{}", text(&output.stdout));
}

#[test]
fn one_at_a_time_takes_steps() {
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {PLAN} }}"));
    let state = StateFile::beside(Path::new(&desk.config));
    let locked = state.clone().lock(Duration::ZERO).unwrap();
    for command in [&["rotate", "run"][..], &["rotate", "abort"], &["key", "revoke", "--now"]] {
        let (code, said) = desk.dkim(command);
        assert!(code == 75 && said.contains("somebody else has the lock"), "{said}");
        assert!(said.contains("remedy: wait until the other `dkim rotate`"), "{said}");
    }
    assert_eq!(desk.dkim(&["rotate", "status"]).0, 1);
    drop(locked);
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    // A hook that fails is tried again, and no key that signs is followed by another before.
    let config = fs::read_to_string(&desk.config).unwrap();
    let failing = config.replace("[keys.main]", "hook = ['false']\n[keys.main]");
    fs::write(&desk.config, &failing).unwrap();
    let (mut code, mut said) = (0, String::new());
    while code == 0 {
        (code, said) = desk.dkim(&["rotate", "step"]);
    }
    assert!(code == 1 && said.contains("rotation.hook"), "{said}");
    let (code, said) = desk.dkim(&["rotate", "run", "--json"]);
    assert!(code == 1 && said.contains("\"did\":\"failed\""), "{said}");
    assert!(desk.dkim(&["rotate", "status"]).1.contains("the hook is to be run"));
    fs::write(&desk.config, &config).unwrap();
    let (code, said) = desk.dkim(&["rotate", "step"]);
    assert!(code == 0 && said.contains("was told"), "{said}");
}
