use std::{
    cell::RefCell,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};

use super::*;
use crate::Bound;

/// Counts what it is told.
#[derive(Default)]
struct Counter {
    delivered: AtomicUsize,
    closed: AtomicUsize,
}

impl Counter {
    fn counts(&self) -> (usize, usize) {
        (self.delivered.load(Ordering::Relaxed), self.closed.load(Ordering::Relaxed))
    }
}

impl MessageTarget for Counter {
    fn deliver(&self, _: Parcel) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    fn closed(&self, _: Gone) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }
}

fn with_target() -> (MessagePort, MessagePort, Arc<Counter>) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    let counter = Arc::new(Counter::default());
    ours.set_target(counter.clone());
    (ours, theirs, counter)
}

/// DEC-08
#[test]
fn a_reply_that_holds_the_port_it_is_posted_to_is_lost_like_any_message() {
    let (ours, theirs) = MessageChannel::new().into_ports();

    let posted = ours.post(Parcel::Message(Message::default().with_port(theirs)));

    assert!(posted.is_ok());
    assert_eq!(ours.closed().now_or_never(), Some(ClosedBy::Peer));
}

/// PORT-61
#[test]
fn a_target_does_not_travel_and_learns_that_nothing_more_comes() {
    let (mut ours, theirs, counter) = with_target();

    ours.transfer_steps();
    theirs.post_message("1").unwrap();

    assert_eq!(counter.counts(), (0, 1));
    ours.transfer_receiving_steps();
    ours.start();
    assert_eq!(ours.recv().now_or_never().unwrap().unwrap().data(), b"1");
}

#[test]
fn whoever_waits_for_room_is_woken_when_a_target_takes_what_waited() {
    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.set_bound(Bound { messages: 1, ..Bound::NONE });
    theirs.post_message("waits").unwrap();
    // It polls only what was woken.
    let mut waiting = FuturesUnordered::from_iter([theirs.ready()]);
    assert!(waiting.next().now_or_never().is_none());

    ours.set_target(Arc::new(Counter::default()));

    assert_eq!(waiting.next().now_or_never(), Some(Some(())));
}

thread_local! {
    /// How the channel had ended when a target was made later, and the target.
    static MADE: RefCell<Vec<(Option<Gone>, Arc<Counter>)>> = const { RefCell::new(Vec::new()) };
}

fn make_later(_times_shipped: u32, gone: Option<Gone>) -> Arc<dyn MessageTarget> {
    let counter = Arc::new(Counter::default());
    MADE.with_borrow_mut(|made| made.push((gone, counter.clone())));
    counter
}

/// How many were made, and what the last was told.
fn made_later() -> (usize, Option<Gone>, (usize, usize)) {
    MADE.with_borrow(|made| {
        let last = made.last();
        (made.len(), last.and_then(|last| last.0), last.map(|last| last.1.counts()).unwrap_or_default())
    })
}

#[test]
fn a_target_that_is_left_for_later_is_made_once_for_the_first_that_comes() {
    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.set_target_later(make_later);
    assert!(ours.has_no_target_yet() && ours.own_target(false).is_none());
    assert_eq!(made_later().0, 0);

    theirs.post_message("1").unwrap();
    theirs.post_message("2").unwrap();

    assert_eq!(made_later(), (1, None, (2, 0)));
    assert!(!ours.has_no_target_yet() && ours.own_target(false).is_some());
    drop(theirs);
    assert_eq!(made_later(), (1, None, (2, 1)));
}

#[test]
fn a_target_that_is_left_for_later_is_made_for_whoever_asks_and_knows_how_the_channel_has_ended() {
    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.set_target_later(make_later);
    theirs.close_as(Gone::Panicked);
    assert_eq!(made_later().0, 0);

    assert!(ours.own_target(true).is_some());

    assert_eq!(made_later(), (1, Some(Gone::Panicked), (0, 0)));
}

#[test]
fn a_target_for_later_is_made_at_once_where_something_waits_and_never_where_the_port_goes() {
    let (ours, theirs) = MessageChannel::new().into_ports();
    theirs.post_message("waits").unwrap();
    ours.set_target_later(make_later);
    assert_eq!(made_later(), (1, None, (1, 0)));

    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.set_target_later(make_later);
    ours.remove_delivery();
    theirs.post_message("queues up").unwrap();
    drop((theirs, ours));
    assert_eq!(made_later().0, 1);
}

/// CLOSE-03, GC-03
#[test]
fn the_last_end_of_a_channel_tells_its_target_and_drops_what_waits() {
    let (held, watched) = MessageChannel::new().into_ports();
    let (ours, theirs, counter) = with_target();
    drop(theirs);
    assert_eq!(counter.counts(), (0, 1));
    drop(ours);
    assert_eq!(counter.counts(), (0, 2));

    let (ours, theirs) = MessageChannel::new().into_ports();
    theirs.post_message(Message::default().with_port(held)).unwrap();
    drop(theirs);
    assert_eq!(watched.closed().now_or_never(), None);
    drop(ours);
    assert_eq!(watched.closed().now_or_never(), Some(ClosedBy::Peer));
}

#[test]
fn a_target_gets_what_waited_and_what_comes() {
    let (ours, theirs) = MessageChannel::new().into_ports();
    theirs.post_message("waits").unwrap();
    let counter = Arc::new(Counter::default());

    ours.set_target(counter.clone());
    theirs.post_message("comes").unwrap();

    assert_eq!(counter.counts(), (2, 0));
}

/// CLOSE-03
#[test]
fn a_target_learns_of_the_end_whoever_causes_it() {
    let causes: [fn(&MessagePort, &mut Option<MessagePort>); 3] =
        [|ours, _| ours.close(), |_, theirs| theirs.as_ref().unwrap().close(), |_, theirs| drop(theirs.take())];
    for cause in causes {
        let (ours, theirs, counter) = with_target();
        let mut theirs = Some(theirs);

        cause(&ours, &mut theirs);

        assert_eq!(counter.counts(), (0, 1));
    }
}

/// CLOSE-03
#[test]
fn a_port_whose_input_was_ended_for_it_tells_the_other_end_that_it_is_closed() {
    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.control().end_input();
    assert_eq!(theirs.closed().now_or_never(), None);

    drop(ours);

    assert_eq!(theirs.closed().now_or_never(), Some(ClosedBy::Peer));
}

/// PORT-04
#[test]
fn a_transfer_marks_a_port_and_its_peer_for_good() {
    let (mut ours, theirs) = MessageChannel::new().into_ports();
    assert!(!theirs.channel.has_been_shipped());

    ours.transfer_steps();
    ours.transfer_receiving_steps();

    assert!(ours.channel.has_been_shipped());
    assert!(theirs.channel.has_been_shipped());
}
