//! Why something was not broadcast.

use std::{error::Error, fmt};

use crate::port::DataCloneReason;

/// Why nothing was posted on a broadcast channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BroadcastError {
    /// The channel was closed: the standard's [`InvalidStateError`](https://webidl.spec.whatwg.org/#invalidstateerror).
    InvalidState,
    /// The value cannot be turned into bytes, or holds a port: the standard's
    /// [`DataCloneError`](https://webidl.spec.whatwg.org/#datacloneerror). Nothing was done to the value.
    DataClone(DataCloneReason),
}

impl fmt::Display for BroadcastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidState => f.write_str("the broadcast channel is closed"),
            Self::DataClone(reason) => reason.fmt(f),
        }
    }
}

impl Error for BroadcastError {}
