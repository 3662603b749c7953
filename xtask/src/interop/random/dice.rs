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

#[cfg(test)]
mod tests {
    use super::*;

    /// Else the seeds that people noted down would stand for other messages. (The numbers are
    /// those of wyrand, worked out apart from fastrand.)
    #[test]
    fn a_seed_throws_the_same_everywhere_and_always() {
        let throw = |seed, number| {
            let mut dice = Dice::new(seed, number);
            [(); 6].map(|()| dice.below(100))
        };
        assert_eq!(throw(1, 0), [58, 28, 96, 0, 23, 26]);
        assert_eq!(throw(1, 1), [88, 55, 48, 39, 84, 28]);
        assert_eq!(throw(2, 0), [32, 42, 68, 40, 88, 37]);
    }

    #[test]
    fn every_place_comes_up() {
        let mut dice = Dice::new(3, 3);
        let mut list: Vec<usize> = (0..5).collect();
        let mut seen = [[false; 5]; 5];
        for _ in 0..200 {
            dice.shuffle(&mut list);
            for (place, element) in list.iter().enumerate() {
                seen[place][*element] = true;
            }
            assert!((2..=4).contains(&dice.between(2, 4)));
        }
        assert_eq!(seen, [[true; 5]; 5]);
        assert_eq!(dice.pick_any::<u8>(&[]), None);
    }
}
