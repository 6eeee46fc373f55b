//! The call cell: one call, its arguments, and the place for its reply, in one allocation.

use std::{
    any::TypeId,
    mem,
    task::{Context, Poll, Waker},
};

use super::{
    CallError, Interruption, Method, NotSent, ResultCodec,
    call_info::{Signature, Traffic},
    codec::Codec,
    frame::{CallId, Options, Said, put_call_head},
    known,
    pipe::{Pipe, Piped, PipedCell},
    replies::{AwaitingReply, Reply},
    report::in_one_line,
    spare,
    split::reply_table,
    waits::{Progress, Unsettled},
};
use crate::{
    Message, MessagePort,
    live::{Alive, What},
    message::Encoder,
    port::Value,
    sync::{Arc, Guard, Mutex},
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
        let kept = if Self::IS_KEPT { spare::take::<Self>() } else { None };
        let Some(mut kept) = kept else { return Self::new(codec, args) };
        match Arc::get_mut(&mut kept) {
            Some(cell) => {
                *cell = Self::posted(codec, args);
                kept
            }
            None => Self::new(codec, args),
        }
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

    /// Ends the call with what a handler of this process has returned, and wakes the caller. If the caller waits no longer, that is dropped.
    #[inline]
    pub(super) fn returned(&self, result: Result<T, E>) {
        let mut state = self.state.lock();
        let Stage::Running { handler } = &mut state.stage else {
            return Self::end_other(state, Ending::Returned(result));
        };
        let handler = handler.take();
        state.stage = Stage::Ended(Ending::Returned(result));
        let caller = state.caller.take();
        drop(state);
        drop(handler);
        if let Some(caller) = caller {
            waking::wake(caller);
        }
    }

    /// Ends the call and wakes the caller. If the caller waits no longer, the ending is dropped.
    pub(super) fn end(&self, ending: Ending<T, E>) {
        Self::end_other(self.state.lock(), ending);
    }

    #[cold]
    fn end_other(mut state: Guard<'_, State<A, T, E>>, ending: Ending<T, E>) {
        // What is dropped may hold values of the user's, and ports: with no lock held.
        let (former, caller) = match &state.stage {
            Stage::Ended(_) | Stage::Over => {
                drop(state);
                return drop(ending);
            }
            Stage::Posted { .. } | Stage::Running { .. } | Stage::SentAsBytes { .. } => {
                (mem::replace(&mut state.stage, Stage::Ended(ending)), state.caller.take())
            }
        };
        drop(state);
        drop(former);
        if let Some(caller) = caller {
            caller.wake();
        }
    }

    /// Ready once the caller waits no longer; registers the handler to be woken for that.
    pub(super) fn poll_abandoned(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        let replaced = match &mut state.stage {
            Stage::Over => return Poll::Ready(()),
            Stage::Running { handler } => store_waker(handler, cx),
            Stage::Posted { .. } | Stage::SentAsBytes { .. } | Stage::Ended(_) => None,
        };
        drop(state);
        drop(replaced);
        Poll::Pending
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
            Self::Ended(Ending::Returned(result)) => Ok(result),
            Self::Ended(Ending::Reply(reply)) => read_result(&codec.result, reply),
            Self::Ended(Ending::Failed(error)) => Err(error),
            // Taken before: a call that is polled again after its end.
            Self::Posted { .. } | Self::Running { .. } | Self::SentAsBytes { .. } | Self::Over => {
                Err(CallError::Unknown(Interruption::Closed))
            }
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

/// What the caller's future sees of its cell. It knows what comes back, and not what went.
pub(super) trait PendingCall<T, E>: Unsettled {
    /// The cell as it is posted.
    fn to_value(self: Arc<Self>) -> Arc<dyn Value>;

    /// Registers the caller to be woken for the ending, before anybody else has the cell.
    fn expect_ending(&mut self, cx: &Context<'_>);

    /// Takes the ending of a call that nobody else has any more, or gives the cell back. A cell that went as bytes is kept for
    /// another call.
    fn into_ending(self: Arc<Self>) -> Result<Told<T, E>, Arc<dyn PendingCall<T, E>>>;

    /// Takes the ending, or registers the caller to be woken for it. A reply of bytes is read here, by the caller.
    fn poll_ending(&self, cx: &mut Context<'_>) -> Poll<Told<T, E>>;

    /// Says something beside the arguments, before the cell is posted.
    fn set_options(&self, options: Box<Options>);

    /// Which method it calls.
    fn signature(&self) -> Signature;

    /// The same call as one whose result goes into a pipe. Hands back the pipe if somebody has it already.
    fn piped(&self, pipe: Pipe<T>) -> Result<Arc<dyn Piped>, Pipe<T>>;

    /// What of it went, and came, as bytes.
    fn traffic(&self) -> &Traffic;

    /// The caller waits no longer. Wakes the handler, so that it ends. Tells how far the call had come.
    fn abandon(&self) -> Abandoned;

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

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> PendingCall<T, E> for CallCell<A, T, E> {
    fn to_value(self: Arc<Self>) -> Arc<dyn Value> {
        self
    }

    fn expect_ending(&mut self, cx: &Context<'_>) {
        self.state.get_mut().caller = Some(waking::clone(cx.waker()));
    }

    fn into_ending(mut self: Arc<Self>) -> Result<Told<T, E>, Arc<dyn PendingCall<T, E>>> {
        if !(Self::IS_KEPT && self.traffic.has_any()) {
            let cell = Arc::try_unwrap(self).map_err(|cell| cell as Arc<dyn PendingCall<T, E>>)?;
            let codec = cell.codec;
            return match cell.state.into_inner().stage {
                // What a handler has returned is moved by itself, and not with the room for all that an ending may be.
                Stage::Ended(Ending::Returned(result)) => Ok(Ok(result)),
                stage => Ok(stage.into_told(codec)),
            };
        }
        // Also nobody who only wants to know whether it is there.
        let Some(cell) = Arc::get_mut(&mut self) else { return Err(self) };
        let stage = mem::replace(&mut cell.state.get_mut().stage, Stage::Over);
        cell.alive = Alive::none();
        let codec = cell.codec;
        spare::give(self);
        Ok(stage.into_told(codec))
    }

    fn poll_ending(&self, cx: &mut Context<'_>) -> Poll<Told<T, E>> {
        let mut state = self.state.lock();
        if matches!(state.stage, Stage::Ended(_) | Stage::Over) {
            let former = mem::replace(&mut state.stage, Stage::Over);
            drop(state);
            return Poll::Ready(former.into_told(self.codec));
        }
        let replaced = store_waker(&mut state.caller, cx);
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    fn set_options(&self, new: Box<Options>) {
        if let Stage::Posted { options, .. } = &mut self.state.lock().stage {
            *options = Some(new);
        }
    }

    fn signature(&self) -> Signature {
        self.codec.facts.signature
    }

    fn piped(&self, pipe: Pipe<T>) -> Result<Arc<dyn Piped>, Pipe<T>> {
        match self.start() {
            Some((args, options)) => Ok(PipedCell::new(self.codec, args, options, pipe)),
            None => Err(pipe),
        }
    }

    fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn abandon(&self) -> Abandoned {
        let (stage, _caller) = {
            let mut state = self.state.lock();
            (mem::replace(&mut state.stage, Stage::Over), state.caller.take())
        };
        match stage {
            Stage::Posted { .. } => Abandoned::Unsent,
            Stage::Running { handler } => {
                if let Some(handler) = handler {
                    handler.wake();
                }
                Abandoned::Running
            }
            Stage::SentAsBytes { id } => Abandoned::SentAsBytes(id),
            Stage::Ended(_) | Stage::Over => Abandoned::Ended,
        }
    }

    fn retire(mut self: Arc<Self>) {
        // Of a call that stayed a value, whoever answered may have let go of the cell just now, on another thread: to find that out costs
        // more than to ask for memory again.
        if !Self::IS_KEPT || !self.traffic.has_any() {
            return;
        }
        // Also nobody who only wants to know whether it is there.
        let Some(cell) = Arc::get_mut(&mut self) else { return };
        if let Stage::Over = cell.state.get_mut().stage {
            cell.alive = Alive::none();
            spare::give(self);
        }
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Unsettled for CallCell<A, T, E> {
    fn progress(&self) -> Option<Progress> {
        match &self.state.lock().stage {
            Stage::Posted { .. } => Some(Progress::Unread),
            Stage::Running { .. } => Some(Progress::Runs),
            Stage::SentAsBytes { .. } => Some(Progress::SentAsBytes),
            Stage::Ended(_) | Stage::Over => None,
        }
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Value for CallCell<A, T, E> {
    fn selector(&self) -> u64 {
        self.codec.facts.signature.method.0.into()
    }

    fn is_for(&self, kind: &TypeId) -> bool {
        self.codec.facts.kinds.call == *kind
    }

    /// Turns the call into a frame; the reply will be a frame too, and finds this cell in the caller's table.
    fn encode(self: Arc<Self>, via: &MessagePort) -> Option<Message> {
        let Some(table) = reply_table(via) else {
            // The client is gone, or became a plain port: a reply would find nobody.
            self.discarded();
            return None;
        };
        let Codec { facts, encode, .. } = self.codec;
        let method = facts.signature.method;
        // Expected before the caller can learn the id: one who gives up from then on finds the entry, and takes it away.
        let id = table.expect(self.clone(), method)?;
        let Some((args, options)) = self.start_as_bytes(id) else {
            drop(table.forget(id));
            return None;
        };
        let introduction = table.is_introduction(method).then(|| known::shape_of(facts));
        let said = Said { options: options.as_deref(), introduction: introduction.as_ref() };
        let mut encoder = Encoder::frame(|head| put_call_head(id, method, said.any(), head));
        if let Err(error) = encoder.put_all(|encoder| encode(&args, encoder)) {
            drop(table.forget(id));
            self.end(Ending::Failed(CallError::NotSent(NotSent::Unencodable(in_one_line(&error)))));
            return None;
        }
        self.traffic.has_id(id);
        self.traffic.has_sent(encoder.size());
        table.sends(id, encoder.size());
        let message = encoder.finish();
        // The values are dropped after their ports have moved out of them.
        drop(args);
        message.transfer_receiving_steps();
        Some(message)
    }

    /// Thrown away unread, so the method did not run.
    fn discarded(&self) {
        self.end(Ending::Failed(CallError::NotSent(NotSent::Closed)));
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> CallCell<A, T, E> {
    /// Hands out the arguments and the options, once, of a call that goes out under this id. `None` if the caller waits no longer.
    #[inline]
    fn start_as_bytes(&self, id: CallId) -> Option<(A, Option<Box<Options>>)> {
        self.state.lock().stage.start(Stage::SentAsBytes { id })
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> AwaitingReply for CallCell<A, T, E> {
    fn reply(&self, reply: Reply) {
        self.traffic.has_received(reply.size());
        let mut state = self.state.lock();
        let Stage::SentAsBytes { .. } = state.stage else { return Self::end_other(state, Ending::Reply(reply)) };
        state.stage = Stage::Ended(Ending::Reply(reply));
        let caller = state.caller.take();
        drop(state);
        if let Some(caller) = caller {
            caller.wake();
        }
    }

    fn fail(&self, error: CallError) {
        self.end(Ending::Failed(error));
    }
}
