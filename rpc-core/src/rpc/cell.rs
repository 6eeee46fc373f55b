//! The call cell: one call, its arguments, and the place for its reply, in one allocation.

use std::task::{Context, Poll, Waker};

use super::{
    CallError, Interruption, Method, NotSent,
    call_info::{Signature, Traffic},
    frame::{CallId, Options, call_head},
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
    sync::{Arc, Mutex},
};

/// One call. The caller holds it, and so does whoever is to answer.
pub(super) struct CallCell<M: Method> {
    state: Mutex<State<M>>,
    traffic: Traffic,
    /// None of a cell that is kept for the next call.
    alive: Option<Alive>,
}

/// Where a call is in its life.
enum State<M: Method> {
    /// The arguments wait for the service.
    Posted { args: M::Args, options: Option<Box<Options>>, caller: Option<Waker> },
    /// A handler of this process has the arguments.
    Running { caller: Option<Waker>, handler: Option<Waker> },
    /// The arguments went out as bytes, under this id.
    SentAsBytes { caller: Option<Waker>, id: CallId },
    /// The ending waits for the caller.
    Ended(Ending<M::Ok, M::Err>),
    /// The caller has its ending, or waits no longer.
    Over,
}

/// How a call ended.
pub(super) enum Ending<T, E> {
    /// The method returned.
    Returned(Result<T, E>),
    /// A reply frame came.
    Reply(Reply),
    /// There is no result.
    Failed(CallError),
}

impl<M: Method> CallCell<M> {
    #[inline]
    pub(super) fn new(args: M::Args) -> Arc<Self> {
        let state = State::Posted { args, options: None, caller: None };
        let alive = Some(Alive::new(What::Call(M::NAME)));
        let cell = Self { state: Mutex::new(state), traffic: Traffic::default(), alive };
        match if Self::IS_KEPT { spare::take::<Self>() } else { None } {
            Some(mut kept) => match Arc::get_mut(&mut kept) {
                Some(place) => {
                    *place = cell;
                    kept
                }
                None => Arc::new(cell),
            },
            None => Arc::new(cell),
        }
    }

    /// Whether cells of calls that are over are used again.
    const IS_KEPT: bool = size_of::<Self>() <= spare::LARGEST;

    /// Hands out the arguments and the options, once. `None` if the caller waits no longer.
    pub(super) fn start(&self) -> Option<(M::Args, Option<Box<Options>>)> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Over) {
            State::Posted { args, options, caller } => {
                *state = State::Running { caller, handler: None };
                Some((args, options))
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// Ends the call and wakes the caller. If the caller waits no longer, the ending is dropped.
    pub(super) fn end(&self, ending: Ending<M::Ok, M::Err>) {
        let mut state = self.state.lock();
        let (former, unwanted) = match &*state {
            State::Ended(_) | State::Over => (None, Some(ending)),
            State::Posted { .. } | State::Running { .. } | State::SentAsBytes { .. } => {
                (Some(std::mem::replace(&mut *state, State::Ended(ending))), None)
            }
        };
        drop(state);
        // Both may hold values of the user's, and ports: dropped with no lock held.
        drop(unwanted);
        if let Some(caller) = former.and_then(State::into_caller) {
            caller.wake();
        }
    }

    /// Ready once the caller waits no longer; registers the handler to be woken for that.
    pub(super) fn poll_abandoned(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        let replaced = match &mut *state {
            State::Over => return Poll::Ready(()),
            State::Running { handler, .. } => store_waker(handler, cx),
            State::Posted { .. } | State::SentAsBytes { .. } | State::Ended(_) => None,
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
        _ => place.replace(cx.waker().clone()),
    }
}

impl<M: Method> State<M> {
    /// What the caller is told.
    fn into_outcome(self) -> Result<Result<M::Ok, M::Err>, CallError> {
        match self {
            Self::Ended(Ending::Returned(result)) => Ok(result),
            Self::Ended(Ending::Reply(reply)) => read_result::<M>(reply),
            Self::Ended(Ending::Failed(error)) => Err(error),
            // Taken before: a call that is polled again after its end.
            Self::Posted { .. } | Self::Running { .. } | Self::SentAsBytes { .. } | Self::Over => {
                Err(CallError::Unknown(Interruption::Closed))
            }
        }
    }

    fn into_caller(self) -> Option<Waker> {
        match self {
            Self::Posted { caller, .. } | Self::Running { caller, .. } | Self::SentAsBytes { caller, .. } => caller,
            Self::Ended(_) | Self::Over => None,
        }
    }
}

fn read_result<M: Method>(reply: Reply) -> Result<Result<M::Ok, M::Err>, CallError> {
    let Reply { mut message, result_at, shape } = reply;
    let mut decoder = message.decoder(result_at);
    if let Some(shape) = &shape {
        shape.decode_result_as(&mut decoder);
    }
    let result = (M::RESULT.take)(&mut decoder);
    let result = result.and_then(|result| decoder.end().map(|_unused_ports| result));
    message.recycle();
    result.map_err(|error| CallError::Unknown(Interruption::unreadable(&error)))
}

/// What the caller's future sees of its cell. It knows what comes back, and not what went.
pub(super) trait PendingCall<T, E>: Unsettled {
    /// The cell as it is posted.
    fn to_value(self: Arc<Self>) -> Arc<dyn Value>;

    /// Registers the caller to be woken for the ending, before anybody else has the cell.
    fn expect_ending(&mut self, cx: &Context<'_>);

    /// Takes the ending, or registers the caller to be woken for it. A reply of bytes is read here, by the caller.
    fn poll_ending(&self, cx: &mut Context<'_>) -> Poll<Result<Result<T, E>, CallError>>;

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

impl<M: Method> PendingCall<M::Ok, M::Err> for CallCell<M> {
    fn to_value(self: Arc<Self>) -> Arc<dyn Value> {
        self
    }

    fn expect_ending(&mut self, cx: &Context<'_>) {
        if let State::Posted { caller, .. } = self.state.get_mut() {
            *caller = Some(cx.waker().clone());
        }
    }

    fn poll_ending(&self, cx: &mut Context<'_>) -> Poll<Result<Result<M::Ok, M::Err>, CallError>> {
        let mut state = self.state.lock();
        let replaced = match &mut *state {
            State::Ended(_) | State::Over => {
                let former = std::mem::replace(&mut *state, State::Over);
                drop(state);
                return Poll::Ready(former.into_outcome());
            }
            State::Posted { caller, .. } | State::Running { caller, .. } | State::SentAsBytes { caller, .. } => {
                store_waker(caller, cx)
            }
        };
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    fn set_options(&self, options: Box<Options>) {
        if let State::Posted { options: place, .. } = &mut *self.state.lock() {
            *place = Some(options);
        }
    }

    fn signature(&self) -> Signature {
        Signature::of::<M>()
    }

    fn piped(&self, pipe: Pipe<M::Ok>) -> Result<Arc<dyn Piped>, Pipe<M::Ok>> {
        match self.start() {
            Some((args, options)) => Ok(PipedCell::<M>::new(args, options, pipe)),
            None => Err(pipe),
        }
    }

    fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn abandon(&self) -> Abandoned {
        let former = std::mem::replace(&mut *self.state.lock(), State::Over);
        match former {
            State::Posted { .. } => Abandoned::Unsent,
            State::Running { handler, .. } => {
                if let Some(handler) = handler {
                    handler.wake();
                }
                Abandoned::Running
            }
            State::SentAsBytes { id, .. } => Abandoned::SentAsBytes(id),
            State::Ended(_) | State::Over => Abandoned::Ended,
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
        if let State::Over = cell.state.get_mut() {
            cell.alive = None;
            spare::give(self);
        }
    }
}

impl<M: Method> Unsettled for CallCell<M> {
    fn progress(&self) -> Option<Progress> {
        match &*self.state.lock() {
            State::Posted { .. } => Some(Progress::Unread),
            State::Running { .. } => Some(Progress::Runs),
            State::SentAsBytes { .. } => Some(Progress::SentAsBytes),
            State::Ended(_) | State::Over => None,
        }
    }
}

impl<M: Method> Value for CallCell<M> {
    fn selector(&self) -> u64 {
        M::ID.0.into()
    }

    /// Turns the call into a frame; the reply will be a frame too, and finds this cell in the caller's table.
    fn encode(self: Arc<Self>, via: &MessagePort) -> Option<Message> {
        let (args, options) = self.start()?;
        let Some(table) = reply_table(via) else {
            // The client is gone, or became a plain port: a reply would find nobody.
            self.discarded();
            return None;
        };
        let id = table.next_id();
        let mut options = options.map(|options| *options).unwrap_or_default();
        if table.is_introduction(M::ID) {
            options.shape = Some(known::shape_of::<M>());
        }
        let mut encoder = Encoder::after(call_head(id, M::ID, &options));
        if let Err(error) = encoder.put_all(|encoder| M::encode_args(&args, encoder)) {
            self.end(Ending::Failed(CallError::NotSent(NotSent::Unencodable(in_one_line(&error)))));
            return None;
        }
        // Expected before the caller can learn the id: one who gives up from then on finds the entry, and takes it away.
        self.traffic.has_id(id);
        self.traffic.has_sent(encoder.size());
        table.register(id, self.clone(), M::ID, encoder.size());
        if self.sent_as_bytes(id).is_none() {
            drop(table.forget(id));
            return None;
        }
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

impl<M: Method> CallCell<M> {
    /// Notes the id under which the call went out. `None` if the caller waits no longer.
    fn sent_as_bytes(&self, id: CallId) -> Option<()> {
        let mut state = self.state.lock();
        let State::Running { caller, .. } = &mut *state else { return None };
        let caller = caller.take();
        *state = State::SentAsBytes { caller, id };
        Some(())
    }
}

impl<M: Method> AwaitingReply for CallCell<M> {
    fn reply(&self, reply: Reply) {
        self.traffic.has_received(reply.size());
        self.end(Ending::Reply(reply));
    }

    fn fail(&self, error: CallError) {
        self.end(Ending::Failed(error));
    }
}
