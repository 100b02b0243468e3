//! What people see: step headers, results with their time, and failures. Colour only on a terminal (`anstream`).

use anstyle::{AnsiColor, Style};
use std::time::Duration;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const STEP: Style = AnsiColor::Cyan.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// A step begins.
pub(crate) fn step(name: &str) {
    anstream::eprintln!("{STEP}==>{STEP:#} {name}");
}

/// A step ended well.
pub(crate) fn done(name: &str, took: Duration) {
    anstream::eprintln!("{GOOD} ok{GOOD:#} {name} {DIM}{}{DIM:#}", seconds(took));
}

/// A step ended badly; the run goes on.
pub(crate) fn failed(name: &str, took: Duration, why: &str) {
    anstream::eprintln!("{BAD}bad{BAD:#} {name} {DIM}{}{DIM:#}: {why}", seconds(took));
}

/// Something a person should know, though nothing is wrong with the project.
pub(crate) fn notice(text: &str) {
    anstream::eprintln!("{WARN}note{WARN:#} {text}");
}

/// The program ends badly.
pub(crate) fn failure(text: &str) {
    anstream::eprintln!("{BAD}error{BAD:#}: {text}");
}

/// A heading on standard output.
pub(crate) fn heading(text: &str) {
    anstream::println!("\n{STEP}{text}{STEP:#}");
}

/// `12.3 s`, to a tenth.
pub(crate) fn seconds(took: Duration) -> String {
    format!("{}.{} s", took.as_secs(), took.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_cut_to_a_tenth() {
        assert_eq!(seconds(Duration::from_millis(12_399)), "12.3 s");
        assert_eq!(seconds(Duration::from_millis(40)), "0.0 s");
    }
}
