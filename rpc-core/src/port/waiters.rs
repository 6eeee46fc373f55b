//! The tasks that wait at one side of a channel.

use std::{num::NonZeroU64, task::Waker};

use crate::waking;

/// Names one waiting future at a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaiterKey(NonZeroU64);

/// The tasks that wait at one side; nearly always none or one.
#[derive(Debug)]
pub(crate) struct Waiters {
    first: Option<(WaiterKey, Waker)>,
    more: Option<Box<Others>>,
    last_key: NonZeroU64,
}

/// Those who wait beside the first: out of the way of the many sides that have none.
#[derive(Debug, Default)]
struct Others(Vec<(WaiterKey, Waker)>);

impl Default for Waiters {
    fn default() -> Self {
        Self { first: None, more: None, last_key: NonZeroU64::MIN }
    }
}

impl Waiters {
    /// Registers a waker under its future's key, giving the future one if it has none.
    ///
    /// Hands back the waker it replaced: dropping a waker may drop a task, so not under the lock.
    #[must_use = "drop a replaced waker outside the lock"]
    pub(crate) fn register(&mut self, key: &mut Option<WaiterKey>, waker: &Waker) -> Option<Waker> {
        let key = *key.get_or_insert_with(|| {
            self.last_key = self.last_key.checked_add(1).unwrap_or(NonZeroU64::MIN);
            WaiterKey(self.last_key)
        });
        match self.find(key) {
            Some((_, old)) if old.will_wake(waker) => None,
            Some((_, old)) => Some(std::mem::replace(old, waker.clone())),
            None => {
                self.add(key, waking::clone(waker));
                None
            }
        }
    }

    #[inline]
    fn find(&mut self, key: WaiterKey) -> Option<&mut (WaiterKey, Waker)> {
        match &mut self.first {
            Some(first) if first.0 == key => Some(first),
            _ => self.more.as_mut()?.0.iter_mut().find(|waiter| waiter.0 == key),
        }
    }

    fn add(&mut self, key: WaiterKey, waker: Waker) {
        match self.first {
            None => self.first = Some((key, waker)),
            Some(_) => self.more.get_or_insert_default().0.push((key, waker)),
        }
    }

    /// Forgets a future that waits no longer.
    #[must_use = "drop a waker outside the lock"]
    pub(crate) fn remove(&mut self, key: WaiterKey) -> Option<Waker> {
        if self.first.as_ref().is_some_and(|waiter| waiter.0 == key) {
            return self.first.take().map(|waiter| waiter.1);
        }
        let Others(more) = &mut **self.more.as_mut()?;
        let index = more.iter().position(|waiter| waiter.0 == key)?;
        Some(more.swap_remove(index).1)
    }

    /// Takes everyone who waits, to be woken after unlocking.
    #[inline]
    pub(crate) fn take(&mut self) -> Woken {
        let first = self.first.take().map(|(_, waker)| waker);
        Woken { first, more: self.more.take() }
    }

    /// Takes the one who waits, to be woken after unlocking; nobody if others wait too.
    #[inline]
    pub(crate) fn take_only(&mut self) -> Option<Waker> {
        if self.more.is_some() { None } else { self.first.take().map(|(_, waker)| waker) }
    }

    /// Whether one waits at the most.
    #[inline]
    pub(crate) fn are_few(&self) -> bool {
        self.more.is_none()
    }

    /// Whether nobody waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.more.as_ref().is_none_or(|others| others.0.is_empty())
    }
}

/// Tasks to wake once no lock is held.
#[derive(Debug, Default)]
#[must_use = "wake after unlocking"]
pub(crate) struct Woken {
    first: Option<Waker>,
    more: Option<Box<Others>>,
}

impl Woken {
    /// Wakes them all.
    #[inline]
    pub(crate) fn wake(self) {
        if let Some(waker) = self.first {
            waker.wake();
        }
        if let Some(others) = self.more {
            others.wake();
        }
    }
}

impl Others {
    #[cold]
    fn wake(self) {
        self.0.into_iter().for_each(|(_, waker)| waker.wake());
    }
}
