//! Messages that nobody would write, from random bytes and over links that corrupt: nothing panics, every call with a deadline ends,
//! and later calls work.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use futures::FutureExt;
use handover::{
    Interruption, Message, MessageChannel, NotSent, Refusal, clock, context,
    prelude::*,
    testing::{LeakCheck, ManualClock, advance, check_seeds, connect_over, settle, settled},
    wire::{CallId, Fault, Frame, MethodId, Window},
};
use serde::{Deserialize, Serialize};

const DEADLINE: Duration = Duration::from_secs(1);
const SEEDS: std::ops::Range<u64> = 0..100;

#[derive(Debug, Serialize, Deserialize)]
enum Shape {
    Point,
    Line { length: u64, name: String },
    Group(Vec<Shape>),
    Marked(Box<Shape>, Option<MessagePort>),
}

#[service]
trait Museum {
    async fn add(&self, a: u32, b: u32) -> u32;
    async fn put(&self, shape: Shape, beside: Vec<MessagePort>) -> Result<u32, String>;
    async fn hang(&self);
    #[rpc(oneway)]
    async fn tell(&self, text: String);
}

struct Keeper;

impl Museum for Keeper {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    async fn put(&self, shape: Shape, beside: Vec<MessagePort>) -> Result<u32, String> {
        match shape {
            Shape::Point => Ok(beside.len() as u32),
            Shape::Line { length, name } => Err(format!("{length} {name}")),
            Shape::Group(shapes) => Ok(shapes.len() as u32),
            Shape::Marked(_, port) => Ok(port.is_some().into()),
        }
    }

    async fn hang(&self) {
        std::future::pending().await
    }

    async fn tell(&self, _text: String) {}
}

async fn serve(port: MessagePort) {
    MuseumServer::new(Keeper).serve(port).await;
}

fn bytes(rng: &mut Rng, most: usize) -> Vec<u8> {
    (0..rng.usize(0..=most)).map(|_| rng.u8(..)).collect()
}

/// A message that a peer might send to either end: nothing but bytes, or the beginning of a frame and bytes, or a whole frame.
fn any_message(rng: &mut Rng) -> Message {
    let method = MethodId::of_name(["add", "put", "hang", "tell", "none"][rng.usize(0..5)]);
    let id = CallId(if rng.bool() { rng.u64(0..4) } else { rng.u64(..) });
    let body = bytes(rng, 12);
    let data = match rng.u8(0..10) {
        0 => bytes(rng, 40),
        1 => [&[1, rng.u8(0..16)], &body[..]].concat(),
        2 | 3 => Frame::call(id, method, &body).to_bytes(),
        4 => Frame::tell(method, &body).to_bytes(),
        5 => Frame::Reply { id, result: &body }.to_bytes(),
        6 => Frame::Fault { id, fault: Fault::Refused(Refusal::Malformed("why".to_owned())) }.to_bytes(),
        7 => Frame::Cancel { id }.to_bytes(),
        8 => Frame::Hello { window: Window { calls: rng.u32(..), bytes: rng.u64(..) } }.to_bytes(),
        _ => Frame::Credit { tells: rng.u32(..) }.to_bytes(),
    };
    let ports = (0..rng.usize(0..3)).map(|_| MessageChannel::new().into_ports().0);
    Message::new(data).with_ports(ports)
}

/// A value that is good, or fits the method at least.
fn any_shape(rng: &mut Rng, depth: u32) -> Shape {
    match rng.u8(0..if depth == 0 { 2 } else { 4 }) {
        0 => Shape::Point,
        1 => Shape::Line { length: rng.u64(..), name: "a line".to_owned() },
        2 => Shape::Group((0..rng.usize(0..4)).map(|_| any_shape(rng, depth - 1)).collect()),
        _ => {
            let port = rng.bool().then(|| MessageChannel::new().into_ports().0);
            Shape::Marked(Box::new(any_shape(rng, depth - 1)), port)
        }
    }
}

/// Runs a test by a clock that is moved by hand; nothing is left behind.
fn by_hand<Fut: Future<Output = ()>>(test: impl FnOnce(Arc<ManualClock>) -> Fut) {
    let check = LeakCheck::begin();
    let clock = Arc::new(ManualClock::default());
    let entered = clock::enter(clock.clone());
    context::block_on(test(clock));
    drop(entered);
    check.end();
}

#[test]
fn a_service_that_was_sent_random_messages_serves_on() {
    check_seeds(SEEDS, |options| {
        let mut rng = Rng::with_seed(options.seed());
        by_hand(async |_| {
            let (peer, link): (MessagePort, _) = connect_over(options.corrupt_one_in(2).most_faults(60), serve);
            peer.start();
            while link.faults() < 60 {
                peer.post_message(any_message(&mut rng)).unwrap();
                settle().await;
                while let Some(Ok(_)) = peer.recv().now_or_never() {}
            }

            peer.post_message(Frame::call(CallId(u64::MAX), MethodId::of_name("add"), &[2, 3]).to_bytes()).unwrap();

            let answer = settled(peer.recv()).await.expect("an answer comes").unwrap();
            let expected = Frame::Reply { id: CallId(u64::MAX), result: &[0, 5] };
            assert_eq!(Frame::parse(answer.data()), Ok(expected));
        });
    });
}

/// Answers each call of `add`, and before it says something random. A call of another method has no other answer.
async fn answer_at_random(port: MessagePort, mut rng: Rng) {
    port.start();
    while let Ok(message) = port.recv().await {
        for _ in 0..rng.usize(0..4) {
            port.post_message(any_message(&mut rng)).unwrap();
        }
        if let Ok(Frame::Call { id, method, .. }) = Frame::parse(message.data())
            && method == MethodId::of_name("add")
        {
            port.post_message(Frame::Reply { id, result: &[0, 5] }.to_bytes()).unwrap();
        }
    }
}

#[test]
fn a_client_that_was_sent_random_messages_ends_every_call_by_its_deadline_and_calls_on() {
    check_seeds(SEEDS, |options| {
        let rng = Rng::with_seed(options.seed());
        by_hand(async |clock| {
            let most = 20;
            let (museum, link): (MuseumClient, _) =
                connect_over(options.corrupt_one_in(2).most_faults(most), |port| answer_at_random(port, rng));

            // The random frames answer by chance what they please; until the link corrupts no more.
            while link.faults() < most {
                let hanging = museum.hang().deadline(DEADLINE);
                let adding = museum.add(2, 3).deadline(DEADLINE);
                let both = futures::future::join(hanging, adding).map(drop).shared();
                assert!(both.clone().now_or_never().is_none());
                advance(&clock, DEADLINE).await;
                settle().await;
                assert!(both.now_or_never().is_some(), "a call goes on after its deadline");
            }

            assert_eq!(settled(museum.add(2, 3).deadline(DEADLINE)).await, Some(Ok(5)));
        });
    });
}

#[test]
fn a_client_whose_messages_are_corrupted_both_ways_calls_on_when_they_are_not() {
    check_seeds(SEEDS, |options| {
        let mut rng = Rng::with_seed(options.seed());
        by_hand(async |clock| {
            let most = 30;
            let (museum, link): (MuseumClient, _) = connect_over(options.corrupt_one_in(2).most_faults(most), serve);

            while link.faults() < most {
                let shape = any_shape(&mut rng, 3);
                let beside = (0..rng.usize(0..3)).map(|_| MessageChannel::new().into_ports().0).collect();
                let calls = futures::future::join3(
                    museum.put(shape, beside).deadline(DEADLINE),
                    museum.add(2, 3).deadline(DEADLINE),
                    museum.hang().deadline(DEADLINE),
                );
                let mut calls = std::pin::pin!(calls.map(drop));
                assert!(calls.as_mut().now_or_never().is_none());
                let _posted = museum.tell("hello".to_owned()).now_or_never();
                advance(&clock, DEADLINE).await;
                settle().await;
                assert!(calls.now_or_never().is_some(), "a call goes on after its deadline");
            }

            assert_eq!(settled(museum.add(2, 3).deadline(DEADLINE)).await, Some(Ok(5)));
            let hanging = museum.hang().deadline(DEADLINE).map(|ended| {
                assert_eq!(ended, Err(CallError::Unknown(Interruption::DeadlineExceeded)));
            });
            futures::future::join(hanging, advance(&clock, DEADLINE)).await;
            link.cut();
            settle().await;
            assert_eq!(museum.add(2, 3).await, Err(CallError::NotSent(NotSent::Closed)));
        });
    });
}
