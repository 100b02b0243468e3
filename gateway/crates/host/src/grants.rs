//! What an operator grants, checked against what the manifest wants. All problems are found at once.

mod settings;

use crate::{
    Limits, Sparing,
    limits::{LOG_LINES_A_SECOND, MEMORY_BYTES_MAX},
    manifest::{Declared, Want},
    origin::{Origin, OriginError},
    pace::{Pace, Rate},
};
use qudao_keys::Key;
use qudao_model::manifest::SecretSpec;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};
use zeroize::Zeroizing;

/// One channel's rights.
#[derive(Clone)]
pub struct Grants {
    /// Name of the channel.
    pub channel: String,
    /// Settings as written; the manifest's schema decides whether they are valid.
    pub settings: Value,
    /// Secrets by the manifest's names. Overwritten in memory when dropped.
    pub secrets: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// Origins that may be reached, `https://host[:port]`.
    pub network: Vec<String>,
    /// What a call may use.
    pub limits: Limits,
    /// How fast it may ask; none means the default.
    pub rate: Option<Rate>,
    /// What is expected of the channel.
    pub expectations: Arc<dyn Expectations>,
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants")
            .field("channel", &self.channel)
            .field("secrets", &self.secrets.keys().collect::<Vec<_>>())
            .field("network", &self.network)
            .field("limits", &self.limits)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

/// Why a grant does not fit the manifest. Texts hold no part of a secret, and of a setting's value at most the origin that it
/// points to. A second line of a text says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantProblem {
    /// The settings schema refuses a value.
    #[error("{}: {}", if pointer.is_empty() { "settings".into() } else { format!("setting {pointer}") }, one_line(text))]
    Setting {
        /// JSON pointer into the settings, `""` for the whole.
        pointer: String,
        /// What is wrong.
        text: String,
    },
    /// A setting that the schema does not have.
    #[error("setting {pointer} is unknown to the connector; it has: {}", known.join(", "))]
    UnknownSetting {
        /// JSON pointer into the settings.
        pointer: String,
        /// What could be meant.
        known: Vec<String>,
    },
    /// A secret is no key of its kind.
    #[error("secret {name} {text}")]
    Secret {
        /// The manifest's name for it.
        name: String,
        /// What it must look like.
        text: String,
    },
    /// A required secret is absent.
    #[error("secret {name} is missing: {text}")]
    MissingSecret {
        /// The manifest's name for it.
        name: String,
        /// What it is and where to get it.
        text: String,
    },
    /// A secret that the manifest does not name.
    #[error("secret {name} is unknown to the connector; it uses: {}", known.join(", "))]
    UnknownSecret {
        /// As written.
        name: String,
        /// What could be meant.
        known: Vec<String>,
    },
    /// An origin that cannot be granted or is missing.
    #[error("network {origin}: {}", one_line(text))]
    Network {
        /// As written.
        origin: String,
        /// What is wrong.
        text: String,
    },
    /// A limit that cannot be kept.
    #[error("limit {name}: {text}")]
    Limit {
        /// Field of [`Limits`].
        name: &'static str,
        /// What is wrong.
        text: String,
    },
}

fn one_line(text: &str) -> String {
    text.replace('\n', "; ")
}

/// What the gateway already expects of a channel. Asked in the middle of a call, so it must answer from memory.
pub trait Expectations: Send + Sync {
    /// Amount in fen that the payment should have, if somebody said so.
    fn payment_fen(&self, channel: &str, order_no: &str) -> Option<i64>;
}

/// Nothing is expected.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoExpectations;

impl Expectations for NoExpectations {
    fn payment_fen(&self, _channel: &str, _order_no: &str) -> Option<i64> {
        None
    }
}

/// Rights that passed: what each call checks against.
pub(crate) struct Granted {
    pub(crate) channel: Arc<str>,
    pub(crate) settings_json: String,
    /// Every secret that the manifest names; `None` where the operator gave none.
    pub(crate) keys: BTreeMap<String, Option<Arc<Key>>>,
    pub(crate) origins: BTreeSet<Origin>,
    pub(crate) limits: Limits,
    pub(crate) pace: Pace,
    pub(crate) expectations: Arc<dyn Expectations>,
    /// Lines that reach the gateway's log.
    pub(crate) lines: Sparing,
}

impl Granted {
    /// No rights but to log, for `describe`: its manifest must not depend on anything.
    pub(crate) fn nothing() -> Granted {
        Granted {
            channel: Arc::from("describe"),
            settings_json: "{}".into(),
            keys: BTreeMap::new(),
            origins: BTreeSet::new(),
            limits: Limits { host_calls: 0, ..Limits::default() },
            pace: Pace::new(Rate::default()),
            expectations: Arc::new(NoExpectations),
            lines: Sparing::new(LOG_LINES_A_SECOND),
        }
    }

    /// No rights and nobody's channel: of a file whose settings come with the call.
    pub(crate) fn loose(name: &str) -> Granted {
        Granted { channel: Arc::from(name), limits: Limits::default(), ..Granted::nothing() }
    }
}

/// What the manifest's schema refuses of settings.
pub(crate) fn setting_problems(declared: &Declared, written: &Value) -> Vec<GrantProblem> {
    settings::problems(declared, written)
}

/// Wanted ∩ granted.
pub(crate) fn check(declared: &Declared, grants: Grants) -> Result<Granted, Vec<GrantProblem>> {
    let mut problems = settings::problems(declared, &grants.settings);
    let keys = keys(declared, &grants, &mut problems);
    let origins = origins(declared, &grants, &mut problems);
    problems.extend(limit_problems(&grants.limits, grants.rate));
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Granted {
        channel: Arc::from(grants.channel),
        settings_json: grants.settings.to_string(),
        keys,
        origins,
        limits: grants.limits,
        pace: Pace::new(grants.rate.unwrap_or_default()),
        expectations: grants.expectations,
        lines: Sparing::new(LOG_LINES_A_SECOND),
    })
}

fn keys(
    declared: &Declared,
    grants: &Grants,
    problems: &mut Vec<GrantProblem>,
) -> BTreeMap<String, Option<Arc<Key>>> {
    let (specs, secrets) = (&declared.manifest.secrets, &grants.secrets);
    for name in secrets.keys().filter(|name| !specs.iter().any(|spec| spec.name == **name)) {
        let known = specs.iter().map(|spec| spec.name.clone()).collect();
        problems.push(GrantProblem::UnknownSecret { name: name.clone(), known });
    }
    let mut keys = BTreeMap::new();
    for spec in specs {
        let name = spec.name.clone();
        match secrets.get(&spec.name).map(|secret| Key::parse(spec.kind, secret)) {
            Some(Ok(key)) => {
                keys.insert(name, Some(Arc::new(key)));
            }
            Some(Err(error)) => problems.push(GrantProblem::Secret { name, text: error.to_string() }),
            None if spec.is_required(&grants.settings) => {
                problems.push(GrantProblem::MissingSecret { name, text: spec.description.clone() });
            }
            None => {
                keys.insert(name, None);
            }
        }
    }
    problems.extend(declared.manifest.any_of.iter().filter_map(|group| none_of(group, specs, grants)));
    keys
}

/// A group of which the operator gave nothing, and of which the settings alone demand nothing: that has been said.
fn none_of(group: &[String], specs: &[SecretSpec], grants: &Grants) -> Option<GrantProblem> {
    let (first, others) = group.split_first()?;
    let demanded = |spec: &SecretSpec| group.contains(&spec.name) && spec.is_required(&grants.settings);
    if group.iter().any(|name| grants.secrets.contains_key(name)) || specs.iter().any(demanded) {
        return None;
    }
    let text = format!("this or one of: {}; at least one must be there", others.join(", "));
    Some(GrantProblem::MissingSecret { name: first.clone(), text })
}

fn origins(declared: &Declared, grants: &Grants, problems: &mut Vec<GrantProblem>) -> BTreeSet<Origin> {
    let mut granted = BTreeSet::new();
    for written in &grants.network {
        match Origin::granted(written) {
            Ok(origin) => {
                granted.insert(origin);
            }
            Err(error) => problems.push(network(written, error)),
        }
    }
    let mut wanted = BTreeSet::new();
    for want in &declared.network {
        let Some(origin) = want.resolve(&grants.settings) else { continue };
        match origin {
            // What a setting points at is useless without the grant, so its absence is a slip; a fixed origin that is
            // not granted is the operator's decision.
            Ok(origin) if want.is_from_setting() && !granted.contains(&origin) => {
                problems.push(not_granted(want, &origin, &grants.network));
            }
            Ok(origin) => {
                wanted.insert(origin);
            }
            Err((written, error)) => problems.push(network(&written, error)),
        }
    }
    &wanted & &granted
}

fn not_granted(want: &Want, origin: &Origin, network: &[String]) -> GrantProblem {
    let who = match want {
        Want::Setting(name) => format!("the setting `{name}` points to"),
        Want::Fixed(_) => "the connector calls".to_owned(),
    };
    let origin = origin.to_string();
    let sound = network.iter().filter(|written| Origin::granted(written).is_ok());
    let all: Vec<&str> = sound.chain([&origin]).map(String::as_str).collect();
    let text = format!(
        "{who} {origin}, so that must also stand in `network`\nwrite `network: [{}]`",
        all.join(", ")
    );
    GrantProblem::Network { origin, text }
}

fn network(origin: &str, error: OriginError) -> GrantProblem {
    GrantProblem::Network { origin: origin.to_owned(), text: error.to_string() }
}

fn limit_problems(limits: &Limits, rate: Option<Rate>) -> Vec<GrantProblem> {
    let mut problems = Vec::new();
    if limits.memory_bytes > MEMORY_BYTES_MAX {
        let text = format!("is {}, at most {MEMORY_BYTES_MAX} bytes can be granted", limits.memory_bytes);
        problems.push(GrantProblem::Limit { name: "memory_bytes", text });
    }
    let zero = [
        ("call", limits.call.is_zero()),
        ("ask", limits.ask.is_zero()),
        ("cpu_ticks", limits.cpu_ticks == 0),
        ("fuel", limits.fuel == 0),
        ("parallel", limits.parallel == 0),
        ("rate_per_second", rate.is_some_and(|rate| rate.per_second == 0)),
        ("rate_burst", rate.is_some_and(|rate| rate.burst == 0)),
    ];
    for (name, _) in zero.into_iter().filter(|(_, is_zero)| *is_zero) {
        problems.push(GrantProblem::Limit { name, text: "is zero, so no call could ever succeed".into() });
    }
    problems
}
