//! Whether what a configuration says can be done, and should be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use dkim_crypto::{PrivateKeyError, Provider, PublicKey};
use dkim_tags::{DomainName, FieldName};

use super::{
    Config, KeyEntry, KeySource, Matching, NamedKey, Pattern, Rule, Signatory, Unclear, is_in_token,
};
use crate::Severity::{Error, Note, Warning};
use crate::finding::Row;
use crate::{FileFault, Finding, KeyFileError, KeyPair, read_key};

/// Said of a key that changes while there is none: before the first one, or when the last was revoked.
pub(super) const NONE_SIGNS: &str = "no key signs by this name yet, or any more";

/// Something wrong with a configuration, beside its grammar.
pub(crate) enum ConfigFault {
    KeyFile(FileFault),
    NoKey { why: String },
    NoKeyFiles,
    Unclear(Unclear),
    SameName { name: String, other: String },
    NameRetires { name: String, other: String },
    NoneSigns,
    DomainChanged { from: DomainName, to: DomainName },
    RevealDirectory { directory: PathBuf },
    UnusedKey,
    NeverReached { by: usize },
    NoEffect { by: usize },
    Unsigned { by: usize },
    AnyClient { rule: usize, others: usize },
    BodyLength,
    FromNotOversigned,
    OtherDomain { domain: DomainName },
    NoRules,
    TsigKey { error: io::Error },
    Hook { program: String, why: &'static str },
}

impl ConfigFault {
    /// Of a file in which no key was found.
    fn of_key(error: KeyFileError) -> Self {
        match error {
            KeyFileError::Key(PrivateKeyError::NoPem | PrivateKeyError::NotPrivate { .. }) => {
                Self::NoKey { why: error.to_string() }
            }
            KeyFileError::Key(error) => Self::KeyFile(FileFault::of_key(&error)),
            KeyFileError::Unreadable(error) if error.kind() != io::ErrorKind::NotFound => {
                Self::KeyFile(FileFault::Unreadable { why: error.to_string() })
            }
            error => Self::NoKey { why: error.to_string() },
        }
    }

    /// THE table.
    pub(crate) const fn row(&self) -> Row {
        let (code, severity, reference, remedy) = match self {
            Self::KeyFile(fault) => return fault.row(),
            Self::NoKey { .. } => (
                "dangling-key",
                Error,
                "RFC 5863 §4.3",
                "let `file` name a private key of `dkim key new`, seen from the configuration's directory",
            ),
            Self::NoKeyFiles => (
                "no-key-files",
                Error,
                "RFC 5863 §4.3",
                "put the keys where `file` says, each with the domain in the place of `%`",
            ),
            Self::Unclear(Unclear::SeveralFiles) => (
                "several-keys",
                Error,
                "RFC 6376 §3.6.2.2",
                "let `domain` be `%`, too, or `file` name one key: at one name there is one record",
            ),
            Self::Unclear(Unclear::Name(_)) => (
                "no-such-domain",
                Warning,
                "RFC 6376 §3.5",
                "correct the domain in `from`: mail of its authors is not signed",
            ),
            Self::Unclear(_) => (
                "any-domain",
                Note,
                "RFC 5863 §4.3",
                "name each domain in `from`: `dkim agent` has to know beforehand for whom it signs",
            ),
            Self::SameName { .. } => (
                "name-shared",
                Error,
                "RFC 6376 §3.6.2.2",
                "give each key a selector of its own: at one name there is one record",
            ),
            Self::NameRetires { .. } => (
                "name-retires",
                Warning,
                "RFC 5863 §3.5",
                "give the other key a selector of its own: this one is not revoked while that signs",
            ),
            Self::NoneSigns => (
                "no-signing-key",
                Error,
                "RFC 5863 §3.5.1",
                "let `dkim rotate run` bring the next key on its way; `dkim rotate status` tells where it is",
            ),
            Self::DomainChanged { .. } => (
                "domain-changed",
                Error,
                "RFC 6376 §3.6.2.1",
                "put the old domain back, and give the keys of the new one a name of their own",
            ),
            Self::RevealDirectory { .. } => (
                "reveal-directory",
                Warning,
                "RFC 5863 §3.5.2",
                "make it for whoever runs `dkim rotate`, apart from the keys, or take reveal out",
            ),
            Self::UnusedKey => (
                "unused-key",
                Note,
                "RFC 5863 §3.5.2",
                "name it in a rule, or take it out and revoke it",
            ),
            Self::NeverReached { .. } => (
                "rule-never-reached",
                Warning,
                "RFC 5863 §4.3",
                "put the rule before the one that takes all its mail",
            ),
            Self::NoEffect { .. } => (
                "rule-without-effect",
                Warning,
                "RFC 5863 §4.3",
                "take one of the two rules out, or let them differ in their keys",
            ),
            Self::Unsigned { .. } => (
                "rule-unsigned",
                Warning,
                "RFC 5863 §4.3",
                "take one of the two rules out, or let the one without keys fit less mail",
            ),
            Self::AnyClient { .. } => (
                "any-client",
                Note,
                "RFC 6376 §5.1",
                "say `clients` or `authenticated`, unless nothing but mail of your own comes to whoever signs",
            ),
            Self::BodyLength => (
                "body-length",
                Warning,
                "RFC 6376 §8.2",
                "take body-length out: with l= whoever likes may append to signed mail",
            ),
            Self::FromNotOversigned => (
                "from-not-oversigned",
                Warning,
                "RFC 6376 §8.15",
                "put From into oversign, or leave oversign out: a second From may be added to signed mail",
            ),
            Self::OtherDomain { .. } => (
                "not-aligned",
                Warning,
                "RFC 5617 §2.7, RFC 7489 §3.1.1",
                "let a key of the author's domain sign: ADSP and DMARC look for that",
            ),
            Self::NoRules => {
                ("no-rules", Error, "RFC 5863 §4.3", "add a rule: without one no mail is signed")
            }
            Self::TsigKey { .. } => (
                "dangling-tsig",
                Error,
                "RFC 5863 §3.2",
                "let `tsig` name the file with the key that the name server knows (`tsig-keygen`), seen from the configuration's directory",
            ),
            Self::Hook { .. } => (
                "dangling-hook",
                Error,
                "RFC 5863 §3.5.1",
                "let `hook` begin with the whole path of a program, such as /usr/bin/systemctl: until it has run, signers go on with the old key",
            ),
        };
        Row { code, severity, remedy, reference }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyFile(fault) => fault.fmt(f),
            Self::NoKey { why } => f.write_str(why),
            Self::NoKeyFiles => f.write_str("no domain that its rules fit has a key file"),
            Self::Unclear(why) => why.fmt(f),
            Self::SameName { name, other } => {
                write!(f, "signs as {name}, as keys.{other} does, and is another private key")
            }
            Self::NameRetires { name, other } => {
                write!(f, "its plan ends {name}, and keys.{other} signs by that name, too")
            }
            Self::NoneSigns => f.write_str(NONE_SIGNS),
            Self::DomainChanged { from, to } => {
                write!(f, "its keys are published in {from}, and it says {to}: none of them signs")
            }
            Self::RevealDirectory { directory } => {
                write!(f, "keys are to be revealed in {}, no directory", directory.display())
            }
            Self::UnusedKey => f.write_str("no rule names the key"),
            Self::NeverReached { by } => write!(f, "rule {by} before it takes all its mail"),
            Self::NoEffect { by } => {
                write!(f, "rule {by} before it signs all its mail with the same keys")
            }
            Self::Unsigned { by } => write!(f, "rule {by} leaves all its mail unsigned"),
            Self::AnyClient { rule, others } => {
                write!(f, "rule {rule}")?;
                match others {
                    0 => f.write_str(" signs")?,
                    1 => f.write_str(" and one more sign")?,
                    others => write!(f, " and {others} more sign")?,
                }
                f.write_str(" for whoever writes such an author, from any client")
            }
            Self::BodyLength => f.write_str("signatures carry l=, the length of the body"),
            Self::FromNotOversigned => f.write_str("the From field is not over-signed"),
            Self::OtherDomain { domain } => {
                write!(f, "signs with d={domain}, which is not the domain of its authors")
            }
            Self::NoRules => f.write_str("there is no rule"),
            Self::TsigKey { error } => {
                write!(f, "the file with the TSIG key cannot be read: {error}")
            }
            Self::Hook { program, why } => write!(f, "{program} cannot be run: {why}"),
        }
    }
}

/// Everything in a configuration that cannot be done or should not be: key files that are not there
/// or hold no key, two keys of one name, keys and rules without a use, signatures that promise too
/// little, a rotation that cannot publish or tell. `directory` is where the configuration stands.
#[must_use]
pub fn check_config(
    config: &Config,
    directory: &Path,
    provider: &'static dyn Provider,
) -> Vec<Finding> {
    let mut check = Check { config, directory, findings: Vec::new() };
    check.keys();
    for (subject, fault) in (Keys { config, directory, provider }).faults() {
        check.note(subject, &fault);
    }
    check.rules();
    check.signing();
    check.rotation();
    check.findings.sort_by_key(|finding| finding.severity);
    check.findings
}

struct Check<'c> {
    config: &'c Config,
    directory: &'c Path,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn note(&mut self, subject: impl Into<String>, fault: &ConfigFault) {
        self.findings.push(fault.row().finding(subject.into(), fault));
    }

    /// Keys that no rule names, that do not sign, or that a plan changes as it cannot go.
    fn keys(&mut self) {
        for (name, key) in &self.config.keys {
            let subject = || format!("keys.{name}");
            if self.config.rules_of(name).next().is_none() {
                self.note(subject(), &ConfigFault::UnusedKey);
            }
            if let KeySource::Rotated { plan, .. } = &key.key
                && let Some(reveal) = &plan.reveal
                && !self.directory.join(reveal).is_dir()
            {
                let directory = reveal.clone();
                self.note(subject(), &ConfigFault::RevealDirectory { directory });
            }
            if let Some((record, other)) = shares_name(self.config, name, key) {
                self.note(subject(), &ConfigFault::NameRetires { name: record, other });
            }
            if let (Some(from), Some(to)) = (key.other_domain(), key.domain.named()) {
                let (from, to) = (from.clone(), to.clone());
                self.note(subject(), &ConfigFault::DomainChanged { from, to });
            } else if key.signing().is_none() {
                self.note(subject(), &ConfigFault::NoneSigns);
            }
        }
    }

    /// Rules that have no effect, or sign with domains that say nothing of the author.
    fn rules(&mut self) {
        let rules = &self.config.rules;
        if rules.is_empty() {
            self.note("rules", &ConfigFault::NoRules);
        }
        let mut for_any_client = (1..).zip(rules).filter(|(_, rule)| {
            !rule.keys.is_empty() && rule.clients.is_empty() && !rule.authenticated
        });
        if let Some((rule, _)) = for_any_client.next() {
            let others = for_any_client.count();
            self.note("rules", &ConfigFault::AnyClient { rule, others });
        }
        let without_keys: Vec<(usize, &Rule)> =
            (1..).zip(rules).filter(|(_, rule)| rule.keys.is_empty()).collect();
        for (number, rule) in (1..).zip(rules) {
            let subject = || format!("rule {number}");
            let earlier = (1..).zip(rules).take_while(|(earlier, _)| *earlier < number);
            let mut earlier = earlier.filter(|(_, earlier)| earlier.takes_all_of(rule));
            let signs = |(_, earlier): &(usize, &Rule)| {
                !rule.keys.is_empty() && rule.keys.iter().all(|key| earlier.keys.contains(key))
            };
            let fault = match self.config.matching {
                Matching::First => earlier.next().map(|(by, _)| ConfigFault::NeverReached { by }),
                Matching::Every => {
                    let mut others = without_keys.iter().filter(|(by, _)| *by != number);
                    match others.find(|(_, other)| other.takes_all_of(rule)) {
                        Some((by, _)) => Some(ConfigFault::Unsigned { by: *by }),
                        None => earlier.find(signs).map(|(by, _)| ConfigFault::NoEffect { by }),
                    }
                }
            };
            let not_aligned = self.other_domain(rule);
            let not_aligned = not_aligned.map(|domain| ConfigFault::OtherDomain { domain });
            for fault in fault.into_iter().chain(not_aligned) {
                self.note(subject(), &fault);
            }
        }
    }

    /// The first domain that a rule signs with, where for one of its authors there is none that is
    /// theirs, or above or below it.
    fn other_domain(&self, rule: &Rule) -> Option<DomainName> {
        let keys = rule.keys.iter().filter_map(|name| self.config.keys.get(name));
        // Whatever the author's domain is, it signs.
        let domains: Vec<&DomainName> =
            keys.map(|key| key.domain.named()).collect::<Option<_>>()?;
        let is_not_aligned = |pattern: Pattern| {
            // What is below a domain is aligned as the domain is.
            let author = DomainName::parse(pattern.as_str().trim_start_matches("*."));
            let is_aligned = |author: &DomainName| {
                domains.iter().any(|domain| author.is_within(domain) || domain.is_within(author))
            };
            author.is_ok_and(|author| !is_aligned(&author))
        };
        let first = (*domains.first()?).clone();
        rule.from.iter().filter_map(Pattern::domain).any(is_not_aligned).then_some(first)
    }

    /// Signatures that promise too little.
    fn signing(&mut self) {
        let signing = &self.config.signing;
        if signing.body_length {
            self.note("signing", &ConfigFault::BodyLength);
        }
        let oversigns_from = |names: &Vec<FieldName>| names.iter().any(|name| name.is("From"));
        if signing.oversign.as_ref().is_some_and(|names| !oversigns_from(names)) {
            self.note("signing", &ConfigFault::FromNotOversigned);
        }
    }

    /// A rotation that cannot publish or tell.
    fn rotation(&mut self) {
        let rotation = &self.config.rotation;
        if let Some(tsig) = &rotation.tsig
            && let Err(error) = fs::File::open(self.directory.join(tsig))
        {
            let subject = format!("rotation.tsig ({})", tsig.display());
            self.note(subject, &ConfigFault::TsigKey { error });
        }
        if let (Some(Err(why)), Some(program)) = (rotation.hook_program(), rotation.hook.first()) {
            let program = program.clone();
            self.note("rotation.hook", &ConfigFault::Hook { program, why });
        }
    }
}

/// The name that a key signs by which a plan changes, where another key signs by it, too.
fn shares_name(config: &Config, name: &str, key: &KeyEntry) -> Option<(String, String)> {
    let KeySource::Rotated { .. } = key.key else { return None };
    let (selector, domain) = (&key.signing()?.selector, key.domain.named()?);
    let other = config.other_signer(name, selector, domain)?.to_owned();
    Some((dkim_keyrec::record_name(selector, domain), other))
}

/// The key files of a configuration.
struct Keys<'c> {
    config: &'c Config,
    directory: &'c Path,
    provider: &'static dyn Provider,
}

impl Keys<'_> {
    /// Files that are not there or hold no key, and names that several keys sign by.
    fn faults(&self) -> Vec<(String, ConfigFault)> {
        let mut faults = Vec::new();
        let mut files: BTreeMap<PathBuf, Option<PublicKey>> = BTreeMap::new();
        // Who signs by each name.
        let mut names: BTreeMap<String, (&str, PublicKey)> = BTreeMap::new();
        for (name, entry) in &self.config.keys {
            let signatories = self.signatories(name, entry);
            let signatories = signatories.unwrap_or_else(|(subject, fault)| {
                faults.push((subject, fault));
                Vec::new()
            });
            // Keys that no rule names, or for authors who are not known, have their one file.
            let fixed = entry.signing().filter(|named| !named.is_for_each_author());
            let fixed = fixed.map(|named| (self.directory.join(&named.file), None));
            let of_names = signatories.into_iter().map(|one| {
                let record = dkim_keyrec::record_name(&one.selector, &one.domain);
                (one.file, Some(record))
            });
            for (file, record) in fixed.into_iter().chain(of_names) {
                // A token is asked by whoever signs.
                if entry.signing().is_some_and(|named| is_in_token(&named.file)) {
                    continue;
                }
                let key = files.entry(file.clone()).or_insert_with(|| {
                    let read = self.read(&file);
                    let subject = || {
                        let file = file.strip_prefix(self.directory).unwrap_or(&file);
                        format!("keys.{name} ({})", file.display())
                    };
                    read.map_err(|error| faults.push((subject(), ConfigFault::of_key(error)))).ok()
                });
                let (Some(key), Some(record)) = (key, record) else { continue };
                let (other, public) =
                    names.entry(record.clone()).or_insert_with(|| (name, key.clone()));
                if public != key {
                    let fault = ConfigFault::SameName { name: record, other: (*other).to_owned() };
                    faults.push((format!("keys.{name}"), fault));
                }
            }
        }
        faults
    }

    fn read(&self, file: &Path) -> Result<PublicKey, KeyFileError> {
        let pair = KeyPair::of(read_key(file)?, self.provider).map_err(KeyFileError::Key)?;
        Ok(pair.public)
    }

    /// Who may sign with a key, as far as the configuration and its files tell.
    fn signatories(
        &self,
        name: &str,
        entry: &KeyEntry,
    ) -> Result<Vec<Signatory>, (String, ConfigFault)> {
        let subject = format!("keys.{name}");
        let all = self.config.signatories_of(name, entry, self.directory);
        match all {
            Err(Unclear::Unreadable { path, error }) => {
                let path = path.strip_prefix(self.directory).unwrap_or(&path).to_owned();
                let fault = ConfigFault::of_key(KeyFileError::Unreadable(error));
                Err((format!("{subject} ({})", path.display()), fault))
            }
            Err(why) => Err((subject, ConfigFault::Unclear(why))),
            Ok(all) => {
                let is_named = self.config.rules_of(name).next().is_some();
                let is_of_file = entry.signing().is_some_and(NamedKey::is_for_each_author);
                match all.is_empty() && is_named && is_of_file {
                    true => Err((subject, ConfigFault::NoKeyFiles)),
                    false => Ok(all),
                }
            }
        }
    }
}
