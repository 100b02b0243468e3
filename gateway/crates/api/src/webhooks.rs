//! Webhooks out: how each endpoint stands, and what a person can have done about it. What is sent when is the feed's.

use crate::{
    App,
    channels::ByName,
    extract::{Json, Path},
    listed::Listed,
    problem::Problem,
};
use axum::extract::State;
use qudao_pipeline::{Attempt, Error, WebhookView};
use schemars::JsonSchema;
use serde::Deserialize;

/// From where to send once more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redelivery {
    /// Events with a greater `seq` are sent once more; 0 is the whole feed.
    #[schemars(range(max = 18_446_744_073_709_551_615_u64))]
    after: u64,
}

pub(crate) async fn list(State(app): State<App>) -> axum::Json<Listed<WebhookView>> {
    axum::Json(Listed { items: app.gateway.webhooks(), next: None })
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(ByName { name }): Path<ByName>,
) -> Result<axum::Json<WebhookView>, Problem> {
    let view = app.gateway.webhook(&name).ok_or(Error::UnknownWebhook { name })?;
    Ok(axum::Json(view))
}

pub(crate) async fn enable(
    State(app): State<App>,
    Path(ByName { name }): Path<ByName>,
) -> Result<axum::Json<WebhookView>, Problem> {
    Ok(axum::Json(app.gateway.enable_webhook(&name).await?))
}

pub(crate) async fn redeliver(
    State(app): State<App>,
    Path(ByName { name }): Path<ByName>,
    Json(Redelivery { after }): Json<Redelivery>,
) -> Result<axum::Json<WebhookView>, Problem> {
    Ok(axum::Json(app.gateway.redeliver_webhook(&name, after).await?))
}

pub(crate) async fn ping(
    State(app): State<App>,
    Path(ByName { name }): Path<ByName>,
) -> Result<axum::Json<Attempt>, Problem> {
    Ok(axum::Json(app.gateway.ping_webhook(&name).await?))
}
