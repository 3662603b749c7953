//! When keys change, and what they are called.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use dkim_tags::Selector;
use serde::{Deserialize, Serialize};

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
    pub grave: u64,
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
            grave: 30 * DAY,
            reveal: None,
        }
    }
}

/// What selectors are called: `{year}`, `{month}` and `{day}` stand for the date in UTC, `{counter}`
/// for a number. Without `{counter}`, a selector that was used before gets a letter behind it.
///
/// ```
/// use dkim_keys::SelectorTemplate;
///
/// let template: SelectorTemplate = "k{year}-{month}".parse()?;
/// let march = 1_709_294_400;
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
    /// A selector for a key made at this time, in seconds since 1970, that was not used before.
    #[must_use]
    pub fn fresh(&self, now: u64, is_used: impl Fn(&str) -> bool) -> String {
        let date = civil(now / DAY);
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

    fn fill(&self, counter: u64, (year, month, day): (u64, u64, u64)) -> String {
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

/// The date of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last: an era of 400 years has 146,097
/// days, and five months in a row from March have 153.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, is_next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + is_next_year, month, day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Day after day, as calendars are made.
    #[test]
    fn dates_are_those_of_the_calendar() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..200_000 {
            assert_eq!(civil(days), (year, month, day), "{days}");
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn selectors_are_never_used_again() {
        for template in ["{year}{month}", "k{counter}", "{year}-{month}-{day}", "fixed"] {
            let template: SelectorTemplate = template.parse().unwrap();
            let mut used: Vec<String> = Vec::new();
            for _ in 0..800 {
                let fresh =
                    template.fresh(1_700_000_000, |selector| used.iter().any(|u| u == selector));
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
