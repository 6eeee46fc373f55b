//! The arguments of a call, as they are read, and the duty that they come with.

use std::any::Any;

use super::{
    Answer,
    arrived::Came,
    beside::Beside,
    cell::{CallCell, Cell},
    codec::{Codec, Facts},
    desk::At,
    duty::{Begins, Caller, Duty, DutyBy, begin, is_bare},
    failed::{Failed, Whom},
    frame::Options,
};
use crate::{
    message::{DecodeError, Decoder},
    shape::ShapeOf,
};

/// The arguments of a call, and the duty to answer it.
pub(super) type Taken<A, T, E> = (A, DutyBy<CallCell<A, T, E>>);

/// Reads the arguments of a call, whatever they are, into a place for them.
pub(super) trait ReadArgs {
    /// Those of a call that came as bytes.
    fn decode(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError>;

    /// Those of a call that is a value, and hands out its options; `None` if nobody waits for it.
    fn take(&mut self, call: &dyn Cell) -> Option<Option<Box<Options>>>;

    /// What its result looks like.
    fn result(&self) -> ShapeOf;
}

/// The duty to answer a call that was opened, before it is said of what types it is.
pub(super) struct UntypedDuty {
    whom: Whom,
    beside: Beside,
}

impl UntypedDuty {
    /// Finds out what is beside a call, and whether it is to be run.
    ///
    /// # Errors
    /// The answer, if it is not.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn new(
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

    /// The same, of these types.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn typed<K: Cell>(self, facts: &Facts) -> DutyBy<K> {
        Duty::new(Caller::from(self.whom), self.beside, facts)
    }
}

/// The arguments of a call of a method, once they were read.
pub(super) struct Args<'c, A, T, E> {
    codec: &'c Codec<A, T, E>,
    args: Option<A>,
}

impl<'c, A: Send + 'static, T: Send + 'static, E: Send + 'static> Args<'c, A, T, E> {
    /// None, as yet.
    pub(super) fn of(codec: &'c Codec<A, T, E>) -> Self {
        Self { codec, args: None }
    }

    /// The arguments, and the duty to answer the call that they were read from.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn with(self, duty: UntypedDuty) -> Taken<A, T, E> {
        let args = self.args.expect("a call is opened by reading its arguments");
        (args, duty.typed(&self.codec.facts))
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
