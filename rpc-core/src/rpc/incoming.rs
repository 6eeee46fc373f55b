//! A call as it arrives, and how it is opened.

use super::{
    Answer, Method, MethodId, Refusal, Responder,
    call_info::Arrival,
    cell::CallCell,
    desk::Desk,
    farewell::farewell,
    frame::{CallId, Fault, Frame, Limits, Options},
    oneway::{IS_ONEWAY, OnewayCell},
    outbox::Outbox,
    pipe::{Pipe, PipedCell, returns_a_port},
    report::in_one_line,
    same::{self, Same},
    versions::{Verdict, Version},
};
use crate::{
    Message, MessagePort,
    message::DecodeError,
    port::{Carried, Parcel},
    sync::Arc,
};

/// A call that came to a service, not yet opened: which method it wants, and the arguments in whatever form they came.
#[derive(Debug)]
pub struct Incoming<'d> {
    call: Unopened,
    /// Where it came in, and where its answer goes.
    desk: &'d Arc<Desk>,
}

/// A call that came, without where it came in: so it may wait.
#[derive(Debug)]
pub(super) struct Unopened {
    /// Which method is wanted.
    method: MethodId,
    body: Body,
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
    /// As bytes. Without an id it is one-way, or pipelined.
    /// Boxed, so that a call that is a value is small to move.
    Frame(Box<FromBytes>),
}

#[derive(Debug)]
struct FromBytes {
    message: Message,
    id: Option<CallId>,
    /// What it returns is to be joined to this port.
    pipe: Option<MessagePort>,
    method: MethodId,
    options: Options,
    args_at: usize,
    /// What the caller takes the method for, if it said so.
    version: Option<Arc<Version>>,
}

/// What came to a service's port.
#[derive(Debug)]
pub(super) enum Arrived {
    Call(Unopened),
    Cancel(CallId),
    /// A port that is to be served too, with the sender's right, limited to that.
    Attach(MessagePort, Box<Limits>),
    /// Nothing that a service can do anything with. It was reported.
    Nothing,
}

/// The arguments of a call, and the duty to answer it.
type Request<M> = (<M as Method>::Args, Responder<M>);

impl Arrived {
    /// Looks at what came, as far as finding out whose it is.
    #[inline]
    pub(super) fn read(parcel: Parcel, desk: &Desk) -> Self {
        match parcel {
            Parcel::Value(value) => {
                Self::Call(Unopened { method: method_of_value(&value), body: Body::Value(value), arrival: None })
            }
            Parcel::Message(message) => Self::read_call(message, desk).map_or_else(
                |other| other,
                |call| Self::Call(Unopened { method: call.method, body: Body::Frame(Box::new(call)), arrival: None }),
            ),
        }
    }

    /// A message that is a call, as far as finding out whose it is.
    ///
    /// # Errors
    /// What it is instead.
    fn read_call(mut message: Message, desk: &Desk) -> Result<FromBytes, Self> {
        let size = message.data().len();
        let mut is_pipelined = false;
        let (id, method, mut options, args) = match Frame::parse(message.data()) {
            Ok(Frame::Call { id, method, options, args }) => (Some(id), method, options, args),
            Ok(Frame::Tell { method, options, args }) => (None, method, options, args),
            Ok(Frame::Pipelined { method, options, args }) => {
                is_pipelined = true;
                (None, method, options, args)
            }
            Ok(Frame::Cancel { id }) => return Err(Self::Cancel(id)),
            Ok(Frame::Attach { limits }) => return Err(Self::attach(message, limits)),
            Ok(_) => {
                tracing::warn!("a reply came to a service's port, which calls nothing; it was dropped");
                return Err(Self::Nothing);
            }
            Err(error) => {
                tracing::warn!(%error, "a message that is no call came to a service's port; it was dropped");
                return Err(Self::Nothing);
            }
        };
        let args_at = size - args.len();
        let pipe = if is_pipelined { message.pop_port() } else { None };
        if is_pipelined && pipe.is_none() {
            tracing::warn!("a pipelined call came without a port for what it returns; it was dropped");
            return Err(Self::Nothing);
        }
        if let Some(shape) = options.shape.take() {
            desk.versions_to_be().introduce(method, shape);
        }
        // Now, not when the call is opened: by then the port may have another holder, who takes it for something else.
        let version = desk.versions().and_then(|versions| versions.of(method));
        Ok(FromBytes { message, id, pipe, method, options, args_at, version })
    }

    fn attach(message: Message, limits: Box<Limits>) -> Self {
        match <[MessagePort; 1]>::try_from(message.into_parts().ports) {
            Ok([port]) => Self::Attach(port, limits),
            Err(ports) => {
                tracing::warn!(
                    ports = ports.len(),
                    "a message to attach a port brought another number of them; it was dropped"
                );
                Self::Nothing
            }
        }
    }
}

/// Which method a call that stayed a value calls.
#[inline]
fn method_of_value(value: &Carried) -> MethodId {
    // Truncated on purpose: the id is the lower half.
    MethodId(value.selector() as u32)
}

/// Which method a parcel calls, if it is a call.
pub(super) fn method_of(parcel: &Parcel) -> Option<MethodId> {
    let message = match parcel {
        Parcel::Value(value) => return Some(method_of_value(value)),
        Parcel::Message(message) => message,
    };
    match Frame::parse(message.data()) {
        Ok(Frame::Call { method, .. } | Frame::Tell { method, .. } | Frame::Pipelined { method, .. }) => Some(method),
        Ok(_) | Err(_) => None,
    }
}

impl Unopened {
    /// The call, at the port where it came in.
    #[inline]
    pub(super) fn at(self, desk: &Arc<Desk>) -> Incoming<'_> {
        Incoming { call: self, desk }
    }

    /// Notes what is before it, for those who watch.
    #[inline]
    pub(super) fn note(&mut self, desk: &Desk, running: usize, waiting: usize) {
        if !desk.settings().interceptors.is_empty() {
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
    #[inline]
    pub(super) fn method(&self) -> MethodId {
        self.method
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
}

impl Incoming<'_> {
    /// Turns a value of a type that the service does not know into bytes: the call of another service, or of another version
    /// of this one.
    fn as_frame(value: Carried, desk: &Desk) -> Result<FromBytes, Answer> {
        let message = value.encode(&desk.port).ok_or(Answer::DONE)?;
        let call = Arrived::read_call(message, desk).map_err(|_no_call| Answer::DONE)?;
        if let Some(id) = call.id {
            desk.has_turned(id);
        }
        Ok(call)
    }

    /// Which method is wanted.
    #[inline]
    pub fn method(&self) -> MethodId {
        self.call.method()
    }

    /// Takes out the arguments of a method that returns something.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    #[inline]
    pub fn open<M: Method>(self) -> Result<Request<M>, Answer> {
        let Self { call: Unopened { body, arrival, .. }, desk } = self;
        let body = match body {
            Body::Value(value) => match value.downcast::<CallCell<M>>() {
                Ok(cell) => {
                    let (args, options) = cell.start().ok_or(Answer::DONE)?;
                    return Ok((
                        args,
                        Responder::here(cell).attach(
                            options.map(|options| *options),
                            Came { arrival, bytes: 0 },
                            desk,
                        )?,
                    ));
                }
                Err(value) => Body::Value(value),
            },
            Body::Frame(frame) => Body::Frame(frame),
        };
        Self::open_other(body, arrival, desk)
    }

    /// Opens a call that is no cell of the method's: it is pipelined, or came as bytes, or has to be turned into bytes.
    fn open_other<M: Method>(
        body: Body,
        arrival: Option<Box<Arrival>>,
        desk: &Arc<Desk>,
    ) -> Result<Request<M>, Answer> {
        match body {
            Body::Value(value) => match value.downcast::<PipedCell<M>>() {
                Ok(cell) => {
                    let (args, options, pipe) = cell.start().ok_or(Answer::DONE)?;
                    Ok((
                        args,
                        Responder::piped(pipe).attach(
                            options.map(|options| *options),
                            Came { arrival, bytes: 0 },
                            desk,
                        )?,
                    ))
                }
                Err(value) => Self::as_frame(value, desk)?.open(arrival, desk),
            },
            Body::Frame(frame) => frame.open(arrival, desk),
        }
    }

    /// As [`open`](Self::open), of a method that returns a stream: it replies before it has ended.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    pub fn open_stream<M: Method>(self) -> Result<Request<M>, Answer> {
        let outbox = Outbox::new(self.desk);
        let (args, responder) = self.open()?;
        Ok((args, responder.with_outbox(outbox)))
    }

    /// Takes out the arguments of a one-way method.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    pub fn open_oneway<M: Method>(self) -> Result<Request<M>, Answer> {
        let Self { call: Unopened { body, arrival, .. }, desk } = self;
        match body {
            Body::Value(value) => match value.downcast::<OnewayCell<M>>() {
                Ok(cell) => {
                    let (args, options) = cell.start().ok_or(Answer::DONE)?;
                    Ok((
                        args,
                        Responder::nobody().attach(
                            options.map(|options| *options),
                            Came { arrival, bytes: 0 },
                            desk,
                        )?,
                    ))
                }
                Err(value) => Self::as_frame(value, desk)?.open(arrival, desk),
            },
            Body::Frame(frame) => frame.open(arrival, desk),
        }
    }

    /// Answers a call of a method that is not served (C2), or that every service has without having it.
    pub fn unknown_method(self) -> Answer {
        if self.method() == Same::ID {
            return same::answer(self);
        }
        let refusal = Refusal::UnknownMethod(self.method());
        self.refuse(refusal)
    }

    /// Where it came in.
    pub(super) fn desk(&self) -> &Arc<Desk> {
        self.desk
    }

    /// Answers a call that is not to be run.
    pub(super) fn refuse(self, refusal: Refusal) -> Answer {
        let Self { call: Unopened { body, .. }, desk } = self;
        let frame = match body {
            Body::Value(value) => match Self::as_frame(value, desk) {
                Ok(frame) => frame,
                Err(answer) => return answer,
            },
            Body::Frame(frame) => *frame,
        };
        desk.refused(frame.method, &refusal);
        frame.refuse(refusal)
    }
}

impl FromBytes {
    fn open<M: Method>(mut self, arrival: Option<Box<Arrival>>, desk: &Arc<Desk>) -> Result<Request<M>, Answer> {
        let bytes = self.message.size();
        if self.pipe.is_some() && !returns_a_port::<M>() {
            let refusal =
                Refusal::Malformed("it returns no client, so nothing can be called on what it returns".to_owned());
            desk.refused(M::ID, &refusal);
            return Err(self.refuse(refusal));
        }
        let responder = match self.pipe.take() {
            Some(port) => Responder::piped(Pipe::for_bytes(port)),
            None => self.id.map_or_else(Responder::nobody, Responder::there),
        };
        let args = match self.settle_version::<M>(desk) {
            Ok(version) => read_args::<M>(self.message, self.args_at, version.as_deref())
                .map_err(|error| Refusal::Malformed(in_one_line(&error))),
            Err(difference) => Err(Refusal::Mismatch(difference)),
        };
        match args {
            Ok(args) => Ok((args, responder.attach(self.options.if_any(), Came { arrival, bytes }, desk)?)),
            Err(refusal) => {
                desk.refused(M::ID, &refusal);
                Err(responder.refuse(refusal))
            }
        }
    }

    /// The version that the arguments are to be read as; none if it is this one. The first time that it turns out to be another, the
    /// caller is told what the method is here, before any reply.
    fn settle_version<M: Method>(&self, desk: &Desk) -> Result<Option<Arc<Version>>, String> {
        let Some(version) = &self.version else { return Ok(None) };
        match version.verdict::<M>() {
            (Verdict::Same, is_new) => {
                if is_new {
                    desk.versions_to_be().is_ours(M::ID, version);
                }
                Ok(None)
            }
            (Verdict::Evolved, is_new) => {
                if is_new {
                    let shape = Box::new(M::DESCRIPTION.shape());
                    desk.send(&Frame::Shape { method: M::ID, shape });
                }
                Ok(Some(version.clone()))
            }
            (Verdict::Differs(difference), _) => Err(difference),
        }
    }

    fn refuse(self, refusal: Refusal) -> Answer {
        if let Some(port) = self.pipe {
            farewell(&port, Fault::Refused(refusal));
            return Answer::DONE;
        }
        let Some(id) = self.id else {
            tracing::warn!(%refusal, "a one-way call was refused");
            return Answer::DONE;
        };
        Answer::fault(id, Fault::Refused(refusal))
    }
}

/// Reads the arguments, as the caller's version has written them, to their end (C3).
fn read_args<M: Method>(mut message: Message, at: usize, version: Option<&Version>) -> Result<M::Args, DecodeError> {
    let mut decoder = message.decoder(at);
    if let Some(version) = version {
        version.shape().decode_args_as(&mut decoder);
    }
    let args = decoder.take_all(M::decode_args)?;
    decoder.end()?;
    message.recycle();
    Ok(args)
}
