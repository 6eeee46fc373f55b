//! How calls end when a context at the other end is broken, and that they do not when it is only busy.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

mod common;

use std::{cell::RefCell, hint::black_box, rc::Rc, time::Duration};

use common::{microtask, pair, settle};
use futures::{FutureExt, StreamExt, future::join_all, pin_mut};
use gloo_timers::future::TimeoutFuture;
use handover::{
    CallError, Interruption, Message, MessageChannel,
    browser::{self, StructuredClone},
    context, in_process,
    prelude::*,
    wasm_window::{self, Origins, Window},
    wasm_worker::{self, Script, Worker},
};
use js_sys::{Date, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_test::wasm_bindgen_test as test;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// What can be done to a context.
#[service]
trait Trial {
    async fn add(&self, one: u32, other: u32) -> u32;
    async fn another(&self) -> TrialClient;
    async fn wait_for_ever(&self);
    async fn take(&self, value: StructuredClone<JsValue>) -> u32;
    async fn panic(&self);
    /// Panics in a turn of its own.
    async fn panic_later(&self);
    /// What was to be told of a panic is not.
    async fn replace_panic_hook(&self);
    /// Leaves no room on the stack for anything that comes after.
    async fn overflow(&self);
    /// Does nothing else for so many milliseconds.
    async fn be_busy(&self, milliseconds: u32);
    async fn keep(&self, port: MessagePort);
    /// Waits for that one for ever, and comes back at once.
    async fn wait_for(&self, other: TrialClient);
    /// Knows that one from now on.
    async fn meet(&self, other: TrialClient);
    /// Hands a port to the one that it knows.
    async fn hand_on(&self, port: MessagePort);
    /// Keeps a port to be handed on.
    async fn hold(&self, port: MessagePort);
    /// Hands on what it holds.
    async fn hand_on_what_is_held(&self);
    /// Adds two and three by a right that comes by this port.
    async fn add_by_what_comes(&self, port: MessagePort);
    /// What came of what it was to do in the background.
    async fn result(&self) -> Option<String>;
}

thread_local! {
    static KNOWN: RefCell<Option<Rc<TrialClient>>> = RefCell::default();
    static HELD: RefCell<Option<MessagePort>> = RefCell::default();
    static RESULT: RefCell<Option<String>> = RefCell::default();
}

struct Bench;

impl Trial for Bench {
    async fn add(&self, one: u32, other: u32) -> u32 {
        one + other
    }

    async fn another(&self) -> TrialClient {
        in_process::spawn(serve)
    }

    async fn wait_for_ever(&self) {
        std::future::pending().await
    }

    async fn take(&self, _: StructuredClone<JsValue>) -> u32 {
        7
    }

    async fn panic(&self) {
        panic!("out of paper")
    }

    async fn panic_later(&self) {
        TimeoutFuture::new(20).await;
        panic!("out of paper")
    }

    async fn replace_panic_hook(&self) {
        std::panic::set_hook(Box::new(|_| {}));
    }

    async fn overflow(&self) {
        deeper(1);
    }

    async fn be_busy(&self, milliseconds: u32) {
        be_busy(milliseconds);
    }

    async fn keep(&self, port: MessagePort) {
        std::mem::forget(port);
    }

    async fn wait_for(&self, other: TrialClient) {
        other.add(1, 1).await.unwrap();
        context::spawn_local(async move { RESULT.set(Some(format!("{:?}", other.wait_for_ever().await))) });
    }

    async fn meet(&self, other: TrialClient) {
        other.add(1, 1).await.unwrap();
        KNOWN.set(Some(Rc::new(other)));
    }

    async fn hand_on(&self, port: MessagePort) {
        let known = KNOWN.with_borrow(|known| known.clone().unwrap());
        known.add_by_what_comes(port).await.unwrap();
    }

    async fn hold(&self, port: MessagePort) {
        HELD.set(Some(port));
    }

    async fn hand_on_what_is_held(&self) {
        self.hand_on(HELD.take().unwrap()).await;
    }

    async fn add_by_what_comes(&self, port: MessagePort) {
        context::spawn_local(async move {
            port.start();
            let message = port.recv().await.unwrap();
            let right = TrialClient::from(message.into_parts().ports.remove(0));
            RESULT.set(Some(format!("{:?}", right.add(2, 3).await)));
        });
    }

    async fn result(&self) -> Option<String> {
        RESULT.with_borrow(Clone::clone)
    }
}

fn be_busy(milliseconds: u32) {
    let end = Date::now() + f64::from(milliseconds);
    while Date::now() < end {}
}

#[allow(unconditional_recursion, reason = "that is what it is for")]
fn deeper(depth: u64) -> u64 {
    let here = black_box([depth; 64]);
    deeper(depth + 1) + here[0]
}

async fn serve(port: MessagePort) {
    TrialServer::new(Bench).serve(port).await;
}

/// Also what `fixtures/trial.js` runs.
#[wasm_bindgen]
pub fn trial_worker() {
    wasm_worker::run(serve);
}

/// Goes as soon as it is ready.
#[wasm_bindgen]
pub fn leaving_worker() {
    wasm_worker::run(serve);
    // What says that it is ready is the only thing that it posts.
    let leave = "
        const post = postMessage;
        globalThis.postMessage = function(...words) { post(...words); close(); };
    ";
    js_sys::eval(leave).unwrap();
}

/// Something beside what it serves fails as soon as it runs.
#[wasm_bindgen]
pub fn clumsy_worker() {
    wasm_worker::run(serve);
    js_sys::eval("reportError(new Error('of something else'))").unwrap();
}

/// Serves on another executor than the context's.
#[wasm_bindgen]
pub fn careless_worker() {
    wasm_worker::run(async |port| {
        wasm_bindgen_futures::spawn_local(serve(port));
        std::future::pending::<()>().await;
    });
}

fn export(name: &str) -> Script {
    Script::export("/wasm-bindgen-test.js", name).wasm("/wasm-bindgen-test_bg.wasm")
}

fn worker(name: &str) -> Worker<TrialClient> {
    Worker::spawn(name, &export("trial_worker")).unwrap()
}

/// What has happened within so many milliseconds.
async fn within<F: Future>(milliseconds: u32, future: F) -> Option<F::Output> {
    let late = TimeoutFuture::new(milliseconds);
    pin_mut!(future, late);
    match futures::future::select(future, late).await {
        futures::future::Either::Left((output, _)) => Some(output),
        futures::future::Either::Right(_) => None,
    }
}

/// What must have happened within two seconds.
async fn soon<F: Future>(future: F) -> F::Output {
    within(2_000, future).await.expect("it has not ended within two seconds")
}

fn closed<T>() -> Result<T, CallError> {
    Err(CallError::Unknown(Interruption::Closed))
}

/// A client of the shared worker of that name. The harness gives each connection a script's address of its own; here the script is meant to be shared.
fn shared(name: &str) -> TrialClient {
    js_sys::eval("globalThis.SharedWorker = SharedWorker.prototype.constructor").unwrap();
    wasm_worker::connect(name, &Script::file("/tests/fixtures/trial.js")).unwrap()
}

/// A client of what is served at that port of the browser's, in this context.
async fn served_in_this_page() -> (TrialClient, web_sys::MessagePort) {
    let channel = web_sys::MessageChannel::new().unwrap();
    let trial = TrialClient::from(browser::port(channel.port1()));
    context::spawn_local(serve(browser::port(channel.port2())));
    assert_eq!(trial.add(1, 1).await, Ok(2));
    (trial, channel.port2())
}

#[test]
async fn an_end_that_could_not_read_a_message_says_goodbye_to_the_other() {
    context::run(async {
        let (trial, theirs) = served_in_this_page().await;
        let mut call = Box::pin(trial.wait_for_ever());
        assert_eq!((&mut call).now_or_never(), None);
        settle().await;

        let dispatch: js_sys::Function = Reflect::get(&theirs, &"dispatchEvent".into()).unwrap().unchecked_into();
        dispatch.call1(&theirs, &js_sys::eval("new MessageEvent('messageerror')").unwrap()).unwrap();

        assert_eq!(soon(call).await, closed());
    })
    .await;
}

#[test]
async fn an_end_whose_answer_the_browser_did_not_post_says_goodbye_to_the_other() {
    context::run(async {
        let (trial, theirs) = served_in_this_page().await;

        let once = js_sys::Function::new_no_args("delete this.postMessage; throw new Error('not today')");
        Reflect::set(&theirs, &"postMessage".into(), &once).unwrap();

        assert_eq!(soon(trial.add(1, 1)).await, closed());
    })
    .await;
}

#[test]
async fn a_value_that_cannot_be_read_over_there_ends_its_port_and_no_other() {
    let trial = shared("modules");
    assert_eq!(trial.add(1, 1).await, Ok(2));
    let module = js_sys::eval("new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))").unwrap();

    assert_eq!(soon(trial.take(module.into())).await, closed());

    let second = shared("modules");
    assert_eq!(soon(second.add(1, 1)).await, Ok(2));
}

#[test]
async fn a_port_that_becomes_the_browsers_loses_nothing_before_it_is_transferred() {
    let (ours, theirs) = pair();
    settle().await;

    let raw = browser::into_js(theirs);
    ours.post_message("first").unwrap();
    settle().await;
    let again = browser::port(raw);
    ours.post_message("second").unwrap();

    again.start();
    assert_eq!(soon(again.recv()).await.unwrap().data(), b"first");
    assert_eq!(soon(again.recv()).await.unwrap().data(), b"second");
}

#[test]
async fn a_worker_that_was_ready_before_it_is_adopted_is_connected_to() {
    let options = web_sys::WorkerOptions::new();
    options.set_type(web_sys::WorkerType::Module);
    let js = web_sys::Worker::new_with_options("/tests/fixtures/trial.js", &options).unwrap();
    let ready = js_sys::Promise::new(&mut |resolve, _| js.set_onmessage(Some(&resolve)));
    wasm_bindgen_futures::JsFuture::from(ready).await.unwrap();

    let trial: Worker<TrialClient> = Worker::adopt(js, "adopted");

    assert_eq!(soon(trial.add(2, 3)).await, Ok(5));
}

#[test]
async fn a_limit_may_be_longer_than_any_timer_of_a_browser() {
    let trial: Worker<TrialClient> = Worker::spawn_within("patient", &export("trial_worker"), Duration::MAX).unwrap();

    assert_eq!(trial.add(2, 3).await, Ok(5));
}

#[test]
async fn a_worker_that_goes_as_soon_as_it_is_ready_is_noticed() {
    let trial: Worker<TrialClient> = Worker::spawn("leaving", &export("leaving_worker")).unwrap();

    assert_eq!(within(6_000, trial.add(1, 1)).await, Some(closed()));
}

/// The harness has its own script load that of a worker; here nothing is to stand between.
fn load_workers_without_the_harness() {
    js_sys::eval("globalThis.Worker = Worker.prototype.constructor").unwrap();
}

#[test]
async fn a_worker_that_is_busy_from_its_first_call_on_is_not_taken_for_dead() {
    load_workers_without_the_harness();
    let script = Script::file("/tests/fixtures/trial.js?late-locks");
    let trial: Worker<TrialClient> = Worker::spawn("eager", &script).unwrap();

    assert_eq!(trial.be_busy(2_500).await, Ok(()));
}

#[test]
async fn an_error_beside_a_worker_that_runs_is_told_and_ends_nothing() {
    let trial: Worker<TrialClient> = Worker::spawn("clumsy", &export("clumsy_worker")).unwrap();

    assert_eq!(trial.add(2, 3).await, Ok(5));

    assert!(soon(trial.next_error()).await.unwrap().message.contains("of something else"));
}

#[test]
async fn a_shared_worker_whose_stack_has_overflowed_is_replaced() {
    let first = shared("deep and shared");
    assert_eq!(first.add(1, 1).await, Ok(2));
    assert!(within(4_000, first.overflow()).await.is_some());

    let second = shared("deep and shared");

    assert_eq!(within(6_000, second.add(1, 1)).await, Some(Ok(2)));
}

#[test]
async fn a_shared_worker_that_has_panicked_is_replaced() {
    let first = shared("fragile");
    assert_eq!(first.add(1, 1).await, Ok(2));
    let panicked = soon(first.panic_later()).await;
    let expected = "the worker `fragile` panicked: out of paper";
    assert_eq!(panicked, Err(CallError::Unknown(Interruption::Panicked(expected.to_owned()))));

    let second = shared("fragile");

    assert_eq!(within(6_000, second.add(1, 1)).await, Some(Ok(2)));
}

#[test]
async fn a_panic_ends_calls_also_where_nothing_of_ours_runs_the_method_or_hears_of_panics() {
    let trial: Worker<TrialClient> = Worker::spawn("careless", &export("careless_worker")).unwrap();
    trial.replace_panic_hook().await.unwrap();

    let ended = soon(trial.panic()).await;

    assert!(matches!(ended, Err(CallError::Unknown(Interruption::Panicked(_)))), "{ended:?}");
}

#[test]
async fn an_instance_whose_stack_has_overflowed_is_as_good_as_gone() {
    let trial = worker("deep");
    assert_eq!(trial.add(1, 1).await, Ok(2));

    let ended = within(4_000, trial.overflow()).await;

    assert!(matches!(ended, Some(Err(CallError::Unknown(_)))), "{ended:?}");
}

/// Has a timer of five seconds take a tenth of one, until it is dropped: that is how often ports on their way are looked at.
struct Hurry;

impl Hurry {
    fn new() -> Self {
        let hurry = "
            globalThis.unhurried = setTimeout;
            globalThis.setTimeout = (act, wait, ...more) => unhurried(act, wait === 5000 ? 100 : wait, ...more);
        ";
        js_sys::eval(hurry).unwrap();
        Self
    }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        js_sys::eval("globalThis.setTimeout = unhurried").unwrap();
    }
}

/// C6
#[test]
async fn a_port_on_its_way_to_somebody_who_is_busy_is_not_given_up_until_they_are_not_and_leave_it() {
    let _hurry = Hurry::new();
    let trial = worker("busy");
    assert_eq!(trial.add(1, 1).await, Ok(2));
    // What looks at ports on their way was asleep for long.
    TimeoutFuture::new(5_500).await;
    let busy = trial.be_busy(2_500);
    pin_mut!(busy);
    assert_eq!((&mut busy).now_or_never(), None);
    settle().await;
    let (ours, theirs) = MessageChannel::new().into_ports();
    let keep = trial.keep(theirs);
    pin_mut!(keep);
    assert_eq!((&mut keep).now_or_never(), None);

    assert!(within(2_000, ours.closed()).await.is_none(), "it was looked at twenty times");

    assert_eq!(busy.await, Ok(()));
    assert_eq!(keep.await, Ok(()));
    assert!(!ours.is_closed());
}

#[test]
async fn a_port_behind_one_that_was_just_handed_on_goes_on_when_who_handed_that_on_has_gone() {
    let (middle, game) = (worker("middle"), worker("game"));
    middle.meet(game.another().await.unwrap()).await.unwrap();
    let (carrier, at_middle) = MessageChannel::new().into_ports();
    middle.hold(at_middle).await.unwrap();
    assert_eq!(middle.add(1, 1).await, Ok(2));
    settle().await;
    let busy = game.be_busy(1_500);
    pin_mut!(busy);
    assert_eq!((&mut busy).now_or_never(), None);
    TimeoutFuture::new(100).await;
    let hand_on = middle.hand_on_what_is_held();
    pin_mut!(hand_on);
    assert_eq!((&mut hand_on).now_or_never(), None);
    for _ in 0..12 {
        microtask().await;
    }

    // The middle hands the carrier on meanwhile, and this page has not heard of it.
    be_busy(300);
    let (provider, right) = MessageChannel::new().into_ports();
    wasm_bindgen_futures::spawn_local(context::run(serve(provider)));
    carrier.post_message(Message::new("for you").with_port(right)).unwrap();
    for _ in 0..12 {
        microtask().await;
    }
    middle.as_js().terminate();

    assert_eq!(busy.await, Ok(()));
    let result = async {
        loop {
            if let Some(result) = game.result().await.unwrap() {
                return result;
            }
            TimeoutFuture::new(20).await;
        }
    };
    let result = within(4_000, result).await;
    // An engine may lose what was on its way through a worker that is terminated: then nothing came, and nothing waits.
    assert!(matches!(result.as_deref(), Some("Ok(5)") | None), "{result:?}");
}

#[test]
async fn what_was_taken_for_dead_and_is_not_hears_of_it() {
    // Neither sees the other's lock, as between origins.
    load_workers_without_the_harness();
    let hidden = "
        globalThis.request = LockManager.prototype.request;
        LockManager.prototype.request = () => Promise.reject(new Error('there are no locks'));
    ";
    js_sys::eval(hidden).unwrap();
    let script = Script::file("/tests/fixtures/trial.js?no-locks");
    let first: Worker<TrialClient> = Worker::spawn("slow", &script).unwrap();
    let (provider, right) = MessageChannel::new().into_ports();
    let provided = provider.control();
    wasm_bindgen_futures::spawn_local(context::run(serve(provider)));
    first.wait_for(right.into()).await.unwrap();
    assert_eq!(first.be_busy(3_000).await, closed(), "it was busy for too long");
    assert!(within(100, provided.ended()).await.is_some(), "this page has ended what it provides");

    let channel = web_sys::MessageChannel::new().unwrap();
    let ours = browser::port(channel.port1());
    let says = js_sys::eval("({ handover: 1, says: 'connect' })").unwrap();
    first.as_js().post_message_with_transfer(&says, &js_sys::Array::of1(&channel.port2())).unwrap();
    let second = TrialClient::from(ours);
    assert_eq!(second.add(1, 1).await, Ok(2));
    TimeoutFuture::new(500).await;

    assert_eq!(soon(second.result()).await.unwrap().as_deref(), Some("Err(Unknown(Closed))"));
    js_sys::eval("LockManager.prototype.request = request").unwrap();
}

#[test]
async fn whoever_connects_while_as_many_wait_as_may_is_let_in_later() {
    let origins = Origins::only(&browser::origin().to_string()).unwrap();
    let mut visitors = wasm_window::accept(origins.clone());
    let here = web_sys::window().unwrap();
    let all = (0..70).map(|_| Window::<MessagePort>::connect_within(&here, origins.clone(), Duration::from_secs(8)));
    let all = join_all(all);
    pin_mut!(all);
    assert!(within(1_000, &mut all).await.is_none(), "only 64 may wait");

    let taken = async {
        let mut taken = Vec::new();
        while let Some(visitor) = visitors.next().await {
            taken.push(visitor);
        }
    };
    pin_mut!(taken);
    let futures::future::Either::Left((all, _)) = futures::future::select(all, taken).await else { unreachable!() };

    assert_eq!(all.iter().filter(|connected| connected.is_err()).count(), 0);
}
