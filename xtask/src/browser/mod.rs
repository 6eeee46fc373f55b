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
    let room = Room::new(engine)?;
    for tests in tests {
        run::stream_tests_until(&room.furnish(tests.run.clone()), started + LIMIT, tally, || room.end_all())?;
    }
    say(&format!("{engine} took {:.1} s", started.elapsed().as_secs_f64()));
    Ok(())
}
