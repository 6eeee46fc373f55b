//! The rules of ports that a script can see, as one suite for every kind of port there is.
//!
//! Here it runs over our ports, natively and in browsers, and in browsers over their own ports: so a browser is the judge of ours.
//! Another kind of port joins as `ours.rs` does: with a [`port::Port`], a name `UnderTest` for it, and the rules below that.

#[cfg(target_family = "wasm")]
mod browser;
mod ours;
mod port;

#[cfg(target_family = "wasm")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
