//! How much waits at a port, and how much may.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use super::{DataCloneError, MessagePort, waiters::WaiterKey};
use crate::Message;

/// How much was posted to a port and was not received yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queued {
    /// Messages, and calls.
    pub messages: usize,
    /// The bytes of the messages, with those of their buffers.
    pub bytes: usize,
}

/// How much may wait at a port, for those who ask before they post: [`MessagePort::try_post_message`], and
/// [`MessagePort::ready`]. As the standard has no bound (PORT-07), [`MessagePort::post_message`] knows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// That many messages; one at least.
    pub messages: usize,
    /// That many bytes: one more message is taken as long as fewer wait, however large it is.
    pub bytes: usize,
}

impl Bound {
    /// No bound.
    pub const NONE: Self = Self { messages: usize::MAX, bytes: usize::MAX };

    pub(super) fn has_room(self, queued: Queued) -> bool {
        queued.messages == 0 || (queued.messages < self.messages && queued.bytes < self.bytes)
    }
}

impl Default for Bound {
    fn default() -> Self {
        Self::NONE
    }
}

impl MessagePort {
    /// How much was posted to this port and was not received yet.
    pub fn queued(&self) -> Queued {
        self.owned().map(|side| side.queued()).unwrap_or_default()
    }

    /// Sets how much may wait at this port. It holds for the queue, so it travels with the port.
    pub fn set_bound(&self, bound: Bound) {
        let posters = self.owned().map(|mut side| side.set_bound(bound));
        posters.unwrap_or_default().wake();
    }

    /// Posts a message if there is room for it at the other end.
    ///
    /// # Errors
    /// [`TryPostError::Full`] if there is none; then [`ready`](Self::ready) waits for it. [`TryPostError::DataClone`] as
    /// [`post_message`](Self::post_message). The message comes back in both.
    pub fn try_post_message(&self, message: impl Into<Message>) -> Result<(), TryPostError> {
        let message = message.into();
        if !self.peer().lock_without_batch().has_room() {
            return Err(TryPostError::Full(message));
        }
        self.post_message(message).map_err(TryPostError::DataClone)
    }

    /// Waits until there is room for a message at the other end, or until the channel is closed.
    ///
    /// Room is not kept: where several post to one port, another may be faster.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn ready(&self) -> Ready<'_> {
        Ready { port: self, key: None }
    }
}

/// Waits for room. Made by [`MessagePort::ready`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Ready<'p> {
    port: &'p MessagePort,
    key: Option<WaiterKey>,
}

impl Future for Ready<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let port = self.port;
        let mut side = port.peer().lock_without_batch();
        if side.has_room() {
            return Poll::Ready(());
        }
        let replaced = side.register_poster(&mut self.key, cx.waker());
        drop(side);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.port.peer().lock_without_batch().forget_poster(key);
            drop(waker);
        }
    }
}

/// Why a message was not posted. It comes back inside.
#[derive(Debug)]
pub enum TryPostError {
    /// There is no room for it at the other end now.
    Full(Message),
    /// A port in it may not be transferred.
    DataClone(DataCloneError),
}

impl TryPostError {
    /// Gives the message back.
    pub fn into_message(self) -> Message {
        match self {
            Self::Full(message) => message,
            Self::DataClone(error) => error.into_rejected(),
        }
    }
}

impl fmt::Display for TryPostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("there is no room for the message at the other end"),
            Self::DataClone(error) => error.fmt(f),
        }
    }
}

impl Error for TryPostError {}
