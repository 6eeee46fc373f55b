//! The futures of a context, and the turns in which they are polled.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use futures::future::LocalBoxFuture;

use super::{
    spawner::{MAIN, New, Spawner},
    woken::Place,
};

/// What a context runs: its main future, which somebody else keeps, and those beside it.
///
/// They are polled in the order in which they were woken; a new one comes behind all others that its spawner wakes.
pub(crate) struct Tasks {
    places: Vec<Task>,
    spawner: Spawner,
    /// Empty, with the room that new ones are taken over in.
    room: Vec<New>,
}

/// One of them. Whoever comes to its place after it has its waker too, and may be woken for nothing.
struct Task {
    waker: Waker,
    /// None of the main one, and where there is nothing.
    future: Option<LocalBoxFuture<'static, ()>>,
}

impl Default for Tasks {
    fn default() -> Self {
        let spawner = Spawner::default();
        let main = Task { waker: spawner.woken().waker(MAIN), future: None };
        // To be polled for the first time.
        spawner.woken().note_spawned(MAIN);
        Self { places: vec![main], spawner, room: Vec::new() }
    }
}

impl Tasks {
    /// The way to add more.
    pub(crate) fn spawner(&self) -> &Spawner {
        &self.spawner
    }

    /// Begins a turn: what is woken from now on by what runs here is polled in that turn, or in one that follows by itself.
    pub(crate) fn begin(&self, cx: &Context<'_>) {
        self.spawner.woken().begin_turn(cx);
    }

    /// Polls those that were woken beside the main future, and ends the turn. Ready when all are done.
    #[cfg(any(feature = "worker-thread", all(feature = "wasm-worker", target_family = "wasm", target_os = "unknown")))]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _main_is_polled_elsewhere = self.poll_all(|_| Poll::<()>::Pending, cx);
        if self.spawner.has_any() { Poll::Pending } else { Poll::Ready(()) }
    }

    /// Polls those that were woken, the main future too, and ends the turn. Ready with what the main future returns: it is what the context is
    /// there for.
    pub(crate) fn poll_with<F: Future>(&mut self, mut main: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.poll_all(|cx| main.as_mut().poll(cx), cx)
    }

    fn poll_all<T>(&mut self, mut poll_main: impl FnMut(&mut Context<'_>) -> Poll<T>, cx: &mut Context<'_>) -> Poll<T> {
        let mut polled = Poll::Pending;
        while polled.is_pending()
            && let Some(place) = self.spawner.woken().next()
        {
            if place == MAIN {
                polled = poll_main(&mut Context::from_waker(&self.places[MAIN].waker));
            } else {
                self.poll_beside(place);
            }
        }
        if self.spawner.woken().end_turn() && polled.is_pending() {
            cx.waker().wake_by_ref();
        }
        polled
    }

    fn poll_beside(&mut self, place: Place) {
        if self.places.get(place).is_none_or(|task| task.future.is_none()) {
            self.take_new();
        }
        let Some(Task { waker, future: at_place }) = self.places.get_mut(place) else { return };
        let Some(mut future) = at_place.take() else { return };
        // Also if it panics.
        let leaving = Leaving { spawner: &self.spawner, place };
        if future.as_mut().poll(&mut Context::from_waker(waker)).is_pending() {
            *at_place = Some(future);
            leaving.stay();
        }
    }

    /// Takes over those that were spawned since the last time.
    fn take_new(&mut self) {
        self.spawner.take_new(&mut self.room);
        for New { place, future } in self.room.drain(..) {
            while self.places.len() <= place {
                let waker = self.spawner.woken().waker(self.places.len());
                self.places.push(Task { waker, future: None });
            }
            self.places[place].future = Some(future);
        }
    }

    /// Drops all of them, and those that they spawn when they are dropped. If one panics, the others are there still.
    #[cfg(feature = "worker-thread")]
    pub(crate) fn clear(&mut self) {
        loop {
            self.take_new();
            let Some(place) = self.places.iter().position(|task| task.future.is_some()) else { return };
            let future = self.places[place].future.take();
            let _leaving = Leaving { spawner: &self.spawner, place };
            drop(future);
        }
    }
}

/// One that leaves its place, unless it stays after all.
struct Leaving<'t> {
    spawner: &'t Spawner,
    place: Place,
}

impl Leaving<'_> {
    fn stay(self) {
        std::mem::forget(self);
    }
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.spawner.leave(self.place);
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use std::{
        cell::{Cell, RefCell},
        future::poll_fn,
        pin::pin,
        rc::Rc,
        thread,
    };

    use futures::channel::oneshot;
    use futures_test::{future::FutureTestExt, task::new_count_waker};

    use super::{super::woken::TURN, *};
    use crate::context;

    /// Waits once, and is woken at once.
    async fn turn() {
        async {}.pending_once().await;
    }

    /// Counts a poll, and fails where they do not end.
    fn count(polls: &Cell<usize>) {
        polls.set(polls.get() + 1);
        assert!(polls.get() < 100 * TURN, "a turn does not end");
    }

    #[test]
    fn those_that_were_woken_are_polled_in_that_order() {
        let order = Rc::new(RefCell::new(Vec::new()));
        context::block_on(async {
            let mut wake = Vec::new();
            for number in 0..3 {
                let (woken, wait) = oneshot::channel::<()>();
                let order = order.clone();
                context::spawn_local(async move {
                    wait.await.unwrap();
                    order.borrow_mut().push(number);
                });
                wake.push(woken);
            }
            turn().await;
            for index in [1, 1, 0] {
                wake.remove(index).send(()).unwrap();
            }
            turn().await;
        });
        assert_eq!(*order.borrow(), [1, 2, 0]);
    }

    #[test]
    fn one_that_was_spawned_is_polled_after_those_that_its_spawner_woke() {
        let order = Rc::new(RefCell::new(Vec::new()));
        context::block_on(async {
            let note = |name| {
                let order = order.clone();
                move || order.borrow_mut().push(name)
            };
            let (wake, woken) = oneshot::channel::<()>();
            let note_woken = note("woken");
            context::spawn_local(async move {
                woken.await.unwrap();
                note_woken();
            });
            turn().await;
            let (note_first, note_second) = (note("spawned first"), note("spawned second"));
            context::spawn_local(async move { note_first() });
            context::spawn_local(async move { note_second() });
            wake.send(()).unwrap();
            turn().await;
        });
        assert_eq!(*order.borrow(), ["woken", "spawned first", "spawned second"]);
    }

    #[test]
    fn futures_that_never_rest_leave_the_executor_to_others_and_are_polled_again_by_themselves() {
        let (waker, times) = new_count_waker();
        let mut cx = Context::from_waker(&waker);
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        let mut context = pin!(context::run(async move {
            for _ in 0..2 {
                let polls = counted.clone();
                context::spawn_local(async move {
                    loop {
                        count(&polls);
                        turn().await;
                    }
                });
            }
            std::future::pending::<()>().await;
        }));

        for turns in 1..=3 {
            assert!(context.as_mut().poll(&mut cx).is_pending());
            assert_eq!(times.get(), turns, "it is to be polled again");
        }

        assert!((3..=3 * TURN).contains(&polls.get()), "{} polls in three turns", polls.get());
    }

    #[test]
    fn two_that_wake_each_other_for_ever_leave_the_executor_to_others() {
        let (waker, times) = new_count_waker();
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        let mut context = pin!(context::run(async move {
            let wakers = Rc::new(RefCell::new([const { None::<Waker> }; 2]));
            for (own, other) in [(0, 1), (1, 0)] {
                let (wakers, polls) = (wakers.clone(), counted.clone());
                context::spawn_local(poll_fn(move |cx| {
                    count(&polls);
                    wakers.borrow_mut()[own] = Some(cx.waker().clone());
                    let other = wakers.borrow()[other].clone();
                    other.into_iter().for_each(Waker::wake);
                    Poll::Pending
                }));
            }
            std::future::pending::<()>().await;
        }));

        assert!(context.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());

        assert!((2..=TURN).contains(&polls.get()), "{} polls in one turn", polls.get());
        assert_eq!(times.get(), 1);
    }

    #[test]
    fn other_threads_wake_what_runs_in_a_context_and_its_main_future() {
        context::block_on(async {
            for _ in 0..1000 {
                let (ask, asked) = oneshot::channel();
                let (answer, answered) = oneshot::channel();
                let (done, is_done) = oneshot::channel();
                context::spawn_local(async move { done.send(answered.await.unwrap()).unwrap() });
                let other = thread::spawn(move || {
                    answer.send(1).unwrap();
                    ask.send(2).unwrap();
                });
                assert_eq!((asked.await, is_done.await), (Ok(2), Ok(1)));
                other.join().unwrap();
            }
        });
    }

    #[cfg(feature = "worker-thread")]
    #[test]
    fn what_is_woken_between_two_turns_wakes_the_context() {
        let (waker, times) = new_count_waker();
        let mut cx = Context::from_waker(&waker);
        let mut tasks = Tasks::default();
        // As in a worker: nobody else runs on its thread.
        let _entered = tasks.spawner().enter();
        let (go, gone) = oneshot::channel::<()>();
        context::spawn_local(async { gone.await.unwrap() });
        tasks.begin(&cx);
        assert!(tasks.poll(&mut cx).is_pending());

        go.send(()).unwrap();

        assert_eq!(times.get(), 1);
        tasks.begin(&cx);
        assert!(tasks.poll(&mut cx).is_ready());
    }

    #[test]
    fn the_waker_of_one_that_has_ended_wakes_nobody_who_minds() {
        context::block_on(async {
            let (sent, waker) = oneshot::channel();
            context::spawn_local(async {
                let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
                sent.send(waker).unwrap();
            });
            let old = waker.await.unwrap();
            let (go, gone) = oneshot::channel();
            let (done, is_done) = oneshot::channel();
            context::spawn_local(async move { done.send(gone.await).unwrap() });
            turn().await;

            old.wake_by_ref();
            turn().await;
            go.send(7).unwrap();

            assert_eq!(is_done.await, Ok(Ok(7)));
            thread::spawn(move || old.wake()).join().unwrap();
            turn().await;
        });
    }

    #[test]
    fn a_context_that_is_over_may_be_woken_still() {
        let waker = context::block_on(async {
            let (sent, waker) = oneshot::channel();
            context::spawn_local(async {
                sent.send(poll_fn(|cx| Poll::Ready(cx.waker().clone())).await).unwrap();
                std::future::pending::<()>().await;
            });
            waker.await.unwrap()
        });

        waker.wake_by_ref();
        context::block_on(async { waker.wake() });
    }
}
