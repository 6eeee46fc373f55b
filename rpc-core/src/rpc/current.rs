//! What lies beside a handler while it is polled: the context of its call, for the calls that it makes; or a handle on the port that its call came
//! by, for the duty to answer it.
//!
//! A call keeps a handle on its port, to end when its right does. Most calls end when they are first polled, and need none; and to make and drop
//! one takes two atomic operations, a tenth of the time of a call by a right. So a call whose method [runs at
//! once](super::Service::RUNS_AT_ONCE) is begun without. If it waits, whoever serves polls its handler once more with the handle at hand, and the
//! duty takes it. A future has no other argument than its context, so the handle lies here, for as long as that takes.

use std::cell::{Cell, RefCell};

use super::{CallContext, desk::Desk};
use crate::sync::Arc;

enum Current {
    Nothing,
    Context(CallContext),
    Handle(Arc<Desk>),
}

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(Current::Nothing) };
    /// Whether anything lies there, for every call asks for that: nothing of this is ever dropped, so it is read without looking whether it was.
    static IS_ANY: Cell<bool> = const { Cell::new(false) };
}

/// Whether anything lies there: nearly always nothing does.
#[inline]
pub(super) fn is_any() -> bool {
    IS_ANY.get()
}

/// The context of the call whose handler is polled.
pub(super) fn context() -> Option<CallContext> {
    CURRENT.with_borrow(|current| if let Current::Context(context) = current { Some(context.clone()) } else { None })
}

/// Makes a context the current one, or makes it none, while a handler is polled.
#[inline]
pub(super) fn enter(context: Option<&CallContext>) -> Option<Left> {
    // Nearly always there is none, and was none.
    if context.is_none() && !is_any() {
        return None;
    }
    Some(put(context.map_or(Current::Nothing, |context| Current::Context(context.clone()))))
}

/// Polls a handler that has begun without a handle on its port, and now gets it.
pub(super) fn hand<T>(desk: Arc<Desk>, poll: impl FnOnce() -> T) -> T {
    let _left = put(Current::Handle(desk));
    poll()
}

/// Takes the handle that the handler gets that is polled.
#[cold]
pub(super) fn take_handle() -> Option<Arc<Desk>> {
    match replace(Current::Nothing) {
        Current::Handle(desk) => Some(desk),
        other => {
            replace(other);
            None
        }
    }
}

fn put(current: Current) -> Left {
    Left(replace(current))
}

fn replace(current: Current) -> Current {
    IS_ANY.set(!matches!(current, Current::Nothing));
    CURRENT.replace(current)
}

/// What was current before, and is so again when this is dropped.
pub(super) struct Left(Current);

impl Drop for Left {
    fn drop(&mut self) {
        let before = std::mem::replace(&mut self.0, Current::Nothing);
        let left = replace(before);
        drop(left);
    }
}
