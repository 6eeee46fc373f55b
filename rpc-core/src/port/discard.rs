//! Dropping what was never delivered, however deep ports are queued inside ports.

use std::{cell::RefCell, collections::VecDeque};

use super::Parcel;

thread_local! {
    /// Queues that wait to be dropped by a drop further out on this thread.
    static WAITING: RefCell<Option<Vec<VecDeque<Parcel>>>> = const { RefCell::new(None) };
}

/// Drops the queue of a port that is gone, and with it the ports in its messages (PORT-59).
///
/// Such a port has a queue of its own, and so on. A peer may nest them deeper than any stack, so the outermost call drops
/// them one after the other.
pub(super) fn discard(queue: VecDeque<Parcel>) {
    if queue.is_empty() {
        return;
    }
    // While the thread's locals are being destroyed, or another drop is under way in a borrow, plain recursion has to do.
    let mut queue = Some(queue);
    let outermost = WAITING.try_with(|waiting| match &mut *waiting.borrow_mut() {
        Some(list) => {
            list.extend(queue.take());
            false
        }
        none => {
            *none = Some(Vec::new());
            true
        }
    });
    if outermost == Ok(true) {
        let _reset = Reset;
        while let Some(next) = queue.take() {
            drop(next);
            queue = WAITING.with_borrow_mut(|list| list.as_mut()?.pop());
        }
    }
}

/// Ends the outermost drop, also when it ends in a panic.
struct Reset;

impl Drop for Reset {
    fn drop(&mut self) {
        let left = WAITING.try_with(RefCell::take);
        drop(left);
    }
}
