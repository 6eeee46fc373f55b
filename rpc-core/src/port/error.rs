//! What can go wrong at a port, in the words of whoever is told.

use std::{error::Error, fmt};

use crate::Message;

/// Something could not be posted, because it may not be transferred or cannot be turned into bytes: the standard's
/// [`DataCloneError`](https://webidl.spec.whatwg.org/#datacloneerror).
///
/// Nothing was transferred or lost (PORT-31): what was to be posted comes back inside.
#[derive(Debug)]
pub struct DataCloneError<T = Message> {
    rejected: T,
    reason: DataCloneReason,
}

/// Why something could not be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataCloneReason {
    /// A port that was listed has been closed or transferred before: its index in [`Message::ports`].
    DetachedPort(usize),
    /// The port that it was to be posted on is part of it.
    SourcePort,
    /// A value that cannot be turned into bytes.
    Unserializable {
        /// The value's type.
        type_name: &'static str,
        /// The place inside the value, such as `kit.named.left[2]`; `.` for the value itself.
        path: String,
        /// What is wrong there.
        why: String,
    },
}

impl<T> DataCloneError<T> {
    pub(crate) fn new(rejected: T, reason: DataCloneReason) -> Self {
        Self { rejected, reason }
    }

    /// Why it could not be posted.
    pub fn reason(&self) -> &DataCloneReason {
        &self.reason
    }

    /// Gives back what was to be posted, whole, with all its ports.
    pub fn into_rejected(self) -> T {
        self.rejected
    }
}

impl<T> fmt::Display for DataCloneError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl fmt::Display for DataCloneReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DetachedPort(index) => {
                write!(f, "port {index} of the message was closed or transferred before, so it cannot be posted")
            }
            Self::SourcePort => f.write_str("a message cannot hold the port that it is posted on"),
            Self::Unserializable { type_name, path, why } => {
                write!(f, "a `{type_name}` cannot be posted, because of what is at `{path}` in it: {why}")
            }
        }
    }
}

impl<T: fmt::Debug> Error for DataCloneError<T> {}

/// No message will come any more: one of the two ends has closed, and everything posted before that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the port is closed")
    }
}

impl Error for Closed {}

/// Which end of a channel closed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClosedBy {
    /// The other end was closed or dropped.
    Peer,
    /// The other end was dropped while its thread was panicking.
    PeerPanic,
    /// What carries the messages to the other end has ended; nothing is known of the other end itself.
    Disconnected,
    /// This end was closed, or its port was transferred away.
    ThisEnd,
}

/// How an end went away, as the other end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Closed or dropped.
    Closed,
    /// Dropped by a thread that was panicking.
    Panicked,
    /// Out of reach.
    Disconnected,
}

impl From<Gone> for ClosedBy {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Closed => Self::Peer,
            Gone::Panicked => Self::PeerPanic,
            Gone::Disconnected => Self::Disconnected,
        }
    }
}
