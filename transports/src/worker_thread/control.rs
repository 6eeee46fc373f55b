//! What a worker and its handles share.

use std::{
    sync::OnceLock,
    task::{Context, Waker},
};

use futures::task::AtomicWaker;
use handover_core::{MessagePort, port::PortControl};

/// Ends a worker, from inside or outside.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) name: String,
    inside: PortControl,
    outside: PortControl,
    closing: OnceLock<Closing>,
    worker: AtomicWaker,
}

/// The standard's [closing flag](https://html.spec.whatwg.org/multipage/workers.html#dom-workerglobalscope-closing), and who set
/// it. The first who does is who ended the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// The worker itself.
    Closed,
    /// Somebody outside.
    Terminated,
}

impl Control {
    pub(crate) fn new(name: &str, inside: &MessagePort, outside: &MessagePort) -> Self {
        Self {
            name: name.to_owned(),
            inside: inside.control(),
            outside: outside.control(),
            closing: OnceLock::new(),
            worker: AtomicWaker::new(),
        }
    }

    /// Enables both queues, once the worker's code has run to its first pause (WRK-05, WRK-08); nobody else does (WRK-07).
    pub(super) fn start_ports(&self) {
        self.outside.start();
        self.inside.start();
    }

    /// [Closes](https://html.spec.whatwg.org/multipage/workers.html#dom-workerglobalscope-close) the worker from inside (WRK-30):
    /// nothing comes to it any more, and what it posts still arrives.
    pub(super) fn close(&self) {
        let _first = self.closing.set(Closing::Closed);
        self.inside.stop_receiving();
        self.worker.wake();
    }

    /// [Terminates](https://html.spec.whatwg.org/multipage/workers.html#terminate-a-worker) the worker from outside (WRK-20): what
    /// waits for it and what waits from it are dropped, and it is woken to end.
    pub(crate) fn terminate(&self) {
        let _first = self.closing.set(Closing::Terminated);
        self.inside.stop_receiving();
        self.outside.sever();
        self.worker.wake();
    }

    /// Takes nothing more, at the worker's end.
    pub(super) fn stop_receiving(&self) {
        self.inside.stop_receiving();
    }

    /// Ends what is posted to the worker, as the drop of the outside port does, wherever that is by now.
    pub(super) fn end_input(&self) {
        self.inside.end_input();
    }

    pub(crate) fn closing(&self) -> Option<Closing> {
        self.closing.get().copied()
    }

    /// As [`closing`](Self::closing), and has the worker woken when somebody ends it.
    pub(super) fn poll_closing(&self, cx: &Context<'_>) -> Option<Closing> {
        self.worker.register(cx.waker());
        self.closing()
    }

    /// Lets go of the worker's executor.
    pub(super) fn forget_worker(&self) -> Option<Waker> {
        self.worker.take()
    }
}
