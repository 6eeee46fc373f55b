//! The context of this thread: what runs here beside the code that is running.
//!
//! A context is one future that holds the others, so it runs wherever a future does: [`block_on`] runs one on a small executor of
//! its own, a worker thread on the executor that it was [given](crate::worker_thread::executor), and [`run`] on whatever polls it.

use std::{
    cell::RefCell,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
};

use futures::{
    Stream,
    future::{LocalBoxFuture, poll_fn},
    stream::FuturesUnordered,
};

use crate::{patience, stall::Beat};

thread_local! {
    static CURRENT: RefCell<Option<Spawner>> = const { RefCell::new(None) };
}

/// Makes this thread a context until a future is done, and tells what it returned. What was
/// [spawned](spawn_local) and is not done by then is dropped.
///
/// # Panics
/// If this thread is a context already: its futures would wait for each other. Await the future there instead.
///
/// # Examples
/// ```
/// use handover_transports::context;
///
/// let sum = context::block_on(async {
///     let (send, receive) = futures::channel::oneshot::channel();
///     context::spawn_local(async move { send.send(2 + 3).unwrap() });
///     receive.await.unwrap()
/// });
/// assert_eq!(sum, 5);
/// ```
pub fn block_on<F: Future>(main: F) -> F::Output {
    let is_context = CURRENT.with_borrow(Option::is_some);
    assert!(!is_context, "this thread is a context already: await the future instead of blocking on it");
    let mut main = pin!(main);
    let mut tasks = Tasks::default();
    let _entered = tasks.spawner.enter();
    patience::block_on(poll_fn(|cx| poll_both(main.as_mut(), &mut tasks, cx)))
}

/// Makes whatever polls this future a context until the future in it is done: a task of the executor that the program uses
/// anyway. What was [spawned](spawn_local) and is not done by then is dropped.
///
/// # Examples
/// ```
/// use handover_core::MessagePort;
/// use handover_transports::{context, in_process};
///
/// let answer = context::run(async {
///     let port: MessagePort = in_process::spawn(async |port| port.post_message("hello").unwrap());
///     port.start();
///     port.recv().await.unwrap()
/// });
/// assert_eq!(futures::executor::block_on(answer).data(), b"hello");
/// ```
pub async fn run<F: Future>(main: F) -> F::Output {
    let mut main = pin!(main);
    let mut tasks = Tasks::default();
    poll_fn(move |cx| {
        // Between two polls the thread is the executor's, which may run other contexts there.
        let _entered = tasks.spawner.enter();
        poll_both(main.as_mut(), &mut tasks, cx)
    })
    .await
}

fn poll_both<F: Future>(main: Pin<&mut F>, tasks: &mut Tasks, cx: &mut Context<'_>) -> Poll<F::Output> {
    let _beat = Beat::begin();
    tasks.begin(cx);
    let polled = main.poll(cx);
    if polled.is_pending() {
        // The main future is what the context is there for; the others may all be done.
        let _all_done = tasks.poll(cx);
    }
    polled
}

/// Runs a future in this context, beside what runs here now. It need not be `Send`.
///
/// # Panics
/// If this thread is no context: then spawn the future with the executor that runs here, or make it one with [`run`].
pub fn spawn_local(future: impl Future<Output = ()> + 'static) {
    let current = CURRENT.with_borrow(|current| current.clone());
    match current {
        Some(spawner) => spawner.spawn(Box::pin(future)),
        None => panic!(
            "this thread is no context, so nothing can be spawned in it: use `block_on`, a worker thread, or the executor \
             that runs here"
        ),
    }
}

/// Whether a context is being polled on this thread.
#[cfg(all(feature = "browser", target_family = "wasm", target_os = "unknown"))]
pub(crate) fn is_entered() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

/// The futures that run beside the main one of a context.
#[derive(Default)]
pub(crate) struct Tasks {
    running: FuturesUnordered<LocalBoxFuture<'static, ()>>,
    spawner: Spawner,
    /// Empty, with the room that new ones are taken over in.
    room: Vec<LocalBoxFuture<'static, ()>>,
}

/// Takes futures for a context.
#[derive(Clone, Default)]
pub(crate) struct Spawner(Rc<RefCell<Spawned>>);

#[derive(Default)]
struct Spawned {
    /// Those that were not polled yet.
    new: Vec<LocalBoxFuture<'static, ()>>,
    waker: Option<Waker>,
    /// Whether the context is being polled, and will come to the new ones by itself.
    is_polled: bool,
}

impl Tasks {
    /// Begins a turn of the context, before its main future is polled.
    pub(crate) fn begin(&self, cx: &Context<'_>) {
        self.spawner.begin(cx);
    }

    /// Runs those that were woken, and ends the turn. Ready when all are done.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.poll_running(cx);
        self.spawner.0.borrow_mut().is_polled = false;
        polled
    }

    fn poll_running(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.spawner.take(&mut self.room);
            self.running.extend(self.room.drain(..));
            let polled = Pin::new(&mut self.running).poll_next(cx);
            match polled {
                Poll::Ready(Some(())) => {}
                Poll::Ready(None) if self.spawner.is_empty() => return Poll::Ready(()),
                Poll::Pending if self.spawner.is_empty() => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => {}
            }
        }
    }

    /// The way to add more.
    #[cfg(any(feature = "worker-thread", all(feature = "wasm-worker", target_family = "wasm", target_os = "unknown")))]
    pub(crate) fn spawner(&self) -> &Spawner {
        &self.spawner
    }

    /// Drops all of them, and those that they spawn when they are dropped.
    #[cfg(feature = "worker-thread")]
    pub(crate) fn clear(&mut self) {
        loop {
            self.running = FuturesUnordered::new();
            let mut new = Vec::new();
            self.spawner.take(&mut new);
            if new.is_empty() {
                return;
            }
            drop(new);
        }
    }
}

impl Spawner {
    fn spawn(&self, future: LocalBoxFuture<'static, ()>) {
        let mut spawned = self.0.borrow_mut();
        spawned.new.push(future);
        let waker = if spawned.is_polled { None } else { spawned.waker.take() };
        drop(spawned);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Makes this thread the context as long as the guard lives.
    pub(crate) fn enter(&self) -> Entered {
        Entered(CURRENT.replace(Some(self.clone())))
    }

    /// Takes the new ones over into an empty place, whose room is for the next.
    fn take(&self, to: &mut Vec<LocalBoxFuture<'static, ()>>) {
        std::mem::swap(&mut self.0.borrow_mut().new, to);
    }

    fn is_empty(&self) -> bool {
        self.0.borrow().new.is_empty()
    }

    /// Notes that the context is being polled, and whom to wake for what is spawned between two turns.
    fn begin(&self, cx: &Context<'_>) {
        let mut spawned = self.0.borrow_mut();
        spawned.is_polled = true;
        let is_known = spawned.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        let replaced = if is_known { None } else { spawned.waker.replace(cx.waker().clone()) };
        drop(spawned);
        drop(replaced);
    }
}

/// This thread is a context. Dropped, it is again what it was before.
pub(crate) struct Entered(Option<Spawner>);

impl Drop for Entered {
    fn drop(&mut self) {
        let left = CURRENT.replace(self.0.take());
        drop(left);
    }
}
