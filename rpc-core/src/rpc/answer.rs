//! Running a handler, and answering for it.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use futures::Stream;
use pin_project::pin_project;

use super::{
    CallContext, CallError, Failure, IsResult, Method, RpcError, Wire,
    cell::CellOf,
    codec::Coded,
    duty::{Duty, DutyBy, Handler},
    frame::{CallId, Fault, Frame},
    run_stream::RunStream,
};
use crate::{
    Message,
    stream::{IntoItem, Items, Results, Streaming},
};

/// What is left to do when a call was answered: post this message, if there is one.
///
/// It is one word, and so is handed on in registers: every future around a handler returns it.
#[derive(Debug)]
#[must_use = "an answer may have to be posted"]
pub struct Answer(Option<Box<Message>>);

impl Answer {
    /// Nothing to post: the caller has its answer, or wants none.
    pub(super) const DONE: Self = Self(None);

    /// That message is to be posted.
    #[inline]
    pub(super) fn of(message: Message) -> Self {
        Self(Some(message.boxed()))
    }

    /// What is to be posted.
    #[inline]
    pub(super) fn into_message(self) -> Option<Message> {
        self.0.map(Message::unboxed)
    }

    /// A call that came as a frame was not run, or not to its end.
    pub(super) fn fault(id: CallId, fault: Fault) -> Self {
        Self::of(Frame::Fault { id, fault }.to_bytes().into())
    }
}

/// The duty to answer one call, exactly once (C20), and to say what its caller may conclude (C5). Dropped without an answer, it ends the
/// call as interrupted, whatever it was dropped for (C18).
pub struct Responder<M: Method>(pub(super) DutyOf<M>);

/// The same, for all methods of the same types.
pub(super) type DutyOf<M> = DutyBy<CellOf<M>>;

impl<M: Method> fmt::Debug for Responder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Responder").field(&M::NAME).finish()
    }
}

impl<M: Method> Responder<M> {
    /// What the method can know of the call.
    pub fn context(&self) -> CallContext {
        (&self.0 as &Duty).context(&M::CODEC.facts)
    }

    /// The items of a stream in the arguments. If it is cut, the method ends.
    pub fn items<T>(&mut self, stream: Streaming<T, CallError>) -> Items<T> {
        let items = stream.into_items();
        self.0.beside.streams().cuts.push(items.cut_signal());
        items
    }

    /// As [`items`](Self::items), of items that are results.
    pub fn results<T, X>(&mut self, stream: Streaming<T, RpcError<X>>) -> Results<T, X> {
        let items = stream.into_results();
        self.0.beside.streams().cuts.push(items.cut_signal());
        items
    }

    /// Answers at once.
    pub(super) fn answer(self, result: Result<M::Ok, M::Err>) -> Answer {
        self.0.answer(M::CODEC, result)
    }

    /// Runs a handler to its end, or until the caller waits no longer, and answers for it.
    pub fn run<F: Future<Output = M::Return>>(self, handler: F) -> impl Future<Output = Answer> {
        Run::<M, F> { handler, duty: self.0 }
    }

    /// As [`run`](Self::run), of a handler that is made when it is first polled, in the place of what makes it. An `async` block that awaits it
    /// would keep the arguments beside it.
    pub fn run_method<B, F>(self, begin: B) -> impl Future<Output = Answer>
    where
        B: FnOnce() -> F,
        F: Future<Output = M::Return>,
    {
        self.run(Made::Not(Some(begin)))
    }

    /// Runs a handler that returns a stream, and then feeds that, to its end.
    pub fn run_stream<F, T, E>(self, handler: F) -> impl Future<Output = Answer>
    where
        M: Method<Ok = Streaming<T, E>>,
        F: Future<Output: IsResult<Ok: Stream<Item: IntoItem<T, E::Service>>, Err = M::Err>>,
        T: Wire + Send + 'static,
        E: Failure<Service: Wire + Send + 'static> + 'static,
    {
        RunStream::<M, F, T, E>::new(handler, self.0)
    }
}

/// A future, or before it is first polled, what makes it.
#[pin_project(project = MadeProjection)]
enum Made<B, F> {
    Not(Option<B>),
    Is(#[pin] F),
}

impl<B: FnOnce() -> F, F: Future> Future for Made<B, F> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if let MadeProjection::Not(begin) = self.as_mut().project()
            && let Some(begin) = begin.take()
        {
            self.set(Self::Is(begin()));
        }
        match self.project() {
            MadeProjection::Is(future) => future.poll(cx),
            // What made it has panicked.
            MadeProjection::Not(_) => Poll::Pending,
        }
    }
}

/// A handler that runs.
#[pin_project]
struct Run<M: Method, F> {
    #[pin]
    handler: F,
    duty: DutyOf<M>,
}

impl<M: Method, F: Future<Output = M::Return>> Future for Run<M, F> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let this = self.project();
        this.duty.run(M::CODEC, &mut Polled::<M, F>(this.handler, PhantomData), cx)
    }
}

/// The handler of a method, whose result is asked for.
struct Polled<'h, M, F>(Pin<&'h mut F>, PhantomData<fn() -> M>);

impl<M: Method, F: Future<Output = M::Return>> Handler<M::Ok, M::Err> for Polled<'_, M, F> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<M::Ok, M::Err>> {
        match self.0.as_mut().poll(cx) {
            Poll::Ready(returned) => Poll::Ready(M::into_result(returned)),
            Poll::Pending => Poll::Pending,
        }
    }
}
