//! The browser's objects that web-sys has not, or has otherwise in windows and in workers.

use js_sys::{Array, ArrayBuffer, Function, JsString, Object, Promise, Reflect, Set, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{MessageEvent, MessagePort};

#[wasm_bindgen]
extern "C" {
    /// A promise whose jobs are microtasks.
    pub(super) type Job;

    #[wasm_bindgen(method)]
    pub(super) fn then(this: &Job, job: &Closure<dyn FnMut(JsValue)>);

    /// One that is resolved a microtask later.
    #[wasm_bindgen(method, js_name = then)]
    pub(super) fn pass(this: &Job) -> Job;

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

/// What is to be said of an error that the browser threw.
pub(crate) fn words(error: &JsValue) -> String {
    let message = Reflect::get(error, &JsValue::from_str("message")).ok().and_then(|message| message.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| format!("{error:?}"))
}

/// Up to so many bytes go as a string. An engine makes an object for each buffer that it clones and reads, at either end: for what
/// a call takes, that costs more than all the rest of the way.
const SHORT: usize = 128;

/// A packet, as it is posted. In a string, each character is a byte.
pub(super) fn packet(bytes: &[u8]) -> JsValue {
    if bytes.len() > SHORT {
        return Uint8Array::from(bytes).into();
    }
    from_char_codes(&JsValue::UNDEFINED, bytes).into()
}

/// The packet in a message: all of it, or the first thing in a list.
pub(super) fn bytes_of(data: &JsValue) -> Option<Vec<u8>> {
    packet_bytes(data).or_else(|| packet_bytes(&data.dyn_ref::<Array>()?.get(0)))
}

/// The ports that came with a message.
pub(super) fn ports_of(event: &MessageEvent) -> Vec<MessagePort> {
    event.ports().iter().map(JsCast::unchecked_into).collect()
}

fn packet_bytes(packet: &JsValue) -> Option<Vec<u8>> {
    match packet.dyn_ref::<JsString>() {
        Some(characters) => bytes_in(characters),
        None => packet.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec),
    }
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
    pub(super) buffers: Vec<ArrayBuffer>,
    pub(super) values: Vec<JsValue>,
    /// Whether no two of all these are the same object.
    pub(super) are_distinct: bool,
}

/// So many buffers and then so many values, which follow the packet in its list. `None` if there are fewer.
pub(super) fn beside(data: &JsValue, buffers: usize, values: usize) -> Option<Beside> {
    let all = buffers.checked_add(values)?;
    if all == 0 {
        return Some(Beside::default());
    }
    let list = data.dyn_ref::<Array>()?;
    let (buffers, all) = (u32::try_from(buffers).ok()?, u32::try_from(all).ok()?);
    if all >= list.length() {
        return None;
    }
    let first: Option<_> = (1..=buffers).map(|index| list.get(index).dyn_into().ok()).collect();
    let values = (buffers + 1..=all).map(|index| list.get(index)).collect();
    let are_distinct = all == 1 || Set::new(list).size() == list.length();
    Some(Beside { buffers: first?, values, are_distinct })
}
