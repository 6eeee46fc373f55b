//! What a system must offer to be measured.

use crate::{Executor, Place};

/// A way to call a service. What the service can do is what the client implements of [`rows`](crate::rows).
pub trait System: 'static {
    /// The caller's side. The service ends when it is dropped.
    type Client: 'static;

    /// Starts a service at a place, and connects a client in this context.
    fn connect<E: Executor>(place: &Place<E>) -> impl Future<Output = Self::Client>;
}
