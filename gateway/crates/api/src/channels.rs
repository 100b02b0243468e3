//! Channels as the configuration in force has them, and how their asking goes.

use crate::{App, extract::Path, listed::Listed, problem::Problem};
use axum::{Json, extract::State};
use qudao_model::Timestamp;
use qudao_pipeline::{BreakerState, ChannelView, StreamView};
use qudao_storage::Paused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One channel.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Channel {
    /// As in connectors.yaml.
    name: String,
    /// `live`, `shadow`, `paused`, `retired`.
    status: String,
    /// `name@version` of the connector.
    connector: String,
    /// SHA-256 of the component, lower-case hex.
    digest: String,
    /// Whether calls get through.
    breaker: Breaker,
    /// Largest body it takes.
    body_bytes_max: usize,
    /// Why it asks nothing for now; absent while it asks. Webhooks are taken all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused: Option<Paused>,
    /// Streams that it reads, by name.
    streams: Vec<Stream>,
}

/// How far a stream of a channel was read.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Stream {
    /// As the manifest names it.
    name: String,
    /// When it was read without a failure last, or its cursor moved before the start; absent while it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<Timestamp>,
    /// Seconds since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_s: Option<u64>,
    /// When it is read next; absent while the channel asks nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// Failures in a row.
    failures: u32,
    /// What the last of them said; absent where the last poll did not fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

/// Opens after too many failures of a connector and heals by itself.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Breaker {
    /// Calls go through.
    Closed {
        /// Failures among the last twenty calls.
        failures: usize,
    },
    /// Calls are refused.
    Open {
        /// When the next call is tried.
        until: Timestamp,
    },
    /// One call is being tried.
    HalfOpen,
}

/// A channel or a webhook in a path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ByName {
    /// As in connectors.yaml.
    pub(crate) name: String,
}

pub(crate) async fn list(State(app): State<App>) -> Json<Listed<Channel>> {
    let now = app.gateway.now();
    let items = app.gateway.channels().into_iter().map(|view| Channel::of(view, now)).collect();
    Json(Listed { items, next: None })
}

pub(crate) async fn resume(
    State(app): State<App>,
    Path(ByName { name }): Path<ByName>,
) -> Result<Json<Channel>, Problem> {
    app.gateway.resume(&name).await?;
    let view = app.gateway.channel(&name);
    let view = view.ok_or(qudao_pipeline::Error::UnknownChannel { channel: name })?;
    Ok(Json(Channel::of(view, app.gateway.now())))
}

impl Channel {
    fn of(view: ChannelView, now: Timestamp) -> Channel {
        let streams = view.streams.into_iter();
        Channel {
            name: view.name,
            status: view.status.to_owned(),
            connector: view.connector,
            digest: view.digest,
            breaker: view.breaker.into(),
            body_bytes_max: view.body_bytes_max,
            streams: streams.map(|stream| Stream::of(stream, now, view.paused.is_some())).collect(),
            paused: view.paused,
        }
    }
}

impl Stream {
    fn of(view: StreamView, now: Timestamp, paused: bool) -> Stream {
        let read_at = view.read_at.max(view.moved_at);
        let age = read_at.map(|read_at| now.duration_since(read_at).as_secs());
        Stream {
            name: view.name,
            read_at,
            age_s: age.map(|age| u64::try_from(age).unwrap_or_default()),
            due_at: Some(view.due_at).filter(|_| !paused),
            failures: view.failures,
            last_error: view.error,
        }
    }
}

impl From<BreakerState> for Breaker {
    fn from(state: BreakerState) -> Breaker {
        match state {
            BreakerState::Closed { failures } => Breaker::Closed { failures },
            BreakerState::Open { until } => Breaker::Open { until },
            BreakerState::HalfOpen => Breaker::HalfOpen,
        }
    }
}
