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

use super::{Answer, current, frame::CallId, host::Whence, serve::How};

/// Runs handlers. One that is ready at once is polled in place, in a box that the next one uses again; only one that waits
/// keeps its box. As long as it is alone, it is woken with the service; with others it is queued, and polled only when it was woken itself.
pub(super) struct Handlers<F> {
    spare: Option<Slot<F>>,
    /// The only one that waits, until another begins.
    alone: Option<Alone<F>>,
    /// Made for the first that waits beside another: a service need not have one.
    waiting: Option<Box<FuturesUnordered<Waiting<F>>>>,
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
        Self { spare: None, alone: None, waiting: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many wait.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.len()) + usize::from(self.alone.is_some())
    }

    /// Polls a new handler once; keeps it, with its tag, if it waits. It is made where it is polled, for it may be large.
    #[inline(always)]
    pub(super) fn begin(
        &mut self,
        handler: impl FnOnce() -> F,
        tag: impl FnOnce() -> Tag,
        cx: &mut Context<'_>,
    ) -> Begun {
        if self.alone.is_some() {
            self.join();
        }
        let mut slot = self.spare.take().unwrap_or_else(|| Box::pin(None));
        slot.set(Some(handler()));
        if let Poll::Ready(answer) = poll_slot(&mut slot, cx) {
            self.spare = Some(slot);
            return Begun::Ended(answer);
        }
        self.waits(slot, tag(), cx)
    }

    /// A handler waits. If it was begun without a handle on its port, it gets one.
    #[inline(never)]
    fn waits(&mut self, mut slot: Slot<F>, tag: Tag, cx: &mut Context<'_>) -> Begun {
        if let Some(desk) = &tag.whence
            && desk.take_owes_handle()
            && let Poll::Ready(answer) = current::hand(desk.clone(), || poll_slot(&mut slot, cx))
        {
            self.spare = Some(slot);
            return Begun::Ended(answer);
        }
        Begun::Waits(self.keep(slot, tag))
    }

    fn keep(&mut self, slot: Slot<F>, tag: Tag) -> Option<AbortHandle> {
        if tag.id.is_some() && tag.how.cancels {
            let (abort, registration) = AbortHandle::new_pair();
            self.queue(Waiting::new(slot, tag, Some(registration)));
            return Some(abort);
        }
        if self.is_empty() {
            self.alone = Some(Alone { slot, tag });
        } else {
            self.queue(Waiting::new(slot, tag, None));
        }
        None
    }

    /// The one that waits alone does so no more.
    #[cold]
    fn join(&mut self) {
        if let Some(Alone { slot, tag }) = self.alone.take() {
            self.queue(Waiting::new(slot, tag, None));
        }
    }

    fn queue(&mut self, waiting: Waiting<F>) {
        self.waiting.get_or_insert_default().push(waiting);
    }

    /// Polls the handler that waits alone. It has the waker of the service, so it may be that it is polled for something else.
    pub(super) fn poll_alone(&mut self, cx: &mut Context<'_>) -> Poll<(Tag, Answer)> {
        let Some(alone) = &mut self.alone else { return Poll::Pending };
        let answer = ready!(poll_slot(&mut alone.slot, cx));
        let Some(Alone { slot, tag }) = self.alone.take() else { return Poll::Pending };
        self.spare = Some(slot);
        Poll::Ready((tag, answer))
    }

    /// The next handler that waited with others and has ended, and its answer; `None` when none waits.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Tag, Answer)>> {
        let Some(waiting) = self.waiting.as_mut().filter(|waiting| !waiting.is_empty()) else {
            return Poll::Ready(None);
        };
        let Some((tag, slot, answer)) = ready!(Pin::new(&mut **waiting).poll_next(cx)) else {
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

/// A handler that waits, and no other does.
struct Alone<F> {
    slot: Slot<F>,
    tag: Tag,
}

/// A handler that waits with others, or can be stopped by a frame.
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

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{cell::Cell, task::Waker};

    use futures::{
        channel::oneshot::{self, Receiver, Sender},
        future::LocalBoxFuture,
    };

    use super::*;

    type Handler<'a> = LocalBoxFuture<'a, Answer>;

    /// A handler that counts how often it is polled, and ends when it is let.
    fn handler<'a>(polls: &'a Cell<u32>) -> (Sender<()>, Handler<'a>) {
        let (sender, mut receiver): (_, Receiver<()>) = oneshot::channel();
        let polled = std::future::poll_fn(move |cx| {
            polls.set(polls.get() + 1);
            Pin::new(&mut receiver).poll(cx).map(|_| Answer::DONE)
        });
        (sender, Box::pin(polled))
    }

    fn begin<'a>(handlers: &mut Handlers<Handler<'a>>, handler: Handler<'a>, id: Option<CallId>) -> Begun {
        let tag = || Tag { whence: None, id, how: How { ordered: false, cancels: true } };
        handlers.begin(|| handler, tag, &mut Context::from_waker(Waker::noop()))
    }

    /// What a service does in a turn. How many handlers have ended.
    fn turn(handlers: &mut Handlers<Handler<'_>>) -> usize {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut ended = usize::from(handlers.poll_alone(cx).is_ready());
        while let Poll::Ready(Some(_)) = handlers.poll_next(cx) {
            ended += 1;
        }
        ended
    }

    #[test]
    fn a_handler_that_waits_alone_is_polled_once_in_a_turn() {
        let (polls, mut handlers) = (Cell::new(0), Handlers::new());
        let (end, handler) = handler(&polls);
        assert!(matches!(begin(&mut handlers, handler, None), Begun::Waits(None)));
        assert_eq!((polls.get(), handlers.len()), (1, 1));

        end.send(()).unwrap();

        assert_eq!(turn(&mut handlers), 1);
        assert_eq!((polls.get(), handlers.len()), (2, 0));
        assert!(handlers.waiting.is_none() && handlers.spare.is_some());
    }

    #[test]
    fn handlers_that_wait_together_are_polled_only_when_they_were_woken() {
        let (first, second, mut handlers) = (Cell::new(0), Cell::new(0), Handlers::new());
        let (end_first, handler_of_first) = handler(&first);
        let (end_second, handler_of_second) = handler(&second);
        begin(&mut handlers, handler_of_first, None);
        begin(&mut handlers, handler_of_second, None);
        assert_eq!((handlers.len(), turn(&mut handlers)), (2, 0));
        let polls = first.get();

        end_second.send(()).unwrap();

        assert_eq!((turn(&mut handlers), first.get()), (1, polls));
        end_first.send(()).unwrap();
        assert_eq!((turn(&mut handlers), handlers.is_empty()), (1, true));
    }

    #[test]
    fn a_handler_that_begins_and_ends_at_once_leaves_the_one_that_waits_in_the_queue() {
        let (waiting, mut handlers) = (Cell::new(0), Handlers::new());
        let (end, handler) = handler(&waiting);
        begin(&mut handlers, handler, None);

        assert!(matches!(begin(&mut handlers, Box::pin(async { Answer::DONE }), None), Begun::Ended(_)));
        assert_eq!((handlers.len(), turn(&mut handlers)), (1, 0));

        let polls = waiting.get();
        assert_eq!((turn(&mut handlers), waiting.get()), (0, polls));
        end.send(()).unwrap();
        assert_eq!((turn(&mut handlers), handlers.is_empty()), (1, true));
    }

    #[test]
    fn a_handler_that_a_frame_may_stop_ends_when_it_is_stopped_although_nothing_has_woken_it() {
        let (polls, mut handlers) = (Cell::new(0), Handlers::new());
        let (_end, handler) = handler(&polls);
        let Begun::Waits(Some(abort)) = begin(&mut handlers, handler, Some(CallId(1))) else {
            panic!("it waits, and can be stopped")
        };

        abort.abort();

        assert_eq!((turn(&mut handlers), handlers.is_empty()), (1, true));
    }
}
