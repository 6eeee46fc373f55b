//! The tests that need neither threads nor a system, in one binary, for which a browser is started once.
#![cfg(target_family = "wasm")]
#![allow(clippy::duplicate_mod, reason = "each file has the common one, for it is a binary of its own elsewhere")]

#[path = "bounds.rs"]
mod bounds;
#[path = "origins.rs"]
mod origins;
#[path = "starting.rs"]
mod starting;
#[path = "transferring.rs"]
mod transferring;
#[path = "values.rs"]
mod values;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
