//! `cargo xtask stress`: as many random operations on ports as there is time for, and ports between threads in every order.

use std::time::{Duration, Instant};

use crate::command_line::CommandLine;
use crate::loom;
use crate::run::{self, say};
use crate::tally::Tally;

/// How many random sequences are tried between two looks at the clock.
const BATCH: &str = "50000";

/// What `cargo xtask stress` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long to try random sequences of operations; ends with the first batch that is over after that
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
}

/// Runs the tests in every order, then random sequences until the time is over.
pub(crate) fn stress(args: &Args) -> Result<(), String> {
    let mut orders = Tally::default();
    loom::test(&mut orders)?;
    let batches = try_sequences(Duration::from_secs(args.seconds))?;
    say(&format!("xtask stress: {} loom tests, {batches} x {BATCH} random sequences: all passed", orders.ran()));
    Ok(())
}

/// Tries at least one batch, and tells how many there were.
fn try_sequences(limit: Duration) -> Result<u64, String> {
    let command = batch();
    let started = Instant::now();
    let mut batches = 0;
    while batches == 0 || started.elapsed() < limit {
        run::stream(&command)?;
        batches += 1;
    }
    Ok(batches)
}

/// Each batch has a seed of its own, and tells it if it fails.
fn batch() -> CommandLine {
    let words = "test --release -p handover-core --test model --locked --quiet -- --nocapture";
    CommandLine::cargo(words).with_env("PROPTEST_CASES", BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_tries_so_many_sequences() {
        assert_eq!(
            batch().to_string(),
            "PROPTEST_CASES=50000 cargo test --release -p handover-core --test model --locked --quiet -- --nocapture"
        );
    }
}
