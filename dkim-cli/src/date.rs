//! Times for people.

use dkim_stack::UnixTime;

/// A time as `2023-11-14 22:13:20 UTC`; one that no calendar will reach as its seconds.
pub(crate) fn date(time: UnixTime) -> String {
    const DAY: u64 = 24 * 60 * 60;
    const LAST: u64 = 253_402_300_799; // 9999-12-31 23:59:59
    if time.0 > LAST {
        return format!("{} seconds after 1970", time.0);
    }
    let (mut days, seconds) = (time.0 / DAY, time.0 % DAY);
    let mut year = 1970;
    while days >= days_of(year) {
        days -= days_of(year);
        year += 1;
    }
    let february = days_of(year) - 337;
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{year}-{month:02}-{:02} {hours:02}:{minutes:02}:{:02} UTC", days + 1, seconds % 60)
}

fn days_of(year: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if is_leap { 366 } else { 365 }
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
