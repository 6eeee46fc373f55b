//! The contenders of the bench page that are written in Rust. Each is an object for JavaScript, with a method for each row of the
//! table that makes so many calls; `site/bench.js` takes the time.

// In a browser only.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

pub mod handover;
pub mod raw;
pub mod web_rpc;

use futures::future::join_all;

/// How many bytes are echoed.
const ECHO: usize = 4096;

/// How many bytes are moved.
const MOVED: u32 = 1 << 20;

/// So many calls, one after the other.
async fn in_turn(calls: u32, call: impl AsyncFn()) {
    for _ in 0..calls {
        call().await;
    }
}

/// So many calls, of which so many are outstanding at any time.
async fn at_once(calls: u32, outstanding: u32, call: impl AsyncFn()) {
    let lane = || in_turn(calls / outstanding, &call);
    join_all((0..outstanding).map(|_| lane())).await;
}
