//! Who called, as far as it matters to one who has no result to give.

use std::fmt;

use super::{
    Answer, CallError, Interruption, Refusal,
    frame::{CallId, Fault},
    pipe::{self, Pipe},
    replies::AwaitingReply,
};
use crate::{MessagePort, panicking, sync::Arc};

/// Who is to be answered of a call that came as bytes.
pub(super) enum Whom {
    /// Whoever knows it by this id.
    There(CallId),
    /// Who calls the other end of this port already.
    Piped(Box<Pipe>),
    /// It is one-way.
    Nobody,
}

impl Whom {
    #[inline]
    pub(super) fn id(&self) -> Option<CallId> {
        if let Self::There(id) = self { Some(*id) } else { None }
    }
}

/// A caller who is told that there is no result: for that, it does not matter what the result would have been.
pub(super) enum Failed {
    Here(Arc<dyn AwaitingReply>),
    There(CallId),
    Piped(MessagePort),
    Nobody,
}

impl From<Whom> for Failed {
    fn from(whom: Whom) -> Self {
        match whom {
            Whom::There(id) => Self::There(id),
            Whom::Piped(pipe) => Self::Piped(pipe.into_port()),
            Whom::Nobody => Self::Nobody,
        }
    }
}

impl Failed {
    /// That the method did not run.
    pub(super) fn refuse(self, method: &dyn fmt::Display, refusal: Refusal) -> Answer {
        match self {
            Self::There(id) => return Answer::fault(id, Fault::Refused(refusal)),
            Self::Nobody => tracing::warn!(%method, %refusal, "a one-way call was refused"),
            Self::Here(_) | Self::Piped(_) => self.fail(CallError::Refused(refusal)),
        }
        Answer::DONE
    }

    /// That the method did not run to its end.
    pub(super) fn interrupt(self, interruption: Interruption) -> Answer {
        match self {
            Self::There(id) => return Answer::fault(id, Fault::Interrupted(interruption)),
            Self::Here(_) | Self::Piped(_) | Self::Nobody => self.fail(CallError::Unknown(interruption)),
        }
        Answer::DONE
    }

    /// A caller in this process.
    fn fail(self, error: CallError) {
        match self {
            Self::Here(cell) => cell.fail(error),
            Self::Piped(port) => pipe::fail(&port, error),
            Self::There(_) | Self::Nobody => {}
        }
    }

    /// Nobody has answered, and nobody will.
    pub(super) fn drop_unanswered(self, error: CallError) {
        if matches!(self, Self::There(_) | Self::Nobody) {
            return;
        }
        let mut caller = Some(self);
        if !panicking::keep(|| Unanswered(caller.take()))
            && let Some(caller) = caller
        {
            caller.fail(error);
        }
    }
}

/// A call whose handler was dropped in a panic, until it is known what that said.
struct Unanswered(Option<Failed>);

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(caller) = self.0.take() {
            caller.fail(CallError::Unknown(panicking::how_it_goes().into()));
        }
    }
}
