//! Dedicated workers: how they start, what arrives, and how they end.

mod common;

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use futures::{FutureExt, channel::oneshot, poll};
use handover::{
    CallError, Client, ClosedBy, Interruption, Message, MessageChannel, MessagePort, NotSent, block_on, context,
    event_loop::EventLoop,
    service,
    worker_thread::{self, Ending, PanicPolicy, Worker, WorkerBuilder, executor},
};

use common::{settle, turn};

/// What the tests call.
#[service]
trait Desk {
    async fn add(&self, a: u32, b: u32) -> u32;
    /// Never returns.
    async fn wait(&self);
}

struct Clerk {
    /// Told of every call of `wait` that has begun.
    begun: mpsc::Sender<()>,
}

impl Desk for Clerk {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }

    async fn wait(&self) {
        self.begun.send(()).unwrap();
        std::future::pending().await
    }
}

/// A worker whose code does not run before the sender says so.
fn held_back() -> (WorkerBuilder, mpsc::Sender<()>) {
    let (go, gone) = mpsc::channel();
    let builder = WorkerBuilder::new("held back").executor(move |worker| {
        gone.recv().unwrap();
        executor::small(worker);
    });
    (builder, go)
}

fn text(message: Message) -> String {
    String::from_utf8(message.data().to_vec()).unwrap()
}

async fn next(port: &MessagePort) -> String {
    text(port.recv().await.unwrap())
}

// Start.

/// WRK-01, WRK-02
#[test]
fn what_is_posted_through_the_handle_is_posted_on_a_port_with_the_same_checks() {
    let worker: Worker = Worker::spawn("post", async |_, port| {
        let message = port.recv().await.unwrap().into_parts();
        let carried = &message.ports[0];
        carried.post_message("through a port that came along").unwrap();
    })
    .unwrap();
    let (near, far) = MessageChannel::new().into_ports();
    let (closed, _) = MessageChannel::new().into_ports();
    closed.close();

    assert!(worker.post_message(Message::default().with_port(closed)).is_err());
    worker.post_message(Message::default().with_port(far)).unwrap();

    near.start();
    assert_eq!(block_on(next(&near)), "through a port that came along");
}

/// WRK-03, WRK-04
#[test]
fn messages_posted_before_the_workers_code_has_run_wait_for_it_in_order() {
    let (builder, go) = held_back();
    let worker: Worker<MessagePort, Vec<String>> = builder
        .spawn(async |_, port| {
            let mut received = Vec::new();
            while let Ok(message) = port.recv().await {
                received.push(text(message));
            }
            received
        })
        .unwrap();
    for number in ["1", "2", "3"] {
        worker.post_message(number).unwrap();
    }

    go.send(()).unwrap();

    assert_eq!(block_on(worker.join()), Ok(vec!["1".to_owned(), "2".to_owned(), "3".to_owned()]));
}

/// WRK-05
#[test]
fn the_workers_code_runs_to_its_first_pause_before_a_message_comes_and_then_they_come_unasked() {
    let (builder, go) = held_back();
    let worker: Worker<MessagePort, (bool, String)> = builder
        .spawn(async |_, port| {
            let before = port.recv().now_or_never().is_some();
            turn().await;
            (before, next(&port).await)
        })
        .unwrap();
    worker.post_message("waits").unwrap();

    go.send(()).unwrap();

    assert_eq!(block_on(worker.join()), Ok((false, "waits".to_owned())));
}

/// WRK-06
#[test]
fn a_handler_that_is_set_before_the_first_pause_sees_every_message() {
    let (builder, go) = held_back();
    let worker: Worker = builder
        .spawn(async |scope, port| {
            let port = scope.attach::<String>(port);
            let reply = port.clone();
            port.set_onmessage(move |event| reply.post_value(format!("saw {}", event.data)).unwrap());
        })
        .unwrap();
    worker.post_value("1").unwrap();
    worker.post_value("2").unwrap();

    go.send(()).unwrap();

    block_on(async {
        assert_eq!(worker.recv_value::<String>().await.unwrap().data, "saw 1");
        assert_eq!(worker.recv_value::<String>().await.unwrap().data, "saw 2");
    });
}

/// WRK-06
#[test]
fn a_handler_that_is_set_after_a_pause_has_missed_what_came_before() {
    let (builder, go) = held_back();
    let (set, is_set) = oneshot::channel();
    let worker: Worker = builder
        .spawn(async move |scope, port| {
            let port = scope.attach::<String>(port);
            settle().await;
            let reply = port.clone();
            port.add_listener(move |event| reply.post_value(format!("saw {}", event.data)).unwrap());
            set.send(()).unwrap();
        })
        .unwrap();
    worker.post_value("missed").unwrap();
    go.send(()).unwrap();

    block_on(async {
        is_set.await.unwrap();
        worker.post_value("2").unwrap();

        assert_eq!(worker.recv_value::<String>().await.unwrap().data, "saw 2");
    });
}

/// WRK-07
#[test]
fn a_workers_end_is_started_by_the_worker_and_not_by_its_handler() {
    let worker: Worker = Worker::spawn("listener", async |scope, port| {
        let port = scope.attach::<String>(port);
        let reply = port.clone();
        // At any other port this does not start it.
        port.add_listener(move |event| reply.post_value(std::mem::take(&mut event.data)).unwrap());
    })
    .unwrap();

    worker.post_value("heard").unwrap();

    // Nor did anybody start this end.
    assert_eq!(block_on(worker.recv_value::<String>()).unwrap().data, "heard");
}

/// WRK-08
#[test]
fn what_a_worker_posts_while_it_starts_is_held_until_it_has() {
    let (posted, is_posted) = mpsc::channel();
    let (go, gone) = mpsc::channel();
    let worker: Worker = Worker::spawn("early", async move |_, port| {
        port.post_message("early").unwrap();
        posted.send(()).unwrap();
        gone.recv().unwrap();
    })
    .unwrap();
    is_posted.recv().unwrap();
    assert!(worker.recv().now_or_never().is_none(), "delivered while the worker starts");

    go.send(()).unwrap();

    assert_eq!(block_on(next(&worker)), "early");
}

/// WRK-10
#[test]
fn a_worker_that_cannot_start_is_an_error_and_what_its_code_held_is_let_go() {
    let (ours, theirs) = MessageChannel::new().into_ports();
    theirs.post_message("posted before").unwrap();
    ours.start();

    let failed = WorkerBuilder::new("too large").stack_size(usize::MAX / 4).spawn(async move |_, port| {
        let _held = (theirs, port);
    });

    let failed: Result<Worker, _> = failed;
    assert_eq!(failed.unwrap_err().name(), "too large");
    block_on(async {
        assert_eq!(next(&ours).await, "posted before");
        assert_eq!(ours.closed().await, ClosedBy::Peer);
    });
}

#[test]
fn two_workers_may_have_one_name_and_a_name_may_hold_anything() {
    let name = "twice \0 and ü";
    let spawn = || Worker::<MessagePort, String>::spawn(name, async |scope, _| scope.name().to_owned()).unwrap();

    let (one, two) = (spawn(), spawn());

    assert_eq!(block_on(one.join()).unwrap(), name);
    assert_eq!(block_on(two.join()).unwrap(), name);
}

#[test]
fn a_worker_that_never_looks_at_its_port_ends_and_the_calls_to_it_did_not_run() {
    let (go, gone) = oneshot::channel::<()>();
    let worker: Worker<DeskClient> = Worker::spawn("deaf", async move |_, _port| gone.await.unwrap()).unwrap();

    block_on(async {
        let mut call = worker.add(2, 3);
        assert!(poll!(&mut call).is_pending());
        go.send(()).unwrap();

        assert_eq!(call.await, Err(CallError::NotSent(NotSent::Closed)));
    });
}

#[test]
fn a_worker_that_ends_at_once_has_its_result_and_nothing_hangs() {
    let worker: Worker<DeskClient, u32> = Worker::spawn("short", async |_, _port| 7).unwrap();

    block_on(async {
        assert_eq!(worker.add(2, 3).await, Err(CallError::NotSent(NotSent::Closed)));
        assert_eq!(worker.join().await, Ok(7));
    });
}

#[test]
fn a_worker_lives_until_what_it_spawned_is_done() {
    let (go, gone) = oneshot::channel::<()>();
    let (ours, theirs) = MessageChannel::new().into_ports();
    let worker: Worker = Worker::spawn("busy", async move |_, _port| {
        context::spawn_local(async move {
            gone.await.unwrap();
            theirs.post_message("done").unwrap();
        });
    })
    .unwrap();
    let mut joined = worker.join();
    assert!((&mut joined).now_or_never().is_none());

    go.send(()).unwrap();

    assert_eq!(block_on(joined), Ok(()));
    ours.start();
    assert_eq!(block_on(next(&ours)), "done");
}

// The end, from outside.

/// WRK-20
#[test]
fn nothing_of_a_worker_arrives_once_it_is_terminated_and_nothing_that_waited_reaches_it() {
    let (posted, is_posted) = mpsc::channel();
    let (go, gone) = mpsc::channel();
    let (seen, what_was_seen) = mpsc::channel();
    let worker: Worker = Worker::spawn("terminated", async move |_, port| {
        turn().await;
        port.post_message("before").unwrap();
        posted.send(()).unwrap();
        gone.recv().unwrap();
        port.post_message("after").unwrap();
        seen.send(port.recv().now_or_never().unwrap().is_ok()).unwrap();
        turn().await;
        seen.send(true).unwrap();
    })
    .unwrap();
    is_posted.recv().unwrap();
    worker.post_message("unread").unwrap();

    worker.terminate();

    assert!(worker.recv().now_or_never().unwrap().is_err(), "a message arrived that was posted before");
    go.send(()).unwrap();
    let error = block_on(worker.join()).unwrap_err();
    assert_eq!((error.name(), error.ending()), ("terminated", &Ending::Terminated));
    assert_eq!(what_was_seen.iter().collect::<Vec<_>>(), [false], "it went on, or got what waited");
}

/// WRK-20
#[test]
fn no_handler_at_the_handle_runs_after_the_worker_was_terminated() {
    let (posted, is_posted) = mpsc::channel();
    let worker: Worker = Worker::spawn("terminated", async move |_, port| {
        port.post_message("before").unwrap();
        turn().await;
        posted.send(()).unwrap();
        std::future::pending().await
    })
    .unwrap();
    let (port, worker) = worker.split();
    let event_loop = EventLoop::new();
    let count = Rc::new(RefCell::new(0));
    let port = event_loop.attach::<Message>(port);
    let counter = count.clone();
    port.set_onmessage(move |_| *counter.borrow_mut() += 1);
    is_posted.recv().unwrap();

    worker.terminate();
    event_loop.run_until_idle();

    assert_eq!(*count.borrow(), 0);
    assert!(block_on(worker.join()).is_err());
}

/// WRK-20
#[test]
fn terminating_ends_the_calls_that_run_and_those_that_wait_did_not_run() {
    let (begun, has_begun) = mpsc::channel();
    let (go, gone) = mpsc::channel();
    let worker: Worker<DeskClient> =
        Worker::spawn("terminated", |_, port| DeskServer::new(Clerk { begun }).serve(port)).unwrap();
    let (block, is_blocked) = mpsc::channel();
    let idle: Worker<DeskClient> = Worker::spawn("idle", async move |_, port| {
        turn().await;
        block.send(()).unwrap();
        gone.recv().unwrap();
        drop(port);
    })
    .unwrap();

    block_on(async {
        let (mut running, mut waiting) = (worker.wait(), idle.wait());
        assert!(poll!(&mut running).is_pending() && poll!(&mut waiting).is_pending());
        has_begun.recv().unwrap();
        is_blocked.recv().unwrap();
        worker.terminate();
        idle.terminate();

        assert_eq!(running.await, Err(CallError::Unknown(Interruption::Closed)));
        // Its thread is still blocked.
        assert_eq!(waiting.await, Err(CallError::NotSent(NotSent::Closed)));
    });
    go.send(()).unwrap();
}

/// WRK-21
#[test]
fn posting_to_a_worker_that_has_ended_is_harmless() {
    let ended: Worker = Worker::spawn("ended", async |_, port| drop(port)).unwrap();
    let terminated: Worker = Worker::spawn("terminated", async |_, _port| std::future::pending().await).unwrap();
    block_on(ended.closed());
    terminated.terminate();
    let (near, far) = MessageChannel::new().into_ports();

    ended.post_message(Message::default().with_port(far)).unwrap();
    terminated.post_message("nobody reads this").unwrap();

    assert_eq!(block_on(near.closed()), ClosedBy::Peer);
}

#[test]
fn terminating_twice_or_after_the_end_is_nothing() {
    let worker: Worker<MessagePort, u32> =
        Worker::spawn("twice", async |_, _port| std::future::pending().await).unwrap();
    worker.terminate();
    worker.terminate();
    assert_eq!(block_on(worker.join()).unwrap_err().ending(), &Ending::Terminated);

    let ended: Worker<MessagePort, u32> = Worker::spawn("ended", async |_, _| 3).unwrap();
    block_on(ended.closed());
    ended.terminate();
    assert_eq!(block_on(ended.join()), Ok(3));
}

#[test]
fn a_handler_may_terminate_the_worker_that_it_runs_in() {
    let (hand_over, handed_over) = mpsc::channel::<Worker<(), ()>>();
    let (after, went_on) = mpsc::channel();
    let worker: Worker = Worker::spawn("suicidal", async move |scope, port| {
        let port = scope.attach::<Message>(port);
        port.clone().set_onmessage(move |_| {
            let this = handed_over.recv().unwrap();
            this.terminate();
            port.post_message("not heard").unwrap();
            after.send(()).unwrap();
        });
    })
    .unwrap();
    let (port, worker) = worker.split();
    port.post_message("1").unwrap();
    port.post_message("2").unwrap();

    hand_over.send(worker).unwrap();

    assert_eq!(went_on.iter().count(), 1, "the handler runs to its end, and none after it");
    assert!(block_on(port.recv()).is_err());
}

#[test]
fn a_handle_that_is_dropped_while_its_worker_starts_lets_it_end_by_itself() {
    let (builder, go) = held_back();
    let (ours, theirs) = MessageChannel::new().into_ports();
    let worker: Worker = builder
        .spawn(async move |_, port| {
            let read = next(&port).await;
            assert!(port.recv().await.is_err(), "the handle is gone");
            theirs.post_message(read.into_bytes()).unwrap();
        })
        .unwrap();
    worker.post_message("posted before").unwrap();

    drop(worker);
    go.send(()).unwrap();

    ours.start();
    assert_eq!(block_on(next(&ours)), "posted before");
}

/// GC-05
#[test]
fn the_outside_port_lives_as_long_as_the_handle_and_the_inside_port_as_long_as_the_worker() {
    let (go, gone) = oneshot::channel::<()>();
    let worker: Worker<MessagePort, ClosedBy> = Worker::spawn("faces", async move |_, port| {
        gone.await.unwrap();
        port.post_message("still there").unwrap();
        port.closed().await
    })
    .unwrap();
    assert!(!worker.is_closed());
    go.send(()).unwrap();
    block_on(async {
        assert_eq!(next(&worker).await, "still there");
        assert!(worker.closed().now_or_never().is_none(), "the worker still has its end");

        // Drops the port.
        assert_eq!(worker.join().await, Ok(ClosedBy::Peer));
    });
}

// The end, from inside.

/// WRK-30
#[test]
fn a_worker_that_closes_itself_receives_nothing_more_but_what_it_still_posts_arrives() {
    let (builder, go) = held_back();
    let (seen, what_was_seen) = mpsc::channel();
    let worker: Worker = builder
        .spawn(async move |scope, port| {
            turn().await;
            port.post_message("before").unwrap();
            scope.close();
            assert!(scope.is_closing());
            seen.send(port.recv().now_or_never().unwrap().is_ok()).unwrap();
            port.post_message("after").unwrap();
            turn().await;
            seen.send(true).unwrap();
        })
        .unwrap();
    worker.post_message("unread").unwrap();
    go.send(()).unwrap();

    block_on(async {
        assert_eq!(next(&worker).await, "before");
        assert_eq!(next(&worker).await, "after");
        assert_eq!(worker.closed().await, ClosedBy::Peer);
        assert_eq!(worker.join().await.unwrap_err().ending(), &Ending::Closed);
    });
    assert_eq!(what_was_seen.iter().collect::<Vec<_>>(), [false]);
}

/// WRK-30
#[test]
fn a_handler_that_closes_its_worker_is_the_last_one() {
    let (builder, go) = held_back();
    let worker: Worker = builder
        .spawn(async |scope, port| {
            let port = scope.attach::<Message>(port);
            let this = scope.clone();
            port.clone().set_onmessage(move |event| {
                this.close();
                port.post_message(event.data.data().to_vec()).unwrap();
            });
        })
        .unwrap();
    worker.post_message("1").unwrap();
    worker.post_message("2").unwrap();
    go.send(()).unwrap();

    block_on(async {
        assert_eq!(next(&worker).await, "1");
        assert!(worker.recv().await.is_err());
    });
}

#[test]
fn a_worker_that_closes_itself_in_its_last_turn_has_its_result() {
    let worker: Worker<MessagePort, u32> = Worker::spawn("last", async |scope, _| {
        scope.close();
        9
    })
    .unwrap();

    assert_eq!(block_on(worker.join()), Ok(9));
}

/// WRK-31
#[test]
fn the_end_of_a_worker_is_told_at_every_port_that_it_held_after_its_data() {
    type EndOf = fn(&worker_thread::WorkerScope);
    let ends: [(EndOf, ClosedBy); 3] = [
        (|_| {}, ClosedBy::Peer),
        (|scope| scope.close(), ClosedBy::Peer),
        (|_| panic!("as the test wants"), ClosedBy::PeerPanic),
    ];
    for (end, told) in ends {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let (more, held) = MessageChannel::new().into_ports();
        let worker: Worker = Worker::spawn("parted", async move |scope, port| {
            context::spawn_local(async move {
                held.post_message("1").unwrap();
                held.closed().await;
            });
            for port in [&port, &theirs] {
                port.post_message("1").unwrap();
                port.post_message("2").unwrap();
            }
            turn().await;
            end(&scope);
            // What was spawned may keep a worker whose own future has ended.
            scope.close();
        })
        .unwrap();
        ours.start();
        more.start();

        block_on(async {
            for port in [&*worker, &ours] {
                assert_eq!(next(port).await, "1");
                assert_eq!(next(port).await, "2");
                assert_eq!(port.closed().await, told);
            }
            assert_eq!(next(&more).await, "1");
            assert_eq!(more.closed().await, told);
        });
    }
}

/// WRK-32
#[test]
fn a_worker_whose_handle_is_gone_is_in_use_as_long_as_it_holds_a_port_to_the_outside() {
    let (ours, theirs) = MessageChannel::new().into_ports();
    let worker: Worker = Worker::spawn("in use", async move |scope, port| {
        drop(port);
        let theirs = scope.attach::<u32>(theirs);
        let reply = theirs.clone();
        theirs.set_onmessage(move |event| reply.post_value(event.data + 1).unwrap());
    })
    .unwrap();
    block_on(worker.closed());
    let joined = worker.join();

    ours.start();
    block_on(async {
        ours.post_value(1_u32).unwrap();
        assert_eq!(ours.recv_value::<u32>().await.unwrap().data, 2);
        drop(ours);

        assert_eq!(joined.await, Ok(()));
    });
}

/// WRK-33
#[test]
fn channels_in_a_closing_worker_do_nothing_and_fail_at_nothing() {
    let worker: Worker<MessagePort, usize> = Worker::spawn("closing", async |scope, _| {
        let count = Rc::new(RefCell::new(0));
        let counter = count.clone();
        scope.close();
        let (near, far) = MessageChannel::new().into_ports();
        let far = scope.attach::<Message>(far);
        far.set_onmessage(move |_| *counter.borrow_mut() += 1);
        far.start();
        near.post_message("nobody hears this").unwrap();
        far.post_message("nor this").unwrap();
        near.start();
        near.close();
        far.close();
        assert_eq!(scope.event_loop().run_until_idle(), 0);
        *count.borrow()
    })
    .unwrap();

    assert_eq!(block_on(worker.join()), Ok(0));
}

// Panics.

#[test]
fn what_a_panic_said_comes_as_an_error_event_and_to_every_call_in_flight_with_the_workers_name() {
    let (begun, has_begun) = mpsc::channel();
    let (panic, panicking) = oneshot::channel::<()>();
    let worker: Worker<DeskClient> = Worker::spawn("printer", async move |_, port| {
        let served = DeskServer::new(Clerk { begun }).serve(port);
        futures::pin_mut!(served);
        futures::future::select(served, panicking).await;
        panic!("out of {}", "paper");
    })
    .unwrap();

    block_on(async {
        let (mut one, mut two) = (worker.wait(), worker.wait());
        assert!(poll!(&mut one).is_pending() && poll!(&mut two).is_pending());
        has_begun.recv().unwrap();
        has_begun.recv().unwrap();
        panic.send(()).unwrap();

        let said = "the worker `printer` panicked: out of paper";
        let ended = Err(CallError::Unknown(Interruption::Panicked(said.to_owned())));
        assert_eq!((one.await, two.await), (ended.clone(), ended));
        assert_eq!(worker.port().closed().await, ClosedBy::PeerPanic);
        let event = worker.next_error().await.unwrap();
        assert_eq!((&*event.worker, &*event.message), ("printer", "out of paper"));
        assert_eq!(worker.next_error().await, None);
        let error = worker.join().await.unwrap_err();
        assert_eq!(error.ending(), &Ending::Panicked("out of paper".to_owned()));
        assert_eq!(error.to_string(), said);
    });
}

#[test]
fn a_panic_is_also_the_ending_of_a_call_that_went_out_as_bytes() {
    let worker: Worker<DeskClient> = Worker::spawn("reader", async |_, port| {
        let frame = port.recv().await.unwrap();
        panic!("one frame of kind {} is too many", frame.data()[1]);
    })
    .unwrap();

    let ended = block_on(worker.add(2, 3)).unwrap_err();

    let CallError::Unknown(Interruption::Panicked(said)) = ended else { panic!("{ended:?}") };
    assert_eq!(said, "the worker `reader` panicked: one frame of kind 1 is too many");
}

#[test]
fn a_panic_in_what_a_worker_spawned_ends_the_worker() {
    let worker: Worker = Worker::spawn("end", async |_, port| {
        context::spawn_local(async { panic!("beside") });
        port.closed().await;
    })
    .unwrap();

    assert_eq!(block_on(worker.closed()), ClosedBy::PeerPanic);
    assert_eq!(block_on(worker.join()).unwrap_err().ending(), &Ending::Panicked("beside".to_owned()));
}

#[test]
fn a_panic_before_the_first_pause_is_reported_like_any_other() {
    let worker: Worker<DeskClient> =
        Worker::spawn("stillborn", |_, _port| -> std::future::Ready<()> { panic!("no licence") }).unwrap();

    block_on(async {
        assert_eq!(worker.add(2, 3).await, Err(CallError::NotSent(NotSent::Closed)));
        assert_eq!(worker.next_error().await.unwrap().message, "no licence");
    });
}

#[test]
fn a_worker_that_is_told_so_goes_on_after_a_panic_beside_its_own_future() {
    let builder = WorkerBuilder::new("tough").on_panic(PanicPolicy::EndTask);
    let worker: Worker = builder
        .spawn(async |scope, port| {
            context::spawn_local(async { panic!("a future") });
            let port = scope.attach::<String>(port);
            let reply = port.clone();
            port.set_onmessage(move |event| {
                assert_ne!(event.data, "bad", "a handler");
                reply.post_value(event.data.clone()).unwrap();
            });
        })
        .unwrap();

    worker.post_value("bad").unwrap();
    worker.post_value("good").unwrap();

    block_on(async {
        assert_eq!(worker.recv_value::<String>().await.unwrap().data, "good");
        let mut said = [worker.next_error().await.unwrap().message, worker.next_error().await.unwrap().message];
        said.sort();
        assert_eq!(said[0], "a future");
        assert!(said[1].contains("a handler"), "{}", said[1]);
        assert_eq!(worker.join().await, Ok(()));
    });
}

#[test]
fn a_panic_in_a_drop_at_the_workers_end_is_reported_and_the_rest_is_dropped() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a drop");
        }
    }
    let (ours, theirs) = MessageChannel::new().into_ports();
    let worker: Worker = Worker::spawn("bomb", async |_, port| {
        let _bomb = Bomb;
        context::spawn_local(async move {
            let _held = (theirs, Bomb);
            std::future::pending::<()>().await;
        });
        turn().await;
        port.post_message("up").unwrap();
        std::future::pending().await
    })
    .unwrap();
    assert_eq!(block_on(next(&worker)), "up");

    worker.terminate();

    block_on(async {
        assert!(matches!(ours.closed().await, ClosedBy::Peer | ClosedBy::PeerPanic));
        for _ in 0..2 {
            assert_eq!(worker.next_error().await.map(|event| event.message), Some("in a drop".to_owned()));
        }
        assert_eq!(worker.join().await.unwrap_err().ending(), &Ending::Terminated);
    });
}

#[test]
fn the_error_handler_is_told_in_the_event_loop_of_whoever_holds_the_worker() {
    let mut worker: Worker = Worker::spawn("failing", async |_, _| panic!("heard")).unwrap();
    let event_loop = EventLoop::new();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let list = heard.clone();
    let errors = worker.set_onerror(&event_loop, move |event| list.borrow_mut().push(event.to_string()));
    block_on(async {
        let running = event_loop.run().fuse();
        let joined = worker.join().fuse();
        futures::pin_mut!(running, joined);
        futures::select! { _ = running => {}, _ = joined => {} }
    });

    event_loop.run_until_idle();

    assert_eq!(*heard.borrow(), ["the worker `failing` panicked: heard"]);
    drop(errors);
}

#[test]
fn an_executor_that_comes_back_too_early_ends_its_worker() {
    let worker: Worker = WorkerBuilder::new("left").executor(|_| {}).spawn(async |_, _| ()).unwrap();

    assert_eq!(block_on(worker.join()).unwrap_err().ending(), &Ending::Abandoned);
}

// Calls among workers.

/// Passes a call on.
#[service]
trait Relay {
    /// Passes the call on to the next for so many steps, and counts them.
    async fn pass(&self, steps: u32) -> u32;
    /// Who is next.
    async fn follow(&self, next: RelayClient);
    /// Blocks the context until the next has answered.
    async fn block(&self) -> u32;
}

#[derive(Default)]
struct Link(RefCell<Option<Rc<RelayClient>>>);

impl Link {
    fn next(&self) -> Rc<RelayClient> {
        self.0.borrow().clone().unwrap()
    }
}

impl Relay for Link {
    async fn pass(&self, steps: u32) -> u32 {
        if steps == 0 { 0 } else { self.next().pass(steps - 1).await.unwrap() + 1 }
    }

    async fn follow(&self, next: RelayClient) {
        self.0.replace(Some(Rc::new(next)));
    }

    async fn block(&self) -> u32 {
        block_on(self.next().pass(0)).unwrap()
    }
}

/// Starts that many workers in a ring, and hands back a client of the first.
async fn ring(workers: usize) -> RelayClient {
    let spawn = || Worker::<MessagePort>::spawn("link", |_, port| serve_both(port)).unwrap().into_client();
    let ends: Vec<MessagePort> = (0..workers).map(|_| spawn()).collect();
    let mut clients: Vec<_> = Vec::new();
    let mut followers: Vec<RelayClient> = Vec::new();
    for end in &ends {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let (before, theirs_too) = MessageChannel::new().into_ports();
        end.post_message(Message::default().with_ports([theirs, theirs_too])).unwrap();
        clients.push(RelayClient::from(ours));
        followers.push(before.into());
    }
    followers.rotate_left(1);
    for (client, next) in clients.iter().zip(followers) {
        client.follow(next).await.unwrap();
    }
    clients.swap_remove(0)
}

/// Serves a client and whoever comes before in the ring.
async fn serve_both(port: MessagePort) {
    let ports = port.recv().await.unwrap().into_parts().ports;
    let link = Rc::new(Link::default());
    for port in ports {
        context::spawn_local(RelayServer::new(Linked(link.clone())).serve(port));
    }
}

struct Linked(Rc<Link>);

impl Relay for Linked {
    async fn pass(&self, steps: u32) -> u32 {
        self.0.pass(steps).await
    }

    async fn follow(&self, next: RelayClient) {
        self.0.follow(next).await;
    }

    async fn block(&self) -> u32 {
        self.0.block().await
    }
}

#[test]
fn a_call_comes_back_around_a_ring_of_workers_and_from_a_worker_to_itself() {
    block_on(async {
        for workers in [1, 2, 3] {
            let first = ring(workers).await;

            assert_eq!(first.pass(7).await, Ok(7), "{workers} workers");
        }
    });
}

#[test]
fn a_worker_that_would_block_on_its_own_reply_is_told_so_by_a_panic_instead() {
    block_on(async {
        let first = ring(1).await;

        let error = first.block().await.unwrap_err();

        assert!(error.to_string().contains("this thread is a context already"), "{error}");
        assert_eq!(first.pass(1).await, Ok(1), "the worker goes on");
    });
}

// Scopes.

#[test]
fn a_scope_ends_after_its_workers_which_may_borrow_from_outside() {
    let done = AtomicUsize::new(0);
    let words = ["a", "b", "c"];

    let first = worker_thread::scope(|scope| {
        for word in &words {
            let _detached: Worker<MessagePort, &str> = scope
                .spawn("borrows", async |_, port| {
                    assert!(port.recv().await.is_err());
                    done.fetch_add(1, Ordering::SeqCst);
                    *word
                })
                .unwrap();
        }
        let worker: Worker<MessagePort, &str> = scope.spawn("returns", async |_, _| words[0]).unwrap();
        block_on(worker.join()).unwrap()
    });

    assert_eq!((first, done.load(Ordering::SeqCst)), ("a", 3));
}

#[test]
fn a_client_that_leaves_its_scope_finds_its_worker_gone() {
    let (begun, _) = mpsc::channel();

    let desk: DeskClient = worker_thread::scope(|scope| {
        let worker: Worker<DeskClient> =
            scope.spawn("scoped", |_, port| DeskServer::new(Clerk { begun }).serve(port)).unwrap();
        assert_eq!(block_on(worker.add(2, 3)), Ok(5));
        worker.into_client()
    });

    assert_eq!(block_on(desk.add(2, 3)), Err(CallError::NotSent(NotSent::Closed)));
}

#[test]
fn a_scope_that_panics_terminates_its_workers_first() {
    let dropped = Arc::new(());
    let theirs = dropped.clone();

    let ran = std::panic::catch_unwind(move || {
        worker_thread::scope(|scope| {
            let _worker: Worker = scope
                .spawn("endless", async move |_, _| {
                    let _held = theirs;
                    std::future::pending().await
                })
                .unwrap();
            panic!("as the test wants");
        });
    });

    assert!(ran.is_err());
    assert_eq!(Arc::strong_count(&dropped), 1, "the worker lives");
}
