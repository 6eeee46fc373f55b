//! How fast calls may be made. Pure: the time is an argument.

use std::time::Duration;

use super::Rate;

/// A limit of speed: so many calls at once, and then one more for each part of the time that has passed.
///
/// It is the *generic cell rate algorithm*: one moment says all. Each call moves it on by the time that a call takes at full speed, and
/// no call may move it further into the future than a whole burst would.
///
/// It counts time in parts of a nanosecond, as many as there are calls in a burst: so what a call takes is a whole number of them, however
/// many calls are in however little time, and nothing is rounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// How many parts a nanosecond has.
    parts: u32,
    /// What one call takes at full speed.
    each: u128,
    /// How far ahead of now the moment may be before a call.
    slack: u128,
    /// When everything that was called would have been called at full speed.
    moment: u128,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        let parts = rate.calls.max(1);
        let each = rate.per.as_nanos();
        Self { parts, each, slack: each.saturating_mul(u128::from(parts - 1)), moment: 0 }
    }

    /// A time in parts. It cannot overflow: the longest time that there is has fewer than 2^94 nanoseconds, and the parts are fewer than 2^32.
    #[inline]
    fn at(&self, now: Duration) -> u128 {
        now.as_nanos() * u128::from(self.parts)
    }

    /// Whether one more call may be made now.
    #[inline]
    pub(super) fn has_room(&self, now: Duration) -> bool {
        self.moment <= self.at(now).saturating_add(self.slack)
    }

    /// One more call was made.
    #[inline]
    pub(super) fn take(&mut self, now: Duration) {
        self.moment = self.moment.max(self.at(now)).saturating_add(self.each);
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
    fn a_rate_is_kept_exactly_also_where_a_call_takes_less_than_a_nanosecond_or_no_whole_number_of_them() {
        let nanos = Duration::from_nanos;
        let mut fast = Pace::new(Rate { calls: 500, per: nanos(1) });
        assert_eq!(calls_at(&mut fast, SECOND), 500);
        assert_eq!(calls_at(&mut fast, SECOND + nanos(1)), 500);

        let mut odd = Pace::new(Rate { calls: 3, per: nanos(10) });
        assert_eq!(calls_at(&mut odd, SECOND), 3);
        let later: usize = (1..=10_000).map(|nano| calls_at(&mut odd, SECOND + nanos(nano))).sum();
        assert_eq!(later, 3000);
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
