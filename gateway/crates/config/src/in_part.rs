//! A file with mistakes still says enough to go on looking: `qudao check` loads the connectors of the channels that have
//! one, so that what only a connector can tell is told together with the rest.

use std::collections::BTreeSet;
use std::path::Path;

use crate::check::{self, Outcome};
use crate::config::{Channel, Config, Connector, Feed, Gateway, LimitOverrides, Status, StorageChoice};
use crate::document::Document;
use crate::tree::{Entry, Node, Value, join};
use crate::{Environment, Findings, raw, resolve};

/// Reads a file as [`crate::load`] does, and where it has errors gives what can be made of it all the same: channels whose
/// connector was found, with the settings, secrets and origins that are sound. That is for checking, never for running.
pub fn load_in_part(path: &Path, env: &dyn Environment) -> (Findings, Option<Config>) {
    let document = match Document::read(path) {
        Ok(document) => document,
        Err(findings) => return (findings, None),
    };
    match resolve::resolve(document.clone(), env) {
        Ok(config) => (config.warnings.clone(), Some(config)),
        Err(findings) => {
            let outcome = check::run(&document, env);
            (findings, Some(sketch(document, outcome)))
        }
    }
}

fn sketch(document: Document, mut outcome: Outcome) -> Config {
    let defaults = raw::Gateway::default();
    let data = document.root.get("gateway").and_then(|gateway| gateway.get("data")).and_then(Node::text);
    let gateway = Gateway {
        hooks: defaults.hooks.0,
        admin: defaults.admin.0,
        data: document.folder().join(data.unwrap_or(&defaults.data)),
        storage: StorageChoice::Sqlite,
        timezone: defaults.timezone,
        admin_token: None,
        master_key: None,
        pending_after: defaults.pending_after.duration(),
        copy_log_at: None,
    };
    let stores = std::sync::Arc::new(std::mem::take(&mut outcome.stores));
    let mut told = BTreeSet::new();
    let entries = document.root.get("channels").into_iter().flat_map(Node::entries);
    let channels = entries.filter_map(|entry| channel(entry, &mut outcome, &mut told)).collect();
    Config {
        file: document.path.clone(),
        gateway,
        stores,
        listings: std::sync::Arc::default(),
        links: Vec::new(),
        channels,
        feed: Feed::default(),
        warnings: Findings::default(),
        told,
        document,
    }
}

/// A channel whose connector was found. What is written and not sound is left out and goes to `told`.
fn channel(entry: &Entry, outcome: &mut Outcome, told: &mut BTreeSet<String>) -> Option<Channel> {
    let pointer = join("/channels", &entry.key);
    let path = outcome.components.get(&join(&pointer, "connector"))?.clone();
    let settings = entry.node.get("settings");
    if settings.is_some_and(|node| !matches!(node.value, Value::Map(_))) {
        return None;
    }
    let mut secrets = std::collections::BTreeMap::new();
    for secret in entry.node.get("secrets").into_iter().flat_map(Node::entries) {
        let at = join(&join(&pointer, "secrets"), &secret.key);
        match outcome.secrets.remove(&at) {
            Some(resolved) => drop(secrets.insert(secret.key.clone(), resolved)),
            None => drop(told.insert(at)),
        }
    }
    let origins = entry.node.get("network").map(Node::items).unwrap_or_default();
    let mut network = Vec::new();
    for index in 0..origins.len() {
        match outcome.origins.remove(&format!("{pointer}/network/{index}")) {
            Some(origin) => network.push(origin),
            None => drop(told.insert(join(&pointer, "network"))),
        }
    }
    Some(Channel {
        name: entry.key.clone(),
        connector: Connector { written: entry.node.get("connector")?.text()?.to_owned(), path },
        status: Status::default(),
        settings: settings.map_or_else(|| serde_json::Value::Object(serde_json::Map::new()), Node::to_json),
        secrets,
        network,
        stock_from: None,
        limits: LimitOverrides::default(),
        poll: None,
    })
}
