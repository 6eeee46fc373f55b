//! The settings of a pool, and its start.

use std::{
    fmt,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use futures::channel::oneshot;
use handover_core::{MessagePort, rpc::CallRouter};

use super::{
    WorkerPool,
    supervisor::{Command, Hired, Patience, Supervisor},
};
use crate::worker_thread::{
    PanicPolicy, SpawnError, WorkerBuilder, WorkerScope,
    executor::{self, WorkerFuture},
};

/// Starts a pool with settings of its own.
///
/// A worker that ended without being asked to is replaced after a pause, which doubles with each failure in a row, from
/// [`backoff`](Self::backoff)'s first to its longest. After [`limit`](Self::limit) failures in a row its place is given up; when all
/// places are, the pool takes no more calls. A worker that has lived for [`stable_after`](Self::stable_after) begins a new row.
#[must_use = "a pool is started by `spawn`"]
pub struct WorkerPoolBuilder {
    name: String,
    stack_size: Option<usize>,
    executor: Arc<dyn Fn(WorkerFuture<'_>) + Send + Sync>,
    on_panic: PanicPolicy,
    patience: Patience,
}

impl WorkerPoolBuilder {
    /// Settings for a pool whose workers have that name and a number.
    pub fn new(name: impl Into<String>) -> Self {
        let executor = Arc::new(executor::small);
        let on_panic = PanicPolicy::default();
        Self { name: name.into(), stack_size: None, executor, on_panic, patience: Patience::default() }
    }

    /// As [`WorkerBuilder::stack_size`].
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// As [`WorkerBuilder::executor`], for each worker.
    pub fn executor(mut self, executor: impl Fn(WorkerFuture<'_>) + Send + Sync + 'static) -> Self {
        self.executor = Arc::new(executor);
        self
    }

    /// As [`WorkerBuilder::on_panic`].
    pub fn on_panic(mut self, policy: PanicPolicy) -> Self {
        self.on_panic = policy;
        self
    }

    /// The first pause before a worker is replaced, and the longest. 10 milliseconds and 10 seconds if it is not set.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.patience.first = first;
        self.patience.longest = longest;
        self
    }

    /// How many times in a row a worker is replaced. 10 if it is not set.
    pub fn limit(mut self, replacements: u32) -> Self {
        self.patience.limit = replacements;
        self
    }

    /// How long a worker has to live so that its end is the first failure of a row. A minute if it is not set.
    pub fn stable_after(mut self, life: Duration) -> Self {
        self.patience.stable_after = life;
        self
    }

    /// Starts the pool: as [`WorkerPool::new`].
    ///
    /// # Errors
    /// As there.
    pub fn spawn<C, F, Fut>(self, workers: usize, make: F) -> Result<WorkerPool<C>, SpawnError>
    where
        C: From<MessagePort>,
        F: Fn(WorkerScope, MessagePort) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()>,
    {
        let router = CallRouter::new();
        let (commands, commanded) = mpsc::channel();
        let name = self.name.clone();
        let patience = self.patience;
        let hire = self.into_hire(commands.clone(), make);
        let mut supervisor = Supervisor::new(router.clone(), commanded, hire, patience);
        let started = supervisor.start(workers);
        // It ends with the pool, also with one that could not be started.
        let pool = WorkerPool::of(router, commands);
        let thread = thread::Builder::new().name(format!("{} supervisor", name.replace('\0', "\u{fffd}")));
        thread.spawn(move || supervisor.run()).map_err(|error| SpawnError::new(&name, error))?;
        started.map(|()| pool)
    }

    /// What starts one worker, and reports its end.
    fn into_hire<F, Fut>(
        self,
        commands: mpsc::Sender<Command>,
        make: F,
    ) -> impl FnMut(u64) -> Result<Hired, SpawnError> + Send + 'static
    where
        F: Fn(WorkerScope, MessagePort) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()>,
    {
        let make = Arc::new(make);
        move |number| {
            let (make, commands, executor) = (make.clone(), commands.clone(), self.executor.clone());
            let mut builder = WorkerBuilder::new(format!("{} {number}", self.name))
                .on_panic(self.on_panic)
                .executor(move |worker| executor(worker));
            if let Some(bytes) = self.stack_size {
                builder = builder.stack_size(bytes);
            }
            let prepared = builder.prepare(move |scope, port| make(scope, port));
            let body = prepared.body;
            let thread = prepared.thread.spawn(move || {
                let (done, _result) = oneshot::channel();
                body.live_and_tell(done);
                let _no_supervisor = commands.send(Command::Ended(number));
            });
            let thread = thread.map_err(|error| SpawnError::new(&prepared.control.name, error))?;
            Ok(Hired { number, port: prepared.outside, control: prepared.control, thread })
        }
    }
}

impl fmt::Debug for WorkerPoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerPoolBuilder")
            .field("name", &self.name)
            .field("stack_size", &self.stack_size)
            .field("on_panic", &self.on_panic)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
