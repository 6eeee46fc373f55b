//! What the code of a worker has at hand.

use std::{cell::OnceCell, fmt, rc::Rc, sync::Arc};

use handover_core::{
    MessagePort,
    event_loop::{EventLoop, PortTarget},
    message::Payload,
};

use super::{Control, control::Closing};

/// The worker as its own code sees it: the standard's
/// [`DedicatedWorkerGlobalScope`](https://html.spec.whatwg.org/multipage/workers.html#dedicatedworkerglobalscope). Clones are the
/// same worker; none leaves its thread.
#[derive(Clone)]
pub struct WorkerScope(Rc<Inner>);

struct Inner {
    control: Arc<Control>,
    event_loop: OnceCell<EventLoop>,
}

impl WorkerScope {
    pub(super) fn new(control: Arc<Control>) -> Self {
        Self(Rc::new(Inner { control, event_loop: OnceCell::new() }))
    }

    /// The worker's name.
    pub fn name(&self) -> &str {
        &self.0.control.name
    }

    /// Ends the worker (WRK-30): what waits at its implicit port is dropped, as are the tasks of its
    /// [event loop](Self::event_loop), and nothing comes any more. The code that calls this runs on to where it waits next, and
    /// what it still posts arrives; then everything in the worker is dropped. Channels that it makes or uses until then do no
    /// harm, and no event is fired at them (WRK-33).
    ///
    /// If the worker's future ends in the same turn, it has its result all the same.
    pub fn close(&self) {
        self.0.control.close();
        if let Some(event_loop) = self.0.event_loop.get() {
            event_loop.stop();
        }
    }

    /// Whether the worker is ending, by [`close`](Self::close) or from outside.
    pub fn is_closing(&self) -> bool {
        self.0.control.closing().is_some()
    }

    /// The worker's event loop, for code with handlers. The worker runs it as long as it is in use: as long as something is left
    /// that events can be fired at.
    ///
    /// # Examples
    /// ```
    /// use handover_core::MessagePort;
    /// use handover_transports::{context, worker_thread::Worker};
    ///
    /// let echo: Worker = Worker::spawn("echo", async |scope, port| {
    ///     let port = scope.attach::<String>(port);
    ///     let reply = port.clone();
    ///     port.set_onmessage(move |event| reply.post_value(format!("{}!", event.data)).unwrap());
    /// })?;
    /// echo.post_value("hello")?;
    /// let answer = context::block_on(echo.recv_value::<String>())?;
    /// assert_eq!(answer.data, "hello!");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn event_loop(&self) -> &EventLoop {
        self.0.event_loop.get_or_init(|| {
            let event_loop = EventLoop::new();
            if self.is_closing() {
                event_loop.stop();
            }
            event_loop
        })
    }

    /// Fires what comes to a port at handlers, in the worker's event loop: as [`EventLoop::attach`].
    ///
    /// The worker's implicit port is started by the worker (WRK-05), not by its handler (WRK-07). So a handler that is set before the
    /// worker's code first waits sees all messages; one that is set later may have missed some (WRK-06).
    pub fn attach<T: Payload + 'static>(&self, port: MessagePort) -> PortTarget<T> {
        self.event_loop().attach(port)
    }

    /// The event loop, if the worker's code has asked for it.
    pub(super) fn used_event_loop(&self) -> Option<&EventLoop> {
        self.0.event_loop.get()
    }

    pub(super) fn closing(&self) -> Option<Closing> {
        self.0.control.closing()
    }
}

impl fmt::Debug for WorkerScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerScope")
            .field("name", &self.name())
            .field("is_closing", &self.is_closing())
            .finish_non_exhaustive()
    }
}
