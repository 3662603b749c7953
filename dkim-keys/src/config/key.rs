//! A key of a configuration: always the same one, or one after the other by a plan.

use std::path::{Path, PathBuf};

use dkim_keyrec::record_name;
use dkim_tags::{DomainName, Selector};
use serde::{Deserialize, Serialize};

use super::SigningDomain;
use crate::token_uri::is_token_uri;
use crate::{NameTooLong, Phase, Plan, Publication, RotatedKey, RotationState, as_text, is_secret};

/// A key that signs by a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
#[non_exhaustive]
pub struct KeyEntry {
    /// `d=`.
    pub domain: SigningDomain,
    /// Which key it is.
    pub key: KeySource,
}

/// Which key signs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// This one, until a person names another.
    Fixed(NamedKey),
    /// Keys that follow one another.
    Rotated {
        /// When, and what they are called.
        plan: Box<Plan>,
        /// The key that signed before there was a plan, and signs until there is a state.
        before: Option<NamedKey>,
        /// The one that signs by the state that [`Config::follow`](super::Config::follow) was given.
        active: Option<NamedKey>,
        /// Those that may be asked for around a change, by the same state: the next one, once it is
        /// proven, and the one before, until whoever signs has been told.
        standby: Vec<NamedKey>,
        /// The domain of keys of this name in the same state, where it is another one.
        other_domain: Option<DomainName>,
    },
}

/// A selector and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// `s=`.
    pub selector: Selector,
    /// The file with the private key, seen from the directory of the configuration; `%` in it
    /// stands for the domain of the author. Or where in a token it is: a `pkcs11:` URI (RFC 7512).
    pub file: PathBuf,
}

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(with = "as_text")]
    domain: SigningDomain,
    #[serde(default, with = "as_text::optional", skip_serializing_if = "Option::is_none")]
    selector: Option<Selector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotate: Option<Plan>,
}

impl TryFrom<Written> for KeyEntry {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { domain, selector, file, rotate } = written;
        let named = match (selector, file) {
            (Some(selector), Some(file)) => Some(NamedKey { selector, file }),
            (None, None) => None,
            (Some(_), None) => return Err("missing field `file`"),
            (None, Some(_)) => return Err("missing field `selector`"),
        };
        let key = match (rotate, named) {
            (Some(plan), before) => KeySource::Rotated {
                plan: Box::new(plan),
                before,
                active: None,
                standby: Vec::new(),
                other_domain: None,
            },
            (None, Some(named)) => KeySource::Fixed(named),
            (None, None) => return Err("missing fields `selector` and `file`, or `rotate`"),
        };
        Ok(Self { domain, key })
    }
}

impl From<KeyEntry> for Written {
    fn from(KeyEntry { domain, key }: KeyEntry) -> Self {
        let (named, rotate) = match key {
            KeySource::Fixed(named) => (Some(named), None),
            KeySource::Rotated { plan, before, .. } => (before, Some(*plan)),
        };
        let (selector, file) = named.map(|named| (named.selector, named.file)).unzip();
        Self { domain, selector, file, rotate }
    }
}

impl KeyEntry {
    /// A key that stays.
    #[must_use]
    pub const fn new(domain: SigningDomain, selector: Selector, file: PathBuf) -> Self {
        Self { domain, key: KeySource::Fixed(NamedKey { selector, file }) }
    }

    /// The key that signs; none before the first of a plan has gone all its way, and while one is
    /// revoked and the next on its way.
    #[must_use]
    pub const fn signing(&self) -> Option<&NamedKey> {
        match &self.key {
            KeySource::Fixed(named) => Some(named),
            KeySource::Rotated { active: Some(named), .. } => Some(named),
            KeySource::Rotated { before, active: None, .. } => before.as_ref(),
        }
    }

    /// Those that may be asked for around a change of keys, beside the one that signs.
    pub(super) fn standby(&self) -> &[NamedKey] {
        match &self.key {
            KeySource::Rotated { standby, .. } => standby,
            KeySource::Fixed(_) => &[],
        }
    }

    /// The domain of the keys that have this name by the state that
    /// [`Config::follow`](super::Config::follow) was given, where it is not that of the
    /// configuration: somebody changed it. None of them signs here.
    #[must_use]
    pub const fn other_domain(&self) -> Option<&DomainName> {
        match &self.key {
            KeySource::Rotated { other_domain, .. } => other_domain.as_ref(),
            KeySource::Fixed(_) => None,
        }
    }

    pub(super) fn follow(&mut self, name: &str, state: &RotationState) {
        let Some(domain) = self.domain.named() else { return };
        if let KeySource::Rotated { before, active, standby, other_domain, .. } = &mut self.key {
            let named = |key: &RotatedKey| NamedKey {
                selector: key.selector.clone(),
                file: key.file.clone(),
            };
            let of_name = || state.keys.iter().filter(|key| key.name == name);
            // A key of another domain has no record in this one.
            let own = || of_name().filter(|key| key.domain == *domain);
            *active = own().find(|key| key.phase == Phase::Active).map(named);
            let may_be_asked_for = |key: &&RotatedKey| match key.phase {
                Phase::Proven => true,
                Phase::Retiring => state.hook_pending && !key.revoke_now,
                _ => false,
            };
            *standby = own().filter(may_be_asked_for).map(named).collect();
            *other_domain = state.of_other_domain(name, domain).map(|key| key.domain.clone());
            // It was taken over, and its time may have come.
            if of_name().next().is_some() {
                *before = None;
            }
        }
    }

    /// What is wrong with it beside its grammar.
    pub(super) fn check(&self) -> Result<(), String> {
        let named = match &self.key {
            KeySource::Fixed(named) => Some(named),
            KeySource::Rotated { .. } if self.domain == SigningDomain::Author => {
                return Err("keys that change have one domain, and not `%`".to_owned());
            }
            // One key after the other, without end.
            KeySource::Rotated { plan, .. } if plan.every == 0 => {
                return Err("rotate: every is at least a second".to_owned());
            }
            KeySource::Rotated { plan, .. }
                if plan
                    .reveal
                    .as_ref()
                    .is_some_and(|directory| directory.as_os_str().is_empty()) =>
            {
                return Err("rotate: reveal names no directory".to_owned());
            }
            KeySource::Rotated { plan, .. } if plan.ttl > Publication::MAX_TTL => {
                return Err(format!("rotate: ttl is at most {}", Publication::MAX_TTL));
            }
            KeySource::Rotated { before, .. } => before.as_ref(),
        };
        if self.domain.named().is_some_and(DomainName::is_single_label) {
            return Err("domain: a top-level domain, whose signatures are refused".to_owned());
        }
        if let Some(named) = named {
            if let Some(domain) = self.domain.named() {
                NameTooLong::unless_it_fits(record_name(&named.selector, domain))
                    .map_err(|error| error.to_string())?;
            }
            // A configuration keeps no secret.
            if is_secret(&named.file.to_string_lossy()) {
                let why = match is_in_token(&named.file) {
                    true => "its PIN is for all to see; name a file with pin-source",
                    false => "file: a private key stands there; put it into a file, and name that",
                };
                return Err(why.to_owned());
            }
        }
        Ok(())
    }
}

impl NamedKey {
    /// The file of the key for mail of this author's domain, seen from the directory of the
    /// configuration.
    #[must_use]
    pub fn file_for(&self, domain: &DomainName, directory: &Path) -> PathBuf {
        if is_in_token(&self.file) {
            return self.file.clone();
        }
        // A domain name has no `/` in it, so it leads nowhere else.
        let file = match self.file.to_str() {
            Some(file) => PathBuf::from(file.replace('%', domain.as_str())),
            None => self.file.clone(),
        };
        directory.join(file)
    }
}

/// Whether what stands in the place of a file says where a key is in a token (RFC 7512).
#[must_use]
pub fn is_in_token(file: &Path) -> bool {
    file.to_str().is_some_and(is_token_uri)
}
