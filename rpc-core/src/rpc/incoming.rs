//! A call as it arrives, and how it is opened.

use super::{
    Answer, Method, MethodId, Refusal, Responder,
    cell::CallCell,
    frame::{CallId, Fault, Frame},
    oneway::OnewayCell,
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
    port: &'p MessagePort,
}

#[derive(Debug)]
enum Body {
    /// From a caller in this process.
    Value(Carried),
    /// As bytes. Without an id it is one-way.
    Frame { message: Message, id: Option<CallId>, method: MethodId, args_at: usize },
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
    pub(super) fn read(parcel: Parcel, port: &'p MessagePort) -> Self {
        let message = match parcel {
            Parcel::Value(value) => return Self::Call(Incoming { body: Body::Value(value), port }),
            Parcel::Message(message) => message,
        };
        let size = message.data().len();
        let (id, method, args) = match Frame::parse(message.data()) {
            Ok(Frame::Call { id, method, args }) => (Some(id), method, args),
            Ok(Frame::Tell { method, args }) => (None, method, args),
            Ok(Frame::Cancel { id }) => return Self::Cancel(id),
            Ok(Frame::Reply { .. } | Frame::Fault { .. }) => {
                tracing::warn!("a reply came to a service's port, which calls nothing; it was dropped");
                return Self::Nothing;
            }
            Err(error) => {
                tracing::warn!(%error, "a message that is no call came to a service's port; it was dropped");
                return Self::Nothing;
            }
        };
        let args_at = size - args.len();
        Self::Call(Incoming { body: Body::Frame { message, id, method, args_at }, port })
    }
}

impl<'p> Incoming<'p> {
    /// Turns a value of a type that the service does not know into bytes: the call of another service, or of another version
    /// of this one.
    fn as_frame(value: Carried, port: &'p MessagePort) -> Result<Self, Answer> {
        let message = value.encode(port).ok_or(Answer::DONE)?;
        match Arrived::read(Parcel::Message(message), port) {
            Arrived::Call(incoming) => Ok(incoming),
            Arrived::Cancel(_) | Arrived::Nothing => Err(Answer::DONE),
        }
    }

    /// Which method is wanted.
    pub fn method(&self) -> MethodId {
        match &self.body {
            Body::Value(value) => MethodId(value.selector()),
            Body::Frame { method, .. } => *method,
        }
    }

    /// The id of a call that came as bytes and wants an answer.
    pub(super) fn id(&self) -> Option<CallId> {
        match &self.body {
            Body::Value(_) => None,
            Body::Frame { id, .. } => *id,
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
                    let args = cell.start().ok_or(Answer::DONE)?;
                    Ok((args, Responder::here(cell)))
                }
                Err(value) => Self::as_frame(value, self.port)?.open(),
            },
            Body::Frame { message, id, args_at, .. } => open_frame(message, id, args_at),
        }
    }

    /// Takes out the arguments of a one-way method.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    pub fn open_oneway<M: Method>(self) -> Result<Request<M>, Answer> {
        match self.body {
            Body::Value(value) => match value.downcast::<OnewayCell<M>>() {
                Ok(cell) => Ok((cell.start().ok_or(Answer::DONE)?, Responder::nobody())),
                Err(value) => Self::as_frame(value, self.port)?.open_oneway(),
            },
            Body::Frame { message, id, args_at, .. } => open_frame(message, id, args_at),
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
            Body::Value(value) => match Self::as_frame(value, self.port) {
                Ok(incoming) => incoming.refuse(refusal),
                Err(answer) => answer,
            },
            Body::Frame { id: Some(id), .. } => Answer::fault(id, Fault::Refused(refusal)),
            Body::Frame { id: None, .. } => {
                tracing::warn!(%refusal, "a one-way call was refused");
                Answer::DONE
            }
        }
    }
}

fn open_frame<M: Method>(message: Message, id: Option<CallId>, args_at: usize) -> Result<Request<M>, Answer> {
    let responder = id.map_or_else(Responder::nobody, Responder::there);
    match read_args::<M>(message, args_at) {
        Ok(args) => Ok((args, responder)),
        Err(error) => Err(responder.refuse(Refusal::Malformed(error.to_string()))),
    }
}

fn read_args<M: Method>(mut message: Message, at: usize) -> Result<M::Args, DecodeError> {
    let mut decoder = message.decoder(at);
    let args = M::decode_args(&mut decoder)?;
    decoder.end()?;
    Ok(args)
}
