//! Dedicated workers: contexts on threads of their own.
//!
//! A worker is a thread, an executor on it, and the futures that run there. Whoever [spawns](Worker::spawn) it holds one end of a
//! channel, as a port or as a client made of it; the worker's code gets the other end, and a [`WorkerScope`], which is what `self`
//! is in a browser's worker. [`spawn`] is the short form, for those who want the client and nothing else.
//!
//! # Start
//! The worker's code is called on the new thread, and runs to its first pause: the first `.await` that waits. Then both ends of
//! the channel are started, and messages come (WRK-05). What was posted before waits, in order (WRK-04).
//!
//! # End
//! A worker ends when its future has, and all that it [spawned](crate::context::spawn_local), and when nothing is left that its
//! [event loop](WorkerScope::event_loop) could fire an event at. It also ends by [`WorkerScope::close`], by [`Worker::terminate`],
//! and by a panic. Then everything in it is dropped, and the other end of each port that it held is told, after its data (WRK-31).
//!
//! | end | what waits for the worker | what the worker has posted | calls in flight | [`join`](Worker::join) |
//! |---|---|---|---|---|
//! | its future has ended | dropped | arrives | `Closed` | its result |
//! | `scope.close()` | dropped at once | arrives, also what it posts in the same turn | `Closed` | [`Ending::Closed`] |
//! | `worker.terminate()` | dropped at once | dropped, if it was not received | `Closed` | [`Ending::Terminated`] |
//! | a panic | dropped | arrives | `Panicked`, with the worker's name and what the panic said | [`Ending::Panicked`] |
//!
//! A call that waited unread did not run, and ends as `NotSent` in all of them.
//!
//! A thread cannot be stopped from outside. Code that does not come to an `.await` goes on until it does, also after `terminate`;
//! what it posts by then is lost. Code that has to block goes through [`blocking::unblock`](crate::blocking::unblock), with the
//! feature `blocking`.

mod builder;
mod control;
mod error;
pub mod executor;
mod life;
mod scope;
mod scoped;
mod worker;

pub use builder::{PanicPolicy, WorkerBuilder};
pub use error::{Ending, ErrorEvent, SpawnError, WorkerError};
pub use scope::WorkerScope;
pub use scoped::{ScopedWorkers, scope};
pub use worker::{Join, Worker};

pub(crate) use control::Control;

use handover_core::MessagePort;

/// Starts a worker, and hands back a client of it: [`Worker::spawn`] without the rest.
///
/// `main` runs on the new thread, with one end of a channel; `C` is made of the other: a client, or the [`MessagePort`]
/// itself. The future need not be `Send`. Nothing waits for the thread when the process ends.
///
/// # Errors
/// [`SpawnError`] if the system starts no more threads.
///
/// # Examples
/// ```
/// use handover_core::MessagePort;
/// use handover_transports::{context, worker_thread};
///
/// let worker: MessagePort = worker_thread::spawn("greeter", |port| async move {
///     port.post_message("hello").unwrap();
/// })?;
/// worker.start();
/// context::block_on(async {
///     assert_eq!(worker.recv().await.unwrap().data(), b"hello");
///     assert!(worker.recv().await.is_err(), "the worker has ended");
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn spawn<C, F, Fut>(name: &str, main: F) -> Result<C, SpawnError>
where
    C: From<MessagePort>,
    F: FnOnce(MessagePort) -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    let worker: Worker<C> = Worker::spawn(name, |_, port| main(port))?;
    Ok(worker.into_client())
}
