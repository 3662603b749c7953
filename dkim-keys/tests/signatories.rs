//! Everybody that a configuration may let sign.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use dkim_keys::{Config, Mail};

/// A configuration of one key and one rule.
fn config(domain: &str, file: &str, from: &str) -> Config {
    let key = format!("domain = \"{domain}\"\nselector = \"s1\"\nfile = \"{file}\"");
    Config::parse(&format!("[keys.k]\n{key}\n[[rules]]\nfrom = [{from}]\nkeys = [\"k\"]")).unwrap()
}

fn signatories(config: &Config, directory: &Path) -> Result<Vec<String>, String> {
    let all = config.signatories(directory).map_err(|error| error.to_string())?;
    let tell = |path: &Path| path.strip_prefix(directory).unwrap_or(path).display().to_string();
    let all = all.iter().map(|one| format!("{} {} {}", one.selector, one.domain, tell(&one.file)));
    Ok(all.collect())
}

#[test]
fn keys_of_one_domain_are_theirs() {
    let here = Path::new("/etc/dkim");
    let config = config("Example.com", "k.pem", r#""*""#);
    assert_eq!(signatories(&config, here).unwrap(), ["s1 example.com k.pem"]);
}

#[test]
fn a_key_that_no_rule_names_signs_nothing() {
    let text = "[keys.k]\ndomain = \"example.com\"\nselector = \"s1\"\nfile = \"k.pem\"";
    let config = Config::parse(text).unwrap();
    assert_eq!(signatories(&config, Path::new("")).unwrap(), [""; 0]);
}

#[test]
fn authors_are_named_once_each() {
    let from = r#""joe@B.example", "*@a.example", "ann@b.example""#;
    let config = config("%", "k.pem", from);
    let all = ["s1 a.example k.pem", "s1 b.example k.pem"];
    assert_eq!(signatories(&config, Path::new("")).unwrap(), all);
}

#[test]
fn authors_of_any_domain_are_those_with_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    for file in ["keys/a.example.pem", "keys/b.a.example.pem", "keys/README", "keys/c.pem.old"] {
        fs::create_dir_all(here.join("keys")).unwrap();
        fs::write(here.join(file), "").unwrap();
    }
    for file in ["c.example/s1.pem", "d.example/s2.pem", "e.example/e.example.pem"] {
        let path = here.join("hosted").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let (a, b) = ("s1 a.example keys/a.example.pem", "s1 b.a.example keys/b.a.example.pem");
    for (file, from, all) in [
        ("keys/%.pem", r#""*""#, &[a, b][..]),
        ("keys/%.pem", r#""*@*""#, &[a, b]),
        ("keys/%.pem", r#""*@*.example""#, &[a, b]),
        ("keys/%.pem", r#""*@*.a.example""#, &[b]),
        ("keys/%.pem", r#""joe@b*""#, &[b]),
        ("keys/%.pem", r#""joe*.a.example""#, &[b]),
        ("keys/%.pem", r#""joe@*", "ann@a.example""#, &[a, b]),
        ("keys/%.pem", r#""nobody""#, &[]),
        ("hosted/%/s1.pem", r#""*""#, &["s1 c.example hosted/c.example/s1.pem"]),
        ("hosted/%/%.pem", r#""*""#, &["s1 e.example hosted/e.example/e.example.pem"]),
    ] {
        let config = config("%", file, from);
        assert_eq!(signatories(&config, here).unwrap(), all, "{file} {from}");
        // And these are what is chosen for such authors.
        for one in config.signatories(here).unwrap() {
            let locals = ["joe", "ann"];
            let chosen = locals
                .iter()
                .flat_map(|local| config.select(&Mail::new(local, one.domain.as_str())).chosen);
            let mut files = chosen.map(|chosen| here.join(chosen.file));
            assert!(files.any(|file| file == one.file), "{file} {from}");
        }
    }
}

#[test]
fn a_key_in_a_token_is_no_file() {
    let uri = "pkcs11:token=my%20token;object=dkim?module-path=/usr/lib/x.so";
    let config = config("example.com", uri, r#""*""#);
    assert_eq!(signatories(&config, Path::new("/etc")).unwrap(), [format!("s1 example.com {uri}")]);
    let chosen = config.select(&Mail::new("joe", "example.com")).chosen;
    assert_eq!(chosen[0].file, Path::new(uri));
}

#[test]
fn a_configuration_holds_no_pin() {
    for pin in
        ["?pin-value=123456", ";pin-value=123456", "?PIN-Value=123456", "?p%69n-value=123456"]
    {
        for scheme in ["pkcs11", "PKCS11"] {
            let text = format!(
                "[keys.k]\ndomain = \"a.example\"\nselector = \"s1\"\nfile = \"{scheme}:token=a{pin}\""
            );
            let error = Config::parse(&text).unwrap_err().to_string();
            assert!(error.contains("pin-source") && !error.contains("123456"), "{error}");
        }
    }
}

#[test]
fn what_cannot_be_known_beforehand_is_told() {
    let directory = tempfile::tempdir().unwrap();
    for (domain, file, from, why) in [
        ("example.com", "%.pem", r#""*""#, "one name cannot have several keys"),
        ("%", "k.pem", r#""*@*.example""#, "\"*@*.example\" fits; name each domain in a rule"),
        ("%", "%-%.pem", r#""*""#, "`%` stands twice"),
        ("%", "none/%.pem", r#""*""#, "none: No such file"),
        ("%", "%.pem", r#""joe@-.example""#, "label"),
    ] {
        let error = signatories(&config(domain, file, from), directory.path()).unwrap_err();
        assert!(error.starts_with("keys.k: ") && error.contains(why), "{error}");
    }
}
