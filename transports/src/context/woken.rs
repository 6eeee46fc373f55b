//! Which futures of a context were woken.
//!
//! Nearly always one future of a context wakes another, in a turn of that context: then its place is noted in memory that no other
//! thread sees, without a lock. Whoever wakes it from elsewhere, or between two turns, locks, and wakes the context too.

use std::{
    cell::RefCell,
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

use super::CURRENT;

/// Where a context keeps a future.
pub(super) type Place = usize;

/// How many are polled in one turn: whatever else the executor runs is not held up.
pub(super) const TURN: usize = 64;

/// As many as that are not polled in a turn for each that has woken itself: it waits for something outside of the context.
const YIELD: usize = TURN / 8;

/// The futures of a context that were woken.
#[derive(Default)]
pub(super) struct Woken {
    here: RefCell<Here>,
    elsewhere: Arc<Elsewhere>,
}

/// What the context's own thread has noted.
#[derive(Default)]
struct Here {
    line: Line,
    /// Those that whoever is being polled has spawned: they come behind all others whom it wakes.
    spawned: Vec<Place>,
    /// Whether the context is in a turn, and comes to those that are woken now by itself.
    is_in_turn: bool,
    /// How many may be polled before the turn ends.
    left: usize,
    /// Who is being polled, or was last.
    polled: Place,
    /// Wakes the context. It is known elsewhere too.
    waker: Option<Waker>,
}

/// What others have noted.
#[derive(Default)]
struct Elsewhere {
    /// Whether there may be anything in the line.
    has_any: AtomicBool,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    line: Line,
    waker: Option<Waker>,
}

/// Places in the order in which their futures were woken, each once.
#[derive(Default)]
struct Line {
    places: VecDeque<Place>,
    is_in: Vec<bool>,
}

impl Line {
    /// Whether it was not in it before.
    fn push(&mut self, place: Place) -> bool {
        if self.is_in.len() <= place {
            self.is_in.resize(place + 1, false);
        }
        let is_new = !std::mem::replace(&mut self.is_in[place], true);
        if is_new {
            self.places.push_back(place);
        }
        is_new
    }

    fn pop(&mut self) -> Option<Place> {
        let place = self.places.pop_front()?;
        self.is_in[place] = false;
        Some(place)
    }
}

impl Here {
    /// Those that whoever was polled has spawned join the line: nearly always nobody.
    #[inline]
    fn join(&mut self) {
        if self.spawned.is_empty() {
            return;
        }
        for place in self.spawned.drain(..) {
            self.line.push(place);
        }
    }

    fn push(&mut self, place: Place) {
        let is_itself = place == self.polled;
        if is_itself {
            // Who only lets others have their turn lets those have it that it has spawned.
            self.join();
        }
        if self.line.push(place) && is_itself {
            self.left = self.left.saturating_sub(YIELD);
        }
    }
}

impl Woken {
    /// Wakes the future at a place, from wherever.
    pub(super) fn waker(&self, place: Place) -> Waker {
        Waker::from(Arc::new(Ticket { place, context: self.elsewhere.clone() }))
    }

    /// Begins a turn: until its end the context comes by itself to what is woken here.
    pub(super) fn begin_turn(&self, cx: &Context<'_>) {
        let mut here = self.here.borrow_mut();
        here.is_in_turn = true;
        here.left = TURN;
        if here.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return;
        }
        drop(here);
        // A waker is somebody else's: nothing is borrowed or locked where it is cloned and dropped.
        let (ours, theirs) = (cx.waker().clone(), cx.waker().clone());
        let former = (self.here.borrow_mut().waker.replace(ours), self.elsewhere.noted().waker.replace(theirs));
        drop(former);
    }

    /// Ends the turn. Whether somebody here has been woken, and was not polled.
    pub(super) fn end_turn(&self) -> bool {
        let mut here = self.here.borrow_mut();
        here.is_in_turn = false;
        !here.line.places.is_empty() || !here.spawned.is_empty()
    }

    /// Wakes the context, unless it is in a turn.
    pub(super) fn wake_context(&self) {
        let here = self.here.borrow();
        let waker = if here.is_in_turn { None } else { here.waker.clone() };
        drop(here);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Notes a future that was spawned on this thread, to be polled for the first time, and wakes nobody for it. It comes behind all
    /// others that whoever spawns it wakes in the same poll: what they have for it to do is there by then, and it need not wait for that.
    pub(super) fn note_spawned(&self, place: Place) {
        self.here.borrow_mut().spawned.push(place);
    }

    /// The next that was woken. `None` if the turn is over.
    #[inline]
    pub(super) fn next(&self) -> Option<Place> {
        if self.elsewhere.has_any.load(Ordering::Acquire) {
            self.take_over();
        }
        let here = &mut *self.here.borrow_mut();
        here.join();
        here.left = here.left.checked_sub(1)?;
        here.polled = here.line.pop()?;
        Some(here.polled)
    }

    /// Takes over what others have noted.
    #[cold]
    fn take_over(&self) {
        let mut here = self.here.borrow_mut();
        let mut noted = self.elsewhere.noted();
        self.elsewhere.has_any.store(false, Ordering::Relaxed);
        while let Some(place) = noted.line.pop() {
            here.line.push(place);
        }
    }

    /// Notes a future that was woken on this thread. `false` between two turns: then the context does not come by itself.
    fn note_in_turn(&self, place: Place) -> bool {
        let mut here = self.here.borrow_mut();
        if here.is_in_turn {
            here.push(place);
        }
        here.is_in_turn
    }
}

impl Elsewhere {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a future, and wakes the context for it.
    fn note(&self, place: Place) {
        let mut noted = self.noted();
        if !noted.line.push(place) {
            // The context was woken for it, and has not come yet.
            return;
        }
        self.has_any.store(true, Ordering::Release);
        let waker = noted.waker.clone();
        drop(noted);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Wakes one future of a context.
struct Ticket {
    place: Place,
    context: Arc<Elsewhere>,
}

impl Ticket {
    /// Notes it without a lock, if this thread is its context, in a turn.
    fn note_here(&self) -> bool {
        // A thread that ends may wake something on its last way.
        CURRENT
            .try_with(|current| {
                let Ok(current) = current.try_borrow() else { return false };
                let Some(spawner) = &*current else { return false };
                let woken = spawner.woken();
                Arc::ptr_eq(&woken.elsewhere, &self.context) && woken.note_in_turn(self.place)
            })
            .unwrap_or(false)
    }
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.note_here() {
            self.context.note(self.place);
        }
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use std::thread;

    use futures_test::task::new_count_waker;

    use super::*;

    #[test]
    fn whoever_is_woken_from_elsewhere_is_noted_once_and_the_context_is_woken_once() {
        let (waker, times) = new_count_waker();
        let woken = Woken::default();
        woken.begin_turn(&Context::from_waker(&waker));
        let (two, five) = (woken.waker(2), woken.waker(5));

        thread::spawn(move || [two.clone(), five, two].iter().for_each(Waker::wake_by_ref)).join().unwrap();

        assert_eq!(times.get(), 2, "once for each that was not noted");
        assert_eq!([woken.next(), woken.next(), woken.next()], [Some(2), Some(5), None]);
    }

    #[test]
    fn the_newest_waker_of_the_context_is_the_one_that_is_woken() {
        let (old, old_times) = new_count_waker();
        let (new, new_times) = new_count_waker();
        let woken = Woken::default();
        [&old, &new].iter().for_each(|waker| {
            woken.begin_turn(&Context::from_waker(waker));
            woken.end_turn();
        });

        woken.waker(1).wake();
        woken.wake_context();

        assert_eq!((old_times.get(), new_times.get()), (0, 2));
    }

    #[test]
    fn a_context_in_a_turn_is_not_woken_for_what_is_noted_here() {
        let (waker, times) = new_count_waker();
        let woken = Woken::default();
        woken.begin_turn(&Context::from_waker(&waker));

        woken.note_spawned(1);
        woken.wake_context();

        assert_eq!(times.get(), 0);
        assert_eq!((woken.next(), woken.next()), (Some(1), None));
        assert!(!woken.end_turn());
    }
}
