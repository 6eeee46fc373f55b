//! Both sides call each other over one port.

mod common;

use std::{cell::Cell, future::pending, rc::Rc};

use common::settle;
use futures::{FutureExt, future::join_all, poll};
use handover::{
    Interruption, MessageChannel, NotSent, Refusal, context,
    prelude::*,
    rpc::split,
    testing::{Link, LinkOptions},
    wire::{CallId, Fault, Frame, MethodId, Role},
};

#[service]
trait Ping {
    async fn ping(&self, number: u32) -> u32;
    async fn hang(&self);
}

/// Answers through the other side, until nothing is left to count down.
struct Player {
    other: PingClient,
    hanging: Rc<Cell<usize>>,
}

struct Hanging(Rc<Cell<usize>>);

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Ping for Player {
    async fn ping(&self, number: u32) -> u32 {
        match number {
            0 => 0,
            _ => self.other.ping(number - 1).await.unwrap() + 1,
        }
    }

    async fn hang(&self) {
        self.hanging.set(self.hanging.get() + 1);
        let _hanging = Hanging(self.hanging.clone());
        pending().await
    }
}

/// Serves nothing but its own count.
struct Plain(Rc<Cell<usize>>);

impl Ping for Plain {
    async fn ping(&self, number: u32) -> u32 {
        number
    }

    async fn hang(&self) {
        self.0.set(self.0.get() + 1);
        let _hanging = Hanging(self.0.clone());
        pending().await
    }
}

/// One channel, directly or with a reader of bytes in its middle.
fn channel(as_bytes: bool) -> (MessagePort, MessagePort) {
    let (left, near) = MessageChannel::new().into_ports();
    if !as_bytes {
        return (left, near);
    }
    let (far, right) = MessageChannel::new().into_ports();
    let _link = Link::spawn(near, far, LinkOptions::default());
    (left, right)
}

fn both<Fut: Future<Output = ()>>(test: impl Fn(bool) -> Fut) {
    for as_bytes in [false, true] {
        println!("as bytes: {as_bytes}");
        context::block_on(test(as_bytes));
    }
}

#[test]
fn two_services_call_each_other_back_and_forth_over_one_port() {
    both(async |as_bytes| {
        let (left, right) = channel(as_bytes);
        let ((left_calls, left_serves), (right_calls, right_serves)) = (split(left), split(right));
        let player = |calls: MessagePort| Player { other: calls.into(), hanging: Rc::default() };
        context::spawn_local(PingServer::new(player(right_calls)).serve(right_serves));
        let hanging = Rc::new(Cell::new(0));
        context::spawn_local(PingServer::new(Plain(hanging)).serve(left_serves));
        let left = PingClient::from(left_calls);

        let answers = join_all((0..100).map(|number| left.ping(number))).await;

        // The right side asks the left one, which answers by itself.
        assert!(answers.into_iter().eq((0..100).map(Ok)));
    });
}

#[test]
fn when_a_caller_goes_its_calls_end_and_the_other_direction_goes_on() {
    both(async |as_bytes| {
        let (left, right) = channel(as_bytes);
        let ((left_calls, left_serves), (right_calls, right_serves)) = (split(left), split(right));
        let (at_left, at_right) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        context::spawn_local(PingServer::new(Plain(at_left)).serve(left_serves));
        context::spawn_local(PingServer::new(Plain(at_right.clone())).serve(right_serves));
        let (left, right) = (PingClient::from(left_calls), PingClient::from(right_calls));
        let mut hang = left.hang();
        assert!(poll!(&mut hang).is_pending());
        settle().await;
        assert_eq!(at_right.get(), 1);

        drop(hang);
        drop(left);
        settle().await;

        assert_eq!(at_right.get(), 0);
        assert_eq!(right.ping(7).await, Ok(7));
    });
}

#[test]
fn when_a_service_goes_its_callers_learn_of_it_and_the_other_direction_goes_on() {
    both(async |as_bytes| {
        let (left, right) = channel(as_bytes);
        let ((left_calls, left_serves), (right_calls, right_serves)) = (split(left), split(right));
        context::spawn_local(PingServer::new(Plain(Rc::default())).serve(left_serves));
        let served = PingServer::new(Plain(Rc::default())).serve(right_serves);
        let (abort, registration) = futures::future::AbortHandle::new_pair();
        context::spawn_local(async {
            let _aborted = futures::future::Abortable::new(served, registration).await;
        });
        let (left, right) = (PingClient::from(left_calls), PingClient::from(right_calls));
        let mut hang = left.hang();
        assert!(poll!(&mut hang).is_pending());
        settle().await;

        abort.abort();
        assert_eq!(hang.await, Err(CallError::Unknown(Interruption::Closed)));

        assert_eq!(left.ping(1).await, Err(CallError::NotSent(NotSent::Closed)));
        assert_eq!(right.ping(7).await, Ok(7));
    });
}

#[test]
fn the_port_is_closed_when_both_of_its_branches_are() {
    both(async |as_bytes| {
        let (left, right) = channel(as_bytes);
        let (calls, serves) = split(left);
        right.start();

        drop(calls);
        let goodbye = right.recv().await.unwrap();
        assert_eq!(Frame::parse(goodbye.data()), Ok(Frame::Goodbye { from: Role::Caller }));
        settle().await;
        assert!(!right.is_closed());
        drop(serves);

        let goodbye = right.recv().await.unwrap();
        assert_eq!(Frame::parse(goodbye.data()), Ok(Frame::Goodbye { from: Role::Service }));
        assert!(right.recv().await.is_err());
    });
}

#[test]
fn the_branches_are_closed_when_the_port_is() {
    both(async |as_bytes| {
        let (left, right) = channel(as_bytes);
        let (calls, serves) = split(left);
        let (calls, serve) = (PingClient::from(calls), PingServer::new(Plain(Rc::default())).serve(serves));
        let mut hang = calls.hang();
        assert!(poll!(&mut hang).is_pending());
        settle().await;

        drop(right);

        assert!(hang.await.is_err());
        serve.await;
    });
}

#[test]
fn replies_that_nobody_asked_for_and_what_is_no_frame_harm_nothing() {
    context::block_on(async {
        let (left, right) = channel(false);
        let (calls, serves) = split(left);
        context::spawn_local(PingServer::new(Plain(Rc::default())).serve(serves));
        let _calls = PingClient::from(calls);
        right.start();

        for id in [0, 1, u64::MAX] {
            right.post_message(Frame::Reply { id: CallId(id), result: &[0] }.to_bytes()).unwrap();
            right.post_message(Frame::Cancel { id: CallId(id) }.to_bytes()).unwrap();
        }
        right.post_message(&[9, 9, 9]).unwrap();
        right.post_message(Frame::call(CallId(5), MethodId::of_name("ping"), &[7]).to_bytes()).unwrap();

        let answer = right.recv().await.unwrap();
        assert_eq!(Frame::parse(answer.data()), Ok(Frame::Reply { id: CallId(5), result: &[0, 7] }));
    });
}

#[test]
fn a_service_ends_when_the_other_side_calls_no_more_although_the_port_is_open() {
    both(async |as_bytes| {
        let (left, right) = channel(as_bytes);
        let ((left_calls, left_serves), (right_calls, right_serves)) = (split(left), split(right));
        let served_left = PingServer::new(Plain(Rc::default())).serve(left_serves);
        context::spawn_local(PingServer::new(Plain(Rc::default())).serve(right_serves));
        let left = PingClient::from(left_calls);

        drop(right_calls);
        served_left.await;

        assert_eq!(left.ping(7).await, Ok(7));
    });
}

#[test]
fn a_call_that_comes_when_nobody_serves_any_more_is_refused() {
    context::block_on(async {
        let (left, right) = channel(false);
        let (_calls, serves) = split(left);
        drop(serves);
        right.start();

        right.post_message(Frame::call(CallId(5), MethodId::of_name("ping"), &[7]).to_bytes()).unwrap();

        let goodbye = right.recv().await.unwrap();
        assert_eq!(Frame::parse(goodbye.data()), Ok(Frame::Goodbye { from: Role::Service }));
        let answer = right.recv().await.unwrap();
        let fault = Fault::Refused(Refusal::UnknownMethod(MethodId::of_name("ping")));
        assert_eq!(Frame::parse(answer.data()), Ok(Frame::Fault { id: CallId(5), fault }));
    });
}

/// The raw port by which one side of a split port calls, the raw port at the other side, and what ends the service.
fn raw_side() -> (MessagePort, MessagePort, futures::future::AbortHandle) {
    let (left, raw) = MessageChannel::new().into_ports();
    let (calls, serves) = split(left);
    let served = PingServer::new(Plain(Rc::default())).serve(serves);
    let (abort, registration) = futures::future::AbortHandle::new_pair();
    context::spawn_local(async {
        let _aborted = futures::future::Abortable::new(served, registration).await;
    });
    raw.start();
    calls.start();
    (calls, raw, abort)
}

fn post(port: &MessagePort, frame: &Frame<'_>) {
    port.post_message(frame.to_bytes()).unwrap();
}

/// What has come until now.
async fn seen(port: &MessagePort) -> Vec<Vec<u8>> {
    settle().await;
    std::iter::from_fn(|| port.recv().now_or_never()?.ok()).map(|message| message.data().to_vec()).collect()
}

#[test]
fn a_caller_that_goes_cancels_what_is_open_and_nothing_else() {
    context::block_on(async {
        let (left, raw, _abort) = raw_side();
        let hang = MethodId::of_name("hang");
        post(&left, &Frame::call(CallId(1), MethodId::of_name("ping"), &[7]));
        post(&left, &Frame::call(CallId(2), hang, &[]));
        post(&left, &Frame::call(CallId(3), hang, &[]));
        post(&left, &Frame::Cancel { id: CallId(2) });
        assert_eq!(seen(&raw).await.len(), 4);
        let reply = Frame::Reply { id: CallId(1), result: &[0, 7] };
        post(&raw, &reply);
        assert_eq!(seen(&left).await, [reply.to_bytes()]);

        drop(left);

        let cancel = Frame::Cancel { id: CallId(3) }.to_bytes();
        assert_eq!(seen(&raw).await, [cancel, Frame::Goodbye { from: Role::Caller }.to_bytes()]);
    });
}

#[test]
fn a_service_that_goes_interrupts_what_is_open_and_nothing_else() {
    context::block_on(async {
        let (_left, raw, abort) = raw_side();
        let hang = MethodId::of_name("hang");
        post(&raw, &Frame::call(CallId(1), MethodId::of_name("ping"), &[7]));
        post(&raw, &Frame::call(CallId(2), hang, &[]));
        post(&raw, &Frame::call(CallId(3), hang, &[]));
        post(&raw, &Frame::Cancel { id: CallId(2) });
        assert_eq!(seen(&raw).await, [Frame::Reply { id: CallId(1), result: &[0, 7] }.to_bytes()]);

        abort.abort();

        let fault = Fault::Interrupted(Interruption::Closed);
        let interrupted = Frame::Fault { id: CallId(3), fault }.to_bytes();
        assert_eq!(seen(&raw).await, [interrupted, Frame::Goodbye { from: Role::Service }.to_bytes()]);
    });
}
