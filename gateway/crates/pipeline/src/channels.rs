//! Channels: connectors with their grants, as the configuration in force says.

mod documents;
mod grants;

use crate::{
    Error,
    schedule::{Askable, StreamView},
};
pub use documents::{FileSettings, document_problems};
use grants::{fingerprint, grants};
use qudao_config::{Channel, Config, Finding, Findings, Poll, Status};
use qudao_host::{BreakerState, Component, Connector, Expectations, GrantProblem, Host};
use qudao_model::{Manifest, fault::chain};
use qudao_storage::{Paused, Storage};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// All channels of one configuration.
pub struct Channels {
    by_name: BTreeMap<String, Configured>,
}

struct Configured {
    status: Status,
    connector: Connector,
    digest: String,
    poll: Option<Poll>,
    fingerprint: String,
    files: Option<FileSettings>,
}

/// One channel as an operator sees it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ChannelView {
    /// As in connectors.yaml.
    pub name: String,
    /// `live`, `shadow`, `paused`, `retired`.
    pub status: &'static str,
    /// `name@version` of the connector.
    pub connector: String,
    /// SHA-256 of the component.
    pub digest: String,
    /// Whether its breaker lets calls through.
    #[serde(skip)]
    pub breaker: BreakerState,
    /// Largest body it takes.
    pub body_bytes_max: usize,
    /// What is read of its platform, by the gateway's schedule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<StreamView>,
    /// Why it asks nothing, until somebody mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
}

impl Channels {
    /// Loads components, each file once and in parallel, and connects every channel. Every problem becomes a finding
    /// with its line.
    pub async fn load(
        config: &Config,
        host: &Host,
        expectations: Arc<dyn Expectations>,
    ) -> Result<Channels, Findings> {
        let (components, mut findings) = components(config, host).await;
        let mut by_name = BTreeMap::new();
        for channel in &config.channels {
            let Some(component) = components.get(&channel.connector.path) else { continue };
            let document = match documents::of_channel(config, channel, component.manifest()) {
                Ok(document) => document,
                Err(more) => {
                    findings.extend(more);
                    continue;
                }
            };
            let settings = |document| FileSettings::new((component, document), &config.stores, Some(channel));
            let files = document.as_ref().map(settings);
            match component.connect(grants(channel, (files.as_ref(), component), &expectations)) {
                Ok(connector) => {
                    findings.extend(unknown_streams(config, channel, connector.manifest()));
                    if let (Some(document), Some(files)) = (&document, &files) {
                        findings
                            .extend(documents::check((config, channel), component, (document, files)).await);
                    }
                    let digest = component.digest().to_owned();
                    let (poll, fingerprint) =
                        (channel.poll.clone(), fingerprint(channel, files.as_ref(), &digest));
                    let (name, status) = (channel.name.clone(), channel.status);
                    by_name.insert(name, Configured { status, connector, digest, poll, fingerprint, files });
                }
                Err(problems) => {
                    let new = problems.iter().filter(|problem| !is_told(config, &channel.name, problem));
                    let within = document.as_ref().zip(component.manifest().files.as_ref());
                    let shown = |problem: &GrantProblem| {
                        let own = within.and_then(|(document, files)| {
                            documents::schema_finding((document, &files.document), problem)
                        });
                        own.unwrap_or_else(|| finding(config, &channel.name, problem))
                    };
                    findings.extend(new.map(shown));
                }
            }
        }
        if findings.is_empty() { Ok(Channels { by_name }) } else { Err(Findings::new(findings)) }
    }

    /// The connector of a channel that takes deliveries: live, shadow and paused channels do.
    pub(crate) fn taking(&self, name: &str) -> Result<Connector, Error> {
        let channel =
            self.by_name.get(name).ok_or_else(|| Error::UnknownChannel { channel: name.to_owned() })?;
        match channel.status {
            Status::Live | Status::Shadow | Status::Paused => Ok(channel.connector.clone()),
            Status::Retired => Err(Error::Retired { channel: name.to_owned() }),
        }
    }

    /// The connector of a channel that takes commands: only live ones do.
    pub(crate) fn acting(&self, name: &str) -> Result<Connector, Error> {
        let connector = self.taking(name)?;
        let status = self.by_name.get(name).map_or(Status::Live, |channel| channel.status);
        if status == Status::Live {
            return Ok(connector);
        }
        Err(Error::NotLive { channel: name.to_owned(), status: status.as_str() })
    }

    /// The connector of a channel in any status: replay reads the past of retired ones too.
    pub fn connector(&self, name: &str) -> Option<&Connector> {
        self.by_name.get(name).map(|channel| &channel.connector)
    }

    /// What a channel reads files with; nothing where its connector reads none.
    pub fn files(&self, name: &str) -> Option<&FileSettings> {
        self.by_name.get(name)?.files.as_ref()
    }

    /// Whether a channel is live.
    pub(crate) fn status(&self, name: &str) -> Option<Status> {
        self.by_name.get(name).map(|channel| channel.status)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// One channel as an operator sees it.
    pub fn view(&self, name: &str) -> Option<ChannelView> {
        let channel = self.by_name.get(name)?;
        let manifest = channel.connector.manifest();
        Some(ChannelView {
            name: name.to_owned(),
            status: channel.status.as_str(),
            connector: manifest.label(),
            digest: channel.digest.clone(),
            breaker: channel.connector.breaker(),
            body_bytes_max: channel.connector.limits().body_bytes,
            streams: Vec::new(),
            paused: None,
        })
    }

    /// All channels as the schedule takes them.
    pub(crate) fn askable(&self) -> Vec<Askable> {
        let askable = |(name, channel): (&String, &Configured)| Askable {
            name: name.clone(),
            connector: Arc::new(channel.connector.clone()),
            status: channel.status,
            poll: channel.poll.clone(),
            fingerprint: channel.fingerprint.clone(),
        };
        self.by_name.iter().map(askable).collect()
    }

    /// All channels, by name.
    pub fn views(&self) -> Vec<ChannelView> {
        self.names().filter_map(|name| self.view(name)).collect()
    }
}

/// What payments somebody said to expect, from storage.
pub(crate) struct Stored(pub(crate) Storage);

impl Expectations for Stored {
    fn payment_fen(&self, channel: &str, order_no: &str) -> Option<i64> {
        self.0.expected_payment(channel, order_no)
    }
}

async fn components(config: &Config, host: &Host) -> (BTreeMap<PathBuf, Component>, Vec<Finding>) {
    let mut users: BTreeMap<&PathBuf, Vec<&str>> = BTreeMap::new();
    for channel in &config.channels {
        users.entry(&channel.connector.path).or_default().push(&channel.name);
    }
    let loads = users.keys().map(|path| async move { ((*path).clone(), load(host, path).await) });
    let mut components = BTreeMap::new();
    let mut findings = Vec::new();
    for (path, loaded) in futures_util::future::join_all(loads).await {
        match loaded {
            Ok(component) => {
                components.insert(path, component);
            }
            Err(text) => {
                let names = users.get(&path).into_iter().flatten();
                let at = |name: &&str| {
                    config.finding_at(&pointer(&["channels", name, "connector"]), text.clone(), None)
                };
                findings.extend(names.map(at));
            }
        }
    }
    (components, findings)
}

async fn load(host: &Host, path: &Path) -> Result<Component, String> {
    let wasm =
        tokio::fs::read(path).await.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    host.load(wasm).await.map_err(|error| format!("{} does not load: {}", path.display(), chain(&error)))
}

/// Whether the configuration has a finding of its own about this: a secret that is written and does not resolve is no
/// missing one.
fn is_told(config: &Config, channel: &str, problem: &GrantProblem) -> bool {
    let at = |rest: &[&str]| pointer(&[&["channels", channel], rest].concat());
    match problem {
        GrantProblem::Secret { name, .. } | GrantProblem::MissingSecret { name, .. } => {
            config.has_told(&at(&["secrets", name]))
        }
        GrantProblem::Network { .. } => config.has_told(&at(&["network"])),
        GrantProblem::Setting { .. }
        | GrantProblem::UnknownSetting { .. }
        | GrantProblem::UnknownSecret { .. }
        | GrantProblem::Limit { .. } => false,
    }
}

fn finding(config: &Config, channel: &str, problem: &GrantProblem) -> Finding {
    let at = |rest: &[&str]| pointer(&[&["channels", channel], rest].concat());
    match problem {
        GrantProblem::Setting { pointer: inner, text } => {
            config.finding_at(&format!("{}{inner}", at(&["settings"])), text, None)
        }
        GrantProblem::UnknownSetting { pointer: inner, known } => {
            let (name, place) =
                (inner.rsplit('/').next().unwrap_or_default(), format!("{}{inner}", at(&["settings"])));
            let text = format!("the connector has no setting `{name}`");
            config.finding_at_key(&place, &text, Some(meant(name, known)))
        }
        GrantProblem::Secret { name, text } => config.finding_at(&at(&["secrets", name]), text, None),
        GrantProblem::MissingSecret { name, text } => {
            let hint = format!("add `{name}: {{env: NAME}}` or `{name}: {{file: PATH}}` under secrets");
            let text = format!("secret `{name}` is missing: {text}");
            config.finding_at(&at(&["secrets"]), &text, Some(hint))
        }
        GrantProblem::UnknownSecret { name, known } => {
            let text = format!("the connector knows no secret `{name}`");
            config.finding_at_key(&at(&["secrets", name]), &text, Some(meant(name, known)))
        }
        GrantProblem::Network { origin: _, text } => config.finding_at(&at(&["network"]), text, None),
        GrantProblem::Limit { name, text } => {
            let word = limit_word(name);
            config.finding_at(&at(&["limits", word]), format!("{word}: {text}"), None)
        }
    }
}

/// Streams under `poll` that the connector does not read.
fn unknown_streams(config: &Config, channel: &Channel, manifest: &Manifest) -> Vec<Finding> {
    let known: Vec<String> = manifest.polls.iter().map(|poll| poll.name.clone()).collect();
    let written = channel.poll.iter().flat_map(|poll| poll.streams.keys());
    let unknown = written.filter(|stream| !known.contains(stream));
    let finding = |stream: &String| {
        let place = pointer(&["channels", &channel.name, "poll", "streams", stream]);
        let text = format!("the connector reads no stream `{stream}`");
        config.finding_at_key(&place, text, Some(meant(stream, &known)))
    };
    unknown.map(finding).collect()
}

/// What was probably meant, or all that could have been.
fn meant(written: &str, known: &[String]) -> String {
    match qudao_config::nearest(written, known.iter().map(String::as_str)) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.is_empty() => "it has none".to_owned(),
        None => format!("it has {}", known.join(", ")),
    }
}

/// The word of connectors.yaml for a field of the host's limits.
fn limit_word(field: &'static str) -> &'static str {
    field.strip_suffix("_bytes").unwrap_or(field)
}

/// JSON pointer with its escapes.
fn pointer(parts: &[&str]) -> String {
    let mut pointer = String::new();
    for part in parts {
        pointer.push('/');
        pointer.push_str(&part.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}
