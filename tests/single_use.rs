//! A method that takes `self`: run once, whoever sends.

mod common;

use std::{cell::Cell, rc::Rc};

use common::{Way, over_every_way, settle, within};
use futures::{channel::oneshot, future::join, poll};
use handover::{
    Message, Refusal, context,
    prelude::*,
    wire::{CallId, Fault, Frame, MethodId},
};

#[service]
trait Door {
    /// The only use.
    async fn open(self, key: u32) -> u32;
    /// May be asked as often as one likes, before.
    async fn knock(&self) -> u32;
    #[rpc(oneway)]
    async fn slam(self);
}

#[derive(Default)]
struct Gate {
    opened: Rc<Cell<u32>>,
    knocked: Rc<Cell<u32>>,
    hold: Option<oneshot::Receiver<()>>,
    hold_knock: Cell<Option<oneshot::Receiver<()>>>,
}

impl Door for Gate {
    async fn open(self, key: u32) -> u32 {
        self.opened.set(self.opened.get() + 1);
        if let Some(hold) = self.hold {
            hold.await.unwrap();
        }
        key + self.opened.get()
    }

    async fn knock(&self) -> u32 {
        if let Some(hold) = self.hold_knock.take() {
            hold.await.unwrap();
        }
        self.knocked.set(self.knocked.get() + 1);
        self.knocked.get()
    }

    async fn slam(self) {
        self.opened.set(self.opened.get() + 1);
    }
}

/// A gate in the test's own context, how often it was opened, and the cheater's end of its port.
fn raw_gate(gate: Gate) -> (MessagePort, Rc<Cell<u32>>) {
    let opened = gate.opened.clone();
    let (ours, theirs) = MessageChannel::new().into_ports();
    context::spawn_local(DoorServer::new(gate).serve(theirs));
    ours.start();
    (ours, opened)
}

fn open_frame(id: u64) -> Vec<u8> {
    Frame::call(CallId(id), MethodId::of_name("open"), &[40]).to_bytes()
}

fn refused(id: u64) -> Vec<u8> {
    Frame::Fault { id: CallId(id), fault: Fault::Refused(Refusal::Spent) }.to_bytes()
}

fn reply(id: u64, value: u8) -> Vec<u8> {
    Frame::Reply { id: CallId(id), result: &[0, value] }.to_bytes()
}

async fn data(port: &MessagePort) -> Vec<u8> {
    within(port.recv()).await.map(|message: Message| message.data().to_vec()).unwrap_or_default()
}

#[test]
fn the_single_use_brings_back_its_result() {
    over_every_way(async |way| {
        let door: DoorClient = way.spawn(|port| async { DoorServer::new(Gate::default()).serve(port).await });

        assert_eq!(door.knock().await, Ok(1));
        assert_eq!(door.knock().await, Ok(2));
        assert_eq!(door.open(40).await, Ok(41));
    });
}

#[test]
fn a_one_way_single_use_is_run_although_its_client_is_gone() {
    handover::block_on(async {
        let gate = Gate::default();
        let opened = gate.opened.clone();
        let door: DoorClient = Way::Bytes.spawn_here(|port| DoorServer::new(gate).serve(port));

        door.slam().await.unwrap();
        settle().await;

        assert_eq!(opened.get(), 1);
    });
}

#[test]
fn a_peer_that_sends_the_single_use_twice_is_served_once_and_refused_once() {
    handover::block_on(async {
        let (cheater, opened) = raw_gate(Gate::default());

        cheater.post_message(open_frame(1)).unwrap();
        cheater.post_message(open_frame(2)).unwrap();

        let mut answers = [data(&cheater).await, data(&cheater).await];
        answers.sort();
        assert_eq!(answers, [reply(1, 41), refused(2)]);
        assert_eq!(opened.get(), 1);
    });
}

#[test]
fn a_second_use_after_the_first_was_answered_is_refused_and_then_the_port_is_closed() {
    handover::block_on(async {
        let (cheater, opened) = raw_gate(Gate::default());
        cheater.post_message(open_frame(1)).unwrap();
        assert_eq!(data(&cheater).await, reply(1, 41));

        cheater.post_message(open_frame(1)).unwrap();

        assert_eq!(data(&cheater).await, refused(1));
        assert!(cheater.recv().await.is_err(), "one strike");
        assert_eq!(opened.get(), 1);
    });
}

#[test]
fn a_second_use_while_the_first_runs_is_refused_and_the_first_is_still_answered() {
    handover::block_on(async {
        let (go, hold) = oneshot::channel();
        let (cheater, opened) = raw_gate(Gate { hold: Some(hold), ..Gate::default() });
        cheater.post_message(open_frame(1)).unwrap();
        settle().await;

        cheater.post_message(open_frame(2)).unwrap();

        assert_eq!(data(&cheater).await, refused(2));
        go.send(()).unwrap();
        assert_eq!(data(&cheater).await, reply(1, 41));
        assert_eq!(opened.get(), 1);
    });
}

#[test]
fn a_malformed_single_use_is_refused_and_uses_nothing_up() {
    handover::block_on(async {
        let (cheater, opened) = raw_gate(Gate::default());
        let malformed = Frame::call(CallId(1), MethodId::of_name("open"), &[]).to_bytes();

        cheater.post_message(malformed).unwrap();

        let answer = data(&cheater).await;
        let Ok(Frame::Fault { fault: Fault::Refused(Refusal::Malformed(_)), .. }) = Frame::parse(&answer) else {
            panic!("not refused: {answer:?}")
        };
        cheater.post_message(open_frame(2)).unwrap();
        assert_eq!(data(&cheater).await, reply(2, 41));
        assert_eq!(opened.get(), 1);
    });
}

#[test]
fn the_single_use_waits_for_the_calls_before_it_and_refuses_those_after_it() {
    handover::block_on(async {
        let (go, hold) = oneshot::channel();
        let (cheater, opened) = raw_gate(Gate { hold_knock: Some(hold).into(), ..Gate::default() });
        let knock = |id| Frame::call(CallId(id), MethodId::of_name("knock"), &[]).to_bytes();
        cheater.post_message(knock(1)).unwrap();
        cheater.post_message(open_frame(2)).unwrap();
        cheater.post_message(knock(3)).unwrap();

        assert_eq!(data(&cheater).await, refused(3));
        assert_eq!(opened.get(), 0, "a knock is still running");

        go.send(()).unwrap();
        assert_eq!(data(&cheater).await, reply(1, 1));
        assert_eq!(data(&cheater).await, reply(2, 41));
    });
}

#[test]
fn dropping_the_call_ends_the_method_and_the_use_is_gone() {
    over_every_way(async |way| {
        if !matches!(way, Way::Direct | Way::Bytes) {
            return;
        }
        let (_go, hold) = oneshot::channel();
        let gate = Gate { hold: Some(hold), ..Gate::default() };
        let opened = gate.opened.clone();
        let door: DoorClient = way.spawn_here(|port| DoorServer::new(gate).serve(port));
        let mut call = door.open(40);
        assert!(poll!(&mut call).is_pending());
        settle().await;
        assert_eq!(opened.get(), 1);

        drop(call);
        settle().await;

        assert_eq!(Rc::strong_count(&opened), 1, "the service was dropped");
    });
}

#[test]
fn dropping_the_right_unused_ends_its_service() {
    handover::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let served = DoorServer::new(Gate::default()).serve(theirs);

        drop(DoorClient::from(ours));

        served.await;
    });
}

#[test]
fn two_rights_are_two_uses() {
    handover::block_on(async {
        let (first, opened_first) = raw_gate(Gate::default());
        let (second, opened_second) = raw_gate(Gate::default());

        let both = join(DoorClient::from(first).open(1), DoorClient::from(second).open(2)).await;

        assert_eq!(both, (Ok(2), Ok(3)));
        assert_eq!((opened_first.get(), opened_second.get()), (1, 1));
    });
}

#[test]
fn a_right_that_moved_through_three_hands_is_good_for_one_use() {
    handover::block_on(async {
        let (mut right, opened) = raw_gate(Gate::default());
        for _ in 0..3 {
            let (carrier, arrival) = MessageChannel::new().into_ports();
            carrier.post_message(Message::new("a right").with_port(right)).unwrap();
            arrival.start();
            right = arrival.recv().await.unwrap().into_parts().ports.remove(0);
        }
        right.start();

        right.post_message(open_frame(1)).unwrap();
        right.post_message(open_frame(2)).unwrap();

        let mut answers = [data(&right).await, data(&right).await];
        answers.sort();
        assert_eq!(answers, [reply(1, 41), refused(2)]);
        assert_eq!(opened.get(), 1);
    });
}
