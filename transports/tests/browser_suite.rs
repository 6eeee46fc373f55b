//! What a transport promises, over a browser's: the suite of `tests/transports`, with the same service.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

#[path = "../../tests/transports/suite/mod.rs"]
mod suite;

use handover::{
    browser, in_process,
    wasm_worker::{self, Script},
};
use handover_sample_service::{self as sample, NotebookClient};
use wasm_bindgen::prelude::wasm_bindgen;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// What the worker of these tests runs.
#[wasm_bindgen]
pub fn sample_worker() {
    wasm_worker::run(sample::serve);
}

mod in_the_same_context {
    use super::*;

    suite::promises!(in_process::spawn::<NotebookClient, _, _>(sample::serve));
}

mod over_a_channel_of_the_browsers {
    use super::*;

    suite::promises!(over_a_channel());
}

mod in_a_worker {
    use super::*;

    suite::promises!(in_a_worker_of_the_browsers());
}

fn over_a_channel() -> NotebookClient {
    let channel = web_sys::MessageChannel::new().unwrap();
    handover::context::spawn_local(sample::serve(browser::port(channel.port1())));
    browser::port(channel.port2()).into()
}

fn in_a_worker_of_the_browsers() -> NotebookClient {
    let script = Script::export("/wasm-bindgen-test.js", "sample_worker").wasm("/wasm-bindgen-test_bg.wasm");
    wasm_worker::spawn("sample", &script).unwrap()
}
