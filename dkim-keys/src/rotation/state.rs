//! Where each key stands.

use std::fmt;
use std::path::{Path, PathBuf};

use dkim_tags::{DomainName, Selector, UnixTime};
use serde::{Deserialize, Serialize};

use crate::config::said_of_toml;
use crate::excerpt::excerpt;
use crate::{KeyKind, NamedKey, as_text};

/// All keys of a configuration that change, the gone ones included: their selectors are not used
/// again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RotationState {
    // Both are always written: a file without them was emptied, and says nothing of what signs.
    /// The hook is to be run: the signing key has changed, and nobody has been told.
    pub hook_pending: bool,
    /// The keys, oldest first.
    pub keys: Vec<RotatedKey>,
}

/// A key, from the choice of its selector until nothing is left of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RotatedKey {
    /// What the configuration calls the key that it is, was or will be.
    pub name: String,
    /// `d=`.
    #[serde(with = "as_text")]
    pub domain: DomainName,
    /// `s=`.
    #[serde(with = "as_text")]
    pub selector: Selector,
    /// What kind of key it is.
    pub kind: KeyKind,
    /// The file with the private key, seen from the directory of the configuration.
    pub file: PathBuf,
    /// The SHA-256 of its public key as `p=` carries it, in base64: by it the key is known, whatever
    /// its file holds by now. It is said before there is a file. `None` before there is a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_sha256: Option<String>,
    /// Where it stands.
    pub phase: Phase,
    /// It is in other hands: it is to be revoked whatever mail is on its way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoke_now: bool,
    /// Another key signs by its name, and needs its record: it is not revoked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// It signs no more, and its private key is kept to be revealed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
    /// What happened to it, from the beginning.
    pub history: Vec<Transition>,
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Transition {
    /// Where it led.
    pub phase: Phase,
    /// When.
    #[serde(with = "unix_time")]
    pub at: UnixTime,
    /// What showed that it could be taken.
    pub evidence: String,
}

/// Where a key stands, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// Its name is taken; its file may be there or not, or be another's.
    Planned,
    /// The private key is in its file.
    New,
    /// Every server shows its record.
    Published,
    /// No server can remember that there was none, and a message signed with it verified.
    Proven,
    /// It signs.
    Active,
    /// It signs no more; mail that it signed is on its way.
    Retiring,
    /// Its record says that it is revoked.
    Revoked,
    /// Its record is gone.
    Removed,
    /// Its private key is where everybody can read it.
    Revealed,
}

impl Phase {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::New => "new",
            Self::Published => "published",
            Self::Proven => "proven",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Revoked => "revoked",
            Self::Removed => "removed",
            Self::Revealed => "revealed",
        }
    }

    /// Whether the key is on its way to sign.
    #[must_use]
    pub fn is_successor(self) -> bool {
        self < Self::Active
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl RotationState {
    /// Reads a state in TOML.
    ///
    /// # Errors
    ///
    /// When it is none, as an empty one: then nobody knows which key signs, and nothing should be
    /// done before a person has looked.
    pub fn parse(text: &str) -> Result<Self, StateError> {
        let state: Self = toml::from_str(text).map_err(|error| StateError(said_of_toml(&error)))?;
        let is_keyless = |key: &&RotatedKey| {
            (Phase::New..=Phase::Retiring).contains(&key.phase) && !key.had_private_key()
        };
        match state.keys.iter().find(is_keyless) {
            Some(key) => {
                let said = format!("{} is {} and has no public_sha256", key.selector, key.phase);
                Err(StateError(excerpt(&said)))
            }
            None => Ok(state),
        }
    }

    /// Writes the state in TOML.
    ///
    /// # Errors
    ///
    /// When a path is not UTF-8.
    pub fn to_toml(&self) -> Result<String, StateError> {
        toml::to_string_pretty(self).map_err(|error| StateError(error.to_string()))
    }

    /// Takes a key over that signs already, and has been published: the plan goes for it from now on.
    /// Nothing is done if there have been keys by this name before.
    ///
    /// The hook is not to be run for it: nothing changes for who signs. With its kind comes
    /// [`public_sha256`](RotatedKey::public_sha256).
    pub fn take_over(
        &mut self,
        (name, domain): (&str, &DomainName),
        (kind, public_sha256): (KeyKind, String),
        key: &NamedKey,
        now: UnixTime,
    ) -> bool {
        if self.keys.iter().any(|key| key.name == name) {
            return false;
        }
        // Its own file, if each domain has one: the configuration may name another some day.
        let (selector, file) = (key.selector.clone(), key.file_for(domain, Path::new("")));
        let (name, domain) = (name.to_owned(), domain.clone());
        let mut key = RotatedKey::new((name, domain), selector, kind, file);
        key.public_sha256 = Some(public_sha256);
        key.enter(Phase::Active, now, "it signed before there was a plan");
        self.keys.push(key);
        true
    }

    /// The hook was run: from now on nobody signs with the keys that retire.
    pub fn told(&mut self, now: UnixTime) {
        let now = now.max(self.newest());
        self.hook_pending = false;
        for key in &mut self.keys {
            let count = key.history.iter().filter(|step| step.phase == Phase::Retiring).count();
            if key.phase == Phase::Retiring && count == 1 {
                key.enter(Phase::Retiring, now, "whoever signs was told");
            }
        }
    }

    /// When the last step was taken: no clock that is right says less.
    pub(super) fn newest(&self) -> UnixTime {
        let steps = self.keys.iter().flat_map(|key| &key.history);
        steps.map(|step| step.at).max().unwrap_or_default()
    }

    /// The key that signs by this name.
    #[must_use]
    pub fn active(&self, name: &str) -> Option<&RotatedKey> {
        self.keys.iter().find(|key| key.name == name && key.phase == Phase::Active)
    }

    /// A key of this name that is of another domain than this, and not gone.
    pub(crate) fn of_other_domain(&self, name: &str, domain: &DomainName) -> Option<&RotatedKey> {
        let is_left = |key: &&RotatedKey| key.name == name && !key.is_gone();
        self.keys.iter().filter(is_left).find(|key| key.domain != *domain)
    }

    /// Whether a key of this domain has this selector, or had it.
    #[must_use]
    pub fn is_used(&self, domain: &DomainName, selector: &str) -> bool {
        let of_domain = |key: &&RotatedKey| key.domain == *domain;
        let mut selectors = self.keys.iter().filter(of_domain).map(|key| key.selector.as_str());
        selectors.any(|used| used.eq_ignore_ascii_case(selector))
    }

    /// The key that will sign next by this name.
    #[must_use]
    pub fn successor(&self, name: &str) -> Option<&RotatedKey> {
        self.keys.iter().find(|key| key.name == name && key.phase.is_successor())
    }
}

impl RotatedKey {
    /// One whose name is taken.
    pub(super) fn new(
        (name, domain): (String, DomainName),
        selector: Selector,
        kind: KeyKind,
        file: PathBuf,
    ) -> Self {
        Self {
            name,
            domain,
            selector,
            kind,
            file,
            public_sha256: None,
            phase: Phase::Planned,
            revoke_now: false,
            shared: false,
            kept: false,
            history: Vec::new(),
        }
    }

    /// Whether nothing is left to be done with it: its record is gone, and so is its private key, or
    /// it was left to a person.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.phase >= Phase::Removed && !self.kept
    }

    /// Whether there ever was a private key: not if it was taken back when its name was all it had.
    pub(super) fn had_private_key(&self) -> bool {
        self.public_sha256.is_some()
    }

    /// When it came to where it stands.
    #[must_use]
    pub fn since(&self) -> UnixTime {
        self.history.last().map(|transition| transition.at).unwrap_or_default()
    }

    /// Whether it ever stood there.
    pub(super) fn was(&self, phase: Phase) -> bool {
        self.history.iter().any(|transition| transition.phase == phase)
    }

    pub(super) fn enter(&mut self, phase: Phase, at: UnixTime, evidence: impl Into<String>) {
        self.phase = phase;
        self.history.push(Transition { phase, at, evidence: evidence.into() });
    }
}

/// A time as its seconds.
mod unix_time {
    use dkim_tags::UnixTime;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn serialize<S: Serializer>(
        time: &UnixTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(time.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<UnixTime, D::Error> {
        u64::deserialize(deserializer).map(UnixTime)
    }
}

/// Why a text is no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a state of rotation: {0}")]
pub struct StateError(String);
