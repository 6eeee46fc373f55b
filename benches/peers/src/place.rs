//! Where the two ends of a connection run.

use std::{
    cell::{Cell, RefCell},
    marker::PhantomData,
    rc::Rc,
};

use futures::{FutureExt, future::poll_fn};

use crate::{Core, Executor, Thread, Threads};

/// The caller's context, and where services run that are started from here.
#[derive(Debug)]
pub struct Place<E> {
    threads: Threads,
    /// How many tasks were started here and have not ended.
    running: Rc<Cell<usize>>,
    /// The threads that were started. They end with the place.
    started: RefCell<Vec<Thread>>,
    executor: PhantomData<fn() -> E>,
}

impl<E: Executor> Place<E> {
    /// This context, with services here or on threads of their own.
    pub(crate) fn new(threads: Threads) -> Self {
        Self { threads, running: Rc::default(), started: RefCell::default(), executor: PhantomData }
    }

    /// Runs what the caller's side needs beside it.
    pub fn run_here(&self, task: impl Future<Output = ()> + 'static) {
        let running = Running::new(self.running.clone());
        // Not an async block, which would have room for the task twice.
        E::spawn(task.map(|()| drop(running)));
    }

    /// Runs a service.
    pub fn serve<F: Future<Output = ()> + 'static>(&self, make: impl FnOnce() -> F + Send + 'static) {
        match self.threads {
            Threads::One => self.run_here(make()),
            Threads::Two => self.started.borrow_mut().push(E::spawn_thread(|| {
                Core::Service.pin();
                make()
            })),
        }
    }

    /// Lets the tasks of this context run until they have ended, or until it takes too long. What a system spawned by itself is not
    /// known here, and has some turns.
    pub(crate) async fn settle(&self) {
        let mut turns = 0;
        while turns < 4 || (self.running.get() > 0 && turns < 100_000) {
            turn().await;
            turns += 1;
        }
    }
}

/// Counts a task for as long as it lives.
struct Running(Rc<Cell<usize>>);

impl Running {
    fn new(count: Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Lets the others of this context run.
pub async fn turn() {
    let mut is_over = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_over, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
