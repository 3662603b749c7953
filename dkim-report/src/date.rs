//! Times as messages have them.

use dkim_tags::UnixTime;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// The months, and how many days have passed in a year when each of them begins.
const MONTHS: [(&str, u64); 12] = [
    ("Jan", 0),
    ("Feb", 31),
    ("Mar", 59),
    ("Apr", 90),
    ("May", 120),
    ("Jun", 151),
    ("Jul", 181),
    ("Aug", 212),
    ("Sep", 243),
    ("Oct", 273),
    ("Nov", 304),
    ("Dec", 334),
];

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
    const LAST: u64 = 253_402_300_799;
    const DAY: u64 = 24 * 60 * 60;
    let (days, seconds) = (time.0.min(LAST) / DAY, time.0.min(LAST) % DAY);
    let (mut year, mut day) = (1970, days);
    while day >= length_of(year) {
        day -= length_of(year);
        year += 1;
    }
    let leap = length_of(year) - 365;
    let begins = |(month, (name, days)): (u64, &(&'static str, u64))| {
        (*name, days + if month > 1 { leap } else { 0 })
    };
    let months = (0..).zip(&MONTHS).map(begins);
    let (month, begins) =
        months.take_while(|(_, begins)| *begins <= day).last().unwrap_or_default();
    let weekday = usize::try_from(days % 7).ok().and_then(|day| DAYS.get(day)).unwrap_or(&"Thu");
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let day = day - begins + 1;
    format!("{weekday}, {day} {month} {year} {hour:02}:{minute:02}:{second:02} +0000")
}

fn length_of(year: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if is_leap { 366 } else { 365 }
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
