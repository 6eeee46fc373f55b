//! What a seed decides. Pure: the same seed and the same questions, the same answers.

use std::{ops::RangeInclusive, time::Duration};

use fastrand::Rng;

/// One source of decisions. Whatever decides by itself has one of its own, so that it does not matter who is asked first.
#[derive(Clone, Debug)]
pub(super) struct Dice(Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// A seed for other dice.
    pub(super) fn seed(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// Yes, once in `n` times; never if `n` is 0. It takes as much of the dice either way.
    pub(super) fn one_in(&mut self, n: u32) -> bool {
        let thrown = self.0.u64(..);
        n != 0 && thrown.is_multiple_of(u64::from(n))
    }

    /// A number out of a range. One that is empty is its start.
    pub(super) fn number(&mut self, range: RangeInclusive<u64>) -> u64 {
        if range.is_empty() { *range.start() } else { self.0.u64(range) }
    }

    /// A time out of a range, to the nanosecond.
    pub(super) fn time(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let nanos = |time: &Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.number(nanos(range.start())..=nanos(range.end())))
    }

    /// Changes up to three of the bytes; at least one, if there is any.
    pub(super) fn corrupt(&mut self, bytes: &mut [u8]) {
        // Each place is changed once at most, so that nothing is changed back.
        let times = self.0.usize(1..=3).min(bytes.len());
        for place in self.0.choose_multiple(bytes.iter_mut(), times) {
            *place ^= self.0.u8(1..);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_corrupted_is_changed_and_keeps_its_length() {
        for seed in 0..1_000 {
            for length in 1..5 {
                let mut bytes = vec![7; length];

                Dice::new(seed).corrupt(&mut bytes);

                let changed = bytes.iter().filter(|byte| **byte != 7).count();
                assert!((1..=3).contains(&changed), "seed {seed}: {bytes:?}");
            }
        }
    }

    #[test]
    fn nothing_can_be_corrupted_in_nothing() {
        Dice::new(1).corrupt(&mut []);
    }

    #[test]
    fn the_odds_are_what_they_are_said_to_be() {
        let mut dice = Dice::new(1);

        let times = (0..10_000).filter(|_| dice.one_in(10)).count();

        assert!((900..1_100).contains(&times), "{times}");
        assert!((0..100).all(|_| !dice.one_in(0)));
        assert!((0..100).all(|_| dice.one_in(1)));
    }
}
