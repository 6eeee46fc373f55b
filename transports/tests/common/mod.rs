//! What the tests in a browser share.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod desk;

use std::{cell::RefCell, rc::Rc};

use handover::{MessagePort, browser};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::MessageEvent;

/// Two ports of this page, with a channel of the browser's in between.
pub(crate) fn pair() -> (MessagePort, MessagePort) {
    let channel = web_sys::MessageChannel::new().unwrap();
    (browser::port(channel.port1()), browser::port(channel.port2()))
}

/// A port, and what is at the other end of it, read by nobody but the test.
pub(crate) fn with_raw_end() -> (MessagePort, RawEnd) {
    let channel = web_sys::MessageChannel::new().unwrap();
    (browser::port(channel.port1()), RawEnd::new(channel.port2()))
}

/// The bytes of whatever is posted at one of the browser's ports, which posts nothing from now on: no engine says when a
/// message comes in relation to those of other ports.
pub(crate) fn spy_on_posts(port: &web_sys::MessagePort) -> Rc<RefCell<Vec<Vec<u8>>>> {
    let posted = Rc::<RefCell<Vec<Vec<u8>>>>::default();
    let packets = posted.clone();
    let post = Closure::<dyn FnMut(JsValue)>::new(move |packet: JsValue| {
        packets.borrow_mut().push(packet_bytes(&packet).expect("nothing but packets is posted"));
    });
    js_sys::Reflect::set(port, &"postMessage".into(), &post.into_js_value()).unwrap();
    posted
}

/// One of the browser's ports, as a script would use it.
pub(crate) struct RawEnd {
    pub(crate) port: web_sys::MessagePort,
    came: Rc<RefCell<Vec<MessageEvent>>>,
    _onmessage: Closure<dyn FnMut(MessageEvent)>,
}

impl RawEnd {
    pub(crate) fn new(port: web_sys::MessagePort) -> Self {
        let came = Rc::<RefCell<Vec<MessageEvent>>>::default();
        let events = came.clone();
        let onmessage = Closure::<dyn FnMut(MessageEvent)>::new(move |event| events.borrow_mut().push(event));
        port.set_onmessage(Some(onmessage.as_ref().unchecked_ref()));
        Self { port, came, _onmessage: onmessage }
    }

    /// The bytes of the packets that have come.
    pub(crate) fn packets(&self) -> Vec<Vec<u8>> {
        self.came.borrow().iter().filter_map(|event| packet_bytes(&event.data())).collect()
    }

    /// As if nothing had come yet.
    pub(crate) fn forget(&self) {
        self.came.borrow_mut().clear();
    }

    /// The first thing that comes, as soon as it has.
    pub(crate) async fn next(&self) -> JsValue {
        loop {
            if let Some(event) = self.came.borrow().first() {
                return event.data();
            }
            turn().await;
        }
    }

    pub(crate) fn post(&self, bytes: &[u8]) {
        self.port.post_message(&js_sys::Uint8Array::from(bytes)).unwrap();
    }

    pub(crate) fn post_value(&self, value: &JsValue) {
        self.port.post_message(value).unwrap();
    }
}

/// The bytes of a packet, in whichever of the two ways it was posted.
pub(crate) fn packet_bytes(packet: &JsValue) -> Option<Vec<u8>> {
    match packet.as_string() {
        Some(characters) => characters.chars().map(|character| u8::try_from(character).ok()).collect(),
        None => packet.dyn_ref::<js_sys::Uint8Array>().map(js_sys::Uint8Array::to_vec),
    }
}

impl Drop for RawEnd {
    fn drop(&mut self) {
        self.port.set_onmessage(None);
    }
}

/// Lets everything happen that was posted before between ports of this page.
pub(crate) async fn settle() {
    for _ in 0..4 {
        turn().await;
    }
}

/// How many bridges there are, when what earlier tests have closed has ended.
pub(crate) async fn settled_bridges() -> usize {
    settle().await;
    browser::bridges()
}

/// A microtask: goes on in the same turn of the event loop.
pub(crate) async fn microtask() {
    wasm_bindgen_futures::JsFuture::from(js_sys::Promise::resolve(&JsValue::NULL)).await.unwrap();
}

/// One turn of the event loop, behind what was posted before.
pub(crate) async fn turn() {
    let channel = web_sys::MessageChannel::new().unwrap();
    let port = channel.port2();
    let came = js_sys::Promise::new(&mut |resolve, _| port.set_onmessage(Some(&resolve.unchecked_into())));
    channel.port1().post_message(&JsValue::NULL).unwrap();
    wasm_bindgen_futures::JsFuture::from(came).await.unwrap();
    port.close();
}
