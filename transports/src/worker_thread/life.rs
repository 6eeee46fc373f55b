//! The life of a worker on its thread, from its first turn to its end.

use std::{
    mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use futures::channel::oneshot;
use handover_core::{
    MessagePort,
    panicking::{self, Panicked},
};

use super::{
    Control, Ending, ErrorEvent, PanicPolicy, WorkerError, WorkerScope, control::Closing, error::describe_panic,
    executor::Executor,
};
use crate::{context::Tasks, stall::Beat};

/// What a thread needs to be a worker.
pub(crate) struct Body<F> {
    pub(super) main: F,
    pub(super) inside: MessagePort,
    pub(super) control: Arc<Control>,
    /// Where panics are reported.
    pub(super) reports: MessagePort,
    pub(super) executor: Executor,
    pub(super) on_panic: PanicPolicy,
}

impl<F, Fut, R> Body<F>
where
    F: FnOnce(WorkerScope, MessagePort) -> Fut,
    Fut: Future<Output = R>,
{
    /// Lives the worker's life on this thread, and tells whoever waits for its end.
    pub(crate) fn live_and_tell(self, done: oneshot::Sender<Result<R, WorkerError>>) {
        let result = self.live();
        let _unwanted = done.send(result);
    }

    /// Lives the worker's life on this thread, and tells how it ended.
    fn live(self) -> Result<R, WorkerError> {
        let control = self.control.clone();
        let mut life = Life {
            scope: WorkerScope::new(control.clone()),
            main: Main::Waits(self.main, self.inside),
            tasks: Tasks::default(),
            turn: Turn::First,
            control: self.control,
            reports: self.reports,
            on_panic: self.on_panic,
            ending: None,
        };
        let entered = life.tasks.spawner().enter();
        let executor = self.executor;
        let ran = panicking::catch(|said| describe_panic(&control.name, said), || executor(pin!(&mut life)));
        match ran {
            Ok(()) => life.end(Ending::Abandoned, None),
            Err(panicked) => life.end_in_panic(panicked),
        }
        drop(entered);
        drop(control.forget_worker());
        match life.main {
            Main::Ended(result) => Ok(result),
            Main::Waits(..) | Main::Runs(_) | Main::Gone => {
                Err(WorkerError::new(&control.name, life.ending.unwrap_or(Ending::Abandoned)))
            }
        }
    }
}

/// A worker that lives: the future that its executor runs.
struct Life<F, Fut: Future> {
    scope: WorkerScope,
    main: Main<F, Fut>,
    tasks: Tasks,
    turn: Turn,
    control: Arc<Control>,
    reports: MessagePort,
    on_panic: PanicPolicy,
    /// How it ended, once it has.
    ending: Option<Ending>,
}

/// The worker's own code.
enum Main<F, Fut: Future> {
    /// It was not called yet.
    Waits(F, MessagePort),
    Runs(Pin<Box<Fut>>),
    Ended(Fut::Output),
    /// It was dropped before its end.
    Gone,
}

/// What is being polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The worker's code, up to its first pause.
    First,
    /// The worker's own future.
    Main,
    /// What runs beside it.
    Beside,
}

/// Nothing is pinned in it but what is in boxes.
impl<F, Fut: Future> Unpin for Life<F, Fut> {}

impl<F, Fut> Future for Life<F, Fut>
where
    F: FnOnce(WorkerScope, MessagePort) -> Fut,
    Fut: Future,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let life = &mut *self;
        while life.ending.is_none() {
            if let Some(closing) = life.control.poll_closing(cx) {
                life.end(closing.into(), None);
                break;
            }
            let control = life.control.clone();
            match panicking::catch(|said| describe_panic(&control.name, said), || life.poll_all(cx)) {
                // A turn that closed the worker is its last one.
                Ok(Poll::Pending) if life.scope.closing().is_none() => return Poll::Pending,
                Ok(Poll::Pending) => {}
                // There is a result; nothing else was asked for.
                Ok(Poll::Ready(())) => life.end(Ending::Closed, None),
                Err(panicked) if life.turn == Turn::Beside && life.on_panic == PanicPolicy::EndTask => {
                    life.report(&panicked);
                }
                Err(panicked) => life.end_in_panic(panicked),
            }
        }
        Poll::Ready(())
    }
}

impl<F, Fut> Life<F, Fut>
where
    F: FnOnce(WorkerScope, MessagePort) -> Fut,
    Fut: Future,
{
    /// Gives everything in the worker a turn. Ready when all of it is done.
    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _beat = Beat::begin();
        self.tasks.begin(cx);
        self.poll_main(cx);
        // WRK-05: the code has run to its first pause; both ends are started, and then messages come.
        if self.turn == Turn::First {
            self.control.start_ports();
        }
        self.turn = Turn::Beside;
        if self.scope.is_closing() {
            return Poll::Pending;
        }
        if let Some(event_loop) = self.scope.used_event_loop() {
            let _closed = pin!(event_loop.run()).poll(cx);
        }
        let tasks = self.tasks.poll(cx);
        let is_main_done = matches!(self.main, Main::Ended(_));
        let is_loop_idle = self.scope.used_event_loop().is_none_or(|event_loop| !event_loop.is_in_use());
        if tasks.is_ready() && is_main_done && is_loop_idle { Poll::Ready(()) } else { Poll::Pending }
    }

    fn poll_main(&mut self, cx: &mut Context<'_>) {
        if self.turn != Turn::First {
            self.turn = Turn::Main;
        }
        if let Main::Waits(..) = self.main
            && let Main::Waits(main, inside) = mem::replace(&mut self.main, Main::Gone)
        {
            self.main = Main::Runs(Box::pin(main(self.scope.clone(), inside)));
        }
        if let Main::Runs(running) = &mut self.main
            && let Poll::Ready(result) = running.as_mut().poll(cx)
        {
            self.main = Main::Ended(result);
        }
    }

    /// Ends the worker by a panic of its own.
    fn end_in_panic(&mut self, panicked: Panicked) {
        if self.ending.is_none() {
            self.report(&panicked);
            self.end(Ending::Panicked(panicked.said), Some(&panicked.description));
        }
    }

    /// Drops everything in the worker: its ports are closed, and the other ends are told (WRK-31), of the panic if it was one.
    fn end(&mut self, ending: Ending, panic: Option<&str>) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        let control = self.control.clone();
        // Who learns of the end by what is dropped below finds the worker closed.
        control.stop_receiving();
        loop {
            let dropped = panicking::catch(
                |said| describe_panic(&control.name, said),
                || match panic {
                    Some(description) => panicking::lose(description, || self.drop_all()),
                    None => self.drop_all(),
                },
            );
            match dropped {
                Ok(()) => return,
                // The drop of one thing panicked; the others are still there.
                Err(panicked) => self.report(&panicked),
            }
        }
    }

    fn drop_all(&mut self) {
        if !matches!(self.main, Main::Ended(_)) {
            self.main = Main::Gone;
        }
        self.tasks.clear();
        if let Some(event_loop) = self.scope.used_event_loop() {
            event_loop.close();
        }
    }

    fn report(&self, panicked: &Panicked) {
        let event = ErrorEvent { worker: self.control.name.clone(), message: panicked.said.clone() };
        tracing::error!(worker = event.worker, message = event.message, "a worker panicked");
        // Two texts always encode, and whether anybody listens is not the worker's affair.
        let _posted = self.reports.post_value(event);
    }
}

impl From<Closing> for Ending {
    fn from(closing: Closing) -> Self {
        match closing {
            Closing::Closed => Self::Closed,
            Closing::Terminated => Self::Terminated,
        }
    }
}
