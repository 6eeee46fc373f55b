//! The browser's objects that web-sys has not, or has otherwise in windows and in workers.

use std::{cell::RefCell, hint::black_box};

use js_sys::{Array, ArrayBuffer, Function, JsString, Object, Promise, Reflect, Set, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{MessageEvent, MessagePort};

use super::packet::{LONG, SHORT};

#[wasm_bindgen]
extern "C" {
    /// A promise whose jobs are microtasks.
    pub(super) type Job;

    #[wasm_bindgen(method)]
    pub(super) fn then(this: &Job, job: &Closure<dyn FnMut(JsValue)>);

    /// One that is resolved a microtask later.
    #[wasm_bindgen(method, js_name = then)]
    pub(super) fn pass(this: &Job) -> Job;

    /// A promise, and what is done when it is settled, by functions that need not be of this module.
    type Chained;

    #[wasm_bindgen(method, js_name = then)]
    fn chain(this: &Chained, act: &Function) -> Promise;

    #[wasm_bindgen(method)]
    fn catch(this: &Chained, act: &Function) -> Promise;

    /// What can be listened to, in a window or elsewhere.
    type Emitter;

    #[wasm_bindgen(method, js_name = addEventListener)]
    fn listen(this: &Emitter, event: &str, listener: &Function, options: &Object);

    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &Uint8Array);

    /// The [locks](https://www.w3.org/TR/web-locks/) of all contexts that share storage.
    #[derive(Clone)]
    pub(super) type LockManager;

    /// Not there in a page that came without TLS.
    #[wasm_bindgen(thread_local_v2, js_namespace = navigator, js_name = locks)]
    static LOCKS: Option<LockManager>;

    /// What is transferred by a clone.
    type Transferring;

    #[wasm_bindgen(method, setter)]
    fn set_transfer(this: &Transferring, list: &Array);

    /// A [structured clone](https://html.spec.whatwg.org/multipage/structured-data.html#dom-structuredclone), and an error where there
    /// is none.
    #[wasm_bindgen(catch, js_name = structuredClone)]
    pub(super) fn structured_clone(value: &JsValue, options: &Object) -> Result<JsValue, JsValue>;

    /// The string of these characters, which the engine reads where they lie.
    ///
    /// They are no arguments from here: of 24 that a module passes, WebKit has half arrive as something else, once in some thousand times.
    #[wasm_bindgen(js_namespace = ["String", "fromCharCode"], js_name = apply)]
    fn from_char_codes(this: &JsValue, codes: &[u8]) -> JsString;

    /// An error event, as for what nobody has caught; and an error where there is no such function.
    #[wasm_bindgen(catch, js_name = reportError)]
    pub(super) fn report_error(error: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(super) fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        callback: &Function,
    ) -> Result<Promise, JsValue>;
}

/// Calls a function when a promise is fulfilled, and another if that is not or the first throws.
pub(super) fn then_or_else(promise: &Promise, then: &Function, or_else: &Function) {
    let done = promise.unchecked_ref::<Chained>().chain(then);
    let _settled = done.unchecked_ref::<Chained>().catch(or_else);
}

/// Calls a function at the next event of that kind. Nothing of this module is called.
pub(super) fn once(at: &JsValue, event: &str, act: &Function) {
    at.unchecked_ref::<Emitter>().listen(event, act, &object(&[("once", true.into())]));
}

pub(super) fn locks() -> Option<LockManager> {
    LOCKS.with(Clone::clone)
}

/// The value itself, taken from whoever else has it, as by a transfer to another context.
///
/// A buffer has a method that does the same. Chromium takes milliseconds for it, if the buffer has come from another context.
pub(super) fn transferred(value: &JsValue) -> Result<JsValue, JsValue> {
    let options = Object::new();
    options.unchecked_ref::<Transferring>().set_transfer(&Array::of1(value));
    structured_clone(value, &options)
}

pub(super) fn random<const N: usize>() -> [u8; N] {
    let random = Uint8Array::new_with_length(N as u32);
    get_random_values(&random);
    let mut bytes = [0; N];
    random.copy_to(&mut bytes);
    bytes
}

/// An object with these properties.
pub(super) fn object(properties: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in properties {
        let _is_plain = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object
}

/// A time as the browser's timers take it: at most 24 days.
#[cfg(any(feature = "wasm-worker", feature = "wasm-window"))]
pub(crate) fn milliseconds(time: std::time::Duration) -> u32 {
    const LONGEST: u32 = i32::MAX as u32;
    u32::try_from(time.as_millis()).map_or(LONGEST, |milliseconds| milliseconds.min(LONGEST))
}

/// What is to be said of an error that the browser threw.
pub(crate) fn words(error: &JsValue) -> String {
    let message = Reflect::get(error, &JsValue::from_str("message")).ok().and_then(|message| message.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| format!("{error:?}"))
}

thread_local! {
    /// What packets were posted from, by its length.
    static ROOMS: RefCell<Vec<(usize, Uint8Array)>> = RefCell::default();
}

/// A packet, to be posted before the next is made.
///
/// A short one is a string, each of whose characters is a byte. An engine makes an object for each buffer that it clones and reads, at either end: for what
/// a call takes, that costs more than all the rest of the way. A longer one lies where others of its length did, for to make room takes an engine longer
/// than to fill it; and a post clones what it is given before it returns.
pub(super) fn packet(bytes: &[u8]) -> JsValue {
    if bytes.len() <= SHORT {
        return from_char_codes(&JsValue::UNDEFINED, bytes).into();
    }
    if bytes.len() > LONG {
        return Uint8Array::from(bytes).into();
    }
    let known = ROOMS.with_borrow(|rooms| Some(rooms.iter().find(|(length, _)| *length == bytes.len())?.1.clone()));
    let room = known.unwrap_or_else(|| {
        let room = Uint8Array::new_with_length(bytes.len() as u32);
        ROOMS.with_borrow_mut(|rooms| rooms.push((bytes.len(), room.clone())));
        room
    });
    room.copy_from(bytes);
    room.into()
}

/// There is not as much memory (C22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

/// The packet in a message: all of it, or the first thing in a list.
pub(super) fn bytes_of(data: &JsValue) -> Result<Option<Vec<u8>>, TooMuch> {
    match packet_bytes(data)? {
        Some(bytes) => Ok(Some(bytes)),
        None => data.dyn_ref::<Array>().map_or(Ok(None), |list| packet_bytes(&list.get(0))),
    }
}

/// The ports that came with a message.
pub(super) fn ports_of(event: &MessageEvent) -> Vec<MessagePort> {
    event.ports().iter().map(JsCast::unchecked_into).collect()
}

fn packet_bytes(packet: &JsValue) -> Result<Option<Vec<u8>>, TooMuch> {
    match packet.dyn_ref::<JsString>() {
        Some(characters) => Ok(bytes_in(characters)),
        None => packet.dyn_ref::<Uint8Array>().map(copied).transpose(),
    }
}

/// The bytes, in this module's memory.
fn copied(bytes: &Uint8Array) -> Result<Vec<u8>, TooMuch> {
    let length = usize::try_from(bytes.length()).map_err(|_| TooMuch)?;
    // Whether there is room is asked beforehand: what copies into it without clearing it first ends the instance if there is none.
    let mut room = Vec::<u8>::new();
    room.try_reserve_exact(length).map_err(|_| TooMuch)?;
    drop(black_box(room));
    Ok(bytes.to_vec())
}

/// `None` also if it is longer than what is posted so.
fn bytes_in(characters: &JsString) -> Option<Vec<u8>> {
    let length = characters.length();
    let mut bytes = Vec::with_capacity(usize::try_from(length).ok().filter(|length| *length <= SHORT)?);
    for index in 0..length {
        bytes.push(byte(characters.char_code_at(index))?);
    }
    Some(bytes)
}

fn byte(character: f64) -> Option<u8> {
    // `as`, for lack of another way: it cuts off what is beyond, which then is not the same.
    let byte = character as u8;
    (f64::from(byte) == character).then_some(byte)
}

/// What came beside a packet.
#[derive(Default)]
pub(super) struct Beside {
    /// Each as bytes of this module's.
    pub(super) buffers: Vec<Vec<u8>>,
    pub(super) values: Vec<JsValue>,
    /// Whether no two of all these are the same object.
    pub(super) are_distinct: bool,
}

/// Lists of so many things are believed to hold them: room is made at once.
const FEW: u32 = 1024;

/// So many buffers and then so many values, which follow the packet in its list. `None` if there are fewer, or if a buffer is there twice:
/// nobody can transfer one twice.
pub(super) fn beside(data: &JsValue, buffers: usize, values: usize) -> Result<Option<Beside>, TooMuch> {
    let Some(all) = buffers.checked_add(values) else { return Ok(None) };
    if all == 0 {
        return Ok(Some(Beside::default()));
    }
    let Some(list) = data.dyn_ref::<Array>().filter(|list| holds(list, all)) else { return Ok(None) };
    // As many as a list can be long.
    let (buffers, all) = (buffers as u32, all as u32);
    let are_distinct = all == 1 || Set::new(list).size() == list.length();
    if !are_distinct && Set::new(&list.slice(1, buffers + 1)).size() < buffers {
        return Ok(None);
    }
    let mut copies = Vec::new();
    for index in 1..=buffers {
        let Some(buffer) = list.get(index).dyn_ref::<ArrayBuffer>().map(|buffer| Uint8Array::new(buffer)) else {
            return Ok(None);
        };
        copies.push(copied(&buffer)?);
    }
    let values = (buffers + 1..=all).map(|index| list.get(index)).collect();
    Ok(Some(Beside { buffers: copies, values, are_distinct }))
}

/// Whether so many things follow the first in a list. One with gaps holds what it says at no cost to whoever has sent it.
fn holds(list: &Array, all: usize) -> bool {
    let length = list.length();
    let is_there = usize::try_from(length).is_ok_and(|length| all < length);
    is_there && (length <= FEW || Object::keys(list).length() == length)
}
