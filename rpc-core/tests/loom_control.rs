//! Ports that somebody else ends, in every order that their locks allow: what a worker's handle does to the worker's ports while the
//! worker posts, reads, hands them on and drops them.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p handover-core --test loom_control --release`; see `loom.rs`.
#![cfg(loom)]

mod loom_common;

use futures::FutureExt;
use handover_core::{Message, MessageChannel, MessagePort, message::Payload};
use loom::{future::block_on, thread};
use loom_common::explore;

fn started_channel() -> (MessagePort, MessagePort) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.start();
    theirs.start();
    (ours, theirs)
}

fn post(port: &MessagePort, number: u8) {
    port.post_message(&[number]).expect("a message without ports can be posted");
}

/// The numbers that are there, without waiting.
fn take_numbers(port: &MessagePort) -> Vec<u8> {
    std::iter::from_fn(|| port.recv().now_or_never()?.ok()).map(|message: Message| message.data()[0]).collect()
}

/// The numbers that come until the channel is closed.
fn wait_for_numbers(port: &MessagePort) -> Vec<u8> {
    std::iter::from_fn(|| block_on(port.recv()).ok()).map(|message| message.data()[0]).collect()
}

/// Moves a port that other threads act on through a channel of its own: to another context. None if it was closed before.
fn transferred(port: MessagePort) -> Option<MessagePort> {
    let (near, far) = started_channel();
    near.post_value(port).ok()?;
    let message = far.recv().now_or_never().expect("a message is there").expect("the port is open");
    let (port, _) = MessagePort::read(message).expect("the value is a port");
    port.start();
    Some(port)
}

/// WRK-20
#[test]
fn nothing_arrives_at_a_port_that_was_severed_whatever_its_peer_posts_meanwhile() {
    explore(|| {
        let (outside, inside) = started_channel();
        let control = outside.control();

        let worker = thread::spawn(move || {
            post(&inside, 1);
            post(&inside, 2);
        });
        control.sever();
        let arrived = take_numbers(&outside);
        worker.join().unwrap();

        assert_eq!(arrived, []);
        assert_eq!(take_numbers(&outside), [], "after the worker's end");
    });
}

/// WRK-20
#[test]
fn a_reader_that_waits_at_a_port_that_is_severed_learns_its_end() {
    explore(|| {
        let (outside, inside) = started_channel();
        let control = outside.control();

        let terminator = thread::spawn(move || control.sever());
        let arrived = wait_for_numbers(&outside);
        let at_the_other_end = wait_for_numbers(&inside);

        terminator.join().unwrap();
        assert_eq!((arrived, at_the_other_end), (vec![], vec![]));
    });
}

/// WRK-30
#[test]
fn a_port_that_is_told_to_receive_nothing_more_has_received_what_came_first_and_posts_on() {
    explore(|| {
        let (outside, inside) = started_channel();
        let control = inside.control();

        let poster = thread::spawn(move || {
            post(&outside, 1);
            post(&outside, 2);
            outside
        });
        let before = take_numbers(&inside);
        control.stop_receiving();
        let after = take_numbers(&inside);
        post(&inside, 3);
        let outside = poster.join().unwrap();

        assert!(before == [] || before == [1] || before == [1, 2], "{before:?}");
        assert_eq!((after, take_numbers(&inside)), (vec![], vec![]));
        assert_eq!(take_numbers(&outside), [3]);
    });
}

/// WRK-30
#[test]
fn a_port_that_travels_while_its_former_context_ends_is_stopped_or_left_alone_with_all_that_waits() {
    explore(|| {
        let (outside, inside) = started_channel();
        let control = inside.control();
        post(&outside, 1);

        let closer = thread::spawn(move || control.stop_receiving());
        let travelled = transferred(inside);
        closer.join().unwrap();
        post(&outside, 2);

        // One that was stopped before stays where it is.
        let Some(inside) = travelled else { return };
        post(&inside, 3);
        match (take_numbers(&inside).as_slice(), take_numbers(&outside).as_slice()) {
            // It had gone already, and is another context's.
            ([1, 2], [3]) => {}
            // It was stopped on its way, and arrived as a closed port.
            ([], []) => {}
            arrived => panic!("{arrived:?} have arrived"),
        }
    });
}

/// GC-05
#[test]
fn the_end_of_what_is_posted_reaches_a_port_that_travels_after_all_that_was_posted() {
    explore(|| {
        let (outside, inside) = started_channel();
        let control = inside.control();
        post(&outside, 1);
        post(&outside, 2);

        let ender = thread::spawn(move || control.end_input());
        let inside = transferred(inside).expect("nobody closes it");

        assert_eq!(wait_for_numbers(&inside), [1, 2]);
        ender.join().unwrap();
    });
}

#[test]
fn whoever_waits_for_the_end_of_a_channel_is_woken_when_either_end_goes_wherever_it_is() {
    explore(|| {
        let (ours, theirs) = started_channel();
        let control = ours.control();

        let dropper = thread::spawn(move || drop(transferred(ours)));
        block_on(control.ended());

        dropper.join().unwrap();
        drop(theirs);
    });
    explore(|| {
        let (ours, theirs) = started_channel();
        let control = ours.control();

        let dropper = thread::spawn(move || drop(theirs));
        block_on(control.ended());

        dropper.join().unwrap();
        drop(ours);
    });
}

#[test]
fn of_two_who_sever_a_port_at_once_neither_finds_it_open_afterwards() {
    explore(|| {
        let (outside, inside) = started_channel();
        let (one, other) = (outside.control(), outside.control());
        post(&inside, 1);

        let terminator = thread::spawn(move || one.sever());
        other.sever();
        post(&outside, 2);

        assert_eq!((take_numbers(&outside), take_numbers(&inside)), (vec![], vec![]));
        terminator.join().unwrap();
    });
}
