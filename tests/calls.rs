//! Calls: values, errors, endings, over every way from a client to its service.

mod common;

use std::{
    cell::{Cell, RefCell},
    error::Error,
    fmt,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use common::{Way, over_every_way, settle};
use futures::{FutureExt, channel::oneshot, future::join_all, poll};
use handover::{
    Interruption, NotSent, context,
    prelude::*,
    testing::LeakCheck,
    wire::{CallId, Frame},
};
use serde::{Deserialize, Serialize, Serializer, ser};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TooLarge {
    limit: u32,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {}", self.limit)
    }
}

impl Error for TooLarge {}

type Result<T> = std::result::Result<T, TooLarge>;

#[service]
trait Desk {
    async fn add(&self, a: u32, b: u32) -> u32;
    async fn nothing(&self);
    async fn checked(&self, number: u32) -> std::result::Result<u32, TooLarge>;
    async fn aliased(&self, number: u32) -> Result<u32>;
    /// Ends when the oneshot that the test holds is sent.
    async fn wait(&self) -> u32;
    async fn panic(&self, message: String);
    #[rpc(oneway)]
    async fn note(&self, text: String);
    #[rpc(oneway, id = 7)]
    async fn note_slowly(&self, text: String);
    async fn r#match(&self, r#type: String) -> String;
}

/// What the test sees of a service on another thread.
#[derive(Clone, Default)]
struct Watch {
    notes: Arc<Mutex<Vec<String>>>,
    running: Arc<AtomicUsize>,
    begun: Arc<AtomicUsize>,
    gate: Arc<Mutex<Vec<oneshot::Receiver<()>>>>,
}

impl Watch {
    /// Lets a `wait` that is made later end when the sender is used.
    fn gate(&self) -> oneshot::Sender<()> {
        let (open, gate) = oneshot::channel();
        self.gate.lock().unwrap().insert(0, gate);
        open
    }

    async fn until(&self, what: impl Fn(&Self) -> bool) {
        while !what(self) {
            settle().await;
        }
    }
}

struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Not `Send`, on purpose.
struct Clerk {
    watch: Watch,
    calls: Rc<Cell<u32>>,
    texts: RefCell<Vec<String>>,
}

impl Clerk {
    fn new(watch: Watch) -> Self {
        Self { watch, calls: Rc::default(), texts: RefCell::default() }
    }
}

impl Desk for Clerk {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.calls.set(self.calls.get() + 1);
        a + b
    }

    async fn nothing(&self) {}

    async fn checked(&self, number: u32) -> std::result::Result<u32, TooLarge> {
        if number > 10 { Err(TooLarge { limit: 10 }) } else { Ok(number) }
    }

    async fn aliased(&self, number: u32) -> Result<u32> {
        self.checked(number).await
    }

    async fn wait(&self) -> u32 {
        self.watch.begun.fetch_add(1, Ordering::SeqCst);
        self.watch.running.fetch_add(1, Ordering::SeqCst);
        let _running = Running(self.watch.running.clone());
        let gate = self.watch.gate.lock().unwrap().pop().unwrap();
        gate.await.unwrap();
        7
    }

    async fn panic(&self, message: String) {
        panic!("{message}");
    }

    async fn note(&self, text: String) {
        self.texts.borrow_mut().push(text.clone());
        self.watch.notes.lock().unwrap().push(text);
    }

    async fn note_slowly(&self, text: String) {
        let gate = self.watch.gate.lock().unwrap().pop().unwrap();
        gate.await.unwrap();
        self.watch.notes.lock().unwrap().push(text);
    }

    async fn r#match(&self, r#type: String) -> String {
        r#type
    }
}

fn desk(way: Way) -> (DeskClient, Watch) {
    let watch = Watch::default();
    let theirs = watch.clone();
    (way.spawn(move |port| DeskServer::new(Clerk::new(theirs)).serve(port)), watch)
}

#[test]
fn a_call_brings_back_what_the_method_returned() {
    over_every_way(async |way| {
        let (desk, _) = desk(way);

        assert_eq!(desk.add(2, 3).await, Ok(5));
        assert_eq!(desk.nothing().await, Ok(()));
        assert_eq!(desk.r#match("raw".to_owned()).await.unwrap(), "raw");
    });
}

#[test]
fn an_error_of_the_service_arrives_as_it_is() {
    over_every_way(async |way| {
        let (desk, _) = desk(way);

        assert_eq!(desk.checked(10).await, Ok(10));
        assert_eq!(desk.checked(11).await, Err(RpcError::Service(TooLarge { limit: 10 })));
        assert_eq!(desk.aliased(11).await, Err(RpcError::Service(TooLarge { limit: 10 })));
    });
}

#[test]
fn calls_that_wait_do_not_hold_up_others() {
    over_every_way(async |way| {
        let (desk, watch) = desk(way);
        let open = watch.gate();
        let mut waiting = desk.wait();
        assert!(poll!(&mut waiting).is_pending());

        assert_eq!(desk.add(2, 3).await, Ok(5));

        open.send(()).unwrap();
        assert_eq!(waiting.await, Ok(7));
    });
}

#[test]
fn a_thousand_calls_may_be_outstanding_and_each_gets_its_own_answer() {
    over_every_way(async |way| {
        let (desk, watch) = desk(way);
        let open: Vec<_> = (0..1000).map(|_| watch.gate()).collect();
        let calls: Vec<_> = (0..1000).map(|_| desk.wait()).collect();
        let sums: Vec<_> = (0..1000).map(|number| desk.add(number, 1)).collect();
        let mut calls = join_all(calls);
        assert!(poll!(&mut calls).is_pending());

        let sums = join_all(sums).await;
        open.into_iter().for_each(|open| open.send(()).unwrap());
        let waited = calls.await;

        assert!(sums.into_iter().eq((0..1000).map(|number| Ok(number + 1))));
        assert!(waited.into_iter().all(|answer| answer == Ok(7)));
    });
}

#[test]
fn one_way_calls_arrive_in_order_and_get_no_answer() {
    over_every_way(async |way| {
        let (desk, watch) = desk(way);

        for text in ["one", "two", "three"] {
            assert_eq!(desk.note(text.to_owned()).await, Ok(()));
        }

        // A call that is served after them, since calls are begun in the order they were sent.
        desk.nothing().await.unwrap();
        assert_eq!(*watch.notes.lock().unwrap(), ["one", "two", "three"]);
    });
}

#[test]
fn a_one_way_call_runs_to_its_end_although_its_client_is_gone() {
    over_every_way(async |way| {
        let (desk, watch) = desk(way);
        let open = watch.gate();
        desk.note_slowly("late".to_owned()).await.unwrap();

        drop(desk);
        settle().await;
        open.send(()).unwrap();

        watch.until(|watch| *watch.notes.lock().unwrap() == ["late"]).await;
    });
}

#[test]
fn dropping_a_call_ends_its_method() {
    over_every_way(async |way| {
        let (desk, watch) = desk(way);
        let _open = watch.gate();
        let mut waiting = desk.wait();
        assert!(poll!(&mut waiting).is_pending());
        watch.until(|watch| watch.running.load(Ordering::SeqCst) == 1).await;

        drop(waiting);

        watch.until(|watch| watch.running.load(Ordering::SeqCst) == 0).await;
        assert_eq!(desk.add(2, 3).await, Ok(5));
    });
}

#[test]
fn a_call_that_is_dropped_before_it_was_awaited_is_never_made() {
    over_every_way(async |way| {
        let (desk, watch) = desk(way);

        drop(desk.wait());

        desk.nothing().await.unwrap();
        assert_eq!(watch.begun.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_call_that_is_dropped_before_the_service_sees_it_is_not_run() {
    handover::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let desk = DeskClient::from(ours);
        let watch = Watch::default();
        let mut waiting = desk.wait();
        assert!(poll!(&mut waiting).is_pending());

        drop(waiting);

        let mut served = Box::pin(DeskServer::new(Clerk::new(watch.clone())).serve(theirs));
        assert!(poll!(&mut served).is_pending());
        assert_eq!(watch.begun.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_panic_of_a_method_is_its_callers_answer_at_once_and_nobody_elses() {
    over_every_way(async |way| {
        let (desk, _) = desk(way);

        let answer = desk.panic("the ink is dry".to_owned()).await;

        let panicked = Interruption::Panicked("the ink is dry".to_owned());
        assert_eq!(answer, Err(CallError::Unknown(panicked)));
        assert_eq!(desk.add(2, 3).await, Ok(5), "the service lives on");
    });
}

/// C20
#[test]
fn every_waiting_call_ends_when_the_service_goes() {
    over_every_way(async |way| {
        let (stop, stopped) = oneshot::channel::<()>();
        let watch = Watch::default();
        let theirs = watch.clone();
        let desk: DeskClient = way.spawn(move |port| async move {
            let served = DeskServer::new(Clerk::new(theirs)).serve(port);
            futures::pin_mut!(served);
            futures::future::select(served, stopped).await;
        });
        let _open: Vec<_> = (0..3).map(|_| watch.gate()).collect();
        let mut calls = join_all((0..3).map(|_| desk.wait()));
        assert!(poll!(&mut calls).is_pending());
        watch.until(|watch| watch.running.load(Ordering::SeqCst) == 3).await;

        stop.send(()).unwrap();

        for answer in calls.await {
            assert_eq!(answer, Err(CallError::Unknown(Interruption::Closed)));
        }
    });
}

#[test]
fn a_call_to_a_service_that_is_gone_is_not_sent() {
    over_every_way(async |way| {
        let desk: DeskClient = way.spawn(async |port| drop(port));
        desk.port().closed().await;

        assert_eq!(desk.add(2, 3).await, Err(CallError::NotSent(NotSent::Closed)));
        assert_eq!(desk.note("lost".to_owned()).await, Err(CallError::NotSent(NotSent::Closed)));
    });
}

#[test]
fn a_worker_that_panics_ends_every_call_and_says_which_may_have_run() {
    handover::block_on(async {
        let (panic, panicking) = oneshot::channel::<()>();
        let watch = Watch::default();
        let theirs = watch.clone();
        let desk: DeskClient = handover::worker_thread::spawn("doomed", |port| async move {
            let served = DeskServer::new(Clerk::new(theirs)).serve(port);
            futures::pin_mut!(served);
            futures::future::select(served, panicking).await;
            panic!("the worker itself panicked, as the test wants");
        })
        .unwrap();
        let _open = watch.gate();
        let mut running = desk.wait();
        assert!(poll!(&mut running).is_pending());
        watch.until(|watch| watch.running.load(Ordering::SeqCst) == 1).await;

        panic.send(()).unwrap();

        assert!(matches!(running.await, Err(CallError::Unknown(Interruption::Panicked(_)))));
        assert_eq!(desk.port().closed().await, handover::ClosedBy::PeerPanic);
    });
}

#[test]
fn a_call_that_nobody_took_up_did_not_run_and_says_so() {
    handover::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let desk = DeskClient::from(ours);
        let mut waiting = desk.wait();
        assert!(poll!(&mut waiting).is_pending());

        drop(theirs);

        assert_eq!(waiting.await, Err(CallError::NotSent(NotSent::Closed)));
    });
}

#[test]
fn a_server_ends_when_its_client_is_dropped() {
    handover::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let served = DeskServer::new(Clerk::new(Watch::default())).serve(theirs);
        let desk = DeskClient::from(ours);
        futures::pin_mut!(served);
        assert!(poll!(&mut served).is_pending());

        drop(desk);

        assert!(poll!(&mut served).is_ready());
    });
}

#[test]
fn a_client_needs_no_executor_of_its_own() {
    // Both ends are polled by hand, on no executor at all.
    let (ours, theirs) = MessageChannel::new().into_ports();
    let mut served = Box::pin(DeskServer::new(Clerk::new(Watch::default())).serve(theirs));
    let desk = DeskClient::from(ours);
    let mut call = desk.add(2, 3);

    assert!((&mut call).now_or_never().is_none());
    assert!((&mut served).now_or_never().is_none());

    assert_eq!((&mut call).now_or_never(), Some(Ok(5)));
}

/// LOOP-07
#[test]
fn a_busy_caller_does_not_starve_what_else_runs_in_the_services_context() {
    handover::block_on(async {
        let (desk, watch) = desk(Way::Direct);
        let turns = Rc::new(Cell::new(0));
        let theirs = turns.clone();
        handover::context::spawn_local(async move {
            loop {
                theirs.set(theirs.get() + 1);
                common::turn().await;
            }
        });
        for _ in 0..10_000 {
            desk.note("again".to_owned()).await.unwrap();
        }

        desk.nothing().await.unwrap();

        assert_eq!(watch.notes.lock().unwrap().len(), 10_000);
        assert!(turns.get() > 100, "the other task had {} turns", turns.get());
    });
}

#[service]
trait Portable {
    async fn double(&self, number: u32) -> u32;
}

struct Calculator;

impl Portable for Calculator {
    async fn double(&self, number: u32) -> u32 {
        futures::future::ready(number * 2).await
    }
}

#[test]
fn the_future_of_a_service_that_is_send_is_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }

    let (ours, theirs) = MessageChannel::new().into_ports();
    let served = is_send(PortableServer::new(Calculator).serve(theirs));
    let client = is_send(PortableClient::from(ours));
    let thread = std::thread::spawn(move || handover::block_on(served));

    assert_eq!(handover::block_on(is_send(client.double(4))), Ok(8));

    drop(client);
    thread.join().unwrap();
}

/// What cannot be written where it says so.
#[derive(Deserialize)]
struct Stubborn(bool);

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if self.0 { Err(ser::Error::custom("it will not")) } else { serializer.serialize_bool(false) }
    }
}

#[service]
trait Shelf {
    async fn put(&self, it: Stubborn) -> u8;
}

#[test]
fn a_call_that_cannot_be_encoded_ends_and_leaves_nothing_and_the_next_one_goes() {
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        theirs.start();
        let shelf = ShelfClient::from(ours);
        let check = LeakCheck::begin();

        let mut call = shelf.put(Stubborn(true));
        assert!(poll!(&mut call).is_pending());
        assert!(theirs.recv().now_or_never().is_none(), "nothing is sent");
        let ended = call.await;

        assert!(matches!(ended, Err(CallError::NotSent(NotSent::Unencodable(_)))), "{ended:?}");
        assert_eq!(check.alive(), [""; 0]);

        let mut next = shelf.put(Stubborn(false));
        assert!(poll!(&mut next).is_pending());
        let frame = theirs.recv().await.unwrap();
        let Ok(Frame::Call { id, .. }) = Frame::parse(frame.data()) else { panic!("it is no call") };
        assert_ne!(id, CallId(0), "a number is used once");
        theirs.post_message(Frame::Reply { id, result: &[0, 5] }.to_bytes()).unwrap();
        assert_eq!(next.await, Ok(5));
    });
}
