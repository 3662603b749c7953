//! Whether what a configuration says can be done, and should be.

use std::fmt;
use std::path::{Path, PathBuf};

use dkim_crypto::Provider;
use dkim_tags::DomainName;

use super::{Config, KeySource};
use crate::Severity::{Error, Note, Warning};
use crate::finding::Row;
use crate::{Finding, KeyFileError, KeyPair, read_key};

/// Something wrong with a configuration, beside its grammar.
pub(crate) enum ConfigFault {
    KeyFile(KeyFileError),
    NoneSigns,
    DomainChanged { from: String, to: String },
    RevealDirectory { directory: PathBuf },
    UnusedKey,
    NeverReached { by: usize },
    BodyLength,
    FromNotOversigned,
    OtherDomain { domain: String },
    NoRules,
}

impl ConfigFault {
    /// THE table.
    pub(crate) const fn row(&self) -> Row {
        let (code, severity, reference, cure) = match self {
            Self::KeyFile(_) => (
                "dangling-key",
                Error,
                "RFC 5863 §4.3",
                "let `file` name a private key of `dkim key new`, seen from the configuration's directory",
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
        };
        Row { code, severity, cure, reference }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyFile(error) => error.fmt(f),
            Self::NoneSigns => f.write_str("no key signs by this name yet, or any more"),
            Self::DomainChanged { from, to } => {
                write!(f, "its keys are published in {from}, and it says {to}: none of them signs")
            }
            Self::RevealDirectory { directory } => {
                write!(f, "keys are to be revealed in {}, no directory", directory.display())
            }
            Self::UnusedKey => f.write_str("no rule names the key"),
            Self::NeverReached { by } => write!(f, "rule {by} before it takes all its mail"),
            Self::BodyLength => f.write_str("signatures carry l=, the length of the body"),
            Self::FromNotOversigned => f.write_str("the From field is not over-signed"),
            Self::OtherDomain { domain } => {
                write!(f, "signs with d={domain}, which is not the domain of its authors")
            }
            Self::NoRules => f.write_str("there is no rule"),
        }
    }
}

/// Everything in a configuration that cannot be done or should not be: key files that are not there
/// or hold no key, keys and rules without a use, signatures that promise too little. `directory` is
/// where the configuration stands.
#[must_use]
pub fn check_config(
    config: &Config,
    directory: &Path,
    provider: &'static dyn Provider,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |subject: String, fault: ConfigFault| {
        findings.push(fault.row().finding(subject, &fault));
    };
    if config.rules.is_empty() {
        note("rules".to_owned(), ConfigFault::NoRules);
    }
    for (name, key) in &config.keys {
        let subject = || format!("keys.{name}");
        if !config.rules.iter().any(|rule| rule.keys.contains(name)) {
            note(subject(), ConfigFault::UnusedKey);
        }
        if let KeySource::Rotated { plan, .. } = &key.key
            && let Some(reveal) = &plan.reveal
            && !directory.join(reveal).is_dir()
        {
            note(subject(), ConfigFault::RevealDirectory { directory: reveal.clone() });
        }
        if let Some(from) = key.other_domain() {
            let (from, to) = (from.to_owned(), key.domain.clone());
            note(subject(), ConfigFault::DomainChanged { from, to });
        } else if key.signing().is_none() {
            note(subject(), ConfigFault::NoneSigns);
        }
        let Some(key) = key.signing() else { continue };
        // Which file it is depends on the mail; and a token is asked by whoever signs.
        if key.file.to_string_lossy().contains('%') || super::is_in_token(&key.file) {
            continue;
        }
        let read = read_key(&directory.join(&key.file));
        let read = read.and_then(|key| KeyPair::of(key, provider).map_err(KeyFileError::Key));
        if let Err(error) = read {
            note(format!("{} ({})", subject(), key.file.display()), ConfigFault::KeyFile(error));
        }
    }
    for (number, rule) in (1..).zip(&config.rules) {
        let subject = || format!("rule {number}");
        let earlier = (1..).zip(&config.rules).take_while(|(earlier, _)| *earlier < number);
        let takes_all = |earlier: &super::Rule| {
            earlier.clients.is_empty()
                && !earlier.authenticated
                && rule.from.iter().all(|pattern| {
                    earlier.from.iter().any(|other| other == pattern || other.as_str() == "*")
                })
        };
        if config.matching == super::Matching::First
            && let Some((by, _)) = earlier.into_iter().find(|(_, earlier)| takes_all(earlier))
        {
            note(subject(), ConfigFault::NeverReached { by });
        }
        let keys = rule.keys.iter().filter_map(|name| config.keys.get(name));
        let domains: Vec<DomainName> =
            keys.clone().filter_map(|key| DomainName::parse(&key.domain).ok()).collect();
        let is_of_author = keys.clone().any(|key| key.domain == "%");
        for pattern in &rule.from {
            let author = pattern.as_str().rsplit('@').next().unwrap_or_default();
            let author = author.trim_start_matches("*.");
            let Ok(author) = DomainName::parse(author) else { continue };
            let is_aligned =
                |domain: &DomainName| author.is_within(domain) || domain.is_within(&author);
            if let Some(first) = domains.first()
                && !is_of_author
                && !domains.iter().any(is_aligned)
            {
                let domain = first.as_str().to_owned();
                note(subject(), ConfigFault::OtherDomain { domain });
                break;
            }
        }
    }
    if config.signing.body_length {
        note("signing".to_owned(), ConfigFault::BodyLength);
    }
    let oversigns_from =
        |names: &Vec<String>| names.iter().any(|name| name.eq_ignore_ascii_case("From"));
    if config.signing.oversign.as_ref().is_some_and(|names| !oversigns_from(names)) {
        note("signing".to_owned(), ConfigFault::FromNotOversigned);
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}
