//! The futures of a producer.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{ConsumerEnd, IntoItem, SendError, StreamSender, frame::StreamFrame};
use crate::rpc::Wire;

impl<T, X> StreamSender<T, X>
where
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
{
    /// Sends an item, waiting for credit if the [overflow](super::Overflow) says so.
    ///
    /// # Errors
    /// [`SendError`] if nothing will be sent any more; the item is dropped. What was sent before may be lost as well, unless
    /// the consumer [stopped](SendError::Stopped) the stream: then it reads that.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has sent nothing: the item is dropped with it. Where that matters, wait with
    /// [`ready`](Self::ready), and then [`try_send`](Self::try_send).
    pub fn send<I: IntoItem<T, X>>(&mut self, item: I) -> SendItem<'_, T, X, I> {
        SendItem { sender: self, item: Some(item) }
    }

    /// Waits until an item can be sent, or dealt with as the overflow says.
    ///
    /// # Errors
    /// [`SendError`] if nothing will be sent any more.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn ready(&mut self) -> Ready<'_, T, X> {
        Ready { sender: self }
    }

    /// Waits until all that waits here for credit is sent: only where the overflow is
    /// [`DropOldest`](super::Overflow::DropOldest) or [`KeepLatest`](super::Overflow::KeepLatest) does anything wait.
    ///
    /// # Errors
    /// [`SendError`] if nothing will be sent any more.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn flush(&mut self) -> Flush<'_, T, X> {
        Flush { sender: self }
    }

    /// Ends the stream, once all that waits here for credit is sent.
    ///
    /// # Errors
    /// [`SendError`] if what waits cannot be sent any more. A stream that the consumer stopped ends well.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future cuts the stream. Unless something waits, it is ready at once.
    pub async fn finish(mut self) -> Result<(), SendError> {
        let flushed = self.flush().await;
        self.finish_now(flushed)
    }

    /// Ends a stream of which nothing waits.
    pub(super) fn finish_now(&mut self, flushed: Result<(), SendError>) -> Result<(), SendError> {
        self.hear_all();
        match flushed.and_then(|()| self.is_open()) {
            Ok(()) | Err(SendError::Stopped) => {
                self.end(&StreamFrame::End);
                Ok(())
            }
            Err(why) => Err(why),
        }
    }
}

impl<T, X> StreamSender<T, X> {
    /// Waits until the consumer has gone, or has asked for the end.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn closed(&mut self) -> ClosedByConsumer<'_, T, X> {
        ClosedByConsumer { sender: self }
    }
}

/// Sends an item. Made by [`StreamSender::send`].
#[must_use = "futures do nothing unless polled"]
pub struct SendItem<'s, T, X, I> {
    sender: &'s mut StreamSender<T, X>,
    item: Option<I>,
}

// The item is moved on, never pinned.
impl<T, X, I> Unpin for SendItem<'_, T, X, I> {}

impl<T, X, I> Future for SendItem<'_, T, X, I>
where
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
    I: IntoItem<T, X>,
{
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        while let Some(item) = this.item.take() {
            this.item = this.sender.offer(item)?;
            if this.item.is_some() {
                ready!(this.sender.poll_ready(cx))?;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Waits for credit. Made by [`StreamSender::ready`].
#[must_use = "futures do nothing unless polled"]
pub struct Ready<'s, T, X> {
    sender: &'s mut StreamSender<T, X>,
}

impl<T, X> Future for Ready<'_, T, X>
where
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
{
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.sender.poll_ready(cx)
    }
}

/// Waits until nothing waits. Made by [`StreamSender::flush`].
#[must_use = "futures do nothing unless polled"]
pub struct Flush<'s, T, X> {
    sender: &'s mut StreamSender<T, X>,
}

impl<T, X> Future for Flush<'_, T, X>
where
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
{
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.sender.poll_flush(cx)
    }
}

/// Waits for the consumer's end. Made by [`StreamSender::closed`].
#[must_use = "futures do nothing unless polled"]
pub struct ClosedByConsumer<'s, T, X> {
    sender: &'s mut StreamSender<T, X>,
}

impl<T, X> Future for ClosedByConsumer<'_, T, X> {
    type Output = ConsumerEnd;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ConsumerEnd> {
        self.sender.poll_consumer(cx)
    }
}

impl<T, X, I> fmt::Debug for SendItem<'_, T, X, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendItem").field("is_sent", &self.item.is_none()).finish_non_exhaustive()
    }
}

impl<T, X> fmt::Debug for Ready<'_, T, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("sender", self.sender).finish()
    }
}

impl<T, X> fmt::Debug for Flush<'_, T, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flush").field("sender", self.sender).finish()
    }
}

impl<T, X> fmt::Debug for ClosedByConsumer<'_, T, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosedByConsumer").field("sender", self.sender).finish()
    }
}
