//! Running a handler, and answering for it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::Stream;
use pin_project::pin_project;

use super::{
    CallContext, CallError, Failure, Interruption, IsResult, Method, Outcome, Refusal, RpcError, Wire,
    around::Ended,
    beside::{Beside, Facts, Inside, info, is_free, report_refusal},
    cell::{CallCell, Ending},
    desk::Desk,
    failed::{Failed, Whom},
    frame::{CallId, Fault, Frame, Options, reply_head},
    held::Held,
    incoming::Came,
    outbox::Outbox,
    pipe::Pipe,
    run_stream::RunStream,
};
use crate::{
    Message,
    live::{Alive, What},
    message::Encoder,
    panicking,
    stream::{IntoItem, Items, Results, Streaming},
    sync::Arc,
};

/// What is left to do when a call was answered: post this message, if there is one.
#[derive(Debug)]
#[must_use = "an answer may have to be posted"]
pub struct Answer(pub(super) Option<Message>);

impl Answer {
    /// Nothing to post: the caller has its answer, or wants none.
    pub(super) const DONE: Self = Self(None);

    /// A call that came as a frame was not run, or not to its end.
    pub(super) fn fault(id: CallId, fault: Fault) -> Self {
        Self(Some(Frame::Fault { id, fault }.to_bytes().into()))
    }
}

/// The duty to answer one call, exactly once (C20), and to say what its caller may conclude (C5). Dropped without an answer, it ends the
/// call as interrupted, whatever it was dropped for (C18).
#[derive(Debug)]
pub struct Responder<M: Method> {
    to: Caller<M>,
    beside: Beside,
    _alive: Alive,
}

/// Why a handler is not to go on.
pub(super) enum Stop {
    /// Nobody waits for it.
    Abandoned,
    /// It is not to begin.
    Refused(Refusal),
    /// Something came between.
    Interrupted(Interruption),
}

impl Stop {
    /// What it is for a method that has not begun.
    fn before_the_begin(self) -> Self {
        match self {
            Self::Interrupted(Interruption::DeadlineExceeded) => Self::Refused(Refusal::DeadlineExceeded),
            Self::Interrupted(Interruption::Revoked) => Self::Refused(Refusal::Revoked),
            Self::Interrupted(Interruption::Expired) => Self::Refused(Refusal::Expired),
            Self::Abandoned | Self::Refused(_) | Self::Interrupted(_) => self,
        }
    }
}

/// What a method has returned.
type MethodResult<M> = Result<<M as Method>::Ok, <M as Method>::Err>;

/// Where an answer goes.
enum Caller<M: Method> {
    /// Into the cell of a caller in this process.
    Here(Arc<CallCell<M>>),
    /// Out by the port that the call came from.
    There(CallId),
    /// To the port whose other end the caller calls already.
    Piped(Box<Pipe<M::Ok>>),
    /// One-way, or answered.
    Nobody,
}

impl<M: Method> std::fmt::Debug for Caller<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Here(_) => "Here",
            Self::There(_) => "There",
            Self::Piped(_) => "Piped",
            Self::Nobody => "Nobody",
        })
    }
}

impl<M: Method> Caller<M> {
    fn failed(self) -> Failed {
        match self {
            Self::Here(cell) => Failed::Here(cell),
            Self::There(id) => Failed::There(id),
            Self::Piped(pipe) => Failed::Piped(pipe.into_port()),
            Self::Nobody => Failed::Nobody,
        }
    }
}

impl<M: Method> Responder<M> {
    pub(super) fn here(cell: Arc<CallCell<M>>) -> Self {
        Self::to(Caller::Here(cell))
    }

    pub(super) fn piped(pipe: Pipe<M::Ok>) -> Self {
        Self::to(Caller::Piped(Box::new(pipe)))
    }

    pub(super) fn nobody() -> Self {
        Self::to(Caller::Nobody)
    }

    /// Of a call that came as bytes.
    pub(super) fn of_bytes(whom: Whom) -> Self {
        Self::to(match whom {
            Whom::There(id) => Caller::There(id),
            Whom::Piped(port) => Caller::Piped(Box::new(Pipe::for_bytes(port))),
            Whom::Nobody => Caller::Nobody,
        })
    }

    fn to(caller: Caller<M>) -> Self {
        Self { to: caller, beside: Beside::default(), _alive: Alive::new(What::Handler(M::NAME)) }
    }

    /// Gives it a way to reply before the handler has ended.
    pub(super) fn with_outbox(mut self, outbox: Outbox) -> Self {
        self.beside.streams().outbox = Some(outbox);
        self
    }

    /// Notes what came beside the arguments, and shows the call to the interceptors.
    ///
    /// # Errors
    /// The answer, if the call is not to be run.
    #[inline]
    pub(super) fn attach(self, options: Option<Box<Options>>, came: Came, desk: &Arc<Desk>) -> Result<Self, Answer> {
        if options.is_some() || M::TAKES_CONTEXT {
            self.attach_more(options, came, desk)
        } else if desk.is_plain {
            Ok(self)
        } else if desk.is_unwatched && !is_free(M::ID) {
            self.claim(came.bytes, desk)
        } else {
            self.attach_more(options, came, desk)
        }
    }

    /// Takes the call out of what its right has left: all that there is to do where nobody watches.
    fn claim(mut self, bytes: usize, desk: &Arc<Desk>) -> Result<Self, Answer> {
        match Held::claimed(desk, bytes, M::ORDERED) {
            Ok(held) => {
                self.beside.held = Some(held);
                Ok(self)
            }
            Err(refusal) => {
                report_refusal(desk, M::NAME, &refusal);
                Err(self.refuse(refusal))
            }
        }
    }

    fn attach_more(mut self, options: Option<Box<Options>>, came: Came, desk: &Arc<Desk>) -> Result<Self, Answer> {
        let facts = const { &Facts::of::<M>() };
        let (id, is_oneway) = (self.id(), self.is_oneway());
        match self.beside.attach(facts, options, &came, id, is_oneway, desk) {
            Ok(()) => Ok(self),
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }

    fn is_oneway(&self) -> bool {
        matches!(self.to, Caller::Nobody)
    }

    /// Of a call that came as bytes.
    fn id(&self) -> Option<CallId> {
        if let Caller::There(id) = self.to { Some(id) } else { None }
    }

    /// What the method can know of the call.
    pub fn context(&self) -> CallContext {
        self.attached_context().unwrap_or_else(|| {
            let issuer = self.beside.held.as_ref().map(|held| held.desk().issuer());
            let facts = const { &Facts::of::<M>() };
            CallContext::new(info(&facts.signature, self.is_oneway(), self.id(), 0), None, None, issuer)
        })
    }

    /// The context, if there is anything in it.
    fn attached_context(&self) -> Option<CallContext> {
        self.beside.few().map(|few| few.attached.context().clone())
    }

    /// Makes the call's context and span the current ones, while its handler is polled.
    #[inline]
    pub(super) fn enter(&self) -> Option<Inside> {
        // Nearly always there is no context, and was none.
        if self.beside.aside.is_some() || CallContext::is_any() { Some(self.beside.enter()) } else { None }
    }

    /// The items of a stream in the arguments. If it is cut, the method ends.
    pub fn items<T>(&mut self, stream: Streaming<T, CallError>) -> Items<T> {
        let items = stream.into_items();
        self.beside.streams().cuts.push(items.cut_signal());
        items
    }

    /// As [`items`](Self::items), of items that are results.
    pub fn results<T, X>(&mut self, stream: Streaming<T, RpcError<X>>) -> Results<T, X> {
        let items = stream.into_results();
        self.beside.streams().cuts.push(items.cut_signal());
        items
    }

    /// Answers at once.
    pub(super) fn answer(mut self, result: Result<M::Ok, M::Err>) -> Answer {
        let answer = self.reply(result);
        self.settle(|| Outcome::Returned);
        answer
    }

    /// The call, if its caller is in this process and waits.
    pub(super) fn cell(&self) -> Option<Arc<CallCell<M>>> {
        if let Caller::Here(cell) = &self.to { Some(cell.clone()) } else { None }
    }

    /// Answers, and goes on.
    pub(super) fn reply_early(&mut self, result: Result<M::Ok, M::Err>) {
        let id = self.id();
        let answer = self.reply(result);
        let outbox = self.beside.aside.as_ref().and_then(|aside| aside.streams.outbox.as_ref());
        if let (Some(outbox), Some(id)) = (outbox, id) {
            outbox.put(id, answer);
        }
    }

    /// Answers with what the method returned.
    pub(super) fn reply(&mut self, result: Result<M::Ok, M::Err>) -> Answer {
        match self.take() {
            Caller::Here(cell) => {
                cell.end(Ending::Returned(result));
                Answer::DONE
            }
            Caller::There(id) => {
                let mut encoder = Encoder::after(reply_head(id));
                match (M::RESULT.put)(&result, &mut encoder) {
                    Ok(()) => {
                        let reply = encoder.finish();
                        Answer(Some(if self.beside.is_nothing() { reply } else { self.beside.note_reply(reply) }))
                    }
                    Err(error) => Answer::fault(id, Fault::Interrupted(Interruption::unreadable(&error))),
                }
            }
            Caller::Piped(pipe) => pipe.returned::<M>(result),
            Caller::Nobody => Answer::DONE,
        }
    }

    /// Answers that the method did not run.
    pub(super) fn refuse(mut self, refusal: Refusal) -> Answer {
        self.refuse_here(refusal)
    }

    #[cold]
    fn refuse_here(&mut self, refusal: Refusal) -> Answer {
        self.beside.refuse(&refusal);
        self.take().failed().refuse(&M::NAME, refusal)
    }

    /// Answers that the method did not run to its end.
    #[cold]
    fn interrupt(&mut self, interruption: Interruption) -> Answer {
        self.beside.interrupt(&interruption);
        self.take().failed().interrupt(interruption)
    }

    pub(super) fn panicked(&mut self, message: String) -> Answer {
        report_panic(M::NAME, &message);
        self.interrupt(Interruption::Panicked(message))
    }

    fn take(&mut self) -> Caller<M> {
        std::mem::replace(&mut self.to, Caller::Nobody)
    }

    /// Shows the interceptors how the call ended.
    #[inline]
    pub(super) fn settle(&mut self, outcome: impl FnOnce() -> Outcome) {
        if self.beside.aside.is_some() {
            self.beside.settle(&outcome());
        }
    }

    /// Ready when the method is not to go on: nobody waits for it, its time is up, or a stream in its arguments was cut.
    pub(super) fn poll_stop(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        if let Some(held) = &mut self.beside.held
            && let Poll::Ready(why) = held.poll_ended(cx)
        {
            if M::CANCELS {
                return Poll::Ready(Stop::Interrupted(why.interruption()));
            }
            // It runs to its end; but who has called has no right to what comes of it, and is told now.
            if !matches!(self.to, Caller::Nobody) {
                let _told_by_whoever_serves = self.interrupt(why.interruption());
            }
        }
        if self.beside.aside.is_some()
            && let Poll::Ready(stop) = self.beside.poll_cut(cx)
        {
            return Poll::Ready(stop);
        }
        if !M::CANCELS {
            return Poll::Pending;
        }
        if let Caller::Here(cell) = &self.to
            && cell.poll_abandoned(cx).is_ready()
        {
            return Poll::Ready(Stop::Abandoned);
        }
        // A cancel frame ends the whole handler, and a one-way call runs to its end.
        if self.beside.aside.is_some() { self.beside.poll_expiry(cx) } else { Poll::Pending }
    }

    /// Ready when a handler is not to begin: the right that its call came by has ended, or it is ordered, and while it waited for those
    /// before it, its caller has gone, or its time was up. Others have not waited.
    pub(super) fn poll_skip(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        if self.beside.held.is_some()
            && let Some(stop) = self.beside.has_lost_its_right()
        {
            return Poll::Ready(stop);
        }
        if M::ORDERED
            && !self.beside.has_begun()
            && let Poll::Ready(stop) = self.poll_stop(cx)
        {
            return Poll::Ready(stop.before_the_begin());
        }
        if !self.beside.is_nothing() {
            self.beside.begins();
        }
        Poll::Pending
    }

    /// Answers for a handler that does not go on.
    pub(super) fn stopped(&mut self, stop: Stop) -> Answer {
        match stop {
            Stop::Abandoned => {
                self.settle(|| Outcome::Cancelled);
                Answer::DONE
            }
            Stop::Interrupted(why) => self.interrupt(why),
            Stop::Refused(why) => self.refuse_here(why),
        }
    }

    /// Polls a handler, when the layers around it let it; ready with what the method returned, when they let that go.
    fn poll_through_layers<F: Future<Output = M::Return>>(
        &mut self,
        handler: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<MethodResult<M>, Ended>> {
        let Some(layers) = self.beside.few_mut().and_then(|few| few.layers.as_mut()) else {
            return handler.poll(cx).map(|returned| Ok(M::into_result(returned)));
        };
        if !layers.has_returned() {
            ready!(layers.poll_begun(cx))?;
            let result = M::into_result(ready!(handler.poll(cx)));
            let outcome = Outcome::of_result(&result);
            layers.returned(Box::new(result), outcome);
        }
        layers.poll_ended(cx).map_ok(|result| *result.downcast().expect("it is what this method has returned"))
    }

    /// Ready when the layers around a method, if there are any, let it go on.
    pub(super) fn poll_let_on(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let layers = self.beside.few_mut().and_then(|few| few.layers.as_mut());
        layers.map_or(Poll::Ready(Ok(())), |layers| layers.poll_begun(cx))
    }

    pub(super) fn ended_by_layers(&mut self, ended: Ended) -> Answer {
        match ended {
            Ended::Refused(refusal) => self.refuse_here(refusal),
            Ended::Interrupted(interruption) => self.interrupt(interruption),
        }
    }

    /// Runs a handler to its end, or until the caller waits no longer, and answers for it.
    pub fn run<F: Future<Output = M::Return>>(self, handler: F) -> impl Future<Output = Answer> {
        Run { handler, responder: self }
    }

    /// Runs a handler that returns a stream, and then feeds that, to its end.
    pub fn run_stream<F, T, E>(self, handler: F) -> impl Future<Output = Answer>
    where
        M: Method<Ok = Streaming<T, E>>,
        F: Future<Output: IsResult<Ok: Stream<Item: IntoItem<T, E::Service>>, Err = M::Err>>,
        T: Wire + Send + 'static,
        E: Failure<Service: Wire + Send + 'static>,
    {
        RunStream::new(handler, self)
    }
}

impl<M: Method> Drop for Responder<M> {
    #[inline]
    fn drop(&mut self) {
        // Nearly always it has answered, and nobody watches.
        if self.beside.aside.is_some() || !matches!(self.to, Caller::Nobody) {
            self.drop_unanswered();
        }
    }
}

impl<M: Method> Responder<M> {
    #[cold]
    fn drop_unanswered(&mut self) {
        let error = self.beside.settle_unanswered();
        self.take().failed().drop_unanswered(error);
    }
}

fn report_panic(method: &'static str, message: &str) {
    tracing::error!(method, message, "a method panicked");
}

/// A handler that runs.
#[pin_project]
struct Run<M: Method, F> {
    #[pin]
    handler: F,
    responder: Responder<M>,
}

impl<M: Method, F: Future<Output = M::Return>> Future for Run<M, F> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let this = self.project();
        if let Poll::Ready(stop) = this.responder.poll_skip(cx) {
            return Poll::Ready(this.responder.stopped(stop));
        }
        let _inside = this.responder.enter();
        // The encoding of the result is the user's code as well. After a panic the handler is not polled again, and what it
        // shares with other handlers is for its author to keep in order, as with any panic that is caught.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let result = ready!(this.responder.poll_through_layers(this.handler, cx))?;
            let outcome = Outcome::of_result(&result);
            Poll::Ready(Ok((this.responder.reply(result), outcome)))
        }));
        match ran {
            Ok(Poll::Ready(Ok((answer, outcome)))) => {
                this.responder.settle(|| outcome);
                Poll::Ready(answer)
            }
            Ok(Poll::Ready(Err(ended))) => Poll::Ready(this.responder.ended_by_layers(ended)),
            Ok(Poll::Pending) => this.responder.poll_stop(cx).map(|stop| this.responder.stopped(stop)),
            Err(panic) => Poll::Ready(this.responder.panicked(panicking::words_of(&*panic))),
        }
    }
}
