//! The handlers of one service that run.

use std::{
    collections::HashMap,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{
    Stream,
    future::{AbortHandle, AbortRegistration, Abortable},
    stream::FuturesUnordered,
};

use super::{Answer, frame::CallId};

/// Runs handlers. One that is ready at once is polled in place, in a box that the next one uses again; only one that waits
/// keeps its box, and is queued.
pub(super) struct Handlers<F> {
    spare: Option<Slot<F>>,
    waiting: FuturesUnordered<Waiting<F>>,
    /// How to end those that can be cancelled by a frame.
    by_id: HashMap<CallId, AbortHandle>,
}

/// A box for a handler.
type Slot<F> = Pin<Box<Option<F>>>;

impl<F: Future<Output = Answer>> Handlers<F> {
    pub(super) fn new() -> Self {
        Self { spare: None, waiting: FuturesUnordered::new(), by_id: HashMap::new() }
    }

    /// Whether a call with this id is running.
    pub(super) fn contains(&self, id: CallId) -> bool {
        self.by_id.contains_key(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Polls a new handler once; keeps it if it waits.
    pub(super) fn start(&mut self, handler: F, id: Option<CallId>, cx: &mut Context<'_>) -> Poll<Answer> {
        let mut slot = self.spare.take().unwrap_or_else(|| Box::pin(None));
        slot.set(Some(handler));
        if let Poll::Ready(answer) = poll_slot(&mut slot, cx) {
            self.spare = Some(slot);
            return Poll::Ready(answer);
        }
        let end = id.map(|id| {
            let (handle, registration) = AbortHandle::new_pair();
            self.by_id.insert(id, handle);
            (id, registration)
        });
        self.waiting.push(Waiting::new(slot, end));
        Poll::Pending
    }

    /// The next answer of a handler that waited; `None` when none waits.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Answer>> {
        if self.waiting.is_empty() {
            return Poll::Ready(None);
        }
        let Some((id, slot, answer)) = ready!(Pin::new(&mut self.waiting).poll_next(cx)) else {
            return Poll::Ready(None);
        };
        if let Some(id) = id {
            self.by_id.remove(&id);
        }
        self.spare = slot.or(self.spare.take());
        Poll::Ready(Some(answer))
    }

    /// Ends a handler at its next `.await`. An id that is not known, or no longer, is ignored.
    pub(super) fn cancel(&mut self, id: CallId) {
        if let Some(handle) = self.by_id.remove(&id) {
            handle.abort();
        }
    }

    /// Ends every handler whose answer could only go out by the port: there is none any more.
    pub(super) fn cancel_all_remote(&mut self) {
        for (_, handle) in self.by_id.drain() {
            handle.abort();
        }
    }
}

/// Polls the handler in a slot. When it is done, the slot is empty again.
fn poll_slot<F: Future<Output = Answer>>(slot: &mut Slot<F>, cx: &mut Context<'_>) -> Poll<Answer> {
    let Some(handler) = slot.as_mut().as_pin_mut() else { return Poll::Ready(Answer::DONE) };
    let answer = ready!(handler.poll(cx));
    slot.set(None);
    Poll::Ready(answer)
}

/// A handler that waits.
struct Waiting<F> {
    id: Option<CallId>,
    handler: Stoppable<F>,
}

/// Only a call that came as bytes is stopped from outside; the others learn of it by their cell.
enum Stoppable<F> {
    ByFrame(Abortable<Running<F>>),
    ByCell(Running<F>),
}

/// A slot that is a future, and comes back with the answer.
struct Running<F>(Option<Slot<F>>);

impl<F: Future<Output = Answer>> Waiting<F> {
    fn new(slot: Slot<F>, end: Option<(CallId, AbortRegistration)>) -> Self {
        let running = Running(Some(slot));
        match end {
            Some((id, registration)) => {
                Self { id: Some(id), handler: Stoppable::ByFrame(Abortable::new(running, registration)) }
            }
            None => Self { id: None, handler: Stoppable::ByCell(running) },
        }
    }
}

impl<F: Future<Output = Answer>> Future for Waiting<F> {
    type Output = (Option<CallId>, Option<Slot<F>>, Answer);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let id = self.id;
        let ended = match &mut self.handler {
            Stoppable::ByFrame(handler) => ready!(Pin::new(handler).poll(cx)).ok(),
            Stoppable::ByCell(handler) => Some(ready!(Pin::new(handler).poll(cx))),
        };
        Poll::Ready(match ended {
            Some((slot, answer)) => (id, slot, answer),
            None => (id, None, Answer::DONE),
        })
    }
}

impl<F: Future<Output = Answer>> Future for Running<F> {
    type Output = (Option<Slot<F>>, Answer);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(slot) = &mut self.0 else { return Poll::Ready((None, Answer::DONE)) };
        let answer = ready!(poll_slot(slot, cx));
        Poll::Ready((self.0.take(), answer))
    }
}
