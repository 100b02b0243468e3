//! Running a stored delivery again, after the cause of its failure was mended.

use crate::{Error, Gateway};
use qudao_host::Call;
use qudao_storage::Committed;
use tracing::info;

impl Gateway {
    /// Runs delivery `id` through its channel's connector as of the moment it was received, so that time windows mean
    /// what they meant then, and commits the new verdict to the same row.
    pub async fn retry(&self, id: &str) -> Result<Committed, Error> {
        let unknown = || Error::UnknownDelivery { id: id.to_owned() };
        let row = self.storage().delivery(id).await?.ok_or_else(unknown)?;
        if row.verdict.is_understood() {
            return Err(Error::AlreadyAccepted { id: id.to_owned() });
        }
        let nothing = || Error::NothingToRetry { id: id.to_owned() };
        let request = self.storage().delivery_request(id).await?.ok_or_else(nothing)?;
        let connector = self.loaded().taking(&row.channel)?;
        let called = connector.again(&request, Call { now: row.received_at, random_seed: None }).await;
        let name = connector.manifest().label();
        let verdict = called.verdict.as_str();
        let committed = self.storage().recommit(id, called.verdict, &name, called.stats.micros).await?;
        info!(delivery.id = id, delivery.verdict = verdict, "delivery `{id}` run again: {verdict}");
        Ok(committed)
    }
}
