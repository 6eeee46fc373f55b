//! What ports leave behind when they are gone: nothing.
//!
//! Each measurement counts what its own thread allocates and frees, so tests that run beside it do not disturb.

mod common;

use allocation_counter::{AllocationInfo, measure};
use common::{
    Wakes, channel, closed_port, holding, poll, post, started_channel, take, take_port, take_texts, transferred,
};
use handover_core::{Message, MessagePort, rpc::split};

/// Measures an action after it was done once before, when whatever is set up on first use is there.
fn left_behind_by(action: impl Fn()) -> AllocationInfo {
    action();
    measure(action)
}

#[track_caller]
fn assert_leaves_nothing(action: impl Fn()) {
    let left = left_behind_by(action);
    assert!(left.count_total > 0, "nothing was measured");
    assert_eq!((left.count_current, left.bytes_current), (0, 0), "blocks and bytes that were not freed");
}

/// A port that was moved three times, with messages posted before each, some of which hold a port.
fn well_travelled() -> (MessagePort, MessagePort) {
    let (ours, mut theirs) = channel();
    for _ in 0..3 {
        let (_lost, inside) = channel();
        post(&ours, ["1", "2"]);
        ours.post_message(holding(inside)).unwrap();
        theirs = transferred(theirs);
    }
    (ours, theirs)
}

/// GC-03
#[test]
fn a_thousand_ports_that_travelled_and_were_dropped_unread_leave_nothing() {
    assert_leaves_nothing(|| {
        let ports: Vec<_> = (0..1_000).map(|_| well_travelled()).collect();
        drop(ports);
    });
}

/// GC-03
#[test]
fn a_thousand_ports_that_travelled_and_were_read_leave_nothing() {
    assert_leaves_nothing(|| {
        for _ in 0..1_000 {
            let (_ours, theirs) = well_travelled();
            theirs.start();
            assert_eq!(take_texts(&theirs).len(), 9);
        }
    });
}

#[test]
fn ports_that_were_split_leave_nothing_however_they_end() {
    assert_leaves_nothing(|| {
        for end in 0..4 {
            let (ours, theirs) = channel();
            let ((calls, serves), (their_calls, their_serves)) = (split(ours), split(theirs));
            post(&calls, ["1", "2"]);
            post(&their_serves, ["3"]);
            match end {
                0 => drop((calls, serves)),
                1 => drop((calls, their_calls)),
                2 => drop((serves, their_serves)),
                _ => drop((their_calls, calls, serves, their_serves)),
            }
        }
    });
}

#[test]
fn ports_that_were_joined_leave_nothing_however_they_end() {
    assert_leaves_nothing(|| {
        for end in 0..5 {
            let ((left, near), (far, right)) = (channel(), channel());
            post(&left, ["1", "2"]);
            match end {
                0 => near.join(far),
                1 => {
                    near.join(far);
                    right.close();
                }
                2 => {
                    drop(left);
                    near.join(far);
                }
                // Rings, of one channel and of two.
                3 => {
                    left.post_message(holding(well_travelled().1)).unwrap();
                    left.join(near);
                }
                _ => {
                    left.post_message(holding(well_travelled().1)).unwrap();
                    near.join(far);
                    right.join(left);
                }
            }
        }
    });
}

#[test]
fn one_port_that_is_leaked_among_a_thousand_is_noticed() {
    let left = left_behind_by(|| {
        let mut ports: Vec<_> = (0..1_000).map(|_| well_travelled()).collect();
        std::mem::forget(ports.pop());
    });

    assert!(left.count_current > 0, "{left:?}");
}

/// PORT-23, PORT-59
#[test]
fn messages_without_a_destination_leave_nothing() {
    assert_leaves_nothing(|| {
        let (ours, _) = channel();
        ours.post_message(holding(well_travelled().1)).unwrap();
    });
}

/// PORT-24, DEC-08
#[test]
fn a_message_that_held_its_own_destination_leaves_nothing() {
    assert_leaves_nothing(|| {
        let (ours, theirs) = well_travelled();
        ours.post_message(holding(theirs)).unwrap();
    });
}

/// PORT-31
#[test]
fn a_refused_message_that_is_dropped_leaves_nothing() {
    assert_leaves_nothing(|| {
        let (ours, theirs) = well_travelled();
        let message = Message::default().with_ports([well_travelled().1, closed_port()]);
        drop(ours.post_message(message));
        drop((ours, theirs));
    });
}

/// PORT-59
#[test]
fn ports_nested_in_queues_leave_nothing() {
    assert_leaves_nothing(|| {
        let (_bottom, mut port) = channel();
        for _ in 0..1_000 {
            let (outer_peer, outer) = channel();
            outer_peer.post_message(holding(port)).unwrap();
            port = outer;
        }
    });
}

/// GC-03
#[test]
fn both_ends_dropped_in_flight_leave_nothing() {
    assert_leaves_nothing(|| {
        let (near, _far) = channel();
        let (ours, theirs) = well_travelled();
        near.post_message(Message::default().with_ports([ours, theirs])).unwrap();
    });
}

#[test]
fn futures_that_waited_and_were_dropped_leave_nothing_at_a_port_that_lives_on() {
    let (_ours, theirs) = started_channel();

    assert_leaves_nothing(|| {
        for _ in 0..1_000 {
            let (_wakes, waker) = Wakes::new();
            assert!(poll(&mut theirs.recv(), &waker).is_pending());
            assert!(poll(&mut theirs.closed(), &waker).is_pending());
        }
    });
}

/// GC-03
#[test]
fn of_a_port_that_is_dropped_nothing_is_left_but_the_channel_while_its_peer_lives_on() {
    let left = left_behind_by(|| {
        let (ours, theirs) = started_channel();
        for _ in 0..2 {
            post(&ours, ["1", "2", "3"]);
            assert_eq!(take_texts(&theirs).len(), 3);
        }
        drop(theirs);
        std::mem::forget(ours);
    });

    assert_eq!(left.count_current, 1, "{left:?}");
}

/// DEC-08
#[test]
fn a_ring_of_ports_queued_in_each_other_is_noticed_and_leaves_nothing() {
    for size in [2, 3, 100] {
        assert_leaves_nothing(|| {
            let (outside, inside): (Vec<_>, Vec<_>) = (0..size).map(|_| channel()).unzip();
            // Each port into the queue of the next; the last one closes the ring.
            for (number, port) in inside.into_iter().enumerate() {
                outside[(number + 1) % size].post_message(holding(port)).unwrap();
            }

            assert!(outside.iter().all(MessagePort::is_closed), "size {size}");
        });
    }
}

/// DEC-08
#[test]
fn a_ring_through_ports_that_travel_beside_others_is_noticed_too() {
    assert_leaves_nothing(|| {
        let (one, in_two) = channel();
        let (two, in_one) = channel();
        let (other, beside) = channel();
        two.post_message(holding(in_two).with_port(beside)).unwrap();

        one.post_message(holding(in_one)).unwrap();

        assert!(other.is_closed(), "it was lost with the ring");
    });
}

/// DEC-08
#[test]
fn a_port_that_arrived_out_of_a_queue_may_carry_the_port_of_that_queue() {
    let (one, in_two) = channel();
    let (two, in_one) = channel();
    in_one.start();
    two.post_message(holding(in_two)).unwrap();
    let in_two = take_port(&in_one);

    // No ring any more: `in_two` was received.
    one.post_message(holding(in_one)).unwrap();
    in_two.start();

    assert!(!two.is_closed());
    two.post_message("through").unwrap();
    let in_one = take_port(&in_two);
    in_one.start();
    assert_eq!(take(&in_one).data(), b"through");
}
