//! Services on threads of their own.

use std::{error::Error, fmt, io, thread};

use handover_core::{MessageChannel, MessagePort};

use crate::context;

/// Starts a context on a thread of its own, and hands back a client of it.
///
/// `main` runs on the new thread, with one end of a channel; `C` is made of the other: a client, or the [`MessagePort`]
/// itself. Messages that are posted before `main` runs wait for it. The future need not be `Send`.
///
/// The thread ends when the future has, and everything that was [spawned](context::spawn_local) there. The other end of each
/// port that it held is told, with [`ClosedBy::PeerPanic`](handover_core::ClosedBy::PeerPanic) if it panicked. Nothing waits
/// for the thread when the process ends.
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
    let (ours, theirs) = MessageChannel::new().into_ports();
    let started = thread::Builder::new().name(name.to_owned()).spawn(move || context::run_to_end(main(theirs)));
    match started {
        Ok(_detached) => Ok(ours.into()),
        Err(error) => Err(SpawnError { name: name.to_owned(), error }),
    }
}

/// A worker's thread could not be started.
#[derive(Debug)]
pub struct SpawnError {
    name: String,
    error: io::Error,
}

impl SpawnError {
    /// The name that the worker was to have.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no thread could be started for the worker `{}`", self.name)
    }
}

impl Error for SpawnError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
