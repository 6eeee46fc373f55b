//! The handlers of one service that run.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{
    Stream,
    future::{AbortHandle, AbortRegistration, Abortable},
    stream::FuturesUnordered,
};

use super::{Answer, frame::CallId, host::Whence, serve::How};

/// Runs handlers. One that is ready at once is polled in place, in a box that the next one uses again; only one that waits
/// keeps its box, and is queued.
pub(super) struct Handlers<F> {
    spare: Option<Slot<F>>,
    /// Made for the first that waits: a service need not have one.
    waiting: Option<FuturesUnordered<Waiting<F>>>,
}

/// A box for a handler.
type Slot<F> = Pin<Box<Option<F>>>;

/// Which call a handler answers, as far as it matters to those who wait for its end.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    /// Where the call came in.
    pub(super) whence: Whence,
    /// By what a frame knows it.
    pub(super) id: Option<CallId>,
    /// Whether the next ordered call waits for its end, and whether a cancel frame ends it.
    pub(super) how: How,
}

/// A handler that was begun.
pub(super) enum Begun {
    /// It has ended.
    Ended(Answer),
    /// It waits. This ends it from outside, if it has an id and can be cancelled.
    Waits(Option<AbortHandle>),
}

impl<F: Future<Output = Answer>> Handlers<F> {
    pub(super) fn new() -> Self {
        Self { spare: None, waiting: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many wait.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.waiting.as_ref().map_or(0, FuturesUnordered::len)
    }

    /// Polls a new handler once; keeps it, with its tag, if it waits. It is made where it is polled, for it may be large.
    #[inline(always)]
    pub(super) fn begin(
        &mut self,
        handler: impl FnOnce() -> F,
        tag: impl FnOnce() -> Tag,
        cx: &mut Context<'_>,
    ) -> Begun {
        let mut slot = self.spare.take().unwrap_or_else(|| Box::pin(None));
        slot.set(Some(handler()));
        if let Poll::Ready(answer) = poll_slot(&mut slot, cx) {
            self.spare = Some(slot);
            return Begun::Ended(answer);
        }
        Begun::Waits(self.keep(slot, tag()))
    }

    fn keep(&mut self, slot: Slot<F>, tag: Tag) -> Option<AbortHandle> {
        let (abort, registration) = (tag.id.is_some() && tag.how.cancels)
            .then(AbortHandle::new_pair)
            .map_or((None, None), |(abort, registration)| (Some(abort), Some(registration)));
        self.waiting.get_or_insert_default().push(Waiting::new(slot, tag, registration));
        abort
    }

    /// The next handler that waited and has ended, and its answer; `None` when none waits.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Tag, Answer)>> {
        let Some(waiting) = self.waiting.as_mut().filter(|waiting| !waiting.is_empty()) else {
            return Poll::Ready(None);
        };
        let Some((tag, slot, answer)) = ready!(Pin::new(waiting).poll_next(cx)) else {
            return Poll::Ready(None);
        };
        self.spare = slot.or(self.spare.take());
        Poll::Ready(Some((tag, answer)))
    }
}

/// Polls the handler in a slot. When it is done, the slot is empty again.
#[inline]
fn poll_slot<F: Future<Output = Answer>>(slot: &mut Slot<F>, cx: &mut Context<'_>) -> Poll<Answer> {
    let Some(handler) = slot.as_mut().as_pin_mut() else { return Poll::Ready(Answer::DONE) };
    let answer = ready!(handler.poll(cx));
    slot.set(None);
    Poll::Ready(answer)
}

/// A handler that waits.
struct Waiting<F> {
    tag: Tag,
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
    fn new(slot: Slot<F>, tag: Tag, registration: Option<AbortRegistration>) -> Self {
        let running = Running(Some(slot));
        let handler = match registration {
            Some(registration) => Stoppable::ByFrame(Abortable::new(running, registration)),
            None => Stoppable::ByCell(running),
        };
        Self { tag, handler }
    }
}

impl<F: Future<Output = Answer>> Future for Waiting<F> {
    type Output = (Tag, Option<Slot<F>>, Answer);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = match &mut self.handler {
            Stoppable::ByFrame(handler) => ready!(Pin::new(handler).poll(cx)).ok(),
            Stoppable::ByCell(handler) => Some(ready!(Pin::new(handler).poll(cx))),
        };
        let (slot, answer) = ended.unwrap_or((None, Answer::DONE));
        Poll::Ready((self.tag.clone(), slot, answer))
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
