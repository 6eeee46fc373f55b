//! Reading frames. What nearly every frame is, a plain call or a reply, is found without a look at anything else.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{
    super::known, ATTACH, CALL, CANCEL, CREDIT, CallId, FAREWELL, FAULT, Frame, FrameError, GOODBYE, HAS_DEADLINE,
    HAS_METADATA, HAS_SHAPE, HELLO, Limits, MethodId, Options, PIPELINED, REPLY, SHAPE, TELL, VERSION,
};
use crate::shape::WrittenShape;

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
                let (method, rest) = parse_method(rest)?;
                let (options, args) = parse_options(method, rest)?;
                Ok(Self::Call { id, method, options, args })
            }
            TELL => {
                let (method, rest) = parse_method(rest)?;
                let (options, args) = parse_options(method, rest)?;
                Ok(Self::Tell { method, options, args })
            }
            PIPELINED => {
                let (method, rest) = parse_method(rest)?;
                let (options, args) = parse_options(method, rest)?;
                Ok(Self::Pipelined { method, options, args })
            }
            REPLY => parse_id(rest).map(|(id, result)| Self::Reply { id, result }),
            FAULT => {
                let (id, rest) = parse_id(rest)?;
                parse_last(rest).map(|fault| Self::Fault { id, fault })
            }
            CANCEL => {
                let (id, rest) = parse_id(rest)?;
                expect_end(rest)?;
                Ok(Self::Cancel { id })
            }
            HELLO => parse_last(rest).map(|window| Self::Hello { window }),
            CREDIT => parse_last(rest).map(|tells| Self::Credit { tells }),
            GOODBYE => parse_last(rest).map(|from| Self::Goodbye { from }),
            SHAPE => {
                let (method, rest) = parse_method(rest)?;
                let (shape, rest) = parse_shape(method, rest)?;
                expect_end(rest)?;
                Ok(Self::Shape { method, shape })
            }
            FAREWELL => parse_last(rest).map(|fault| Self::Farewell { fault }),
            ATTACH => match parse_last::<Box<Limits>>(rest)? {
                limits if limits.is_too_much() => Err(FrameError::Malformed),
                limits => Ok(Self::Attach { limits }),
            },
            kind => Err(FrameError::Kind(kind)),
        }
    }
}

/// A call that says nothing beside its arguments, as nearly all do: what it is, and where in the frame the arguments start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rpc) struct PlainCall {
    pub(in crate::rpc) id: CallId,
    pub(in crate::rpc) method: MethodId,
    pub(in crate::rpc) args_at: usize,
}

/// Reads a call that says nothing beside its arguments. `None` if it is any other frame, or no frame: [`Frame::parse`] says which.
#[inline]
pub(in crate::rpc) fn plain_call(bytes: &[u8]) -> Option<PlainCall> {
    let [VERSION, CALL, rest @ ..] = bytes else { return None };
    let (id, rest) = parse_id(rest).ok()?;
    let (method, rest) = parse_method(rest).ok()?;
    let [0, args @ ..] = rest else { return None };
    Some(PlainCall { id, method, args_at: bytes.len() - args.len() })
}

/// Reads a reply: for which call it is, and where in the frame the result starts. `None` if it is any other frame, or no frame.
#[inline]
pub(in crate::rpc) fn plain_reply(bytes: &[u8]) -> Option<(CallId, usize)> {
    let [VERSION, REPLY, rest @ ..] = bytes else { return None };
    let (id, result) = parse_id(rest).ok()?;
    Some((id, bytes.len() - result.len()))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), FrameError> {
    postcard::take_from_bytes(bytes).map_err(|_| FrameError::Malformed)
}

/// Reads what a frame ends with.
fn parse_last<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FrameError> {
    let (value, rest) = parse(bytes)?;
    expect_end(rest)?;
    Ok(value)
}

/// How many bytes a call's id has at most.
const MOST_OF_AN_ID: usize = 10;

/// Reads a varint of 64 bits. Most have one byte or two.
#[inline]
pub(super) fn parse_id(bytes: &[u8]) -> Result<(CallId, &[u8]), FrameError> {
    match bytes {
        [only, rest @ ..] if *only <= 0x7f => Ok((CallId(u64::from(*only)), rest)),
        [low, high, rest @ ..] if *high <= 0x7f => Ok((CallId(u64::from(*low & 0x7f) | u64::from(*high) << 7), rest)),
        _ => parse_long_id(bytes),
    }
}

fn parse_long_id(bytes: &[u8]) -> Result<(CallId, &[u8]), FrameError> {
    let mut id = 0;
    for (at, byte) in bytes.iter().take(MOST_OF_AN_ID).enumerate() {
        id |= u64::from(byte & 0x7f) << (7 * at);
        if *byte <= 0x7f {
            let has_too_many_bits = at + 1 == MOST_OF_AN_ID && *byte > 1;
            let rest = bytes.get(at + 1..).unwrap_or_default();
            return if has_too_many_bits { Err(FrameError::Malformed) } else { Ok((CallId(id), rest)) };
        }
    }
    Err(FrameError::Malformed)
}

fn parse_options(method: MethodId, bytes: &[u8]) -> Result<(Options, &[u8]), FrameError> {
    let Some((flags, mut rest)) = bytes.split_first() else { return Err(FrameError::Malformed) };
    if flags & !(HAS_DEADLINE | HAS_METADATA | HAS_SHAPE) != 0 {
        return Err(FrameError::Malformed);
    }
    let mut options = Options::default();
    if flags & HAS_DEADLINE != 0 {
        let (micros, after) = parse(rest)?;
        (options.deadline, rest) = (Some(Duration::from_micros(micros)), after);
    }
    if flags & HAS_METADATA != 0 {
        (options.metadata, rest) = parse(rest)?;
    }
    if flags & HAS_SHAPE != 0 {
        let (shape, after) = parse_shape(method, rest)?;
        (options.shape, rest) = (Some(shape), after);
    }
    if options.metadata.is_too_much() { Err(FrameError::Malformed) } else { Ok((options, rest)) }
}

fn parse_shape(method: MethodId, bytes: &[u8]) -> Result<(WrittenShape, &[u8]), FrameError> {
    known::read(method, bytes).or_else(|| WrittenShape::take(bytes)).ok_or(FrameError::Malformed)
}

#[inline]
fn parse_method(bytes: &[u8]) -> Result<(MethodId, &[u8]), FrameError> {
    let (id, rest) = bytes.split_first_chunk().ok_or(FrameError::Malformed)?;
    Ok((MethodId(u32::from_le_bytes(*id)), rest))
}

fn expect_end(rest: &[u8]) -> Result<(), FrameError> {
    if rest.is_empty() { Ok(()) } else { Err(FrameError::Malformed) }
}
