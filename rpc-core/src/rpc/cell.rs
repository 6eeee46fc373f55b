//! The call cell: one call, its arguments, and the place for its reply, in one allocation.
//!
//! A program has a cell for each set of types that travel, so what can do without the types is beside it: it sees a cell as a [`Cell`].
//! On the way that nearly every call goes, that is inlined, as if it were generic, but not in debug builds: there it is compiled once.

use std::{
    any::TypeId,
    mem,
    task::{Context, Poll, Waker},
};

use super::{
    CallError, Interruption, Method, NotSent, ResultCodec,
    call_info::Traffic,
    codec::{Codec, Facts},
    frame::{CallId, Options, Said, put_call_head},
    known,
    method::Put,
    pipe::{IntoPort, Pipe},
    replies::{AwaitingReply, Reply, ReplyTable},
    report::in_one_line,
    spare,
    split::reply_table,
    waits::{Progress, Unsettled},
};
use crate::{
    Message, MessagePort,
    live::{Alive, What},
    message::{EncodeError, Encoder},
    port::Value,
    sync::{Arc, Mutex},
    waking,
};

/// One call. The caller holds it, and so does whoever is to answer.
pub(super) struct CallCell<A: 'static, T: 'static, E: 'static> {
    state: Mutex<State<A, T, E>>,
    traffic: Traffic,
    codec: &'static Codec<A, T, E>,
    /// Nothing, of a cell that is kept for the next call.
    alive: Alive,
}

/// The cell of a call of the method.
pub(super) type CellOf<M> = CallCell<<M as Method>::Args, <M as Method>::Ok, <M as Method>::Err>;

/// Where a call is in its life, and who waits for it.
struct State<A, T, E> {
    stage: Stage<A, T, E>,
    /// Nobody, once the call has ended.
    caller: Option<Waker>,
}

enum Stage<A, T, E> {
    /// The arguments wait for the service.
    Posted { args: A, options: Option<Box<Options>> },
    /// A handler of this process has the arguments.
    Running { handler: Option<Waker> },
    /// The arguments went out as bytes, under this id.
    SentAsBytes { id: CallId },
    /// The ending waits for the caller.
    Ended(Ending<T, E>),
    /// The caller has its ending, or waits no longer.
    Over,
}

/// What the caller is told of the end.
pub(super) type Told<T, E> = Result<Result<T, E>, CallError>;

/// How a call ended.
pub(super) enum Ending<T, E> {
    /// The method returned.
    Returned(Result<T, E>),
    /// A reply frame came.
    Reply(Reply),
    /// There is no result.
    Failed(CallError),
}

impl<A, T, E> State<A, T, E> {
    #[inline]
    fn posted(args: A) -> Self {
        Self { stage: Stage::Posted { args, options: None }, caller: None }
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> CallCell<A, T, E> {
    #[inline]
    pub(super) fn new(codec: &'static Codec<A, T, E>, args: A) -> Arc<Self> {
        Arc::new(Self::posted(codec, args))
    }

    /// As [`new`](Self::new), of a call that will go as bytes: in a cell that another such call has left, if there is one.
    pub(super) fn reused(codec: &'static Codec<A, T, E>, args: A) -> Arc<Self> {
        let kept = if Self::IS_KEPT { spare::take(TypeId::of::<Self>()) } else { None };
        if let Some(Ok(mut kept)) = kept.map(Arc::downcast::<Self>)
            && let Some(cell) = Arc::get_mut(&mut kept)
        {
            *cell = Self::posted(codec, args);
            return kept;
        }
        Self::new(codec, args)
    }

    #[inline]
    fn posted(codec: &'static Codec<A, T, E>, args: A) -> Self {
        let alive = Alive::new(What::Call(codec.facts.signature.name));
        Self { state: Mutex::new(State::posted(args)), traffic: Traffic::default(), codec, alive }
    }

    /// Whether cells of calls that are over are used again.
    const IS_KEPT: bool = size_of::<Self>() <= spare::LARGEST;

    /// Hands out the arguments and the options, once. `None` if the caller waits no longer.
    #[inline]
    pub(super) fn start(&self) -> Option<(A, Option<Box<Options>>)> {
        self.state.lock().stage.start(Stage::Running { handler: None })
    }

    /// Hands them out, once, and is over.
    fn withdraw(&self) -> Option<(A, Option<Box<Options>>)> {
        self.state.lock().stage.start(Stage::Over)
    }

    /// Ends the call with what a handler of this process has returned, and wakes the caller. If the caller waits no longer, that is dropped.
    #[inline]
    pub(super) fn returned(&self, result: Result<T, E>) {
        let mut state = self.state.lock();
        let Stage::Running { handler } = &mut state.stage else {
            // The caller waits no longer. What is dropped may hold values of the user's, and ports: with no lock held.
            drop(state);
            return drop(result);
        };
        let handler = handler.take();
        state.stage = Stage::Ended(Ending::Returned(result));
        let caller = state.caller.take();
        drop(state);
        wake_caller(caller, handler);
    }

    /// Ready once the caller waits no longer; registers the handler to be woken for that.
    #[inline]
    pub(super) fn poll_abandoned(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        let Stage::Running { handler } = &mut state.stage else {
            drop(state);
            return poll_abandoned(self, cx);
        };
        let replaced = store_waker(handler, cx);
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    /// Takes out what is in it and keeps it for another call, if nobody else has it.
    fn keep(mut self: Arc<Self>) -> Result<Stage<A, T, E>, Arc<Self>> {
        // Also nobody who only wants to know whether it is there.
        let Some(cell) = Arc::get_mut(&mut self) else { return Err(self) };
        let stage = mem::replace(&mut cell.state.get_mut().stage, Stage::Over);
        cell.alive = Alive::none();
        spare::give(TypeId::of::<Self>(), self);
        Ok(stage)
    }

    /// Whether another call will have it.
    #[inline]
    fn is_kept(&self) -> bool {
        Self::IS_KEPT && self.traffic.has_any()
    }
}

/// Wakes the caller of a call that has ended. The handler, if it has a waker there, need not be told that the caller is gone.
#[inline]
fn wake_caller(caller: Option<Waker>, handler: Option<Waker>) {
    drop(handler);
    if let Some(caller) = caller {
        waking::wake(caller);
    }
}

/// Stores the task's waker unless it is there already; the one it replaced is to be dropped after unlocking.
fn store_waker(place: &mut Option<Waker>, cx: &Context<'_>) -> Option<Waker> {
    match place {
        Some(waker) if waker.will_wake(cx.waker()) => None,
        _ => place.replace(waking::clone(cx.waker())),
    }
}

impl<A, T, E> Stage<A, T, E> {
    /// Hands out the arguments and the options, and goes on to the next stage; only once.
    #[inline]
    fn start(&mut self, next: Self) -> Option<(A, Option<Box<Options>>)> {
        match mem::replace(self, next) {
            Self::Posted { args, options } => Some((args, options)),
            another => {
                // It holds nothing of the user's, what it replaces.
                *self = another;
                None
            }
        }
    }

    #[inline]
    fn into_told(self, codec: &Codec<A, T, E>) -> Told<T, E> {
        match self {
            Self::Ended(ending) => ending.into_told(&codec.result),
            // Taken before: a call that is polled again after its end.
            Self::Posted { .. } | Self::Running { .. } | Self::SentAsBytes { .. } | Self::Over => {
                Err(CallError::Unknown(Interruption::Closed))
            }
        }
    }
}

impl<T, E> Ending<T, E> {
    fn into_told(self, codec: &ResultCodec<T, E>) -> Told<T, E> {
        match self {
            Self::Returned(result) => Ok(result),
            Self::Reply(reply) => read_result(codec, reply),
            Self::Failed(error) => Err(error),
        }
    }
}

fn read_result<T, E>(codec: &ResultCodec<T, E>, reply: Reply) -> Told<T, E> {
    let Reply { mut message, result_at, shape } = reply;
    #[cfg(not(feature = "evolution"))]
    if shape.is_some() {
        return Err(CallError::Unknown(Interruption::UnreadableReply(super::versions::OTHER_VERSION.to_owned())));
    }
    let mut decoder = message.decoder(result_at);
    #[cfg(feature = "evolution")]
    if let Some(shape) = &shape {
        shape.read().decode_result_as(&mut decoder);
    }
    let unreadable = |error| Err(CallError::Unknown(Interruption::unreadable(&error)));
    match decoder.take_all(codec.take) {
        Ok(result) => match decoder.close() {
            Ok(()) => {
                message.recycle();
                Ok(result)
            }
            Err(error) => unreadable(error),
        },
        Err(error) => unreadable(error),
    }
}

/// What a cell is to those who do not know what travels in it.
pub(super) trait Cell: Value + AwaitingReply + Unsettled {
    /// What is known of the method beside its types.
    fn facts(&self) -> &'static Facts;

    /// What of it went, and came, as bytes.
    fn traffic(&self) -> &Traffic;

    /// Looks where the call is in its life, and who waits for it, and takes it further. It is locked meanwhile; what it held is dropped
    /// after that.
    fn change(&self, change: Change<'_>);

    /// Hands out the options, and what writes the arguments, once; the arguments are dropped after that, and nobody finds anything in the
    /// cell any more.
    fn write(&self, write: Write<'_>);

    /// The same call in a cell of its own, if nobody has taken it. Nobody finds anything in this one any more.
    fn again(&self) -> Option<Arc<dyn Cell>>;
}

/// Where a call is in its life.
pub(super) enum Now<'s> {
    Posted { options: &'s mut Option<Box<Options>> },
    Running { handler: &'s mut Option<Waker> },
    SentAsBytes { id: CallId },
    Ended,
    Over,
}

/// Where it goes from there.
pub(super) enum Then {
    Stays,
    Replied(Reply),
    Failed(CallError),
    IsOver,
}

/// What is done with a call and whoever waits for it.
pub(super) type Change<'c> = &'c mut dyn FnMut(Now<'_>, &mut Option<Waker>) -> Then;

/// Writes a call: its options, and its arguments.
pub(super) type Write<'w> = &'w mut dyn FnMut(Option<Box<Options>>, &dyn ToPut);

/// A value that is to be written, whatever it is. A trait of our own: for a closure, the compiler makes two functions more.
pub(super) trait ToPut {
    fn put(&self, to: &mut Encoder) -> Result<(), EncodeError>;
}

/// A value that is to be written, and how.
pub(super) struct Putting<'v, V> {
    pub(super) value: &'v V,
    pub(super) put: Put<V>,
}

impl<V> ToPut for Putting<'_, V> {
    fn put(&self, to: &mut Encoder) -> Result<(), EncodeError> {
        (self.put)(self.value, to)
    }
}

/// What the caller's future sees of its cell. It knows what comes back, and not what went.
pub(super) trait PendingCall<T, E>: Send + Sync {
    /// The cell, to those who need not know the types.
    fn cell(&self) -> &dyn Cell;

    /// As [`cell`](Self::cell), as it is posted.
    fn to_cell(self: Arc<Self>) -> Arc<dyn Cell>;

    /// Where its result goes if it is pipelined.
    fn pipe(&self, port: MessagePort, into_port: IntoPort<T>) -> Pipe;

    /// Who is to be woken for the ending, as long as nobody else has the cell.
    fn caller(&mut self) -> &mut Option<Waker>;

    /// Takes the ending of a call that nobody else has any more, or gives the cell back. A cell that went as bytes is kept for
    /// another call.
    fn into_ending(self: Arc<Self>) -> Result<Told<T, E>, Arc<dyn PendingCall<T, E>>>;

    /// Takes the ending. A reply of bytes is read here, by the caller.
    fn ending(&self) -> Told<T, E>;

    /// The caller is done with it: keeps it for another call if it went as bytes, and nobody else has it.
    fn retire(self: Arc<Self>);
}

/// How far a call had come when its caller gave it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abandoned {
    /// Nobody had taken it: it will not run.
    Unsent,
    /// A handler of this process had it.
    Running,
    /// It had gone out as bytes; the other end knows it by this id.
    SentAsBytes(CallId),
    /// It had ended.
    Ended,
}

/// Ends the call without a result, and wakes the caller. If the caller waits no longer, the error is dropped.
#[cold]
fn fail(cell: &dyn Cell, error: CallError) {
    end(cell, Then::Failed(error));
}

fn end(cell: &dyn Cell, mut ending: Then) {
    let mut woken = None;
    cell.change(&mut |now, caller| match now {
        Now::Ended | Now::Over => Then::Stays,
        Now::Posted { .. } | Now::Running { .. } | Now::SentAsBytes { .. } => {
            woken = caller.take();
            mem::replace(&mut ending, Then::Stays)
        }
    });
    if let Some(caller) = woken {
        caller.wake();
    }
}

/// Ready once the call has an ending; registers the caller to be woken for it.
pub(super) fn poll_ended(cell: &dyn Cell, cx: &Context<'_>) -> Poll<()> {
    let (mut polled, mut replaced) = (Poll::Ready(()), None);
    cell.change(&mut |now, caller| {
        if !matches!(now, Now::Ended | Now::Over) {
            polled = Poll::Pending;
            replaced = store_waker(caller, cx);
        }
        Then::Stays
    });
    drop(replaced);
    polled
}

/// Ready once the caller waits no longer; registers the handler to be woken for that.
pub(super) fn poll_abandoned(cell: &dyn Cell, cx: &Context<'_>) -> Poll<()> {
    let (mut polled, mut replaced) = (Poll::Pending, None);
    cell.change(&mut |now, _| {
        match now {
            Now::Over => polled = Poll::Ready(()),
            Now::Running { handler } => replaced = store_waker(handler, cx),
            Now::Posted { .. } | Now::SentAsBytes { .. } | Now::Ended => {}
        }
        Then::Stays
    });
    drop(replaced);
    polled
}

/// The caller waits no longer. Wakes the handler, so that it ends. Tells how far the call had come.
pub(super) fn abandon(cell: &dyn Cell) -> Abandoned {
    let (mut abandoned, mut handler, mut caller) = (Abandoned::Ended, None, None);
    cell.change(&mut |now, waits| {
        caller = waits.take();
        abandoned = match now {
            Now::Posted { .. } => Abandoned::Unsent,
            Now::Running { handler: waits } => {
                handler = waits.take();
                Abandoned::Running
            }
            Now::SentAsBytes { id } => Abandoned::SentAsBytes(id),
            Now::Ended | Now::Over => Abandoned::Ended,
        };
        Then::IsOver
    });
    drop(caller);
    if let Some(handler) = handler {
        handler.wake();
    }
    abandoned
}

/// Says something beside the arguments, before the cell is posted.
pub(super) fn set_options(cell: &dyn Cell, new: Box<Options>) {
    let mut new = Some(new);
    cell.change(&mut |now, _| {
        if let Now::Posted { options } = now {
            *options = new.take();
        }
        Then::Stays
    });
}

fn progress(cell: &dyn Cell) -> Option<Progress> {
    let mut progress = None;
    cell.change(&mut |now, _| {
        progress = match now {
            Now::Posted { .. } => Some(Progress::Unread),
            Now::Running { .. } => Some(Progress::Runs),
            Now::SentAsBytes { .. } => Some(Progress::SentAsBytes),
            Now::Ended | Now::Over => None,
        };
        Then::Stays
    });
    progress
}

/// A call that is to go out as a frame. The reply will be a frame too, and finds the cell in the caller's table.
struct Outgoing {
    table: Arc<ReplyTable>,
    id: CallId,
}

impl Outgoing {
    /// `None` if it is over.
    fn begin(cell: Arc<dyn Cell>, via: &MessagePort) -> Option<Self> {
        let Some(table) = reply_table(via) else {
            // The client is gone, or became a plain port: a reply would find nobody.
            cell.discarded();
            return None;
        };
        // Expected before the caller can learn the id: one who gives up from then on finds the entry, and takes it away.
        let method = cell.facts().signature.method;
        let id = table.expect(cell, method)?;
        Some(Self { table, id })
    }

    /// `None` if the arguments could not be written.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn put(self, cell: &dyn Cell, options: Option<Box<Options>>, args: &dyn ToPut) -> Option<Message> {
        let (facts, traffic, id) = (cell.facts(), cell.traffic(), self.id);
        let method = facts.signature.method;
        let introduction = self.table.is_introduction(method).then(|| known::shape_of(facts));
        let said = Said { options: options.as_deref(), introduction: introduction.as_ref() };
        let mut encoder = Encoder::frame(|head| put_call_head(id, method, said.any(), head));
        if let Err(error) = encoder.put_all(|encoder| args.put(encoder)) {
            return self.failed(cell, &error);
        }
        traffic.has_id(id);
        traffic.has_sent(encoder.size());
        self.table.sends(id, encoder.size());
        Some(encoder.finish())
    }

    /// It does not go out.
    #[cold]
    fn forget(self) -> Option<Message> {
        drop(self.table.forget(self.id));
        None
    }

    #[cold]
    fn failed(self, cell: &dyn Cell, error: &EncodeError) -> Option<Message> {
        let error = CallError::NotSent(NotSent::Unencodable(in_one_line(error)));
        drop(self.table.forget(self.id));
        fail(cell, error);
        None
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Cell for CallCell<A, T, E> {
    fn facts(&self) -> &'static Facts {
        &self.codec.facts
    }

    fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn change(&self, change: Change<'_>) {
        let mut locked = self.state.lock();
        let State { stage, caller } = &mut *locked;
        let now = match stage {
            Stage::Posted { options, .. } => Now::Posted { options },
            Stage::Running { handler } => Now::Running { handler },
            Stage::SentAsBytes { id } => Now::SentAsBytes { id: *id },
            Stage::Ended(_) => Now::Ended,
            Stage::Over => Now::Over,
        };
        let next = match change(now, caller) {
            Then::Stays => return,
            Then::Replied(reply) => Stage::Ended(Ending::Reply(reply)),
            Then::Failed(error) => Stage::Ended(Ending::Failed(error)),
            Then::IsOver => Stage::Over,
        };
        // What is dropped may hold values of the user's, and ports: with no lock held.
        let former = mem::replace(stage, next);
        drop(locked);
        drop(former);
    }

    fn write(&self, write: Write<'_>) {
        if let Some((args, options)) = self.withdraw() {
            write(options, &Putting { value: &args, put: self.codec.encode });
        }
    }

    fn again(&self) -> Option<Arc<dyn Cell>> {
        let (args, options) = self.withdraw()?;
        let cell = Self::new(self.codec, args);
        if let Some(options) = options {
            set_options(&*cell, options);
        }
        Some(cell)
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> PendingCall<T, E> for CallCell<A, T, E> {
    fn cell(&self) -> &dyn Cell {
        self
    }

    fn to_cell(self: Arc<Self>) -> Arc<dyn Cell> {
        self
    }

    fn pipe(&self, port: MessagePort, into_port: IntoPort<T>) -> Pipe {
        Pipe::for_values(port, into_port)
    }

    fn caller(&mut self) -> &mut Option<Waker> {
        &mut self.state.get_mut().caller
    }

    fn into_ending(self: Arc<Self>) -> Result<Told<T, E>, Arc<dyn PendingCall<T, E>>> {
        let codec = self.codec;
        if self.is_kept() {
            return match self.keep() {
                Ok(stage) => Ok(stage.into_told(codec)),
                Err(cell) => Err(cell),
            };
        }
        match Arc::try_unwrap(self) {
            Ok(cell) => match cell.state.into_inner().stage {
                // What a handler has returned is moved by itself, and not with the room for all that an ending may be.
                Stage::Ended(Ending::Returned(result)) => Ok(Ok(result)),
                stage => Ok(stage.into_told(codec)),
            },
            Err(cell) => Err(cell),
        }
    }

    fn ending(&self) -> Told<T, E> {
        let stage = mem::replace(&mut self.state.lock().stage, Stage::Over);
        stage.into_told(self.codec)
    }

    fn retire(self: Arc<Self>) {
        // Of a call that stayed a value, whoever answered may have let go of the cell just now, on another thread: to find that out costs
        // more than to ask for memory again.
        if self.is_kept() {
            drop(self.keep());
        }
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Unsettled for CallCell<A, T, E> {
    fn progress(&self) -> Option<Progress> {
        progress(self)
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Value for CallCell<A, T, E> {
    fn selector(&self) -> u64 {
        self.codec.facts.signature.method.0.into()
    }

    fn is_for(&self, kind: &TypeId) -> bool {
        self.codec.facts.kinds.call == *kind
    }

    /// Turns the call into a frame.
    fn encode(self: Arc<Self>, via: &MessagePort) -> Option<Message> {
        let outgoing = Outgoing::begin(self.clone(), via)?;
        let next = Stage::SentAsBytes { id: outgoing.id };
        let Some((args, options)) = self.state.lock().stage.start(next) else { return outgoing.forget() };
        let message = outgoing.put(&*self, options, &Putting { value: &args, put: self.codec.encode })?;
        // The values are dropped after their ports have moved out of them.
        drop(args);
        message.transfer_receiving_steps();
        Some(message)
    }

    /// Thrown away unread, so the method did not run.
    fn discarded(&self) {
        fail(self, CallError::NotSent(NotSent::Closed));
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> AwaitingReply for CallCell<A, T, E> {
    fn reply(&self, reply: Reply) {
        self.traffic.has_received(reply.size());
        let mut state = self.state.lock();
        let Stage::SentAsBytes { .. } = state.stage else {
            drop(state);
            return end(self, Then::Replied(reply));
        };
        state.stage = Stage::Ended(Ending::Reply(reply));
        let caller = state.caller.take();
        drop(state);
        if let Some(caller) = caller {
            caller.wake();
        }
    }

    fn fail(&self, error: CallError) {
        fail(self, error);
    }
}
