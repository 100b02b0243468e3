//! The private listener: feed, webhooks, entities, commands, inbox, metrics, and the description of all this as OpenAPI.
//!
//! Everything but `/healthz` and `/readyz` wants the bearer token. Every refusal, also of unknown paths and wrong
//! methods, is a problem document (RFC 9457) with a stable `code` and a `hint`. Lists are `{"items": […], "next": "…"}`.
//! Numbers and states come from `pipeline`, `storage` and `feed`; nothing is computed here. Bounds of connections and
//! time are the listener's.
//!
//! What surprises: waiting requests and streams end as soon as [`ApiOptions::stop`] fires, so that a drain does not wait
//! for readers; they resume where they were. An empty query parameter (`?channel=`) is the same as an absent one.

mod auth;
mod channels;
mod commands;
mod deliveries;
mod describe;
mod entities;
mod events;
mod expect;
mod extract;
mod files;
mod health;
mod imports;
mod listed;
mod personal;
mod problem;
mod quarantine;
mod routes;
mod stock;
mod tasks;
mod tidy;
mod webhooks;

pub use describe::openapi;
pub use problem::{CODES, Code};
pub use routes::router;

use metrics_exporter_prometheus::PrometheusHandle;
use qudao_pipeline::Gateway;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// What the private listener needs besides the gateway.
pub struct ApiOptions {
    /// The bearer token; at least one character.
    pub token: Zeroizing<String>,
    /// Where `/metrics` is rendered from.
    pub metrics: PrometheusHandle,
    /// Fires when the gateway goes down: long-polls and streams end.
    pub stop: CancellationToken,
}

/// What every route can reach.
#[derive(Clone)]
struct App {
    gateway: Arc<Gateway>,
    metrics: PrometheusHandle,
    stop: CancellationToken,
}
