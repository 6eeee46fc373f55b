//! The same work through handover, bare channels and other RPC systems, in one run.
//!
//! A [row](ROWS) is a kind of work and its shape; [`rows`] has what a client must be able to do for each, and how it is done. A
//! [contender](contenders::CONTENDERS) is a [`System`] on an [`Executor`]. A new system is a file beside `contenders/tarpc.rs` and an
//! entry in `contenders/mod.rs`, which says in which rows it takes part.
//!
//! `benches/comparison.rs` lets all contenders of a row take turns; `count` counts what they allocate and how many instructions
//! they run; `report` makes the page and the chart of it. `cargo xtask bench` does all of that.

pub mod contenders;
pub mod report;
pub mod rows;

mod contender;
mod cores;
mod executor;
mod measure;
mod place;
mod results;
mod row;
mod selection;
mod system;
#[rustfmt::skip]
#[allow(warnings, reason = "it is generated")]
#[path = "contenders/capnp/work_capnp.rs"]
mod work_capnp;

pub use contender::{Contender, Entry};
pub use contenders::CONTENDERS;
pub use cores::Core;
pub use executor::{Contexts, Executor, Thread, Tokio};
pub use measure::{Gauge, Measure, What, nanoseconds};
pub use place::{Place, turn};
pub use results::{Column, Results};
pub use row::{ROWS, Row, Threads, Work};
pub use selection::{Heat, Selection};
pub use system::System;
