//! Rights that take everything back that was obtained through them. The cheaters write their frames by hand.

mod common;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use common::{Way, settle};
use futures::{FutureExt, Stream, StreamExt, channel::oneshot, poll};
use handover::{
    Host, Interruption, Message, Refusal, Sealed, Sealer, ServeOptions,
    clock::{self, ManualClock},
    context, in_process,
    prelude::*,
    testing::{LeakCheck, Link, LinkOptions},
    wire::{CallId, Fault, Frame, MethodId},
    worker_thread,
};

#[service]
trait Shelf {
    async fn book(&self) -> BookClient;
    async fn is_own_book(&self, book: BookClient) -> bool;
    async fn is_own_client(&self, context: CallContext, shelf: ShelfClient) -> bool;
    /// Keeps what calls somebody of the holder's.
    async fn listen(&self, listener: ListenerClient);
    async fn notify(&self, word: String) -> Result<String, String>;
    /// Gives back what it keeps.
    async fn listener(&self) -> ListenerClient;
    async fn numbers(&self) -> impl Stream<Item = u32>;
    async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32;
    async fn raw(&self) -> MessagePort;
    async fn echo_port(&self, port: MessagePort) -> MessagePort;
    async fn seal(&self, word: String) -> Sealed<String>;
    async fn unseal(&self, sealed: Sealed<String>) -> Option<String>;
    async fn page(&self, size: u32) -> Vec<u8>;
}

#[service]
trait Book {
    async fn title(&self) -> String;
    async fn chapter(&self) -> BookClient;
    async fn wait(&self);
}

#[service]
trait Listener {
    async fn hear(&self, word: String) -> String;
}

#[derive(Clone, Default)]
struct Paper {
    depth: u32,
    begun: Rc<Cell<u32>>,
    ended: Rc<Cell<u32>>,
}

struct Counted(Rc<Cell<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

impl Book for Paper {
    async fn title(&self) -> String {
        format!("book {}", self.depth)
    }

    async fn chapter(&self) -> BookClient {
        let chapter = Self { depth: self.depth + 1, ..self.clone() };
        in_process::spawn(|port| BookServer::new(chapter).serve(port))
    }

    async fn wait(&self) {
        self.begun.set(self.begun.get() + 1);
        let _ended = Counted(self.ended.clone());
        std::future::pending().await
    }
}

struct Wood {
    book: Host<BookClient>,
    listener: RefCell<Option<Rc<ListenerClient>>>,
    raw: RefCell<Vec<MessagePort>>,
    sealer: Sealer<String>,
}

impl Shelf for Wood {
    async fn book(&self) -> BookClient {
        self.book.grant().label("lent").client()
    }

    async fn is_own_book(&self, book: BookClient) -> bool {
        self.book.recognise(&book).is_some_and(|export| export.state.label == "lent")
    }

    async fn is_own_client(&self, context: CallContext, shelf: ShelfClient) -> bool {
        context.recognises(&shelf)
    }

    async fn listen(&self, listener: ListenerClient) {
        self.listener.replace(Some(Rc::new(listener)));
    }

    async fn notify(&self, word: String) -> Result<String, String> {
        let listener = self.listener.borrow().clone().ok_or("nobody listens")?;
        listener.hear(word).await.map_err(|error| error.to_string())
    }

    async fn listener(&self) -> ListenerClient {
        Rc::into_inner(self.listener.take().unwrap()).unwrap()
    }

    async fn numbers(&self) -> impl Stream<Item = u32> {
        futures::stream::iter(0..3).chain(futures::stream::pending())
    }

    async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32 {
        numbers.fold(0, async |sum, number| sum + number).await
    }

    async fn raw(&self) -> MessagePort {
        let (ours, theirs) = MessageChannel::new().into_ports();
        ours.start();
        ours.post_message("from inside").unwrap();
        self.raw.borrow_mut().push(ours);
        theirs
    }

    async fn echo_port(&self, port: MessagePort) -> MessagePort {
        port
    }

    async fn seal(&self, word: String) -> Sealed<String> {
        self.sealer.seal(word)
    }

    async fn unseal(&self, sealed: Sealed<String>) -> Option<String> {
        self.sealer.open(&sealed).map(|word| String::clone(&word))
    }

    async fn page(&self, size: u32) -> Vec<u8> {
        vec![7; size as usize]
    }
}

/// What a holder serves.
#[derive(Clone, Default)]
struct Ear(Rc<RefCell<Vec<String>>>);

impl Listener for Ear {
    async fn hear(&self, word: String) -> String {
        self.0.borrow_mut().push(word.clone());
        word + "!"
    }
}

fn hosted<C: From<MessagePort>, S: handover::rpc::Service + 'static>(
    (host, hosting): (Host<C>, handover::Hosting<S>),
) -> Host<C> {
    context::spawn_local(async move { drop(hosting.serve().await) });
    host
}

fn shelf_with(options: ServeOptions) -> (Host<ShelfClient>, Host<BookClient>, Paper) {
    let paper = Paper::default();
    let book = hosted(BookServer::new(paper.clone()).host());
    let wood =
        Wood { book: book.clone(), listener: RefCell::default(), raw: RefCell::default(), sealer: Sealer::new() };
    (hosted(ShelfServer::new(wood).with(options).host()), book, paper)
}

fn shelf() -> (Host<ShelfClient>, Host<BookClient>, Paper) {
    shelf_with(ServeOptions::default())
}

fn over(way: Way, client: ShelfClient) -> ShelfClient {
    if way != Way::Bytes {
        return client;
    }
    let (ours, near) = MessageChannel::new().into_ports();
    let _link = Link::spawn(near, client.into_port(), LinkOptions::default());
    ShelfClient::from(ours)
}

fn refused<T>(refusal: Refusal) -> Result<T, CallError> {
    Err(CallError::Refused(refusal))
}

/// C12
#[test]
fn all_that_was_obtained_through_a_membrane_ends_with_it_in_both_directions_and_nothing_else_does() {
    for way in [Way::Direct, Way::Bytes] {
        context::block_on(async {
            let (host, book_host, paper) = shelf();
            let (right, revoker) = host.grant().membrane().label("guest").revocable();
            let (right, direct) = (over(way, right), host.client());
            let ear = Ear::default();
            let book = right.book().await.unwrap();
            let chapter = book.chapter().await.unwrap();
            let clone = right.clone();
            let clone_of_chapter = chapter.clone();
            let mut numbers = right.numbers().await.unwrap();
            let raw = right.raw().await.unwrap();
            raw.start();
            right.listen(in_process::spawn(|port| ListenerServer::new(ear.clone()).serve(port))).await.unwrap();

            assert_eq!(book.title().await, Ok("book 0".into()));
            assert_eq!(clone_of_chapter.title().await, Ok("book 1".into()));
            assert_eq!(clone.book().await.unwrap().title().await, Ok("book 0".into()));
            assert_eq!(direct.notify("hello".into()).await, Ok("hello!".into()));
            assert_eq!(numbers.next().await, Some(Ok(0)));
            assert_eq!(raw.recv().await.unwrap().data(), b"from inside");
            assert_eq!(right.sum(futures::stream::iter(1..=4)).await, Ok(10));
            let mut waits = chapter.wait();
            assert!(poll!(&mut waits).is_pending());
            settle().await;
            assert_eq!(paper.begun.get(), 1);

            revoker.revoke();

            settle().await;
            assert_eq!(waits.now_or_never(), Some(Err(CallError::Unknown(Interruption::Revoked))));
            assert_eq!(paper.ended.get(), 1, "what ran for it has ended");
            for book in [&book, &chapter, &clone_of_chapter, &chapter.clone()] {
                assert_eq!(book.title().await, refused(Refusal::Revoked));
            }
            for shelf in [&right, &clone] {
                assert_eq!(shelf.page(1).await, refused(Refusal::Revoked));
            }
            let rest: Option<Vec<_>> = numbers.collect().now_or_never();
            assert!(rest.is_some_and(|rest| rest.last().is_some_and(Result::is_err)), "it was cut");
            assert!(raw.recv().now_or_never().is_some_and(|came| came.is_err()));
            assert!(direct.notify("still there?".into()).await.is_err());
            assert_eq!(*ear.0.borrow(), ["hello"]);

            let book = direct.book().await.unwrap();
            assert_eq!(book.title().await, Ok("book 0".into()));
            assert_eq!((host.clients(), book_host.clients()), (1, 1), "and nothing is left of it");
        });
    }
}

/// C12
#[test]
fn what_comes_home_through_a_membrane_is_what_it_was_and_known_as_that() {
    context::block_on(async {
        let (host, _, _) = shelf();
        let right = host.grant().membrane().label("guest").client();
        let listener_host = hosted(ListenerServer::new(Ear::default()).host());

        // The service's own: what it has lent, a client of itself, and what it has sealed.
        let book = right.book().await.unwrap();
        assert_eq!(book.title().await, Ok("book 0".into()));
        assert_eq!(right.is_own_book(book).await, Ok(true));
        assert_eq!(right.is_own_client(right.clone()).await, Ok(true));
        let sealed = right.seal("sesame".into()).await.unwrap();
        assert_eq!(right.unseal(sealed).await, Ok(Some("sesame".into())));
        // The holder's own, also by way of the service.
        let listener = listener_host.grant().label("mine").client();
        right.listen(listener).await.unwrap();
        let back = right.listener().await.unwrap();
        assert_eq!(listener_host.recognise(&back).unwrap().state.label, "mine");
        assert_eq!(back.hear("hello".into()).await, Ok("hello!".into()));
        // A stranger's is nobody's.
        let (foreign, _, _) = shelf();
        assert_eq!(right.is_own_book(foreign.client().book().await.unwrap()).await, Ok(false));

        assert_eq!(host.exports().len(), 1);
        let home = host.recognise(&right);
        assert!(home.is_none(), "outside, a membrane lies between");
    });
}

/// C12
#[test]
fn what_came_home_and_leaves_again_still_ends_with_the_membrane_and_what_is_home_does_not() {
    context::block_on(async {
        let (host, _, _) = shelf();
        let (right, revoker) = host.grant().membrane().revocable();
        let (ours, theirs) = MessageChannel::new().into_ports();
        theirs.start();
        ours.post_message("one").unwrap();

        // The holder's own port goes in and out, and so home.
        let ours = right.echo_port(ours).await.unwrap();
        ours.post_message("two").unwrap();
        // The service's goes out, in, and out.
        let raw = right.raw().await.unwrap();
        let raw = right.echo_port(raw).await.unwrap();
        raw.start();
        assert_eq!(raw.recv().await.unwrap().data(), b"from inside", "what waited at it came along");

        revoker.revoke();

        ours.post_message("three").unwrap();
        for word in ["one", "two", "three"] {
            assert_eq!(theirs.recv().await.unwrap().data(), word.as_bytes());
        }
        assert!(raw.recv().now_or_never().is_some_and(|came| came.is_err()));
    });
}

#[test]
fn without_a_membrane_what_was_obtained_goes_on() {
    context::block_on(async {
        let (host, _, _) = shelf();
        let (right, revoker) = host.grant().revocable();
        let book = right.book().await.unwrap();

        revoker.revoke();

        assert_eq!(right.page(1).await, refused(Refusal::Revoked));
        assert_eq!(book.title().await, Ok("book 0".into()));
    });
}

/// C12
#[test]
fn a_membrane_outlives_the_client_that_it_was_granted_with_and_not_what_was_obtained() {
    context::block_on(async {
        let (host, book_host, _) = shelf();
        let (right, revoker) = host.grant().membrane().revocable();
        let (one, two) = (right.book().await.unwrap(), right.book().await.unwrap());

        drop(right);
        settle().await;
        assert_eq!(host.clients(), 0);
        assert_eq!(one.title().await, Ok("book 0".into()));
        assert!(!revoker.is_over());
        drop(two);

        revoker.revoke();
        assert_eq!(one.title().await, refused(Refusal::Revoked));
        settle().await;
        assert!(revoker.is_over());
        assert_eq!((host.exports().len(), book_host.clients()), (0, 0));

        let (right, revoker) = host.grant().membrane().revocable();
        drop(right.book().await.unwrap());
        drop(right);
        settle().await;
        assert!(revoker.is_over(), "nothing is left of it");
        assert_eq!((host.exports().len(), book_host.clients()), (0, 0));
    });
}

/// C12
#[test]
fn when_the_time_of_a_right_is_up_so_is_that_of_all_that_was_obtained_through_its_membrane() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    context::block_on(async {
        let (host, _, _) = shelf();
        let right = host.grant().membrane().expires(Duration::from_secs(9)).client();
        let book = right.book().await.unwrap();
        drop(right);
        clock.advance(Duration::from_secs(8));
        settle().await;
        assert_eq!(book.title().await, Ok("book 0".into()));

        clock.advance(Duration::from_secs(1));
        settle().await;

        assert_eq!(book.title().await, refused(Refusal::Expired));
    });
}

#[test]
fn calls_through_a_membrane_keep_their_order_also_on_what_is_to_be_returned() {
    context::block_on(async {
        let (host, _, _) = shelf();
        let right = host.grant().membrane().client();

        let book: BookClient = right.book().pipelined();
        let chapter: BookClient = book.chapter().pipelined();
        assert_eq!(chapter.title().await, Ok("book 1".into()));
        assert_eq!(book.title().await, Ok("book 0".into()));
        assert_eq!(right.is_own_book(book).await, Ok(true));

        let ear = Ear::default();
        right.listen(in_process::spawn(|port| ListenerServer::new(ear.clone()).serve(port))).await.unwrap();
        for number in 0_u32..50 {
            assert_eq!(right.notify(number.to_string()).await, Ok(format!("{number}!")));
        }
        assert_eq!(*ear.0.borrow(), (0..50).map(|number: u32| number.to_string()).collect::<Vec<_>>());
    });
}

/// C12
#[test]
fn a_holder_in_another_thread_and_what_it_hands_on_there_end_with_the_membrane() {
    context::block_on(async {
        let (host, _, _) = shelf();
        let (right, revoker) = host.grant().membrane().revocable();
        let right = right.into_port();
        let (go, gate) = oneshot::channel::<()>();
        let guest: MessagePort = worker_thread::spawn("guest", async move |port: MessagePort| {
            let shelf = ShelfClient::from(right);
            let book = shelf.book().await.unwrap();
            let chapter = book.chapter().await.unwrap();
            assert_eq!(chapter.title().await, Ok("book 1".into()));
            port.post_message("obtained").unwrap();
            assert!(gate.await.is_err());
            let after = [book.title().await, chapter.title().await];
            assert_eq!(after, [refused(Refusal::Revoked), refused(Refusal::Revoked)]);
            port.post_message("ended").unwrap();
        })
        .unwrap();
        guest.start();
        assert_eq!(guest.recv().await.unwrap().data(), b"obtained");

        revoker.revoke();
        drop(go);

        assert_eq!(guest.recv().await.unwrap().data(), b"ended");
    });
}

/// C12
#[test]
fn a_cheater_who_keeps_ports_and_sends_frames_by_hand_gets_nothing_past_a_membrane() {
    context::block_on(async {
        let (host, book_host, paper) = shelf();
        let (right, revoker) = host.grant().membrane().revocable();
        let cheater = right.into_port();
        cheater.start();
        let call = |id, name, args: &[u8]| Frame::call(CallId(id), MethodId::of_name(name), args).to_bytes();
        // It attaches, takes what is in the reply as it is, attaches to that, and joins it to a channel of its own.
        cheater.post_message(call(1, "book", &[])).unwrap();
        let book = cheater.recv().await.unwrap().into_parts().ports.remove(0);
        let attach = |to: &MessagePort| {
            let (ours, theirs) = MessageChannel::new().into_ports();
            let frame = Frame::Attach { limits: Box::default() }.to_bytes();
            to.post_message(Message::new(frame).with_port(theirs)).unwrap();
            ours.start();
            ours
        };
        let attached = [attach(&cheater), attach(&book)];
        let again = attach(&attached[1]);
        let (mine, joined) = MessageChannel::new().into_ports();
        attach(&book).join(joined);
        mine.start();
        mine.post_message(call(2, "wait", &[])).unwrap();
        settle().await;
        assert_eq!((paper.begun.get(), host.clients(), book_host.clients()), (1, 2, 4));
        // It says what only a service says, and nonsense.
        book.post_message(Frame::Farewell { fault: Fault::Refused(Refusal::Spent) }.to_bytes()).unwrap();
        book.post_message("nonsense").unwrap();

        revoker.revoke();
        settle().await;

        for (number, port) in (10..).zip(attached.iter().chain([&again, &mine, &book, &cheater])) {
            port.start();
            port.post_message(call(number, "wait", &[])).unwrap();
            attach(port).post_message(call(number, "wait", &[])).unwrap();
            port.post_message(call(number, "book", &[])).unwrap();
        }
        settle().await;
        assert_eq!((paper.begun.get(), paper.ended.get(), host.clients(), book_host.clients()), (1, 1, 0, 0));
        let last = std::iter::from_fn(|| again.recv().now_or_never()?.ok()).last().unwrap();
        assert_eq!(Frame::parse(last.data()), Ok(Frame::Farewell { fault: Fault::Refused(Refusal::Revoked) }));
    });
}

#[test]
fn ports_that_lie_in_each_others_queues_deeper_than_any_stack_cross_a_membrane() {
    context::block_on(async {
        let (host, _, _) = shelf();
        let (right, revoker) = host.grant().membrane().revocable();
        let (first, mut port) = MessageChannel::new().into_ports();
        drop(first);
        for _ in 0..10_000 {
            let (outer, inner) = MessageChannel::new().into_ports();
            outer.post_message(Message::default().with_port(port)).unwrap();
            port = inner;
        }

        let port = right.echo_port(port).await.unwrap();

        revoker.revoke();
        settle().await;
        assert_eq!(host.clients(), 0);
        drop(port);
    });
}

/// C21
#[test]
fn a_holder_behind_a_membrane_that_reads_nothing_is_closed() {
    context::block_on(async {
        let (host, _, _) = shelf_with(ServeOptions::default().max_unread(1 << 20));
        let (cheater, reader) = (host.grant().membrane().client().into_port(), host.client());
        let size = postcard::to_allocvec(&1000_u32).unwrap();
        let mut made = 0;
        while made < 1_000_000 && !cheater.is_closed() {
            for _ in 0..100 {
                let page = Frame::call(CallId(made), MethodId::of_name("page"), &size);
                cheater.post_message(page.to_bytes()).unwrap();
                made += 1;
            }
            settle().await;
        }

        assert!(made < 10_000, "{made}");
        assert_eq!(reader.page(1).await, Ok(vec![7]));
    });
}

#[test]
fn nothing_is_left_of_a_membrane_when_its_holder_has_gone() {
    let check = LeakCheck::begin();
    context::block_on(async {
        let (host, book_host, _) = shelf();
        let right = host.grant().membrane().client();
        let book = right.book().await.unwrap();
        let chapter = book.chapter().await.unwrap();
        right.listen(in_process::spawn(|port| ListenerServer::new(Ear::default()).serve(port))).await.unwrap();
        assert_eq!(chapter.title().await, Ok("book 1".into()));
        drop((right, book, chapter));
        settle().await;
        assert_eq!((host.clients(), book_host.clients()), (0, 0));
    });
    check.end();
}
