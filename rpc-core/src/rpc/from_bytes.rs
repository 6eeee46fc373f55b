//! A call that came as bytes.

use super::{
    Answer, MethodId, Refusal,
    args::{ReadArgs, UntypedDuty},
    arrived::Came,
    call_info::Arrival,
    codec::Facts,
    desk::{At, Desk},
    duty::Begins,
    failed::{Failed, Whom},
    frame::{CallId, Options, PlainCall},
    pipe::{Pipe, returns_a_port},
    report::in_one_line,
    versions::{Verdict, Version},
};
use crate::{Message, MessagePort, message::DecodeError, shape::ShapeOf, sync::Arc};

/// A call that came as bytes, read as far as finding out what it calls. Without an id it is one-way, or pipelined.
#[derive(Debug)]
pub(super) struct FromBytes {
    pub(super) message: Message,
    pub(super) id: Option<CallId>,
    pub(super) method: MethodId,
    pub(super) args_at: usize,
    /// What the caller takes the method for, if it said so.
    pub(super) version: Option<Arc<Version>>,
    /// Only where it says something beside its arguments.
    pub(super) options: Option<Box<Options>>,
    /// What it returns is to be joined to this port.
    pub(super) pipe: Option<Box<MessagePort>>,
}

impl FromBytes {
    /// A call that says nothing beside its arguments.
    #[inline]
    pub(super) fn plain(message: Message, PlainCall { id, method, args_at }: PlainCall, desk: &Desk) -> Self {
        Self { message, id: Some(id), method, args_at, version: desk.version_of(method), options: None, pipe: None }
    }

    /// Reads its arguments, and finds out whether it can be run.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn open(
        mut self,
        arrival: Option<Box<Arrival>>,
        begins: Begins,
        facts: &Facts,
        args: &mut dyn ReadArgs,
        desk: At<'_>,
    ) -> Result<UntypedDuty, Answer> {
        let bytes = self.message.size();
        // Nearly always there is nothing to find out.
        let is_plain = self.pipe.is_none() && self.version.is_none();
        let version = if is_plain { None } else { self.settle(args.result(), facts, &desk)? };
        match read_args(args, &mut self.message, self.args_at, version.as_deref()) {
            Ok(()) => {
                let whom = self.whom();
                let Self { message, options, .. } = self;
                message.recycle();
                UntypedDuty::new(whom, options, Came { arrival, bytes }, begins, facts, desk)
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
    pub(super) fn refused(&mut self, refusal: Refusal, desk: &Desk) -> Answer {
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
                    desk.send(&super::frame::Frame::Shape { method: self.method, shape });
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
