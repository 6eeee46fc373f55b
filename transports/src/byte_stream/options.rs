//! What may be set of a connection.

use super::preamble::Limits;

/// What a connection takes of the other side at most, and how it sends. The other side is told, and keeps to it: a message that is
/// too large is refused where it is posted, and what is more than a window waits there. A side that does not keep to it ends the
/// connection, before memory is set aside for what it sent.
///
/// # Examples
/// ```
/// use handover_transports::byte_stream::ConnectionOptions;
///
/// let small = ConnectionOptions::default().max_message(64 << 10).max_channels(16).max_waiting(1 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct ConnectionOptions {
    pub(super) limits: Limits,
    pub(super) batches: bool,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self { limits: Limits::default(), batches: true }
    }
}

impl ConnectionOptions {
    /// How many bytes one message has at most, with those of its buffers: 16 MiB if nothing else is said.
    #[must_use]
    pub fn max_message(mut self, bytes: u64) -> Self {
        self.limits.message = bytes;
        self
    }

    /// How many ports are in one message at most: 256.
    #[must_use]
    pub fn max_ports(mut self, ports: u64) -> Self {
        self.limits.ports = ports;
        self
    }

    /// How many buffers are in one message at most: 256.
    #[must_use]
    pub fn max_buffers(mut self, buffers: u64) -> Self {
        self.limits.buffers = buffers;
        self
    }

    /// How many ports that the other side has sent are open at most: 4096. A port is open until both of its ends are closed, and
    /// everything that came for it was received.
    #[must_use]
    pub fn max_channels(mut self, channels: u64) -> Self {
        self.limits.channels = channels;
        self
    }

    /// How many bytes wait at one port to be received, before the other side waits with another message for it: 1 MiB. A message
    /// counts for 64 bytes more than it has.
    #[must_use]
    pub fn window(mut self, bytes: u64) -> Self {
        self.limits.window = bytes.max(1);
        self
    }

    /// How many bytes wait at all ports together, before the other side waits with another message for any: 64 MiB.
    #[must_use]
    pub fn max_waiting(mut self, bytes: u64) -> Self {
        self.limits.waiting = bytes.max(1);
        self
    }

    /// Whether everything that waits to be sent goes in one write, 64 KiB at a time: it does if nothing else is said. Otherwise each
    /// frame goes by itself.
    #[must_use]
    pub fn batches(mut self, batches: bool) -> Self {
        self.batches = batches;
        self
    }
}
