//! The small executor of a context: one future on one thread, which waits a little before it sleeps.
//!
//! To wake a thread that sleeps costs some ten microseconds, each way: far more than a call. So a thread whose last waits were short
//! waits awake at first. It does so only while calls flow: one long wait, and it sleeps at once until waits are short again. A context
//! that has nothing to do therefore uses a tenth of a millisecond once, and no more.

use std::{
    hint,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use futures::executor;

/// Runs a future on this thread until it is done.
///
/// # Panics
/// If this thread runs another future in this way already.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let _entered = executor::enter().expect("this thread runs a future already: await this one there");
    let mut future = pin!(future);
    let bell = Arc::new(Bell::of_this_thread());
    let waker = Waker::from(bell.clone());
    let mut patience = Patience::default();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        bell.wait(&mut patience);
    }
}

/// How one thread is woken.
struct Bell {
    state: AtomicU8,
    thread: Thread,
}

/// Nobody has rung since the thread last looked.
const QUIET: u8 = 0;
/// Somebody has.
const RUNG: u8 = 1;
/// Nobody has, and the thread sleeps, or is about to: who rings has to unpark it.
const ASLEEP: u8 = 2;

impl Bell {
    fn of_this_thread() -> Self {
        Self { state: AtomicU8::new(QUIET), thread: thread::current() }
    }

    fn ring(&self) {
        if self.state.swap(RUNG, Ordering::AcqRel) == ASLEEP {
            self.thread.unpark();
        }
    }

    /// Whether somebody has rung since this was last asked.
    fn has_rung(&self) -> bool {
        self.state.load(Ordering::Relaxed) == RUNG && self.state.swap(QUIET, Ordering::AcqRel) == RUNG
    }

    /// Waits until somebody rings. Only the thread itself may call it.
    fn wait(&self, patience: &mut Patience) {
        // What is polled has often woken itself: then there is no time to be measured.
        if self.has_rung() {
            return;
        }
        let begun = Instant::now();
        if !(patience.lasts() && self.wait_awake(begun)) {
            self.sleep();
        }
        patience.learn(begun.elapsed());
    }

    /// Waits awake, for a while. Whether somebody has rung.
    fn wait_awake(&self, begun: Instant) -> bool {
        for _ in 0..SPINS {
            if self.has_rung() {
                return true;
            }
            hint::spin_loop();
        }
        while begun.elapsed() < SHORT {
            // Whoever is to ring may have no other core.
            thread::yield_now();
            if self.has_rung() {
                return true;
            }
        }
        false
    }

    fn sleep(&self) {
        // Fails if somebody has rung by now.
        let _asleep = self.state.compare_exchange(QUIET, ASLEEP, Ordering::AcqRel, Ordering::Acquire);
        while !self.has_rung() {
            thread::park();
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

/// Whether a thread waits awake: learnt from how long its last waits were.
#[derive(Debug, Default)]
struct Patience {
    /// How many waits were short since the last long one, or enough.
    short: u8,
}

/// A wait that is no longer is short, and a thread waits awake no longer: about twice what it takes two threads to wake each other.
const SHORT: Duration = Duration::from_micros(100);

/// So many times the bell is looked at before others get the core: some microseconds.
const SPINS: u32 = 100;

/// So many short waits in a row make a thread patient.
const ENOUGH: u8 = 2;

impl Patience {
    fn lasts(&self) -> bool {
        self.short >= ENOUGH
    }

    fn learn(&mut self, waited: Duration) {
        self.short = if waited > SHORT { 0 } else { ENOUGH.min(self.short + 1) };
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::mpsc};

    use super::*;

    #[test]
    fn only_who_has_waited_shortly_and_more_than_once_waits_awake() {
        let mut patience = Patience::default();
        assert!(!patience.lasts());

        patience.learn(SHORT);
        assert!(!patience.lasts());
        patience.learn(SHORT);
        assert!(patience.lasts());
        patience.learn(Duration::ZERO);
        assert!(patience.lasts());
    }

    #[test]
    fn one_long_wait_ends_all_patience() {
        let mut patience = Patience { short: ENOUGH };

        patience.learn(SHORT * 2);
        assert!(!patience.lasts());

        patience.learn(SHORT);
        assert!(!patience.lasts());
    }

    #[test]
    fn a_ring_before_the_wait_ends_it_at_once() {
        let bell = Arc::new(Bell::of_this_thread());
        bell.clone().wake();

        bell.wait(&mut Patience::default());

        assert!(!bell.has_rung(), "it was heard");
    }

    #[test]
    fn a_future_that_wakes_itself_is_polled_again() {
        let mut polls = 0;
        block_on(poll_fn(|cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls < 10 { Poll::Pending } else { Poll::Ready(()) }
        }));
        assert_eq!(polls, 10);
    }

    /// Each waits for the other by turns, awake and asleep: a ring that is lost leaves both waiting.
    #[test]
    fn no_ring_is_lost_between_two_threads_whether_they_wait_awake_or_sleep() {
        const TIMES: u32 = 20_000;
        let (bells, other_bells) = (mpsc::channel(), mpsc::channel());
        let side = |ours: mpsc::Sender<Arc<Bell>>, theirs: mpsc::Receiver<Arc<Bell>>, is_first: bool| {
            move || {
                let bell = Arc::new(Bell::of_this_thread());
                ours.send(bell.clone()).unwrap();
                let other = theirs.recv().unwrap();
                let mut patience = Patience::default();
                for time in 0..TIMES {
                    if is_first {
                        other.ring();
                    }
                    // Every other time it sleeps without a look.
                    if time % 2 == 0 {
                        patience = Patience::default();
                    }
                    bell.wait(&mut patience);
                    if !is_first {
                        other.ring();
                    }
                }
            }
        };
        let first = thread::spawn(side(bells.0, other_bells.1, true));
        let second = thread::spawn(side(other_bells.0, bells.1, false));
        first.join().unwrap();
        second.join().unwrap();
    }

    #[test]
    #[should_panic(expected = "this thread runs a future already")]
    fn a_thread_runs_one_future_at_a_time() {
        block_on(async { block_on(async {}) });
    }
}
