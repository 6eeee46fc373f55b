//! Shared workers: one for a name, with a port for each who connects.
//!
//! Whoever [connects](SharedWorker::connect) to a name in a [group](SharedWorkerGroup) gets a port to the worker of that name: the one
//! that runs, or a new one if there is none. The worker's code is told of each connection, as a browser's is by the event
//! `connect`, and gets a port of its own for each.
//!
//! # End
//! A connection ends when either of its ports is closed or dropped, wherever it is by then. A worker ends with the last of its
//! connections, unless its [lifetime](Lifetime) says otherwise. Then its [connections](Connections) end; its code, and what it has spawned, may end in peace
//! while the name is free again. It also ends as any worker does: when its future has, by `scope.close()`, and by a panic.

mod connections;
mod error;
mod group;
mod keeper;
mod options;

use std::{fmt, ops::Deref};

use handover_core::{Message, MessageChannel, MessagePort};

use crate::worker_thread::{SpawnError, WorkerScope};

pub use connections::Connections;
pub use error::ConnectError;
pub use group::SharedWorkerGroup;
pub use options::{Lifetime, SharedWorkerOptions};

/// A connection to a shared worker: the standard's
/// [`SharedWorker`](https://html.spec.whatwg.org/multipage/workers.html#shared-workers-and-the-sharedworker-interface).
///
/// It is the port of the connection, always the same (SHW-01), or the client `C` that was made of it, and can be used as such.
/// Dropping it closes the port, which the worker notices.
pub struct SharedWorker<C = MessagePort> {
    client: C,
    name: String,
}

impl<C: From<MessagePort>> SharedWorker<C> {
    /// Connects to the worker of that name in a group. If none runs, or the one that does is ending, a new one is started, on
    /// which `main` is called with its scope and its connections; else `main` is dropped.
    ///
    /// Of two that connect at once, one starts the worker, and the other finds it (SHW-06). What is posted before the worker looks
    /// at the connection waits there. The port is started by its owner (SHW-05); a client is, when it is made.
    ///
    /// # Errors
    /// [`ConnectError`] if the worker that runs has other settings, or if the system starts no more threads.
    ///
    /// # Examples
    /// ```
    /// use handover_core::MessagePort;
    /// use handover_transports::{context, shared_worker::{SharedWorker, SharedWorkerGroup}};
    ///
    /// let group = SharedWorkerGroup::new();
    /// let connect = || {
    ///     SharedWorker::<MessagePort>::connect(&group, "numbers", async |_scope, connections| {
    ///         let mut ports = Vec::new();
    ///         while let Some(event) = connections.next().await {
    ///             event.ports[0].post_value(ports.len()).unwrap();
    ///             ports.extend(event.ports);
    ///         }
    ///     })
    /// };
    /// let (one, two) = (connect()?, connect()?);
    /// one.start();
    /// two.start();
    /// context::block_on(async {
    ///     assert_eq!(one.recv_value::<usize>().await?.data, 0);
    ///     assert_eq!(two.recv_value::<usize>().await?.data, 1);
    ///     Ok::<(), Box<dyn std::error::Error>>(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn connect<F, Fut>(group: &SharedWorkerGroup, name: &str, main: F) -> Result<Self, ConnectError>
    where
        F: FnOnce(WorkerScope, Connections) -> Fut + Send + 'static,
        Fut: Future<Output = ()>,
    {
        Self::connect_with(group, name, SharedWorkerOptions::new(), main)
    }

    /// As [`connect`](Self::connect), with settings.
    ///
    /// # Errors
    /// As there.
    pub fn connect_with<F, Fut>(
        group: &SharedWorkerGroup,
        name: &str,
        options: SharedWorkerOptions,
        main: F,
    ) -> Result<Self, ConnectError>
    where
        F: FnOnce(WorkerScope, Connections) -> Fut + Send + 'static,
        Fut: Future<Output = ()>,
    {
        // SHW-03: a pair of ports for each connection. The worker's end is not started: that is for the worker (SHW-04).
        let (ours, theirs) = MessageChannel::new().into_ports();
        let entrance = group.enter(name, options, main)?;
        entrance.connect(ours.control(), Message::default().with_port(theirs));
        Ok(Self { client: ours.into(), name: name.to_owned() })
    }
}

impl<C> SharedWorker<C> {
    /// The worker's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client, or the port, to be handed on: the worker lives as long as that does.
    pub fn into_client(self) -> C {
        self.client
    }
}

impl<C> Deref for SharedWorker<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.client
    }
}

impl<C> fmt::Debug for SharedWorker<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedWorker").field("name", &self.name).finish_non_exhaustive()
    }
}

impl From<SpawnError> for ConnectError {
    fn from(error: SpawnError) -> Self {
        Self::Spawn(error)
    }
}
