//! The page of `hello` by ports alone: a worker, a message there and one back. No service, no call, no right.

// In a browser only.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

use handover::{
    Message, MessagePort,
    wasm_worker::{self, Script},
};
use wasm_bindgen::prelude::*;

/// What the worker runs.
#[wasm_bindgen]
pub fn greeter() {
    wasm_worker::run(async |port: MessagePort| {
        port.start();
        while let Ok(message) = port.recv().await {
            let greeting = format!("Good day, {}.", text(&message));
            let _no_port_is_in_it = port.post_message(Message::new(greeting));
        }
    });
}

/// What the page runs: `module` is the address of the script that wasm-bindgen has made.
#[wasm_bindgen]
pub async fn hello(module: &str, name: String) -> Result<String, JsError> {
    let greeter: MessagePort = wasm_worker::spawn("greeter", &Script::export(module, "greeter"))?;
    greeter.start();
    let _no_port_is_in_it = greeter.post_message(Message::new(name));
    Ok(text(&greeter.recv().await?))
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(message.data()).into_owned()
}
