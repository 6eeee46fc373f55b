//! How much a service takes at a time: the window of its callers, what waits, and what is refused.

mod common;

use std::{cell::Cell, collections::VecDeque, rc::Rc, sync::Arc, time::Duration};

use common::{Way, over_every_way, settle, turn};
use futures::{FutureExt, channel::oneshot, future::join_all, poll};
use handover::{
    MessageChannel, NotSent, Refusal, ServeOptions,
    clock::{self, ManualClock},
    context,
    prelude::*,
};

const WINDOW: u32 = 16;

#[service]
trait Answerer {
    async fn ask(&self, question: u32) -> u32;
}

#[service]
trait Counter {
    /// Asks its caller, and adds one.
    async fn count(&self, number: u32, caller: AnswererClient) -> Result<u32, String>;
    /// Asks whom it was introduced to.
    async fn count_again(&self, number: u32) -> Result<u32, String>;
    /// The most that ran at a time.
    async fn most(&self) -> u32;
}

struct Home;

impl Answerer for Home {
    async fn ask(&self, question: u32) -> u32 {
        turn().await;
        question
    }
}

#[derive(Default)]
struct Busy {
    running: Cell<u32>,
    most: Cell<u32>,
    friend: Option<AnswererClient>,
}

impl Busy {
    async fn ask(&self, friend: &AnswererClient, number: u32) -> Result<u32, String> {
        self.running.set(self.running.get() + 1);
        self.most.set(self.most.get().max(self.running.get()));
        let answer = friend.ask(number).await.map_err(|error| error.to_string())?;
        self.running.set(self.running.get() - 1);
        Ok(answer + 1)
    }
}

impl Counter for Busy {
    async fn count(&self, number: u32, caller: AnswererClient) -> Result<u32, String> {
        self.ask(&caller, number).await
    }

    async fn count_again(&self, number: u32) -> Result<u32, String> {
        self.ask(self.friend.as_ref().unwrap(), number).await
    }

    async fn most(&self) -> u32 {
        self.most.get()
    }
}

#[test]
fn ten_thousand_calls_over_a_window_of_sixteen_that_call_back_all_end() {
    over_every_way(async |way| {
        let (ours, theirs) = MessageChannel::new().into_ports();
        context::spawn_local(AnswererServer::new(Home).with(ServeOptions::default().max_calls(WINDOW)).serve(ours));
        let counter: CounterClient = way.spawn(move |port| {
            let busy = Busy { friend: Some(theirs.into()), ..Busy::default() };
            CounterServer::new(busy).with(ServeOptions::default().max_calls(WINDOW)).serve(port)
        });

        let answers = join_all((0..10_000).map(|number| counter.count_again(number))).await;

        assert!(answers.into_iter().eq((0..10_000).map(|number| Ok(number + 1))));
        assert_eq!(counter.most().await, Ok(WINDOW));
    });
}

#[test]
fn a_window_holds_when_each_call_brings_its_own_way_back() {
    over_every_way(async |way| {
        let counter: CounterClient = way.spawn(move |port| {
            CounterServer::new(Busy::default()).with(ServeOptions::default().max_calls(WINDOW)).serve(port)
        });
        let friend = || handover::in_process::spawn(|port| AnswererServer::new(Home).serve(port));

        let answers = join_all((0..1000).map(|number| counter.count(number, friend()))).await;

        assert!(answers.into_iter().eq((0..1000).map(|number| Ok(number + 1))));
        assert_eq!(counter.most().await, Ok(WINDOW));
    });
}

#[service]
trait Gate {
    async fn pass(&self, number: u32);
    async fn carry(&self, load: Vec<u8>);
    #[rpc(oneway)]
    async fn note(&self, number: u32);
}

/// Everyone waits until it is let through.
#[derive(Clone, Default)]
struct Keeper {
    waiting: Rc<std::cell::RefCell<VecDeque<oneshot::Sender<()>>>>,
    seen: Rc<std::cell::RefCell<Vec<u32>>>,
}

impl Keeper {
    async fn wait(&self) {
        let (open, gate) = oneshot::channel();
        self.waiting.borrow_mut().push_back(open);
        let _opened = gate.await;
    }

    fn waiting(&self) -> usize {
        self.waiting.borrow().len()
    }

    fn open_one(&self) {
        let open = self.waiting.borrow_mut().pop_front().expect("somebody waits");
        let _left = open.send(());
    }
}

impl Gate for Keeper {
    async fn pass(&self, number: u32) {
        self.seen.borrow_mut().push(number);
        self.wait().await;
    }

    async fn carry(&self, load: Vec<u8>) {
        drop(load);
        self.wait().await;
    }

    async fn note(&self, number: u32) {
        self.seen.borrow_mut().push(number);
        self.wait().await;
    }
}

fn gate(way: Way, options: ServeOptions) -> (GateClient, Keeper) {
    let keeper = Keeper::default();
    let theirs = keeper.clone();
    (way.spawn_here(move |port| GateServer::new(theirs).with(options).serve(port)), keeper)
}

const WAYS: [Way; 3] = [Way::Direct, Way::Bytes, Way::Stream];

#[test]
fn a_caller_that_knows_the_window_keeps_what_is_beyond_it() {
    for way in WAYS {
        context::block_on(async {
            let (gate, keeper) = gate(way, ServeOptions::default().max_calls(2));
            settle().await;
            let mut calls: Vec<_> = (0..4).map(|number| gate.pass(number)).collect();
            for call in &mut calls {
                assert!(poll!(call).is_pending());
            }
            settle().await;
            assert_eq!(keeper.waiting(), 2);

            // One that waited for its turn is given up; the one behind it gets the turn.
            drop(calls.remove(2));
            keeper.open_one();
            settle().await;
            assert!(poll!(&mut calls[0]).is_ready());
            assert!(poll!(&mut calls[2]).is_pending());
            settle().await;

            assert_eq!(*keeper.seen.borrow(), [0, 1, 3]);
        });
    }
}

#[test]
fn calls_that_were_sent_before_the_window_was_known_wait_at_the_service() {
    for way in WAYS {
        context::block_on(async {
            let (gate, keeper) = gate(way, ServeOptions::default().max_calls(1));
            let mut calls: Vec<_> = (0..3).map(|number| gate.pass(number)).collect();
            for call in &mut calls {
                assert!(poll!(call).is_pending());
            }
            settle().await;
            assert_eq!(*keeper.seen.borrow(), [0], "one runs, the others are held");

            // One that is held is given up.
            drop(calls.remove(1));
            settle().await;
            keeper.open_one();
            settle().await;

            assert_eq!(*keeper.seen.borrow(), [0, 2]);
        });
    }
}

#[test]
fn what_is_too_much_even_to_wait_is_refused() {
    for way in WAYS {
        context::block_on(async {
            let (gate, keeper) = gate(way, ServeOptions::default().max_calls(1).max_waiting(1, usize::MAX));
            let mut calls: Vec<_> = (0..3).map(|number| gate.pass(number)).collect();
            for call in &mut calls {
                assert!(poll!(call).is_pending());
            }

            let last = calls.pop().unwrap().await;

            assert_eq!(last, Err(CallError::Refused(Refusal::Overloaded)));
            keeper.open_one();
            settle().await;
            assert_eq!(*keeper.seen.borrow(), [0, 1]);
        });
    }
}

#[test]
fn bytes_that_are_too_many_to_wait_are_refused() {
    context::block_on(async {
        let options = ServeOptions::default().max_calls(1).max_waiting(usize::MAX, 100);
        let (gate, _keeper) = gate(Way::Bytes, options);
        let mut calls: Vec<_> = (0..3).map(|_| gate.carry(vec![0; 60])).collect();
        for call in &mut calls {
            assert!(poll!(call).is_pending());
        }

        assert_eq!(calls.pop().unwrap().await, Err(CallError::Refused(Refusal::Overloaded)));
    });
}

#[test]
fn a_caller_that_knows_how_many_bytes_are_taken_keeps_the_others() {
    context::block_on(async {
        let (gate, keeper) = gate(Way::Bytes, ServeOptions::default().max_bytes(200));
        settle().await;
        let mut calls: Vec<_> = (0..3).map(|_| gate.carry(vec![0; 120])).collect();
        for call in &mut calls {
            assert!(poll!(call).is_pending());
            settle().await;
        }
        assert_eq!(keeper.waiting(), 2, "the second goes while there are fewer than 200; the third waits");

        keeper.open_one();
        settle().await;
        for call in &mut calls {
            let _ = poll!(call);
        }
        settle().await;

        assert_eq!(keeper.waiting(), 2);
    });
}

#[test]
fn one_way_calls_wait_for_credit_and_get_it() {
    for way in WAYS {
        context::block_on(async {
            let (gate, keeper) = gate(way, ServeOptions::default().max_calls(4));
            settle().await;
            let mut tells = join_all((0..100).map(|number| gate.note(number))).boxed_local();
            assert!(poll!(&mut tells).is_pending());

            let mut most = 0;
            while poll!(&mut tells).is_pending() {
                settle().await;
                most = most.max(keeper.waiting());
                keeper.open_one();
            }
            while keeper.seen.borrow().len() < 100 {
                keeper.open_one();
                settle().await;
            }

            assert_eq!(most, 4);
            assert_eq!(*keeper.seen.borrow(), (0..100).collect::<Vec<_>>());
        });
    }
}

#[test]
fn a_one_way_call_waits_for_its_turn_until_its_deadline() {
    for way in WAYS {
        let clock = Arc::new(ManualClock::default());
        let _entered = clock::enter(clock.clone());
        context::block_on(async {
            let (gate, keeper) = gate(way, ServeOptions::default().max_calls(2));
            settle().await;
            // One is given back when half of the window was taken.
            for number in 0..3 {
                gate.note(number).await.unwrap();
                settle().await;
            }
            let mut late = join_all((3..6).map(|number| gate.note(number).deadline(Duration::from_secs(1))));
            assert!(poll!(&mut late).is_pending());

            clock.advance(Duration::from_secs(1));

            let ends = late.await;
            assert_eq!(ends.last(), Some(&Err(CallError::NotSent(NotSent::DeadlineExceeded))), "{ends:?}");
            assert!(keeper.waiting() <= 2);
        });
    }
}

#[test]
fn whoever_waits_for_a_turn_learns_of_the_end() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let keeper = Keeper::default();
        let options = ServeOptions::default().max_calls(1);
        let served = GateServer::new(keeper.clone()).with(options).serve(theirs);
        let (abort, registration) = futures::future::AbortHandle::new_pair();
        context::spawn_local(futures::future::Abortable::new(served, registration).map(drop));
        settle().await;
        let gate = GateClient::from(ours);
        let mut calls: Vec<_> = (0..2).map(|number| gate.pass(number)).collect();
        for call in &mut calls {
            assert!(poll!(call).is_pending());
        }
        settle().await;

        abort.abort();

        let ends = join_all(calls).await;
        assert!(matches!(ends[0], Err(CallError::Unknown(_))), "{ends:?}");
        assert!(matches!(ends[1], Err(CallError::NotSent(_))), "{ends:?}");
    });
}
