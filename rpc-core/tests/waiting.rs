//! Waiting at a port: what a future may miss (nothing), who is woken, and what a dropped future leaves behind (nothing).

mod common;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
};

use common::{Wakes, channel, closed_by, poll, post, recv_now, started_channel, take, take_texts, text, transferred};
use futures::{FutureExt, Stream, StreamExt, executor::block_on, future::join_all};
use handover_core::{Closed, ClosedBy, MessagePort};

#[test]
fn a_waiting_reader_is_woken_by_a_message_and_gets_it() {
    let (ours, theirs) = started_channel();
    let (wakes, waker) = Wakes::new();
    let mut reader = theirs.recv();
    assert!(poll(&mut reader, &waker).is_pending());

    post(&ours, ["1"]);

    assert_eq!(wakes.count(), 1);
    assert_eq!(reader.now_or_never().unwrap().unwrap().data(), b"1");
}

#[test]
fn a_waiting_reader_is_not_woken_by_a_message_that_may_not_be_delivered_yet() {
    let (ours, theirs) = channel();
    let (wakes, waker) = Wakes::new();
    let mut reader = theirs.recv();
    assert!(poll(&mut reader, &waker).is_pending());

    post(&ours, ["1"]);

    assert_eq!(wakes.count(), 0);
}

#[test]
fn a_waiting_reader_is_woken_by_the_start_if_something_waits() {
    let (ours, theirs) = channel();
    let (wakes, waker) = Wakes::new();
    let mut reader = theirs.recv();
    assert!(poll(&mut reader, &waker).is_pending());
    post(&ours, ["1"]);

    theirs.start();

    assert_eq!(wakes.count(), 1);
    assert_eq!(reader.now_or_never().unwrap().unwrap().data(), b"1");
}

#[test]
fn a_waiting_reader_is_woken_by_the_close_of_either_end() {
    for closes_itself in [false, true] {
        let (ours, theirs) = started_channel();
        let (wakes, waker) = Wakes::new();
        let mut reader = theirs.recv();
        assert!(poll(&mut reader, &waker).is_pending());

        if closes_itself {
            theirs.close()
        } else {
            ours.close()
        }

        assert_eq!(wakes.count(), 1);
        assert_eq!(reader.now_or_never().unwrap().unwrap_err(), Closed);
    }
}

#[test]
fn a_reader_of_a_closed_port_that_was_never_started_is_woken_by_the_start_after_the_close() {
    let (ours, theirs) = channel();
    let (wakes, waker) = Wakes::new();
    post(&ours, ["1"]);
    theirs.close();
    let (mut one, mut other) = (theirs.recv(), theirs.recv());
    assert!(poll(&mut one, &waker).is_pending());
    assert!(poll(&mut other, &waker).is_pending());

    theirs.start();

    assert_eq!(wakes.count(), 2);
    assert_eq!(one.now_or_never().unwrap().unwrap().data(), b"1");
    assert_eq!(other.now_or_never().unwrap().unwrap_err(), Closed);
}

#[test]
fn dropping_a_reader_that_was_woken_and_has_not_looked_loses_no_message() {
    let (ours, theirs) = started_channel();
    let (_wakes, waker) = Wakes::new();
    let mut reader = theirs.recv();
    assert!(poll(&mut reader, &waker).is_pending());
    post(&ours, ["1"]);

    drop(reader);

    assert_eq!(take_texts(&theirs), ["1"]);
}

#[test]
fn dropping_a_reader_that_was_woken_leaves_its_message_to_another_that_waits() {
    let (ours, theirs) = started_channel();
    let (_first_wakes, first_waker) = Wakes::new();
    let (second_wakes, second_waker) = Wakes::new();
    let (mut first, mut second) = (theirs.recv(), theirs.recv());
    assert!(poll(&mut first, &first_waker).is_pending());
    assert!(poll(&mut second, &second_waker).is_pending());
    post(&ours, ["1"]);

    drop(first);

    assert_eq!(second_wakes.count(), 1, "it would wait for ever");
    assert_eq!(second.now_or_never().unwrap().unwrap().data(), b"1");
}

/// LOOP-06
#[test]
fn several_readers_of_one_port_get_each_message_once_and_lose_none() {
    let (ours, theirs) = started_channel();
    let readers = join_all((0..4).map(|_| theirs.recv()));
    let mut readers = Box::pin(readers);
    assert!((&mut readers).now_or_never().is_none());

    post(&ours, ["1", "2"]);
    assert!((&mut readers).now_or_never().is_none());
    post(&ours, ["3", "4", "5"]);

    let received = readers.now_or_never().expect("there were enough messages for all");
    let mut received: Vec<String> = received.iter().map(|message| text(message.as_ref().unwrap())).collect();
    received.sort();
    assert_eq!(received, ["1", "2", "3", "4"]);
    assert_eq!(take_texts(&theirs), ["5"]);
}

#[test]
fn a_reader_that_finds_its_message_gone_is_woken_by_the_next() {
    let (ours, theirs) = started_channel();
    let (wakes, waker) = Wakes::new();
    let mut late = theirs.recv();
    assert!(poll(&mut late, &waker).is_pending());
    post(&ours, ["1"]);
    take(&theirs);
    assert!(poll(&mut late, &waker).is_pending());
    let woken_before = wakes.count();

    post(&ours, ["2"]);

    assert_eq!(wakes.count(), woken_before + 1);
    assert_eq!(late.now_or_never().unwrap().unwrap().data(), b"2");
}

#[test]
fn every_reader_that_waits_learns_of_the_close() {
    let (ours, theirs) = started_channel();
    let mut readers = Box::pin(join_all((0..4).map(|_| theirs.recv())));
    assert!((&mut readers).now_or_never().is_none());

    post(&ours, ["1"]);
    drop(ours);

    let received = readers.now_or_never().expect("all were told");
    assert_eq!(received.iter().filter(|message| message.is_ok()).count(), 1);
}

#[test]
fn a_reader_wakes_the_task_that_polled_it_last() {
    let (ours, theirs) = started_channel();
    let (former_wakes, former) = Wakes::new();
    let (latter_wakes, latter) = Wakes::new();
    let mut reader = theirs.recv();
    assert!(poll(&mut reader, &former).is_pending());
    assert!(poll(&mut reader, &latter).is_pending());

    post(&ours, ["1"]);

    assert_eq!(former_wakes.count(), 0);
    assert_eq!(latter_wakes.count(), 1);
}

#[test]
fn whoever_waits_for_the_end_wakes_the_task_that_polled_it_last() {
    let (ours, theirs) = started_channel();
    let (former_wakes, former) = Wakes::new();
    let (latter_wakes, latter) = Wakes::new();
    let mut closed = theirs.closed();
    assert!(poll(&mut closed, &former).is_pending());
    assert!(poll(&mut closed, &latter).is_pending());

    ours.close();

    assert_eq!(former_wakes.count(), 0);
    assert_eq!(latter_wakes.count(), 1);
}

#[test]
fn a_dropped_reader_leaves_no_waker_behind() {
    let (_ours, theirs) = started_channel();
    let (wakes, waker) = Wakes::new();
    let mut reader = theirs.recv();
    assert!(poll(&mut reader, &waker).is_pending());
    drop(waker);

    drop(reader);

    assert_eq!(Arc::strong_count(&wakes), 1);
}

#[test]
fn a_dropped_wait_for_the_end_leaves_no_waker_behind() {
    let (_ours, theirs) = started_channel();
    let (wakes, waker) = Wakes::new();
    let mut closed = theirs.closed();
    assert!(poll(&mut closed, &waker).is_pending());
    drop(waker);

    drop(closed);

    assert_eq!(Arc::strong_count(&wakes), 1);
}

#[test]
fn waits_that_are_dropped_in_any_order_leave_the_others_waiting() {
    for dropped in 0..3 {
        let (ours, theirs) = started_channel();
        let counters: Vec<_> = (0..3).map(|_| Wakes::new()).collect();
        let mut readers: Vec<_> = (0..3).map(|_| theirs.recv()).collect();
        for (reader, (_, waker)) in readers.iter_mut().zip(&counters) {
            assert!(poll(reader, waker).is_pending());
        }

        drop(readers.remove(dropped));
        post(&ours, ["1"]);

        let woken: Vec<usize> = counters.iter().map(|(wakes, _)| wakes.count()).collect();
        let expected: Vec<usize> = (0..3).map(|index| usize::from(index != dropped)).collect();
        assert_eq!(woken, expected);
    }
}

#[test]
fn a_reader_on_another_thread_gets_what_is_posted_here() {
    let (ours, theirs) = started_channel();
    let reader = thread::spawn(move || {
        let mut received = Vec::new();
        while let Ok(message) = block_on(theirs.recv()) {
            received.push(text(&message));
        }
        received
    });

    post(&ours, ["1", "2", "3"]);
    drop(ours);

    assert_eq!(reader.join().unwrap(), ["1", "2", "3"]);
}

#[test]
fn several_threads_that_read_one_port_get_each_message_once() {
    let (ours, theirs) = started_channel();
    let theirs = Arc::new(theirs);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let theirs = theirs.clone();
            thread::spawn(move || {
                let mut received = Vec::new();
                while let Ok(message) = block_on(theirs.recv()) {
                    received.push(u32::from_le_bytes(message.data().try_into().unwrap()));
                }
                received
            })
        })
        .collect();

    for number in 0..1_000_u32 {
        ours.post_message(&number.to_le_bytes()).unwrap();
    }
    drop(ours);

    let mut received: Vec<u32> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
    received.sort_unstable();
    assert!(received.into_iter().eq(0..1_000));
}

#[test]
fn a_wait_for_the_end_on_another_thread_ends_with_the_close() {
    let (ours, theirs) = started_channel();
    let waiting = thread::spawn(move || block_on(theirs.closed()));

    ours.close();

    assert_eq!(waiting.join().unwrap(), ClosedBy::Peer);
}

/// CLOSE-07
#[test]
fn whoever_waits_for_the_end_is_woken_when_the_last_message_is_taken() {
    let (ours, theirs) = started_channel();
    let (wakes, waker) = Wakes::new();
    post(&ours, ["1", "2"]);
    ours.close();
    let mut closed = theirs.closed();
    assert!(poll(&mut closed, &waker).is_pending());

    take(&theirs);
    assert!(poll(&mut closed, &waker).is_pending(), "told before the data");
    let woken_before = wakes.count();
    take(&theirs);

    assert_eq!(wakes.count(), woken_before + 1);
    assert_eq!(closed.now_or_never(), Some(ClosedBy::Peer));
}

/// CLOSE-07
#[test]
fn the_end_that_comes_while_somebody_waits_for_it_is_told_after_the_data() {
    let (ours, theirs) = started_channel();
    let (_wakes, waker) = Wakes::new();
    let mut closed = theirs.closed();
    assert!(poll(&mut closed, &waker).is_pending());

    post(&ours, ["1"]);
    drop(ours);

    assert!(poll(&mut closed, &waker).is_pending(), "told before the data");
    assert_eq!(take_texts(&theirs), ["1"]);
    assert_eq!(closed.now_or_never(), Some(ClosedBy::Peer));
}

#[test]
fn waiting_for_the_end_takes_no_message() {
    let (ours, theirs) = started_channel();
    post(&ours, ["1"]);

    assert_eq!(closed_by(&theirs), None);

    assert_eq!(take_texts(&theirs), ["1"]);
}

#[test]
fn whoever_waits_for_the_end_is_woken_by_this_ends_close() {
    let (_ours, theirs) = started_channel();
    let (wakes, waker) = Wakes::new();
    let mut closed = theirs.closed();
    assert!(poll(&mut closed, &waker).is_pending());

    theirs.close();

    assert_eq!(wakes.count(), 1);
    assert_eq!(closed.now_or_never(), Some(ClosedBy::ThisEnd));
}

/// CLOSE-02
#[test]
fn this_ends_close_is_told_at_once_although_messages_wait() {
    let (ours, theirs) = started_channel();
    post(&ours, ["1"]);

    theirs.close();

    assert_eq!(closed_by(&theirs), Some(ClosedBy::ThisEnd));
    assert_eq!(take_texts(&theirs), ["1"]);
}

/// CLOSE-07, CLOSE-05
#[test]
fn an_end_that_was_told_at_one_place_is_told_again_at_the_next() {
    let (ours, theirs) = channel();
    drop(ours);
    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));

    let theirs = transferred(theirs);

    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

/// CLOSE-03
#[test]
fn a_thread_that_panics_with_a_port_in_its_hands_is_told_as_a_panic() {
    let (ours, theirs) = channel();

    let panicked = thread::spawn(move || {
        let _held = ours;
        std::panic::resume_unwind(Box::new("on purpose, and without the report"));
    });

    assert!(panicked.join().is_err());
    assert_eq!(closed_by(&theirs), Some(ClosedBy::PeerPanic));
}

/// CLOSE-03, CLOSE-07
#[test]
fn a_panic_is_told_after_what_was_posted_before_it() {
    let (ours, theirs) = started_channel();

    let panicked = thread::spawn(move || {
        post(&ours, ["1"]);
        std::panic::resume_unwind(Box::new("on purpose, and without the report"));
    });

    assert!(panicked.join().is_err());
    assert_eq!(closed_by(&theirs), None);
    assert_eq!(take_texts(&theirs), ["1"]);
    assert_eq!(closed_by(&theirs), Some(ClosedBy::PeerPanic));
}

#[test]
fn a_port_that_was_closed_before_its_thread_panicked_is_told_as_closed() {
    let (ours, theirs) = channel();

    let panicked = thread::spawn(move || {
        ours.close();
        std::panic::resume_unwind(Box::new("on purpose, and without the report"));
    });

    assert!(panicked.join().is_err());
    assert_eq!(closed_by(&theirs), Some(ClosedBy::Peer));
}

#[test]
fn a_stream_gives_every_message_and_ends_with_the_channel() {
    let (ours, theirs) = started_channel();
    post(&ours, ["1", "2"]);
    drop(ours);

    let received: Vec<String> = theirs.map(|message| text(&message)).collect().now_or_never().unwrap();

    assert_eq!(received, ["1", "2"]);
}

#[test]
fn a_stream_that_moved_to_another_task_wakes_that_task() {
    let (ours, mut theirs) = started_channel();
    let (former_wakes, former) = Wakes::new();
    let (latter_wakes, latter) = Wakes::new();
    let poll_stream = |port: &mut MessagePort, waker| Pin::new(port).poll_next(&mut Context::from_waker(waker));
    assert!(poll_stream(&mut theirs, &former).is_pending());
    assert!(poll_stream(&mut theirs, &latter).is_pending());

    post(&ours, ["1"]);

    assert_eq!(former_wakes.count(), 0);
    assert_eq!(latter_wakes.count(), 1);
}

#[test]
fn a_port_that_was_read_as_a_stream_can_be_read_by_another_future_as_well() {
    let (ours, mut theirs) = started_channel();
    assert!(theirs.next().now_or_never().is_none());
    assert!(recv_now(&theirs).is_none());

    post(&ours, ["1", "2"]);

    assert_eq!(take(&theirs).data(), b"1");
    assert_eq!(theirs.next().now_or_never().unwrap().unwrap().data(), b"2");
}

#[test]
fn ports_and_their_futures_may_go_to_other_threads() {
    fn sendable<T: Send + Sync>(_: &T) {}
    let (_ours, theirs) = channel();

    sendable(&theirs);
    sendable(&theirs.recv());
    sendable(&theirs.closed());
    sendable(&handover_core::Message::default());
}

#[test]
fn whoever_waits_for_the_end_is_not_woken_by_what_comes_before_it() {
    let (ours, theirs) = started_channel();
    let control = theirs.control();
    let (ends, for_the_end) = Wakes::new();
    let (arrivals, for_messages) = Wakes::new();
    let mut ended = control.ended();
    let mut closed = theirs.closed();
    let mut reader = theirs.recv();
    assert!(poll(&mut ended, &for_the_end).is_pending());
    assert!(poll(&mut closed, &for_the_end).is_pending());

    for number in ["1", "2", "3"] {
        assert!(poll(&mut reader, &for_messages).is_pending());
        post(&ours, [number]);
        reader = theirs.recv();
        assert_eq!(take(&theirs).data(), number.as_bytes());
    }

    assert_eq!((ends.count(), arrivals.count()), (0, 3));
    drop(ours);
    assert_eq!(ends.count(), 2);
    assert!(poll(&mut ended, &for_the_end).is_ready());
    assert_eq!(poll(&mut closed, &for_the_end), Poll::Ready(ClosedBy::Peer));
}

#[test]
fn whoever_waits_no_longer_for_the_end_is_not_woken_at_it() {
    let (ours, theirs) = started_channel();
    let control = theirs.control();
    let (wakes, waker) = Wakes::new();
    let mut staying = control.ended();
    let mut leaving = control.ended();
    assert!(poll(&mut leaving, &waker).is_pending());
    assert!(poll(&mut staying, &waker).is_pending());
    assert!(poll(&mut staying, &waker).is_pending());

    drop(leaving);
    drop(ours);

    assert_eq!(wakes.count(), 1);
    assert!(poll(&mut staying, &waker).is_ready());
}
