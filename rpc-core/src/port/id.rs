//! Telling ports and channels apart.

use std::fmt;

use super::{
    MessagePort,
    channel::{Channel, End},
};
use crate::sync::Arc;

/// Tells a port from the others of its process, for people who look: no other port has it as long as either end of the channel
/// lives. It stays the same wherever the port goes inside the process.
///
/// The two ends of a channel differ in the last digit, by which they can be found in what is written of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortId {
    channel: ChannelId,
    end: End,
}

impl PortId {
    /// The one of the port at the other end.
    #[must_use]
    pub fn other_end(self) -> Self {
        Self { end: self.end.other(), ..self }
    }
}

/// Names a channel, the same at both of its ends wherever they are. Made by [`MessagePort::channel_id`].
///
/// As long as either end is there, no other channel has that name; afterwards another may get it. It tells nothing else, and gives no
/// right to anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelId(usize);

impl ChannelId {
    pub(super) fn of(channel: &Arc<Channel>) -> Self {
        Self(Arc::as_ptr(channel).addr())
    }
}

impl MessagePort {
    /// Tells this port from others.
    ///
    /// # Examples
    /// ```
    /// let (ours, theirs) = handover_core::MessageChannel::new().into_ports();
    /// assert_ne!(ours.id(), theirs.id());
    /// assert_eq!(ours.id(), theirs.id().other_end());
    /// ```
    pub fn id(&self) -> PortId {
        PortId { channel: self.channel_id(), end: self.end() }
    }

    /// Names the channel that this port is an end of: for those who join ports to something outside the process, and find again what
    /// they have joined when the other end comes to them.
    pub fn channel_id(&self) -> ChannelId {
        ChannelId::of(self.channel())
    }
}

impl fmt::Display for PortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.end {
            End::One => 1,
            End::Two => 2,
        };
        write!(f, "{:x}.{end}", self.channel.0)
    }
}
