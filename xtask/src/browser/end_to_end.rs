//! The tests with pages of different origins.

use std::path::{Path, PathBuf};

use super::bundler;
use super::suites::Tests;
use super::tools::Tools;
use crate::command_line::CommandLine;
use crate::demo::{self, Profile};
use crate::target_folder;

/// The package of the tests.
pub(crate) const PACKAGE: &str = "handover-end-to-end";

/// The package of the pages that they open.
const PAGES: &str = "handover-end-to-end-pages";

/// Whether one of these files of tests is among them.
pub(crate) fn has_any(files: &[String]) -> bool {
    files.iter().any(|name| Path::new("end-to-end/tests").join(name).with_extension("rs").is_file())
}

/// The tests in these files, or in all. One after the other: a driver of WebKit or Firefox knows one browser at a time.
pub(crate) fn tests(files: &[String], filter: Option<&str>, tools: &Tools) -> Tests {
    let targets: String = files.iter().map(|name| format!(" --test {name}")).collect();
    let words = format!("test -p {PACKAGE}{} --locked", if files.is_empty() { " --tests" } else { &targets });
    let run = CommandLine::cargo(&format!("{words} --no-fail-fast -- --test-threads=1"))
        .with_env("HANDOVER_PAGES", &pages().to_string_lossy())
        .with_env("HANDOVER_DEMO", &demo::built(Profile::Dev).to_string_lossy());
    let run = match filter {
        Some(filter) => run.arg(filter),
        None => run,
    };
    let [build_demo, bind_demo] = demo::build(Profile::Dev, tools);
    let build_tests = CommandLine::cargo(&format!("{words} --no-run"));
    let mut prepare = vec![build_pages(), bind_pages(tools), build_demo, bind_demo, build_tests];
    match bundler_for(files) {
        Some(example) => {
            prepare.extend(bundler::build(tools));
            Tests { prepare, run: run.with_env("HANDOVER_VITE", &example) }
        }
        None => Tests { prepare, run },
    }
}

/// Where the example with a bundler is, if it was asked for and can be tested.
fn bundler_for(files: &[String]) -> Option<String> {
    let is_asked_for = files.is_empty() || files.iter().any(|name| name == bundler::TEST);
    if is_asked_for { bundler::install() } else { None }
}

/// What lints the pages.
pub(crate) fn lint() -> CommandLine {
    CommandLine::cargo(&format!("clippy --target wasm32-unknown-unknown -p {PAGES} --locked -- -D warnings"))
}

fn build_pages() -> CommandLine {
    CommandLine::cargo(&format!("build --target wasm32-unknown-unknown -p {PAGES} --locked"))
}

/// Makes of the wasm file what a page can load.
fn bind_pages(tools: &Tools) -> CommandLine {
    let built = target_folder().join("wasm32-unknown-unknown/debug/handover_end_to_end_pages.wasm");
    CommandLine::program(&tools.bindgen, "--target web --no-typescript --out-name pages --out-dir")
        .arg(&pages().to_string_lossy())
        .arg(&built.to_string_lossy())
}

/// Where that is put.
fn pages() -> PathBuf {
    // The tests run in their package's folder.
    let folder = target_folder().join("end-to-end");
    std::path::absolute(&folder).unwrap_or(folder)
}
