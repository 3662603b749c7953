//! What may be named where: a plain search, line by line.

use crate::house::{File, House, lines_of_product};

/// Crates that are named in one room only, so that another can take their place.
const ROOMS: [(&str, &[&str]); 4] = [
    ("ring", &["dkim-crypto/src/ring.rs"]),
    ("aws_lc_rs", &["dkim-crypto/src/aws_lc.rs"]),
    (
        "hickory_",
        &[
            "dkim-dns/src/hickory.rs",
            "dkim-dns/src/hickory/validation.rs",
            "dkim-dns/src/hickory/validation/relevant.rs",
            "dkim-dns/src/update.rs",
            // Zones are signed there.
            "dkim-dns/tests/dnssec_zones.rs",
        ],
    ),
    ("cryptoki", &["dkim-keys/src/pkcs11.rs"]),
];

/// What reaches out of the process or into its surroundings. Below the facade, time, files and
/// names come in as arguments.
const OUTSIDE: [&str; 21] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "std::os",
    "io::stdin",
    "io::stdout",
    "io::stderr",
    "rustix",
    "SystemTime",
    "Instant",
    "tokio",
    "async_std",
    "log::",
    "tracing",
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
];

/// Below this floor nothing reaches out.
const FACADE: u64 = 6;

/// Who reaches out all the same, since that is its trade.
const REACHES_OUT: [&str; 3] = ["dkim-dns/src/hickory", "dkim-dns/src/update", "dkim-keys/"];

/// Enumerations that only their owner matches on; whoever else wants to know calls a method.
const MATCHED_AT_HOME: [(&str, &str); 3] = [
    ("Canonicalization::", "dkim-canon"),
    ("KeyType::", "dkim-crypto"),
    ("HashAlgorithm::", "dkim-crypto"),
];

/// What does not stand in the doorway.
const NOT_IN_LIB_RS: [&str; 6] = ["fn", "struct", "enum", "trait", "impl", "macro_rules!"];

/// The rules that the sources break, a line each.
pub(super) fn broken(house: &House) -> Vec<String> {
    house.files.iter().flat_map(|file| broken_by(file, house)).collect()
}

fn broken_by(file: &File, house: &House) -> Vec<String> {
    // This room speaks of what the others must not say.
    if file.owner == "xtask" {
        return Vec::new();
    }
    let floor = house.floors.get(&file.owner);
    let reaches_out = REACHES_OUT.iter().any(|path| file.path.starts_with(path));
    let in_library = file.path.contains("/src/");
    let mut broken = Vec::new();
    if file.is_root && !file.text.lines().any(|line| line == "#![forbid(unsafe_code)]") {
        broken.push(format!("{}: #![forbid(unsafe_code)] is missing", file.path));
    }
    let product = lines_of_product(&file.text);
    for (number, line) in (1..).zip(file.text.lines()) {
        let at = format!("{}:{number}", file.path);
        let line = without_comment(line);
        for (named, rooms) in ROOMS {
            if !rooms.contains(&file.path.as_str()) && names_crate(line, named, file) {
                broken.push(format!("{at}: {named} is named in {} only", rooms.join(", ")));
            }
        }
        if !in_library || number > product {
            continue;
        }
        if floor.is_some_and(|floor| *floor < FACADE) && !reaches_out {
            for outside in OUTSIDE.iter().filter(|outside| has_path(line, outside)) {
                broken.push(format!("{at}: {outside} below the facade"));
            }
        }
        for (name, owner) in MATCHED_AT_HOME {
            if file.owner != owner && floor.is_some() && matches_on(line, name) {
                broken.push(format!("{at}: only {owner} matches on {name}"));
            }
        }
        if file.is_root && file.path.ends_with("lib.rs") {
            for word in NOT_IN_LIB_RS.iter().filter(|word| has_word(line, word)) {
                broken.push(format!("{at}: `{word}` in lib.rs, which declares and re-exports"));
            }
        }
    }
    broken
}

/// The line up to a comment. A string that holds two slashes is cut there, too: nothing that is
/// looked for stands in such strings.
fn without_comment(line: &str) -> &str {
    line.find("//").and_then(|at| line.get(..at)).unwrap_or(line)
}

/// Whether the line names an external crate, rather than a module of ours of the same name.
fn names_crate(line: &str, name: &str, file: &File) -> bool {
    if name != "ring" {
        return line.contains(name);
    }
    // `dkim_crypto::ring` is a module. In other crates no other `ring` can be meant: their
    // manifests do not list it. Here, a path that starts with it may mean either.
    occurrences(line, name).any(|at| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        match before.strip_suffix("::") {
            Some(parent) => !parent.ends_with(|end: char| end.is_alphanumeric() || end == '_'),
            None if file.owner == "dkim-crypto" => after.starts_with("::"),
            None => before.trim_end().ends_with("use") || before.trim_end().ends_with("crate"),
        }
    })
}

/// Whether the line uses a path, be it written out or in braces after `std::`.
fn has_path(line: &str, path: &str) -> bool {
    if path.ends_with(['!', ':']) {
        return occurrences(line, path).next().is_some();
    }
    match (path.strip_prefix("std::"), line.trim_start().strip_prefix("use std::{")) {
        (Some(module), Some(listed)) => has_word(listed, module),
        _ => has_word(line, path),
    }
}

/// Whether the line has an arm for a variant, or asks for one with `matches!`.
fn matches_on(line: &str, name: &str) -> bool {
    let arm = |at: usize| {
        let rest = &line[at + name.len()..];
        let variant = rest.find(|octet: char| !octet.is_alphanumeric()).unwrap_or(rest.len());
        // The variant may stand in a pattern of others, and have a guard behind it.
        let after = rest[variant..].trim_start_matches([' ', ')']);
        let has_guard = after.starts_with("if ") && after.contains("=>");
        let is_one_of = after.starts_with('|') && !after.starts_with("||");
        after.starts_with("=>") || has_guard || is_one_of
    };
    let asked = |at: usize| line[..at].contains("matches!(") || line[..at].contains("let ");
    occurrences(line, name).any(|at| arm(at) || asked(at) && !line[..at].contains('='))
}

fn has_word(line: &str, word: &str) -> bool {
    let goes_on = |end: char| end.is_alphanumeric() || end == '_';
    occurrences(line, word).any(|at| !line[at + word.len()..].starts_with(goes_on))
}

/// Where a word begins in a line.
fn occurrences<'l>(line: &'l str, word: &'l str) -> impl Iterator<Item = usize> + 'l {
    let starts = |at: &usize| {
        !line[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    };
    line.match_indices(word).map(|(at, _)| at).filter(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        let owner = path.split('/').next().unwrap_or_default().to_owned();
        let is_root = path.ends_with("src/lib.rs");
        File { owner, path: path.to_owned(), is_root, text: text.to_owned() }
    }

    fn broken_in(path: &str, text: &str) -> Vec<String> {
        let floors = [
            ("dkim-canon", 1),
            ("dkim-crypto", 1),
            ("dkim-dns", 1),
            ("dkim-verify", 4),
            ("dkim-stack", 6),
        ];
        let floors = floors.map(|(name, floor)| (name.to_owned(), floor));
        let house =
            House { floors: floors.into(), files: vec![file(path, text)], ..House::default() };
        broken(&house)
    }

    #[test]
    fn what_is_allowed() {
        for (path, text) in [
            ("dkim-crypto/src/ring.rs", "use ::ring::rand;\nuse ring::digest;"),
            (
                "dkim-crypto/src/lib.rs",
                "#![forbid(unsafe_code)]\npub mod ring;\n//! fn in a comment",
            ),
            ("dkim-crypto/tests/x.rs", "use dkim_crypto::ring::PROVIDER; fn ordering() {}"),
            ("dkim-crypto/src/provider.rs", "/// When ring::rand is out of numbers."),
            ("dkim-crypto/src/aws_lc.rs", "use aws_lc_rs::rsa::KeySize;"),
            ("dkim-verify/src/checks.rs", "use dkim_crypto::{A, ring::PROVIDER};"),
            ("dkim-verify/src/checks.rs", "let short = key == KeyType::Rsa && bits < 2048;"),
            ("dkim-verify/src/checks.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n use std::fs;\n}"),
            ("dkim-verify/tests/x.rs", "use std::fs;\nmatch a { KeyType::Rsa => 1 }"),
            ("dkim-keys/src/pkcs11.rs", "use cryptoki::session::Session;"),
            ("dkim-dns/src/hickory.rs", "use hickory_resolver::X;\nuse std::net::SocketAddr;"),
            ("dkim-stack/src/message.rs", "use std::time::{SystemTime, UNIX_EPOCH};"),
            ("dkim-canon/src/field.rs", "match form { Canonicalization::Simple => {} }"),
            ("dkim-verify/src/outcome.rs", "let instantly = Instantly; // std::fs"),
        ] {
            assert_eq!(broken_in(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }

    #[test]
    fn what_is_caught() {
        for (path, text) in [
            ("dkim-crypto/src/public_key.rs", "use ring::signature;"),
            (
                "dkim-crypto/src/public_key.rs",
                "    let random = ::ring::rand::SystemRandom::new();",
            ),
            ("dkim-crypto/src/public_key.rs", "    let hash = ring::digest::digest(a, b);"),
            ("dkim-crypto/tests/x.rs", "use aws_lc_rs::rand;"),
            ("dkim-verify/src/verifier.rs", "use ring::digest;"),
            ("dkim-verify/tests/x.rs", "use ::ring::digest;"),
            ("dkim-dns/src/zone.rs", "use hickory_proto::rr::Name;"),
            ("dkim-keys/src/token_uri.rs", "use cryptoki::error::Error;"),
            ("dkim-stack/src/message.rs", "use hickory_resolver::TokioResolver;"),
            ("dkim-verify/src/verifier.rs", "use std::fs;"),
            ("dkim-verify/src/verifier.rs", "use std::{collections::HashMap, env};"),
            ("dkim-verify/src/verifier.rs", "let now = SystemTime::now();"),
            ("dkim-verify/src/verifier.rs", "let now = std::time::Instant::now();"),
            ("dkim-verify/src/verifier.rs", "tokio::spawn(task);"),
            ("dkim-verify/src/verifier.rs", "log::warn!(\"no\");"),
            ("dkim-verify/src/verifier.rs", "println!(\"no\");"),
            ("dkim-verify/src/verifier.rs", "eprint!(\"no\");"),
            ("dkim-verify/src/verifier.rs", "let line = io::stdin().lines().next();"),
            ("dkim-verify/src/verifier.rs", "use std::os::unix::net::UnixStream;"),
            ("dkim-verify/src/verifier.rs", "rustix::process::getuid();"),
            ("dkim-dns/src/zone.rs", "use std::net::IpAddr;"),
            ("dkim-verify/src/checks.rs", "    KeyType::Rsa => 1,"),
            ("dkim-verify/src/checks.rs", "    KeyType::Rsa | KeyType::Ed25519 => 1,"),
            ("dkim-verify/src/checks.rs", "    HashAlgorithm::Sha1 => 1,"),
            ("dkim-verify/src/checks.rs", "    Some(KeyType::Rsa) => 1,"),
            ("dkim-verify/src/checks.rs", "    KeyType::Rsa if bits < 1024 => 1,"),
            ("dkim-verify/src/checks.rs", "    if matches!(form, Canonicalization::Simple) {"),
            ("dkim-verify/src/checks.rs", "    if let KeyType::Rsa = key {"),
            ("dkim-verify/src/lib.rs", "mod checks;"),
            ("dkim-verify/src/lib.rs", "#![forbid(unsafe_code)]\npub fn verify() {}"),
            ("dkim-verify/src/lib.rs", "#![forbid(unsafe_code)]\nstruct Verifier;"),
        ] {
            assert_eq!(broken_in(path, text).len(), 1, "{path}: {text}");
        }
    }
}
