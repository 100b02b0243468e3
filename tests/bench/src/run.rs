//! One run: part after part. A part that fails says so in its section and the others go on; the page is written after each.

use crate::args::{Measure, Part};
use crate::section::Section;
use crate::{machine, page, parts};
use anyhow::{Context, Result};
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Runs what was asked for; fails when a part did.
pub(crate) fn run(mut measure: Measure) -> Result<ExitCode> {
    if measure.folder.exists() {
        fs::remove_dir_all(&measure.folder)?;
    }
    fs::create_dir_all(&measure.folder)?;
    // Servers run in folders of their own.
    measure.folder = measure.folder.canonicalize()?;
    measure.gateway = measure.gateway.canonicalize().context("finding the gateway, built for release")?;
    let measure = &measure;
    let head = machine::describe(measure)?;
    let (begun, mut failed) = (Instant::now(), false);
    let wanted: Vec<Part> = Part::ALL.into_iter().filter(|part| measure.wants(*part)).collect();
    for (at, part) in wanted.iter().enumerate() {
        let passed = minutes(begun.elapsed());
        eprintln!("==> {} of {}, {passed}: {}", at + 1, wanted.len(), part.title());
        let section = if begun.elapsed() > measure.limit() {
            Section::without(*part, "the time for all of it was over")
        } else {
            measured(measure, *part)
        };
        failed |= section.failure.is_some();
        println!("\n{}\n{}", part.title(), section.table());
        if let Some(path) = &measure.write {
            let before = fs::read_to_string(path).unwrap_or_default();
            fs::write(path, page::with(&before, &head, &section))
                .with_context(|| format!("writing {}", path.display()))?;
        }
    }
    eprintln!("==> done, {}", minutes(begun.elapsed()));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn measured(measure: &Measure, part: Part) -> Section {
    let mut section = Section::of(part);
    let done = parts::measure(part, measure, &mut section);
    if let Err(error) = done {
        eprintln!("    failed: {error:#}");
        section.failure = Some(format!("{error:#}"));
    }
    // Gigabytes, and nothing that anybody looks at.
    if let Err(error) = fs::remove_dir_all(measure.part_folder(part))
        && error.kind() != std::io::ErrorKind::NotFound
    {
        eprintln!("    {} stays: {error}", measure.part_folder(part).display());
    }
    section
}

fn minutes(passed: Duration) -> String {
    format!("{}:{:02} min", passed.as_secs() / 60, passed.as_secs() % 60)
}
