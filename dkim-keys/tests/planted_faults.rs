//! A directory of keys: each planted fault is found, and a clean one has none.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use dkim_crypto::PrivateKey;
use dkim_crypto::ring::PROVIDER;
use dkim_keys::{AuditedFiles, Config, FileAudit, FileRules, RotationState, StateFile, save_new};
use tempfile::TempDir;

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_ed25519_seed(&[seed; 32])
}

/// A directory of its own, with the rules for whoever runs the tests.
fn directory() -> (TempDir, FileRules) {
    let directory = tempfile::tempdir().unwrap();
    let mut owners: Vec<u32> =
        directory.path().ancestors().map(|path| path.metadata().unwrap().uid()).collect();
    owners.dedup();
    (directory, FileRules::new(owners, SystemTime::now()))
}

fn plant(path: &Path, seed: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    save_new(path, &key(seed), None).unwrap();
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn audit(directory: &TempDir, rules: &FileRules) -> AuditedFiles {
    let mut audit = FileAudit::new(rules, &PROVIDER);
    audit.directory(directory.path()).unwrap();
    audit.finish()
}

fn audit_config(
    file: &Path,
    config: &Config,
    state: &RotationState,
    rules: &FileRules,
) -> AuditedFiles {
    let mut audit = FileAudit::new(rules, &PROVIDER);
    audit.config(file, config, state);
    audit.finish()
}

/// The findings within the directory; above it there is what there is.
fn found(directory: &TempDir, rules: &FileRules) -> Vec<(&'static str, String)> {
    let audit = audit(directory, rules);
    let root = directory.path().canonicalize().unwrap();
    let within = |finding: dkim_keys::Finding| {
        let path = Path::new(&finding.subject).strip_prefix(&root).ok()?.to_owned();
        Some((finding.code, path.display().to_string()))
    };
    audit.findings.into_iter().filter_map(within).collect()
}

#[test]
fn a_clean_directory_has_no_fault() {
    let (directory, rules) = directory();
    plant(&directory.path().join("a._domainkey.example.com.pem"), 1);
    plant(&directory.path().join("example.org/b.private"), 2);
    fs::write(directory.path().join("README"), "Keys of example.com and example.org.\n").unwrap();
    fs::write(directory.path().join("example.org/b.txt"), "b._domainkey IN TXT \"v=DKIM1\"\n")
        .unwrap();
    assert_eq!(found(&directory, &rules), []);
    let names: Vec<String> = audit(&directory, &rules)
        .keys
        .iter()
        .map(|key| key.signs_for.as_ref().map(|(s, d)| format!("{} {d}", s.as_str())).unwrap())
        .collect();
    assert_eq!(names, ["a example.com", "b example.org"]);
}

#[test]
fn planted_faults_are_found() {
    let (directory, rules) = directory();
    let at = |name: &str| directory.path().join(name);
    plant(&at("readable.pem"), 1);
    chmod(&at("readable.pem"), 0o644);
    plant(&at("group.pem"), 2);
    chmod(&at("group.pem"), 0o640);
    plant(&at("open/inside.pem"), 3);
    chmod(&at("open"), 0o777);
    plant(&at("target/k.pem"), 4);
    symlink(at("target/k.pem"), at("link.pem")).unwrap();
    plant(&at("linked.pem"), 5);
    fs::hard_link(at("linked.pem"), at("target/other-name")).unwrap();
    plant(&at("a._domainkey.example.com.pem"), 6);
    plant(&at("a._domainkey.example.org.pem"), 6);
    plant(&at("twice.pem"), 7);
    plant(&at("twice-again.pem"), 7);
    fs::copy(at("twice.pem"), at("twice.pem.bak")).unwrap();
    plant(&at("old.pem"), 8);
    let then = SystemTime::now() - Duration::from_secs(800 * 24 * 60 * 60);
    File::options().append(true).open(at("old.pem")).unwrap().set_modified(then).unwrap();
    for (name, text) in [
        ("broken.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        ("empty.key", ""),
        ("certificate.key", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        (
            "locked.private",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        ),
    ] {
        fs::write(at(name), text).unwrap();
        chmod(&at(name), 0o600);
    }
    let mut found = found(&directory, &rules);
    found.sort();
    let expected = [
        ("directory-writable", "open"),
        ("key-backup", "twice.pem.bak"),
        ("key-copied", "target/other-name"),
        ("key-copied", "twice.pem"),
        ("key-encrypted", "locked.private"),
        ("key-exposed", "group.pem"),
        ("key-exposed", "readable.pem"),
        ("key-linked", "linked.pem"),
        ("key-linked", "target/other-name"),
        ("key-old", "old.pem"),
        ("key-shared", "a._domainkey.example.org.pem"),
        ("key-symlink", "link.pem"),
        ("key-unusable", "broken.pem"),
        ("key-unusable", "certificate.key"),
        ("key-unusable", "empty.key"),
    ];
    assert_eq!(found, expected.map(|(code, path)| (code, path.to_owned())));
}

/// A key of a user who is not expected to have one.
/// A secret for dynamic updates is no key that signs, and is to be kept as well as one.
#[test]
fn secrets_for_updates_are_looked_at_too() {
    let (directory, rules) = directory();
    let path = directory.path().join("update.key");
    fs::write(&path, "key \"dkim\" {\n\talgorithm hmac-sha256;\n\tsecret \"AQID\";\n};\n").unwrap();
    chmod(&path, 0o600);
    assert_eq!(found(&directory, &rules), []);
    chmod(&path, 0o644);
    assert_eq!(found(&directory, &rules), [("key-exposed", "update.key".to_owned())]);
}

/// Whatever is read as one.
#[test]
fn a_tsig_key_is_found_however_it_is_written() {
    let statement = "{\talgorithm hmac-sha256;\n\tsecret \"AQID\";\n};\n";
    let notes = "# x\n".repeat(10_000);
    for (text, is_key) in [
        (format!("key \"k\" {statement}"), true),
        (format!("key\tk {statement}"), true),
        (format!("KEY\"k\"{statement}"), true),
        (format!("\"key\" k {}", statement.to_uppercase()), true),
        (format!("#\n// made in spring\n/* for\n/ * ns1 */\n\u{a0}key/**/k {statement}"), true),
        (format!("{notes}key k {statement}"), true),
        (format!("{notes}{notes}key k {statement}"), false),
        (format!("keys k {statement}"), false),
        (format!("/* key k {statement}"), false),
        ("key of the door: secret\n".to_owned(), false),
        ("key k { algorithm hmac-sha256; };\n".to_owned(), false),
    ] {
        let (directory, rules) = directory();
        let file = directory.path().join("update.conf");
        fs::write(&file, &text).unwrap();
        chmod(&file, 0o644);
        let expected = is_key.then_some(("key-exposed", "update.conf".to_owned()));
        assert_eq!(found(&directory, &rules), Vec::from_iter(expected), "{text}");
    }
}

/// What a configuration stands on, wherever it is: each fault by its code and file.
#[test]
fn what_a_configuration_stands_on_is_looked_at() {
    let (directory, mut rules) = directory();
    let root = directory.path().canonicalize().unwrap();
    let at = |name: &str| root.join(name);
    plant(&at("keys/a.pem"), 1);
    plant(&at("keys/example.com/b.pem"), 2);
    let hook = at("bin/hook");
    for (name, text) in [
        ("etc/config.toml", ""),
        ("etc/config.toml.state", ""),
        ("tsig/update.key", "key \"k\" { algorithm hmac-sha256; secret \"AQID\"; };\n"),
        ("pins/signs", "123456\n"),
        ("pins/retires", "123456\n"),
        ("pins/gone", "123456\n"),
        ("bin/hook", "#!/bin/sh\n"),
    ] {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), text).unwrap();
        chmod(&at(name), 0o600);
    }
    chmod(&hook, 0o755);
    let config = Config::parse(&format!(
        "[rotation]\ntsig = '../tsig/update.key'\nhook = ['{}']\n\
         [keys.a]\ndomain = 'example.com'\nselector = 'a'\nfile = '../keys/a.pem'\n\
         [keys.b]\ndomain = '%'\nselector = 'b'\nfile = '../keys/%/b.pem'\n\
         [keys.t]\ndomain = 'example.com'\nselector = 't'\n\
         file = 'PKCS11:token=t?pin-source=file:{}'\n\
         [[rules]]\nfrom = ['*@example.com']\nkeys = ['a', 'b']\n",
        hook.display(),
        at("pins/signs").display()
    ))
    .unwrap();
    let state = StateFile::beside(&at("etc/config.toml")).path().to_owned();
    fs::write(&state, "").unwrap();
    // A key that signs no more, one that was proven, and one whose file is gone and was another's.
    plant(&at("other/r.pem"), 3);
    plant(&at("other/p.pem"), 4);
    plant(&at("other/gone.pem"), 5);
    let key = |selector: &str, phase: &str| {
        format!(
            "[[keys]]\nname = 'r'\ndomain = 'example.com'\nselector = '{selector}'\n\
             kind = 'ed25519'\nfile = '../other/{selector}.pem'\n\
             public_sha256 = 'x'\nphase = '{phase}'\nhistory = []\n"
        )
    };
    let in_token = |selector: &str, phase: &str| {
        let uri = format!("pkcs11:token=t?pin-source={}", at("pins").join(selector).display());
        key(selector, phase).replace(&format!("../other/{selector}.pem"), &uri)
    };
    chmod(&at("pins/gone"), 0o644);
    let keys = [
        key("r", "retiring"),
        key("p", "proven"),
        key("gone", "removed"),
        in_token("retires", "retiring"),
        in_token("gone", "removed"),
    ];
    let rotation = format!("hook_pending = false\n{}", keys.concat());
    let rotation = RotationState::parse(&rotation).unwrap();
    let found = |rules: &FileRules| -> Vec<(&str, String)> {
        let audit = audit_config(&at("etc/config.toml"), &config, &rotation, rules);
        let within = |finding: dkim_keys::Finding| {
            let path = Path::new(&finding.subject).strip_prefix(&root).ok()?.to_owned();
            Some((finding.code, path.display().to_string()))
        };
        audit.findings.into_iter().filter_map(within).collect()
    };
    assert_eq!(found(&rules), []);
    let state = state.strip_prefix(&root).unwrap().to_str().unwrap();
    for (name, mode, code) in [
        ("etc/config.toml", 0o664, "file-writable"),
        (state, 0o602, "file-writable"),
        ("bin/hook", 0o775, "file-writable"),
        ("keys/a.pem", 0o640, "key-exposed"),
        ("keys/example.com/b.pem", 0o604, "key-exposed"),
        ("tsig/update.key", 0o644, "key-exposed"),
        ("etc", 0o777, "directory-writable"),
        ("keys", 0o775, "directory-writable"),
        ("tsig", 0o777, "directory-writable"),
        ("bin", 0o777, "directory-writable"),
        ("other/r.pem", 0o644, "key-exposed"),
        ("other/p.pem", 0o604, "key-exposed"),
        ("pins/signs", 0o640, "key-exposed"),
        ("pins/retires", 0o604, "key-exposed"),
        ("pins", 0o777, "directory-writable"),
    ] {
        let before = at(name).metadata().unwrap().permissions();
        chmod(&at(name), mode);
        assert_eq!(found(&rules), [(code, name.to_owned())]);
        fs::set_permissions(at(name), before).unwrap();
    }
    // A link, and where it leads.
    fs::rename(&hook, at("keys/hook")).unwrap();
    symlink(at("keys/hook"), &hook).unwrap();
    fs::rename(at("keys/a.pem"), at("tsig/a.pem")).unwrap();
    symlink(at("tsig/a.pem"), at("keys/a.pem")).unwrap();
    chmod(&at("keys/hook"), 0o777);
    let mut all = found(&rules);
    all.sort();
    let expected = [("file-writable", "keys/hook"), ("key-symlink", "keys/a.pem")];
    assert_eq!(all.iter().map(|(code, name)| (*code, &**name)).collect::<Vec<_>>(), expected);
    // Of strangers; root may own everything.
    let own = root.metadata().unwrap().uid();
    rules.owners.retain(|owner| *owner != own);
    let is_told = found(&rules).contains(&("file-owner", "etc/config.toml".to_owned()));
    assert_eq!(is_told, own != 0);
    // What is not there is found by others.
    fs::remove_dir_all(at("tsig")).unwrap();
    fs::remove_dir_all(at("bin")).unwrap();
    let audit = audit_config(&at("etc/none.toml"), &config, &RotationState::default(), &rules);
    assert_eq!(audit.keys.len(), 1);
    // A file that two of them lead to is one file, and a copy that only the configuration names is
    // found out, too.
    plant(&at("keys/example.com/c.pem"), 2);
    let mut audit = FileAudit::new(&rules, &PROVIDER);
    audit.config(&at("etc/none.toml"), &config, &RotationState::default());
    audit.directory(&at("keys")).unwrap();
    let audit = audit.finish();
    assert_eq!(audit.keys.len(), 2);
    let codes: Vec<_> = audit.findings.iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&"key-copied"), "{codes:?}");
}

#[test]
fn strangers_own_nothing() {
    let (directory, mut rules) = directory();
    plant(&directory.path().join("a.pem"), 1);
    let own = directory.path().metadata().unwrap().uid();
    rules.owners.retain(|owner| *owner != own);
    let codes: Vec<_> = found(&directory, &rules).into_iter().map(|(code, _)| code).collect();
    // Root may own everything.
    let expected: &[&str] = if own == 0 { &[] } else { &["directory-owner", "key-owner"] };
    assert_eq!(codes, expected);
}

#[test]
fn directories_are_looked_into_eight_deep() {
    for (depth, keys, told) in [(8, 1, &[][..]), (9, 0, &["directory-deep"])] {
        let (directory, rules) = directory();
        plant(&directory.path().join("d/".repeat(depth)).join("k.pem"), 1);
        let audit = audit(&directory, &rules);
        let codes: Vec<_> = audit.findings.iter().map(|finding| finding.code).collect();
        assert_eq!((audit.keys.len(), &*codes), (keys, told), "{depth}");
    }
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let (directory, rules) = directory();
    let mut audit = FileAudit::new(&rules, &PROVIDER);
    assert!(audit.directory(&directory.path().join("none")).is_err());
}

/// A private key that everybody is to read.
#[test]
fn what_is_revealed_is_let_be() {
    let (directory, mut rules) = directory();
    let revealed = directory.path().join("revealed");
    for key in [revealed.join("a.pem"), directory.path().join("b.pem")] {
        fs::create_dir_all(key.parent().unwrap()).unwrap();
        chmod(key.parent().unwrap(), 0o755);
        plant(&key, 1);
        chmod(&key, 0o644);
    }
    let exposed = |rules: &FileRules| {
        found(&directory, rules).iter().filter(|(code, _)| *code == "key-exposed").count()
    };
    assert_eq!(exposed(&rules), 2);
    rules.revealed = vec![revealed.join("../revealed")];
    assert_eq!(exposed(&rules), 1);
}

#[test]
fn a_key_is_old_after_a_year() {
    let (directory, mut rules) = directory();
    let path = directory.path().join("a._domainkey.example.com.pem");
    plant(&path, 9);
    let made = fs::metadata(&path).unwrap().modified().unwrap();
    for (more, codes) in [(0, &[][..]), (1, &["key-old"])] {
        rules.now = made + FileRules::MAX_AGE + Duration::from_secs(more);
        let found: Vec<_> = found(&directory, &rules).into_iter().map(|(code, _)| code).collect();
        assert_eq!(found, codes, "{more}");
    }
}
