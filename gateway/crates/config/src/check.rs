//! What a schema cannot say: addresses, names that must exist, secrets that must resolve.
//!
//! Checks work on the tree and take every part by itself, so one wrong part hides nothing of the others. A part that is
//! missing or has the wrong type is passed over here; `explain` has said it.

mod connector;
mod csv_file;
mod gateway;
mod links;
mod listings;
mod origin;
mod secret;
mod stores;
mod webhooks;

pub(crate) use webhooks::name_of;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::document::Document;
use crate::source::Span;
use crate::tree::{Entry, Node, Value, join};
use crate::{Environment, Finding, Listings, Secret, Stores, mask};

/// What the checks found out, by JSON pointer.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) findings: Vec<Finding>,
    pub(crate) secrets: BTreeMap<String, Secret>,
    pub(crate) components: BTreeMap<String, PathBuf>,
    pub(crate) origins: BTreeMap<String, String>,
    pub(crate) listings: Listings,
    pub(crate) stores: Stores,
}

/// The file, the environment and what is known so far.
struct Check<'a> {
    document: &'a Document,
    env: &'a dyn Environment,
    outcome: Outcome,
}

/// Checks everything.
pub(crate) fn run(document: &Document, env: &dyn Environment) -> Outcome {
    let mut check = Check { document, env, outcome: Outcome::default() };
    let root = &document.root;
    if let Some(node) = root.get("gateway") {
        check.gateway(node);
    }
    if let Some(entry) = root.entry("channels") {
        if matches!(&entry.node.value, Value::Map(entries) if entries.is_empty()) {
            let finding = check.error(
                entry.key_span,
                "no_channels",
                "there are no channels, so every webhook is answered with 404",
            );
            check.add(finding.warning().hint("add a block below `channels:`, such as `shop-main:`"));
        }
        for channel in entry.node.entries() {
            check.channel(channel);
        }
    }
    check.links(root);
    check.webhooks(root);
    // What is wrong in another file comes last.
    check.stores(root);
    check.listings(root);
    check.outcome
}

/// The master key alone.
pub(crate) fn master_key(document: &Document, env: &dyn Environment) -> Option<Secret> {
    let mut check = Check { document, env, outcome: Outcome::default() };
    let node = document.root.get("gateway")?.get("master_key")?;
    check.secret("/gateway/master_key", node, "master_key");
    check.outcome.secrets.remove("/gateway/master_key")
}

impl Check<'_> {
    fn add(&mut self, finding: Finding) {
        self.outcome.findings.push(finding);
    }

    fn error(&self, span: Span, code: &'static str, text: impl Into<String>) -> Finding {
        self.document.source.error(span, code, text)
    }

    /// An error at the value of an entry, or at its key where the value is longer than a line.
    fn at(&self, pointer: &str, code: &'static str, text: impl Into<String>) -> Finding {
        self.error(self.document.root.locate(pointer).span(), code, text)
    }

    fn channel(&mut self, channel: &Entry) {
        let pointer = join("/channels", &channel.key);
        let node = &channel.node;
        if let Some(text) = node.get("connector").and_then(Node::text) {
            self.connector(&join(&pointer, "connector"), text);
        }
        for secret in node.get("secrets").into_iter().flat_map(Node::entries) {
            self.secret(&join(&join(&pointer, "secrets"), &secret.key), &secret.node, &secret.key);
        }
        for (index, item) in node.get("network").map(Node::items).unwrap_or_default().iter().enumerate() {
            self.origin(&format!("{pointer}/network/{index}"), item);
        }
        for setting in node.get("settings").into_iter().flat_map(Node::entries) {
            self.setting(setting);
        }
    }

    /// A secret among the settings would be shown by every command that shows settings.
    fn setting(&mut self, setting: &Entry) {
        if setting.node.hidden && mask::tells_secret(&setting.key) {
            let text = format!("`{}` looks like a secret, but settings are not kept secret", setting.key);
            let finding = self.error(setting.key_span, "secret_in_settings", text);
            self.add(
                finding
                    .warning()
                    .hint(format!("move it under `secrets:` as `{}: {{file: PATH}}`", setting.key)),
            );
        }
    }
}
