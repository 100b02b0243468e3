//! What a connector returned over the contract: a gateway believes nothing of it before it is checked.
//!
//! An input is [`Returned`] as JSON.

use crate::{Reached, oracle};
use qudao_host::fuzz::{Checked, Returned, check};
use qudao_host::{Page, Told};
use qudao_model::file::FileVerdict;
use qudao_model::{Note, Observation, Verdict};

/// Checks what a guest returned.
pub fn run(data: &[u8]) -> Reached {
    let Ok(returned) = serde_json::from_slice::<Returned>(data) else { return Reached::Nothing };
    let Some(told) = check(returned.clone()) else { return Reached::Nothing };
    assert_eq!(Some(&told), check(returned).as_ref(), "the same again");
    match told {
        Ok(checked) => {
            believed(&checked);
            Reached::Understood
        }
        Err(explain) => {
            assert!(!explain.is_empty() && explain.len() <= 16 << 10, "{} bytes", explain.len());
            Reached::Refused
        }
    }
}

fn believed(checked: &Checked) {
    match checked {
        Checked::Verdict(Verdict::Accepted(acceptance) | Verdict::Ignored(acceptance)) => {
            assert!((1..=512).contains(&acceptance.dedupe_key.len()));
            facts(&acceptance.observations, &acceptance.notes);
            oracle::answer(&acceptance.answer);
        }
        Checked::Verdict(Verdict::Rejected(refusal) | Verdict::Failed(refusal)) => {
            assert!(oracle::word(&refusal.reason));
            line(&refusal.explain);
            oracle::answer(&refusal.answer);
        }
        Checked::Told(Told::Page(Page { observations, notes, cursor, .. })) => {
            facts(observations, notes);
            assert!(cursor.as_ref().is_none_or(|cursor| (1..=16 << 10).contains(&cursor.len())));
        }
        Checked::Told(Told::Effect(effect)) => {
            facts(&effect.observations, &effect.notes);
            line(&effect.message);
            effect.code.iter().for_each(|code| line(code));
        }
        Checked::Failure(failure) => {
            assert!(oracle::word(&failure.code));
            line(&failure.message);
        }
        Checked::Manifest(manifest) => {
            let json = serde_json::to_string(manifest).expect("a manifest is JSON");
            let back: qudao_model::Manifest = serde_json::from_str(&json).expect("and back");
            assert_eq!(back, **manifest);
        }
        Checked::Outcome(outcome) => {
            assert!(outcome.verdict != FileVerdict::Partial);
            assert!(outcome.verdict == FileVerdict::Reject || outcome.counts.add_up());
            outcome.explain.iter().for_each(|explain| line(explain));
        }
        Checked::Problems(problems) => problems.iter().for_each(|problem| line(&problem.text)),
        Checked::Sniffed(_) => {}
    }
}

fn facts(observations: &[Observation], notes: &[Note]) {
    oracle::facts(observations, notes);
    assert!(observations.len() + notes.len() <= 1_000);
}

/// It is shown on terminals and kept.
fn line(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(text.len() <= 1024, "{} bytes", text.len());
}
