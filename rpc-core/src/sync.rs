//! The lock that everything shared is behind.
//!
//! No code of others runs under it: messages are dropped, wakers are woken and targets are called after unlocking. So a
//! panic can not leave the state behind a lock half changed, and poisoning says nothing.

use std::sync::{MutexGuard, PoisonError};

pub(crate) use std::sync::Arc;

/// A mutex that does not know poisoning.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// Makes an unlocked mutex.
    pub(crate) const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// Waits for the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
