//! Streams between threads, in every order that their locks allow: a batch that is added to while it is taken, credit that comes
//! while its producer begins to wait for it, and ends that cross.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p handover-core --test loom_streams --release`; see `loom.rs`.
#![cfg(loom)]

mod loom_common;

use futures::{FutureExt, StreamExt};
use handover_core::{
    CallError, Interruption, MessageChannel, StreamSender, Streaming,
    stream::{ConsumerEnd, Overflow, SendError, Window, channel, frame::StreamFrame},
};
use loom::{future::block_on, thread};
use loom_common::explore;

/// A stream whose consumer was polled, and has granted so many items.
fn begun(items: u32) -> (StreamSender<u32>, Streaming<u32>) {
    let (sender, stream) = channel();
    let mut stream = stream.with_window(Window { items, ..Window::default() });
    assert!(stream.next().now_or_never().is_none());
    (sender, stream)
}

/// Everything that a stream yields, up to its end.
fn all(stream: &mut Streaming<u32>) -> Vec<Result<u32, CallError>> {
    std::iter::from_fn(|| block_on(stream.next())).collect()
}

#[test]
fn a_batch_that_is_taken_while_it_is_added_to_loses_and_doubles_nothing() {
    explore(|| {
        let (mut sender, mut stream) = begun(8);

        let producer = thread::spawn(move || {
            (1..=3).for_each(|item| sender.try_send(item).unwrap());
            block_on(sender.finish()).unwrap();
        });

        assert_eq!(all(&mut stream), [Ok(1), Ok(2), Ok(3)]);
        producer.join().unwrap();
    });
}

#[test]
fn a_batch_that_is_turned_into_bytes_while_it_is_added_to_loses_and_doubles_nothing() {
    explore(|| {
        let (ours, theirs) = MessageChannel::new().into_ports();
        theirs.start();
        theirs.post_message(StreamFrame::Credit { grant: Window::default() }.to_bytes()).unwrap();
        let mut sender = StreamSender::<u32>::from(ours);

        let producer = thread::spawn(move || {
            (1..=3).for_each(|item| sender.try_send(item).unwrap());
            block_on(sender.finish()).unwrap();
        });

        let mut items = Vec::new();
        while let Ok(message) = block_on(theirs.recv()) {
            match StreamFrame::parse(message.data()).unwrap() {
                StreamFrame::Items { items: some, .. } => items.extend_from_slice(some),
                frame => assert_eq!(frame, StreamFrame::End),
            }
        }
        assert_eq!(items, [0, 1, 0, 2, 0, 3]);
        producer.join().unwrap();
    });
}

#[test]
fn credit_that_comes_while_its_producer_begins_to_wait_wakes_it() {
    explore(|| {
        let (mut sender, mut stream) = begun(1);

        let producer = thread::spawn(move || {
            for item in 1..=3 {
                block_on(sender.send(item)).unwrap();
            }
            block_on(sender.finish()).unwrap();
        });

        assert_eq!(all(&mut stream), [Ok(1), Ok(2), Ok(3)]);
        producer.join().unwrap();
    });
}

#[test]
fn a_feed_and_its_consumer_wait_for_each_other_and_never_both() {
    explore(|| {
        let (sender, mut stream) = begun(2);

        let producer = thread::spawn(move || block_on(sender.send_all(futures::stream::iter(1..=3))));

        assert_eq!(all(&mut stream), [Ok(1), Ok(2), Ok(3)]);
        producer.join().unwrap();
    });
}

#[test]
fn the_latest_item_is_sent_by_a_feed_whose_source_is_silent_whenever_the_credit_comes() {
    explore(|| {
        let (sender, mut stream) = begun(1);
        let source = futures::stream::iter(1..=3).chain(futures::stream::pending());
        let feed = sender.with_overflow(Overflow::KeepLatest).send_all(source);

        let producer = thread::spawn(move || block_on(feed));
        while block_on(stream.next()) != Some(Ok(3)) {}
        stream.stop();

        assert_eq!(all(&mut stream), []);
        producer.join().unwrap();
    });
}

#[test]
fn a_stop_that_crosses_items_ends_the_stream_in_order_after_them() {
    explore(|| {
        let (mut sender, mut stream) = begun(1);

        let producer = thread::spawn(move || {
            let sent = (1..=2).map_while(|item| block_on(sender.send(item)).ok()).count();
            assert_eq!(block_on(sender.closed()), ConsumerEnd::Stopped);
            sent
        });
        stream.stop();

        let items = all(&mut stream);
        let sent = producer.join().unwrap();
        assert_eq!(items, [Ok(1), Ok(2)][..sent]);
    });
}

#[test]
fn a_stream_that_is_dropped_while_its_producer_begins_to_wait_wakes_it() {
    explore(|| {
        let (mut sender, stream) = begun(1);

        let producer = thread::spawn(move || {
            let _sent_or_not = block_on(sender.send(1));
            assert_eq!(block_on(sender.send(2)), Err(SendError::Gone));
        });
        drop(stream);

        producer.join().unwrap();
    });
}

#[test]
fn a_sender_that_is_dropped_while_its_consumer_reads_cuts_the_stream_after_its_items() {
    explore(|| {
        let (mut sender, mut stream) = begun(2);

        let producer = thread::spawn(move || {
            sender.try_send(1).unwrap();
            drop(sender);
        });

        assert_eq!(all(&mut stream), [Ok(1), Err(CallError::Unknown(Interruption::Closed))]);
        producer.join().unwrap();
    });
}

#[test]
fn a_cut_that_is_noticed_while_somebody_begins_to_wait_for_it_is_told() {
    explore(|| {
        let (sender, stream) = begun(2);
        let mut items = stream.into_items();
        let cut = items.cut_signal();
        drop(sender);

        let reader = thread::spawn(move || {
            assert!(items.next().now_or_never().is_none());
        });

        assert_eq!(block_on(cut), CallError::Unknown(Interruption::Closed));
        reader.join().unwrap();
    });
}
