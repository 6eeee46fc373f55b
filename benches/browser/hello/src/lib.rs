//! The smallest page with a service in a worker, as the guide has it: what handover adds to a page, in bytes.

// In a browser only.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

use handover::{
    prelude::*,
    wasm_worker::{self, Script},
};
use wasm_bindgen::prelude::*;

/// Greets people.
#[service]
pub trait Greeter {
    /// Greets somebody.
    async fn greet(&self, name: String) -> String;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: String) -> String {
        format!("Good day, {name}.")
    }
}

/// What the worker runs.
#[wasm_bindgen]
pub fn greeter() {
    wasm_worker::run(|port| GreeterServer::new(Polite).serve(port));
}

/// What the page runs: `module` is the address of the script that wasm-bindgen has made.
#[wasm_bindgen]
pub async fn hello(module: &str, name: String) -> Result<String, JsError> {
    let greeter: GreeterClient = wasm_worker::spawn("greeter", &Script::export(module, "greeter"))?;
    Ok(greeter.greet(name).await?)
}
