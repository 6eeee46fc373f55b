//! Shared workers: one for a name, a port for each who connects, and an end with the last of them.

mod common;

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
};

use futures::FutureExt;
use handover::{
    CallError, Client, ClosedBy, Message, MessagePort, NotSent, block_on, context,
    message::Source,
    service,
    shared_worker::{ConnectError, Connections, Lifetime, SharedWorker, SharedWorkerGroup, SharedWorkerOptions},
    worker_thread::{WorkerScope, executor},
};

use common::turn;

/// Counts the calls of all.
#[service]
trait Counter {
    async fn count(&self) -> u32;
}

#[derive(Clone, Default)]
struct Shared(Arc<AtomicU32>);

impl Counter for Shared {
    async fn count(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// Serves a counter of its own to everyone.
async fn counter(_: WorkerScope, connections: Connections) {
    let shared = Shared::default();
    connections.serve(move |port| CounterServer::new(shared.clone()).serve(port)).await;
}

fn connect(group: &SharedWorkerGroup, name: &str) -> SharedWorker<CounterClient> {
    SharedWorker::connect(group, name, counter).unwrap()
}

/// A counter that says when it has ended.
fn connect_to_mortal(group: &SharedWorkerGroup, options: SharedWorkerOptions) -> (CounterClient, mpsc::Receiver<()>) {
    let (alive, ended) = mpsc::channel();
    let worker: Result<SharedWorker<CounterClient>, _> =
        SharedWorker::connect_with(group, "mortal", options, async move |scope, connections| {
            let _alive: mpsc::Sender<()> = alive;
            counter(scope, connections).await;
        });
    (worker.unwrap().into_client(), ended)
}

/// SHW-01
#[test]
fn a_connection_has_one_port_always_the_same() {
    let group = SharedWorkerGroup::new();
    let worker: SharedWorker = SharedWorker::connect(&group, "ports", async |_, connections| {
        let port = &connections.next().await.unwrap().ports[0];
        port.post_message("1").unwrap();
        port.post_message("2").unwrap();
    })
    .unwrap();

    let (first, again): (&MessagePort, &MessagePort) = (&worker, &worker);

    assert!(std::ptr::eq(first, again));
    first.start();
    assert_eq!(block_on(first.recv()).unwrap().data(), b"1");
    assert_eq!(block_on(again.recv()).unwrap().data(), b"2");
}

/// SHW-02
#[test]
fn whoever_connects_to_a_name_finds_the_worker_that_runs_and_other_names_and_groups_have_their_own() {
    let (group, other_group) = (SharedWorkerGroup::new(), SharedWorkerGroup::new());
    let (one, two) = (connect(&group, "counter"), connect(&group.clone(), "counter"));
    let (other_name, elsewhere) = (connect(&group, "another"), connect(&other_group, "counter"));

    block_on(async {
        assert_eq!(one.count().await, Ok(1));
        assert_eq!(two.count().await, Ok(2));
        assert_eq!(other_name.count().await, Ok(1));
        assert_eq!(elsewhere.count().await, Ok(1));
    });
    let mut names = group.names();
    names.sort();
    assert_eq!(names, ["another", "counter"]);
}

/// SHW-02
#[test]
fn connecting_with_other_settings_than_those_of_the_worker_fails_and_harms_nobody() {
    let group = SharedWorkerGroup::new();
    let one = connect(&group, "strict");

    for options in [
        SharedWorkerOptions::new().lifetime(Lifetime::Extended),
        SharedWorkerOptions::new().stack_size(1 << 20),
        SharedWorkerOptions::new().on_panic(handover::worker_thread::PanicPolicy::EndTask),
    ] {
        let refused = SharedWorker::<CounterClient>::connect_with(&group, "strict", options, counter);
        assert!(matches!(refused, Err(ConnectError::Mismatch { name }) if name == "strict"));
    }

    assert_eq!(block_on(one.count()), Ok(1));
}

/// SHW-03, EVT-07
#[test]
fn each_connection_is_one_event_with_one_port_once_the_workers_code_has_run_to_its_first_pause() {
    let group = SharedWorkerGroup::new();
    let (go, gone) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let options = SharedWorkerOptions::new().executor(move |worker| {
        gone.recv().unwrap();
        executor::small(worker);
    });
    let connect = |options| {
        let tell = tell.clone();
        SharedWorker::<MessagePort>::connect_with(&group, "events", options, async move |_, connections| {
            tell.send(connections.next().now_or_never().is_some().to_string()).unwrap();
            turn().await;
            while let Some(mut event) = connections.next().await {
                assert!(matches!(event.source, Some(Source::Port)));
                let port = event.ports.remove(0);
                tell.send(format!("{:?} {:?} {}", event.data, event.origin, event.ports.len())).unwrap();
                port.post_message("connected").unwrap();
            }
        })
        .unwrap()
    };
    let one = connect(options);
    let two = connect(SharedWorkerOptions::new());

    go.send(()).unwrap();

    for port in [&one, &two] {
        port.start();
        assert_eq!(block_on(port.recv()).unwrap().data(), b"connected");
    }
    drop((one, two, tell));
    assert_eq!(told.iter().collect::<Vec<_>>(), ["false", r#""" "" 0"#, r#""" "" 0"#]);
}

/// EVT-07
#[test]
fn a_handler_for_connections_is_fired_at_once_for_each() {
    let group = SharedWorkerGroup::new();
    let connect = || {
        SharedWorker::<MessagePort>::connect(&group, "handler", async |scope, connections| {
            let mut ports = Vec::new();
            connections.set_onconnect(&scope, move |event| {
                assert!(event.data.is_empty() && event.ports.len() == 1);
                ports.append(&mut event.ports);
                ports[ports.len() - 1].post_value(ports.len()).unwrap();
            });
        })
        .unwrap()
    };

    let (one, two) = (connect(), connect());

    one.start();
    two.start();
    block_on(async {
        assert_eq!(one.recv_value::<usize>().await.unwrap().data, 1);
        assert_eq!(two.recv_value::<usize>().await.unwrap().data, 2);
    });
}

/// SHW-04
#[test]
fn the_workers_end_of_a_connection_waits_until_the_worker_starts_it() {
    let group = SharedWorkerGroup::new();
    let worker: SharedWorker = SharedWorker::connect(&group, "waits", async |_, connections| {
        let port = connections.next().await.unwrap().ports.remove(0);
        let before = port.recv().now_or_never().is_some();
        port.start();
        let mut read = vec![u8::from(before)];
        while read.len() < 3 {
            read.extend_from_slice(port.recv().await.unwrap().data());
        }
        port.post_message(read).unwrap();
    })
    .unwrap();

    worker.post_message(&[1]).unwrap();
    worker.post_message(&[2]).unwrap();

    worker.start();
    assert_eq!(block_on(worker.recv()).unwrap().data(), [0, 1, 2]);
}

/// SHW-05
#[test]
fn the_clients_end_of_a_connection_is_started_by_the_client_and_nobody_else() {
    let group = SharedWorkerGroup::new();
    let (tell, told) = mpsc::channel();
    let main = async move |_: WorkerScope, connections: Connections| {
        while let Some(event) = connections.next().await {
            event.ports[0].post_message("early").unwrap();
            tell.send(()).unwrap();
        }
    };
    let creates: SharedWorker = SharedWorker::connect(&group, "late", main).unwrap();
    let joins: SharedWorker = SharedWorker::connect(&group, "late", async |_, _| unreachable!()).unwrap();
    told.recv().unwrap();
    told.recv().unwrap();

    for port in [&creates, &joins] {
        assert!(port.recv().now_or_never().is_none(), "started by somebody else");
        port.start();
        assert_eq!(block_on(port.recv()).unwrap().data(), b"early");
    }
}

/// SHW-06
#[test]
fn those_who_connect_at_once_find_one_worker() {
    const CLIENTS: u32 = 8;
    let group = SharedWorkerGroup::new();
    let made = Arc::new(AtomicU32::new(0));
    let together = Arc::new(Barrier::new(CLIENTS as usize));
    let clients = (0..CLIENTS).map(|_| {
        let (group, made, together) = (group.clone(), made.clone(), together.clone());
        thread::spawn(move || {
            together.wait();
            let worker: SharedWorker<CounterClient> =
                SharedWorker::connect(&group, "one", async move |scope, connections| {
                    made.fetch_add(1, Ordering::SeqCst);
                    counter(scope, connections).await;
                })
                .unwrap();
            let counted = block_on(worker.count()).unwrap();
            // Nobody leaves before all have come.
            together.wait();
            counted
        })
    });
    let clients: Vec<_> = clients.collect();

    let mut counts: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();

    counts.sort_unstable();
    assert_eq!(counts, (1..=CLIENTS).collect::<Vec<_>>());
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[test]
fn a_worker_ends_when_the_last_who_connected_has_gone_wherever_its_port_is() {
    let group = SharedWorkerGroup::new();
    let (one, ended) = connect_to_mortal(&group, SharedWorkerOptions::new());
    let (two, not_called) = connect_to_mortal(&group, SharedWorkerOptions::new());
    assert!(not_called.recv().is_err(), "the second worker's code is dropped");
    assert_eq!(block_on(one.count()), Ok(1));
    drop(one);
    assert_eq!(block_on(two.count()), Ok(2));
    // It travels through another port, and is lost there.
    let (near, far) = handover::MessageChannel::new().into_ports();
    near.post_message(Message::default().with_port(two.into_port())).unwrap();
    assert_eq!(ended.try_recv(), Err(mpsc::TryRecvError::Empty));

    drop(far);

    assert!(ended.recv().is_err(), "it has ended");
    assert_eq!(group.names(), [""; 0]);
    let (again, _) = connect_to_mortal(&group, SharedWorkerOptions::new());
    assert_eq!(block_on(again.count()), Ok(1), "a new worker");
}

#[test]
fn a_worker_whose_only_connection_goes_while_it_starts_ends_and_its_name_is_free() {
    let group = SharedWorkerGroup::new();
    let (go, held_back) = mpsc::channel();
    let options = SharedWorkerOptions::new().executor(move |worker| {
        held_back.recv().unwrap();
        executor::small(worker);
    });
    let (one, ended) = connect_to_mortal(&group, options);
    assert_eq!(one.count().now_or_never(), None);

    drop(one);
    go.send(()).unwrap();

    assert!(ended.recv().is_err(), "it has ended");
    assert_eq!(group.names(), [""; 0]);
    let (again, _) = connect_to_mortal(&group, SharedWorkerOptions::new());
    assert_eq!(block_on(again.count()), Ok(1), "a new worker");
}

#[test]
fn a_connection_that_the_worker_ends_keeps_it_no_longer_than_one_that_the_client_ends() {
    let group = SharedWorkerGroup::new();
    let (alive, ended) = mpsc::channel::<()>();
    let worker: SharedWorker = SharedWorker::connect(&group, "curt", async move |_, connections| {
        let _alive = alive;
        while let Some(event) = connections.next().await {
            event.ports[0].close();
        }
    })
    .unwrap();

    assert!(ended.recv().is_err());

    assert_eq!(block_on(worker.closed()), ClosedBy::Peer);
}

#[test]
fn a_worker_with_an_extended_lifetime_waits_for_the_next_and_ends_with_its_group() {
    let group = SharedWorkerGroup::new();
    let options = || SharedWorkerOptions::new().lifetime(Lifetime::Extended);
    let (one, ended) = connect_to_mortal(&group, options());
    assert_eq!(block_on(one.count()), Ok(1));
    drop(one);
    let (two, _) = connect_to_mortal(&group, options());
    assert_eq!(block_on(two.count()), Ok(2), "the same worker");

    drop(group);

    assert_eq!(block_on(two.count()), Ok(3), "a connection is served to its end");
    assert!(ended.recv().is_err());
}

#[test]
fn a_worker_that_closes_itself_is_not_joined_and_the_name_is_free() {
    let group = SharedWorkerGroup::new();
    let (closed, is_closed) = mpsc::channel();
    let (go, gone) = mpsc::channel();
    let closing: SharedWorker = SharedWorker::connect(&group, "twice", async move |scope, connections| {
        connections.next().await.unwrap();
        scope.close();
        closed.send(()).unwrap();
        gone.recv().unwrap();
    })
    .unwrap();
    is_closed.recv().unwrap();

    let fresh = connect(&group, "twice");

    assert_eq!(block_on(fresh.count()), Ok(1));
    go.send(()).unwrap();
    assert_eq!(block_on(closing.closed()), ClosedBy::Peer);
    assert_eq!(block_on(fresh.count()), Ok(2), "the end of the former one is not the end of this one");
    assert_eq!(group.names(), ["twice"]);
}

#[test]
fn a_worker_that_panics_ends_its_connections_with_what_it_said_and_the_next_starts_a_new_one() {
    let group = SharedWorkerGroup::new();
    let connect = || {
        SharedWorker::<CounterClient>::connect(&group, "frail", async |_, connections| {
            let event = connections.next().await.unwrap();
            let call = {
                event.ports[0].start();
                event.ports[0].recv().await
            };
            panic!("no frames of kind {}", call.unwrap().data()[1]);
        })
        .unwrap()
    };
    let worker = connect();

    let error = block_on(worker.count()).unwrap_err();

    assert_eq!(
        error.to_string(),
        "the call has no answer, and may have run: panicked: the worker `frail` panicked: no frames of kind 1"
    );
    let error = block_on(connect().count()).unwrap_err();
    assert!(matches!(error, CallError::Unknown(_)), "{error}");
}

#[test]
fn a_worker_that_takes_no_connections_closes_the_ports_of_those_who_wait_and_its_name_is_free() {
    let group = SharedWorkerGroup::new();
    let worker: SharedWorker<CounterClient> = SharedWorker::connect(&group, "shut", async move |_, connections| {
        drop(connections);
        std::future::pending().await
    })
    .unwrap();

    assert_eq!(block_on(worker.count()), Err(CallError::NotSent(NotSent::Closed)));
    assert_eq!(block_on(connect(&group, "shut").count()), Ok(1));
}

#[test]
fn a_worker_whose_own_future_has_ended_is_joined_as_long_as_something_of_it_takes_connections() {
    let group = SharedWorkerGroup::new();
    let (ended, has_ended) = mpsc::channel::<()>();
    let one: SharedWorker<CounterClient> = SharedWorker::connect(&group, "beside", async move |scope, connections| {
        let _ended = ended;
        context::spawn_local(counter(scope, connections));
    })
    .unwrap();
    assert!(has_ended.recv().is_err());

    let two = connect(&group, "beside");

    assert_eq!((block_on(one.count()), block_on(two.count())), (Ok(1), Ok(2)));
}

#[test]
fn a_shared_worker_that_cannot_start_is_an_error_and_leaves_its_name_free() {
    let group = SharedWorkerGroup::new();
    let options = SharedWorkerOptions::new().stack_size(usize::MAX / 4);

    let failed = SharedWorker::<CounterClient>::connect_with(&group, "large", options, counter);

    assert!(matches!(failed, Err(ConnectError::Spawn(error)) if error.name() == "large"));
    assert_eq!(group.names(), [""; 0]);
    assert_eq!(block_on(connect(&group, "large").count()), Ok(1));
}
