//! Something that can be done again and again.

use std::fmt;

/// Something that can be done again and again, and takes as long each time.
pub struct Work {
    run: Box<dyn Fn()>,
    messages: u32,
}

impl Work {
    pub(crate) fn new(run: impl Fn() + 'static) -> Self {
        Self { run: Box::new(run), messages: 1 }
    }

    /// Work on so many messages at once.
    pub(crate) fn on(messages: u32, run: impl Fn() + 'static) -> Self {
        Self { run: Box::new(run), messages }
    }

    /// Does it once.
    pub fn run(&self) {
        (self.run)();
    }

    /// How many messages are done each time.
    #[must_use]
    pub fn messages(&self) -> u32 {
        self.messages
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("messages", &self.messages).finish_non_exhaustive()
    }
}

/// Our work, and what it is measured by.
#[derive(Debug)]
pub struct Pair {
    /// What the cryptographic library alone needs; for a cell that compares us with ourselves, the
    /// plainer way.
    pub limit: Work,
    /// What we need.
    pub ours: Work,
    /// What another implementation needs for the same.
    pub peer: Option<Work>,
}

impl Pair {
    pub(crate) fn new(limit: Work, ours: Work) -> Self {
        Self { limit, ours, peer: None }
    }
}
