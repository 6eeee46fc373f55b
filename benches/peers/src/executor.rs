//! What the tasks of a system run on.

use std::thread;

use futures::channel::oneshot;
use handover::{MessagePort, context, worker_thread};
use tokio::runtime::{Builder, Runtime};

/// An executor that runs all its tasks on one thread.
pub trait Executor: 'static {
    /// How the table names it.
    const NAME: &'static str;

    /// Runs a task on this thread, and what it spawns, until the task is done.
    fn run<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> T;

    /// Runs a task beside the one that spawns it.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);

    /// Runs a task, and what it spawns, on a thread of its own until the task is done.
    fn spawn_thread(task: impl Future<Output = ()> + Send + 'static);
}

/// Tokio's `current_thread` runtime, with the timers that tarpc needs.
#[derive(Debug)]
pub struct Tokio;

impl Tokio {
    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_time().build().expect("a runtime without I/O needs nothing of the system")
    }
}

impl Executor for Tokio {
    const NAME: &'static str = "tokio";

    fn run<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> T {
        // A task, not the future of `block_on`, which tokio polls only after a look at its timers.
        Self::runtime().block_on(async { tokio::spawn(task).await.expect("the task has not panicked") })
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    fn spawn_thread(task: impl Future<Output = ()> + Send + 'static) {
        thread::spawn(|| Self::run(task));
    }
}

/// Handover's own contexts.
#[derive(Debug)]
pub struct Contexts;

impl Executor for Contexts {
    const NAME: &'static str = "context";

    fn run<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> T {
        context::block_on(async {
            let (done, result) = oneshot::channel();
            context::spawn_local(async {
                // The receiver waits below.
                let _received = done.send(task.await);
            });
            result.await.expect("the task has not panicked")
        })
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        context::spawn_local(task);
    }

    fn spawn_thread(task: impl Future<Output = ()> + Send + 'static) {
        // The systems bring their own way to the thread.
        let _unused: MessagePort = worker_thread::spawn("service", |_| task).expect("one more thread can be started");
    }
}
