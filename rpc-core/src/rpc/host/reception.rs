//! The ports of a service beside its first, as whoever serves it knows them: what moves along when it is served elsewhere.

use std::{
    collections::VecDeque,
    fmt,
    task::{Context, Poll},
};

use super::{
    hub::{Hub, News},
    lanes::{SeatKey, Thing},
    slots::Beside,
};
use crate::{
    rpc::{desk::Desk, frame::CallId, incoming::Unopened},
    sync::Arc,
};

/// The ports of a service beside its first, what was taken from them, and the calls that wait for their turn.
pub(in crate::rpc) struct Reception {
    pub(in crate::rpc) hub: Arc<Hub>,
    pub(in crate::rpc) desks: Beside<Arc<Desk>>,
    /// What was taken out of the lanes, to be looked at one by one.
    pub(in crate::rpc) taken: VecDeque<(SeatKey, Thing)>,
    pub(in crate::rpc) room: WaitingRoom,
}

/// At which port something came. `None`: at the first one.
pub(in crate::rpc) type Whence = Option<Arc<Desk>>;

/// The calls that wait for their turn, unopened: the first comes first.
#[derive(Debug, Default)]
pub(in crate::rpc) struct WaitingRoom {
    calls: VecDeque<(Whence, Unopened)>,
    bytes: usize,
}

impl Reception {
    pub(in crate::rpc) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, desks: Beside::default(), taken: VecDeque::new(), room: WaitingRoom::default() }
    }

    /// Takes over what came to the ports beside the first, and those that were added. Pending as long as nobody can have added one.
    #[inline]
    pub(in crate::rpc) fn poll(&mut self, most: usize, cx: &Context<'_>) -> Poll<Standing> {
        if self.hub.is_used() { Poll::Ready(self.take(most, cx)) } else { Poll::Pending }
    }

    fn take(&mut self, most: usize, cx: &Context<'_>) -> Standing {
        let News { joined, has_hosts, is_halted } =
            self.hub.take(most.saturating_sub(self.taken.len()), &mut self.taken, cx);
        for desk in joined {
            if let Some(seat) = desk.seat {
                self.desks.insert(seat, desk);
            }
        }
        Standing { has_hosts, is_halted }
    }

    /// Whether there is no port beside the first, also none that was added just now.
    pub(in crate::rpc) fn is_empty(&self) -> bool {
        self.desks.is_empty() && self.hub.seats() == 0
    }

    /// Serves a port no longer, which closes it. What waits there was not run.
    pub(in crate::rpc) fn leave(&mut self, seat: SeatKey) {
        let waiting = self.hub.leave(seat);
        drop(waiting);
        self.taken.retain(|(key, _)| *key != seat);
        drop(self.desks.remove(seat));
    }
}

/// What whoever serves is to know.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::rpc) struct Standing {
    /// Whether somebody can still add ports.
    pub(in crate::rpc) has_hosts: bool,
    /// Whether somebody wants to serve elsewhere.
    pub(in crate::rpc) is_halted: bool,
}

impl Drop for Reception {
    fn drop(&mut self) {
        self.hub.end();
    }
}

impl fmt::Debug for Reception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reception").field("waiting", &self.room.len()).finish_non_exhaustive()
    }
}

impl WaitingRoom {
    pub(in crate::rpc) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(in crate::rpc) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Whether there is room for one more call, of so many bytes.
    pub(in crate::rpc) fn has_room(&self, bytes: usize, most_calls: usize, most_bytes: usize) -> bool {
        self.calls.len() < most_calls && self.bytes.saturating_add(bytes) <= most_bytes
    }

    pub(in crate::rpc) fn push(&mut self, whence: Whence, call: Unopened) {
        self.bytes = self.bytes.saturating_add(call.size());
        self.calls.push_back((whence, call));
    }

    /// Takes out the first, if it may come.
    pub(in crate::rpc) fn pop_if(&mut self, may_come: impl FnOnce(&Whence) -> bool) -> Option<(Whence, Unopened)> {
        let (whence, call) = self.calls.pop_front_if(|(whence, _)| may_come(whence))?;
        self.bytes = self.bytes.saturating_sub(call.size());
        Some((whence, call))
    }

    /// Forgets the call of this id, from that port.
    pub(in crate::rpc) fn forget(&mut self, seat: Option<SeatKey>, id: CallId) {
        self.calls.retain(|(whence, call)| !(seat_of(whence) == seat && call.id() == Some(id)));
        self.bytes = self.calls.iter().map(|(_, call)| call.size()).sum();
    }
}

/// The place of a port among those beside the first.
pub(in crate::rpc) fn seat_of(whence: &Whence) -> Option<SeatKey> {
    whence.as_ref().and_then(|desk| desk.seat)
}
