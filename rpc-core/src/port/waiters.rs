//! The tasks that wait at one side of a channel.

use std::{
    cell::Cell,
    num::NonZeroU64,
    sync::atomic::{AtomicU32, Ordering},
    task::Waker,
};

use crate::waking;

/// Names one waiting future, wherever it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaiterKey(NonZeroU64);

/// How many blocks of keys were handed out.
static BLOCKS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The last key that this thread has given away: the number of its block of 2^32 keys, and how many of those. So a side need not count.
    static LAST: Cell<(u32, u32)> = const { Cell::new((0, u32::MAX)) };
}

impl WaiterKey {
    fn new() -> Self {
        let (block, count) = LAST.get();
        let (block, count) = match count.checked_add(1) {
            Some(count) => (block, count),
            None => (BLOCKS.fetch_add(1, Ordering::Relaxed).wrapping_add(1), 0),
        };
        LAST.set((block, count));
        let key = u64::from(block) << 32 | u64::from(count);
        Self(NonZeroU64::new(key).unwrap_or(NonZeroU64::MAX))
    }
}

/// The tasks that wait at one side; nearly always none or one.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    first: Option<(WaiterKey, Waker)>,
    more: Option<Box<Others>>,
}

/// Those who wait beside the first: out of the way of the many sides that have none.
#[derive(Debug, Default)]
struct Others(Vec<(WaiterKey, Waker)>);

impl Waiters {
    /// Registers a waker under its future's key, giving the future one if it has none.
    ///
    /// Hands back the waker it replaced: dropping a waker may drop a task, so not under the lock.
    #[must_use = "drop a replaced waker outside the lock"]
    pub(crate) fn register(&mut self, key: &mut Option<WaiterKey>, waker: &Waker) -> Option<Waker> {
        let key = *key.get_or_insert_with(WaiterKey::new);
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

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{collections::HashSet, thread};

    use super::*;

    #[test]
    fn no_two_keys_are_the_same_whoever_gives_them_away_and_however_many_a_thread_has_given() {
        let keys = || {
            let mut keys: Vec<_> = (0..3).map(|_| WaiterKey::new().0).collect();
            // As if it had given away all of its block but two.
            LAST.set((LAST.get().0, u32::MAX - 2));
            keys.extend((0..4).map(|_| WaiterKey::new().0));
            keys
        };
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(keys)).collect();

        let all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();

        assert_eq!(all.len(), 28);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 28);
    }
}
