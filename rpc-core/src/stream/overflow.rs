//! What a producer does when the consumer is too slow.

use serde::{Deserialize, Serialize};

/// What becomes of an item for which there is no credit, as the producer chooses:
/// [`StreamSender::with_overflow`](super::StreamSender::with_overflow). Before the consumer was first polled it is not slow:
/// until then, every item waits as with [`Wait`](Self::Wait).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Overflow {
    /// It waits, and so does its producer.
    #[default]
    Wait,
    /// It joins those that wait at the producer; when more than so many wait, the oldest of them is dropped. 0 is 1.
    ///
    /// What waits is sent whenever the sender is used or polled: by [`flush`](super::StreamSender::flush) and
    /// [`finish`](super::StreamSender::finish) too, and by a [`Feed`](super::Feed) by itself.
    DropOldest {
        /// How many may wait.
        waiting: u32,
    },
    /// It is dropped.
    DropNewest,
    /// It waits, and the next one takes its place.
    KeepLatest,
    /// The stream ends: the consumer gets what was sent, and then [`StreamFault::TooSlow`](crate::rpc::StreamFault::TooSlow).
    End,
}
