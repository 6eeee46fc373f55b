//! Drives the page that measures handover beside its peers, and makes a page of what it measured. Both are steps of `cargo xtask
//! bench browser`, which builds what the page loads and says where the browser is.

mod measure;
mod report;
mod results;

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;

/// What there is to do.
#[derive(Debug, Parser)]
enum Chore {
    /// Measures in one engine
    Measure {
        /// On how many pages, one after the other
        #[arg(long)]
        pages: u32,
        /// How long everybody works before, in milliseconds
        #[arg(long)]
        warm_up: u32,
        /// How often everybody has their turn
        #[arg(long)]
        rounds: u32,
        /// How long a turn is, in milliseconds
        #[arg(long)]
        milliseconds: u32,
        /// Only rows whose name contains this
        #[arg(long)]
        row: Option<String>,
        /// Where to write what was measured
        #[arg(long)]
        out: PathBuf,
    },
    /// Prints what was measured, and writes it as a page
    Report {
        /// The folder with what was measured: `sizes.tsv`, and a `.json` of each engine
        #[arg(long)]
        from: PathBuf,
        /// The page; none is written without it
        #[arg(long)]
        to: Option<PathBuf>,
    },
}

fn main() -> Result<(), Box<dyn Error>> {
    match Chore::parse() {
        Chore::Measure { pages, warm_up, rounds, milliseconds, row, out } => {
            measure::measure(&measure::Settings { pages, warm_up, rounds, milliseconds, row }, &out)
        }
        Chore::Report { from, to } => report::report(&from, to.as_deref()),
    }
}
