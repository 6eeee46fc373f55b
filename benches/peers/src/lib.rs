//! The same work through handover, a bare channel and another RPC system, in one run.
//!
//! The work is `add(u32, u32) -> u32`, so what is measured is the way there and back. `benches/calls.rs` lets the
//! [contenders](CONTENDERS) take turns in every [`Row`] of its table; `count-allocations` counts what they allocate. A new
//! system is a file beside `tarpc.rs` and a line in `contender.rs`.

pub mod async_channel;
pub mod handover;
pub mod handover_duplex;
pub mod tarpc;
pub mod tarpc_duplex;

mod contender;
mod cores;
mod executor;
mod row;
mod selection;
mod system;

pub use contender::{CONTENDERS, Contender, Gauge};
pub use cores::Core;
pub use executor::{Contexts, Executor, Tokio};
pub use row::{ROWS, Row, Threads};
pub use selection::{Filter, Heat};
pub use system::{Caller, System};
