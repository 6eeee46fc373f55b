//! What a port carries.
//!
//! Messages and ports know each other, as in the standard: a message holds ports, and a port's queue holds messages.

mod codec;
mod depth;
mod serde_port;

use std::mem;

pub use codec::{DecodeError, Decoder, EncodeError, Encoder};

use crate::MessagePort;

/// Bytes, and the ports that travel with them.
///
/// Posting a message transfers its ports. Dropping one that was never delivered closes them (PORT-59).
#[derive(Debug, Default)]
pub struct Message {
    data: Vec<u8>,
    ports: Vec<MessagePort>,
}

impl Message {
    /// A message of these bytes, without ports.
    pub fn new(data: impl Into<Vec<u8>>) -> Self {
        Self { data: data.into(), ports: Vec::new() }
    }

    /// Adds a port to be transferred. The message owns it: it cannot be used, listed again, or be the port that the message
    /// is posted on.
    #[must_use]
    pub fn with_port(mut self, port: MessagePort) -> Self {
        self.ports.push(port);
        self
    }

    /// Adds ports to be transferred, in this order.
    #[must_use]
    pub fn with_ports(mut self, ports: impl IntoIterator<Item = MessagePort>) -> Self {
        self.ports.extend(ports);
        self
    }

    /// The bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The ports, in the order in which they were listed (PORT-29).
    pub fn ports(&self) -> &[MessagePort] {
        &self.ports
    }

    /// Takes it apart.
    pub fn into_parts(self) -> (Vec<u8>, Vec<MessagePort>) {
        (self.data, self.ports)
    }

    /// Takes the ports out.
    pub(crate) fn take_ports(&mut self) -> Vec<MessagePort> {
        mem::take(&mut self.ports)
    }

    /// The message leaves: its ports are in flight.
    pub(crate) fn transfer_steps(&mut self) {
        for port in &mut self.ports {
            port.transfer_steps();
        }
    }

    /// The message has arrived: its ports are the receiver's.
    pub(crate) fn transfer_receiving_steps(&self) {
        for port in &self.ports {
            port.transfer_receiving_steps();
        }
    }
}

impl From<Vec<u8>> for Message {
    fn from(data: Vec<u8>) -> Self {
        Self::new(data)
    }
}

impl From<&[u8]> for Message {
    fn from(data: &[u8]) -> Self {
        Self::new(data)
    }
}

impl<const N: usize> From<&[u8; N]> for Message {
    fn from(data: &[u8; N]) -> Self {
        Self::new(*data)
    }
}

impl From<&str> for Message {
    fn from(data: &str) -> Self {
        Self::new(data)
    }
}
