//! Contexts that block on answers: they are told of, by name, with what they wait for.

use std::{
    fmt,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use futures::{
    FutureExt,
    channel::oneshot,
    executor::block_on,
    future::{Either, select},
};
use handover::{
    Call, CallError, Client, context, in_process,
    port::PortId,
    rpc::Progress,
    service,
    stall::{self, Stall, Watchdog},
    worker_thread::Worker,
};
use tracing::{Event, Subscriber, field::Field};
use tracing_subscriber::{Layer, layer::SubscriberExt};

/// Blocks its context until the test has seen enough.
#[service]
trait Mirror {
    /// Answers.
    async fn see(&self) -> u32;
    /// Another way to the same context.
    async fn another(&self) -> MirrorClient;
    /// Blocks on an answer of its own context.
    async fn block_on_itself(&self) -> u32;
    /// Blocks on an answer of another.
    async fn block_on(&self, other: MirrorClient) -> u32;
    /// Blocks on an answer of another, which blocks on one of this.
    async fn block_in_a_ring(&self, other: MirrorClient, this: MirrorClient) -> u32;
    /// Waits for no answer, and blocks.
    async fn sleep(&self) -> u32;
    /// Asks another, does not look at the answer that comes, and blocks.
    async fn ask_and_sleep(&self, other: MirrorClient) -> u32;
}

/// The mirror, and what its test has in the hand.
#[derive(Clone)]
struct Glass(Arc<Hand>);

struct Hand {
    /// Told of the port through which it calls, before it blocks.
    blocks: mpsc::Sender<PortId>,
    release: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Glass {
    fn block_on_call(&self, through: &MirrorClient, call: Call<'_, u32, CallError>) -> u32 {
        self.0.blocks.send(through.port().id()).unwrap();
        // As does anything that knows nothing of contexts.
        match async_io::block_on(select(call, self.release())) {
            Either::Left((answer, _)) => answer.unwrap(),
            Either::Right(_) => 0,
        }
    }

    fn block_on_nothing(&self, through: &MirrorClient) -> u32 {
        self.0.blocks.send(through.port().id()).unwrap();
        async_io::block_on(self.release()).unwrap();
        0
    }

    fn release(&self) -> oneshot::Receiver<()> {
        self.0.release.lock().unwrap().take().unwrap()
    }
}

impl Mirror for Glass {
    async fn see(&self) -> u32 {
        1
    }

    async fn another(&self) -> MirrorClient {
        let this = self.clone();
        in_process::spawn(|port| MirrorServer::new(this).serve(port))
    }

    async fn block_on_itself(&self) -> u32 {
        let this = self.another().await;
        self.block_on_call(&this, this.see())
    }

    async fn block_on(&self, other: MirrorClient) -> u32 {
        self.block_on_call(&other, other.see())
    }

    async fn block_in_a_ring(&self, other: MirrorClient, this: MirrorClient) -> u32 {
        self.block_on_call(&other, other.block_on(this))
    }

    async fn sleep(&self) -> u32 {
        self.block_on_nothing(&self.another().await)
    }

    async fn ask_and_sleep(&self, other: MirrorClient) -> u32 {
        let mut first = other.see();
        let _not_looked_at = (&mut first).now_or_never();
        // It answers in order.
        async_io::block_on(other.see()).unwrap();
        self.block_on_nothing(&other)
    }
}

/// A worker with a mirror, and the test's hand on it.
struct Held {
    mirror: Worker<MirrorClient>,
    blocks: mpsc::Receiver<PortId>,
    release: oneshot::Sender<()>,
}

impl Held {
    fn name(&self) -> &str {
        self.mirror.name()
    }

    fn another(&self) -> MirrorClient {
        block_on(self.mirror.another()).unwrap()
    }

    /// Waits until it is about to block.
    fn until_it_blocks(&self) -> PortId {
        self.blocks.recv().unwrap()
    }
}

fn hang_up(name: &str) -> Held {
    let (blocks, blocked) = mpsc::channel();
    let (release, released) = oneshot::channel();
    let glass = Glass(Arc::new(Hand { blocks, release: Mutex::new(Some(released)) }));
    let mirror = Worker::spawn(name, |_, port| MirrorServer::new(glass).serve(port)).unwrap();
    Held { mirror, blocks: blocked, release }
}

/// Sends a call. The thread of the test is no context, and so it is not watched.
fn send<E>(call: &mut (impl Future<Output = Result<u32, E>> + Unpin)) {
    assert!(call.now_or_never().is_none());
}

/// Looks until a context is told of. Others are of other tests.
fn until_told(watchdog: &mut Watchdog, context: &str) -> Stall {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if let Some(stall) = told(watchdog, context) {
            return stall;
        }
        thread::yield_now();
    }
    panic!("nothing is told of `{context}`");
}

fn told(watchdog: &mut Watchdog, context: &str) -> Option<Stall> {
    watchdog.check().into_iter().find(|stall| stall.context == context)
}

#[test]
fn a_context_that_blocks_on_itself_is_told_of_once_with_the_service_the_method_and_the_port() {
    let mut watchdog = Watchdog::new();
    let held = hang_up("narcissus");
    let mut call = held.mirror.block_on_itself();
    send(&mut call);
    let port = held.until_it_blocks();

    let stall = until_told(&mut watchdog, "narcissus");

    let [waits] = stall.calls.as_slice() else { panic!("{stall}") };
    assert_eq!((waits.service, waits.method, waits.port), ("Mirror", "see", port));
    assert_eq!(waits.progress, Progress::Unread);
    let said = format!(
        "the context `narcissus` is stalled, and waits for Mirror/see through port {port}, which nobody has read"
    );
    assert_eq!(stall.to_string(), said);
    assert_eq!([(); 5].map(|()| told(&mut watchdog, "narcissus")), [const { None }; 5], "once is enough");
    assert_eq!(told(&mut Watchdog::new(), "narcissus"), None, "whoever looks for the first time knows of no time");
    held.release.send(()).unwrap();
    assert_eq!(block_on(call), Ok(0));
}

#[test]
fn all_contexts_of_a_ring_in_which_each_blocks_on_the_next_are_told_of() {
    let mut watchdog = Watchdog::new();
    let (one, two) = (hang_up("one"), hang_up("two"));
    let mut call = one.mirror.block_in_a_ring(two.another(), one.another());
    send(&mut call);
    let (to_two, to_one) = (one.until_it_blocks(), two.until_it_blocks());

    let first = until_told(&mut watchdog, one.name());
    let second = until_told(&mut Watchdog::new(), two.name());

    let waits =
        |stall: &Stall| stall.calls.iter().map(|call| (call.method, call.port, call.progress)).collect::<Vec<_>>();
    assert_eq!(waits(&first), [("block_on", to_two, Progress::Runs)]);
    assert_eq!(waits(&second), [("see", to_one, Progress::Unread)]);
    two.release.send(()).unwrap();
    assert_eq!(block_on(call), Ok(0));
}

#[test]
fn a_context_that_blocks_on_no_answer_is_let_be() {
    let mut watchdog = Watchdog::new();
    let held = hang_up("asleep");
    let mut call = held.mirror.sleep();
    send(&mut call);
    held.until_it_blocks();

    // Twice in the same turn is what it takes.
    assert_eq!([(); 5].map(|()| told(&mut watchdog, "asleep")), [const { None }; 5]);

    held.release.send(()).unwrap();
    assert_eq!(block_on(call), Ok(0));
}

#[test]
fn a_context_whose_calls_have_their_answers_is_let_be() {
    let mut watchdog = Watchdog::new();
    let (held, other) = (hang_up("answered"), hang_up("another"));
    let mut call = held.mirror.ask_and_sleep(other.another());
    send(&mut call);
    held.until_it_blocks();

    assert_eq!([(); 5].map(|()| told(&mut watchdog, "answered")), [const { None }; 5]);

    held.release.send(()).unwrap();
    assert_eq!(block_on(call), Ok(0));
}

#[test]
fn contexts_that_come_back_are_let_be_though_they_wait_for_answers() {
    let mut watchdog = Watchdog::new();
    let held = hang_up("patient");
    let other = held.another();
    // Polled by hand, it has come back for sure.
    let mut waits = Box::pin(context::run(async move { other.sleep().await }));
    send(&mut waits);
    held.until_it_blocks();

    let here = thread::current().name().unwrap().to_owned();
    assert_eq!([(); 5].map(|()| told(&mut watchdog, &here)), [const { None }; 5]);

    held.release.send(()).unwrap();
    assert_eq!(block_on(waits), Ok(0));
}

/// Hands on what warnings say.
struct Listener(Mutex<mpsc::Sender<String>>);

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut said = format!("{}:", event.metadata().level());
        event.record(&mut |field: &Field, value: &dyn fmt::Debug| said.push_str(&format!(" {field}={value:?}")));
        // The test may have heard enough.
        let _gone = self.0.lock().unwrap().send(said);
    }
}

#[test]
fn whoever_asks_for_warnings_gets_them_without_looking_and_whoever_does_not_gets_none() {
    let (say, said) = mpsc::channel();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Listener(Mutex::new(say)))).unwrap();
    stall::warn_after(Some(Duration::from_millis(1))).unwrap();
    let held = hang_up("watched");
    let mut call = held.mirror.block_on_itself();
    send(&mut call);
    let port = held.until_it_blocks();

    let warning = said.iter().find(|said| said.contains("\"watched\"")).unwrap();

    assert!(warning.starts_with("WARN:"), "{warning}");
    let waits = format!("calls=\"Mirror/see through port {port}, which nobody has read\"");
    assert!(warning.contains(&waits), "{warning}");
    stall::warn_after(None).unwrap();
    until_nobody_watches();
    held.release.send(()).unwrap();
    assert_eq!(block_on(call), Ok(0));
}

/// Waits until the thread that looks has ended.
fn until_nobody_watches() {
    let is_watchdog =
        |task: &std::path::Path| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "watchdog");
    let watches =
        || std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten().any(|task| is_watchdog(&task.path()));
    while watches() {
        thread::yield_now();
    }
}
