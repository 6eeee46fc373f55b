//! What a handler sends before it has ended: the reply that brings a stream, which the handler then goes on to feed.

use std::{fmt, sync::OnceLock};

use super::{
    Answer,
    desk::At,
    frame::CallId,
    host::{Hub, Whence},
};
use crate::sync::{Arc, Mutex};

/// Where a handler puts a reply and goes on running.
#[derive(Clone)]
pub(super) struct Outbox {
    hub: Arc<Hub>,
    whence: Whence,
}

/// Replies of handlers that go on running, in order. Whoever polls the handlers posts them.
#[derive(Debug, Default)]
pub(super) struct EarlyReplies(OnceLock<Box<Mutex<Vec<EarlyReply>>>>);

/// Where a reply goes, and to which call.
type EarlyReply = (Whence, CallId, Answer);

impl Outbox {
    pub(super) fn new(desk: At<'_>) -> Self {
        Self { hub: desk.hub().clone(), whence: desk.whence() }
    }

    /// Puts the reply to a call that came as a frame.
    pub(super) fn put(&self, id: CallId, answer: Answer) {
        self.hub.early.0.get_or_init(Box::default).lock().push((self.whence.clone(), id, answer));
    }
}

impl EarlyReplies {
    /// Whether any handler has ever replied so.
    #[inline]
    pub(super) fn has_been_used(&self) -> bool {
        self.0.get().is_some()
    }

    /// Takes what is to be posted; `None` if no handler has ever replied so.
    #[inline]
    pub(super) fn take(&self) -> Option<Vec<EarlyReply>> {
        self.0.get().map(|replies| std::mem::take(&mut *replies.lock()))
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("whence", &self.whence).finish_non_exhaustive()
    }
}
