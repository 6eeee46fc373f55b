//! `cargo xtask browser`: the tests that run in browsers, in each engine.
//!
//! A test file, or a package's own source, runs in browsers if it names `wasm_bindgen_test`. `wasm-bindgen-test-runner` starts
//! a WebDriver and a browser for each, and ends them; whatever it leaves is ended here.

mod engine;
mod installing;
mod room;
mod suites;
mod tools;

use std::time::{Duration, Instant};

use crate::command_line::CommandLine;
use crate::run::{self, say};
use crate::tally::Tally;
use crate::wasm_target;

pub(crate) use engine::Engine;
use room::Room;
use suites::Selection;
use tools::Tools;

/// How long the tests of one engine may take, when they are built. A browser that hangs must not keep anybody waiting.
const LIMIT: Duration = Duration::from_secs(300);

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
    let commands = selection.commands()?;
    for command in &commands {
        run::stream(&with_runner(command.build(), tools))?;
    }
    engines.iter().try_for_each(|&engine| {
        let started = Instant::now();
        let room = Room::new(engine)?;
        let deadline = started + LIMIT;
        for command in &commands {
            let command = room.furnish(with_runner(command.run(), tools));
            run::stream_tests_until(&command, deadline, tally, || room.end_all())?;
        }
        say(&format!("{engine} took {:.1} s", started.elapsed().as_secs_f64()));
        Ok(())
    })
}

/// Has cargo give what it built for wasm to wasm-bindgen's runner. In the build as well, so that running builds nothing again.
fn with_runner(command: CommandLine, tools: &Tools) -> CommandLine {
    command.with_env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &tools.test_runner.to_string_lossy())
}
