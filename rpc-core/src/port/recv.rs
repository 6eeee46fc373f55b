//! Waiting at a port: for messages, and for its end.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::Stream;

use super::{Closed, ClosedBy, MessagePort, Parcel, waiters::WaiterKey};
use crate::Message;

impl MessagePort {
    /// Receives the next message, waiting for one if the queue is empty.
    ///
    /// Messages come in the order they were posted (PORT-55), each once (LOOP-06), whole, with their ports. Nothing comes before
    /// [`start`](Self::start) (PORT-37).
    ///
    /// # Errors
    /// [`Closed`] once either end has closed and everything posted before that was received (PORT-42, PORT-43).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: a message is taken only on the poll that returns it.
    pub fn recv(&self) -> Recv<'_> {
        Recv { port: self, key: None }
    }

    /// Waits until the channel is closed, and tells by whom (CLOSE-01, DEC-04).
    ///
    /// Whatever closed the other end is told, its drop as well as its close (CLOSE-03): after everything that it posted before
    /// (CLOSE-07), wherever this port is by then (CLOSE-05); if this port was never started, at once (CLOSE-08). Closing wakes
    /// this future and runs nothing (CLOSE-06). This side's own end is told as [`ClosedBy::ThisEnd`], which is no news from
    /// the peer (CLOSE-02).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn closed(&self) -> ClosedFuture<'_> {
        ClosedFuture { port: self, key: None }
    }
}

/// Waits for a message. Made by [`MessagePort::recv`].
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'p> {
    port: &'p MessagePort,
    key: Option<WaiterKey>,
}

impl Future for Recv<'_> {
    type Output = Result<Message, Closed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let port = self.port;
        loop {
            let parcel = ready!(port.poll_parcel(&mut self.key, cx))?;
            if let Some(message) = port.unpack(parcel) {
                return Poll::Ready(Ok(message));
            }
        }
    }
}

impl Drop for Recv<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.port.forget_waiter(key);
        }
    }
}

impl fmt::Debug for Recv<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv").field("port", self.port).finish()
    }
}

/// All messages of a port, until it is closed. Like [`MessagePort::recv`], nothing comes before [`MessagePort::start`].
impl Stream for MessagePort {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut key = self.stream_key;
        loop {
            let polled = self.poll_parcel(&mut key, cx);
            self.stream_key = key;
            let Ok(parcel) = ready!(polled) else { return Poll::Ready(None) };
            if let Some(message) = self.unpack(parcel) {
                return Poll::Ready(Some(message));
            }
        }
    }
}

impl MessagePort {
    /// Turns what came into a message for a reader of bytes; `None` if nothing of it was left to deliver.
    #[inline]
    pub(crate) fn unpack(&self, parcel: Parcel) -> Option<Message> {
        match parcel {
            Parcel::Message(message) => Some(message),
            Parcel::Value(value) => value.encode(self),
        }
    }
}

impl MessagePort {
    /// Takes the next entry of the queue as it is, for the one who owns the port and polls it.
    pub(crate) fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Result<Parcel, Closed>> {
        let mut key = self.stream_key;
        let polled = self.poll_parcel(&mut key, cx);
        self.stream_key = key;
        polled
    }
}

/// Waits for the end of a channel. Made by [`MessagePort::closed`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct ClosedFuture<'p> {
    port: &'p MessagePort,
    key: Option<WaiterKey>,
}

impl Future for ClosedFuture<'_> {
    type Output = ClosedBy;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ClosedBy> {
        let port = self.port;
        port.poll_closed(&mut self.key, cx)
    }
}

impl Drop for ClosedFuture<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.port.forget_waiter(key);
        }
    }
}
