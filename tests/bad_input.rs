//! What a peer may send that is wrong: it costs one call at most, and never the connection or the process.

mod common;

use std::time::Duration;

use common::settle;
use futures::{FutureExt, channel::oneshot, poll};
use handover::{
    Interruption, Message, Metadatum, Refusal, context,
    prelude::*,
    shape::{MethodShape, WrittenShape},
    wire::{CallId, Fault, Frame, MethodId, Options, Role, Window},
};
use serde::{Deserialize, Serialize};

#[service]
trait Shop {
    async fn price(&self, item: String, pieces: u32) -> Result<u32, String>;
    async fn slow(&self) -> u32;
    async fn hold(&self, port: MessagePort, other: Option<MessagePort>) -> u32;
    async fn depth(&self, tree: Tree) -> u32;
    #[rpc(oneway)]
    async fn tell(&self, item: String);
}

/// A type without end.
#[derive(Debug, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Twig(Box<Tree>),
}

struct Stall(std::cell::Cell<Option<oneshot::Receiver<()>>>);

impl Shop for Stall {
    async fn price(&self, item: String, pieces: u32) -> Result<u32, String> {
        if item.is_empty() { Err("what?".to_owned()) } else { Ok(pieces.saturating_mul(3)) }
    }

    async fn slow(&self) -> u32 {
        if let Some(gate) = self.0.take() {
            gate.await.unwrap();
        }
        1
    }

    async fn hold(&self, _port: MessagePort, _other: Option<MessagePort>) -> u32 {
        1
    }

    async fn depth(&self, tree: Tree) -> u32 {
        match tree {
            Tree::Leaf => 0,
            Tree::Twig(tree) => 1 + self.depth_of(*tree),
        }
    }

    async fn tell(&self, _item: String) {}
}

impl Stall {
    fn depth_of(&self, mut tree: Tree) -> u32 {
        let mut depth = 0;
        while let Tree::Twig(inner) = tree {
            tree = *inner;
            depth += 1;
        }
        depth
    }
}

/// A service, the raw port that leads to it, and what lets `slow` go on.
fn stall() -> (MessagePort, oneshot::Sender<()>) {
    let (go, gate) = oneshot::channel();
    let (ours, theirs) = MessageChannel::new().into_ports();
    context::spawn_local(ShopServer::new(Stall(Some(gate).into())).serve(theirs));
    ours.start();
    (ours, go)
}

fn call(id: u64, method: &str, args: &[u8]) -> Vec<u8> {
    Frame::call(CallId(id), MethodId::of_name(method), args).to_bytes()
}

/// `price("a", 2)` as a peer would write it.
fn good(id: u64) -> Vec<u8> {
    call(id, "price", &[1, b'a', 2])
}

fn good_reply(id: u64) -> Vec<u8> {
    Frame::Reply { id: CallId(id), result: &[0, 6] }.to_bytes()
}

async fn next(port: &MessagePort) -> Vec<u8> {
    port.recv().await.unwrap().data().to_vec()
}

/// Whether the next answer is a refusal of this call that `expected` holds for.
async fn is_refused(port: &MessagePort, id: u64, expected: impl Fn(&Refusal) -> bool) {
    let bytes = next(port).await;
    match Frame::parse(&bytes) {
        Ok(Frame::Fault { id: CallId(got), fault: Fault::Refused(refusal) }) if got == id => {
            assert!(expected(&refusal), "{refusal:?}");
        }
        other => panic!("{other:?}"),
    }
}

/// The connection works, and nothing else was waiting in it.
async fn still_serves(port: &MessagePort) {
    port.post_message(good(99)).unwrap();
    assert_eq!(next(port).await, good_reply(99));
}

#[test]
fn bytes_that_are_no_frame_are_dropped_and_the_service_goes_on() {
    handover::block_on(async {
        let (peer, _go) = stall();
        let whole = good(1);

        for bytes in [&b""[..], b"\x01", b"hello there", &[2, 1, 0], &[1, 77, 0], &[1, 5, 1, 1], &[255; 40]] {
            peer.post_message(bytes).unwrap();
        }
        // A frame that ends before its arguments begin names no method.
        for end in 0..7 {
            peer.post_message(&whole[..end]).unwrap();
        }

        still_serves(&peer).await;
    });
}

#[test]
fn an_id_of_more_bytes_than_a_number_has_is_dropped() {
    handover::block_on(async {
        let (peer, _go) = stall();

        peer.post_message(&[1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4]).unwrap();

        still_serves(&peer).await;
    });
}

#[test]
fn a_reply_that_comes_to_a_service_is_dropped() {
    handover::block_on(async {
        let (peer, _go) = stall();

        peer.post_message(good_reply(1)).unwrap();
        peer.post_message(Frame::Fault { id: CallId(1), fault: Fault::Refused(Refusal::Spent) }.to_bytes()).unwrap();

        still_serves(&peer).await;
    });
}

#[test]
fn a_method_that_is_not_served_is_refused_by_its_id() {
    handover::block_on(async {
        let (peer, _go) = stall();

        for name in ["", "constructor", "__proto__", "Price", "price "] {
            peer.post_message(call(1, name, &[])).unwrap();
            is_refused(&peer, 1, |refusal| *refusal == Refusal::UnknownMethod(MethodId::of_name(name))).await;
        }

        still_serves(&peer).await;
    });
}

#[test]
fn arguments_that_do_not_decode_refuse_that_call_only() {
    handover::block_on(async {
        let (peer, go) = stall();
        peer.post_message(call(7, "slow", &[])).unwrap();

        // Cut short; not UTF-8; longer than the bytes that are there; a number too large; bytes left over.
        for args in [
            &[][..],
            &[1],
            &[1, 255, 2],
            &[255, 255, 255, 255, 15],
            &[1, b'a', 255, 255, 255, 255, 255],
            &[1, b'a', 2, 0],
        ] {
            peer.post_message(call(1, "price", args)).unwrap();
            is_refused(&peer, 1, |refusal| matches!(refusal, Refusal::Malformed(_))).await;
        }

        still_serves(&peer).await;
        go.send(()).unwrap();
        assert_eq!(next(&peer).await, Frame::Reply { id: CallId(7), result: &[0, 1] }.to_bytes());
    });
}

#[test]
fn a_value_that_nests_without_end_refuses_that_call_only() {
    handover::block_on(async {
        let (peer, _go) = stall();
        let mut fine = vec![1; 100];
        fine.push(0);

        peer.post_message(call(1, "depth", &vec![1; 1_000_000])).unwrap();
        is_refused(&peer, 1, |refusal| matches!(refusal, Refusal::Malformed(text) if text.contains("deep"))).await;

        peer.post_message(call(2, "depth", &fine)).unwrap();
        assert_eq!(next(&peer).await, Frame::Reply { id: CallId(2), result: &[0, 100] }.to_bytes());
        still_serves(&peer).await;
    });
}

#[test]
fn an_id_that_is_still_running_is_refused_and_the_first_call_goes_on() {
    handover::block_on(async {
        let (peer, go) = stall();
        peer.post_message(call(7, "slow", &[])).unwrap();

        peer.post_message(good(7)).unwrap();

        is_refused(&peer, 7, |refusal| *refusal == Refusal::RepeatedCallId).await;
        go.send(()).unwrap();
        assert_eq!(next(&peer).await, Frame::Reply { id: CallId(7), result: &[0, 1] }.to_bytes());
    });
}

#[test]
fn an_id_that_was_answered_may_be_used_again() {
    handover::block_on(async {
        let (peer, _go) = stall();

        for _ in 0..2 {
            peer.post_message(good(1)).unwrap();
            assert_eq!(next(&peer).await, good_reply(1));
        }
    });
}

#[test]
fn cancelling_what_is_not_running_does_nothing() {
    handover::block_on(async {
        let (peer, _go) = stall();

        for id in [0, 1, u64::MAX] {
            peer.post_message(Frame::Cancel { id: CallId(id) }.to_bytes()).unwrap();
        }

        still_serves(&peer).await;
    });
}

#[test]
fn a_port_that_is_not_in_the_message_or_is_taken_twice_refuses_that_call_only() {
    handover::block_on(async {
        let (peer, _go) = stall();
        let malformed = |refusal: &Refusal| matches!(refusal, Refusal::Malformed(text) if text.contains("port"));

        peer.post_message(call(1, "hold", &[0, 0])).unwrap();
        is_refused(&peer, 1, malformed).await;

        let (ours, theirs) = MessageChannel::new().into_ports();
        peer.post_message(Message::new(call(2, "hold", &[0, 1, 0])).with_port(theirs)).unwrap();
        is_refused(&peer, 2, malformed).await;
        assert!(ours.is_closed(), "a refused port is not kept");

        let (ours, theirs) = MessageChannel::new().into_ports();
        let far = [255, 255, 255, 255, 15, 0];
        peer.post_message(Message::new(call(3, "hold", &far)).with_port(theirs)).unwrap();
        is_refused(&peer, 3, malformed).await;
        assert!(ours.is_closed());

        let (_ours, theirs) = MessageChannel::new().into_ports();
        peer.post_message(Message::new(call(4, "hold", &[0, 0])).with_port(theirs)).unwrap();
        assert_eq!(next(&peer).await, Frame::Reply { id: CallId(4), result: &[0, 1] }.to_bytes());
    });
}

#[test]
fn ports_that_no_argument_takes_are_closed() {
    handover::block_on(async {
        let (peer, _go) = stall();
        let (ours, theirs) = MessageChannel::new().into_ports();

        peer.post_message(Message::new(good(1)).with_port(theirs)).unwrap();

        assert_eq!(next(&peer).await, good_reply(1));
        assert!(ours.is_closed());
    });
}

#[test]
fn one_way_calls_that_cannot_be_run_are_dropped() {
    handover::block_on(async {
        let (peer, _go) = stall();
        let unknown = Frame::tell(MethodId::of_name("shout"), &[]).to_bytes();
        let malformed = Frame::tell(MethodId::of_name("tell"), &[9]).to_bytes();

        peer.post_message(unknown).unwrap();
        peer.post_message(malformed).unwrap();

        still_serves(&peer).await;
    });
}

/// A client, and the port by which a peer that writes its frames by hand answers it.
fn shop() -> (ShopClient, MessagePort) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    theirs.start();
    (ShopClient::from(ours), theirs)
}

/// Makes a call, and tells the id under which the peer sees it.
macro_rules! sent {
    ($call:ident, $peer:ident) => {{
        assert!(poll!(&mut $call).is_pending());
        let bytes = next(&$peer).await;
        let Ok(Frame::Call { id, .. }) = Frame::parse(&bytes) else { panic!("no call: {bytes:?}") };
        id
    }};
}

#[test]
fn a_reply_that_does_not_decode_ends_that_call_only() {
    handover::block_on(async {
        let (shop, peer) = shop();
        let (mut bad, mut good) = (shop.slow(), shop.slow());
        let (bad_id, good_id) = (sent!(bad, peer), sent!(good, peer));

        peer.post_message(Frame::Reply { id: bad_id, result: &[0, 255, 255, 255, 255, 255, 255] }.to_bytes()).unwrap();
        peer.post_message(Frame::Reply { id: good_id, result: &[0, 5] }.to_bytes()).unwrap();

        assert!(matches!(bad.await, Err(CallError::Unknown(Interruption::UnreadableReply(_)))));
        assert_eq!(good.await, Ok(5));
    });
}

#[test]
fn a_reply_of_the_wrong_type_ends_that_call_only() {
    handover::block_on(async {
        let (shop, peer) = shop();
        let mut call = shop.slow();
        let id = sent!(call, peer);

        peer.post_message(Frame::Reply { id, result: &[0, 3, b'a', b'b', b'c'] }.to_bytes()).unwrap();

        assert!(matches!(call.await, Err(CallError::Unknown(Interruption::UnreadableReply(_)))));
    });
}

#[test]
fn replies_to_no_call_and_other_strange_messages_do_nothing_to_a_client() {
    handover::block_on(async {
        let (shop, peer) = shop();
        let mut call = shop.slow();
        let CallId(id) = sent!(call, peer);

        for bytes in [&b""[..], b"hello there", &[1, 77], &good(1), &[1, 4, 0, 250], &[2, 3, 0, 0, 5]] {
            peer.post_message(bytes).unwrap();
        }
        for other in [id + 1, u64::MAX] {
            peer.post_message(Frame::Reply { id: CallId(other), result: &[0, 6] }.to_bytes()).unwrap();
        }
        assert!(poll!(&mut call).is_pending());
        peer.post_message(Frame::Reply { id: CallId(id), result: &[0, 5] }.to_bytes()).unwrap();
        peer.post_message(Frame::Reply { id: CallId(id), result: &[0, 6] }.to_bytes()).unwrap();

        assert_eq!(call.await, Ok(5), "the first reply counts");
    });
}

#[test]
fn a_late_reply_to_a_call_that_was_dropped_is_no_answer_to_the_next_one() {
    handover::block_on(async {
        let (shop, peer) = shop();
        let mut dropped = shop.slow();
        let late = sent!(dropped, peer);
        drop(dropped);
        let cancel = next(&peer).await;
        assert_eq!(Frame::parse(&cancel), Ok(Frame::Cancel { id: late }));
        let (carrier, arrival) = MessageChannel::new().into_ports();
        arrival.start();
        carrier.post_message(Message::new("the client moves on").with_port(shop.into_port())).unwrap();
        let shop = ShopClient::from(arrival.recv().await.unwrap().into_parts().ports.remove(0));
        let mut call = shop.slow();
        let id = sent!(call, peer);

        peer.post_message(Frame::Reply { id: late, result: &[0, 6] }.to_bytes()).unwrap();
        peer.post_message(Frame::Reply { id, result: &[0, 5] }.to_bytes()).unwrap();

        assert_ne!(id, late);
        assert_eq!(call.await, Ok(5));
    });
}

/// A call that says everything that can be said beside the arguments.
fn introduced(id: u64) -> Vec<u8> {
    #[derive(Serialize, Deserialize)]
    struct Word(String);

    impl Metadatum for Word {
        const NAME: &'static str = "word";
    }

    let mut options = Options { deadline: Some(Duration::from_secs(1)), ..Options::default() };
    options.metadata.insert(&Word("sesame".to_owned())).unwrap();
    options.shape = Some(any_shape());
    Frame::Call { id: CallId(id), method: MethodId::of_name("hold"), options, args: &[0, 0] }.to_bytes()
}

fn any_shape() -> WrittenShape {
    let contact = "Contact { name: String, age?: Option<u8>, more: enum More { None, Some(Vec<u32>) } }";
    MethodShape { args: vec![contact.parse().unwrap()], result: "()".parse().unwrap() }.into()
}

#[test]
fn every_byte_of_every_frame_may_be_anything() {
    handover::block_on(async {
        let frames = [
            good(1),
            call(2, "hold", &[0, 0]),
            Frame::tell(MethodId::of_name("tell"), &[1, b'a']).to_bytes(),
            Frame::Pipelined { method: MethodId::of_name("price"), options: Options::default(), args: &[1, b'a', 2] }
                .to_bytes(),
            good_reply(1),
            Frame::Fault { id: CallId(0), fault: Fault::Refused(Refusal::Malformed("why".to_owned())) }.to_bytes(),
            Frame::Cancel { id: CallId(1) }.to_bytes(),
            introduced(3),
            Frame::Shape { method: MethodId::of_name("price"), shape: any_shape() }.to_bytes(),
            Frame::Hello { window: Window { calls: 300, bytes: 300 } }.to_bytes(),
            Frame::Credit { tells: 300 }.to_bytes(),
            Frame::Goodbye { from: Role::Caller }.to_bytes(),
            Frame::Farewell { fault: Fault::Refused(Refusal::Malformed("why".to_owned())) }.to_bytes(),
        ];
        let (peer, _go) = stall();
        let (shop, raw) = shop();
        let mut waiting = shop.slow();
        let id = sent!(waiting, raw);
        for frame in frames {
            for at in 0..frame.len() {
                for value in 0..=255 {
                    let mut mutated = frame.clone();
                    mutated[at] = value;
                    let (_ours, theirs) = MessageChannel::new().into_ports();
                    peer.post_message(Message::new(&mutated[..]).with_port(theirs)).unwrap();
                    // The call that waits has the id 0: not to end it by chance, the other bytes go to the client.
                    let ends_it = |frame: Frame<'_>| match frame {
                        Frame::Reply { id: other, .. } | Frame::Fault { id: other, .. } => other == id,
                        Frame::Farewell { .. } => true,
                        _ => false,
                    };
                    if !Frame::parse(&mutated).is_ok_and(ends_it) {
                        raw.post_message(mutated).unwrap();
                    }
                }
            }
            settle().await;
            while let Some(Ok(_)) = peer.recv().now_or_never() {}
        }

        raw.post_message(Frame::Reply { id, result: &[0, 5] }.to_bytes()).unwrap();

        assert_eq!(waiting.await, Ok(5));
        still_serves(&peer).await;
    });
}
