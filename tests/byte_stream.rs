//! Ports and calls over a stream of bytes.

mod common;

use std::{
    cell::{Cell, RefCell},
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use allocation_counter::measure;
use common::{
    settle,
    streams::{self, block_on, ports, side, sides, stream},
};
use futures::{
    FutureExt, StreamExt,
    future::{join, join_all, join3},
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
};
use handover::{
    Buffer, CallError, ClosedBy, Interruption, Message, MessageChannel, NotSent, Refusal,
    byte_stream::{self, ConnectionError, ConnectionOptions, Limits},
    context,
    message::Foreign,
    prelude::*,
    stream::Stream,
    testing::settled,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[service]
trait Desk {
    async fn add(&self, a: u32, b: u32) -> u32;
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
    async fn many(&self, bytes: u32) -> Vec<u8>;
    async fn never(&self) -> u32;
    async fn keep(&self, port: MessagePort);
    async fn tie(&self, knot: Option<Knot>) -> Knot;
    #[rpc(oneway)]
    async fn tell(&self, bytes: Vec<u8>);
    fn count(&self) -> impl Stream<Item = u32>;
}

/// What is neither bytes nor a port.
#[derive(Debug, PartialEq)]
struct Knot;

impl Serialize for Knot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Foreign::put(|| Ok(Foreign::new(Arc::new(()))), serializer)
    }
}

impl<'de> Deserialize<'de> for Knot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Foreign::take(deserializer, |_| Ok(Self))
    }
}

#[derive(Clone, Default)]
struct Clerk(Rc<RefCell<Vec<MessagePort>>>);

impl Desk for Clerk {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }

    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn many(&self, bytes: u32) -> Vec<u8> {
        vec![7; bytes as usize]
    }

    async fn never(&self) -> u32 {
        std::future::pending().await
    }

    async fn keep(&self, port: MessagePort) {
        self.0.borrow_mut().push(port);
    }

    async fn tie(&self, _: Option<Knot>) -> Knot {
        Knot
    }

    async fn tell(&self, _bytes: Vec<u8>) {}

    fn count(&self) -> impl Stream<Item = u32> {
        futures::stream::iter(0..)
    }
}

fn default() -> ConnectionOptions {
    ConnectionOptions::default()
}

fn desk(options: ConnectionOptions) -> DeskClient {
    let (ours, theirs) = ports(options);
    context::spawn_local(DeskServer::new(Clerk::default()).serve(theirs));
    ours.into()
}

async fn receive(port: &MessagePort) -> Vec<u8> {
    port.recv().await.expect("a message comes").data().to_vec()
}

// Ports

#[test]
fn messages_pass_both_ways_in_order() {
    block_on(async {
        let (ours, theirs) = ports(default());
        ours.start();
        theirs.start();

        for number in 0..100 {
            ours.post_message(&[number]).unwrap();
            theirs.post_message(&[100 + number]).unwrap();
        }

        for number in 0..100 {
            assert_eq!(receive(&theirs).await, [number]);
            assert_eq!(receive(&ours).await, [100 + number]);
        }
    });
}

#[test]
fn a_message_of_any_size_passes_a_stream_of_any_size() {
    for (room, sizes) in [(1, [0, 1, 127, 128]), (7, [0, 128, 1_000, 10_000]), (64 << 10, [1, 65_535, 70_000, 300_000])]
    {
        for size in sizes {
            block_on(async {
                let (one, other) = stream(room);
                let ((ours, near), (theirs, far)) = (side(one, default()), side(other, default()));
                streams::run(near);
                streams::run(far);
                let data: Vec<u8> = (0..size).map(|byte| (byte % 251) as u8).collect();

                ours.post_message(data.clone()).unwrap();
                ours.post_message("behind").unwrap();

                theirs.start();
                assert!(receive(&theirs).await == data, "{size} bytes over {room}");
                assert_eq!(receive(&theirs).await, b"behind");
            });
        }
    }
}

#[test]
fn a_port_that_travels_brings_what_was_queued_for_it_in_order() {
    block_on(async {
        let (ours, theirs) = ports(default());
        let (kept, travels) = MessageChannel::new().into_ports();
        kept.post_message("1").unwrap();
        kept.post_message("2").unwrap();

        ours.post_message(Message::new("take this").with_port(travels)).unwrap();
        kept.post_message("3").unwrap();

        theirs.start();
        let arrived = theirs.recv().await.unwrap().into_parts().ports.remove(0);
        arrived.post_message("answer").unwrap();
        arrived.start();
        for expected in ["1", "2", "3"] {
            assert_eq!(receive(&arrived).await, expected.as_bytes());
        }
        kept.start();
        assert_eq!(receive(&kept).await, b"answer");
    });
}

#[test]
fn ports_inside_ports_travel_at_any_depth() {
    const DEPTH: usize = 1_000;
    block_on(async {
        let (ours, theirs) = ports(default());
        let (innermost, mut port) = MessageChannel::new().into_ports();
        let mut kept = Vec::new();
        for _ in 0..DEPTH {
            let (outer, travels) = MessageChannel::new().into_ports();
            outer.post_message(Message::default().with_port(port)).unwrap();
            kept.push(outer);
            port = travels;
        }

        ours.post_message(Message::default().with_port(port)).unwrap();

        let mut port = theirs;
        for _ in 0..=DEPTH {
            port.start();
            port = port.recv().await.unwrap().into_parts().ports.remove(0);
        }
        port.post_message("from the bottom").unwrap();
        innermost.start();
        assert_eq!(receive(&innermost).await, b"from the bottom");
    });
}

#[test]
fn buffers_arrive_as_buffers() {
    block_on(async {
        let (ours, theirs) = ports(default());

        ours.post_value(("a picture", Buffer::from(vec![7; 100_000]), Buffer::default())).unwrap();

        theirs.start();
        let (name, picture, nothing) = theirs.recv_value::<(String, Buffer, Buffer)>().await.unwrap().data;
        assert_eq!(name, "a picture");
        assert_eq!(picture.into_vec(), vec![7; 100_000]);
        assert!(nothing.is_empty());
    });
}

#[test]
fn a_port_that_travels_there_and_back_still_leads_to_the_same_place() {
    block_on(async {
        let (ours, theirs) = ports(default());
        let (kept, travels) = MessageChannel::new().into_ports();
        ours.post_message(Message::default().with_port(travels)).unwrap();
        kept.post_message("1").unwrap();

        theirs.start();
        let back = theirs.recv().await.unwrap();
        kept.post_message("2").unwrap();
        theirs.post_message(back).unwrap();

        ours.start();
        let home = ours.recv().await.unwrap().into_parts().ports.remove(0);
        kept.post_message("3").unwrap();
        home.start();
        for expected in ["1", "2", "3"] {
            assert_eq!(receive(&home).await, expected.as_bytes());
        }
        home.post_message("hello").unwrap();
        kept.start();
        assert_eq!(receive(&kept).await, b"hello");
        drop(kept);
        assert_eq!(home.closed().await, ClosedBy::Peer);
    });
}

#[test]
fn both_ends_of_a_channel_may_travel() {
    block_on(async {
        let (ours, theirs) = ports(default());
        let (one, other) = MessageChannel::new().into_ports();

        ours.post_message(Message::default().with_ports([one, other])).unwrap();

        theirs.start();
        let arrived = theirs.recv().await.unwrap().into_parts().ports;
        arrived[0].post_message("round").unwrap();
        arrived[1].start();
        assert_eq!(receive(&arrived[1]).await, b"round");
    });
}

#[test]
fn a_closed_end_is_told_behind_what_was_posted_before() {
    block_on(async {
        let (ours, theirs) = ports(default());
        ours.post_message("last words").unwrap();
        drop(ours);
        settle().await;

        theirs.start();
        assert_eq!(receive(&theirs).await, b"last words");
        assert_eq!(theirs.closed().await, ClosedBy::Peer);
    });
}

#[test]
fn that_an_end_was_dropped_by_a_panic_is_told_over_the_stream() {
    block_on(async {
        let (ours, theirs) = ports(default());

        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _held = ours;
            panic!("as the test wants");
        }));
        assert!(panicked.is_err());

        assert_eq!(theirs.closed().await, ClosedBy::PeerPanic);
    });
}

// Ends

#[test]
fn both_sides_end_well_when_every_port_was_closed_and_everything_was_received() {
    block_on(async {
        let (one, other) = stream(16);
        let ((ours, near), (theirs, far)) = (side(one, default()), side(other, default()));
        let (kept, travels) = MessageChannel::new().into_ports();
        ours.post_message(Message::new("with a port").with_port(travels)).unwrap();
        kept.post_message(vec![7; 1_000]).unwrap();
        drop(kept);
        drop(ours);
        let reader = async {
            theirs.start();
            let port = theirs.recv().await.unwrap().into_parts().ports.remove(0);
            port.start();
            assert_eq!(receive(&port).await, [7; 1_000]);
            assert!(port.recv().await.is_err());
            assert!(theirs.recv().await.is_err());
            drop(theirs);
        };

        let ((near, far), ()) = join(join(near, far), reader).await;

        assert_eq!((near, far), (Ok(()), Ok(())));
    });
}

#[test]
fn a_side_that_is_dropped_ends_the_ports_of_both() {
    block_on(async {
        let ((ours, near), (theirs, far)) = sides(default());
        let far = context_task(far);
        theirs.start();
        let mut near = Box::pin(near);
        ours.post_message("arrives").unwrap();
        assert!((&mut near).now_or_never().is_none());
        settle().await;
        assert!((&mut near).now_or_never().is_none());
        settle().await;

        drop(near);

        assert_eq!(ours.closed().await, ClosedBy::Disconnected);
        assert_eq!(receive(&theirs).await, b"arrives");
        assert_eq!(theirs.closed().await, ClosedBy::Disconnected);
        assert_eq!(far.await, Ok(Err(ConnectionError::Ended)));
    });
}

/// Runs a side in this context until it is told to drop it.
fn run_until_told(side: streams::Side) -> futures::channel::oneshot::Sender<()> {
    let (stop, stopped) = futures::channel::oneshot::channel();
    context::spawn_local(async {
        futures::future::select(side, stopped).await;
    });
    stop
}

/// Runs a side in this context; its end comes out.
fn context_task(side: streams::Side) -> futures::channel::oneshot::Receiver<Result<(), ConnectionError>> {
    let (send, receive) = futures::channel::oneshot::channel();
    context::spawn_local(async {
        let _unheard = send.send(side.await);
    });
    receive
}

#[test]
fn every_call_and_stream_ends_with_the_reason_when_the_stream_ends() {
    block_on(async {
        let ((ours, near), (theirs, far)) = sides(default());
        let near = context_task(near);
        let stop = run_until_told(far);
        context::spawn_local(DeskServer::new(Clerk::default()).serve(theirs));
        let desk = DeskClient::from(ours);
        let mut numbers = desk.count().await.unwrap();
        assert_eq!(numbers.next().await, Some(Ok(0)));
        let mut calls = Box::pin(join(desk.never().into_future(), desk.never().into_future()));
        assert!((&mut calls).now_or_never().is_none());
        settle().await;

        stop.send(()).unwrap();

        let ended = CallError::Unknown(Interruption::Disconnected("the other side has gone".into()));
        assert_eq!(calls.await, (Err(ended.clone()), Err(ended)));
        let cut = numbers.filter_map(async |item| item.err()).collect::<Vec<_>>().await;
        assert!(
            matches!(&cut[..], [error] if format!("{error:?}").contains("Disconnected")),
            "the stream seems to have ended: {cut:?}"
        );
        assert_eq!(near.await, Ok(Err(ConnectionError::Ended)));
    });
}

#[test]
fn a_call_that_had_not_left_when_the_connection_ended_was_not_sent() {
    block_on(async {
        let (one, _other) = stream(1024);
        let (ours, near) = side(one, default());
        let mut near = Box::pin(near);
        let desk = DeskClient::from(ours);
        let mut call = Box::pin(desk.add(1, 2).into_future());
        assert!((&mut call).now_or_never().is_none());
        assert!((&mut near).now_or_never().is_none(), "the other side says nothing");

        drop(near);

        assert_eq!(call.await, Err(CallError::NotSent(NotSent::Closed)));
    });
}

/// A stream that fails when it is told to.
struct Failing<S> {
    inner: S,
    fails: Rc<Cell<bool>>,
}

impl<S: Unpin> Failing<S> {
    fn check(&self) -> io::Result<()> {
        if self.fails.get() { Err(io::Error::new(io::ErrorKind::BrokenPipe, "the cable was cut")) } else { Ok(()) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Failing<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.inner).poll_read(cx, bytes)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Failing<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

#[test]
fn an_error_of_the_stream_ends_every_call_with_its_words() {
    for (reading, writing) in [(true, false), (false, true)] {
        block_on(async {
            let (one, other) = stream(1024);
            let (theirs, far) = side(other, default());
            streams::run(far);
            context::spawn_local(DeskServer::new(Clerk::default()).serve(theirs));
            let (reader, writer) = one.split();
            let (read_fails, write_fails) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
            let reader = Failing { inner: reader, fails: read_fails.clone() };
            let writer = Failing { inner: writer, fails: write_fails.clone() };
            let (ours, near) = byte_stream::connect(reader, writer, default());
            let (send, ended) = futures::channel::oneshot::channel();
            context::spawn_local(async {
                let _unheard = send.send(near.await);
            });
            let desk = DeskClient::from(ours);
            assert_eq!(desk.add(1, 2).await, Ok(3));

            let mut sent = Box::pin(desk.never().into_future());
            assert!((&mut sent).now_or_never().is_none());
            settle().await;

            read_fails.set(reading);
            write_fails.set(writing);
            let next = desk.add(1, 2).await;

            assert!(next.is_err());
            let why = "the stream failed: the cable was cut".to_owned();
            assert_eq!(sent.await, Err(CallError::Unknown(Interruption::Disconnected(why))));
            let error = ended.await.unwrap().unwrap_err();
            assert!(matches!(error, ConnectionError::Io { kind: io::ErrorKind::BrokenPipe, .. }), "{error}");
        });
    }
}

#[test]
fn what_the_other_side_said_before_it_went_arrives_though_nothing_can_be_written_any_more() {
    block_on(async {
        let (one, other) = stream(1 << 20);
        let (theirs, far) = side(other, default());
        let (reader, writer) = one.split();
        let fails = Rc::new(Cell::new(false));
        let writer = Failing { inner: writer, fails: fails.clone() };
        let (ours, near) = byte_stream::connect(reader, writer, default());
        let (mut near, mut far) = (Box::pin(near), Box::pin(far));
        assert!((&mut near).now_or_never().is_none());
        // More than is read between two writes.
        (0..500).for_each(|_| theirs.post_message(vec![7; 1_000]).unwrap());
        theirs.post_message("last words").unwrap();
        for _ in 0..4 {
            assert!((&mut far).now_or_never().is_none());
        }
        drop(far);

        fails.set(true);
        ours.post_message("too late").unwrap();
        let ended = near.await;

        assert_eq!(ended, Err(ConnectionError::Ended));
        ours.start();
        for _ in 0..500 {
            assert_eq!(receive(&ours).await.len(), 1_000);
        }
        assert_eq!(receive(&ours).await, b"last words");
        assert_eq!(ours.closed().await, ClosedBy::Disconnected);
    });
}

/// C28
#[test]
fn a_new_connection_knows_nothing_of_the_one_before() {
    block_on(async {
        let ((ours, near), (theirs, far)) = sides(default());
        let mut near = Box::pin(near);
        streams::run(far);
        let desk = DeskClient::from(ours);
        let mut call = Box::pin(desk.echo(vec![1]).into_future());
        assert!((&mut call).now_or_never().is_none());
        let clerk = Clerk::default();
        context::spawn_local(DeskServer::new(clerk.clone()).serve(theirs));
        // The two greet each other, the call leaves, and its reply is on its way when the connection ends.
        for _ in 0..2 {
            assert!((&mut near).now_or_never().is_none());
            settle().await;
        }
        assert!((&mut call).now_or_never().is_none());
        drop(near);
        assert!(matches!(call.await, Err(CallError::Unknown(Interruption::Disconnected(_)))));

        let (ours, theirs) = ports(default());
        context::spawn_local(DeskServer::new(clerk).serve(theirs));
        let again = DeskClient::from(ours);

        assert_eq!(again.echo(vec![2]).await, Ok(vec![2]), "not the reply of before");
        assert!(matches!(desk.echo(vec![3]).await, Err(CallError::NotSent(NotSent::Closed))));
    });
}

// Limits

#[test]
fn a_port_that_nobody_reads_holds_back_who_posts_there_and_nobody_else() {
    const WINDOW: u64 = 10_000;
    const MESSAGES: usize = 100;
    block_on(async {
        let (ours, theirs) = ports(default().window(WINDOW));
        let (kept, travels) = MessageChannel::new().into_ports();
        ours.post_message(Message::default().with_port(travels)).unwrap();
        theirs.start();
        let unread = theirs.recv().await.unwrap().into_parts().ports.remove(0);

        for number in 0..MESSAGES {
            kept.post_message(vec![number as u8; 1_000]).unwrap();
        }
        settle().await;

        let waits = unread.queued();
        assert_eq!(waits.messages, 10, "1064 each, as long as fewer than 10000 wait");
        assert_eq!(kept.unreceived().queued().messages, MESSAGES - 10, "the rest waits where it was posted");
        ours.post_message("by another port").unwrap();
        assert_eq!(receive(&theirs).await, b"by another port");

        unread.start();
        for number in 0..MESSAGES {
            assert_eq!(receive(&unread).await, vec![number as u8; 1_000]);
        }
    });
}

#[test]
fn what_waits_at_all_ports_together_is_held_back_too_and_goes_on_when_any_is_read() {
    block_on(async {
        let (ours, theirs) = ports(default().max_waiting(20_000));
        theirs.start();
        let (mut kept, mut unread) = (Vec::new(), Vec::new());
        for _ in 0..10 {
            let (near, far) = MessageChannel::new().into_ports();
            ours.post_message(Message::default().with_port(far)).unwrap();
            kept.push(near);
            unread.push(theirs.recv().await.unwrap().into_parts().ports.remove(0));
        }

        for port in &kept {
            for _ in 0..10 {
                port.post_message(vec![7; 1_000]).unwrap();
            }
        }
        settle().await;

        let waits = |unread: &[MessagePort]| unread.iter().map(|port| port.queued().messages).sum::<usize>();
        let most = waits(&unread);
        assert!((15..=20).contains(&most), "{most} messages of 1064 wait, of 20000 bytes");
        for port in &unread {
            port.start();
            for _ in 0..10 {
                assert_eq!(receive(port).await.len(), 1_000);
            }
        }
    });
}

#[test]
fn a_port_that_is_read_goes_on_though_others_have_all_that_may_wait() {
    block_on(async {
        let (ours, theirs) = ports(default().max_waiting(20_000));
        theirs.start();
        let (read, travels) = MessageChannel::new().into_ports();
        let (unread, travels_too) = MessageChannel::new().into_ports();
        ours.post_message(Message::default().with_ports([travels, travels_too])).unwrap();
        let arrived = theirs.recv().await.unwrap().into_parts().ports;
        (0..8).for_each(|_| read.post_message(vec![7; 1_000]).unwrap());
        settle().await;
        (0..12).for_each(|_| unread.post_message(vec![7; 1_000]).unwrap());
        settle().await;

        arrived[0].start();
        for _ in 0..8 {
            receive(&arrived[0]).await;
        }
        read.post_message("goes on").unwrap();

        assert_eq!(receive(&arrived[0]).await, b"goes on");
    });
}

#[test]
fn what_was_never_received_at_a_port_counts_no_longer_when_the_port_was_closed() {
    block_on(async {
        let (ours, theirs) = ports(default().max_waiting(20_000));
        theirs.start();
        for _ in 0..100 {
            let (kept, travels) = MessageChannel::new().into_ports();
            ours.post_message(Message::default().with_port(travels)).unwrap();
            (0..5).for_each(|_| kept.post_message(vec![7; 1_000]).unwrap());
            let arrived = theirs.recv().await.unwrap();
            settle().await;
            drop(arrived);
            settle().await;
            assert!(kept.is_closed());
        }

        (0..30).for_each(|_| ours.post_message(vec![7; 1_000]).unwrap());
        settle().await;
        assert_eq!(theirs.queued().messages, 19, "1064 each, as long as fewer than 20000 wait");
    });
}

#[test]
fn many_small_messages_count_as_much_as_the_memory_they_take() {
    block_on(async {
        let (ours, theirs) = ports(default().window(6_400));

        (0..1_000).for_each(|_| ours.post_message(&[]).unwrap());
        settle().await;

        assert_eq!(theirs.queued().messages, 100);
        theirs.start();
        for _ in 0..1_000 {
            assert_eq!(receive(&theirs).await, b"");
        }
    });
}

#[test]
fn the_smallest_window_lets_one_message_through_at_a_time() {
    block_on(async {
        let (ours, theirs) = ports(default().window(0).max_waiting(0));
        theirs.start();

        for number in 0..10 {
            ours.post_message(&[number]).unwrap();
        }

        for number in 0..10 {
            settle().await;
            assert!(theirs.queued().messages <= 1);
            assert_eq!(receive(&theirs).await, [number]);
        }
    });
}

#[test]
fn a_call_that_is_larger_than_the_other_side_takes_is_refused_and_others_go_on() {
    block_on(async {
        let desk = desk(default().max_message(1_000));

        let refused = desk.echo(vec![7; 1_001]).await;

        let why = "the other side takes no more than 1000 bytes in one message".to_owned();
        assert_eq!(refused, Err(CallError::Refused(Refusal::Denied(why))));
        assert_eq!(desk.echo(vec![7; 900]).await, Ok(vec![7; 900]));
    });
}

#[test]
fn a_reply_that_is_larger_than_the_caller_takes_ends_its_call_and_others_go_on() {
    block_on(async {
        let desk = desk(default().max_message(1_000));

        let unread = desk.many(1_001).await;

        let why = "the other side takes no more than 1000 bytes in one message".to_owned();
        assert_eq!(unread, Err(CallError::Unknown(Interruption::UnreadableReply(why))));
        assert_eq!(desk.many(3).await, Ok(vec![7; 3]));
    });
}

#[test]
fn what_is_neither_bytes_nor_a_port_is_refused_with_the_call_that_it_is_in_and_others_go_on() {
    block_on(async {
        let desk = desk(default());
        let why = || "a stream of bytes cannot carry what is neither bytes nor a port".to_owned();

        let (refused, unread, other) = futures::join!(desk.tie(Some(Knot)), desk.tie(None), desk.add(1, 2));

        assert_eq!(refused, Err(CallError::Refused(Refusal::Denied(why()))));
        assert_eq!(unread, Err(CallError::Unknown(Interruption::UnreadableReply(why()))));
        assert_eq!(other, Ok(3));
    });
}

#[test]
fn a_one_way_call_that_is_too_large_is_lost_and_others_go_on() {
    block_on(async {
        let desk = desk(default().max_message(1_000));

        desk.tell(vec![7; 1_001]).await.unwrap();

        assert_eq!(desk.add(1, 2).await, Ok(3));
    });
}

#[test]
fn any_other_message_that_is_too_large_ends_its_port_behind_those_before_it() {
    block_on(async {
        let (ours, theirs) = ports(default().max_message(1_000));
        ours.post_message("before").unwrap();
        ours.post_message(vec![7; 1_001]).unwrap();
        ours.post_message("after").unwrap();

        assert_eq!(ours.closed().await, ClosedBy::Disconnected);
        theirs.start();
        assert_eq!(receive(&theirs).await, b"before");
        assert_eq!(theirs.closed().await, ClosedBy::Disconnected);
    });
}

#[test]
fn a_call_with_more_ports_than_may_be_open_is_refused_until_some_were_closed() {
    block_on(async {
        let (ours, theirs) = ports(default().max_channels(2));
        let clerk = Clerk::default();
        context::spawn_local(DeskServer::new(clerk.clone()).serve(theirs));
        let desk = DeskClient::from(ours);
        let mut kept = Vec::new();
        let mut keep = async || {
            let (near, far) = MessageChannel::new().into_ports();
            kept.push(near);
            desk.keep(far).await
        };
        assert_eq!(keep().await, Ok(()));
        assert_eq!(keep().await, Ok(()));

        let why = "the other side takes no more than 2 ports that are open".to_owned();
        assert_eq!(keep().await, Err(CallError::Refused(Refusal::Denied(why))));

        clerk.0.borrow_mut().pop();
        settle().await;
        assert_eq!(keep().await, Ok(()));
    });
}

#[test]
fn a_port_that_was_closed_there_counts_as_open_until_what_came_was_received() {
    block_on(async {
        let (ours, theirs) = ports(default().max_channels(1));
        theirs.start();
        let (kept, travels) = MessageChannel::new().into_ports();
        ours.post_message(Message::default().with_port(travels)).unwrap();
        kept.post_message("unread").unwrap();
        drop(kept);
        let unread = theirs.recv().await.unwrap().into_parts().ports.remove(0);
        settle().await;
        let with_port = || Message::default().with_port(MessageChannel::new().into_ports().0);

        unread.start();
        assert_eq!(receive(&unread).await, b"unread");
        settle().await;
        ours.post_message(with_port()).unwrap();
        assert_eq!(theirs.recv().await.unwrap().ports().len(), 1, "there is room again");
        settle().await;

        let (kept, travels) = MessageChannel::new().into_ports();
        ours.post_message(Message::default().with_port(travels)).unwrap();
        kept.post_message("unread").unwrap();
        drop(kept);
        settle().await;
        ours.post_message(with_port()).unwrap();
        assert_eq!(ours.closed().await, ClosedBy::Disconnected, "it waits to be received");
    });
}

#[test]
fn a_message_with_more_ports_or_buffers_than_the_other_side_takes_ends_its_port() {
    let too_many: [fn() -> Message; 2] = [
        || Message::default().with_ports((0..3).map(|_| MessageChannel::new().into_ports().0)),
        || (0..3).fold(Message::default(), |message, _| message.with_buffer(vec![])),
    ];
    for message in too_many {
        block_on(async {
            let (ours, _theirs) = ports(default().max_ports(2).max_buffers(2));

            ours.post_message(message()).unwrap();

            assert_eq!(ours.closed().await, ClosedBy::Disconnected);
        });
    }
}

/// C27
#[test]
fn a_port_that_is_handed_out_again_while_the_release_of_the_one_before_is_under_way_stays_open() {
    block_on(async {
        let (ours, theirs) = ports(default().max_channels(2));
        theirs.start();
        for round in 0..100_u32 {
            let (kept, travels) = MessageChannel::new().into_ports();
            ours.post_message(Message::default().with_port(travels)).unwrap();
            let arrived = theirs.recv().await.unwrap().into_parts().ports.remove(0);
            // One is closed at both ends at once, and what it was called crosses the next one.
            kept.post_message(round.to_le_bytes().as_slice()).unwrap();
            arrived.post_message(round.to_le_bytes().as_slice()).unwrap();
            let (next, next_travels) = MessageChannel::new().into_ports();
            drop(arrived);
            ours.post_message(Message::default().with_port(next_travels)).unwrap();
            drop(kept);
            let next_arrived = theirs.recv().await.unwrap().into_parts().ports.remove(0);
            next.post_message("next").unwrap();
            next_arrived.start();
            assert_eq!(receive(&next_arrived).await, b"next", "round {round}");
            drop((next, next_arrived));
            settle().await;
        }
    });
}

/// C27
#[test]
fn credit_that_crosses_messages_gives_back_what_it_says_and_no_more() {
    const WINDOW: u64 = 2_000;
    block_on(async {
        let (ours, theirs) = ports(default().window(WINDOW));
        theirs.start();
        let mut posted = 0_u32;
        for turn in 0..1_000_u32 {
            for _ in 0..turn % 7 {
                ours.post_message(posted.to_le_bytes().as_slice()).unwrap();
                posted += 1;
            }
            common::turn().await;
            assert!(theirs.queued().messages <= 30, "68 each, of 2000");
            if turn % 3 == 0 && theirs.queued().messages > 0 {
                theirs.recv().await.unwrap();
            }
        }
        while theirs.recv().now_or_never().is_some() || {
            settle().await;
            theirs.queued().messages > 0
        } {}
        assert_eq!(ours.unreceived().queued().messages, 0, "something waits for ever");
    });
}

// Batches

/// Counts how often it is written to.
struct Counting<W> {
    inner: W,
    writes: Rc<Cell<usize>>,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Counting<W> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.set(self.writes.get() + 1);
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

/// A client whose side counts its writes.
fn counted(options: ConnectionOptions) -> (DeskClient, Rc<Cell<usize>>) {
    let (one, other) = stream(1 << 20);
    let (theirs, far) = side(other, default());
    streams::run(far);
    context::spawn_local(DeskServer::new(Clerk::default()).serve(theirs));
    let (reader, writer) = one.split();
    let writes = Rc::new(Cell::new(0));
    let (ours, near) = byte_stream::connect(reader, Counting { inner: writer, writes: writes.clone() }, options);
    context::spawn_local(async {
        let _ended = near.await;
    });
    (ours.into(), writes)
}

#[test]
fn calls_that_are_made_in_one_turn_go_out_in_one_write() {
    block_on(async {
        let (desk, writes) = counted(default());
        assert_eq!(desk.add(0, 0).await, Ok(0));
        let before = writes.get();

        let sums = join_all((0..64).map(|number| desk.add(number, 1).into_future())).await;

        assert!(sums.into_iter().zip(1..).all(|(sum, expected)| sum == Ok(expected)));
        assert_eq!(writes.get() - before, 1);
    });
}

#[test]
fn without_batches_each_call_goes_out_by_itself() {
    block_on(async {
        let (desk, writes) = counted(default().batches(false));
        assert_eq!(desk.add(0, 0).await, Ok(0));
        let before = writes.get();

        let sums = join_all((0..64).map(|number| desk.add(number, 1).into_future())).await;

        assert!(sums.into_iter().zip(1..).all(|(sum, expected)| sum == Ok(expected)));
        assert_eq!(writes.get() - before, 64);
    });
}

#[test]
fn what_waits_at_different_ports_goes_out_together() {
    block_on(async {
        let (desk, writes) = counted(default());
        let mut kept = Vec::new();
        for _ in 0..10 {
            let (near, far) = MessageChannel::new().into_ports();
            desk.keep(far).await.unwrap();
            kept.push(near);
        }
        settle().await;
        let before = writes.get();

        kept.iter().for_each(|port| port.post_message("hello").unwrap());
        settle().await;

        assert_eq!(writes.get() - before, 1);
    });
}

#[test]
fn what_is_written_is_flushed() {
    block_on(async {
        let (one, other) = stream(1 << 16);
        let (theirs, far) = side(other, default());
        streams::run(far);
        let (reader, writer) = one.split();
        let (ours, near) = byte_stream::connect(reader, futures::io::BufWriter::new(writer), default());
        context::spawn_local(async {
            let _ended = near.await;
        });
        context::spawn_local(DeskServer::new(Clerk::default()).serve(theirs));

        let sum = settled(DeskClient::from(ours).add(1, 2).into_future()).await;

        assert_eq!(sum, Some(Ok(3)));
    });
}

#[test]
fn a_write_is_bounded_and_the_rest_follows() {
    block_on(async {
        let (desk, writes) = counted(default());
        assert_eq!(desk.add(0, 0).await, Ok(0));
        let before = writes.get();

        let echoes = join_all((0..40).map(|_| desk.echo(vec![7; 10_000]).into_future())).await;

        assert!(echoes.into_iter().all(|echo| echo == Ok(vec![7; 10_000])));
        assert!((6..=9).contains(&(writes.get() - before)), "{} writes of 64 KiB", writes.get() - before);
    });
}

#[test]
fn a_call_waits_for_no_other() {
    block_on(async {
        let ((ours, near), (theirs, far)) = sides(default());
        let (mut near, mut far) = (Box::pin(near), Box::pin(far));
        assert!(join(&mut near, &mut far).now_or_never().is_none());
        assert!(join(&mut near, &mut far).now_or_never().is_none());
        theirs.start();

        ours.post_message("alone").unwrap();
        assert!((&mut near).now_or_never().is_none());
        assert!((&mut far).now_or_never().is_none());

        assert_eq!(theirs.recv().now_or_never().unwrap().unwrap().data(), b"alone");
    });
}

// What it is made of

#[test]
fn a_frame_takes_no_memory_beside_its_message_s_own() {
    const MESSAGES: u64 = 1_000;
    block_on(async {
        let ((ours, near), (theirs, far)) = sides(default());
        let (mut near, mut far) = (Box::pin(near), Box::pin(far));
        ours.start();
        theirs.start();
        let mut pass = |times: u64| {
            for _ in 0..times {
                ours.post_message("there").unwrap();
                theirs.post_message("back").unwrap();
                // The other side may answer what this one has just said.
                for _ in 0..2 {
                    assert!(near.as_mut().now_or_never().is_none());
                    assert!(far.as_mut().now_or_never().is_none());
                }
                assert!(theirs.recv().now_or_never().unwrap().is_ok());
                assert!(ours.recv().now_or_never().unwrap().is_ok());
            }
        };
        pass(MESSAGES);

        let asked = measure(|| pass(MESSAGES)).count_total;

        // Two messages, each of which is made at one side and made again at the other; the stream in memory asks for some itself.
        let own = 4 * MESSAGES;
        assert!((own..own + MESSAGES / 20).contains(&asked), "{asked} times for {own} messages");
    });
}

#[test]
fn calls_and_their_answers_are_made_in_buffers_that_others_have_left() {
    const CALLS: u32 = 500;
    block_on(async {
        let ((ours, near), (theirs, far)) = sides(default());
        let (desk, serving) = (DeskClient::from(ours), DeskServer::new(Clerk::default()).serve(theirs));
        let mut others = Box::pin(join3(near, far, serving));
        let mut pass = |times: u32| {
            for number in 0..times {
                let mut call = desk.add(number, 1);
                let sum = loop {
                    if let Some(sum) = (&mut call).now_or_never() {
                        break sum;
                    }
                    assert!((&mut others).now_or_never().is_none());
                };
                assert_eq!(sum, Ok(number + 1));
            }
        };
        pass(CALLS);

        let asked = measure(|| pass(CALLS)).count_total;

        // Not for the four messages: for the box that a call lies in which came as bytes, and, where stalls are looked for, for its cell. The stream in
        // memory asks for some itself.
        let most = 2 * u64::from(CALLS);
        assert!(asked < most + most / 20, "{asked} times for {CALLS} calls");
    });
}

#[cfg(all(unix, feature = "tokio"))]
#[test]
fn calls_run_over_a_socket_of_tokio_s() {
    use tokio_util::compat::{TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (here, there) = tokio::net::UnixStream::pair().unwrap();
        let connect = |socket: tokio::net::UnixStream| {
            let (reader, writer) = socket.into_split();
            byte_stream::connect(reader.compat(), writer.compat_write(), default())
        };
        let ((ours, near), (theirs, far)) = (connect(here), connect(there));
        let ends = [tokio::spawn(near), tokio::spawn(far)];
        let (desk, serving) = (DeskClient::from(ours), DeskServer::new(Clerk::default()).serve(theirs));
        let calling = async move {
            let sums = join_all((0..64).map(|number| desk.add(number, 1).into_future())).await;
            assert!(sums.into_iter().zip(1..).all(|(sum, expected)| sum == Ok(expected)));
            assert_eq!(desk.many(3_000_000).await.unwrap().len(), 3_000_000);
        };

        join(calling, serving).await;

        for end in ends {
            assert_eq!(end.await.unwrap(), Ok(()));
        }
    });
}

#[test]
fn a_connection_may_run_on_another_thread_than_its_ports() {
    fn is_send<T: Send>(_: &T) {}
    let ((ours, near), (theirs, far)) = sides(default());
    is_send(&near);
    let threads = [near, far].map(|side| std::thread::spawn(|| context::block_on(side)));
    let serving = std::thread::spawn(|| context::block_on(DeskServer::new(Clerk::default()).serve(theirs)));
    let desk = DeskClient::from(ours);

    for round in 0..100 {
        let sums = context::block_on(join_all((0..64).map(|number| desk.add(number, round).into_future())));
        assert!(sums.into_iter().zip(round..).all(|(sum, expected)| sum == Ok(expected)));
    }
    drop(desk);

    serving.join().unwrap();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Ok(()));
    }
}

#[test]
fn a_connection_that_has_ended_goes_on_saying_how() {
    block_on(async {
        let (one, other) = stream(1024);
        drop(other);
        let (_ours, mut near) = side(one, default());

        let first = (&mut near).await;

        assert!(first.is_err());
        assert_eq!((&mut near).await, first);
    });
}

#[test]
fn what_is_taken_is_what_the_documentation_says() {
    let Limits { message, ports, buffers, channels, window, waiting, .. } = Limits::default();

    assert_eq!((message, ports, buffers), (16 << 20, 256, 256));
    assert_eq!((channels, window, waiting), (4096, 1 << 20, 64 << 20));
}
