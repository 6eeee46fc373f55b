//! A channel: one shared object with two sides.

use super::{MessagePort, side_cell::SideCell};
use crate::{
    live::{Alive, What},
    sync::Arc,
};

/// Two ports, each of which receives what is posted on the other.
///
/// # Examples
/// ```
/// # futures::executor::block_on(async {
/// let (ours, theirs) = handover_core::MessageChannel::new().into_ports();
/// theirs.post_message("hello")?;
/// ours.start();
/// assert_eq!(ours.recv().await?.data(), b"hello");
///
/// theirs.close();
/// assert!(ours.recv().await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct MessageChannel {
    port1: MessagePort,
    port2: MessagePort,
}

impl MessageChannel {
    /// [Makes](https://html.spec.whatwg.org/multipage/web-messaging.html#dom-messagechannel) two ports and entangles them
    /// (PORT-02, PORT-05) for good: no later step ties or unties anything (PORT-11), and there is
    /// no other way to a port than to be handed it (C1). One allocation.
    #[cfg_attr(feature = "testing", track_caller)]
    pub fn new() -> Self {
        Self::counted_from(0)
    }

    /// As a new one, whose transfers are counted from there.
    #[cfg_attr(feature = "testing", track_caller)]
    pub(crate) fn counted_from(shipped: u32) -> Self {
        let sides = [SideCell::counted_from(shipped), SideCell::counted_from(shipped)];
        let channel = Arc::new(Channel { sides, _alive: Alive::new(What::Channel) });
        Self {
            port1: MessagePort::new(channel.clone(), End::One, shipped),
            port2: MessagePort::new(channel, End::Two, shipped),
        }
    }

    /// The first port, always the same (PORT-05).
    pub fn port1(&self) -> &MessagePort {
        &self.port1
    }

    /// The second port, always the same (PORT-05).
    pub fn port2(&self) -> &MessagePort {
        &self.port2
    }

    /// Gives the ports away.
    pub fn into_ports(self) -> (MessagePort, MessagePort) {
        (self.port1, self.port2)
    }
}

impl Default for MessageChannel {
    fn default() -> Self {
        Self::new()
    }
}

/// What the two ports of a channel share, freed with the second of them (GC-03). Each side has locks of its own, and
/// those of two sides are never held together.
///
/// It says which two sides belong together, and never changes. So a side can travel without telling the other (DEC-02), any
/// number of times (PORT-56), both at once as well (PORT-57).
#[derive(Debug)]
pub(super) struct Channel {
    sides: [SideCell; 2],
    _alive: Alive,
}

impl Channel {
    pub(super) fn side(&self, end: End) -> &SideCell {
        match end {
            End::One => &self.sides[0],
            End::Two => &self.sides[1],
        }
    }

    /// A side, for the only one who knows the channel.
    pub(super) fn side_mut(&mut self, end: End) -> &mut SideCell {
        match end {
            End::One => &mut self.sides[0],
            End::Two => &mut self.sides[1],
        }
    }

    /// Whether either port has travelled. That marks both, and the port that arrives (PORT-04).
    pub(super) fn has_been_shipped(&self) -> bool {
        self.sides.iter().any(SideCell::has_been_shipped)
    }
}

/// One end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    One,
    Two,
}

impl End {
    pub(super) fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }
}
