//! Messages that nobody could ever receive, noticed before they are queued.
//!
//! A message that holds the port it is posted to lies in a queue that only its own receiver could read (PORT-24). So does one
//! that holds a port in whose queue that port lies, and so on round a longer ring: nobody outside reaches any of them, and
//! counted references would keep them for ever. A collector would find such a ring; here it is never closed (DEC-08).

use std::sync::Weak;

use super::{
    MessagePort,
    channel::{Channel, End},
};
use crate::sync::Arc;

/// How far a ring is followed: a peer may nest ports as deep as it likes, and make every post follow them. A larger ring is
/// not noticed, and stays.
const LIMIT: usize = 128;

/// One side, named by somebody who does not own it.
pub(super) type Place = (Arc<Channel>, End);

/// The side in whose queue a port travels.
#[derive(Debug)]
pub(super) struct Carrier(Weak<Channel>, End);

impl Carrier {
    pub(super) fn new(place: &Place) -> Self {
        Self(Arc::downgrade(&place.0), place.1)
    }

    /// The side, if it is still there.
    pub(super) fn place(&self) -> Option<Place> {
        self.0.upgrade().map(|channel| (channel, self.1))
    }
}

/// Whether a message with these ports would lie in a ring of queues, if it were posted to this side.
///
/// Where the ports travel is noted first, and the ring is looked for then: of two posts that close a ring together, at least
/// one sees the other.
#[inline]
pub(super) fn closes_a_ring(destination: Place, ports: &[MessagePort]) -> bool {
    for port in ports {
        port.set_carrier(Carrier::new(&destination));
    }
    let mut place = destination;
    for _ in 0..LIMIT {
        if ports.iter().any(|port| port.is_at(&place)) {
            return true;
        }
        let carrier = place.0.side(place.1).lock_without_batch().carrier();
        let Some(carrier) = carrier else { return false };
        place = carrier;
    }
    false
}
