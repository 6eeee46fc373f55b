//! What is left of one grant. Pure: the time is an argument.

use std::time::Duration;

use super::{Limits, pace::Pace};
use crate::rpc::Refusal;

/// What is left of one grant, of what its limits have allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    calls: Option<u64>,
    pace: Option<Pace>,
    bytes: Option<Bytes>,
    expires: Option<Duration>,
    idle: Option<Idleness>,
    /// That it has limits of time, and nobody knows the time: then nothing is left of it.
    has_no_clock: bool,
    /// Whether it counts nothing but calls, and how fast they come.
    counts_calls_only: bool,
}

/// Bytes under way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bytes {
    used: u64,
    most: u64,
}

/// How long nothing was called.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Idleness {
    most: Duration,
    since: Duration,
    running: u32,
}

/// What a call takes of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::rpc) struct Cost {
    /// How many bytes it has brought.
    pub(in crate::rpc) bytes: u64,
}

impl Budget {
    /// What the limits allow, from now on. `None` if they limit nothing that is counted.
    pub(super) fn new(limits: &Limits, now: Option<Duration>) -> Option<Self> {
        let Limits { methods: _, clones: _, calls, rate, bytes, expires, idle } = limits;
        let is_timed = rate.is_some() || expires.is_some() || idle.is_some();
        if calls.is_none() && bytes.is_none() && !is_timed {
            return None;
        }
        let after = |time: Duration| now.unwrap_or_default().saturating_add(time);
        Some(Self {
            calls: *calls,
            pace: rate.map(Pace::new),
            bytes: bytes.map(|most| Bytes { used: 0, most }),
            expires: expires.map(after),
            // At least some time, so that one who looks later sees a later time.
            idle: idle.map(|most| Idleness {
                most: most.max(Duration::from_nanos(1)),
                since: now.unwrap_or_default(),
                running: 0,
            }),
            has_no_clock: is_timed && now.is_none(),
            counts_calls_only: bytes.is_none()
                && expires.is_none()
                && idle.is_none()
                && (now.is_some() || rate.is_none()),
        })
    }

    /// Takes a call out of it. Nobody needs to have asked the time if it only has a rate, and is asked to if that may be too fast.
    ///
    /// # Errors
    /// What has run out. Then nothing was taken.
    #[inline]
    pub(super) fn claim(&mut self, cost: Cost, now: Option<Duration>) -> Result<(), Refusal> {
        if !self.counts_calls_only {
            self.check(cost, now)?;
            self.take(cost, now);
            return Ok(());
        }
        if self.calls == Some(0) {
            return Err(Refusal::NoCallsLeft);
        }
        if let Some(pace) = &mut self.pace {
            if !pace.has_room(now) {
                return Err(Refusal::TooFast);
            }
            pace.take(now);
        }
        if let Some(calls) = &mut self.calls {
            *calls = calls.saturating_sub(1);
        }
        Ok(())
    }

    /// Whether a call can be taken out of it now.
    ///
    /// # Errors
    /// What has run out.
    #[inline]
    pub(super) fn check(&self, cost: Cost, now: Option<Duration>) -> Result<(), Refusal> {
        if self.has_no_clock || self.is_over(now.unwrap_or_default()) {
            return Err(Refusal::Expired);
        }
        if self.calls == Some(0) {
            return Err(Refusal::NoCallsLeft);
        }
        if self.pace.as_ref().is_some_and(|pace| !pace.has_room(now)) {
            return Err(Refusal::TooFast);
        }
        match &self.bytes {
            Some(Bytes { used, most }) if used.saturating_add(cost.bytes) > *most => Err(Refusal::TooManyBytes),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes a call out of it, which was [checked](Self::check).
    #[inline]
    pub(super) fn take(&mut self, cost: Cost, now: Option<Duration>) {
        if let Some(calls) = &mut self.calls {
            *calls = calls.saturating_sub(1);
        }
        if let Some(pace) = &mut self.pace {
            pace.take(now);
        }
        if let Some(bytes) = &mut self.bytes {
            bytes.used = bytes.used.saturating_add(cost.bytes);
        }
        if let Some(idle) = &mut self.idle {
            idle.since = now.unwrap_or(idle.since);
            idle.running = idle.running.saturating_add(1);
        }
    }

    /// A call that was taken has ended.
    pub(super) fn release(&mut self, cost: Cost, now: Option<Duration>) {
        if let Some(bytes) = &mut self.bytes {
            bytes.used = bytes.used.saturating_sub(cost.bytes);
        }
        if let Some(idle) = &mut self.idle {
            idle.since = now.unwrap_or(idle.since);
            idle.running = idle.running.saturating_sub(1);
        }
    }

    /// A call that was taken did not run: it can be made again.
    pub(super) fn give_back(&mut self) {
        if let Some(calls) = &mut self.calls {
            *calls = calls.saturating_add(1);
        }
        if let Some(pace) = &mut self.pace {
            pace.give_back();
        }
    }

    /// Whether its time is up.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        let is_idle = |idle: &Idleness| idle.running == 0 && idle.since.saturating_add(idle.most) <= now;
        self.expires.is_some_and(|at| at <= now) || self.idle.as_ref().is_some_and(is_idle)
    }

    /// When its time may be up, as it looks now.
    pub(super) fn due(&self, now: Duration) -> Option<Duration> {
        let idle = self.idle.as_ref().map(|idle| {
            let since = if idle.running == 0 { idle.since } else { now };
            since.saturating_add(idle.most)
        });
        self.expires.into_iter().chain(idle).min()
    }

    /// So many bytes more are under way.
    pub(super) fn hold(&mut self, more: u64) {
        if let Some(bytes) = &mut self.bytes {
            bytes.used = bytes.used.saturating_add(more);
        }
    }

    /// So many bytes that were held are under way no longer.
    pub(super) fn let_go(&mut self, fewer: u64) {
        if let Some(bytes) = &mut self.bytes {
            bytes.used = bytes.used.saturating_sub(fewer);
        }
    }

    /// Whether it limits the bytes that are under way.
    pub(super) fn counts_bytes(&self) -> bool {
        self.bytes.is_some()
    }

    /// Whether the end of a call has to be told to it.
    #[inline]
    pub(super) fn counts_ends(&self) -> bool {
        self.bytes.is_some() || self.idle.is_some()
    }

    /// Whether it has to know the time.
    pub(super) fn is_timed(&self) -> bool {
        self.expires.is_some() || self.idle.is_some()
    }

    /// Whether it has to know the time where calls may be too fast.
    pub(super) fn has_rate(&self) -> bool {
        self.pace.is_some()
    }

    /// How many calls are left.
    pub(super) fn calls(&self) -> Option<u64> {
        self.calls
    }

    /// How many bytes more may be under way.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.bytes.as_ref().map(|bytes| bytes.most.saturating_sub(bytes.used))
    }

    /// When it ends, whatever is called.
    pub(super) fn expires(&self) -> Option<Duration> {
        self.expires
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::Rate;

    const SECOND: Duration = Duration::from_secs(1);

    fn budget(limits: Limits) -> Budget {
        Budget::new(&limits, Some(SECOND)).unwrap()
    }

    fn call(budget: &mut Budget, bytes: u64, now: Duration) -> Result<(), Refusal> {
        budget.claim(Cost { bytes }, Some(now))
    }

    #[test]
    fn each_limit_has_a_reason_of_its_own() {
        let none = Limits::default;
        let mut calls = budget(Limits { calls: Some(1), ..none() });
        let mut rate = budget(Limits { rate: Some(Rate { calls: 1, per: SECOND }), ..none() });
        let mut bytes = budget(Limits { bytes: Some(10), ..none() });
        let mut expires = budget(Limits { expires: Some(SECOND), ..none() });
        let mut idle = budget(Limits { idle: Some(SECOND), ..none() });
        for budget in [&mut calls, &mut rate, &mut bytes, &mut expires, &mut idle] {
            assert_eq!(call(budget, 6, SECOND), Ok(()));
        }
        idle.release(Cost { bytes: 6 }, Some(SECOND));

        assert_eq!(call(&mut calls, 0, 9 * SECOND), Err(Refusal::NoCallsLeft));
        assert_eq!(call(&mut rate, 0, SECOND), Err(Refusal::TooFast));
        assert_eq!(call(&mut bytes, 5, SECOND), Err(Refusal::TooManyBytes));
        assert_eq!(call(&mut expires, 0, 2 * SECOND), Err(Refusal::Expired));
        assert_eq!(call(&mut idle, 0, 2 * SECOND), Err(Refusal::Expired));
    }

    #[test]
    fn bytes_are_free_again_when_the_call_has_ended() {
        let mut budget = budget(Limits { bytes: Some(10), ..Limits::default() });
        assert_eq!(call(&mut budget, 10, SECOND), Ok(()));
        assert_eq!(call(&mut budget, 1, SECOND), Err(Refusal::TooManyBytes));

        budget.release(Cost { bytes: 10 }, Some(SECOND));

        assert_eq!(call(&mut budget, 10, SECOND), Ok(()));
    }

    #[test]
    fn nothing_is_idle_while_a_call_runs() {
        let mut budget = budget(Limits { idle: Some(SECOND), ..Limits::default() });
        assert_eq!(call(&mut budget, 0, SECOND), Ok(()));
        assert!(!budget.is_over(9 * SECOND));
        assert_eq!(budget.due(9 * SECOND), Some(10 * SECOND));

        budget.release(Cost::default(), Some(9 * SECOND));

        assert!(!budget.is_over(10 * SECOND - Duration::from_nanos(1)));
        assert!(budget.is_over(10 * SECOND));
    }

    #[test]
    fn where_nobody_knows_the_time_nothing_is_left_of_what_has_limits_of_time() {
        let limits = Limits { rate: Some(Rate { calls: 9, per: SECOND }), ..Limits::default() };

        let budget = Budget::new(&limits, None).unwrap();

        assert_eq!(budget.check(Cost::default(), None), Err(Refusal::Expired));
    }

    #[test]
    fn what_limits_nothing_that_is_counted_is_no_budget() {
        let limits = Limits { methods: Some(vec![]), clones: Some(1), ..Limits::default() };

        assert_eq!(Budget::new(&limits, Some(SECOND)), None);
    }
}
