//! What `cargo xtask test` says in the end.

use std::fmt;

use crate::browser::Engine;
use crate::tally::Tally;

/// What ran and what was left out.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    /// In which engines the tests for browsers ran.
    pub(crate) engines: Vec<Engine>,
    /// In how many combinations of features the code was checked.
    pub(crate) feature_sets: usize,
    /// Unit tests, integration tests, compile-fail tests.
    pub(crate) tests: Tally,
    /// Examples in the documentation.
    pub(crate) doc_tests: Tally,
    /// Tests that run in every order.
    pub(crate) loom_tests: Tally,
    /// Tests in browsers, counted once for each engine.
    pub(crate) browser_tests: Tally,
    /// Example programs.
    pub(crate) examples: usize,
}

impl Summary {
    /// All tests, wherever they stand.
    pub(crate) fn all_tests(&self) -> Tally {
        self.tests.plus(self.doc_tests).plus(self.loom_tests).plus(self.browser_tests)
    }

    fn skipped(&self) -> Vec<String> {
        let browsers = self.engines.is_empty().then(|| "browsers (--native)".to_owned());
        let others = Engine::ALL.into_iter().filter(|engine| browsers.is_none() && !self.engines.contains(engine));
        let others: Vec<_> = others.map(|engine| engine.to_string()).collect();
        let ignored = Some(self.all_tests().ignored).filter(|&ignored| ignored > 0);
        let ignored = ignored.map(|ignored| count(ignored, "ignored test"));
        browsers.into_iter().chain(others).chain(ignored).collect()
    }

    /// How many tests ran in which browsers.
    fn in_browsers(&self) -> String {
        let engines: Vec<_> = self.engines.iter().map(ToString::to_string).collect();
        if engines.is_empty() {
            return String::new();
        }
        format!("{} in browsers ({}), ", count(self.browser_tests.ran(), "test"), engines.join(", "))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let feature_sets = count(self.feature_sets as u64, "feature set");
        let tests = count(self.tests.ran(), "test");
        let doc_tests = count(self.doc_tests.ran(), "doc test");
        let loom_tests = count(self.loom_tests.ran(), "loom test");
        let examples = count(self.examples as u64, "example");
        let all_tests = format!("{tests}, {doc_tests}, {loom_tests}");
        let in_browsers = self.in_browsers();
        write!(
            f,
            "fmt, clippy (host, wasm32, {feature_sets}), docs, {all_tests}, {in_browsers}{examples}, cost: all passed"
        )?;
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
            engines: Engine::ALL.to_vec(),
            feature_sets: 3,
            tests: Tally { passed: 143, ..Tally::default() },
            doc_tests: Tally { passed: 12, ..Tally::default() },
            loom_tests: Tally { passed: 28, ..Tally::default() },
            browser_tests: Tally { passed: 300, ..Tally::default() },
            examples: 2,
        }
    }

    #[test]
    fn a_whole_run_says_what_ran() {
        assert_eq!(
            summary().to_string(),
            "fmt, clippy (host, wasm32, 3 feature sets), docs, 143 tests, 12 doc tests, 28 loom tests, \
             300 tests in browsers (chromium, firefox, webkit), 2 examples, cost: all passed"
        );
    }

    #[test]
    fn engines_that_were_not_asked_for_are_named_as_left_out() {
        let summary = Summary { engines: vec![Engine::Firefox], ..summary() };

        let line = summary.to_string();

        assert!(line.contains("300 tests in browsers (firefox), "), "{line}");
        assert!(line.ends_with("; skipped: chromium, webkit"), "{line}");
    }

    #[test]
    fn what_was_left_out_stands_last() {
        let tests = Tally { passed: 1, ignored: 2, ..Tally::default() };

        let summary = Summary { engines: Vec::new(), browser_tests: Tally::default(), tests, ..summary() };

        assert_eq!(
            summary.to_string(),
            "fmt, clippy (host, wasm32, 3 feature sets), docs, 1 test, 12 doc tests, 28 loom tests, 2 examples, cost: all passed; \
             skipped: browsers (--native), 2 ignored tests"
        );
    }
}
