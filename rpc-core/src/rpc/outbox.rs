//! What a handler sends before it has ended: the reply that brings a stream, which the handler then goes on to feed.

use super::{Answer, frame::CallId};
use crate::sync::{Arc, Mutex};

/// Replies of handlers that go on running. Whoever polls the handlers posts them.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox(Arc<Mutex<Vec<(CallId, Answer)>>>);

impl Outbox {
    /// Puts the reply to a call that came as a frame.
    pub(super) fn put(&self, id: CallId, answer: Answer) {
        self.0.lock().push((id, answer));
    }

    /// Takes what is to be posted, in order.
    pub(super) fn take(&self) -> Vec<(CallId, Answer)> {
        std::mem::take(&mut self.0.lock())
    }
}
