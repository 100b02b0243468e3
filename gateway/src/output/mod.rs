//! The only place that writes to the terminal.
//!
//! Colour and styles are always produced and taken away by `anstream` where the output is no terminal (or `NO_COLOR`
//! is set; `CLICOLOR_FORCE=1` keeps them). What a person reads is a table or a few lines; what a program reads is
//! JSON. Answers go to standard output, everything about the run to standard error.

pub(crate) mod people;
pub(crate) mod style;
mod table;

pub(crate) use table::{Columns, Table};

use crate::{
    cli::lang::said,
    error::{Error, Exit},
};
use indicatif::{ProgressBar, ProgressStyle};
use qudao_config::Findings;
use serde::Serialize;
use std::{
    fmt,
    io::{IsTerminal, Write},
    time::Duration,
};
use style::{BAD, BOLD, HINT};

/// Writes answers and notes.
pub(crate) struct Printer {
    out: anstream::Stdout,
    err: anstream::Stderr,
    out_is_terminal: bool,
    err_is_terminal: bool,
}

impl Printer {
    /// The printer of this process.
    pub(crate) fn for_process() -> Printer {
        Printer {
            out: anstream::stdout(),
            err: anstream::stderr(),
            out_is_terminal: std::io::stdout().is_terminal(),
            err_is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Whether a person reads the answers.
    pub(crate) fn is_terminal(&self) -> bool {
        self.out_is_terminal
    }

    /// Whether a person reads the notes.
    pub(crate) fn notes_are_read(&self) -> bool {
        self.err_is_terminal
    }

    /// A line of the answer.
    pub(crate) fn line(&mut self, line: impl fmt::Display) -> Result<(), Error> {
        writeln!(self.out, "{line}").map_err(Error::Printing)
    }

    /// Bytes of the answer as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).and_then(|()| self.out.flush()).map_err(Error::Printing)
    }

    /// A table.
    pub(crate) fn table(&mut self, table: &Table) -> Result<(), Error> {
        self.line(table)
    }

    /// One JSON value, indented.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Error::Printing(error.into()))?;
        self.line(text)
    }

    /// One JSON value in one line, for lists.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string(value).map_err(|error| Error::Printing(error.into()))?;
        self.line(text)
    }

    /// A line about the run, on standard error.
    pub(crate) fn note(&mut self, line: impl fmt::Display) -> Result<(), Error> {
        writeln!(self.err, "{line}").map_err(Error::Printing)
    }

    /// What to do next, on standard error and only where a person reads it.
    pub(crate) fn next(&mut self, line: impl fmt::Display) -> Result<(), Error> {
        if self.err_is_terminal { self.note(line) } else { Ok(()) }
    }

    /// Moves while long work runs; shown only on a terminal, gone when dropped.
    pub(crate) fn spinner(&self, text: impl Into<String>) -> Spinner {
        if !self.err_is_terminal {
            return Spinner(ProgressBar::hidden());
        }
        let bar =
            ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner()).with_message(text.into());
        bar.enable_steady_tick(Duration::from_millis(100));
        Spinner(bar)
    }

    /// Findings with their lines, on standard error, and how many there are.
    pub(crate) fn findings(&mut self, findings: &Findings) -> Result<(), Error> {
        self.note(findings.render(true))?;
        self.note(people::summary(findings))
    }

    /// Says why a command did not do its work.
    pub(crate) fn failure(&mut self, error: &Error) -> Exit {
        let exit = error.exit();
        if exit == Exit::Done {
            return exit;
        }
        let told = if let Error::Config(findings) = error {
            self.findings(findings)
        } else {
            {
                let (word, gap) = (said("error:", "错误："), said(" ", ""));
                self.note(format_args!("{BAD}{word}{BAD:#}{gap}{BOLD}{error}{BOLD:#}"))
            }
        };
        let advised = match error.advice() {
            Some(hint) => {
                let (word, gap) = (said("hint:", "提示："), said(" ", ""));
                self.note(format_args!("{HINT}{word}{HINT:#}{gap}{hint}"))
            }
            None => Ok(()),
        };
        // Nobody is left to tell when standard error is closed.
        drop(told.and(advised));
        exit
    }
}

/// Something that moves while long work runs.
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    /// Says what is being done now.
    pub(crate) fn say(&self, text: impl Into<String>) {
        self.0.set_message(text.into());
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
