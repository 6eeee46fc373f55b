//! The event loop itself.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::HashMap,
    fmt,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, ready},
};

use super::tasks::{Remote, Task};

/// A context's [event loop](https://html.spec.whatwg.org/multipage/webappapis.html#event-loops): tasks, one after the other,
/// on the thread that made it.
///
/// One posted message is one task (LOOP-01). Tasks run in the order in which they were queued, whatever they are for, so
/// messages at the ports of one loop keep their order across ports (LOOP-05); nothing of ours relies on that (DEC-10). Between two tasks other futures of the thread get
/// their turn.
///
/// The value is a handle: clones are the same loop. When the last handle is dropped, or the loop is [closed](Self::close),
/// what waits is dropped, and everything in it.
///
/// # Examples
/// ```
/// use handover_core::{MessageChannel, event_loop::EventLoop};
///
/// let event_loop = EventLoop::new();
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// let echo = event_loop.attach::<String>(theirs);
/// let reply = echo.clone();
/// echo.set_onmessage(move |event| reply.post_value(format!("{}!", event.data)).unwrap());
///
/// ours.post_value("hello".to_owned())?;
/// event_loop.run_until_idle();
///
/// ours.start();
/// # futures::executor::block_on(async {
/// assert_eq!(ours.recv_value::<String>().await?.data, "hello!");
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct EventLoop(Rc<Inner>);

struct Inner {
    remote: Remote,
    /// What events are fired at, by the key that tasks know it by.
    targets: RefCell<HashMap<TargetKey, Rc<dyn Target>>>,
    last_key: Cell<TargetKey>,
    is_running: Cell<bool>,
}

/// What events are fired at.
pub(crate) trait Target: Any {
    /// The loop has ended: nothing will be fired any more.
    fn released(&self);
}

/// The loop, for what the loop owns.
pub(crate) struct WeakEventLoop(Weak<Inner>);

impl WeakEventLoop {
    /// Lets a target go, if the loop is still there.
    pub(crate) fn remove(&self, key: TargetKey) {
        if let Some(inner) = self.0.upgrade() {
            EventLoop(inner).remove(key);
        }
    }
}

/// Names a target among those of one loop.
pub(crate) type TargetKey = u64;

impl EventLoop {
    /// Makes an event loop without tasks.
    pub fn new() -> Self {
        Self(Rc::new(Inner {
            remote: Remote::new(),
            targets: RefCell::default(),
            last_key: Cell::new(0),
            is_running: Cell::new(false),
        }))
    }

    /// Runs tasks as they come, until the loop is closed. Spawn it on the thread's executor.
    pub fn run(&self) -> Run {
        Run { event_loop: self.clone() }
    }

    /// Runs tasks until none waits, and tells how many it ran.
    ///
    /// Handlers that post to each other for ever keep it from coming back; [`run`](Self::run) yields between tasks instead.
    ///
    /// # Panics
    /// If called by a handler: delivery is never re-entrant (LOOP-02).
    pub fn run_until_idle(&self) -> usize {
        let mut ran = 0;
        while let Some(task) = self.0.remote.next() {
            self.run_task(task);
            ran += 1;
        }
        ran
    }

    /// Whether a task waits, or something is left that events can be fired at. Whoever polls [`run`](Self::run) is woken when
    /// that ends.
    pub fn is_in_use(&self) -> bool {
        !self.0.targets.borrow().is_empty() || self.0.remote.has_tasks()
    }

    fn run_task(&self, task: Task) {
        assert!(!self.0.is_running.replace(true), "a handler may not run the event loop that it runs in");
        let _running = Running(&self.0.is_running);
        task(self);
    }

    /// Ends the loop: what waits is dropped, and what comes later too (LOOP-09).
    pub fn close(&self) {
        self.0.close();
    }

    /// Takes no more tasks: what waits is dropped, and what comes later too (LOOP-09). Unlike after a [`close`](Self::close), what is
    /// attached stays open: what is posted there still arrives at the other ends.
    pub fn stop(&self) {
        self.0.remote.close();
    }

    /// Whether the loop has ended, or was stopped.
    pub fn is_closed(&self) -> bool {
        self.0.remote.is_closed()
    }

    /// The way to this loop from other threads.
    pub(crate) fn remote(&self) -> &Remote {
        &self.0.remote
    }

    /// Keeps a target until it is [removed](Self::remove).
    pub(crate) fn add(&self, target: Rc<dyn Target>) -> TargetKey {
        let key = self.0.last_key.get() + 1;
        self.0.last_key.set(key);
        self.0.targets.borrow_mut().insert(key, target);
        key
    }

    /// The target that a task is for, if it is still there and of that type.
    pub(crate) fn target<T: Target>(&self, key: TargetKey) -> Option<Rc<T>> {
        let target: Rc<dyn Any> = self.0.targets.borrow().get(&key)?.clone();
        target.downcast().ok()
    }

    /// A handle that does not keep the loop.
    pub(crate) fn downgrade(&self) -> WeakEventLoop {
        WeakEventLoop(Rc::downgrade(&self.0))
    }

    /// Lets a target go.
    pub(crate) fn remove(&self, key: TargetKey) {
        let mut targets = self.0.targets.borrow_mut();
        let target = targets.remove(&key);
        let is_last = targets.is_empty();
        drop(targets);
        drop(target);
        if is_last {
            // Whoever runs the loop as long as it is in use looks again.
            self.0.remote.wake();
        }
    }
}

impl Default for EventLoop {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn close(&self) {
        self.remote.close();
        let targets = self.targets.take();
        for target in targets.into_values() {
            target.released();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// Ends a task, also when it panics.
struct Running<'r>(&'r Cell<bool>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Runs an event loop. Made by [`EventLoop::run`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Run {
    event_loop: EventLoop,
}

impl Future for Run {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(task) = ready!(self.event_loop.remote().poll_next(cx)) else { return Poll::Ready(()) };
        self.event_loop.run_task(task);
        // One task a turn: what the task woke runs before the next one (LOOP-01), and handlers that post to each other for
        // ever starve nobody (LOOP-07).
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
