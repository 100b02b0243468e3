//! Webhooks out: how each endpoint stands, and what a person can have done about it. What is sent when is the feed's.

use crate::{
    App,
    channels::ByName,
    extract::{Json, Path},
    listed::Listed,
    personal::ACTOR,
    problem::Problem,
};
use axum::extract::State;
use qudao_pipeline::{Attempt, Error, ParkedView, WebhookView};
use schemars::JsonSchema;
use serde::Deserialize;

/// From where to send once more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redelivery {
    /// Events with a greater `seq` are sent once more; 0 is the whole feed.
    after: u64,
}

/// An event of an endpoint, in a path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Parked {
    /// As lists name the endpoint.
    name: String,
    /// Place of the event in the feed.
    seq: u64,
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

pub(crate) async fn parked(
    State(app): State<App>,
    Path(ByName { name }): Path<ByName>,
) -> Result<axum::Json<Listed<ParkedView>>, Problem> {
    Ok(axum::Json(Listed { items: app.gateway.parked_of_webhook(&name)?, next: None }))
}

pub(crate) async fn skip(
    State(app): State<App>,
    Path(Parked { name, seq }): Path<Parked>,
) -> Result<axum::Json<WebhookView>, Problem> {
    Ok(axum::Json(app.gateway.skip_parked(&name, seq, ACTOR).await?))
}

pub(crate) async fn ping(
    State(app): State<App>,
    Path(ByName { name }): Path<ByName>,
) -> Result<axum::Json<Attempt>, Problem> {
    Ok(axum::Json(app.gateway.ping_webhook(&name).await?))
}
