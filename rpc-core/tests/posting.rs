//! Posting: where a message goes, what it takes along, and what is refused.

mod common;

use std::{
    ptr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use common::{
    channel, closed_by, closed_port, holding, post, recv_now, started_channel, take, take_port, take_texts, transferred,
};
use futures::{
    executor::{LocalPool, block_on},
    task::LocalSpawnExt,
};
use handover_core::{Closed, ClosedBy, Message, MessageChannel, MessagePort};

/// PORT-01
#[test]
fn a_new_port_has_no_messages_and_is_not_closed() {
    let (port, _peer) = channel();

    port.start();

    assert!(recv_now(&port).is_none());
    assert!(!port.is_closed());
}

/// PORT-01
#[test]
fn a_new_port_is_not_started() {
    let (port, peer) = channel();

    post(&peer, ["1"]);

    assert!(recv_now(&port).is_none(), "delivered before the start");
}

/// PORT-01, PORT-04
#[test]
fn a_new_port_has_never_travelled() {
    let (port, _peer) = channel();

    assert!(format!("{port:?}").contains("has_been_shipped: false"), "{port:?}");
}

/// PORT-02
#[test]
fn what_one_port_posts_arrives_at_the_other_and_only_there() {
    let (ours, theirs) = started_channel();

    post(&ours, ["from us"]);
    post(&theirs, ["from them"]);

    assert_eq!(take_texts(&theirs), ["from us"]);
    assert_eq!(take_texts(&ours), ["from them"]);
}

/// PORT-11
#[test]
fn the_ports_of_a_new_channel_are_entangled_before_anything_else_happens() {
    let (ours, theirs) = channel();

    post(&ours, ["1"]);
    drop(ours);

    theirs.start();
    assert_eq!(take_texts(&theirs), ["1"]);
}

/// PORT-05
#[test]
fn a_channel_gives_the_same_two_ports_every_time() {
    let channel = MessageChannel::new();

    let (port1, port2) = (channel.port1(), channel.port2());
    port1.close();

    assert!(ptr::eq(port1, channel.port1()));
    assert!(ptr::eq(port2, channel.port2()));
    assert!(!ptr::eq(port1, port2));
}

/// PORT-07
#[test]
fn a_queue_takes_a_hundred_thousand_messages_and_refuses_none() {
    let (ours, theirs) = channel();

    for number in 0..100_000_u32 {
        ours.post_message(&number.to_le_bytes()).unwrap();
    }

    theirs.start();
    for number in 0..100_000_u32 {
        assert_eq!(take(&theirs).data(), number.to_le_bytes());
    }
    assert!(recv_now(&theirs).is_none());
}

/// Becomes a message, and does something on the way.
struct Converting<F>(F);

impl<F: FnOnce()> From<Converting<F>> for Message {
    fn from(value: Converting<F>) -> Self {
        (value.0)();
        Self::new("converted")
    }
}

/// PORT-21
#[test]
fn a_message_reaches_a_destination_that_moved_while_the_message_was_made() {
    let (ours, theirs) = channel();
    let mut theirs = Some(theirs);
    let mut moved = None;

    ours.post_message(Converting(|| moved = theirs.take().map(transferred))).unwrap();

    let moved = moved.unwrap();
    moved.start();
    assert_eq!(take_texts(&moved), ["converted"]);
}

/// PORT-22
#[test]
fn a_list_with_a_closed_port_is_refused_although_it_holds_the_destination_too() {
    let (ours, theirs) = started_channel();

    let error = ours.post_message(Message::default().with_ports([theirs, closed_port()])).unwrap_err();

    assert_eq!(*error.reason(), handover_core::port::DataCloneReason::DetachedPort(1));
    let ports = error.into_rejected().into_parts().ports;
    post(&ours, ["still connected"]);
    assert_eq!(take_texts(&ports[0]), ["still connected"]);
}

/// PORT-22, PORT-23
#[test]
fn without_a_destination_a_closed_port_in_the_list_is_still_refused() {
    let (ours, theirs) = channel();
    drop(theirs);

    let error = ours.post_message(holding(closed_port())).unwrap_err();

    assert_eq!(*error.reason(), handover_core::port::DataCloneReason::DetachedPort(0));
}

/// PORT-23
#[test]
fn posting_to_a_closed_peer_succeeds_and_loses_the_ports_in_the_message() {
    let (ours, theirs) = channel();
    let (kept, sent) = channel();
    theirs.close();

    ours.post_message(holding(sent)).unwrap();

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// PORT-23
#[test]
fn posting_to_a_dropped_peer_succeeds_and_loses_the_ports_in_the_message() {
    let (ours, theirs) = channel();
    let (kept, sent) = channel();
    drop(theirs);

    ours.post_message(holding(sent)).unwrap();

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// PORT-23, PORT-46
#[test]
fn posting_on_a_closed_port_succeeds_and_loses_the_ports_in_the_message() {
    let (ours, theirs) = started_channel();
    let (kept, sent) = channel();
    ours.close();

    ours.post_message(holding(sent)).unwrap();

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
    assert_eq!(recv_now(&theirs).unwrap().unwrap_err(), Closed);
}

/// PORT-29
#[test]
fn the_receiver_gets_every_listed_port_in_list_order() {
    let (ours, theirs) = started_channel();
    let (kept, sent): (Vec<MessagePort>, Vec<MessagePort>) = (0..4).map(|_| channel()).unzip();

    ours.post_message(Message::default().with_ports(sent)).unwrap();

    let handover_core::message::Parts { data, ports, .. } = take(&theirs).into_parts();
    assert_eq!(data, b"");
    assert_eq!(ports.len(), 4);
    for (index, (kept, received)) in kept.iter().zip(&ports).enumerate() {
        kept.post_message(&[u8::try_from(index).unwrap()]).unwrap();
        received.start();
        assert_eq!(usize::from(take(received).data()[0]), index);
    }
}

/// PORT-31
#[test]
fn a_refused_message_comes_back_with_its_bytes_and_with_ports_that_still_work() {
    let (ours, _theirs) = channel();
    let (kept, sent) = started_channel();
    post(&kept, ["before"]);

    let message = Message::new("data").with_ports([sent, closed_port()]);
    let error = ours.post_message(message).unwrap_err();

    let handover_core::message::Parts { data, ports, .. } = error.into_rejected().into_parts();
    assert_eq!(data, b"data");
    assert_eq!(take_texts(&ports[0]), ["before"], "it is started as before, so it was not moved");
    post(&ports[0], ["after"]);
    assert_eq!(take_texts(&kept), ["after"]);
}

/// PORT-31, DEC-07
#[test]
fn a_refused_message_that_is_dropped_closes_its_ports() {
    let (ours, _theirs) = channel();
    let (kept, sent) = channel();

    let error = ours.post_message(Message::default().with_ports([sent, closed_port()])).unwrap_err();
    drop(error);

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// PORT-31
#[test]
fn a_refused_message_leaves_the_channel_it_was_posted_on_as_it_was() {
    let (ours, theirs) = started_channel();
    post(&ours, ["before"]);

    ours.post_message(holding(closed_port())).unwrap_err();
    post(&ours, ["after"]);

    assert_eq!(take_texts(&theirs), ["before", "after"]);
}

/// LOOP-03
#[test]
fn a_message_is_there_for_the_receiver_when_posting_returns() {
    let (ours, theirs) = started_channel();

    ours.post_message("1").unwrap();

    assert_eq!(take(&theirs).data(), b"1");
}

/// LOOP-03
#[test]
fn a_message_arrives_although_its_sender_blocks_for_ever_after_posting() {
    let (ours, theirs) = started_channel();
    let (_end_of_test, for_ever) = mpsc::channel::<()>();

    let sender = thread::spawn(move || {
        ours.post_message("1").unwrap();
        let _ended = for_ever.recv();
    });

    assert_eq!(block_on(theirs.recv()).unwrap().data(), b"1");
    assert!(!sender.is_finished(), "the sender was to be blocked");
}

/// LOOP-02
#[test]
fn a_receiver_does_not_run_while_somebody_posts_starts_or_closes() {
    let (ours, theirs) = channel();
    let ours_now = Arc::new(ours);
    let ran = Arc::new(AtomicBool::new(false));
    let mut pool = LocalPool::new();
    let receiver = {
        let (ours, ran) = (ours_now.clone(), ran.clone());
        async move {
            while ours.recv().await.is_ok() {}
            ran.store(true, Ordering::Relaxed);
        }
    };
    pool.spawner().spawn_local(receiver).unwrap();
    pool.run_until_stalled();

    theirs.post_message("1").unwrap();
    ours_now.start();
    theirs.close();

    assert!(!ran.load(Ordering::Relaxed), "it ran inside of a call");
    pool.run_until_stalled();
    assert!(ran.load(Ordering::Relaxed), "it did not run at all");
}

/// LOOP-04
#[test]
fn whoever_learns_on_one_port_of_a_message_on_another_finds_it_there() {
    let (data_in, data_out) = started_channel();
    let (news_in, news_out) = started_channel();

    let sender = thread::spawn(move || {
        for number in 0..1_000_u32 {
            data_in.post_message(&number.to_le_bytes()).unwrap();
            news_in.post_message(&number.to_le_bytes()).unwrap();
        }
    });

    for _ in 0..1_000 {
        let news = block_on(news_out.recv()).unwrap();
        assert_eq!(take(&data_out).data(), news.data(), "posted before the news");
    }
    sender.join().unwrap();
}

/// LOOP-06
#[test]
fn a_message_that_was_received_is_not_there_a_second_time() {
    let (ours, theirs) = started_channel();
    post(&ours, ["1"]);
    let theirs_moved = transferred({
        assert_eq!(take(&theirs).data(), b"1");
        theirs
    });

    theirs_moved.start();

    assert!(recv_now(&theirs_moved).is_none());
}

/// PORT-59
#[test]
fn a_message_that_is_received_and_dropped_closes_its_ports() {
    let (ours, theirs) = started_channel();
    let (kept, sent) = channel();
    ours.post_message(holding(sent)).unwrap();

    drop(take(&theirs));

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// PORT-30
#[test]
fn a_port_arrives_as_a_new_one_that_is_connected_to_the_same_peer() {
    let (ours, theirs) = started_channel();
    let (kept, sent) = started_channel();
    ours.post_message(holding(sent)).unwrap();

    let received = take_port(&theirs);

    post(&kept, ["1"]);
    assert!(recv_now(&received).is_none(), "the port sent was started, the one that came is not");
    received.start();
    assert_eq!(take_texts(&received), ["1"]);
}
