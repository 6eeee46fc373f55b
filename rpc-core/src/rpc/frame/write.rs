//! Writing frames: whole, or the part before what a call carries, which is put behind it where it is encoded.

use serde::Serialize;

use super::{
    ATTACH, CALL, CANCEL, CREDIT, CallId, FAREWELL, FAULT, Frame, GOODBYE, HAS_SHAPE, HELLO, MethodId, Options,
    PIPELINED, REPLY, SHAPE, TELL, VERSION,
};
use crate::{message::spare_buffer, shape::WrittenShape};

impl Frame<'_> {
    /// Writes the frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Call { id, method, options, args } => {
                join(call_head(*id, *method, Some(&Said::these(options))), args)
            }
            Self::Tell { method, options, args } => join(tell_head(*method, Some(&Said::these(options))), args),
            Self::Pipelined { method, options, args } => {
                join(pipelined_head(*method, Some(&Said::these(options))), args)
            }
            Self::Reply { id, result } => join(reply_head(*id), result),
            Self::Fault { id, fault } => put(fault, head_with_id(FAULT, *id)),
            Self::Cancel { id } => head_with_id(CANCEL, *id),
            Self::Hello { window } => put(window, vec![VERSION, HELLO]),
            Self::Credit { tells } => put(tells, vec![VERSION, CREDIT]),
            Self::Goodbye { from } => put(from, vec![VERSION, GOODBYE]),
            Self::Shape { method, shape } => {
                join(join(vec![VERSION, SHAPE], &method.0.to_le_bytes()), shape.as_bytes())
            }
            Self::Farewell { fault } => put(fault, vec![VERSION, FAREWELL]),
            Self::Attach { limits } => put(limits, vec![VERSION, ATTACH]),
        }
    }
}

/// A call frame up to its arguments.
pub(crate) fn call_head(id: CallId, method: MethodId, said: Option<&Said<'_>>) -> Vec<u8> {
    let mut head = spare_buffer();
    put_call_head(id, method, said, &mut head);
    head
}

/// As [`call_head`], into a buffer that stays where it is.
#[inline]
pub(crate) fn put_call_head(id: CallId, method: MethodId, said: Option<&Said<'_>>, head: &mut Vec<u8>) {
    put_head_with_id(CALL, id, head);
    put_method(method, said, head);
}

/// A one-way call's frame up to its arguments.
pub(crate) fn tell_head(method: MethodId, said: Option<&Said<'_>>) -> Vec<u8> {
    let mut head = head(TELL);
    put_method(method, said, &mut head);
    head
}

/// A pipelined call's frame up to its arguments.
pub(crate) fn pipelined_head(method: MethodId, said: Option<&Said<'_>>) -> Vec<u8> {
    let mut head = head(PIPELINED);
    put_method(method, said, &mut head);
    head
}

/// A reply frame up to its result.
pub(crate) fn reply_head(id: CallId) -> Vec<u8> {
    head_with_id(REPLY, id)
}

/// As [`reply_head`], into a buffer that stays where it is.
#[inline]
pub(crate) fn put_reply_head(id: CallId, head: &mut Vec<u8>) {
    put_head_with_id(REPLY, id, head);
}

#[inline]
fn head(kind: u8) -> Vec<u8> {
    let mut head = spare_buffer();
    head.extend_from_slice(&[VERSION, kind]);
    head
}

fn head_with_id(kind: u8, id: CallId) -> Vec<u8> {
    let mut head = spare_buffer();
    put_head_with_id(kind, id, &mut head);
    head
}

/// The id is a varint, as postcard writes one: seven bits a byte, the lowest first; the top bit says that more follow. What has one or two
/// bytes is written in one piece with what is before it.
#[inline]
fn put_head_with_id(kind: u8, CallId(id): CallId, head: &mut Vec<u8>) {
    // Truncated on purpose: the lowest seven bits are left.
    match id {
        0..0x80 => head.extend_from_slice(&[VERSION, kind, id as u8]),
        0x80..0x4000 => head.extend_from_slice(&[VERSION, kind, id as u8 | 0x80, (id >> 7) as u8]),
        _ => {
            head.extend_from_slice(&[VERSION, kind]);
            put_long_id(id, head);
        }
    }
}

fn put_long_id(mut id: u64, head: &mut Vec<u8>) {
    while id > 0x7f {
        // Truncated on purpose, as above.
        head.push(id as u8 | 0x80);
        id >>= 7;
    }
    head.push(id as u8);
}

/// What a call says beside its arguments, as it is written: nearly always nothing.
#[derive(Debug)]
pub(crate) struct Said<'s> {
    pub(crate) options: Option<&'s Options>,
    /// The shape that the method is taken for, as bytes, in place of one in the options.
    pub(crate) introduction: Option<&'s WrittenShape>,
}

impl<'s> Said<'s> {
    pub(crate) fn these(options: &'s Options) -> Self {
        Self { options: Some(options), introduction: None }
    }

    /// Itself, if it is anything.
    #[inline]
    pub(crate) fn any(&self) -> Option<&Self> {
        if self.options.is_some() || self.introduction.is_some() { Some(self) } else { None }
    }

    /// The byte that says what follows.
    fn flags(&self) -> u8 {
        self.options.map_or(0, Options::flags) | if self.introduction.is_some() { HAS_SHAPE } else { 0 }
    }
}

/// The method's id, and what is said beside the arguments.
#[inline]
fn put_method(method: MethodId, said: Option<&Said<'_>>, head: &mut Vec<u8>) {
    let [first, second, third, fourth] = method.0.to_le_bytes();
    head.extend_from_slice(&[first, second, third, fourth, said.map_or(0, Said::flags)]);
    if let Some(said) = said {
        put_said(said, head);
    }
}

#[cold]
fn put_said(&Said { options, introduction }: &Said<'_>, head: &mut Vec<u8>) {
    let mut written = std::mem::take(head);
    if let Some(deadline) = options.and_then(|options| options.deadline) {
        written = put(&u64::try_from(deadline.as_micros()).unwrap_or(u64::MAX), written);
    }
    if let Some(options) = options.filter(|options| !options.metadata.is_empty()) {
        written = put(&options.metadata, written);
    }
    let shape = introduction.or_else(|| options?.shape.as_ref());
    *head = match shape {
        Some(shape) => join(written, shape.as_bytes()),
        None => written,
    };
}

pub(super) fn put(value: &impl Serialize, bytes: Vec<u8>) -> Vec<u8> {
    postcard::to_extend(value, bytes).expect("enums, strings and numbers always encode")
}

fn join(mut head: Vec<u8>, body: &[u8]) -> Vec<u8> {
    head.extend_from_slice(body);
    head
}
