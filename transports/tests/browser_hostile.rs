//! What peers cannot do that mean no good, or are broken.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

mod common;

use common::{
    RawEnd,
    desk::{self, DeskClient},
    settle, with_raw_end,
};
use gloo_timers::future::TimeoutFuture;
use handover::{
    browser::{
        self,
        packet::{ContextId, Entry, Packet},
    },
    wasm_worker::{self, Script, Worker},
};
use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_test::wasm_bindgen_test as test;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// What a worker of these tests runs.
#[wasm_bindgen]
pub fn desk_worker() {
    wasm_worker::run(desk::serve);
}

fn packet(entries: Vec<Entry<'_>>) -> Vec<u8> {
    Packet { entries, carried: Vec::new() }.to_bytes()
}

/// A worker that reads a port at whose other end is a script.
async fn worker_with_raw_end(name: &str) -> (Worker<DeskClient>, RawEnd) {
    let script = Script::export("/wasm-bindgen-test.js", "desk_worker").wasm("/wasm-bindgen-test_bg.wasm");
    let desk: Worker<DeskClient> = Worker::spawn(name, &script).unwrap();
    let channel = web_sys::MessageChannel::new().unwrap();
    let raw = RawEnd::new(channel.port2());
    desk.keep(browser::port(channel.port1())).await.unwrap();
    assert_eq!(desk.add(1, 1).await.unwrap(), 2);
    (desk, raw)
}

/// Posts a packet of one message that says to have so many buffers and values, with a list that is as long.
fn post_beside(raw: &RawEnd, buffers: u8, values: [u8; 5], list: &Array, transferred: &Array) {
    let bytes = [&[1, 1, 2, 0, buffers][..], &values, &[0]].concat();
    list.set(0, Uint8Array::from(&bytes[..]).into());
    raw.port.post_message_with_transferable(list, transferred).unwrap();
}

/// C22
#[test]
async fn a_list_that_says_to_be_longer_than_memory_is_left_aside() {
    let (desk, raw) = worker_with_raw_end("sparse").await;
    for (length, values) in [(2_000, [0xcf, 0x8f, 0x80, 0x80, 0]), (0x2000_0001, [0x80, 0x80, 0x80, 0x80, 0x02])] {
        let list = Array::new();
        list.set_length(length);
        post_beside(&raw, 0, values, &list, &Array::new());
    }

    assert_eq!(desk.add(2, 3).await.unwrap(), 5);
}

/// C22
#[test]
async fn a_buffer_is_not_copied_as_often_as_a_list_names_it() {
    let (desk, raw) = worker_with_raw_end("greedy").await;
    let buffer = ArrayBuffer::new(1 << 28);
    let list = Array::of1(&JsValue::UNDEFINED);
    (0..24).for_each(|_| _ = list.push(&buffer));

    post_beside(&raw, 24, [0x80, 0x80, 0x80, 0x80, 0], &list, &Array::of1(&buffer));

    assert_eq!(desk.add(2, 3).await.unwrap(), 5);
}

#[test]
async fn a_packet_that_names_many_contexts_has_the_last_of_them_looked_for() {
    let asked = "
        globalThis.looks = 0;
        const request = LockManager.prototype.request;
        LockManager.prototype.request = function(...words) { looks += 1; return request.apply(this, words); };
    ";
    let (ours, raw) = with_raw_end();
    ours.start();
    settle().await;
    js_sys::eval(asked).unwrap();
    let here = |number: u16| {
        let [low, high] = number.to_le_bytes();
        let mut context = [9; 16];
        (context[0], context[1]) = (low, high);
        Entry::Here { context: ContextId(context), has_lock: true }
    };

    raw.post(&packet((0..10_000).map(here).collect()));
    settle().await;

    let looks = js_sys::eval("looks").unwrap().as_f64().unwrap();
    assert!((1.0..=2.0).contains(&looks), "{looks}");
}

/// Answers pings at a raw end for so many milliseconds.
async fn answer_pings(raw: &RawEnd, milliseconds: f64) {
    let end = js_sys::Date::now() + milliseconds;
    while js_sys::Date::now() < end {
        let is_asked = raw.packets().iter().any(|bytes| Packet::parse(bytes).unwrap().entries.contains(&Entry::Ping));
        raw.forget();
        if is_asked {
            raw.post(&packet(vec![Entry::Pong]));
        }
        TimeoutFuture::new(20).await;
    }
}

#[test]
async fn ports_that_say_to_lead_to_somebody_and_are_silent_end_without_those_that_do() {
    let here = packet(vec![Entry::Here { context: ContextId([6; 16]), has_lock: false }]);
    let mut silent = Vec::from_iter((0..9).map(|_| with_raw_end()));
    silent.iter().for_each(|(_, raw)| raw.post(&here));
    let (honest, raw) = silent.remove(4);
    settle().await;

    answer_pings(&raw, 5_000.0).await;

    assert!(!honest.is_closed());
    assert_eq!(silent.iter().filter(|(port, _)| !port.is_closed()).count(), 0);
}

#[test]
async fn whoever_says_to_be_this_context_has_to_answer_like_others() {
    let (ours, raw) = with_raw_end();
    ours.start();
    raw.next().await;
    let Entry::Here { context, .. } = Packet::parse(&raw.packets()[0]).unwrap().entries[0] else { unreachable!() };

    raw.post(&packet(vec![Entry::Here { context, has_lock: true }]));
    settle().await;
    raw.port.close();

    let late = TimeoutFuture::new(4_000);
    let ended = futures::future::select(Box::pin(ours.closed()), late).await;
    assert!(matches!(ended, futures::future::Either::Left(_)), "nobody has noticed");
}

#[test]
async fn locks_are_not_waited_for_on_behalf_of_ports_that_are_gone() {
    async fn waited_for() -> f64 {
        let waiting = js_sys::eval("navigator.locks.query().then(({ pending }) => pending.length)").unwrap();
        wasm_bindgen_futures::JsFuture::from(waiting.unchecked_into::<js_sys::Promise>())
            .await
            .unwrap()
            .as_f64()
            .unwrap()
    }
    js_sys::eval("globalThis.SharedWorker = SharedWorker.prototype.constructor").unwrap();
    let script = Script::file("/tests/fixtures/worker.js");
    let kept: DeskClient = wasm_worker::connect("lasting", &script).unwrap();
    kept.add(1, 1).await.unwrap();
    TimeoutFuture::new(600).await;
    let before = waited_for().await;

    for _ in 0..3 {
        let desk: DeskClient = wasm_worker::connect("lasting", &script).unwrap();
        desk.add(1, 1).await.unwrap();
        TimeoutFuture::new(100).await;
    }
    drop(kept);
    settle().await;
    TimeoutFuture::new(1_000).await;

    assert!(waited_for().await <= before, "{before}");
}
