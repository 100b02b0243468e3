//! The seal: a receiver in clear ends here.
//!
//! Each order has a data key of its own, kept by storage under the vault's master key; the stored fact holds the mask and the
//! sealed whole. Equal receivers of one order give equal bytes, so the same fact told twice stays one fact. An order that was
//! forgotten leaves a mark in place of its key: what is told of its receiver later is masked and not sealed again.

use crate::{Error, intake::Intake};
use qudao_model::{Facts, Observation, Receiver, delivery::Acceptance, id};
use qudao_vault::Vault;
use std::{collections::BTreeSet, sync::Arc};

/// Stands in place of the key of an order that was forgotten.
pub(crate) const FORGOTTEN: &[u8] = b"forgotten";

/// The vault as storage uses it for raw bytes.
pub(crate) struct Sealing(pub(crate) Arc<Vault>);

impl qudao_storage::Vault for Sealing {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        self.0.seal(plain)
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.0.open(sealed)
    }
}

/// Seals every receiver of a delivery.
pub(crate) async fn seal(intake: &Intake, channel: &str, told: &mut Acceptance) -> Result<(), Error> {
    let personal = told.observations.iter().filter(|fact| personal(fact).is_some());
    let subjects: BTreeSet<String> = personal.map(|fact| fact.family_id(channel)).collect();
    if subjects.is_empty() {
        return Ok(());
    }
    let subjects: Vec<String> = subjects.into_iter().collect();
    let keys = intake.storage.subject_keys(&subjects, &|| intake.vault.new_subject_key()).await?;
    // The same notice again must say the same: a receiver that was forgotten since keeps the bytes it had.
    let then = if keys.values().any(|key| key == FORGOTTEN) {
        let delivery_id = id::derive("dlv_", &[channel, &told.dedupe_key]);
        intake.storage.delivery_observations(&delivery_id).await?
    } else {
        Vec::new()
    };
    for fact in &mut told.observations {
        let subject = fact.family_id(channel);
        let Some(receiver) = receiver_mut(fact) else { continue };
        *receiver = match keys.get(&subject).map(Vec::as_slice).unwrap_or_default() {
            FORGOTTEN => forgotten(&subject, channel, receiver, &then),
            key => intake.vault.seal_receiver(key, &subject, receiver)?,
        };
    }
    Ok(())
}

/// Seals as it was sealed then: an order that was forgotten since stays forgotten, and keeps the bytes of then.
pub(crate) async fn seal_again(
    intake: &Intake,
    channel: &str,
    facts: &mut [Observation],
    then: &[Observation],
) -> Result<(), Error> {
    for fact in facts.iter_mut() {
        let subject = fact.family_id(channel);
        let Some(receiver) = receiver_mut(fact) else { continue };
        let key = intake.storage.subject_key(&subject).await?;
        *receiver = match key {
            Some(key) if key != FORGOTTEN => intake.vault.seal_receiver(&key, &subject, receiver)?,
            Some(_) | None => forgotten(&subject, channel, receiver, then),
        };
    }
    Ok(())
}

/// What was stored of a receiver that nobody can open any more; where nothing fits, the mask.
fn forgotten(subject: &str, channel: &str, receiver: &Receiver, then: &[Observation]) -> Receiver {
    let mask = receiver.masked();
    let stored = then.iter().filter(|fact| fact.family_id(channel) == subject).filter_map(receiver_of);
    stored.into_iter().find(|stored| stored.masked() == mask).cloned().unwrap_or(mask)
}

/// The receiver of a fact, sealed or not.
pub(crate) fn receiver_of(fact: &Observation) -> Option<&Receiver> {
    match &fact.facts {
        Facts::Order(facts) => facts.receiver.as_ref(),
        Facts::Payment(_) | Facts::Refund(_) | Facts::AfterSale(_) | Facts::Listing(_) | Facts::Slip(_) => {
            None
        }
    }
}

fn personal(fact: &Observation) -> Option<&Receiver> {
    receiver_of(fact).filter(|receiver| receiver.is_personal())
}

/// The receiver, where there is something to seal. A connector has no seal of its own, so what it calls one is none.
fn receiver_mut(fact: &mut Observation) -> Option<&mut Receiver> {
    let receiver = match &mut fact.facts {
        Facts::Order(facts) => facts.receiver.as_mut(),
        Facts::Payment(_) | Facts::Refund(_) | Facts::AfterSale(_) | Facts::Listing(_) | Facts::Slip(_) => {
            None
        }
    }?;
    receiver.sealed = None;
    receiver.is_personal().then_some(receiver)
}
