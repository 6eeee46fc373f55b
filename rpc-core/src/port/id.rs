//! Telling ports apart.

use std::fmt;

use super::{MessagePort, channel::End, transfer::PortRef};
use crate::sync::Arc;

/// Tells a port from the others of its process, for people who look: no other port has it as long as either end of the channel
/// lives. It stays the same wherever the port goes inside the process.
///
/// The two ends of a channel differ in the last digit, by which they can be found in what is written of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortId {
    channel: usize,
    end: End,
}

impl PortId {
    /// The one of the port at the other end.
    #[must_use]
    pub fn other_end(self) -> Self {
        Self { end: self.end.other(), ..self }
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
        let PortRef { channel, end, .. } = self.reference();
        PortId { channel: Arc::as_ptr(&channel).addr(), end }
    }
}

impl fmt::Display for PortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.end {
            End::One => 1,
            End::Two => 2,
        };
        write!(f, "{:x}.{end}", self.channel)
    }
}
