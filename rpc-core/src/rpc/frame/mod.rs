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
//! let frame = Frame::call(CallId(1), MethodId::of_name("add"), &args);
//! let bytes = frame.to_bytes();
//! assert_eq!(bytes, [1, 1, 1, 0x74, 0x12, 0x39, 0x3b, 0, 2, 3]);
//! assert_eq!(Frame::parse(&bytes), Ok(frame));
//! ```

mod read;
mod write;

use std::{error::Error, fmt, time::Duration};

use serde::{Deserialize, Serialize};

pub use super::MethodId;
pub use super::grant::{Limits, Rate};
use super::{Interruption, Metadata, Refusal};
use crate::shape::WrittenShape;

pub(super) use read::{PlainCall, plain_call, plain_reply};
pub(crate) use write::{Said, call_head, pipelined_head, put_call_head, put_reply_head, reply_head, tell_head};

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

/// What a call says beside its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How much time is left for the call, to the microsecond.
    pub deadline: Option<Duration>,
    /// Metadata for the service.
    pub metadata: Metadata,
    /// What the caller takes the method for, in its first call of it.
    pub shape: Option<WrittenShape>,
}

impl Options {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.deadline.is_none() && self.metadata.is_empty() && self.shape.is_none()
    }

    /// The byte that says which follow.
    fn flags(&self) -> u8 {
        let Self { deadline, metadata, shape } = self;
        let has = |bit, there| if there { bit } else { 0 };
        let timed = has(HAS_DEADLINE, deadline.is_some());
        timed | has(HAS_METADATA, !metadata.is_empty()) | has(HAS_SHAPE, shape.is_some())
    }

    /// Itself, if it says anything.
    pub(super) fn boxed(self) -> Option<Box<Self>> {
        (!self.is_empty()).then(|| Box::new(self))
    }
}

/// How much a service takes of one caller at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Calls that have begun to be sent and have not ended; and, counted by themselves, one-way calls that were sent and not
    /// [given back](Frame::Credit).
    pub calls: u32,
    /// The bytes of arguments in those calls: one more call is sent as long as there are fewer.
    pub bytes: u64,
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
        /// What is said beside the arguments.
        options: Options,
        /// The arguments, each in postcard, one after the other.
        args: &'b [u8],
    },
    /// Asks for a method to be run, and for no answer.
    Tell {
        /// Which method.
        method: MethodId,
        /// What is said beside the arguments.
        options: Options,
        /// The arguments.
        args: &'b [u8],
    },
    /// Asks for a method to be run, and for what it returns to be joined to the last port of the message.
    Pipelined {
        /// Which method.
        method: MethodId,
        /// What is said beside the arguments.
        options: Options,
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
    /// From the service: how much it takes at a time.
    Hello {
        /// That much.
        window: Window,
    },
    /// From the service: so many more one-way calls may be sent.
    Credit {
        /// That many.
        tells: u32,
    },
    /// From the service: what the method really is, where the caller took it for something else.
    Shape {
        /// Which method.
        method: MethodId,
        /// What it takes and returns.
        shape: WrittenShape,
    },
    /// Serve one more port: the only one in the message's list. Whoever has its other end gets the right of the sender, as far as
    /// these limits let it.
    Attach {
        /// What that right is limited to beside.
        limits: Box<Limits>,
    },
    /// One direction of a port that both sides call through has ended.
    Goodbye {
        /// Who goes.
        from: Role,
    },
    /// From the service, as the last message of its port: it serves no more here, and why.
    Farewell {
        /// How every call ends that it has not answered, and every later one.
        fault: Fault,
    },
}

/// Which of its two parts a side plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// It calls.
    Caller,
    /// It is called.
    Service,
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
const HELLO: u8 = 6;
const CREDIT: u8 = 7;
const GOODBYE: u8 = 8;
const SHAPE: u8 = 9;
const FAREWELL: u8 = 10;
const ATTACH: u8 = 11;
const PIPELINED: u8 = 12;

/// The bits of the byte that says which options follow.
const HAS_DEADLINE: u8 = 1;
const HAS_METADATA: u8 = 2;
const HAS_SHAPE: u8 = 4;

impl<'b> Frame<'b> {
    /// A call that says nothing beside its arguments.
    pub fn call(id: CallId, method: MethodId, args: &'b [u8]) -> Self {
        Self::Call { id, method, options: Options::default(), args }
    }

    /// A one-way call that says nothing beside its arguments.
    pub fn tell(method: MethodId, args: &'b [u8]) -> Self {
        Self::Tell { method, options: Options::default(), args }
    }
}

#[cfg(test)]
mod tests {
    use super::{read::parse_id, write::put, *};
    use crate::{
        rpc::{Metadatum, StreamFault},
        shape::{MethodShape, Shape},
    };

    #[derive(Serialize, Deserialize)]
    struct Number(u32);

    impl Metadatum for Number {
        const NAME: &'static str = "n";
    }

    /// Frames as WIRE.md writes them.
    fn golden() -> Vec<(Frame<'static>, Vec<u8>)> {
        let add = MethodId::of_name("add");
        let call = |method, options, args| Frame::Call { id: CallId(1), method, options, args };
        let timed = Options { deadline: Some(Duration::from_micros(300)), ..Options::default() };
        let mut metadata = Metadata::default();
        metadata.insert(&Number(5)).unwrap();
        let spoken = Options { metadata, ..Options::default() };
        let shape = WrittenShape::from(MethodShape { args: vec![Shape::U32], result: Shape::Unit });
        let introduced = Options { shape: Some(shape.clone()), ..Options::default() };
        let micros = Duration::from_micros;
        let narrow = Limits {
            methods: Some(vec![MethodId(300)]),
            calls: Some(3),
            rate: Some(Rate { calls: 10, per: micros(100) }),
            bytes: Some(9),
            expires: Some(micros(1)),
            idle: Some(micros(2)),
            clones: Some(4),
        };
        let fault = |fault| Frame::Fault { id: CallId(300), fault };
        let refused = |refusal| fault(Fault::Refused(refusal));
        let interrupted = |interruption| fault(Fault::Interrupted(interruption));
        vec![
            (call(add, Options::default(), &[2, 3]), vec![1, 1, 1, 0x74, 0x12, 0x39, 0x3b, 0, 2, 3]),
            (call(MethodId(7), timed, &[9]), vec![1, 1, 1, 7, 0, 0, 0, 1, 0xac, 2, 9]),
            (call(MethodId(7), spoken, &[9]), vec![1, 1, 1, 7, 0, 0, 0, 2, 1, 1, b'n', 1, 5, 9]),
            (call(MethodId(7), introduced, &[9]), vec![1, 1, 1, 7, 0, 0, 0, 4, 1, 1, 10, 1, 1, 9]),
            (Frame::Shape { method: MethodId(7), shape }, vec![1, 9, 7, 0, 0, 0, 1, 1, 10, 1, 1]),
            (Frame::Tell { method: MethodId(7), options: Options::default(), args: &[] }, vec![1, 2, 7, 0, 0, 0, 0]),
            (
                Frame::Pipelined { method: MethodId(7), options: Options::default(), args: &[9] },
                vec![1, 12, 7, 0, 0, 0, 0, 9],
            ),
            (Frame::Reply { id: CallId(1), result: &[0, 5] }, vec![1, 3, 1, 0, 5]),
            (refused(Refusal::UnknownMethod(MethodId(300))), vec![1, 4, 0xac, 2, 0, 0, 0xac, 2]),
            (refused(Refusal::Malformed("no".into())), vec![1, 4, 0xac, 2, 0, 1, 2, b'n', b'o']),
            (refused(Refusal::Spent), vec![1, 4, 0xac, 2, 0, 2]),
            (refused(Refusal::RepeatedCallId), vec![1, 4, 0xac, 2, 0, 3]),
            (refused(Refusal::Overloaded), vec![1, 4, 0xac, 2, 0, 4]),
            (refused(Refusal::Denied("no".into())), vec![1, 4, 0xac, 2, 0, 5, 2, b'n', b'o']),
            (refused(Refusal::DeadlineExceeded), vec![1, 4, 0xac, 2, 0, 6]),
            (refused(Refusal::Mismatch("no".into())), vec![1, 4, 0xac, 2, 0, 7, 2, b'n', b'o']),
            (refused(Refusal::Revoked), vec![1, 4, 0xac, 2, 0, 9]),
            (refused(Refusal::Expired), vec![1, 4, 0xac, 2, 0, 10]),
            (refused(Refusal::NoCallsLeft), vec![1, 4, 0xac, 2, 0, 11]),
            (refused(Refusal::TooFast), vec![1, 4, 0xac, 2, 0, 12]),
            (refused(Refusal::TooManyBytes), vec![1, 4, 0xac, 2, 0, 13]),
            (refused(Refusal::TooManyClients), vec![1, 4, 0xac, 2, 0, 14]),
            (interrupted(Interruption::Revoked), vec![1, 4, 0xac, 2, 1, 7]),
            (interrupted(Interruption::Expired), vec![1, 4, 0xac, 2, 1, 8]),
            (interrupted(Interruption::Closed), vec![1, 4, 0xac, 2, 1, 0]),
            (interrupted(Interruption::Panicked("ow".into())), vec![1, 4, 0xac, 2, 1, 1, 2, b'o', b'w']),
            (interrupted(Interruption::UnreadableReply("no".into())), vec![1, 4, 0xac, 2, 1, 2, 2, b'n', b'o']),
            (interrupted(Interruption::DeadlineExceeded), vec![1, 4, 0xac, 2, 1, 3]),
            (interrupted(Interruption::Cancelled("ow".into())), vec![1, 4, 0xac, 2, 1, 4, 2, b'o', b'w']),
            (interrupted(Interruption::Stream(StreamFault::TooSlow)), vec![1, 4, 0xac, 2, 1, 5, 0]),
            (interrupted(Interruption::Disconnected("no".into())), vec![1, 4, 0xac, 2, 1, 6, 2, b'n', b'o']),
            (Frame::Hello { window: Window { calls: 16, bytes: 300 } }, vec![1, 6, 16, 0xac, 2]),
            (Frame::Credit { tells: 8 }, vec![1, 7, 8]),
            (Frame::Attach { limits: Box::default() }, vec![1, 11, 0, 0, 0, 0, 0, 0, 0]),
            (
                Frame::Attach { limits: Box::new(narrow) },
                vec![1, 11, 1, 1, 0xac, 2, 1, 3, 1, 10, 100, 1, 9, 1, 1, 1, 2, 1, 4],
            ),
            (Frame::Goodbye { from: Role::Caller }, vec![1, 8, 0]),
            (Frame::Goodbye { from: Role::Service }, vec![1, 8, 1]),
            (Frame::Farewell { fault: Fault::Refused(Refusal::Denied("no".into())) }, vec![1, 10, 0, 5, 2, b'n', b'o']),
            (Frame::Farewell { fault: Fault::Interrupted(Interruption::Closed) }, vec![1, 10, 1, 0]),
            (refused(Refusal::NotReturned("no".into())), vec![1, 4, 0xac, 2, 0, 8, 2, b'n', b'o']),
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
                Frame::Call { args, .. } | Frame::Tell { args, .. } | Frame::Pipelined { args, .. } => args.len(),
                Frame::Reply { result, .. } => result.len(),
                _ => 0,
            };
            for end in 0..bytes.len() - body {
                assert_eq!(Frame::parse(&bytes[..end]), Err(FrameError::Malformed), "{frame:?} up to {end}");
            }
        }
    }

    /// What is read in haste, as [`Frame::parse`] would say it.
    fn in_haste(bytes: &[u8]) -> Option<(CallId, &[u8])> {
        let call = plain_call(bytes).map(|call| (call.id, call.args_at));
        call.or_else(|| plain_reply(bytes)).map(|(id, at)| (id, &bytes[at..]))
    }

    #[test]
    fn what_is_read_in_haste_is_what_a_longer_look_would_find() {
        let ids = [0, 1, 127, 128, 300, 1 << 14, (1 << 14) - 1, 1 << 32, u64::MAX];
        let of_ids = ids.into_iter().flat_map(|id| {
            let id = CallId(id);
            [Frame::call(id, MethodId(7), &[9, 9]).to_bytes(), Frame::Reply { id, result: &[0, 5] }.to_bytes()]
        });
        let golden = golden().into_iter().map(|(_, bytes)| bytes);

        for bytes in of_ids.chain(golden) {
            for end in 0..=bytes.len() {
                let bytes = &bytes[..end];
                let expected = match Frame::parse(bytes) {
                    Ok(Frame::Call { id, options, args, .. }) if options.is_empty() => Some((id, args)),
                    Ok(Frame::Reply { id, result }) => Some((id, result)),
                    Ok(_) | Err(_) => None,
                };
                assert_eq!(in_haste(bytes), expected, "{bytes:?}");
            }
        }
    }

    #[test]
    fn ids_are_read_as_postcard_reads_them() {
        let long = |last| [&[0xff; 9][..], &[last]].concat();
        let others =
            [vec![], vec![0x80], vec![0x80, 0], vec![0x81, 0x80, 0], vec![0xff; 11], long(1), long(2), long(0)];
        let some = (0..64).map(|bits| put(&(u64::MAX >> bits), Vec::new()));

        for mut bytes in some.chain(others) {
            bytes.push(7);
            let expected = postcard::take_from_bytes::<u64>(&bytes).map(|(id, rest)| (CallId(id), rest));
            assert_eq!(parse_id(&bytes), expected.map_err(|_| FrameError::Malformed), "{bytes:?}");
        }
    }

    #[test]
    fn a_frame_of_another_version_or_kind_says_so() {
        assert_eq!(Frame::parse(&[2, 1, 1]), Err(FrameError::Version(2)));
        assert_eq!(Frame::parse(&[1, 0]), Err(FrameError::Kind(0)));
        assert_eq!(Frame::parse(&[1, 77]), Err(FrameError::Kind(77)));
    }

    #[test]
    fn bytes_after_a_frame_that_has_an_end_make_it_malformed() {
        assert_eq!(Frame::parse(&[1, 5, 1, 0]), Err(FrameError::Malformed));
        assert_eq!(Frame::parse(&[1, 4, 1, 0, 2, 0]), Err(FrameError::Malformed));
        assert_eq!(Frame::parse(&[1, 10, 0, 2, 0]), Err(FrameError::Malformed));
    }

    #[test]
    fn limits_that_name_more_methods_than_there_can_be_make_it_malformed() {
        let methods = Some(vec![MethodId(7); Limits::MOST_METHODS + 1]);
        let frame = Frame::Attach { limits: Box::new(Limits { methods, ..Limits::default() }) };

        assert_eq!(Frame::parse(&frame.to_bytes()), Err(FrameError::Malformed));
    }

    #[test]
    fn options_that_do_not_exist_and_metadata_that_is_too_much_make_it_malformed() {
        assert_eq!(Frame::parse(&[1, 2, 7, 0, 0, 0, 8]), Err(FrameError::Malformed));
        let names: Vec<_> = (0..=Metadata::MOST_VALUES).map(|number| (number.to_string(), Vec::<u8>::new())).collect();
        let frame = put(&names, vec![1, 2, 7, 0, 0, 0, HAS_METADATA]);
        assert_eq!(Frame::parse(&frame), Err(FrameError::Malformed));
    }
}
