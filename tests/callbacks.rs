//! Closures as rights: called from wherever what calls them is.

mod common;

use std::{
    cell::{Cell, RefCell},
    future::pending,
    rc::Rc,
};

use common::{Way, over_every_way, settle};
use futures::{FutureExt, channel::oneshot, future::join_all, poll};
use handover::{
    Callback, Interruption, NotSent, OnceCallback, Refusal, context, in_process,
    prelude::*,
    rpc::{CallbackServer, OnceCallbackServer},
    testing::LeakCheck,
    wire::{CallId, Fault, Frame, MethodId},
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Listener {
    name: String,
    told: Vec<Callback<(String, u32), String>>,
    last: Option<OnceCallback<u32, ()>>,
}

#[service]
trait News {
    /// Tells everybody of a number, and gives back what they said.
    async fn tell(&self, listener: Listener, number: u32) -> Vec<String>;
    async fn adder(&self, number: u32) -> Callback<u32, u32>;
    async fn keep(&self, callback: OnceCallback<u32, ()>);
    async fn spend(&self) -> Result<(), String>;
}

#[derive(Default)]
struct Paper(RefCell<Option<OnceCallback<u32, ()>>>);

impl News for Paper {
    async fn tell(&self, listener: Listener, number: u32) -> Vec<String> {
        let calls = listener.told.iter().map(|told| told.call((listener.name.clone(), number)));
        let said = join_all(calls).await;
        if let Some(last) = listener.last {
            last.call(number).await.unwrap();
        }
        said.into_iter().map(Result::unwrap).collect()
    }

    async fn adder(&self, number: u32) -> Callback<u32, u32> {
        in_process::callback(async move |other| number + other)
    }

    async fn keep(&self, callback: OnceCallback<u32, ()>) {
        self.0.replace(Some(callback));
    }

    async fn spend(&self) -> Result<(), String> {
        let kept = self.0.take().ok_or("there is none")?;
        kept.call(7).await.map_err(|error| error.to_string())
    }
}

fn news(way: Way) -> NewsClient {
    way.spawn(|port| NewsServer::new(Paper::default()).serve(port))
}

#[test]
fn closures_of_the_caller_are_called_where_they_are_from_where_they_were_sent() {
    over_every_way(async |way| {
        let heard = Rc::new(RefCell::new(Vec::new()));
        let told = (0..3).map(|index| {
            let heard = heard.clone();
            in_process::callback(async move |(name, number): (String, u32)| {
                heard.borrow_mut().push((index, number));
                format!("{name} {index}")
            })
        });
        let (tell, last) = oneshot::channel();
        let listener = Listener {
            name: "Ada".to_owned(),
            told: told.collect(),
            last: Some(in_process::once_callback(async |number| tell.send(number).unwrap())),
        };

        let said = news(way).tell(listener, 5).await;

        assert_eq!(said, Ok(vec!["Ada 0".to_owned(), "Ada 1".to_owned(), "Ada 2".to_owned()]));
        assert_eq!(last.await, Ok(5));
        let mut heard = heard.take();
        heard.sort_unstable();
        assert_eq!(heard, [(0, 5), (1, 5), (2, 5)]);
    });
}

#[test]
fn a_closure_that_is_returned_is_called_as_often_as_one_likes_also_pipelined() {
    over_every_way(async |way| {
        let news = news(way);
        let (add_two, add_three) = (news.adder(2).pipelined(), news.adder(3).await.unwrap());

        assert_eq!(add_two.call(5).await, Ok(7));
        assert_eq!(add_two.call(6).await, Ok(8));
        assert_eq!(add_three.call(5).await, Ok(8));
    });
}

#[test]
fn closures_run_beside_each_other_and_end_when_nobody_waits() {
    context::block_on(async {
        let (running, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (counted, guarded) = (running.clone(), ended.clone());
        let hang: Callback<(), ()> = in_process::callback(async move |()| {
            counted.set(counted.get() + 1);
            let _guard = Guard(guarded.clone());
            pending().await
        });
        let (mut first, mut second) = (hang.call(()), hang.call(()));
        assert!(poll!(&mut first).is_pending());
        assert!(poll!(&mut second).is_pending());
        settle().await;
        assert_eq!(running.get(), 2);

        drop((first, second));
        settle().await;

        assert_eq!(ended.get(), 2);
    });
}

struct Guard(Rc<Cell<u32>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn what_is_called_once_is_dropped_unused_with_who_could_have_called_it_wherever_that_was() {
    over_every_way(async |way| {
        let dropped = Rc::new(Cell::new(0));
        let unused = |_: &str| {
            let guard = Guard(dropped.clone());
            in_process::once_callback::<u32, (), _>(async move |_| drop(guard))
        };
        let news = news(way);

        drop(unused("here"));
        settle().await;
        assert_eq!(dropped.get(), 1);

        news.keep(unused("there, and replaced")).await.unwrap();
        let kept = unused("there, and let go with the service");
        let ended = kept.port().control();
        news.keep(kept).await.unwrap();
        drop(news);
        drop(ended);
        while dropped.get() < 3 {
            common::turn().await;
            std::thread::yield_now();
        }
    });
}

#[test]
fn what_is_called_once_is_called_once_after_any_number_of_owners() {
    over_every_way(async |way| {
        let (news, called) = (news(way), Rc::new(Cell::new(0)));
        let guard = Guard(called.clone());
        news.keep(in_process::once_callback(async move |number| {
            assert_eq!(number, 7);
            drop(guard);
        }))
        .await
        .unwrap();

        assert_eq!(news.spend().await, Ok(()));
        assert_eq!(news.spend().await, Err(RpcError::Service("there is none".to_owned())));
        assert_eq!(called.get(), 1);
    });
}

#[test]
fn a_closure_that_panics_ends_that_call_only() {
    context::block_on(async {
        let picky = in_process::callback(async |number: u32| {
            assert_ne!(number, 3, "not three");
            number
        });

        let panicked = picky.call(3).await.unwrap_err();

        assert!(matches!(&panicked, CallError::Unknown(Interruption::Panicked(said)) if said.contains("not three")));
        assert_eq!(picky.call(4).await, Ok(4));
    });
}

#[test]
fn closures_leave_nothing() {
    let check = LeakCheck::begin();
    context::block_on(async {
        let used = in_process::callback(async |number: u32| number);
        assert_eq!(used.call(1).await, Ok(1));
        drop((used, in_process::once_callback(async |_: u32| ())));
        settle().await;
    });
    check.end();
}

#[test]
fn what_calls_a_closure_shows_nothing_of_it() {
    context::block_on(async {
        let secret = "sesame".to_owned();
        let callback = in_process::callback(async move |guess: String| guess == secret);

        assert!(!format!("{callback:?}").contains("sesame"));
        assert!(format!("{callback:?}").starts_with("Callback(MessagePort {"), "{callback:?}");
    });
}

// Peers that do not keep to it.

/// A closure that was called so often, and the raw port that leads to it.
fn raw_once() -> (MessagePort, Rc<Cell<u32>>) {
    let called = Rc::new(Cell::new(0));
    let counted = called.clone();
    let (ours, theirs) = MessageChannel::new().into_ports();
    let server = OnceCallbackServer::new(async move |number: u32| {
        counted.set(counted.get() + 1);
        number + 1
    });
    context::spawn_local(server.serve(theirs));
    ours.start();
    (ours, called)
}

fn call(id: u64, args: &[u8]) -> Vec<u8> {
    Frame::call(CallId(id), MethodId::of_name("call"), args).to_bytes()
}

fn refusal(id: u64, refusal: Refusal) -> Vec<u8> {
    Frame::Fault { id: CallId(id), fault: Fault::Refused(refusal) }.to_bytes()
}

async fn next(port: &MessagePort) -> Vec<u8> {
    port.recv().await.unwrap().data().to_vec()
}

#[test]
fn a_peer_that_calls_twice_what_is_called_once_is_refused_and_finds_the_port_closed() {
    context::block_on(async {
        let (peer, called) = raw_once();

        for id in 1..=3 {
            peer.post_message(call(id, &[4])).unwrap();
        }

        let mut answers = [next(&peer).await, next(&peer).await, next(&peer).await];
        answers.sort_unstable();
        let reply = Frame::Reply { id: CallId(1), result: &[0, 5] }.to_bytes();
        assert_eq!(answers, [reply, refusal(2, Refusal::Spent), refusal(3, Refusal::Spent)]);
        peer.post_message(call(4, &[4])).unwrap();
        assert_eq!(next(&peer).await, refusal(4, Refusal::Spent));
        assert!(peer.recv().await.is_err());
        assert_eq!(called.get(), 1);
    });
}

#[test]
fn a_call_that_cannot_be_read_uses_nothing_up() {
    context::block_on(async {
        let (peer, called) = raw_once();

        peer.post_message(call(1, &[255, 255, 255, 255, 255])).unwrap();
        peer.post_message(Frame::call(CallId(2), MethodId::of_name("steal"), &[]).to_bytes()).unwrap();

        let malformed = next(&peer).await;
        assert!(matches!(
            Frame::parse(&malformed),
            Ok(Frame::Fault { fault: Fault::Refused(Refusal::Malformed(_)), .. })
        ));
        assert_eq!(next(&peer).await, refusal(2, Refusal::UnknownMethod(MethodId::of_name("steal"))));
        assert_eq!(called.get(), 0);
        peer.post_message(call(3, &[4])).unwrap();
        assert_eq!(next(&peer).await, Frame::Reply { id: CallId(3), result: &[0, 5] }.to_bytes());
    });
}

#[test]
fn a_closure_that_is_taken_for_one_of_other_types_refuses_the_call() {
    for as_bytes in [false, true] {
        context::block_on(async move {
            let way = if as_bytes { Way::Bytes } else { Way::Direct };
            let wrong: Callback<String, u32> =
                way.spawn_here(|port| CallbackServer::new(async |number: u32| number).serve(port));

            let error = wrong.call("four".to_owned()).await.unwrap_err();

            assert!(matches!(error, CallError::Refused(Refusal::Mismatch(_))), "{error:?}");
        });
    }
}

#[test]
fn a_client_of_another_service_that_is_taken_for_a_closure_is_refused() {
    context::block_on(async {
        let wrong = Callback::<u32, u32>::from(news(Way::Direct).into_port());

        let refused = wrong.call(1).await;

        assert_eq!(refused, Err(CallError::Refused(Refusal::UnknownMethod(MethodId::of_name("call")))));
    });
}

#[test]
fn a_right_to_one_call_that_is_taken_for_one_to_many_is_used_up_by_the_first() {
    context::block_on(async {
        let once = in_process::once_callback(async |number: u32| number);
        let many = Callback::<u32, u32>::from(once.into_port());

        assert_eq!(many.call(1).await, Ok(1));
        assert_eq!(many.call(2).await, Err(CallError::Refused(Refusal::Spent)));
        settle().await;
        assert_eq!(many.call(3).now_or_never(), Some(Err(CallError::NotSent(NotSent::Closed))));
    });
}
