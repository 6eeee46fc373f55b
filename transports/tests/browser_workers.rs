//! A browser's workers: how they start, are called, and end.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

mod common;

use std::time::Duration;

use common::{
    desk::{self, DeskClient},
    settle, settled_bridges,
};
use futures::{FutureExt, StreamExt, pin_mut, stream};
use gloo_timers::future::TimeoutFuture;
use handover::{
    CallError, Interruption, MessageChannel, NotSent, RpcError, context, service,
    wasm_worker::{self, Script, Worker},
};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_test::wasm_bindgen_test as test;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// What a worker of these tests runs.
#[wasm_bindgen]
pub fn desk_worker() {
    wasm_worker::run(desk::serve);
}

/// Tells when it posts.
#[service]
trait Posting {
    /// Comes back at once; a microtask after that is written down.
    async fn at_once(&self);
    /// Comes back in a microtask or two.
    async fn later(&self);
    /// What was done since the last time, up to the answers to this.
    async fn done(&self) -> String;
}

struct Diary;

impl Posting for Diary {
    async fn at_once(&self) {
        js_sys::eval("Promise.resolve().then(() => done.push('microtask'))").unwrap();
    }

    async fn later(&self) {
        let promise = js_sys::Promise::resolve(&JsValue::UNDEFINED);
        wasm_bindgen_futures::JsFuture::from(promise).await.unwrap();
    }

    async fn done(&self) -> String {
        js_sys::eval("done.splice(0).join(' ')").unwrap().as_string().unwrap()
    }
}

/// Writes down when it posts a packet that begins with a message: others say that it is there, when somebody asks.
#[wasm_bindgen]
pub fn posting_worker() {
    let watch = "
        globalThis.done = [];
        const post = MessagePort.prototype.postMessage;
        MessagePort.prototype.postMessage = function(...words) {
            if (words[0][2] === '\\u0001') {
                done.push('post');
            }
            return post.apply(this, words);
        };
    ";
    js_sys::eval(watch).unwrap();
    wasm_worker::run(|port| PostingServer::new(Diary).serve(port));
}

/// Fails before it listens.
#[wasm_bindgen]
pub fn stillborn_worker() {
    panic!("stillborn");
}

/// Never listens.
#[wasm_bindgen]
pub fn silent_worker() {}

fn export(name: &str) -> Script {
    Script::export("/wasm-bindgen-test.js", name).wasm("/wasm-bindgen-test_bg.wasm")
}

fn worker(name: &str) -> Worker<DeskClient> {
    Worker::spawn(name, &export("desk_worker")).unwrap()
}

/// What must have happened within two seconds.
async fn soon<F: Future>(future: F) -> F::Output {
    within(2, future).await
}

/// What must have happened within so many seconds.
async fn within<F: Future>(seconds: u32, future: F) -> F::Output {
    let late = TimeoutFuture::new(1_000 * seconds);
    pin_mut!(future, late);
    match futures::future::select(future, late).await {
        futures::future::Either::Left((output, _)) => output,
        futures::future::Either::Right(_) => panic!("it has not ended within {seconds} seconds"),
    }
}

/// A call that the worker has, and that it does not answer.
async fn pending(desk: &DeskClient) -> std::pin::Pin<Box<impl Future<Output = Result<(), CallError>> + use<'_>>> {
    desk.add(1, 1).await.unwrap();
    let mut call = Box::pin(async move { desk.wait_for_ever().await });
    assert!((&mut call).now_or_never().is_none());
    settle().await;
    desk.add(1, 1).await.unwrap();
    call
}

#[test]
async fn a_worker_is_called_like_anybody() {
    let desk: DeskClient = wasm_worker::spawn("desk", &export("desk_worker")).unwrap();

    assert_eq!(desk.add(2, 3).await.unwrap(), 5);
    let numbers: Vec<u32> = desk.count_to(3000).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(numbers, Vec::from_iter(1..=3000));
    assert_eq!(desk.sum(stream::iter(1..=3000)).await.unwrap(), 3000 * 3001 / 2);
    let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let back = desk.reverse(bytes.clone().into()).await.unwrap().into_vec();
    assert!(back.into_iter().rev().eq(bytes));
    let another = desk.another().await.unwrap();
    assert_eq!(another.add(1, 1).await.unwrap(), 2);
}

#[test]
async fn what_is_answered_at_once_is_posted_before_any_microtask() {
    let posting: PostingClient = wasm_worker::spawn("posting", &export("posting_worker")).unwrap();

    posting.done().await.unwrap();
    posting.at_once().await.unwrap();

    assert_eq!(posting.done().await.unwrap(), "post post microtask", "the first is the answer to the first `done`");
}

#[test]
async fn what_is_answered_in_one_turn_goes_out_as_one_message_however_early_some_of_it_was() {
    let posting: PostingClient = wasm_worker::spawn("posting", &export("posting_worker")).unwrap();

    posting.done().await.unwrap();
    let (first, second, third) = futures::join!(posting.at_once(), posting.later(), posting.at_once());
    assert_eq!((first, second, third), (Ok(()), Ok(()), Ok(())));

    assert_eq!(posting.done().await.unwrap(), "post microtask microtask post");
}

#[test]
async fn what_is_called_before_the_worker_listens_waits_in_order() {
    let desk: DeskClient = wasm_worker::spawn("late", &Script::file("/tests/fixtures/worker.js")).unwrap();

    for number in 0..100 {
        desk.tell(number).await.unwrap();
    }
    assert_eq!(desk.told().await.unwrap(), Vec::from_iter(0..100));
}

#[test]
async fn a_worker_that_a_script_has_started_is_adopted() {
    let options = web_sys::WorkerOptions::new();
    options.set_type(web_sys::WorkerType::Module);
    let js = web_sys::Worker::new_with_options("/tests/fixtures/worker.js", &options).unwrap();
    let desk: Worker<DeskClient> = Worker::adopt(js, "adopted");

    assert_eq!(desk.add(2, 3).await.unwrap(), 5);
}

/// The harness has its own script load that of a worker; here nothing is to stand between.
fn load_workers_without_the_harness() {
    js_sys::eval("globalThis.Worker = Worker.prototype.constructor").unwrap();
}

#[test]
async fn a_worker_whose_script_is_not_there_ends_its_calls_as_not_sent_and_says_why() {
    load_workers_without_the_harness();
    for script in [Script::file("/no/such/script.js"), Script::export("/no/such/module.js", "desk_worker")] {
        let desk: Worker<DeskClient> = Worker::spawn("nobody", &script).unwrap();

        assert_eq!(soon(desk.tell(1)).await, Ok(()), "it is only posted");
        assert!(matches!(soon(desk.add(1, 1)).await, Err(RpcError::Call(CallError::NotSent(NotSent::Closed)))));
        let error = soon(desk.next_error()).await.unwrap();
        assert!(error.message.starts_with("the worker `nobody` did not start: "), "{error}");
        if !error.filename.is_empty() {
            assert_eq!(error.to_string().matches(&error.filename).count(), 1, "{error}");
        }
        assert_eq!(soon(desk.next_error()).await, None);
    }
}

#[test]
async fn a_worker_that_throws_before_it_listens_has_not_started() {
    let no_export = "/wasm-bindgen-test.js exports no function \"no_such_export\"";
    for (export_name, word) in [("no_such_export", no_export), ("stillborn_worker", "unreachable")] {
        let desk: Worker<DeskClient> = Worker::spawn("nobody", &export(export_name)).unwrap();

        assert!(matches!(soon(desk.add(1, 1)).await, Err(RpcError::Call(CallError::NotSent(NotSent::Closed)))));
        let error = desk.next_error().await.unwrap();
        assert!(error.message.to_lowercase().contains(word), "{error}");
    }
}

#[test]
async fn an_address_that_is_none_is_named_and_no_worker_is_started() {
    js_sys::eval(
        "globalThis.started = 0;
         globalThis.Worker = class extends Worker { constructor(...words) { super(...words); started += 1; } };",
    )
    .unwrap();
    let wrong = "http://[nowhere";
    for script in [Script::export(wrong, "desk_worker"), export("desk_worker").wasm(wrong)] {
        let refused = wasm_worker::spawn::<DeskClient>("nobody", &script).unwrap_err().to_string();

        assert!(refused.contains("the browser refuses the address `http://[nowhere`"), "{refused}");
    }
    assert_eq!(js_sys::eval("globalThis.Worker = Object.getPrototypeOf(Worker), started").unwrap(), 0);
}

#[test]
async fn a_worker_that_never_listens_is_given_up_after_its_time() {
    let limit = Duration::from_millis(300);
    let desk: Worker<DeskClient> = Worker::spawn_within("silent", &export("silent_worker"), limit).unwrap();

    assert!(matches!(soon(desk.add(1, 1)).await, Err(RpcError::Call(CallError::NotSent(NotSent::Closed)))));
    assert!(desk.next_error().await.unwrap().message.contains("not ready within 300 ms"));
}

#[test]
async fn a_panic_in_a_worker_tells_its_name_and_words_to_every_call() {
    let desk = worker("fragile");
    let call = pending(&desk).await;

    let panicked = soon(desk.panic("out of paper".to_owned())).await;

    let expected = CallError::Unknown(Interruption::Panicked("the worker `fragile` panicked: out of paper".to_owned()));
    assert_eq!(panicked, Err(expected.clone()));
    assert_eq!(soon(call).await, Err(expected));
    assert_eq!(desk.tell(1).await, Err(CallError::NotSent(NotSent::Closed)));
}

#[test]
async fn an_instance_whose_stack_was_torn_away_is_as_good_as_panicked() {
    let desk = worker("torn");
    let call = pending(&desk).await;

    let thrown = soon(desk.throw()).await;

    let Err(CallError::Unknown(Interruption::Panicked(said))) = thrown else { panic!("{thrown:?}") };
    assert!(said.starts_with("the worker `torn` panicked: ") && said.contains("thrown"), "{said}");
    assert_eq!(soon(call).await, Err(CallError::Unknown(Interruption::Panicked(said))));
}

#[test]
async fn terminating_a_worker_ends_its_calls_at_once() {
    let desk = worker("terminated");
    let call = pending(&desk).await;

    desk.terminate();

    assert_eq!(call.now_or_never(), Some(Err(CallError::Unknown(Interruption::Closed))));
    assert_eq!(desk.tell(1).await, Err(CallError::NotSent(NotSent::Closed)));
    assert_eq!(soon(desk.next_error()).await, None);
}

#[test]
async fn terminating_a_worker_that_has_not_loaded_ends_its_calls_as_not_sent() {
    let desk = worker("terminated");
    let mut call = Box::pin(desk.add(1, 1));
    assert!((&mut call).now_or_never().is_none());

    desk.terminate();

    assert!(matches!(call.now_or_never(), Some(Err(RpcError::Call(CallError::NotSent(NotSent::Closed))))));
}

#[test]
async fn a_worker_that_goes_without_a_word_is_noticed_wherever_its_ports_lead() {
    let desk = worker("quiet");
    let another = desk.another().await.unwrap();
    let (ours, theirs) = MessageChannel::new().into_ports();
    desk.keep(theirs).await.unwrap();
    let call = pending(&desk).await;
    let other_call = pending(&another).await;

    // A script stops it, and nobody is told.
    desk.as_js().terminate();

    assert_eq!(soon(call).await, Err(CallError::Unknown(Interruption::Closed)));
    assert_eq!(soon(other_call).await, Err(CallError::Unknown(Interruption::Closed)));
    soon(ours.closed()).await;
}

#[test]
async fn a_worker_that_goes_without_a_word_is_noticed_by_whoever_was_handed_a_right_to_it() {
    let provider = worker("provider");
    let holder = worker("holder");
    let right = provider.another().await.unwrap();
    // By then this page knows who is there, and nothing of that lies in the port.
    assert_eq!(soon(right.add(1, 2)).await.unwrap(), 3);
    holder.hold(right).await.unwrap();
    assert_eq!(soon(holder.ask_held(2, 3)).await.unwrap(), 5);

    provider.as_js().terminate();

    assert!(soon(holder.ask_held(2, 3)).await.is_err());
}

/// Something of this page's that is otherwise until this is dropped.
struct Without(&'static str);

impl Without {
    /// Nothing here asks any more whether others live: no timer goes off that could be the one for it.
    fn heartbeat() -> Self {
        js_sys::eval(
            "globalThis.realTimeout = setTimeout;
             globalThis.setTimeout = (act, ms, ...more) => ms > 99 && ms < 1900 ? 0 : realTimeout(act, ms, ...more);",
        )
        .unwrap();
        Self("globalThis.setTimeout = realTimeout")
    }

    /// No lock can be seen from here.
    fn locks() -> Self {
        // This page has asked for its own by then, or others would ask whether it lives.
        drop(common::pair());
        js_sys::eval(
            "globalThis.realRequest = LockManager.prototype.request;
             LockManager.prototype.request = () => Promise.reject(new Error('there are no locks'));",
        )
        .unwrap();
        Self("LockManager.prototype.request = realRequest")
    }
}

/// The names of the locks that this page waits for.
async fn locks_waited_for() -> Vec<String> {
    let names = "navigator.locks.request('who is this', async () => {
        const { held, pending } = await navigator.locks.query();
        const here = held.find(({ name }) => name === 'who is this').clientId;
        return pending.filter(({ clientId }) => clientId === here).map(({ name }) => name);
    })";
    let names = js_sys::eval(names).unwrap().unchecked_into::<js_sys::Promise>();
    let names = wasm_bindgen_futures::JsFuture::from(names).await.unwrap().unchecked_into::<js_sys::Array>();
    names.iter().filter_map(|name| name.as_string()).collect()
}

impl Drop for Without {
    fn drop(&mut self) {
        js_sys::eval(self.0).unwrap();
    }
}

#[test]
async fn the_death_of_a_worker_is_noticed_by_its_lock_alone() {
    let before = locks_waited_for().await;
    let desk = worker("quiet");
    let call = pending(&desk).await;
    within(20, async {
        while locks_waited_for().await.iter().all(|lock| before.contains(lock)) {
            TimeoutFuture::new(10).await;
        }
    })
    .await;
    let _without = Without::heartbeat();

    desk.as_js().terminate();

    assert_eq!(soon(call).await, Err(CallError::Unknown(Interruption::Closed)));
}

#[test]
async fn the_death_of_a_worker_whose_lock_cannot_be_seen_is_noticed_by_its_silence() {
    let _without = Without::locks();
    let desk = worker("quiet");
    let call = pending(&desk).await;

    desk.as_js().terminate();

    assert_eq!(soon(call).await, Err(CallError::Unknown(Interruption::Closed)));
}

#[test]
async fn a_worker_whose_lock_cannot_be_seen_lives_as_long_as_it_answers() {
    let _without = Without::locks();
    let desk = worker("calm");
    let call = pending(&desk).await;

    TimeoutFuture::new(3_000).await;

    assert_eq!(call.now_or_never(), None);
    assert_eq!(desk.add(1, 1).await.unwrap(), 2);
}

#[test]
async fn a_worker_that_closes_itself_is_noticed_after_what_it_has_posted() {
    let desk = worker("closing");

    let closed = soon(desk.close_context()).await;

    assert!(matches!(closed, Ok(()) | Err(CallError::Unknown(Interruption::Closed))), "{closed:?}");
    assert!(soon(desk.add(1, 1)).await.is_err());
}

#[test]
async fn a_worker_ends_when_nothing_runs_there_any_more() {
    let desk = worker("brief");
    let (ours, theirs) = MessageChannel::new().into_ports();
    // It forgets the port, so only its death closes it.
    desk.keep(theirs).await.unwrap();

    drop(desk);

    soon(ours.closed()).await;
}

#[test]
async fn a_right_works_on_when_the_worker_that_handed_it_on_is_gone() {
    let before = settled_bridges().await;
    context::run(async {
        let middle = worker("middle");
        let game = worker("game");
        let (provider, right) = MessageChannel::new().into_ports();
        context::spawn_local(desk::serve(provider));
        middle.hold(right.into()).await.unwrap();
        let to_game: DeskClient = game.another().await.unwrap();

        let to_game = middle.hand_on(to_game).await.unwrap();
        middle.terminate();
        // Longer than it takes to notice that.
        TimeoutFuture::new(300).await;

        assert_eq!(soon(to_game.ask_held(2, 3)).await.unwrap(), 5);
    })
    .await;
    TimeoutFuture::new(300).await;
    assert_eq!(settled_bridges().await, before);
}

#[test]
async fn a_message_of_another_library_is_no_handshake() {
    let desk = worker("shared with others");
    for text in ["hello", "{\"handover\":1}"] {
        desk.as_js().post_message(&text.into()).unwrap();
    }
    desk.as_js().post_message(&js_sys::Array::of2(&1.into(), &"connect".into())).unwrap();
    let stale = js_sys::Object::new();
    js_sys::Reflect::set(&stale, &"handover".into(), &2.into()).unwrap();
    js_sys::Reflect::set(&stale, &"says".into(), &"connect".into()).unwrap();
    desk.as_js().post_message(&stale).unwrap();
    js_sys::Reflect::set(&stale, &"handover".into(), &1.into()).unwrap();
    desk.as_js().post_message(&stale).unwrap();

    assert_eq!(desk.add(2, 3).await.unwrap(), 5);
}

/// The harness gives each connection a script's address of its own; here the script is meant to be shared.
fn share_workers() {
    js_sys::eval("globalThis.SharedWorker = SharedWorker.prototype.constructor").unwrap();
}

#[test]
async fn everybody_who_names_a_shared_worker_is_connected_to_the_same() {
    share_workers();
    let script = Script::file("/tests/fixtures/worker.js");
    let one: DeskClient = wasm_worker::connect("shared", &script).unwrap();
    one.tell(1).await.unwrap();
    assert_eq!(one.told().await.unwrap(), [1]);

    let two: DeskClient = wasm_worker::connect("shared", &script).unwrap();
    assert_eq!(soon(two.told()).await.unwrap(), [1]);
    drop(one);
    settle().await;
    two.tell(2).await.unwrap();
    assert_eq!(soon(two.told()).await.unwrap(), [1, 2]);

    let other: DeskClient = wasm_worker::connect("another name", &script).unwrap();
    assert!(other.told().await.unwrap().is_empty());
}

#[test]
async fn a_shared_worker_that_cannot_be_is_refused_or_ends_its_calls_as_not_sent() {
    share_workers();

    let refused = wasm_worker::connect::<DeskClient>("shared", &export("desk_worker"));
    assert!(refused.unwrap_err().to_string().contains("use `Script::file`"));
    let desk: DeskClient = wasm_worker::connect("shared", &Script::file("/no/such/script.js")).unwrap();
    assert!(matches!(soon(desk.add(1, 1)).await, Err(RpcError::Call(CallError::NotSent(NotSent::Closed)))));
}

#[test]
async fn a_panic_in_a_shared_worker_ends_everybodys_calls() {
    share_workers();
    let script = Script::file("/tests/fixtures/worker.js");
    let one: DeskClient = wasm_worker::connect("fragile", &script).unwrap();
    let two: DeskClient = wasm_worker::connect("fragile", &script).unwrap();
    let call = pending(&two).await;

    let panicked = soon(one.panic("out of paper".to_owned())).await;

    let expected = Interruption::Panicked("the worker `fragile` panicked: out of paper".to_owned());
    assert_eq!(panicked, Err(CallError::Unknown(expected.clone())));
    assert_eq!(soon(call).await, Err(CallError::Unknown(expected)));
}
