//! Pools: several workers that serve the same, behind one client.
//!
//! A pool hands each call to the worker that has the fewest; one that brings back a stream counts as long as that runs. A client of a pool is an ordinary client: code that takes one cannot
//! tell. What a worker hands out itself, a capability or a stream, leads to that worker, for it is a port of that worker's.
//! Calls of one client may run in different workers, so nothing is said about their order.
//!
//! A worker that ends though nobody asked it to, by a panic or by itself, is replaced: see [`WorkerPoolBuilder`]. The calls that
//! it ran end as its panic; those that waited unread did not run, and end as not sent. Calls that find no worker wait for one.

mod builder;
mod supervisor;

use std::{fmt, marker::PhantomData, sync::mpsc, time::Duration};

use futures::channel::oneshot;
use handover_core::{MessagePort, rpc::CallRouter};

use crate::worker_thread::{SpawnError, WorkerScope};

pub use builder::WorkerPoolBuilder;

use supervisor::Command;

/// Several workers that serve the same.
///
/// Dropping it is [`stop`](Self::stop) without a deadline, and without waiting.
pub struct WorkerPool<C> {
    router: CallRouter,
    commands: mpsc::Sender<Command>,
    client: PhantomData<fn() -> C>,
}

impl<C: From<MessagePort>> WorkerPool<C> {
    /// Starts that many workers. `make` is called in each, as the code of a [`Worker`](crate::worker_thread::Worker) is.
    ///
    /// # Errors
    /// [`SpawnError`] if the system starts no more threads; then those that were started are let go.
    ///
    /// # Examples
    /// ```
    /// use handover_core::MessagePort;
    /// use handover_transports::{context, worker_pool::WorkerPool};
    ///
    /// // Services are written with `#[service]`, and served as everywhere: `|_, port| ContactsServer::new(Book).serve(port)`.
    /// let pool = WorkerPool::<MessagePort>::new(2, async |_scope, port| while port.recv().await.is_ok() {})?;
    /// pool.resize(3);
    /// let _client: MessagePort = pool.client();
    /// assert_eq!(context::block_on(pool.stop(None)), 0, "nobody had to be terminated");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new<F, Fut>(workers: usize, make: F) -> Result<Self, SpawnError>
    where
        F: Fn(WorkerScope, MessagePort) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()>,
    {
        WorkerPoolBuilder::new("pool").spawn(workers, make)
    }

    /// Makes a client.
    pub fn client(&self) -> C {
        self.router.connect().into()
    }
}

impl<C> WorkerPool<C> {
    fn of(router: CallRouter, commands: mpsc::Sender<Command>) -> Self {
        Self { router, commands, client: PhantomData }
    }

    /// Makes the pool larger, or smaller: then the youngest workers take nothing more, and end when they have answered what they
    /// have. With no workers, calls wait.
    ///
    /// Places that were given up are filled again, unless all were: such a pool takes no calls any more.
    pub fn resize(&self, workers: usize) {
        let _stopped = self.commands.send(Command::Resize(workers));
    }

    /// Drains the pool: its clients are closed, what was handed to the workers is answered, and then they end. After the
    /// deadline those that have not ended are terminated, which is not waited for. Tells how many that were.
    ///
    /// # Cancel safety
    /// Dropping the future stops waiting, and nothing else.
    pub fn stop(self, deadline: Option<Duration>) -> impl Future<Output = usize> + use<C> {
        let (done, terminated) = oneshot::channel();
        let _stopped = self.commands.send(Command::Stop { deadline, done: Some(done) });
        async move {
            // The supervisor ends by telling.
            terminated.await.unwrap_or_default()
        }
    }
}

impl<C> Drop for WorkerPool<C> {
    fn drop(&mut self) {
        let _stopped = self.commands.send(Command::Stop { deadline: None, done: None });
    }
}

impl<C> fmt::Debug for WorkerPool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerPool").field("router", &self.router).finish_non_exhaustive()
    }
}
