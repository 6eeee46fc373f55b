//! What is polled beside something else.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use pin_project::pin_project;

use super::Feed;
use crate::{rpc::Wire, stream::IntoItem};

/// Something that feeds streams, and is polled by the owner of something else: a call, or a stream that comes back.
pub trait Feeds {
    /// Goes on feeding; ready when there is nothing left to do. May be polled again then.
    fn poll_feed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;
}

/// Nothing to feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoFeed;

impl Feeds for NoFeed {
    #[inline]
    fn poll_feed(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl<S, T, X> Feeds for Feed<S, T, X>
where
    S: futures::Stream<Item: IntoItem<T, X>>,
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
{
    fn poll_feed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx)
    }
}

impl<P: Feeds> Feeds for Pin<Box<P>> {
    fn poll_feed(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.as_mut().get_mut().as_mut().poll_feed(cx)
    }
}

/// A feed, or none.
impl<P: Feeds + Unpin> Feeds for Option<P> {
    fn poll_feed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().as_mut().map_or(Poll::Ready(()), |feed| Pin::new(feed).poll_feed(cx))
    }
}

/// Two feeds, beside each other; of these, any number: `Both::new(a, Both::new(b, c))`. A tuple cannot be: a feed is pinned where
/// it is, and a tuple hands out no pins of its parts.
#[pin_project]
#[derive(Clone, Copy, Debug, Default)]
pub struct Both<A, B> {
    #[pin]
    first: A,
    #[pin]
    second: B,
}

impl<A, B> Both<A, B> {
    /// These two.
    pub fn new(first: A, second: B) -> Self {
        Self { first, second }
    }
}

impl<A: Feeds, B: Feeds> Feeds for Both<A, B> {
    fn poll_feed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let first = this.first.poll_feed(cx);
        let second = this.second.poll_feed(cx);
        if first.is_ready() && second.is_ready() { Poll::Ready(()) } else { Poll::Pending }
    }
}
