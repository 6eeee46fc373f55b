//! How fast calls may be made. Pure: the time is an argument.

use std::time::Duration;

use super::Rate;

/// A limit of speed: so many calls at once, and then one more for each part of the time that has passed.
///
/// It is the *generic cell rate algorithm*: one moment says all. Each call moves it on by the time that a call takes at full speed, and
/// no call may move it further into the future than a whole burst would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// What one call takes at full speed.
    each: Duration,
    /// How far ahead of now the moment may be before a call.
    slack: Duration,
    /// When everything that was called would have been called at full speed.
    moment: Duration,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        let calls = rate.calls.max(1);
        let each = rate.per / calls;
        Self { each, slack: each.saturating_mul(calls - 1), moment: Duration::ZERO }
    }

    /// Whether one more call may be made now.
    pub(super) fn has_room(&self, now: Duration) -> bool {
        self.moment <= now.saturating_add(self.slack)
    }

    /// One more call was made.
    pub(super) fn take(&mut self, now: Duration) {
        self.moment = self.moment.max(now).saturating_add(self.each);
    }

    /// A call that was taken was not made after all.
    pub(super) fn give_back(&mut self) {
        self.moment = self.moment.saturating_sub(self.each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn calls_at(pace: &mut Pace, now: Duration) -> usize {
        (0..1000)
            .take_while(|_| {
                let has_room = pace.has_room(now);
                if has_room {
                    pace.take(now);
                }
                has_room
            })
            .count()
    }

    #[test]
    fn a_whole_burst_may_come_at_once_and_then_one_call_for_each_part_of_the_time() {
        let mut pace = Pace::new(Rate { calls: 10, per: SECOND });

        assert_eq!(calls_at(&mut pace, 5 * SECOND), 10);
        assert_eq!(calls_at(&mut pace, 5 * SECOND + SECOND / 11), 0);
        assert_eq!(calls_at(&mut pace, 5 * SECOND + SECOND / 10), 1);
        assert_eq!(calls_at(&mut pace, 5 * SECOND + SECOND / 2), 4);
    }

    #[test]
    fn who_has_not_called_for_long_has_no_more_than_one_burst() {
        let mut pace = Pace::new(Rate { calls: 3, per: SECOND });
        assert_eq!(calls_at(&mut pace, SECOND), 3);

        assert_eq!(calls_at(&mut pace, 1000 * SECOND), 3);
    }

    #[test]
    fn a_rate_of_no_calls_is_one_of_one_and_a_rate_in_no_time_is_none() {
        assert_eq!(calls_at(&mut Pace::new(Rate { calls: 0, per: SECOND }), SECOND), 1);
        assert_eq!(calls_at(&mut Pace::new(Rate { calls: 1, per: Duration::ZERO }), SECOND), 1000);
        assert_eq!(calls_at(&mut Pace::new(Rate { calls: u32::MAX, per: Duration::MAX }), SECOND), 1000);
    }

    #[test]
    fn a_call_that_is_given_back_can_be_made_again() {
        let mut pace = Pace::new(Rate { calls: 1, per: SECOND });
        pace.take(SECOND);
        assert!(!pace.has_room(SECOND));

        pace.give_back();

        assert!(pace.has_room(SECOND));
    }
}
