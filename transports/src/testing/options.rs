//! What goes wrong at a link.

use std::{ops::RangeInclusive, time::Duration};

use super::Recorder;

/// Which way a message goes over a link: from the near port to the far one, or back. A port that travels over the link keeps these
/// words: its own end is the one that it travelled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the near end to the far end: what a client sends.
    There,
    /// From the far end to the near end: what a service answers.
    Back,
}

/// What goes wrong at a [`Link`](super::Link): nothing, unless it is asked for.
///
/// The fate of a message follows from the seed, from the way that its port came over the link, and from the number of the message on
/// that port; not from what happens on other ports. The same seed makes the same faults.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use handover_transports::testing::{Direction, LinkOptions};
///
/// let lossy = LinkOptions::seeded(42)
///     .delay(Duration::ZERO..=Duration::from_millis(30))
///     .drop_one_in(10)
///     .corrupt_one_in(20)
///     .only(Direction::Back);
/// assert_eq!(lossy.seed(), 42);
/// ```
#[derive(Clone, Debug, Default)]
pub struct LinkOptions {
    pub(super) seed: u64,
    pub(super) delay: Option<RangeInclusive<Duration>>,
    pub(super) turns: u32,
    pub(super) out_of_order: bool,
    pub(super) odds: Odds,
    pub(super) most_faults: Option<u64>,
    pub(super) only: Option<Direction>,
    pub(super) cut_after: Option<RangeInclusive<u64>>,
    pub(super) cut_at: Option<Duration>,
    pub(super) recorder: Option<Recorder>,
}

/// One message in so many; none if it is 0.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Odds {
    pub(super) drop: u32,
    pub(super) duplicate: u32,
    pub(super) corrupt: u32,
}

impl LinkOptions {
    /// Nothing goes wrong; what is asked for after this follows from the seed.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Lets each message take so long, by the [clock](handover_core::clock) of the context that joins the link. Messages of one port
    /// stay in order; those of different ports overtake each other.
    #[must_use]
    pub fn delay(mut self, delay: RangeInclusive<Duration>) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Holds each message back for up to so many turns of the executor, so that messages of different ports overtake each other.
    /// Messages of one port stay in order. It needs no clock.
    #[must_use]
    pub fn reorder_ports(mut self, turns: u32) -> Self {
        self.turns = turns;
        self
    }

    /// Breaks the rules: of the messages of one port that are due, any goes next. A port that is closed is closed after them.
    #[must_use]
    pub fn reorder_messages(mut self) -> Self {
        self.out_of_order = true;
        self
    }

    /// Loses one message in `n`, with the ports in it, which are closed. None if `n` is 0.
    #[must_use]
    pub fn drop_one_in(mut self, n: u32) -> Self {
        self.odds.drop = n;
        self
    }

    /// Passes one message in `n` twice. Ports cannot be: the copy has as many, which are closed. None if `n` is 0.
    #[must_use]
    pub fn duplicate_one_in(mut self, n: u32) -> Self {
        self.odds.duplicate = n;
        self
    }

    /// Changes up to three bytes of one message in `n`; never their number, nor the ports. None if `n` is 0.
    #[must_use]
    pub fn corrupt_one_in(mut self, n: u32) -> Self {
        self.odds.corrupt = n;
        self
    }

    /// Stops dropping, duplicating and corrupting after so many times. [`check_seeds`](super::check_seeds) finds the fewest with
    /// which a test fails.
    #[must_use]
    pub fn most_faults(mut self, most: u64) -> Self {
        self.most_faults = Some(most);
        self
    }

    /// Drops, duplicates and corrupts only what goes that way.
    #[must_use]
    pub fn only(mut self, direction: Direction) -> Self {
        self.only = Some(direction);
        self
    }

    /// Cuts the link when so many messages have passed: a number out of the range.
    #[must_use]
    pub fn cut_after(mut self, messages: RangeInclusive<u64>) -> Self {
        self.cut_after = Some(messages);
        self
    }

    /// Cuts the link so long after it was joined, by the [clock](handover_core::clock) of the context that joins it.
    #[must_use]
    pub fn cut_at(mut self, after: Duration) -> Self {
        self.cut_at = Some(after);
        self
    }

    /// Records what goes over the link.
    #[must_use]
    pub fn record(mut self, recorder: &Recorder) -> Self {
        self.recorder = Some(recorder.clone());
        self
    }

    pub(super) fn needs_clock(&self) -> bool {
        self.delay.is_some() || self.cut_at.is_some()
    }
}
