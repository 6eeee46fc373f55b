//! A service whose caller writes its frames by hand: what is held, cancelled, and given back.

mod common;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use common::settle;
use futures::{FutureExt, channel::oneshot};
use handover::{
    Refusal, ServeOptions, context,
    prelude::*,
    wire::{CallId, Fault, Frame, MethodId},
};

#[service]
trait Gate {
    /// Waits until it is let through.
    async fn carry(&self, load: Vec<u8>);
    #[rpc(no_cancel)]
    async fn stay(&self);
    async fn ready(&self) -> u8;
    #[rpc(oneway)]
    async fn note(&self);
    async fn leave(self) -> u8;
}

#[derive(Clone, Default)]
struct Keeper {
    waiting: Rc<RefCell<VecDeque<oneshot::Sender<()>>>>,
    has_left: Rc<Cell<bool>>,
}

impl Keeper {
    async fn wait(&self) {
        let (open, gate) = oneshot::channel();
        self.waiting.borrow_mut().push_back(open);
        let _opened = gate.await;
    }

    async fn open_one(&self) {
        let open = self.waiting.borrow_mut().pop_front().expect("somebody waits");
        let _left = open.send(());
        settle().await;
    }
}

impl Gate for Keeper {
    async fn carry(&self, _: Vec<u8>) {
        self.wait().await;
    }

    async fn stay(&self) {
        self.wait().await;
    }

    async fn ready(&self) -> u8 {
        7
    }

    async fn note(&self) {}

    async fn leave(self) -> u8 {
        self.has_left.set(true);
        9
    }
}

/// A service, and the raw port that leads to it. What it says of its window is read already.
async fn raw_gate(options: ServeOptions) -> (MessagePort, Keeper) {
    let keeper = Keeper::default();
    let (ours, theirs) = MessageChannel::new().into_ports();
    context::spawn_local(GateServer::new(keeper.clone()).with(options).serve(theirs));
    ours.start();
    settle().await;
    let _window = ours.recv().now_or_never();
    (ours, keeper)
}

fn one_at_a_time() -> ServeOptions {
    ServeOptions::default().max_calls(1)
}

async fn post(port: &MessagePort, frame: Frame<'_>) {
    port.post_message(frame.to_bytes()).unwrap();
    settle().await;
}

async fn call(port: &MessagePort, id: u64, method: &str, args: &[u8]) {
    post(port, Frame::call(CallId(id), MethodId::of_name(method), args)).await;
}

/// A load of 60 bytes.
async fn carry(port: &MessagePort, id: u64) {
    let mut args = [0; 61];
    args[0] = 60;
    call(port, id, "carry", &args).await;
}

/// What has come until now.
fn answers(port: &MessagePort) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| port.recv().now_or_never()?.ok()).map(|message| message.data().to_vec()).collect()
}

fn reply(id: u64, result: &[u8]) -> Vec<u8> {
    Frame::Reply { id: CallId(id), result }.to_bytes()
}

fn refused(id: u64, refusal: Refusal) -> Vec<u8> {
    Frame::Fault { id: CallId(id), fault: Fault::Refused(refusal) }.to_bytes()
}

#[test]
fn a_held_call_that_begins_makes_room_for_the_bytes_of_another() {
    context::block_on(async {
        let (port, keeper) = raw_gate(one_at_a_time().max_waiting(usize::MAX, 100)).await;
        carry(&port, 1).await;
        carry(&port, 2).await;
        keeper.open_one().await;

        carry(&port, 3).await;
        keeper.open_one().await;
        keeper.open_one().await;

        assert_eq!(answers(&port), [reply(1, &[0]), reply(2, &[0]), reply(3, &[0])]);
    });
}

#[test]
fn a_held_call_that_is_cancelled_makes_room_for_the_bytes_of_another() {
    context::block_on(async {
        let (port, keeper) = raw_gate(one_at_a_time().max_waiting(usize::MAX, 100)).await;
        carry(&port, 1).await;
        carry(&port, 2).await;
        post(&port, Frame::Cancel { id: CallId(2) }).await;

        carry(&port, 3).await;
        keeper.open_one().await;
        keeper.open_one().await;

        assert_eq!(answers(&port), [reply(1, &[0]), reply(3, &[0])]);
    });
}

#[test]
fn what_is_held_behind_the_call_that_ends_the_service_is_refused() {
    context::block_on(async {
        let (port, keeper) = raw_gate(one_at_a_time()).await;
        carry(&port, 1).await;
        call(&port, 2, "leave", &[]).await;
        call(&port, 3, "ready", &[]).await;

        keeper.open_one().await;

        assert_eq!(answers(&port), [reply(1, &[0]), refused(3, Refusal::Spent), reply(2, &[0, 9])]);
    });
}

#[test]
fn a_call_that_would_end_the_service_and_is_cancelled_before_it_begins_ends_nothing() {
    context::block_on(async {
        let (port, keeper) = raw_gate(ServeOptions::default()).await;
        carry(&port, 1).await;
        call(&port, 2, "leave", &[]).await;
        post(&port, Frame::Cancel { id: CallId(2) }).await;
        keeper.open_one().await;

        call(&port, 3, "ready", &[]).await;

        assert!(!keeper.has_left.get());
        assert_eq!(answers(&port), [reply(1, &[0]), reply(3, &[0, 7])]);
    });
}

#[test]
fn a_one_way_call_that_is_refused_is_given_back() {
    context::block_on(async {
        let (port, _keeper) = raw_gate(one_at_a_time().max_waiting(0, 0)).await;
        carry(&port, 1).await;

        post(&port, Frame::Tell { method: MethodId::of_name("note"), options: Default::default(), args: &[] }).await;

        assert_eq!(answers(&port), [Frame::Credit { tells: 1 }.to_bytes()]);
    });
}

#[test]
fn the_id_of_a_call_that_was_held_and_refused_may_be_used_again() {
    context::block_on(async {
        let (port, keeper) = raw_gate(one_at_a_time()).await;
        carry(&port, 1).await;
        // Its load is missing.
        call(&port, 2, "carry", &[60]).await;
        keeper.open_one().await;
        assert_eq!(answers(&port).len(), 2);

        call(&port, 2, "ready", &[]).await;

        assert_eq!(answers(&port), [reply(2, &[0, 7])]);
    });
}

#[test]
fn the_id_of_a_held_question_what_the_service_is_may_be_used_again() {
    context::block_on(async {
        let (port, keeper) = raw_gate(one_at_a_time()).await;
        carry(&port, 1).await;
        call(&port, 2, "handover.describe", &[]).await;
        keeper.open_one().await;
        assert_eq!(answers(&port).len(), 2);

        call(&port, 2, "ready", &[]).await;

        assert_eq!(answers(&port), [reply(2, &[0, 7])]);
    });
}

#[test]
fn a_call_that_runs_on_after_its_cancel_keeps_its_id_until_its_end() {
    context::block_on(async {
        let (port, keeper) = raw_gate(ServeOptions::default()).await;
        call(&port, 1, "stay", &[]).await;
        post(&port, Frame::Cancel { id: CallId(1) }).await;

        call(&port, 1, "ready", &[]).await;
        keeper.open_one().await;

        assert_eq!(answers(&port), [refused(1, Refusal::RepeatedCallId), reply(1, &[0])]);
    });
}
