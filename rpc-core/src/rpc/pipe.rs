//! Calls on what another call is to return, before it has.
//!
//! The caller makes a channel, sends one of its ports with the call, and calls through the other: what it calls waits in the queue that
//! travels. When the method has returned a client, the two ports are [joined](MessagePort::join).

use std::{
    any::{Any, TypeId},
    fmt,
};

use super::{
    Answer, CallError, Interruption, NotSent, Refusal, ResultCodec,
    cell::{Cell, Putting, ToPut},
    codec::Facts,
    farewell::farewell,
    frame::{Fault, Options, Said, pipelined_head, reply_head},
    known,
    oneway::IS_ONEWAY,
    report::in_one_line,
    split::reply_table,
};
use crate::{
    Message, MessagePort,
    message::{Encoder, Parts},
    port::Value,
    shape::{Shape, ShapeOf},
    sync::{Arc, Mutex},
    wire::CallId,
};

/// Where what a call returns is to be: a port whose other end the caller calls already. Dropped, it closes that, and what was called
/// there is not sent.
pub(super) struct Pipe {
    port: MessagePort,
    /// Makes a port of what the call returns. Where the call came as bytes, so does what it returns.
    into_port: Option<AnyIntoPort>,
}

/// Makes a port of a client.
pub(super) type IntoPort<T> = fn(T) -> MessagePort;

/// An [`IntoPort`] for what a call returns, which who opens the call knows again.
type AnyIntoPort = Box<dyn Any + Send + Sync>;

impl Pipe {
    pub(super) fn for_values<T: 'static>(port: MessagePort, into_port: IntoPort<T>) -> Self {
        Self { port, into_port: Some(Box::new(into_port)) }
    }

    pub(super) fn for_bytes(port: MessagePort) -> Self {
        Self { port, into_port: None }
    }

    pub(super) fn into_port(self) -> MessagePort {
        self.port
    }

    /// The call has returned.
    pub(super) fn returned<T: 'static, E>(self, codec: &ResultCodec<T, E>, result: Result<T, E>) -> Answer {
        let into_port = self.into_port.as_ref().and_then(|into_port| into_port.downcast_ref::<IntoPort<T>>());
        let returned = match (result, into_port) {
            (Ok(client), Some(into_port)) => Ok(into_port(client)),
            (Err(error), _) => Err((codec.in_words)(&error)),
            (result, None) => port_of(&Putting { value: &result, put: codec.put }),
        };
        join(returned, self.port)
    }

    /// The call has ended without a result: so does what was called on that. It did not run, whatever the call did.
    pub(super) fn failed(self, error: CallError) -> Answer {
        fail(&self.port, error);
        Answer::DONE
    }
}

/// Leads what was called on the result of a call to the port that it has returned, or says why there is none.
fn join(returned: Result<MessagePort, String>, pipe: MessagePort) -> Answer {
    match returned {
        // In this order: if the client is told a farewell, that comes before what cannot be passed on to it is thrown away.
        Ok(port) => port.join(pipe),
        Err(why) => farewell(&pipe, Fault::Refused(Refusal::NotReturned(why))),
    }
    Answer::DONE
}

/// Ends what was called on a call that has ended without a result.
pub(super) fn fail(pipe: &MessagePort, error: CallError) {
    let refusal = match error {
        // Nobody has anything to say.
        CallError::NotSent(NotSent::Closed) => return,
        CallError::Refused(refusal) => refusal,
        CallError::NotSent(NotSent::Denied(why)) => Refusal::Denied(why),
        CallError::NotSent(NotSent::DeadlineExceeded) | CallError::Unknown(Interruption::DeadlineExceeded) => {
            Refusal::DeadlineExceeded
        }
        other => Refusal::NotReturned(other.to_string()),
    };
    farewell(pipe, Fault::Refused(refusal));
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pipe").field(&self.port).finish()
    }
}

/// Whether what a method returns is a port, as every client is.
pub(super) fn returns_a_port(ok: ShapeOf) -> bool {
    *ok() == Shape::Port
}

/// Takes the port out of a result, by way of its bytes.
fn port_of(result: &dyn ToPut) -> Result<MessagePort, String> {
    // A reply as any other, which is not posted.
    let mut encoder = Encoder::after(reply_head(CallId(0)));
    encoder.put_all(|encoder| result.put(encoder)).map_err(|error| in_one_line(&error))?;
    let Parts { mut ports, .. } = encoder.finish().into_parts();
    match (ports.pop(), ports.is_empty()) {
        (Some(port), true) => Ok(port),
        (None | Some(_), _) => Err("it is not one port".to_owned()),
    }
}

/// A pipelined call as bytes, with its pipe. The arguments are not dropped yet.
fn frame_of(
    via: &MessagePort,
    facts: &Facts,
    options: Option<Box<Options>>,
    pipe: MessagePort,
    args: &dyn ToPut,
) -> Option<Message> {
    let method = facts.signature.method;
    let is_introduction = reply_table(via).is_some_and(|table| table.is_introduction(method));
    let introduction = is_introduction.then(|| known::shape_of(facts));
    let said = Said { options: options.as_deref(), introduction: introduction.as_ref() };
    let mut encoder = Encoder::after(pipelined_head(method, said.any()));
    if let Err(error) = encoder.put_all(|encoder| args.put(encoder)) {
        fail(&pipe, CallError::NotSent(NotSent::Unencodable(in_one_line(&error))));
        return None;
    }
    // The last of the ports, so that the indices of the others are what they would be without it.
    Some(encoder.finish().with_port(pipe))
}

/// A pipelined call on its way, within the process: the call, and where its result goes.
pub(super) struct PipedCell {
    content: Mutex<Option<Content>>,
    facts: &'static Facts,
}

type Content = (Arc<dyn Cell>, Pipe);

impl PipedCell {
    pub(super) fn new(call: Arc<dyn Cell>, pipe: Pipe) -> Arc<Self> {
        let facts = call.facts();
        Arc::new(Self { content: Mutex::new(Some((call, pipe))), facts })
    }

    /// Hands out all that is in it, once.
    pub(super) fn start(&self) -> Option<Content> {
        self.content.lock().take()
    }

    /// It could not be posted.
    pub(super) fn failed(&self, error: CallError) {
        if let Some((call, pipe)) = self.start() {
            let _done = pipe.failed(error);
            drop(call);
        }
    }
}

impl Value for PipedCell {
    /// Like a one-way call, it is not answered at the port that it comes by.
    fn selector(&self) -> u64 {
        u64::from(self.facts.signature.method.0) | IS_ONEWAY
    }

    fn is_for(&self, kind: &TypeId) -> bool {
        self.facts.kinds.piped == *kind
    }

    fn encode(self: Arc<Self>, via: &MessagePort) -> Option<Message> {
        let (call, pipe) = self.start()?;
        let (mut pipe, mut message) = (Some(pipe), None);
        call.write(&mut |options, args| {
            let pipe = pipe.take().map(Pipe::into_port);
            message = pipe.and_then(|pipe| frame_of(via, self.facts, options, pipe, args));
        });
        let message = message?;
        message.transfer_receiving_steps();
        Some(message)
    }

    fn discarded(&self) {
        drop(self.start());
    }
}
