//! What operators see of webhooks and do with them.

use crate::{Error, Gateway, Tasks};
use qudao_feed::webhooks::{Attempt, Courier, WebhookView};

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

    /// Sends one signed event of the type `qudao.webhook.ping.v1`, which is not in the feed. It changes nothing.
    pub async fn ping_webhook(&self, name: &str) -> Result<Attempt, Error> {
        Ok(self.courier(name)?.ping().await)
    }

    fn courier(&self, name: &str) -> Result<Courier, Error> {
        self.webhooks_out().courier(name).ok_or_else(|| Error::UnknownWebhook { name: name.to_owned() })
    }
}
