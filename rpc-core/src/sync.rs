//! The lock that everything shared is behind, and the place where loom and std meet: under `cfg(loom)`, the lock and the
//! atomics of the ports are loom's, which runs them in every order there is.
//!
//! No code of others runs under the lock, but the clone of a waker: messages are dropped, wakers are woken and targets are
//! called after unlocking. So a panic can not leave the state behind a lock half changed, and poisoning says nothing.
//!
//! No thread holds two locks at once, but for the pairs that [`Encloses`] names, in that order. There is one: a side, and inside it
//! its reader's batch.
//!
//! `Arc` is std's in both: loom's knows no `Arc<dyn …>`, and what is to be proved here is not that reference counting works.

#[cfg(not(loom))]
mod lock;
#[cfg(loom)]
#[path = "sync/loom_lock.rs"]
mod lock;

use std::ops::{Deref, DerefMut};

#[cfg(loom)]
pub(crate) use loom::sync::atomic;
pub(crate) use std::sync::Arc;
#[cfg(not(loom))]
pub(crate) use std::sync::atomic;

/// Gives another thread the time for some posts: about a microsecond, which is far less than going to sleep and waking up cost.
///
/// loom needs none: it runs the other thread at this point anyway, in some of its orders.
pub(crate) fn pause() {
    const TIMES: usize = if cfg!(loom) { 0 } else { 40 };
    (0..TIMES).for_each(|_| std::hint::spin_loop());
}

/// A mutex that does not know poisoning.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(lock::Lock<T>);

impl<T> Mutex<T> {
    /// Makes an unlocked mutex.
    pub(crate) fn new(value: T) -> Self {
        Self(lock::Lock::new(value))
    }

    /// Waits for the lock.
    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.lock_for(Held::first())
    }

    /// What is in it, for the only one who has it.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// What is in it, for the last one who has it.
    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }

    /// Waits for the lock, with that other one held.
    pub(crate) fn lock_inside<O: Encloses<T>>(&self, _outer: &Guard<'_, O>) -> Guard<'_, T> {
        self.lock_for(Held::second())
    }

    #[inline]
    fn lock_for(&self, held: Held) -> Guard<'_, T> {
        Guard { inner: self.0.lock(), _held: held }
    }
}

/// What is locked before a `T`, where both are locked: the order of locks, which the compiler sees to.
pub(crate) trait Encloses<T> {}

/// The lock, held.
pub(crate) struct Guard<'m, T> {
    inner: lock::Locked<'m, T>,
    _held: Held,
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

/// The right of a thread to hold a lock: one, or a second inside the first, so no order of locks can go wrong. Debug builds see
/// to it; under loom, whose threads share the locals of one, loom finds the deadlock itself.
struct Held;

#[cfg(not(all(debug_assertions, not(loom))))]
impl Held {
    fn first() -> Self {
        Self
    }

    fn second() -> Self {
        Self
    }
}

#[cfg(all(debug_assertions, not(loom)))]
mod held {
    use std::cell::Cell;

    use super::Held;

    thread_local! {
        static LOCKS: Cell<u8> = const { Cell::new(0) };
    }

    impl Held {
        pub(super) fn first() -> Self {
            Self::claim(0)
        }

        pub(super) fn second() -> Self {
            Self::claim(1)
        }

        fn claim(before: u8) -> Self {
            assert_eq!(LOCKS.get(), before, "a thread holds one lock and asks for another");
            LOCKS.set(before + 1);
            Self
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            LOCKS.set(LOCKS.get() - 1);
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

    impl Encloses<u8> for u16 {}

    #[test]
    #[should_panic(expected = "asks for another")]
    fn a_lock_inside_another_is_the_last_one() {
        let (outer, inner, third) = (Mutex::new(1_u16), Mutex::new(2_u8), Mutex::new(3));

        let outer = outer.lock();
        let _inner = inner.lock_inside(&outer);

        assert_eq!(*third.lock(), 3);
    }

    #[test]
    fn a_lock_may_be_taken_after_another_was_let_go() {
        let (one, two) = (Mutex::new(1), Mutex::new(2));

        assert_eq!((*one.lock(), 0).0, 1);

        assert_eq!(*two.lock(), 2);
    }
}
