//! The frames of a stream, byte by byte. `WIRE.md` describes them in full.
//!
//! # Examples
//! ```
//! use handover_core::stream::frame::StreamFrame;
//!
//! let items = [0, 7, 0, 8]; // postcard: two `Result<u32, _>`, both `Ok`
//! let frame = StreamFrame::Items { cost: 4, items: &items };
//! let bytes = frame.to_bytes();
//! assert_eq!(bytes, [1, 0x21, 4, 0, 7, 0, 8]);
//! assert_eq!(StreamFrame::parse(&bytes), Ok(frame));
//! ```

use serde::{Serialize, de::DeserializeOwned};

use super::Window;
pub use crate::rpc::frame::{Fault, FrameError, VERSION};

/// One frame of a stream: a message's bytes. Ports in items are in the message's list, by index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamFrame<'b> {
    /// Some items, from the producer.
    Items {
        /// How many bytes of credit the producer has spent on them.
        cost: u64,
        /// The items: each a postcard `Result`, one after the other.
        items: &'b [u8],
    },
    /// There are no more items.
    End,
    /// There are no more items, for this reason.
    Failed {
        /// Why.
        fault: Fault,
    },
    /// How much more the consumer takes.
    Credit {
        /// So much.
        grant: Window,
    },
    /// The consumer wants to be sent no more, and reads what is on its way.
    Stop,
}

const ITEMS: u8 = 0x21;
const END: u8 = 0x22;
const FAILED: u8 = 0x23;
const CREDIT: u8 = 0x24;
const STOP: u8 = 0x25;

impl<'b> StreamFrame<'b> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`] if the bytes are no frame of this version. Items are not looked at.
    pub fn parse(bytes: &'b [u8]) -> Result<Self, FrameError> {
        let [version, kind, rest @ ..] = bytes else { return Err(FrameError::Malformed) };
        if *version != VERSION {
            return Err(FrameError::Version(*version));
        }
        match *kind {
            ITEMS => take(rest).map(|(cost, items)| Self::Items { cost, items }),
            END => whole(rest, |rest| Ok((Self::End, rest))),
            FAILED => whole(rest, |rest| take(rest).map(|(fault, rest)| (Self::Failed { fault }, rest))),
            CREDIT => whole(rest, |rest| {
                let ((items, bytes), rest) = take(rest)?;
                Ok((Self::Credit { grant: Window { items, bytes } }, rest))
            }),
            STOP => whole(rest, |rest| Ok((Self::Stop, rest))),
            kind => Err(FrameError::Kind(kind)),
        }
    }

    /// Writes the frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Items { cost, items } => {
                let mut bytes = items_head(*cost);
                bytes.extend_from_slice(items);
                bytes
            }
            Self::End => vec![VERSION, END],
            Self::Failed { fault } => put(FAILED, fault),
            Self::Credit { grant } => put(CREDIT, &(grant.items, grant.bytes)),
            Self::Stop => vec![VERSION, STOP],
        }
    }
}

/// A frame of items, up to the first.
pub(super) fn items_head(cost: u64) -> Vec<u8> {
    put(ITEMS, &cost)
}

fn put<T: Serialize>(kind: u8, body: &T) -> Vec<u8> {
    postcard::to_extend(body, vec![VERSION, kind]).expect("enums of strings and numbers always encode")
}

fn take<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), FrameError> {
    postcard::take_from_bytes(bytes).map_err(|_| FrameError::Malformed)
}

/// Reads a frame that has an end.
fn whole<'b>(
    bytes: &'b [u8],
    read: impl FnOnce(&'b [u8]) -> Result<(StreamFrame<'b>, &'b [u8]), FrameError>,
) -> Result<StreamFrame<'b>, FrameError> {
    match read(bytes)? {
        (frame, []) => Ok(frame),
        (_, [..]) => Err(FrameError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interruption, rpc::StreamFault};

    /// Frames as WIRE.md writes them.
    fn golden() -> Vec<(StreamFrame<'static>, Vec<u8>)> {
        let failed = |fault| StreamFrame::Failed { fault: Fault::Interrupted(Interruption::Stream(fault)) };
        vec![
            (StreamFrame::Items { cost: 4, items: &[0, 7, 0, 8] }, vec![1, 0x21, 4, 0, 7, 0, 8]),
            (StreamFrame::End, vec![1, 0x22]),
            (failed(StreamFault::TooSlow), vec![1, 0x23, 1, 5, 0]),
            (failed(StreamFault::Overrun), vec![1, 0x23, 1, 5, 1]),
            (failed(StreamFault::Failed("no".into())), vec![1, 0x23, 1, 5, 2, 2, b'n', b'o']),
            (
                StreamFrame::Credit { grant: Window { items: 256, bytes: 1 << 20 } },
                vec![1, 0x24, 0x80, 2, 0x80, 0x80, 0x40],
            ),
            (StreamFrame::Stop, vec![1, 0x25]),
        ]
    }

    #[test]
    fn frames_are_written_and_read_as_the_wire_specification_says() {
        for (frame, bytes) in golden() {
            assert_eq!(frame.to_bytes(), bytes, "{frame:?}");
            assert_eq!(StreamFrame::parse(&bytes), Ok(frame));
        }
    }

    #[test]
    fn a_frame_that_is_cut_short_is_none() {
        for (frame, bytes) in golden() {
            let body = if let StreamFrame::Items { items, .. } = frame { items.len() } else { 0 };
            for end in 0..bytes.len() - body {
                assert_eq!(StreamFrame::parse(&bytes[..end]), Err(FrameError::Malformed), "{frame:?} up to {end}");
            }
        }
    }

    #[test]
    fn a_frame_of_another_version_or_kind_says_so() {
        assert_eq!(StreamFrame::parse(&[2, 0x22]), Err(FrameError::Version(2)));
        assert_eq!(StreamFrame::parse(&[1, 1]), Err(FrameError::Kind(1)));
        assert_eq!(StreamFrame::parse(&[1, 0x26]), Err(FrameError::Kind(0x26)));
    }

    #[test]
    fn bytes_after_a_frame_that_has_an_end_make_it_malformed() {
        for (frame, mut bytes) in golden() {
            if !matches!(frame, StreamFrame::Items { .. }) {
                bytes.push(0);
                assert_eq!(StreamFrame::parse(&bytes), Err(FrameError::Malformed), "{frame:?}");
            }
        }
    }

    #[test]
    fn a_credit_that_does_not_fit_its_number_is_malformed() {
        assert_eq!(StreamFrame::parse(&[1, 0x24, 255, 255, 255, 255, 255, 1, 0]), Err(FrameError::Malformed));
    }
}
