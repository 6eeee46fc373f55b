//! Joining two ports: what passes, in which order, and how the ends learn of each other's.

mod common;

use common::{channel, closed_by, holding, post, started_channel, take, take_port, take_texts, transferred};
use handover_core::{ClosedBy, MessagePort};

/// Two ports that lead to each other over so many joints.
fn joined(joints: usize) -> (MessagePort, MessagePort) {
    let (left, mut right) = channel();
    for _ in 0..joints {
        let (far, next) = channel();
        right.join(far);
        right = next;
    }
    left.start();
    right.start();
    (left, right)
}

#[test]
fn what_is_posted_at_either_end_arrives_at_the_other_in_order() {
    let (left, right) = joined(1);

    post(&left, ["1", "2"]);
    post(&right, ["3", "4"]);

    assert_eq!(take_texts(&right), ["1", "2"]);
    assert_eq!(take_texts(&left), ["3", "4"]);
}

#[test]
fn what_waited_at_the_ports_before_they_were_joined_comes_first() {
    let ((left, near), (far, right)) = (started_channel(), started_channel());
    post(&left, ["1", "2"]);
    post(&right, ["a", "b"]);

    near.join(far);
    post(&left, ["3"]);
    post(&right, ["c"]);

    assert_eq!(take_texts(&right), ["1", "2", "3"]);
    assert_eq!(take_texts(&left), ["a", "b", "c"]);
}

#[test]
fn ports_that_were_never_started_pass_on_all_the_same() {
    let ((left, near), (far, right)) = (channel(), channel());
    post(&left, ["1"]);

    near.join(far);

    right.start();
    assert_eq!(take_texts(&right), ["1"]);
}

#[test]
fn a_port_passes_over_a_joint_with_its_queue_and_works() {
    let (left, right) = joined(1);
    let (ours, theirs) = channel();
    post(&ours, ["1"]);

    left.post_message(holding(theirs)).unwrap();
    post(&ours, ["2"]);

    let theirs = take_port(&right);
    theirs.start();
    assert_eq!(take_texts(&theirs), ["1", "2"]);
    post(&theirs, ["3"]);
    ours.start();
    assert_eq!(take_texts(&ours), ["3"]);
}

#[test]
fn an_end_that_moves_on_takes_along_what_has_passed_and_gets_what_is_still_to_come() {
    let (left, right) = joined(1);
    post(&left, ["1"]);

    let right = transferred(right);
    post(&left, ["2"]);

    right.start();
    assert_eq!(take_texts(&right), ["1", "2"]);
}

/// CLOSE-03, CLOSE-07
#[test]
fn the_end_of_one_end_is_told_at_the_other_after_the_data_whoever_causes_it() {
    let causes: [fn(MessagePort); 2] = [|port| port.close(), drop];
    for cause in causes {
        for joints in [1, 3] {
            let (left, right) = joined(joints);
            post(&left, ["1"]);

            cause(left);

            assert_eq!(closed_by(&right), None, "told before the data");
            assert_eq!(take_texts(&right), ["1"]);
            assert_eq!(closed_by(&right), Some(ClosedBy::Peer));
        }
    }
}

#[test]
fn what_was_posted_before_an_end_was_closed_passes_also_when_the_ports_are_joined_later() {
    let ((left, near), (far, right)) = (channel(), started_channel());
    post(&left, ["1", "2"]);
    drop(left);

    near.join(far);

    assert_eq!(take_texts(&right), ["1", "2"]);
    assert_eq!(closed_by(&right), Some(ClosedBy::Peer));
}

/// PORT-59
#[test]
fn what_nobody_can_receive_any_more_is_dropped_with_the_ports_in_it() {
    let ((left, near), (far, right)) = (channel(), channel());
    let (ours, theirs) = channel();
    left.post_message(holding(theirs)).unwrap();
    drop(right);

    near.join(far);

    assert_eq!(closed_by(&ours), Some(ClosedBy::Peer));
    assert_eq!(closed_by(&left), Some(ClosedBy::Peer));
}

#[test]
fn a_message_passes_as_many_joints_as_there_may_be_and_one_more_closes_the_way() {
    let (left, right) = joined(128);
    post(&left, ["far"]);
    assert_eq!(take(&right).data(), b"far");
    let (far, next) = started_channel();
    post(&next, ["lost"]);

    right.join(far);

    assert_eq!(closed_by(&left), Some(ClosedBy::Peer));
    assert_eq!(closed_by(&next), Some(ClosedBy::Peer));
}

#[test]
fn two_ports_that_lead_to_each_other_are_closed_with_what_waited_in_them() {
    let (one, other) = channel();
    let (ours, theirs) = channel();
    one.post_message(holding(theirs)).unwrap();

    one.join(other);

    assert_eq!(closed_by(&ours), Some(ClosedBy::Peer));
}

#[test]
fn a_longer_ring_of_joints_is_closed_with_what_waited_in_it() {
    let ((one, two), (three, four)) = (channel(), channel());
    let (ours, theirs) = channel();
    one.post_message(holding(theirs)).unwrap();

    two.join(three);
    assert_eq!(closed_by(&ours), None);
    four.join(one);

    assert_eq!(closed_by(&ours), Some(ClosedBy::Peer));
}

/// DEC-08
#[test]
fn a_port_that_is_posted_to_its_own_end_over_a_joint_is_lost_with_the_message() {
    let (left, right) = joined(1);

    left.post_message(holding(right)).unwrap();

    assert_eq!(closed_by(&left), Some(ClosedBy::Peer));
}
