//! Streams: their items, their credit, and above all their ends.

mod common;

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    pin::pin,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Poll, Wake},
    thread,
};

use common::{Wakes, channel as ports, poll, started_channel, take, transferred};
use futures::{
    FutureExt, Stream, StreamExt,
    executor::block_on,
    future::{join, select},
    stream,
};
use handover_core::{
    Buffer, CallError, ClosedBy, Interruption, MessagePort, RpcError, StreamSender, Streaming,
    rpc::StreamFault,
    stream::{
        Both, ConsumerEnd, Feed, Feeds, Overflow, SendError, TrySendError, Window, channel,
        frame::{Fault, StreamFrame},
    },
};
use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned, ser};

type Numbers = Streaming<u32>;

fn numbers() -> (StreamSender<u32>, Numbers) {
    channel()
}

/// A stream whose consumer was polled, and has granted this window.
fn begun(items: u32) -> (StreamSender<u32>, Numbers) {
    let (sender, stream) = numbers();
    let mut stream = stream.with_window(Window { items, ..Window::default() });
    assert_eq!(next_now(&mut stream), None);
    (sender, stream)
}

/// What a stream yields without waiting: nothing if it waits.
fn next_now<S: Stream + Unpin>(stream: &mut S) -> Option<Option<S::Item>> {
    stream.next().now_or_never()
}

/// Runs something that nothing outside of it is needed for, to its end.
#[track_caller]
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let (wakes, waker) = Wakes::new();
    loop {
        let before = wakes.count();
        if let Poll::Ready(output) = poll(&mut future, &waker) {
            return output;
        }
        assert!(wakes.count() > before, "everything waits");
    }
}

/// The items that a stream yields without waiting.
fn taken<T, E, S: Stream<Item = Result<T, E>> + Unpin>(stream: &mut S) -> Vec<T> {
    std::iter::from_fn(|| next_now(stream)??.ok()).collect()
}

/// Everything that a stream yields, up to its end, which must be there.
#[track_caller]
fn all<S: Stream + Unpin>(mut stream: S) -> Vec<S::Item> {
    std::iter::from_fn(|| next_now(&mut stream).expect("the stream goes on")).collect()
}

fn closed_error() -> CallError {
    CallError::Unknown(Interruption::Closed)
}

fn cut_by(fault: StreamFault) -> CallError {
    CallError::Unknown(Interruption::Stream(fault))
}

/// The frame that is at a port.
#[track_caller]
fn assert_frame(port: &MessagePort, frame: &StreamFrame<'_>) {
    let message = take(port);
    assert_eq!(StreamFrame::parse(message.data()).as_ref(), Ok(frame));
}

fn post_frame(port: &MessagePort, frame: &StreamFrame<'_>) {
    port.post_message(frame.to_bytes()).unwrap();
}

fn post_items(port: &MessagePort, items: &[u8]) {
    post_frame(port, &StreamFrame::Items { cost: 1, items });
}

const MIB: u32 = 1 << 20;

// The ends

#[test]
fn a_stream_that_was_finished_yields_its_items_and_then_none() {
    let (mut sender, stream) = numbers();
    let produce = async {
        for item in 0..1000 {
            sender.send(item).await.unwrap();
        }
        sender.finish().await.unwrap();
    };

    let ((), items) = run(join(produce, stream.collect::<Vec<_>>()));

    assert_eq!(items, (0..1000).map(Ok).collect::<Vec<_>>());
}

#[test]
fn a_sender_that_is_dropped_cuts_the_stream_after_its_items() {
    let (mut sender, mut stream) = begun(4);
    sender.try_send(1).unwrap();

    drop(sender);

    assert_eq!(all(&mut stream), [Ok(1), Err(closed_error())]);
    assert_eq!(run(stream.next()), None);
}

#[test]
fn a_sender_that_is_dropped_by_a_panic_says_so() {
    let (mut sender, stream) = begun(4);

    thread::spawn(move || {
        sender.try_send(1).unwrap();
        panic!("out of paper");
    })
    .join()
    .unwrap_err();

    let items = all(stream);
    assert_eq!(items[0], Ok(1));
    assert!(matches!(&items[1], Err(CallError::Unknown(Interruption::Panicked(_)))), "{items:?}");
}

#[test]
fn a_producer_that_fails_says_why() {
    let (mut sender, stream) = begun(4);
    sender.try_send(1).unwrap();

    sender.fail_with("no more paper");

    assert_eq!(all(stream), [Ok(1), Err(cut_by(StreamFault::Failed("no more paper".into())))]);
}

#[test]
fn items_may_be_errors_and_the_stream_goes_on() {
    let (sender, stream) = channel::<u32, RpcError<String>>();
    let feed = sender.send_all(stream::iter([Ok(1), Err("two".to_owned()), Ok(3)]));

    let ((), items) = run(join(feed, stream.collect::<Vec<_>>()));

    assert_eq!(items, [Ok(1), Err(RpcError::Service("two".into())), Ok(3)]);
}

#[test]
fn a_stream_that_is_dropped_tells_its_producer_at_once() {
    let (mut sender, stream) = begun(4);
    let (wakes, waker) = Wakes::new();
    assert!(poll(&mut sender.closed(), &waker).is_pending());

    drop(stream);

    assert_eq!(wakes.count(), 1);
    assert_eq!(sender.closed().now_or_never(), Some(ConsumerEnd::Gone));
    assert_eq!(sender.try_send(1), Err(TrySendError::Closed(SendError::Gone)));
}

#[test]
fn a_producer_whose_batch_lies_unread_learns_that_its_consumer_is_gone() {
    let (mut sender, stream) = begun(4);
    sender.try_send(1).unwrap();

    drop(stream);

    assert_eq!(sender.try_send(2), Err(TrySendError::Closed(SendError::Gone)));
}

#[test]
fn a_stream_that_is_stopped_yields_what_is_on_its_way_and_then_ends() {
    let (mut sender, mut stream) = begun(4);
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap();

    stream.stop();

    assert_eq!(sender.closed().now_or_never(), Some(ConsumerEnd::Stopped));
    assert_eq!(sender.try_send(3), Err(TrySendError::Closed(SendError::Stopped)));
    drop(sender);
    assert_eq!(all(stream), [Ok(1), Ok(2)]);
}

#[test]
fn a_stream_that_is_stopped_and_then_finished_ends_once() {
    let (port, stream) = ports();
    let mut stream = Numbers::from(stream);
    assert_eq!(next_now(&mut stream), None);
    let sender = StreamSender::<u32>::from(transferred(port));
    stream.stop();

    assert_eq!(sender.finish().now_or_never(), Some(Ok(())));

    assert_eq!(all(stream), []);
}

#[test]
fn a_producer_that_waits_for_credit_is_woken_by_a_stop() {
    let (mut sender, mut stream) = begun(1);
    sender.try_send(1).unwrap();
    let mut send = sender.send(2);
    let (wakes, waker) = Wakes::new();
    assert!(poll(&mut send, &waker).is_pending());

    stream.stop();

    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(&mut send, &waker), Poll::Ready(Err(SendError::Stopped)));
}

#[test]
fn a_stream_that_is_stopped_grants_nothing_more() {
    let (near, far) = started_channel();
    let mut stream = Numbers::from(near).with_window(Window { items: 2, bytes: MIB });
    assert_eq!(next_now(&mut stream), None);
    stream.stop();

    post_items(&far, &[0, 1, 0, 2]);
    assert_eq!(taken(&mut stream), [1, 2]);

    assert_frame(&far, &StreamFrame::Credit { grant: Window { items: 2, bytes: MIB } });
    assert_frame(&far, &StreamFrame::Stop);
    assert!(common::recv_now(&far).is_none());
}

#[test]
fn a_stop_that_comes_after_the_producer_has_ended_the_stream_adds_no_second_end() {
    let (near, far) = started_channel();
    let mut sender = StreamSender::<u32>::from(near).with_overflow(Overflow::End);
    post_frame(&far, &StreamFrame::Credit { grant: Window { items: 1, bytes: 1 } });
    sender.try_send(1).unwrap();
    assert_eq!(sender.try_send(2), Err(TrySendError::Closed(SendError::TooSlow)));

    post_frame(&far, &StreamFrame::Stop);
    assert_eq!(sender.closed().now_or_never(), None);
    drop(sender);

    assert_frame(&far, &StreamFrame::Items { cost: 4, items: &[0, 1] });
    assert_frame(&far, &StreamFrame::Failed { fault: StreamFault::TooSlow.into() });
    assert_eq!(common::closed_by(&far), Some(ClosedBy::Peer));
}

#[test]
fn a_stream_that_has_ended_yields_nothing_for_ever() {
    let (sender, mut stream) = numbers();
    sender.finish().now_or_never().unwrap().unwrap();

    assert_eq!(all(&mut stream), []);

    assert_eq!(all(&mut stream), []);
    assert!(futures::stream::FusedStream::is_terminated(&stream));
}

// Credit

#[test]
fn nothing_is_sent_before_the_consumer_is_polled() {
    let (mut sender, mut stream) = numbers();
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));

    assert_eq!(next_now(&mut stream), None);

    assert_eq!(sender.try_send(1), Ok(()));
}

#[test]
fn a_producer_sends_as_many_items_as_were_granted() {
    let (mut sender, mut stream) = begun(4);
    (0..4).for_each(|item| sender.try_send(item).unwrap());
    assert_eq!(sender.try_send(4), Err(TrySendError::Full(4)));

    assert_eq!(next_now(&mut stream), Some(Some(Ok(0))));
    assert_eq!(sender.try_send(4), Err(TrySendError::Full(4)), "less than half was consumed");
    assert_eq!(next_now(&mut stream), Some(Some(Ok(1))));

    assert_eq!(sender.try_send(4), Ok(()));
    assert_eq!(sender.try_send(5), Ok(()));
    assert_eq!(sender.try_send(6), Err(TrySendError::Full(6)));
}

#[test]
fn a_producer_that_waits_for_credit_is_woken_when_there_is_some() {
    let (mut sender, mut stream) = begun(1);
    sender.try_send(1).unwrap();
    let (wakes, waker) = Wakes::new();
    let mut send = sender.send(2);
    assert!(poll(&mut send, &waker).is_pending());

    assert_eq!(next_now(&mut stream), Some(Some(Ok(1))));

    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(&mut send, &waker), Poll::Ready(Ok(())));
    assert_eq!(next_now(&mut stream), Some(Some(Ok(2))));
}

#[test]
fn the_last_task_that_polled_is_the_one_that_is_woken() {
    let (mut sender, mut stream) = begun(1);
    let ((first, one), (second, two)) = (Wakes::new(), Wakes::new());
    assert!(poll(&mut stream.next(), &one).is_pending());
    assert!(poll(&mut stream.next(), &two).is_pending());

    sender.try_send(1).unwrap();

    assert_eq!((first.count(), second.count()), (0, 1));
}

#[test]
fn a_send_that_is_dropped_has_sent_nothing() {
    let (mut sender, mut stream) = begun(1);
    sender.try_send(1).unwrap();
    assert_eq!(sender.send(2).now_or_never(), None);

    assert_eq!(next_now(&mut stream), Some(Some(Ok(1))));
    sender.send(3).now_or_never().unwrap().unwrap();

    assert_eq!(taken(&mut stream), [3]);
}

#[test]
fn items_count_the_bytes_of_their_type_within_the_process() {
    let (mut sender, stream) = channel::<[u64; 16], CallError>();
    let mut stream = stream.with_window(Window { items: 100, bytes: 300 });
    assert!(next_now(&mut stream).is_none());

    let sent = (0..100).take_while(|_| sender.try_send([0; 16]).is_ok()).count();

    assert_eq!(sent, 3, "the last one begins within the bytes");
}

#[test]
fn items_count_their_own_bytes_once_they_are_read_as_bytes() {
    let (near, far) = started_channel();
    let mut sender = StreamSender::<(String, Buffer)>::from(near);
    post_frame(&far, &StreamFrame::Credit { grant: Window { items: 1000, bytes: 2000 } });
    sender.try_send((String::new(), Buffer::default())).unwrap();
    drop(take(&far));
    sender.try_send((String::new(), Buffer::default())).unwrap();

    let item = || ("x".repeat(400), Buffer::from(vec![0; 600]));
    let sent = (0..100).take_while(|_| sender.try_send(item()).is_ok()).count();

    assert_eq!(sent, 2);
}

/// What a relay turns into bytes has cost its producer the size of its type, and that is what is granted back.
#[test]
fn a_window_does_not_shrink_when_items_are_smaller_as_bytes_than_as_values() {
    let (ours, near) = ports();
    let (far, theirs) = ports();
    let mut sender = StreamSender::<[u64; 8]>::from(ours);
    let stream = Streaming::<[u64; 8], CallError>::from(theirs).with_window(Window { items: 8, bytes: 256 });
    let produce = async {
        for item in 0..1000 {
            sender.send([item; 8]).await.unwrap();
        }
        sender.finish().await.unwrap();
    };

    let (_, items) = run(select_relay(near, far, join(produce, stream.collect::<Vec<_>>())));

    assert_eq!(items.len(), 1000);
}

/// Passes frames on both ways for as long as something else runs.
async fn select_relay<R>(near: MessagePort, far: MessagePort, work: impl Future<Output = R>) -> R {
    near.start();
    far.start();
    let relay = join(pass_on(&near, &far), pass_on(&far, &near));
    let work = pin!(work);
    match select(work, pin!(relay)).await {
        futures::future::Either::Left((result, _)) => result,
        futures::future::Either::Right((_, work)) => work.await,
    }
}

async fn pass_on(from: &MessagePort, to: &MessagePort) {
    while let Ok(message) = from.recv().await {
        to.post_message(message).unwrap();
    }
    to.close();
}

#[test]
fn an_item_larger_than_the_window_goes_by_itself() {
    let (mut sender, stream) = channel::<[u64; 16], CallError>();
    let stream = stream.with_window(Window { items: 10, bytes: 1 });
    let produce = async {
        for _ in 0..10 {
            sender.send([0; 16]).await.unwrap();
        }
        sender.finish().await.unwrap();
    };

    let ((), items) = run(join(produce, stream.count()));

    assert_eq!(items, 10);
}

// Slow consumers

#[test]
fn the_oldest_that_wait_are_dropped_and_counted() {
    let (sender, mut stream) = begun(2);
    let mut sender = sender.with_overflow(Overflow::DropOldest { waiting: 2 });
    (0..7).for_each(|item| sender.try_send(item).unwrap());

    assert_eq!(sender.dropped(), 3);
    let finish = sender.finish();
    let (finished, items) = run(join(finish, stream.by_ref().collect::<Vec<_>>()));
    assert_eq!(finished, Ok(()));
    assert_eq!(items, [0, 1, 5, 6].map(Ok));
}

#[test]
fn the_newest_are_dropped_and_counted() {
    let (sender, mut stream) = begun(2);
    let mut sender = sender.with_overflow(Overflow::DropNewest);
    (0..5).for_each(|item| sender.try_send(item).unwrap());

    assert_eq!(sender.dropped(), 3);
    assert_eq!(taken(&mut stream), [0, 1]);
}

#[test]
fn only_the_latest_is_kept() {
    let (sender, mut stream) = begun(1);
    let mut sender = sender.with_overflow(Overflow::KeepLatest);
    (0..5).for_each(|item| sender.try_send(item).unwrap());
    assert_eq!(taken(&mut stream), [0]);

    assert_eq!(sender.flush().now_or_never(), Some(Ok(())));

    assert_eq!(taken(&mut stream), [4]);
    assert_eq!(sender.dropped(), 3);
}

#[test]
fn a_consumer_that_is_too_slow_is_told_so_after_what_was_sent() {
    let (sender, stream) = begun(2);
    let mut sender = sender.with_overflow(Overflow::End);
    sender.try_send(0).unwrap();
    sender.try_send(1).unwrap();

    assert_eq!(sender.try_send(2), Err(TrySendError::Closed(SendError::TooSlow)));

    assert_eq!(sender.send(3).now_or_never(), Some(Err(SendError::TooSlow)));
    drop(sender);
    assert_eq!(all(stream), [Ok(0), Ok(1), Err(cut_by(StreamFault::TooSlow))]);
}

#[test]
fn a_consumer_that_was_never_polled_is_not_too_slow() {
    for overflow in [Overflow::DropNewest, Overflow::KeepLatest, Overflow::End, Overflow::DropOldest { waiting: 1 }] {
        let (sender, mut stream) = numbers();
        let mut sender = sender.with_overflow(overflow);
        assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)), "{overflow:?}");

        assert_eq!(next_now(&mut stream), None);

        assert_eq!(sender.try_send(1), Ok(()), "{overflow:?}");
    }
}

// Feeds

#[test]
fn a_feed_sends_all_that_its_source_yields_and_finishes() {
    let (sender, stream) = numbers();

    let ((), items) = run(join(Feed::new(stream::iter(0..10_000), sender), stream.collect::<Vec<_>>()));

    assert_eq!(items, (0..10_000).map(Ok).collect::<Vec<_>>());
}

#[test]
fn a_feed_takes_no_more_from_its_source_than_was_granted() {
    let (sender, _stream) = begun(3);
    let yielded = Rc::new(RefCell::new(0));
    let source = stream::iter(0..10).inspect(|_| *yielded.borrow_mut() += 1);

    assert!(sender.send_all(source).now_or_never().is_none());

    assert_eq!(*yielded.borrow(), 3);
}

/// A source that never yields, and whose drop can be seen.
fn silent() -> (Rc<()>, impl Stream<Item = u32> + Unpin) {
    let token = Rc::new(());
    let held = token.clone();
    let source = stream::poll_fn(move |_| {
        let _held = &held;
        Poll::Pending
    });
    (token, source)
}

#[test]
fn a_feed_that_waits_for_credit_has_sent_all_that_it_took_from_its_source() {
    for granted in 1..100 {
        let (sender, mut stream) = begun(granted);

        let mut feed = sender.send_all(stream::iter(0..));
        assert!((&mut feed).now_or_never().is_none());

        assert_eq!(std::iter::from_fn(|| next_now(&mut stream)).take(granted as usize).count(), granted as usize);
    }
}

#[test]
fn a_feed_drops_its_source_when_the_consumer_is_dropped() {
    let (sender, stream) = begun(3);
    let (token, source) = silent();
    let mut feed = sender.send_all(source);
    let (wakes, waker) = Wakes::new();
    assert!(poll(&mut feed, &waker).is_pending());

    drop(stream);

    assert_eq!(wakes.count(), 1);
    assert!(poll(&mut feed, &waker).is_ready());
    assert_eq!(Rc::strong_count(&token), 1);
}

#[test]
fn a_feed_drops_its_source_and_finishes_when_the_consumer_stops_it() {
    let (sender, mut stream) = begun(3);
    let (token, source) = silent();
    let mut feed = sender.send_all(stream::iter([7]).chain(source));
    let (wakes, waker) = Wakes::new();
    assert!(poll(&mut feed, &waker).is_pending());

    stream.stop();

    assert_eq!(wakes.count(), 1);
    assert!(poll(&mut feed, &waker).is_ready());
    assert_eq!(Rc::strong_count(&token), 1);
    assert_eq!(all(stream), [Ok(7)]);
}

#[test]
fn a_feed_whose_source_panics_tells_the_consumer_what_it_said_and_panics() {
    let (sender, stream) = begun(8);
    let source = stream::iter(0..7).inspect(|&item| assert!(item < 5, "five is too many"));
    let mut feed = sender.send_all(source);

    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (&mut feed).now_or_never())).unwrap_err();

    assert_eq!(panic.downcast_ref::<&str>(), Some(&"five is too many"));
    let panicked = CallError::Unknown(Interruption::Panicked("five is too many".into()));
    assert_eq!(all(stream), [Ok(0), Ok(1), Ok(2), Ok(3), Ok(4), Err(panicked)]);
}

#[test]
fn a_feed_gives_the_executor_a_turn_however_much_there_is_to_send() {
    let (sender, stream) = numbers();
    let mut stream = stream.with_window(Window { items: u32::MAX, bytes: u32::MAX });
    assert_eq!(next_now(&mut stream), None);
    let (wakes, waker) = Wakes::new();

    assert!(poll(&mut sender.send_all(stream::repeat(1)), &waker).is_pending());

    assert_eq!(wakes.count(), 1);
}

#[test]
fn a_feed_that_keeps_the_latest_sends_it_when_there_is_credit_though_its_source_is_silent() {
    let (sender, mut stream) = begun(1);
    let (_token, silence) = silent();
    let mut feed = sender.with_overflow(Overflow::KeepLatest).send_all(stream::iter(0..5).chain(silence));
    let (wakes, waker) = Wakes::new();
    assert!(poll(&mut feed, &waker).is_pending());

    assert_eq!(taken(&mut stream), [0]);
    assert_eq!(wakes.count(), 1);
    assert!(poll(&mut feed, &waker).is_pending());

    assert_eq!(taken(&mut stream), [4]);
}

#[test]
fn a_stream_polls_its_feed_so_that_both_directions_go_on_at_once() {
    let (up, mut arriving) = numbers();
    let (mut down, coming_back) = numbers();
    let coming_back = coming_back.with_feed(up.send_all(stream::iter(0..1000)));
    let echo = async {
        while let Some(item) = arriving.next().await {
            down.send(item.unwrap() * 2).await.unwrap();
        }
        down.finish().await.unwrap();
    };

    let ((), items) = run(join(echo, coming_back.collect::<Vec<_>>()));

    assert_eq!(items, (0..1000).map(|item| Ok(item * 2)).collect::<Vec<_>>());
}

#[test]
fn two_feeds_go_on_beside_each_other_until_both_are_done() {
    let ((one, first), (two, second)) = (numbers(), numbers());
    let mut both = pin!(Both::new(one.send_all(stream::iter(0..3)), two.send_all(stream::iter(3..600))));
    let feeding = poll_fn(|cx| both.as_mut().poll_feed(cx));

    let ((), (first, second)) = run(join(feeding, join(first.count(), second.count())));

    assert_eq!((first, second), (3, 597));
}

#[test]
fn streams_of_values_that_stay_on_their_thread_can_be_fed() {
    let (sender, stream) = numbers();
    let shared = Rc::new(7);
    let source = stream::iter([shared]).map(|shared| *shared);

    let ((), items) = run(join(sender.send_all(source), stream.collect::<Vec<_>>()));

    assert_eq!(items, [Ok(7)]);
}

// Items by themselves

#[test]
fn items_end_when_the_stream_was_finished() {
    let (sender, stream) = numbers();
    let items = stream.into_items();
    let cut = items.cut_signal();

    let ((), items) = run(join(sender.send_all(stream::iter(0..3)), items.collect::<Vec<_>>()));

    assert_eq!(items, [0, 1, 2]);
    assert_eq!(cut.now_or_never(), None);
}

#[test]
fn items_of_a_stream_that_was_cut_never_end_and_the_signal_says_why() {
    let (mut sender, stream) = begun(3);
    let mut items = stream.into_items();
    let mut cut = items.cut_signal();
    let (wakes, waker) = Wakes::new();
    assert!(poll(&mut cut, &waker).is_pending());
    sender.try_send(1).unwrap();
    drop(sender);

    assert_eq!(next_now(&mut items), Some(Some(1)));
    assert_eq!(next_now(&mut items), None);

    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(&mut cut, &waker), Poll::Ready(closed_error()));
    assert_eq!(next_now(&mut items), None);
}

#[test]
fn results_are_items_too() {
    let (sender, stream) = channel::<u32, RpcError<String>>();
    let source = stream::iter([Ok(1), Err("two".to_owned())]);

    let ((), items) = run(join(sender.send_all(source), stream.into_results().collect::<Vec<_>>()));

    assert_eq!(items, [Ok(1), Err("two".into())]);
}

// Handing on

/// Moves a value through a channel, as bytes.
fn sent<T: Serialize + DeserializeOwned>(value: T) -> T {
    let (near, far) = started_channel();
    near.post_value(value).map_err(|error| error.to_string()).unwrap();
    far.recv_value().now_or_never().unwrap().unwrap().data
}

#[test]
fn a_stream_that_is_handed_on_takes_along_what_it_holds_and_what_waits_for_it() {
    let (mut sender, mut stream) = begun(8);
    (0..3).for_each(|item| sender.try_send(item).unwrap());
    assert_eq!(next_now(&mut stream), Some(Some(Ok(0))));
    sender.try_send(3).unwrap();

    let stream = sent(("a stream".to_owned(), stream)).1;

    sender.try_send(4).unwrap();
    sender.finish().now_or_never().unwrap().unwrap();
    assert_eq!(all(stream), (1..5).map(Ok).collect::<Vec<_>>());
}

#[test]
fn a_stream_that_is_handed_on_grants_no_more_than_its_window() {
    let window = Window::of::<u32>().items;
    let (mut sender, mut stream) = begun(window);
    assert_eq!(next_now(&mut stream), None);
    (0..100).for_each(|item| sender.try_send(item).unwrap());
    assert_eq!(next_now(&mut stream), Some(Some(Ok(0))));

    let mut stream = sent(stream);
    let _polled = next_now(&mut stream);

    let more = (0..2 * window).take_while(|&item| sender.try_send(item).is_ok()).count();
    assert_eq!(more, window as usize - 100, "what was granted before");
}

#[test]
fn a_sender_that_is_handed_on_takes_along_its_credit_and_what_waits() {
    let (sender, mut stream) = begun(2);
    let mut sender = sender.with_overflow(Overflow::DropOldest { waiting: 2 });
    (0..6).for_each(|item| sender.try_send(item).unwrap());

    let mut sender = sent(vec![sender]).remove(0);

    assert_eq!(sender.dropped(), 2);
    assert_eq!(taken(&mut stream), [0, 1]);
    assert_eq!(sender.flush().now_or_never(), Some(Ok(())));
    assert_eq!(taken(&mut stream), [4, 5]);
}

#[test]
fn a_sender_that_is_handed_on_sends_what_is_left_of_its_credit() {
    let (mut sender, mut stream) = begun(4);
    sender.try_send(0).unwrap();

    let mut sender = sent(sender).with_overflow(Overflow::DropNewest);

    (1..9).for_each(|item| sender.try_send(item).unwrap());
    assert_eq!(sender.dropped(), 5);
    assert_eq!(taken(&mut stream), [0, 1, 2, 3]);
}

#[test]
fn a_sender_that_was_stopped_and_is_handed_on_stays_stopped() {
    let (mut sender, mut stream) = begun(4);
    stream.stop();
    assert_eq!(sender.closed().now_or_never(), Some(ConsumerEnd::Stopped));

    let mut sender = sent(sender);

    assert_eq!(sender.try_send(1), Err(TrySendError::Closed(SendError::Stopped)));
    drop(sender);
    assert_eq!(all(stream), []);
}

#[test]
fn a_sender_that_is_handed_on_hears_the_credit_that_came_before() {
    let (mut sender, mut stream) = begun(2);
    sender.try_send(0).unwrap();
    sender.try_send(1).unwrap();
    assert_eq!(taken(&mut stream), [0, 1]);

    let mut sender = sent(sender);

    assert_eq!(sender.try_send(2), Ok(()));
    assert_eq!(sender.try_send(3), Ok(()));
    assert_eq!(sender.try_send(4), Err(TrySendError::Full(4)));
}

#[test]
fn a_stream_that_was_handed_on_unread_goes_on_without_whoever_handed_it_on() {
    let (sender, stream) = numbers();
    let stream = {
        let (near, far) = started_channel();
        near.post_value(stream).unwrap();
        drop(near);
        far.recv_value::<Numbers>().now_or_never().unwrap().unwrap().data
    };

    let ((), items) = run(join(sender.send_all(stream::iter(0..600)), stream.count()));

    assert_eq!(items, 600);
}

#[test]
fn streams_may_be_items_of_streams() {
    let (outer, streams) = channel::<Numbers, CallError>();
    let ((one, first), (two, second)) = (numbers(), numbers());
    let produce = join(one.send_all(stream::iter(0..3)), two.send_all(stream::iter(3..5)));
    let outer = outer.send_all(stream::iter([first, second]));

    let consume = streams.map(Result::unwrap).flatten().collect::<Vec<_>>();
    let ((_, ()), items) = run(join(join(produce, outer), consume));

    assert_eq!(items, (0..5).map(Ok).collect::<Vec<_>>());
}

// As bytes

#[test]
fn a_reader_of_frames_gets_the_items_of_a_batch_in_one_frame() {
    let (near, far) = started_channel();
    let mut sender = StreamSender::<u32>::from(near);
    post_frame(&far, &StreamFrame::Credit { grant: Window { items: 2, bytes: MIB } });

    sender.try_send(7).unwrap();
    sender.try_send(8).unwrap();
    assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
    assert_eq!(sender.finish().now_or_never(), Some(Ok(())));

    assert_frame(&far, &StreamFrame::Items { cost: 8, items: &[0, 7, 0, 8] });
    assert_frame(&far, &StreamFrame::End);
    assert_eq!(common::closed_by(&far), Some(ClosedBy::Peer));
}

#[test]
fn a_writer_of_frames_is_granted_credit_and_read() {
    let (near, far) = started_channel();
    let mut stream = Numbers::from(near).with_window(Window { items: 2, bytes: 10 });
    assert_eq!(next_now(&mut stream), None);
    assert_frame(&far, &StreamFrame::Credit { grant: Window { items: 2, bytes: 10 } });

    post_frame(&far, &StreamFrame::Items { cost: 5, items: &[0, 7, 0, 8] });
    post_frame(&far, &StreamFrame::End);

    assert_eq!(next_now(&mut stream), Some(Some(Ok(7))));
    assert_eq!(next_now(&mut stream), Some(Some(Ok(8))));
    assert_eq!(next_now(&mut stream), Some(None));
    assert_frame(&far, &StreamFrame::Credit { grant: Window { items: 1, bytes: 3 } });
    assert_frame(&far, &StreamFrame::Credit { grant: Window { items: 1, bytes: 2 } });
    assert_eq!(common::closed_by(&far), Some(ClosedBy::Peer));
}

#[test]
fn a_reader_of_frames_sees_a_stop_and_an_abort() {
    let (near, far) = started_channel();
    let mut stream = Numbers::from(near);

    stream.stop();
    assert_frame(&far, &StreamFrame::Stop);

    drop(stream);
    assert_eq!(common::closed_by(&far), Some(ClosedBy::Peer));
}

#[test]
fn a_stream_goes_on_through_a_relay_of_frames() {
    let (ours, near) = ports();
    let (far, theirs) = ports();
    let feed = StreamSender::<u32>::from(ours).send_all(stream::iter(0..2000));
    let stream = Streaming::<u32, CallError>::from(theirs);

    let ((), items) = run(select_relay(near, far, join(feed, stream.collect::<Vec<_>>())));

    assert_eq!(items, (0..2000).map(Ok).collect::<Vec<_>>());
}

#[test]
fn ports_in_items_arrive_through_a_relay_of_frames() {
    let (ours, near) = ports();
    let (far, theirs) = ports();
    let (kept, inside) = started_channel();
    let feed = StreamSender::<(u8, MessagePort)>::from(ours).send_all(stream::iter([(1, inside)]));
    let stream = Streaming::<(u8, MessagePort), CallError>::from(theirs);

    let ((), items) = run(select_relay(near, far, join(feed, stream.collect::<Vec<_>>())));

    let [Ok((1, port))] = &items[..] else { panic!("{items:?}") };
    kept.post_message("ping").unwrap();
    port.start();
    assert_eq!(take(port).data(), b"ping");
}

/// Does not serialise if it is `false`.
#[derive(Debug, PartialEq, Deserialize)]
struct Picky(bool);

impl Serialize for Picky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 { serializer.serialize_bool(true) } else { Err(ser::Error::custom("on purpose")) }
    }
}

#[test]
fn an_item_that_cannot_be_encoded_fails_the_stream_at_both_ends() {
    let (near, far) = started_channel();
    let mut sender = StreamSender::<Picky>::from(near);
    post_frame(&far, &StreamFrame::Credit { grant: Window::default() });
    sender.try_send(Picky(true)).unwrap();
    sender.try_send(Picky(false)).unwrap();

    let message = take(&far);

    let failed = StreamFrame::parse(message.data()).unwrap();
    assert!(matches!(failed, StreamFrame::Failed { fault: Fault::Interrupted(Interruption::UnreadableReply(_)) }));
    let error = sender.try_send(Picky(true)).unwrap_err();
    assert!(matches!(error, TrySendError::Closed(SendError::Unencodable(_))), "{error:?}");
}

#[test]
fn a_consumer_of_other_items_reads_the_batch_as_bytes() {
    let (near, far) = ports();
    let mut sender = StreamSender::<u32>::from(near);
    let mut stream = Streaming::<u64, CallError>::from(far);
    assert!(next_now(&mut stream).is_none());

    sender.try_send(7).unwrap();

    assert_eq!(taken(&mut stream), [7_u64]);
}

// Peers that do as they like

/// A stream that has granted a window of two items, and the port of its producer.
fn hostile() -> (MessagePort, Numbers) {
    let (near, far) = started_channel();
    let mut stream = Numbers::from(far).with_window(Window { items: 2, bytes: MIB });
    assert_eq!(next_now(&mut stream), None);
    drop(take(&near));
    (near, stream)
}

#[test]
fn more_items_than_were_granted_cut_the_stream_after_those_that_were() {
    let (peer, mut stream) = hostile();

    post_items(&peer, &[0, 1, 0, 2, 0, 3]);

    assert_eq!(all(&mut stream), [Ok(1), Ok(2), Err(cut_by(StreamFault::Overrun))]);
    assert_eq!(common::closed_by(&peer), Some(ClosedBy::Peer));
}

#[test]
fn what_was_consumed_and_not_granted_again_is_more_than_was_granted() {
    let (near, far) = started_channel();
    let mut stream = Numbers::from(far).with_window(Window { items: 3, bytes: MIB });
    assert_eq!(next_now(&mut stream), None);
    post_items(&near, &[0, 1, 0, 2, 0, 3]);
    post_items(&near, &[0, 4, 0, 5, 0, 6]);

    let items = all(&mut stream);

    assert_eq!(items[..5], [1, 2, 3, 4, 5].map(Ok), "two were granted again");
    assert_eq!(items[5..], [Err(cut_by(StreamFault::Overrun))]);
}

#[test]
fn items_that_cannot_be_read_cut_the_stream_after_those_that_can() {
    for broken in [&[0, 1, 7][..], &[0, 1, 0], &[0, 1, 0, 255, 255, 255, 255, 255, 255]] {
        let (peer, mut stream) = hostile();

        post_items(&peer, broken);

        let items = all(&mut stream);
        assert_eq!(items.len(), 2, "{items:?}");
        assert_eq!(items[0], Ok(1));
        assert!(matches!(&items[1], Err(CallError::Unknown(Interruption::UnreadableReply(_)))), "{items:?}");
        assert!(peer.is_closed());
    }
}

#[test]
fn frames_that_are_not_for_a_consumer_cut_the_stream() {
    let strange = [
        StreamFrame::Stop.to_bytes(),
        StreamFrame::Credit { grant: Window::default() }.to_bytes(),
        StreamFrame::Items { cost: u64::MAX, items: &[] }.to_bytes(),
        vec![],
        vec![1],
        vec![1, 1, 1, 0, 0, 0, 0],
        vec![2, 0x22],
        vec![1, 0x22, 0],
        vec![1, 0x26],
    ];
    for frame in strange {
        let (peer, mut stream) = hostile();

        peer.post_message(frame.clone()).unwrap();

        let items = all(&mut stream);
        assert!(
            matches!(&items[..], [Err(CallError::Unknown(Interruption::UnreadableReply(_)))]),
            "{frame:?}: {items:?}"
        );
        assert!(peer.is_closed());
    }
}

#[test]
fn nothing_that_comes_after_the_end_is_read() {
    let (peer, mut stream) = hostile();
    post_items(&peer, &[0, 1]);
    post_frame(&peer, &StreamFrame::End);
    post_items(&peer, &[0, 2]);
    post_frame(&peer, &StreamFrame::Failed { fault: StreamFault::TooSlow.into() });

    assert_eq!(all(&mut stream), [Ok(1)]);
}

#[test]
fn a_cost_of_any_number_is_survived() {
    let (peer, mut stream) = hostile();

    post_frame(&peer, &StreamFrame::Items { cost: u64::MAX, items: &[0, 1, 0, 2] });
    assert_eq!(taken(&mut stream), [1, 2]);
    post_frame(&peer, &StreamFrame::Items { cost: u64::MAX, items: &[0, 1] });

    assert!(next_now(&mut stream).is_some());
}

#[test]
fn a_producer_ignores_what_is_no_credit_and_no_stop() {
    let (near, far) = started_channel();
    let mut sender = StreamSender::<u32>::from(near);
    for frame in [StreamFrame::End.to_bytes(), vec![], vec![1, 0x26], vec![9, 9], vec![1, 0x24, 255]] {
        far.post_message(frame).unwrap();
    }
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));

    post_frame(&far, &StreamFrame::Credit { grant: Window { items: u32::MAX, bytes: u32::MAX } });
    post_frame(&far, &StreamFrame::Credit { grant: Window { items: u32::MAX, bytes: u32::MAX } });

    assert_eq!(sender.try_send(1), Ok(()));
    assert_frame(&far, &StreamFrame::Items { cost: 4, items: &[0, 1] });
}

#[test]
fn an_end_of_a_stream_with_impossible_numbers_is_survived() {
    // A port, what was granted, what each item has cost, and an item.
    type Consumer = (MessagePort, (u32, i64), u64, VecDeque<Result<u32, u32>>);
    for (items, bytes, each) in [(0, i64::MIN, u64::MAX), (u32::MAX, i64::MAX, u64::MAX), (1, -1, 0)] {
        let (near, far) = started_channel();
        let (ours, theirs) = ports();
        let value: Consumer = (theirs, (items, bytes), each, [Ok(5), Ok(6)].into());
        near.post_value(value).unwrap();
        let mut stream = far.recv_value::<Numbers>().now_or_never().unwrap().unwrap().data;

        assert_eq!(taken(&mut stream), [5, 6]);

        ours.close();
        assert_eq!(all(&mut stream), [Err(closed_error())]);
    }
}

// Threads

#[test]
fn a_stream_between_two_threads_loses_and_doubles_nothing() {
    for window in [1, 2, 7, 256] {
        let (mut sender, stream) = numbers();
        let producer = thread::spawn(move || {
            block_on(async {
                for item in 0..5_000 {
                    sender.send(item).await.unwrap();
                }
                sender.finish().await.unwrap();
            });
        });

        let stream = stream.with_window(Window { items: window, ..Window::default() });
        let items = block_on(stream.collect::<Vec<_>>());

        producer.join().unwrap();
        assert_eq!(items, (0..5_000).map(Ok).collect::<Vec<_>>());
    }
}

#[test]
fn streams_and_their_futures_may_go_to_other_threads() {
    fn may_go<T: Send>(_: &T) {}
    let (mut sender, stream) = numbers();
    may_go(&sender.send(1));
    may_go(&sender.closed());
    may_go(&stream);
    may_go(&sender.send_all(stream::iter(0..1)));
    let (sender, stream) = numbers();
    may_go(&sender.finish());
    may_go(&stream.into_items());
}

// Memory

#[test]
fn a_batch_is_one_post_and_one_wake_for_many_items() {
    let (mut sender, mut stream) = begun(100);
    let (wakes, waker) = Wakes::new();
    assert!(poll(&mut stream.next(), &waker).is_pending());

    (0..100).for_each(|item| sender.try_send(item).unwrap());

    assert_eq!(wakes.count(), 1);
    assert_eq!(taken(&mut stream).len(), 100);
}

#[test]
fn what_was_sent_and_never_read_is_dropped_with_the_stream() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Held {
        #[serde(skip)]
        _token: Arc<()>,
    }
    let token = Arc::new(());
    let (mut sender, mut stream) = channel::<Held, CallError>();
    assert!(next_now(&mut stream).is_none());
    sender.try_send(Held { _token: token.clone() }).unwrap();
    sender.try_send(Held { _token: token.clone() }).unwrap();

    drop(stream);

    assert_eq!(Arc::strong_count(&token), 1, "though the sender lives");
    drop(sender);
}

#[test]
fn a_stream_that_goes_on_allocates_for_credit_and_not_for_items() {
    let (mut sender, mut stream) = begun(256);
    let mut some = |times| {
        for _ in 0..times {
            (0..128).for_each(|item| sender.try_send(item).unwrap());
            (0..128).for_each(|item| assert_eq!(next_now(&mut stream), Some(Some(Ok(item)))));
        }
    };
    some(4);

    let allocated = allocation_counter::measure(|| some(10));

    assert!(allocated.count_total <= 20, "{} allocations for 1280 items", allocated.count_total);
    assert_eq!(allocated.count_current, 0);
}

/// Drops a stream when it is woken.
struct Dropper(Mutex<Option<Numbers>>);

impl Wake for Dropper {
    fn wake(self: Arc<Self>) {
        let stream = self.0.lock().unwrap().take();
        drop(stream);
    }
}

#[test]
fn a_waker_may_drop_the_stream_that_wakes_it() {
    let (mut sender, mut stream) = begun(4);
    let dropper = Arc::new(Dropper(Mutex::new(None)));
    assert!(poll(&mut stream.next(), &dropper.clone().into()).is_pending());
    *dropper.0.lock().unwrap() = Some(stream);

    assert_eq!(sender.try_send(1), Ok(()));

    assert_eq!(sender.try_send(2), Err(TrySendError::Closed(SendError::Gone)));
}

/// WIRE.md, "In a value"
#[test]
fn new_ends_of_a_stream_are_written_as_the_wire_specification_says() {
    let (near, far) = started_channel();
    let (sender, stream) = numbers();

    near.post_value(stream).unwrap();
    near.post_value(sender).unwrap();

    assert_eq!(take(&far).data(), [0; 5]);
    assert_eq!(take(&far).data(), [0; 8]);
}

/// WIRE.md, "In a value"
#[test]
fn ends_of_a_stream_that_has_begun_are_written_as_the_wire_specification_says() {
    let (near, far) = started_channel();
    let (sender, mut stream) = begun(3);
    let mut sender = sender.with_overflow(Overflow::DropOldest { waiting: 1 });
    (7..12).for_each(|item| sender.try_send(item).unwrap());
    assert_eq!(next_now(&mut stream), Some(Some(Ok(7))));

    near.post_value(stream).unwrap();
    near.post_value(sender).unwrap();

    let bytes = |left: u32| postcard::to_allocvec(&i64::from(left)).unwrap();
    let left = bytes(MIB - 12);
    assert_eq!(take(&far).data(), [&[0, 0][..], &left, &[4, 2, 0, 8, 0, 9]].concat());
    assert_eq!(take(&far).data(), [&[0, 0][..], &left, &[1, 0, 1, 1, 1, 1, 0, 11]].concat());
}
