//! What a call has of the right that it came by, as long as it runs.

use std::task::{Context, Poll, Waker};

use rustc_hash::FxHashMap;

use super::{
    Refusal,
    desk::Desk,
    grant::{Cost, Ended},
};
use crate::{
    Message,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

/// What a call has of the right that it came by. Dropped, it gives back what counts only as long as the call runs.
#[derive(Debug)]
pub(super) struct Held {
    desk: Arc<Desk>,
    /// Under which number it waits to be told that the right has ended. None has zero.
    waiter: u32,
    bytes: u32,
    is_claimed: bool,
    has_begun: bool,
    /// Whether the right stays, although its holder may have gone, until it is known whether the call was to be given back.
    keeps_right: bool,
}

impl Held {
    pub(super) fn new(desk: &Arc<Desk>) -> Self {
        Self { desk: desk.clone(), waiter: 0, bytes: 0, is_claimed: false, has_begun: false, keeps_right: false }
    }

    /// Of a call that was taken out of what the right has left.
    #[inline(always)]
    pub(super) fn of(desk: &Arc<Desk>, Claimed { bytes, keeps_right }: Claimed) -> Self {
        Self { desk: desk.clone(), waiter: 0, bytes, is_claimed: true, has_begun: false, keeps_right }
    }

    /// Of a call that was taken out of what the right has left, and has begun without a handle on its port.
    pub(super) fn of_begun(desk: Arc<Desk>) -> Self {
        Self { desk, waiter: 0, bytes: 0, is_claimed: true, has_begun: true, keeps_right: false }
    }

    pub(super) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// Takes the call out of what the right has left.
    ///
    /// # Errors
    /// What has run out.
    pub(super) fn claim(&mut self, bytes: usize, is_ordered: bool) -> Result<(), Refusal> {
        if self.desk.claim().is_some() {
            let Claimed { bytes, keeps_right } = claim(&self.desk, bytes, is_ordered)?;
            self.bytes = bytes;
            self.is_claimed = true;
            self.keeps_right = keeps_right;
        }
        Ok(())
    }

    /// Counts an answer as long as it is on its way.
    pub(super) fn hold(&self, answer: Message) -> Message {
        if self.is_claimed { self.desk.hold(answer, self.bytes) } else { answer }
    }

    /// Whether what takes nothing may run.
    ///
    /// # Errors
    /// Why the right has ended.
    pub(super) fn may_ask(&self) -> Result<(), Refusal> {
        self.desk.hub().ended(self.desk.grant).map_or(Ok(()), |why| Err(why.refusal()))
    }

    /// The call will not run: it counts for nothing. Nor does one that is dropped before it has begun.
    #[inline]
    pub(super) fn give_back(&mut self) {
        if self.is_claimed && !self.has_begun {
            self.give_back_all();
        }
    }

    fn give_back_all(&mut self) {
        if let Some(claim) = self.desk.claim() {
            claim.give_back();
            claim.release(Cost { bytes: self.bytes.into() });
            self.is_claimed = false;
        }
    }

    /// The method begins.
    pub(super) fn begins(&mut self) {
        self.has_begun = true;
    }

    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Why the right has ended, if it has, and whether the method had begun.
    #[inline]
    pub(super) fn ended(&self) -> Option<(Ended, bool)> {
        self.desk.ending().why().map(|why| (why, self.has_begun))
    }

    /// Ready when the right has ended; registers the handler to be woken for that.
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        if self.is_claimed { self.desk.ending().poll(&mut self.waiter, cx) } else { Poll::Pending }
    }
}

/// What a call has taken.
#[derive(Clone, Copy)]
pub(super) struct Claimed {
    bytes: u32,
    keeps_right: bool,
}

/// Takes a call out of what the right has left by which it came. The last step before the method begins, but that an ordered one may have to
/// wait.
///
/// # Errors
/// What has run out.
pub(super) fn claim(desk: &Desk, bytes: usize, is_ordered: bool) -> Result<Claimed, Refusal> {
    // Of a message that has more, this is what is counted, here and when it is given back.
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    if let Some(claim) = desk.claim() {
        claim.take(Cost { bytes: bytes.into() })?;
    }
    let keeps_right = is_ordered && desk.counts();
    if keeps_right {
        desk.hub().grants().hold(desk.grant, 0);
    }
    Ok(Claimed { bytes, keeps_right })
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.waiter != 0 {
            self.desk.ending().forget(self.waiter);
        }
        self.give_back();
        if self.is_claimed
            && let Some(claim) = self.desk.claim()
        {
            claim.release(Cost { bytes: self.bytes.into() });
        }
        if self.keeps_right {
            self.desk.hub().grants().let_go(self.desk.grant, 0);
        }
    }
}

/// Whether a right has ended, and the handlers that wait and want to know.
#[derive(Debug, Default)]
pub(super) struct Ending {
    has_ended: AtomicBool,
    /// How many handlers run. Only whoever serves changes it.
    running: AtomicU32,
    waiting: Mutex<Option<Box<Waiting>>>,
}

#[derive(Debug, Default)]
struct Waiting {
    why: Option<Ended>,
    wakers: FxHashMap<u32, Waker>,
    last: u32,
}

impl Ending {
    /// A handler waits, and goes on running.
    pub(super) fn runs(&self) {
        self.running.store(self.running().saturating_add(1), Ordering::Relaxed);
    }

    /// A handler that ran has ended.
    pub(super) fn ran(&self) {
        self.running.store(self.running().saturating_sub(1), Ordering::Relaxed);
    }

    /// How many handlers run.
    pub(super) fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    /// Notes that the right has ended, and wakes the handlers that run by it.
    pub(super) fn end(&self, why: Ended) {
        let mut waiting = self.waiting.lock();
        let state = waiting.get_or_insert_default();
        state.why.get_or_insert(why);
        let wakers = std::mem::take(&mut state.wakers);
        self.has_ended.store(true, Ordering::Release);
        drop(waiting);
        wakers.into_values().for_each(Waker::wake);
    }

    #[inline]
    fn why(&self) -> Option<Ended> {
        if self.has_ended.load(Ordering::Acquire) { self.reason() } else { None }
    }

    fn reason(&self) -> Option<Ended> {
        self.waiting.lock().as_ref().and_then(|state| state.why)
    }

    fn poll(&self, key: &mut u32, cx: &Context<'_>) -> Poll<Ended> {
        let mut waiting = self.waiting.lock();
        let state = waiting.get_or_insert_default();
        if let Some(why) = state.why {
            return Poll::Ready(why);
        }
        if *key == 0 {
            // Four thousand million handlers of one port that all wait at a time are not to be feared.
            state.last = state.last.checked_add(1).unwrap_or(1);
            *key = state.last;
        }
        let replaced = match state.wakers.get(key) {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            _ => state.wakers.insert(*key, cx.waker().clone()),
        };
        drop(waiting);
        drop(replaced);
        Poll::Pending
    }

    fn forget(&self, key: u32) {
        let waker = self.waiting.lock().as_mut().and_then(|state| state.wakers.remove(&key));
        drop(waker);
    }
}
