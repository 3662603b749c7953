//! How many reports go to one address: a limit for each, and none about the same failure again.

use std::collections::{BTreeMap, VecDeque};

use dkim_tags::UnixTime;
use dkim_tags::value::to_base64;
use dkim_verify::Verification;

use crate::ReportAddress;

/// The limits of a [`Throttle`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThrottleLimits {
    /// How many reports go to one address in a [`period`](Self::period).
    pub reports: u32,
    /// How long a period is, in seconds. It begins with the first report to an address.
    pub period: u64,
    /// For how many seconds a failure that was reported is not reported again.
    pub repeat: u64,
    /// How many addresses and how many failures are remembered, at most. When there is no room for
    /// another, there is no report either: that bounds the reports of all addresses together.
    pub entries: usize,
}

impl Default for ThrottleLimits {
    /// Ten reports an hour to one address; the same failure again after a day; 10,000 entries.
    fn default() -> Self {
        Self { reports: 10, period: 3600, repeat: 24 * 3600, entries: 10_000 }
    }
}

/// Remembers what was reported to whom, so that a flood of forged mail does not become a flood of
/// reports (RFC 6591 §6.3, §6.5, RFC 6651 §8.3). It reads no clock and draws nothing.
///
/// ```
/// use dkim_report::{Admission, ReportTerms, Throttle, ThrottleLimits};
/// use dkim_tags::{DomainName, UnixTime};
///
/// let domain = DomainName::parse("example.com")?;
/// let to = ReportTerms::parse(b"ra=errors")?.address(&domain).ok_or("no address")?;
/// let mut throttle = Throttle::new(ThrottleLimits::default());
/// let now = UnixTime(1_700_000_000);
/// assert_eq!(throttle.admit(&to, "one", now), Admission::Send { incidents: 1 });
/// assert_eq!(throttle.admit(&to, "one", now), Admission::Repeated);
/// assert_eq!(throttle.admit(&to, "two", now), Admission::Send { incidents: 2 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Throttle {
    limits: ThrottleLimits,
    addresses: Remembered<Sent>,
    failures: Remembered<()>,
}

/// What to do about a report that could be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Admission {
    /// Send it. It stands for so many incidents, those among them about which none was sent
    /// (`Incidents`, RFC 5965 §3.2).
    Send {
        /// One, if none was left out since the last.
        incidents: u32,
    },
    /// The same failure was reported a short while ago.
    Repeated,
    /// The address has had its share.
    Limited,
    /// There is no room to remember this one.
    Full,
}

#[derive(Clone, Debug, Default)]
struct Sent {
    reports: u32,
    /// Incidents since the last report.
    left_out: u32,
}

impl Throttle {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(limits: ThrottleLimits) -> Self {
        Self { limits, addresses: Remembered::default(), failures: Remembered::default() }
    }

    /// Decides about a report to this address about this failure; see
    /// [`failure_key`](Self::failure_key). `now` should not run backwards; if it does, things are
    /// remembered longer.
    pub fn admit(&mut self, to: &ReportAddress, failure: &str, now: UnixTime) -> Admission {
        let ThrottleLimits { reports, period, repeat, entries } = self.limits;
        let address = to.to_string();
        let failure = format!("{address} {failure}");
        self.addresses.forget(now);
        self.failures.forget(now);
        let is_new = self.addresses.get(&address).is_none();
        if is_new && self.addresses.len() >= entries {
            return Admission::Full;
        }
        let repeated = self.failures.get(&failure).is_some();
        let full = self.failures.len() >= entries;
        let sent = self.addresses.get_or_insert(address, now, period);
        let refused = if repeated {
            Some(Admission::Repeated)
        } else if sent.reports >= reports {
            Some(Admission::Limited)
        } else if full {
            Some(Admission::Full)
        } else {
            None
        };
        if let Some(refused) = refused {
            sent.left_out = sent.left_out.saturating_add(1);
            return refused;
        }
        let incidents = sent.left_out.saturating_add(1);
        *sent = Sent { reports: sent.reports + 1, left_out: 0 };
        self.failures.get_or_insert(failure, now, repeat);
        Admission::Send { incidents }
    }

    /// What tells a failure from others of the same domain: the selector, the reason, and the first
    /// characters of the signature. The same message delivered again has the same.
    #[must_use]
    pub fn failure_key(found: &Verification) -> String {
        // 24 octets of a signature are as good as all of it.
        const ENOUGH: usize = 32;
        let claims = found.claims();
        let selector = claims.selector.as_ref().map(ToString::to_string).unwrap_or_default();
        // What stands in an invalid field may be anything, so it is encoded.
        let written = claims.signature.unwrap_or_default();
        let start = written.as_bytes().get(..ENOUGH).unwrap_or(written.as_bytes());
        format!("{selector} {} {}", found.outcome.reason().code(), to_base64(start))
    }
}

/// Things that are forgotten after a while, and cost little to forget: the oldest stand in front.
#[derive(Clone, Debug)]
struct Remembered<T> {
    things: BTreeMap<String, T>,
    until: VecDeque<(UnixTime, String)>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self { things: BTreeMap::new(), until: VecDeque::new() }
    }
}

impl<T: Default> Remembered<T> {
    fn forget(&mut self, now: UnixTime) {
        while self.until.front().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, key)) = self.until.pop_front() {
                self.things.remove(&key);
            }
        }
    }

    fn get(&self, key: &str) -> Option<&T> {
        self.things.get(key)
    }

    fn len(&self) -> usize {
        self.things.len()
    }

    fn get_or_insert(&mut self, key: String, now: UnixTime, seconds: u64) -> &mut T {
        if !self.things.contains_key(&key) {
            self.until.push_back((UnixTime(now.0.saturating_add(seconds)), key.clone()));
        }
        self.things.entry(key).or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_tags::DomainName;

    use super::*;
    use crate::ReportTerms;

    fn address(domain: &str) -> ReportAddress {
        let domain = DomainName::parse(domain).unwrap();
        ReportTerms::parse(b"ra=a").unwrap().address(&domain).unwrap()
    }

    fn throttle(reports: u32, entries: usize) -> Throttle {
        Throttle::new(ThrottleLimits { reports, period: 100, repeat: 1000, entries })
    }

    #[test]
    fn an_address_has_its_share_of_each_period() {
        let (to, mut throttle) = (address("a.example"), throttle(2, 100));
        let mut admit = |failure: &str, now| throttle.admit(&to, failure, UnixTime(now));
        assert_eq!(admit("1", 1000), Admission::Send { incidents: 1 });
        assert_eq!(admit("2", 1050), Admission::Send { incidents: 1 });
        assert_eq!(admit("3", 1099), Admission::Limited);
        assert_eq!(admit("4", 1100), Admission::Send { incidents: 1 });
        assert_eq!(admit("1", 1101), Admission::Repeated);
        assert_eq!(admit("1", 1102), Admission::Repeated);
        assert_eq!(admit("5", 1103), Admission::Send { incidents: 3 });
        assert_eq!(admit("6", 1104), Admission::Limited);
        // Another does not suffer.
        let other = address("b.example");
        assert_eq!(throttle.admit(&other, "1", UnixTime(1104)), Admission::Send { incidents: 1 });
        assert_eq!(throttle.admit(&to, "1", UnixTime(2000)), Admission::Send { incidents: 1 });
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut throttle = throttle(5, 50);
        let mut sent = 0;
        for n in 0..500 {
            let to = address(&format!("d{}.example", n % 100));
            let admission = throttle.admit(&to, &n.to_string(), UnixTime(n / 10));
            sent += u32::from(matches!(admission, Admission::Send { .. }));
            assert!(throttle.addresses.len() <= 50 && throttle.failures.len() <= 50);
            assert_eq!(throttle.addresses.until.len(), throttle.addresses.len());
            assert_eq!(throttle.failures.until.len(), throttle.failures.len());
        }
        assert_eq!(sent, 50);
        assert_eq!(throttle.admit(&address("new.example"), "x", UnixTime(1)), Admission::Full);
        let later = UnixTime(1_000_000);
        let admission = throttle.admit(&address("new.example"), "x", later);
        assert_eq!(admission, Admission::Send { incidents: 1 });
        assert_eq!((throttle.addresses.len(), throttle.failures.len()), (1, 1));
    }

    #[test]
    fn a_clock_set_back_does_no_harm() {
        let (to, mut throttle) = (address("a.example"), throttle(1, 100));
        assert_eq!(throttle.admit(&to, "1", UnixTime(u64::MAX)), Admission::Send { incidents: 1 });
        assert_eq!(throttle.admit(&to, "2", UnixTime(0)), Admission::Limited);
    }
}
