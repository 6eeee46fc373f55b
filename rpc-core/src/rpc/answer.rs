//! Running a handler, and answering for it.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use futures::Stream;
use pin_project::pin_project;

use super::{
    CallContext, CallError, CallInfo, CallSide, Failure, Interruption, IsResult, Method, Outcome, Refusal, RpcError,
    Wire,
    attached::Attached,
    cell::{CallCell, Ending},
    context,
    frame::{CallId, Fault, Frame, Options, reply_head},
    options::ServeOptions,
    outbox::Outbox,
    run_stream::RunStream,
};
use crate::{
    Message,
    message::Encoder,
    stream::{Cut, IntoItem, Items, Results, Streaming},
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

/// The duty to answer one call, exactly once (C20). Dropped without an answer, it ends the call as interrupted.
#[derive(Debug)]
pub struct Responder<M: Method> {
    to: Caller<M>,
    /// What few calls have: a deadline, metadata, interceptors.
    attached: Option<Box<Attached>>,
    /// Where a reply goes that is sent before the handler has ended.
    outbox: Option<Outbox>,
    /// The streams in the arguments, which may be cut.
    cuts: Vec<Cut>,
}

/// Why a handler is not to go on.
pub(super) enum Stop {
    /// Nobody waits for it.
    Abandoned,
    /// Something came between.
    Interrupted(Interruption),
}

/// Where an answer goes.
enum Caller<M: Method> {
    /// Into the cell of a caller in this process.
    Here(Arc<CallCell<M>>),
    /// Out by the port that the call came from.
    There(CallId),
    /// One-way, or answered.
    Nobody,
}

impl<M: Method> std::fmt::Debug for Caller<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Here(_) => "Here",
            Self::There(_) => "There",
            Self::Nobody => "Nobody",
        })
    }
}

impl<M: Method> Responder<M> {
    pub(super) fn here(cell: Arc<CallCell<M>>) -> Self {
        Self::to(Caller::Here(cell))
    }

    pub(super) fn there(id: CallId) -> Self {
        Self::to(Caller::There(id))
    }

    pub(super) fn nobody() -> Self {
        Self::to(Caller::Nobody)
    }

    fn to(caller: Caller<M>) -> Self {
        Self { to: caller, attached: None, outbox: None, cuts: Vec::new() }
    }

    /// Gives it a way to reply before the handler has ended.
    pub(super) fn with_outbox(mut self, outbox: Outbox) -> Self {
        self.outbox = Some(outbox);
        self
    }

    /// Notes what came beside the arguments, and shows the call to the interceptors.
    ///
    /// # Errors
    /// The answer, if the call is not to be run.
    pub(super) fn attach(mut self, options: Options, settings: &ServeOptions) -> Result<Self, Answer> {
        if options.is_empty() && settings.is_plain() {
            return Ok(self);
        }
        match Attached::new(CallInfo::new(CallSide::Service, M::ID, M::NAME), options, settings) {
            Ok(attached) => {
                self.attached = Some(Box::new(attached));
                Ok(self)
            }
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }

    /// What the method can know of the call.
    pub fn context(&self) -> CallContext {
        match &self.attached {
            Some(attached) => attached.context().clone(),
            None => CallContext::new(CallInfo::new(CallSide::Service, M::ID, M::NAME), None, None),
        }
    }

    /// The context, if there is anything in it.
    pub(super) fn attached_context(&self) -> Option<CallContext> {
        self.attached.as_ref().map(|attached| attached.context().clone())
    }

    /// The items of a stream in the arguments. If it is cut, the method ends.
    pub fn items<T>(&mut self, stream: Streaming<T, CallError>) -> Items<T> {
        let items = stream.into_items();
        self.cuts.push(items.cut_signal());
        items
    }

    /// As [`items`](Self::items), of items that are results.
    pub fn results<T, X>(&mut self, stream: Streaming<T, RpcError<X>>) -> Results<T, X> {
        let items = stream.into_results();
        self.cuts.push(items.cut_signal());
        items
    }

    /// Answers, and goes on.
    pub(super) fn reply_early(&mut self, result: Result<M::Ok, M::Err>) {
        let id = if let Caller::There(id) = self.to { Some(id) } else { None };
        let answer = self.reply(result);
        if let (Some(outbox), Some(id)) = (&self.outbox, id) {
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
                    Ok(()) => Answer(Some(encoder.finish())),
                    Err(error) => Answer::fault(id, Fault::Interrupted(Interruption::unreadable(error))),
                }
            }
            Caller::Nobody => Answer::DONE,
        }
    }

    /// Answers that the method did not run.
    pub(super) fn refuse(mut self, refusal: Refusal) -> Answer {
        self.settle(|| Outcome::Failed(CallError::Refused(refusal.clone())));
        match self.take() {
            Caller::Here(cell) => {
                cell.end(Ending::Failed(CallError::Refused(refusal)));
                Answer::DONE
            }
            Caller::There(id) => Answer::fault(id, Fault::Refused(refusal)),
            Caller::Nobody => {
                tracing::warn!(method = M::NAME, %refusal, "a one-way call was refused");
                Answer::DONE
            }
        }
    }

    /// Answers that the method did not run to its end.
    fn interrupt(&mut self, interruption: Interruption) -> Answer {
        self.settle(|| Outcome::Failed(CallError::Unknown(interruption.clone())));
        match self.take() {
            Caller::Here(cell) => {
                cell.end(Ending::Failed(CallError::Unknown(interruption)));
                Answer::DONE
            }
            Caller::There(id) => Answer::fault(id, Fault::Interrupted(interruption)),
            Caller::Nobody => Answer::DONE,
        }
    }

    pub(super) fn panicked(&mut self, message: String) -> Answer {
        tracing::error!(method = M::NAME, message, "a method panicked");
        self.interrupt(Interruption::Panicked(message))
    }

    fn take(&mut self) -> Caller<M> {
        std::mem::replace(&mut self.to, Caller::Nobody)
    }

    /// Shows the interceptors how the call ended.
    pub(super) fn settle(&mut self, outcome: impl FnOnce() -> Outcome) {
        if let Some(attached) = self.attached.take() {
            attached.end(&outcome());
        }
    }

    /// Ready when the method is not to go on: nobody waits for it, its time is up, or a stream in its arguments was cut.
    pub(super) fn poll_stop(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        for cut in &mut self.cuts {
            if let Poll::Ready(why) = Pin::new(cut).poll(cx) {
                let why = format!("a stream in its arguments was cut: {why}");
                return Poll::Ready(Stop::Interrupted(Interruption::Cancelled(why)));
            }
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
        match &mut self.attached {
            Some(attached) => attached.poll_expiry(cx).map(|()| Stop::Interrupted(Interruption::DeadlineExceeded)),
            None => Poll::Pending,
        }
    }

    /// Ready when an ordered call is not to begin: while it waited for those before it, its caller has gone, or its time was up.
    /// Others have not waited.
    pub(super) fn poll_skip(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        if M::ORDERED { self.poll_stop(cx) } else { Poll::Pending }
    }

    /// Answers for a handler that does not go on.
    pub(super) fn stopped(&mut self, stop: Stop) -> Answer {
        match stop {
            Stop::Abandoned => {
                self.settle(|| Outcome::Cancelled);
                Answer::DONE
            }
            Stop::Interrupted(why) => self.interrupt(why),
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
    fn drop(&mut self) {
        self.settle(|| Outcome::Cancelled);
        if let Caller::Here(cell) = self.take() {
            let why = if std::thread::panicking() { crate::port::Gone::Panicked } else { crate::port::Gone::Closed };
            cell.end(Ending::Failed(CallError::Unknown(why.into())));
        }
    }
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
        let context = this.responder.attached_context();
        let _left = context::enter(context.as_ref());
        let _span = context.as_ref().map(|context| context.info().span.enter());
        // The encoding of the result is the user's code as well. After a panic the handler is not polled again, and what it
        // shares with other handlers is for its author to keep in order, as with any panic that is caught.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            this.handler.poll(cx).map(|returned| {
                let result = M::into_result(returned);
                let outcome = if result.is_ok() { Outcome::Returned } else { Outcome::ServiceError };
                (this.responder.reply(result), outcome)
            })
        }));
        match ran {
            Ok(Poll::Ready((answer, outcome))) => {
                this.responder.settle(|| outcome);
                Poll::Ready(answer)
            }
            Ok(Poll::Pending) => this.responder.poll_stop(cx).map(|stop| this.responder.stopped(stop)),
            Err(panic) => Poll::Ready(this.responder.panicked(panic_message(&*panic))),
        }
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
