//! Calls that bring streams in their arguments: whoever awaits the call feeds them.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project::pin_project;

use super::{Call, Failure, Metadatum};
use crate::stream::{Feeds, Streaming};

/// A call that was made, with streams among its arguments: they are fed as long as it is awaited.
///
/// When the reply has come, what is left of them is dropped: a service that replies has read what it wanted.
///
/// # Errors
/// As [`Call`]'s.
///
/// # Cancel safety
/// Dropping it cancels the call and cuts the streams.
#[pin_project]
#[must_use = "a call is sent when it is awaited"]
pub struct FeedingCall<'c, T, E: Failure, P> {
    call: Call<'c, T, E>,
    #[pin]
    feeds: P,
}

impl<'c, T, E: Failure> Call<'c, T, E> {
    /// Feeds streams among the call's arguments as long as it is awaited.
    pub fn feeding<P>(self, feeds: P) -> FeedingCall<'c, T, E, P> {
        FeedingCall { call: self, feeds }
    }
}

impl<T, E: Failure, P> FeedingCall<'_, T, E, P> {
    /// See [`Call::deadline`].
    #[must_use = "a call is sent when it is awaited"]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { call: self.call.deadline(deadline), ..self }
    }

    /// See [`Call::metadata`].
    #[must_use = "a call is sent when it is awaited"]
    pub fn metadata<M: Metadatum>(self, value: &M) -> Self {
        Self { call: self.call.metadata(value), ..self }
    }
}

impl<T, E: Failure, P: Feeds> Future for FeedingCall<'_, T, E, P> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(result) = Pin::new(&mut *this.call).poll(cx) {
            return Poll::Ready(result);
        }
        // What is fed may be all that the service waits for, and answers to when it is polled: never here.
        let _fed = this.feeds.poll_feed(cx);
        Poll::Pending
    }
}

impl<T, E: Failure, P> fmt::Debug for FeedingCall<'_, T, E, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedingCall").field("call", &self.call).finish_non_exhaustive()
    }
}

/// A call that was made, with streams among its arguments, that brings back a stream: the one that it resolves to goes on feeding
/// those, whenever it is polled.
///
/// # Errors
/// As [`Call`]'s.
///
/// # Cancel safety
/// Dropping it cancels the call and cuts the streams.
#[must_use = "a call is sent when it is awaited"]
pub struct DuplexCall<'c, T, I: Failure, E: Failure, P> {
    call: Call<'c, Streaming<T, I>, E>,
    /// Boxed, for it moves into the stream after it was polled here.
    feeds: Option<Pin<Box<P>>>,
}

impl<'c, T, I: Failure, E: Failure> Call<'c, Streaming<T, I>, E> {
    /// Feeds streams among the call's arguments as long as it is awaited, and as long as the stream that it brings back is polled.
    pub fn feeding_both<P>(self, feeds: P) -> DuplexCall<'c, T, I, E, P> {
        DuplexCall { call: self, feeds: Some(Box::pin(feeds)) }
    }
}

impl<T, I: Failure, E: Failure, P> DuplexCall<'_, T, I, E, P> {
    /// See [`Call::deadline`].
    #[must_use = "a call is sent when it is awaited"]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { call: self.call.deadline(deadline), ..self }
    }

    /// See [`Call::metadata`].
    #[must_use = "a call is sent when it is awaited"]
    pub fn metadata<M: Metadatum>(self, value: &M) -> Self {
        Self { call: self.call.metadata(value), ..self }
    }
}

impl<T, I: Failure, E: Failure, P: Feeds> Future for DuplexCall<'_, T, I, E, P> {
    type Output = Result<Streaming<T, I, Option<Pin<Box<P>>>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(feeds) = &mut this.feeds {
            let _fed = feeds.as_mut().poll_feed(cx);
        }
        let streaming = ready!(Pin::new(&mut this.call).poll(cx));
        let feeds = this.feeds.take();
        Poll::Ready(streaming.map(|streaming| streaming.with_feed(feeds)))
    }
}

impl<T, I: Failure, E: Failure, P> fmt::Debug for DuplexCall<'_, T, I, E, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DuplexCall").field("call", &self.call).finish_non_exhaustive()
    }
}
