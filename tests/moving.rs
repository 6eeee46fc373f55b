//! A service that is served elsewhere while its clients go on, and what it knows of them.

mod common;

use std::{
    cell::Cell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use common::settle;
use futures::{channel::oneshot, future::join_all, poll};
use handover::{
    Host, Refusal,
    clock::{self, ManualClock},
    context,
    prelude::*,
    rpc::{Hosting, Inspector},
    wire::{CallId, Frame, MethodId},
    worker_thread::Worker,
};

#[service]
trait Counter {
    async fn next(&self) -> u32;
    async fn wait(&self) -> u32;
    async fn whereabouts(&self) -> String;
    #[rpc(ordered)]
    async fn note(&self, number: u32);
    async fn noted(&self) -> Vec<u32>;
}

/// What can be sent to another thread, and be shared there.
#[derive(Clone, Default)]
struct Count {
    last: Arc<AtomicU32>,
    noted: Arc<std::sync::Mutex<Vec<u32>>>,
    gates: Arc<std::sync::Mutex<Vec<oneshot::Sender<()>>>>,
}

impl Counter for Count {
    async fn next(&self) -> u32 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn wait(&self) -> u32 {
        let (open, gate) = oneshot::channel();
        self.gates.lock().unwrap().push(open);
        gate.await.map_or(0, |()| self.last.load(Ordering::Relaxed))
    }

    async fn whereabouts(&self) -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }

    async fn note(&self, number: u32) {
        self.noted.lock().unwrap().push(number);
    }

    async fn noted(&self) -> Vec<u32> {
        self.noted.lock().unwrap().clone()
    }
}

type Served = Hosting<CounterServer<Count>>;

/// Serves on a thread of its own, and gives the service back when it is halted.
fn serve_on(name: &str, hosting: Served) -> Worker<MessagePort, Option<Served>> {
    let builder = handover::worker_thread::WorkerBuilder::new(name);
    builder.spawn(move |_, _: MessagePort| hosting.serve()).unwrap()
}

/// C15, C17
#[test]
fn a_service_moves_from_thread_to_thread_and_its_clients_notice_nothing() {
    context::block_on(async {
        let count = Count::default();
        let (host, mut hosting) = CounterServer::new(count.clone()).host();
        let clients: Vec<_> = (0..5).map(|_| host.client()).collect();

        let calls = join_all(clients.iter().zip(0..).map(async |(client, who)| {
            for ten in 0..20 {
                // Ten are on their way at a time.
                let notes = (0..10).map(|number| client.note(who * 1000 + ten * 10 + number));
                join_all(notes).await.into_iter().for_each(|noted| noted.unwrap());
            }
        }));
        let moves = async {
            let mut threads = Vec::new();
            for number in 0..20 {
                let name = format!("home {number}");
                let worker = serve_on(&name, hosting);
                threads.push(host.client().whereabouts().await.unwrap());
                host.halt();
                hosting = worker.join().await.unwrap().expect("halted, and not over");
            }
            assert_eq!(threads, (0..20).map(|number| format!("home {number}")).collect::<Vec<_>>());
            context::spawn_local(async move { drop(hosting.serve().await) });
        };
        futures::join!(calls, moves);

        let noted = host.client().noted().await.unwrap();
        assert_eq!(noted.len(), 1000, "each call once");
        for who in 0..5 {
            let own: Vec<_> = noted.iter().copied().filter(|number| number / 1000 == who).collect();
            assert_eq!(own, (who * 1000..who * 1000 + 200).collect::<Vec<_>>());
        }
    });
}

/// C17
#[test]
fn calls_that_run_are_answered_before_a_service_moves_and_those_that_come_meanwhile_wait() {
    context::block_on(async {
        let count = Count::default();
        let (host, hosting) = CounterServer::new(count.clone()).host();
        let mut serving = Box::pin(hosting.serve());
        let raw: MessagePort = host.client().into_port();
        raw.start();
        let client = host.client();
        let mut runs = client.wait();
        assert!(poll!(&mut runs).is_pending());
        raw.post_message(Frame::call(CallId(1), MethodId::of_name("wait"), &[]).to_bytes()).unwrap();
        assert!(poll!(&mut serving).is_pending());
        assert_eq!(count.gates.lock().unwrap().len(), 2);

        host.halt();
        let (mut meanwhile, clone) = (client.next(), client.clone());
        let mut by_clone = clone.next();
        assert!(poll!(&mut meanwhile).is_pending());
        assert!(poll!(&mut by_clone).is_pending());
        assert!(poll!(&mut serving).is_pending(), "two calls run");
        raw.post_message(Frame::Cancel { id: CallId(1) }.to_bytes()).unwrap();
        assert!(poll!(&mut serving).is_pending(), "one call runs");
        count.gates.lock().unwrap().drain(..).for_each(|gate| gate.send(()).unwrap_or_default());
        let hosting = serving.await.expect("halted, and not over");
        assert_eq!(runs.await, Ok(0));
        assert!(poll!(&mut meanwhile).is_pending());
        assert_eq!(count.last.load(Ordering::Relaxed), 0);

        let _worker = serve_on("elsewhere", hosting);
        let mut numbers = [meanwhile.await.unwrap(), by_clone.await.unwrap()];
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2]);
    });
}

#[test]
fn a_halt_that_comes_before_anybody_serves_is_heard_by_the_next_who_does() {
    context::block_on(async {
        let (host, hosting) = CounterServer::new(Count::default()).host();

        host.halt();

        let hosting = hosting.serve().await.expect("halted, and not over");
        let served = hosting.serve();
        let mut served = std::pin::pin!(served);
        let client = host.client();
        let mut call = client.next();
        assert!(poll!(&mut call).is_pending());
        assert!(poll!(&mut served).is_pending());
        assert_eq!(call.await, Ok(1));
    });
}

/// C7
#[test]
fn moving_renews_no_right_and_loses_none() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    context::block_on(async {
        let (host, mut hosting) = CounterServer::new(Count::default()).host();
        let counted = host.grant().calls(3).client();
        let timed = host.grant().expires(Duration::from_secs(10)).client();
        let (revoked, revoker) = host.grant().revocable();
        for number in 0..3 {
            let worker = serve_on("home", hosting);
            assert_eq!(counted.next().await, Ok(number + 1));
            assert_eq!(timed.whereabouts().await.as_deref(), Ok("home"));
            assert_eq!(revoked.whereabouts().await.as_deref(), Ok("home"));
            host.halt();
            hosting = worker.join().await.unwrap().unwrap();
        }

        clock.advance(Duration::from_secs(10));
        revoker.revoke();
        let _worker = serve_on("last", hosting);

        assert_eq!(counted.next().await, Err(CallError::Refused(Refusal::NoCallsLeft)));
        assert_eq!(timed.next().await, Err(CallError::Refused(Refusal::Expired)));
        assert_eq!(revoked.next().await, Err(CallError::Refused(Refusal::Revoked)));
    });
}

#[service]
trait Ticket {
    async fn spend(self) -> u32;
}

struct Once;

impl Ticket for Once {
    async fn spend(self) -> u32 {
        1
    }
}

/// C7
#[test]
fn a_single_use_that_waits_is_used_where_the_service_has_moved_to_and_only_once() {
    context::block_on(async {
        let (host, hosting) = TicketServer::new(Once).host();
        host.halt();
        let hosting = hosting.serve().await.unwrap();
        let (one, other) = (host.client().spend(), host.client().spend());
        let (one, other, over) = futures::join!(one, other, hosting.serve());
        assert!(over.is_none(), "it was good for one use");

        let mut outcomes = [one, other];
        outcomes.sort_by_key(Result::is_err);
        assert_eq!(outcomes[0], Ok(1));
        assert_eq!(outcomes[1], Err(CallError::Refused(Refusal::Spent)));
    });
}

#[test]
fn a_host_lists_what_it_has_granted_and_what_becomes_of_it() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    context::block_on(async {
        let count = Count::default();
        let (host, hosting) = CounterServer::new(count.clone()).host();
        context::spawn_local(async move { drop(hosting.serve().await) });
        let inspector = Inspector::default();
        inspector.watch_host("counter", &host);
        assert!(host.exports().is_empty());
        let granted = host.grant().label("game").only([CounterMethod::Next, CounterMethod::Wait]).calls(5);
        let right = granted.expires(Duration::from_secs(60)).client();

        clock.advance(Duration::from_secs(20));
        let clone = right.clone();
        assert_eq!(clone.next().await, Ok(1));
        let mut waits = right.wait();
        assert!(poll!(&mut waits).is_pending());
        settle().await;

        let find = |host: &Host<CounterClient>, age| {
            let exports = host.exports().into_iter();
            exports.map(|export| export.state).find(|state| state.age == Some(Duration::from_secs(age))).unwrap()
        };
        let state = find(&host, 20);
        assert_eq!((state.label.as_str(), state.holders, state.calls), ("game", 2, 1));
        assert_eq!((state.calls_left, state.time_left), (Some(3), Some(Duration::from_secs(40))));
        assert_eq!(state.methods.as_ref().map(Vec::len), Some(2));
        assert_eq!((find(&host, 0).holders, find(&host, 0).calls), (1, 0));
        let snapshot = inspector.snapshot();
        assert_eq!(snapshot.exports.len(), 2);
        assert!(snapshot.to_string().contains("counter `game`: 2 clients, 1 calls run"), "{snapshot}");

        // Each clone can be taken back by itself.
        let exports = host.exports().into_iter();
        exports.filter(|export| export.state.holders == 1).for_each(|export| export.revoker.revoke());
        assert_eq!(clone.next().await, Err(CallError::Refused(Refusal::Revoked)));
        assert_eq!(right.next().await, Ok(2));
        drop(waits);
        drop((right, clone));
        host.idle().await;
        assert!(host.exports().is_empty(), "{:?}", host.exports());
    });
}

#[test]
fn an_object_can_be_told_when_its_last_client_has_gone() {
    context::block_on(async {
        let (host, hosting) = CounterServer::new(Count::default()).host();
        let told = Rc::new(Cell::new(0));
        let tell = told.clone();
        let told_by = host.clone();
        context::spawn_local(async move {
            told_by.idle().await;
            tell.set(1);
        });
        let client = host.client();
        context::spawn_local(async move { drop(hosting.serve().await) });
        settle().await;
        assert_eq!(told.get(), 0);

        drop(client);
        settle().await;

        assert_eq!(told.get(), 1);
    });
}
