//! Calls on what another call is to return, before it has.
//!
//! The caller makes a channel, sends one of its ports with the call, and calls through the other: what it calls waits in the queue that
//! travels. When the method has returned a client, the two ports are [joined](MessagePort::join).

use std::{any::TypeId, fmt};

use super::{
    Answer, CallError, Interruption, NotSent, Refusal, ResultCodec,
    codec::{Codec, Facts},
    farewell::farewell,
    frame::{Fault, Options, Said, pipelined_head, reply_head},
    known,
    oneway::IS_ONEWAY,
    report::in_one_line,
    split::reply_table,
};
use crate::{
    Message, MessagePort,
    live::{Alive, What},
    message::{EncodeError, Encoder, Parts},
    port::Value,
    shape::{Shape, ShapeOf},
    sync::{Arc, Mutex},
    wire::CallId,
};

/// Where what a call returns is to be: a port whose other end the caller calls already. Dropped, it closes that, and what was called
/// there is not sent.
pub(super) struct Pipe<T> {
    port: MessagePort,
    /// Makes a port of what the call returns. Where the call came as bytes, so does what it returns.
    into_port: Option<fn(T) -> MessagePort>,
}

impl<T> Pipe<T> {
    pub(super) fn for_values(port: MessagePort, into_port: fn(T) -> MessagePort) -> Self {
        Self { port, into_port: Some(into_port) }
    }

    pub(super) fn for_bytes(port: MessagePort) -> Self {
        Self { port, into_port: None }
    }

    pub(super) fn into_port(self) -> MessagePort {
        self.port
    }

    /// The call has returned.
    pub(super) fn returned<E>(self, codec: &ResultCodec<T, E>, result: Result<T, E>) -> Answer {
        let returned = match (result, self.into_port) {
            (Ok(client), Some(into_port)) => Ok(into_port(client)),
            (Err(error), _) => Err((codec.in_words)(&error)),
            (result, None) => port_of(|encoder| encoder.put_all(|encoder| (codec.put)(&result, encoder))),
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

impl<T> fmt::Debug for Pipe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pipe").field(&self.port).finish()
    }
}

/// Whether what a method returns is a port, as every client is.
pub(super) fn returns_a_port(ok: ShapeOf) -> bool {
    *ok() == Shape::Port
}

/// Takes the port out of a result, by way of its bytes.
fn port_of(put: impl FnOnce(&mut Encoder) -> Result<(), EncodeError>) -> Result<MessagePort, String> {
    // A reply as any other, which is not posted.
    let mut encoder = Encoder::after(reply_head(CallId(0)));
    let put = put(&mut encoder);
    only_port(encoder, put)
}

fn only_port(encoder: Encoder, put: Result<(), EncodeError>) -> Result<MessagePort, String> {
    put.map_err(|error| in_one_line(&error))?;
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
    encode: &mut dyn FnMut(&mut Encoder) -> Result<(), EncodeError>,
) -> Option<Message> {
    let method = facts.signature.method;
    let is_introduction = reply_table(via).is_some_and(|table| table.is_introduction(method));
    let introduction = is_introduction.then(|| known::shape_of(facts));
    let said = Said { options: options.as_deref(), introduction: introduction.as_ref() };
    let mut encoder = Encoder::after(pipelined_head(method, said.any()));
    if let Err(error) = encode(&mut encoder) {
        fail(&pipe, CallError::NotSent(NotSent::Unencodable(in_one_line(&error))));
        return None;
    }
    // The last of the ports, so that the indices of the others are what they would be without it.
    Some(encoder.finish().with_port(pipe))
}

/// A pipelined call on its way, within the process.
pub(super) struct PipedCell<A: 'static, T: 'static, E: 'static> {
    content: Mutex<Option<Content<A, T>>>,
    codec: &'static Codec<A, T, E>,
    _alive: Alive,
}

/// The arguments, what is said beside them, and where the result goes.
type Content<A, T> = (A, Option<Box<Options>>, Pipe<T>);

/// What its caller sees of it.
pub(super) trait Piped: Send + Sync {
    /// The cell as it is posted.
    fn to_value(self: Arc<Self>) -> Arc<dyn Value>;

    /// It could not be posted.
    fn failed(&self, error: CallError);
}

impl<A: 'static, T: 'static, E: 'static> PipedCell<A, T, E> {
    pub(super) fn new(
        codec: &'static Codec<A, T, E>,
        args: A,
        options: Option<Box<Options>>,
        pipe: Pipe<T>,
    ) -> Arc<Self> {
        let _alive = Alive::new(What::Call(codec.facts.signature.name));
        Arc::new(Self { content: Mutex::new(Some((args, options, pipe))), codec, _alive })
    }

    /// Hands out all that is in it, once.
    pub(super) fn start(&self) -> Option<Content<A, T>> {
        self.content.lock().take()
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Piped for PipedCell<A, T, E> {
    fn to_value(self: Arc<Self>) -> Arc<dyn Value> {
        self
    }

    fn failed(&self, error: CallError) {
        if let Some((args, _, pipe)) = self.start() {
            let _done = pipe.failed(error);
            drop(args);
        }
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Value for PipedCell<A, T, E> {
    /// Like a one-way call, it is not answered at the port that it comes by.
    fn selector(&self) -> u64 {
        u64::from(self.codec.facts.signature.method.0) | IS_ONEWAY
    }

    fn is_for(&self, kind: &TypeId) -> bool {
        self.codec.facts.kinds.piped == *kind
    }

    fn encode(self: Arc<Self>, via: &MessagePort) -> Option<Message> {
        let (args, options, pipe) = self.start()?;
        let encode = &mut |encoder: &mut Encoder| encoder.put_all(|encoder| (self.codec.encode)(&args, encoder));
        let message = frame_of(via, &self.codec.facts, options, pipe.into_port(), encode)?;
        drop(args);
        message.transfer_receiving_steps();
        Some(message)
    }

    fn discarded(&self) {
        drop(self.start());
    }
}
