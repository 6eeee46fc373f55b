//! The lock that everything shared is behind, and the place where loom and std meet: under `cfg(loom)`, the lock and the
//! atomics of the ports are loom's, which runs them in every order there is.
//!
//! No code of others runs under the lock, but the clone of a waker: messages are dropped, wakers are woken and targets are
//! called after unlocking. So a panic can not leave the state behind a lock half changed, and poisoning says nothing. No thread
//! holds two locks at once.
//!
//! `Arc` is std's in both: loom's knows no `Arc<dyn …>`, and what is to be proved here is not that reference counting works.

#[cfg(loom)]
use loom::sync as primitives;
#[cfg(not(loom))]
use std::sync as primitives;
use std::{
    ops::{Deref, DerefMut},
    sync::PoisonError,
};

use primitives::MutexGuard;

pub(crate) use primitives::atomic;
pub(crate) use std::sync::Arc;

/// A mutex that does not know poisoning.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(primitives::Mutex<T>);

impl<T> Mutex<T> {
    /// Makes an unlocked mutex.
    pub(crate) fn new(value: T) -> Self {
        Self(primitives::Mutex::new(value))
    }

    /// Waits for the lock.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        let alone = Alone::claim();
        Guard { inner: self.0.lock().unwrap_or_else(PoisonError::into_inner), _alone: alone }
    }
}

/// The lock, held.
pub(crate) struct Guard<'m, T> {
    inner: MutexGuard<'m, T>,
    _alone: Alone,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

/// The right of a thread to hold one lock, and no second: so no order of locks can go wrong. Debug builds see to it; under loom,
/// whose threads share the locals of one, loom finds the deadlock itself.
struct Alone;

#[cfg(not(all(debug_assertions, not(loom))))]
impl Alone {
    fn claim() -> Self {
        Self
    }
}

#[cfg(all(debug_assertions, not(loom)))]
mod alone {
    use std::cell::Cell;

    use super::Alone;

    thread_local! {
        static IS_HELD: Cell<bool> = const { Cell::new(false) };
    }

    impl Alone {
        pub(super) fn claim() -> Self {
            assert!(!IS_HELD.replace(true), "a thread holds one lock and asks for another");
            Self
        }
    }

    impl Drop for Alone {
        fn drop(&mut self) {
            IS_HELD.set(false);
        }
    }
}

#[cfg(all(test, debug_assertions, not(loom)))]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "asks for another")]
    fn a_thread_that_would_hold_two_locks_is_noticed() {
        let (one, two) = (Mutex::new(1), Mutex::new(2));

        let _held = one.lock();

        assert_eq!(*two.lock(), 2);
    }

    #[test]
    fn a_lock_may_be_taken_after_another_was_let_go() {
        let (one, two) = (Mutex::new(1), Mutex::new(2));

        assert_eq!((*one.lock(), 0).0, 1);

        assert_eq!(*two.lock(), 2);
    }
}
