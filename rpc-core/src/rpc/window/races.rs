//! The window between threads, in every order, explored to its end: nobody waits for ever, and never are there more inside than the
//! limit.

use std::future::poll_fn;

use loom::{
    future::block_on,
    model::model,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
};

use super::*;
use crate::sync::Arc;

const ANY_BYTES: u64 = u64::MAX;

/// A window, and how many are inside.
struct Counted {
    window: CallWindow,
    inside: AtomicU32,
}

impl Counted {
    fn new(calls: u32) -> Arc<Self> {
        let this = Self { window: CallWindow::new(), inside: AtomicU32::new(0) };
        this.window.limit(Window { calls, bytes: ANY_BYTES });
        Arc::new(this)
    }

    fn enter(&self, kind: Kind) -> Place {
        let mut place = Place::Outside;
        block_on(poll_fn(|cx| self.window.poll_enter(kind, &mut place, cx)));
        place
    }

    /// Enters and leaves; tells how many were inside, this one too.
    fn pass(&self) -> u32 {
        let mut place = self.enter(Kind::Call);
        let inside = self.inside.fetch_add(1, SeqCst) + 1;
        self.inside.fetch_sub(1, SeqCst);
        self.window.leave(Kind::Call, &mut place);
        inside
    }

    fn used(&self) -> u32 {
        self.window.lock().calls.used
    }
}

/// Enters on a thread of its own.
fn entering(counted: &Arc<Counted>, kind: Kind) -> thread::JoinHandle<Place> {
    let counted = counted.clone();
    thread::spawn(move || counted.enter(kind))
}

#[test]
fn two_threads_pass_a_window_of_one_one_after_the_other() {
    model(|| {
        let counted = Counted::new(1);
        let shared = counted.clone();

        let other = thread::spawn(move || shared.pass());
        let ours = counted.pass();

        assert_eq!((ours, other.join().unwrap()), (1, 1));
        assert_eq!(counted.used(), 0);
    });
}

#[test]
fn three_threads_pass_a_window_of_one_one_after_the_other() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(|| {
        let counted = Counted::new(1);
        let (one, two) = (counted.clone(), counted.clone());

        let one = thread::spawn(move || one.pass());
        let two = thread::spawn(move || two.pass());
        let ours = counted.pass();

        assert_eq!((ours, one.join().unwrap(), two.join().unwrap()), (1, 1, 1));
        assert_eq!(counted.used(), 0);
    });
}

#[test]
fn whoever_begins_to_wait_while_the_window_opens_wide_gets_in() {
    model(|| {
        let counted = Counted::new(1);
        let _first = counted.enter(Kind::Call);

        let other = entering(&counted, Kind::Call);
        counted.window.open_wide();

        assert_eq!(other.join().unwrap(), Place::Inside);
    });
}

#[test]
fn whoever_begins_to_wait_while_the_limit_is_raised_gets_in() {
    model(|| {
        let counted = Counted::new(1);
        let _first = counted.enter(Kind::Call);

        let other = entering(&counted, Kind::Call);
        counted.window.limit(Window { calls: 2, bytes: ANY_BYTES });

        assert_eq!(other.join().unwrap(), Place::Inside);
        assert_eq!(counted.used(), 2);
    });
}

#[test]
fn whoever_enters_while_a_first_limit_is_set_gets_in_counted_or_not() {
    model(|| {
        let counted = Arc::new(Counted { window: CallWindow::new(), inside: AtomicU32::new(0) });

        let other = entering(&counted, Kind::Call);
        counted.window.limit(Window { calls: 1, bytes: ANY_BYTES });

        let mut place = other.join().unwrap();
        assert_eq!(counted.used(), u32::from(place == Place::Inside));
        counted.window.leave(Kind::Call, &mut place);
        assert_eq!(counted.used(), 0);
    });
}

#[test]
fn whoever_begins_to_wait_while_the_bytes_grow_fewer_gets_in() {
    model(|| {
        let counted = Counted::new(2);
        counted.window.limit(Window { calls: 2, bytes: 10 });
        counted.window.add_bytes(10);

        let other = entering(&counted, Kind::Call);
        counted.window.remove_bytes(1);

        assert_eq!(other.join().unwrap(), Place::Inside);
    });
}

#[test]
fn whoever_begins_to_wait_while_credit_comes_gets_in() {
    model(|| {
        let counted = Counted::new(1);
        let _first = counted.enter(Kind::Tell);

        let other = entering(&counted, Kind::Tell);
        counted.window.credit(1);

        assert_eq!(other.join().unwrap(), Place::Inside);
    });
}

#[test]
fn a_turn_that_crosses_one_who_waits_no_longer_is_not_lost() {
    model(|| {
        let counted = Counted::new(1);
        let mut first = counted.enter(Kind::Call);
        let mut second = Place::Outside;
        let polled = counted.window.poll_enter(
            Kind::Call,
            &mut second,
            &mut Context::from_waker(futures::task::noop_waker_ref()),
        );
        assert!(polled.is_pending());

        let shared = counted.clone();
        let other = thread::spawn(move || shared.window.leave(Kind::Call, &mut second));
        counted.window.leave(Kind::Call, &mut first);
        let third = counted.enter(Kind::Call);

        other.join().unwrap();
        assert_eq!((third, counted.used()), (Place::Inside, 1));
    });
}
