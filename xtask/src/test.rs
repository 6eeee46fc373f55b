//! `cargo xtask test`: the one command that says whether a change may land.

use std::time::Instant;

use crate::browser::{self, Engine, Selection};
use crate::command_line::CommandLine;
use crate::cost;
use crate::examples;
use crate::loom;
use crate::run::{self, say};
use crate::summary::Summary;
use crate::tally::Tally;
use crate::wasm_target;

/// The combinations of `handover`'s features to check, besides the default one.
const FEATURE_SETS: [&str; 12] = [
    "",
    "--features evolution",
    "--features in-process",
    "--features worker-thread",
    "--features windows",
    "--features opentelemetry",
    "--features tower",
    "--features tokio",
    "--features smol",
    "--features blocking",
    "--features byte-stream",
    "--features testing",
];

/// What `cargo xtask test` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leaves out the tests in browsers
    #[arg(long, conflicts_with = "engine")]
    native: bool,
    /// Runs the tests for browsers in this engine only, instead of in all three; may be given more than once
    #[arg(long, value_enum)]
    engine: Vec<Engine>,
}

/// Runs every step, stopping at the first that fails, and says what ran.
pub(crate) fn test(args: &Args) -> Result<(), String> {
    let mut summary = Summary {
        engines: if args.native { Vec::new() } else { browser::engines(&args.engine) },
        feature_sets: FEATURE_SETS.len(),
        tests: Tally::default(),
        doc_tests: Tally::default(),
        loom_tests: Tally::default(),
        browser_tests: Tally::default(),
        examples: examples::COUNT,
    };
    let outcome = all_steps(&mut summary);
    let tests = summary.all_tests();
    if tests.ran() > 0 {
        say(&format!("{} passed, {} failed", tests.passed, tests.failed));
    }
    outcome?;
    say(&format!("xtask test: {summary}"));
    Ok(())
}

/// The steps, those that fail soonest first.
fn all_steps(summary: &mut Summary) -> Result<(), String> {
    step("fmt", || run::stream(&CommandLine::cargo("fmt --all --check")))?;
    step("clippy (host)", lint_for_the_host)?;
    step("clippy (wasm32)", lint_for_wasm32)?;
    step("clippy (feature sets)", || FEATURE_SETS.iter().try_for_each(|features| lint_features(features)))?;
    step("docs", document)?;
    let tools = match summary.engines.as_slice() {
        [] => None,
        engines => Some(step("browsers (set-up)", || browser::set_up(engines))?),
    };
    step("tests", || run_tests(&mut summary.tests))?;
    step("doc tests", || run_doc_tests(&mut summary.doc_tests))?;
    step("loom", || loom::test(&mut summary.loom_tests))?;
    step("examples", examples::check)?;
    step("cost", cost::check)?;
    match tools {
        Some(tools) => step("browsers", || {
            browser::test(&summary.engines, &Selection::default(), &tools, &mut summary.browser_tests)
        }),
        None => Ok(()),
    }
}

fn step<T>(name: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    say(&format!("xtask test: {name} ..."));
    let started = Instant::now();
    let done = work().map_err(|sentence| format!("step `{name}` failed: {sentence}"))?;
    say(&format!("xtask test: {name} took {:.1} s", started.elapsed().as_secs_f64()));
    Ok(done)
}

fn lint_for_the_host() -> Result<(), String> {
    run::stream(&CommandLine::cargo("clippy --workspace --all-targets --all-features --locked -- -D warnings"))
}

fn lint_for_wasm32() -> Result<(), String> {
    wasm_target::ensure_installed()?;
    // Without worker threads: this target starts none.
    run::stream(&CommandLine::cargo(
        "clippy --target wasm32-unknown-unknown -p handover -p handover-core -p handover-transports --lib \
         --no-default-features --features handover/in-process,handover/windows,handover/opentelemetry,handover/tower,handover/byte-stream,handover/wasm-broadcast,handover/wasm-worker,handover/wasm-window,handover/testing --locked -- -D warnings",
    ))?;
    browser::lints().iter().try_for_each(run::stream)
}

fn lint_features(features: &str) -> Result<(), String> {
    run::stream(&CommandLine::cargo(&format!(
        "clippy -p handover --lib --no-default-features {features} --locked -- -D warnings"
    )))
}

fn document() -> Result<(), String> {
    run::stream(
        &CommandLine::cargo("doc --workspace --no-deps --all-features --locked")
            .with_env("RUSTDOCFLAGS", "-D warnings"),
    )
}

fn run_tests(tally: &mut Tally) -> Result<(), String> {
    // Not `--all-targets`, which would run the benchmarks; and every failure at once, so that the count is whole.
    let command = CommandLine::cargo(
        "test --workspace --exclude handover-bench-peers --exclude handover-end-to-end --all-features --lib --bins --tests --no-fail-fast --locked",
    );
    run::stream_tests(&command, tally)?;
    // What holds only where a feature is off, which no build of all packages has.
    let without = CommandLine::cargo("test -p handover-core --no-default-features --test one_version --locked");
    run::stream_tests(&without, tally)?;
    match tally.ran() {
        0 => Err(command.failed("it ran no tests")),
        _ => Ok(()),
    }
}

fn run_doc_tests(tally: &mut Tally) -> Result<(), String> {
    let command = "test --workspace --exclude handover-bench-peers --exclude handover-end-to-end --all-features --doc --no-fail-fast --locked";
    run::stream_tests(&CommandLine::cargo(command), tally)
}
