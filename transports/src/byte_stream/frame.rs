//! The frames of a connection, byte by byte. `WIRE.md` describes them in full.
//!
//! # Examples
//! ```
//! use handover_transports::byte_stream::{ChannelId, frame::Frame};
//!
//! let frame = Frame::post(ChannelId::FIRST, b"hello");
//! let mut bytes = Vec::new();
//! frame.write(&mut bytes);
//! assert_eq!(bytes, b"\x07\x01\x00hello");
//! assert_eq!(Frame::parse(&bytes), Ok((frame, &[][..])));
//! ```

use std::{error::Error, fmt};

use handover_core::ClosedBy;

use super::{ChannelId, varint};

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame<'b> {
    /// A message that was posted at one end, for the other.
    Post {
        /// Where.
        channel: ChannelId,
        /// How many ports are in it. They have the next numbers of whoever sends it.
        ports: u64,
        /// The buffers in it.
        buffers: Buffers<'b>,
        /// Its bytes.
        data: &'b [u8],
    },
    /// An end was closed: nothing comes from it after this, and nothing more is wanted there.
    Close {
        /// Which channel's.
        channel: ChannelId,
        /// How it went.
        end: End,
    },
    /// So much of what came was received: it may be sent again.
    Credit {
        /// At which channel.
        channel: ChannelId,
        /// How much, as [`cost`] counts it.
        cost: u64,
    },
}

/// How an end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// It was closed or dropped.
    Closed,
    /// It was dropped by a panic.
    Panicked,
    /// It was out of reach, behind another connection that had ended.
    Disconnected,
}

/// What a message counts for while it waits to be received: its bytes with those of its buffers, and 64 for itself.
#[inline]
pub fn cost(bytes: u64) -> u64 {
    bytes.saturating_add(MESSAGE_COST)
}

/// What a message counts for beside its bytes.
pub(super) const MESSAGE_COST: u64 = 64;

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// There are fewer than the frame has.
    Incomplete,
    /// No frame has this kind.
    Kind(u8),
    /// They hold something that cannot be.
    Malformed,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete => f.write_str("the frame is cut short"),
            Self::Kind(kind) => write!(f, "there is no frame of kind {kind}"),
            Self::Malformed => f.write_str("the frame holds what no frame can"),
        }
    }
}

impl Error for FrameError {}

const POST: u8 = 1;
const POST_WITH: u8 = 2;
const CLOSE: u8 = 3;
const CREDIT: u8 = 4;

impl<'b> Frame<'b> {
    /// A message without ports and buffers.
    pub fn post(channel: ChannelId, data: &'b [u8]) -> Self {
        Self::Post { channel, ports: 0, buffers: Buffers::default(), data }
    }

    /// Reads the frame in front, and tells what is behind it.
    ///
    /// # Errors
    /// [`FrameError`] if there is none. Nothing is set aside for what it claims.
    pub fn parse(bytes: &'b [u8]) -> Result<(Self, &'b [u8]), FrameError> {
        let length = varint::read(bytes).map_err(|_| FrameError::Malformed)?;
        let (length, head) = length.ok_or(FrameError::Incomplete)?;
        let rest = bytes.get(head..).unwrap_or_default();
        let body = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
        let (body, rest) = body.ok_or(FrameError::Incomplete)?;
        Ok((Self::parse_body(body)?, rest))
    }

    /// Reads a frame without its length.
    pub(super) fn parse_body(body: &'b [u8]) -> Result<Self, FrameError> {
        let (kind, mut rest) = body.split_first().ok_or(FrameError::Malformed)?;
        let number = |rest: &mut &'b [u8]| varint::take(rest).ok_or(FrameError::Malformed);
        let frame = match *kind {
            POST => {
                let channel = ChannelId(number(&mut rest)?);
                return Ok(Self::post(channel, rest));
            }
            POST_WITH => {
                let channel = ChannelId(number(&mut rest)?);
                let ports = number(&mut rest)?;
                let buffers = Buffers::take(&mut rest).ok_or(FrameError::Malformed)?;
                return Ok(Self::Post { channel, ports, buffers, data: rest });
            }
            CLOSE => {
                let channel = ChannelId(number(&mut rest)?);
                let end = End::of_number(number(&mut rest)?).ok_or(FrameError::Malformed)?;
                Self::Close { channel, end }
            }
            CREDIT => Self::Credit { channel: ChannelId(number(&mut rest)?), cost: number(&mut rest)? },
            kind => return Err(FrameError::Kind(kind)),
        };
        if rest.is_empty() { Ok(frame) } else { Err(FrameError::Malformed) }
    }

    /// Writes the frame behind what is there.
    pub fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Post { channel, ports: 0, buffers: Buffers { count: 0, .. }, data } => write_post(channel, data, out),
            Self::Post { channel, ports, buffers, data } => write_post_with(channel, ports, buffers.iter(), data, out),
            Self::Close { channel, end } => write_numbers(CLOSE, [channel.0, end.number()], out),
            Self::Credit { channel, cost } => write_numbers(CREDIT, [channel.0, cost], out),
        }
    }
}

#[inline]
fn write_post(channel: ChannelId, data: &[u8], out: &mut Vec<u8>) {
    let length = 1 + varint::size(channel.0) + data.len();
    varint::put(length as u64, out);
    out.push(POST);
    varint::put(channel.0, out);
    out.extend_from_slice(data);
}

/// Writes a message with what is beside its bytes.
pub(super) fn write_post_with<'b>(
    channel: ChannelId,
    ports: u64,
    buffers: impl ExactSizeIterator<Item = &'b [u8]> + Clone,
    data: &[u8],
    out: &mut Vec<u8>,
) {
    let count = buffers.len() as u64;
    let of_buffers = |buffer: &[u8]| varint::size(buffer.len() as u64) + buffer.len();
    let heads = 1 + varint::size(channel.0) + varint::size(ports) + varint::size(count);
    let length = heads + buffers.clone().map(of_buffers).sum::<usize>() + data.len();
    varint::put(length as u64, out);
    out.push(POST_WITH);
    [channel.0, ports, count].into_iter().for_each(|number| varint::put(number, out));
    buffers.clone().for_each(|buffer| varint::put(buffer.len() as u64, out));
    buffers.for_each(|buffer| out.extend_from_slice(buffer));
    out.extend_from_slice(data);
}

fn write_numbers(kind: u8, numbers: [u64; 2], out: &mut Vec<u8>) {
    let length = 1 + numbers.into_iter().map(varint::size).sum::<usize>();
    varint::put(length as u64, out);
    out.push(kind);
    numbers.into_iter().for_each(|number| varint::put(number, out));
}

impl End {
    fn number(self) -> u64 {
        match self {
            Self::Closed => 0,
            Self::Panicked => 1,
            Self::Disconnected => 2,
        }
    }

    fn of_number(number: u64) -> Option<Self> {
        [Self::Closed, Self::Panicked, Self::Disconnected].into_iter().find(|end| end.number() == number)
    }
}

impl From<ClosedBy> for End {
    fn from(closed_by: ClosedBy) -> Self {
        match closed_by {
            ClosedBy::PeerPanic => Self::Panicked,
            ClosedBy::Disconnected => Self::Disconnected,
            _ => Self::Closed,
        }
    }
}

/// The buffers of a message, which lie one after the other. That they are all there was seen when they were read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Buffers<'b> {
    count: u64,
    /// Their lengths, as varints.
    lengths: &'b [u8],
    bytes: &'b [u8],
}

impl<'b> Buffers<'b> {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many bytes are in them together.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// One after the other.
    pub fn iter(&self) -> BufferIter<'b> {
        BufferIter(*self)
    }

    fn take(rest: &mut &'b [u8]) -> Option<Self> {
        let count = varint::take(rest)?;
        let from_lengths = *rest;
        let mut total = 0_u64;
        // Each takes a byte at least, so this ends with the frame at the latest.
        for _ in 0..count {
            total = total.checked_add(varint::take(rest)?)?;
        }
        let lengths = from_lengths.get(..from_lengths.len() - rest.len())?;
        let (bytes, after) = rest.split_at_checked(usize::try_from(total).ok()?)?;
        *rest = after;
        Some(Self { count, lengths, bytes })
    }
}

impl fmt::Debug for Buffers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Goes through the buffers of a message. Made by [`Buffers::iter`].
#[derive(Clone, Debug)]
pub struct BufferIter<'b>(Buffers<'b>);

impl<'b> Iterator for BufferIter<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        let left = &mut self.0;
        left.count = left.count.checked_sub(1)?;
        let length = varint::take(&mut left.lengths)?;
        let (buffer, rest) = left.bytes.split_at_checked(usize::try_from(length).ok()?)?;
        left.bytes = rest;
        Some(buffer)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.0.count).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for BufferIter<'_> {}
