//! How a connection ends that does not end well.

use std::{error::Error, fmt, io};

use super::{
    ChannelId,
    frame::FrameError,
    preamble::{Limits, VERSION},
};

/// Why a connection has ended before all ports that it joins were closed. Every one of them was closed by it, as
/// [`ClosedBy::Disconnected`](handover_core::ClosedBy::Disconnected), and the calls on it know these words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The stream could not be read or written.
    Io {
        /// What kind of error it was.
        kind: io::ErrorKind,
        /// What it said.
        message: String,
    },
    /// The stream has ended: the other side has gone.
    Ended,
    /// The stream has ended in the middle of a frame.
    CutShort,
    /// What is at the other side speaks something else.
    NotHandover,
    /// The other side speaks another version.
    Version(u8),
    /// The other side has sent what is no frame.
    Frame(FrameError),
    /// The other side has named a port that is not open.
    UnknownChannel(ChannelId),
    /// The other side has sent something for a port whose end it had closed.
    AfterClose(ChannelId),
    /// The other side has given back more than it got.
    Credit(ChannelId),
    /// The other side has sent more than this side takes.
    Exceeded(Limit),
}

/// What there was too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes in a message.
    Message,
    /// Ports in a message.
    Ports,
    /// Buffers in a message.
    Buffers,
    /// Ports that are open.
    Channels,
    /// What waits to be received at a port.
    Window,
    /// What waits to be received at all ports together.
    Waiting,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Message => "bytes in one message",
            Self::Ports => "ports in one message",
            Self::Buffers => "buffers in one message",
            Self::Channels => "ports that are open",
            Self::Window => "bytes that wait at one port",
            Self::Waiting => "bytes that wait at all ports together",
        })
    }
}

impl Limit {
    pub(super) fn of(self, limits: &Limits) -> u64 {
        match self {
            Self::Message => limits.message,
            Self::Ports => limits.ports,
            Self::Buffers => limits.buffers,
            Self::Channels => limits.channels,
            Self::Window => limits.window,
            Self::Waiting => limits.waiting,
        }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { message, .. } => write!(f, "the stream failed: {message}"),
            Self::Ended => f.write_str("the other side has gone"),
            Self::CutShort => f.write_str("the stream has ended in the middle of a frame"),
            Self::NotHandover => f.write_str("what is at the other side does not speak this protocol"),
            Self::Version(version) => {
                write!(f, "the other side speaks version {version} of the protocol, and this is version {VERSION}")
            }
            Self::Frame(error) => write!(f, "the other side has broken the protocol: {error}"),
            Self::UnknownChannel(ChannelId(id)) => {
                write!(f, "the other side has broken the protocol: it named channel {id}, which is not open")
            }
            Self::AfterClose(ChannelId(id)) => {
                write!(f, "the other side has broken the protocol: it used channel {id} after it had closed it")
            }
            Self::Credit(ChannelId(id)) => {
                write!(f, "the other side has broken the protocol: it gave back more than it got at channel {id}")
            }
            Self::Exceeded(limit) => write!(f, "the other side has sent more {limit} than this side takes"),
        }
    }
}

impl Error for ConnectionError {}

impl From<io::Error> for ConnectionError {
    fn from(error: io::Error) -> Self {
        Self::Io { kind: error.kind(), message: error.to_string() }
    }
}

impl From<FrameError> for ConnectionError {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}
