//! Streams in the signatures of methods: generated code names each by a type of its own, and asks here for what it needs.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures::Stream;

use super::{Answer, Argument, CallError, Failure, Method, Responder, ResultCodec, RpcError, Wire, result_codec};
use crate::stream::{self, Feed, IntoItem, Items, Results, Streaming};

/// A stream in the signature of a method. Generated code implements it for a type that stands for the stream, and goes by that
/// type everywhere else: so an item that cannot travel is reported once.
pub trait Streamed: 'static {
    /// An item, or what it holds when all is well.
    type Item: Wire + Send + 'static;
    /// An item's own error; [`Never`](super::Never) if it has none.
    type Service: Wire + Send + 'static;
    /// What the consumer gets in place of an item.
    type Error: Failure<Service = Self::Service>;
}

/// How a stream among the arguments is written and read.
pub const fn stream_argument<R: Streamed>() -> Argument<Streaming<R::Item, R::Error>> {
    Argument::of()
}

/// How the result of a method that returns a stream is written and read.
pub const fn stream_codec<R: Streamed, E: Wire + 'static>() -> ResultCodec<Streaming<R::Item, R::Error>, E> {
    result_codec()
}

/// What feeds a stream, and what travels of it.
type Fed<R, S> = (
    Feed<S, <R as Streamed>::Item, <R as Streamed>::Service>,
    Streaming<<R as Streamed>::Item, <R as Streamed>::Error>,
);

/// Makes of a stream that a caller has what travels, and what feeds that.
pub fn feed<R, S>(source: S) -> Fed<R, S>
where
    R: Streamed,
    S: Stream<Item: IntoItem<R::Item, R::Service>>,
{
    let (sender, streaming) = stream::channel();
    (Feed::new(source, sender), streaming)
}

impl<M: Method> Responder<M> {
    /// As [`items`](Self::items), of a stream that a signature names.
    pub fn streamed_items<R>(&mut self, stream: Streaming<R::Item, CallError>) -> StreamedItems<R>
    where
        R: Streamed<Error = CallError>,
    {
        StreamedItems(self.items(stream))
    }

    /// As [`results`](Self::results), of a stream that a signature names.
    pub fn streamed_results<R>(&mut self, stream: Streaming<R::Item, RpcError<R::Service>>) -> StreamedResults<R>
    where
        R: Streamed<Error = RpcError<<R as Streamed>::Service>>,
    {
        StreamedResults(self.results(stream))
    }

    /// As [`run_stream`](Self::run_stream), of a stream that a signature names.
    pub fn run_streamed<R, F, S>(self, handler: F) -> impl Future<Output = Answer>
    where
        R: Streamed,
        M: Method<Ok = Streaming<R::Item, R::Error>>,
        F: Future<Output = Result<S, M::Err>>,
        S: Stream<Item: IntoItem<R::Item, R::Service>>,
    {
        self.run_stream(handler)
    }
}

/// What a method gets for an `impl Stream<Item = T>`.
#[must_use = "streams do nothing unless polled, and dropping one aborts it"]
pub struct StreamedItems<R: Streamed>(Items<R::Item>);

/// What a method gets for an `impl Stream<Item = Result<T, X>>`.
#[must_use = "streams do nothing unless polled, and dropping one aborts it"]
pub struct StreamedResults<R: Streamed>(Results<R::Item, R::Service>);

impl<R: Streamed> Stream for StreamedItems<R> {
    type Item = R::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<R::Item>> {
        Pin::new(&mut self.0).poll_next(cx)
    }
}

impl<R: Streamed> Stream for StreamedResults<R> {
    type Item = Result<R::Item, R::Service>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(cx)
    }
}

impl<R: Streamed> fmt::Debug for StreamedItems<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<R: Streamed> fmt::Debug for StreamedResults<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
