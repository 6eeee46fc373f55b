//! The duty to answer one call, and running what it calls.
//!
//! It is generic over what travels, and not over the method: a program has it once for all methods of the same types.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll, ready},
};

use super::{
    Answer, CallContext, Interruption, Outcome, Refusal,
    around::Ended,
    beside::{Beside, Inside, info, is_free, report_refusal},
    cell::CallCell,
    codec::{Codec, Facts},
    current,
    desk::{At, Desk},
    failed::{Failed, Whom},
    frame::{CallId, Fault, Options, put_reply_head},
    held::{Held, claim},
    incoming::Came,
    outbox::Outbox,
    pipe::Pipe,
};
use crate::{
    live::{Alive, What},
    message::Encoder,
    panicking,
    sync::Arc,
};

/// The duty to answer one call, exactly once (C20), and to say what its caller may conclude (C5). Dropped without an answer, it ends the
/// call as interrupted, whatever it was dropped for (C18).
pub(super) struct Duty<A: Send + 'static, T: Send + 'static, E: Send + 'static> {
    to: Caller<A, T, E>,
    pub(super) beside: Beside,
    _alive: Alive,
}

/// Where an answer goes.
enum Caller<A: 'static, T: 'static, E: 'static> {
    /// Into the cell of a caller in this process.
    Here(Arc<CallCell<A, T, E>>),
    /// Out by the port that the call came from.
    There(CallId),
    /// To the port whose other end the caller calls already.
    Piped(Box<Pipe<T>>),
    /// One-way, or answered.
    Nobody,
}

impl<A, T: Send + 'static, E> From<Whom> for Caller<A, T, E> {
    #[inline(always)]
    fn from(whom: Whom) -> Self {
        match whom {
            Whom::There(id) => Self::There(id),
            Whom::Piped(port) => Self::Piped(Box::new(Pipe::for_bytes(port))),
            Whom::Nobody => Self::Nobody,
        }
    }
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

/// When a handler is polled first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// As soon as its call was opened, if it need not wait for others: see [`current`].
    AtOnce,
    AnyTime,
}

/// A handler, as it is polled: with what the method has returned.
pub(super) type PollHandler<'h, T, E> = &'h mut dyn FnMut(&mut Context<'_>) -> Poll<Result<T, E>>;

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Duty<A, T, E> {
    #[inline]
    pub(super) fn here(cell: Arc<CallCell<A, T, E>>, facts: &Facts) -> Self {
        Self::to(Caller::Here(cell), facts)
    }

    /// Whether nothing is to be attached to a call that says nothing beside its arguments, but what it takes of its right.
    #[inline(always)]
    pub(super) fn is_plain(facts: &Facts, desk: &Desk) -> bool {
        desk.is_unwatched && !facts.takes_context && (desk.is_plain || !is_free(facts.signature.method))
    }

    /// Of a [plain](Self::is_plain) call that is a value, as nearly all are. It is made in one piece, where it is returned.
    ///
    /// # Errors
    /// The answer, if the call is not to be run.
    #[inline(always)]
    pub(super) fn plain(
        cell: Arc<CallCell<A, T, E>>,
        begins: Begins,
        facts: &Facts,
        desk: At<'_>,
    ) -> Result<Self, Answer> {
        Self::plain_to(Caller::Here(cell), 0, begins, facts, desk)
    }

    /// As [`plain`](Self::plain), of a call that came as so many bytes.
    #[inline(always)]
    pub(super) fn plain_of(
        whom: Whom,
        bytes: usize,
        begins: Begins,
        facts: &Facts,
        desk: At<'_>,
    ) -> Result<Self, Answer> {
        Self::plain_to(Caller::from(whom), bytes, begins, facts, desk)
    }

    #[inline(always)]
    fn plain_to(
        to: Caller<A, T, E>,
        bytes: usize,
        begins: Begins,
        facts: &Facts,
        desk: At<'_>,
    ) -> Result<Self, Answer> {
        // Of the first port everything may be called, as often as anybody likes.
        let Some(desk) = desk.beside_first() else { return Ok(Self::to(to, facts)) };
        match claim(desk, bytes, facts.is_ordered) {
            Ok(_) if begins == Begins::AtOnce && desk.begins_at_once && !facts.is_ordered => {
                desk.set_owes_handle(true);
                Ok(Self::to(to, facts))
            }
            Ok(claimed) => {
                let beside = Beside { aside: None, held: Some(Box::new(Held::of(desk, claimed))) };
                Ok(Self { to, beside, _alive: Alive::new(What::Handler(facts.signature.name)) })
            }
            Err(refusal) => Err(Self::to(to, facts).refuse_claim(facts, desk, refusal)),
        }
    }

    pub(super) fn piped(pipe: Pipe<T>, facts: &Facts) -> Self {
        Self::to(Caller::Piped(Box::new(pipe)), facts)
    }

    /// Of a call that came as bytes, or of one-way ones.
    #[inline]
    pub(super) fn of(whom: Whom, facts: &Facts) -> Self {
        Self::to(Caller::from(whom), facts)
    }

    #[inline]
    fn to(to: Caller<A, T, E>, facts: &Facts) -> Self {
        Self { to, beside: Beside::default(), _alive: Alive::new(What::Handler(facts.signature.name)) }
    }

    /// Notes what came beside the arguments, and shows the call to the interceptors.
    ///
    /// # Errors
    /// The answer, if the call is not to be run.
    #[inline]
    pub(super) fn attach(
        &mut self,
        options: Option<Box<Options>>,
        came: Came,
        facts: &Facts,
        desk: At<'_>,
    ) -> Result<(), Answer> {
        if options.is_some() || facts.takes_context {
            self.attach_more(options, &came, facts, desk)
        } else if desk.is_plain {
            Ok(())
        } else if desk.is_unwatched && !is_free(facts.signature.method) {
            self.claim(came.bytes, facts, desk)
        } else {
            self.attach_more(options, &came, facts, desk)
        }
    }

    /// Takes the call out of what its right has left: all that there is to do where nobody watches.
    fn claim(&mut self, bytes: usize, facts: &Facts, desk: At<'_>) -> Result<(), Answer> {
        let Some(desk) = desk.beside_first() else { return Ok(()) };
        match claim(desk, bytes, facts.is_ordered) {
            Ok(claimed) => {
                self.beside.held = Some(Box::new(Held::of(desk, claimed)));
                Ok(())
            }
            Err(refusal) => Err(self.refuse_claim(facts, desk, refusal)),
        }
    }

    #[cold]
    fn refuse_claim(&mut self, facts: &Facts, desk: &Desk, refusal: Refusal) -> Answer {
        report_refusal(desk, facts.signature.name, &refusal);
        self.refuse(facts, refusal)
    }

    fn attach_more(
        &mut self,
        options: Option<Box<Options>>,
        came: &Came,
        facts: &Facts,
        desk: At<'_>,
    ) -> Result<(), Answer> {
        let (id, is_oneway) = (self.id(), self.is_oneway());
        self.beside.attach(facts, options, came, id, is_oneway, desk).map_err(|refusal| self.refuse(facts, refusal))
    }

    fn is_oneway(&self) -> bool {
        matches!(self.to, Caller::Nobody)
    }

    /// Of a call that came as bytes.
    fn id(&self) -> Option<CallId> {
        if let Caller::There(id) = self.to { Some(id) } else { None }
    }

    /// What the method can know of the call.
    pub(super) fn context(&self, facts: &Facts) -> CallContext {
        self.attached_context().unwrap_or_else(|| {
            let issuer = self.beside.issuer();
            CallContext::new(info(&facts.signature, self.is_oneway(), self.id(), 0), None, None, issuer)
        })
    }

    /// The context, if there is anything in it.
    fn attached_context(&self) -> Option<CallContext> {
        self.beside.few().map(|few| few.attached.context().clone())
    }

    /// Makes the call's context and span the current ones, while its handler is polled.
    #[inline]
    pub(super) fn enter(&self, is_any_current: bool) -> Option<Inside> {
        // Nearly always there is no context, and was none.
        if self.beside.aside.is_some() || is_any_current { Some(self.beside.enter()) } else { None }
    }

    /// Gives it a way to reply before the handler has ended.
    pub(super) fn with_outbox(mut self, outbox: Outbox) -> Self {
        self.beside.streams().outbox = Some(outbox);
        self
    }

    /// The call, if its caller is in this process and waits.
    pub(super) fn cell(&self) -> Option<Arc<CallCell<A, T, E>>> {
        if let Caller::Here(cell) = &self.to { Some(cell.clone()) } else { None }
    }

    /// Answers at once.
    pub(super) fn answer(mut self, codec: &Codec<A, T, E>, result: Result<T, E>) -> Answer {
        let answer = self.reply(codec, result);
        self.settle(|| Outcome::Returned);
        answer
    }

    /// Answers, and goes on.
    pub(super) fn reply_early(&mut self, codec: &Codec<A, T, E>, result: Result<T, E>) {
        let id = self.id();
        let answer = self.reply(codec, result);
        let outbox = self.beside.aside.as_ref().and_then(|aside| aside.streams.outbox.as_ref());
        if let (Some(outbox), Some(id)) = (outbox, id) {
            outbox.put(id, answer);
        }
    }

    /// Answers with what the method returned.
    pub(super) fn reply(&mut self, codec: &Codec<A, T, E>, result: Result<T, E>) -> Answer {
        match self.take() {
            Caller::Here(cell) => {
                cell.returned(result);
                Answer::DONE
            }
            Caller::There(id) => {
                let mut encoder = Encoder::frame(|head| put_reply_head(id, head));
                match encoder.put_all(|encoder| (codec.result.put)(&result, encoder)) {
                    Ok(()) => {
                        let reply = encoder.finish();
                        Answer::of(if self.beside.is_nothing() { reply } else { self.beside.note_reply(reply) })
                    }
                    Err(error) => Answer::fault(id, Fault::Interrupted(Interruption::unreadable(&error))),
                }
            }
            Caller::Piped(pipe) => pipe.returned(&codec.result, result),
            Caller::Nobody => Answer::DONE,
        }
    }

    /// Answers that the method did not run.
    #[cold]
    pub(super) fn refuse(&mut self, facts: &Facts, refusal: Refusal) -> Answer {
        self.beside.refuse(&refusal);
        self.take_failed().refuse(&facts.signature.name, refusal)
    }

    /// Answers that the method did not run to its end.
    #[cold]
    fn interrupt(&mut self, interruption: Interruption) -> Answer {
        self.beside.interrupt(&interruption);
        self.take_failed().interrupt(interruption)
    }

    pub(super) fn panicked(&mut self, facts: &Facts, message: String) -> Answer {
        report_panic(facts.signature.name, &message);
        self.interrupt(Interruption::Panicked(message))
    }

    fn take(&mut self) -> Caller<A, T, E> {
        std::mem::replace(&mut self.to, Caller::Nobody)
    }

    /// The caller, who will be told no result.
    fn take_failed(&mut self) -> Failed {
        match self.take() {
            Caller::Here(cell) => Failed::Here(cell),
            Caller::There(id) => Failed::There(id),
            Caller::Piped(pipe) => Failed::Piped(pipe.into_port()),
            Caller::Nobody => Failed::Nobody,
        }
    }

    /// Shows the interceptors how the call ended.
    #[inline]
    pub(super) fn settle(&mut self, outcome: impl FnOnce() -> Outcome) {
        if self.beside.aside.is_some() {
            self.beside.settle(&outcome());
        }
    }

    /// Ready when the method is not to go on: nobody waits for it, its time is up, or a stream in its arguments was cut.
    pub(super) fn poll_stop(&mut self, facts: &Facts, cx: &mut Context<'_>) -> Poll<Stop> {
        if let Some(held) = &mut self.beside.held
            && let Poll::Ready(why) = held.poll_ended(cx)
        {
            if facts.cancels {
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
        if !facts.cancels {
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
    #[inline(always)]
    pub(super) fn poll_skip(&mut self, facts: &Facts, cx: &mut Context<'_>) -> Poll<Stop> {
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
    pub(super) fn stopped(&mut self, facts: &Facts, stop: Stop) -> Answer {
        match stop {
            Stop::Abandoned => {
                self.settle(|| Outcome::Cancelled);
                Answer::DONE
            }
            Stop::Interrupted(why) => self.interrupt(why),
            Stop::Refused(why) => self.refuse(facts, why),
        }
    }

    /// Whether it has begun without a handle on its port, and got it now.
    #[cold]
    fn gets_handle(&mut self) -> bool {
        let handle = current::take_handle();
        let is_there = handle.is_some();
        if let Some(desk) = handle {
            self.beside.held = Some(Box::new(Held::of_begun(desk)));
        }
        is_there
    }

    /// Polls a handler once, if it is to go on, and answers for it when it is at its end.
    pub(super) fn run(
        &mut self,
        codec: &Codec<A, T, E>,
        handler: PollHandler<'_, T, E>,
        cx: &mut Context<'_>,
    ) -> Poll<Answer> {
        let facts = &codec.facts;
        let is_any = current::is_any();
        if is_any && self.gets_handle() {
            return self.poll_stop(facts, cx).map(|stop| self.stopped(facts, stop));
        }
        if let Poll::Ready(stop) = self.poll_skip(facts, cx) {
            return Poll::Ready(self.stopped(facts, stop));
        }
        let _inside = self.enter(is_any);
        // The encoding of the result is the user's code as well. After a panic the handler is not polled again, and what it
        // shares with other handlers is for its author to keep in order, as with any panic that is caught.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let result = ready!(self.poll_through_layers(handler, cx))?;
            let is_error = result.is_err();
            Poll::Ready(Ok((self.reply(codec, result), is_error)))
        }));
        match ran {
            Ok(Poll::Ready(Ok((answer, is_error)))) => {
                self.settle(|| if is_error { Outcome::ServiceError } else { Outcome::Returned });
                Poll::Ready(answer)
            }
            Ok(Poll::Ready(Err(ended))) => Poll::Ready(self.ended_by_layers(facts, ended)),
            Ok(Poll::Pending) => self.poll_stop(facts, cx).map(|stop| self.stopped(facts, stop)),
            Err(panic) => Poll::Ready(self.panicked(facts, panicking::words_of(&*panic))),
        }
    }

    /// Polls a handler, when the layers around it let it; ready with what the method returned, when they let that go.
    #[inline]
    fn poll_through_layers(
        &mut self,
        handler: PollHandler<'_, T, E>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Result<T, E>, Ended>> {
        let Some(layers) = self.beside.few_mut().and_then(|few| few.layers.as_mut()) else {
            return handler(cx).map(Ok);
        };
        if !layers.has_returned() {
            ready!(layers.poll_begun(cx))?;
            let result = ready!(handler(cx));
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

    pub(super) fn ended_by_layers(&mut self, facts: &Facts, ended: Ended) -> Answer {
        match ended {
            Ended::Refused(refusal) => self.refuse(facts, refusal),
            Ended::Interrupted(interruption) => self.interrupt(interruption),
        }
    }

    #[cold]
    fn drop_unanswered(&mut self) {
        let error = self.beside.settle_unanswered();
        self.take_failed().drop_unanswered(error);
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Drop for Duty<A, T, E> {
    #[inline]
    fn drop(&mut self) {
        // Nearly always it has answered, and nobody watches.
        if self.beside.aside.is_some() || !matches!(self.to, Caller::Nobody) {
            self.drop_unanswered();
        }
    }
}

fn report_panic(method: &'static str, message: &str) {
    tracing::error!(method, message, "a method panicked");
}
