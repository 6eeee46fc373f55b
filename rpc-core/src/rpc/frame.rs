//! The frames of a call, byte by byte.
//!
//! Ports of one process carry calls as values; these frames are what a call is for everyone else: a reader of raw messages,
//! a transport, a peer in another language. `WIRE.md` describes them in full.
//!
//! # Examples
//! A call made by hand:
//! ```
//! use handover_core::wire::{CallId, Frame, MethodId};
//!
//! let args = [2, 3]; // postcard: two `u32`
//! let frame = Frame::Call { id: CallId(1), method: MethodId::of_name("add"), args: &args };
//! let bytes = frame.to_bytes();
//! assert_eq!(bytes, [1, 1, 1, 0x74, 0x12, 0x39, 0x3b, 2, 3]);
//! assert_eq!(Frame::parse(&bytes), Ok(frame));
//! ```

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

pub use super::MethodId;
use super::{Interruption, Refusal};

/// The version of the frames: the first byte of each.
pub const VERSION: u8 = 1;

/// Names a call among those of one port. The caller chooses it, and uses it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// Why a call ended without a reply, as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Fault {
    /// The method did not run.
    Refused(Refusal),
    /// The method may have run.
    Interrupted(Interruption),
}

/// One frame: a message's bytes. Ports in arguments and results are in the message's list, by index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame<'b> {
    /// Asks for a method to be run.
    Call {
        /// Names the call.
        id: CallId,
        /// Which method.
        method: MethodId,
        /// The arguments, each in postcard, one after the other.
        args: &'b [u8],
    },
    /// Asks for a method to be run, and for no answer.
    Tell {
        /// Which method.
        method: MethodId,
        /// The arguments.
        args: &'b [u8],
    },
    /// What the method returned: a postcard `Result`.
    Reply {
        /// Which call.
        id: CallId,
        /// The result.
        result: &'b [u8],
    },
    /// Why the call has no reply.
    Fault {
        /// Which call.
        id: CallId,
        /// Why.
        fault: Fault,
    },
    /// The caller no longer waits.
    Cancel {
        /// Which call.
        id: CallId,
    },
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// They speak another version.
    Version(u8),
    /// No frame has this kind.
    Kind(u8),
    /// They end too early, or hold something that cannot be.
    Malformed,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "the frame has version {version}, and this is version {VERSION}"),
            Self::Kind(kind) => write!(f, "there is no frame of kind {kind}"),
            Self::Malformed => f.write_str("the frame is cut short or holds what no frame can"),
        }
    }
}

impl Error for FrameError {}

const CALL: u8 = 1;
const TELL: u8 = 2;
const REPLY: u8 = 3;
const FAULT: u8 = 4;
const CANCEL: u8 = 5;

impl<'b> Frame<'b> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`] if the bytes are no frame of this version. Arguments and results are not looked at.
    pub fn parse(bytes: &'b [u8]) -> Result<Self, FrameError> {
        let [version, kind, rest @ ..] = bytes else { return Err(FrameError::Malformed) };
        if *version != VERSION {
            return Err(FrameError::Version(*version));
        }
        match *kind {
            CALL => {
                let (id, rest) = parse_id(rest)?;
                let (method, args) = parse_method(rest)?;
                Ok(Self::Call { id, method, args })
            }
            TELL => parse_method(rest).map(|(method, args)| Self::Tell { method, args }),
            REPLY => parse_id(rest).map(|(id, result)| Self::Reply { id, result }),
            FAULT => {
                let (id, rest) = parse_id(rest)?;
                let (fault, rest) = postcard::take_from_bytes(rest).map_err(|_| FrameError::Malformed)?;
                expect_end(rest)?;
                Ok(Self::Fault { id, fault })
            }
            CANCEL => {
                let (id, rest) = parse_id(rest)?;
                expect_end(rest)?;
                Ok(Self::Cancel { id })
            }
            kind => Err(FrameError::Kind(kind)),
        }
    }

    /// Writes the frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Call { id, method, args } => join(call_head(*id, *method), args),
            Self::Tell { method, args } => join(tell_head(*method), args),
            Self::Reply { id, result } => join(reply_head(*id), result),
            Self::Fault { id, fault } => postcard::to_extend(fault, head_with_id(FAULT, *id))
                .expect("enums of strings and numbers always encode"),
            Self::Cancel { id } => head_with_id(CANCEL, *id),
        }
    }
}

/// A call frame up to its arguments.
pub(crate) fn call_head(id: CallId, method: MethodId) -> Vec<u8> {
    join(head_with_id(CALL, id), &method.0.to_le_bytes())
}

/// A one-way call's frame up to its arguments.
pub(crate) fn tell_head(method: MethodId) -> Vec<u8> {
    join(vec![VERSION, TELL], &method.0.to_le_bytes())
}

/// A reply frame up to its result.
pub(crate) fn reply_head(id: CallId) -> Vec<u8> {
    head_with_id(REPLY, id)
}

/// The id is a varint, as postcard writes one: seven bits a byte, the lowest first; the top bit says that more follow.
fn head_with_id(kind: u8, id: CallId) -> Vec<u8> {
    postcard::to_extend(&id.0, vec![VERSION, kind]).expect("a number always encodes")
}

fn join(mut head: Vec<u8>, body: &[u8]) -> Vec<u8> {
    head.extend_from_slice(body);
    head
}

fn parse_id(bytes: &[u8]) -> Result<(CallId, &[u8]), FrameError> {
    postcard::take_from_bytes(bytes).map(|(id, rest)| (CallId(id), rest)).map_err(|_| FrameError::Malformed)
}

fn parse_method(bytes: &[u8]) -> Result<(MethodId, &[u8]), FrameError> {
    let (id, rest) = bytes.split_first_chunk().ok_or(FrameError::Malformed)?;
    Ok((MethodId(u32::from_le_bytes(*id)), rest))
}

fn expect_end(rest: &[u8]) -> Result<(), FrameError> {
    if rest.is_empty() { Ok(()) } else { Err(FrameError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames as WIRE.md writes them.
    fn golden() -> Vec<(Frame<'static>, Vec<u8>)> {
        let add = MethodId::of_name("add");
        let fault = |fault| Frame::Fault { id: CallId(300), fault };
        let refused = |refusal| fault(Fault::Refused(refusal));
        let interrupted = |interruption| fault(Fault::Interrupted(interruption));
        vec![
            (Frame::Call { id: CallId(1), method: add, args: &[2, 3] }, vec![1, 1, 1, 0x74, 0x12, 0x39, 0x3b, 2, 3]),
            (Frame::Tell { method: MethodId(7), args: &[] }, vec![1, 2, 7, 0, 0, 0]),
            (Frame::Reply { id: CallId(1), result: &[0, 5] }, vec![1, 3, 1, 0, 5]),
            (refused(Refusal::UnknownMethod(MethodId(300))), vec![1, 4, 0xac, 2, 0, 0, 0xac, 2]),
            (refused(Refusal::Malformed("no".into())), vec![1, 4, 0xac, 2, 0, 1, 2, b'n', b'o']),
            (refused(Refusal::Spent), vec![1, 4, 0xac, 2, 0, 2]),
            (refused(Refusal::RepeatedCallId), vec![1, 4, 0xac, 2, 0, 3]),
            (interrupted(Interruption::Closed), vec![1, 4, 0xac, 2, 1, 0]),
            (interrupted(Interruption::Panicked("ow".into())), vec![1, 4, 0xac, 2, 1, 1, 2, b'o', b'w']),
            (interrupted(Interruption::UnreadableReply("no".into())), vec![1, 4, 0xac, 2, 1, 2, 2, b'n', b'o']),
            (Frame::Cancel { id: CallId(u64::MAX) }, [&[1, 5][..], &[255; 9], &[1]].concat()),
        ]
    }

    #[test]
    fn frames_are_written_and_read_as_the_wire_specification_says() {
        for (frame, bytes) in golden() {
            assert_eq!(frame.to_bytes(), bytes, "{frame:?}");
            assert_eq!(Frame::parse(&bytes), Ok(frame));
        }
    }

    #[test]
    fn a_frame_that_is_cut_short_is_none() {
        for (frame, bytes) in golden() {
            let body = match frame {
                Frame::Call { args, .. } | Frame::Tell { args, .. } => args.len(),
                Frame::Reply { result, .. } => result.len(),
                Frame::Fault { .. } | Frame::Cancel { .. } => 0,
            };
            for end in 0..bytes.len() - body {
                assert_eq!(Frame::parse(&bytes[..end]), Err(FrameError::Malformed), "{frame:?} up to {end}");
            }
        }
    }

    #[test]
    fn a_frame_of_another_version_or_kind_says_so() {
        assert_eq!(Frame::parse(&[2, 1, 1]), Err(FrameError::Version(2)));
        assert_eq!(Frame::parse(&[1, 0]), Err(FrameError::Kind(0)));
        assert_eq!(Frame::parse(&[1, 6]), Err(FrameError::Kind(6)));
    }

    #[test]
    fn bytes_after_a_frame_that_has_an_end_make_it_malformed() {
        assert_eq!(Frame::parse(&[1, 5, 1, 0]), Err(FrameError::Malformed));
        assert_eq!(Frame::parse(&[1, 4, 1, 0, 2, 0]), Err(FrameError::Malformed));
    }
}
