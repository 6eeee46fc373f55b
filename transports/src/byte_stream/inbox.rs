//! What came out of the stream and was not delivered.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::io::AsyncRead;

use super::{ConnectionError, error::Limit, frame::FrameError, preamble::Limits, varint};

/// How much room there is for what comes, unless a frame needs more.
const ROOM: usize = 64 << 10;

/// Bytes, with a frame in front as soon as it is whole. Its memory is used again and again.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// All of it may be read into; what was read is between the two places.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Inbox {
    /// Whether there is nothing in it, not even part of a frame.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Reads what there is into what room there is, and tells how many bytes it was; 0 at the end of the stream.
    pub(super) fn poll_read(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.make_room();
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        let most = room.len();
        let read = ready!(Pin::new(reader).poll_read(cx, room))?.min(most);
        self.end += read;
        Poll::Ready(Ok(read))
    }

    /// Makes room for more: as much again as there is, however much a frame claims to have (C22).
    fn make_room(&mut self) {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
            if self.bytes.len() != ROOM {
                // After a frame that needed more, its memory is let go.
                self.bytes = vec![0; ROOM];
            }
        } else if self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            if self.start == 0 {
                self.bytes.resize(self.bytes.len().saturating_mul(2), 0);
            }
            self.start = 0;
        }
    }

    /// Takes the preamble out. `None` if it has not come yet.
    pub(super) fn preamble(&mut self) -> Result<Option<Limits>, ConnectionError> {
        let waiting = self.bytes.get(self.start..self.end).unwrap_or_default();
        let read = Limits::read(waiting)?;
        Ok(read.map(|(limits, size)| {
            self.start += size;
            limits
        }))
    }

    /// Takes a frame out, without its length. `None` if it has not come as a whole.
    ///
    /// # Errors
    /// [`ConnectionError`] as soon as its length is known, if that is more than `most` (C22).
    pub(super) fn frame(&mut self, most: u64) -> Result<Option<&[u8]>, ConnectionError> {
        let waiting = self.bytes.get(self.start..self.end).unwrap_or_default();
        let Some((length, head)) = varint::read(waiting).map_err(|_| FrameError::Malformed)? else { return Ok(None) };
        if length > most {
            return Err(ConnectionError::Exceeded(Limit::Message));
        }
        let length = usize::try_from(length).map_err(|_| ConnectionError::Exceeded(Limit::Message))?;
        let body = waiting.get(head..).and_then(|rest| rest.get(..length));
        if body.is_some() {
            self.start += head + length;
        }
        Ok(body)
    }
}
