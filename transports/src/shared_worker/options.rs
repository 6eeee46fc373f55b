//! The settings of a shared worker.

use std::fmt;

use crate::worker_thread::{
    PanicPolicy, WorkerBuilder,
    executor::{Executor, WorkerFuture},
};

/// The settings with which a shared worker is started. Those who join it must ask for the same (SHW-02), but for the executor,
/// which cannot be compared: the one that starts the worker chooses it.
///
/// # Examples
/// ```
/// use handover_core::MessagePort;
/// use handover_transports::shared_worker::{ConnectError, Lifetime, SharedWorker, SharedWorkerGroup, SharedWorkerOptions};
///
/// let group = SharedWorkerGroup::new();
/// let connect = |options| {
///     SharedWorker::<MessagePort>::connect_with(&group, "clock", options, async |_, connections| {
///         while let Some(_event) = connections.next().await {}
///     })
/// };
/// let _connection = connect(SharedWorkerOptions::new().lifetime(Lifetime::Extended))?;
/// assert!(matches!(connect(SharedWorkerOptions::new()), Err(ConnectError::Mismatch { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct SharedWorkerOptions {
    pub(super) settings: Settings,
    executor: Option<Executor>,
}

/// The part that is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) lifetime: Lifetime,
    stack_size: Option<usize>,
    on_panic: PanicPolicy,
}

/// How long a shared worker lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lifetime {
    /// As long as it has a connection.
    #[default]
    WhileConnected,
    /// As long as its group, also while nobody is connected.
    Extended,
}

impl SharedWorkerOptions {
    /// The settings that [`SharedWorker::connect`](super::SharedWorker::connect) asks for.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the worker lives.
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.settings.lifetime = lifetime;
        self
    }

    /// As [`WorkerBuilder::stack_size`].
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.settings.stack_size = Some(bytes);
        self
    }

    /// As [`WorkerBuilder::on_panic`].
    pub fn on_panic(mut self, policy: PanicPolicy) -> Self {
        self.settings.on_panic = policy;
        self
    }

    /// As [`WorkerBuilder::executor`].
    pub fn executor(mut self, executor: impl for<'w> FnOnce(WorkerFuture<'w>) + Send + 'static) -> Self {
        self.executor = Some(Box::new(executor));
        self
    }

    pub(super) fn builder(self, name: &str) -> WorkerBuilder {
        let mut builder = WorkerBuilder::new(name).on_panic(self.settings.on_panic);
        if let Some(bytes) = self.settings.stack_size {
            builder = builder.stack_size(bytes);
        }
        match self.executor {
            Some(executor) => builder.executor(executor),
            None => builder,
        }
    }
}

impl fmt::Debug for SharedWorkerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedWorkerOptions").field("settings", &self.settings).finish_non_exhaustive()
    }
}
