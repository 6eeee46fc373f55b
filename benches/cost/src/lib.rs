//! What the main paths cost, counted: allocations, their bytes, and instructions.
//!
//! Counts are the same on a busy machine as on an idle one, so a gate can be made of them: `cargo xtask cost` holds
//! [`PATHS`](paths::PATHS) to the [table](table::Table) in `benches/COST.md`. The counters are for other benchmarks too:
//! [`allocations`] for a program that has [`Counting`](allocations::Counting) as its allocator, [`instructions`] for any.

pub mod allocations;
pub mod instructions;
pub mod measure;
pub mod paths;
pub mod table;
pub mod watch;
