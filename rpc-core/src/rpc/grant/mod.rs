//! Grants: rights on a service, each with limits of its own, and a way to take it back.

mod limits;

pub use limits::{Limits, Rate};
