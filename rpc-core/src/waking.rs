//! Wakers that are used again by the thread that has woken somebody with them.
//!
//! To register a task is to clone its waker, and to wake it is to let go of that: two atomic operations for each of the two tasks that a call
//! wakes. Mostly one of the two tasks that were woken last on a thread is the next that registers there, so their wakers are kept for that: two on
//! each thread, and with them the memory of two tasks that may have ended.

use std::{cell::Cell, task::Waker};

thread_local! {
    /// Those of the tasks that were woken last: the last one first.
    static SPARE: Cell<[Option<Waker>; 2]> = const { Cell::new([None, None]) };
}

/// Clones a waker, to register its task. Nothing is dropped, so it may be under a lock.
#[inline]
pub(crate) fn clone(waker: &Waker) -> Waker {
    // There, all threads share the locals of one.
    if cfg!(loom) {
        return waker.clone();
    }
    // A thread that ends may have none any more.
    let found = SPARE.try_with(|spare| {
        let is_it = |spare: &Option<Waker>| spare.as_ref().is_some_and(|spare| spare.will_wake(waker));
        let [last, other] = spare.take();
        let (found, left) = if is_it(&last) {
            (last, [other, None])
        } else if is_it(&other) {
            (other, [last, None])
        } else {
            (None, [last, other])
        };
        spare.set(left);
        found
    });
    found.ok().flatten().unwrap_or_else(|| waker.clone())
}

/// Wakes a task, and keeps its waker for when it registers again. Not under a lock: both are the executor's own.
#[inline]
pub(crate) fn wake(waker: Waker) {
    if cfg!(loom) {
        return waker.wake();
    }
    waker.wake_by_ref();
    let former = SPARE.try_with(|spare| {
        let [last, other] = spare.take();
        spare.set([Some(waker), last]);
        other
    });
    drop(former);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
        thread,
    };

    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn task() -> (Arc<Task>, Waker) {
        let task = Arc::new(Task::default());
        (task.clone(), task.into())
    }

    /// How many there are of its wakers.
    fn wakers(task: &Arc<Task>) -> usize {
        Arc::strong_count(task) - 1
    }

    #[test]
    fn whoever_was_woken_last_registers_again_by_the_same_waker() {
        let (task, waker) = task();
        let registered = clone(&waker);
        assert_eq!(wakers(&task), 2);

        for times in 1..=3 {
            wake(clone(&waker));
            assert_eq!((task.0.load(Ordering::Relaxed), wakers(&task)), (times, 3), "one is kept");
        }

        let again = clone(&waker);
        assert_eq!(wakers(&task), 3, "it was the one that was kept");
        drop((registered, again));
        assert_eq!(wakers(&task), 1);
    }

    #[test]
    fn the_last_two_are_kept_and_no_other_thread_has_them() {
        let (tasks, given): (Vec<_>, Vec<_>) = (0..4).map(|_| task()).unzip();
        let count = || -> Vec<_> { tasks.iter().map(wakers).collect() };
        given.iter().take(3).for_each(|waker| wake(clone(waker)));
        assert_eq!(count(), [1, 2, 2, 1]);

        let given = thread::spawn(move || {
            given.iter().for_each(|waker| assert!(clone(waker).will_wake(waker)));
            given
        });
        let given = given.join().unwrap();
        assert_eq!(count(), [1, 2, 2, 1], "others have their own");

        // The older of the two, then one that is not kept.
        let older = clone(&given[1]);
        assert_eq!(count(), [1, 2, 2, 1], "it was the one that was kept");
        drop((older, clone(&given[3])));
        assert_eq!(count(), [1, 1, 2, 1], "whoever asks for another leaves them there");
    }

    #[test]
    fn a_thread_lets_go_of_what_it_has_kept() {
        let (task, waker) = task();

        thread::spawn(move || wake(waker)).join().unwrap();

        assert_eq!(wakers(&task), 0);
    }

    #[test]
    fn to_let_go_of_one_may_wake_another() {
        /// Whoever lets go of it wakes this one.
        struct Then(Option<Waker>);
        impl Wake for Then {
            fn wake(self: Arc<Self>) {}
        }
        impl Drop for Then {
            fn drop(&mut self) {
                self.0.take().into_iter().for_each(wake);
            }
        }
        let ((last, waker), (then, woken)) = (task(), task());
        wake(Arc::new(Then(Some(woken))).into());

        // It is the third from last now.
        wake(Waker::noop().clone());
        wake(waker);

        assert_eq!([last, then].map(|task| task.0.load(Ordering::Relaxed)), [1, 1]);
    }
}
