//! The one task that reads a port for as long as it is served.

use std::{
    fmt,
    task::{Context, Poll},
};

use super::{Closed, MessagePort, Parcel, queue::Queue, waiters::WaiterKey};

/// The place at a port of one who reads all that comes there.
///
/// It meets those who post as seldom as it can: what waits is taken over in one piece, and whoever takes the last waits for the next
/// in the same step. Dropped, it waits no longer, and what it had taken over waits at the port again.
pub(crate) struct Reader<'p> {
    port: &'p MessagePort,
    key: Option<WaiterKey>,
    /// What was taken over, and was not received.
    batch: Queue,
}

/// What a reader has received.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) parcel: Parcel,
    /// Nothing more waits, and the task is woken when there is more.
    pub(crate) is_last: bool,
}

impl<'p> Reader<'p> {
    pub(crate) fn new(port: &'p MessagePort) -> Self {
        Self { port, key: None, batch: Queue::default() }
    }

    /// Takes the next entry of the queue as it is.
    #[inline]
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Received, Closed>> {
        match self.batch.pop() {
            Some(parcel) => Poll::Ready(Ok(Received { parcel: parcel.received(), is_last: false })),
            None => self.port.poll_batch(&mut self.batch, &mut self.key, cx),
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.port.forget_waiter(key);
        }
        if !self.batch.is_empty() {
            self.port.put_batch_back(&mut self.batch);
        }
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("port", self.port).finish_non_exhaustive()
    }
}
