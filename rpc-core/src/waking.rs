//! Wakers that are used again by the thread that has woken somebody with them.
//!
//! To register a task is to clone its waker, and to wake it is to let go of that: two atomic operations for each of the two tasks that a call
//! wakes. Mostly the task that was woken last on a thread is the next that registers there, so its waker is kept for that: one on each thread, and
//! with it the memory of one task that may have ended.

use std::{cell::Cell, task::Waker};

thread_local! {
    /// That of the task that was woken last.
    static SPARE: Cell<Option<Waker>> = const { Cell::new(None) };
}

/// Clones a waker, to register its task. Nothing is dropped, so it may be under a lock.
#[inline]
pub(crate) fn clone(waker: &Waker) -> Waker {
    // There, all threads share the locals of one.
    if cfg!(loom) {
        return waker.clone();
    }
    // A thread that ends may have none any more.
    match SPARE.try_with(Cell::take) {
        Ok(Some(spare)) if spare.will_wake(waker) => spare,
        Ok(Some(other)) => {
            let _nothing = SPARE.try_with(|spare| spare.set(Some(other)));
            waker.clone()
        }
        Ok(None) | Err(_) => waker.clone(),
    }
}

/// Wakes a task, and keeps its waker for when it registers again. Not under a lock: both are the executor's own.
#[inline]
pub(crate) fn wake(waker: Waker) {
    if cfg!(loom) {
        return waker.wake();
    }
    waker.wake_by_ref();
    let former = SPARE.try_with(|spare| spare.replace(Some(waker)));
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
    fn only_the_last_is_kept_and_no_other_thread_has_it() {
        let ((one, waker), (other, of_other)) = (task(), task());
        wake(clone(&waker));

        let of_other = thread::spawn(move || {
            assert!(clone(&of_other).will_wake(&of_other));
            of_other
        });
        let of_other = of_other.join().unwrap();
        assert_eq!((wakers(&one), wakers(&other)), (2, 1));

        assert!(clone(&of_other).will_wake(&of_other));
        assert_eq!(wakers(&one), 2, "who is not the one that is kept leaves it there");
        wake(clone(&of_other));
        assert_eq!((wakers(&one), wakers(&other)), (1, 2));
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

        wake(waker);

        assert_eq!([last, then].map(|task| task.0.load(Ordering::Relaxed)), [1, 1]);
    }
}
