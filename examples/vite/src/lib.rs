//! A page and its worker, in one wasm module that Vite bundles.
//!
//! `main.js` calls [`check`] with the address that Vite has given to the worker's script, and `sums-worker.js` calls [`sums_worker`].

// In a browser only.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

use handover::{
    prelude::*,
    wasm_worker::{self, Script},
};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn error(text: &str);
}

/// Has a panic shown before it ends the instance. Runs when one is made: on the page, and in the worker.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| error(&panic.to_string())));
}

/// What the worker serves.
#[service]
trait Sums {
    async fn add(&self, one: u32, other: u32) -> u32;
}

struct Adder;

impl Sums for Adder {
    async fn add(&self, one: u32, other: u32) -> u32 {
        one + other
    }
}

/// What the worker runs.
#[wasm_bindgen]
pub fn sums_worker() {
    wasm_worker::run(|port| SumsServer::new(Adder).serve(port));
}

/// Starts the worker, and asks it for a sum.
#[wasm_bindgen]
pub async fn check(worker_url: String) -> Result<String, JsError> {
    let sums: SumsClient = wasm_worker::spawn("sums", &Script::file(&worker_url))?;
    let sum = sums.add(2, 3).await?;
    Ok(format!("the sum is {sum}"))
}
