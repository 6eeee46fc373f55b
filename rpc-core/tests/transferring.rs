//! Transferring a port: what travels, what stays, and how the two ends find each other again.

mod common;

use std::collections::VecDeque;

use common::{
    Wakes, channel, closed_by, closed_port, holding, post, recv_now, started_channel, take, take_port, take_texts,
    transferred,
};
use futures::{Stream, task::Context};
use handover_core::{ClosedBy, Message, MessagePort};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// PORT-04
#[test]
fn travelling_marks_the_port_that_arrives() {
    let (_ours, theirs) = channel();

    let theirs = transferred(theirs);

    assert!(format!("{theirs:?}").contains("has_been_shipped: true"), "{theirs:?}");
}

/// PORT-04
#[test]
fn travelling_marks_the_peer_that_stays() {
    let (ours, theirs) = channel();

    let _theirs = transferred(theirs);

    assert!(format!("{ours:?}").contains("has_been_shipped: true"), "{ours:?}");
}

/// PORT-04
#[test]
fn a_message_does_not_mark_the_port_that_it_is_posted_on() {
    let (near, _far) = channel();
    let (_ours, theirs) = channel();

    near.post_message(holding(theirs)).unwrap();

    assert!(format!("{near:?}").contains("has_been_shipped: false"), "{near:?}");
}

/// PORT-24, DEC-08
#[test]
fn a_post_that_lists_its_own_destination_succeeds_and_closes_the_channel() {
    let (ours, theirs) = channel();

    ours.post_message(holding(theirs)).unwrap();

    assert_eq!(closed_by(&ours), Some(ClosedBy::Peer));
}

/// PORT-24
#[test]
fn a_post_that_lists_its_own_destination_loses_all_that_it_carried() {
    let (ours, theirs) = channel();
    let (kept_before, before) = channel();
    let (kept_after, after) = channel();

    ours.post_message(Message::default().with_ports([before, theirs, after])).unwrap();

    assert_eq!(closed_by(&kept_before), Some(ClosedBy::Peer));
    assert_eq!(closed_by(&kept_after), Some(ClosedBy::Peer));
}

/// PORT-24
#[test]
fn a_post_that_lists_its_own_destination_loses_what_waited_there() {
    let (ours, theirs) = channel();
    let (kept, waiting) = channel();
    ours.post_message(holding(waiting)).unwrap();

    ours.post_message(holding(theirs)).unwrap();

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// PORT-50
#[test]
fn a_transfer_takes_the_whole_queue_along() {
    let (ours, theirs) = channel();
    let (kept, sent) = channel();
    post(&ours, ["1"]);
    ours.post_message(holding(sent)).unwrap();

    let theirs = transferred(theirs);

    theirs.start();
    assert_eq!(take_texts(&theirs), ["1", ""]);
    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer), "the queue came with the port in it, now dropped");
}

/// PORT-50
#[test]
fn a_transferred_port_stays_tied_to_its_peer_in_both_directions() {
    let (ours, theirs) = started_channel();

    let theirs = transferred(theirs);
    theirs.start();
    post(&ours, ["to them"]);
    post(&theirs, ["to us"]);

    assert_eq!(take_texts(&theirs), ["to them"]);
    assert_eq!(take_texts(&ours), ["to us"]);
}

/// PORT-52
#[test]
fn what_the_peer_posts_during_the_journey_joins_the_travelling_queue() {
    let (near, far) = started_channel();
    let (ours, theirs) = channel();
    post(&ours, ["before"]);
    near.post_message(holding(theirs)).unwrap();

    post(&ours, ["during"]);

    let theirs = take_port(&far);
    theirs.start();
    assert_eq!(take_texts(&theirs), ["before", "during"]);
}

/// PORT-53
#[test]
fn a_port_that_is_moved_while_handling_the_first_message_gets_the_rest_at_its_new_place() {
    let (ours, theirs) = started_channel();
    post(&ours, ["1", "2", "3"]);
    assert_eq!(take(&theirs).data(), b"1");

    let theirs = transferred(theirs);

    theirs.start();
    assert_eq!(take_texts(&theirs), ["2", "3"]);
}

/// PORT-53
#[test]
fn a_port_in_flight_delivers_nothing_although_it_was_started() {
    let (near, far) = started_channel();
    let (ours, theirs) = started_channel();
    let (wakes, waker) = Wakes::new();
    let theirs = polled_by(theirs, &mut Context::from_waker(&waker));
    near.post_message(holding(theirs)).unwrap();
    let woken_by_the_transfer = wakes.count();

    post(&ours, ["1"]);

    assert_eq!(wakes.count(), woken_by_the_transfer, "the old place was told of a message");
    let theirs = take_port(&far);
    theirs.start();
    assert_eq!(take_texts(&theirs), ["1"]);
}

/// A port that a task has read as a stream, and found empty.
fn polled_by(mut port: MessagePort, cx: &mut Context<'_>) -> MessagePort {
    assert!(std::pin::Pin::new(&mut port).poll_next(cx).is_pending());
    port
}

/// PORT-61
#[test]
fn a_task_that_waits_at_a_port_is_woken_when_the_port_leaves_and_never_again() {
    let (ours, theirs) = started_channel();
    let (wakes, waker) = Wakes::new();
    let theirs = polled_by(theirs, &mut Context::from_waker(&waker));

    let theirs = transferred(theirs);
    assert_eq!(wakes.count(), 1, "when the port left");
    theirs.start();
    post(&ours, ["1"]);

    assert_eq!(wakes.count(), 1, "for a message at the new place");
    assert_eq!(take_texts(&theirs), ["1"]);
}

/// PORT-54
#[test]
fn a_port_arrives_not_started_although_it_was_started_before() {
    let (ours, theirs) = started_channel();
    post(&ours, ["1"]);

    let theirs = transferred(theirs);

    assert!(recv_now(&theirs).is_none(), "delivered before the start");
    theirs.start();
    assert_eq!(take_texts(&theirs), ["1"]);
}

/// PORT-54
#[test]
fn a_port_that_arrived_can_be_posted_on_before_it_is_started() {
    let (ours, theirs) = started_channel();

    let theirs = transferred(theirs);
    post(&theirs, ["1"]);

    assert_eq!(take_texts(&ours), ["1"]);
}

/// PORT-55
#[test]
fn messages_posted_before_during_and_after_a_transfer_arrive_in_that_order() {
    let (near, far) = started_channel();
    let (ours, theirs) = channel();
    post(&ours, ["1", "2"]);
    near.post_message(holding(theirs)).unwrap();
    post(&ours, ["3", "4"]);
    let theirs = take_port(&far);
    post(&ours, ["5"]);

    theirs.start();
    post(&ours, ["6"]);

    assert_eq!(take_texts(&theirs), ["1", "2", "3", "4", "5", "6"]);
}

/// PORT-55
#[test]
fn messages_posted_from_the_old_place_and_from_the_new_one_arrive_in_that_order() {
    let (ours, theirs) = started_channel();
    post(&theirs, ["from the old place"]);

    let theirs = transferred(theirs);
    post(&theirs, ["from the new place"]);

    assert_eq!(take_texts(&ours), ["from the old place", "from the new place"]);
}

/// PORT-55, PORT-56
#[test]
fn messages_stay_in_order_over_five_hops_with_posts_around_each() {
    let (near, far) = started_channel();
    let (ours, mut theirs) = channel();
    let mut posted = Vec::new();
    let mut post_next = || {
        posted.push(posted.len().to_string());
        ours.post_message(posted.last().unwrap().as_str()).unwrap();
    };

    for _ in 0..5 {
        post_next();
        near.post_message(holding(theirs)).unwrap();
        post_next();
        theirs = take_port(&far);
        post_next();
    }

    theirs.start();
    assert_eq!(take_texts(&theirs), posted);
    assert_eq!(posted.len(), 15);
}

/// PORT-55
#[test]
fn messages_stay_in_order_when_each_hop_reads_one_of_them() {
    let (ours, mut theirs) = channel();
    post(&ours, ["0", "1", "2", "3", "4"]);
    let mut received = Vec::new();

    for _ in 0..5 {
        theirs = transferred(theirs);
        theirs.start();
        received.push(common::text(&take(&theirs)));
    }

    assert_eq!(received, ["0", "1", "2", "3", "4"]);
}

/// PORT-56
#[test]
fn a_port_moves_on_in_the_message_it_came_in_without_being_touched() {
    let (near, far) = started_channel();
    let (ours, theirs) = channel();
    post(&ours, ["1"]);
    near.post_message(holding(theirs)).unwrap();
    let (next, end) = started_channel();

    next.post_message(take(&far)).unwrap();

    post(&ours, ["2"]);
    let theirs = take_port(&end);
    theirs.start();
    assert_eq!(take_texts(&theirs), ["1", "2"]);
}

/// PORT-56
#[test]
fn a_port_that_was_started_at_one_stop_travels_on_with_what_was_not_read_there() {
    let (ours, theirs) = channel();
    post(&ours, ["1", "2"]);
    let theirs = transferred(theirs);
    theirs.start();
    assert_eq!(take(&theirs).data(), b"1");

    let theirs = transferred(theirs);

    assert!(recv_now(&theirs).is_none(), "delivered before it was started again");
    theirs.start();
    assert_eq!(take_texts(&theirs), ["2"]);
}

/// PORT-57
#[test]
fn both_ends_in_flight_to_one_destination_find_each_other() {
    let (near, far) = started_channel();
    let (ours, theirs) = channel();

    near.post_message(Message::default().with_ports([ours, theirs])).unwrap();

    let ports = take(&far).into_parts().ports;
    assert_connected(&ports[0], &ports[1]);
}

/// PORT-57
#[test]
fn both_ends_in_flight_to_different_destinations_find_each_other() {
    let (west, far_west) = started_channel();
    let (east, far_east) = started_channel();
    let (ours, theirs) = channel();

    west.post_message(holding(ours)).unwrap();
    east.post_message(holding(theirs)).unwrap();

    assert_connected(&take_port(&far_west), &take_port(&far_east));
}

/// PORT-57, PORT-55
#[test]
fn both_ends_take_what_was_posted_to_them_along() {
    let (west, far_west) = started_channel();
    let (east, far_east) = started_channel();
    let (ours, theirs) = channel();
    post(&ours, ["to them"]);
    post(&theirs, ["to us"]);

    west.post_message(holding(ours)).unwrap();
    east.post_message(holding(theirs)).unwrap();

    let (ours, theirs) = (take_port(&far_west), take_port(&far_east));
    ours.start();
    theirs.start();
    assert_eq!(take_texts(&theirs), ["to them"]);
    assert_eq!(take_texts(&ours), ["to us"]);
}

/// PORT-57
#[test]
fn ends_that_change_places_through_their_own_carriers_find_each_other() {
    let (ours, theirs) = channel();

    let (ours, theirs) = (transferred(transferred(ours)), transferred(theirs));
    let (theirs, ours) = (transferred(ours), transferred(theirs));

    assert_connected(&ours, &theirs);
}

#[track_caller]
fn assert_connected(one: &MessagePort, other: &MessagePort) {
    one.start();
    other.start();
    post(one, ["there"]);
    post(other, ["back"]);
    assert_eq!(take_texts(other), ["there"]);
    assert_eq!(take_texts(one), ["back"]);
}

/// PORT-58
#[test]
fn a_closed_port_in_a_list_is_refused_and_named_by_its_position() {
    let (near, _far) = channel();
    let (_kept, open) = channel();

    let error = near.post_message(Message::default().with_ports([open, closed_port()])).unwrap_err();

    assert_eq!(*error.reason(), handover_core::port::DataCloneReason::DetachedPort(1));
    assert!(error.to_string().starts_with("port 1 of the message was closed"), "{error}");
}

/// DEC-05, SER-05
#[test]
fn a_closed_port_late_in_the_list_leaves_the_earlier_ones_where_they_are() {
    let (near, far) = started_channel();
    let (kept, open) = started_channel();
    post(&kept, ["1"]);

    let error = near.post_message(Message::default().with_ports([open, closed_port()])).unwrap_err();

    let open = error.into_rejected().into_parts().ports.swap_remove(0);
    assert!(recv_now(&far).is_none());
    assert_eq!(take_texts(&open), ["1"], "it is started as before, so it was not moved");
    assert!(format!("{open:?}").contains("has_been_shipped: false"), "{open:?}");
}

/// PORT-59, DEC-07
#[test]
fn dropping_a_port_closes_the_ports_in_the_messages_that_wait_there() {
    let (ours, theirs) = channel();
    let (kept, sent) = channel();
    ours.post_message(holding(sent)).unwrap();
    assert_eq!(closed_by(&kept), None);

    drop(theirs);

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// PORT-59
#[test]
fn dropping_a_port_closes_a_port_in_a_message_in_the_queue_of_a_port_in_its_queue() {
    let (ours, theirs) = channel();
    let (middle, in_theirs) = channel();
    let (kept, in_middle) = channel();
    middle.post_message(holding(in_middle)).unwrap();
    ours.post_message(holding(in_theirs)).unwrap();

    drop(theirs);

    assert_eq!(closed_by(&middle), Some(ClosedBy::Peer));
    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// PORT-59
#[test]
fn a_hundred_thousand_ports_queued_in_each_other_are_dropped_without_exhausting_the_stack() {
    let (outermost, innermost) = nested(100_000);

    drop(outermost);

    assert_eq!(closed_by(&innermost), Some(ClosedBy::Peer));
}

/// PORT-59
#[test]
fn a_refused_message_with_a_hundred_thousand_nested_ports_is_dropped_without_exhausting_the_stack() {
    let (outermost, innermost) = nested(100_000);
    let (ours, theirs) = channel();
    drop(theirs);

    ours.post_message(holding(outermost)).unwrap();

    assert_eq!(closed_by(&innermost), Some(ClosedBy::Peer));
}

/// PORT-59
#[test]
fn a_hundred_thousand_nested_ports_are_all_there_when_they_are_unpacked() {
    let (mut port, innermost) = nested(100_000);

    for _ in 0..100_000 {
        port.start();
        port = take_port(&port);
    }

    assert_connected(&port, &innermost);
}

/// A port with a port in its queue, and so on; and the peer of the one at the bottom.
fn nested(depth: usize) -> (MessagePort, MessagePort) {
    let (innermost, mut port) = channel();
    for _ in 0..depth {
        let (outer_peer, outer) = channel();
        outer_peer.post_message(holding(port)).unwrap();
        port = outer;
    }
    (port, innermost)
}

/// PORT-59
#[test]
fn a_doomed_messages_ports_are_closed_with_what_was_queued_for_them() {
    let (ours, theirs) = channel();
    let (middle, sent) = channel();
    let (kept, queued) = channel();
    middle.post_message(holding(queued)).unwrap();

    ours.post_message(Message::default().with_ports([theirs, sent])).unwrap();

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// DEC-02
#[test]
fn the_peer_of_a_port_that_moves_is_told_nothing() {
    let (ours, theirs) = started_channel();
    let (wakes, waker) = Wakes::new();
    let (mut recv, mut closed) = (ours.recv(), ours.closed());
    assert!(common::poll(&mut recv, &waker).is_pending());
    assert!(common::poll(&mut closed, &waker).is_pending());

    let _theirs = transferred(transferred(theirs));

    assert_eq!(wakes.count(), 0);
    assert!(!ours.is_closed());
}

/// DEC-02, PORT-55
#[test]
fn a_queue_of_ports_travels_as_it_is() {
    let (ours, theirs) = channel();
    let mut kept = VecDeque::new();
    for _ in 0..10 {
        let (here, sent) = channel();
        ours.post_message(holding(sent)).unwrap();
        kept.push_back(here);
    }

    let theirs = transferred(theirs);

    theirs.start();
    for here in kept {
        assert_connected(&here, &take_port(&theirs));
    }
}

/// PORT-62
#[test]
fn a_peer_that_is_dropped_during_the_journey_is_missed_where_the_port_arrives() {
    let (near, far) = started_channel();
    let (ours, theirs) = channel();
    near.post_message(holding(theirs)).unwrap();

    drop(ours);

    let theirs = take_port(&far);
    assert!(theirs.is_closed());
    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}
