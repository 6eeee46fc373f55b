//! Calls on what another call is to return, before it has.
//!
//! The caller makes a channel, sends one of its ports with the call, and calls through the other: what it calls waits in the queue that
//! travels. When the method has returned a client, the two ports are [joined](MessagePort::join).

use std::fmt;

use super::{
    Answer, CallError, Interruption, Method, NotSent, Refusal,
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
    message::{Encoder, Parts},
    port::Value,
    shape::Shape,
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

    /// The call has returned.
    pub(super) fn returned<M: Method<Ok = T>>(self, result: Result<T, M::Err>) -> Answer {
        let returned = match (result, self.into_port) {
            (Ok(client), Some(into_port)) => Ok(into_port(client)),
            (Err(error), _) => Err(Refusal::NotReturned((M::RESULT.in_words)(&error))),
            (result, None) => port_of::<M>(&result).map_err(Refusal::NotReturned),
        };
        match returned {
            // In this order: if the client is told a farewell, that comes before what cannot be passed on to it is thrown away.
            Ok(port) => port.join(self.port),
            Err(refusal) => farewell(&self.port, Fault::Refused(refusal)),
        }
        Answer::DONE
    }

    /// The call has ended without a result: so does what was called on that. It did not run, whatever the call did.
    pub(super) fn failed(self, error: CallError) -> Answer {
        let refusal = match error {
            // Nobody has anything to say.
            CallError::NotSent(NotSent::Closed) => return Answer::DONE,
            CallError::Refused(refusal) => refusal,
            CallError::NotSent(NotSent::Denied(why)) => Refusal::Denied(why),
            CallError::NotSent(NotSent::DeadlineExceeded) | CallError::Unknown(Interruption::DeadlineExceeded) => {
                Refusal::DeadlineExceeded
            }
            other => Refusal::NotReturned(in_one_line(&other)),
        };
        farewell(&self.port, Fault::Refused(refusal));
        Answer::DONE
    }
}

impl<T> fmt::Debug for Pipe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pipe").field(&self.port).finish()
    }
}

/// Whether what a method returns is a port, as every client is.
pub(super) fn returns_a_port<M: Method>() -> bool {
    *(M::RESULT.ok_shape())() == Shape::Port
}

/// Takes the port out of a result, by way of its bytes.
fn port_of<M: Method>(result: &Result<M::Ok, M::Err>) -> Result<MessagePort, String> {
    // A reply as any other, which is not posted.
    let mut encoder = Encoder::after(reply_head(CallId(0)));
    (M::RESULT.put)(result, &mut encoder).map_err(|error| in_one_line(&error))?;
    let Parts { mut ports, .. } = encoder.finish().into_parts();
    match (ports.pop(), ports.is_empty()) {
        (Some(port), true) => Ok(port),
        (None | Some(_), _) => Err("it is not one port".to_owned()),
    }
}

/// A pipelined call on its way, within the process.
pub(super) struct PipedCell<M: Method> {
    content: Mutex<Option<Content<M>>>,
    _alive: Alive,
}

/// The arguments, what is said beside them, and where the result goes.
type Content<M> = (<M as Method>::Args, Option<Box<Options>>, Pipe<<M as Method>::Ok>);

/// What its caller sees of it.
pub(super) trait Piped: Send + Sync {
    /// The cell as it is posted.
    fn to_value(self: Arc<Self>) -> Arc<dyn Value>;

    /// It could not be posted.
    fn failed(&self, error: CallError);
}

impl<M: Method> PipedCell<M> {
    pub(super) fn new(args: M::Args, options: Option<Box<Options>>, pipe: Pipe<M::Ok>) -> Arc<Self> {
        Arc::new(Self { content: Mutex::new(Some((args, options, pipe))), _alive: Alive::new(What::Call(M::NAME)) })
    }

    /// Hands out all that is in it, once.
    pub(super) fn start(&self) -> Option<Content<M>> {
        self.content.lock().take()
    }
}

impl<M: Method> Piped for PipedCell<M> {
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

impl<M: Method> Value for PipedCell<M> {
    /// Like a one-way call, it is not answered at the port that it comes by.
    fn selector(&self) -> u64 {
        u64::from(M::ID.0) | IS_ONEWAY
    }

    fn encode(self: Arc<Self>, via: &MessagePort) -> Option<Message> {
        let (args, options, pipe) = self.start()?;
        let is_introduction = reply_table(via).is_some_and(|table| table.is_introduction(M::ID));
        let introduction = is_introduction.then(known::introduction_of::<M>);
        let said = Said { options: options.as_deref(), introduction: introduction.as_deref() };
        let mut encoder = Encoder::after(pipelined_head(M::ID, said.any()));
        if let Err(error) = M::encode_args(&args, &mut encoder) {
            let _done = pipe.failed(CallError::NotSent(NotSent::Unencodable(in_one_line(&error))));
            return None;
        }
        // The last of the ports, so that the indices of the others are what they would be without it.
        let message = encoder.finish().with_port(pipe.port);
        drop(args);
        message.transfer_receiving_steps();
        Some(message)
    }

    fn discarded(&self) {
        drop(self.start());
    }
}
