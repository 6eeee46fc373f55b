//! `cargo xtask browser`: the tests that run in browsers, in each engine.
//!
//! A test binary, or the tests in a package's own source, run in browsers if they say `wasm_bindgen_test_configure!`.
//! `wasm-bindgen-test-runner` starts a WebDriver and a browser for each, and ends them; whatever it leaves is ended here.

mod bench;
mod bundler;
mod end_to_end;
mod engine;
mod installing;
mod room;
mod suites;
mod tools;

use std::time::{Duration, Instant};

use crate::run::{self, say};
use crate::tally::Tally;
use crate::wasm_target;

pub(crate) use bench::{BenchArgs, bench};
pub(crate) use engine::Engine;
use room::Room;
use suites::Tests;
pub(crate) use suites::{Selection, lints};
pub(crate) use tools::Tools;

/// How long the tests of one engine may take, when they are built: on a machine with nothing else to do they take a fifth of it.
/// A browser that hangs must not keep anybody waiting.
const LIMIT: Duration = Duration::from_secs(900);

/// How often the tests of a package run again, because the browser crashed and no test failed.
const MOST_CRASHES: usize = 2;

/// What `cargo xtask browser` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs in this engine only, instead of in all three; may be given more than once
    #[arg(long, value_enum)]
    engine: Vec<Engine>,
    /// Installs what is missing, and runs nothing
    #[arg(long)]
    setup: bool,
    #[command(flatten)]
    selection: Selection,
}

/// Installs what is missing, and runs the tests in each engine that was asked for.
pub(crate) fn browser(args: &Args) -> Result<(), String> {
    let engines = engines(&args.engine);
    let tools = set_up(&engines)?;
    if args.setup {
        return Ok(());
    }
    let mut tally = Tally::default();
    let outcome = test(&engines, &args.selection, &tools, &mut tally);
    say(&format!("{} passed, {} failed", tally.passed, tally.failed));
    outcome
}

/// The engines that were asked for, or all there are.
pub(crate) fn engines(asked: &[Engine]) -> Vec<Engine> {
    if asked.is_empty() { Engine::ALL.to_vec() } else { asked.to_vec() }
}

/// Makes sure that everything is there that the tests in these engines need.
pub(crate) fn set_up(engines: &[Engine]) -> Result<Tools, String> {
    wasm_target::ensure_installed()?;
    installing::ensure_installed(engines)
}

/// Builds the tests that `selection` names, and runs them in each engine.
pub(crate) fn test(engines: &[Engine], selection: &Selection, tools: &Tools, tally: &mut Tally) -> Result<(), String> {
    let tests = selection.tests(tools)?;
    tests.iter().flat_map(|tests| &tests.prepare).try_for_each(run::stream)?;
    engines.iter().try_for_each(|&engine| test_in(engine, &tests, tally))
}

fn test_in(engine: Engine, tests: &[Tests], tally: &mut Tally) -> Result<(), String> {
    let started = Instant::now();
    for tests in tests {
        again_after_crashes(tally, |crashes, tally| {
            if crashes > 0 {
                say("the browser crashed, and no test had failed: they run once more");
            }
            let room = Room::new(engine)?;
            run::stream_tests_until(&room.furnish(tests.run.clone()), started + LIMIT, tally, || room.end_all())
        })?;
    }
    say(&format!("{engine} took {:.1} s", started.elapsed().as_secs_f64()));
    Ok(())
}

/// Runs tests, and again if the browser crashed and none of them failed: they are told how often that was. What had passed by then counts
/// only if it passes again.
fn again_after_crashes(
    tally: &mut Tally,
    mut run: impl FnMut(usize, &mut Tally) -> Result<(), String>,
) -> Result<(), String> {
    let mut crashes = 0;
    loop {
        let mut counted = Tally::default();
        let outcome = run(crashes, &mut counted);
        let has_crashed = outcome.is_err() && counted.failed == 0 && counted.crashes > 0;
        if !has_crashed || crashes == MOST_CRASHES {
            *tally = tally.plus(counted);
            return outcome;
        }
        crashes += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often tests run that end so, the last of these again and again, and what is counted.
    fn runs(ends: &[Tally]) -> (usize, Tally, bool) {
        let (mut runs, mut tally) = (0, Tally::default());
        let outcome = again_after_crashes(&mut tally, |crashes, counted| {
            *counted = ends[crashes.min(ends.len() - 1)];
            runs = crashes + 1;
            if counted.failed + counted.crashes > 0 { Err("it failed".to_owned()) } else { Ok(()) }
        });
        (runs, tally, outcome.is_ok())
    }

    #[test]
    fn tests_run_again_after_a_crash_of_the_browser_and_a_few_times_only() {
        let passed = Tally { passed: 9, ..Tally::default() };
        let crashed = Tally { passed: 4, crashes: 1, ..Tally::default() };

        assert_eq!(runs(&[passed]), (1, passed, true));
        assert_eq!(runs(&[crashed, passed]), (2, passed, true));
        assert_eq!(runs(&[crashed]), (1 + MOST_CRASHES, crashed, false));
    }

    #[test]
    fn a_test_that_has_failed_is_not_run_again() {
        let failed = Tally { passed: 8, failed: 1, ..Tally::default() };
        let both = Tally { crashes: 1, ..failed };

        assert_eq!(runs(&[failed]), (1, failed, false));
        assert_eq!(runs(&[both]), (1, both, false));
    }
}
