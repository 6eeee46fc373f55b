//! The settings of a worker, and its start.

use std::{fmt, sync::Arc, thread};

use futures::channel::oneshot;
use handover_core::{MessageChannel, MessagePort};

use super::{
    Control, SpawnError, Worker, WorkerScope,
    executor::{self, Executor, WorkerFuture},
    life::Body,
};

/// Starts a worker with settings of its own.
///
/// # Examples
/// ```
/// use handover_core::MessagePort;
/// use handover_transports::{context, worker_thread::{Worker, WorkerBuilder}};
///
/// let worker: Worker<MessagePort, u64> = WorkerBuilder::new("sum").stack_size(64 * 1024).spawn(async |scope, _port| {
///     assert_eq!(scope.name(), "sum");
///     (1..=10).sum()
/// })?;
/// assert_eq!(context::block_on(worker.join()), Ok(55));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a worker is started by `spawn`"]
pub struct WorkerBuilder {
    pub(super) name: String,
    stack_size: Option<usize>,
    executor: Executor,
    on_panic: PanicPolicy,
}

/// What a panic in a worker's code ends. In each case the panic is reported as an [`ErrorEvent`](super::ErrorEvent).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PanicPolicy {
    /// The worker: its code shares a thread, and what else runs there may rely on what the panic left half done.
    #[default]
    EndWorker,
    /// The future or the handler that panicked, as an uncaught exception does in a browser. The worker ends only if it was
    /// the worker's own.
    EndTask,
}

impl WorkerBuilder {
    /// Settings for a worker of that name. The thread has it too; two workers may have the same.
    pub fn new(name: impl Into<String>) -> Self {
        let executor = Box::new(executor::small);
        Self { name: name.into(), stack_size: None, executor, on_panic: PanicPolicy::default() }
    }

    /// The size of the thread's stack, in bytes; the system may round it up. What [`std::thread`] takes if it is not set.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// What the worker runs on: one of [`executor`], or any function that runs a future to its end on the thread that calls it.
    pub fn executor(mut self, executor: impl for<'w> FnOnce(WorkerFuture<'w>) + Send + 'static) -> Self {
        self.executor = Box::new(executor);
        self
    }

    /// What a panic ends.
    pub fn on_panic(mut self, policy: PanicPolicy) -> Self {
        self.on_panic = policy;
        self
    }

    /// [Runs a worker](https://html.spec.whatwg.org/multipage/workers.html#run-a-worker): as [`Worker::spawn`].
    ///
    /// # Errors
    /// As there.
    pub fn spawn<C, R, F, Fut>(self, main: F) -> Result<Worker<C, R>, SpawnError>
    where
        C: From<MessagePort>,
        R: Send + 'static,
        F: FnOnce(WorkerScope, MessagePort) -> Fut + Send + 'static,
        Fut: Future<Output = R>,
    {
        let prepared = self.prepare(main);
        let (done, result) = oneshot::channel();
        let thread = prepared.thread.spawn(|| prepared.body.live_and_tell(done));
        let thread = thread.map_err(|error| SpawnError::new(&prepared.control.name, error))?;
        Ok(Worker::new(prepared.outside.into(), prepared.control, prepared.errors, result, Some(thread)))
    }

    /// Makes everything that a worker needs but its thread.
    pub(crate) fn prepare<F>(self, main: F) -> Prepared<F> {
        // WRK-01: the maker's end, and WRK-03: the worker's, which waits for the worker's code. They belong together from the
        // start, so that nothing posted before the code runs is lost (WRK-04).
        let (outside, inside) = MessageChannel::new().into_ports();
        let (errors, reports) = MessageChannel::new().into_ports();
        let control = Arc::new(Control::new(&self.name, &inside, &outside));
        // The system's names end at the first zero.
        let mut thread = thread::Builder::new().name(self.name.replace('\0', "\u{fffd}"));
        if let Some(bytes) = self.stack_size {
            thread = thread.stack_size(bytes);
        }
        let body =
            Body { main, inside, control: control.clone(), reports, executor: self.executor, on_panic: self.on_panic };
        Prepared { thread, body, outside, control, errors }
    }
}

/// A worker that only lacks its thread.
pub(crate) struct Prepared<F> {
    pub(crate) thread: thread::Builder,
    pub(crate) body: Body<F>,
    pub(crate) outside: MessagePort,
    pub(crate) control: Arc<Control>,
    pub(crate) errors: MessagePort,
}

impl fmt::Debug for WorkerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerBuilder")
            .field("name", &self.name)
            .field("stack_size", &self.stack_size)
            .field("on_panic", &self.on_panic)
            .finish_non_exhaustive()
    }
}
