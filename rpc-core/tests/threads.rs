//! Ports between threads that post, close and transfer at the same time.
//!
//! The threads run freely, so a failure may take many runs to show. Every test here is of something that must hold whatever
//! the order is.

mod common;

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use common::{channel, closed_by, holding, recv_now, started_channel, take_port};
use futures::executor::block_on;
use handover_core::{ClosedBy, Message, MessagePort};

const MESSAGES: u32 = 3_000;

fn number(message: &Message) -> u32 {
    u32::from_le_bytes(message.data().try_into().unwrap())
}

fn post_number(port: &MessagePort, number: u32) {
    port.post_message(&number.to_le_bytes()).unwrap();
}

/// Everything until the channel is closed.
fn receive_all(port: &MessagePort) -> Vec<u32> {
    std::iter::from_fn(|| block_on(port.recv()).ok()).map(|message| number(&message)).collect()
}

/// PORT-42, PORT-55
#[test]
fn everything_that_two_threads_post_to_each_other_arrives_in_order() {
    let (ours, theirs) = started_channel();
    let talk = |port: MessagePort| {
        thread::spawn(move || {
            (0..MESSAGES).for_each(|number| post_number(&port, number));
            let received: Vec<u32> = (0..MESSAGES).map(|_| number(&block_on(port.recv()).unwrap())).collect();
            // Dropping the port here would cut off what the other thread has still to post.
            (received, port)
        })
    };

    let (one, other) = (talk(ours), talk(theirs));

    let ((at_one, _one), (at_other, _other)) = (one.join().unwrap(), other.join().unwrap());
    assert!(at_one.into_iter().eq(0..MESSAGES));
    assert!(at_other.into_iter().eq(0..MESSAGES));
}

/// PORT-42
#[test]
fn everything_posted_before_a_close_arrives_on_another_thread() {
    for _ in 0..100 {
        let (ours, theirs) = started_channel();
        let receiver = thread::spawn(move || (receive_all(&theirs), closed_by(&theirs)));

        (0..100).for_each(|number| post_number(&ours, number));
        ours.close();

        let (received, closed) = receiver.join().unwrap();
        assert!(received.into_iter().eq(0..100));
        assert_eq!(closed, Some(ClosedBy::Peer));
    }
}

/// PORT-43, PORT-45
#[test]
fn a_receiver_that_closes_in_the_middle_has_got_the_beginning_without_a_gap() {
    for _ in 0..20 {
        let (ours, theirs) = started_channel();
        let sender = thread::spawn(move || {
            (0..).take_while(|_| !ours.is_closed()).for_each(|number| post_number(&ours, number));
            closed_by(&ours)
        });

        let mut received: Vec<u32> = (0..10).map(|_| number(&block_on(theirs.recv()).unwrap())).collect();
        theirs.close();
        received.extend(receive_all(&theirs));

        let count = u32::try_from(received.len()).unwrap();
        assert!(received.into_iter().eq(0..count));
        assert_eq!(sender.join().unwrap(), Some(ClosedBy::Peer));
    }
}

/// PORT-46
#[test]
fn nothing_posted_after_a_close_returned_arrives_although_another_thread_is_closing_too() {
    for _ in 0..3_000 {
        let (ours, theirs) = started_channel();
        let ready = Barrier::new(2);

        thread::scope(|scope| {
            scope.spawn(|| {
                ready.wait();
                ours.close();
            });
            ready.wait();
            ours.close();
            post_number(&ours, 1);
        });

        assert!(recv_now(&theirs).unwrap().is_err());
    }
}

/// PORT-52, PORT-55
#[test]
fn messages_stay_in_order_while_their_port_travels_from_thread_to_thread() {
    let (ours, theirs) = channel();
    let sender = thread::spawn(move || (0..MESSAGES).for_each(|number| post_number(&ours, number)));
    let (to_first, first) = started_channel();
    let (to_second, second) = started_channel();
    let station = |inbound: MessagePort, outbound: MessagePort| {
        thread::spawn(move || {
            let mut received = Vec::new();
            while let Ok(message) = block_on(inbound.recv()) {
                let port = message.into_parts().ports.swap_remove(0);
                port.start();
                // A few messages at each stop, until there are no more.
                for _ in 0..10 {
                    match block_on(port.recv()) {
                        Ok(message) => received.push(number(&message)),
                        Err(_closed) => return received,
                    }
                }
                outbound.post_message(holding(port)).unwrap();
            }
            received
        })
    };
    to_first.post_message(holding(theirs)).unwrap();
    let (first_out, second_out) = (to_second, to_first);

    let one = station(first, first_out);
    let two = station(second, second_out);

    sender.join().unwrap();
    let (at_one, at_two) = (one.join().unwrap(), two.join().unwrap());
    assert!(at_one.is_sorted() && at_two.is_sorted());
    let mut all = [at_one, at_two].concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..MESSAGES));
}

/// PORT-57
#[test]
fn both_ends_may_travel_at_the_same_time_on_two_threads() {
    let (ours, theirs) = channel();
    let travel = |mut port: MessagePort| {
        thread::spawn(move || {
            let (near, far) = started_channel();
            for hop in 0..MESSAGES {
                post_number(&port, hop);
                near.post_message(holding(port)).unwrap();
                port = take_port(&far);
            }
            port
        })
    };

    let (ours, theirs) = (travel(ours), travel(theirs));

    for port in [ours.join().unwrap(), theirs.join().unwrap()] {
        port.start();
        for hop in 0..MESSAGES {
            assert_eq!(number(&recv_now(&port).unwrap().unwrap()), hop);
        }
    }
}

/// PORT-59
#[test]
fn a_port_posted_to_an_end_that_is_closing_arrives_or_is_closed() {
    for _ in 0..1_000 {
        let (ours, theirs) = started_channel();
        let (kept, sent) = channel();

        let arrived = thread::scope(|scope| {
            scope.spawn(|| ours.post_message(holding(sent)).unwrap());
            theirs.close();
            recv_now(&theirs).unwrap()
        });

        // It came after the receiver looked for the last time, or was refused: in both cases nobody has it.
        match arrived {
            Ok(message) => assert_eq!(closed_by(&kept), None, "{message:?}"),
            Err(_closed) => assert_eq!(closed_by(&kept), Some(ClosedBy::Peer)),
        }
    }
}

/// PORT-59
#[test]
fn a_port_posted_to_an_end_that_is_being_dropped_is_closed() {
    for _ in 0..1_000 {
        let (ours, theirs) = started_channel();
        let (kept, sent) = channel();

        thread::scope(|scope| {
            scope.spawn(|| ours.post_message(holding(sent)).unwrap());
            drop(theirs);
        });

        assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
    }
}

/// PORT-41
#[test]
fn both_ends_may_close_and_post_at_the_same_time() {
    for _ in 0..1_000 {
        let (ours, theirs) = started_channel();

        thread::scope(|scope| {
            for port in [&ours, &theirs] {
                scope.spawn(move || {
                    post_number(port, 1);
                    port.close();
                    post_number(port, 2);
                });
            }
        });

        for port in [&ours, &theirs] {
            let received = receive_all(port);
            assert!(matches!(received[..], [] | [1]), "{received:?}");
            assert_eq!(closed_by(port), Some(ClosedBy::ThisEnd));
        }
    }
}

/// CLOSE-07
#[test]
fn whoever_waits_for_the_end_on_one_thread_is_told_after_another_has_read_the_data() {
    for _ in 0..200 {
        let (ours, theirs) = started_channel();
        let theirs = Arc::new(theirs);
        let all_read = Arc::new(AtomicBool::new(false));
        let waiting = {
            let (theirs, all_read) = (theirs.clone(), all_read.clone());
            thread::spawn(move || {
                let closed = block_on(theirs.closed());
                (closed, all_read.load(Ordering::SeqCst))
            })
        };

        (0..10).for_each(|number| post_number(&ours, number));
        drop(ours);
        for number in 0..10 {
            if number == 9 {
                all_read.store(true, Ordering::SeqCst);
            }
            block_on(theirs.recv()).unwrap();
        }

        assert_eq!(waiting.join().unwrap(), (ClosedBy::Peer, true));
    }
}
