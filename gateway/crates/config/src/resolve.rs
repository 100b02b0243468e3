//! From a checked document to a [`Config`]: the raw values through serde, the looked-up ones from the checks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::check::{self, Outcome, name_of};
use crate::config::{Channel, Config, Connector, Feed, Gateway, Link, Poll, StorageChoice, Webhook};
use crate::document::Document;
use crate::tree::join;
use crate::{Environment, Finding, Findings, Secret, Severity, explain, raw};

/// Finds everything that is wrong, or makes the configuration.
pub(crate) fn resolve(mut document: Document, env: &dyn Environment) -> Result<Config, Findings> {
    let mut outcome = check::run(&document, env);
    let mut found = std::mem::take(&mut document.findings);
    found.extend(explain::violations(&document));
    found.append(&mut outcome.findings);
    if found.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(Findings::new(found));
    }
    let raw: raw::File =
        serde_json::from_value(document.root.to_json()).map_err(|error| disagreement(&document, &error))?;
    let channels = document.root.get("channels").into_iter().flat_map(crate::tree::Node::entries);
    let names: Vec<String> = channels.map(|entry| entry.key.clone()).collect();
    build(raw, &names, (document, outcome), Findings::new(found))
}

/// The schema let something through that the structs do not take: our mistake, but told like the operator's.
fn disagreement(document: &Document, error: &serde_json::Error) -> Finding {
    Finding::of_file(&document.source.file, "wrong_value", format!("cannot be understood: {error}"))
}

fn build(
    raw: raw::File,
    names: &[String],
    (document, outcome): (Document, Outcome),
    warnings: Findings,
) -> Result<Config, Findings> {
    let folder = document.folder().to_owned();
    let Outcome { mut secrets, mut components, mut origins, listings, stores, .. } = outcome;
    let mut raw_channels = raw.channels;
    let mut channels = Vec::with_capacity(names.len());
    for name in names {
        let Some(raw) = raw_channels.remove(name) else { continue };
        let pointer = join("/channels", name);
        let at = join(&pointer, "connector");
        let path = components.remove(&at).ok_or_else(|| Findings::from(lost(&document, &at)))?;
        let network =
            (0..raw.network.len()).filter_map(|index| origins.remove(&format!("{pointer}/network/{index}")));
        channels.push(Channel {
            name: name.clone(),
            connector: Connector { written: raw.connector, path },
            status: raw.status,
            settings: raw.settings.into(),
            secrets: channel_secrets(&pointer, raw.secrets.keys(), &mut secrets),
            network: network.collect(),
            stock_from: raw.stock_from,
            limits: raw.limits.overrides(),
            poll: raw.poll.map(poll),
        });
    }
    let mut webhooks = Vec::new();
    for (index, webhook) in raw.feed.webhooks.into_iter().enumerate() {
        let at = format!("/feed/webhooks/{index}/secret");
        let secret = secrets.remove(&at).ok_or_else(|| Findings::from(lost(&document, &at)))?;
        webhooks.push(Webhook {
            name: webhook.name.map_or_else(|| name_of(&webhook.url.0), |name| name.0),
            url: webhook.url.0,
            secret,
            previous_secret: secrets.remove(&format!("/feed/webhooks/{index}/previous_secret")),
            types: webhook.types.into_iter().map(|kind| kind.0).collect(),
            private: webhook.private,
            timeout: webhook.timeout.duration(),
            parallel: webhook.parallel,
        });
    }
    let beside = |path: String| -> PathBuf { folder.join(path) };
    Ok(Config {
        file: document.path.clone(),
        gateway: Gateway {
            hooks: raw.gateway.hooks.0,
            admin: raw.gateway.admin.0,
            data: beside(raw.gateway.data),
            storage: StorageChoice::Sqlite,
            timezone: raw.gateway.timezone,
            admin_token: secrets.remove("/gateway/admin_token"),
            master_key: secrets.remove("/gateway/master_key"),
            pending_after: raw.gateway.pending_after.duration(),
            copy_log_at: raw.gateway.copy_log_at.map(|size| size.0),
        },
        stores: Arc::new(stores),
        listings: Arc::new(listings),
        links: raw.links.into_iter().map(link).collect(),
        channels,
        feed: Feed { webhooks },
        warnings,
        told: BTreeSet::new(),
        document,
    })
}

fn poll(raw: raw::Poll) -> Poll {
    let streams = raw.streams.into_iter().map(|(stream, every)| (stream, every.duration()));
    Poll { every: raw.every.duration(), streams: streams.collect() }
}

fn link(raw: raw::Link) -> Link {
    let raw::Link { name, orders, payments, by, prefix, ask } = raw;
    Link { name, orders, payments, by, prefix, ask }
}

/// A check passed without leaving its result: our mistake.
fn lost(document: &Document, pointer: &str) -> Finding {
    document.finding_at(pointer, "could not be resolved".to_owned(), None)
}

fn channel_secrets<'a>(
    pointer: &str,
    names: impl Iterator<Item = &'a String>,
    secrets: &mut BTreeMap<String, Secret>,
) -> BTreeMap<String, Secret> {
    let found = names.filter_map(|name| {
        let at = join(&join(pointer, "secrets"), name);
        secrets.remove(&at).map(|secret| (name.clone(), secret))
    });
    found.collect()
}
