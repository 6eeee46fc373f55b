//! Calls between threads, in every order that their locks allow: endings that cross a caller who gives up, calls that are turned
//! into bytes while that happens, and ports that close meanwhile.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p handover-core --test loom_calls --release`; see `loom.rs`. Every test is explored to its end,
//! in the orders that interrupt a thread at most three times where it could go on: a call takes many locks.
#![cfg(loom)]

mod loom_common;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{FutureExt, future::poll_fn};
use handover_core::{
    Call, CallError, Client, Interruption, MessageChannel, MessagePort, NotSent, Refusal,
    clock::{self, ManualClock},
    message::{DecodeError, Decoder, EncodeError, Encoder},
    rpc::{
        Answer, CallInfo, ClientOptions, ClientStub, Incoming, Interceptor, Method, MethodId, Never, Opened, Outcome,
        Responder, ResultCodec, ServeOptions, Service, farewell, result_codec, serve,
    },
    shape::{MethodKind, Shape, StaticDescription, StaticMethod},
    wire::{CallId, Fault, Frame, Window},
};
use loom::{future::block_on, thread};
use loom_common::{Double, explore};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

// A service of one method, as `#[service]` would write it.

/// What the method does: ready with what it returns.
type Doing = Arc<dyn Fn(u32, &mut Context<'_>) -> Poll<u32> + Send + Sync>;

struct Doubler;

impl Service for Doubler {
    const DESCRIPTION: StaticDescription =
        StaticDescription { name: "Doubler", docs: "", methods: &[Double::DESCRIPTION], supers: &[] };
    type Object = Doing;
    type SharedCall = (u32, Responder<Double>);
    type OnceCall = Never;

    fn serves(method: MethodId) -> bool {
        method == Double::ID
    }

    fn open(incoming: Incoming<'_>) -> Result<Opened<Self>, Answer> {
        incoming.open::<Double>().map(Opened::shared::<Double>)
    }

    fn run(doing: &Doing, (number, responder): Self::SharedCall) -> impl Future<Output = Answer> {
        responder.run(poll_fn(move |cx| doing(number, cx)))
    }

    async fn run_once(_: Doing, call: Never) -> Answer {
        match call {}
    }
}

/// Serves on a thread of its own, until nobody waits there any more.
fn served(
    port: MessagePort,
    doing: impl Fn(u32, &mut Context<'_>) -> Poll<u32> + Send + Sync + 'static,
) -> thread::JoinHandle<()> {
    let doing: Doing = Arc::new(doing);
    thread::spawn(move || block_on(serve::<Doubler>(doing, port, ServeOptions::default())))
}

/// How the calls of a client have ended.
#[derive(Default)]
struct Endings(std::sync::Mutex<Vec<Outcome>>);

impl Endings {
    fn seen(&self) -> Vec<Outcome> {
        self.0.lock().unwrap().clone()
    }
}

impl Interceptor for Endings {
    fn after(&self, _: &CallInfo, outcome: &Outcome) {
        self.0.lock().unwrap().push(outcome.clone());
    }
}

fn client() -> (ClientStub, MessagePort) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    (ClientStub::new(ours), theirs)
}

/// A client, and what it sees of the ends of its calls.
fn watched_client() -> (ClientStub, Arc<Endings>, MessagePort) {
    let (stub, theirs) = client();
    let endings = Arc::new(Endings::default());
    let stub = stub.with(ClientOptions::default().shared_interceptor(endings.clone()));
    (stub, endings, theirs)
}

fn double(stub: &ClientStub, number: u32) -> Call<'_, u32, CallError> {
    stub.call::<Double, _>(number)
}

/// A clock that the calls of this test read.
fn manual_clock() -> (Arc<ManualClock>, clock::Entered) {
    let clock = Arc::new(ManualClock::default());
    let entered = clock::enter(clock.clone());
    (clock, entered)
}

const SECOND: Duration = Duration::from_secs(1);

// Cells that a service of this process takes.

#[test]
fn a_caller_that_begins_to_wait_while_its_call_is_answered_is_woken() {
    explore(|| {
        let (stub, theirs) = client();

        let service = served(theirs, |number, _| Poll::Ready(number * 2));

        assert_eq!(block_on(double(&stub, 4)), Ok(8));
        drop(stub);
        service.join().unwrap();
    });
}

#[test]
fn a_handler_that_begins_to_wait_while_its_caller_gives_up_is_ended() {
    explore(|| {
        let (stub, endings, theirs) = watched_client();

        // Its caller is all that could end it; and if nothing does, the service never ends.
        let service = served(theirs, |_, _| Poll::Pending);
        give_up(&stub);
        drop(stub);

        service.join().unwrap();
        assert_eq!(endings.seen(), [Outcome::Cancelled]);
    });
}

#[test]
fn a_call_that_is_given_up_while_it_is_answered_ends_once() {
    explore(|| {
        let (stub, endings, theirs) = watched_client();

        let service = served(theirs, |number, _| Poll::Ready(number * 2));
        let mut call = double(&stub, 4);
        let polled = (&mut call).now_or_never();
        drop(call);
        drop(stub);

        service.join().unwrap();
        let outcome = polled.map_or(Outcome::Cancelled, |doubled| {
            assert_eq!(doubled, Ok(8));
            Outcome::Returned
        });
        assert_eq!(endings.seen(), [outcome]);
    });
}

#[test]
fn a_call_whose_time_is_up_while_it_is_answered_ends_once_either_way() {
    explore(|| {
        let (clock, _entered) = manual_clock();
        let (stub, endings, theirs) = watched_client();

        let service = served(theirs, move |number, _| {
            clock.advance(SECOND);
            Poll::Ready(number * 2)
        });
        let ended = block_on(double(&stub, 4).deadline(SECOND));
        drop(stub);

        service.join().unwrap();
        let outcome = match ended {
            Ok(doubled) => {
                assert_eq!(doubled, 8);
                Outcome::Returned
            }
            Err(error) => {
                assert_eq!(error, CallError::Unknown(Interruption::DeadlineExceeded));
                Outcome::Failed(error)
            }
        };
        assert_eq!(endings.seen(), [outcome]);
    });
}

#[test]
fn a_call_whose_time_is_up_ends_at_both_ends_whoever_notices_first() {
    explore(|| {
        let (clock, _entered) = manual_clock();
        let (stub, endings, theirs) = watched_client();

        let service = served(theirs, move |_, _| {
            clock.advance(SECOND);
            Poll::Pending
        });
        let ended = block_on(double(&stub, 4).deadline(SECOND));
        drop(stub);

        service.join().unwrap();
        let error = CallError::Unknown(Interruption::DeadlineExceeded);
        assert_eq!(ended, Err(error.clone()));
        assert_eq!(endings.seen(), [Outcome::Failed(error)]);
    });
}

#[test]
fn a_call_that_is_posted_while_its_service_says_farewell_ends_as_that_says() {
    explore(|| {
        let (stub, theirs) = client();

        let refusal = Refusal::Denied("closed today".to_owned());
        let fault = Fault::Refused(refusal.clone());
        let service = thread::spawn(move || farewell(&theirs, fault));
        let ended = block_on(double(&stub, 4));

        service.join().unwrap();
        assert_eq!(ended, Err(CallError::Refused(refusal)));
    });
}

// A service of one method that returns a client, of which calls are pipelined.

struct Open;

struct DoubleClient(ClientStub);

impl From<MessagePort> for DoubleClient {
    fn from(port: MessagePort) -> Self {
        Self(ClientStub::new(port))
    }
}

impl Client for DoubleClient {
    fn port(&self) -> &MessagePort {
        self.0.port()
    }

    fn into_port(self) -> MessagePort {
        self.0.into_port()
    }

    fn stub(&self) -> &ClientStub {
        &self.0
    }

    fn with_options(self, options: ClientOptions) -> Self {
        Self(self.0.with(options))
    }
}

impl Serialize for DoubleClient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DoubleClient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ClientStub::deserialize(deserializer).map(Self)
    }
}

impl Method for Open {
    const ID: MethodId = MethodId::of_name(Self::NAME);
    const NAME: &'static str = "open";
    type Args = ();
    type Ok = DoubleClient;
    type Err = Never;
    type Return = DoubleClient;
    const DESCRIPTION: StaticMethod = StaticMethod {
        id: Self::ID.0,
        name: Self::NAME,
        docs: "",
        kind: MethodKind::Call,
        args: &[],
        ok: Shape::of::<DoubleClient>,
        err: None,
    };
    const RESULT: ResultCodec<DoubleClient, Never> = result_codec();

    fn encode_args((): &(), _: &mut Encoder) -> Result<(), EncodeError> {
        Ok(())
    }

    fn decode_args(_: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Ok(())
    }

    fn into_result(returned: DoubleClient) -> Result<DoubleClient, Never> {
        Ok(returned)
    }
}

struct Opener;

impl Service for Opener {
    const DESCRIPTION: StaticDescription =
        StaticDescription { name: "Opener", docs: "", methods: &[Open::DESCRIPTION], supers: &[] };
    type Object = fn() -> DoubleClient;
    type SharedCall = ((), Responder<Open>);
    type OnceCall = Never;

    fn serves(method: MethodId) -> bool {
        method == Open::ID
    }

    fn open(incoming: Incoming<'_>) -> Result<Opened<Self>, Answer> {
        incoming.open::<Open>().map(Opened::shared::<Open>)
    }

    fn run(open: &fn() -> DoubleClient, ((), responder): Self::SharedCall) -> impl Future<Output = Answer> {
        let open = *open;
        responder.run(async move { open() })
    }

    async fn run_once(_: fn() -> DoubleClient, call: Never) -> Answer {
        match call {}
    }
}

fn denied() -> Refusal {
    Refusal::Denied("closed today".to_owned())
}

/// A client of a port that has been closed with a reason.
fn closed_today() -> DoubleClient {
    let (ours, theirs) = MessageChannel::new().into_ports();
    farewell(&theirs, Fault::Refused(denied()));
    DoubleClient::from(ours)
}

#[test]
fn a_call_on_what_is_returned_while_it_is_made_ends_as_it_would_have_later() {
    explore(|| {
        let (stub, theirs) = client();

        let service = thread::spawn(move || {
            let open: fn() -> DoubleClient = closed_today;
            block_on(serve::<Opener>(open, theirs, ServeOptions::default()));
        });
        let opened = stub.call::<Open, CallError>(()).pipelined();
        let ended = block_on(double(opened.stub(), 4));
        drop(stub);

        service.join().unwrap();
        assert_eq!(ended, Err(CallError::Refused(denied())));
    });
}

#[test]
fn a_call_on_what_a_service_that_goes_will_not_return_did_not_run() {
    explore(|| {
        let (stub, theirs) = client();

        let service = thread::spawn(move || drop(theirs));
        let opened = stub.call::<Open, CallError>(()).pipelined();
        let ended = block_on(double(opened.stub(), 4));

        service.join().unwrap();
        assert_eq!(ended, Err(CallError::NotSent(NotSent::Closed)));
    });
}

#[test]
fn a_call_to_a_service_that_goes_while_it_is_posted_ends() {
    explore(|| {
        let (stub, endings, theirs) = watched_client();

        let dropper = thread::spawn(move || drop(theirs));
        let ended = block_on(double(&stub, 4));

        dropper.join().unwrap();
        let error = CallError::NotSent(NotSent::Closed);
        assert_eq!(ended, Err(error.clone()));
        assert_eq!(endings.seen(), [Outcome::Failed(error)]);
    });
}

// Calls that go as bytes, to a peer that reads raw messages.

/// A frame, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Call(CallId),
    Cancel(CallId),
}

/// The next frame; none when the port is closed.
fn next_frame(port: &MessagePort) -> Option<Seen> {
    let message = block_on(port.recv()).ok()?;
    match Frame::parse(message.data()).expect("a client posts frames") {
        Frame::Call { id, .. } => Some(Seen::Call(id)),
        Frame::Cancel { id } => Some(Seen::Cancel(id)),
        frame => panic!("a client posted {frame:?}"),
    }
}

/// All frames, up to the close.
fn frames(port: &MessagePort) -> Vec<Seen> {
    std::iter::from_fn(|| next_frame(port)).collect()
}

/// Makes a call, and waits for it no longer than to send it.
fn give_up(stub: &ClientStub) {
    assert_eq!(double(stub, 4).now_or_never(), None);
}

fn post(port: &MessagePort, frame: &Frame<'_>) {
    port.post_message(&*frame.to_bytes()).expect("a frame without ports can be posted");
}

/// Answers with 8.
fn reply(port: &MessagePort, id: CallId) {
    post(port, &Frame::Reply { id, result: &[0, 8] });
}

#[test]
fn a_call_that_is_given_up_while_it_is_turned_into_bytes_is_cancelled_if_it_was_sent() {
    explore(|| {
        let (stub, theirs) = client();
        theirs.start();

        let peer = thread::spawn(move || frames(&theirs));
        give_up(&stub);
        drop(stub);

        let seen = peer.join().unwrap();
        assert!(matches!(*seen, []) || seen == [Seen::Call(CallId(0)), Seen::Cancel(CallId(0))], "{seen:?}");
    });
}

#[test]
fn a_call_that_is_given_up_while_it_is_turned_into_bytes_leaves_room_for_the_next() {
    explore(|| {
        let (stub, theirs) = client();
        theirs.start();
        post(&theirs, &Frame::Hello { window: Window { calls: 1, bytes: 1 } });

        // It reads one message, and answers nothing.
        let peer = thread::spawn(move || {
            let _some_or_none = theirs.recv().now_or_never();
            theirs
        });
        give_up(&stub);
        let theirs = peer.join().unwrap();
        let mut next = double(&stub, 4);
        assert_eq!((&mut next).now_or_never(), None);

        let seen = std::iter::from_fn(|| next_frame(&theirs)).find(|seen| matches!(seen, Seen::Call(_)));
        assert!(seen.is_some(), "the next call waits for its turn");
    });
}

#[test]
fn a_call_that_is_answered_with_bytes_while_its_caller_begins_to_wait_wakes_it() {
    explore(|| {
        let (stub, theirs) = client();
        theirs.start();

        let peer = thread::spawn(move || {
            let seen = next_frame(&theirs);
            assert_eq!(seen, Some(Seen::Call(CallId(0))));
            reply(&theirs, CallId(0));
        });

        // The peer closes its port right after, and that is no ending any more.
        assert_eq!(block_on(double(&stub, 4)), Ok(8));
        peer.join().unwrap();
    });
}

#[test]
fn a_reply_of_bytes_that_crosses_the_caller_who_gives_up_is_dropped_and_the_next_call_is_answered() {
    explore(|| {
        let (stub, endings, theirs) = watched_client();
        theirs.start();
        post(&theirs, &Frame::Hello { window: Window { calls: 1, bytes: 1 } });

        let peer = thread::spawn(move || {
            while let Some(seen) = next_frame(&theirs) {
                if let Seen::Call(id) = seen {
                    reply(&theirs, id);
                }
            }
        });
        let given_up = double(&stub, 4).now_or_never();
        // It gets through only if the first has left the window, with its bytes.
        let next = block_on(double(&stub, 4));
        drop(stub);

        peer.join().unwrap();
        let first = if given_up.is_some() { Outcome::Returned } else { Outcome::Cancelled };
        assert_eq!(next, Ok(8));
        assert_eq!(endings.seen(), [first, Outcome::Returned]);
    });
}

#[test]
fn a_call_that_is_turned_into_bytes_by_a_peer_that_goes_ends() {
    explore(|| {
        let (stub, endings, theirs) = watched_client();
        theirs.start();

        let peer = thread::spawn(move || {
            next_frame(&theirs);
        });
        let ended = block_on(double(&stub, 4));

        peer.join().unwrap();
        let error = CallError::Unknown(Interruption::Closed);
        assert_eq!(ended, Err(error.clone()));
        assert_eq!(endings.seen(), [Outcome::Failed(error)]);
    });
}

#[test]
fn a_call_that_is_turned_into_bytes_while_its_own_port_is_closed_ends_once() {
    explore(|| {
        let (stub, endings, theirs) = watched_client();
        theirs.start();

        let peer = thread::spawn(move || frames(&theirs));
        let mut call = double(&stub, 4);
        assert_eq!((&mut call).now_or_never(), None);
        stub.port().close();
        let error = block_on(call).expect_err("nobody answers");

        let seen = peer.join().unwrap();
        match &error {
            CallError::NotSent(NotSent::Closed) => assert_eq!(seen, []),
            CallError::Unknown(Interruption::Closed) => assert!([Seen::Call(CallId(0))].starts_with(&seen), "{seen:?}"),
            error => panic!("{error:?}"),
        }
        assert_eq!(endings.seen(), [Outcome::Failed(error)]);
    });
}

#[test]
fn whoever_waits_for_a_turn_while_the_call_before_is_answered_gets_it() {
    explore(|| {
        let (stub, theirs) = client();
        theirs.start();
        post(&theirs, &Frame::Hello { window: Window { calls: 1, bytes: u64::MAX } });

        let peer = thread::spawn(move || {
            let mut under_way = Vec::new();
            while let Some(Seen::Call(id)) = next_frame(&theirs) {
                under_way.push(id);
                reply(&theirs, id);
            }
            under_way
        });
        let (mut one, mut other) = (double(&stub, 1), double(&stub, 2));
        let both = poll_fn(|cx| match (Pin::new(&mut one).poll(cx), Pin::new(&mut other).poll(cx)) {
            (Poll::Pending, Poll::Pending) => Poll::Pending,
            (first, second) => Poll::Ready((first, second)),
        });
        let (first, second) = block_on(both);
        assert_eq!(first, Poll::Ready(Ok(8)), "the second did not wait for its turn");
        if second.is_pending() {
            assert_eq!(block_on(&mut other), Ok(8));
        }

        drop((one, other));
        drop(stub);
        assert_eq!(peer.join().unwrap(), [CallId(0), CallId(1)]);
    });
}
