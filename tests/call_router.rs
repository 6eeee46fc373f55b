//! A router of calls, between clients and services that mostly write their frames by hand.

mod common;

use common::settle;
use futures::{FutureExt, Stream, StreamExt, stream};
use handover::{
    Message, context, in_process,
    prelude::*,
    rpc::CallRouter,
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
