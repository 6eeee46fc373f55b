//! A call as a service gets it, and how it is opened.

use super::{
    Answer, Method, MethodId, Opened, Refusal, Responder, Service,
    args::{Args, ReadArgs, Taken, UntypedDuty},
    arrived::{Arrived, Body, Came, Unopened, Want},
    call_info::Arrival,
    cell::CallCell,
    codec::{Codec, Coded, Facts},
    desk::{At, Desk},
    duty::{Begins, Duty},
    failed::Whom,
    frame::CallId,
    from_bytes::FromBytes,
    oneway::OnewayCell,
    outbox::Outbox,
    pipe::PipedCell,
    same::{self, Same},
};
use crate::port::Carried;

/// A call that came to a service, not yet opened: which method it wants, and the arguments in whatever form they came.
#[derive(Debug)]
pub struct Incoming<'d> {
    call: Unopened,
    /// Where it came in, and where its answer goes.
    desk: At<'d>,
}

/// The arguments of a call, and the duty to answer it.
type Request<M> = (<M as Method>::Args, Responder<M>);

impl<'d> Incoming<'d> {
    /// A call, at the port where it came in.
    #[inline]
    pub(super) fn new(call: Unopened, desk: At<'d>) -> Self {
        Self { call, desk }
    }

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
        let mut args = Args::of(codec);
        match Self::open_other(body, arrival, begins, &codec.facts, &mut args, desk) {
            Ok(duty) => Ok(args.with(duty)),
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
    ) -> Result<UntypedDuty, Answer> {
        let frame = match body {
            Body::Value(value) => match value.downcast::<PipedCell>(&facts.kinds.piped) {
                Ok(cell) => {
                    let Some((call, pipe)) = cell.start() else { return Err(Answer::DONE) };
                    let Some(options) = args.take(&*call) else { return Err(Answer::DONE) };
                    let (whom, came) = (Whom::Piped(Box::new(pipe)), Came { arrival, bytes: 0 });
                    return UntypedDuty::new(whom, options, came, begins, facts, desk);
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
                    let duty = UntypedDuty::new(Whom::Nobody, options, came, Begins::AnyTime, &codec.facts, desk)?;
                    return Ok((args, duty.typed(&codec.facts)));
                }
                Err(value) => Self::as_frame(value, &desk)?,
            },
            Body::Frame(frame) => *frame,
        };
        let mut args = Args::of(codec);
        let duty = frame.open(arrival, Begins::AnyTime, &codec.facts, &mut args, desk)?;
        Ok(args.with(duty))
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
