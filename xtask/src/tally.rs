//! Adding up the tests that cargo's output reports.

/// How many tests ran, and how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that did not run.
    pub(crate) ignored: u64,
    /// Browsers that crashed by themselves, by what they have said.
    pub(crate) crashes: u64,
}

/// What WebKit says when the process is gone that shows a page.
const CRASH: &str = ": WebProcess CRASHED";

impl Tally {
    /// Adds what a line of cargo's output reports, which is nothing unless it is a `test result:` line or a browser's last word.
    pub(crate) fn add_line(&mut self, line: &str) {
        if let Some(reported) = Self::parse(line) {
            *self = self.plus(reported);
        }
        self.crashes += u64::from(line.trim_end().ends_with(CRASH));
    }

    /// Both added up.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed.saturating_add(other.passed),
            failed: self.failed.saturating_add(other.failed),
            ignored: self.ignored.saturating_add(other.ignored),
            crashes: self.crashes.saturating_add(other.crashes),
        }
    }

    /// How many tests ran.
    pub(crate) fn ran(self) -> u64 {
        self.passed.saturating_add(self.failed)
    }

    fn parse(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("test result: ")?;
        // A count is the two words before its semicolon; what stands before the first may be coloured.
        let count = |of: &str| counts.split(';').find_map(|part| number(part.trim_end().strip_suffix(of)?));
        let ignored = count(" ignored").unwrap_or(0);
        Some(Self { passed: count(" passed")?, failed: count(" failed")?, ignored, crashes: 0 })
    }
}

/// The number that ends this text.
fn number(text: &str) -> Option<u64> {
    text.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally_of(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.add_line(line));
        tally
    }

    #[test]
    fn result_lines_add_up() {
        let tally = tally_of(&[
            "     Running unittests src/lib.rs",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n",
            "test result: FAILED. 30 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in 1.20s\r\n",
        ]);

        assert_eq!(tally, Tally { passed: 42, failed: 2, ignored: 1, crashes: 0 });
        assert_eq!(tally.ran(), 44);
    }

    #[test]
    fn a_coloured_result_counts_like_a_plain_one() {
        let tally = tally_of(&["test result: \u{1b}[32mok\u{1b}[0m. 7 passed; 0 failed; 0 ignored; 0 measured"]);

        assert_eq!(tally.passed, 7);
    }

    #[test]
    fn a_browser_that_crashes_is_noted_and_what_only_speaks_of_it_is_not() {
        let tally = tally_of(&[
            "    ** (MiniBrowser:26491): WARNING **: 22:52:10.212: WebProcess CRASHED\n",
            "test after_a_WebProcess CRASHED ... ok",
            "WebProcess CRASHED: not at the end",
        ]);

        assert_eq!(tally, Tally { crashes: 1, ..Tally::default() });
    }

    #[test]
    fn other_lines_count_for_nothing() {
        let tally = tally_of(&[
            "",
            "test result: ",
            "test result: ok. many passed; no failed",
            "test result: ok. 99999999999999999999999 passed; 0 failed",
            "test result: ok. 3 passed",
            "note: test result: ok. 3 passed; 0 failed; 0 ignored",
            "test port::posts ... ok",
        ]);

        assert_eq!(tally, Tally::default());
    }
}
