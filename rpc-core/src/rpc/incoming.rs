//! A call as it arrives, and how it is opened.

use super::{
    Answer, Method, MethodId, Refusal, Responder,
    call_info::Arrival,
    cell::CallCell,
    frame::{CallId, Fault, Frame, Options},
    oneway::{IS_ONEWAY, OnewayCell},
    options::ServeOptions,
    report::in_one_line,
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
    settings: &'p ServeOptions,
    /// Only where somebody watches.
    arrival: Option<Box<Arrival>>,
}

/// How a call came, for those who watch.
#[derive(Debug, Default)]
pub(super) struct Came {
    pub(super) arrival: Option<Box<Arrival>>,
    /// That it came as so many bytes.
    pub(super) bytes: usize,
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
    pub(super) fn read(parcel: Parcel, port: &'p MessagePort, settings: &'p ServeOptions) -> Self {
        let message = match parcel {
            Parcel::Value(value) => {
                return Self::Call(Incoming { body: Body::Value(value), port, settings, arrival: None });
            }
            Parcel::Message(message) => message,
        };
        let size = message.data().len();
        let (id, method, options, args) = match Frame::parse(message.data()) {
            Ok(Frame::Call { id, method, options, args }) => (Some(id), method, options, args),
            Ok(Frame::Tell { method, options, args }) => (None, method, options, args),
            Ok(Frame::Cancel { id }) => return Self::Cancel(id),
            Ok(Frame::Reply { .. } | Frame::Fault { .. } | Frame::Hello { .. } | Frame::Credit { .. }) => {
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
        Self::Call(Incoming { body, port, settings, arrival: None })
    }
}

impl<'p> Incoming<'p> {
    /// Turns a value of a type that the service does not know into bytes: the call of another service, or of another version
    /// of this one.
    fn as_frame(
        value: Carried,
        port: &'p MessagePort,
        settings: &'p ServeOptions,
        arrival: Option<Box<Arrival>>,
    ) -> Result<Self, Answer> {
        let message = value.encode(port).ok_or(Answer::DONE)?;
        match Arrived::read(Parcel::Message(message), port, settings) {
            Arrived::Call(incoming) => Ok(Self { arrival, ..incoming }),
            Arrived::Cancel(_) | Arrived::Nothing => Err(Answer::DONE),
        }
    }

    /// Notes what is before it, for those who watch.
    #[inline]
    pub(super) fn note(&mut self, running: usize, waiting: usize) {
        if !self.settings.interceptors.is_empty() {
            self.arrival = Some(Arrival::now(running, waiting));
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
                    Ok((
                        args,
                        Responder::here(cell).attach(
                            unbox(options),
                            Came { arrival: self.arrival, bytes: 0 },
                            self.settings,
                        )?,
                    ))
                }
                Err(value) => Self::as_frame(value, self.port, self.settings, self.arrival)?.open(),
            },
            Body::Frame(frame) => frame.open(self.arrival, self.settings),
        }
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
                    Ok((
                        args,
                        Responder::nobody().attach(
                            unbox(options),
                            Came { arrival: self.arrival, bytes: 0 },
                            self.settings,
                        )?,
                    ))
                }
                Err(value) => Self::as_frame(value, self.port, self.settings, self.arrival)?.open_oneway(),
            },
            Body::Frame(frame) => frame.open(self.arrival, self.settings),
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
            Body::Value(value) => match Self::as_frame(value, self.port, self.settings, self.arrival) {
                Ok(incoming) => incoming.refuse(refusal),
                Err(answer) => answer,
            },
            Body::Frame(frame) => {
                self.settings.interceptors.refused(frame.method, &refusal);
                frame.refuse(refusal)
            }
        }
    }
}

impl FromBytes {
    fn open<M: Method>(self, arrival: Option<Box<Arrival>>, settings: &ServeOptions) -> Result<Request<M>, Answer> {
        let bytes = self.message.size();
        let responder = self.id.map_or_else(Responder::nobody, Responder::there);
        match read_args::<M>(self.message, self.args_at) {
            Ok(args) => Ok((args, responder.attach(self.options, Came { arrival, bytes }, settings)?)),
            Err(error) => {
                let refusal = Refusal::Malformed(in_one_line(&error));
                settings.interceptors.refused(M::ID, &refusal);
                Err(responder.refuse(refusal))
            }
        }
    }

    fn refuse(self, refusal: Refusal) -> Answer {
        let Some(id) = self.id else {
            tracing::warn!(%refusal, "a one-way call was refused");
            return Answer::DONE;
        };
        Answer::fault(id, Fault::Refused(refusal))
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
