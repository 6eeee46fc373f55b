//! Tests with pages of different origins, in real browsers.
//!
//! A test is a function in `tests/` that calls [`run`]. It opens pages at the [`Site`]s, each an origin of its own on a port of
//! loopback, and reads what they report. A page is a function in `pages/src/`, written in Rust, that is exported to JavaScript; all
//! pages are one wasm file, and one HTML file (`src/page.html`) that runs the function named in its address. So a new test takes
//! two functions and nothing else.
//!
//! `cargo xtask browser -p handover-end-to-end` builds the pages, and runs the tests in each engine; `--test two_origins` one file,
//! `-- some_name` some tests. Without it the tests have no browser, and say so.
//!
//! Everything ends: [`run`] closes the browser whatever becomes of the test, no wait is longer than [`MOST_WAIT`], and no test
//! longer than [`MOST_TIME`].

mod browser;
mod commands;
mod demo;
mod driver;
mod sites;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use futures::FutureExt;

pub use browser::Browser;
pub use demo::Demo;
pub use fantoccini;
pub use sites::Site;

/// How long to wait for a line of a page, at most.
pub const MOST_WAIT: Duration = Duration::from_secs(10);

/// How long a test may take, at most, without the start of the browser.
pub const MOST_TIME: Duration = Duration::from_secs(60);

/// Starts a browser and the sites, runs a test with them, and closes them.
///
/// # Panics
/// If the test does, if it takes longer than [`MOST_TIME`], and if there is no browser.
pub fn run(test: impl AsyncFnOnce(&Browser)) {
    run_within(MOST_TIME, test);
}

/// As [`run`], for what may take so long.
///
/// # Panics
/// As there.
pub fn run_within(most_time: Duration, test: impl AsyncFnOnce(&Browser)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        let browser = Browser::start().await;
        let in_time = tokio::time::timeout(most_time, test(&browser));
        let outcome = AssertUnwindSafe(in_time).catch_unwind().await;
        browser.close().await;
        match outcome {
            Ok(in_time) => in_time.expect("the test took too long"),
            Err(panic) => resume_unwind(panic),
        }
    });
}
