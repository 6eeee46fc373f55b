//! What `cargo xtask test` says in the end.

use std::fmt;

use crate::tally::Tally;

/// What ran and what was left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    /// Whether the code was checked for wasm32, too.
    pub(crate) wasm32: bool,
    /// In how many combinations of features the code was checked.
    pub(crate) feature_sets: usize,
    /// Unit tests, integration tests, compile-fail tests.
    pub(crate) tests: Tally,
    /// Examples in the documentation.
    pub(crate) doc_tests: Tally,
    /// Tests that run in every order.
    pub(crate) loom_tests: Tally,
    /// Example programs.
    pub(crate) examples: usize,
}

impl Summary {
    /// All tests, wherever they stand.
    pub(crate) fn all_tests(&self) -> Tally {
        self.tests.plus(self.doc_tests).plus(self.loom_tests)
    }

    fn skipped(&self) -> Vec<String> {
        let wasm32 = (!self.wasm32).then(|| "wasm32 (--native)".to_owned());
        let ignored = Some(self.all_tests().ignored).filter(|&ignored| ignored > 0);
        wasm32.into_iter().chain(ignored.map(|ignored| count(ignored, "ignored test"))).collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wasm32 = if self.wasm32 { "wasm32, " } else { "" };
        let feature_sets = count(self.feature_sets as u64, "feature set");
        let tests = count(self.tests.ran(), "test");
        let doc_tests = count(self.doc_tests.ran(), "doc test");
        let loom_tests = count(self.loom_tests.ran(), "loom test");
        let examples = count(self.examples as u64, "example");
        let all_tests = format!("{tests}, {doc_tests}, {loom_tests}");
        write!(f, "fmt, clippy (host, {wasm32}{feature_sets}), docs, {all_tests}, {examples}, cost: all passed")?;
        match self.skipped().as_slice() {
            [] => Ok(()),
            skipped => write!(f, "; skipped: {}", skipped.join(", ")),
        }
    }
}

fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        Summary {
            wasm32: true,
            feature_sets: 3,
            tests: Tally { passed: 143, ..Tally::default() },
            doc_tests: Tally { passed: 12, ..Tally::default() },
            loom_tests: Tally { passed: 28, ..Tally::default() },
            examples: 2,
        }
    }

    #[test]
    fn a_whole_run_says_what_ran() {
        assert_eq!(
            summary().to_string(),
            "fmt, clippy (host, wasm32, 3 feature sets), docs, 143 tests, 12 doc tests, 28 loom tests, 2 examples, cost: all passed"
        );
    }

    #[test]
    fn what_was_left_out_stands_last() {
        let tests = Tally { passed: 1, failed: 0, ignored: 2 };

        let summary = Summary { wasm32: false, tests, ..summary() };

        assert_eq!(
            summary.to_string(),
            "fmt, clippy (host, 3 feature sets), docs, 1 test, 12 doc tests, 28 loom tests, 2 examples, cost: all passed; \
             skipped: wasm32 (--native), 2 ignored tests"
        );
    }
}
