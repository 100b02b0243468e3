//! Webhooks out: one courier for each endpoint of the configuration, begun, changed and ended with it.
//!
//! An endpoint that leaves the configuration keeps its place in storage and goes on there when it comes back. One that is
//! changed has the same courier before and after: what is under way ends as it began, so that no event is under way twice and
//! none overtakes another.

mod entrance;
mod sender;

use crate::{Tasks, webhooks::sender::HostSender};
use futures_util::future::join_all;
use metrics::{describe_counter, describe_gauge};
use qudao_config::{Config, Findings, Webhook};
use qudao_feed::webhooks::{Courier, Sender, Settings, WebhookView};
use qudao_host::{Host, WebhookKey, WebhookTarget};
use qudao_model::{Clock, fault::chain, id};
use qudao_storage::Storage;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// All endpoints.
pub(crate) struct Webhooks {
    storage: Storage,
    clock: Arc<dyn Clock>,
    live: Mutex<BTreeMap<String, Live>>,
    /// Where couriers run, once they do.
    tasks: Mutex<Option<Tasks>>,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
    stop: CancellationToken,
}

/// One endpoint that is configured.
#[derive(Clone)]
struct Live {
    webhook: Webhook,
    courier: Courier,
    stop: CancellationToken,
    /// Cancelled when it has ended; nothing while it never ran.
    ended: Option<CancellationToken>,
}

/// Endpoints of a configuration, and who posts to each.
pub(crate) struct Targets(Vec<(Webhook, Arc<dyn Sender>)>);

impl Targets {
    /// Fails only on what the configuration's own checks do not know.
    pub(crate) fn of(config: &Config, host: &Host) -> Result<Targets, Findings> {
        let target = |(index, webhook): (usize, &Webhook)| {
            let at = |key: &str| format!("/feed/webhooks/{index}/{key}");
            let secrets = std::iter::once(("secret", &webhook.secret));
            let secrets = secrets.chain(webhook.previous_secret.iter().map(|old| ("previous_secret", old)));
            let keys = secrets.map(|(name, secret)| {
                WebhookKey::parse(secret.expose())
                    .map_err(|error| Findings::from(config.finding_at(&at(name), error.to_string(), None)))
            });
            let target = WebhookTarget {
                url: webhook.url.clone(),
                keys: keys.collect::<Result<_, Findings>>()?,
                private: webhook.private,
                timeout: webhook.timeout,
            };
            let sender =
                host.webhook(target).map_err(|error| config.finding_at(&at("url"), chain(&error), None))?;
            let sender: Arc<dyn Sender> = Arc::new(HostSender::new(sender));
            Ok((webhook.clone(), sender))
        };
        let targets: Result<_, Findings> = config.feed.webhooks.iter().enumerate().map(target).collect();
        targets.map(Targets)
    }

    /// With somebody else who posts.
    #[cfg(test)]
    pub(crate) fn by_hand(targets: Vec<(Webhook, Arc<dyn Sender>)>) -> Targets {
        Targets(targets)
    }
}

impl Webhooks {
    pub(crate) fn new(storage: Storage, clock: Arc<dyn Clock>) -> Webhooks {
        describe();
        Webhooks {
            storage,
            clock,
            live: Mutex::default(),
            tasks: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            stop: CancellationToken::new(),
        }
    }

    /// Takes the endpoints of a configuration. Those that stay as they are are not disturbed; those that are changed go on with
    /// what they have, by the new settings.
    pub(crate) async fn set(&self, targets: Targets) {
        let _changing = self.changing.lock().await;
        let mut before = self.live().clone();
        let mut begun = Vec::new();
        for (webhook, sender) in targets.0 {
            match before.remove(&webhook.name) {
                Some(live) if live.webhook == webhook => {}
                Some(live) => {
                    info!("webhook `{}` is changed", webhook.name);
                    live.courier.change(settings(&webhook), sender);
                    if let Some(live) = self.live().get_mut(&webhook.name) {
                        live.webhook = webhook;
                    }
                }
                None => begun.push(self.begin(webhook, sender).await),
            }
        }
        for (name, gone) in &before {
            info!("webhook `{name}` is no longer configured; it keeps its place");
            if let Some(text) = left(&gone.courier, &begun) {
                warn!(webhook.name = name, "{text}");
            }
            gone.stop.cancel();
        }
        join_all(before.values().map(Live::ended)).await;
        for (name, gone) in &before {
            self.live().remove(name);
            gone.courier.gone();
        }
    }

    async fn begin(&self, webhook: Webhook, sender: Arc<dyn Sender>) -> WebhookView {
        let courier = Courier::new(self.storage.clone(), settings(&webhook), sender, Arc::clone(&self.clock));
        if let Err(error) = courier.ready().await {
            // It tries again before it sends anything.
            warn!("where webhook `{}` was is not known yet: {}", webhook.name, chain(&error));
        }
        let view = courier.view();
        let mut live = Live { webhook, courier, stop: self.stop.child_token(), ended: None };
        let tasks = self.tasks().clone();
        if let Some(tasks) = tasks {
            live.run(&tasks);
        }
        self.live().insert(live.webhook.name.clone(), live);
        view
    }

    /// Delivers from now on, until `tasks` stop.
    pub(crate) async fn run(&self, tasks: &Tasks) {
        let _changing = self.changing.lock().await;
        *self.tasks() = Some(tasks.clone());
        for live in self.live().values_mut().filter(|live| live.ended.is_none()) {
            live.run(tasks);
        }
    }

    /// Begins nothing any more; what is under way has a moment to end.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    pub(crate) fn courier(&self, name: &str) -> Option<Courier> {
        self.live().get(name).map(|live| live.courier.clone())
    }

    fn couriers(&self) -> Vec<Courier> {
        self.live().values().map(|live| live.courier.clone()).collect()
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, Option<Tasks>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn run(&mut self, tasks: &Tasks) {
        let ended = CancellationToken::new();
        let guard = ended.clone().drop_guard();
        self.ended = Some(ended);
        let (courier, stop, stopping) = (self.courier.clone(), self.stop.clone(), tasks.stopping());
        tasks.spawn("webhook", async move {
            let _ended = guard;
            let stopped = async {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = stopping.cancelled() => {}
                }
            };
            courier.keep(stopped).await;
        });
    }

    async fn ended(&self) {
        if let Some(ended) = &self.ended {
            ended.cancelled().await;
        }
    }
}

/// What is said where an endpoint goes before it has everything, and others begin: it may be the same one under another name.
pub(crate) fn left(gone: &Courier, begun: &[WebhookView]) -> Option<String> {
    let (gone, parked) = (gone.view(), gone.parked());
    let (name, owed) = (&gone.name, gone.lag.saturating_add(gone.parked));
    if owed == 0 {
        return None;
    }
    // The cursor is beyond what is parked.
    let after = parked.first().map_or(gone.cursor, |first| gone.cursor.min(first.seq.saturating_sub(1)));
    let others = begun.iter().map(|WebhookView { name: new, cursor, .. }| {
        format!(
            "; `{new}` begins at {cursor}: if it is the same one, give it `name: {name}`, or `qudao webhooks redeliver {new} --after {after}`"
        )
    });
    let mut text = format!("webhook `{name}` left with {owed} events undelivered");
    text.extend(others);
    Some(text)
}

fn settings(webhook: &Webhook) -> Settings {
    Settings {
        name: webhook.name.clone(),
        url: webhook.shown_url(),
        url_digest: id::sha256_hex(webhook.url.as_bytes()),
        types: webhook.types.clone(),
        parallel: usize::try_from(webhook.parallel).unwrap_or(1),
    }
}

/// Says what the metrics mean; a recorder that is not there yet hears nothing.
fn describe() {
    describe_counter!("qudao_webhook_delivered_total", "Events that a webhook took.");
    describe_counter!("qudao_webhook_failed_total", "Attempts that a webhook did not take.");
    describe_gauge!("qudao_webhook_lag_events", "Places of the feed that a webhook has not come to.");
    describe_gauge!("qudao_webhook_parked", "Events that wait for another try, or behind one that does.");
    describe_gauge!("qudao_webhook_state", "1 for the state that a webhook is in, 0 for the others.");
}
