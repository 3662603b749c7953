//! What is usually published wrong, on a real server: what `dkim key test` says of it, and
//! `opendkim-testkey`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{KeyType, PrivateKey, Provider, PublicKey};
use dkim_tags::value::to_base64;
use serde_json::Value;

use super::server::{Server, ZONE};
use super::{Dkim, text};
use crate::interop::peer::Algorithm;
use crate::workspace;

/// What `opendkim-testkey` said when this was kept, and how it ended, by the code of the mistake.
const KEPT: &str = "dkim-keys/tests/data/opendkim-testkey.txt";

/// A mistake: the code of the finding, and entries of the zone. In them, `{name}` is the name of the
/// record, `{dir}` all of it but the selector, `{key}` the key that signs, `{other}` another one,
/// `{spaced}` the first with a space in it, and `{cut}` as much of the record as goes into one string.
struct Mistake {
    code: &'static str,
    entries: &'static str,
    /// A key whose private half nobody has, of so many bits.
    made_up: Option<usize>,
}

const fn mistake(code: &'static str, entries: &'static str) -> Mistake {
    Mistake { code, entries, made_up: None }
}

const fn made_up(code: &'static str, entries: &'static str, bits: usize) -> Mistake {
    Mistake { code, entries, made_up: Some(bits) }
}

const MISTAKES: [Mistake; 28] = [
    mistake("", "{name} TXT \"v=DKIM1; k=rsa; p={key}\""),
    mistake("no-record", ""),
    mistake("no-txt", "{name} HINFO PDP-11 UNIX"),
    mistake("name-doubled", "{name}.example.com TXT \"v=DKIM1; k=rsa; p={key}\""),
    mistake("dangling-alias", "{name} CNAME nothing-here"),
    mistake("alias-loop", "{name} CNAME {name}"),
    mistake("unanswered", ""),
    mistake(
        "several-records",
        "{name} TXT \"v=DKIM1; k=rsa; p={key}\"\n{name} TXT \"v=spf1 -all\"",
    ),
    mistake("wildcard", "{name} TXT \"v=DKIM1; k=rsa; p={key}\"\n*.{dir} TXT \"v=DKIM1; p=\""),
    mistake("quotes-inside", "{name} TXT \"\\\"v=DKIM1; k=rsa; p={key}\\\"\""),
    mistake("escaped-semicolons", "{name} TXT \"v=DKIM1\\\\; k=rsa\\\\; p={key}\""),
    mistake("cut-off", "{name} TXT \"{cut}\""),
    mistake("no-key-record", "{name} TXT \"v=spf1 -all\""),
    mistake("wrong-key-type", "{name} TXT \"v=DKIM1; k=ed25519; p={key}\""),
    mistake("revoked", "{name} TXT \"v=DKIM1; k=rsa; p=\""),
    mistake("other-key", "{name} TXT \"v=DKIM1; k=rsa; p={other}\""),
    mistake("space-in-key", "{name} TXT \"v=DKIM1; k=rsa; p={spaced}\""),
    made_up("key-too-short", "{name} TXT \"v=DKIM1; k=rsa; p={key}\"", 768),
    made_up("key-short", "{name} TXT \"v=DKIM1; k=rsa; p={key}\"", 1024),
    made_up("large-answer", "{name} TXT \"v=DKIM1; k=rsa; p={key}\"", 4096),
    mistake("no-sha256", "{name} TXT \"v=DKIM1; h=sha1; k=rsa; p={key}\""),
    mistake("not-for-email", "{name} TXT \"v=DKIM1; s=other; k=rsa; p={key}\""),
    mistake("testing", "{name} TXT \"v=DKIM1; t=y; k=rsa; p={key}\""),
    mistake("granularity", "{name} TXT \"v=DKIM1; g=; k=rsa; p={key}\""),
    mistake("no-version", "{name} TXT \"k=rsa; p={key}\""),
    mistake("no-key-record, v= not first", "{name} TXT \"k=rsa; v=DKIM1; p={key}\""),
    mistake("no-key-record, no p=", "{name} TXT \"v=DKIM1; k=rsa\""),
    mistake("long-ttl", "{name} 172800 TXT \"v=DKIM1; k=rsa; p={key}\""),
];

impl Mistake {
    /// The word that findings have for it.
    fn finding(&self) -> &'static str {
        self.code.split(',').next().unwrap_or_default()
    }

    fn selector(&self) -> String {
        match self.code {
            "" => "right".to_owned(),
            "dangling-alias" => "dangling".to_owned(),
            code => code.replace([',', '='], "").replace(' ', "-"),
        }
    }

    /// Each wildcard, and the zone that gives no answer, is to concern one mistake.
    fn domain(&self) -> String {
        match self.code {
            "wildcard" => format!("wild.{ZONE}"),
            "unanswered" => format!("broken.{ZONE}"),
            _ => ZONE.to_owned(),
        }
    }

    fn entries(&self) -> String {
        let directory = format!("_domainkey.{}.", self.domain());
        let name = format!("{}.{directory}", self.selector());
        let doubled = format!("{name}{ZONE}.");
        let key = match self.made_up {
            Some(bits) => made_up_key(bits / 8),
            None => ours(),
        };
        let full = format!("v=DKIM1; k=rsa; p={key}");
        self.entries
            .lines()
            .map(|entry| {
                let (owner, rest) = entry.split_once(' ').unwrap_or((entry, ""));
                let owner = match owner {
                    "{name}.example.com" => &doubled,
                    "*.{dir}" => &format!("*.{directory}"),
                    _ => &name,
                };
                let rest = rest
                    .replace("{name}", &name)
                    .replace("{cut}", full.get(..255).unwrap_or(&full))
                    .replace("{key}", &key)
                    .replace("{spaced}", &key.replacen("AQ", "A Q", 1))
                    .replace("{other}", &made_up_key(256));
                format!("{owner} {}\n", in_strings(&rest))
            })
            .collect()
    }
}

/// What follows in the zone.
pub(super) fn zone() -> String {
    MISTAKES.iter().map(Mistake::entries).collect()
}

/// Cuts a quoted text into strings of at most 255 octets (RFC 1035 §3.3.14); an escape counts for
/// two, which does no harm.
fn in_strings(rest: &str) -> String {
    let Some((before, text)) = rest.split_once('"') else { return rest.to_owned() };
    let text = text.strip_suffix('"').unwrap_or(text);
    let mut strings: Vec<String> = vec![String::new()];
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        let mut unit = c.to_string();
        if c == '\\' {
            unit.extend(characters.next());
        }
        if strings.last().is_some_and(|last| last.len() + unit.len() > 255) {
            strings.push(String::new());
        }
        if let Some(last) = strings.last_mut() {
            last.push_str(&unit);
        }
    }
    let strings: Vec<String> = strings.iter().map(|string| format!("\"{string}\"")).collect();
    format!("{before}{}", strings.join(" "))
}

/// The key that signs, in base64.
fn ours() -> String {
    let key = PrivateKey::from_pem(Algorithm::Rsa.pem().as_bytes()).expect("a key of the vectors");
    let key = PROVIDER.signing_key(&key).expect("a key that signs");
    to_base64(&key.public_key().to_p_tag())
}

/// An RSA key with a modulus of so many octets, in base64.
fn made_up_key(octets: usize) -> String {
    let mut modulus = vec![0xc5; octets];
    if let Some(last) = modulus.last_mut() {
        *last = 1;
    }
    // A leading zero: the number is not negative.
    let integers = [element(2, &[&[0], &*modulus].concat()), element(2, &[1, 0, 1])];
    let key = PublicKey::from_p_tag(KeyType::Rsa, &element(0x30, &integers.concat()));
    to_base64(&key.expect("a key").to_p_tag())
}

/// DER with a length of two octets, or a short form.
fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [.., high, low] = contents.len().to_be_bytes();
    let header = match (high, low) {
        (0, ..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&header[..], contents].concat()
}

pub(super) fn run(dkim: &Dkim, server: &Server) -> Result<usize> {
    let (mut right, mut wrong) = (0, 0);
    let peer = TestKey::new(server)?;
    let mut verdicts: BTreeMap<&str, String> = BTreeMap::new();
    for mistake in &MISTAKES {
        let key = mistake.made_up.is_none().then(|| Algorithm::Rsa.key_file());
        let (selector, domain) = (mistake.selector(), mistake.domain());
        let (dns, expected) = (server.address.to_string(), mistake.finding());
        let mut arguments = vec!["key", "test", "--json", "--fail-on", "note", "--domain", &domain];
        arguments.extend(["--selector", &selector, "--dns", &dns]);
        if let Some(key) = &key {
            arguments.extend(["--key", text(key)?]);
        }
        let ended = dkim.run(&arguments)?;
        let found: Value = serde_json::from_str(&ended.out).with_context(|| ended.err.clone())?;
        let findings = found["findings"].as_array().context("no findings")?;
        let codes: Vec<&str> = findings.iter().filter_map(|one| one["code"].as_str()).collect();
        // That no test message verifies is said beside why; what only looks odd may be said, too.
        let is_found = codes.contains(&expected);
        let others = codes.iter().filter(|code| **code != expected && **code != "loop-back");
        let is_right = (is_found || expected.is_empty() && codes.is_empty()) && others.count() == 0;
        match is_right {
            true => right += 1,
            false => {
                wrong += 1;
                println!("    DISAGREES: {:?}: {codes:?}", mistake.code);
            }
        }
        if let Some(peer) = &peer {
            verdicts.insert(mistake.code, peer.verdict(mistake, key.is_some())?);
        }
    }
    println!("  mistakes          {right} right, {wrong} wrong");
    match peer {
        Some(_) => wrong += compare(&verdicts)?,
        None => {
            println!("  opendkim-testkey: SKIPPED, not installed: apt-get install opendkim-tools");
        }
    }
    Ok(wrong)
}

/// Holds what was said against what was kept.
fn compare(verdicts: &BTreeMap<&str, String>) -> Result<usize> {
    let mut said = String::new();
    for (code, verdict) in verdicts {
        writeln!(said, "{}\t{verdict}", if code.is_empty() { "right" } else { code })?;
    }
    let kept = fs::read_to_string(workspace::path(KEPT)).unwrap_or_default();
    let kept: String = kept
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    if said == kept {
        println!("  opendkim-testkey  {} verdicts as kept", verdicts.len());
        return Ok(0);
    }
    println!("    DISAGREES: opendkim-testkey does not say what {KEPT} has, but:\n{said}");
    Ok(1)
}

/// `opendkim-testkey`, with a resolver that asks our server.
struct TestKey {
    directory: tempfile::TempDir,
}

impl TestKey {
    fn new(server: &Server) -> Result<Option<Self>> {
        if Command::new("opendkim-testkey").arg("-V").output().is_err() {
            return Ok(None);
        }
        let directory = tempfile::tempdir()?;
        let (address, port) = (server.address.ip(), server.address.port());
        let resolver = directory.path().join("unbound.conf");
        fs::write(
            &resolver,
            format!(
                "server:\n do-not-query-localhost: no\n module-config: \"iterator\"\n\
                 forward-zone:\n name: \".\"\n forward-addr: {address}@{port}\n"
            ),
        )?;
        let configuration = format!("ResolverConfiguration {}\n", resolver.display());
        fs::write(directory.path().join("opendkim.conf"), configuration)?;
        // It refuses a key that others can read.
        let key = directory.path().join("key.pem");
        fs::write(&key, Algorithm::Rsa.pem())?;
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(key, owner_only)?;
        Ok(Some(Self { directory }))
    }

    /// What it says last, or `OK`.
    fn verdict(&self, mistake: &Mistake, with_key: bool) -> Result<String> {
        let (domain, selector) = (mistake.domain(), mistake.selector());
        let path = |name: &str| self.directory.path().join(name);
        let mut command = Command::new("opendkim-testkey");
        command.arg("-x").arg(path("opendkim.conf"));
        command.args(["-d", &domain, "-s", &selector]);
        if with_key {
            command.arg("-k").arg(path("key.pem"));
        }
        let output = command.output()?;
        let said = [&*output.stdout, &output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let said = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let said = said.strip_prefix("opendkim-testkey: ").unwrap_or(said);
        let name = format!("'{selector}._domainkey.{domain}'");
        let said = said.replace(&format!("{name} "), "").replace(&name, "the name");
        let said = said.trim().to_owned();
        Ok(match (output.status.success(), said.is_empty()) {
            (true, true) => "OK".to_owned(),
            (true, false) => format!("OK, {said}"),
            (false, _) => said,
        })
    }
}
