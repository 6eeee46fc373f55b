//! The project's chores, run as `cargo xtask <chore>` from any folder of the workspace.
//!
//! A chore is a function that returns one sentence if it fails: what happened, to what, and what to do.

mod bench;
mod browser;
mod command_line;
mod cost;
mod demo;
mod examples;
mod loom;
mod run;
mod stress;
mod summary;
mod tally;
mod test;
mod wasm_target;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// The project's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Option<Chore>,
}

/// What there is to do.
#[derive(Debug, Subcommand)]
enum Chore {
    /// Checks formatting, lints, documentation, tests and examples; stops at the first failure
    Test(test::Args),
    /// Runs in browsers the tests that can, and installs what that needs
    Browser(browser::Args),
    /// Builds pages of three origins, and serves them to be looked at in a browser
    Demo(demo::Args),
    /// Does random things to ports for a while, and runs ports between threads in every order
    Stress(stress::Args),
    /// Runs the examples and checks what they print
    Examples,
    /// Counts what the main paths cost, and holds it to the committed table
    Cost(cost::Args),
    /// Runs the benchmarks beside their peers
    Bench(bench::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            // With standard error closed there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), String> {
    let Some(chore) = cli.chore else {
        return Cli::command().print_help().map_err(|error| format!("could not print the help: {error}"));
    };
    enter_the_workspace()?;
    match chore {
        Chore::Test(args) => test::test(&args),
        Chore::Browser(args) => browser::browser(&args),
        Chore::Demo(args) => demo::demo(&args),
        Chore::Stress(args) => stress::stress(&args),
        Chore::Examples => examples::check(),
        Chore::Cost(args) => cost::cost(&args),
        Chore::Bench(args) => bench::bench(&args),
    }
}

/// Makes the workspace's root the current folder, so that every path and command below is relative to it.
fn enter_the_workspace() -> Result<(), String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or("CARGO_MANIFEST_DIR is not set, so the workspace cannot be found; run this as `cargo xtask`")?;
    let root = Path::new(&package).parent().ok_or("CARGO_MANIFEST_DIR has no parent; run this as `cargo xtask`")?;
    std::env::set_current_dir(root).map_err(|error| format!("could not enter {}: {error}", root.display()))
}

/// Where cargo puts what it builds.
fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}
