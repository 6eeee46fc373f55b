//! A call as it arrives, and how it is opened.

use std::sync::OnceLock;

use super::{
    Answer, Method, MethodId, Refusal, Responder,
    cell::CallCell,
    frame::{CallId, Fault, Frame, Options},
    oneway::{IS_ONEWAY, OnewayCell},
    options::ServeOptions,
    outbox::Outbox,
};
use crate::{
    Message, MessagePort,
    message::DecodeError,
    port::{Carried, Parcel},
};

/// A call that came to a service, not yet opened: which method it wants, and the arguments in whatever form they came.
#[derive(Debug)]
pub struct Incoming<'p> {
    body: Body,
    desk: &'p Desk<'p>,
}

/// Where calls arrive.
#[derive(Debug)]
pub(super) struct Desk<'p> {
    pub(super) port: &'p MessagePort,
    pub(super) settings: &'p ServeOptions,
    /// Made for the first handler that returns a stream.
    outbox: OnceLock<Outbox>,
}

impl<'p> Desk<'p> {
    pub(super) fn new(port: &'p MessagePort, settings: &'p ServeOptions) -> Self {
        Self { port, settings, outbox: OnceLock::new() }
    }

    /// Posts the replies of handlers that go on, and tells which calls have ended so: nobody waits for those handlers at this port.
    pub(super) fn post_early(&self, mut ended: impl FnMut(CallId)) {
        for (id, answer) in self.outbox.get().map(Outbox::take).unwrap_or_default() {
            self.post(answer);
            ended(id);
        }
    }

    /// Sends an answer. If the port is closed, nobody waits for it.
    pub(super) fn post(&self, answer: Answer) {
        if let Answer(Some(message)) = answer {
            let _closed = self.port.post(Parcel::Message(message));
        }
    }

    fn outbox(&self) -> Outbox {
        self.outbox.get_or_init(Outbox::default).clone()
    }
}

#[derive(Debug)]
enum Body {
    /// From a caller in this process.
    Value(Carried),
    /// As bytes. Without an id it is one-way.
    Frame(FromBytes),
}

#[derive(Debug)]
struct FromBytes {
    message: Message,
    id: Option<CallId>,
    method: MethodId,
    options: Options,
    args_at: usize,
}

/// What came to a service's port.
#[derive(Debug)]
pub(super) enum Arrived<'p> {
    Call(Incoming<'p>),
    Cancel(CallId),
    /// Nothing that a service can do anything with. It was reported.
    Nothing,
}

/// The arguments of a call, and the duty to answer it.
type Request<M> = (<M as Method>::Args, Responder<M>);

impl<'p> Arrived<'p> {
    /// Looks at what came, as far as finding out whose it is.
    pub(super) fn read(parcel: Parcel, desk: &'p Desk<'p>) -> Self {
        let message = match parcel {
            Parcel::Value(value) => return Self::Call(Incoming { body: Body::Value(value), desk }),
            Parcel::Message(message) => message,
        };
        let size = message.data().len();
        let (id, method, options, args) = match Frame::parse(message.data()) {
            Ok(Frame::Call { id, method, options, args }) => (Some(id), method, options, args),
            Ok(Frame::Tell { method, options, args }) => (None, method, options, args),
            Ok(Frame::Cancel { id }) => return Self::Cancel(id),
            Ok(_) => {
                tracing::warn!("a reply came to a service's port, which calls nothing; it was dropped");
                return Self::Nothing;
            }
            Err(error) => {
                tracing::warn!(%error, "a message that is no call came to a service's port; it was dropped");
                return Self::Nothing;
            }
        };
        let args_at = size - args.len();
        let body = Body::Frame(FromBytes { message, id, method, options, args_at });
        Self::Call(Incoming { body, desk })
    }
}

impl<'p> Incoming<'p> {
    /// Turns a value of a type that the service does not know into bytes: the call of another service, or of another version
    /// of this one.
    fn as_frame(value: Carried, desk: &'p Desk<'p>) -> Result<Self, Answer> {
        let message = value.encode(desk.port).ok_or(Answer::DONE)?;
        match Arrived::read(Parcel::Message(message), desk) {
            Arrived::Call(incoming) => Ok(incoming),
            Arrived::Cancel(_) | Arrived::Nothing => Err(Answer::DONE),
        }
    }

    /// Whether it wants no answer.
    pub(super) fn is_oneway(&self) -> bool {
        match &self.body {
            Body::Value(value) => value.selector() & IS_ONEWAY != 0,
            Body::Frame(frame) => frame.id.is_none(),
        }
    }

    /// Which method is wanted.
    pub fn method(&self) -> MethodId {
        match &self.body {
            // Truncated on purpose: the id is the lower half.
            Body::Value(value) => MethodId(value.selector() as u32),
            Body::Frame(frame) => frame.method,
        }
    }

    /// The id of a call that came as bytes and wants an answer.
    pub(super) fn id(&self) -> Option<CallId> {
        match &self.body {
            Body::Value(_) => None,
            Body::Frame(frame) => frame.id,
        }
    }

    /// How many bytes it keeps while it waits.
    pub(super) fn size(&self) -> usize {
        match &self.body {
            Body::Value(_) => 0,
            Body::Frame(frame) => frame.message.size(),
        }
    }

    /// Takes out the arguments of a method that returns something.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    pub fn open<M: Method>(self) -> Result<Request<M>, Answer> {
        match self.body {
            Body::Value(value) => match value.downcast::<CallCell<M>>() {
                Ok(cell) => {
                    let (args, options) = cell.start().ok_or(Answer::DONE)?;
                    Ok((args, Responder::here(cell).attach(unbox(options), self.desk.settings)?))
                }
                Err(value) => Self::as_frame(value, self.desk)?.open(),
            },
            Body::Frame(frame) => frame.open(self.desk.settings),
        }
    }

    /// As [`open`](Self::open), of a method that returns a stream: it replies before it has ended.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    pub fn open_stream<M: Method>(self) -> Result<Request<M>, Answer> {
        let outbox = self.desk.outbox();
        let (args, responder) = self.open()?;
        Ok((args, responder.with_outbox(outbox)))
    }

    /// Takes out the arguments of a one-way method.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    pub fn open_oneway<M: Method>(self) -> Result<Request<M>, Answer> {
        match self.body {
            Body::Value(value) => match value.downcast::<OnewayCell<M>>() {
                Ok(cell) => {
                    let (args, options) = cell.start().ok_or(Answer::DONE)?;
                    Ok((args, Responder::nobody().attach(unbox(options), self.desk.settings)?))
                }
                Err(value) => Self::as_frame(value, self.desk)?.open_oneway(),
            },
            Body::Frame(frame) => frame.open(self.desk.settings),
        }
    }

    /// Answers a call of a method that is not served.
    pub fn unknown_method(self) -> Answer {
        let refusal = Refusal::UnknownMethod(self.method());
        self.refuse(refusal)
    }

    /// Answers a call that is not to be run.
    pub(super) fn refuse(self, refusal: Refusal) -> Answer {
        match self.body {
            Body::Value(value) => match Self::as_frame(value, self.desk) {
                Ok(incoming) => incoming.refuse(refusal),
                Err(answer) => answer,
            },
            Body::Frame(FromBytes { id: Some(id), .. }) => Answer::fault(id, Fault::Refused(refusal)),
            Body::Frame(FromBytes { id: None, .. }) => {
                tracing::warn!(%refusal, "a one-way call was refused");
                Answer::DONE
            }
        }
    }
}

impl FromBytes {
    fn open<M: Method>(self, settings: &ServeOptions) -> Result<Request<M>, Answer> {
        let responder = self.id.map_or_else(Responder::nobody, Responder::there);
        match read_args::<M>(self.message, self.args_at) {
            Ok(args) => Ok((args, responder.attach(self.options, settings)?)),
            Err(error) => Err(responder.refuse(Refusal::Malformed(error.to_string()))),
        }
    }
}

fn unbox(options: Option<Box<Options>>) -> Options {
    options.map(|options| *options).unwrap_or_default()
}

fn read_args<M: Method>(mut message: Message, at: usize) -> Result<M::Args, DecodeError> {
    let mut decoder = message.decoder(at);
    let args = M::decode_args(&mut decoder)?;
    decoder.end()?;
    Ok(args)
}
