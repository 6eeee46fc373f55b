//! Handing out the calls of many clients among several services of one kind.
//!
//! Whoever makes a call hands it to a service itself, on its own thread, by posting it: there is no task between. A call stays
//! the cell that it is, so it costs what it would without a router. A call that comes as bytes goes on as bytes, under another id.

use std::{
    any::Any,
    collections::{HashMap, VecDeque},
    fmt,
    sync::Weak,
};

use super::{
    CallError, ClientStub, Interruption, MethodId, Refusal,
    farewell::farewell,
    frame::{CallId, Fault, Frame, Limits, Options, Said, call_head, pipelined_head, reply_head, tell_head},
    replies::{AwaitingReply, Reply},
};
use crate::{
    Message, MessageChannel, MessagePort,
    port::{Carried, Gone, MessageTarget, Parcel},
    shape::WrittenShape,
    sync::{Arc, Mutex},
};

/// How many of a service's calls are looked at when a call is handed out, so that it costs the same however many there are.
const LOOKED_AT: usize = 16;

/// Hands each call to the service that has the fewest, among those that were [added](Self::add). Clones are the same router.
///
/// A call that brings back a stream counts as long as the stream is fed; if it came as bytes, until it is answered.
///
/// Its clients are ports like any other: [`connect`](Self::connect) makes them, and from each of those up to 4096 others may be made by
/// clones; the calls of more are refused. One that is made with limits belongs to one of the services, and ends with that. A call that finds no service waits for one. Calls
/// of one client may go to different services, so nothing is said about their order.
#[derive(Clone, Default)]
pub struct CallRouter(Arc<Mutex<State>>);

/// Names a service among those of one router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(u64);

#[derive(Default)]
struct State {
    routes: Vec<Route>,
    last_id: u64,
    /// The calls that found no service.
    waiting: VecDeque<Handed>,
    connections: Vec<Weak<Connection>>,
    is_closed: bool,
}

struct Route {
    id: RouteId,
    service: Arc<ClientStub>,
    /// The calls that it was handed. Those that are over are found and forgotten as others come.
    calls: VecDeque<Trace>,
}

impl CallRouter {
    /// Makes a router without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service, by a port that leads to it. Those calls that wait are handed to it.
    pub fn add(&self, port: MessagePort) -> RouteId {
        // Replies that come as bytes find their calls by its table, as those of a client do.
        let service = Arc::new(ClientStub::new(port));
        let mut state = self.0.lock();
        state.last_id += 1;
        let id = RouteId(state.last_id);
        state.routes.push(Route { id, service, calls: VecDeque::new() });
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for handed in waiting {
            self.hand_out(handed);
        }
        id
    }

    /// Hands nothing more to a service. Its port closes once it has answered what it was handed, as far as that came as bytes; the
    /// others need no port for that.
    pub fn remove(&self, id: RouteId) {
        let mut state = self.0.lock();
        let at = state.routes.iter().position(|route| route.id == id);
        let removed = at.map(|at| state.routes.swap_remove(at));
        drop(state);
        drop(removed);
    }

    /// How many calls a service has that are not over: an upper bound, exact up to some calls.
    pub fn load(&self, id: RouteId) -> Option<usize> {
        let mut state = self.0.lock();
        let route = state.routes.iter_mut().find(|route| route.id == id)?;
        let over = route.forget_ended();
        let load = route.calls.len();
        drop(state);
        drop(over);
        Some(load)
    }

    /// Makes a port whose calls are handed out.
    pub fn connect(&self) -> MessagePort {
        let (ours, theirs) = MessageChannel::new().into_ports();
        self.adopt(ours, Arc::new(()));
        theirs
    }

    /// Hands out the calls that come by a port, of a client that was made from those who are of its kin.
    fn adopt(&self, ours: MessagePort, kin: Arc<()>) {
        let connection = Arc::new(Connection {
            router: self.clone(),
            kin,
            back: Mutex::new(Some(Arc::new(ours))),
            forwarded: Mutex::default(),
            introduced: Mutex::default(),
        });
        let mut state = self.0.lock();
        let is_closed = state.is_closed;
        if !is_closed {
            state.connections.retain(|connection| connection.strong_count() > 0);
            state.connections.push(Arc::downgrade(&connection));
        }
        drop(state);
        if is_closed {
            connection.end();
        } else if let Some(back) = connection.back() {
            back.set_target(connection);
        }
    }

    /// Takes no more calls: its clients are closed, the calls that wait end as not sent, and the services are
    /// [removed](Self::remove).
    pub fn close(&self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        let former = (std::mem::take(&mut state.routes), std::mem::take(&mut state.waiting));
        let connections = std::mem::take(&mut state.connections);
        drop(state);
        drop(former);
        for connection in connections.iter().filter_map(Weak::upgrade) {
            connection.end();
        }
    }

    /// Hands a message that is no call to the service that has the fewest. If there is none, it is dropped.
    fn hand_on(&self, message: Message) {
        let state = self.0.lock();
        let picked = state.routes.iter().min_by_key(|route| route.calls.len()).map(|route| route.service.clone());
        drop(state);
        let sent = picked.map(|service| service.port().post_message(message));
        if !matches!(sent, Some(Ok(()))) {
            tracing::warn!("a port could not be attached to any service of a router; it was closed");
        }
    }

    /// Hands a call to the service that has the fewest, or keeps it until there is one.
    fn hand_out(&self, mut handed: Handed) {
        loop {
            let mut state = self.0.lock();
            let (picked, over) = state.pick(&handed);
            let Some((id, service)) = picked else {
                let refused = if state.is_closed {
                    Some(handed)
                } else {
                    state.waiting.push_back(handed);
                    None
                };
                drop(state);
                drop((over, refused));
                return;
            };
            drop(state);
            drop(over);
            match handed.send(&service) {
                Ok(()) => return,
                Err(back) => handed = back,
            }
            // It has gone: whoever added it will learn that too.
            self.remove(id);
        }
    }
}

/// A call that is to be handed out.
enum Handed {
    /// It is the cell that its caller has posted.
    Cell(Carried),
    /// It came as bytes.
    Forwarded(Arc<ForwardedCall>),
}

impl Handed {
    /// Sends it to a service, or hands it back if that has gone.
    fn send(self, service: &Arc<ClientStub>) -> Result<(), Self> {
        match self {
            Self::Cell(call) => match service.port().post(Parcel::Value(call)) {
                Err(Parcel::Value(call)) => Err(Self::Cell(call)),
                Ok(()) | Err(Parcel::Message(_)) => Ok(()),
            },
            Self::Forwarded(call) if service.port().is_closed() => Err(Self::Forwarded(call)),
            Self::Forwarded(call) => {
                call.send(service);
                Ok(())
            }
        }
    }

    /// Something that is there as long as the call is not over.
    fn trace(&self) -> Option<Trace> {
        match self {
            Self::Cell(call) => call.downgrade().map(|call| call as Trace),
            Self::Forwarded(call) => Some(Arc::downgrade(call) as Trace),
        }
    }
}

/// What tells whether a call is over: whoever waits for it and whoever runs it have let it go then.
type Trace = Weak<dyn Any + Send + Sync>;

/// Calls that are over, to be dropped with no lock held.
type Over = Vec<Trace>;

impl State {
    /// Picks the service that has the fewest calls, and notes that it has one more.
    #[must_use = "drop what is over outside the lock"]
    fn pick(&mut self, call: &Handed) -> (Option<(RouteId, Arc<ClientStub>)>, Over) {
        let over = self.routes.iter_mut().flat_map(Route::forget_ended).collect();
        let picked = self.routes.iter_mut().min_by_key(|route| route.calls.len()).map(|route| {
            route.calls.extend(call.trace());
            (route.id, route.service.clone())
        });
        (picked, over)
    }
}

impl Route {
    /// Looks at some of its calls, and forgets those that are over.
    fn forget_ended(&mut self) -> Over {
        let mut over = Vec::new();
        for _ in 0..self.calls.len().min(LOOKED_AT) {
            let Some(call) = self.calls.pop_front() else { break };
            if call.strong_count() == 0 { over.push(call) } else { self.calls.push_back(call) }
        }
        over
    }
}

impl fmt::Debug for CallRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("CallRouter")
            .field("services", &state.routes.len())
            .field("waiting", &state.waiting.len())
            .field("is_closed", &state.is_closed)
            .finish_non_exhaustive()
    }
}

/// The router's end of one client.
struct Connection {
    router: CallRouter,
    /// As many have it as there are clients that were made from one that the router has made, that one counted.
    kin: Arc<()>,
    /// Its own port, by which calls that came as bytes are answered. `None` once the client has gone, or the router is closed.
    back: Mutex<Option<Arc<MessagePort>>>,
    /// The calls that came as bytes, for those that are cancelled.
    forwarded: Mutex<HashMap<CallId, Weak<ForwardedCall>>>,
    /// What the client has said that it takes methods for.
    introduced: Mutex<HashMap<MethodId, WrittenShape>>,
}

/// How many clients may be made from one that the router has made.
const MOST_CLIENTS: usize = 4096;

/// How many introductions are kept of one client.
const MOST_METHODS: usize = 4096;

impl Connection {
    fn back(&self) -> Option<Arc<MessagePort>> {
        self.back.lock().clone()
    }

    fn end(&self) {
        let back = self.back.lock().take();
        drop(back);
    }

    /// Takes a frame that a client's other end has made of a call.
    fn forward(&self, message: Message) {
        let Some(back) = self.back() else { return };
        let size = message.data().len();
        let mut is_pipelined = false;
        let (id, method, mut options, args_at) = match Frame::parse(message.data()) {
            Ok(Frame::Call { id, method, options, args }) => (Some(id), method, options, size - args.len()),
            Ok(Frame::Tell { method, options, args }) => (None, method, options, size - args.len()),
            Ok(Frame::Pipelined { method, options, args }) => {
                is_pipelined = true;
                (None, method, options, size - args.len())
            }
            Ok(Frame::Cancel { id }) => return self.cancel(id),
            Ok(Frame::Attach { limits }) => return self.attach(message, *limits),
            Ok(_) => {
                tracing::warn!("a reply came to a router, which calls nothing; it was dropped");
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "a message that is no call came to a router; it was dropped");
                return;
            }
        };
        // Each call may go to another service, which has to hear what the client takes the method for.
        let mut introduced = self.introduced.lock();
        match &options.shape {
            Some(shape) if introduced.len() < MOST_METHODS => drop(introduced.insert(method, shape.clone())),
            Some(_) => {}
            None => options.shape = introduced.get(&method).cloned(),
        }
        drop(introduced);
        let waits = Progress::Waits { message, args_at, options };
        let call = Arc::new(ForwardedCall { id, is_pipelined, method, back, progress: Mutex::new(waits) });
        if let Some(id) = id {
            let mut forwarded = self.forwarded.lock();
            // Those that are over go when there are many of them.
            if forwarded.len() >= 2 * LOOKED_AT && forwarded.len().is_power_of_two() {
                forwarded.retain(|_, call| call.strong_count() > 0);
            }
            forwarded.insert(id, Arc::downgrade(&call));
        }
        if self.back.lock().is_none() {
            // The client has gone since it was asked for above, and perhaps before the call was among those that this cancels.
            return;
        }
        self.router.hand_out(Handed::Forwarded(call));
    }

    /// One more client of the router. One that is limited is handed to one of the services, which keeps count for it, and ends with
    /// that one.
    fn attach(&self, message: Message, limits: Limits) {
        if limits != Limits::default() {
            return self.router.hand_on(message);
        }
        for port in message.into_parts().ports {
            if Arc::strong_count(&self.kin) > MOST_CLIENTS {
                tracing::warn!("a client of a router was made from one from which there are as many as may be");
                farewell(&port, Fault::Refused(Refusal::TooManyClients));
            } else {
                self.router.adopt(port, self.kin.clone());
            }
        }
    }

    fn cancel(&self, id: CallId) {
        let call = self.forwarded.lock().remove(&id);
        if let Some(call) = call.and_then(|call| call.upgrade()) {
            call.cancel();
        }
    }
}

impl MessageTarget for Connection {
    fn deliver(&self, parcel: Parcel) {
        match parcel {
            Parcel::Value(call) => self.router.hand_out(Handed::Cell(call)),
            Parcel::Message(message) => {
                message.transfer_receiving_steps();
                self.forward(message);
            }
        }
    }

    fn closed(&self, _: Gone) {
        // In this order: whoever forwards a call notes it first, and then looks whether the client is still there.
        self.end();
        let forwarded = std::mem::take(&mut *self.forwarded.lock());
        for call in forwarded.into_values().filter_map(|call| call.upgrade()) {
            call.cancel();
        }
    }
}

/// A call that came as bytes. Dropped unanswered, it lets go of the way back, and the client finds its port closed.
struct ForwardedCall {
    /// `None` if it is one-way, or pipelined.
    id: Option<CallId>,
    is_pipelined: bool,
    method: MethodId,
    back: Arc<MessagePort>,
    progress: Mutex<Progress>,
}

/// How far a call has come.
enum Progress {
    /// It waits for a service.
    Waits {
        message: Message,
        args_at: usize,
        options: Options,
    },
    /// It is on its way to a service. If it is cancelled meanwhile, the service is told after it.
    Leaves {
        is_cancelled: bool,
    },
    /// A service has it, under this id. Its port stays open until it has answered.
    Sent {
        service: Arc<ClientStub>,
        id: CallId,
    },
    Over,
}

impl ForwardedCall {
    fn replace(&self, next: Progress) -> Progress {
        std::mem::replace(&mut *self.progress.lock(), next)
    }

    /// Sends it, under an id of the router's own: those of two clients may be the same.
    fn send(self: &Arc<Self>, service: &Arc<ClientStub>) {
        let Some((message, args_at, options)) = self.leave() else { return };
        // What the service says of the method is kept for those that were introduced.
        service.replies().is_introduction(self.method);
        let said = Said::these(&options);
        let head = if self.is_pipelined {
            pipelined_head(self.method, Some(&said))
        } else if self.id.is_none() {
            tell_head(self.method, Some(&said))
        } else {
            // If nothing is answered any more, it has ended.
            let Some(id) = service.replies().expect(self.clone(), self.method) else { return };
            service.replies().sends(id, message.size());
            return self.pass_on(with_head(message, args_at, call_head(id, self.method, Some(&said))), service, id);
        };
        if let Err(error) = service.port().post_message(with_head(message, args_at, head)) {
            tracing::warn!(%error, "a call that wants no answer could not be passed on");
        }
    }

    /// Takes what is to be sent, unless nobody waits for it any more.
    fn leave(&self) -> Option<(Message, usize, Options)> {
        let mut progress = self.progress.lock();
        if !matches!(*progress, Progress::Waits { .. }) {
            return None;
        }
        match std::mem::replace(&mut *progress, Progress::Leaves { is_cancelled: false }) {
            Progress::Waits { message, args_at, options } => Some((message, args_at, options)),
            Progress::Leaves { .. } | Progress::Sent { .. } | Progress::Over => None,
        }
    }

    /// Posts a call that wants an answer, which may come at once.
    fn pass_on(&self, message: Message, service: &Arc<ClientStub>, id: CallId) {
        if let Err(error) = service.port().post_message(message) {
            tracing::warn!(%error, "a call could not be passed on");
            return self.fail(CallError::Unknown(Interruption::Closed));
        }
        let mut progress = self.progress.lock();
        let is_cancelled = match *progress {
            Progress::Leaves { is_cancelled } => {
                *progress = Progress::Sent { service: service.clone(), id };
                is_cancelled
            }
            Progress::Waits { .. } | Progress::Sent { .. } | Progress::Over => false,
        };
        drop(progress);
        if is_cancelled {
            self.cancel();
        }
    }

    /// Ends the call for its service: nobody waits for it.
    fn cancel(&self) {
        let mut progress = self.progress.lock();
        if let Progress::Leaves { is_cancelled } = &mut *progress {
            *is_cancelled = true;
            return;
        }
        let cancelled = std::mem::replace(&mut *progress, Progress::Over);
        drop(progress);
        if let Progress::Sent { service, id } = cancelled {
            service.forget(id);
            let _closed = service.port().post(Parcel::Message(Frame::Cancel { id }.to_bytes().into()));
        }
    }

    /// Ends the call for its caller, once.
    fn fault(&self, fault: Fault) {
        let progress = self.replace(Progress::Over);
        if let (Progress::Waits { .. } | Progress::Leaves { .. } | Progress::Sent { .. }, Some(id)) =
            (progress, self.id)
        {
            self.answer(Frame::Fault { id, fault }.to_bytes().into());
        }
    }

    fn answer(&self, message: Message) {
        if let Err(error) = self.back.post_message(message) {
            tracing::warn!(%error, "an answer could not be passed on");
        }
    }
}

impl AwaitingReply for ForwardedCall {
    fn reply(&self, reply: Reply) {
        let Reply { message, result_at, shape } = reply;
        let progress = self.replace(Progress::Over);
        if let (Progress::Leaves { .. } | Progress::Sent { .. }, Some(id)) = (progress, self.id) {
            if let Some(shape) = shape {
                self.answer(Frame::Shape { method: self.method, shape }.to_bytes().into());
            }
            self.answer(with_head(message, result_at, reply_head(id)));
        }
    }

    fn fail(&self, error: CallError) {
        self.fault(match error {
            CallError::Refused(refusal) => Fault::Refused(refusal),
            CallError::Unknown(interruption) => Fault::Interrupted(interruption),
            // There is no frame for it: the other end sent it.
            CallError::NotSent(_) => Fault::Interrupted(Interruption::Closed),
        });
    }
}

/// The same message with another head, which ended there.
fn with_head(message: Message, end: usize, head: Vec<u8>) -> Message {
    let mut parts = message.into_parts();
    parts.data.splice(..end, head);
    let message = Message::new(parts.data).with_ports(parts.ports);
    let message = parts.buffers.into_iter().fold(message, Message::with_buffer);
    parts.foreign.into_iter().fold(message, Message::with_foreign)
}
