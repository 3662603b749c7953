//! Keys that change beside others: of other configurations, of the same name, file or record, of other
//! hosts and zones.
#![allow(clippy::unwrap_used)]

mod command;
mod desk;
mod primary;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use command::text;
use desk::{Desk, ED25519, NAME, OTHER, PLAN, PRIVATE, dkim, taken_over};

/// Two configurations in one directory are not in each other's way.
#[test]
fn each_configuration_has_its_own_keys() {
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {PLAN} }}"));
    let other = desk.path("other.toml");
    let config = fs::read_to_string(&desk.config).unwrap();
    fs::write(
        &other,
        config.replace("k{counter}", "o{counter}").replace("every = 1", "every = 60"),
    )
    .unwrap();
    let other = Desk { config: other.to_str().unwrap().to_owned(), ..desk };
    let run = |config: &str| {
        let (code, said) = dkim(&["rotate", "run", "--config", config]);
        assert_eq!(code, 0, "{said}");
    };
    run(&other.config);
    assert_eq!(other.sign().as_deref(), Some("o1"));
    let first = other.path("config.toml");
    let first = Desk { config: first.to_str().unwrap().to_owned(), ..other };
    assert_eq!(first.sign(), None);
    run(&first.config);
    assert!(first.sign().unwrap().starts_with('k'));
}

/// Two configurations in one directory come upon the same selector: the key is that of one of them,
/// and the other neither signs with it nor revokes it.
#[test]
fn a_key_belongs_to_one_configuration() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let first = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    let second = first.path("second.toml");
    fs::copy(&first.config, &second).unwrap();
    let second = second.to_str().unwrap();
    for config in [&*first.config, second] {
        let (code, said) = dkim(&["rotate", "step", "--config", config]);
        assert!(code == 0 && said.contains("k1 is planned"), "{said}");
    }
    assert_eq!(first.dkim(&["rotate", "run"]).0, 0);
    let (code, said) = dkim(&["rotate", "run", "--config", second]);
    assert!(code == 0 && said.contains("k1 is removed: its file was there before"), "{said}");
    assert!(said.contains("k2 is active"), "{said}");
    assert_eq!(dkim(&["key", "revoke", "--now", "--config", second]).0, 0);
    assert_eq!(dkim(&["rotate", "run", "--config", second]).0, 0);
    assert_eq!(first.sign().as_deref(), Some("k1"));
}

/// Whoever has the key of another name would give that away, too.
#[test]
fn a_private_key_that_still_signs_is_not_revealed() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan}, reveal = 'open' }}"));
    fs::create_dir(desk.path("open")).unwrap();
    let file = "k1._domainkey.example.com.pem";
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    // A copy.
    fs::copy(desk.path(file), desk.path("copy.pem")).unwrap();
    let copy = "[keys.copy]\ndomain = 'example.com'\nselector = 'copy'\nfile = 'copy.pem'\n";
    let config = fs::read_to_string(&desk.config).unwrap();
    let with_copy = config.replace("keys = ['main']", "keys = ['main', 'copy']");
    fs::write(&desk.config, format!("{with_copy}\n{copy}")).unwrap();
    assert_eq!(desk.dkim(&["key", "revoke", "--now"]).0, 0);
    let mut said = String::new();
    while !said.contains("not revealed: it is the key of keys.copy (s=copy)") {
        assert!(!said.contains("for all to read"), "{said}");
        thread::sleep(Duration::from_millis(100));
        said = desk.dkim(&["rotate", "run"]).1;
    }
    assert!(!desk.path("open").join(file).exists() && desk.path(file).exists());
    fs::write(&desk.config, &config).unwrap();
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    assert!(desk.path("open").join(file).exists() && !desk.path(file).exists());
}

/// Whoever came to the name meanwhile keeps it.
#[test]
fn a_rotation_lets_another_hosts_record_be() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    let name = "k1._domainkey.example.com";
    assert_eq!(desk.dkim(&["rotate", "step"]).0, 0);
    desk.server.publish(name, OTHER);
    let (code, said) = desk.dkim(&["rotate", "run"]);
    assert!(code == 75 && said.contains("not of this key, and is let be: v=DKIM1"), "{said}");
    desk.server.publish(name, PRIVATE);
    let (code, said) = desk.dkim(&["rotate", "run"]);
    assert!(code == 75 && said.contains("and is let be: (a private key)"), "{said}");
    // Between the look and the update.
    desk.server.withdraw(name);
    desk.server.publish_meanwhile(name, OTHER);
    let (code, said) = desk.dkim(&["rotate", "run"]);
    assert!(code == 75 && said.contains("has other records"), "{said}");
    let (code, said) = desk.dkim(&["rotate", "abort"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!((desk.server.text(name).as_deref(), desk.server.updates()), (Some(OTHER), 0));
    assert!(!desk.path("k1._domainkey.example.com.pem").exists());
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    assert_eq!(desk.sign().as_deref(), Some("k2"));
    assert_eq!(desk.server.text(name).as_deref(), Some(OTHER));
}

/// A file is not the key that it held once.
#[test]
fn another_key_in_its_file_is_neither_deleted_nor_revealed() {
    for (more, told) in [("", "is not deleted: it holds"), (", reveal = 'open'", "not revealed: ")]
    {
        let desk = taken_over(&format!("{PLAN}{more}"), "");
        fs::create_dir(desk.path("open")).unwrap();
        let other = fs::read(Path::new(command::DATA).join("keys/rsa2048-pkcs1.pem")).unwrap();
        fs::write(desk.path("mail.pem"), &other).unwrap();
        let mut said = String::new();
        while !said.contains(told) {
            said = desk.dkim(&["rotate", "run"]).1;
        }
        assert!(said.contains("another key by now"), "{said}");
        assert_eq!(fs::read(desk.path("mail.pem")).unwrap(), other);
        assert!(!desk.path("open/old._domainkey.example.com.pem").exists());
    }
}

/// By whatever path another key names it.
#[test]
fn a_file_that_another_key_signs_with_is_not_deleted() {
    for path in ["mail.pem", "./mail.pem", "DIRECTORY/mail.pem", "link.pem", "%.pem"] {
        let domain = if path == "%.pem" { "%" } else { "example.org" };
        let other = format!(
            "[keys.other]\ndomain = '{domain}'\nselector = 'o'\nfile = 'OTHER'\n\
             [[rules]]\nfrom = ['*@example.org']\nkeys = ['other']\n"
        );
        let desk = taken_over(PLAN, &other);
        for link in ["link.pem", "example.org.pem"] {
            std::os::unix::fs::symlink("mail.pem", desk.path(link)).unwrap();
        }
        let path = path.replace("DIRECTORY", desk.directory.path().to_str().unwrap());
        let config = fs::read_to_string(&desk.config).unwrap();
        fs::write(&desk.config, config.replace("OTHER", &path)).unwrap();
        let mut said = String::new();
        while !said.contains("old is removed") {
            // By a relative path, too.
            let (above, config) =
                (desk.directory.path().parent().unwrap(), Path::new(&desk.config));
            let config = config.strip_prefix(above).unwrap().to_str().unwrap();
            let mut run = command::dkim(&["rotate", "run", "--config", config]);
            let output = run.current_dir(above).output().unwrap();
            said = text(&output.stdout) + &text(&output.stderr);
        }
        assert!(said.contains("is not deleted: it is the file of keys.other, too"), "{said}");
        assert!(desk.path("mail.pem").exists());
    }
}

/// As long as somebody signs by its name, the record stays; but not that of a stolen key.
#[test]
fn a_name_that_another_key_signs_by_is_not_revoked() {
    let fixed = "[keys.fixed]\ndomain = 'example.com'\nselector = 'old'\nfile = 'mail.pem'\n";
    let plan = PLAN.replace("every = 1", "every = 2");
    let desk = taken_over(&plan, fixed);
    let config = fs::read_to_string(&desk.config).unwrap();
    fs::write(&desk.config, config.replace("['main']", "['main', 'fixed']")).unwrap();
    let name = "old._domainkey.example.com";
    let (_, said) = desk.dkim(&["rotate", "run"]);
    assert!(said.contains(&format!("not revoked: keys.fixed signs as {name}")), "{said}");
    assert_eq!(desk.server.text(name).as_deref(), Some(ED25519));
    let (code, said) = desk.dkim(&["key", "revoke", "--now", "--key", "main", "--selector", "old"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(desk.server.text(name).as_deref(), Some("v=DKIM1; k=ed25519; p="));
}

/// Who signed by the same name until a moment ago has mail on its way, too.
#[test]
fn a_name_that_another_key_signed_by_is_revoked_in_time() {
    let fixed = "[keys.fixed]\ndomain = '%'\nselector = 'old'\nfile = 'mail.pem'\n";
    let desk = Desk::new(
        "server = SERVER",
        &format!("selector = 'old'\nfile = 'mail.pem'\nrotate = {{ {PLAN} }}\n{fixed}"),
    );
    let config = fs::read_to_string(&desk.config).unwrap();
    let both = config.replace("['main']", "['main', 'fixed']");
    fs::write(&desk.config, &both).unwrap();
    fs::copy(Path::new(command::DATA).join("keys/ed25519.pem"), desk.path("mail.pem")).unwrap();
    let name = "old._domainkey.example.com";
    desk.server.publish(name, ED25519);
    let (_, said) = desk.dkim(&["config", "check"]);
    assert!(said.contains("name-retires"), "{said}");
    let run_until = |told: &str| {
        let mut said = String::new();
        while !said.contains(told) {
            thread::sleep(Duration::from_millis(100));
            said = desk.dkim(&["rotate", "run"]).1;
        }
    };
    run_until(&format!("not revoked: keys.fixed signs as {name}"));
    // From now on mail takes its time, and nobody else signs.
    let last = config.replace("message-life = 0", "message-life = 600");
    fs::write(&desk.config, last.replace("every = 1", "every = 600")).unwrap();
    run_until("no other key signs by its name any more");
    let (_, said) = desk.dkim(&["rotate", "run"]);
    assert!(said.contains("old: mail that it signed may be on its way"), "{said}");
    assert_eq!(desk.server.text(name).as_deref(), Some(ED25519));
}

/// Two plans that took over one key: it is revoked when the mail of both has had its time.
#[test]
fn a_key_that_two_plans_took_over_is_revoked_in_time() {
    let old = "selector = 'old'\nfile = 'mail.pem'";
    let plan = |every: &str, life: &str| {
        let plan = PLAN.replace("every = 1", &format!("every = {every}"));
        plan.replace("message-life = 0", &format!("message-life = {life}"))
    };
    let (fast, slow) = (plan("600", "0"), plan("600", "600").replace("k{", "n{"));
    let news = format!("[keys.news]\ndomain = 'example.com'\n{old}\nrotate = {{ {slow} }}\n");
    let desk = Desk::new("server = SERVER", &format!("{old}\nrotate = {{ {fast} }}\n{news}"));
    let config = fs::read_to_string(&desk.config).unwrap().replace("['main']", "['main', 'news']");
    fs::write(&desk.config, &config).unwrap();
    fs::copy(Path::new(command::DATA).join("keys/ed25519.pem"), desk.path("mail.pem")).unwrap();
    let name = "old._domainkey.example.com";
    desk.server.publish(name, ED25519);
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    // Both retire, one after the other.
    for (key, plan) in [("main", &fast), ("news", &slow)] {
        let due = config.replace(plan, &plan.replace("every = 600", "every = 1"));
        fs::write(&desk.config, due).unwrap();
        thread::sleep(Duration::from_millis(1100));
        let mut said = String::new();
        while !said.contains("is active") {
            (_, said) = desk.dkim(&["rotate", "run", "--key", key]);
        }
        fs::write(&desk.config, &config).unwrap();
    }
    let mut said = String::new();
    while !said.contains("not revoked: keys.news signed as") {
        assert!(!said.contains("old is revoked"), "{said}");
        (_, said) = desk.dkim(&["rotate", "run", "--key", "main"]);
    }
    let (_, said) = desk.dkim(&["rotate", "run"]);
    assert!(!said.contains("old is revoked"), "{said}");
    assert_eq!(desk.server.text(name).as_deref(), Some(ED25519));
}

/// A record is gone, though a wildcard answers in its place.
#[test]
fn a_key_goes_under_a_wildcard() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    assert_eq!(desk.dkim(&["rotate", "run"]).0, 0);
    desk.server.publish("*._domainkey.example.com", "v=DKIM1; p=");
    assert_eq!(desk.dkim(&["key", "revoke", "--now"]).0, 0);
    // The wildcard takes every name of a next key.
    let (code, said) = desk.dkim(&["rotate", "run"]);
    assert!(code == 65 && said.contains("no selector is free"), "{said}");
    assert!(said.contains("k1 is removed: not shown any more by"), "{said}");
    assert_eq!(desk.server.names(), ["*._domainkey.example.com"]);
}

/// A name that leads to a zone of others is taken, though the server tells nothing of that.
#[test]
fn an_alias_into_another_zone_is_passed_over() {
    let plan = PLAN.replace("every = 1", "every = 600");
    let desk = Desk::new("server = SERVER", &format!("rotate = {{ {plan} }}"));
    desk.server.alias("k1._domainkey.example.com");
    let (code, said) = desk.dkim(&["rotate", "run"]);
    assert!(code == 0 && said.contains("k2 is active"), "{said}");
    desk.server.alias(NAME);
    let address = desk.server.address.to_string();
    let place = ["--domain", "example.com", "--selector", "s", "--server", &address];
    let (code, said) =
        dkim(&[&["key", "publish", "--key", "keys/ed25519.pem"], &place[..]].concat());
    assert!(code == 1 && said.contains("the name is an alias (CNAME)"), "{said}");
    assert!(said.contains("remedy: see to the record at target.example.org, or take"), "{said}");
}

#[test]
fn who_asks_a_server_of_another_zone_is_told_to_name_others() {
    let desk = Desk::new("", &format!("rotate = {{ {PLAN} }}"));
    let config = fs::read_to_string(&desk.config).unwrap();
    fs::write(&desk.config, config.replace("'example.com'", "'example.org'")).unwrap();
    let (code, said) = desk.dkim(&["rotate", "step"]);
    assert!(code == 75 && said.starts_with(&format!("dkim: {}: ", desk.server.address)), "{said}");
    assert!(said.contains("or name those to be asked: `servers = [\"ADDR\"]`"), "{said}");
}
