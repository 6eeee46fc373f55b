//! The lock that everything shared is behind, and the place where loom and std meet: under `cfg(loom)`, the lock and the
//! atomics of the ports are loom's, which runs them in every order there is.
//!
//! No code of others runs under the lock: messages are dropped, wakers are woken and targets are called after unlocking. So a
//! panic can not leave the state behind a lock half changed, and poisoning says nothing.
//!
//! `Arc` is std's in both: loom's knows no `Arc<dyn …>`, and what is to be proved here is not that reference counting works.

#[cfg(loom)]
use loom::sync as primitives;
#[cfg(not(loom))]
use std::sync as primitives;
use std::sync::PoisonError;

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
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
