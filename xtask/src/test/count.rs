//! Adds up what test runners say at their ends.

use std::fmt;

/// Tests run so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

/// Whose output is read. What a failed test printed is repeated by either, so only the runner's own lines may count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// Each binary closes with `test result: ok. 12 passed; 0 failed; …`, at the beginning of a line.
    Cargo,
    /// The run closes with `Summary [ 3.1s] 90 tests run: 88 passed (2 slow), 1 failed, 1 timed out, 0 skipped`.
    Nextest,
}

impl Count {
    /// Reads one line of output; lines that close no run change nothing.
    pub(crate) fn read(&mut self, runner: Runner, line: &str) {
        let line = plain(line);
        let closing = match runner {
            Runner::Cargo => line.strip_prefix("test result: "),
            Runner::Nextest => line.trim_start().strip_prefix("Summary ["),
        };
        let Some(rest) = closing else { return };
        self.passed += before(rest, "passed");
        for word in ["failed", "timed out", "exec failed"] {
            self.failed += before(rest, word);
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The number in `… 12 word…`, or 0.
fn before(text: &str, word: &str) -> u64 {
    let parts = text.split([',', ';', ':', '.']).map(str::trim);
    let number = |part: &str| {
        let (number, what) = part.split_once(' ')?;
        let named = what == word || what.strip_prefix(word).is_some_and(|more| more.starts_with(" ("));
        if named { number.parse::<u64>().ok() } else { None }
    };
    parts.filter_map(number).sum()
}

/// Without colour.
fn plain(line: &str) -> String {
    anstream::adapter::strip_str(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(runner: Runner, lines: &[&str], passed: u64, failed: u64) {
        let mut count = Count::default();
        for line in lines {
            count.read(runner, line);
        }
        assert_eq!(count, Count { passed, failed });
    }

    #[test]
    fn binaries_of_cargo_test_add_up() {
        check(
            Runner::Cargo,
            &[
                "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.31s",
                "test a::b ... FAILED",
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
            ],
            15,
            2,
        );
    }

    #[test]
    fn a_nextest_summary_is_read_with_and_without_colour() {
        check(
            Runner::Nextest,
            &["     Summary [   3.114s] 90 tests run: 88 passed (2 slow), 1 failed, 1 timed out, 0 skipped"],
            88,
            2,
        );
        check(
            Runner::Nextest,
            &["\u{1b}[32;1m     Summary\u{1b}[0m [   3.114s] 7 tests run: 7 passed, 0 skipped"],
            7,
            0,
        );
    }

    #[test]
    fn other_lines_count_nothing() {
        check(Runner::Cargo, &["12 passed, 3 failed", "running 4 tests", ""], 0, 0);
        // Repeated by nextest from inside a failed test.
        check(
            Runner::Nextest,
            &["    test result: FAILED. 0 passed; 1 failed; 0 ignored", "test result: ok. 1 passed"],
            0,
            0,
        );
        check(Runner::Cargo, &["    test result: FAILED. 0 passed; 1 failed; 0 ignored"], 0, 0);
    }
}
