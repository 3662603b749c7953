//! The configuration of a signer, and what is read beside it.

use std::path::Path;

use arbitrary::Unstructured;
use dkim_dns::{Zone, drive_blocking};
use dkim_keys::{
    Chosen, Compliance, Config, ConfigError, KeySource, Mail, RotationState, Verdict,
    check_rotation, import_opendkim,
};
use dkim_tags::{Selector, UnixTime};

use crate::made_up;
use crate::pieces::Random;
use crate::said::assert_harmless;

/// What is read and written reads as the same; errors name a line that is there; who signs is a key
/// of the configuration, by a rule whose authors a naive matcher finds, too.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let config = match Config::parse(text) {
        Ok(config) => config,
        Err(error) => {
            assert_harmless(&error);
            if let ConfigError::Toml { line, .. } = error {
                assert!((1..=text.matches('\n').count() + 1).contains(&line), "{line}");
            }
            return;
        }
    };
    assert_written(&config);
    for (name, _, plan) in config.rotated() {
        assert!(plan.every > 0 && config.keys.contains_key(name));
        let first = plan.selector.fresh(UnixTime(1_709_294_400), |_| false);
        let second = plan.selector.fresh(UnixTime(1_709_294_400), |used| used == first);
        assert!(Selector::parse(&first).is_ok() && Selector::parse(&second).is_ok());
        assert_ne!(first, second);
    }
    assert_selects(&config);
    // It asks for files: there are none.
    let _ = config.signatories(Path::new("/nowhere"));
    let mut compliance = Compliance::new(&config);
    drive_blocking(&mut compliance, &Zone::new());
    assert!(compliance.finish().is_empty());
}

/// What is made in a program, whatever it says, is written as TOML that keeps its places: what cannot
/// be read then is no value by its own grammar, and what can is what was written.
pub fn config_value(data: &[u8]) {
    let Ok(config) = made_up::config(&mut Unstructured::new(data)) else { return };
    let written = match config.to_toml() {
        Ok(written) => written,
        // TOML has no number beyond 63 bits.
        Err(ConfigError::Unwritable(_)) => return assert!(has_long_numbers(&config)),
        Err(error) => panic!("{error}"),
    };
    match Config::parse(&written) {
        Ok(read) => {
            assert_eq!(read, config, "{written}");
            assert_selects(&config);
        }
        Err(ConfigError::Toml { what, .. }) => panic!("{what}: {written}"),
        Err(error) => assert_harmless(&error),
    }
}

fn has_long_numbers(config: &Config) -> bool {
    let of_plans = config.keys.values().filter_map(|entry| match &entry.key {
        KeySource::Rotated { plan, .. } => {
            Some([plan.every, plan.negative_ttl, plan.message_life, plan.revoked_for])
        }
        _ => None,
    });
    config.signing.expires.into_iter().chain(of_plans.flatten()).any(|n| i64::try_from(n).is_err())
}

fn assert_written(config: &Config) {
    let written = config.to_toml().expect("what was read has no path beyond UTF-8");
    assert_eq!(Config::parse(&written).as_ref(), Ok(config), "{written}");
}

/// For authors near those of the rules.
fn assert_selects(config: &Config) {
    let patterns = config.rules.iter().flat_map(|rule| &rule.from).take(20);
    for pattern in patterns {
        let address = pattern.as_str().replace('*', "x.y");
        let (local_part, domain) = address.rsplit_once('@').unwrap_or(("joe", &address));
        for (authenticated, client) in [(false, None), (true, None), (false, Some([10, 0, 0, 1]))] {
            let mut mail = Mail::new(local_part, domain);
            mail.authenticated = authenticated;
            if let Some(client) = client {
                mail = mail.from_client(client.into());
            }
            let selection = config.select(&mail);
            // In A-labels, as rules are written.
            let author = format!("{local_part}@{}", mail.domain);
            let fits = |rule: usize| {
                let rule = &config.rules[rule - 1];
                rule.from.iter().any(|pattern| fits(pattern.as_str(), &author))
            };
            for chosen in &selection.chosen {
                assert!(config.rules[chosen.rule - 1].keys.contains(&chosen.key));
                assert!(fits(chosen.rule));
                let identity = chosen.identity.as_ref();
                assert!(identity.is_none_or(|auid| auid.domain().is_within(&chosen.domain)));
            }
            for passed in &selection.passed_over {
                assert_eq!(passed.why == Verdict::Author, !fits(passed.rule), "{passed:?}");
            }
            assert_decides(config, &[mail.clone(), Mail::new("joe", "example.com"), mail]);
        }
    }
}

/// For several authors: what signs for one of them, each name once, and in no name that stands for one
/// for whom nothing signs.
fn assert_decides(config: &Config, authors: &[Mail]) {
    let alone: Vec<_> = authors.iter().map(|mail| (mail, config.select(mail).chosen)).collect();
    let signed: Vec<_> = config.select_all(authors).expect("three authors").signatures;
    for (number, one) in signed.iter().enumerate() {
        let name = |one: &Chosen| (one.selector.clone(), one.domain.clone());
        assert!(signed.iter().skip(number + 1).all(|other| name(other) != name(one)));
        assert!(alone.iter().any(|(_, chosen)| chosen.contains(one)));
        let below = format!(".{}", one.domain.as_str());
        for (mail, chosen) in &alone {
            let author = format!(".{}", mail.domain.to_ascii_lowercase());
            let is_signed =
                chosen.iter().any(|own| author.ends_with(&format!(".{}", own.domain.as_str())));
            assert!(is_signed || !author.ends_with(&below), "{author} and {below}");
        }
    }
}

/// Whether a pattern fits, on either side of the last `@` if it has one.
fn fits(pattern: &str, address: &str) -> bool {
    match (pattern.rsplit_once('@'), address.rsplit_once('@')) {
        (None, _) => is_like(pattern, address),
        (Some(pattern), Some(address)) => {
            is_like(pattern.0, address.0) && is_like(pattern.1, address.1)
        }
        (Some(_), None) => false,
    }
}

/// Whether a text is like a pattern, by trying everything.
fn is_like(pattern: &str, address: &str) -> bool {
    let (pattern, address) = (pattern.to_ascii_lowercase(), address.to_ascii_lowercase());
    let address = address.as_bytes();
    // Of each part of the pattern, how many octets of the address it may have taken, in order.
    let mut taken = vec![0];
    for octet in pattern.bytes() {
        taken = match octet {
            b'*' => taken.first().map(|from| *from..=address.len()).into_iter().flatten().collect(),
            octet => {
                let fit = taken.iter().filter(|from| address.get(**from) == Some(&octet));
                fit.map(|from| from + 1).collect()
            }
        };
    }
    taken.contains(&address.len())
}

/// `opendkim.conf`, and behind each line `%%` a file: its name, and on the lines after it its text.
///
/// What is taken over can be written and read; a table that is no `refile` is looked up in the order
/// that OpenDKIM 2.11 has.
pub fn opendkim(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.split("%%\n");
    let conf = parts.next().unwrap_or_default();
    let files: Vec<(&str, &str)> =
        parts.map(|part| part.split_once('\n').unwrap_or((part, ""))).collect();
    let read = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        file.map(|(_, text)| (*text).to_owned().into()).ok_or(std::io::ErrorKind::NotFound.into())
    };
    match import_opendkim(conf, &read) {
        Ok(import) => {
            assert_written(&import.config);
            assert_selects(&import.config);
            assert_looked_up(conf, &import.config);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| matches!(c, ' ' | '\t'..='\r'))
}

/// For a list in the configuration file itself, whose values name a key each.
fn assert_looked_up(conf: &str, config: &Config) {
    let lines: Vec<(&str, &str)> = conf
        .lines()
        .filter_map(|line| {
            let line = line.split(['#', '\r']).next().unwrap_or_default();
            line.trim_matches([' ', '\t']).split_once([' ', '\t'])
        })
        .collect();
    let value = |setting: &str| {
        let mut named = lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case(setting));
        named.next_back().map(|(_, value)| value.trim_matches([' ', '\t']))
    };
    // What stands in other files is not known here.
    if value("Include").is_some() {
        return;
    }
    let (Some(_), Some(table)) = (value("KeyTable"), value("SigningTable")) else { return };
    if table.contains([':', '%']) || table.starts_with('/') {
        return;
    }
    let entries: Vec<(&str, &str)> = table
        .split(',')
        .map(trimmed)
        .filter(|entry| !entry.is_empty())
        .map(|entry| entry.split_once('=').unwrap_or((entry, "")))
        .map(|(key, name)| (trimmed(key), trimmed(name)))
        .collect();
    for (key, _) in entries.iter().take(20) {
        let (user, host) = key.split_once('@').unwrap_or(("joe", key));
        let host = host.strip_prefix('.').map_or(host.to_owned(), |rest| format!("a.b.{rest}"));
        if user.contains(['*', '@']) || host.contains(['*', '@']) {
            continue;
        }
        let above: Vec<String> = host.match_indices('.').map(|(at, _)| host[at..].into()).collect();
        let mut keys = vec![format!("{user}@{host}"), host.clone()];
        // Its manual has each `user@.domain` before the first `.domain`; its code has not.
        for domain in above {
            keys.extend([format!("{user}@{domain}"), domain]);
        }
        keys.extend([format!("{user}@*"), "*".to_owned()]);
        // It finds no more than ASCII.
        let found = keys.iter().filter(|key| key.is_ascii()).find_map(|key| {
            entries.iter().find(|(entry, _)| entry.eq_ignore_ascii_case(key)).map(|(_, name)| *name)
        });
        let author = format!("{user}@{host}");
        let mut rules = config.rules.iter();
        let rule = rules.find(|rule| rule.from.iter().any(|from| from.fits(&author)));
        let named = rule.and_then(|rule| rule.keys.first());
        assert_eq!(named.map(String::as_str), found, "{author}");
    }
}

/// What is read and written reads as the same; whoever is told is told once; at most one key of a
/// name is asked for; what stands too long is noticed without overflow.
pub fn rotation_state(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A configuration may stand before the state.
    let (config, text) = text.split_once("%%\n").unwrap_or(("", text));
    let mut state = match RotationState::parse(text) {
        Ok(state) => state,
        Err(error) => return assert_harmless(&error),
    };
    let written = state.to_toml().expect("what was read has no path beyond UTF-8");
    assert_eq!(RotationState::parse(&written).as_ref(), Ok(&state), "{written}");

    let mut config = Config::parse(config).unwrap_or_default();
    config.follow(&state);
    for (name, entry) in &config.keys {
        if let KeySource::Rotated { active: Some(active), before, .. } = &entry.key {
            let key = state.active(name).expect("it follows the state");
            assert_eq!((&active.selector, &active.file), (&key.selector, &key.file));
            assert_eq!(before, &None);
        }
    }
    let now = u64::try_from(Random::new(data, 0).below(1 << 30)).unwrap_or_default();
    for now in [0, now, u64::MAX] {
        let findings = check_rotation(&config, &state, UnixTime(now));
        assert!(findings.len() <= state.keys.len() + 1);
    }
    state.told(UnixTime(now));
    assert!(!state.hook_pending);
    let told = state.clone();
    state.told(UnixTime(now));
    assert_eq!(state, told);
}
