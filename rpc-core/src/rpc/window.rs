//! How many calls a client may have under way: as many as its service said, or as it likes.

use std::{
    collections::VecDeque,
    sync::OnceLock,
    task::{Context, Poll, Waker},
};

use rustc_hash::FxHashSet;

use super::{frame::Window, inspector::WindowState};
use crate::sync::{
    Guard, Mutex,
    atomic::{AtomicBool, Ordering},
};

/// The calls under way of one client, and those that wait until there is room. First come, first served.
///
/// As long as the service has not said how many it takes, nothing is counted, and a call only looks at one flag.
pub(super) struct CallWindow {
    is_limited: AtomicBool,
    /// Made when the service says how many it takes: most never do.
    state: OnceLock<Box<Mutex<State>>>,
}

struct State {
    limit: Window,
    /// Bytes of arguments in calls under way.
    bytes: u64,
    calls: Lane,
    tells: Lane,
}

/// Calls, or one-way calls.
#[derive(Default)]
struct Lane {
    used: u32,
    waiting: VecDeque<(PlaceKey, Waker)>,
    /// Those whose turn has come and who have not noticed yet. They are in `used`.
    admitted: FxHashSet<PlaceKey>,
    last_key: PlaceKey,
}

type PlaceKey = u64;

const UNLIMITED: Window = Window { calls: u32::MAX, bytes: u64::MAX };

/// Which lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Call,
    Tell,
}

/// Where a call is in the window.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Not in it, or not counted.
    #[default]
    Outside,
    /// It waits for its turn.
    Waiting(PlaceKey),
    /// It is under way.
    Inside,
}

impl CallWindow {
    pub(super) fn new() -> Self {
        Self { is_limited: AtomicBool::new(false), state: OnceLock::new() }
    }

    fn lock(&self) -> Guard<'_, State> {
        self.state.get_or_init(|| Box::new(Mutex::new(State::unlimited()))).lock()
    }

    /// Whether a call may be sent now. Registers the task if not.
    #[inline]
    pub(super) fn poll_enter(&self, kind: Kind, place: &mut Place, cx: &mut Context<'_>) -> Poll<()> {
        // Nothing else is read because of the flag: a call that does not see it yet is one that was sent before.
        if *place == Place::Outside && !self.is_limited.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        self.poll_enter_limited(kind, place, cx)
    }

    fn poll_enter_limited(&self, kind: Kind, place: &mut Place, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let has_room = state.has_room(kind);
        let (polled, replaced) = state.lane(kind).poll_enter(has_room, place, cx);
        drop(state);
        drop(replaced);
        polled
    }

    /// A call has ended, or waits no longer for its turn.
    #[inline]
    pub(super) fn leave(&self, kind: Kind, place: &mut Place) {
        if *place != Place::Outside {
            self.leave_limited(kind, place);
        }
    }

    fn leave_limited(&self, kind: Kind, place: &mut Place) {
        let place = std::mem::take(place);
        let mut state = self.lock();
        let forgotten = state.lane(kind).leave(&place);
        let next = state.admit();
        drop(state);
        drop(forgotten);
        next.into_iter().for_each(Waker::wake);
    }

    /// The service has said how much it takes. What is under way already was not counted, and is not now.
    pub(super) fn limit(&self, window: Window) {
        let mut state = self.lock();
        state.limit = Window { calls: window.calls.max(1), bytes: window.bytes.max(1) };
        self.is_limited.store(true, Ordering::Relaxed);
        let next = state.admit();
        drop(state);
        next.into_iter().for_each(Waker::wake);
    }

    /// The service has given back so many one-way calls.
    pub(super) fn credit(&self, tells: u32) {
        let mut state = self.lock();
        state.tells.used = state.tells.used.saturating_sub(tells);
        let next = state.admit();
        drop(state);
        next.into_iter().for_each(Waker::wake);
    }

    /// A one-way call is sent, without waiting for its turn.
    pub(super) fn enter_at_once(&self) {
        if self.is_limited.load(Ordering::Relaxed) {
            let mut state = self.lock();
            state.tells.used = state.tells.used.saturating_add(1);
        }
    }

    /// How much of it is used. `None` if it has no limit.
    pub(super) fn state(&self) -> Option<WindowState> {
        let state = self.state.get()?.lock();
        let is_limited = state.limit != UNLIMITED;
        is_limited.then(|| WindowState {
            most_calls: state.limit.calls,
            most_bytes: state.limit.bytes,
            calls: state.calls.used,
            waiting_calls: state.calls.waiting.len(),
            tells: state.tells.used,
            waiting_tells: state.tells.waiting.len(),
            bytes: state.bytes,
        })
    }

    /// Whether anything is counted.
    pub(super) fn is_limited(&self) -> bool {
        self.is_limited.load(Ordering::Relaxed)
    }

    /// So many bytes more are under way.
    pub(super) fn add_bytes(&self, bytes: u64) {
        let mut state = self.lock();
        state.bytes = state.bytes.saturating_add(bytes);
    }

    /// So many bytes fewer.
    pub(super) fn remove_bytes(&self, bytes: u64) {
        let mut state = self.lock();
        state.bytes = state.bytes.saturating_sub(bytes);
        let next = state.admit();
        drop(state);
        next.into_iter().for_each(Waker::wake);
    }

    /// The port is closed: whoever waits finds out by himself.
    pub(super) fn open_wide(&self) {
        if self.state.get().is_some() {
            self.limit(UNLIMITED);
        }
    }
}

impl State {
    fn unlimited() -> Self {
        Self { limit: UNLIMITED, bytes: 0, calls: Lane::default(), tells: Lane::default() }
    }

    fn lane(&mut self, kind: Kind) -> &mut Lane {
        match kind {
            Kind::Call => &mut self.calls,
            Kind::Tell => &mut self.tells,
        }
    }

    fn has_room(&self, kind: Kind) -> bool {
        match kind {
            Kind::Call => self.calls.used < self.limit.calls && self.bytes < self.limit.bytes,
            Kind::Tell => self.tells.used < self.limit.calls,
        }
    }

    /// Lets in whom there is room for.
    #[must_use = "wake after unlocking"]
    fn admit(&mut self) -> Vec<Waker> {
        let mut admitted = Vec::new();
        for kind in [Kind::Call, Kind::Tell] {
            while self.has_room(kind)
                && let Some(waker) = self.lane(kind).admit_first()
            {
                admitted.push(waker);
            }
        }
        admitted
    }
}

impl Lane {
    fn poll_enter(&mut self, has_room: bool, place: &mut Place, cx: &mut Context<'_>) -> (Poll<()>, Option<Waker>) {
        match *place {
            Place::Inside => (Poll::Ready(()), None),
            Place::Outside if has_room && self.waiting.is_empty() => {
                self.used = self.used.saturating_add(1);
                *place = Place::Inside;
                (Poll::Ready(()), None)
            }
            Place::Outside => {
                self.last_key += 1;
                *place = Place::Waiting(self.last_key);
                self.waiting.push_back((self.last_key, cx.waker().clone()));
                (Poll::Pending, None)
            }
            Place::Waiting(key) if self.admitted.remove(&key) => {
                *place = Place::Inside;
                (Poll::Ready(()), None)
            }
            Place::Waiting(key) => {
                let waiting = self.waiting.iter_mut().find(|(waiting, _)| *waiting == key);
                let replaced = waiting
                    .filter(|(_, waker)| !waker.will_wake(cx.waker()))
                    .map(|(_, waker)| std::mem::replace(waker, cx.waker().clone()));
                (Poll::Pending, replaced)
            }
        }
    }

    fn admit_first(&mut self) -> Option<Waker> {
        let (key, waker) = self.waiting.pop_front()?;
        self.admitted.insert(key);
        self.used = self.used.saturating_add(1);
        Some(waker)
    }

    /// Hands back the waker of one who waits no longer.
    fn leave(&mut self, place: &Place) -> Option<Waker> {
        match *place {
            Place::Outside => {}
            Place::Inside => self.used = self.used.saturating_sub(1),
            Place::Waiting(key) if self.admitted.remove(&key) => self.used = self.used.saturating_sub(1),
            Place::Waiting(key) => {
                let index = self.waiting.iter().position(|(waiting, _)| *waiting == key)?;
                return self.waiting.remove(index).map(|(_, waker)| waker);
            }
        }
        None
    }
}

#[cfg(all(test, loom))]
mod races;

#[cfg(all(test, not(loom)))]
mod tests {
    use futures::task::noop_waker_ref;

    use super::*;

    fn enter(window: &CallWindow, place: &mut Place) -> bool {
        window.poll_enter(Kind::Call, place, &mut Context::from_waker(noop_waker_ref())).is_ready()
    }

    fn window_of(calls: u32, bytes: u64) -> CallWindow {
        let window = CallWindow::new();
        window.limit(Window { calls, bytes });
        window
    }

    #[test]
    fn whoever_waits_longest_is_next() {
        let window = window_of(1, u64::MAX);
        let [mut first, mut second, mut third] = [const { Place::Outside }; 3];
        assert!(enter(&window, &mut first));
        assert!(!enter(&window, &mut second));
        assert!(!enter(&window, &mut third));

        window.leave(Kind::Call, &mut first);

        assert!(!enter(&window, &mut third), "the second waits longer");
        assert!(!enter(&window, &mut Place::Outside), "a newcomer waits behind them");
        assert!(enter(&window, &mut second));
    }

    #[test]
    fn a_turn_that_came_to_one_who_has_left_goes_to_the_next() {
        let window = window_of(1, u64::MAX);
        let [mut first, mut second, mut third] = [const { Place::Outside }; 3];
        assert!(enter(&window, &mut first));
        assert!(!enter(&window, &mut second));
        assert!(!enter(&window, &mut third));

        window.leave(Kind::Call, &mut first);
        window.leave(Kind::Call, &mut second);

        assert!(enter(&window, &mut third));
    }

    #[test]
    fn one_more_call_is_sent_as_long_as_there_are_fewer_bytes() {
        let window = window_of(10, 100);
        let [mut first, mut second] = [const { Place::Outside }; 2];
        assert!(enter(&window, &mut first));
        window.add_bytes(100);
        assert!(!enter(&window, &mut second));

        window.remove_bytes(1);

        assert!(enter(&window, &mut second));
    }

    #[test]
    fn credit_for_more_than_was_sent_is_no_credit_for_later() {
        let window = window_of(1, u64::MAX);
        window.credit(u32::MAX);
        let mut cx = Context::from_waker(noop_waker_ref());

        assert!(window.poll_enter(Kind::Tell, &mut Place::Outside, &mut cx).is_ready());
        assert!(window.poll_enter(Kind::Tell, &mut Place::Outside, &mut cx).is_pending());
    }

    #[test]
    fn a_window_of_nothing_is_a_window_of_one() {
        let window = window_of(0, 0);

        assert!(enter(&window, &mut Place::Outside));
    }

    #[test]
    fn everyone_is_let_through_when_the_port_is_closed() {
        let window = window_of(1, u64::MAX);
        let [mut first, mut second] = [const { Place::Outside }; 2];
        assert!(enter(&window, &mut first));
        assert!(!enter(&window, &mut second));

        window.open_wide();

        assert!(enter(&window, &mut second));
    }
}
