//! The rules. Each test is about the kind of port that the module around this one calls `UnderTest`.

#[cfg(not(target_family = "wasm"))]
use futures_test::test;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::UnderTest;
use crate::port::{DataCloneError, Departure, Log, Port};

mod closing;
mod events;
mod posting;
mod starting;
mod transferring;
mod turns;
