//! How many header hash inputs are verified in search of changes.

use dkim_crypto::PublicKey;

/// How many are verified for the signatures of a message, at most: as many as with an RSA key of
/// 2048 bits.
const MAX_TRIALS: usize = 20_000;

/// How many octets are verified for the signatures of a message, at most.
const MAX_OCTETS: usize = 128 * 1024 * 1024;

/// What one signature is worth at most: half of all.
const MAX_SHARE: Budget = Budget { trials: MAX_TRIALS / 2, octets: MAX_OCTETS / 2 };

/// What may still be verified.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    trials: usize,
    octets: usize,
}

impl Budget {
    pub(crate) fn of_message() -> Self {
        Self { trials: MAX_TRIALS, octets: MAX_OCTETS }
    }

    /// Takes out what is for one of so many signatures that are still to be explained, so that the
    /// first leaves something for the others.
    pub(super) fn share(&mut self, among: usize) -> Self {
        let share = |left: &mut usize, most: usize| {
            let share = most.min(*left / among.max(1));
            *left -= share;
            share
        };
        Self {
            trials: share(&mut self.trials, MAX_SHARE.trials),
            octets: share(&mut self.octets, MAX_SHARE.octets),
        }
    }

    /// Puts back what is left of a share.
    pub(super) fn give_back(&mut self, share: Self) {
        self.trials += share.trials;
        self.octets += share.octets;
    }

    /// Whether a trial of this price is too dear.
    pub(super) fn is_spent(&self, price: usize) -> bool {
        self.trials < price || self.octets == 0
    }

    pub(super) fn spend(&mut self, price: usize, octets: usize) {
        self.trials = self.trials.saturating_sub(price);
        self.octets = self.octets.saturating_sub(octets);
    }
}

/// What a trial with this key costs, in those with an RSA key of 2048 bits and the exponent 65537.
/// A multiplication modulo a number of twice as many bits takes four times as long, and there is
/// one for each bit of the exponent and one more for each that is set, the first apart.
pub(super) fn price(key: &PublicKey) -> usize {
    let Some(exponent) = key.exponent() else { return 1 };
    let multiplications =
        |exponent: u64| u64::from(exponent.max(1).ilog2() + exponent.count_ones());
    let cost = |bits: u64, exponent| bits * bits * multiplications(exponent);
    let price = cost(u64::from(key.bits()), exponent).div_ceil(cost(2048, 65_537));
    usize::try_from(price).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_crypto::KeyType;

    use super::*;

    fn rsa(bits: usize, exponent: &[u8]) -> PublicKey {
        PublicKey::from_rsa_integers(&vec![0xff; bits / 8], exponent).unwrap()
    }

    #[test]
    fn trials_cost_what_their_key_costs() {
        for (bits, exponent, expected) in [
            (1024, &[1, 0, 1][..], 1),
            (2048, &[3], 1),
            (2048, &[1, 0, 1], 1),
            (3072, &[1, 0, 1], 3),
            (4096, &[1, 0, 1], 4),
            (8192, &[1, 0, 1], 16),
            (2048, &[1, 0xff, 0xff, 0xff, 0xff], 4),
            (8192, &[1, 0xff, 0xff, 0xff, 0xff], 58),
        ] {
            assert_eq!(price(&rsa(bits, exponent)), expected, "{bits} {exponent:?}");
        }
        assert_eq!(price(&PublicKey::from_p_tag(KeyType::Ed25519, &[9; 32]).unwrap()), 1);
    }

    /// One signature has half of all at most, several divide it, and what is left over is there
    /// for the next.
    #[test]
    fn a_message_has_one_budget() {
        let mut budget = Budget::of_message();
        for among in [1, 2] {
            let share = budget.share(among);
            assert_eq!(share, MAX_SHARE);
            budget.give_back(share);
        }
        let mut spent = 0;
        for among in (1..=10).rev() {
            let mut share = budget.share(among);
            while !share.is_spent(3) {
                share.spend(3, 1);
                spent += 3;
            }
            budget.give_back(share);
        }
        assert!((MAX_TRIALS - 3..=MAX_TRIALS).contains(&spent), "{spent}");
        let mut share = Budget::of_message().share(1);
        share.spend(1, MAX_SHARE.octets - 1);
        assert!(!share.is_spent(1));
        share.spend(1, 1);
        assert!(share.is_spent(1));
        assert!(budget.share(1).is_spent(3));
    }
}
