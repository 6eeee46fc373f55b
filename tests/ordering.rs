//! What a method says of its own running: `#[rpc(ordered)]` and `#[rpc(no_cancel)]`.

mod common;

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc, time::Duration};

use common::{Way, settle};
use futures::{Stream, StreamExt, channel::oneshot, poll, stream};
use handover::{
    Interruption, Refusal, ServeOptions,
    clock::{self, ManualClock},
    context,
    prelude::*,
};

const SECOND: Duration = Duration::from_secs(1);

#[service]
trait Desk {
    /// Waits until it is let go.
    #[rpc(ordered)]
    async fn file(&self, paper: u32) -> u32;
    /// Waits in the same queue.
    #[rpc(ordered)]
    async fn stamp(&self, paper: u32) -> u32;
    /// Waits as well, beside whatever waits.
    async fn read(&self, paper: u32) -> u32;
    #[rpc(no_cancel)]
    async fn save(&self, paper: u32) -> u32;
    #[rpc(ordered, no_cancel)]
    async fn seal(&self, paper: u32) -> u32;
    /// Waits in the same queue, with something to say.
    #[rpc(ordered)]
    fn recite(&self, paper: u32) -> impl Stream<Item = u32>;
    async fn look(&self) -> u32;
}

/// What happens at the desk, and what is waited for there.
#[derive(Clone, Default)]
struct Events(Rc<Inner>);

#[derive(Default)]
struct Inner {
    log: RefCell<Vec<String>>,
    waiting: RefCell<HashMap<u32, oneshot::Sender<()>>>,
}

impl Events {
    fn note(&self, what: &str, paper: u32) {
        self.0.log.borrow_mut().push(format!("{what} {paper}"));
    }

    fn take(&self) -> Vec<String> {
        self.0.log.take()
    }

    fn let_go(&self, paper: u32) {
        let waiting = self.0.waiting.borrow_mut().remove(&paper);
        waiting.expect("nothing waits with this paper").send(()).expect("the method has ended");
    }

    /// Begins with a paper, and ends when that is let go.
    async fn work(&self, paper: u32) -> u32 {
        let (let_go, wait) = oneshot::channel();
        self.0.waiting.borrow_mut().insert(paper, let_go);
        self.note("begin", paper);
        let mut on_the_way = Dropped(Some((self.clone(), paper)));
        wait.await.unwrap();
        on_the_way.0 = None;
        self.note("end", paper);
        paper
    }
}

/// Notes that a method was dropped on its way.
struct Dropped(Option<(Events, u32)>);

impl Drop for Dropped {
    fn drop(&mut self) {
        if let Some((events, paper)) = &self.0 {
            events.note("drop", *paper);
        }
    }
}

impl Desk for Events {
    async fn file(&self, paper: u32) -> u32 {
        self.work(paper).await
    }

    async fn stamp(&self, paper: u32) -> u32 {
        self.work(paper).await
    }

    async fn read(&self, paper: u32) -> u32 {
        self.work(paper).await
    }

    async fn save(&self, paper: u32) -> u32 {
        self.work(paper).await
    }

    async fn seal(&self, paper: u32) -> u32 {
        self.work(paper).await
    }

    fn recite(&self, paper: u32) -> impl Stream<Item = u32> {
        stream::once(self.work(paper))
    }

    async fn look(&self) -> u32 {
        7
    }
}

/// Runs a test over the two ways within a thread, where a test can see what happens.
fn at_a_desk<Fut: Future<Output = ()>>(test: impl Fn(DeskClient, Events) -> Fut) {
    at_a_desk_with(ServeOptions::default(), test);
}

fn at_a_desk_with<Fut: Future<Output = ()>>(options: ServeOptions, test: impl Fn(DeskClient, Events) -> Fut) {
    for way in [Way::Direct, Way::Bytes, Way::Stream] {
        println!("way: {way:?}");
        context::block_on(async {
            let (events, options) = (Events::default(), options.clone());
            let served = events.clone();
            let desk = way.spawn_here(|port| DeskServer::new(served).with(options).serve(port));
            test(desk, events).await;
        });
    }
}

#[test]
fn ordered_calls_run_one_after_the_other_in_the_order_in_which_they_were_sent() {
    at_a_desk(async |desk, events| {
        let (mut first, mut second, mut third) = (desk.file(1), desk.stamp(2), desk.file(3));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending() && poll!(&mut third).is_pending());
        settle().await;
        assert_eq!(events.take(), ["begin 1"]);

        events.let_go(1);
        settle().await;
        assert_eq!(events.take(), ["end 1", "begin 2"]);
        events.let_go(2);
        settle().await;
        assert_eq!(events.take(), ["end 2", "begin 3"]);
        events.let_go(3);

        assert_eq!((first.await, second.await, third.await), (Ok(1), Ok(2), Ok(3)));
    });
}

#[test]
fn other_calls_run_beside_ordered_ones() {
    at_a_desk(async |desk, events| {
        let (mut ordered, mut queued, mut beside) = (desk.file(1), desk.file(2), desk.read(3));
        assert!(poll!(&mut ordered).is_pending() && poll!(&mut queued).is_pending());
        assert!(poll!(&mut beside).is_pending());
        settle().await;
        assert_eq!(events.take(), ["begin 1", "begin 3"]);

        assert_eq!(desk.look().await, Ok(7));
        events.let_go(3);

        assert_eq!(beside.await, Ok(3));
        assert_eq!(events.take(), ["end 3"], "the queue waits still");
    });
}

#[test]
fn an_ordered_call_that_is_cancelled_in_the_queue_is_never_begun() {
    at_a_desk(async |desk, events| {
        let (mut first, mut second, mut third) = (desk.file(1), desk.file(2), desk.file(3));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending() && poll!(&mut third).is_pending());
        settle().await;

        drop(second);
        settle().await;
        events.let_go(1);
        assert_eq!(first.await, Ok(1));
        settle().await;

        assert_eq!(events.take(), ["begin 1", "end 1", "begin 3"]);
        events.let_go(3);
        assert_eq!(third.await, Ok(3));
    });
}

#[test]
fn an_ordered_method_that_returns_a_stream_has_its_turn_until_the_stream_has_ended() {
    at_a_desk(async |desk, events| {
        let (mut given_up, mut filed) = (desk.recite(2), desk.file(3));
        let mut recited = desk.recite(1).await.unwrap();
        assert!(poll!(&mut given_up).is_pending() && poll!(&mut filed).is_pending());
        assert!(poll!(recited.next()).is_pending());
        settle().await;
        drop(given_up);
        settle().await;
        assert_eq!(events.take(), ["begin 1"]);

        events.let_go(1);
        assert_eq!(recited.next().await, Some(Ok(1)));
        assert_eq!(recited.next().await, None);
        settle().await;

        assert_eq!(events.take(), ["end 1", "begin 3"]);
        events.let_go(3);
        assert_eq!(filed.await, Ok(3));
    });
}

#[test]
fn an_ordered_call_whose_time_is_up_in_the_queue_is_never_begun() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());

    at_a_desk_with(ServeOptions::default().deadline(SECOND), async |desk, events| {
        let (mut sealed, mut filed) = (desk.seal(1), desk.file(2));
        assert!(poll!(&mut sealed).is_pending() && poll!(&mut filed).is_pending());
        settle().await;

        clock.advance(SECOND);
        settle().await;
        events.let_go(1);

        assert_eq!(sealed.await, Ok(1));
        assert_eq!(filed.await, Err(CallError::Refused(Refusal::DeadlineExceeded)), "it did not run");
        assert_eq!(events.take(), ["begin 1", "end 1"]);
    });
}

#[test]
fn an_ordered_call_that_is_cancelled_while_it_runs_makes_room_for_the_next() {
    at_a_desk(async |desk, events| {
        let (mut first, mut second) = (desk.file(1), desk.file(2));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        settle().await;

        drop(first);
        settle().await;

        assert_eq!(events.take(), ["begin 1", "drop 1", "begin 2"]);
        events.let_go(2);
        assert_eq!(second.await, Ok(2));
    });
}

#[test]
fn a_call_that_cannot_be_cancelled_runs_to_its_end_and_its_reply_is_dropped_quietly() {
    at_a_desk(async |desk, events| {
        let (mut saved, mut read) = (desk.save(1), desk.read(2));
        assert!(poll!(&mut saved).is_pending() && poll!(&mut read).is_pending());
        settle().await;

        drop((saved, read));
        settle().await;
        assert_eq!(events.take(), ["begin 1", "begin 2", "drop 2"], "the other one can be cancelled");
        events.let_go(1);
        settle().await;

        assert_eq!(events.take(), ["end 1"]);
        assert_eq!(desk.look().await, Ok(7), "the reply that nobody wants is no answer to another call");
    });
}

#[test]
fn a_call_that_cannot_be_cancelled_runs_to_its_end_after_its_client_has_gone() {
    at_a_desk(async |desk, events| {
        let mut saved = desk.save(1);
        assert!(poll!(&mut saved).is_pending());
        settle().await;

        drop(saved);
        drop(desk);
        settle().await;
        events.let_go(1);
        settle().await;

        assert_eq!(events.take(), ["begin 1", "end 1"]);
    });
}

#[test]
fn an_ordered_call_that_cannot_be_cancelled_keeps_the_queue_waiting() {
    at_a_desk(async |desk, events| {
        let (mut sealed, mut filed) = (desk.seal(1), desk.file(2));
        assert!(poll!(&mut sealed).is_pending() && poll!(&mut filed).is_pending());
        settle().await;

        drop(sealed);
        settle().await;
        assert_eq!(events.take(), ["begin 1"]);
        events.let_go(1);
        settle().await;

        assert_eq!(events.take(), ["end 1", "begin 2"]);
        events.let_go(2);
        assert_eq!(filed.await, Ok(2));
    });
}

#[test]
fn a_deadline_ends_the_waiting_and_not_the_method_that_cannot_be_cancelled() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    let late = Err(CallError::Unknown(Interruption::DeadlineExceeded));

    at_a_desk(async |desk, events| {
        let (mut saved, mut read) = (desk.save(1).deadline(SECOND), desk.read(2).deadline(SECOND));
        assert!(poll!(&mut saved).is_pending() && poll!(&mut read).is_pending());
        settle().await;

        clock.advance(SECOND);

        assert_eq!((saved.await, read.await), (late.clone(), late.clone()));
        settle().await;
        assert_eq!(events.take(), ["begin 1", "begin 2", "drop 2"]);
        events.let_go(1);
        settle().await;
        assert_eq!(events.take(), ["end 1"]);
        assert_eq!(desk.look().await, Ok(7));
    });
}

#[test]
fn a_deadline_of_the_service_does_not_end_a_method_that_cannot_be_cancelled() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());

    at_a_desk_with(ServeOptions::default().deadline(SECOND), async |desk, events| {
        let mut saved = desk.save(1);
        assert!(poll!(&mut saved).is_pending());
        settle().await;

        clock.advance(SECOND);
        settle().await;
        events.let_go(1);

        assert_eq!(saved.await, Ok(1));
        assert_eq!(events.take(), ["begin 1", "end 1"]);
    });
}
