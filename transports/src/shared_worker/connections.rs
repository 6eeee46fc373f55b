//! Who connects, as the worker sees it.

use handover_core::{Message, MessagePort, event_loop::PortTarget, message::MessageEvent};

use super::keeper::Tenancy;
use crate::{context, worker_thread::WorkerScope};

/// The connections to a shared worker, in the order in which they were made. A worker that has dropped this takes no more: those
/// who are not yet received find their ports closed, and who connects later starts a new worker.
#[derive(Debug)]
pub struct Connections {
    /// Dropped first: who learns that the port is closed finds the name free.
    tenancy: Tenancy,
    /// The worker's implicit port. So the first connection comes once the worker's code has run to its first pause (SHW-03).
    port: MessagePort,
}

impl Connections {
    pub(super) fn new(port: MessagePort, tenancy: Tenancy) -> Self {
        Self { port, tenancy }
    }

    /// The next connection, as the standard's event
    /// [`connect`](https://html.spec.whatwg.org/multipage/workers.html#event-workerglobalscope-connect): its one port is the
    /// worker's end of the connection, to be started by the worker (SHW-04). `None` once the worker is to end.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&self) -> Option<MessageEvent<String>> {
        self.port.recv().await.ok().and_then(connect_event)
    }

    /// Runs something for each connection, beside each other, until the worker is to end.
    ///
    /// # Examples
    /// ```
    /// use std::{cell::Cell, rc::Rc};
    ///
    /// use handover_core::MessagePort;
    /// use handover_transports::{context, shared_worker::{SharedWorker, SharedWorkerGroup}};
    ///
    /// let group = SharedWorkerGroup::new();
    /// let echo: SharedWorker = SharedWorker::connect(&group, "echo", async |_scope, connections| {
    ///     connections
    ///         .serve(async |port: MessagePort| {
    ///             port.start();
    ///             while let Ok(message) = port.recv().await {
    ///                 port.post_message(message).unwrap();
    ///             }
    ///         })
    ///         .await;
    /// })?;
    /// echo.start();
    /// echo.post_message("hello")?;
    /// assert_eq!(context::block_on(echo.recv())?.data(), b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn serve<Fut>(self, serve: impl Fn(MessagePort) -> Fut)
    where
        Fut: Future<Output = ()> + 'static,
    {
        while let Some(event) = self.next().await {
            for port in event.ports {
                context::spawn_local(serve(port));
            }
        }
    }

    /// Assigns the handler for connections, which runs in the worker's event loop. The worker lives until the handler is let go,
    /// which happens when the worker is to end.
    pub fn set_onconnect(
        self,
        scope: &WorkerScope,
        mut handler: impl FnMut(&mut MessageEvent<String>) + 'static,
    ) -> PortTarget<Message> {
        let target = scope.attach::<Message>(self.port);
        let tenancy = self.tenancy;
        target.set_onmessage(move |event| {
            let _held = &tenancy;
            if let Some(mut event) = connect_event(std::mem::take(&mut event.data)) {
                handler(&mut event);
            }
        });
        target
    }
}

fn connect_event(message: Message) -> Option<MessageEvent<String>> {
    message.into_parts().ports.pop().map(MessageEvent::connect)
}
