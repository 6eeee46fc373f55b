//! The caller's side.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Call, ClientOptions, Failure, Method, Tell, call::Via, cell::CallCell, replies::ReplyTable};
use crate::{MessagePort, sync::Arc};

/// A typed client of a service: a port that leads to it. `#[service]` implements this for the clients it generates.
///
/// A client is a value: it may be an argument or a result, anywhere inside one, and whoever gets it can call. It is made from
/// a port and can be turned back into one; dropping it closes the port.
pub trait Client: From<MessagePort> + Sized {
    /// The port that the calls go through.
    fn port(&self) -> &MessagePort;

    /// Gives up the port. Calls made by hand through it are what the client's calls are.
    fn into_port(self) -> MessagePort;

    /// Says what is done with every call of this client, in place of what was said before. It is the holder's choice, and does not
    /// travel with the client.
    #[must_use]
    fn with_options(self, options: ClientOptions) -> Self;
}

/// What every generated client is made of: a port, and the calls that wait for replies on it.
pub struct ClientStub {
    port: MessagePort,
    replies: Arc<ReplyTable>,
    /// What is done with every call; nearly always nothing.
    options: Option<Arc<ClientOptions>>,
}

impl ClientStub {
    /// Makes a client of a port. What waits in it is no reply to anything, and is dropped.
    pub fn new(port: MessagePort) -> Self {
        let replies = Arc::new(ReplyTable::new(port.times_shipped()));
        port.set_target(replies.clone());
        Self { port, replies, options: None }.with(ClientOptions::default())
    }

    /// Says what is done with every call, in place of what was said before.
    #[must_use]
    pub fn with(mut self, mut options: ClientOptions) -> Self {
        options.interceptors = options.interceptors.of_context();
        self.options = (!options.is_plain()).then(|| Arc::new(options));
        self
    }

    /// Makes a call.
    #[inline]
    pub fn call<M: Method, E: Failure<Service = M::Err>>(&self, args: M::Args) -> Call<'_, M::Ok, E> {
        Call::new(Via::Shared(self), CallCell::<M>::new(args))
    }

    /// Makes the only call that this client is good for.
    pub fn call_once<M: Method, E: Failure<Service = M::Err>>(self, args: M::Args) -> Call<'static, M::Ok, E> {
        Call::new(Via::Owned(self), CallCell::<M>::new(args))
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
        &self.port
    }

    /// Gives up the port.
    pub fn into_port(self) -> MessagePort {
        self.port.remove_delivery();
        self.port
    }

    pub(super) fn options(&self) -> Option<&ClientOptions> {
        self.options.as_deref()
    }

    pub(super) fn replies(&self) -> &ReplyTable {
        &self.replies
    }
}

/// A client travels as its port.
impl Serialize for ClientStub {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.port.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ClientStub {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MessagePort::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for ClientStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.port.fmt(f)
    }
}
