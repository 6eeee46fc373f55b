//! The consumer's end of a stream.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{Stream, stream::FusedStream};
use pin_project::pin_project;

use super::{Feeds, Gauge, Items, NoFeed, Results, Window, receiver::Receiver};
use crate::{
    CallError, MessagePort, RpcError,
    rpc::{Failure, Wire},
};

/// The consumer's end of a stream: a `futures::Stream` of `Result<T, E>`.
///
/// `E` is [`CallError`] where items have no error of their own, [`RpcError<X>`] where they do. After its last item the stream
/// yields `None` if the producer has finished it. If it was cut – the producer died, failed, or was dropped – it yields one
/// error that says so, and then `None`: a stream that was cut never looks as if it had ended.
///
/// Nothing is produced before this is first polled, which grants the [`Window`]; credit is renewed when half of it has been
/// consumed.
///
/// Dropping it aborts the stream: the producer is told at once, and what is on its way is lost. [`stop`](Self::stop) ends it
/// and loses nothing.
///
/// A stream without a feed is a value: it may be an argument or a result, at any depth. Handed on, it takes along what it has
/// received and not yielded.
///
/// # Cancel safety
/// Dropping the future of `next()` loses nothing.
#[pin_project]
#[must_use = "streams do nothing unless polled, and dropping one aborts it"]
pub struct Streaming<T, E: Failure = CallError, P = NoFeed> {
    pub(super) receiver: Box<Receiver<T, E::Service>>,
    #[pin]
    feed: P,
    is_fed: bool,
}

impl<T, E: Failure, P> Streaming<T, E, P> {
    /// Sets how much may be on its way, before the stream is first polled. Later, more is granted at once, and of less what
    /// was granted before stays granted.
    pub fn with_window(mut self, window: Window) -> Self {
        self.receiver.ledger.set_window(window);
        self
    }

    pub(crate) fn gauge(&mut self) -> Gauge {
        self.receiver.watch()
    }

    /// Asks the producer to send no more. What is on its way still comes, and then the end: `None`, once the producer has
    /// dropped its source.
    pub fn stop(&mut self) {
        self.receiver.stop();
    }

    /// As [`stop`](Self::stop), for a stream that is pinned.
    pub fn stop_pinned(self: Pin<&mut Self>) {
        self.project().receiver.stop();
    }
}

impl<T, E: Failure> Streaming<T, E> {
    pub(super) fn of(receiver: Box<Receiver<T, E::Service>>) -> Self {
        Self { receiver, feed: NoFeed, is_fed: true }
    }

    /// Polls a feed too, whenever this stream is polled and holds nothing: both directions at once. When the stream has ended
    /// or is dropped, so is the feed.
    pub fn with_feed<P: Feeds>(self, feed: P) -> Streaming<T, E, P> {
        Streaming { receiver: self.receiver, feed, is_fed: false }
    }
}

impl<T> Streaming<T, CallError> {
    /// The items by themselves, for a method that takes them so. A cut is told past them: [`Items::cut_signal`].
    pub fn into_items(self) -> Items<T> {
        Items::new(self.receiver)
    }
}

impl<T, X> Streaming<T, RpcError<X>> {
    /// The items by themselves, for a method that takes them so. A cut is told past them: [`Results::cut_signal`].
    pub fn into_results(self) -> Results<T, X> {
        Results::new(self.receiver)
    }
}

/// The consumer's end of a stream whose producer is at the other end of the port.
impl<T, E: Failure> From<MessagePort> for Streaming<T, E> {
    fn from(port: MessagePort) -> Self {
        Self::of(Receiver::of(port))
    }
}

impl<T, E, P> Stream for Streaming<T, E, P>
where
    T: Wire + Send + 'static,
    E: Failure<Service: Wire + Send + 'static>,
    P: Feeds,
{
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
        let this = self.project();
        if !*this.is_fed && this.receiver.held.is_empty() {
            *this.is_fed = this.feed.poll_feed(cx).is_ready();
        }
        let polled = this.receiver.poll_next(cx);
        this.receiver.show();
        Poll::Ready(ready!(polled).map(|received| match received {
            Ok(item) => item.map_err(E::of_service),
            Err(cut) => Err(E::from(cut)),
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.receiver.held.len(), None)
    }
}

impl<T, E, P> FusedStream for Streaming<T, E, P>
where
    T: Wire + Send + 'static,
    E: Failure<Service: Wire + Send + 'static>,
    P: Feeds,
{
    fn is_terminated(&self) -> bool {
        self.receiver.is_over()
    }
}

impl<T, E: Failure, P> fmt::Debug for Streaming<T, E, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming")
            .field("port", &self.receiver.port)
            .field("held", &self.receiver.held.len())
            .finish_non_exhaustive()
    }
}
