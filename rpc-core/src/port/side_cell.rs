//! One side of a channel, as threads share it: behind a lock, with the reader's batch behind another.
//!
//! A post and a reception would fight for one lock, and for the memory that it guards. So a reader who finds several parcels takes
//! all of them over as its *batch*, and receives them without the side; the two meet once for each batch. What is in the batch is
//! older than what is in the side's queue, and nothing joins it. Whoever has to see or to move all that waits takes the batch back
//! into the queue first: everyone but posters.

use std::{collections::VecDeque, fmt};

use super::{Gone, MessageTarget, Parcel, queue::Batch, side::Side, target::Delivery};
use crate::sync::{
    Arc, Guard, Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

/// One side, and which handle owns it.
///
/// In this order, what posters write lies as far from the reader's batch as it can: memory that two cores write to by turns is slow.
#[repr(C)]
#[derive(Default)]
pub(super) struct SideCell {
    side: Mutex<Side>,
    /// Whether nobody has locked the side since its reader has found nothing more. Changed under the lock, and never loom's: where a thread reads
    /// it is between two steps that loom has in every order anyway.
    is_quiet: std::sync::atomic::AtomicBool,
    /// Whether there is anything in the batch. Set under both locks, reset under that of the batch.
    has_batch: AtomicBool,
    /// How often the side was transferred. A handle from before a transfer is detached (PORT-51, C8).
    shipped: AtomicU32,
    /// Locked alone, or while the side is locked.
    batch: Mutex<Batch>,
}

/// The channels of pipelines count their transfers from here on, each from a multiple of 256 of its own: their clients' calls have other
/// numbers than those of clients that a service had before.
pub(crate) const FIRST_OF_PIPELINES: u32 = 1 << 31;

impl SideCell {
    /// A new side, whose transfers are counted from there.
    pub(super) fn counted_from(shipped: u32) -> Self {
        Self { shipped: AtomicU32::new(shipped), ..Self::default() }
    }

    /// Whether the side was transferred.
    pub(super) fn has_been_shipped(&self) -> bool {
        match self.shipped.load(Ordering::Acquire) {
            shipped if shipped < FIRST_OF_PIPELINES => shipped > 0,
            shipped => shipped % 256 > 0,
        }
    }

    /// Whether a handle of that age still owns the side.
    pub(super) fn is_owned_by(&self, shipped: u32) -> bool {
        self.shipped.load(Ordering::Acquire) == shipped
    }

    /// Locks the side, with all that waits in its queue: takes the batch back.
    ///
    /// What has to be moved for that is never more than what was posted since the batch was lent, and no parcel is moved twice.
    #[inline]
    pub(super) fn lock(&self) -> Guard<'_, Side> {
        let mut side = self.lock_without_batch();
        if self.has_batch.load(Ordering::Acquire) {
            self.take_back(&mut side);
        }
        side
    }

    #[cold]
    fn take_back(&self, side: &mut Guard<'_, Side>) {
        let mut batch = self.batch.lock_inside(side);
        side.take_back(&mut batch);
        self.has_batch.store(false, Ordering::Release);
    }

    /// Locks the side for somebody to whom it is all the same whether the reader has a batch: a poster.
    #[inline]
    pub(super) fn lock_without_batch(&self) -> Guard<'_, Side> {
        let side = self.side.lock();
        self.is_quiet.store(false, Ordering::Relaxed);
        side
    }

    /// Notes that the reader has found nothing more, and waits to be woken.
    #[inline]
    pub(super) fn calm(&self, _locked: &Guard<'_, Side>) {
        self.is_quiet.store(true, Ordering::Relaxed);
    }

    /// Whether there can be nothing new for the reader that waits.
    #[inline]
    pub(super) fn is_quiet(&self) -> bool {
        // Nothing else is read because of it: who has changed something wakes the reader after that.
        self.is_quiet.load(Ordering::Relaxed)
    }

    /// Lends the queue to the reader as a batch, if that is worth it.
    #[inline]
    pub(super) fn lend(&self, side: &mut Guard<'_, Side>) {
        if side.may_lend() {
            self.lend_all(side);
        }
    }

    #[cold]
    fn lend_all(&self, side: &mut Guard<'_, Side>) {
        let mut batch = self.batch.lock_inside(side);
        side.lend(&mut batch);
        self.has_batch.store(true, Ordering::Release);
    }

    /// Takes the oldest parcel out of the batch, for a handle of that age.
    #[inline]
    pub(super) fn next_of_batch(&self, shipped: u32) -> Option<Parcel> {
        if !self.has_batch.load(Ordering::Acquire) {
            return None;
        }
        let mut batch = self.batch.lock();
        // Asked under the lock: the batch may be that of the next owner already, who lent it after the transfer.
        if !self.is_owned_by(shipped) {
            return None;
        }
        let parcel = batch.pop();
        if batch.is_empty() {
            self.has_batch.store(false, Ordering::Release);
        }
        parcel
    }

    /// Takes all that waits at a locked side, and frees the memory that queue and batch have kept.
    #[must_use = "drop messages outside the lock"]
    pub(super) fn take_queue(&self, mut side: Guard<'_, Side>) -> VecDeque<Parcel> {
        if side.has_lent() {
            let memory = self.batch.lock_inside(&side).take();
            debug_assert!(memory.is_empty(), "who locks the side takes the batch back");
        }
        side.take_queue()
    }

    /// Takes the target and all that waits, for the only one who knows the channel: nobody can wait here. `None` if a handle of that age does
    /// not own the side.
    #[must_use = "tell the target, and drop messages"]
    pub(super) fn end(&mut self, shipped: u32) -> Option<Left> {
        if !self.is_owned_by(shipped) {
            return None;
        }
        let side = self.side.get_mut();
        if self.has_batch.load(Ordering::Acquire) {
            side.take_back(self.batch.get_mut());
        }
        Some(Left { target: side.take_target(), queue: side.take_queue() })
    }

    /// Puts the side into a message, and tells the number by which its new handle owns it (PORT-50, PORT-51). `None` if the
    /// side is closed, or if the handle that asks owns it no longer.
    pub(super) fn transfer_steps(&self, shipped: u32) -> Option<u32> {
        let mut side = self.lock();
        if !self.is_owned_by(shipped) {
            return None;
        }
        let (woken, delivery) = side.transfer_steps()?;
        let next = shipped.wrapping_add(1);
        self.shipped.store(next, Ordering::Release);
        drop(side);
        woken.wake();
        // Replies come to the new place from now on, so what waits for one here waits in vain.
        if let Delivery::Target(target) | Delivery::Draining(target) = delivery {
            target.closed(Gone::Closed);
        }
        Some(next)
    }
}

/// What is left of a side that nobody else knows.
pub(super) struct Left {
    pub(super) target: Option<Arc<dyn MessageTarget>>,
    pub(super) queue: VecDeque<Parcel>,
}

impl fmt::Debug for SideCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SideCell").finish_non_exhaustive()
    }
}
