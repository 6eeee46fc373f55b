//! Who else than a reader takes what is posted to a side.

use std::any::Any;

use super::{Gone, MessagePort, Parcel, ring::Carrier};
use crate::sync::Arc;

/// Takes what is posted to a side at once, in place of its queue: the table of calls that wait for a reply.
///
/// It is called by whoever posts, with no lock held. It puts things where they belong and wakes; it never runs a handler
/// (LOOP-02).
pub(crate) trait MessageTarget: Any + Send + Sync {
    /// Takes what was posted.
    fn deliver(&self, parcel: Parcel);

    /// Learns that nothing will be posted any more. May be told more than once.
    fn closed(&self, gone: Gone);

    /// The port by which what comes goes on at once, if that is all that it does.
    fn passes_on_by(&self) -> Option<&MessagePort> {
        None
    }
}

/// Makes the target of a side that was transferred so often, of a channel that has ended so, if it has.
pub(crate) type MakeTarget = fn(times_shipped: u32, gone: Option<Gone>) -> Arc<dyn MessageTarget>;

/// Is told that a side has something for its reader, once for each thing: the event loop that runs the side's handlers, which
/// takes one out of the queue for each time it was told.
///
/// It is called by whoever posts, starts or closes, with no lock held.
pub(crate) trait Announce: Send + Sync {
    /// There is one more thing to take: a message, or the end of the channel.
    fn announce(&self);
}

/// Where what is posted to a side goes.
#[derive(Default)]
pub(super) enum Delivery {
    /// Into the queue, for a reader who waits or will come.
    #[default]
    Queue,
    /// Into the queue as well; but whoever asks where the port leads is told the target.
    Read(Arc<dyn MessageTarget>),
    /// Into the queue, and somebody is told.
    Announced(Arc<dyn Announce>),
    /// To a target, past the queue.
    Target(Arc<dyn MessageTarget>),
    /// As well, but the target is made once there is something for it, or somebody asks for it.
    Later(MakeTarget, u32),
    /// Into the queue, until the target has been given all that waits there: so nothing overtakes what came before it.
    Draining(Arc<dyn MessageTarget>),
    /// Into the queue, for whoever receives the port: it is in flight, and lies in the queue of that side itself.
    Travelling(Carrier),
}

impl Delivery {
    /// Whether a reader takes what was posted, and nobody is told but those who wait.
    #[inline]
    pub(super) fn is_read(&self) -> bool {
        matches!(self, Self::Queue | Self::Read(_))
    }
}
