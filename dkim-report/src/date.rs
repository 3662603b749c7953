//! Times as messages have them.

use dkim_tags::UnixTime;
use time::UtcDateTime;

/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

/// A time as `date-time` (RFC 5322 §3.3), in UTC; one after the year 9999 as that year's last
/// second.
///
/// ```
/// use dkim_tags::UnixTime;
///
/// let time = dkim_report::date_time(UnixTime(1_700_000_000));
/// assert_eq!(time, "Tue, 14 Nov 2023 22:13:20 +0000");
/// ```
#[must_use]
pub fn date_time(time: UnixTime) -> String {
    let seconds = i64::try_from(time.0.min(LAST)).unwrap_or_default();
    let time = UtcDateTime::from_unix_timestamp(seconds).unwrap_or(UtcDateTime::UNIX_EPOCH);
    let (weekday, month) = (time.weekday().to_string(), time.month().to_string());
    let (year, day) = (time.year(), time.day());
    let (hour, minute, second) = time.as_hms();
    format!("{weekday:.3}, {day} {month:.3} {year} {hour:02}:{minute:02}:{second:02} +0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (951_868_800, "Wed, 1 Mar 2000 00:00:00 +0000"),
            (1_318_104_958, "Sat, 8 Oct 2011 20:15:58 +0000"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 +0000"),
            (4_107_542_400, "Mon, 1 Mar 2100 00:00:00 +0000"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 +0000"),
        ] {
            assert_eq!(date_time(UnixTime(seconds)), text);
        }
    }
}
