//! The same page as `hello`, by web-rpc.

// In a browser only.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]
// Its macro writes no documentation.
#![allow(missing_docs, missing_debug_implementations)]

use wasm_bindgen::prelude::*;
use web_rpc::{Builder, Interface};
use web_sys::{DedicatedWorkerGlobalScope, Worker, WorkerOptions, WorkerType};

#[web_rpc::service]
pub trait Greeter {
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
pub async fn greeter() {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let interface = Interface::new(scope).await;
    Builder::new(interface).with_service::<GreeterService<_>>(Polite).build().await;
}

/// What the page runs: `script` is the address of a script that calls [`greeter`].
#[wasm_bindgen]
pub async fn hello(script: &str, name: String) -> Result<String, JsValue> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    let worker = Worker::new_with_options(script, &options)?;
    let client: GreeterClient = Builder::new(Interface::new(worker).await).with_client().build();
    Ok(client.greet(name).await)
}
