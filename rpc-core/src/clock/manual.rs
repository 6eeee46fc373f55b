//! A clock that is moved by hand.

use std::{
    collections::BTreeMap,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{Clock, Sleep};
use crate::sync::{Arc, Mutex};

/// A clock that stands still until it is [advanced](Self::advance): for tests of deadlines, without waiting for one.
#[derive(Debug, Default)]
pub struct ManualClock {
    face: Arc<Mutex<Face>>,
}

#[derive(Debug, Default)]
struct Face {
    now: Duration,
    sleeping: BTreeMap<SleepKey, Waker>,
    last_key: u64,
}

/// Sorted by time, and by the order of asking.
type SleepKey = (Duration, u64);

impl ManualClock {
    /// Moves the clock on, and wakes whoever slept for that long, the earliest first.
    pub fn advance(&self, by: Duration) {
        let mut face = self.face.lock();
        let now = face.now.saturating_add(by);
        face.now = now;
        let still_sleeping = face.sleeping.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut face.sleeping, still_sleeping);
        drop(face);
        due.into_values().for_each(Waker::wake);
    }

    /// The earliest time that somebody waits for, if anybody waits.
    pub fn next(&self) -> Option<Duration> {
        self.face.lock().sleeping.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many wait for a later time.
    pub fn sleeping(&self) -> usize {
        self.face.lock().sleeping.len()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.face.lock().now
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        let mut face = self.face.lock();
        face.last_key += 1;
        let key = (at, face.last_key);
        drop(face);
        Box::pin(Asleep { key, face: self.face.clone() })
    }
}

/// Waits for the clock to be moved.
struct Asleep {
    key: SleepKey,
    face: Arc<Mutex<Face>>,
}

impl Future for Asleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut face = self.face.lock();
        if face.now >= self.key.0 {
            return Poll::Ready(());
        }
        let replaced = face.sleeping.insert(self.key, cx.waker().clone());
        drop(face);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        let waker = self.face.lock().sleeping.remove(&self.key);
        drop(waker);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use futures::FutureExt;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_sleep_ends_when_the_clock_was_moved_that_far() {
        let clock = ManualClock::default();
        let mut sleep = clock.sleep_until(2 * SECOND);
        assert!((&mut sleep).now_or_never().is_none());

        clock.advance(SECOND);
        assert!((&mut sleep).now_or_never().is_none());
        clock.advance(SECOND);

        assert!(sleep.now_or_never().is_some());
    }

    #[test]
    fn the_next_time_is_the_earliest_that_somebody_waits_for() {
        let clock = ManualClock::default();
        assert_eq!(clock.next(), None);
        let mut sleeps = [3, 1, 2].map(|seconds| clock.sleep_until(seconds * SECOND));
        assert!(sleeps.iter_mut().all(|sleep| sleep.now_or_never().is_none()));

        assert_eq!(clock.next(), Some(SECOND));
        clock.advance(SECOND);

        assert_eq!(clock.next(), Some(2 * SECOND));
    }

    #[test]
    fn a_sleep_that_is_dropped_is_forgotten() {
        let clock = ManualClock::default();
        let mut sleep = clock.sleep_until(SECOND);
        assert!((&mut sleep).now_or_never().is_none());
        assert_eq!(clock.sleeping(), 1);

        drop(sleep);

        assert_eq!(clock.sleeping(), 0);
    }
}
