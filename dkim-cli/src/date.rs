//! Times for people.

use dkim_stack::UnixTime;
use time::UtcDateTime;

/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

/// A time as `2023-11-14 22:13:20 UTC`; one that no calendar will reach as its seconds.
pub(crate) fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.0).ok().filter(|_| time.0 <= LAST);
    let Some(Ok(time)) = seconds.map(UtcDateTime::from_unix_timestamp) else {
        return format!("{} seconds after 1970", time.0);
    };
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second) = time.as_hms();
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_700_000_000, "2023-11-14 22:13:20 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
            (253_402_300_800, "253402300800 seconds after 1970"),
            (u64::MAX, "18446744073709551615 seconds after 1970"),
        ] {
            assert_eq!(date(UnixTime(seconds)), text);
        }
    }
}
