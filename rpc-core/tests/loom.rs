//! Ports between threads, in every order that their locks and atomics allow, explored to the end.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p handover-core --test loom --release`; with `--nocapture`, each test says how many
//! orders there were. What waits here waits in loom's own executor, which reports a wake-up that never comes as a deadlock.
//!
//! loom runs all threads of a test on one, so they share its thread-locals: here no two threads encode values at once, nor
//! drop queues that hold ports.
#![cfg(loom)]

use std::{
    sync::{Arc, atomic},
    task::Context,
};

use futures::{FutureExt, future::BoxFuture, task::noop_waker_ref};
use handover_core::{Bound, Closed, ClosedBy, Message, MessageChannel, MessagePort, message::Payload};
use loom::{
    future::block_on,
    model::Builder,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
};

/// Runs a test in every order.
fn explore(test: impl Fn() + Send + Sync + 'static) {
    explore_with(Builder::new(), test);
}

/// Runs a test of three threads, or a long one of two, in every order that interrupts a thread at most three times where it
/// could go on.
fn explore_three(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound.get_or_insert(3);
    explore_with(builder, test);
}

fn explore_with(builder: Builder, test: impl Fn() + Send + Sync + 'static) {
    let orders = Arc::new(atomic::AtomicUsize::new(0));
    let counted = orders.clone();

    builder.check(move || {
        counted.fetch_add(1, atomic::Ordering::Relaxed);
        test();
    });

    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    println!("{name}: {} orders", orders.load(atomic::Ordering::Relaxed));
}

fn channel() -> (MessagePort, MessagePort) {
    MessageChannel::new().into_ports()
}

fn started_channel() -> (MessagePort, MessagePort) {
    let (ours, theirs) = channel();
    ours.start();
    theirs.start();
    (ours, theirs)
}

fn post(port: &MessagePort, number: u8) {
    port.post_message(&[number]).expect("a message without ports can be posted");
}

fn number(message: &Message) -> u8 {
    message.data()[0]
}

/// The message that is there.
fn take(port: &MessagePort) -> Message {
    port.recv().now_or_never().expect("a message is there").expect("the port is open")
}

/// The numbers that are there, without waiting.
fn take_numbers(port: &MessagePort) -> Vec<u8> {
    std::iter::from_fn(|| port.recv().now_or_never()?.ok()).map(|message| number(&message)).collect()
}

/// The numbers that come until the channel is closed.
fn wait_for_numbers(port: &MessagePort) -> Vec<u8> {
    std::iter::from_fn(|| block_on(port.recv()).ok()).map(|message| number(&message)).collect()
}

fn holding(port: MessagePort) -> Message {
    Message::default().with_port(port)
}

/// Moves a port through a channel of its own, and starts it where it arrives.
fn transferred(port: MessagePort) -> MessagePort {
    let (near, far) = started_channel();
    near.post_message(holding(port)).expect("the port is open");
    let ports = take(&far).into_parts().ports;
    let port = ports.into_iter().next().expect("the port came along");
    port.start();
    port
}

/// Moves a port that other threads share: their handle is detached.
fn transferred_from(shared: &MessagePort) -> Option<MessagePort> {
    let (near, far) = started_channel();
    near.post_value(shared).ok()?;
    let (port, _) = MessagePort::read(take(&far)).expect("the value is a port");
    port.start();
    Some(port)
}

/// A reader that waits at a port, owned, so that any thread may drop it.
fn waiting_reader(port: &Arc<MessagePort>) -> BoxFuture<'static, Result<Message, Closed>> {
    let port = port.clone();
    let mut reader = async move { port.recv().await }.boxed();
    assert!(reader.poll_unpin(&mut Context::from_waker(noop_waker_ref())).is_pending());
    reader
}

/// Something that one thread tells another.
#[derive(Clone)]
struct Flag(Arc<AtomicBool>);

impl Flag {
    fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    fn set(&self) {
        self.0.store(true, SeqCst);
    }

    fn is_set(&self) -> bool {
        self.0.load(SeqCst)
    }
}

// Posting and closing.

/// PORT-42
#[test]
fn all_that_was_posted_before_a_port_closed_arrives_in_order() {
    explore(|| {
        let (ours, theirs) = started_channel();

        let poster = thread::spawn(move || {
            post(&ours, 1);
            post(&ours, 2);
            ours.close();
        });

        assert_eq!(wait_for_numbers(&theirs), [1, 2]);
        poster.join().unwrap();
    });
}

/// PORT-43, PORT-45
#[test]
fn a_port_that_closes_gets_what_was_posted_before_and_nothing_of_what_is_posted_after() {
    explore(|| {
        let (ours, theirs) = started_channel();
        let (posted, closed) = (Flag::new(), Flag::new());
        let (posted_seen, closed_seen) = (posted.clone(), closed.clone());

        let poster = thread::spawn(move || {
            post(&ours, 1);
            posted.set();
            let after_the_close = closed_seen.is_set();
            post(&ours, 2);
            after_the_close
        });
        let before_the_close = posted_seen.is_set();
        theirs.close();
        closed.set();

        let after_the_close = poster.join().unwrap();
        let arrived = take_numbers(&theirs);
        assert!([1, 2].starts_with(&arrived), "{arrived:?}");
        assert!(!before_the_close || arrived.contains(&1), "lost what was posted before the close");
        assert!(!after_the_close || !arrived.contains(&2), "got what was posted after the close");
    });
}

/// PORT-42, PORT-46
#[test]
fn a_port_that_another_thread_closes_posts_nothing_after_that() {
    explore(|| {
        let (ours, theirs) = started_channel();
        let ours = Arc::new(ours);
        let (posted, closed) = (Flag::new(), Flag::new());
        let (poster_port, posted_seen, closed_seen) = (ours.clone(), posted.clone(), closed.clone());

        let poster = thread::spawn(move || {
            post(&poster_port, 1);
            posted.set();
            let after_the_close = closed_seen.is_set();
            post(&poster_port, 2);
            after_the_close
        });
        let before_the_close = posted_seen.is_set();
        ours.close();
        closed.set();

        let after_the_close = poster.join().unwrap();
        let arrived = take_numbers(&theirs);
        assert!([1, 2].starts_with(&arrived), "{arrived:?}");
        assert!(!before_the_close || arrived.contains(&1), "lost what was posted before the close");
        assert!(!after_the_close || !arrived.contains(&2), "a closed port posted");
    });
}

/// PORT-46, PORT-41
#[test]
fn of_two_threads_that_close_a_port_neither_can_post_on_it_when_its_close_returned() {
    explore(|| {
        let (ours, theirs) = started_channel();
        let ours = Arc::new(ours);
        let other = ours.clone();

        let closer = thread::spawn(move || {
            other.close();
            post(&other, 1);
        });
        ours.close();
        post(&ours, 2);

        closer.join().unwrap();
        assert_eq!(take_numbers(&theirs), []);
    });
}

/// PORT-46, PORT-45
#[test]
fn when_both_ends_close_at_once_nothing_posted_after_either_close_arrives() {
    explore(|| {
        let (ours, theirs) = started_channel();

        let closer = thread::spawn(move || {
            ours.close();
            post(&ours, 1);
            ours
        });
        theirs.close();
        post(&theirs, 2);

        let ours = closer.join().unwrap();
        assert_eq!(take_numbers(&ours), []);
        assert_eq!(take_numbers(&theirs), []);
        assert_eq!(ours.closed().now_or_never(), Some(ClosedBy::ThisEnd));
        assert_eq!(theirs.closed().now_or_never(), Some(ClosedBy::ThisEnd));
    });
}

// Transferring.

/// PORT-52, PORT-55
#[test]
fn what_is_posted_while_a_port_travels_is_neither_lost_nor_reordered() {
    explore(|| {
        let (ours, theirs) = started_channel();
        post(&ours, 0);

        let poster = thread::spawn(move || {
            post(&ours, 1);
            post(&ours, 2);
        });
        let theirs = transferred(theirs);

        assert_eq!(wait_for_numbers(&theirs), [0, 1, 2]);
        poster.join().unwrap();
    });
}

/// PORT-55, PORT-53
#[test]
fn a_reader_that_hands_its_port_on_between_two_messages_splits_them_and_loses_none() {
    explore(|| {
        let (ours, theirs) = started_channel();

        let poster = thread::spawn(move || {
            post(&ours, 1);
            post(&ours, 2);
        });
        let mut arrived = take_numbers(&theirs);
        let theirs = transferred(theirs);
        arrived.extend(wait_for_numbers(&theirs));

        assert_eq!(arrived, [1, 2]);
        poster.join().unwrap();
    });
}

/// PORT-57
#[test]
fn both_ends_that_travel_at_once_find_each_other() {
    explore_three(|| {
        let (ours, theirs) = channel();

        let other = thread::spawn(move || {
            let theirs = transferred(theirs);
            post(&theirs, 1);
            (number(&block_on(theirs.recv()).unwrap()), theirs)
        });
        let ours = transferred(ours);
        post(&ours, 2);
        let at_ours = number(&block_on(ours.recv()).unwrap());

        let (at_theirs, _theirs) = other.join().unwrap();
        assert_eq!((at_ours, at_theirs), (1, 2));
    });
}

/// DEC-08
#[test]
fn two_posts_that_close_a_ring_together_are_noticed_by_one_of_them_at_least() {
    explore(|| {
        let (one, in_two) = channel();
        let (two, in_one) = channel();

        let poster = thread::spawn(move || {
            two.post_message(Message::default().with_port(in_two)).unwrap();
            two
        });
        one.post_message(Message::default().with_port(in_one)).unwrap();

        let two = poster.join().unwrap();
        assert!(one.is_closed() && two.is_closed(), "a ring was left that nobody reaches");
    });
}

/// CLOSE-05, PORT-62
#[test]
fn a_port_that_travels_while_its_peer_closes_is_told_where_it_arrives() {
    explore(|| {
        let (ours, theirs) = started_channel();

        let closer = thread::spawn(move || {
            post(&ours, 1);
            drop(ours);
        });
        let theirs = transferred(theirs);

        assert_eq!(number(&block_on(theirs.recv()).unwrap()), 1);
        assert_eq!(block_on(theirs.closed()), ClosedBy::Peer);
        closer.join().unwrap();
    });
}

/// PORT-45, PORT-51
#[test]
fn a_close_at_the_place_that_a_port_leaves_closes_it_or_does_nothing() {
    explore(|| {
        let (ours, theirs) = started_channel();
        let theirs = Arc::new(theirs);
        let shared = theirs.clone();

        let closer = thread::spawn(move || shared.close());
        let moved = transferred_from(&theirs);
        closer.join().unwrap();

        let is_open = moved.as_ref().is_some_and(|port| !port.is_closed());
        post(&ours, 1);
        assert_eq!(moved.as_ref().map(take_numbers).unwrap_or_default().is_empty(), !is_open);
        assert_eq!(ours.is_closed(), !is_open, "the two ends do not agree");
    });
}

// Waking.

/// LOOP-03
#[test]
fn a_reader_that_waits_is_woken_by_the_message() {
    explore(|| {
        let (ours, theirs) = started_channel();

        let poster = thread::spawn(move || {
            post(&ours, 1);
            ours
        });

        assert_eq!(number(&block_on(theirs.recv()).unwrap()), 1);
        poster.join().unwrap();
    });
}

/// PORT-35, PORT-37
#[test]
fn a_reader_that_waits_is_woken_when_its_port_is_started_beside_a_post() {
    explore_three(|| {
        let (ours, theirs) = channel();
        let theirs = Arc::new(theirs);
        let shared = theirs.clone();

        let poster = thread::spawn(move || {
            post(&ours, 1);
            ours
        });
        let starter = thread::spawn(move || shared.start());

        assert_eq!(number(&block_on(theirs.recv()).unwrap()), 1);
        starter.join().unwrap();
        poster.join().unwrap();
    });
}

/// CLOSE-03
#[test]
fn a_reader_that_waits_is_woken_when_the_peer_is_dropped() {
    explore(|| {
        let (ours, theirs) = started_channel();

        let dropper = thread::spawn(move || drop(ours));

        assert_eq!(block_on(theirs.recv()).unwrap_err(), Closed);
        dropper.join().unwrap();
    });
}

/// PORT-40
#[test]
fn a_reader_that_waits_is_woken_when_another_thread_closes_its_port() {
    explore(|| {
        let (_ours, theirs) = started_channel();
        let theirs = Arc::new(theirs);
        let shared = theirs.clone();

        let closer = thread::spawn(move || shared.close());

        assert_eq!(block_on(theirs.recv()).unwrap_err(), Closed);
        closer.join().unwrap();
    });
}

/// PORT-53
#[test]
fn a_reader_that_waits_is_woken_when_its_port_is_transferred_away() {
    explore(|| {
        let (_ours, theirs) = started_channel();
        let theirs = Arc::new(theirs);
        let shared = theirs.clone();

        let mover = thread::spawn(move || transferred_from(&shared).expect("nobody else moves it"));

        assert_eq!(block_on(theirs.recv()).unwrap_err(), Closed);
        mover.join().unwrap();
    });
}

/// CLOSE-03
#[test]
fn whoever_waits_for_the_end_is_woken_by_it() {
    explore(|| {
        let (ours, theirs) = channel();

        let closer = thread::spawn(move || {
            ours.close();
            ours
        });

        assert_eq!(block_on(theirs.closed()), ClosedBy::Peer);
        closer.join().unwrap();
    });
}

/// CLOSE-07
#[test]
fn whoever_waits_for_the_end_is_woken_after_another_thread_read_the_last_message() {
    explore_three(|| {
        let (ours, theirs) = started_channel();
        let theirs = Arc::new(theirs);
        let (shared, read) = (theirs.clone(), Flag::new());
        let read_seen = read.clone();

        let poster = thread::spawn(move || {
            post(&ours, 1);
            drop(ours);
        });
        let reader = thread::spawn(move || {
            let message = block_on(shared.recv()).unwrap();
            read.set();
            // The message is out of the queue before `recv` returns, so the end may be told before the flag is set.
            number(&message)
        });

        assert_eq!(block_on(theirs.closed()), ClosedBy::Peer);
        assert_eq!(theirs.queued().messages, 0, "told before the data");
        assert_eq!(reader.join().unwrap(), 1);
        assert!(read_seen.is_set());
        poster.join().unwrap();
    });
}

/// A channel whose second port is full with one message.
fn full_channel() -> (MessagePort, MessagePort) {
    let (ours, theirs) = started_channel();
    theirs.set_bound(Bound { messages: 1, ..Bound::NONE });
    post(&ours, 0);
    (ours, theirs)
}

#[test]
fn whoever_waits_for_room_is_woken_when_a_message_is_read() {
    explore(|| {
        let (ours, theirs) = full_channel();

        let reader = thread::spawn(move || {
            assert_eq!(number(&take(&theirs)), 0);
            theirs
        });
        block_on(ours.ready());

        assert!(ours.try_post_message(&[1]).is_ok());
        assert_eq!(take_numbers(&reader.join().unwrap()), [1]);
    });
}

#[test]
fn whoever_waits_for_room_is_woken_when_the_bound_is_raised() {
    explore(|| {
        let (ours, theirs) = full_channel();

        let raiser = thread::spawn(move || {
            theirs.set_bound(Bound { messages: 2, ..Bound::NONE });
            theirs
        });
        block_on(ours.ready());

        assert!(ours.try_post_message(&[1]).is_ok());
        assert_eq!(take_numbers(&raiser.join().unwrap()), [0, 1]);
    });
}

#[test]
fn whoever_waits_for_room_is_woken_when_the_other_end_goes() {
    for close in [drop, |theirs: MessagePort| theirs.close()] {
        explore(move || {
            let (ours, theirs) = full_channel();

            let closer = thread::spawn(move || close(theirs));
            block_on(ours.ready());

            closer.join().unwrap();
        });
    }
}

#[test]
fn whoever_waits_for_room_is_woken_when_another_thread_closes_the_port() {
    explore(|| {
        let (ours, _theirs) = full_channel();
        let ours = Arc::new(ours);
        let shared = ours.clone();

        let closer = thread::spawn(move || shared.close());
        block_on(ours.ready());

        closer.join().unwrap();
    });
}

#[test]
fn whoever_waits_for_room_is_woken_by_a_reader_at_the_place_where_the_other_end_arrives() {
    explore(|| {
        let (ours, theirs) = full_channel();

        let reader = thread::spawn(move || {
            let theirs = transferred(theirs);
            take(&theirs);
            theirs
        });
        block_on(ours.ready());

        reader.join().unwrap();
    });
}

// The reader's batch: what waits behind the first message is lent to the reader when that is taken.

/// A channel at whose second port the numbers up to that one wait, all but the first in the reader's batch.
fn channel_with_a_batch(last: u8) -> (MessagePort, Arc<MessagePort>) {
    let (ours, theirs) = started_channel();
    for number in 0..=last {
        post(&ours, number);
    }
    assert_eq!(number(&take(&theirs)), 0);
    (ours, Arc::new(theirs))
}

/// LOOP-04
#[test]
fn what_is_posted_while_a_reader_has_a_batch_comes_after_it() {
    explore(|| {
        let (ours, theirs) = channel_with_a_batch(2);

        let poster = thread::spawn(move || {
            post(&ours, 3);
            post(&ours, 4);
        });

        assert_eq!(wait_for_numbers(&theirs), [1, 2, 3, 4]);
        poster.join().unwrap();
    });
}

/// LOOP-04, LOOP-06
#[test]
fn two_threads_that_read_one_batch_beside_a_post_get_each_message_once_and_in_order() {
    explore_three(|| {
        let (ours, theirs) = started_channel();
        post(&ours, 1);
        post(&ours, 2);
        let theirs = Arc::new(theirs);
        let shared = theirs.clone();

        let poster = thread::spawn(move || {
            post(&ours, 3);
            ours
        });
        let reader = thread::spawn(move || take_numbers(&shared));
        let here = take_numbers(&theirs);

        let there = reader.join().unwrap();
        let _ours = poster.join().unwrap();
        assert!(here.is_sorted() && there.is_sorted(), "{here:?} {there:?}");
        let mut all = [here, there, take_numbers(&theirs)].concat();
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3]);
    });
}

/// PORT-43, PORT-45
#[test]
fn a_close_beside_a_reader_with_a_batch_loses_nothing_that_waited() {
    explore(|| {
        let (ours, theirs) = channel_with_a_batch(2);
        post(&ours, 3);
        let shared = theirs.clone();

        let closer = thread::spawn(move || {
            shared.close();
            post(&ours, 4);
            ours
        });
        let mut arrived = take_numbers(&theirs);

        let _ours = closer.join().unwrap();
        arrived.extend(take_numbers(&theirs));
        assert_eq!(arrived, [1, 2, 3]);
    });
}

/// PORT-53, PORT-55
#[test]
fn a_transfer_beside_a_reader_with_a_batch_takes_along_what_is_not_read_yet() {
    explore_three(|| {
        let (ours, theirs) = channel_with_a_batch(3);
        post(&ours, 4);
        let shared = theirs.clone();

        let mover = thread::spawn(move || {
            let moved = transferred_from(&shared).expect("nobody else moves it");
            take_numbers(&moved)
        });
        let mut arrived = take_numbers(&theirs);

        arrived.extend(mover.join().unwrap());
        assert_eq!(arrived, [1, 2, 3, 4], "at the old place, and then at the new one");
    });
}

/// CLOSE-07
#[test]
fn an_end_that_comes_beside_a_reader_with_a_batch_is_told_after_the_batch() {
    explore_three(|| {
        let (ours, theirs) = channel_with_a_batch(2);
        let shared = theirs.clone();

        let dropper = thread::spawn(move || drop(ours));
        let reader = thread::spawn(move || take_numbers(&shared));

        assert_eq!(block_on(theirs.closed()), ClosedBy::Peer);
        assert_eq!(take_numbers(&theirs), [], "told before the data");
        assert_eq!(reader.join().unwrap(), [1, 2]);
        dropper.join().unwrap();
    });
}

#[test]
fn whoever_asks_how_much_waits_is_told_of_the_batch_too() {
    explore(|| {
        let (ours, theirs) = channel_with_a_batch(2);
        let shared = theirs.clone();

        let reader = thread::spawn(move || number(&take(&shared)));
        post(&ours, 3);
        let queued = theirs.queued();

        assert!([2, 3].contains(&queued.messages) && queued.bytes == queued.messages, "{queued:?}");
        assert_eq!(reader.join().unwrap(), 1);
        assert_eq!(theirs.queued().messages, 2);
    });
}

#[test]
fn a_bound_that_is_set_beside_a_reader_with_a_batch_counts_the_batch() {
    explore(|| {
        let (ours, theirs) = channel_with_a_batch(2);
        let shared = theirs.clone();

        let reader = thread::spawn(move || [take(&shared), take(&shared)].map(|message| number(&message)));
        theirs.set_bound(Bound { messages: 1, ..Bound::NONE });
        block_on(ours.ready());

        assert_eq!(theirs.queued().messages, 0, "there was room before the batch was read");
        assert_eq!(reader.join().unwrap(), [1, 2]);
    });
}

// Dropping.

#[test]
fn a_message_that_comes_while_one_of_two_readers_is_dropped_goes_to_the_other() {
    explore_three(|| {
        let (ours, theirs) = started_channel();
        let theirs = Arc::new(theirs);
        let dropped = waiting_reader(&theirs);

        let poster = thread::spawn(move || {
            post(&ours, 1);
            ours
        });
        let dropper = thread::spawn(move || drop(dropped));

        assert_eq!(number(&block_on(theirs.recv()).unwrap()), 1);
        dropper.join().unwrap();
        poster.join().unwrap();
    });
}

#[test]
fn a_message_that_comes_while_its_only_reader_is_dropped_stays_for_the_next() {
    explore(|| {
        let (ours, theirs) = started_channel();
        let theirs = Arc::new(theirs);
        let dropped = waiting_reader(&theirs);

        let poster = thread::spawn(move || {
            post(&ours, 1);
            ours
        });
        drop(dropped);

        poster.join().unwrap();
        assert_eq!(take_numbers(&theirs), [1]);
    });
}

/// LOOP-06
#[test]
fn two_threads_that_read_one_port_get_each_message_once() {
    explore_three(|| {
        let (ours, theirs) = started_channel();
        let theirs = Arc::new(theirs);
        let shared = theirs.clone();

        let poster = thread::spawn(move || {
            post(&ours, 1);
            post(&ours, 2);
            ours
        });
        let reader = thread::spawn(move || number(&block_on(shared.recv()).unwrap()));

        let mut arrived = [number(&block_on(theirs.recv()).unwrap()), reader.join().unwrap()];
        arrived.sort_unstable();
        assert_eq!(arrived, [1, 2]);
        poster.join().unwrap();
    });
}

/// PORT-59
#[test]
fn a_port_inside_a_message_that_is_posted_to_a_port_while_it_is_dropped_is_closed() {
    explore(|| {
        let (ours, theirs) = started_channel();
        let (outside, inside) = channel();

        let dropper = thread::spawn(move || drop(theirs));
        ours.post_message(holding(inside)).expect("the port inside is open");

        assert_eq!(block_on(outside.closed()), ClosedBy::Peer);
        dropper.join().unwrap();
    });
}

/// PORT-59, PORT-62
#[test]
fn a_port_inside_a_message_for_a_port_that_is_lost_on_its_way_is_closed() {
    explore(|| {
        let (ours, theirs) = channel();
        let (outside, inside) = channel();
        let (near, far) = channel();
        near.post_message(holding(theirs)).expect("the port is open");

        let dropper = thread::spawn(move || drop(far));
        ours.post_message(holding(inside)).expect("the port inside is open");

        assert_eq!(block_on(outside.closed()), ClosedBy::Peer);
        assert_eq!(block_on(ours.closed()), ClosedBy::Peer);
        dropper.join().unwrap();
    });
}

/// PORT-42, PORT-59
#[test]
fn a_port_inside_a_message_that_is_posted_right_before_the_close_arrives_and_works() {
    explore(|| {
        let (ours, theirs) = started_channel();

        let poster = thread::spawn(move || {
            let (outside, inside) = channel();
            ours.post_message(holding(inside)).expect("the port inside is open");
            drop(ours);
            post(&outside, 1);
        });
        let mut ports = block_on(theirs.recv()).expect("it was posted before the close").into_parts().ports;
        let inside = ports.pop().expect("the port came along");
        inside.start();

        assert_eq!(wait_for_numbers(&inside), [1]);
        poster.join().unwrap();
    });
}

// Joining.

#[test]
fn nothing_overtakes_what_waited_at_ports_that_are_joined_while_others_post() {
    explore_three(|| {
        let ((left, near), (far, right)) = (started_channel(), started_channel());
        post(&left, 1);
        post(&right, 11);

        let poster = thread::spawn(move || {
            post(&left, 2);
            post(&left, 3);
            left
        });
        near.join(far);
        post(&right, 12);

        let left = poster.join().unwrap();
        assert_eq!(take_numbers(&right), [1, 2, 3]);
        assert_eq!(take_numbers(&left), [11, 12]);
    });
}

#[test]
fn an_end_that_is_closed_while_its_way_is_joined_is_told_after_what_was_posted_there() {
    explore_three(|| {
        let ((left, near), (far, right)) = (started_channel(), started_channel());

        let poster = thread::spawn(move || {
            post(&left, 1);
            post(&left, 2);
        });
        near.join(far);

        assert_eq!(wait_for_numbers(&right), [1, 2]);
        poster.join().unwrap();
    });
}

#[test]
fn a_way_that_is_joined_while_both_of_its_ends_go_is_closed_with_what_was_posted() {
    explore_three(|| {
        let ((left, near), (far, right)) = (channel(), channel());
        let (outside, inside) = channel();

        let other = thread::spawn(move || {
            left.post_message(holding(inside)).expect("the port inside is open");
        });
        let joiner = thread::spawn(move || near.join(far));
        drop(right);

        assert_eq!(block_on(outside.closed()), ClosedBy::Peer);
        other.join().unwrap();
        joiner.join().unwrap();
    });
}

#[test]
fn two_joints_that_close_a_ring_together_are_noticed_by_one_of_them_at_least() {
    explore_three(|| {
        let ((one, two), (three, four)) = (channel(), channel());
        let (outside, inside) = channel();
        one.post_message(holding(inside)).expect("the port inside is open");

        let joiner = thread::spawn(move || two.join(three));
        four.join(one);

        joiner.join().unwrap();
        assert_eq!(block_on(outside.closed()), ClosedBy::Peer);
    });
}
