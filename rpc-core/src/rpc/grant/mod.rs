//! Grants: rights on a service, each with limits of its own, and a way to take it back.
//!
//! The rules are pure: [`tree`] says who may call, and what is left; [`budget`] and [`pace`] say what a limit counts. The ports that the
//! rights are held by, and those who wait, are in [`host`](super::host).

mod budget;
mod granting;
mod limits;
mod narrowing;
mod pace;
mod revoker;
mod terms;
mod tree;

pub use granting::Granting;
pub use limits::{Limits, Rate};
pub use narrowing::Narrowing;
pub use revoker::{Revoker, RevokerGroup};

pub(super) use budget::Cost;
pub(super) use terms::{Narrower, Terms};
pub(super) use tree::{Counting, Ended, GrantKey, Grants, ROOT, Wanted};
