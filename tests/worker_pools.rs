//! Pools: whom a call goes to, what becomes of a worker that fails, and how a pool ends.

mod common;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use futures::{Stream, StreamExt, future::join_all, poll, stream};
use handover::{
    CallError, Client, Interruption, MessageChannel, NotSent, block_on, context, in_process, service,
    testing::{Link, LinkOptions},
    worker_pool::{WorkerPool, WorkerPoolBuilder},
    worker_thread::{WorkerScope, executor},
};

use common::settle;

/// Says where it runs.
#[service]
trait Place {
    /// The name of the worker.
    async fn worker(&self) -> String;
    /// Never returns.
    async fn wait(&self);
    /// Returns when the test says so.
    async fn held(&self) -> String;
    /// Ends the worker in a panic.
    async fn crash(&self);
    /// A capability of this worker's.
    async fn here(&self) -> PlaceClient;
    /// Calls somebody who was handed over.
    async fn ask(&self, other: PlaceClient) -> String;
    /// The name of the worker, again and again.
    fn names(&self) -> impl Stream<Item = String>;
}

#[derive(Clone)]
struct Local {
    name: String,
    shared: Shared,
}

/// What all workers and the test see.
#[derive(Clone, Default)]
struct Shared {
    /// The waiting calls that each worker has.
    waiting: Arc<Mutex<BTreeMap<String, usize>>>,
    holds: Arc<Mutex<Vec<futures::channel::oneshot::Sender<()>>>>,
    begun: Arc<AtomicUsize>,
}

impl Shared {
    fn make(
        &self,
    ) -> impl Fn(WorkerScope, handover::MessagePort) -> std::pin::Pin<Box<dyn Future<Output = ()>>> + use<> {
        let shared = self.clone();
        move |scope, port| {
            let local = Local { name: scope.name().to_owned(), shared: shared.clone() };
            Box::pin(PlaceServer::new(local).serve(port))
        }
    }

    fn pool(&self, workers: usize) -> WorkerPool<PlaceClient> {
        WorkerPoolBuilder::new("pool").backoff(Duration::ZERO, Duration::ZERO).spawn(workers, self.make()).unwrap()
    }

    /// Waits until that many handlers have begun.
    async fn until_begun(&self, handlers: usize) {
        while self.begun.load(Ordering::SeqCst) < handlers {
            common::turn().await;
        }
    }
}

/// Counts a call as long as it runs.
struct Waiting<'l>(&'l Local);

impl<'l> Waiting<'l> {
    fn new(local: &'l Local) -> Self {
        *local.shared.waiting.lock().unwrap().entry(local.name.clone()).or_default() += 1;
        local.shared.begun.fetch_add(1, Ordering::SeqCst);
        Self(local)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        *self.0.shared.waiting.lock().unwrap().get_mut(&self.0.name).unwrap() -= 1;
    }
}

impl Place for Local {
    async fn worker(&self) -> String {
        self.name.clone()
    }

    async fn wait(&self) {
        let _waiting = Waiting::new(self);
        std::future::pending().await
    }

    async fn held(&self) -> String {
        let (hold, held) = futures::channel::oneshot::channel();
        self.shared.holds.lock().unwrap().push(hold);
        self.shared.begun.fetch_add(1, Ordering::SeqCst);
        held.await.unwrap();
        self.name.clone()
    }

    async fn crash(&self) {
        context::spawn_local(async { panic!("crashed") });
        std::future::pending().await
    }

    async fn here(&self) -> PlaceClient {
        let local = self.clone();
        in_process::spawn(|port| PlaceServer::new(local).serve(port))
    }

    async fn ask(&self, other: PlaceClient) -> String {
        other.worker().await.unwrap()
    }

    fn names(&self) -> impl Stream<Item = String> {
        stream::iter(std::iter::repeat(self.name.clone()))
    }
}

#[test]
fn calls_go_to_the_worker_that_has_the_fewest() {
    let shared = Shared::default();
    let pool = shared.pool(4);
    let client = pool.client();
    block_on(async {
        let mut waiting: Vec<_> = (0..8).map(|_| client.wait()).collect();
        for call in &mut waiting {
            assert!(poll!(call).is_pending());
        }
        shared.until_begun(8).await;
        assert_eq!(shared.waiting.lock().unwrap().values().copied().collect::<Vec<_>>(), [2, 2, 2, 2]);

        // One of them is idle now.
        drop(waiting.swap_remove(0));
        while shared.waiting.lock().unwrap().values().sum::<usize>() == 8 {
            common::turn().await;
        }
        let idle = shared.waiting.lock().unwrap().iter().find(|(_, count)| **count == 1).unwrap().0.clone();
        for _ in 0..8 {
            assert_eq!(client.worker().await, Ok(idle.clone()));
        }
    });
}

#[test]
fn a_capability_stays_with_the_worker_that_made_it() {
    let shared = Shared::default();
    let pool = shared.pool(3);
    let client = pool.client();
    block_on(async {
        let (one, two) = (client.here().await.unwrap(), client.here().await.unwrap());
        let home = one.worker().await.unwrap();
        for _ in 0..6 {
            assert_eq!(one.worker().await.unwrap(), home);
        }
        // It may be handed to another of them.
        assert_eq!(client.ask(one).await.unwrap(), home);
        drop(two);
    });
}

#[test]
fn a_stream_stays_with_the_worker_that_made_it() {
    let shared = Shared::default();
    let pool = shared.pool(3);
    let client = pool.client();
    block_on(async {
        let mut names = client.names().await.unwrap();
        let home = names.next().await.unwrap().unwrap();
        for _ in 0..1000 {
            assert_eq!(names.next().await, Some(Ok(home.clone())));
        }
    });
}

#[test]
fn a_worker_that_panics_is_replaced_and_its_calls_end_as_its_panic() {
    let shared = Shared::default();
    let pool = shared.pool(1);
    let client = pool.client();
    block_on(async {
        let mut running = client.wait();
        assert!(poll!(&mut running).is_pending());
        shared.until_begun(1).await;

        let crashed = client.crash().await;

        let said = "the worker `pool 1` panicked: crashed".to_owned();
        let ended = Err(CallError::Unknown(Interruption::Panicked(said)));
        assert_eq!(crashed, ended);
        assert_eq!(running.await, ended);
        assert_eq!(client.worker().await, Ok("pool 2".to_owned()), "the same client");
    });
}

#[test]
fn a_worker_that_fails_too_often_is_given_up_and_a_pool_of_such_takes_no_more_calls() {
    let started = Arc::new(AtomicUsize::new(0));
    let count = started.clone();
    let builder = WorkerPoolBuilder::new("hopeless").backoff(Duration::ZERO, Duration::ZERO).limit(3);
    let pool: WorkerPool<PlaceClient> = builder
        .spawn(2, move |_, _| -> std::future::Ready<()> {
            count.fetch_add(1, Ordering::SeqCst);
            panic!("hopeless")
        })
        .unwrap();
    let client = pool.client();

    block_on(client.port().closed());

    assert_eq!(block_on(client.worker()), Err(CallError::NotSent(NotSent::Closed)));
    assert_eq!(started.load(Ordering::SeqCst), 2 * (1 + 3));
    assert_eq!(block_on(pool.client().worker()), Err(CallError::NotSent(NotSent::Closed)));
}

#[test]
fn a_pool_can_be_resized_while_it_runs_and_calls_wait_where_there_are_no_workers() {
    let shared = Shared::default();
    let pool = shared.pool(0);
    let client = pool.client();
    block_on(async {
        let mut waits = client.worker();
        assert!(poll!(&mut waits).is_pending());
        settle().await;
        assert!(poll!(&mut waits).is_pending());

        pool.resize(1);
        assert_eq!(waits.await, Ok("pool 1".to_owned()));

        let mut held = client.held();
        assert!(poll!(&mut held).is_pending());
        shared.until_begun(1).await;
        pool.resize(0);
        pool.resize(2);
        while client.worker().await == Ok("pool 1".to_owned()) {}
        shared.holds.lock().unwrap().pop().unwrap().send(()).unwrap();
        assert_eq!(held.await, Ok("pool 1".to_owned()), "the one that was let go still answers");
    });
}

#[test]
fn a_pool_that_is_stopped_answers_what_it_has_and_takes_no_more() {
    let shared = Shared::default();
    let pool = shared.pool(2);
    let client = pool.client();
    block_on(async {
        let mut running: Vec<_> = (0..4).map(|_| client.held()).collect();
        for call in &mut running {
            assert!(poll!(call).is_pending());
        }
        shared.until_begun(4).await;

        let mut stopped = Box::pin(pool.stop(None));
        client.port().closed().await;
        assert_eq!(client.worker().await, Err(CallError::NotSent(NotSent::Closed)));
        assert!(poll!(&mut stopped).is_pending());
        for hold in shared.holds.lock().unwrap().drain(..) {
            hold.send(()).unwrap();
        }

        assert!(join_all(running).await.iter().all(Result::is_ok));
        assert_eq!(stopped.await, 0);
    });
}

#[test]
fn workers_that_are_not_done_by_the_deadline_are_terminated_and_counted() {
    let shared = Shared::default();
    let pool = shared.pool(3);
    let client = pool.client();
    block_on(async {
        let (mut one, mut two) = (client.wait(), client.wait());
        assert!(poll!(&mut one).is_pending() && poll!(&mut two).is_pending());
        shared.until_begun(2).await;

        let terminated = pool.stop(Some(Duration::ZERO)).await;

        assert!((2..=3).contains(&terminated), "{terminated}");
        assert_eq!(one.await, Err(CallError::Unknown(Interruption::Closed)));
        assert_eq!(two.await, Err(CallError::Unknown(Interruption::Closed)));
    });
}

#[test]
fn a_pool_that_is_dropped_lets_its_workers_finish() {
    let shared = Shared::default();
    let pool = shared.pool(1);
    let client = pool.client();
    block_on(async {
        let mut held = client.held();
        assert!(poll!(&mut held).is_pending());
        shared.until_begun(1).await;

        drop(pool);
        client.port().closed().await;
        shared.holds.lock().unwrap().pop().unwrap().send(()).unwrap();

        assert_eq!(held.await, Ok("pool 1".to_owned()));
    });
}

#[test]
fn a_pool_that_is_dropped_while_its_workers_start_still_answers_what_they_were_handed() {
    let started = Arc::new(Barrier::new(3));
    let held_back = started.clone();
    let builder = WorkerPoolBuilder::new("pool").executor(move |worker| {
        held_back.wait();
        executor::small(worker);
    });
    let pool: WorkerPool<PlaceClient> = builder.spawn(2, Shared::default().make()).unwrap();
    let client = pool.client();
    block_on(async {
        let mut handed = client.worker();
        assert!(poll!(&mut handed).is_pending());

        drop(pool);
        client.port().closed().await;
        started.wait();

        assert_eq!(handed.await, Ok("pool 1".to_owned()));
        assert_eq!(client.worker().await, Err(CallError::NotSent(NotSent::Closed)));
    });
}

#[test]
fn a_pool_that_cannot_start_is_an_error() {
    let builder = WorkerPoolBuilder::new("large").stack_size(usize::MAX / 4);

    let failed: Result<WorkerPool<PlaceClient>, _> = builder.spawn(2, Shared::default().make());

    assert_eq!(failed.unwrap_err().name(), "large 1");
}

/// A client whose calls come to the pool as bytes, as over a link.
fn over_bytes(pool: &WorkerPool<PlaceClient>) -> PlaceClient {
    let (ours, near) = MessageChannel::new().into_ports();
    let _link = Link::spawn(near, pool.client().into_port(), LinkOptions::default());
    ours.into()
}

#[test]
fn a_client_whose_calls_come_as_bytes_cannot_tell_a_pool_either() {
    let shared = Shared::default();
    let pool = shared.pool(2);
    block_on(async {
        // Both count their calls from the same number.
        let (one, two) = (over_bytes(&pool), over_bytes(&pool));
        let answers = join_all((0..20).map(|number| if number % 2 == 0 { one.worker() } else { two.worker() })).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");

        // Ports travel along, both ways.
        let here = one.here().await.unwrap();
        let home = here.worker().await.unwrap();
        assert_eq!(two.ask(here).await, Ok(home));

        // A call that is dropped is cancelled.
        let mut dropped = one.wait();
        assert!(poll!(&mut dropped).is_pending());
        shared.until_begun(1).await;
        drop(dropped);
        while shared.waiting.lock().unwrap().values().sum::<usize>() > 0 {
            common::turn().await;
        }

        // And so is that of a client that goes.
        let mut lost = two.wait();
        assert!(poll!(&mut lost).is_pending());
        shared.until_begun(2).await;
        drop(lost);
        drop(two);
        while shared.waiting.lock().unwrap().values().sum::<usize>() > 0 {
            common::turn().await;
        }

        let crashed = one.crash().await.unwrap_err();
        assert!(matches!(&crashed, CallError::Unknown(Interruption::Panicked(said)) if said.contains("crashed")));
        assert!(one.worker().await.is_ok());
        assert_eq!(pool.stop(None).await, 0);
        assert!(one.worker().await.is_err());
    });
}

#[test]
fn a_pool_and_its_clients_may_be_used_from_many_threads() {
    let shared = Shared::default();
    let pool = Arc::new(shared.pool(2));
    let (done, all_done) = mpsc::channel();
    for _ in 0..4 {
        let (pool, done) = (pool.clone(), done.clone());
        std::thread::spawn(move || {
            let client = pool.client();
            block_on(async {
                for _ in 0..50 {
                    client.worker().await.unwrap();
                }
            });
            done.send(()).unwrap();
        });
    }
    drop(done);

    assert_eq!(all_done.iter().count(), 4);
}
