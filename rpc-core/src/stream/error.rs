//! What a producer is told.

use std::{error::Error, fmt};

/// How the consumer ended a stream before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerEnd {
    /// It asked to be sent no more, and reads what is on its way: [`Streaming::stop`](super::Streaming::stop).
    Stopped,
    /// It was dropped, or cannot be reached any more: what is on its way reaches nobody.
    Gone,
}

/// Why an item was not sent, and none will be any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The consumer asked to be sent no more. Then the sender's [`finish`](super::StreamSender::finish), or its drop, ends the
    /// stream in order.
    Stopped,
    /// The consumer was dropped, or cannot be reached any more.
    Gone,
    /// There was no credit, and [`Overflow::End`](super::Overflow::End) says that the stream ends then.
    TooSlow,
    /// An item that was sent before could not be turned into bytes, and why. The consumer was told.
    Unencodable(String),
}

/// Why an item was not sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrySendError<I> {
    /// There is no credit; the item comes back.
    Full(I),
    /// None will be sent any more; the item is dropped.
    Closed(SendError),
}

impl From<ConsumerEnd> for SendError {
    fn from(end: ConsumerEnd) -> Self {
        match end {
            ConsumerEnd::Stopped => Self::Stopped,
            ConsumerEnd::Gone => Self::Gone,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("the consumer of the stream wants no more items"),
            Self::Gone => f.write_str("the consumer of the stream is gone"),
            Self::TooSlow => f.write_str("the consumer of the stream was too slow, so the stream was ended"),
            Self::Unencodable(why) => write!(f, "an item of the stream could not be encoded: {why}"),
        }
    }
}

impl<I> fmt::Display for TrySendError<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("the consumer of the stream has not granted another item yet"),
            Self::Closed(why) => why.fmt(f),
        }
    }
}

impl Error for SendError {}
impl<I: fmt::Debug> Error for TrySendError<I> {}
