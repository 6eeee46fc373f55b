//! The duty to answer one call, and running what it calls.
//!
//! Where its answer goes knows the types that travel, and nothing else does: the rest is there once in a program, for a duty to a caller of
//! any kind. On the way that nearly every call goes, that is inlined, as if it were generic, but not in debug builds: there it is compiled
//! once.

use std::{
    any::Any,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll, ready},
};

use super::{
    Answer, CallContext, Interruption, Outcome, Refusal,
    around::{Ended, Surrounded},
    arrived::Came,
    beside::{Beside, info, is_free, report_refusal},
    call_info::Arrival,
    cell::{CallCell, Cell, Putting, ToPut, poll_abandoned},
    codec::{Codec, Facts},
    current,
    desk::{At, Desk},
    failed::{Failed, Whom},
    frame::{CallId, Fault, Options, put_reply_head},
    held::{Held, claim},
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
pub(super) struct Duty<C: ToCaller + ?Sized = dyn ToCaller> {
    pub(super) beside: Beside,
    _alive: Alive,
    to: C,
}

/// The duty to answer a call whose cell would be one of these.
pub(super) type DutyBy<K> = Duty<Caller<K>>;

/// Where an answer goes.
pub(super) enum Caller<K> {
    /// Into the cell of a caller in this process.
    Here(Arc<K>),
    /// Out by the port that the call came from.
    There(CallId),
    /// To the port whose other end the caller calls already.
    Piped(Box<Pipe>),
    /// One-way, or answered.
    Nobody,
}

/// Where an answer goes, as far as it does not matter what the answer is.
pub(super) trait ToCaller {
    /// Whether nobody waits for an answer from here.
    fn is_nobody(&self) -> bool;

    /// Where that is.
    fn look(&self) -> To<'_>;

    /// The caller, who will be told no result.
    fn take_failed(&mut self) -> Failed;
}

/// A [`Caller`] of any kind.
pub(super) enum To<'c> {
    Here(&'c dyn Cell),
    There(CallId),
    Piped,
    Nobody,
}

impl<K: Cell> ToCaller for Caller<K> {
    #[inline]
    fn is_nobody(&self) -> bool {
        matches!(self, Self::Nobody)
    }

    #[inline]
    fn look(&self) -> To<'_> {
        match self {
            Self::Here(cell) => To::Here(&**cell),
            Self::There(id) => To::There(*id),
            Self::Piped(_) => To::Piped,
            Self::Nobody => To::Nobody,
        }
    }

    fn take_failed(&mut self) -> Failed {
        match mem::replace(self, Self::Nobody) {
            Self::Here(cell) => Failed::Here(cell),
            Self::There(id) => Failed::There(id),
            Self::Piped(pipe) => Failed::Piped(pipe.into_port()),
            Self::Nobody => Failed::Nobody,
        }
    }
}

impl<K> From<Whom> for Caller<K> {
    #[inline(always)]
    fn from(whom: Whom) -> Self {
        match whom {
            Whom::There(id) => Self::There(id),
            Whom::Piped(pipe) => Self::Piped(pipe),
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
pub(super) trait Handler<T, E> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>>;
}

impl<K: Cell> DutyBy<K> {
    /// To answer a call that is a value.
    ///
    /// # Errors
    /// The answer, if the call is not to be run.
    #[inline]
    pub(super) fn here(
        cell: Arc<K>,
        options: Option<Box<Options>>,
        arrival: Option<Box<Arrival>>,
        begins: Begins,
        facts: &Facts,
        desk: At<'_>,
    ) -> Result<Self, Answer> {
        // So nearly all are. It is made in one piece, where it is returned.
        if options.is_none() && is_plain(facts, &desk) {
            return Self::plain(cell, begins, facts, desk);
        }
        match begin(options, Came { arrival, bytes: 0 }, None, false, begins, facts, desk) {
            Ok(beside) => Ok(Self::new(Caller::Here(cell), beside, facts)),
            Err(refusal) => Err(refuse(cell, facts, refusal)),
        }
    }

    /// As [`here`](Self::here), of a [plain](is_plain) call.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn plain(cell: Arc<K>, begins: Begins, facts: &Facts, desk: At<'_>) -> Result<Self, Answer> {
        let Some(desk) = desk.beside_first() else {
            return Ok(Self::new(Caller::Here(cell), Beside::default(), facts));
        };
        match begin_beside_first(0, begins, facts, desk) {
            Ok(None) => Ok(Self::new(Caller::Here(cell), Beside::default(), facts)),
            Ok(held) => Ok(Self::new(Caller::Here(cell), Beside { aside: None, held }, facts)),
            Err(refusal) => Err(refuse(cell, facts, refusal)),
        }
    }

    /// To answer a call, with what was found beside it.
    #[inline]
    pub(super) fn new(to: Caller<K>, beside: Beside, facts: &Facts) -> Self {
        Self { beside, _alive: Alive::new(What::Handler(facts.signature.name)), to }
    }

    /// The call, if its caller is in this process and waits.
    pub(super) fn cell(&self) -> Option<Arc<K>> {
        if let Caller::Here(cell) = &self.to { Some(cell.clone()) } else { None }
    }

    /// The same, to those who do not care for what is answered.
    #[inline]
    pub(super) fn any(&mut self) -> &mut Duty {
        self
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> DutyBy<CallCell<A, T, E>> {
    /// Answers at once.
    pub(super) fn answer(mut self, codec: &Codec<A, T, E>, result: Result<T, E>) -> Answer {
        let answer = self.reply(codec, result);
        self.any().settle(|| Outcome::Returned);
        answer
    }

    /// Answers, and goes on.
    pub(super) fn reply_early(&mut self, codec: &Codec<A, T, E>, result: Result<T, E>) {
        let id = self.any().id();
        let answer = self.reply(codec, result);
        self.any().put_early(id, answer);
    }

    /// Answers with what the method returned.
    pub(super) fn reply(&mut self, codec: &Codec<A, T, E>, result: Result<T, E>) -> Answer {
        match mem::replace(&mut self.to, Caller::Nobody) {
            Caller::Here(cell) => {
                cell.returned(result);
                Answer::DONE
            }
            Caller::There(id) => reply_there(id, &self.beside, &Putting { value: &result, put: codec.result.put }),
            Caller::Piped(pipe) => pipe.returned(&codec.result, result),
            Caller::Nobody => Answer::DONE,
        }
    }

    /// Polls a handler once, if it is to go on, and answers for it when it is at its end.
    pub(super) fn run(
        &mut self,
        codec: &Codec<A, T, E>,
        handler: &mut dyn Handler<T, E>,
        cx: &mut Context<'_>,
    ) -> Poll<Answer> {
        let facts = &codec.facts;
        let is_any = current::is_any();
        if is_any && self.any().gets_handle() {
            return self.any().poll_stopped(facts, cx);
        }
        if let Poll::Ready(stop) = self.any().poll_skip(facts, cx) {
            return Poll::Ready(self.any().stopped(facts, stop));
        }
        let _inside = self.beside.enter_if_any(is_any);
        // The encoding of the result is the user's code as well. After a panic the handler is not polled again, and what it
        // shares with other handlers is for its author to keep in order, as with any panic that is caught.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let result = match self.beside.layers() {
                None => ready!(handler.poll(cx)),
                Some(layers) => ready!(poll_within(layers, handler, cx))?,
            };
            let is_error = result.is_err();
            Poll::Ready(Ok((self.reply(codec, result), is_error)))
        }));
        match ran {
            Ok(Poll::Ready(Ok((answer, is_error)))) => {
                self.beside.settle_if_watched(is_error);
                Poll::Ready(answer)
            }
            Ok(Poll::Ready(Err(ended))) => Poll::Ready(self.any().ended_by_layers(facts, ended)),
            Ok(Poll::Pending) if self.beside.is_nothing() => match self.poll_abandoned(facts, cx) {
                Poll::Ready(()) => Poll::Ready(Answer::DONE),
                Poll::Pending => Poll::Pending,
            },
            Ok(Poll::Pending) => self.any().poll_stopped(facts, cx),
            Err(panic) => Poll::Ready(self.any().caught(facts, &*panic)),
        }
    }

    /// Ready when nobody waits for a handler any more that has nothing beside it.
    #[inline]
    fn poll_abandoned(&self, facts: &Facts, cx: &mut Context<'_>) -> Poll<()> {
        match &self.to {
            Caller::Here(cell) if facts.cancels => cell.poll_abandoned(cx),
            Caller::Here(_) | Caller::There(_) | Caller::Piped(_) | Caller::Nobody => Poll::Pending,
        }
    }
}

/// Answers a call that is a value, and is not to be run.
#[cold]
fn refuse(cell: Arc<dyn Cell>, facts: &Facts, refusal: Refusal) -> Answer {
    Failed::Here(cell).refuse(&facts.signature.name, refusal)
}

/// Answers a call that came as bytes.
#[cfg_attr(not(debug_assertions), inline(always))]
fn reply_there(id: CallId, beside: &Beside, result: &dyn ToPut) -> Answer {
    let mut encoder = Encoder::frame(|head| put_reply_head(id, head));
    match encoder.put_all(|encoder| result.put(encoder)) {
        Ok(()) => {
            let reply = encoder.finish();
            Answer::of(if beside.is_nothing() { reply } else { beside.note_reply(reply) })
        }
        Err(error) => Answer::fault(id, Fault::Interrupted(Interruption::unreadable(&error))),
    }
}

/// Polls a handler that has layers around it, when they let it; ready with what the method returned, when they let that go.
fn poll_within<T, E>(
    layers: &mut Surrounded,
    handler: &mut dyn Handler<T, E>,
    cx: &mut Context<'_>,
) -> Poll<Result<Result<T, E>, Ended>>
where
    T: Send + 'static,
    E: Send + 'static,
{
    if !layers.has_returned() {
        ready!(layers.poll_begun(cx))?;
        let result = ready!(handler.poll(cx));
        let outcome = Outcome::of_result(&result);
        layers.returned(Box::new(result), outcome);
    }
    layers.poll_ended(cx).map_ok(|result| *result.downcast().expect("it is what this method has returned"))
}

/// Whether nothing is to be attached to a call that says nothing beside its arguments, but what it takes of its right.
#[inline(always)]
fn is_plain(facts: &Facts, desk: &Desk) -> bool {
    desk.is_unwatched && !facts.takes_context && (desk.is_plain || !is_free(facts.signature.method))
}

/// Whether nothing at all is beside a call that says nothing beside its arguments. Of the first port everything may be called, as often as
/// anybody likes.
#[inline(always)]
pub(super) fn is_bare(facts: &Facts, desk: At<'_>) -> bool {
    is_plain(facts, &desk) && desk.beside_first().is_none()
}

/// Notes what is beside a call that came, shows it to the interceptors, and takes it out of what its right has left.
///
/// # Errors
/// Why the call is not to be run.
pub(super) fn begin(
    options: Option<Box<Options>>,
    came: Came,
    id: Option<CallId>,
    is_oneway: bool,
    begins: Begins,
    facts: &Facts,
    desk: At<'_>,
) -> Result<Beside, Refusal> {
    if options.is_none() && is_plain(facts, &desk) {
        return begin_plain(came.bytes, begins, facts, desk);
    }
    let mut beside = Beside::default();
    if options.is_none() && !facts.takes_context && desk.is_plain {
        return Ok(beside);
    }
    match beside.attach(facts, options, &came, id, is_oneway, desk) {
        Ok(()) => Ok(beside),
        Err(refusal) => {
            beside.refuse(&refusal);
            Err(refusal)
        }
    }
}

/// As [`begin`], of a [plain](is_plain) call.
#[cfg_attr(not(debug_assertions), inline(always))]
fn begin_plain(bytes: usize, begins: Begins, facts: &Facts, desk: At<'_>) -> Result<Beside, Refusal> {
    let Some(desk) = desk.beside_first() else { return Ok(Beside::default()) };
    Ok(Beside { aside: None, held: begin_beside_first(bytes, begins, facts, desk)? })
}

/// Takes the call out of what its right has left. Nothing is held of one that has no handle on its port until it waits.
#[cfg_attr(not(debug_assertions), inline(always))]
fn begin_beside_first(
    bytes: usize,
    begins: Begins,
    facts: &Facts,
    desk: &Arc<Desk>,
) -> Result<Option<Box<Held>>, Refusal> {
    match claim(desk, bytes, facts.is_ordered) {
        Ok(_) if begins == Begins::AtOnce && desk.begins_at_once && !facts.is_ordered => {
            desk.set_owes_handle(true);
            Ok(None)
        }
        Ok(claimed) => Ok(Some(Box::new(Held::of(desk, claimed)))),
        Err(refusal) => {
            report_refusal(desk, facts.signature.name, &refusal);
            Err(refusal)
        }
    }
}

impl Duty {
    fn is_oneway(&self) -> bool {
        self.to.is_nobody()
    }

    /// Of a call that came as bytes.
    fn id(&self) -> Option<CallId> {
        if let To::There(id) = self.to.look() { Some(id) } else { None }
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

    /// Gives it a way to reply before the handler has ended.
    pub(super) fn set_outbox(&mut self, outbox: Outbox) {
        self.beside.streams().outbox = Some(outbox);
    }

    fn put_early(&self, id: Option<CallId>, answer: Answer) {
        let outbox = self.beside.aside.as_ref().and_then(|aside| aside.streams.outbox.as_ref());
        if let (Some(outbox), Some(id)) = (outbox, id) {
            outbox.put(id, answer);
        }
    }

    /// Answers that the method did not run.
    #[cold]
    pub(super) fn refuse(&mut self, facts: &Facts, refusal: Refusal) -> Answer {
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
    pub(super) fn caught(&mut self, facts: &Facts, panic: &(dyn Any + Send)) -> Answer {
        let message = panicking::words_of(panic);
        report_panic(facts.signature.name, &message);
        self.interrupt(Interruption::Panicked(message))
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

    /// Ready with the answer for a handler that waits and is not to go on.
    fn poll_stopped(&mut self, facts: &Facts, cx: &mut Context<'_>) -> Poll<Answer> {
        let stop = ready!(self.poll_stop(facts, cx));
        Poll::Ready(self.stopped(facts, stop))
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

    /// Ready when the layers around a method, if there are any, let it go on.
    pub(super) fn poll_let_on(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        self.beside.layers().map_or(Poll::Ready(Ok(())), |layers| layers.poll_begun(cx))
    }

    pub(super) fn ended_by_layers(&mut self, facts: &Facts, ended: Ended) -> Answer {
        match ended {
            Ended::Refused(refusal) => self.refuse(facts, refusal),
            Ended::Interrupted(interruption) => self.interrupt(interruption),
        }
    }
}

impl<C: ToCaller + ?Sized> Drop for Duty<C> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop(&mut self) {
        // Nearly always it has answered, and nobody watches.
        if self.beside.aside.is_some() || !self.to.is_nobody() {
            self.drop_unanswered();
        }
    }
}

impl<C: ToCaller + ?Sized> Duty<C> {
    #[cold]
    fn drop_unanswered(&mut self) {
        drop_unanswered(&mut self.beside, self.to.take_failed());
    }
}

fn drop_unanswered(beside: &mut Beside, caller: Failed) {
    let error = beside.settle_unanswered();
    caller.drop_unanswered(error);
}

fn report_panic(method: &'static str, message: &str) {
    tracing::error!(method, message, "a method panicked");
}
