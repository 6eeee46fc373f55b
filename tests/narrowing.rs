//! Rights that their holders make less, and clients that have fewer methods. The cheaters write their frames by hand.
#![deny(warnings, missing_docs, unreachable_pub, unused, clippy::pedantic)]

mod common;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use common::{WAYS, Way, over_every_way, settle};
use futures::{Stream, StreamExt};
use handover::{
    Host, Message, Refusal,
    clock::{self, ManualClock},
    context,
    prelude::*,
    rpc::CallRouter,
    wire::{CallId, Fault, Frame, MethodId},
};
use serde::{Deserialize, Serialize, Serializer};

const SECOND: Duration = Duration::from_secs(1);

#[service]
trait Log {
    async fn lines(&self) -> u32;
    async fn clear(&self) -> u32;
}

#[service]
trait Book: Log {
    async fn count(&self) -> u32;
    async fn add(&self, name: &str) -> Result<u32, String>;
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
    async fn same(&self, what: OnlyAsItIs) -> OnlyAsItIs;
    async fn watch(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = u32>;
    #[rpc(oneway, id = 7)]
    async fn touch(&self);
    /// The same book again, by a right that is asked for.
    async fn again(&self, context: CallContext) -> BookClient;
    async fn reader_of_it(&self, context: CallContext) -> ReaderClient;
    async fn log_of_it(&self, context: CallContext) -> LogClient;
    async fn what_it_is_not(&self, context: CallContext) -> ShelfClient;
}

/// Can be handed over, and cannot be written.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct OnlyAsItIs(u32);

impl Serialize for OnlyAsItIs {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it is not to be written"))
    }
}

#[service(view_of = Book)]
trait Reader {
    async fn count(&self) -> u32;
    async fn lines(&self) -> u32;
    async fn same(&self, what: OnlyAsItIs) -> OnlyAsItIs;
    async fn watch(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = u32>;
}

#[service(view_of = Book)]
trait Writer {
    async fn add(&self, name: &str) -> Result<u32, String>;
    #[rpc(oneway, id = 7)]
    async fn touch(&self);
    async fn again(&self) -> BookClient;
}

#[service]
trait Shelf {
    async fn open(&self) -> BookClient;
}

#[derive(Clone, Default)]
struct Pages(Rc<Cell<u32>>);

impl Log for Pages {
    async fn lines(&self) -> u32 {
        self.0.get() * 10
    }

    async fn clear(&self) -> u32 {
        self.0.replace(0)
    }
}

impl Book for Pages {
    async fn count(&self) -> u32 {
        self.0.get()
    }

    async fn add(&self, name: &str) -> Result<u32, String> {
        if name.is_empty() {
            return Err("no name".into());
        }
        self.0.set(self.0.get() + 1);
        Ok(self.0.get())
    }

    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn same(&self, what: OnlyAsItIs) -> OnlyAsItIs {
        what
    }

    async fn watch(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = u32> {
        numbers.map(|number| number * 2)
    }

    async fn touch(&self) {
        self.0.set(self.0.get() + 100);
    }

    async fn again(&self, context: CallContext) -> BookClient {
        context.grant().client()
    }

    async fn reader_of_it(&self, context: CallContext) -> ReaderClient {
        context.grant().client()
    }

    async fn log_of_it(&self, context: CallContext) -> LogClient {
        context.grant().client()
    }

    async fn what_it_is_not(&self, context: CallContext) -> ShelfClient {
        context.grant().client()
    }
}

struct Books(Host<BookClient>);

impl Shelf for Books {
    async fn open(&self) -> BookClient {
        self.0.client()
    }
}

fn book(way: Way) -> BookClient {
    way.spawn(|port| BookServer::new(Pages::default()).serve(port))
}

fn hosted() -> (Host<BookClient>, Pages) {
    let pages = Pages::default();
    let (host, hosting) = BookServer::new(pages.clone()).host();
    context::spawn_local(async move { drop(hosting.serve().await) });
    (host, pages)
}

fn refused<T>(refusal: Refusal) -> Result<T, CallError> {
    Err(CallError::Refused(refusal))
}

fn unknown<T>(method: impl Into<MethodId>) -> Result<T, CallError> {
    refused(Refusal::UnknownMethod(method.into()))
}

/// What a client can find out that there is.
async fn seen(client: &impl Client) -> Vec<String> {
    let mut names: Vec<_> = client.describe().await.unwrap().methods.into_iter().map(|method| method.name).collect();
    names.sort();
    names
}

/// C14
#[test]
fn a_holder_makes_less_of_its_right_with_one_message_and_keeps_its_own() {
    over_every_way(async |way| {
        let book = book(way);

        let narrow = book.narrow().only([BookMethod::Count, LogMethod::Lines.into()]).calls(3).client();

        assert_eq!(narrow.count().await, Ok(0));
        assert_eq!(narrow.add("Tell").await, Err(RpcError::Call(unknown::<()>(BookMethod::Add).unwrap_err())));
        assert_eq!(narrow.lines().await, Ok(0));
        assert_eq!(narrow.clear().await, unknown(LogMethod::Clear));
        assert_eq!(narrow.count().await, Ok(0));
        assert_eq!(narrow.count().await, refused(Refusal::NoCallsLeft));
        assert_eq!(book.add("Tell").await, Ok(1), "the holder's own right is what it was");
    });
}

#[test]
fn to_narrow_is_to_post_one_frame_and_no_more() {
    handover::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let book = BookClient::from(ours);

        let _narrow = book.narrow().only([BookMethod::Add]).calls(1).rate(2, SECOND).bytes(3).clones(4).client();

        theirs.start();
        let message: Message = theirs.recv().await.unwrap();
        let Ok(Frame::Attach { limits }) = Frame::parse(message.data()) else { panic!("another frame") };
        assert_eq!((limits.methods, limits.calls), (Some(vec![BookMethod::Add.into()]), Some(1)));
        assert_eq!((limits.bytes, limits.clones), (Some(3), Some(4)));
        assert_eq!(theirs.queued().messages, 0);
    });
}

#[test]
fn each_limit_of_a_holder_is_kept_by_the_service_and_by_its_clock() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    for way in WAYS.into_iter().filter(|way| matches!(way, Way::Direct | Way::Bytes | Way::Stream)) {
        println!("way: {way:?}");
        context::block_on(async {
            let book: BookClient = way.spawn_here(|port| BookServer::new(Pages::default()).serve(port));

            let fast = book.narrow().rate(2, SECOND).client();
            assert_eq!((fast.count().await, fast.count().await), (Ok(0), Ok(0)));
            assert_eq!(fast.count().await, refused(Refusal::TooFast));
            clock.advance(SECOND / 2);
            assert_eq!(fast.count().await, Ok(0));

            let short = book.narrow().expires(10 * SECOND).client();
            let unused = book.narrow().idle(5 * SECOND).client();
            assert_eq!((short.count().await, unused.count().await), (Ok(0), Ok(0)));
            clock.advance(5 * SECOND);
            settle().await;
            assert_eq!((short.count().await, unused.count().await), (Ok(0), refused(Refusal::Expired)));
            clock.advance(5 * SECOND);
            settle().await;
            assert_eq!(short.count().await, refused(Refusal::Expired));

            let alone = book.narrow().clones(1).client();
            let (first, second) = (alone.clone(), alone.clone());
            assert_eq!((first.count().await, second.count().await), (Ok(0), refused(Refusal::TooManyClients)));

            let small = book.narrow().bytes(300).client();
            let echoed = small.echo(vec![7; 400]).await.map(|bytes| bytes.len());
            let expected = if matches!(way, Way::Direct) { Ok(400) } else { refused(Refusal::TooManyBytes) };
            assert_eq!(echoed, expected, "what stays in the process is not counted in bytes");
            assert_eq!(book.count().await, Ok(0));
        });
    }
}

#[test]
fn a_rate_in_less_than_a_microsecond_is_said_to_the_service_as_one_in_a_whole_one_and_not_as_none() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    context::block_on(async {
        let (host, _pages) = hosted();
        let of_the_service = host.grant().rate(2, Duration::from_nanos(1)).client();
        let narrowed = host.client().narrow().rate(2, Duration::from_nanos(1)).client();

        for right in [&of_the_service, &narrowed] {
            assert_eq!((right.count().await, right.count().await), (Ok(0), Ok(0)));
            assert_eq!(right.count().await, refused(Refusal::TooFast));
        }
        clock.advance(Duration::from_nanos(500));
        assert_eq!(of_the_service.count().await, Ok(0));
        assert_eq!(narrowed.count().await, Ok(0), "half of a microsecond is enough for one of two");
        assert_eq!(narrowed.count().await, refused(Refusal::TooFast));
    });
}

/// C13, C14
#[test]
fn a_narrowed_client_cannot_widen_itself_by_a_clone_nor_by_narrowing_nor_by_what_it_can_see_or_is_granted() {
    over_every_way(async |way| {
        let book = book(way);
        let narrow = book.narrow().only([BookMethod::Count, BookMethod::Again]).calls(9).client();

        let wider = narrow.narrow().only([BookMethod::Add, BookMethod::Count]).calls(1000).client();
        let back = narrow.again().await.unwrap();
        for client in [&narrow, &narrow.clone(), &wider, &wider.narrow().client(), &back, &back.clone()] {
            assert_eq!(client.add("Tell").await, Err(RpcError::Call(unknown::<()>(BookMethod::Add).unwrap_err())));
            assert!(seen(client).await.iter().all(|name| name == "count" || name == "again"));
            assert_eq!(client.count().await, Ok(0));
        }

        // Nine in all: one for `again`, six above, two here.
        assert_eq!((wider.count().await, back.count().await), (Ok(0), Ok(0)));
        for client in [&narrow, &narrow.clone(), &wider, &back] {
            assert_eq!(client.count().await, refused(Refusal::NoCallsLeft));
        }
        assert_eq!(book.count().await, Ok(0));
    });
}

#[test]
fn what_is_not_there_yet_is_narrowed_before_it_is_there() {
    handover::block_on(async {
        let (host, _) = hosted();
        let shelf: ShelfClient = Way::Direct.spawn_here(|port| ShelfServer::new(Books(host)).serve(port));

        let narrow = shelf.open().pipelined().narrow().only([BookMethod::Count]).calls(1).client();

        assert_eq!(narrow.add("Tell").await, Err(RpcError::Call(unknown::<()>(BookMethod::Add).unwrap_err())));
        assert_eq!(narrow.count().await, Ok(0));
        assert_eq!(narrow.count().await, refused(Refusal::NoCallsLeft));
    });
}

#[test]
fn a_client_of_a_router_is_narrowed_by_the_service_that_it_is_handed_to() {
    handover::block_on(async {
        let router = CallRouter::new();
        router.add(Way::Direct.spawn_here(|port| BookServer::new(Pages::default()).serve(port)));
        let book = BookClient::from(router.connect());

        let narrow = book.narrow().only([BookMethod::Count]).calls(1).client();

        assert_eq!(narrow.clear().await, unknown(LogMethod::Clear));
        assert_eq!(narrow.count().await, Ok(0));
        assert_eq!(narrow.count().await, refused(Refusal::NoCallsLeft));
        assert_eq!(book.add("Tell").await, Ok(1));
    });
}

#[test]
fn a_narrowed_client_outlives_the_one_that_it_was_made_of_and_ends_with_its_right() {
    handover::block_on(async {
        let (host, _) = hosted();
        let (right, revoker) = host.grant().revocable();
        let narrow = right.narrow().client();

        drop(right);
        assert_eq!(narrow.count().await, Ok(0));

        revoker.revoke();
        assert_eq!(narrow.count().await, refused(Refusal::Revoked));
    });
}

/// C13
#[test]
fn a_view_is_a_right_on_its_methods_and_the_others_are_not_there() {
    over_every_way(async |way| {
        let book = book(way);
        let reader: ReaderClient = book.narrow().view().client();
        let log: LogClient = book.narrow().view().client();

        assert_eq!((reader.count().await, reader.lines().await, log.lines().await), (Ok(0), Ok(0), Ok(0)));
        let watched = reader.watch(futures::stream::iter([1, 2])).await.unwrap();
        assert_eq!(watched.map(Result::unwrap).collect::<Vec<_>>().await, [2, 4]);
        assert_eq!(seen(&reader).await, ["count", "lines", "same", "watch"]);
        assert_eq!(seen(&log).await, ["clear", "lines"]);
        let whole = BookClient::from(reader.clone().into_port());
        assert_eq!(whole.add("Tell").await, Err(RpcError::Call(unknown::<()>(BookMethod::Add).unwrap_err())));
        let whole = BookClient::from(log.into_port());
        assert_eq!(whole.count().await, unknown(BookMethod::Count));
        assert_eq!(whole.clear().await, Ok(0));
    });
}

#[test]
fn the_calls_of_a_view_are_those_of_the_service() {
    handover::block_on(async {
        let (host, pages) = hosted();
        let reader: ReaderClient = host.grant().view().client();
        let writer: WriterClient = host.grant().calls(9).view().client();

        assert_eq!(reader.same(OnlyAsItIs(7)).await, Ok(OnlyAsItIs(7)), "no call of a view is written");
        assert_eq!(writer.add("").await, Err(RpcError::Service("no name".into())));
        assert_eq!(writer.add("Tell").await, Ok(1));
        assert_eq!(writer.touch().await, Ok(()));
        assert_eq!(writer.again().await.unwrap().lines().await, unknown(LogMethod::Lines));
        assert_eq!((reader.count().await, pages.0.get()), (Ok(101), 101));
    });
}

/// C13
#[test]
fn a_peer_that_has_a_view_and_calls_everything_by_hand_reaches_the_view_only() {
    handover::block_on(async {
        let (host, pages) = hosted();
        let cheater = host.grant().view::<WriterClient>().only([BookMethod::Again]).client().into_port();
        cheater.start();
        let methods =
            [BookMethod::Count, BookMethod::Add, BookMethod::Echo, BookMethod::Touch, LogMethod::Clear.into()];

        for (number, method) in (0..).zip(methods.map(MethodId::from)) {
            cheater.post_message(Frame::call(CallId(number), method, &[1, b'x']).to_bytes()).unwrap();
            let answer: Message = cheater.recv().await.unwrap();
            let fault = Fault::Refused(Refusal::UnknownMethod(method));
            assert_eq!(Frame::parse(answer.data()), Ok(Frame::Fault { id: CallId(number), fault }));
        }

        assert_eq!(pages.0.get(), 0);
    });
}

#[test]
fn what_a_service_grants_for_a_caller_is_its_own_or_a_view_of_it_and_nothing_else() {
    over_every_way(async |way| {
        let book = book(way);

        let reader = book.reader_of_it().await.unwrap();
        assert_eq!((reader.count().await, seen(&reader).await.len()), (Ok(0), 4));
        let log = book.log_of_it().await.unwrap();
        assert_eq!((log.lines().await, seen(&log).await.len()), (Ok(0), 2));

        let shelf = book.what_it_is_not().await.unwrap();
        let error = shelf.open().await.map(drop).unwrap_err();
        let CallError::Refused(Refusal::Denied(why)) = &error else { panic!("{error:?}") };
        assert!(why.contains("Book") && why.contains("Shelf"), "{why}");
        assert_eq!(book.count().await, Ok(0));
    });
}

struct OnlyReading(RefCell<u32>);

impl Reader for OnlyReading {
    async fn count(&self) -> u32 {
        *self.0.borrow_mut() += 1;
        *self.0.borrow()
    }

    async fn lines(&self) -> u32 {
        0
    }

    async fn same(&self, what: OnlyAsItIs) -> OnlyAsItIs {
        what
    }

    async fn watch(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = u32> {
        numbers
    }
}

#[test]
fn something_that_is_only_what_a_view_has_is_served_as_such() {
    over_every_way(async |way| {
        let reader: ReaderClient = way.spawn(|port| ReaderServer::new(OnlyReading(RefCell::new(4))).serve(port));

        assert_eq!(reader.count().await, Ok(5));
        assert_eq!(BookClient::from(reader.into_port()).clear().await, unknown(LogMethod::Clear));
    });
}
