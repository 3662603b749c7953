//! Which key signs for whom: a file that a person writes and every program reads.

mod check;
mod compliance;
mod domain;
mod hook;
mod import;
mod key;
mod network;
mod pattern;
mod rotation;
mod select;
mod signatory;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dkim_crypto::SigningAlgorithm;
use dkim_sign::{BodyLength, Expiration, Fields, Request};
use dkim_tags::{Auid, Canonicalizations, DomainName, FieldName, Selector, Signature};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

#[cfg(test)]
pub(crate) use self::check::ConfigFault;
pub use self::check::check_config;
pub use self::compliance::Compliance;
#[cfg(test)]
pub(crate) use self::compliance::ComplianceFault;
pub use self::domain::SigningDomain;
pub use self::import::{Import, ImportError, import_opendkim};
pub use self::key::{KeyEntry, KeySource, NamedKey, is_in_token};
pub use self::pattern::Pattern;
pub use self::rotation::{Rotation, ServerAddress};
pub use self::select::{Chosen, Decision, Mail, PassedOver, Selection, TooManyAuthors, Verdict};
pub use self::signatory::{Signatory, SignatoryError, Unclear};
use crate::directory::target_of;
use crate::excerpt::excerpt;
use crate::{Plan, RotationState, as_text, is_secret};

/// The configuration of a signer (RFC 5863 §4.3: which mail is signed, with which key, is decided by
/// configuration at run time).
///
/// ```
/// use dkim_keys::{Config, Mail};
///
/// let config = Config::parse(
///     r#"
///     [keys.main]
///     domain = "example.com"
///     selector = "s2024"
///     file = "s2024._domainkey.example.com.pem"
///
///     [[rules]]
///     from = ["*@example.com", "*@*.example.com"]
///     keys = ["main"]
///     "#,
/// )?;
/// let selection = config.select(&Mail::new("joe", "lists.example.com"));
/// assert_eq!(selection.chosen[0].key, "main");
/// # Ok::<(), dkim_keys::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Whether the first rule that fits decides, or all that fit sign.
    #[serde(default, rename = "match")]
    pub matching: Matching,
    /// How messages are signed.
    #[serde(default)]
    pub signing: Signing,
    /// How keys that change are published, and who is told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rotation: Rotation,
    /// The keys, by the names that rules call them.
    #[serde(default)]
    pub keys: BTreeMap<String, KeyEntry>,
    /// Who is signed for, from the first rule to the last.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// What becomes of mail that several rules fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Matching {
    /// It is signed by each.
    #[default]
    Every,
    /// It is signed by the first.
    First,
}

/// How messages are signed. What is left out is as `dkim_sign::Request` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Signing {
    /// `c=`, such as `relaxed/simple`.
    #[serde(default, with = "as_text::optional", skip_serializing_if = "Option::is_none")]
    pub canonicalization: Option<Canonicalizations>,
    /// Fields that are signed once more than they are there.
    #[serde(default, with = "as_text::list", skip_serializing_if = "Option::is_none")]
    pub oversign: Option<Vec<FieldName>>,
    /// `x=`, so many seconds after `t=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// `l=`: anybody may append to the body.
    #[serde(default, skip_serializing_if = "is_default")]
    pub body_length: bool,
}

/// Whose mail is signed, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rule {
    /// Addresses of authors, `*` standing for anything: `*@example.com`, `*@*.example.com`. Domains
    /// are in A-labels.
    pub from: Vec<Pattern>,
    /// The keys that sign, one signature each; none at all leaves the mail unsigned, whatever other
    /// rules say, unless one before it decides by `match = "first"`.
    pub keys: Vec<String>,
    /// `i=`; `%` stands for the domain of the author. Left out where it is not within `d=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Mail from these networks and addresses alone; all if none is named.
    #[serde(
        default,
        deserialize_with = "network::deserialize",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub clients: Vec<IpNet>,
    /// Beside mail from these networks, that of senders who have shown who they are (SMTP AUTH);
    /// theirs alone if no network is named.
    #[serde(default, skip_serializing_if = "is_default")]
    pub authenticated: bool,
}

impl Signing {
    /// Asks for what it says; of what it leaves out, the request stays as it is.
    pub fn apply(&self, request: &mut Request) {
        if let Some(canonicalization) = self.canonicalization {
            request.canonicalization = canonicalization;
        }
        if let Some(names) = &self.oversign {
            request.fields = Fields::oversigning(names.clone());
        }
        if let Some(seconds) = self.expires {
            request.expiration = Expiration::After(seconds);
        }
        if self.body_length {
            request.body_length = BodyLength::AsSigned;
        }
    }
}

impl Rule {
    /// All mail of these authors, from any client, is signed with these keys of the configuration.
    ///
    /// ```
    /// use dkim_keys::{Config, KeyEntry, Mail, Pattern, Rule};
    /// use dkim_tags::{DomainName, Selector};
    ///
    /// let mut config = Config::default();
    /// let domain = DomainName::parse("example.com")?;
    /// let key = KeyEntry::new(domain.into(), Selector::parse("s2024")?, "s2024.pem".into());
    /// config.keys.insert("main".into(), key);
    /// config.rules.push(Rule::new(vec![Pattern::new("*@example.com")], vec!["main".into()]));
    /// assert_eq!(config.select(&Mail::new("joe", "example.com")).chosen[0].key, "main");
    /// # Ok::<(), dkim_tags::InvalidName>(())
    /// ```
    #[must_use]
    pub const fn new(from: Vec<Pattern>, keys: Vec<String>) -> Self {
        Self { from, keys, identity: None, clients: Vec::new(), authenticated: false }
    }
}

/// Said of a pattern whose domain has U-labels.
const NOT_IN_A_LABELS: &str = "write its domain in A-labels (xn--...), as mail is compared";

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Config {
    /// The longest configuration that is read, in octets.
    pub const MAX_LEN: usize = 16 * 1024 * 1024;

    /// Reads a configuration in TOML, and checks that its names and values are what they should be.
    /// Whether the key files are there is not looked at.
    ///
    /// # Errors
    ///
    /// When it is not TOML, has an unknown word, a rule names a key that is not there, or a value
    /// is not valid: with the line, or the key or rule.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
            ConfigError::Toml { line, what: said_of_toml(&error) }
        })?;
        config.check()?;
        Ok(config)
    }

    /// Writes the configuration in TOML, the twin of [`parse`](Self::parse).
    ///
    /// # Errors
    ///
    /// When a path is not UTF-8.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string_pretty(self).map_err(|error| ConfigError::Unwritable(error.to_string()))
    }

    /// The directory from which paths in the configuration of this file are seen; where a symbolic link
    /// leads to it, the same as without.
    #[must_use]
    pub fn directory_of(file: &Path) -> PathBuf {
        target_of(file).parent().unwrap_or(Path::new("")).to_owned()
    }

    /// Lets the keys that change be those that sign by this state.
    pub fn follow(&mut self, state: &RotationState) {
        for (name, key) in &mut self.keys {
            key.follow(name, state);
        }
    }

    /// The keys that change, with their names, domains and plans.
    pub fn rotated(&self) -> impl Iterator<Item = (&str, &DomainName, &Plan)> {
        self.keys.iter().filter_map(|(name, key)| match &key.key {
            KeySource::Rotated { plan, .. } => Some((&**name, key.domain.named()?, &**plan)),
            KeySource::Fixed(_) => None,
        })
    }

    /// The request for a signature that was [chosen](Self::select), to be made with a key of this
    /// algorithm.
    #[must_use]
    pub fn request(&self, chosen: &Chosen, algorithm: SigningAlgorithm) -> Request {
        let (sdid, selector) = (chosen.domain.clone(), chosen.selector.clone());
        let mut request = Request::new(sdid, selector, algorithm);
        request.auid.clone_from(&chosen.identity);
        self.signing.apply(&mut request);
        request
    }

    /// The rules that name a key.
    pub(crate) fn rules_of(&self, key: &str) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.keys.iter().any(|name| name == key))
    }

    fn check(&self) -> Result<(), ConfigError> {
        for (name, key) in &self.keys {
            key.check().map_err(|why| ConfigError::Key {
                name: excerpt(&name.escape_debug().to_string()),
                why: excerpt(&why),
            })?;
        }
        for (number, rule) in (1..).zip(&self.rules) {
            let of_rule = |why: String| ConfigError::Rule { number, why: excerpt(&why) };
            if rule.from.is_empty() {
                return Err(of_rule("from= names nobody".to_owned()));
            }
            if let Some(key) = rule.keys.iter().find(|key| !self.keys.contains_key(*key)) {
                return Err(of_rule(format!("there is no key {key:?}")));
            }
            if let Some(pattern) = rule.from.iter().find(|pattern| !pattern.is_in_a_labels()) {
                let what = format!("from: {:?}: {NOT_IN_A_LABELS}", pattern.as_str());
                return Err(of_rule(what));
            }
            if let Some(identity) = &rule.identity {
                Auid::parse(&identity.replace('%', "example.com"))
                    .map_err(|error| of_rule(format!("identity: {error}")))?;
            }
        }
        if self.rotation.tsig.as_ref().is_some_and(|tsig| is_secret(&tsig.to_string_lossy())) {
            let why = "tsig: the key itself stands there; put it into a file, and name that";
            return Err(ConfigError::Rotation(why));
        }
        // A zone may be below `_domainkey`.
        let is_zone = |zone: &str| Selector::parse(zone.strip_suffix('.').unwrap_or(zone)).is_ok();
        if self.rotation.zone.as_deref().is_some_and(|zone| !is_zone(zone)) {
            return Err(ConfigError::Rotation("zone: not the name of a zone"));
        }
        match self.signing.expires {
            Some(0) => return Err(ConfigError::Signing("expires is at least a second")),
            // RFC 6376 §3.5: `x=` has at most twelve digits.
            Some(100_000_000_000..) => {
                return Err(ConfigError::Signing("expires has at most eleven digits"));
            }
            _ => {}
        }
        let mut oversigned = self.signing.oversign.iter().flatten();
        if oversigned.any(|name| name.is(Signature::FIELD_NAME)) {
            let why = "oversign: a signature cannot sign itself; leave DKIM-Signature out";
            return Err(ConfigError::Signing(why));
        }
        Ok(())
    }
}

/// What is wrong, on one line; what is quoted of a file does not steer who shows it, and is short.
pub(crate) fn said_of_toml(error: &toml::de::Error) -> String {
    let harmless = |c: char| match c {
        '"' | '\'' | '\\' | '\n' => c.to_string(),
        c => c.escape_debug().to_string(),
    };
    let said: String = error.message().trim_end().chars().map(harmless).collect();
    excerpt(&said).replace('\n', ", ")
}

/// Why a text is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not TOML, or an unknown word in it.
    #[error("line {line}: {what}")]
    Toml {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// It cannot be written in TOML.
    #[error("{0}")]
    Unwritable(String),
    /// A key cannot sign.
    #[error("keys.{name}: {why}")]
    Key {
        /// Its name, escaped, and cut where it is long.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A rule says nothing that can be done.
    #[error("rule {number}: {why}")]
    Rule {
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong.
        why: String,
    },
    /// Messages cannot be signed so.
    #[error("signing: {0}")]
    Signing(&'static str),
    /// Keys that change cannot be published so.
    #[error("rotation: {0}")]
    Rotation(&'static str),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::RotationState;

    #[test]
    fn errors_are_lines_that_steer_nobody() {
        let key = "domain = 'example.com'\nselector = 's'\nfile = 'f'\nbits = 1";
        for (text, expected) in [
            ("\"a\\u001b[2J\\nb\" = 1", "line 1: unknown field `a\\u{1b}[2J, b`"),
            (&format!("[keys.\"a\\n\\u202eb\"]\n{key}"), "line 5: unknown field `bits`"),
            (
                "[keys.\"a\\n\\u202eb\"]\ndomain = 'a.b'\nselector = 's'\nfile = 'pkcs11:?pin-value=1'",
                "keys.a\\n\\u{202e}b: ",
            ),
        ] {
            let said = Config::parse(text).unwrap_err().to_string();
            assert!(said.starts_with(expected), "{said:?}");
            assert!(!said.contains(|c: char| c.is_control() || c == '\u{202e}'), "{said:?}");
        }
        let said = RotationState::parse("\"a\\u001b[2J\\nb\" = 1").unwrap_err().to_string();
        assert!(said.contains("a\\u{1b}[2J, b"), "{said:?}");
    }

    /// Enough to find the place, and no key.
    #[test]
    fn errors_quote_little() {
        let key = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
        let pem = format!("-----BEGIN PRIVATE KEY-----\\n{key}\\n-----END PRIVATE KEY-----\\n");
        let file = "selector = 's'\nfile = 'f'";
        let k = format!("[keys.k]\ndomain = 'example.com'\n{file}");
        let rule = "[[rules]]\nfrom = ['*']";
        for secret in [key, &pem] {
            for text in [
                format!("\"{secret}\" = 1"),
                format!("match = \"{secret}\""),
                format!("[signing]\nexpires = \"{secret}\""),
                format!("[signing]\ncanonicalization = \"{secret}\""),
                format!("[signing]\noversign = [\" {secret}\"]"),
                format!("[keys.\"{secret}\"]\ndomain = ''\n{file}"),
                format!("[keys.k]\ndomain = \"{secret}\"\n{file}"),
                format!("[keys.k]\ndomain = 'example.com'\nselector = \"{secret}\"\nfile = 'f'"),
                format!("[keys.k]\ndomain = 'a.b'\n[keys.k.rotate]\nselector = \"{secret}\""),
                format!("[keys.k]\ndomain = 'a.b'\n[keys.k.rotate]\nkind = \"{secret}\""),
                format!("{k}\n{rule}\nkeys = [\"{secret}\"]"),
                format!("{k}\n{rule}\nkeys = ['k']\nidentity = \"{secret}\""),
                format!("{k}\n{rule}\nkeys = ['k']\nclients = [\"{secret}\"]"),
                format!("[rotation]\nserver = \"{secret}\""),
                format!("[rotation]\ntsig = \"{secret}\""),
                format!("{k}\"{secret}\""),
            ] {
                let said = Config::parse(&text).unwrap_err().to_string();
                let told = (0..=key.len() - 25).find(|&at| said.contains(&key[at..at + 25]));
                assert_eq!(told, None, "{said}");
                assert!(said.len() < 500, "{said}");
            }
        }
    }

    #[test]
    fn a_secret_is_no_name_of_a_file() {
        let seed = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
        let tsig = format!("hmac-sha256:k:{seed}");
        for secret in ["-----BEGIN PRIVATE KEY-----", seed, &tsig, "PKCS11:token=a;pin-value=1"] {
            let key =
                format!("[keys.k]\ndomain = 'example.com'\nselector = 's'\nfile = '{secret}'");
            let rotation = format!("[rotation]\ntsig = '{secret}'");
            for (text, place) in [(key, "keys.k: "), (rotation, "rotation: tsig: ")] {
                let said = Config::parse(&text).unwrap_err().to_string();
                assert!(said.starts_with(place) && !said.contains(secret), "{said}");
                assert!(said.contains("name a file") || said.contains("put it into a file"));
            }
        }
    }
}
