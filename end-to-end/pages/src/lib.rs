//! The pages of the end-to-end tests.
//!
//! A page is a function that is exported to JavaScript; its name is what a test opens. It reads what the test told it with
//! [`parameter`], and tells the test with [`report`]. It may be `async`. Once it is loaded, a test can call all others as `pages.…`.

// In a browser only.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

pub mod broadcasts;
mod desk;
pub mod page;
pub mod raw;
pub mod windows;

pub(crate) use page::{parameter, report};
