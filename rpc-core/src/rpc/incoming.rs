//! A call as it arrives, and how it is opened.

use std::sync::OnceLock;

use super::{
    Answer, Method, MethodId, Refusal, Responder,
    call_info::Arrival,
    cell::CallCell,
    farewell::farewell,
    frame::{CallId, Fault, Frame, Options},
    oneway::{IS_ONEWAY, OnewayCell},
    options::ServeOptions,
    outbox::Outbox,
    pipe::{Pipe, PipedCell, returns_a_port},
    report::in_one_line,
    versions::{Verdict, Version, Versions},
};
use crate::{
    Message, MessagePort,
    message::DecodeError,
    port::{Carried, Parcel},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A call that came to a service, not yet opened: which method it wants, and the arguments in whatever form they came.
#[derive(Debug)]
pub struct Incoming<'p> {
    body: Body,
    desk: &'p Desk<'p>,
    /// Only where somebody watches.
    arrival: Option<Box<Arrival>>,
}

/// Where calls arrive.
#[derive(Debug)]
pub(super) struct Desk<'p> {
    pub(super) port: &'p MessagePort,
    pub(super) settings: &'p ServeOptions,
    /// Made for the first handler that returns a stream.
    outbox: OnceLock<Outbox>,
    /// Made for the first method that is introduced.
    versions: OnceLock<Versions>,
    /// The id of the call that is being opened, if it came as a value and was turned into a frame for that.
    turned: AtomicU64,
}

/// No call is being opened that was turned into a frame.
const NOT_TURNED: u64 = u64::MAX;

impl<'p> Desk<'p> {
    pub(super) fn new(port: &'p MessagePort, settings: &'p ServeOptions) -> Self {
        Self { port, settings, outbox: OnceLock::new(), versions: OnceLock::new(), turned: AtomicU64::new(NOT_TURNED) }
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

    /// The id under which a call that was just opened can be cancelled by a frame, although it came as a value.
    pub(super) fn take_turned(&self) -> Option<CallId> {
        // Nearly always there is none; and it is one task that opens calls.
        if self.turned.load(Ordering::Relaxed) == NOT_TURNED {
            return None;
        }
        Some(CallId(self.turned.swap(NOT_TURNED, Ordering::Relaxed)))
    }

    fn outbox(&self) -> Outbox {
        self.outbox.get_or_init(Outbox::default).clone()
    }
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
        let mut message = match parcel {
            Parcel::Value(value) => return Self::Call(Incoming { body: Body::Value(value), desk, arrival: None }),
            Parcel::Message(message) => message,
        };
        let size = message.data().len();
        let mut is_pipelined = false;
        let (id, method, mut options, args) = match Frame::parse(message.data()) {
            Ok(Frame::Call { id, method, options, args }) => (Some(id), method, options, args),
            Ok(Frame::Tell { method, options, args }) => (None, method, options, args),
            Ok(Frame::Pipelined { method, options, args }) => {
                is_pipelined = true;
                (None, method, options, args)
            }
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
        let pipe = if is_pipelined { message.pop_port() } else { None };
        if is_pipelined && pipe.is_none() {
            tracing::warn!("a pipelined call came without a port for what it returns; it was dropped");
            return Self::Nothing;
        }
        if let Some(shape) = options.shape.take() {
            desk.versions.get_or_init(Versions::default).introduce(method, *shape);
        }
        // Now, not when the call is opened: by then the port may have another holder, who takes it for something else.
        let version = desk.versions.get().and_then(|versions| versions.of(method));
        let body = Body::Frame(Box::new(FromBytes { message, id, pipe, method, options, args_at, version }));
        Self::Call(Incoming { body, desk, arrival: None })
    }
}

impl<'p> Incoming<'p> {
    /// Turns a value of a type that the service does not know into bytes: the call of another service, or of another version
    /// of this one.
    fn as_frame(value: Carried, desk: &'p Desk<'p>, arrival: Option<Box<Arrival>>) -> Result<Self, Answer> {
        let message = value.encode(desk.port).ok_or(Answer::DONE)?;
        match Arrived::read(Parcel::Message(message), desk) {
            Arrived::Call(incoming) => {
                if let Some(CallId(id)) = incoming.id() {
                    desk.turned.store(id, Ordering::Relaxed);
                }
                Ok(Self { arrival, ..incoming })
            }
            Arrived::Cancel(_) | Arrived::Nothing => Err(Answer::DONE),
        }
    }

    /// Notes what is before it, for those who watch.
    #[inline]
    pub(super) fn note(&mut self, running: usize, waiting: usize) {
        if !self.desk.settings.interceptors.is_empty() {
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
                            self.desk.settings,
                        )?,
                    ))
                }
                Err(value) => match value.downcast::<PipedCell<M>>() {
                    Ok(cell) => {
                        let (args, options, pipe) = cell.start().ok_or(Answer::DONE)?;
                        let came = Came { arrival: self.arrival, bytes: 0 };
                        Ok((args, Responder::piped(pipe).attach(unbox(options), came, self.desk.settings)?))
                    }
                    Err(value) => Self::as_frame(value, self.desk, self.arrival)?.open(),
                },
            },
            Body::Frame(frame) => frame.open(self.arrival, self.desk),
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
                    Ok((
                        args,
                        Responder::nobody().attach(
                            unbox(options),
                            Came { arrival: self.arrival, bytes: 0 },
                            self.desk.settings,
                        )?,
                    ))
                }
                Err(value) => Self::as_frame(value, self.desk, self.arrival)?.open_oneway(),
            },
            Body::Frame(frame) => frame.open(self.arrival, self.desk),
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
            Body::Value(value) => match Self::as_frame(value, self.desk, self.arrival) {
                Ok(incoming) => incoming.refuse(refusal),
                Err(answer) => answer,
            },
            Body::Frame(frame) => {
                self.desk.settings.interceptors.refused(frame.method, &refusal);
                frame.refuse(refusal)
            }
        }
    }
}

impl FromBytes {
    fn open<M: Method>(mut self, arrival: Option<Box<Arrival>>, desk: &Desk<'_>) -> Result<Request<M>, Answer> {
        let bytes = self.message.size();
        if self.pipe.is_some() && !returns_a_port::<M>() {
            let refusal =
                Refusal::Malformed("it returns no client, so nothing can be called on what it returns".to_owned());
            desk.settings.interceptors.refused(M::ID, &refusal);
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
            Ok(args) => Ok((args, responder.attach(self.options, Came { arrival, bytes }, desk.settings)?)),
            Err(refusal) => {
                desk.settings.interceptors.refused(M::ID, &refusal);
                Err(responder.refuse(refusal))
            }
        }
    }

    /// The version that the arguments are to be read as; none if it is this one. The first time that it turns out to be another, the
    /// caller is told what the method is here, before any reply.
    fn settle_version<M: Method>(&self, desk: &Desk<'_>) -> Result<Option<Arc<Version>>, String> {
        let Some(version) = &self.version else { return Ok(None) };
        match version.verdict::<M>() {
            (Verdict::Same, _) => Ok(None),
            (Verdict::Evolved, is_new) => {
                if is_new {
                    let shape = Box::new(M::DESCRIPTION.shape());
                    desk.post(Answer(Some(Frame::Shape { method: M::ID, shape }.to_bytes().into())));
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

fn unbox(options: Option<Box<Options>>) -> Options {
    options.map(|options| *options).unwrap_or_default()
}

/// Reads the arguments, as the caller's version has written them.
fn read_args<M: Method>(mut message: Message, at: usize, version: Option<&Version>) -> Result<M::Args, DecodeError> {
    let mut decoder = message.decoder(at);
    if let Some(version) = version {
        version.shape().decode_args_as(&mut decoder);
    }
    let args = M::decode_args(&mut decoder)?;
    decoder.end()?;
    Ok(args)
}
