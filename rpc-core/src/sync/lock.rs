//! The lock itself: let go of by a plain write, and waited for awake at first, then asleep.
//!
//! A lock that knows who sleeps for it has to look for those when it is let go of: an atomic operation more, for each of the several locks of a
//! call. Here nobody is looked for. What is done under a lock is a few dozen instructions, so whoever finds it taken nearly always has it after
//! some pauses. Where the thread that has it is held up by the system, others give up their time, and then sleep, for longer and longer: they
//! cost no core, and come up to a millisecond late.

use std::{hint, thread, time::Duration};

use spin::mutex::{SpinMutex, SpinMutexGuard};

/// What a lock is held by.
pub(super) type Locked<'l, T> = SpinMutexGuard<'l, T>;

/// A value that one thread at a time has.
#[derive(Debug, Default)]
pub(super) struct Lock<T>(SpinMutex<T>);

impl<T> Lock<T> {
    pub(super) fn new(value: T) -> Self {
        Self(SpinMutex::new(value))
    }

    #[inline]
    pub(super) fn lock(&self) -> Locked<'_, T> {
        match self.0.try_lock() {
            Some(locked) => locked,
            None => self.wait(),
        }
    }

    #[cold]
    fn wait(&self) -> Locked<'_, T> {
        let mut tries = 0;
        loop {
            Pause::before(tries).take();
            if let Some(locked) = self.0.try_lock() {
                return locked;
            }
            tries = tries.saturating_add(1);
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    pub(super) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

/// What one does who waits for a lock, between two tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    /// Nothing, so many times.
    Awake(u32),
    /// Lets another thread run.
    Yield,
    Asleep(Duration),
}

impl Pause {
    /// Before the try that follows on so many: about a microsecond awake, and what eight turns of other threads take; then a twentieth of a
    /// millisecond, and so on to one.
    fn before(tries: u32) -> Self {
        match tries {
            0..=5 => Self::Awake(1 << tries),
            6..=13 => Self::Yield,
            _ => Self::Asleep(Duration::from_micros(50 << (tries - 14).min(5)).min(Duration::from_millis(1))),
        }
    }

    fn take(self) {
        match self {
            Self::Awake(times) => (0..times).for_each(|_| hint::spin_loop()),
            Self::Yield => thread::yield_now(),
            Self::Asleep(time) => thread::sleep(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    #[test]
    fn threads_that_want_a_lock_at_once_have_it_one_after_the_other() {
        let (lock, threads, times) = (Lock::new(0_u64), 4, 20_000);

        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..times).for_each(|_| *lock.lock() += 1));
            }
        });

        assert_eq!(lock.into_inner(), threads * times);
    }

    #[test]
    fn who_waits_for_one_that_is_held_up_gets_the_lock_after_it() {
        let lock = Lock::new("before");
        let (waits, is_waiting) = mpsc::channel();

        thread::scope(|scope| {
            let mut held = lock.lock();
            let waiter = scope.spawn(|| {
                assert!(lock.0.try_lock().is_none());
                waits.send(()).unwrap();
                *lock.lock()
            });
            is_waiting.recv().unwrap();
            // By then it may sleep, or not wait yet.
            (0..100).for_each(|_| thread::yield_now());
            *held = "after";
            drop(held);
            assert_eq!(waiter.join().unwrap(), "after");
        });
    }

    #[test]
    fn who_waits_long_is_awake_for_little_of_it() {
        let (mut awake, mut yields, mut asleep) = (0, 0, Vec::new());
        for tries in 0..1000 {
            match Pause::before(tries) {
                Pause::Awake(times) => awake += times,
                Pause::Yield => yields += 1,
                Pause::Asleep(time) => asleep.push(time),
            }
        }

        assert_eq!((awake, yields), (63, 8));
        assert!(asleep.is_sorted() && asleep.first() == Some(&Duration::from_micros(50)));
        assert_eq!(Pause::before(u32::MAX), Pause::Asleep(Duration::from_millis(1)));
    }

    #[test]
    fn a_lock_is_let_go_of_by_one_who_panics() {
        let lock = Lock::new(1);

        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _held = lock.lock();
            panic!("under the lock");
        }));

        assert!(panicked.is_err());
        assert_eq!(*lock.lock(), 1);
    }
}
