//! What a service says as it closes its port.

mod common;

use common::{Way, over_every_way, settle};
use futures::{FutureExt, future::join_all, poll};
use handover::{
    Interruption, Message, NotSent, Refusal, context,
    prelude::*,
    rpc::{CallRouter, farewell, split},
    wire::{CallId, Fault, Frame, MethodId, Window},
};

#[service]
trait Shop {
    async fn price(&self, item: String) -> u32;
    #[rpc(oneway)]
    async fn note(&self, item: String);
}

struct Stall;

impl Shop for Stall {
    async fn price(&self, _: String) -> u32 {
        6
    }

    async fn note(&self, _: String) {}
}

fn closed_today() -> Refusal {
    Refusal::Denied("closed today".to_owned())
}

fn refused<T>() -> Result<T, CallError> {
    Err(CallError::Refused(closed_today()))
}

#[test]
fn every_call_that_waits_and_every_later_one_ends_as_the_farewell_says() {
    over_every_way(async |way: Way| {
        let shop: ShopClient = way.spawn(async |port| farewell(&port, Fault::Refused(closed_today())));

        let ended = join_all((0..8).map(|number| shop.price(number.to_string()))).await;

        assert_eq!(ended, vec![refused(); 8]);
        assert_eq!(shop.price("later".to_owned()).await, refused());
    });
}

#[test]
fn a_one_way_call_that_finds_the_port_closed_says_what_the_farewell_said() {
    over_every_way(async |way: Way| {
        let shop: ShopClient = way.spawn(async |port| farewell(&port, Fault::Refused(closed_today())));
        assert_eq!(shop.price("first".to_owned()).await, refused());
        // The port of a client at the end of a link is closed a turn later.
        shop.port().closed().await;

        assert_eq!(shop.note("later".to_owned()).await, refused());
    });
}

#[test]
fn calls_that_may_have_run_end_as_interrupted_when_the_farewell_says_so() {
    over_every_way(async |way: Way| {
        let fault = Fault::Interrupted(Interruption::Cancelled("the shop burns".to_owned()));
        let shop: ShopClient = way.spawn(async move |port| {
            port.start();
            let _taken = port.recv().await.unwrap();
            farewell(&port, fault);
        });

        let ended = shop.price("first".to_owned()).await;

        assert_eq!(ended, Err(CallError::Unknown(Interruption::Cancelled("the shop burns".to_owned()))));
    });
}

#[test]
fn calls_that_wait_for_their_turn_end_with_the_farewell_too() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let shop = ShopClient::from(ours);
        theirs.post_message(Frame::Hello { window: Window { calls: 1, bytes: 1 } }.to_bytes()).unwrap();
        let (mut first, mut second) = (shop.price("first".to_owned()), shop.price("second".to_owned()));
        assert!(poll!(&mut first).is_pending());
        assert!(poll!(&mut second).is_pending());

        farewell(&theirs, Fault::Refused(closed_today()));

        assert_eq!(first.now_or_never(), Some(refused()));
        assert_eq!(second.now_or_never(), Some(refused()));
    });
}

#[test]
fn calls_that_were_answered_before_the_farewell_keep_their_answers() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let shop = ShopClient::from(ours);
        theirs.start();
        let (mut answered, mut waiting) = (shop.price("first".to_owned()), shop.price("second".to_owned()));
        assert!(poll!(&mut answered).is_pending());
        let message = theirs.recv().await.unwrap();
        let Ok(Frame::Call { id, .. }) = Frame::parse(message.data()) else { panic!("{message:?}") };
        assert!(poll!(&mut waiting).is_pending());

        theirs.post_message(Frame::Reply { id, result: &[0, 5] }.to_bytes()).unwrap();
        farewell(&theirs, Fault::Refused(closed_today()));

        assert_eq!(answered.await, Ok(5));
        assert_eq!(waiting.await, refused());
    });
}

#[test]
fn whoever_gets_the_client_later_is_told_by_a_farewell_that_waits_in_its_port() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let (carrier, arrival) = MessageChannel::new().into_ports();
        carrier.post_message(Message::new("a client").with_port(ours)).unwrap();

        farewell(&theirs, Fault::Refused(closed_today()));

        arrival.start();
        let port = arrival.recv().await.unwrap().into_parts().ports.remove(0);
        assert_eq!(ShopClient::from(port).price("first".to_owned()).await, refused());
    });
}

#[test]
fn whoever_gets_a_client_that_was_told_a_farewell_is_told_it_too() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let shop = ShopClient::from(ours);
        farewell(&theirs, Fault::Refused(closed_today()));

        let port = shop.into_port();

        assert_eq!(ShopClient::from(port).price("first".to_owned()).await, refused());
    });
}

#[test]
fn the_farewell_of_one_of_two_directions_leaves_the_other() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let ((calls, serves), (their_calls, their_serves)) = (split(ours), split(theirs));
        context::spawn_local(ShopServer::new(Stall).serve(serves));
        let (shop, their_shop) = (ShopClient::from(calls), ShopClient::from(their_calls));

        farewell(&their_serves, Fault::Refused(closed_today()));

        assert_eq!(shop.price("first".to_owned()).await, refused());
        assert_eq!(shop.price("second".to_owned()).await, refused());
        assert_eq!(their_shop.price("first".to_owned()).await, Ok(6));
    });
}

#[test]
fn a_farewell_to_a_router_ends_the_calls_that_it_had_handed_to_that_service() {
    context::block_on(async {
        let router = CallRouter::new();
        let (ours, theirs) = MessageChannel::new().into_ports();
        router.add(ours);
        let (shop, raw) = (ShopClient::from(router.connect()), router.connect());
        raw.start();
        let mut as_value = shop.price("a value".to_owned());
        assert!(poll!(&mut as_value).is_pending());
        raw.post_message(Frame::call(CallId(7), MethodId::of_name("price"), &[1, b'a']).to_bytes()).unwrap();

        farewell(&theirs, Fault::Refused(closed_today()));

        assert_eq!(as_value.await, refused());
        let fault = Frame::Fault { id: CallId(7), fault: Fault::Refused(closed_today()) };
        assert_eq!(raw.recv().await.unwrap().data(), fault.to_bytes());
        router.add(stall());
        assert_eq!(shop.price("another service".to_owned()).await, Ok(6));
    });
}

/// The port of a client of a service that serves.
fn stall() -> MessagePort {
    let (ours, theirs) = MessageChannel::new().into_ports();
    context::spawn_local(ShopServer::new(Stall).serve(theirs));
    ours
}

#[test]
fn a_port_that_was_closed_before_says_nothing() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let shop = ShopClient::from(ours);
        theirs.close();

        farewell(&theirs, Fault::Refused(closed_today()));

        assert_eq!(shop.price("first".to_owned()).await, Err(CallError::NotSent(NotSent::Closed)));
    });
}

#[test]
fn after_a_farewell_a_peer_may_say_what_it_likes() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let shop = ShopClient::from(ours);
        theirs.start();
        let mut call = shop.price("first".to_owned());
        assert!(poll!(&mut call).is_pending());
        let message = theirs.recv().await.unwrap();
        let Ok(Frame::Call { id, .. }) = Frame::parse(message.data()) else { panic!("{message:?}") };

        // It stays open, speaks on, and takes it back.
        theirs.post_message(Frame::Farewell { fault: Fault::Refused(closed_today()) }.to_bytes()).unwrap();
        theirs.post_message(Frame::Reply { id, result: &[0, 5] }.to_bytes()).unwrap();
        theirs.post_message(Frame::Farewell { fault: Fault::Refused(Refusal::Spent) }.to_bytes()).unwrap();
        theirs.post_message(Frame::Hello { window: Window { calls: 1, bytes: 1 } }.to_bytes()).unwrap();

        assert_eq!(call.await, refused());
        let (mut second, mut third) = (shop.price("second".to_owned()), shop.price("third".to_owned()));
        assert!(poll!(&mut second).is_pending());
        assert!(poll!(&mut third).is_pending());
        while theirs.recv().now_or_never().is_some() {}
        assert_eq!(second.await, refused());
        settle().await;
        assert!(poll!(&mut third).is_pending(), "it was sent, and ends when somebody takes it");
        while theirs.recv().now_or_never().is_some() {}
        assert_eq!(third.await, refused());
    });
}

#[test]
fn a_farewell_that_comes_to_a_service_is_dropped() {
    context::block_on(async {
        let raw = stall();
        raw.start();

        raw.post_message(Frame::Farewell { fault: Fault::Refused(closed_today()) }.to_bytes()).unwrap();

        raw.post_message(Frame::call(CallId(1), MethodId::of_name("price"), &[1, b'a']).to_bytes()).unwrap();
        assert_eq!(raw.recv().await.unwrap().data(), Frame::Reply { id: CallId(1), result: &[0, 6] }.to_bytes());
    });
}
