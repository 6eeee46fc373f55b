//! What is on its way into the stream.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::io::AsyncWrite;

use super::{
    ChannelId,
    frame::{self, Frame},
};

/// How many bytes are collected before they are written. One frame more may begin as long as there are fewer.
const FULL: usize = 64 << 10;

/// Frames in the order in which they go out. Its memory is used again and again.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    written: usize,
    needs_flush: bool,
    batches: bool,
}

impl Outbox {
    /// An outbox that begins with these bytes.
    pub(super) fn new(bytes: Vec<u8>, batches: bool) -> Self {
        Self { bytes, written: 0, needs_flush: false, batches }
    }

    /// Whether another frame may be put into it.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        if self.batches { self.bytes.len() < FULL } else { self.bytes.is_empty() }
    }

    /// Puts a frame behind the others.
    #[inline]
    pub(super) fn put(&mut self, frame: &Frame<'_>) {
        frame.write(&mut self.bytes);
    }

    /// Puts a message behind the others that has something beside its bytes.
    pub(super) fn put_with(&mut self, channel: ChannelId, ports: u64, buffers: &[Vec<u8>], data: &[u8]) {
        let buffers = buffers.iter().map(Vec::as_slice);
        frame::write_post_with(channel, ports, buffers, data, &mut self.bytes);
    }

    /// Writes everything. Ready once it has left.
    pub(super) fn poll_write(
        &mut self,
        writer: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut *writer).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written = self.written.saturating_add(written);
            self.needs_flush = true;
        }
        self.bytes.clear();
        // One large message does not keep its memory for good.
        self.bytes.shrink_to(2 * FULL);
        self.written = 0;
        if self.needs_flush {
            ready!(Pin::new(writer).poll_flush(cx))?;
            self.needs_flush = false;
        }
        Poll::Ready(Ok(()))
    }
}
