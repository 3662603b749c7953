//! How many reports go to one address: a limit for each, and none about the same failure again.

use std::collections::btree_map::Entry;
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
    /// another address, it gets no report: that bounds the reports of all addresses together. The
    /// oldest failure makes room for a new one.
    pub entries: usize,
    /// How many of the addresses may be of domains with the same last two labels. A wildcard in the
    /// DNS gives one domain any number of names, and they shall not take the room of all others.
    /// Who runs the domain above (`co.uk`) is not known here, so that others are counted with it.
    pub of_one_parent: usize,
}

impl Default for ThrottleLimits {
    /// Ten reports an hour to one address; the same failure again after a day; 10,000 entries, a
    /// tenth of them for one parent.
    fn default() -> Self {
        Self { reports: 10, period: 3600, repeat: 24 * 3600, entries: 10_000, of_one_parent: 1000 }
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
    /// How many reports went to an address in its period.
    addresses: Remembered<u32>,
    /// How many of the addresses have the same parent.
    parents: BTreeMap<String, usize>,
    failures: Remembered<()>,
    /// Incidents about which an address was told nothing yet: until it is, or until others need
    /// the room.
    left_out: Remembered<u32>,
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
    /// The address has had its share, or those of its parent domain have theirs.
    Limited,
    /// There is no room to remember this one.
    Full,
}

impl Throttle {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(limits: ThrottleLimits) -> Self {
        Self {
            limits,
            addresses: Remembered::default(),
            parents: BTreeMap::new(),
            failures: Remembered::default(),
            left_out: Remembered::default(),
        }
    }

    /// Decides about a report to this address about this failure; see
    /// [`failure_key`](Self::failure_key). `now` should not run backwards; if it does, things are
    /// remembered longer.
    pub fn admit(&mut self, to: &ReportAddress, failure: &str, now: UnixTime) -> Admission {
        let ThrottleLimits { period, repeat, entries, .. } = self.limits;
        let address = to.to_string();
        let failure = format!("{address} {failure}");
        self.forget(now);
        if let Some(refused) = self.refusal(&address, &failure) {
            if !self.left_out.contains(&address) {
                self.left_out.make_room(entries);
            }
            let left_out = self.left_out.get_or_insert(&address, UnixTime(u64::MAX));
            *left_out = left_out.saturating_add(1);
            return refused;
        }
        if !self.addresses.contains(&address) {
            *self.parents.entry(parent(&address)).or_default() += 1;
        }
        let until = |seconds| UnixTime(now.0.saturating_add(seconds));
        *self.addresses.get_or_insert(&address, until(period)) += 1;
        self.failures.make_room(entries);
        self.failures.get_or_insert(&failure, until(repeat));
        let left_out = self.left_out.remove(&address).unwrap_or_default();
        Admission::Send { incidents: left_out.saturating_add(1) }
    }

    fn refusal(&self, address: &str, failure: &str) -> Option<Admission> {
        let ThrottleLimits { reports, entries, of_one_parent, .. } = self.limits;
        let sent = self.addresses.get(address);
        let siblings = self.parents.get(&parent(address)).copied().unwrap_or_default();
        if self.failures.contains(failure) {
            Some(Admission::Repeated)
        } else if sent.map_or(siblings >= of_one_parent, |sent| *sent >= reports) || reports == 0 {
            Some(Admission::Limited)
        } else if sent.is_none() && self.addresses.len() >= entries {
            Some(Admission::Full)
        } else {
            None
        }
    }

    fn forget(&mut self, now: UnixTime) {
        self.failures.forget(now);
        for address in self.addresses.forget(now) {
            if let Entry::Occupied(mut siblings) = self.parents.entry(parent(&address)) {
                *siblings.get_mut() -= 1;
                if *siblings.get() == 0 {
                    siblings.remove();
                }
            }
        }
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

/// The last two labels of an address's domain.
fn parent(address: &str) -> String {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    let mut labels = domain.rsplit('.');
    let (last, above) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    format!("{above}.{last}")
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
    /// Forgets what has had its time, and tells what that was.
    fn forget(&mut self, now: UnixTime) -> Vec<String> {
        let mut forgotten = Vec::new();
        while self.until.front().is_some_and(|(until, _)| *until <= now) {
            forgotten.extend(self.forget_oldest());
        }
        forgotten
    }

    /// Forgets the oldest until there is room for another.
    fn make_room(&mut self, entries: usize) {
        while self.len() >= entries && self.forget_oldest().is_some() {}
    }

    fn forget_oldest(&mut self) -> Option<String> {
        let (_, key) = self.until.pop_front()?;
        self.things.remove(&key);
        Some(key)
    }

    fn remove(&mut self, key: &str) -> Option<T> {
        let removed = self.things.remove(key)?;
        self.until.retain(|(_, one)| one != key);
        Some(removed)
    }

    fn get(&self, key: &str) -> Option<&T> {
        self.things.get(key)
    }

    fn contains(&self, key: &str) -> bool {
        self.things.contains_key(key)
    }

    fn len(&self) -> usize {
        self.things.len()
    }

    fn get_or_insert(&mut self, key: &str, until: UnixTime) -> &mut T {
        if !self.contains(key) {
            self.until.push_back((until, key.to_owned()));
        }
        self.things.entry(key.to_owned()).or_default()
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
        Throttle::new(ThrottleLimits {
            reports,
            period: 100,
            repeat: 1000,
            entries,
            of_one_parent: 10,
        })
    }

    #[test]
    fn an_address_has_its_share_of_each_period() {
        let (to, mut throttle) = (address("a.example"), throttle(2, 100));
        let mut admit = |failure: &str, now| throttle.admit(&to, failure, UnixTime(now));
        assert_eq!(admit("1", 1000), Admission::Send { incidents: 1 });
        assert_eq!(admit("2", 1050), Admission::Send { incidents: 1 });
        assert_eq!(admit("3", 1099), Admission::Limited);
        assert_eq!(admit("4", 1100), Admission::Send { incidents: 2 });
        assert_eq!(admit("1", 1101), Admission::Repeated);
        assert_eq!(admit("1", 1102), Admission::Repeated);
        assert_eq!(admit("5", 1103), Admission::Send { incidents: 3 });
        assert_eq!(admit("6", 1104), Admission::Limited);
        // Another does not suffer.
        let other = address("b.example");
        assert_eq!(throttle.admit(&other, "1", UnixTime(1104)), Admission::Send { incidents: 1 });
        assert_eq!(throttle.admit(&to, "1", UnixTime(2000)), Admission::Send { incidents: 2 });
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
            assert!(throttle.parents.len() <= 50 && throttle.left_out.len() <= 50);
            assert_eq!(throttle.left_out.until.len(), throttle.left_out.len());
            assert_eq!(throttle.addresses.until.len(), throttle.addresses.len());
            assert_eq!(throttle.failures.until.len(), throttle.failures.len());
        }
        // Five to each of the fifty that there was room for.
        assert_eq!(sent, 250);
        assert_eq!(throttle.admit(&address("new.example"), "x", UnixTime(1)), Admission::Full);
        let later = UnixTime(1_000_000);
        let admission = throttle.admit(&address("new.example"), "x", later);
        assert_eq!(admission, Admission::Send { incidents: 2 });
        assert_eq!((throttle.addresses.len(), throttle.failures.len()), (1, 1));
        assert_eq!(throttle.parents.len(), 1);
    }

    /// "The number of incidents this report represents" (RFC 5965 §3.2).
    #[test]
    fn incidents_left_out_are_told_in_the_next_period() {
        let (to, mut throttle) = (address("a.example"), throttle(1, 100));
        let mut admit = |failure: &str, now| throttle.admit(&to, failure, UnixTime(now));
        assert_eq!(admit("1", 1000), Admission::Send { incidents: 1 });
        assert_eq!(admit("2", 1001), Admission::Limited);
        assert_eq!(admit("1", 1002), Admission::Repeated);
        assert_eq!(admit("3", 5000), Admission::Send { incidents: 3 });
        assert_eq!(admit("4", 9000), Admission::Send { incidents: 1 });
    }

    #[test]
    fn names_of_one_domain_leave_room_for_others() {
        let mut throttle = throttle(1, 100);
        for n in 0..1000 {
            throttle.admit(&address(&format!("x{n}.evil.example")), "1", UnixTime(1000));
        }
        for other in ["a.example", "evil2.example", "b.c.example"] {
            let admission = throttle.admit(&address(other), "1", UnixTime(1001));
            assert_eq!(admission, Admission::Send { incidents: 1 }, "{other}");
        }
        // When the period has passed, another name of the domain has room again.
        let admission = throttle.admit(&address("y.evil.example"), "1", UnixTime(1100));
        assert_eq!(admission, Admission::Send { incidents: 1 });
    }

    #[test]
    fn the_oldest_failure_makes_room_for_a_new_one() {
        let (to, mut throttle) = (address("a.example"), throttle(100, 3));
        let mut admit = |failure: &str| throttle.admit(&to, failure, UnixTime(1000));
        for failure in ["1", "2", "3", "4"] {
            assert_eq!(admit(failure), Admission::Send { incidents: 1 }, "{failure}");
        }
        assert_eq!(admit("4"), Admission::Repeated);
        assert_eq!(admit("1"), Admission::Send { incidents: 2 });
    }

    #[test]
    fn a_clock_set_back_does_no_harm() {
        let (to, mut throttle) = (address("a.example"), throttle(1, 100));
        assert_eq!(throttle.admit(&to, "1", UnixTime(u64::MAX)), Admission::Send { incidents: 1 });
        assert_eq!(throttle.admit(&to, "2", UnixTime(0)), Admission::Limited);
    }
}
