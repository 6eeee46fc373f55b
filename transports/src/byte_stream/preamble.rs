//! What each side says first: that it speaks this protocol, and how much it takes.

use super::{ConnectionError, varint};

/// The version of the protocol of connections.
pub const VERSION: u8 = 1;

const MAGIC: &[u8; 8] = b"handover";

/// How much one side takes of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The bytes of one message, with those of its buffers.
    pub message: u64,
    /// The ports in one message.
    pub ports: u64,
    /// The buffers in one message.
    pub buffers: u64,
    /// The ports that the other has sent and that are open.
    pub channels: u64,
    /// What waits at one port to be received: another message may be sent as long as it is less.
    pub window: u64,
    /// What waits at all ports together, likewise.
    pub waiting: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message: 16 << 20, ports: 256, buffers: 256, channels: 4096, window: 1 << 20, waiting: 64 << 20 }
    }
}

impl Limits {
    /// Writes the preamble.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        let numbers = [self.message, self.ports, self.buffers, self.channels, self.window, self.waiting];
        let length: usize = numbers.into_iter().map(varint::size).sum();
        varint::put(length as u64, out);
        numbers.into_iter().for_each(|number| varint::put(number, out));
    }

    /// Reads the preamble in front, and tells how many bytes it has. `None` if they are not all there.
    ///
    /// # Errors
    /// [`ConnectionError`] as soon as it is seen that this is none, or none of this version.
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, ConnectionError> {
        if MAGIC.iter().zip(bytes).any(|(expected, byte)| expected != byte) {
            return Err(ConnectionError::NotHandover);
        }
        let Some(after) = bytes.get(MAGIC.len()..) else { return Ok(None) };
        let Some((version, after)) = after.split_first() else { return Ok(None) };
        if *version != VERSION {
            return Err(ConnectionError::Version(*version));
        }
        // One byte: a preamble is short.
        let Some((length, after)) = after.split_first() else { return Ok(None) };
        let length = usize::from(*length);
        let Some(numbers) = after.get(..length) else { return Ok(None) };
        let limits = Self::of_numbers(numbers).ok_or(ConnectionError::NotHandover)?;
        Ok(Some((limits, MAGIC.len() + 2 + length)))
    }

    fn of_numbers(mut numbers: &[u8]) -> Option<Self> {
        let mut next = || varint::take(&mut numbers);
        let (message, ports, buffers, channels) = (next()?, next()?, next()?, next()?);
        // With no window at all, nothing could ever be sent.
        let (window, waiting) = (next()?.max(1), next()?.max(1));
        Some(Self { message, ports, buffers, channels, window, waiting })
    }
}
