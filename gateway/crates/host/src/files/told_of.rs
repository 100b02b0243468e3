//! What a connector says of a file, checked: it is not believed more than what it puts out.

use super::Ran;
use crate::{
    Reason,
    facts::{WORD_BYTES, is_word},
    imports::log,
    outcome::Stopped,
};
use qudao_model::file::{FileOutcome, FileVerdict, SettingProblem, SniffAsked, Sniffed};
use serde::de::DeserializeOwned;

/// The outcome of reading a file.
pub(crate) fn outcome(json: &[u8], ran: &Ran) -> Result<FileOutcome, Stopped> {
    let mut outcome: FileOutcome = parsed(json, ran, "the outcome")?;
    if outcome.reason.as_deref().is_some_and(|reason| !is_word(reason)) {
        return Err(invalid(format!(
            "reason: must be a word of a-z, 0-9 and `_`, at most {WORD_BYTES} bytes"
        )));
    }
    match outcome.verdict {
        FileVerdict::Partial => return Err(invalid("verdict: must be accept, hold or reject".into())),
        FileVerdict::Accept | FileVerdict::Hold => told_as_put(&outcome, ran)?,
        FileVerdict::Reject if outcome.reason.is_none() => {
            return Err(invalid("reason: is missing where nothing of the file counts".into()));
        }
        // Reading ended where the fault was, so nothing needs to add up.
        FileVerdict::Reject => {}
    }
    outcome.explain = outcome.explain.map(|explain| log::cut(&explain, &mut { ran.limits.log_line_bytes }));
    Ok(outcome)
}

/// A proposal. Its texts repeat what stands in the file.
pub(crate) fn sniffed(json: &[u8], ran: &Ran) -> Result<Sniffed, Stopped> {
    parsed(json, ran, "the proposal")
}

/// What is wrong with settings.
pub(crate) fn problems(json: &[u8], ran: &Ran) -> Result<Vec<SettingProblem>, Stopped> {
    let problems: Vec<SettingProblem> = parsed(json, ran, "the list of problems")?;
    let cut = |text: &str| log::cut(text, &mut { ran.limits.log_line_bytes });
    let clean = |problem: SettingProblem| SettingProblem {
        at: cut(&problem.at),
        text: cut(&problem.text),
        hint: problem.hint.as_deref().map(cut),
    };
    Ok(problems.into_iter().map(clean).collect())
}

/// What is asked of a look at a file, as JSON.
pub(crate) fn asked(asked: &SniffAsked) -> Vec<u8> {
    // Serialising plain members with text keys cannot fail.
    serde_json::to_vec(asked).unwrap_or_default()
}

fn parsed<T: DeserializeOwned>(json: &[u8], ran: &Ran, what: &str) -> Result<T, Stopped> {
    let limit = ran.limits.result_bytes;
    if json.len() > limit {
        let explain = format!("{what}: {} bytes, at most {limit}", json.len());
        return Err(Stopped::new(Reason::LimitResult, explain));
    }
    serde_json::from_slice(json).map_err(|error| invalid(format!("{what}: {error}")))
}

/// Figures against the lines that came out: neither may be short of what the other says.
fn told_as_put(outcome: &FileOutcome, ran: &Ran) -> Result<(), Stopped> {
    let (counts, lines) = (&outcome.counts, &ran.lines);
    if !counts.add_up() {
        let explain = format!("counts: do not add up to {} physical rows: {counts:?}", counts.physical);
        return Err(invalid(explain));
    }
    let least = lines.rows.saturating_sub(lines.amendments);
    if !(least..=lines.rows).contains(&outcome.rows) {
        let explain =
            format!("rows: says {}, put out {} and amended {}", outcome.rows, lines.rows, lines.amendments);
        return Err(invalid(explain));
    }
    for (what, said, put) in
        [("rejects", counts.rejects, lines.rejects), ("notices", counts.notices, lines.notices)]
    {
        if said > put {
            return Err(invalid(format!("counts.{what}: says {said}, put out {put}")));
        }
    }
    Ok(())
}

fn invalid(explain: String) -> Stopped {
    Stopped::new(Reason::InvalidAnswer, explain)
}
