//! Calls on what another call is to return, before it has.

mod common;

use std::{cell::RefCell, sync::Arc, time::Duration};

use common::{Way, over_every_way, settle};
use futures::{channel::oneshot, future::join_all, poll};
use handover::{
    Closed, ClosedBy, Interruption, Message, NotSent, Refusal,
    clock::{self, ManualClock},
    context, in_process,
    prelude::*,
    rpc::{CallRouter, farewell, split},
    testing::LeakCheck,
    wire::{CallId, Fault, Frame, MethodId, Options, Window},
};
use serde::{Deserialize, Serialize, Serializer, ser};

#[service]
trait Book {
    async fn title(&self) -> String;
    /// Notes a number, and tells how many were noted before.
    async fn note(&self, number: u32) -> u32;
    #[rpc(oneway)]
    async fn scribble(&self, number: u32);
    async fn notes(&self) -> Vec<u32>;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum NoBook {
    Lost { title: String },
}

#[service]
trait Shelf {
    async fn open(&self, title: String) -> Result<BookClient, NoBook>;
    /// Waits for `release`.
    async fn fetch(&self, title: String) -> BookClient;
    #[rpc(oneway)]
    async fn release(&self);
    async fn section(&self, name: String) -> ShelfClient;
    /// Gives back what it is given.
    async fn check(&self, book: BookClient) -> BookClient;
    async fn tear(&self) -> BookClient;
    async fn count(&self) -> u32;
    async fn odd(&self, odd: Odd) -> BookClient;
    async fn sell(self) -> BookClient;
}

#[derive(Default)]
struct Pages(String, RefCell<Vec<u32>>);

impl Book for Pages {
    async fn title(&self) -> String {
        self.0.clone()
    }

    async fn note(&self, number: u32) -> u32 {
        self.1.borrow_mut().push(number);
        self.1.borrow().len() as u32 - 1
    }

    async fn scribble(&self, number: u32) {
        self.1.borrow_mut().push(number);
    }

    async fn notes(&self) -> Vec<u32> {
        self.1.borrow().clone()
    }
}

/// A value that does not serialise.
#[derive(Debug, Deserialize)]
struct Odd;

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("on purpose"))
    }
}

#[derive(Default)]
struct Boards {
    name: String,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    released: std::cell::Cell<bool>,
}

fn book(title: &str) -> BookClient {
    let pages = Pages(title.to_owned(), RefCell::default());
    in_process::spawn(|port| BookServer::new(pages).serve(port))
}

impl Shelf for Boards {
    async fn open(&self, title: String) -> Result<BookClient, NoBook> {
        if title.is_empty() { Err(NoBook::Lost { title }) } else { Ok(book(&(self.name.clone() + &title))) }
    }

    async fn fetch(&self, title: String) -> BookClient {
        if !self.released.get() {
            let (go, gate) = oneshot::channel();
            self.waiting.borrow_mut().push(go);
            gate.await.unwrap();
        }
        book(&title)
    }

    async fn release(&self) {
        self.released.set(true);
        self.waiting.take().into_iter().for_each(|go| go.send(()).unwrap());
    }

    async fn section(&self, name: String) -> ShelfClient {
        let boards = Boards { name: format!("{}{name}/", self.name), ..Boards::default() };
        in_process::spawn(|port| ShelfServer::new(boards).serve(port))
    }

    async fn check(&self, book: BookClient) -> BookClient {
        book
    }

    async fn tear(&self) -> BookClient {
        panic!("out of paper")
    }

    async fn count(&self) -> u32 {
        7
    }

    async fn odd(&self, _: Odd) -> BookClient {
        book("odd")
    }

    async fn sell(self) -> BookClient {
        book("sold")
    }
}

fn shelf(way: Way) -> ShelfClient {
    way.spawn(|port| ShelfServer::new(Boards::default()).serve(port))
}

/// A shelf in the test's own context, and a raw peer's end of its port.
fn raw_shelf() -> MessagePort {
    let (ours, theirs) = MessageChannel::new().into_ports();
    context::spawn_local(ShelfServer::new(Boards::default()).serve(theirs));
    ours.start();
    ours
}

fn not_returned<T>(why: &str) -> Result<T, CallError> {
    Err(CallError::Refused(Refusal::NotReturned(why.to_owned())))
}

#[test]
fn what_a_call_will_return_is_called_before_it_has_returned_also_over_several_levels() {
    over_every_way(async |way| {
        let shelf = shelf(way);

        let section = shelf.section("novels".to_owned()).pipelined();
        let inner = section.section("english".to_owned()).pipelined();
        let book = inner.open("Middlemarch".to_owned()).pipelined();

        assert_eq!(book.title().await.as_deref(), Ok("novels/english/Middlemarch"));
        assert_eq!(section.count().await, Ok(7));
        assert_eq!(book.note(1).await, Ok(0));
        assert_eq!(book.note(2).await, Ok(1));
    });
}

#[test]
fn nothing_is_waited_for_before_the_next_call_is_sent() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let shelf = ShelfClient::from(ours);
        theirs.start();

        let book = shelf.open("Emma".to_owned()).pipelined();
        let mut title = book.title();
        assert!(poll!(&mut title).is_pending());

        let mut message = theirs.recv().await.unwrap().into_parts();
        let open = Frame::parse(&message.data).unwrap();
        assert!(matches!(open, Frame::Pipelined { method, .. } if method == MethodId::of_name("open")), "{open:?}");
        let pipe = message.ports.pop().unwrap();
        pipe.start();
        let call = pipe.recv().await.unwrap();
        let Ok(Frame::Call { id, .. }) = Frame::parse(call.data()) else { panic!("{call:?}") };
        let reply = [&[0, 4][..], b"Emma"].concat();
        pipe.post_message(Frame::Reply { id, result: &reply }.to_bytes()).unwrap();
        assert_eq!(title.await.as_deref(), Ok("Emma"));
    });
}

#[test]
fn calls_keep_their_order_from_before_to_after_the_return_and_nothing_is_lost() {
    over_every_way(async |way| {
        let shelf = shelf(way);
        let book = shelf.fetch("Emma".to_owned()).pipelined();
        let (before, after) = (0..500, 500..1000);

        for number in before {
            book.scribble(number).await.unwrap();
        }
        let mut noted = book.note(9999);
        assert!(poll!(&mut noted).is_pending());
        shelf.release().await.unwrap();
        for number in after {
            book.scribble(number).await.unwrap();
        }

        assert_eq!(noted.await, Ok(500));
        let expected: Vec<u32> = (0..500).chain([9999]).chain(500..1000).collect();
        assert_eq!(book.notes().await, Ok(expected));
    });
}

#[test]
fn order_is_kept_where_what_is_returned_lives_elsewhere() {
    over_every_way(async |way| {
        let shelf = shelf(way);
        let home = book("from home");
        assert_eq!(home.note(1).await, Ok(0));

        let checked = shelf.check(home).pipelined();
        let again = shelf.check(checked).pipelined();
        let noted = join_all((2..50).map(|number| again.note(number))).await;

        assert_eq!(noted, (1..49).map(Ok).collect::<Vec<_>>());
        assert_eq!(again.notes().await, Ok((1..50).collect()));
        assert_eq!(again.title().await.as_deref(), Ok("from home"));
    });
}

#[test]
fn the_error_of_the_call_ends_everything_that_was_and_is_called_on_what_it_did_not_return() {
    over_every_way(async |way| {
        let shelf = shelf(way);

        let lost = shelf.open(String::new()).pipelined();
        let ended = join_all((0..5).map(|number| lost.note(number))).await;

        let why = r#"Lost { title: "" }"#;
        assert_eq!(ended, vec![not_returned(why); 5]);
        assert_eq!(lost.title().await.map(drop), not_returned(why));
        assert_eq!(lost.scribble(1).await, not_returned(why));
        // And what is pipelined to that in turn.
        let panics = shelf.tear().pipelined();
        let why = "the call has no answer, and may have run: panicked: out of paper";
        assert_eq!(panics.title().await.map(drop), not_returned(why));
        assert_eq!(shelf.count().await, Ok(7));
    });
}

#[test]
fn an_error_passes_through_all_levels_that_were_pipelined_to_it() {
    over_every_way(async |way| {
        let (shelf, missing) = (shelf(way), Refusal::Denied("no such door".to_owned()));
        // The first level fails.
        let (ours, theirs) = MessageChannel::new().into_ports();
        farewell(&theirs, Fault::Refused(missing.clone()));
        let section = ShelfClient::from(ours).section("locked".to_owned()).pipelined();
        let inner = section.section("inner".to_owned()).pipelined();
        let book = inner.open("x".to_owned()).pipelined();

        assert_eq!(book.title().await.map(drop), Err(CallError::Refused(missing)));
        assert_eq!(shelf.count().await, Ok(7));
    });
}

#[test]
fn a_deadline_that_passes_ends_the_call_and_what_was_called_on_it_did_not_run() {
    for way in [Way::Direct, Way::Bytes] {
        let clock = Arc::new(ManualClock::default());
        let _entered = clock::enter(clock.clone());
        context::block_on(async {
            let shelf: ShelfClient = way.spawn_here(|port| ShelfServer::new(Boards::default()).serve(port));
            let book = shelf.fetch("Emma".to_owned()).deadline(Duration::from_secs(2)).pipelined();
            let mut title = book.title();
            assert!(poll!(&mut title).is_pending());
            settle().await;

            clock.advance(Duration::from_secs(3));
            let error = title.await.unwrap_err();

            assert_eq!(error, CallError::Refused(Refusal::DeadlineExceeded));
            assert!(!error.may_have_run());
        });
    }
}

#[test]
fn a_call_that_cannot_be_encoded_ends_what_was_called_on_it() {
    over_every_way(async |way| {
        let odd = shelf(way).odd(Odd).pipelined();
        let ended = odd.title().await;

        if way.is_bytes() {
            let why = "the call was not sent: the arguments could not be encoded: ";
            assert!(
                matches!(&ended, Err(CallError::Refused(Refusal::NotReturned(said))) if said.starts_with(why)),
                "{ended:?}"
            );
        } else {
            assert_eq!(ended.as_deref(), Ok("odd"));
        }
    });
}

#[test]
fn a_client_may_be_dropped_as_soon_as_something_is_pipelined_and_the_result_after_a_one_way_call() {
    over_every_way(async |way| {
        let shelf = shelf(way);
        let home = book("from home");
        let (watch, noted) = in_process_watched();

        // Both are gone before the service has looked at any of it.
        let section = shelf.section("novels".to_owned()).pipelined();
        drop(shelf);
        let checked = section.check(watch).pipelined();
        drop(section);
        checked.scribble(5).await.unwrap();
        drop(checked);

        assert_eq!(noted.await, Ok(5));
        assert_eq!(home.title().await.as_deref(), Ok("from home"));
    });
}

/// A book that tells the first number that is scribbled into it.
fn in_process_watched() -> (BookClient, oneshot::Receiver<u32>) {
    struct Watched(RefCell<Option<oneshot::Sender<u32>>>);

    impl Book for Watched {
        async fn title(&self) -> String {
            String::new()
        }

        async fn note(&self, number: u32) -> u32 {
            number
        }

        async fn scribble(&self, number: u32) {
            let tell = self.0.take().expect("it is told once");
            tell.send(number).unwrap();
        }

        async fn notes(&self) -> Vec<u32> {
            Vec::new()
        }
    }

    let (tell, told) = oneshot::channel();
    (in_process::spawn(|port| BookServer::new(Watched(Some(tell).into())).serve(port)), told)
}

#[test]
fn a_single_use_is_pipelined_and_used_once() {
    over_every_way(async |way| {
        let sold = shelf(way).sell().pipelined();

        assert_eq!(sold.title().await.as_deref(), Ok("sold"));
        assert_eq!(sold.note(1).await, Ok(0));
    });
}

#[test]
fn a_pipelined_client_is_handed_on_like_any_other() {
    over_every_way(async |way| {
        let (shelf, other) = (shelf(way), shelf(Way::Direct));
        let book = shelf.fetch("Emma".to_owned()).pipelined();
        let mut noted = book.note(1);
        assert!(poll!(&mut noted).is_pending());
        drop(noted);

        let handed_on = other.check(book).await.unwrap();
        let mut title = handed_on.title();
        assert!(poll!(&mut title).is_pending());
        shelf.release().await.unwrap();

        assert_eq!(title.await.as_deref(), Ok("Emma"));
    });
}

#[test]
fn a_service_that_has_gone_is_told_at_once_and_one_that_goes_meanwhile_too() {
    over_every_way(async |way| {
        let shelf: ShelfClient = way.spawn(async |port| {
            port.start();
            let _taken = port.recv().await;
        });
        let book = shelf.open("Emma".to_owned()).pipelined();
        let ended = book.title().await;
        // Over a link it was on its way.
        let unsent = matches!(ended, Err(CallError::NotSent(NotSent::Closed)));
        let is_lost = way.is_bytes() && matches!(ended, Err(CallError::Unknown(Interruption::Closed)));
        assert!(unsent || is_lost, "{ended:?}");
        shelf.port().closed().await;

        let late = shelf.open("Emma".to_owned()).pipelined();

        assert_eq!(late.title().await.map(drop), Err(CallError::NotSent(NotSent::Closed)));
        assert_eq!(late.port().closed().await, ClosedBy::Peer);
    });
}

#[test]
fn a_farewell_reaches_what_was_pipelined_to_calls_that_waited() {
    over_every_way(async |way| {
        let refusal = Refusal::Denied("closed today".to_owned());
        let expected = Err(CallError::Refused(refusal.clone()));
        let (go, gate) = oneshot::channel();
        let shelf: ShelfClient = way.spawn(async move |port| {
            gate.await.unwrap();
            farewell(&port, Fault::Refused(refusal));
        });
        let section = shelf.section("novels".to_owned()).pipelined();
        let book = section.open("Emma".to_owned()).pipelined();
        let (mut count, mut title) = (section.count(), book.title());
        assert!(poll!(&mut count).is_pending());
        assert!(poll!(&mut title).is_pending());
        settle().await;

        go.send(()).unwrap();

        assert_eq!(count.await, expected.clone());
        assert_eq!(title.await.map(|_| 0), expected);
    });
}

#[test]
fn what_was_pipelined_to_a_call_that_is_let_go_by_its_service_did_not_run() {
    over_every_way(async |way| {
        // The service ends while the method waits.
        let (go, gate) = oneshot::channel();
        let shelf: ShelfClient = way.spawn(async move |port| {
            let serving = ShelfServer::new(Boards::default()).serve(port);
            futures::future::select(Box::pin(serving), gate).await;
        });
        let book = shelf.fetch("Emma".to_owned()).pipelined();
        assert_eq!(shelf.count().await, Ok(7));

        go.send(()).unwrap();

        let why = "the call has no answer, and may have run: the port was closed";
        assert_eq!(book.title().await.map(drop), not_returned(why));
    });
}

#[test]
fn a_pool_of_services_is_pipelined_through_as_values_and_as_bytes() {
    for way in [Way::Direct, Way::Bytes] {
        context::block_on(async move {
            let router = CallRouter::new();
            // It waits for a service.
            let shelf: ShelfClient = match way {
                Way::Bytes => way.spawn_here(|port| {
                    port.join(router.connect());
                    async {}
                }),
                _ => ShelfClient::from(router.connect()),
            };
            let section = shelf.section("novels".to_owned()).pipelined();
            let book = section.open("Emma".to_owned()).pipelined();
            let mut title = book.title();
            assert!(poll!(&mut title).is_pending());
            settle().await;
            router.add(raw_shelf());

            assert_eq!(title.await.as_deref(), Ok("novels/Emma"));
        });
    }
}

#[test]
fn a_port_that_both_sides_call_through_takes_pipelined_calls() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let ((calls, _serves), (_their_calls, their_serves)) = (split(ours), split(theirs));
        context::spawn_local(ShelfServer::new(Boards::default()).serve(their_serves));

        let book = ShelfClient::from(calls).open("Emma".to_owned()).pipelined();

        assert_eq!(book.title().await.as_deref(), Ok("Emma"));
    });
}

#[test]
fn a_call_that_was_sent_is_pipelined_as_long_as_nobody_has_taken_it() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let shelf = ShelfClient::from(ours);
        let (mut sent, mut taken) = (shelf.open("Emma".to_owned()), shelf.fetch("Persuasion".to_owned()));
        assert!(poll!(&mut sent).is_pending());

        let book = sent.pipelined();
        context::spawn_local(ShelfServer::new(Boards::default()).serve(theirs));
        assert!(poll!(&mut taken).is_pending());
        settle().await;
        let late = taken.pipelined();

        assert_eq!(book.title().await.as_deref(), Ok("Emma"));
        let why = "the call has no answer, and may have run: it was cancelled: it was sent before it was pipelined";
        assert_eq!(late.title().await.map(drop), not_returned(why));
    });
}

#[test]
fn a_service_that_takes_one_call_at_a_time_holds_up_no_pipelined_one_and_gives_credit_for_it() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let shelf = ShelfClient::from(ours);
        theirs.post_message(Frame::Hello { window: Window { calls: 2, bytes: 1000 } }.to_bytes()).unwrap();
        theirs.start();
        let books: Vec<_> = (0..5).map(|number| shelf.open(number.to_string()).pipelined()).collect();
        let mut release = shelf.release();

        assert!(poll!(&mut release).is_pending(), "five were sent where two may be");
        for _ in 0..5 {
            let message = theirs.recv().await.unwrap();
            assert!(matches!(Frame::parse(message.data()), Ok(Frame::Pipelined { .. })));
        }
        theirs.post_message(Frame::Credit { tells: 5 }.to_bytes()).unwrap();

        assert_eq!(release.await, Ok(()));
        drop(books);
    });
}

#[test]
fn one_way_calls_are_let_go_after_any_number_of_pipelined_ones() {
    over_every_way(async |way| {
        let options = handover::ServeOptions::default().max_calls(2).max_waiting(100, 10_000);
        let shelf: ShelfClient = way.spawn(|port| ShelfServer::new(Boards::default()).with(options).serve(port));
        assert_eq!(shelf.count().await, Ok(7));
        let books: Vec<_> = (0..20).map(|number| shelf.open(number.to_string()).pipelined()).collect();

        assert_eq!(shelf.release().await, Ok(()));
        assert_eq!(books[19].title().await.as_deref(), Ok("19"));
    });
}

#[test]
fn a_window_is_given_back_for_pipelined_calls_as_for_one_way_ones() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let options = handover::ServeOptions::default().max_calls(2);
        context::spawn_local(ShelfServer::new(Boards::default()).with(options).serve(theirs));
        ours.start();
        let hello = ours.recv().await.unwrap();
        assert!(matches!(Frame::parse(hello.data()), Ok(Frame::Hello { .. })), "{hello:?}");

        let (_near, pipe) = MessageChannel::new().into_ports();
        ours.post_message(Message::new(pipelined("open", &[1, b'a'])).with_port(pipe)).unwrap();

        let credit = ours.recv().await.unwrap();
        assert_eq!(Frame::parse(credit.data()), Ok(Frame::Credit { tells: 1 }));
    });
}

#[test]
fn nothing_is_left_of_ways_that_were_joined() {
    let check = LeakCheck::begin();
    context::block_on(async {
        let shelf: ShelfClient = Way::Bytes.spawn_here(|port| ShelfServer::new(Boards::default()).serve(port));
        for round in 0..20 {
            let section = shelf.section("novels".to_owned()).pipelined();
            let book = section.open(if round % 2 == 0 { "Emma" } else { "" }.to_owned()).pipelined();
            let mut title = book.title();
            let _polled = poll!(&mut title);
            if round % 3 == 0 {
                drop(title.await);
            }
        }
        drop(shelf);
        settle().await;
    });
    check.end();
}

// Peers that write their frames by hand.

fn pipelined(method: &str, args: &[u8]) -> Vec<u8> {
    Frame::Pipelined { method: MethodId::of_name(method), options: Options::default(), args }.to_bytes()
}

async fn still_serves(peer: &MessagePort) {
    peer.post_message(Frame::call(CallId(99), MethodId::of_name("count"), &[]).to_bytes()).unwrap();
    let reply = peer.recv().await.unwrap();
    assert_eq!(reply.data(), Frame::Reply { id: CallId(99), result: &[0, 7] }.to_bytes());
}

/// What comes at a pipe whose call fails: a farewell, and the end.
async fn last_words(pipe: &MessagePort) -> Fault {
    pipe.start();
    let message = pipe.recv().await.unwrap();
    let Ok(Frame::Farewell { fault }) = Frame::parse(message.data()) else { panic!("{message:?}") };
    assert_eq!(pipe.recv().await.unwrap_err(), Closed);
    fault
}

#[test]
fn a_raw_peer_talks_through_the_port_that_it_has_sent_with_the_call() {
    context::block_on(async {
        let peer = raw_shelf();
        let (near, pipe) = MessageChannel::new().into_ports();
        near.post_message(Frame::call(CallId(3), MethodId::of_name("title"), &[]).to_bytes()).unwrap();

        peer.post_message(Message::new(pipelined("open", &[1, b'a'])).with_port(pipe)).unwrap();

        near.start();
        let reply = near.recv().await.unwrap();
        assert_eq!(reply.data(), Frame::Reply { id: CallId(3), result: &[0, 1, b'a'] }.to_bytes());
        still_serves(&peer).await;
    });
}

#[test]
fn a_pipelined_call_without_a_port_is_dropped() {
    context::block_on(async {
        let peer = raw_shelf();

        peer.post_message(pipelined("open", &[1, b'a'])).unwrap();
        peer.post_message(pipelined("nothing", &[])).unwrap();

        still_serves(&peer).await;
    });
}

#[test]
fn a_call_that_returns_no_client_is_not_run_for_what_would_be_pipelined_to_it() {
    context::block_on(async {
        let peer = raw_shelf();
        for (method, args) in [("count", &[][..]), ("release", &[]), ("handover.describe", &[])] {
            let (near, pipe) = MessageChannel::new().into_ports();

            peer.post_message(Message::new(pipelined(method, args)).with_port(pipe)).unwrap();

            let fault = last_words(&near).await;
            assert!(
                matches!(&fault, Fault::Refused(Refusal::Malformed(why)) if why.contains("returns no client")),
                "{method}: {fault:?}"
            );
        }
        still_serves(&peer).await;
    });
}

#[test]
fn a_pipelined_call_that_cannot_be_run_says_so_at_its_port() {
    context::block_on(async {
        let peer = raw_shelf();
        let unknown = Refusal::UnknownMethod(MethodId::of_name("steal"));
        // The last of them takes the port which is for the result.
        let cases = [("steal", &[][..]), ("open", &[9, b'a']), ("open", &[1, b'a', 0]), ("check", &[0])];
        for (method, args) in cases {
            let (near, pipe) = MessageChannel::new().into_ports();

            peer.post_message(Message::new(pipelined(method, args)).with_port(pipe)).unwrap();

            let fault = last_words(&near).await;
            match fault {
                Fault::Refused(Refusal::Malformed(_)) => assert_ne!(method, "steal"),
                fault => assert_eq!((method, fault), ("steal", Fault::Refused(unknown.clone()))),
            }
        }
        still_serves(&peer).await;
    });
}

#[test]
fn a_peer_that_has_its_own_end_returned_to_it_closes_that_and_nothing_else() {
    context::block_on(async {
        let peer = raw_shelf();
        let (near, pipe) = MessageChannel::new().into_ports();
        near.post_message("round and round").unwrap();

        // `check` gives back its argument, which is the other end of the port for the result.
        peer.post_message(Message::new(pipelined("check", &[0])).with_ports([near, pipe])).unwrap();

        still_serves(&peer).await;
    });
}

#[test]
fn a_peer_that_builds_a_way_of_very_many_joints_closes_that_and_nothing_else() {
    context::block_on(async {
        let peer = raw_shelf();
        let (first, mut port) = MessageChannel::new().into_ports();
        for _ in 0..20_000 {
            let (near, pipe) = MessageChannel::new().into_ports();
            peer.post_message(Message::new(pipelined("check", &[0])).with_ports([port, pipe])).unwrap();
            port = near;
        }

        first.start();
        port.post_message("far").unwrap();

        still_serves(&peer).await;
        assert_eq!(first.recv().await.unwrap_err(), Closed);
    });
}

#[test]
fn a_peer_that_pipelines_very_deep_to_a_port_that_is_closed_with_a_reason_is_told_it_everywhere() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let mut ports = vec![ours];
        for _ in 0..20_000 {
            let (near, pipe) = MessageChannel::new().into_ports();
            let message = Message::new(pipelined("section", &[0])).with_port(pipe);
            ports.last().unwrap().post_message(message).unwrap();
            ports.push(near);
        }
        let refusal = Fault::Refused(Refusal::Denied("closed".to_owned()));

        farewell(&theirs, refusal.clone());

        assert_eq!(last_words(ports.last().unwrap()).await, refusal);
    });
}

#[test]
fn a_late_answer_to_a_call_of_who_had_the_client_before_is_none_to_a_call_that_was_pipelined() {
    context::block_on(async {
        // What the shelf returns lives with a peer that writes its frames by hand, and the shelf has called it before.
        struct Used(RefCell<Option<BookClient>>, RefCell<Option<oneshot::Sender<()>>>);

        #[service]
        trait Reader {
            async fn done(&self) -> BookClient;
        }

        impl Reader for Used {
            async fn done(&self) -> BookClient {
                let book = self.0.take().unwrap();
                let mut given_up = book.note(1);
                assert!(poll!(&mut given_up).is_pending());
                self.1.take().unwrap().send(()).unwrap();
                settle().await;
                drop(given_up);
                book
            }
        }

        let (ours, raw) = MessageChannel::new().into_ports();
        raw.start();
        let (taken, was_taken) = oneshot::channel();
        let used = Used(Some(BookClient::from(ours)).into(), Some(taken).into());
        let reader: ReaderClient = in_process::spawn(|port| ReaderServer::new(used).serve(port));

        let book = reader.done().pipelined();
        let mut title = book.title();
        assert!(poll!(&mut title).is_pending());
        was_taken.await.unwrap();
        let id_in = |message: Message| match Frame::parse(message.data()) {
            Ok(Frame::Call { id, .. }) => id,
            other => panic!("{other:?}"),
        };
        let late = id_in(raw.recv().await.unwrap());
        settle().await;
        let cancel = raw.recv().await.unwrap();
        assert_eq!(Frame::parse(cancel.data()), Ok(Frame::Cancel { id: late }));
        let asked = id_in(raw.recv().await.unwrap());

        raw.post_message(Frame::Reply { id: late, result: &[0, 5] }.to_bytes()).unwrap();
        raw.post_message(Frame::Reply { id: asked, result: &[0, 1, b'x'] }.to_bytes()).unwrap();

        assert_ne!(late, asked);
        assert_eq!(title.await.as_deref(), Ok("x"));
    });
}
