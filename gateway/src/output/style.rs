//! The few colours there are: red is bad, yellow wants care, green is good, cyan points on.

use anstyle::{AnsiColor, Style};
use comfy_table::Color;

/// Errors.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Warnings.
pub(crate) const CARE: Style = AnsiColor::Yellow.on_default().bold();
/// All is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What to do next.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();
/// What matters in a line.
pub(crate) const BOLD: Style = Style::new().bold();
/// What matters less.
pub(crate) const DIM: Style = Style::new().dimmed();

/// How a word is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Wants care.
    Care,
    /// Is bad.
    Bad,
}

impl Tone {
    /// Tone of a verdict, a status or a state; words that need no attention have none.
    pub(crate) fn of(word: &str) -> Option<Tone> {
        match word {
            "accepted" | "accept" | "applied" | "paid" | "succeeded" | "completed" | "mapped" | "live"
            | "passed" | "active" => Some(Tone::Good),
            "rejected" | "shadow" | "paused" | "abnormal" | "processing" | "missing" | "unknown"
            | "expired" | "hold" | "held" | "partial" | "stale" | "failing" => Some(Tone::Care),
            "failed" | "anomaly" | "retired" | "reject" | "disabled" => Some(Tone::Bad),
            _ => None,
        }
    }

    /// For text.
    pub(crate) fn style(self) -> Style {
        match self {
            Tone::Good => GOOD,
            Tone::Care => CARE,
            Tone::Bad => BAD,
        }
    }

    /// For cells of a table.
    pub(crate) fn colour(self) -> Color {
        match self {
            Tone::Good => Color::Green,
            Tone::Care => Color::Yellow,
            Tone::Bad => Color::Red,
        }
    }
}

/// A word in the colour of its tone.
pub(crate) fn word(word: &str) -> String {
    match Tone::of(word) {
        Some(tone) => {
            let style = tone.style();
            format!("{style}{word}{style:#}")
        }
        None => word.to_owned(),
    }
}
