//! Which tests run in browsers.

use std::fs;
use std::path::Path;

use crate::command_line::CommandLine;

/// What a file names that has tests for browsers.
const MARK: &str = "wasm_bindgen_test";

/// The packages whose tests may run in browsers, and the features they have there: all but those that need threads.
const PACKAGES: [Package; 3] = [
    Package { name: "handover-core", folder: "rpc-core", features: "system-clock,testing,windows" },
    Package { name: "handover-transports", folder: "transports", features: "in-process,testing" },
    Package { name: "handover", folder: ".", features: "in-process,system-clock,testing,windows" },
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
    words: String,
    filter: Option<String>,
}

impl Selection {
    /// One command for each package that has such tests.
    pub(crate) fn commands(&self) -> Result<Vec<Tests>, String> {
        let is_asked_for = |package: &&Package| self.package.as_deref().is_none_or(|name| name == package.name);
        let tests: Vec<_> = PACKAGES.iter().filter(is_asked_for).filter_map(|package| self.tests_of(package)).collect();
        if tests.is_empty() {
            return Err(format!("no such test runs in browsers; one that does names `{MARK}`"));
        }
        Ok(tests)
    }

    fn tests_of(&self, package: &Package) -> Option<Tests> {
        let folder = Path::new(package.folder);
        let mut targets = String::new();
        if (self.lib || self.test.is_empty()) && has_mark(&folder.join("src")) {
            targets.push_str(" --lib");
        }
        if !self.lib || !self.test.is_empty() {
            for name in test_files(&folder.join("tests")) {
                if self.test.is_empty() || self.test.contains(&name) {
                    targets.push_str(&format!(" --test {name}"));
                }
            }
        }
        let words = format!(
            "test --target wasm32-unknown-unknown -p {} --no-default-features --features {}{targets} --locked",
            package.name, package.features
        );
        (!targets.is_empty()).then(|| Tests { words, filter: self.filter.clone() })
    }
}

impl Tests {
    /// Builds them.
    pub(crate) fn build(&self) -> CommandLine {
        CommandLine::cargo(&format!("{} --no-run", self.words))
    }

    /// Runs them, all, whichever of them fail.
    pub(crate) fn run(&self) -> CommandLine {
        let command = CommandLine::cargo(&format!("{} --no-fail-fast", self.words));
        match &self.filter {
            Some(filter) => command.arg("--").arg(filter),
            None => command,
        }
    }
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
