//! The context of this thread: what runs here beside the code that is running.

use std::cell::RefCell;

use futures::{
    executor::{LocalPool, LocalSpawner},
    task::LocalSpawnExt,
};

thread_local! {
    static CURRENT: RefCell<Option<LocalSpawner>> = const { RefCell::new(None) };
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
    let mut pool = LocalPool::new();
    let _entered = Entered::new(pool.spawner());
    pool.run_until(main)
}

/// Like [`block_on`], and goes on until everything that was spawned is done too.
#[cfg(feature = "worker-thread")]
pub(crate) fn run_to_end(main: impl Future<Output = ()>) {
    let mut pool = LocalPool::new();
    let _entered = Entered::new(pool.spawner());
    pool.run_until(main);
    pool.run();
}

/// Runs a future in this context, beside what runs here now. It need not be `Send`.
///
/// # Panics
/// If this thread is no context: then spawn the future with the executor that runs here.
pub fn spawn_local(future: impl Future<Output = ()> + 'static) {
    let spawned = CURRENT.with_borrow(|current| current.as_ref().map(|spawner| spawner.spawn_local(future)));
    match spawned {
        Some(Ok(())) => {}
        Some(Err(_)) => panic!("this thread's context has ended, so nothing can be spawned in it"),
        None => panic!(
            "this thread is no context, so nothing can be spawned in it: use `block_on`, a worker thread, or the executor \
             that runs here"
        ),
    }
}

/// Makes a thread a context as long as it lives.
struct Entered;

impl Entered {
    fn new(spawner: LocalSpawner) -> Self {
        CURRENT.with_borrow_mut(|current| {
            assert!(current.is_none(), "this thread is a context already: await the future instead of blocking on it");
            *current = Some(spawner);
        });
        Self
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let spawner = CURRENT.take();
        drop(spawner);
    }
}
