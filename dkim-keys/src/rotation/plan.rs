//! When keys change, and what they are called.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use dkim_tags::{Selector, UnixTime};
use serde::{Deserialize, Serialize};
use time::UtcDateTime;

use super::{Phase, RotatedKey};
use crate::excerpt::quoted;
use crate::{KeyKind, Publication};

const DAY: u64 = 24 * 60 * 60;

/// How a key is changed. Times are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[non_exhaustive]
pub struct Plan {
    /// Which keys are made.
    pub kind: KeyKind,
    /// What their selectors are called.
    pub selector: SelectorTemplate,
    /// How long a key signs before the next one is made. Three months, unless said.
    pub every: u64,
    /// How long resolvers may keep the records that are published. An hour, unless said.
    pub ttl: u32,
    /// How long servers may remember that there was no record, before the new key is relied on.
    /// An hour, unless said; where the zone lets them do so for longer, the smaller of the TTL and
    /// the minimum in its SOA record (RFC 2308 §5), at which nobody looks here.
    pub negative_ttl: u64,
    /// How long mail may be on its way, so that the old record must stay. Seven days, unless said.
    pub message_life: u64,
    /// How long a revoked key is shown as revoked, before its record goes. Thirty days, unless said.
    pub revoked_for: u64,
    /// The directory, seen from that of the configuration, in which the private key is put for all to
    /// read once its record is gone everywhere and has been for the life of a message: from then on
    /// anybody may have made its signatures, and they show nothing of whoever wrote the mail. Not at
    /// all, unless said; then the private key is deleted when it is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reveal: Option<PathBuf>,
}

impl Plan {
    /// How long a record must be gone before its private key is revealed, in seconds: mail is not on
    /// its way any more, and no resolver remembers the record.
    #[must_use]
    pub fn until_revealed(&self) -> u64 {
        self.message_life.max(self.ttl.into())
    }

    /// How long a key stays where it stands if nothing holds it up, in seconds; `None` for ever.
    pub(super) fn stay(&self, key: &RotatedKey) -> Option<u64> {
        Some(match key.phase {
            Phase::Planned | Phase::New | Phase::Proven => 0,
            // RFC 5863 §3.5.1, step 3: "Wait for DNS updates to propagate (if necessary)": who asked
            // before the record was there may remember that there is none.
            Phase::Published => self.negative_ttl,
            Phase::Active => self.every,
            Phase::Retiring if key.revoke_now => 0,
            Phase::Retiring => self.message_life,
            // What was taken back before it signed is shown to nobody, and nothing is shown twice.
            Phase::Revoked if !key.was(Phase::Active) || key.was(Phase::Removed) => 0,
            Phase::Revoked => self.revoked_for,
            Phase::Removed if key.kept => self.until_revealed(),
            Phase::Revealed if key.kept => 0,
            Phase::Removed | Phase::Revealed => return None,
        })
    }

    /// When its time there ends.
    pub(super) fn end_of(&self, key: &RotatedKey) -> Option<UnixTime> {
        self.stay(key).map(|seconds| key.since().after(seconds))
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            kind: KeyKind::Rsa2048,
            selector: SelectorTemplate("{year}{month}".to_owned()),
            every: 90 * DAY,
            ttl: Publication::TTL,
            negative_ttl: 60 * 60,
            message_life: 7 * DAY,
            revoked_for: 30 * DAY,
            reveal: None,
        }
    }
}

/// What selectors are called: `{year}`, `{month}` and `{day}` stand for the date in UTC, `{counter}`
/// for a number. Without `{counter}`, a selector that was used before gets a letter behind it.
///
/// ```
/// use dkim_keys::SelectorTemplate;
/// use dkim_tags::UnixTime;
///
/// let template: SelectorTemplate = "k{year}-{month}".parse()?;
/// let march = UnixTime(1_709_294_400);
/// assert_eq!(template.fresh(march, |_| false).as_str(), "k2024-03");
/// assert_eq!(template.fresh(march, |selector| selector == "k2024-03").as_str(), "k2024-03b");
/// # Ok::<(), dkim_keys::TemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SelectorTemplate(String);

/// Why a text is no template of selectors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} makes no selector: letters, digits, `-`, {{year}}, {{month}}, {{day}}, {{counter}}")]
pub struct TemplateError(String);

impl FromStr for SelectorTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let template = Self(text.to_owned());
        let longest = template.fill(u64::MAX, (9999, 12, 31));
        // With room for a letter or two behind it.
        let is_one = !longest.contains(['{', '}', '.']) && longest.len() <= 60;
        if is_one && Selector::parse(&longest).is_ok() {
            Ok(template)
        } else {
            Err(TemplateError(format!("{:?}", quoted(text))))
        }
    }
}

impl TryFrom<String> for SelectorTemplate {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        text.parse()
    }
}

impl From<SelectorTemplate> for String {
    fn from(template: SelectorTemplate) -> Self {
        template.0
    }
}

impl fmt::Display for SelectorTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SelectorTemplate {
    /// A selector for a key made at this time that was not used before.
    #[must_use]
    pub fn fresh(&self, now: UnixTime, is_used: impl Fn(&str) -> bool) -> String {
        let date = civil(now);
        if self.0.contains("{counter}") {
            let numbered = (1..).map(|counter| self.fill(counter, date));
            return numbered
                .take(1_000_000)
                .find(|selector| !is_used(selector))
                .unwrap_or_default();
        }
        let plain = self.fill(0, date);
        let letters = (0..).map(|number| format!("{plain}{}", letters(number)));
        let mut all = std::iter::once(plain.clone()).chain(letters.take(1_000_000));
        all.find(|selector| !is_used(selector)).unwrap_or_default()
    }

    fn fill(&self, counter: u64, (year, month, day): (i32, u8, u8)) -> String {
        self.0
            .replace("{year}", &format!("{year:04}"))
            .replace("{month}", &format!("{month:02}"))
            .replace("{day}", &format!("{day:02}"))
            .replace("{counter}", &counter.to_string())
    }
}

/// `b`, `c`, … `z`, `ba`, `bb` …: no number, which would be taken for part of a date.
fn letters(number: u32) -> String {
    let letter = |number: u32| char::from_u32(u32::from(b'b') + number % 25).unwrap_or('b');
    match number / 25 {
        0 => letter(number).to_string(),
        more => format!("{}{}", letters(more - 1), letter(number)),
    }
}

/// Year, month and day, in the Gregorian calendar; a time after the year 9999 as its last day.
fn civil(now: UnixTime) -> (i32, u8, u8) {
    const LAST: u64 = 253_402_300_799;
    let seconds = i64::try_from(now.0.min(LAST)).unwrap_or_default();
    let date = UtcDateTime::from_unix_timestamp(seconds).unwrap_or(UtcDateTime::UNIX_EPOCH);
    (date.year(), date.month().into(), date.day())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_that_of_the_day_in_utc() {
        assert_eq!(civil(UnixTime(0)), (1970, 1, 1));
        assert_eq!(civil(UnixTime(951_868_799)), (2000, 2, 29));
        assert_eq!(civil(UnixTime(951_868_800)), (2000, 3, 1));
        assert_eq!(civil(UnixTime(253_402_300_799)), (9999, 12, 31));
        assert_eq!(civil(UnixTime(u64::MAX)), (9999, 12, 31));
    }

    #[test]
    fn selectors_are_never_used_again() {
        for template in ["{year}{month}", "k{counter}", "{year}-{month}-{day}", "fixed"] {
            let template: SelectorTemplate = template.parse().unwrap();
            let mut used: Vec<String> = Vec::new();
            for _ in 0..800 {
                let fresh = template
                    .fresh(UnixTime(1_700_000_000), |selector| used.iter().any(|u| u == selector));
                assert!(Selector::parse(&fresh).is_ok(), "{fresh}");
                assert!(!used.contains(&fresh), "{fresh}");
                used.push(fresh);
            }
        }
    }

    #[test]
    fn templates_make_selectors() {
        for bad in ["", "{hour}", "a b", "a/b", "a.b", "-a", "{year", &"x".repeat(70)] {
            assert!(bad.parse::<SelectorTemplate>().is_err(), "{bad}");
        }
    }
}
