//! The context of this thread: what runs here beside the code that is running.
//!
//! A context is one future that holds the others, so it runs wherever a future does: [`block_on`] runs one on a small executor of
//! its own, a worker thread on the executor that it was [given](crate::worker_thread::executor), and [`run`] on whatever polls it.

mod spawner;
mod tasks;
mod woken;

use std::{
    cell::RefCell,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use futures::future::{LocalBoxFuture, poll_fn};

pub(crate) use tasks::Tasks;

use self::spawner::Spawner;
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
    let _entered = tasks.spawner().enter();
    patience::block_on(poll_fn(|cx| poll_turn(main.as_mut(), &mut tasks, cx)))
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
        let _entered = tasks.spawner().enter();
        poll_turn(main.as_mut(), &mut tasks, cx)
    })
    .await
}

fn poll_turn<F: Future>(main: Pin<&mut F>, tasks: &mut Tasks, cx: &mut Context<'_>) -> Poll<F::Output> {
    let _beat = Beat::begin();
    tasks.begin(cx);
    tasks.poll_with(main, cx)
}

/// Runs a future in this context, beside what runs here now. It need not be `Send`.
///
/// Its first turn comes after those of all that were woken before, and of all others that whoever spawns it wakes in the same poll; one who yields
/// after that lets it have its turn.
///
/// # Panics
/// If this thread is no context: then spawn the future with the executor that runs here, or make it one with [`run`].
pub fn spawn_local(future: impl Future<Output = ()> + 'static) {
    // At once, so that it is moved once.
    spawn(Box::pin(future));
}

fn spawn(future: LocalBoxFuture<'static, ()>) {
    let current = CURRENT.with_borrow(|current| current.clone());
    match current {
        Some(spawner) => spawner.spawn(future),
        None => panic!("this thread is no context, so nothing can be spawned in it: {WHAT_TO_DO}"),
    }
}

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
const WHAT_TO_DO: &str = "use `block_on`, a worker thread, or the executor that runs here";

/// A browser has none of those. What JavaScript calls begins outside of any context, whatever else runs on the page.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
const WHAT_TO_DO: &str = "do it in what `context::run` runs on a page, or `wasm_worker::run` in a worker; an export or a callback is outside of both";

/// Whether a context is being polled on this thread.
#[cfg(all(feature = "browser", target_family = "wasm", target_os = "unknown"))]
pub(crate) fn is_entered() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

/// This thread is a context. Dropped, it is again what it was before.
pub(crate) struct Entered(Option<Spawner>);

impl Drop for Entered {
    fn drop(&mut self) {
        let left = CURRENT.replace(self.0.take());
        drop(left);
    }
}
