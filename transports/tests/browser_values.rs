//! Values of JavaScript's as arguments and results: cloned and transferred, anywhere inside a value, and refused.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

mod common;

use std::sync::Arc;

use common::{pair, settle, with_raw_end};
use futures::{FutureExt, pin_mut};
use gloo_timers::future::TimeoutFuture;
use handover::{
    Buffer, CallError, Interruption, NotSent, Refusal,
    browser::{StructuredClone, Transfer},
    context, in_process,
    message::Foreign,
    prelude::*,
    wasm_worker::{self, Script},
};
use js_sys::{Array, ArrayBuffer, Date, JsString, Object, Reflect, Uint8Array};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test as test;
use web_sys::{ImageBitmap, OffscreenCanvas, ReadableStream};

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[service]
trait Gallery {
    async fn echo(&self, value: StructuredClone<JsValue>) -> StructuredClone<JsValue>;
    async fn back(&self, bytes: Transfer<ArrayBuffer>) -> Transfer<ArrayBuffer>;
    async fn move_on(&self, anything: Transfer<JsValue>) -> Transfer<JsValue>;
    async fn when(&self, date: StructuredClone<Date>) -> f64;
    async fn hang(&self, exhibits: Vec<Exhibit>) -> Vec<String>;
    async fn size_of(&self, picture: Transfer<ImageBitmap>) -> (u32, u32);
    async fn paint(&self, canvas: Transfer<OffscreenCanvas>) -> (u32, u32);
    async fn first_chunk(&self, stream: Transfer<ReadableStream>) -> StructuredClone<JsValue>;
    async fn a_function(&self) -> StructuredClone<JsValue>;
    async fn two_of_one(&self) -> Vec<Transfer<ArrayBuffer>>;
    async fn tie(&self, knot: Knot);
    async fn add(&self, one: u32, other: u32) -> u32;
}

/// Whatever can be beside the bytes, at some depth.
#[derive(Serialize, Deserialize)]
struct Exhibit {
    name: String,
    since: StructuredClone<Date>,
    raw: Option<Transfer<ArrayBuffer>>,
    bytes: Buffer,
    keeper: GalleryClient,
    port: Transfer<web_sys::MessagePort>,
}

/// Something foreign that is no value of JavaScript's.
struct Knot;

impl Serialize for Knot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Foreign::put(|| Ok(Foreign::new(Arc::new("a knot"))), serializer)
    }
}

impl<'de> Deserialize<'de> for Knot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Foreign::take(deserializer, |_| Ok(Self))
    }
}

struct Rooms;

impl Gallery for Rooms {
    async fn echo(&self, value: StructuredClone<JsValue>) -> StructuredClone<JsValue> {
        value
    }

    async fn back(&self, bytes: Transfer<ArrayBuffer>) -> Transfer<ArrayBuffer> {
        let bytes = bytes.into_inner();
        method(&Uint8Array::new(&bytes), "reverse");
        bytes.into()
    }

    async fn move_on(&self, anything: Transfer<JsValue>) -> Transfer<JsValue> {
        anything
    }

    async fn when(&self, date: StructuredClone<Date>) -> f64 {
        date.into_inner().get_time()
    }

    async fn hang(&self, exhibits: Vec<Exhibit>) -> Vec<String> {
        let mut lines = Vec::new();
        for exhibit in exhibits {
            let Exhibit { name, since, raw, bytes, keeper, port } = exhibit;
            let raw = raw.map_or(0, |raw| raw.into_inner().byte_length());
            let sum = keeper.add(2, 3).await.unwrap();
            port.into_inner().post_message(&"hung".into()).unwrap();
            lines.push(format!("{name} {} {raw} {} {sum}", since.into_inner().get_time(), bytes.len()));
        }
        lines
    }

    async fn size_of(&self, picture: Transfer<ImageBitmap>) -> (u32, u32) {
        let picture = picture.into_inner();
        (picture.width(), picture.height())
    }

    async fn paint(&self, canvas: Transfer<OffscreenCanvas>) -> (u32, u32) {
        let canvas = canvas.into_inner();
        (canvas.width(), canvas.height())
    }

    async fn first_chunk(&self, stream: Transfer<ReadableStream>) -> StructuredClone<JsValue> {
        let reader = method(&stream.into_inner(), "getReader");
        let chunk = JsFuture::from(method(&reader, "read").unchecked_into::<js_sys::Promise>()).await.unwrap();
        get(&chunk, "value").into()
    }

    async fn a_function(&self) -> StructuredClone<JsValue> {
        js("() => 1").into()
    }

    async fn two_of_one(&self) -> Vec<Transfer<ArrayBuffer>> {
        let one = ArrayBuffer::new(8);
        vec![one.clone().into(), one.into()]
    }

    async fn tie(&self, _: Knot) {}

    async fn add(&self, one: u32, other: u32) -> u32 {
        one + other
    }
}

async fn serve(port: MessagePort) {
    GalleryServer::new(Rooms).serve(port).await;
}

/// What a worker of these tests runs.
#[wasm_bindgen]
pub fn gallery_worker() {
    wasm_worker::run(serve);
}

/// A gallery in a worker.
fn gallery() -> GalleryClient {
    let script = Script::export("/wasm-bindgen-test.js", "gallery_worker").wasm("/wasm-bindgen-test_bg.wasm");
    wasm_worker::spawn("gallery", &script).unwrap()
}

fn js(expression: &str) -> JsValue {
    js_sys::eval(&format!("({expression})")).unwrap()
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

fn method(object: &JsValue, name: &str) -> JsValue {
    get(object, name).unchecked_into::<js_sys::Function>().call0(object).unwrap()
}

fn bytes(length: u8) -> ArrayBuffer {
    Uint8Array::from(&Vec::from_iter(0..length)[..]).buffer()
}

/// Whether this engine has a constructor of that name.
fn has(name: &str) -> bool {
    get(&js_sys::global(), name).is_function()
}

/// Whether this engine can transfer a thing, which is lost by that.
fn can_transfer(thing: &str) -> bool {
    js_sys::eval(&format!("{{ const thing = {thing}; structuredClone(thing, {{ transfer: [thing] }}) }}")).is_ok()
}

/// What must have happened within five seconds.
async fn soon<F: Future>(future: F) -> F::Output {
    let late = TimeoutFuture::new(5_000);
    pin_mut!(future, late);
    match futures::future::select(future, late).await {
        futures::future::Either::Left((output, _)) => output,
        futures::future::Either::Right(_) => panic!("it has not ended within five seconds"),
    }
}

/// What the browser said of a value that it does not take.
fn refused<T>(result: Result<T, CallError>) -> String {
    let error = result.err().expect("it was refused");
    let CallError::NotSent(NotSent::Unencodable(why)) = error else { panic!("refused otherwise: {error}") };
    assert!(why.starts_with("the browser refuses it: "), "{why}");
    why
}

#[test]
async fn a_value_that_the_browser_can_clone_goes_there_and_back() {
    let gallery = gallery();
    let value =
        js("{ text: 'ü', list: [1, , 2.5], nested: new Map([[{}, new Set(['x'])]]), at: new Date(7), no: null }");

    let back = soon(gallery.echo(value.clone().into())).await.unwrap().into_inner();

    assert!(!Object::is(&back, &value), "it was cloned");
    assert_eq!(get(&back, "text"), "ü");
    assert_eq!(get(&back, "list").unchecked_into::<Array>().length(), 3);
    assert!(get(&back, "nested").is_instance_of::<js_sys::Map>());
    assert_eq!(get(&back, "at").unchecked_into::<Date>().get_time(), 7.0);
    for plain in [JsValue::UNDEFINED, JsValue::NULL, 1.5.into(), true.into(), "text".into(), js("10n ** 30n")] {
        let back = soon(gallery.echo(plain.clone().into())).await.unwrap().into_inner();
        assert!(Object::is(&back, &plain), "{plain:?} came back as {back:?}");
    }
}

#[test]
async fn an_array_buffer_is_transferred_there_and_back_and_not_copied() {
    let gallery = gallery();
    let buffer = bytes(100);

    let back = soon(gallery.back(buffer.clone().into())).await.unwrap().into_inner();

    assert_eq!(buffer.byte_length(), 0, "it is detached here");
    assert_eq!(Uint8Array::new(&back).to_vec(), Vec::from_iter((0..100).rev()));
}

/// Counts how often the browser is asked for a clone, until this is dropped.
struct Clones;

impl Clones {
    fn counted() -> Self {
        js("(() => {
            globalThis.realClone = structuredClone;
            globalThis.clones = 0;
            globalThis.structuredClone = (...all) => { clones += 1; return realClone(...all); };
        })()");
        Self
    }

    fn so_far(&self) -> JsValue {
        js("clones")
    }
}

impl Drop for Clones {
    fn drop(&mut self) {
        js("globalThis.structuredClone = realClone");
    }
}

#[test]
async fn a_buffer_that_came_is_sent_on_as_it_is_and_one_that_others_may_have_is_taken_first() {
    let gallery = gallery();
    let clones = Clones::counted();

    let came = soon(gallery.move_on(Transfer::new(bytes(7).into()))).await.unwrap();
    assert_eq!(clones.so_far(), 1);
    let came = soon(gallery.move_on(came)).await.unwrap();
    assert_eq!(clones.so_far(), 1, "nobody else had it");
    let seen = came.into_inner();
    let back = soon(gallery.move_on(seen.clone().into())).await.unwrap().into_inner();

    assert_eq!(clones.so_far(), 2);
    assert_eq!(seen.unchecked_into::<ArrayBuffer>().byte_length(), 0, "it is detached here");
    assert_eq!(Uint8Array::new(&back).to_vec(), Vec::from_iter(0..7));
}

#[test]
async fn a_buffer_that_came_twice_in_one_message_is_not_sent_on_twice() {
    let (ours, raw) = with_raw_end();
    ours.post_value([Transfer::new(bytes(5)), Transfer::new(bytes(6))]).unwrap();
    let message: Array = soon(raw.next()).await.unchecked_into();
    message.set(2, message.get(1));
    let (theirs, raw) = with_raw_end();
    theirs.start();
    raw.post_value(&message);
    let [first, again] = soon(theirs.recv_value::<[Transfer<ArrayBuffer>; 2]>()).await.unwrap().data;
    let (ours, next) = pair();
    next.start();

    let error = ours.post_value([first, again]).unwrap_err();

    assert!(error.to_string().contains("the browser refuses it: "), "{error}");
    ours.post_value(7).unwrap();
    assert_eq!(soon(next.recv_value::<i32>()).await.unwrap().data, 7);
}

#[test]
async fn values_are_anywhere_in_an_argument_beside_ports_buffers_and_clients() {
    context::run(async {
        let gallery = gallery();
        let mut told = Vec::new();
        let exhibits = ["urn", "ewer", "bowl"].map(|name| {
            let channel = web_sys::MessageChannel::new().unwrap();
            told.push(common::RawEnd::new(channel.port1()));
            Exhibit {
                name: name.to_owned(),
                since: Date::new(&JsValue::from_f64(1e12 + name.len() as f64)).into(),
                raw: (name != "ewer").then(|| bytes(name.len() as u8).into()),
                bytes: vec![0; 10 * name.len()].into(),
                keeper: in_process::spawn(serve),
                port: channel.port2().into(),
            }
        });

        let lines = soon(gallery.hang(exhibits.into())).await.unwrap();

        assert_eq!(lines, ["urn 1000000000003 3 30 5", "ewer 1000000000004 0 40 5", "bowl 1000000000004 4 40 5"]);
        for end in told {
            assert_eq!(soon(end.next()).await, "hung");
        }
    })
    .await;
}

#[test]
async fn within_a_context_a_value_simply_moves_whatever_it_is() {
    context::run(async {
        let gallery: GalleryClient = in_process::spawn(serve);
        let function = js("() => 1");
        let buffer = bytes(3);

        let back = gallery.echo(function.clone().into()).await.unwrap().into_inner();
        let same = gallery.back(buffer.clone().into()).await.unwrap().into_inner();

        assert!(Object::is(&back, &function));
        assert!(Object::is(&same, &buffer));
        assert_eq!(buffer.byte_length(), 3, "nothing was transferred");
    })
    .await;
}

#[test]
async fn what_the_browser_cannot_clone_is_not_sent_and_the_calls_beside_it_are() {
    let gallery = gallery();
    for value in ["() => 1", "Symbol('s')", "document.createElement('p')", "{ deep: [new WeakMap()] }"] {
        let (before, call, after) =
            futures::join!(gallery.add(1, 2), gallery.echo(js(value).into()), gallery.add(3, 4));

        refused(call);
        assert_eq!((before, after), (Ok(3), Ok(7)), "{value}");
    }
}

#[test]
async fn a_result_that_the_browser_cannot_clone_ends_its_call_as_unreadable_and_no_other() {
    let gallery = gallery();

    let error = soon(gallery.a_function()).await.unwrap_err();
    let twice = soon(gallery.two_of_one()).await.unwrap_err();

    for error in [error, twice] {
        let CallError::Unknown(Interruption::UnreadableReply(why)) = error else { panic!("{error}") };
        assert!(why.contains("the browser refuses it: "), "{why}");
    }
    assert_eq!(soon(gallery.add(1, 2)).await, Ok(3));
}

#[test]
async fn what_was_transferred_before_is_not_sent_again() {
    let gallery = gallery();
    let buffer = bytes(5);
    soon(gallery.back(buffer.clone().into())).await.unwrap();

    refused(soon(gallery.back(buffer.into())).await);
    let port = web_sys::MessageChannel::new().unwrap().port1();
    let first = soon(gallery.move_on(Transfer::new(port.clone().into()))).await;
    assert!(first.is_ok());
    refused(soon(gallery.move_on(Transfer::new(port.into()))).await);
    assert_eq!(soon(gallery.add(1, 2)).await, Ok(3));
}

#[test]
async fn one_object_twice_in_an_argument_is_not_sent_and_the_first_keeps_it() {
    let (ours, theirs) = pair();
    theirs.start();
    let buffer = bytes(5);
    let value = [Transfer::new(buffer.clone()), Transfer::new(buffer)];

    let error = ours.post_value(value).unwrap_err();

    assert!(error.to_string().contains("the browser refuses it: "), "{error}");
    let [first, second] = error.into_rejected();
    assert_eq!(first.into_inner().byte_length(), 5, "nothing is lost");
    assert_eq!(second.into_inner().byte_length(), 0, "it is detached");
}

#[test]
async fn what_no_browser_transfers_is_not_sent() {
    let gallery = gallery();
    for value in ["{}", "'text'", "5", "new Date()", "new Uint8Array(4)"] {
        refused(soon(gallery.move_on(Transfer::new(js(value)))).await);
    }
    let memory = wasm_bindgen::memory().unchecked_into::<js_sys::WebAssembly::Memory>();
    refused(soon(gallery.move_on(Transfer::new(memory.buffer()))).await);
}

#[test]
async fn a_picture_is_transferred_to_a_worker() {
    let picture = js("createImageBitmap(new ImageData(6, 4))").unchecked_into::<js_sys::Promise>();
    let picture: ImageBitmap = JsFuture::from(picture).await.unwrap().unchecked_into();

    let size = soon(gallery().size_of(picture.clone().into())).await.unwrap();

    assert_eq!(size, (6, 4));
    assert_eq!(picture.width(), 0, "it is detached here");
}

#[test]
async fn a_canvas_is_transferred_to_a_worker_where_the_browser_has_any() {
    if !has("OffscreenCanvas") {
        return;
    }
    let from_the_page = js("(() => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [30, 20];
        return canvas.transferControlToOffscreen();
    })()");
    let gallery = gallery();

    assert_eq!(soon(gallery.paint(from_the_page.unchecked_into::<OffscreenCanvas>().into())).await, Ok((30, 20)));
    let in_use = OffscreenCanvas::new(3, 2).unwrap();
    get(&in_use, "getContext").unchecked_into::<js_sys::Function>().call1(&in_use, &"2d".into()).unwrap();
    refused(soon(gallery.paint(in_use.into())).await);
}

#[test]
async fn a_stream_is_transferred_to_a_worker_or_told_to_be_none_that_this_browser_transfers() {
    let gallery = gallery();
    let stream = "new ReadableStream({ start(it) { it.enqueue('first'); it.enqueue('second'); it.close(); } })";
    let can = can_transfer(stream);

    let chunk = soon(gallery.first_chunk(js(stream).unchecked_into::<ReadableStream>().into())).await;

    match can {
        true => assert_eq!(chunk.unwrap().into_inner(), "first"),
        false => drop(refused(chunk)),
    }
    let locked: ReadableStream = js(stream).unchecked_into();
    method(&locked, "getReader");
    refused(soon(gallery.first_chunk(locked.into())).await);
}

#[test]
async fn a_value_of_another_type_than_the_service_has_is_refused_there() {
    let gallery = gallery();
    let no_date: Date = JsString::from("yesterday").unchecked_into();

    assert_eq!(soon(gallery.when(Date::new(&7.into()).into())).await, Ok(7.0));
    let error = soon(gallery.when(no_date.into())).await.unwrap_err();

    let CallError::Refused(Refusal::Malformed(why)) = error else { panic!("{error}") };
    assert!(why.contains("the value is no `Date`"), "{why}");
}

#[test]
async fn what_is_foreign_and_no_value_of_javascripts_is_refused_and_the_calls_beside_it_are_not() {
    let gallery = gallery();

    let (refused, other) = futures::join!(gallery.tie(Knot), gallery.add(1, 2));

    let CallError::Refused(Refusal::Denied(why)) = refused.unwrap_err() else { panic!("refused otherwise") };
    assert!(why.contains("cannot carry what is neither bytes"), "{why}");
    assert_eq!(other, Ok(3));
}

#[test]
async fn a_message_of_its_own_carries_values_too_and_a_port_that_is_handed_on_takes_them_along() {
    let (provider, at_middle) = pair();
    let (middle, game) = pair();
    game.start();
    provider.post_value((1, Transfer::new(bytes(5)), StructuredClone::new(js("{ at: 9 }")))).unwrap();
    settle().await;

    // What was read in the middle and has no reader yet lies in front.
    middle.post_value(at_middle).unwrap();
    let right = soon(game.recv_value::<MessagePort>()).await.unwrap().data;

    right.start();
    let (number, buffer, object) =
        soon(right.recv_value::<(i32, Transfer<ArrayBuffer>, StructuredClone<JsValue>)>()).await.unwrap().data;
    assert_eq!((number, buffer.into_inner().byte_length()), (1, 5));
    assert_eq!(get(&object.into_inner(), "at"), 9);
}

#[test]
async fn only_a_message_takes_a_value_and_any_other_serialisation_leaves_it_alone() {
    let buffer = bytes(5);
    let value = Transfer::new(buffer.clone());

    assert!(postcard::to_allocvec(&value).is_err());

    assert_eq!(value.into_inner().byte_length(), 5);
    assert!(!format!("{:?}", StructuredClone::new(JsValue::from_str("secret"))).contains("secret"));
}

#[test]
async fn a_call_that_is_dropped_before_it_is_sent_leaves_its_values_alone() {
    let gallery = gallery();
    let buffer = bytes(5);

    let mut call = Box::pin(async { gallery.back(buffer.clone().into()).await });
    assert!((&mut call).now_or_never().is_none());
    drop(call);
    soon(gallery.add(1, 1)).await.unwrap();

    assert_eq!(buffer.byte_length(), 5);
}
