//! The duty to answer one call, and running what it calls.
//!
//! Where its answer goes knows the types that travel, and nothing else does: the rest is there once in a program, for a duty to a caller of
//! any kind. On the way that nearly every call goes, that is inlined, as if it were generic, but not in debug builds: there it is compiled
//! once.

mod beginning;
mod untyped;

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll, ready},
};

use super::{
    Answer, Interruption, Outcome, Refusal,
    around::{Ended, Surrounded},
    arrived::Came,
    beside::Beside,
    call_info::Arrival,
    cell::{CallCell, Cell, Putting, ToPut},
    codec::{Codec, Facts},
    current,
    desk::At,
    failed::{Failed, Whom},
    frame::{CallId, Fault, Options, put_reply_head},
    pipe::Pipe,
};
use crate::{
    live::{Alive, What},
    message::Encoder,
    sync::Arc,
};

pub(super) use beginning::{Begins, begin, is_bare};
pub(super) use untyped::Stop;

use beginning::{begin_beside_first, is_plain};

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
