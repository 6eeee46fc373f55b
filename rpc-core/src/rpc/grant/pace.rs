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
///
/// To ask the time costs as much as a tenth of a call. So a few calls, at most one in so many as may come at once, are taken
/// without; the next that is taken at a known time counts them as if they had been made then. They were made before, so never more is allowed
/// than should be, and hardly ever less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// How many parts a nanosecond has.
    parts: u32,
    /// What one call takes at full speed.
    each: u128,
    /// How far ahead of now the moment may be before a call.
    slack: u128,
    /// When everything that was called would have been called at full speed, but for what is not counted yet.
    moment: u128,
    /// How many calls were taken without knowing the time, and are not in the moment.
    uncounted: u32,
    /// How many more may be, now.
    free: u32,
}

/// Of how many calls that may come at once one may be taken without knowing the time.
const ONE_OF: u32 = 64;

/// How many calls are taken without knowing the time, at most.
const MOST_UNCOUNTED: u32 = 16;

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        let parts = rate.calls.max(1);
        let each = rate.per.as_nanos();
        Self { parts, each, slack: each.saturating_mul(u128::from(parts - 1)), moment: 0, uncounted: 0, free: 0 }
    }

    /// A time in parts. It cannot overflow: the longest time that there is has fewer than 2^94 nanoseconds, and the parts are fewer than 2^32.
    #[inline]
    fn at(&self, now: Duration) -> u128 {
        now.as_nanos() * u128::from(self.parts)
    }

    /// The moment at a time, with all that was taken.
    #[inline]
    fn moment_at(&self, at: u128) -> u128 {
        let uncounted = self.each.saturating_mul(self.uncounted.into());
        if uncounted == 0 { self.moment } else { self.moment.max(at).saturating_add(uncounted) }
    }

    /// Whether one more call may be made now. Where nobody has asked what time it is, whether one may be made in any case.
    #[inline]
    pub(super) fn has_room(&self, now: Option<Duration>) -> bool {
        match now {
            Some(now) => self.has_room_at(now),
            None => self.free > 0,
        }
    }

    fn has_room_at(&self, now: Duration) -> bool {
        let at = self.at(now);
        self.moment_at(at) <= at.saturating_add(self.slack)
    }

    /// One more call was made, for which there was room.
    #[inline]
    pub(super) fn take(&mut self, now: Option<Duration>) {
        match now {
            Some(now) => self.take_at(now),
            None => {
                self.free = self.free.saturating_sub(1);
                self.uncounted = self.uncounted.saturating_add(1);
            }
        }
    }

    fn take_at(&mut self, now: Duration) {
        let at = self.at(now);
        self.moment = self.moment_at(at).max(at).saturating_add(self.each);
        self.uncounted = 0;
        let most = (self.parts / ONE_OF).min(MOST_UNCOUNTED);
        let with_those = self.moment.saturating_add(self.each.saturating_mul(most.into()));
        self.free = if with_those <= at.saturating_add(self.slack) { most } else { 0 };
    }

    /// A call that was taken was not made after all.
    pub(super) fn give_back(&mut self) {
        match self.uncounted.checked_sub(1) {
            Some(fewer) => self.uncounted = fewer,
            None => self.moment = self.moment.saturating_sub(self.each),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn calls_at(pace: &mut Pace, now: Duration) -> usize {
        (0..1000)
            .take_while(|_| {
                let has_room = pace.has_room(Some(now));
                if has_room {
                    pace.take(Some(now));
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
        pace.take(Some(SECOND));
        assert!(!pace.has_room(Some(SECOND)));

        pace.give_back();

        assert!(pace.has_room(Some(SECOND)));
    }

    /// As one who asks the time only where it has to be known.
    fn takes(pace: &mut Pace, now: Duration) -> bool {
        [None, Some(now)].into_iter().any(|now| {
            let has_room = pace.has_room(now);
            if has_room {
                pace.take(now);
            }
            has_room
        })
    }

    proptest! {
        #[test]
        fn who_does_not_ask_the_time_for_each_call_allows_never_more_and_hardly_less(
            calls in prop_oneof![1_u32..200, 1_000_u32..5_000],
            steps in prop::collection::vec((0_u64..2_000_000, 0_usize..300), 1..40),
        ) {
            let rate = Rate { calls, per: Duration::from_millis(1) };
            let (mut pace, mut exact) = (Pace::new(rate), Pace::new(rate));
            let mut now = SECOND;
            for (nanos, times) in steps {
                now += Duration::from_nanos(nanos);
                for _ in 0..times {
                    if takes(&mut pace, now) {
                        prop_assert!(exact.has_room(Some(now)), "one too many");
                        exact.take(Some(now));
                        continue;
                    }
                    let mut left = exact.clone();
                    let most = (calls / ONE_OF).min(MOST_UNCOUNTED) as usize;
                    prop_assert!(calls_at(&mut left, now) <= most, "more than {} too early", most);
                    break;
                }
            }
        }
    }

    #[test]
    fn of_a_rate_of_few_calls_each_is_counted_when_it_is_made() {
        let mut pace = Pace::new(Rate { calls: ONE_OF - 1, per: SECOND });
        pace.take(Some(SECOND));

        assert!(!pace.has_room(None));
    }
}
