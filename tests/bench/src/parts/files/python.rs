//! The usual way beside it: a Python script, plain and with pandas. Where one of them is missing, the table says why.

use super::made::Made;
use super::way::Told;
use crate::args::{Measure, Part};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCRIPT: &str = include_str!("by_hand.py");
/// Its name is all that is asked for; what comes is in the table.
const PANDAS: &str = "pandas";

/// A Python that can do it, or why there is none.
pub(crate) type Found = Result<PathBuf, String>;

/// The Python of this machine.
pub(crate) fn plain() -> Found {
    let python = PathBuf::from("python3");
    works(&python, "import csv, sqlite3").map(|()| python)
}

/// One with pandas: this machine's, or one in an environment of its own beside the measurements, kept for the next time.
pub(crate) fn with_pandas(measure: &Measure) -> Found {
    let python = plain()?;
    if works(&python, "import pandas").is_ok() {
        return Ok(python);
    }
    let environment = measure.folder.with_file_name("bench-python");
    let inside = environment.join("bin/python3");
    if works(&inside, "import pandas").is_ok() {
        return Ok(inside);
    }
    eprintln!("    installing {PANDAS} into {}", environment.display());
    let mut make = Command::new(&python);
    done(make.arg("-m").arg("venv").arg(&environment))?;
    let mut install = Command::new(&inside);
    done(install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PANDAS]))?;
    works(&inside, "import pandas").map(|()| inside)
}

/// One round.
pub(crate) fn round(measure: &Measure, made: &Made, python: &Path, way: &str) -> Result<Told> {
    let script = measure.part_folder(Part::Files).join("by_hand.py");
    fs::write(&script, SCRIPT).context("writing the script")?;
    let database = measure.part_folder(Part::Files).join("by-hand.sqlite");
    for end in ["", "-wal", "-shm"] {
        // Left over by the round before, or not there.
        drop(fs::remove_file(format!("{}{end}", database.display())));
    }
    let mut command = Command::new(python);
    command.arg(&script).arg(way).arg(&made.first_day).arg(&made.stores).arg(&database);
    told(&mut command)
}

/// What a child measured: the last line of what it prints.
pub(crate) fn told(command: &mut Command) -> Result<Told> {
    let shown = format!("{command:?}");
    let ended = command.output().with_context(|| format!("starting {shown}"))?;
    let complaint = String::from_utf8_lossy(&ended.stderr);
    anyhow::ensure!(ended.status.success(), "{shown} ended with {}: {complaint}", ended.status);
    let printed = String::from_utf8(ended.stdout).context("what a child prints")?;
    let line = printed.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("{shown} printed {printed:?}"))
}

fn works(python: &Path, program: &str) -> Result<(), String> {
    done(Command::new(python).arg("-c").arg(program))
}

fn done(command: &mut Command) -> Result<(), String> {
    let ended = command.output().map_err(|error| format!("{error}"))?;
    if ended.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&ended.stderr);
    Err(complaint.lines().last().unwrap_or("it failed without a word").trim().to_owned())
}
