//! What becomes of a message that does not get through to the other side.

use handover_core::{
    Interruption, Refusal as CallRefusal,
    wire::{Fault, Frame},
};

/// What is done in place of sending it. A call ends, and the others go on; so the frames of calls are known here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody waits for it.
    Nothing,
    /// Its sender gets this.
    Answered(Vec<u8>),
    /// The other side gets this.
    Replaced(Vec<u8>),
    /// Its channel ends.
    End,
}

impl Refusal {
    /// What becomes of a message with these bytes.
    pub(crate) fn of(data: &[u8], why: &str) -> Self {
        match Frame::parse(data) {
            Ok(Frame::Call { id, .. }) => {
                let fault = Fault::Refused(CallRefusal::Denied(why.to_owned()));
                Self::Answered(Frame::Fault { id, fault }.to_bytes())
            }
            Ok(Frame::Tell { .. }) => Self::Nothing,
            Ok(Frame::Reply { id, .. }) => {
                let fault = Fault::Interrupted(Interruption::UnreadableReply(why.to_owned()));
                Self::Replaced(Frame::Fault { id, fault }.to_bytes())
            }
            _ => Self::End,
        }
    }
}
