//! Two windows that talk by `postMessage`, with nothing of handover.

use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{HtmlIFrameElement, MessageChannel, MessageEvent, MessagePort, Window};

use crate::page::{document, window};
use crate::{parameter, report};

/// Shows a frame of another origin. When that says that it is ready, it gets a port.
#[wasm_bindgen]
pub fn raw_parent() {
    on_message(|event| {
        report(&format!("{}, from {}", text(&event), event.origin()));
        if text(&event) == "ready" {
            let channel = MessageChannel::new().expect("a browser has channels");
            greet(&channel.port1(), "hello, child");
            let child: Window = event.source().expect("a window has sent this").unchecked_into();
            let ports = js_sys::Array::of1(&channel.port2());
            child
                .post_message_with_transfer(&"a port".into(), &event.origin(), &ports)
                .expect("a new port can be transferred");
        }
    });
    let frame: HtmlIFrameElement = document().create_element("iframe").expect("it is an element").unchecked_into();
    frame.set_src(&parameter("child"));
    document().body().expect("the page has a body").append_child(&frame).expect("a frame fits into a page");
}

/// Says to the parent, if that is from where it should be, that it is ready, and listens on the port that it gets.
#[wasm_bindgen]
pub fn raw_child() {
    on_message(|event| {
        report(&format!("{}, from {}", text(&event), event.origin()));
        greet(&event.ports().get(0).unchecked_into(), "hello, parent");
    });
    let parent = window().parent().ok().flatten().expect("a frame has a parent");
    parent.post_message(&"ready".into(), &parameter("parent")).expect("a text can be posted");
    report("said that it is ready");
}

/// Reports what comes over a port, and posts a text there.
fn greet(port: &MessagePort, text_to_post: &str) {
    let heard = Closure::<dyn FnMut(MessageEvent)>::new(|event| report(&format!("over the port: {}", text(&event))));
    port.set_onmessage(Some(heard.into_js_value().unchecked_ref()));
    port.post_message(&text_to_post.into()).expect("a text can be posted");
    // The handler keeps its port: what nobody holds may be collected.
    std::mem::forget(port.clone());
}

fn on_message(handler: impl FnMut(MessageEvent) + 'static) {
    let handler = Closure::<dyn FnMut(MessageEvent)>::new(handler);
    window().set_onmessage(Some(handler.into_js_value().unchecked_ref()));
}

fn text(event: &MessageEvent) -> String {
    event.data().as_string().unwrap_or_default()
}
