//! What can go wrong at a port, in the words of whoever is told.

use std::{error::Error, fmt};

use crate::Message;

/// A message that could not be posted, because a port in it may not be transferred.
///
/// Nothing was transferred or lost (PORT-31): the message comes back inside.
#[derive(Debug)]
pub struct DataCloneError {
    message: Message,
    position: usize,
}

impl DataCloneError {
    pub(crate) fn new(message: Message, position: usize) -> Self {
        Self { message, position }
    }

    /// Which port it was: its index in [`Message::ports`].
    pub fn position(&self) -> usize {
        self.position
    }

    /// Gives the message back, with all its ports.
    pub fn into_message(self) -> Message {
        self.message
    }
}

impl fmt::Display for DataCloneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {} of the message was closed or transferred before, so it cannot be posted", self.position)
    }
}

impl Error for DataCloneError {}

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
}

impl From<Gone> for ClosedBy {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Closed => Self::Peer,
            Gone::Panicked => Self::PeerPanic,
        }
    }
}
