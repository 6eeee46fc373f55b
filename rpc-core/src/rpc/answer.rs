//! Running a handler, and answering for it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use pin_project::pin_project;

use super::{
    CallError, Interruption, Method, Refusal,
    cell::{CallCell, Ending},
    frame::{CallId, Fault, Frame, reply_head},
};
use crate::{Message, message::Encoder, panicking, port::Gone, sync::Arc};

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
pub struct Responder<M: Method>(Caller<M>);

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
        Self(Caller::Here(cell))
    }

    pub(super) fn there(id: CallId) -> Self {
        Self(Caller::There(id))
    }

    pub(super) fn nobody() -> Self {
        Self(Caller::Nobody)
    }

    fn take(&mut self) -> Caller<M> {
        std::mem::replace(&mut self.0, Caller::Nobody)
    }

    fn reply(&mut self, result: Result<M::Ok, M::Err>) -> Answer {
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

    fn panicked(&mut self, message: String) -> Answer {
        tracing::error!(method = M::NAME, message, "a method panicked");
        let interruption = Interruption::Panicked(message);
        match self.take() {
            Caller::Here(cell) => {
                cell.end(Ending::Failed(CallError::Unknown(interruption)));
                Answer::DONE
            }
            Caller::There(id) => Answer::fault(id, Fault::Interrupted(interruption)),
            Caller::Nobody => Answer::DONE,
        }
    }

    fn poll_abandoned(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.0 {
            Caller::Here(cell) => cell.poll_abandoned(cx),
            // A cancel frame ends the whole handler, and a one-way call runs to its end.
            Caller::There(_) | Caller::Nobody => Poll::Pending,
        }
    }

    /// Runs a handler to its end, or until the caller waits no longer, and answers for it.
    pub fn run<F: Future<Output = M::Return>>(self, handler: F) -> impl Future<Output = Answer> {
        Run { handler, responder: self }
    }
}

impl<M: Method> Drop for Responder<M> {
    fn drop(&mut self) {
        if let Caller::Here(cell) = self.take() {
            if panicking::keep(|| Self::here(cell.clone())) {
                return;
            }
            let why = if panicking::is_loss() { Gone::Panicked } else { Gone::Closed };
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
        // The encoding of the result is the user's code as well. After a panic the handler is not polled again, and what it
        // shares with other handlers is for its author to keep in order, as with any panic that is caught.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            this.handler.poll(cx).map(|returned| this.responder.reply(M::into_result(returned)))
        }));
        match ran {
            Ok(Poll::Ready(answer)) => Poll::Ready(answer),
            Ok(Poll::Pending) => this.responder.poll_abandoned(cx).map(|()| Answer::DONE),
            Err(panic) => Poll::Ready(this.responder.panicked(panicking::words_of(&*panic))),
        }
    }
}
