//! The gateway: every delivery takes this path, whoever brings it.

use crate::{
    Error, Folding, Linked,
    channels::{ChannelView, Channels, Stored},
    imports::{Imports, Reader},
    intake::{Intake, Rules},
    schedule::Schedule,
    seal::Sealing,
    webhooks::{Targets, Webhooks},
};
use arc_swap::ArcSwap;
use metrics::{counter, histogram};
use qudao_config::{Config, Findings};
use qudao_feed::Feed;
use qudao_host::{Call, Called, Host, Sparing};
use qudao_model::{Answer, Clock, Request, Timestamp, Verdict, fault::chain};
use qudao_storage::{Incoming, Moves, Storage};
use qudao_vault::Vault;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tracing::{info, warn};

/// One inbound unit on its way to a channel.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Name of the channel.
    pub channel: String,
    /// Byte for byte.
    pub request: Request,
}

/// What a gateway is made of.
#[derive(Clone)]
pub struct Parts {
    /// Runs connectors.
    pub host: Host,
    /// Keeps everything; opened with [`Gateway::fold_of`] and [`Gateway::sealing`] of the same vault.
    pub storage: Storage,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Seals personal data.
    pub vault: Arc<Vault>,
    /// Of the fold that `storage` was opened with.
    pub linked: Linked,
}

/// A running gateway.
pub struct Gateway {
    channels: ArcSwap<Channels>,
    host: Host,
    storage: Storage,
    feed: Feed,
    clock: Arc<dyn Clock>,
    schedule: Schedule,
    imports: Imports,
    webhooks: Webhooks,
    linked: Linked,
    told: Told,
    draining: AtomicBool,
}

/// Lines that were logged, by channel and verdict: anybody can cause refusals without end.
#[derive(Default)]
struct Told(Mutex<BTreeMap<(String, &'static str), Sparing>>);

/// Lines a second for each verdict of a channel. All are counted, and all are in the inbox.
const LINES_A_SECOND: u32 = 20;

/// What a reload did, by channel name.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Changes {
    /// New.
    pub added: Vec<String>,
    /// Gone.
    pub removed: Vec<String>,
    /// Still there; connected anew.
    pub kept: Vec<String>,
}

impl Gateway {
    /// Loads every connector and connects every channel; all problems at once.
    pub async fn start(config: &Config, parts: Parts) -> Result<Arc<Gateway>, Findings> {
        let Parts { host, storage, clock, vault, linked } = parts;
        linked.set(&config.links, &config.channels);
        let channels = Channels::load(config, &host, Arc::new(Stored(storage.clone()))).await?;
        let targets = Targets::of(config, &host)?;
        let feed = Feed::new(storage.clone());
        let webhooks = Webhooks::new(storage.clone(), Arc::clone(&clock));
        webhooks.set(targets).await;
        let intake = Intake::new(storage.clone(), vault, Rules::of(config));
        let imports = Imports::new(intake.clone(), Arc::clone(&clock), config.gateway.data.join("spool"));
        imports.set(Reader::all(&channels, base(config)));
        let schedule = Schedule::new(intake, Arc::clone(&clock));
        if let Err(error) = schedule.start(channels.askable()).await {
            // It begins from what is durable; only views of the past are missing.
            warn!("the schedule could not look back: {}", chain(&error));
        }
        let channels = ArcSwap::from_pointee(channels);
        let (told, draining) = (Told::default(), AtomicBool::new(false));
        Ok(Arc::new(Gateway {
            channels,
            host,
            storage,
            feed,
            clock,
            schedule,
            imports,
            webhooks,
            linked,
            told,
            draining,
        }))
    }

    /// The path. After the commit we owe the platform nothing; before it we have promised nothing.
    pub async fn receive(&self, delivery: Delivery) -> Result<Answer, Error> {
        if self.draining() {
            return Err(Error::Draining);
        }
        let channel = self.channels.load().taking(&delivery.channel)?;
        let received_at = self.clock.now();
        // A refusal or a trap is data, not an early return.
        let called = channel.webhook(&delivery.request, Call { now: received_at, random_seed: None }).await;
        count(&delivery.channel, &called);
        self.told.tell(&delivery.channel, &called.verdict);
        let incoming = incoming(delivery, received_at, called, channel.manifest());
        // The commit wakes the readers of the feed, and a duplicate gets the first answer.
        let committed = self.schedule.intake.take_in(channel.manifest(), incoming, Moves::default()).await?;
        Ok(committed.answer)
    }

    /// How many bytes of body `channel` takes, or why it takes nothing: asked before a byte of the body is read.
    pub fn admit(&self, channel: &str) -> Result<usize, Error> {
        if self.draining() {
            return Err(Error::Draining);
        }
        Ok(self.channels.load().taking(channel)?.limits().body_bytes)
    }

    /// Switches to another configuration at once, or keeps the one in force and says why.
    pub async fn reload(&self, config: &Config) -> Result<Changes, Findings> {
        let new = Channels::load(config, &self.host, Arc::new(Stored(self.storage.clone()))).await?;
        let targets = Targets::of(config, &self.host)?;
        let old = self.channels.load_full();
        let changes = Changes {
            added: new.names().filter(|name| !old.has(name)).map(str::to_owned).collect(),
            removed: old.names().filter(|name| !new.has(name)).map(str::to_owned).collect(),
            kept: new.names().filter(|name| old.has(name)).map(str::to_owned).collect(),
        };
        let (askable, readers) = (new.askable(), Reader::all(&new, base(config)));
        self.channels.store(Arc::new(new));
        self.imports.set(readers);
        let rules = Rules::of(config);
        let listed = rules.listings.digest();
        self.linked.set(&config.links, &config.channels);
        let before = self.schedule.intake.rules.swap(Arc::new(rules));
        if let Err(error) = self.schedule.set(askable).await {
            warn!("a channel that was mended stays paused: {}", chain(&error));
        }
        self.webhooks.set(targets).await;
        if before.links != config.links {
            self.schedule.link_again();
        }
        if before.listings.digest() != listed {
            self.repair_listings().await;
        }
        info!(changes.added = ?changes.added, changes.removed = ?changes.removed, "configuration reloaded");
        Ok(changes)
    }

    /// Takes nothing new from now on; what is under way ends.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.schedule.stop();
        self.imports.stop();
        self.webhooks.stop();
    }

    /// Whether it is going down.
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// One channel as an operator sees it.
    pub fn channel(&self, name: &str) -> Option<ChannelView> {
        self.channels.load().view(name).map(|view| self.schedule.show(view))
    }

    /// All channels, by name.
    pub fn channels(&self) -> Vec<ChannelView> {
        self.channels.load().views().into_iter().map(|view| self.schedule.show(view)).collect()
    }

    /// What is kept.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// What HQ reads.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The fold that storage must be opened with where there is no configuration: with the defaults.
    pub fn fold() -> Arc<dyn qudao_storage::Fold> {
        Arc::new(Folding::default())
    }

    /// The fold that storage must be opened with. `pending_after` changes with a restart only.
    pub fn fold_of(config: &Config) -> Arc<Folding> {
        let linked = Linked::default();
        linked.set(&config.links, &config.channels);
        Arc::new(Folding { pending_after: config.gateway.pending_after, linked })
    }

    /// The vault as storage must be opened with it, for the raw bytes of deliveries.
    pub fn sealing(vault: Arc<Vault>) -> Arc<dyn qudao_storage::Vault> {
        Arc::new(Sealing(vault))
    }

    pub(crate) fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    pub(crate) fn imports(&self) -> &Imports {
        &self.imports
    }

    pub(crate) fn webhooks_out(&self) -> &Webhooks {
        &self.webhooks
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.schedule.intake.vault
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        self.schedule.intake.rules.load_full()
    }

    pub(crate) fn loaded(&self) -> Arc<Channels> {
        self.channels.load_full()
    }
}

/// Folder that paths of a configuration are relative to.
fn base(config: &Config) -> &Path {
    config.file.parent().unwrap_or(Path::new(""))
}

fn incoming(
    delivery: Delivery,
    received_at: Timestamp,
    called: Called,
    manifest: &qudao_model::Manifest,
) -> Incoming {
    Incoming {
        channel: delivery.channel,
        received_at,
        request: delivery.request,
        verdict: called.verdict,
        connector: manifest.label(),
        micros: called.stats.micros,
        personal: manifest.personal,
    }
}

fn count(channel: &str, called: &Called) {
    let verdict = called.verdict.as_str();
    let name = channel.to_owned();
    counter!("qudao_deliveries_total", "channel" => name.clone(), "verdict" => verdict).increment(1);
    histogram!("qudao_connector_call_micros", "channel" => name).record(f64_of(called.stats.micros));
}

impl Told {
    /// Tells the operator about what was not accepted. The connector's own words are for the operator only; a body never
    /// gets here.
    fn tell(&self, channel: &str, verdict: &Verdict) {
        let (Verdict::Rejected(refusal) | Verdict::Failed(refusal)) = verdict else { return };
        let Some(held) = self.lets(channel, verdict.as_str()) else { return };
        if held > 0 {
            let verdict = verdict.as_str();
            warn!(
                channel.name = channel,
                lines.held = held,
                "{held} lines about {verdict} deliveries on `{channel}` were held back"
            );
        }
        let (reason, explain) = (&refusal.reason, &refusal.explain);
        if matches!(verdict, Verdict::Rejected(_)) {
            info!(channel.name = channel, delivery.reason = %reason, "delivery on `{channel}` refused: {reason}");
        } else {
            warn!(channel.name = channel, delivery.reason = %reason, "connector of `{channel}` failed: {reason}: {explain}");
        }
    }

    fn lets(&self, channel: &str, verdict: &'static str) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = told.entry((channel.to_owned(), verdict)).or_insert_with(|| Sparing::new(LINES_A_SECOND));
        lines.lets(Instant::now())
    }
}

/// Metrics are the one place that takes floating point; microseconds of a call fit exactly.
fn f64_of(micros: u64) -> f64 {
    u32::try_from(micros).unwrap_or(u32::MAX).into()
}
