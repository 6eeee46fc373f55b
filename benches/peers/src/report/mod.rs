//! The page and the chart that are made of results.

mod chart;
mod goals;
mod page;
mod tables;

pub use chart::chart;
pub use page::{Circumstances, page};

use crate::Results;

/// Several runs, and what was counted: it is the same in every run.
#[derive(Debug, Default)]
pub struct Runs {
    /// Times, and how they grow: a run each.
    pub runs: Vec<Results>,
    /// Allocations, bytes, instructions.
    pub counts: Results,
}
