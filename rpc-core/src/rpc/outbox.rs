//! What a handler sends before it has ended: the reply that brings a stream, which the handler then goes on to feed.

use super::Answer;
use crate::{
    Message,
    sync::{Arc, Mutex},
};

/// Messages that handlers want to be posted while they run. Whoever polls the handlers posts them.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox(Arc<Mutex<Vec<Message>>>);

impl Outbox {
    pub(super) fn put(&self, answer: Answer) {
        if let Answer(Some(message)) = answer {
            self.0.lock().push(message);
        }
    }

    /// Takes what is to be posted, in order.
    pub(super) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut self.0.lock())
    }
}
