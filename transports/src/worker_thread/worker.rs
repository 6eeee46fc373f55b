//! The handle on a worker.

use std::{
    fmt,
    ops::Deref,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    thread::JoinHandle,
};

use futures::channel::oneshot;
use handover_core::{
    MessageChannel, MessagePort,
    event_loop::{EventLoop, PortTarget},
};

use super::{Control, Ending, ErrorEvent, SpawnError, WorkerBuilder, WorkerError, WorkerScope};

/// A worker, as whoever started it holds it: the standard's
/// [`Worker`](https://html.spec.whatwg.org/multipage/workers.html#dedicated-workers-and-the-worker-interface).
///
/// It is the outside port of the worker (WRK-01), or the client `C` that was made of that port, and can be used as such: what is
/// posted through it is posted on that port (WRK-02). `R` is what the worker's future returns.
///
/// Dropping the handle closes that port (GC-05) and lets the worker go: it ends when it finds the port closed, as a service
/// does once the calls that wait have run; one that holds another port to the outside is in use still (WRK-32). It is neither stopped nor waited for. [`terminate`](Self::terminate) stops it,
/// [`join`](Self::join) waits for it, and in a [`scope`](super::scope) it ends before the scope does.
pub struct Worker<C = MessagePort, R = ()> {
    client: C,
    errors: MessagePort,
    control: Arc<Control>,
    join: Join<R>,
}

impl<C: From<MessagePort>, R: Send + 'static> Worker<C, R> {
    /// Starts a worker: a thread of that name, on which `main` is called with its scope and one end of a channel. Two workers
    /// may have the same name.
    ///
    /// Everything that is posted to the worker waits for it, in order (WRK-04). The future need not be `Send`.
    ///
    /// # Errors
    /// [`SpawnError`] if the system starts no more threads.
    ///
    /// # Examples
    /// ```
    /// use handover_core::MessagePort;
    /// use handover_transports::{context, worker_thread::Worker};
    ///
    /// let worker: Worker<MessagePort, usize> = Worker::spawn("counter", async |_scope, port| {
    ///     let mut bytes = 0;
    ///     while let Ok(message) = port.recv().await {
    ///         bytes += message.data().len();
    ///     }
    ///     bytes
    /// })?;
    /// worker.post_message("abc").unwrap();
    /// worker.post_message("de").unwrap();
    /// assert_eq!(context::block_on(worker.join()), Ok(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn<F, Fut>(name: &str, main: F) -> Result<Self, SpawnError>
    where
        F: FnOnce(WorkerScope, MessagePort) -> Fut + Send + 'static,
        Fut: Future<Output = R>,
    {
        WorkerBuilder::new(name).spawn(main)
    }
}

impl<C, R> Worker<C, R> {
    pub(super) fn new(
        client: C,
        control: Arc<Control>,
        errors: MessagePort,
        result: oneshot::Receiver<Result<R, WorkerError>>,
        thread: Option<JoinHandle<()>>,
    ) -> Self {
        errors.start();
        let join = Join { control: control.clone(), result, thread };
        Self { client, errors, control, join }
    }

    /// The worker's name.
    pub fn name(&self) -> &str {
        &self.control.name
    }

    /// [Terminates](https://html.spec.whatwg.org/multipage/workers.html#dom-worker-terminate) the worker (WRK-20): its code ends at
    /// the `.await` where it waits, or where it waits next. Again is nothing.
    ///
    /// When this returns, nothing arrives any more that the worker has posted, also if it was posted before; what waited for
    /// the worker is dropped, and what is posted to it later is lost without an error (WRK-21). Calls that waited unread end as
    /// not sent. Calls that run end when the worker drops them, which is at once unless its code blocks the thread.
    pub fn terminate(&self) {
        self.control.terminate();
    }

    /// Closes the worker's port, and waits for the end of its thread.
    ///
    /// When the last code of the worker has run, this waits, without giving way to others, for the system to end the thread.
    ///
    /// # Errors
    /// [`WorkerError`] if the worker ended before its future did, or panicked.
    pub fn join(self) -> Join<R> {
        drop(self.client);
        self.join
    }

    /// The next panic in the worker, as the standard's `error` event; `None` once the worker has ended.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next_error(&self) -> Option<ErrorEvent> {
        self.errors.recv_value().await.ok().map(|event| event.data)
    }

    /// Assigns the handler for `error` events, which runs in an event loop of this thread. Then [`next_error`](Self::next_error)
    /// tells of none. The target that comes back does what the handle would: as long as it has its handler, it is told.
    pub fn set_onerror(
        &mut self,
        event_loop: &EventLoop,
        mut handler: impl FnMut(ErrorEvent) + 'static,
    ) -> PortTarget<ErrorEvent> {
        let (elsewhere, _closed) = MessageChannel::new().into_ports();
        let errors = event_loop.attach::<ErrorEvent>(std::mem::replace(&mut self.errors, elsewhere));
        errors.set_onmessage(move |event| handler(event.data.clone()));
        errors
    }

    /// The client, or the port. The worker is let go, as by a drop.
    pub fn into_client(self) -> C {
        self.client
    }

    /// The client, to be handed on, and the handle without it. Then only the client's owner keeps the port open.
    pub fn split(self) -> (C, Worker<(), R>) {
        let Self { client, errors, control, join } = self;
        (client, Worker { client: (), errors, control, join })
    }
}

impl<C, R> Deref for Worker<C, R> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.client
    }
}

impl<C, R> fmt::Debug for Worker<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Waits for the end of a worker. Made by [`Worker::join`].
#[must_use = "futures do nothing unless polled"]
pub struct Join<R> {
    control: Arc<Control>,
    result: oneshot::Receiver<Result<R, WorkerError>>,
    /// The one of a scope is waited for by the scope.
    thread: Option<JoinHandle<()>>,
}

impl<R> Future for Join<R> {
    type Output = Result<R, WorkerError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.result).poll(cx));
        // What is left to do there is to free the stack.
        let joined = self.thread.take().map(JoinHandle::join);
        let lost = || {
            let said = match joined {
                Some(Err(_)) => "its thread panicked",
                Some(Ok(())) | None => "it is not known what",
            };
            Err(WorkerError::new(&self.control.name, Ending::Panicked(said.to_owned())))
        };
        Poll::Ready(result.unwrap_or_else(|_| lost()))
    }
}

impl<R> fmt::Debug for Join<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").field("name", &self.control.name).finish_non_exhaustive()
    }
}
