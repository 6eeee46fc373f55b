//! Streams in the signatures of services: what a method returns bit by bit, and what it takes so.

mod common;

use std::{
    cell::{Cell, RefCell},
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use common::{Way, over_every_way, settle};
use futures::{
    FutureExt, StreamExt,
    channel::mpsc,
    future::{join, pending},
    poll, stream,
};
use handover::{
    Interruption, Streaming,
    clock::{self, ManualClock},
    context,
    prelude::*,
    rpc::{StreamFault, Wire},
    stream::{Stream, Window},
};
use serde::{Deserialize, Serialize};

const SECOND: Duration = Duration::from_secs(1);

/// A stream as a value among others.
#[derive(Debug, Serialize, Deserialize)]
struct Session {
    name: String,
    numbers: Streaming<u32>,
}

/// An alias of a `Result`, as many crates have one.
mod io {
    pub(super) type Result<T, E = String> = std::result::Result<T, E>;
}

#[service]
trait Numbers {
    /// Ends.
    fn count_to(&self, end: u32) -> impl Stream<Item = u32> + Send + 'static;
    /// Does not end, unless it is ended.
    fn count(&self) -> impl Stream<Item = u32>;
    async fn open(&self, name: &str) -> Result<impl Stream<Item = u8>, String>;
    async fn open_alias(&self, name: String) -> io::Result<impl Stream<Item = u8>>;
    /// Halves numbers, as far as that goes.
    async fn halves(&self, numbers: Vec<u32>) -> impl Stream<Item = Result<u32, String>>;
    /// Borrows from the service and from what is lent.
    fn notes_with<'s>(&'s self, context: &'s CallContext, prefix: &'s str) -> impl Stream<Item = String> + 's;
    fn fall_over(&self, after: u32) -> impl Stream<Item = u32>;

    async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32;
    async fn sum_all(
        &self,
        first: impl Stream<Item = u32> + Unpin + Send,
        factor: u32,
        second: impl Stream<Item = u32>,
    ) -> Result<u32, String>;
    /// Sums up to the first error.
    async fn sum_results(&self, numbers: impl Stream<Item = Result<u32, String>>) -> Result<u32, String>;
    /// Reads so many.
    async fn take(&self, count: u32, numbers: impl Stream<Item = u32>) -> Vec<u32>;
    /// Says how many have come to an end, and how many were begun.
    async fn endings(&self) -> (usize, usize);

    fn double(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = u32>;
    async fn merge(
        &self,
        first: impl Stream<Item = u32> + Send,
        second: impl Stream<Item = Result<u32, String>> + Send,
    ) -> Result<impl Stream<Item = Result<u32, String>>, String>;

    async fn sum_value(&self, numbers: Streaming<u32>) -> Result<u32, String>;
    async fn sum_session(&self, session: Session) -> Result<u32, String>;
    async fn session(&self, end: u32) -> Session;
    async fn die(&self);
}

/// What a service has seen, for tests on any thread.
#[derive(Clone, Default)]
struct Seen {
    /// Streams and methods that were dropped, ended or not.
    dropped: Arc<AtomicUsize>,
    begun: Arc<AtomicUsize>,
    /// Streams in arguments that were read to their end.
    ended: Arc<AtomicUsize>,
    produced: Arc<AtomicUsize>,
}

/// Notes that it was dropped.
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Seen {
    fn begin(&self) -> Guard {
        self.begun.fetch_add(1, Ordering::SeqCst);
        Guard(self.dropped.clone())
    }

    fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }

    fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    fn produced(&self) -> usize {
        self.produced.load(Ordering::SeqCst)
    }
}

struct Arithmetic {
    seen: Seen,
    notes: Vec<String>,
    dies: RefCell<Option<futures::channel::oneshot::Sender<()>>>,
}

impl Arithmetic {
    fn new(seen: &Seen) -> Self {
        Self { seen: seen.clone(), notes: vec!["one".into(), "two".into()], dies: RefCell::default() }
    }

    /// Goes on until it is dropped.
    fn counting(&self) -> impl Stream<Item = u32> + use<> {
        let (guard, produced) = (self.seen.begin(), self.seen.produced.clone());
        stream::iter(0..).inspect(move |_| {
            let _guard = &guard;
            produced.fetch_add(1, Ordering::SeqCst);
        })
    }

    async fn read(&self, numbers: impl Stream<Item = u32>) -> u32 {
        let _guard = self.seen.begin();
        let sum = numbers.fold(0_u32, async |sum, number| sum.wrapping_add(number)).await;
        self.seen.ended.fetch_add(1, Ordering::SeqCst);
        sum
    }
}

fn bytes_of(name: &str) -> Result<impl Stream<Item = u8> + use<>, String> {
    if name.is_empty() { Err("no name".into()) } else { Ok(stream::iter(name.as_bytes().to_vec())) }
}

impl Numbers for Arithmetic {
    fn count_to(&self, end: u32) -> impl Stream<Item = u32> + Send + 'static {
        stream::iter(1..=end)
    }

    fn count(&self) -> impl Stream<Item = u32> {
        self.counting()
    }

    async fn open(&self, name: &str) -> Result<impl Stream<Item = u8>, String> {
        bytes_of(name)
    }

    async fn open_alias(&self, name: String) -> io::Result<impl Stream<Item = u8>> {
        bytes_of(&name)
    }

    async fn halves(&self, numbers: Vec<u32>) -> impl Stream<Item = Result<u32, String>> {
        stream::iter(numbers)
            .map(|number| if number % 2 == 0 { Ok(number / 2) } else { Err(format!("{number} is odd")) })
    }

    fn notes_with<'s>(&'s self, context: &'s CallContext, prefix: &'s str) -> impl Stream<Item = String> + 's {
        stream::iter(&self.notes).map(move |note| format!("{}: {prefix}{note}", context.name()))
    }

    fn fall_over(&self, after: u32) -> impl Stream<Item = u32> {
        stream::iter(0..).inspect(move |number| assert!(*number < after, "fell over"))
    }

    async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32 {
        self.read(numbers).await
    }

    async fn sum_all(
        &self,
        first: impl Stream<Item = u32> + Unpin + Send,
        factor: u32,
        second: impl Stream<Item = u32>,
    ) -> Result<u32, String> {
        let (first, second) = join(self.read(first), self.read(second)).await;
        Ok(factor * (first + second))
    }

    async fn sum_results(&self, numbers: impl Stream<Item = Result<u32, String>>) -> Result<u32, String> {
        let mut numbers = pin!(numbers);
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }

    async fn take(&self, count: u32, numbers: impl Stream<Item = u32>) -> Vec<u32> {
        numbers.take(usize::try_from(count).unwrap()).collect().await
    }

    async fn endings(&self) -> (usize, usize) {
        (self.seen.ended(), self.seen.begun.load(Ordering::SeqCst))
    }

    fn double(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = u32> {
        let guard = self.seen.begin();
        numbers.map(move |number| {
            let _guard = &guard;
            number.wrapping_mul(2)
        })
    }

    async fn merge(
        &self,
        first: impl Stream<Item = u32> + Send,
        second: impl Stream<Item = Result<u32, String>> + Send,
    ) -> Result<impl Stream<Item = Result<u32, String>>, String> {
        let mut second = Box::pin(second);
        match second.next().await {
            Some(Ok(0)) => Ok(first.map(Ok).chain(second)),
            other => Err(format!("expected a zero: {other:?}")),
        }
    }

    async fn sum_value(&self, mut numbers: Streaming<u32>) -> Result<u32, String> {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += number.map_err(|error| error.to_string())?;
        }
        Ok(sum)
    }

    async fn sum_session(&self, session: Session) -> Result<u32, String> {
        assert_eq!(session.name, "a session");
        self.sum_value(session.numbers).await
    }

    async fn session(&self, end: u32) -> Session {
        let (sender, numbers) = handover::stream::channel();
        context::spawn_local(sender.send_all(stream::iter(1..=end)));
        Session { name: "a session".into(), numbers }
    }

    async fn die(&self) {
        drop(self.dies.take());
        pending().await
    }
}

/// A service, and what it sees.
fn numbers(way: Way) -> (NumbersClient, Seen) {
    let seen = Seen::default();
    let at_the_service = seen.clone();
    let client = way.spawn(move |port| NumbersServer::new(Arithmetic::new(&at_the_service)).serve(port));
    (client, seen)
}

/// A service that ends when it is told to die.
fn mortal(way: Way) -> NumbersClient {
    way.spawn(|port| {
        let (life, end) = futures::channel::oneshot::channel();
        let arithmetic = Arithmetic::new(&Seen::default());
        arithmetic.dies.replace(Some(life));
        async move {
            futures::future::select(Box::pin(NumbersServer::new(arithmetic).serve(port)), end).await;
        }
    })
}

/// Waits for something that is to happen, on this thread or on another; not for ever.
async fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if is_so() {
            return;
        }
        thread::yield_now();
        settle().await;
    }
    panic!("it did not happen");
}

async fn all<T, E, S: Stream<Item = Result<T, E>>>(stream: S) -> (Vec<T>, Option<E>) {
    let mut stream = pin!(stream);
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        match item {
            Ok(item) => items.push(item),
            Err(error) => {
                assert!(stream.next().await.is_none(), "something came after the error");
                return (items, Some(error));
            }
        }
    }
    (items, None)
}

fn small<T, E: handover::rpc::Failure>(stream: Streaming<T, E>, items: u32) -> Streaming<T, E> {
    stream.with_window(Window { items, ..Window::default() })
}

// What a method returns

#[test]
fn a_method_returns_a_stream_and_its_end() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);

        assert_eq!(all(numbers.count_to(3).await.unwrap()).await, (vec![1, 2, 3], None));
        assert_eq!(all(numbers.count_to(0).await.unwrap()).await, (vec![], None));
    });
}

#[test]
fn a_method_fails_before_its_stream_has_begun() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);

        assert_eq!(all(numbers.open("ab").await.unwrap()).await, (vec![97, 98], None));
        assert_eq!(all(numbers.open_alias("ab".into()).await.unwrap()).await, (vec![97, 98], None));
        assert_eq!(numbers.open("").await.map(drop), Err(RpcError::Service("no name".into())));
        assert_eq!(numbers.open_alias(String::new()).await.map(drop), Err(RpcError::Service("no name".into())));
    });
}

#[test]
fn items_that_are_results_do_not_end_a_stream() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);

        let halves: Vec<_> = numbers.halves(vec![2, 3, 4]).await.unwrap().collect().await;

        assert_eq!(halves, [Ok(1), Err(RpcError::Service("3 is odd".into())), Ok(2)]);
    });
}

#[test]
fn a_stream_borrows_from_the_service_from_the_context_and_from_what_is_lent() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);

        let (notes, cut) = all(numbers.notes_with("note ").await.unwrap()).await;

        assert_eq!((notes, cut), (vec!["notes_with: note one".to_owned(), "notes_with: note two".to_owned()], None));
    });
}

#[test]
fn a_stream_that_is_dropped_ends_the_method_at_once() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);
        let mut counting = numbers.count().await.unwrap();
        assert_eq!(counting.next().await, Some(Ok(0)));
        assert_eq!(seen.dropped(), 0);

        drop(counting);

        until(|| seen.dropped() == 1).await;
        assert_eq!(all(numbers.count_to(1).await.unwrap()).await, (vec![1], None), "the service lives on");
    });
}

#[test]
fn a_stream_that_nobody_took_out_of_the_call_ends_the_method() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);
        let mut call = numbers.count();
        // On another thread it may have been answered by now.
        drop(poll!(&mut call));
        until(|| seen.begun.load(Ordering::SeqCst) == 1).await;

        drop(call);

        until(|| seen.dropped() == 1).await;
    });
}

#[test]
fn a_stream_that_is_stopped_brings_what_is_on_its_way_and_ends_in_order() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);
        let mut counting = small(numbers.count().await.unwrap(), 8);
        assert_eq!(counting.next().await, Some(Ok(0)));

        counting.stop();

        let (rest, cut) = all(counting).await;
        assert_eq!(cut, None);
        assert_eq!(rest, (1..=u32::try_from(rest.len()).unwrap()).collect::<Vec<_>>(), "a gap");
        assert_eq!(seen.dropped(), 1, "the source is gone before the end is told");
    });
}

#[test]
fn a_stream_outlives_the_client_that_asked_for_it() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);
        let mut counting = small(numbers.count_to(1000).await.unwrap(), 8);
        assert_eq!(counting.next().await, Some(Ok(1)));

        drop(numbers);
        settle().await;

        assert_eq!(all(counting).await, ((2..=1000).collect(), None));
    });
}

#[test]
fn a_service_that_dies_cuts_its_streams_with_one_error() {
    over_every_way(async |way| {
        let numbers = mortal(way);
        let mut counting = small(numbers.count().await.unwrap(), 2);
        assert_eq!(counting.next().await, Some(Ok(0)));

        assert!(numbers.die().await.is_err());

        let (_, cut) = all(counting).await;
        assert_eq!(cut, Some(CallError::Unknown(Interruption::Closed)));
    });
}

#[test]
fn a_panic_in_a_stream_arrives_with_its_message_and_the_service_lives_on() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);

        let (items, cut) = all(numbers.fall_over(3).await.unwrap()).await;

        assert_eq!(items, [0, 1, 2]);
        assert_eq!(cut, Some(CallError::Unknown(Interruption::Panicked("fell over".into()))));
        assert_eq!(all(numbers.count_to(1).await.unwrap()).await, (vec![1], None));
    });
}

#[test]
fn a_deadline_ends_a_stream_and_says_so() {
    for way in [Way::Direct, Way::Bytes, Way::Stream] {
        println!("way: {way:?}");
        let clock = Arc::new(ManualClock::default());
        let _entered = clock::enter(clock.clone());
        context::block_on(async {
            let (numbers, seen) = numbers(way);
            let mut counting = small(numbers.count().deadline(2 * SECOND).await.unwrap(), 2);
            assert_eq!(counting.next().await, Some(Ok(0)));
            clock.advance(SECOND);
            assert_eq!(counting.next().await, Some(Ok(1)));

            clock.advance(SECOND);
            settle().await;

            let (_, cut) = all(counting).await;
            assert_eq!(cut, Some(CallError::Unknown(Interruption::DeadlineExceeded)));
            assert_eq!(seen.dropped(), 1);
        });
    }
}

#[test]
fn a_hundred_thousand_items_come_in_order() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);
        let mut expected = 1..=100_000;

        let mut counting = numbers.count_to(100_000).await.unwrap();

        while let Some(number) = counting.next().await {
            assert_eq!(number.ok(), expected.next());
        }
        assert_eq!(expected.next(), None);
    });
}

#[test]
fn a_slow_reader_holds_the_method_up() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);
        let mut counting = small(numbers.count().await.unwrap(), 4);
        assert_eq!(counting.next().await, Some(Ok(0)));
        // The batch that is in the queue comes with the last of the items that were granted.
        until(|| seen.produced() >= 4).await;
        settle().await;

        assert!(seen.produced() <= 5, "{} were produced", seen.produced());
        assert_eq!(counting.next().await, Some(Ok(1)));
    });
}

// What a method takes

#[test]
fn a_method_takes_a_stream_and_its_end() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);

        assert_eq!(numbers.sum(stream::iter([1, 2, 3])).await, Ok(6));
        assert_eq!(numbers.sum(stream::empty()).await, Ok(0));
        assert_eq!(seen.ended(), 2);
    });
}

#[test]
fn a_method_takes_several_streams_among_other_arguments() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);

        assert_eq!(numbers.sum_all(stream::iter([1, 2]), 10, stream::iter([3, 4, 5])).await, Ok(150));
        assert_eq!(seen.ended(), 2);
    });
}

#[test]
fn a_method_takes_items_that_are_results() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);

        assert_eq!(numbers.sum_results(stream::iter([Ok(1), Ok(2)])).await, Ok(3));
        let failed = numbers.sum_results(stream::iter([Ok(1), Err("no number".into()), Ok(2)])).await;
        assert_eq!(failed, Err(RpcError::Service("no number".into())));
    });
}

#[test]
fn a_stream_may_borrow_what_its_caller_has() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);
        let (mine, read) = (vec![1, 2, 3], Cell::new(0));
        let lent = stream::iter(&mine).map(|number| {
            read.set(read.get() + 1);
            *number
        });

        assert_eq!(numbers.sum(lent).await, Ok(6));

        assert_eq!(read.get(), 3);
    });
}

#[test]
fn a_method_that_has_read_enough_leaves_the_rest() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);
        let dropped = Arc::new(AtomicUsize::new(0));
        let guard = Guard(dropped.clone());
        let endless = stream::iter(0..).inspect(move |_| {
            let _guard = &guard;
        });

        assert_eq!(numbers.take(3, endless).await, Ok(vec![0, 1, 2]));

        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_call_that_is_dropped_while_it_feeds_cuts_the_stream_and_ends_the_method() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);
        let mut call = Box::pin(numbers.sum(stream::iter([1, 2]).chain(stream::pending())));
        assert!(poll!(&mut call).is_pending());
        until(|| seen.begun.load(Ordering::SeqCst) == 1).await;
        assert!(poll!(&mut call).is_pending());

        drop(call);

        until(|| seen.dropped() == 1).await;
        assert_eq!(seen.ended(), 0, "it looked like the end");
        assert_eq!(numbers.sum(stream::iter([1])).await, Ok(1));
    });
}

/// Panics when it is polled the third time.
struct Falling(u32);

impl Stream for Falling {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u32>> {
        assert!(self.0 < 2, "the source fell over");
        self.0 += 1;
        Poll::Ready(Some(self.0))
    }
}

#[test]
fn a_source_that_panics_ends_the_method_and_never_looks_like_the_end() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);

        let panicked = AssertUnwindSafe(numbers.sum(Falling(0))).catch_unwind().await;

        assert!(panicked.is_err(), "the panic is the caller's");
        until(|| seen.dropped() == 1).await;
        assert_eq!(seen.ended(), 0, "it looked like the end");
        assert_eq!(numbers.sum(stream::iter([1])).await, Ok(1));
    });
}

#[test]
fn a_caller_whose_thread_ends_ends_the_method_and_never_looks_like_the_end() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);
        let begun = seen.begun.clone();

        let caller = thread::spawn(move || {
            context::block_on(async {
                let mut call = Box::pin(numbers.sum(stream::iter([1, 2]).chain(stream::pending())));
                until(|| {
                    let _pending = (&mut call).now_or_never();
                    begun.load(Ordering::SeqCst) == 1
                })
                .await;
            });
        });

        until(|| seen.dropped() == 1).await;
        caller.join().unwrap();
        assert_eq!(seen.ended(), 0, "it looked like the end");
    });
}

#[test]
fn a_caller_that_waits_on_after_its_source_has_panicked_is_told_why_the_method_ended() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);
        for why in [
            why_it_ended(numbers.sum(Falling(0))).await,
            why_it_ended(numbers.sum_results(Falling(0).map(Ok)).map(|sum| sum.map_err(of_the_call))).await,
            why_it_ended(numbers.sum_all(stream::pending(), 1, Falling(0)).map(|sum| sum.map_err(of_the_call))).await,
        ] {
            assert!(why.contains("a stream in its arguments was cut"), "{why}");
            assert!(why.contains("the source fell over"), "{why}");
        }

        assert_eq!(seen.ended(), 0, "it looked like the end");
    });
}

/// Polls a call on after panics.
async fn why_it_ended(call: impl Future<Output = Result<u32, CallError>>) -> String {
    let mut call = Box::pin(call);
    loop {
        match AssertUnwindSafe(&mut call).catch_unwind().await {
            Ok(Err(CallError::Unknown(Interruption::Cancelled(why)))) => return why,
            Ok(outcome) => panic!("{outcome:?}"),
            Err(_) => {}
        }
    }
}

fn of_the_call<E: std::fmt::Debug>(error: RpcError<E>) -> CallError {
    match error {
        RpcError::Call(error) => error,
        RpcError::Service(error) => panic!("{error:?}"),
    }
}

#[test]
fn a_hundred_thousand_items_go_in_order() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);

        let taken = numbers.take(100_000, stream::iter(0..100_000)).await.unwrap();

        assert!(taken.into_iter().eq(0..100_000));
    });
}

// Both directions

#[test]
fn items_flow_both_ways_while_the_reply_is_read() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);
        let (ask, questions) = mpsc::unbounded();
        let mut doubled = pin!(numbers.double(questions).await.unwrap());

        for number in 1..=3 {
            ask.unbounded_send(number).unwrap();
            assert_eq!(doubled.next().await, Some(Ok(2 * number)));
        }
        drop(ask);

        assert_eq!(doubled.next().await, None);
    });
}

#[test]
fn a_hundred_thousand_items_go_and_come_back() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);
        let mut expected = 0..100_000;

        let mut doubled = pin!(numbers.double(stream::iter(0..100_000)).await.unwrap());

        while let Some(number) = doubled.next().await {
            assert_eq!(number.ok(), expected.next().map(|number| 2 * number));
        }
        assert_eq!(expected.next(), None);
    });
}

#[test]
fn a_reply_that_is_dropped_cuts_what_feeds_it() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);
        let dropped = Arc::new(AtomicUsize::new(0));
        let guard = Guard(dropped.clone());
        let endless = stream::iter(0..).inspect(move |_| {
            let _guard = &guard;
        });
        {
            let mut doubled = pin!(numbers.double(endless).await.unwrap());
            assert_eq!(doubled.next().await, Some(Ok(0)));
        }

        assert_eq!(dropped.load(Ordering::SeqCst), 1);
        until(|| seen.dropped() == 1).await;
    });
}

#[test]
fn a_source_that_panics_cuts_the_reply_that_it_feeds() {
    over_every_way(async |way| {
        let (numbers, seen) = numbers(way);
        let mut doubled = Box::pin(numbers.double(Falling(0)).await.unwrap());

        let mut panicked = false;
        let cut = loop {
            match AssertUnwindSafe(doubled.next()).catch_unwind().await {
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => break Some(error),
                Ok(None) => break None,
                Err(_) => panicked = true,
            }
        };

        assert!(panicked, "the panic is the caller's");
        let Some(CallError::Unknown(Interruption::Cancelled(why))) = cut else { panic!("{cut:?}") };
        assert!(why.contains("the source fell over"), "{why}");
        until(|| seen.dropped() == 1).await;
    });
}

#[test]
fn streams_of_several_kinds_come_together() {
    over_every_way(async |way| {
        let (numbers, _) = numbers(way);

        let merged = numbers.merge(stream::iter([1, 2]), stream::iter([Ok(0), Err("three".into()), Ok(4)])).await;
        let merged: Vec<_> = merged.unwrap().collect().await;
        assert_eq!(merged, [Ok(1), Ok(2), Err(RpcError::Service("three".into())), Ok(4)]);

        let refused = numbers.merge(stream::iter([1]), stream::iter([Ok(7)])).await.map(drop);
        assert_eq!(refused, Err(RpcError::Service("expected a zero: Some(Ok(7))".into())));
    });
}

// Streams as values

#[test]
fn a_stream_from_one_service_is_handed_on_to_another() {
    over_every_way(async |way| {
        let ((near, _), (far, _)) = (numbers(way), numbers(way));
        let mut counting = near.count_to(1000).await.unwrap();
        assert_eq!(counting.next().await, Some(Ok(1)));

        assert_eq!(far.sum_value(counting).await, Ok(500_499));
    });
}

#[test]
fn a_stream_travels_inside_another_value() {
    over_every_way(async |way| {
        let ((near, _), (far, _)) = (numbers(way), numbers(way));

        let session = near.session(1000).await.unwrap();

        assert_eq!(far.sum_session(session).await, Ok(500_500));
    });
}

// A slow reader, and what its service makes of it

/// The stream of each method is what was put into the channel.
#[service]
trait Ticker {
    #[rpc(overflow = Wait)]
    fn wait(&self) -> impl Stream<Item = u32>;
    #[rpc(overflow = DropOldest { waiting: 2 })]
    fn drop_oldest(&self) -> impl Stream<Item = u32>;
    #[rpc(overflow = DropNewest)]
    fn drop_newest(&self) -> impl Stream<Item = u32>;
    #[rpc(overflow = KeepLatest)]
    fn keep_latest(&self) -> impl Stream<Item = u32>;
    #[rpc(overflow = End)]
    fn end(&self) -> impl Stream<Item = u32>;
}

#[derive(Clone)]
struct Ticks(Rc<RefCell<Option<mpsc::UnboundedReceiver<u32>>>>);

impl Ticks {
    fn take(&self) -> mpsc::UnboundedReceiver<u32> {
        self.0.take().unwrap()
    }
}

impl Ticker for Ticks {
    fn wait(&self) -> impl Stream<Item = u32> {
        self.take()
    }

    fn drop_oldest(&self) -> impl Stream<Item = u32> {
        self.take()
    }

    fn drop_newest(&self) -> impl Stream<Item = u32> {
        self.take()
    }

    fn keep_latest(&self) -> impl Stream<Item = u32> {
        self.take()
    }

    fn end(&self) -> impl Stream<Item = u32> {
        self.take()
    }
}

/// Reads the first of ten ticks, lets the others come while there is credit for four of them, and then reads to the end.
async fn ticks_of(
    way: Way,
    of: impl AsyncFnOnce(&TickerClient) -> Result<Streaming<u32>, CallError>,
) -> (Vec<u32>, Option<CallError>) {
    let (tick, ticks) = mpsc::unbounded();
    let ticks = Ticks(Rc::new(RefCell::new(Some(ticks))));
    let ticker: TickerClient = way.spawn_here(|port| TickerServer::new(ticks).serve(port));
    let mut stream = small(of(&ticker).await.unwrap(), 4);
    tick.unbounded_send(0).unwrap();
    let first = stream.next().await.unwrap().unwrap();
    for number in 1..10 {
        // A stream that has ended has dropped its source.
        let _ended = tick.unbounded_send(number);
        settle().await;
    }
    drop(tick);
    settle().await;
    let (mut items, cut) = all(stream).await;
    items.insert(0, first);
    (items, cut)
}

#[test]
fn a_slow_reader_gets_what_the_overflow_of_the_method_says() {
    for way in [Way::Direct, Way::Bytes, Way::Stream] {
        println!("way: {way:?}");
        context::block_on(async {
            let wait = ticks_of(way, async |ticker| ticker.wait().await).await;
            assert_eq!(wait, ((0..10).collect(), None));
            let drop_oldest = ticks_of(way, async |ticker| ticker.drop_oldest().await).await;
            assert_eq!(drop_oldest, (vec![0, 1, 2, 3, 8, 9], None));
            let drop_newest = ticks_of(way, async |ticker| ticker.drop_newest().await).await;
            assert_eq!(drop_newest, (vec![0, 1, 2, 3], None));
            let keep_latest = ticks_of(way, async |ticker| ticker.keep_latest().await).await;
            assert_eq!(keep_latest, (vec![0, 1, 2, 3, 9], None));
            let end = ticks_of(way, async |ticker| ticker.end().await).await;
            let too_slow = CallError::Unknown(Interruption::Stream(StreamFault::TooSlow));
            assert_eq!(end, (vec![0, 1, 2, 3], Some(too_slow)));
        });
    }
}

// Services of every shape

/// Types that are left open, and one call only.
#[service]
trait Log<T: Wire> {
    type Line: Wire;

    fn lines(&self) -> impl Stream<Item = Self::Line>;
    async fn append(&self, lines: impl Stream<Item = Result<Self::Line, T>>) -> Result<usize, T>;
    /// The type has a name that the client would give to a parameter of its method.
    async fn count(&self, s: &str, lines: impl Stream<Item = (Self::Line, S0)>) -> usize;
    fn drain(self, more: impl Stream<Item = Self::Line>) -> impl Stream<Item = Self::Line>;
}

#[derive(Debug, Serialize, Deserialize)]
struct S0;

#[derive(Default)]
struct Lines(RefCell<Vec<String>>);

impl Log<u8> for Lines {
    type Line = String;

    fn lines(&self) -> impl Stream<Item = String> {
        stream::iter(self.0.borrow().clone())
    }

    async fn append(&self, lines: impl Stream<Item = Result<String, u8>>) -> Result<usize, u8> {
        let mut lines = pin!(lines);
        while let Some(line) = lines.next().await {
            self.0.borrow_mut().push(line?);
        }
        Ok(self.0.borrow().len())
    }

    async fn count(&self, s: &str, lines: impl Stream<Item = (String, S0)>) -> usize {
        s.len() + lines.count().await
    }

    fn drain(self, more: impl Stream<Item = String>) -> impl Stream<Item = String> {
        stream::iter(self.0.into_inner()).chain(more)
    }
}

#[test]
fn services_with_open_types_have_streams_and_so_have_single_uses() {
    over_every_way(async |way| {
        let log: LogClient<u8, String> = way.spawn(|port| LogServer::new(Lines::default()).serve(port));

        assert_eq!(log.append(stream::iter([Ok("a".into()), Ok("b".into())])).await, Ok(2));
        assert_eq!(log.append(stream::iter([Err(7)])).await, Err(RpcError::Service(7)));
        assert_eq!(log.count("four", stream::iter([("a".into(), S0)])).await, Ok(5));
        assert_eq!(all(log.lines().await.unwrap()).await, (vec!["a".to_owned(), "b".to_owned()], None));
        let drained = log.drain(stream::iter(["c".to_owned()])).await.unwrap();
        assert_eq!(all(drained).await, (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], None));
    });
}

/// A client that is a service has streams as far as they can say that a call failed.
mod as_a_service {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub(super) enum Trouble {
        Own(u32),
        Call(String),
    }

    impl From<CallError> for Trouble {
        fn from(error: CallError) -> Self {
            Self::Call(error.to_string())
        }
    }

    #[service(client_trait)]
    pub(super) trait Feeder {
        fn lazy(&self, end: u32) -> impl Stream<Item = Result<u32, Trouble>> + Unpin;
        async fn eager(&self, end: &u32) -> impl Stream<Item = Result<u32, Trouble>>;
        async fn open(&self, end: u32) -> Result<impl Stream<Item = Result<u32, Trouble>>, Trouble>;
        async fn sum(&self, numbers: impl Stream<Item = u32>) -> Result<u32, Trouble>;
        fn echo(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = Result<u32, Trouble>>;
    }

    pub(super) struct Feed;

    fn up_to(end: u32) -> impl Stream<Item = Result<u32, Trouble>> + Unpin {
        stream::iter((0..end).map(Ok).chain([Err(Trouble::Own(end))]))
    }

    impl Feeder for Feed {
        fn lazy(&self, end: u32) -> impl Stream<Item = Result<u32, Trouble>> + Unpin {
            up_to(end)
        }

        async fn eager(&self, end: &u32) -> impl Stream<Item = Result<u32, Trouble>> {
            up_to(*end)
        }

        async fn open(&self, end: u32) -> Result<impl Stream<Item = Result<u32, Trouble>>, Trouble> {
            if end == 0 { Err(Trouble::Own(0)) } else { Ok(up_to(end)) }
        }

        async fn sum(&self, numbers: impl Stream<Item = u32>) -> Result<u32, Trouble> {
            Ok(numbers.fold(0, async |sum, number| sum + number).await)
        }

        fn echo(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = Result<u32, Trouble>> {
            numbers.map(Ok)
        }
    }
}

#[test]
fn a_client_that_is_a_service_has_the_streams_of_the_service() {
    use as_a_service::{Feed, Feeder, FeederClient, FeederServer, Trouble};

    async fn check(feeder: &impl Feeder) {
        let expected = [Ok(0), Ok(1), Err(Trouble::Own(2))];
        assert_eq!(feeder.lazy(2).collect::<Vec<_>>().await, expected);
        assert_eq!(feeder.eager(&2).await.collect::<Vec<_>>().await, expected);
        assert_eq!(feeder.open(2).await.unwrap().collect::<Vec<_>>().await, expected);
        assert_eq!(feeder.open(0).await.map(drop), Err(Trouble::Own(0)));
        assert_eq!(feeder.sum(stream::iter([1, 2])).await, Ok(3));
        assert_eq!(feeder.echo(stream::iter([1, 2])).collect::<Vec<_>>().await, [Ok(1), Ok(2)]);
    }

    over_every_way(async |way| {
        let client: FeederClient = way.spawn(|port| FeederServer::new(Feed).serve(port));
        check(&Feed).await;
        check(&client).await;

        let (ours, theirs) = MessageChannel::new().into_ports();
        drop(theirs);
        let closed = FeederClient::from(ours);
        let why = Trouble::from(CallError::NotSent(handover::NotSent::Closed));
        assert_eq!(Feeder::lazy(&closed, 2).collect::<Vec<_>>().await, [Err(why.clone())]);
        assert_eq!(Feeder::eager(&closed, &2).await.collect::<Vec<_>>().await, [Err(why.clone())]);
        assert_eq!(Feeder::open(&closed, 2).await.map(drop), Err(why));
    });
}

#[test]
fn calls_with_streams_can_be_sent_to_other_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }

    let (ours, theirs) = MessageChannel::new().into_ports();
    drop(theirs);
    let numbers = NumbersClient::from(ours);

    drop(is_send(numbers.sum(stream::iter([1]))));
    drop(is_send(numbers.double(stream::iter([1]))));
    drop(is_send(numbers.count()));
}
