//! Running a program and passing on what it says.

use crate::Error;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Lines of a failed program that are kept for its error.
const KEPT_LINES_MAX: usize = 200;

/// Runs to the end, passes each line of standard error on, and keeps them for the error.
pub(crate) fn streamed(command: &mut Command, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| start(command, source))?;
    let mut kept = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).split(b'\n') {
            let line = line.map_err(|source| start(command, source))?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            progress(&line);
            kept.push(line);
        }
    }
    let status = child.wait().map_err(|source| start(command, source))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Run { command: shown(command), output: worth_reading(&kept) })
}

/// Standard output of a short program.
pub(crate) fn asked(command: &mut Command) -> Result<String, Error> {
    let output = command.stdin(Stdio::null()).output().map_err(|source| start(command, source))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Run { command: shown(command), output: said })
}

/// From the first error on, without what was compiled before it.
fn worth_reading(lines: &[String]) -> String {
    let from = lines.iter().position(|line| line.starts_with("error") || line.starts_with("E:"));
    let from = from.unwrap_or_else(|| lines.len().saturating_sub(KEPT_LINES_MAX));
    lines.iter().skip(from).take(KEPT_LINES_MAX).cloned().collect::<Vec<_>>().join("\n")
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

fn start(command: &Command, source: std::io::Error) -> Error {
    Error::Start { program: command.get_program().to_string_lossy().into_owned(), source }
}
