//! What can be seen of a stream from outside, for those who watch it.

use crate::sync::{Arc, Mutex};

/// Where the consumer's end of a stream writes how it is, whenever it is polled; only if somebody watches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge(Arc<Mutex<Reading>>);

/// How a stream was when its consumer was last polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Items that were received and not yielded yet.
    pub(crate) held: usize,
    /// Items that were granted and have not come.
    pub(crate) granted_items: u32,
    /// Bytes that were granted and have not come.
    pub(crate) granted_bytes: u64,
    /// Whether nothing will come any more.
    pub(crate) is_over: bool,
}

impl Gauge {
    pub(super) fn write(&self, reading: Reading) {
        *self.0.lock() = reading;
    }

    /// Whether the stream is there still.
    pub(crate) fn is_watched_by_a_stream(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub(crate) fn read(&self) -> Reading {
        *self.0.lock()
    }
}
