//! The queue of an event loop's tasks, which any thread may add to.

use std::{
    collections::VecDeque,
    fmt,
    task::{Context, Poll, Waker},
};

use super::EventLoop;
use crate::sync::{Arc, Mutex};

/// What an event loop is to do. It runs on the loop's thread, and gets the loop.
pub(crate) type Task = Box<dyn FnOnce(&EventLoop) + Send>;

/// The way to an event loop from anywhere.
#[derive(Clone)]
pub(crate) struct Remote(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    waker: Option<Waker>,
    is_closed: bool,
}

impl Remote {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Adds a task at the end. A loop that is closed drops it (LOOP-09).
    pub(crate) fn queue(&self, task: Task) {
        self.queue_all([task]);
    }

    /// Adds tasks at the end, with none of another thread's between them. A loop that is closed drops them (LOOP-09).
    pub(crate) fn queue_all(&self, tasks: impl IntoIterator<Item = Task>) {
        let mut queue = self.0.lock();
        let refused = if queue.is_closed {
            Some(tasks)
        } else {
            queue.tasks.extend(tasks);
            None
        };
        let waker = queue.waker.take();
        drop(queue);
        drop(refused);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether the loop takes no more tasks.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().is_closed
    }

    /// Whether a task waits.
    pub(super) fn has_tasks(&self) -> bool {
        !self.0.lock().tasks.is_empty()
    }

    /// Wakes whoever runs the loop.
    pub(super) fn wake(&self) {
        let waker = self.0.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether both lead to one loop.
    #[cfg(feature = "windows")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Takes the oldest task.
    pub(super) fn next(&self) -> Option<Task> {
        self.0.lock().tasks.pop_front()
    }

    /// Takes the oldest task, or registers to be woken for one; `None` once the loop is closed.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Task>> {
        let mut queue = self.0.lock();
        if let Some(task) = queue.tasks.pop_front() {
            return Poll::Ready(Some(task));
        }
        if queue.is_closed {
            return Poll::Ready(None);
        }
        let replaced = queue.waker.replace(cx.waker().clone());
        drop(queue);
        drop(replaced);
        Poll::Pending
    }

    /// Takes no more tasks, and drops those that wait.
    pub(super) fn close(&self) {
        let mut queue = self.0.lock();
        queue.is_closed = true;
        let tasks = std::mem::take(&mut queue.tasks);
        let waker = queue.waker.take();
        drop(queue);
        drop(tasks);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}
