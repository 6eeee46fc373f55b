//! Ports inside a value that is being encoded: found on the way, moved only once all of the value was encoded.

use super::{
    MessagePort,
    channel::{Channel, End},
};
use crate::sync::Arc;

/// Names a side as one of its handles knew it, and owns nothing: dropping it closes nothing.
#[derive(Debug)]
pub(crate) struct PortRef {
    pub(super) channel: Arc<Channel>,
    pub(super) end: End,
    pub(super) shipped: u32,
}

impl PortRef {
    fn is_same_side(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.channel, &other.channel) && self.end == other.end
    }
}

/// The ports that were found in a value, in the order they were met. The value still owns them.
#[derive(Debug, Default)]
pub(crate) struct Shipment {
    found: Vec<PortRef>,
}

impl Shipment {
    /// Notes a port and tells its index, or why it cannot travel (PORT-44, PORT-58, SER-02).
    pub(crate) fn add(&mut self, port: &MessagePort) -> Result<u32, &'static str> {
        if !port.is_transferable() {
            return Err("a port in the value was closed or transferred before");
        }
        if self.contains(port) {
            return Err("a port is in the value twice");
        }
        let index = u32::try_from(self.found.len()).map_err(|_| "too many ports in one value")?;
        self.found.push(port.reference());
        Ok(index)
    }

    /// Whether a port is in it.
    pub(crate) fn contains(&self, port: &MessagePort) -> bool {
        let port = port.reference();
        self.found.iter().any(|found| found.is_same_side(&port))
    }

    /// Moves the ports out of the value: what is left in it is detached (PORT-51) and may be dropped.
    ///
    /// A port that was closed or moved since it was met goes as one that is closed, so that every index still names its port.
    pub(crate) fn ship(self) -> Vec<MessagePort> {
        self.found.into_iter().map(|port| MessagePort::take_over(port).unwrap_or_else(MessagePort::peerless)).collect()
    }
}
