//! How far a long run is, on one line of the terminal.

use std::io::{self, Write};
use std::time::{Duration, Instant};

/// A line on standard error that is written over again and again.
pub(super) struct Progress {
    is_wanted: bool,
    done: u64,
    begun: Instant,
    /// When the line was written last, or the run began.
    written: Instant,
    is_on_screen: bool,
}

impl Progress {
    /// Often enough for people; and a short run says nothing.
    const INTERVAL: Duration = Duration::from_millis(250);

    pub(super) fn new(is_wanted: bool) -> Self {
        let begun = Instant::now();
        Self { is_wanted, done: 0, begun, written: begun, is_on_screen: false }
    }

    /// Another message is done.
    pub(super) fn one_more(&mut self) {
        self.done += 1;
        if self.is_wanted && self.written.elapsed() >= Self::INTERVAL {
            self.written = Instant::now();
            self.is_on_screen = true;
            // Where standard error is closed, there is nobody to tell.
            let _ = write!(io::stderr(), "\r{}\x1b[K", line(self.done, self.begun.elapsed()));
        }
    }

    /// Makes room for something else, until the next message is done.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_on_screen) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn line(done: u64, time: Duration) -> String {
    let rate = u128::from(done) * 1000 / time.as_millis().max(1);
    let plural = if done == 1 { "" } else { "s" };
    format!("{done} message{plural}, {rate} per second")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_whole_run() {
        assert_eq!(line(300, Duration::from_millis(1500)), "300 messages, 200 per second");
        assert_eq!(line(1, Duration::ZERO), "1 message, 1000 per second");
    }
}
