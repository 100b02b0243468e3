//! What operators see of webhooks and do with them.

use crate::{Error, Gateway, Tasks};
use qudao_feed::webhooks::{Attempt, Courier, ParkedView, WebhookView};
use qudao_storage::AuditEntry;

impl Gateway {
    /// Delivers events to the endpoints of the configuration, until `tasks` stop.
    pub async fn run_webhooks(&self, tasks: &Tasks) {
        self.webhooks_out().run(tasks).await;
    }

    /// Every endpoint of the configuration, by name.
    pub fn webhooks(&self) -> Vec<WebhookView> {
        self.webhooks_out().couriers().iter().map(Courier::view).collect()
    }

    /// One endpoint.
    pub fn webhook(&self, name: &str) -> Option<WebhookView> {
        self.webhooks_out().courier(name).map(|courier| courier.view())
    }

    /// Has a disabled or failing endpoint tried again at once, and all that is parked for it.
    pub async fn enable_webhook(&self, name: &str) -> Result<WebhookView, Error> {
        Ok(self.courier(name)?.enable().await?)
    }

    /// Sends everything behind `after` once more, in order. Refused where the endpoint has not come so far.
    pub async fn redeliver_webhook(&self, name: &str, after: u64) -> Result<WebhookView, Error> {
        let courier = self.courier(name)?;
        let cursor = courier.view().cursor;
        let nothing = || Error::NothingToRedeliver { name: name.to_owned(), cursor };
        courier.redeliver(after).await?.ok_or_else(nothing)
    }

    /// What an endpoint did not take yet, with what stands behind it, in the order of the feed.
    pub fn parked_of_webhook(&self, name: &str) -> Result<Vec<ParkedView>, Error> {
        Ok(self.courier(name)?.parked())
    }

    /// Never sends a parked event to an endpoint, and goes on with those behind it. That `actor` wanted it is written down
    /// before. Refused where the event is not parked.
    pub async fn skip_parked(&self, name: &str, seq: u64, actor: &str) -> Result<WebhookView, Error> {
        let courier = self.courier(name)?;
        let not_parked = || Error::NotParked { name: name.to_owned(), seq };
        let event = courier.parked().into_iter().find(|one| one.seq == seq).ok_or_else(not_parked)?;
        let entry = AuditEntry {
            at: self.now(),
            actor: actor.to_owned(),
            action: "skip".to_owned(),
            subject: event.id,
            purpose: format!("webhook {name} never gets {} of {}", event.r#type, event.subject),
        };
        self.storage().audit(entry).await?;
        courier.skip(seq).await?.ok_or_else(not_parked)
    }

    /// Sends one signed event of the type `qudao.webhook.ping.v1`, which is not in the feed. It changes nothing.
    pub async fn ping_webhook(&self, name: &str) -> Result<Attempt, Error> {
        Ok(self.courier(name)?.ping().await)
    }

    fn courier(&self, name: &str) -> Result<Courier, Error> {
        self.webhooks_out().courier(name).ok_or_else(|| Error::UnknownWebhook { name: name.to_owned() })
    }
}
