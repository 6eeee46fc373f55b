//! What the tasks of a system run on.

use std::{fmt, thread};

use futures::{
    channel::oneshot,
    executor::block_on,
    future::{Either, select},
};
use handover::{MessagePort, context, worker_thread::Worker};
use tokio::{
    runtime::{Builder, LocalOptions},
    task,
};

/// An executor that runs all its tasks on one thread, `Send` or not.
pub trait Executor: 'static {
    /// How the table names it.
    const NAME: &'static str;

    /// Runs a task on this thread, and what it spawns, until the task is done.
    fn run<T: 'static>(task: impl Future<Output = T> + 'static) -> T;

    /// Runs a task beside the one that spawns it.
    fn spawn(task: impl Future<Output = ()> + 'static);

    /// Runs on a thread of its own what is made there, and what that spawns, until it is done or the handle is dropped.
    fn spawn_thread<F: Future<Output = ()> + 'static>(make: impl FnOnce() -> F + Send + 'static) -> Thread;
}

/// A thread, which ends with its handle.
pub struct Thread {
    stop: Option<oneshot::Sender<()>>,
    join: Option<Box<dyn FnOnce()>>,
}

impl Thread {
    /// `run` runs on a new thread, for as long as it is not told to stop, and hands back how to wait for its end.
    fn start<J: FnOnce() + 'static>(start: impl FnOnce(oneshot::Receiver<()>) -> J) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop: Some(stop), join: Some(Box::new(start(stopped))) }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(join) = self.join.take() {
            join();
        }
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thread")
    }
}

async fn until(stopped: oneshot::Receiver<()>, task: impl Future<Output = ()>) {
    match select(std::pin::pin!(task), stopped).await {
        Either::Left(((), _)) | Either::Right((_, _)) => {}
    }
}

/// Tokio's executor of one thread, with the timers that some peers need.
#[derive(Debug)]
pub struct Tokio;

impl Executor for Tokio {
    const NAME: &'static str = "tokio";

    fn run<T: 'static>(task: impl Future<Output = T> + 'static) -> T {
        let runtime = Builder::new_current_thread().enable_time().build_local(LocalOptions::default());
        let runtime = runtime.expect("a runtime without I/O needs nothing of the system");
        // A task, not the future of `block_on`, which tokio polls only after a look at its timers.
        runtime.block_on(async { task::spawn_local(task).await.expect("the task has not panicked") })
    }

    fn spawn(task: impl Future<Output = ()> + 'static) {
        task::spawn_local(task);
    }

    fn spawn_thread<F: Future<Output = ()> + 'static>(make: impl FnOnce() -> F + Send + 'static) -> Thread {
        Thread::start(|stopped| {
            let thread = thread::spawn(|| Self::run(async { until(stopped, make()).await }));
            || thread.join().expect("the service has not panicked")
        })
    }
}

/// Handover's own contexts and workers.
#[derive(Debug)]
pub struct Contexts;

impl Executor for Contexts {
    const NAME: &'static str = "context";

    fn run<T: 'static>(task: impl Future<Output = T> + 'static) -> T {
        context::block_on(async {
            let (done, result) = oneshot::channel();
            context::spawn_local(async {
                // The receiver waits below.
                let _received = done.send(task.await);
            });
            result.await.expect("the task has not panicked")
        })
    }

    fn spawn(task: impl Future<Output = ()> + 'static) {
        context::spawn_local(task);
    }

    fn spawn_thread<F: Future<Output = ()> + 'static>(make: impl FnOnce() -> F + Send + 'static) -> Thread {
        Thread::start(|stopped| {
            // The systems bring their own way to the thread.
            let worker = Worker::<MessagePort>::spawn("service", |_, _| async { until(stopped, make()).await });
            let worker = worker.expect("one more thread can be started");
            // Not here: this thread runs an executor already.
            || {
                thread::spawn(|| block_on(worker.join()))
                    .join()
                    .expect("it has waited")
                    .expect("the service has not panicked")
            }
        })
    }
}
