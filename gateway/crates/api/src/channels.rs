//! Channels as the configuration in force has them.

use crate::{App, listed::Listed};
use axum::{Json, extract::State};
use qudao_pipeline::ChannelView;
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
    /// Whether calls get through: `closed` is well; `open` after too many failures, until it heals by itself.
    breaker: String,
    /// Largest body it takes.
    body_bytes_max: u64,
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
            breaker: format!("{:?}", view.breaker).to_lowercase(),
            body_bytes_max: u64::try_from(view.body_bytes_max).unwrap_or(u64::MAX),
        }
    }
}
