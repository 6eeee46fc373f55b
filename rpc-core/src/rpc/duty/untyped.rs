//! A duty, to those who do not care for what is answered.

use std::{
    any::Any,
    task::{Context, Poll, ready},
};

use super::{
    super::{
        Answer, CallContext, Interruption, Outcome, Refusal, around::Ended, beside::info, cell::poll_abandoned,
        codec::Facts, current, frame::CallId, held::Held, outbox::Outbox,
    },
    Duty, To,
};
use crate::panicking;

/// Why a handler is not to go on.
pub(in crate::rpc) enum Stop {
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

impl Duty {
    fn is_oneway(&self) -> bool {
        self.to.is_nobody()
    }

    /// Of a call that came as bytes.
    pub(super) fn id(&self) -> Option<CallId> {
        if let To::There(id) = self.to.look() { Some(id) } else { None }
    }

    /// What the method can know of the call.
    pub(in crate::rpc) fn context(&self, facts: &Facts) -> CallContext {
        self.attached_context().unwrap_or_else(|| {
            let issuer = self.beside.issuer();
            CallContext::new(info(&facts.signature, self.is_oneway(), self.id(), 0), None, None, issuer)
        })
    }

    /// The context, if there is anything in it.
    fn attached_context(&self) -> Option<CallContext> {
        self.beside.few().map(|few| few.attached.context().clone())
    }

    /// Gives it a way to reply before the handler has ended.
    pub(in crate::rpc) fn set_outbox(&mut self, outbox: Outbox) {
        self.beside.streams().outbox = Some(outbox);
    }

    pub(super) fn put_early(&self, id: Option<CallId>, answer: Answer) {
        let outbox = self.beside.aside.as_ref().and_then(|aside| aside.streams.outbox.as_ref());
        if let (Some(outbox), Some(id)) = (outbox, id) {
            outbox.put(id, answer);
        }
    }

    /// Answers that the method did not run.
    #[cold]
    pub(in crate::rpc) fn refuse(&mut self, facts: &Facts, refusal: Refusal) -> Answer {
        self.beside.refuse(&refusal);
        self.to.take_failed().refuse(&facts.signature.name, refusal)
    }

    /// Answers that the method did not run to its end.
    #[cold]
    fn interrupt(&mut self, interruption: Interruption) -> Answer {
        self.beside.interrupt(&interruption);
        self.to.take_failed().interrupt(interruption)
    }

    /// Answers for a handler that panicked.
    #[cold]
    pub(in crate::rpc) fn caught(&mut self, facts: &Facts, panic: &(dyn Any + Send)) -> Answer {
        let message = panicking::words_of(panic);
        report_panic(facts.signature.name, &message);
        self.interrupt(Interruption::Panicked(message))
    }

    /// Shows the interceptors how the call ended.
    #[inline]
    pub(in crate::rpc) fn settle(&mut self, outcome: impl FnOnce() -> Outcome) {
        if self.beside.aside.is_some() {
            self.beside.settle(&outcome());
        }
    }

    /// Ready when the method is not to go on: nobody waits for it, its time is up, or a stream in its arguments was cut.
    pub(in crate::rpc) fn poll_stop(&mut self, facts: &Facts, cx: &mut Context<'_>) -> Poll<Stop> {
        if let Some(held) = &mut self.beside.held
            && let Poll::Ready(why) = held.poll_ended(cx)
        {
            if facts.cancels {
                return Poll::Ready(Stop::Interrupted(why.interruption()));
            }
            // It runs to its end; but who has called has no right to what comes of it, and is told now.
            if !self.to.is_nobody() {
                let _told_by_whoever_serves = self.interrupt(why.interruption());
            }
        }
        if self.beside.aside.is_some()
            && let Poll::Ready(stop) = self.beside.poll_cut(cx)
        {
            return Poll::Ready(stop);
        }
        if !facts.cancels {
            return Poll::Pending;
        }
        if let To::Here(cell) = self.to.look()
            && poll_abandoned(cell, cx).is_ready()
        {
            return Poll::Ready(Stop::Abandoned);
        }
        // A cancel frame ends the whole handler, and a one-way call runs to its end.
        if self.beside.aside.is_some() { self.beside.poll_expiry(cx) } else { Poll::Pending }
    }

    /// Ready when a handler is not to begin: the right that its call came by has ended, or it is ordered, and while it waited for those
    /// before it, its caller has gone, or its time was up. Others have not waited.
    #[inline(always)]
    pub(in crate::rpc) fn poll_skip(&mut self, facts: &Facts, cx: &mut Context<'_>) -> Poll<Stop> {
        if self.beside.held.is_some()
            && let Some(stop) = self.beside.has_lost_its_right()
        {
            return Poll::Ready(stop);
        }
        if facts.is_ordered
            && !self.beside.has_begun()
            && let Poll::Ready(stop) = self.poll_stop(facts, cx)
        {
            return Poll::Ready(stop.before_the_begin());
        }
        if !self.beside.is_nothing() {
            self.beside.begins();
        }
        Poll::Pending
    }

    /// Answers for a handler that does not go on.
    pub(in crate::rpc) fn stopped(&mut self, facts: &Facts, stop: Stop) -> Answer {
        match stop {
            Stop::Abandoned => {
                self.settle(|| Outcome::Cancelled);
                Answer::DONE
            }
            Stop::Interrupted(why) => self.interrupt(why),
            Stop::Refused(why) => self.refuse(facts, why),
        }
    }

    /// Ready with the answer for a handler that waits and is not to go on.
    pub(super) fn poll_stopped(&mut self, facts: &Facts, cx: &mut Context<'_>) -> Poll<Answer> {
        let stop = ready!(self.poll_stop(facts, cx));
        Poll::Ready(self.stopped(facts, stop))
    }

    /// Whether it has begun without a handle on its port, and got it now.
    #[cold]
    pub(super) fn gets_handle(&mut self) -> bool {
        let handle = current::take_handle();
        let is_there = handle.is_some();
        if let Some(desk) = handle {
            self.beside.held = Some(Box::new(Held::of_begun(desk)));
        }
        is_there
    }

    /// Ready when the layers around a method, if there are any, let it go on.
    pub(in crate::rpc) fn poll_let_on(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        self.beside.layers().map_or(Poll::Ready(Ok(())), |layers| layers.poll_begun(cx))
    }

    pub(in crate::rpc) fn ended_by_layers(&mut self, facts: &Facts, ended: Ended) -> Answer {
        match ended {
            Ended::Refused(refusal) => self.refuse(facts, refusal),
            Ended::Interrupted(interruption) => self.interrupt(interruption),
        }
    }
}

fn report_panic(method: &'static str, message: &str) {
    tracing::error!(method, message, "a method panicked");
}
