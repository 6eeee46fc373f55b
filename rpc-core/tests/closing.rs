//! Closing a port, dropping one, and what the other end learns of it.

mod common;

use std::{
    sync::{Arc, mpsc},
    task::{Wake, Waker},
    thread,
};

use common::{
    Wakes, channel, closed_by, holding, poll, post, recv_now, started_channel, take, take_port, take_texts, transferred,
};
use handover_core::{Closed, ClosedBy, Message, MessageChannel, MessagePort};

/// PORT-12, CLOSE-01
#[test]
fn the_other_end_learns_of_a_close() {
    let (ours, theirs) = channel();
    assert_eq!(closed_by(&theirs), None);

    ours.close();

    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

/// PORT-12, CLOSE-02
#[test]
fn the_end_that_closes_is_not_told_that_its_peer_has_gone() {
    let (ours, theirs) = channel();

    ours.close();
    theirs.close();

    assert_eq!(closed_by(&ours), Some(ClosedBy::ThisEnd));
}

/// CLOSE-02
#[test]
fn the_end_that_closes_is_not_told_of_its_peers_later_drop() {
    let (ours, theirs) = channel();

    ours.close();
    drop(theirs);

    assert_eq!(closed_by(&ours), Some(ClosedBy::ThisEnd));
}

/// PORT-13, CLOSE-03, GC-04, DEC-07
#[test]
fn the_other_end_learns_of_a_drop() {
    let (ours, theirs) = channel();

    drop(ours);

    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

/// PORT-13, CLOSE-03
#[test]
fn the_other_end_learns_of_the_end_of_a_thread_that_held_the_port() {
    let (ours, theirs) = channel();
    let (hand_over, handed_over) = mpsc::channel();
    let thread = thread::spawn(move || {
        let _held = handed_over.recv();
    });

    hand_over.send(ours).unwrap();
    thread.join().unwrap();

    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

/// CLOSE-03, GC-04
#[test]
fn the_other_end_learns_of_a_port_that_is_dropped_with_its_channel() {
    let (kept, sent) = channel();
    let channel = MessageChannel::new();
    channel.port1().post_message(holding(sent)).unwrap();

    drop(channel);

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// PORT-40
#[test]
fn closing_leaves_what_waits_at_both_ends() {
    let (ours, theirs) = started_channel();
    post(&ours, ["to them"]);
    post(&theirs, ["to us"]);

    ours.close();

    assert_eq!(take_texts(&theirs), ["to them"]);
    assert_eq!(take_texts(&ours), ["to us"]);
}

/// PORT-40
#[test]
fn closing_closes_both_ends() {
    let (ours, theirs) = channel();

    ours.close();

    assert!(ours.is_closed());
    assert!(theirs.is_closed());
}

/// PORT-41
#[test]
fn closing_twice_is_closing_once() {
    let (ours, theirs) = started_channel();
    post(&theirs, ["waits"]);
    ours.close();

    ours.close();

    assert_eq!(take_texts(&ours), ["waits"]);
    assert_eq!(closed_by(&ours), Some(ClosedBy::ThisEnd));
    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

/// PORT-41
#[test]
fn closing_both_ends_is_harmless() {
    let (ours, theirs) = channel();

    ours.close();
    theirs.close();
    ours.close();

    assert_eq!(closed_by(&theirs), Some(ClosedBy::ThisEnd));
}

/// PORT-42
#[test]
fn everything_posted_before_a_close_arrives() {
    let (ours, theirs) = started_channel();
    post(&ours, ["1", "2", "3"]);

    ours.close();

    assert_eq!(take_texts(&theirs), ["1", "2", "3"]);
    assert_eq!(recv_now(&theirs).unwrap().unwrap_err(), Closed);
}

/// PORT-42, PORT-55
#[test]
fn a_port_posted_before_a_close_arrives_and_works() {
    let (ours, theirs) = started_channel();
    let (kept, sent) = started_channel();
    ours.post_message(holding(sent)).unwrap();

    drop(ours);

    let received = take_port(&theirs);
    received.post_message("1").unwrap();
    assert_eq!(take_texts(&kept), ["1"]);
}

/// PORT-43, DEC-03
#[test]
fn a_port_that_closes_itself_after_the_first_message_still_gets_the_second() {
    let (ours, theirs) = started_channel();
    post(&theirs, ["1", "2"]);
    assert_eq!(take(&ours).data(), b"1");

    ours.close();

    assert_eq!(take(&ours).data(), b"2");
    assert_eq!(recv_now(&ours).unwrap().unwrap_err(), Closed);
}

/// PORT-43, DEC-03
#[test]
fn what_waits_at_a_port_that_closes_itself_is_delivered_if_the_port_is_started_afterwards() {
    let (ours, theirs) = channel();
    post(&theirs, ["1"]);
    ours.close();
    assert!(recv_now(&ours).is_none(), "delivered before the start, or reported as closed");

    ours.start();

    assert_eq!(take_texts(&ours), ["1"]);
    assert_eq!(recv_now(&ours).unwrap().unwrap_err(), Closed);
}

/// PORT-44
#[test]
fn a_closed_port_cannot_be_transferred() {
    let (carrier, _far) = channel();
    let (ours, _theirs) = channel();
    ours.close();

    let error = carrier.post_message(holding(ours)).unwrap_err();

    assert_eq!(*error.reason(), handover_core::port::DataCloneReason::DetachedPort(0));
}

/// PORT-44
#[test]
fn the_former_peer_of_a_closed_port_can_be_transferred_with_what_waits_there() {
    let (ours, theirs) = channel();
    post(&ours, ["1"]);
    ours.close();

    let theirs = transferred(theirs);

    theirs.start();
    assert_eq!(take_texts(&theirs), ["1"]);
    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

/// PORT-45
#[test]
fn nothing_that_is_posted_to_a_closed_port_arrives() {
    let (ours, theirs) = started_channel();
    ours.close();

    post(&theirs, ["1"]);

    assert_eq!(recv_now(&ours).unwrap().unwrap_err(), Closed);
}

/// PORT-45
#[test]
fn nothing_arrives_at_a_closed_port_from_a_peer_that_was_transferred_after_the_close() {
    let (ours, theirs) = started_channel();
    ours.close();

    let theirs = transferred(theirs);
    post(&theirs, ["1"]);

    assert_eq!(recv_now(&ours).unwrap().unwrap_err(), Closed);
}

/// PORT-45
#[test]
fn nothing_arrives_at_a_closed_port_that_is_started_after_the_close() {
    let (ours, theirs) = channel();
    post(&theirs, ["before"]);
    ours.close();

    post(&theirs, ["after"]);

    ours.start();
    assert_eq!(take_texts(&ours), ["before"]);
}

/// PORT-46
#[test]
fn nothing_that_a_closed_port_posts_arrives() {
    let (ours, theirs) = started_channel();
    post(&ours, ["before"]);
    ours.close();

    post(&ours, ["after"]);

    assert_eq!(take_texts(&theirs), ["before"]);
    assert_eq!(recv_now(&theirs).unwrap().unwrap_err(), Closed);
}

/// Posts on a port whenever it is woken, as a task does that its executor runs at once.
struct PostsWhenWoken(Arc<MessagePort>);

impl Wake for PostsWhenWoken {
    fn wake(self: Arc<Self>) {
        post(&self.0, ["after"]);
    }
}

/// PORT-46
#[test]
fn nothing_arrives_from_a_task_that_the_close_of_its_port_wakes() {
    let (ours, theirs) = started_channel();
    let ours = Arc::new(ours);
    let waker = Waker::from(Arc::new(PostsWhenWoken(ours.clone())));
    let mut waiting = ours.closed();
    assert!(poll(&mut waiting, &waker).is_pending());

    ours.close();

    assert_eq!(recv_now(&theirs).unwrap().unwrap_err(), Closed);
}

/// PORT-45
#[test]
fn nothing_arrives_from_a_task_that_the_close_of_its_peer_wakes() {
    let (ours, theirs) = started_channel();
    let theirs = Arc::new(theirs);
    let waker = Waker::from(Arc::new(PostsWhenWoken(theirs.clone())));
    let mut waiting = theirs.closed();
    assert!(poll(&mut waiting, &waker).is_pending());

    ours.close();

    assert_eq!(recv_now(&ours).unwrap().unwrap_err(), Closed);
}

/// CLOSE-05, PORT-62, DEC-04
#[test]
fn a_close_during_the_journey_is_learnt_where_the_port_arrives() {
    let (near, far) = started_channel();
    let (ours, theirs) = channel();
    near.post_message(holding(theirs)).unwrap();

    ours.close();

    assert_eq!(closed_by(&take_port(&far)), Some(ClosedBy::Peer));
}

/// CLOSE-05
#[test]
fn a_close_before_the_journey_is_learnt_where_the_port_arrives() {
    let (ours, theirs) = channel();
    drop(ours);

    let theirs = transferred(theirs);

    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

/// CLOSE-07, CLOSE-05, PORT-62
#[test]
fn a_close_during_the_journey_is_learnt_after_the_messages_that_travelled_along() {
    let (near, far) = started_channel();
    let (ours, theirs) = channel();
    post(&ours, ["before"]);
    near.post_message(holding(theirs)).unwrap();
    post(&ours, ["during"]);
    ours.close();

    let theirs = take_port(&far);
    theirs.start();

    assert_eq!(closed_by(&theirs), None, "told before the data");
    assert_eq!(take_texts(&theirs), ["before", "during"]);
    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

/// CLOSE-06
#[test]
fn closing_only_wakes_whoever_waits_for_the_end() {
    let (ours, theirs) = channel();
    let (wakes, waker) = Wakes::new();
    let mut waiting = theirs.closed();
    assert!(poll(&mut waiting, &waker).is_pending());

    ours.close();

    assert_eq!(wakes.count(), 1);
    assert!(poll(&mut waiting, &waker).is_ready(), "the news waits for its turn");
}

/// CLOSE-07, DEC-04
#[test]
fn the_end_is_learnt_after_every_message_posted_before_it() {
    let (ours, theirs) = started_channel();
    post(&ours, ["1", "2"]);
    ours.close();

    assert_eq!(closed_by(&theirs), None);
    assert_eq!(take(&theirs).data(), b"1");
    assert_eq!(closed_by(&theirs), None);
    assert_eq!(take(&theirs).data(), b"2");
    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

/// CLOSE-08
#[test]
fn the_end_is_learnt_at_a_port_that_was_never_started_with_messages_in_it() {
    let (ours, theirs) = channel();
    post(&ours, ["1"]);

    ours.close();

    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

/// CLOSE-08
#[test]
fn waiting_for_the_end_does_not_start_the_port() {
    let (ours, theirs) = channel();
    post(&ours, ["1"]);

    assert_eq!(closed_by(&theirs), None);

    assert!(recv_now(&theirs).is_none(), "delivered without a start");
}

/// GC-06
#[test]
fn a_closed_channel_keeps_nothing_that_is_posted_while_its_ends_are_still_held() {
    let (ours, theirs) = channel();
    let (kept, sent) = channel();
    theirs.close();

    ours.post_message(holding(sent)).unwrap();

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer), "dropped at once");
    drop((ours, theirs));
}

/// GC-04
#[test]
fn dropping_a_closed_port_drops_what_waited_there() {
    let (ours, theirs) = channel();
    let (kept, sent) = channel();
    theirs.post_message(holding(sent)).unwrap();
    ours.close();
    assert_eq!(closed_by(&kept), None, "it may still be received");

    drop(ours);

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// DEC-07, PORT-59
#[test]
fn dropping_a_message_that_was_never_posted_closes_its_ports() {
    let (kept, sent) = channel();

    drop(Message::new("data").with_port(sent));

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}
