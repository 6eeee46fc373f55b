//! A call as it arrives, and how it is opened.

use std::any::Any;

use super::{
    Answer, Method, MethodId, Opened, Refusal, Responder, Service,
    beside::Beside,
    call_info::Arrival,
    cell::{CallCell, Cell},
    codec::{Codec, Coded, Facts},
    desk::{At, Desk},
    duty::{Begins, Caller, Duty, DutyBy, begin, is_bare},
    failed::{Failed, Whom},
    frame::{CallId, Frame, Limits, Options, PlainCall, plain_call},
    oneway::{IS_ONEWAY, OnewayCell},
    outbox::Outbox,
    pipe::{Pipe, PipedCell, returns_a_port},
    report::in_one_line,
    same::{self, Same},
    versions::{Verdict, Version},
};
use crate::{
    Message, MessagePort,
    message::{DecodeError, Decoder},
    port::{Carried, Parcel},
    shape::ShapeOf,
    sync::Arc,
};

/// A call that came to a service, not yet opened: which method it wants, and the arguments in whatever form they came.
#[derive(Debug)]
pub struct Incoming<'d> {
    call: Unopened,
    /// Where it came in, and where its answer goes.
    desk: At<'d>,
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

/// What a call wants, as far as it matters to those who do not open it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) method: MethodId,
    /// By what a frame knows it, if it came as bytes and wants an answer.
    pub(super) id: Option<CallId>,
    is_oneway: bool,
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
    method: MethodId,
    args_at: usize,
    /// What the caller takes the method for, if it said so.
    version: Option<Arc<Version>>,
    /// Only where it says something beside its arguments.
    options: Option<Box<Options>>,
    /// What it returns is to be joined to this port.
    pipe: Option<Box<MessagePort>>,
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

/// The same, for all methods of the same types.
type Taken<A, T, E> = (A, DutyBy<CallCell<A, T, E>>);

impl Arrived {
    /// Looks at what came, as far as finding out whose it is.
    #[inline(always)]
    pub(super) fn read(parcel: Parcel, desk: &Desk) -> Self {
        match parcel {
            Parcel::Value(value) => {
                let want = Want::of_value(&value);
                Self::Call(Unopened::of_value(value, want))
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
    #[inline]
    fn read_call(message: Message, desk: &Desk) -> Result<FromBytes, Self> {
        match plain_call(message.data()) {
            Some(call) => Ok(FromBytes::plain(message, call, desk)),
            None => Self::read_other(message, desk),
        }
    }

    /// As [`read_call`](Self::read_call), of what is not a call that says nothing beside its arguments.
    fn read_other(mut message: Message, desk: &Desk) -> Result<FromBytes, Self> {
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
        let version = desk.version_of(method);
        let (options, pipe) = (options.boxed(), pipe.map(Box::new));
        Ok(FromBytes { message, id, method, args_at, version, options, pipe })
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

/// Which method a parcel calls, if it is a call.
pub(super) fn method_of(parcel: &Parcel) -> Option<MethodId> {
    let message = match parcel {
        Parcel::Value(value) => return Some(Want::of_value(value).method),
        Parcel::Message(message) => message,
    };
    match Frame::parse(message.data()) {
        Ok(Frame::Call { method, .. } | Frame::Tell { method, .. } | Frame::Pipelined { method, .. }) => Some(method),
        Ok(_) | Err(_) => None,
    }
}

impl Want {
    /// What a call wants that stayed a value.
    #[inline]
    pub(super) fn of_value(value: &Carried) -> Self {
        let selector = value.selector();
        // Truncated on purpose: the id is the lower half.
        Self { method: MethodId(selector as u32), id: None, is_oneway: selector & IS_ONEWAY != 0 }
    }

    /// The call was taken out of the caller's window.
    #[inline(always)]
    pub(super) fn was_taken_at(self, desk: &Desk) {
        if desk.has_window && self.is_oneway {
            desk.took_tell();
        }
    }
}

impl Unopened {
    /// A call that stayed a value.
    #[inline]
    pub(super) fn of_value(value: Carried, want: Want) -> Self {
        Self { method: want.method, body: Body::Value(value), arrival: None }
    }

    /// The call, at the port where it came in.
    #[inline]
    pub(super) fn at(self, desk: At<'_>) -> Incoming<'_> {
        Incoming { call: self, desk }
    }

    /// Notes what is before it, for those who watch.
    #[inline]
    pub(super) fn note(&mut self, desk: &Desk, running: usize, waiting: usize) {
        if desk.is_intercepted {
            self.arrival = Some(Arrival::now(running, waiting));
        }
    }

    /// What it wants.
    #[inline]
    pub(super) fn want(&self) -> Want {
        match &self.body {
            Body::Value(value) => Want::of_value(value),
            Body::Frame(frame) => Want { method: self.method, id: frame.id, is_oneway: frame.id.is_none() },
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

impl<'d> Incoming<'d> {
    /// Turns a value of a type that the service does not know into bytes: the call of another service, or of another version
    /// of this one.
    fn as_frame(value: Carried, desk: &Desk) -> Result<FromBytes, Answer> {
        let Some(message) = value.encode(&desk.port) else { return Err(Answer::DONE) };
        let Ok(call) = Arrived::read_call(message, desk) else { return Err(Answer::DONE) };
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
        self.open_by(Begins::AnyTime)
    }

    /// As [`open`](Self::open), of a method that takes `&self`, and is run as [`Service::RUNS_AT_ONCE`] says.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    #[inline]
    pub fn open_to_run<M: Method>(self) -> Result<Request<M>, Answer> {
        self.open_by(Begins::AtOnce)
    }

    #[inline]
    fn open_by<M: Method>(self, begins: Begins) -> Result<Request<M>, Answer> {
        match self.open_as(begins, M::CODEC) {
            Ok((args, duty)) => Ok((args, Responder(duty))),
            Err(answer) => Err(answer),
        }
    }

    /// As [`open`](Self::open), of a method that returns a stream: it replies before it has ended.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    pub fn open_stream<M: Method>(self) -> Result<Request<M>, Answer> {
        let outbox = Outbox::new(self.desk);
        let (args, mut duty) = self.open_as(Begins::AnyTime, M::CODEC)?;
        duty.any().set_outbox(outbox);
        Ok((args, Responder(duty)))
    }

    /// Takes out the arguments of a one-way method.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    pub fn open_oneway<M: Method>(self) -> Result<Request<M>, Answer> {
        let (args, duty) = self.open_oneway_as(M::CODEC)?;
        Ok((args, Responder(duty)))
    }

    #[inline]
    fn open_as<A, T, E>(self, begins: Begins, codec: &Codec<A, T, E>) -> Result<Taken<A, T, E>, Answer>
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let Self { call, desk } = self;
        // Looked at where it is: to take it out by pieces of 16 bytes would be to wait until its parts were written.
        let (body, arrival) = match call.body {
            Body::Value(value) => match value.downcast::<CallCell<A, T, E>>(&codec.facts.kinds.call) {
                Ok(cell) => {
                    let Some((args, options)) = cell.start() else { return Err(Answer::DONE) };
                    return match Duty::here(cell, options, call.arrival, begins, &codec.facts, desk) {
                        Ok(duty) => Ok((args, duty)),
                        Err(answer) => Err(answer),
                    };
                }
                Err(value) => (Body::Value(value), call.arrival),
            },
            Body::Frame(frame) => (Body::Frame(frame), call.arrival),
        };
        Self::read_other(body, arrival, begins, codec, desk)
    }

    /// As [`open_as`](Self::open_as), of a call that is no cell of the method's.
    fn read_other<A, T, E>(
        body: Body,
        arrival: Option<Box<Arrival>>,
        begins: Begins,
        codec: &Codec<A, T, E>,
        desk: At<'_>,
    ) -> Result<Taken<A, T, E>, Answer>
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let mut args = Args { codec, args: None };
        match Self::open_other(body, arrival, begins, &codec.facts, &mut args, desk) {
            Ok(begun) => args.with(begun),
            Err(answer) => Err(answer),
        }
    }

    /// Opens a call that is no cell of the method's: it is pipelined, or came as bytes, or has to be turned into bytes.
    fn open_other(
        body: Body,
        arrival: Option<Box<Arrival>>,
        begins: Begins,
        facts: &Facts,
        args: &mut dyn ReadArgs,
        desk: At<'_>,
    ) -> Result<Begun, Answer> {
        let frame = match body {
            Body::Value(value) => match value.downcast::<PipedCell>(&facts.kinds.piped) {
                Ok(cell) => {
                    let Some((call, pipe)) = cell.start() else { return Err(Answer::DONE) };
                    let Some(options) = args.take(&*call) else { return Err(Answer::DONE) };
                    let (whom, came) = (Whom::Piped(Box::new(pipe)), Came { arrival, bytes: 0 });
                    return Begun::new(whom, options, came, begins, facts, desk);
                }
                Err(value) => Self::as_frame(value, &desk)?,
            },
            Body::Frame(frame) => *frame,
        };
        frame.open(arrival, begins, facts, args, desk)
    }

    fn open_oneway_as<A, T, E>(self, codec: &Codec<A, T, E>) -> Result<Taken<A, T, E>, Answer>
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let Self { call: Unopened { body, arrival, .. }, desk } = self;
        let frame = match body {
            Body::Value(value) => match value.downcast::<OnewayCell<A, T, E>>(&codec.facts.kinds.oneway) {
                Ok(cell) => {
                    let Some((args, options)) = cell.start() else { return Err(Answer::DONE) };
                    let came = Came { arrival, bytes: 0 };
                    let begun = Begun::new(Whom::Nobody, options, came, Begins::AnyTime, &codec.facts, desk)?;
                    return Args { codec, args: Some(args) }.with(begun);
                }
                Err(value) => Self::as_frame(value, &desk)?,
            },
            Body::Frame(frame) => *frame,
        };
        let mut args = Args { codec, args: None };
        let begun = frame.open(arrival, Begins::AnyTime, &codec.facts, &mut args, desk)?;
        args.with(begun)
    }

    /// Answers a call of a method that is not served (C2), or that every service has without having it.
    pub fn unknown_method(self) -> Answer {
        if self.method() == Same::ID {
            return same::answer(self);
        }
        let refusal = Refusal::UnknownMethod(self.method());
        self.refuse(refusal)
    }

    /// What it wants.
    pub(super) fn want(&self) -> Want {
        self.call.want()
    }

    /// The call, without where it came in.
    pub(super) fn unopened(self) -> Unopened {
        self.call
    }

    /// By what a frame knows it.
    #[inline]
    pub(super) fn id(&self) -> Option<CallId> {
        self.call.id()
    }

    /// Where it came in.
    #[inline]
    pub(super) fn desk(&self) -> At<'d> {
        self.desk
    }

    /// Answers a call that is not to be run.
    pub(super) fn refuse(self, refusal: Refusal) -> Answer {
        let Self { call: Unopened { body, .. }, desk } = self;
        let frame = match body {
            Body::Value(value) => Self::as_frame(value, &desk),
            Body::Frame(frame) => Ok(*frame),
        };
        frame.map_or_else(|answer| answer, |mut frame| frame.refused(refusal, &desk))
    }
}

impl<S: Service> Opened<S> {
    /// A call of the method, which takes `&self`, as it was opened.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    #[inline]
    pub fn shared_from<M: Method>(
        request: Result<Request<M>, Answer>,
        call: fn(M::Args, Responder<M>) -> S::SharedCall,
    ) -> Result<Self, Answer> {
        match request {
            Ok((args, responder)) => Ok(Self::shared::<M>(call(args, responder))),
            Err(answer) => Err(answer),
        }
    }

    /// As [`shared_from`](Self::shared_from), of a method that takes `self`.
    ///
    /// # Errors
    /// The answer, if the call cannot be run.
    pub fn once_from<M: Method>(
        request: Result<Request<M>, Answer>,
        call: fn(M::Args, Responder<M>) -> S::OnceCall,
    ) -> Result<Self, Answer> {
        match request {
            Ok((args, responder)) => Ok(Self::Once(call(args, responder))),
            Err(answer) => Err(answer),
        }
    }
}

impl FromBytes {
    /// A call that says nothing beside its arguments.
    #[inline]
    fn plain(message: Message, PlainCall { id, method, args_at }: PlainCall, desk: &Desk) -> Self {
        Self { message, id: Some(id), method, args_at, version: desk.version_of(method), options: None, pipe: None }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn open(
        mut self,
        arrival: Option<Box<Arrival>>,
        begins: Begins,
        facts: &Facts,
        args: &mut dyn ReadArgs,
        desk: At<'_>,
    ) -> Result<Begun, Answer> {
        let bytes = self.message.size();
        // Nearly always there is nothing to find out.
        let is_plain = self.pipe.is_none() && self.version.is_none();
        let version = if is_plain { None } else { self.settle(args.result(), facts, &desk)? };
        match read_args(args, &mut self.message, self.args_at, version.as_deref()) {
            Ok(()) => {
                let whom = self.whom();
                let Self { message, options, .. } = self;
                message.recycle();
                Begun::new(whom, options, Came { arrival, bytes }, begins, facts, desk)
            }
            Err(error) => Err(self.malformed(&error, &desk)),
        }
    }

    /// Finds out whether the call can be run, as far as its arguments do not matter, and as what version of the method it is to be read; none
    /// if it is this one.
    #[cold]
    fn settle(&mut self, ok: ShapeOf, ours: &Facts, desk: &Desk) -> Result<Option<Arc<Version>>, Answer> {
        if self.pipe.is_some() && !returns_a_port(ok) {
            let why = "it returns no client, so nothing can be called on what it returns";
            return Err(self.refused(Refusal::Malformed(why.to_owned()), desk));
        }
        self.settle_version(ours, desk).map_err(|difference| self.refused(Refusal::Mismatch(difference), desk))
    }

    /// Who is to be answered, once.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn whom(&mut self) -> Whom {
        match (self.pipe.take(), self.id) {
            (Some(port), _) => Whom::Piped(Box::new(Pipe::for_bytes(*port))),
            (None, Some(id)) => Whom::There(id),
            (None, None) => Whom::Nobody,
        }
    }

    #[cold]
    fn malformed(&mut self, error: &DecodeError, desk: &Desk) -> Answer {
        self.refused(Refusal::Malformed(in_one_line(error)), desk)
    }

    /// Refuses the call, which those are told of who watch.
    fn refused(&mut self, refusal: Refusal, desk: &Desk) -> Answer {
        desk.refused(self.method, &refusal);
        Failed::from(self.whom()).refuse(&self.method, refusal)
    }

    /// The version that the arguments are to be read as; none if it is this one. The first time that it turns out to be another, the
    /// caller is told what the method is here, before any reply.
    fn settle_version(&self, ours: &Facts, desk: &Desk) -> Result<Option<Arc<Version>>, String> {
        let Some(version) = &self.version else { return Ok(None) };
        match version.verdict(ours) {
            (Verdict::Same, is_new) => {
                if is_new {
                    desk.versions_to_be().is_ours(self.method, version);
                }
                Ok(None)
            }
            #[cfg(feature = "evolution")]
            (Verdict::Evolved, is_new) => {
                if is_new {
                    let shape = super::known::shape_of(ours);
                    desk.send(&Frame::Shape { method: self.method, shape });
                }
                Ok(Some(version.clone()))
            }
            (Verdict::Differs(difference), _) => Err(difference),
        }
    }
}

/// Reads the arguments, as the caller's version has written them, to their end (C3).
#[inline]
fn read_args(
    args: &mut dyn ReadArgs,
    message: &mut Message,
    at: usize,
    version: Option<&Version>,
) -> Result<(), DecodeError> {
    let mut decoder = message.decoder(at);
    if let Some(version) = version {
        version.guide(&mut decoder);
    }
    decoder.take_all(|decoder| args.decode(decoder))?;
    decoder.close()
}

/// Reads the arguments of a call, whatever they are, into a place for them.
trait ReadArgs {
    /// Those of a call that came as bytes.
    fn decode(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError>;

    /// Those of a call that is a value, and hands out its options; `None` if nobody waits for it.
    fn take(&mut self, call: &dyn Cell) -> Option<Option<Box<Options>>>;

    /// What its result looks like.
    fn result(&self) -> ShapeOf;
}

/// A call that was opened, but for its arguments.
struct Begun {
    whom: Whom,
    beside: Beside,
}

impl Begun {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn new(
        whom: Whom,
        options: Option<Box<Options>>,
        came: Came,
        begins: Begins,
        facts: &Facts,
        desk: At<'_>,
    ) -> Result<Self, Answer> {
        if options.is_none() && is_bare(facts, desk) {
            return Ok(Self { whom, beside: Beside::default() });
        }
        match begin(options, came, whom.id(), matches!(whom, Whom::Nobody), begins, facts, desk) {
            Ok(beside) => Ok(Self { whom, beside }),
            Err(refusal) => Err(Failed::from(whom).refuse(&facts.signature.name, refusal)),
        }
    }
}

/// The arguments of a call of a method, once they were read.
struct Args<'c, A, T, E> {
    codec: &'c Codec<A, T, E>,
    args: Option<A>,
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Args<'_, A, T, E> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn with(self, Begun { whom, beside }: Begun) -> Result<Taken<A, T, E>, Answer> {
        match self.args {
            Some(args) => Ok((args, Duty::new(Caller::from(whom), beside, &self.codec.facts))),
            None => Err(Answer::DONE),
        }
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> ReadArgs for Args<'_, A, T, E> {
    fn decode(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.args = Some((self.codec.decode)(from)?);
        Ok(())
    }

    fn take(&mut self, call: &dyn Cell) -> Option<Option<Box<Options>>> {
        let call: &dyn Any = call;
        let (args, options) = call.downcast_ref::<CallCell<A, T, E>>()?.start()?;
        self.args = Some(args);
        Some(options)
    }

    fn result(&self) -> ShapeOf {
        self.codec.result.ok
    }
}
