//! What a worker runs on: a function that runs one future on its thread.
//!
//! A worker is one future, which holds the others that run in it. So any executor will do that can run one future on the thread
//! that calls it; [`WorkerBuilder::executor`](super::WorkerBuilder::executor) takes it as a function. The ones here are [`small`], which
//! is what a worker runs on if it is told nothing, and with the features of the same names `tokio` and `smol`: timers and
//! sockets of that runtime work in the worker's code.

use std::pin::Pin;

use crate::patience;

/// A worker, as its executor sees it.
pub type WorkerFuture<'w> = Pin<&'w mut (dyn Future<Output = ()> + 'w)>;

/// An executor, as a worker is given it.
pub(crate) type Executor = Box<dyn for<'w> FnOnce(WorkerFuture<'w>) + Send>;

/// Parks the thread when there is nothing to do. It has neither timers nor sockets.
///
/// While calls come and go, and each wait is shorter than a tenth of a millisecond, it waits awake for so long before it parks: to wake a
/// thread that is parked costs more than a call. After one longer wait it parks at once, so an idle worker uses no processor time.
pub fn small(worker: WorkerFuture<'_>) {
    patience::block_on(worker);
}

/// A tokio runtime on the worker's thread, with timers, sockets, and `tokio::task::spawn_local`.
///
/// # Panics
/// If the system has nothing to start a runtime with: the worker ends so.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use handover_transports::{context, worker_thread::{WorkerBuilder, executor}};
///
/// let late = WorkerBuilder::new("late").executor(executor::tokio).spawn::<handover_core::MessagePort, _, _, _>(
///     async |_scope, _port| {
///         tokio::time::sleep(Duration::from_millis(1)).await;
///         "awake"
///     },
/// )?;
/// assert_eq!(context::block_on(late.join()), Ok("awake"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "tokio")]
pub fn tokio(worker: WorkerFuture<'_>) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => tokio::task::LocalSet::new().block_on(&runtime, worker),
        Err(error) => panic!("no tokio runtime could be started: {error}"),
    }
}

/// What smol's timers and sockets need, on the worker's thread.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use handover_transports::{context, worker_thread::{WorkerBuilder, executor}};
///
/// let late = WorkerBuilder::new("late").executor(executor::smol).spawn::<handover_core::MessagePort, _, _, _>(
///     async |_scope, _port| {
///         async_io::Timer::after(Duration::from_millis(1)).await;
///         "awake"
///     },
/// )?;
/// assert_eq!(context::block_on(late.join()), Ok("awake"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "smol")]
pub fn smol(worker: WorkerFuture<'_>) {
    async_io::block_on(worker);
}
