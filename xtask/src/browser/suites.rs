//! Which tests run in browsers.

use std::fs;
use std::path::Path;

use super::bundler;
use super::end_to_end;
use super::tools::Tools;
use crate::command_line::CommandLine;
use crate::demo;

/// What a test binary says, or a package's own source, that is to run in browsers.
const MARK: &str = "wasm_bindgen_test_configure!";

/// Names the program to which cargo gives what it built for wasm.
const RUNNER: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER";

/// The packages whose tests may run in browsers, and the features they have there: all but those that need threads.
const PACKAGES: [Package; 3] = [
    Package { name: "handover-core", folder: "rpc-core", features: "evolution,system-clock,testing,windows" },
    Package {
        name: "handover-transports",
        folder: "transports",
        features: "in-process,testing,wasm-broadcast,wasm-worker,wasm-window",
    },
    Package { name: "handover", folder: ".", features: "evolution,in-process,system-clock,testing,windows" },
];

#[derive(Debug)]
struct Package {
    name: &'static str,
    folder: &'static str,
    features: &'static str,
}

/// The tests that were asked for; all of them, if nothing is said.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Selection {
    /// Runs the tests of this package only
    #[arg(short, long)]
    package: Option<String>,
    /// Runs this file of tests only; may be given more than once
    #[arg(long)]
    test: Vec<String>,
    /// Runs the tests inside the packages only
    #[arg(long)]
    lib: bool,
    /// Runs the tests only whose names contain this
    #[arg(last = true)]
    filter: Option<String>,
}

/// The tests of one package.
#[derive(Debug)]
pub(crate) struct Tests {
    /// What builds them, and what they need.
    pub(crate) prepare: Vec<CommandLine>,
    /// What runs them, all, whichever of them fail.
    pub(crate) run: CommandLine,
}

impl Selection {
    /// The tests of each package that was asked for and has any.
    pub(crate) fn tests(&self, tools: &Tools) -> Result<Vec<Tests>, String> {
        let is_asked_for = |name: &str| self.package.as_deref().is_none_or(|package| package == name);
        let packages = PACKAGES.iter().filter(|package| is_asked_for(package.name));
        let mut tests: Vec<_> = packages.filter_map(|package| self.tests_of(package, tools)).collect();
        let has_pages = self.test.is_empty() || end_to_end::has_any(&self.test);
        if is_asked_for(end_to_end::PACKAGE) && has_pages && !self.lib {
            tests.push(end_to_end::tests(&self.test, self.filter.as_deref(), tools));
        }
        if tests.is_empty() {
            return Err(format!("no such test runs in browsers; one that does says `{MARK}(run_in_browser)`"));
        }
        Ok(tests)
    }

    fn tests_of(&self, package: &Package, tools: &Tools) -> Option<Tests> {
        let words = format!("{}{}", package.words(), self.targets(package)?);
        // Named for the build as well, so that running builds nothing again.
        let runner = tools.test_runner.to_string_lossy();
        let test = |more| CommandLine::cargo(&format!("test {words} {more}")).with_env(RUNNER, &runner);
        let run = test("--no-fail-fast");
        let run = match &self.filter {
            Some(filter) => run.arg("--").arg(filter),
            None => run,
        };
        Some(Tests { prepare: vec![test("--no-run")], run })
    }

    /// The tests of a package that were asked for, as cargo's arguments, if there are any.
    fn targets(&self, package: &Package) -> Option<String> {
        let folder = Path::new(package.folder);
        let is_any_asked_for = self.lib || !self.test.is_empty();
        let has_lib = (self.lib || !is_any_asked_for) && has_mark(&folder.join("src"));
        let files = test_files(&folder.join("tests")).into_iter();
        let files =
            files.filter(|name| !is_any_asked_for || self.test.contains(name)).map(|name| format!(" --test {name}"));
        let targets: String = has_lib.then(|| " --lib".to_owned()).into_iter().chain(files).collect();
        (!targets.is_empty()).then_some(targets)
    }
}

impl Package {
    fn words(&self) -> String {
        let Self { name, features, .. } = self;
        format!("--target wasm32-unknown-unknown -p {name} --no-default-features --features {features} --locked")
    }
}

/// What lints the tests of each package that has any for browsers.
pub(crate) fn lints() -> Vec<CommandLine> {
    let all = Selection::default();
    let packages = PACKAGES.iter().filter_map(|package| Some((package, all.targets(package)?)));
    let words = packages.map(|(package, targets)| format!("clippy {}{targets} -- -D warnings", package.words()));
    let others = [end_to_end::lint(), demo::lint(), bundler::lint(), super::bench::lint()];
    words.map(|words| CommandLine::cargo(&words)).chain(others).collect()
}

/// The test binaries of a folder that have tests for browsers, in order.
fn test_files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.path()).filter_map(|path| test_binary(&path)).collect();
    names.sort();
    names
}

/// The name of the test binary that this file or folder makes, if it has tests for browsers.
fn test_binary(path: &Path) -> Option<String> {
    let is_binary = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file();
    (is_binary && has_mark(path)).then(|| path.file_stem()?.to_str().map(str::to_owned))?
}

/// Whether a file, or one anywhere in this folder, names what tests for browsers name.
fn has_mark(path: &Path) -> bool {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().any(|entry| has_mark(&entry.path())),
        Err(_) => fs::read_to_string(path).is_ok_and(|text| text.contains(MARK)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn a_binary_of_tests_for_browsers_is_found_by_what_it_says() {
        let tests = root().join("rpc-core/tests");

        let found = test_files(&tests);

        assert!(found.contains(&"conformance".to_owned()), "in a folder: {found:?}");
        assert!(found.contains(&"in_browsers".to_owned()), "a file: {found:?}");
        assert!(!found.contains(&"threads".to_owned()), "has no tests for browsers: {found:?}");
        assert!(!found.contains(&"common".to_owned()), "is no binary: {found:?}");
    }

    #[test]
    fn asking_for_one_file_of_tests_leaves_out_the_others_and_the_package_itself() {
        let package = Package { name: "p", folder: "../rpc-core", features: "" };
        let asked = |test: &str| Selection { test: vec![test.to_owned()], ..Selection::default() };

        assert_eq!(asked("conformance").targets(&package).as_deref(), Some(" --test conformance"));
        assert_eq!(asked("threads").targets(&package), None);
    }
}
