//! Streams in the signatures of methods: generated code names each by a type of its own, and asks here for what it needs.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures::Stream;

use super::{
    Answer, Argument, CallError, Failure, IsResult, Method, Never, Responder, ResultCodec, RpcError, Wire,
    method::in_words,
};
use crate::{
    MessageChannel, StreamSender,
    message::{DecodeError, Decoder, EncodeError, Encoder},
    shape::Shape,
    stream::{Feed, IntoItem, Items, Results, Streaming, Uncut},
};

/// A stream in the signature of a method. Generated code implements it for a type that stands for the stream.
///
/// What can be done with the items is asked of [`Travels`](Self::Travels), and of nothing else: so an item that cannot travel is
/// reported once, where generated code says that it can.
pub trait Streamed: 'static {
    /// An item, or what it holds when all is well.
    type Item;
    /// An item's own error; [`Never`] if it has none.
    type Service;
    /// What the consumer gets in place of an item.
    type Error: Failure<Service = Self::Service>;
    /// That the items can travel: [`InStream`].
    type Travels: Travels<Self::Item, Self::Service, Self::Error>;
}

/// What can be done with a stream whose items can travel.
pub trait Travels<T, X, E: Failure<Service = X>> {
    /// How the stream is written and read where it is an argument.
    const ARGUMENT: Argument<Streaming<T, E>>;

    /// Writes a result that is such a stream.
    ///
    /// # Errors
    /// If it does not serialise.
    fn put<R: Wire>(result: &Result<Streaming<T, E>, R>, to: &mut Encoder) -> Result<(), EncodeError>;

    /// Reads a result that is such a stream.
    ///
    /// # Errors
    /// If the bytes are no such result.
    fn take<R: Wire>(from: &mut Decoder<'_>) -> Result<Result<Streaming<T, E>, R>, DecodeError>;

    /// Takes the next item.
    fn poll_next(stream: &mut Uncut<T, X>, cx: &mut Context<'_>) -> Poll<Option<Result<T, X>>>;

    /// See [`Responder::run_stream`].
    fn run<M, F>(responder: Responder<M>, handler: F) -> impl Future<Output = Answer>
    where
        M: Method<Ok = Streaming<T, E>>,
        F: Future<Output: IsResult<Ok: Stream<Item: IntoItem<T, X>>, Err = M::Err>>;
}

/// Items that can travel. The parameter is there to be spelled over the item in a signature.
#[derive(Debug)]
pub struct InStream<T>(T);

impl<T, X, E> Travels<T, X, E> for InStream<()>
where
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
    E: Failure<Service = X> + 'static,
{
    const ARGUMENT: Argument<Streaming<T, E>> = Argument::of();

    fn put<R: Wire>(result: &Result<Streaming<T, E>, R>, to: &mut Encoder) -> Result<(), EncodeError> {
        to.put(result)
    }

    fn take<R: Wire>(from: &mut Decoder<'_>) -> Result<Result<Streaming<T, E>, R>, DecodeError> {
        from.take()
    }

    fn poll_next(stream: &mut Uncut<T, X>, cx: &mut Context<'_>) -> Poll<Option<Result<T, X>>> {
        stream.poll_next(cx)
    }

    fn run<M, F>(responder: Responder<M>, handler: F) -> impl Future<Output = Answer>
    where
        M: Method<Ok = Streaming<T, E>>,
        F: Future<Output: IsResult<Ok: Stream<Item: IntoItem<T, X>>, Err = M::Err>>,
    {
        responder.run_stream(handler)
    }
}

/// How a stream among the arguments is written and read.
pub const fn stream_argument<R: Streamed>() -> Argument<StreamingOf<R>> {
    R::Travels::ARGUMENT
}

/// How the result of a method that returns a stream is written and read.
pub const fn stream_codec<R: Streamed, E: Wire + 'static>() -> ResultCodec<StreamingOf<R>, E> {
    ResultCodec {
        put: R::Travels::put,
        take: R::Travels::take,
        ok: R::Travels::ARGUMENT.shape(),
        err: Shape::of::<E>,
        in_words: in_words::<E>,
    }
}

/// What feeds a stream of a caller's, from a source `S`.
type FeedOf<R, S> = Feed<S, <R as Streamed>::Item, <R as Streamed>::Service>;

/// What travels of it.
type StreamingOf<R> = Streaming<<R as Streamed>::Item, <R as Streamed>::Error>;

/// Makes of a stream that a caller has what feeds it, and what travels.
pub fn feed<R, S>(source: S) -> (FeedOf<R, S>, StreamingOf<R>)
where
    R: Streamed,
    S: Stream<Item: IntoItem<R::Item, R::Service>>,
{
    let (ours, theirs) = MessageChannel::new().into_ports();
    (Feed::new(source, StreamSender::from(ours)), Streaming::from(theirs))
}

impl<M: Method> Responder<M> {
    /// As [`items`](Self::items), of a stream that a signature names. The responder is handed on: a future keeps room for what it lends.
    pub fn streamed_items<R>(mut self, stream: Streaming<R::Item, CallError>) -> (StreamedItems<R>, Self)
    where
        R: Streamed<Service = Never, Error = CallError>,
    {
        (StreamedItems(self.items(stream)), self)
    }

    /// As [`results`](Self::results), of a stream that a signature names.
    pub fn streamed_results<R>(mut self, stream: Streaming<R::Item, RpcError<R::Service>>) -> (StreamedResults<R>, Self)
    where
        R: Streamed<Error = RpcError<<R as Streamed>::Service>>,
    {
        (StreamedResults(self.results(stream)), self)
    }

    /// As [`run_stream`](Self::run_stream), of a stream that a signature names.
    pub fn run_streamed<R, F>(self, handler: F) -> impl Future<Output = Answer>
    where
        R: Streamed,
        M: Method<Ok = Streaming<R::Item, R::Error>>,
        F: Future<Output: IsResult<Ok: Stream<Item: IntoItem<R::Item, R::Service>>, Err = M::Err>>,
    {
        R::Travels::run(self, handler)
    }
}

/// What a method gets for an `impl Stream<Item = T>`.
#[must_use = "streams do nothing unless polled, and dropping one aborts it"]
pub struct StreamedItems<R: Streamed>(Items<R::Item>);

/// What a method gets for an `impl Stream<Item = Result<T, X>>`.
#[must_use = "streams do nothing unless polled, and dropping one aborts it"]
pub struct StreamedResults<R: Streamed>(Results<R::Item, R::Service>);

impl<R: Streamed<Service = Never>> Stream for StreamedItems<R> {
    type Item = R::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<R::Item>> {
        R::Travels::poll_next(self.0.uncut(), cx).map(|item| item.map(|Ok(item)| item))
    }
}

impl<R: Streamed> Stream for StreamedResults<R> {
    type Item = Result<R::Item, R::Service>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        R::Travels::poll_next(self.0.uncut(), cx)
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
