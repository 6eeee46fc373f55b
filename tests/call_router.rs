//! A router of calls, between clients and services that mostly write their frames by hand.

mod common;

use common::settle;
use futures::{FutureExt, Stream, StreamExt, stream};
use handover::{
    Message, NotSent, Refusal, context, in_process,
    prelude::*,
    rpc::{CallRouter, Limits},
    wire::{CallId, Frame, MethodId},
};

const METHOD: MethodId = MethodId::of_name("method");

/// A service of the router, read by hand.
fn raw_service(router: &CallRouter) -> MessagePort {
    let (ours, theirs) = MessageChannel::new().into_ports();
    router.add(ours);
    theirs.start();
    theirs
}

fn raw_client(router: &CallRouter) -> MessagePort {
    let client = router.connect();
    client.start();
    client
}

fn post(port: &MessagePort, frame: &Frame<'_>) {
    port.post_message(frame.to_bytes()).unwrap();
}

/// What has come until now.
async fn seen(port: &MessagePort) -> Vec<Vec<u8>> {
    settle().await;
    std::iter::from_fn(|| port.recv().now_or_never()?.ok()).map(|message: Message| message.data().to_vec()).collect()
}

#[test]
fn the_calls_of_a_client_that_goes_are_cancelled_at_their_services() {
    context::block_on(async {
        let router = CallRouter::new();
        let (service, client) = (raw_service(&router), raw_client(&router));
        post(&client, &Frame::call(CallId(5), METHOD, &[]));
        assert_eq!(seen(&service).await, [Frame::call(CallId(0), METHOD, &[]).to_bytes()]);

        drop(client);

        assert_eq!(seen(&service).await, [Frame::Cancel { id: CallId(0) }.to_bytes()]);
    });
}

#[test]
fn a_call_passes_over_a_service_that_has_gone() {
    context::block_on(async {
        let router = CallRouter::new();
        let (ours, theirs) = MessageChannel::new().into_ports();
        let gone = router.add(ours);
        drop(theirs);
        let (service, client) = (raw_service(&router), raw_client(&router));

        post(&client, &Frame::call(CallId(5), METHOD, &[1]));

        assert_eq!(seen(&service).await, [Frame::call(CallId(0), METHOD, &[1]).to_bytes()]);
        assert_eq!(router.load(gone), None, "it is not asked again");
        post(&service, &Frame::Reply { id: CallId(0), result: &[0, 2] });
        assert_eq!(seen(&client).await, [Frame::Reply { id: CallId(5), result: &[0, 2] }.to_bytes()]);
    });
}

/// Has something to do after it has answered.
#[service]
trait Counter {
    fn count(&self) -> impl Stream<Item = u32>;
    async fn one(&self) -> u32;
}

struct FromZero;

impl Counter for FromZero {
    fn count(&self) -> impl Stream<Item = u32> {
        stream::iter(0..)
    }

    async fn one(&self) -> u32 {
        1
    }
}

#[test]
fn a_call_that_brought_back_a_stream_counts_as_long_as_that_runs() {
    context::block_on(async {
        let router = CallRouter::new();
        let service = router.add(in_process::spawn(|port| CounterServer::new(FromZero).serve(port)));
        let client = CounterClient::from(router.connect());

        let mut numbers = client.count().await.unwrap();
        assert_eq!(numbers.next().await, Some(Ok(0)));
        assert_eq!(client.one().await, Ok(1));
        settle().await;
        assert_eq!(router.load(service), Some(1));

        drop(numbers);
        settle().await;
        assert_eq!(router.load(service), Some(0));
    });
}

fn attach(through: &MessagePort, limits: Limits) -> CounterClient {
    let (ours, theirs) = MessageChannel::new().into_ports();
    let frame = Frame::Attach { limits: Box::new(limits) }.to_bytes();
    through.post_message(Message::new(frame).with_port(theirs)).unwrap();
    CounterClient::from(ours)
}

fn limited(calls: u64) -> Limits {
    let mut limits = Limits::default();
    limits.calls = Some(calls);
    limits
}

#[test]
fn a_client_that_is_made_with_limits_through_a_router_keeps_them_at_one_service_and_ends_with_it() {
    context::block_on(async {
        let router = CallRouter::new();
        let spawn = || in_process::spawn(|port| CounterServer::new(FromZero).serve(port));
        let services = [router.add(spawn()), router.add(spawn())];
        let client = router.connect();

        let narrow = attach(&client, limited(3));
        let clone = narrow.clone();
        for client in [&narrow, &clone, &narrow] {
            assert_eq!(client.one().await, Ok(1));
        }
        for client in [&narrow, &clone, &clone.clone()] {
            assert_eq!(client.one().await, Err(CallError::Refused(Refusal::NoCallsLeft)));
        }

        // It is a client of one of the services, and needs the router no longer; the router's own go on.
        let lasting = attach(&client, limited(1));
        services.into_iter().for_each(|service| router.remove(service));
        settle().await;
        assert_eq!(lasting.one().await, Ok(1));
        router.add(spawn());
        assert_eq!(CounterClient::from(client).one().await, Ok(1));
    });
}

#[test]
fn a_client_with_limits_finds_its_port_closed_where_a_router_has_no_service() {
    context::block_on(async {
        let router = CallRouter::new();
        let client = router.connect();

        let narrow = attach(&client, limited(3));

        assert_eq!(narrow.one().await, Err(CallError::NotSent(NotSent::Closed)));
        router.add(in_process::spawn(|port| CounterServer::new(FromZero).serve(port)));
        assert_eq!(CounterClient::from(client).one().await, Ok(1));
    });
}

#[test]
fn a_peer_that_attaches_without_end_through_a_router_gets_as_many_as_are_allowed_and_disturbs_nobody() {
    context::block_on(async {
        let router = CallRouter::new();
        router.add(in_process::spawn(|port| CounterServer::new(FromZero).serve(port)));
        let (cheater, honest) = (router.connect(), CounterClient::from(router.connect()));

        let mut attached: Vec<_> = (0..5000).map(|_| attach(&cheater, Limits::default())).collect();

        let refused = Err(CallError::Refused(Refusal::TooManyClients));
        assert_eq!(attached[4096].one().await, refused);
        assert_eq!(attached.last().unwrap().one().await, refused);
        assert_eq!(attached[4095].one().await, Ok(1));
        assert_eq!(attached[4095].clone().one().await, refused, "clones of clones are counted too");
        assert_eq!(honest.clone().one().await, Ok(1));
        attached.truncate(4000);
        assert_eq!(attach(&cheater, Limits::default()).one().await, Ok(1));
    });
}
