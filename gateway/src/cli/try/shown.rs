//! One line of the request file and what became of it, as a person reads it.

use super::{outcome::Outcome, requests::Recorded};
use crate::{
    cli::transcript,
    error::Error,
    output::{
        Printer, people,
        style::{self, BOLD, DIM},
    },
};
use qudao_host::{Answered, Called, Effect, Page, Stats, Told};
use qudao_model::{Note, Observation, Timestamp, Verdict};

/// Which line it is.
pub(super) fn head(
    printer: &mut Printer,
    number: usize,
    recorded: &Recorded,
    now: Timestamp,
) -> Result<(), Error> {
    let request = &recorded.request;
    let line = people::text(&format!("{} {}", request.method, request.path));
    printer.line(format_args!("{BOLD}#{number}{BOLD:#} {line}  {DIM}clock {now}{DIM:#}"))
}

/// What became of a webhook.
pub(super) fn called(printer: &mut Printer, called: &Called) -> Result<(), Error> {
    verdict(printer, called.verdict.as_str(), called.stats.micros)?;
    match &called.verdict {
        Verdict::Accepted(acceptance) | Verdict::Ignored(acceptance) => {
            member(printer, "dedupe key", &acceptance.dedupe_key)?;
            facts(printer, &acceptance.observations, &acceptance.notes)?;
        }
        Verdict::Rejected(refusal) | Verdict::Failed(refusal) => {
            member(printer, "reason", &refusal.reason)?;
            member(printer, "explain", &refusal.explain)?;
        }
    }
    log(printer, &called.stats)?;
    let answer = called.verdict.answer();
    let text = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
    member(printer, "answer", text.trim_end())?;
    printer.line("")
}

/// What became of a poll, a fetch or a command.
pub(super) fn answered(
    printer: &mut Printer,
    outcome: &Outcome<'_>,
    answered: &Answered,
) -> Result<(), Error> {
    verdict(printer, outcome.verdict, answered.stats.micros)?;
    for line in transcript::exchanges(&answered.transcript) {
        member(printer, "exchange", &line)?;
    }
    match &answered.told {
        Ok(Told::Page(Page { observations, notes, .. })) => {
            facts(printer, observations, notes)?;
            member(printer, "cursor", outcome.cursor.unwrap_or("stays where it is"))?;
            member(printer, "more", if outcome.more == Some(true) { "yes, at once" } else { "no" })?;
        }
        Ok(Told::Effect(Effect { observations, notes, message, .. })) => {
            facts(printer, observations, notes)?;
            let state = outcome.effect.as_ref().map_or("", |effect| effect.state);
            let code = outcome.effect.as_ref().and_then(|effect| effect.code).unwrap_or_default();
            member(printer, "effect", format!("{state} {code} {message}").trim_end())?;
        }
        Err(failure) => {
            member(printer, "reason", &failure.code)?;
            member(printer, "explain", &failure.message)?;
            let retry = outcome.retry.as_ref().map(ToString::to_string).unwrap_or_default();
            let class = failure.class.as_str();
            member(printer, "whose turn", &format!("{class}; again: {}", retry.trim_matches('"')))?;
        }
    }
    log(printer, &answered.stats)?;
    printer.line("")
}

fn verdict(printer: &mut Printer, word: &str, micros: u64) -> Result<(), Error> {
    printer.line(format_args!("   verdict      {} in {micros} µs", style::word(word)))
}

fn facts(printer: &mut Printer, observations: &[Observation], notes: &[Note]) -> Result<(), Error> {
    for observation in observations {
        member(printer, "observation", &serde_json::to_string_pretty(observation).unwrap_or_default())?;
    }
    for note in notes {
        let fields = serde_json::to_string_pretty(&note.fields).unwrap_or_default();
        member(printer, "note", &format!("{} {fields}", note.kind))?;
    }
    Ok(())
}

fn log(printer: &mut Printer, stats: &Stats) -> Result<(), Error> {
    stats.log.iter().try_for_each(|line| member(printer, "log", &format!("{}: {}", line.level, line.text)))
}

fn member(printer: &mut Printer, name: &str, text: &str) -> Result<(), Error> {
    let text = people::text(text).replace('\n', &format!("\n{:16}", ""));
    printer.line(format_args!("   {name:12} {text}"))
}
