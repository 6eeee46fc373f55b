//! The pages of the end-to-end tests.
//!
//! A page is a function that is exported to JavaScript; its name is what a test opens. It reads what the test told it with
//! [`parameter`], and tells the test with [`report`]. It may be `async`.

pub mod page;
pub mod raw;

pub(crate) use page::{parameter, report};
