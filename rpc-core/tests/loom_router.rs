//! A router of calls between threads, in every order that its locks allow: calls that meet services which come and go, callers who
//! give up meanwhile, and the router's own end.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p handover-core --test loom_router --release`; see `loom.rs`.
#![cfg(loom)]

mod loom_common;

use std::sync::{Arc, Mutex};

use futures::FutureExt;
use handover_core::{
    Call, CallError, MessageChannel, MessagePort, NotSent,
    rpc::{CallInfo, CallRouter, ClientOptions, ClientStub, Interceptor, Method, Outcome},
    wire::{CallId, Frame},
};
use loom::{future::block_on, thread};
use loom_common::{Double, explore};

/// How the calls of a client have ended.
#[derive(Default)]
struct Endings(Mutex<Vec<Outcome>>);

impl Interceptor for Endings {
    fn after(&self, _: &CallInfo, outcome: &Outcome) {
        self.0.lock().unwrap().push(outcome.clone());
    }
}

/// A client of a router, and what it sees of the ends of its calls.
fn client(router: &CallRouter) -> (ClientStub, Arc<Endings>) {
    let endings = Arc::new(Endings::default());
    let options = ClientOptions::default().shared_interceptor(endings.clone());
    (ClientStub::new(router.connect()).with(options), endings)
}

fn double(stub: &ClientStub) -> Call<'_, u32, CallError> {
    stub.call::<Double, _>(4)
}

/// A service that reads its calls as bytes, by hand.
fn service() -> (MessagePort, MessagePort) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    theirs.start();
    (ours, theirs)
}

/// A client whose calls come as bytes, and what it is told.
fn raw_client(router: &CallRouter) -> MessagePort {
    let client = router.connect();
    client.start();
    client
}

fn post(port: &MessagePort, frame: &Frame<'_>) {
    port.post_message(&*frame.to_bytes()).expect("a frame without ports can be posted");
}

const OURS: CallId = CallId(5);

fn call(port: &MessagePort) {
    post(port, &Frame::call(OURS, Double::ID, &[4]));
}

/// A frame, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Call(CallId),
    Cancel(CallId),
    Reply(CallId),
    Fault(CallId),
}

/// The frames that are there.
fn frames(port: &MessagePort) -> Vec<Seen> {
    let messages = std::iter::from_fn(|| port.recv().now_or_never()?.ok());
    let seen = messages.map(|message| match Frame::parse(message.data()).expect("frames are posted") {
        Frame::Call { id, .. } => Seen::Call(id),
        Frame::Cancel { id } => Seen::Cancel(id),
        Frame::Reply { id, .. } => Seen::Reply(id),
        Frame::Fault { id, .. } => Seen::Fault(id),
        frame => panic!("somebody posted {frame:?}"),
    });
    seen.collect()
}

// Calls as cells.

#[test]
fn a_call_that_is_made_while_the_first_service_comes_is_handed_to_it() {
    explore(|| {
        let router = CallRouter::new();
        let (stub, _) = client(&router);
        let (ours, theirs) = service();

        let adder = {
            let router = router.clone();
            thread::spawn(move || router.add(ours))
        };
        let mut waits = double(&stub);
        assert_eq!((&mut waits).now_or_never(), None);

        adder.join().unwrap();
        assert!(matches!(frames(&theirs).as_slice(), [Seen::Call(_)]));
    });
}

#[test]
fn a_call_that_is_made_while_its_service_goes_ends_once_or_waits_for_the_next() {
    explore(|| {
        let router = CallRouter::new();
        let (stub, endings) = client(&router);
        let (ours, theirs) = service();
        router.add(ours);

        let dropper = thread::spawn(move || drop(theirs));
        let mut made = double(&stub);
        let first = (&mut made).now_or_never();
        dropper.join().unwrap();
        router.close();
        let ended = first.unwrap_or_else(|| block_on(made));

        let error = CallError::NotSent(NotSent::Closed);
        assert_eq!(ended, Err(error.clone()));
        assert_eq!(*endings.0.lock().unwrap(), [Outcome::Failed(error)]);
    });
}

#[test]
fn a_call_that_is_made_while_its_router_closes_ends_as_not_sent() {
    explore(|| {
        let router = CallRouter::new();
        let (stub, endings) = client(&router);

        let closer = thread::spawn(move || router.close());
        let ended = block_on(double(&stub));

        closer.join().unwrap();
        let error = CallError::NotSent(NotSent::Closed);
        assert_eq!(ended, Err(error.clone()));
        assert_eq!(*endings.0.lock().unwrap(), [Outcome::Failed(error)]);
    });
}

// Calls as bytes.

#[test]
fn of_two_calls_that_are_made_at_once_each_goes_to_a_service_of_its_own() {
    explore(|| {
        let router = CallRouter::new();
        let (one, other) = (raw_client(&router), raw_client(&router));
        let ((to_first, first), (to_second, second)) = (service(), service());
        router.add(to_first);
        router.add(to_second);

        let caller = thread::spawn(move || {
            call(&other);
            other
        });
        call(&one);

        let _other = caller.join().unwrap();
        assert!(matches!(frames(&first).as_slice(), [Seen::Call(_)]));
        assert!(matches!(frames(&second).as_slice(), [Seen::Call(_)]));
    });
}

#[test]
fn a_call_that_is_cancelled_while_the_first_service_comes_is_cancelled_there_or_never_sent() {
    explore(|| {
        let router = CallRouter::new();
        let client = raw_client(&router);
        let (ours, theirs) = service();
        call(&client);

        let adder = {
            let router = router.clone();
            thread::spawn(move || router.add(ours))
        };
        post(&client, &Frame::Cancel { id: OURS });

        adder.join().unwrap();
        match frames(&theirs).as_slice() {
            [] => {}
            [Seen::Call(sent), Seen::Cancel(cancelled)] if sent == cancelled => {}
            frames => panic!("the service was sent {frames:?}"),
        }
        assert_eq!(frames(&client), []);
    });
}

#[test]
fn a_call_whose_client_goes_while_the_first_service_comes_is_cancelled_there_or_never_sent() {
    explore(|| {
        let router = CallRouter::new();
        let client = raw_client(&router);
        let (ours, theirs) = service();
        call(&client);

        let adder = {
            let router = router.clone();
            thread::spawn(move || router.add(ours))
        };
        drop(client);

        adder.join().unwrap();
        match frames(&theirs).as_slice() {
            [] => {}
            [Seen::Call(sent), Seen::Cancel(cancelled)] if sent == cancelled => {}
            frames => panic!("the service was sent {frames:?}"),
        }
    });
}

#[test]
fn a_call_that_is_made_while_its_client_is_closed_is_cancelled_or_never_sent() {
    explore(|| {
        let router = CallRouter::new();
        let client = Arc::new(raw_client(&router));
        let (ours, theirs) = service();
        router.add(ours);

        let caller = {
            let client = client.clone();
            thread::spawn(move || call(&client))
        };
        client.close();

        caller.join().unwrap();
        match frames(&theirs).as_slice() {
            [] => {}
            [Seen::Call(sent), Seen::Cancel(cancelled)] if sent == cancelled => {}
            frames => panic!("the service was sent {frames:?}"),
        }
    });
}

#[test]
fn a_call_that_is_handed_to_a_service_that_goes_is_answered_once_or_waits_for_the_next() {
    explore(|| {
        let router = CallRouter::new();
        let client = raw_client(&router);
        let (ours, theirs) = service();
        router.add(ours);

        let dropper = thread::spawn(move || drop(theirs));
        call(&client);
        dropper.join().unwrap();
        let (ours, next) = service();
        router.add(ours);

        match (frames(&client).as_slice(), frames(&next).as_slice()) {
            ([Seen::Fault(OURS)], []) | ([], [Seen::Call(_)]) => {}
            seen => panic!("the client and the next service were told {seen:?}"),
        }
    });
}

#[test]
fn a_call_that_is_answered_while_it_is_cancelled_is_answered_at_most_once() {
    explore(|| {
        let router = CallRouter::new();
        let client = raw_client(&router);
        let (ours, theirs) = service();
        router.add(ours);
        call(&client);
        let sent = frames(&theirs);
        let [Seen::Call(id)] = sent.as_slice() else { panic!("the service was sent {sent:?}") };

        let answered = *id;
        let answerer = thread::spawn(move || {
            post(&theirs, &Frame::Reply { id: answered, result: &[0, 8] });
            theirs
        });
        post(&client, &Frame::Cancel { id: OURS });

        let theirs = answerer.join().unwrap();
        match (frames(&client).as_slice(), frames(&theirs).as_slice()) {
            ([Seen::Reply(OURS)], []) => {}
            ([], [Seen::Cancel(cancelled)]) if cancelled == id => {}
            seen => panic!("the client and the service were told {seen:?}"),
        }
    });
}
