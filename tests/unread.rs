//! Answers that nobody reads. The peers that do not read write their calls by hand.

mod common;

use common::settle;
use futures::FutureExt;
use handover::{
    Host, Interruption, Message, Refusal, ServeOptions, context, in_process,
    prelude::*,
    wire::{CallId, Fault, Frame, MethodId, Options},
};

#[service]
trait Library {
    async fn page(&self, size: u32) -> Vec<u8>;
    async fn wait(&self);
    async fn lend(&self, context: CallContext) -> LibraryClient;
}

struct Shelves;

impl Library for Shelves {
    async fn page(&self, size: u32) -> Vec<u8> {
        vec![7; size as usize]
    }

    async fn wait(&self) {
        std::future::pending().await
    }

    async fn lend(&self, context: CallContext) -> LibraryClient {
        context.grant().client()
    }
}

const MEBIBYTE: usize = 1 << 20;

fn library(options: ServeOptions) -> Host<LibraryClient> {
    let (host, hosting) = LibraryServer::new(Shelves).with(options).host();
    context::spawn_local(async move { drop(hosting.serve().await) });
    host
}

fn page(number: u64, size: u32) -> Vec<u8> {
    Frame::call(CallId(number), MethodId::of_name("page"), &postcard::to_allocvec(&size).unwrap()).to_bytes()
}

/// Calls without end and reads nothing, until it is closed or has made so many calls; tells how many.
async fn calls_and_reads_nothing(port: &MessagePort, size: u32, most: u64) -> u64 {
    port.start();
    let mut number = 0;
    while number < most && !port.is_closed() {
        for _ in 0..500 {
            port.post_message(page(number, size)).unwrap();
            number += 1;
        }
        settle().await;
    }
    number
}

/// What is left to read, of which the last is what was said at the end.
fn read_all(port: &MessagePort) -> Vec<Message> {
    std::iter::from_fn(|| port.recv().now_or_never()?.ok()).collect()
}

/// C21
#[test]
fn a_client_that_reads_none_of_a_million_answers_is_closed_with_bounded_memory_and_nobody_else_is() {
    // Of the large ones not so many, for where they are not refused they fill the machine.
    for (size, most_calls) in [(0, 1_000_000), (100, 1_000_000), (100_000, 2000)] {
        context::block_on(async {
            let host = library(ServeOptions::default().max_unread(MEBIBYTE));
            let (reader, cheater) = (host.client(), host.client().into_port());
            let clone = LibraryClient::from(host.client().into_port());
            let of_clone = clone.clone();
            let mut waits = Box::pin(async { clone.wait().await });
            assert!(waits.as_mut().now_or_never().is_none());

            let made = calls_and_reads_nothing(&cheater, size, most_calls).await;

            assert!(cheater.is_closed() && made < most_calls, "{made}");
            let waiting = cheater.queued();
            let most = MEBIBYTE + MEBIBYTE / 8 + 64 * (size as usize + 64);
            assert!(waiting.bytes + 64 * waiting.messages <= most, "{waiting:?}");
            let read = read_all(&cheater);
            let last = Frame::parse(read.last().unwrap().data());
            assert_eq!(last, Ok(Frame::Farewell { fault: Fault::Refused(Refusal::TooManyBytes) }));
            assert_eq!(reader.page(3).await, Ok(vec![7; 3]));
            assert_eq!(of_clone.page(3).await, Ok(vec![7; 3]));
            assert!(waits.as_mut().now_or_never().is_none());
            assert_eq!(host.clients(), 3);
        });
    }
}

/// C21
#[test]
fn a_client_of_the_first_port_that_reads_nothing_is_closed_and_its_clones_go_on() {
    context::block_on(async {
        let options = ServeOptions::default().max_unread(MEBIBYTE);
        let first: LibraryClient = in_process::spawn(|port| LibraryServer::new(Shelves).with(options).serve(port));
        let clone = first.clone();
        assert_eq!(clone.page(1).await, Ok(vec![7]));
        let cheater = first.into_port();
        cheater.start();
        cheater.post_message(Frame::call(CallId(u64::MAX), MethodId::of_name("wait"), &[]).to_bytes()).unwrap();

        calls_and_reads_nothing(&cheater, 100, 1_000_000).await;

        assert!(cheater.is_closed());
        let read = read_all(&cheater);
        let last = Frame::parse(read.last().unwrap().data());
        assert_eq!(last, Ok(Frame::Farewell { fault: Fault::Refused(Refusal::TooManyBytes) }));
        assert_eq!(clone.page(3).await, Ok(vec![7; 3]));
    });
}

/// C21
#[test]
fn what_runs_for_one_who_reads_nothing_is_ended_and_says_why() {
    context::block_on(async {
        let host = library(ServeOptions::default().max_unread(MEBIBYTE));
        let cheater = host.client().into_port();
        cheater.post_message(Frame::call(CallId(u64::MAX), MethodId::of_name("wait"), &[]).to_bytes()).unwrap();

        calls_and_reads_nothing(&cheater, 100, 1_000_000).await;

        let why = Interruption::Cancelled("its caller reads no answers".into());
        let expected = Frame::Fault { id: CallId(u64::MAX), fault: Fault::Interrupted(why) };
        assert!(read_all(&cheater).iter().any(|message| Frame::parse(message.data()) == Ok(expected.clone())));
    });
}

/// C21
#[test]
fn one_who_reads_late_and_one_answer_that_is_large_are_not_cut_off() {
    context::block_on(async {
        let host = library(ServeOptions::default().max_unread(MEBIBYTE));
        let (late, large) = (host.client().into_port(), host.client());
        late.start();

        for round in 0..20 {
            for number in 0..1000 {
                late.post_message(page(round * 1000 + number, 500)).unwrap();
            }
            settle().await;
            assert_eq!(read_all(&late).len(), 1000);
        }

        let raw = large.into_port();
        raw.start();
        raw.post_message(page(1, 5 << 20)).unwrap();
        settle().await;
        assert!(!raw.is_closed());
        assert_eq!(read_all(&raw).len(), 1);
        assert_eq!(host.clients(), 2);
    });
}

/// C21
#[test]
fn the_bytes_of_a_call_count_until_its_answer_was_delivered_and_then_no_longer() {
    context::block_on(async {
        let host = library(ServeOptions::default());
        let raw = host.grant().bytes(1000).client().into_port();
        raw.start();
        let left = || host.exports()[0].state.bytes_left;
        assert_eq!(left(), Some(1000));

        for number in 0..5 {
            raw.post_message(page(number, 300)).unwrap();
            settle().await;
        }

        let is_refused = |message: &Message| {
            let refused = Fault::Refused(Refusal::TooManyBytes);
            matches!(Frame::parse(message.data()), Ok(Frame::Fault { fault, .. }) if fault == refused)
        };
        assert!(left().is_some_and(|left| left < 20), "{:?}", left());
        let answers = read_all(&raw);
        assert_eq!(answers.iter().map(is_refused).collect::<Vec<_>>(), [false, false, false, false, true]);
        assert_eq!(left(), Some(1000), "it was read");
        drop(answers);
        assert_eq!(left(), Some(1000), "it is given back once");
        raw.post_message(page(9, 300)).unwrap();
        settle().await;
        assert!(left().is_some_and(|left| left < 1000));
        drop(raw);
        settle().await;
        assert_eq!((host.clients(), host.exports().len()), (0, 0), "what nobody will ever read is nobody's");
    });
}

/// C21
#[test]
fn what_is_unread_counts_for_all_that_share_the_right() {
    context::block_on(async {
        let host = library(ServeOptions::default());
        let right = host.grant().bytes(1000).client();
        let raw = right.clone().into_port();
        raw.start();
        let sibling = right.clone().into_port();
        sibling.start();

        for number in 0..5 {
            raw.post_message(page(number, 300)).unwrap();
            settle().await;
        }
        sibling.post_message(page(1, 1)).unwrap();
        settle().await;

        let expected = Frame::Fault { id: CallId(1), fault: Fault::Refused(Refusal::TooManyBytes) };
        assert_eq!(Frame::parse(read_all(&sibling)[0].data()), Ok(expected));
        read_all(&raw);
        sibling.post_message(page(2, 1)).unwrap();
        settle().await;
        assert!(matches!(Frame::parse(read_all(&sibling)[0].data()), Ok(Frame::Reply { .. })));
        // As a value a call has no bytes, and its answer waits for nobody.
        assert_eq!(right.page(5000).await.map(|page| page.len()), Ok(5000));
        assert_eq!(right.lend().await.unwrap().page(5000).await.map(|page| page.len()), Ok(5000));
    });
}

/// C21
#[test]
fn one_who_reads_nothing_of_what_a_call_has_returned_is_closed_where_the_two_were_joined() {
    context::block_on(async {
        let host = library(ServeOptions::default().max_unread(MEBIBYTE));
        let first = host.client().into_port();
        let (cheater, port) = MessageChannel::new().into_ports();
        let method = MethodId::of_name("lend");
        let lend = Frame::Pipelined { method, options: Options::default(), args: &[] }.to_bytes();
        first.post_message(Message::new(lend).with_port(port)).unwrap();
        settle().await;
        assert_eq!(host.clients(), 2);

        let made = calls_and_reads_nothing(&cheater, 100, 100_000).await;

        assert!(cheater.is_closed() && made < 50_000, "{made}");
        assert_eq!(host.clients(), 1, "who lent it goes on");
        assert_eq!(LibraryClient::from(first).page(1).await, Ok(vec![7]));
    });
}
