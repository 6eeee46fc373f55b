//! Workers that end before the code that started them goes on.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use futures::channel::oneshot;
use handover_core::MessagePort;

use super::{Control, SpawnError, Worker, WorkerBuilder, WorkerScope};

/// Runs something that may start workers, and waits until all of them have ended, blocking this thread. So the workers may
/// borrow what lives longer than this call.
///
/// When `run` returns, the ports of the workers that it has started are closed, wherever they are by then: services end once
/// the calls that wait have run. If it panics, the workers are terminated. A worker that does not end when its port is closed
/// is waited for.
///
/// # Panics
/// If `run` does, after all workers have ended.
///
/// # Examples
/// ```
/// use handover_core::MessagePort;
/// use handover_transports::{context, worker_thread::{self, Worker}};
///
/// let words = vec!["to", "be", "or", "not"];
/// let bytes: usize = worker_thread::scope(|scope| {
///     let workers: Vec<Worker<MessagePort, usize>> = words
///         .chunks(2)
///         .map(|words| scope.spawn("count", async move |_, _| words.iter().map(|word| word.len()).sum()))
///         .collect::<Result<_, _>>()?;
///     context::block_on(async {
///         let mut bytes = 0;
///         for worker in workers {
///             bytes += worker.join().await.unwrap();
///         }
///         Ok::<_, worker_thread::SpawnError>(bytes)
///     })
/// })?;
/// assert_eq!(bytes, 9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn scope<'env, T>(run: impl for<'scope> FnOnce(&ScopedWorkers<'scope, 'env>) -> T) -> T {
    let ran = thread::scope(|threads| {
        let workers = ScopedWorkers { threads, started: Mutex::default() };
        let ran = catch_unwind(AssertUnwindSafe(|| run(&workers)));
        let started = workers.started.into_inner().unwrap_or_else(PoisonError::into_inner);
        for worker in started {
            if ran.is_ok() { worker.end_input() } else { worker.terminate() }
        }
        ran
    });
    ran.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Starts workers that end before their scope does. Made by [`scope`].
pub struct ScopedWorkers<'scope, 'env: 'scope> {
    threads: &'scope thread::Scope<'scope, 'env>,
    started: Mutex<Vec<Arc<Control>>>,
}

impl<'scope> ScopedWorkers<'scope, '_> {
    /// As [`Worker::spawn`], for code that borrows from outside the scope.
    ///
    /// # Errors
    /// As there.
    pub fn spawn<C, R, F, Fut>(&self, name: &str, main: F) -> Result<Worker<C, R>, SpawnError>
    where
        C: From<MessagePort>,
        R: Send + 'scope,
        F: FnOnce(WorkerScope, MessagePort) -> Fut + Send + 'scope,
        Fut: Future<Output = R> + 'scope,
    {
        self.spawn_with(WorkerBuilder::new(name), main)
    }

    /// As [`spawn`](Self::spawn), with settings.
    ///
    /// # Errors
    /// As there.
    pub fn spawn_with<C, R, F, Fut>(&self, builder: WorkerBuilder, main: F) -> Result<Worker<C, R>, SpawnError>
    where
        C: From<MessagePort>,
        R: Send + 'scope,
        F: FnOnce(WorkerScope, MessagePort) -> Fut + Send + 'scope,
        Fut: Future<Output = R> + 'scope,
    {
        let prepared = builder.prepare(main);
        let (done, result) = oneshot::channel();
        let thread = prepared.thread.spawn_scoped(self.threads, || prepared.body.live_and_tell(done));
        thread.map_err(|error| SpawnError::new(&prepared.control.name, error))?;
        self.started.lock().unwrap_or_else(PoisonError::into_inner).push(prepared.control.clone());
        Ok(Worker::new(prepared.outside.into(), prepared.control, prepared.errors, result, None))
    }
}

impl fmt::Debug for ScopedWorkers<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedWorkers").finish_non_exhaustive()
    }
}
