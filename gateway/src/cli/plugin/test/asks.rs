//! Recorded polls, fetches and commands through the component: the platform's answers come out of the fixture.

use super::{SEED, Went, connect};
use crate::error::Error;
use qudao_host::{AskFailure, Call, Component, EffectState, Told as HostTold};
use qudao_sdk::{
    Effect, EffectState as SdkState, Failure, Page,
    fixtures::{AskCase, Told},
};
use std::{collections::BTreeMap, path::Path};

pub(super) async fn run(case: &AskCase, fixtures: &Path, component: &Component) -> Result<Went, Error> {
    let connector = connect((&case.name, &case.channel), BTreeMap::new(), fixtures, component)?;
    let call = Call { now: case.now, random_seed: Some(SEED) };
    let answered = connector.ask_again(&case.transcript(), call).await;
    let verdict = match &answered.told {
        Ok(HostTold::Page(page)) if page.observations.is_empty() && page.notes.is_empty() => "ignored",
        Ok(_) => "accepted",
        Err(_) => "failed",
    };
    let differences = case.compare(&told(answered.told));
    Ok(Went {
        case: case.name.clone(),
        description: case.description.clone(),
        verdict,
        passed: differences.is_empty(),
        differences,
        stats: answered.stats,
    })
}

/// What the component told, in the words of the SDK, which the fixtures are written in.
fn told(told: Result<HostTold, AskFailure>) -> Told {
    match told {
        Ok(HostTold::Page(page)) => Told::Page(Page {
            observations: page.observations,
            notes: page.notes,
            cursor: page.cursor,
            more: page.more,
        }),
        Ok(HostTold::Effect(effect)) => Told::Effect(Effect {
            state: match effect.state {
                EffectState::Succeeded => SdkState::Succeeded,
                EffectState::Accepted => SdkState::Accepted,
                EffectState::Failed => SdkState::Failed,
            },
            code: effect.code,
            message: effect.message,
            observations: effect.observations,
            notes: effect.notes,
        }),
        Err(AskFailure { class, code, message, retry }) => {
            Told::Failed(Failure { class, code, message, retry })
        }
    }
}
