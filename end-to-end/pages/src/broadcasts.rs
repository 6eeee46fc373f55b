//! Pages that hear each other under a name.

use std::cell::OnceCell;

use handover::{BroadcastChannel, browser, event_loop::EventLoop};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::report;

thread_local! {
    static WEATHER: OnceCell<BroadcastChannel<String>> = const { OnceCell::new() };
}

/// Reports what is broadcast.
#[wasm_bindgen]
pub fn listens() {
    let event_loop = EventLoop::new();
    let channel = BroadcastChannel::new(&event_loop, &browser::broadcast_group(), &browser::origin(), "weather");
    channel.set_onmessage(|event| report(&format!("heard {} from {}", event.data, event.origin)));
    WEATHER.with(|weather| weather.set(channel).expect("it listens once"));
    spawn_local(event_loop.run());
    report("listens");
}

/// Broadcasts a text.
#[wasm_bindgen]
pub fn broadcast(text: &str) {
    WEATHER.with(|weather| weather.get().expect("it listens").post_value(text).expect("a text can be posted"));
}
