//! What a system must offer to be measured.

use crate::Executor;

/// A way to call a service that adds.
pub trait System: 'static {
    /// How the table names it.
    const NAME: &'static str;

    /// Makes a caller for this context, and the future that serves it, in this context or on another thread.
    ///
    /// What the caller's side needs to run beside it is spawned here.
    fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static);
}

/// The caller's side of a [`System`]. The service ends when it is dropped.
pub trait Caller: Send + Sync + 'static {
    /// Makes one call, and panics if it fails.
    fn add(&self, a: u32, b: u32) -> impl Future<Output = u32> + Send;
}
