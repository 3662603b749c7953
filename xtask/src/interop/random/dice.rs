//! Chance, the same for a seed on every machine.

use fastrand::Rng;

/// The choices that make one message.
pub(super) struct Dice(Rng);

impl Dice {
    /// Dice for the message of this number, whichever messages are made besides.
    pub(super) fn new(seed: u64, number: u64) -> Self {
        // Numbers that follow each other are spread over all seeds (the golden ratio's fraction).
        Self(Rng::with_seed(seed ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// A number below `end`, which is not 0. It is drawn as 64 bits, so that the width of `usize`
    /// does not matter.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("no length has more than 64 bits");
        usize::try_from(self.0.u64(..end)).expect("it is below a length")
    }

    /// A number from `first` to `last`.
    pub(super) fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// Whether something happens that does so in so many cases of a hundred.
    pub(super) fn percent(&mut self, cases: usize) -> bool {
        self.below(100) < cases
    }

    /// One of these, which are not none.
    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        self.pick_any(from).expect("there is one to pick")
    }

    /// One of these, if there is one.
    pub(super) fn pick_any<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { from.get(self.below(from.len())).cloned() }
    }

    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (2..=list.len()).rev() {
            let at = self.below(end);
            list.swap(at, end - 1);
        }
    }

    pub(super) fn octet(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("it is below 256")
    }
}
