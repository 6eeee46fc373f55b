//! Nothing but the port, from Rust: what a page that is written in Rust pays before anything is called.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use futures::channel::oneshot;
use js_sys::{Array, ArrayBuffer};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, MessagePort};

use crate::{MOVED, at_once, in_turn};

type Listener = Closure<dyn FnMut(MessageEvent)>;

/// What the worker runs: what comes goes back.
#[wasm_bindgen]
pub fn raw_rust_worker(port: MessagePort) {
    let answering = port.clone();
    let answer = Listener::new(move |event: MessageEvent| {
        let data = event.data();
        post(&answering, &data);
    });
    port.set_onmessage(Some(answer.into_js_value().unchecked_ref()));
}

/// The page's end. The answers come in the order of the calls.
#[derive(Debug)]
#[wasm_bindgen]
pub struct RawRust {
    port: MessagePort,
    waiting: Rc<RefCell<VecDeque<oneshot::Sender<JsValue>>>>,
}

#[wasm_bindgen]
impl RawRust {
    /// The port of a worker that runs [`raw_rust_worker`].
    #[wasm_bindgen(constructor)]
    pub fn new(port: MessagePort) -> Self {
        let waiting = Rc::<RefCell<VecDeque<oneshot::Sender<JsValue>>>>::default();
        let callers = waiting.clone();
        let answered = Listener::new(move |event: MessageEvent| {
            let caller = callers.borrow_mut().pop_front().expect("somebody waits");
            caller.send(event.data()).expect("it still does");
        });
        port.set_onmessage(Some(answered.into_js_value().unchecked_ref()));
        Self { port, waiting }
    }

    /// One call at a time.
    pub async fn one(&self, calls: u32) {
        in_turn(calls, async || assert_eq!(self.call(&7.into()).await, 7)).await;
    }

    /// Many calls at a time.
    pub async fn many(&self, calls: u32, outstanding: u32) {
        at_once(calls, outstanding, async || assert_eq!(self.call(&7.into()).await, 7)).await;
    }

    /// A buffer of JavaScript's, moved there and back.
    pub async fn moved(&self, calls: u32) {
        let mut buffer = JsValue::from(ArrayBuffer::new(MOVED));
        for _ in 0..calls {
            buffer = self.call(&buffer).await;
        }
        assert_eq!(buffer.unchecked_into::<ArrayBuffer>().byte_length(), MOVED);
    }

    async fn call(&self, data: &JsValue) -> JsValue {
        let (answer, answered) = oneshot::channel();
        self.waiting.borrow_mut().push_back(answer);
        post(&self.port, data);
        answered.await.expect("the worker is there")
    }
}

fn post(port: &MessagePort, data: &JsValue) {
    let posted = if data.is_instance_of::<ArrayBuffer>() {
        port.post_message_with_transferable(data, &Array::of1(data))
    } else {
        port.post_message(data)
    };
    posted.expect("a number or a buffer can be posted");
}
