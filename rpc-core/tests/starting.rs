//! Starting a port: what waits before, and what happens after.

mod common;

use common::{channel, closed_by, post, recv_now, take, take_texts, transferred};
use futures::FutureExt;
use handover_core::{Closed, ClosedBy};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// PORT-35
#[test]
fn starting_twice_delivers_each_message_once() {
    let (ours, theirs) = channel();
    post(&ours, ["1", "2"]);

    theirs.start();
    assert_eq!(take(&theirs).data(), b"1");
    theirs.start();

    assert_eq!(take_texts(&theirs), ["2"]);
}

/// PORT-37
#[test]
fn messages_posted_before_the_start_are_delivered_after_it_in_order() {
    let (ours, theirs) = channel();
    post(&ours, ["1", "2"]);
    assert!(recv_now(&theirs).is_none(), "delivered before the start");

    theirs.start();
    post(&ours, ["3"]);

    assert_eq!(take_texts(&theirs), ["1", "2", "3"]);
}

/// PORT-37
#[test]
fn messages_that_wait_for_the_start_move_with_the_port() {
    let (ours, theirs) = channel();
    post(&ours, ["1", "2"]);

    let theirs = transferred(theirs);
    theirs.start();

    assert_eq!(take_texts(&theirs), ["1", "2"]);
}

/// PORT-37, PORT-42
#[test]
fn messages_that_wait_for_the_start_outlast_the_close_of_their_sender() {
    let (ours, theirs) = channel();
    post(&ours, ["1", "2"]);
    drop(ours);
    assert!(recv_now(&theirs).is_none(), "delivered before the start, or reported as closed");

    theirs.start();

    assert_eq!(take_texts(&theirs), ["1", "2"]);
    assert_eq!(recv_now(&theirs).unwrap().unwrap_err(), Closed);
}

/// PORT-03
#[test]
fn a_started_port_delivers_on_after_its_reader_has_left() {
    let (ours, theirs) = channel();
    theirs.start();
    let mut reader = theirs.recv();
    assert!((&mut reader).now_or_never().is_none());
    drop(reader);

    post(&ours, ["1"]);

    assert_eq!(take_texts(&theirs), ["1"]);
}

/// PORT-38
#[test]
fn starting_listening_and_posting_on_a_closed_port_are_harmless() {
    let (ours, theirs) = channel();
    ours.close();

    ours.start();
    ours.post_message("1").unwrap();

    assert_eq!(recv_now(&ours).unwrap().unwrap_err(), Closed);
    assert_eq!(closed_by(&ours), Some(ClosedBy::ThisEnd));
    theirs.start();
    assert_eq!(recv_now(&theirs).unwrap().unwrap_err(), Closed, "nothing was posted");
}

/// PORT-38
#[test]
fn starting_listening_and_posting_on_a_port_without_a_peer_are_harmless() {
    let (ours, theirs) = channel();
    drop(theirs);

    ours.start();
    ours.post_message("1").unwrap();

    assert_eq!(recv_now(&ours).unwrap().unwrap_err(), Closed);
    assert_eq!(closed_by(&ours), Some(ClosedBy::Peer));
}
