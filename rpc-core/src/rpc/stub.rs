//! The caller's side.

use std::{
    any::Any,
    fmt,
    hash::Hash,
    sync::OnceLock,
    task::{Context, Poll},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Call, CallError, ClientOptions, Failure, Method, MethodId, MethodTable, Narrowing, NotSent, Service, Tell,
    call::Via,
    cell::CallCell,
    codec::{Codec, Coded},
    farewell::farewell,
    frame::{CallId, Fault, Frame, Limits},
    replies::ReplyTable,
    window::{CallWindow, Kind, Place},
};
use crate::{
    Message, MessageChannel, MessagePort,
    port::{Gone, Parcel},
    shape::Description,
    sync::Arc,
};

/// A typed client of a service: a port that leads to it. `#[service]` implements this for the clients it generates.
///
/// A client is a value: it may be an argument or a result, anywhere inside one, and whoever gets it can call. It is made from
/// a port and can be turned back into one; dropping it closes the port.
pub trait Client: From<MessagePort> + Sized {
    /// The port that the calls go through.
    fn port(&self) -> &MessagePort;

    /// Gives up the port. Calls made by hand through it are what the client's calls are.
    fn into_port(self) -> MessagePort;

    /// What every generated client is made of.
    #[doc(hidden)]
    fn stub(&self) -> &ClientStub;

    /// Asks the service what it is: its methods, with their documentation and shapes.
    ///
    /// What it says can be looked through, or compared with what this end takes the service for:
    /// `Description::compare(&contacts.describe().await?, &ContactsClient::DESCRIPTION.describe())`.
    ///
    /// # Errors
    /// [`CallError`], as of any call.
    fn describe(&self) -> Call<'_, Description, CallError> {
        self.stub().describe()
    }

    /// Makes less of this right, for somebody else: [`Narrowing`] says how. It takes one message and no waiting.
    ///
    /// Not for services that are good for one use, of which there is no second client.
    fn narrow(&self) -> Narrowing<'_, Self>
    where
        Self: Clone,
    {
        Narrowing::new(self.stub())
    }

    /// Says what is done with every call of this client, in place of what was said before. It is the holder's choice, and does not
    /// travel with the client.
    #[must_use]
    fn with_options(self, options: ClientOptions) -> Self;
}

/// A client that `#[service]` generated, as the clients of its service's sub-services need it.
pub trait ServiceClient: Client {
    /// Names one of those: an enum.
    type Method: Copy + Eq + Hash + fmt::Debug + Into<MethodId>;

    /// The methods that it calls.
    const METHODS: MethodTable;

    /// The client whose calls go through a stub, which other clients may go through too.
    fn from_stub(stub: ClientStub) -> Self;
}

/// Leads from the client of a service to the server of it, so that whoever names the one need not name the other.
pub trait ServedBy<Object>: ServiceClient {
    /// The server, when the service is that object.
    type Server: Service<Object = Object>;
}

/// What every generated client is made of: a port, and the calls that wait for replies on it.
///
/// One word, as calls that have clients among their arguments are moved.
pub struct ClientStub(Box<Owned>);

/// Whose the parts of a stub are.
enum Owned {
    Alone(Parts),
    /// Those of a [`SharedStub`].
    Together(Arc<Parts>),
}

/// What a stub is.
struct Parts {
    port: MessagePort,
    /// Once it was made, and somebody has looked.
    replies: OnceLock<Arc<ReplyTable>>,
    /// What is done with every call; nearly always nothing.
    options: Option<Box<ClientOptions>>,
}

impl Parts {
    fn new(port: MessagePort) -> Self {
        port.set_target_later(|times_shipped, gone| Arc::new(ReplyTable::new(times_shipped, gone)));
        Self { port, replies: OnceLock::new(), options: None }
    }

    /// The table of replies, if there is one. Nearly always none was made where nothing has happened at the port.
    #[inline]
    fn replies_so_far(&self) -> Option<&ReplyTable> {
        match self.replies.get() {
            Some(replies) => Some(replies),
            None if self.port.has_no_target_yet() => None,
            None => self.look_for_replies(false),
        }
    }

    #[cold]
    fn look_for_replies(&self, are_wanted: bool) -> Option<&ReplyTable> {
        let target: Arc<dyn Any + Send + Sync> = self.port.own_target(are_wanted)?;
        let replies = target.downcast().ok()?;
        Some(self.replies.get_or_init(|| replies))
    }

    /// The table of replies, which is made if there is none. Where the port is closed, nothing is answered.
    fn replies(&self) -> &ReplyTable {
        let made = self.replies_so_far().or_else(|| self.look_for_replies(true));
        made.unwrap_or_else(|| {
            let over = || Arc::new(ReplyTable::new(self.port.times_shipped(), Some(Gone::Closed)));
            self.replies.get_or_init(over)
        })
    }

    /// What the other end has said as its last words.
    fn farewell(&self) -> Option<Fault> {
        self.replies_so_far()?.farewell()
    }

    /// Lets go of the port, and has whoever gets it told why it is closed, as this client was.
    fn let_go(&self) {
        // Before there is no table to be found any more.
        let farewell = self.farewell();
        self.port.remove_delivery();
        if let Some(fault) = farewell {
            self.port.put_back(Parcel::Message(Frame::Farewell { fault }.to_bytes().into()));
        }
    }
}

/// A stub for several: the client of a service and those of its super-services, which it contains; or a call that uses a client up, and whoever
/// may give that back.
pub struct SharedStub(Arc<Parts>);

impl SharedStub {
    /// The same stub, for one of them.
    #[must_use]
    pub fn stub(&self) -> ClientStub {
        ClientStub(Box::new(Owned::Together(self.0.clone())))
    }
}

impl fmt::Debug for SharedStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.port.fmt(f)
    }
}

impl ClientStub {
    /// Makes a client of a port. What waits in it is no reply to anything, and is dropped.
    pub fn new(port: MessagePort) -> Self {
        Self(Box::new(Owned::Alone(Parts::new(port)))).with(ClientOptions::default())
    }

    /// The same stub, for several to have.
    pub fn into_shared(self) -> SharedStub {
        SharedStub(match *self.0 {
            Owned::Alone(parts) => Arc::new(parts),
            Owned::Together(parts) => parts,
        })
    }

    #[inline]
    fn parts(&self) -> &Parts {
        match &*self.0 {
            Owned::Alone(parts) => parts,
            Owned::Together(parts) => parts,
        }
    }

    /// Says what is done with every call, in place of what was said before.
    ///
    /// # Panics
    /// If the stub is shared still: a client drops those that it contains first.
    #[must_use]
    pub fn with(self, mut options: ClientOptions) -> Self {
        if let Some(interceptors) = options.interceptors.with_those_of_context() {
            options.interceptors = interceptors;
        }
        self.with_same((!options.is_plain()).then(|| Box::new(options)))
    }

    /// Makes another stub of the same service, by a port of its own, with no more rights than this one, and less by what the limits
    /// say. One message, which nobody answers: where it fails, so do the calls.
    #[must_use]
    pub fn attach(&self, limits: Limits) -> Self {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let frame = Frame::Attach { limits: Box::new(limits) };
        match self.parts().farewell() {
            // Nobody gets it any more: what was said to this one holds for the other.
            Some(fault) => farewell(&theirs, fault),
            // A new port can always be posted, so nothing comes back; and where nobody gets it, it is closed.
            None => drop(self.port().post_message(Message::new(frame.to_bytes()).with_port(theirs))),
        }
        let stub = Self::new(ours);
        match &self.parts().options {
            Some(options) => stub.with_same(Some(options.clone())),
            None => stub,
        }
    }

    /// Says what is done with every call, and adds nothing to it.
    fn with_same(mut self, options: Option<Box<ClientOptions>>) -> Self {
        let parts = match &mut *self.0 {
            Owned::Alone(parts) => parts,
            Owned::Together(parts) => Arc::get_mut(parts).expect("no client outlives the one that contains it"),
        };
        parts.options = options;
        self
    }

    /// Makes a call.
    #[inline]
    pub fn call<M: Method, E: Failure<Service = M::Err>>(&self, args: M::Args) -> Call<'_, M::Ok, E> {
        self.call_as(M::CODEC, args)
    }

    #[inline]
    fn call_as<A, T, X, E>(&self, codec: &'static Codec<A, T, X>, args: A) -> Call<'_, T, E>
    where
        A: Send + 'static,
        T: Send + 'static,
        X: Send + 'static,
        E: Failure<Service = X>,
    {
        Call::new(Via::Shared(self), self.cell(codec, args))
    }

    /// Makes the only call that this client is good for.
    pub fn call_once<M: Method, E: Failure<Service = M::Err>>(self, args: M::Args) -> Call<'static, M::Ok, E> {
        let cell = self.cell(M::CODEC, args);
        Call::new(Via::Owned(self), cell)
    }

    #[inline]
    fn cell<A, T, E>(&self, codec: &'static Codec<A, T, E>, args: A) -> Arc<CallCell<A, T, E>>
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        if self.sends_bytes() { CallCell::reused(codec, args) } else { CallCell::new(codec, args) }
    }

    /// Makes a one-way call.
    pub fn tell<M: Method>(&self, args: M::Args) -> Tell<'_> {
        Tell::new::<M>(Via::Shared(self), args)
    }

    /// Makes the only call that this client is good for, one-way.
    pub fn tell_once<M: Method>(self, args: M::Args) -> Tell<'static> {
        Tell::new::<M>(Via::Owned(self), args)
    }

    /// The port that the calls go through.
    pub fn port(&self) -> &MessagePort {
        &self.parts().port
    }

    /// Gives up the port.
    ///
    /// # Panics
    /// If the stub is shared still: a client drops those that it contains first.
    pub fn into_port(self) -> MessagePort {
        let parts = match *self.0 {
            Owned::Alone(parts) => parts,
            Owned::Together(parts) => Arc::into_inner(parts).expect("no client outlives the one that contains it"),
        };
        parts.let_go();
        parts.port
    }

    #[inline]
    pub(super) fn options(&self) -> Option<&ClientOptions> {
        self.parts().options.as_deref()
    }

    /// Whether it is known of a call of this client that it went as bytes: nearly always, none does or all do. Who sends one looks for the table.
    #[inline]
    fn sends_bytes(&self) -> bool {
        self.parts().replies.get().is_some_and(|replies| replies.has_sent_bytes())
    }

    /// How many calls may be under way, if the service may have said so.
    #[inline]
    pub(super) fn window(&self) -> Option<&CallWindow> {
        self.parts().replies_so_far().map(ReplyTable::window)
    }

    /// Whether a call may be sent now. Registers the task if not.
    #[inline]
    pub(super) fn poll_enter(&self, kind: Kind, place: &mut Place, cx: &mut Context<'_>) -> Poll<()> {
        self.window().map_or(Poll::Ready(()), |window| window.poll_enter(kind, place, cx))
    }

    /// A call has ended, or waits no longer for its turn.
    #[inline]
    pub(super) fn leave(&self, kind: Kind, place: &mut Place) {
        if *place != Place::Outside
            && let Some(window) = self.window()
        {
            window.leave(kind, place);
        }
    }

    /// How a call ends that found the port closed: as the other end has said, if it said anything.
    pub(super) fn unsent(&self) -> CallError {
        self.parts().farewell().map_or(CallError::NotSent(NotSent::Closed), CallError::from)
    }

    /// Expects the reply to a call that went as bytes no longer.
    pub(super) fn forget(&self, id: CallId) {
        let forgotten = self.parts().replies_so_far().and_then(|replies| replies.forget(id));
        drop(forgotten);
    }

    /// The calls that go as bytes.
    #[inline]
    pub(super) fn replies(&self) -> &ReplyTable {
        self.parts().replies()
    }
}

/// A clone has a port of its own: see [`attach`](ClientStub::attach).
impl Clone for ClientStub {
    fn clone(&self) -> Self {
        self.attach(Limits::default())
    }
}

/// A client travels as its port.
impl Serialize for ClientStub {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = self.parts();
        if parts.farewell().is_some() {
            // Nothing is lost if the value does not travel after all: this client knows its farewell, and nothing comes after that.
            parts.let_go();
        }
        parts.port.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ClientStub {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MessagePort::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for ClientStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.port().fmt(f)
    }
}
