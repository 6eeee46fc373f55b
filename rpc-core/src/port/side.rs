//! One side of a channel: its state, its queue, and who waits for it. Pure: it neither locks nor wakes nor drops.

use std::{collections::VecDeque, fmt};

use super::{
    Gone, MessageTarget, Parcel,
    state::PortState,
    waiters::{Waiters, Woken},
};
use crate::sync::Arc;

/// One side of a channel. A new one has nothing in it (PORT-01).
#[derive(Default)]
pub(super) struct Side {
    pub(super) state: PortState,
    pub(super) waiters: Waiters,
    /// What waits to be delivered, in the order of posting (LOOP-04).
    queue: VecDeque<Parcel>,
    target: Option<Arc<dyn MessageTarget>>,
    peer_gone: Option<Gone>,
}

/// What became of something posted to a side.
#[must_use = "wake, deliver and drop after unlocking"]
pub(super) enum Accepted {
    /// It waits in the queue; these tasks may want it.
    Queued(Woken),
    /// It goes to the side's target.
    For(Arc<dyn MessageTarget>, Parcel),
    /// There is no destination (PORT-23): the sender gets it back.
    Refused(Parcel),
}

/// What a side has for its reader.
pub(super) enum Next {
    /// The oldest entry, and who else may want to know that it is out.
    Parcel(Parcel, Woken),
    /// Nothing to deliver yet.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

impl Side {
    /// Adds an entry, or hands it back if there is no destination.
    pub(super) fn accept(&mut self, parcel: Parcel) -> Accepted {
        if !self.state.takes_messages() || self.peer_gone.is_some() {
            return Accepted::Refused(parcel);
        }
        if let Some(target) = &self.target {
            return Accepted::For(target.clone(), parcel);
        }
        self.queue.push_back(parcel);
        Accepted::Queued(if self.state.delivers() { self.waiters.take() } else { Woken::default() })
    }

    /// Takes the oldest entry that may be delivered (LOOP-06).
    pub(super) fn next(&mut self) -> Next {
        if self.state.delivers()
            && let Some(parcel) = self.queue.pop_front()
        {
            // Whoever waits for the end of the channel is told after the data (CLOSE-07).
            let last = self.queue.is_empty() && self.peer_gone.is_some();
            return Next::Parcel(parcel, if last { self.waiters.take() } else { Woken::default() });
        }
        let nothing_left = self.queue.is_empty() || self.state.is_silent();
        if nothing_left && (self.state.is_closed() || self.peer_gone.is_some()) {
            return Next::Closed;
        }
        Next::Nothing
    }

    /// Enables the queue.
    pub(super) fn start(&mut self) -> Woken {
        self.state.start();
        if self.queue.is_empty() { Woken::default() } else { self.waiters.take() }
    }

    /// Closes this side. `None` if it was closed already.
    #[must_use = "wake after unlocking"]
    pub(super) fn close(&mut self) -> Option<(Woken, Option<Arc<dyn MessageTarget>>)> {
        self.state.close().then(|| (self.waiters.take(), self.target.take()))
    }

    /// Notes that the other side has gone, wherever this one is: it is noted here, so it travels along (CLOSE-05, PORT-62).
    pub(super) fn peer_has_gone(&mut self, gone: Gone) -> (Woken, Option<Arc<dyn MessageTarget>>) {
        self.peer_gone.get_or_insert(gone);
        (self.waiters.take(), self.target.clone())
    }

    /// How the other side went, once everything that it posted before was received (CLOSE-07). A queue that is not enabled
    /// delivers nothing, so it holds nothing up (CLOSE-08).
    pub(super) fn peer_gone_after_data(&self) -> Option<Gone> {
        self.peer_gone.filter(|_| self.queue.is_empty() || !self.state.delivers())
    }

    /// How the other side went, whatever still waits.
    pub(super) fn peer_gone(&self) -> Option<Gone> {
        self.peer_gone
    }

    /// Puts this side into a message. `None` if it is closed.
    ///
    /// The queue goes along; who waits, and the target, belong to the old place (PORT-61).
    #[must_use = "wake after unlocking"]
    pub(super) fn transfer_steps(&mut self) -> Option<(Woken, Option<Arc<dyn MessageTarget>>)> {
        self.state.transfer_steps().then(|| (self.waiters.take(), self.target.take()))
    }

    /// Sends what comes from now on to a target; hands back what waits, for the target too, and the target before it.
    #[must_use = "deliver and drop after unlocking"]
    pub(super) fn set_target(
        &mut self,
        target: Arc<dyn MessageTarget>,
    ) -> (VecDeque<Parcel>, Option<Arc<dyn MessageTarget>>) {
        self.state.start();
        (self.take_queue(), self.target.replace(target))
    }

    /// The target, if there is one.
    pub(super) fn target(&self) -> Option<Arc<dyn MessageTarget>> {
        self.target.clone()
    }

    /// Lets what comes from now on queue up again.
    #[must_use = "drop outside the lock"]
    pub(super) fn remove_target(&mut self) -> Option<Arc<dyn MessageTarget>> {
        self.target.take()
    }

    /// Takes everything that waits.
    #[must_use = "drop messages outside the lock"]
    pub(super) fn take_queue(&mut self) -> VecDeque<Parcel> {
        std::mem::take(&mut self.queue)
    }
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Side")
            .field("state", &self.state)
            .field("queued", &self.queue.len())
            .field("peer_gone", &self.peer_gone)
            .finish_non_exhaustive()
    }
}
