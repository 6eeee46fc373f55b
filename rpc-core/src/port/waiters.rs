//! The tasks that wait at one side of a channel.

use std::{
    cell::Cell,
    mem,
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
    first: Option<Waiter>,
    more: Option<Box<Others>>,
}

type Waiter = (WaiterKey, Waker);

/// Those who wait beside the first: out of the way of the many sides that have none.
#[derive(Debug, Default)]
struct Others {
    waiters: Vec<Waiter>,
    /// They wait for the end, and for nothing that comes before it.
    for_the_end: Vec<Waiter>,
}

impl Waiters {
    /// Registers a waker under its future's key, giving the future one if it has none.
    ///
    /// Hands back the waker it replaced: dropping a waker may drop a task, so not under the lock.
    #[must_use = "drop a replaced waker outside the lock"]
    pub(crate) fn register(&mut self, key: &mut Option<WaiterKey>, waker: &Waker) -> Option<Waker> {
        let key = *key.get_or_insert_with(WaiterKey::new);
        match self.find(key) {
            Some(waiter) => renew(waiter, waker),
            None => {
                self.add(key, waking::clone(waker));
                None
            }
        }
    }

    /// As [`register`](Self::register), for one who is [woken at the end](Self::take_all) and not before.
    #[must_use = "drop a replaced waker outside the lock"]
    pub(crate) fn register_for_the_end(&mut self, key: &mut Option<WaiterKey>, waker: &Waker) -> Option<Waker> {
        let key = *key.get_or_insert_with(WaiterKey::new);
        let Others { for_the_end, .. } = &mut **self.more.get_or_insert_default();
        match for_the_end.iter_mut().find(|waiter| waiter.0 == key) {
            Some(waiter) => renew(waiter, waker),
            None => {
                for_the_end.push((key, waking::clone(waker)));
                None
            }
        }
    }

    #[inline]
    fn find(&mut self, key: WaiterKey) -> Option<&mut Waiter> {
        match &mut self.first {
            Some(first) if first.0 == key => Some(first),
            _ => self.more.as_mut()?.waiters.iter_mut().find(|waiter| waiter.0 == key),
        }
    }

    fn add(&mut self, key: WaiterKey, waker: Waker) {
        match self.first {
            None => self.first = Some((key, waker)),
            Some(_) => self.more.get_or_insert_default().waiters.push((key, waker)),
        }
    }

    /// Forgets a future that waits no longer.
    #[must_use = "drop a waker outside the lock"]
    pub(crate) fn remove(&mut self, key: WaiterKey) -> Option<Waker> {
        if self.first.as_ref().is_some_and(|waiter| waiter.0 == key) {
            return self.first.take().map(|waiter| waiter.1);
        }
        let Others { waiters, for_the_end } = &mut **self.more.as_mut()?;
        [waiters, for_the_end].into_iter().find_map(|waiters| {
            let index = waiters.iter().position(|waiter| waiter.0 == key)?;
            Some(waiters.swap_remove(index).1)
        })
    }

    /// Takes everyone who waits for what comes, to be woken after unlocking.
    #[inline]
    pub(crate) fn take(&mut self) -> Woken {
        if self.is_nobody_for_the_end() {
            return self.take_all();
        }
        let first = self.take_first();
        let others = self.more.as_mut().filter(|others| !others.waiters.is_empty());
        let more = others.map(|others| Others { waiters: mem::take(&mut others.waiters), ..Others::default() });
        Woken { first, more: more.map(Box::new) }
    }

    /// Takes everyone who waits, also for the end.
    #[inline]
    pub(crate) fn take_all(&mut self) -> Woken {
        Woken { first: self.take_first(), more: self.more.take() }
    }

    /// Takes the one who waits for what comes, to be woken after unlocking; nobody if others do too.
    #[inline]
    pub(crate) fn take_only(&mut self) -> Option<Waker> {
        if self.are_few() { self.take_first() } else { None }
    }

    #[inline]
    fn take_first(&mut self) -> Option<Waker> {
        self.first.take().map(|(_, waker)| waker)
    }

    /// Whether one waits for what comes at the most.
    #[inline]
    pub(crate) fn are_few(&self) -> bool {
        self.more.as_ref().is_none_or(|others| others.waiters.is_empty())
    }

    /// Whether nobody waits for the end and for nothing before it.
    #[inline]
    pub(crate) fn is_nobody_for_the_end(&self) -> bool {
        self.more.as_ref().is_none_or(|others| others.for_the_end.is_empty())
    }

    /// Whether nobody waits for what comes.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.are_few()
    }
}

/// Has a future's own waker be the one that is woken.
fn renew((_, old): &mut Waiter, waker: &Waker) -> Option<Waker> {
    if old.will_wake(waker) { None } else { Some(mem::replace(old, waker.clone())) }
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
        self.waiters.into_iter().chain(self.for_the_end).for_each(|(_, waker)| waker.wake());
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
