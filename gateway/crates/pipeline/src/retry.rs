//! Running a stored delivery again, after the cause of its failure was mended.

use crate::{Error, Gateway, intake::Origin, replay};
use qudao_host::Call;
use qudao_storage::{Committed, FILE_METHOD, Moves};
use tracing::info;

impl Gateway {
    /// Runs delivery `id` through its channel's connector as of the moment it was received, so that time windows mean
    /// what they meant then, and commits the new verdict to the same row. A call out runs against its record; the platform
    /// is not asked again.
    pub async fn retry(&self, id: &str) -> Result<Committed, Error> {
        let unknown = || Error::UnknownDelivery { id: id.to_owned() };
        let row = self.storage().delivery(id).await?.ok_or_else(unknown)?;
        if row.verdict.is_understood() {
            return Err(Error::AlreadyAccepted { id: id.to_owned() });
        }
        let nothing = || Error::NothingToRetry { id: id.to_owned() };
        if row.method == FILE_METHOD {
            // Files are tried again as imports.
            return Err(nothing());
        }
        let request = self.storage().delivery_request(id).await?.ok_or_else(nothing)?;
        let connector = self.loaded().taking(&row.channel)?;
        let call = Call { now: row.received_at, random_seed: None };
        let again = replay::again(&connector, &request, call).await;
        let (mut verdict, micros) = again.map_err(|_| nothing())?;
        let manifest = connector.manifest();
        let (channel, received_at) = (row.channel.as_str(), row.received_at);
        let origin = Origin { channel, method: &request.method, received_at, manifest };
        let asks = self.schedule().intake.complete(origin, &mut verdict).await?;
        let word = verdict.as_str();
        let moves = Moves { asks, ..Moves::default() };
        let committed = self.storage().recommit_with(id, verdict, (&manifest.label(), micros), moves).await?;
        info!(delivery.id = id, delivery.verdict = word, "delivery `{id}` run again: {word}");
        Ok(committed)
    }
}
