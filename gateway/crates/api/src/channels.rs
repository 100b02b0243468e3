//! Channels as the configuration in force has them.

use crate::{App, listed::Listed};
use axum::{Json, extract::State};
use qudao_model::Timestamp;
use qudao_pipeline::{BreakerState, ChannelView};
use schemars::JsonSchema;
use serde::Serialize;

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
        #[schemars(with = "String")]
        until: Timestamp,
    },
    /// One call is being tried.
    HalfOpen,
}

pub(crate) async fn list(State(app): State<App>) -> Json<Listed<Channel>> {
    let items = app.gateway.channels().into_iter().map(Channel::from).collect();
    Json(Listed { items, next: None })
}

impl From<ChannelView> for Channel {
    fn from(view: ChannelView) -> Channel {
        Channel {
            name: view.name,
            status: view.status.to_owned(),
            connector: view.connector,
            digest: view.digest,
            breaker: view.breaker.into(),
            body_bytes_max: view.body_bytes_max,
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
