//! What the gateway is going to ask or do, and when.

use crate::{
    App,
    extract::Query,
    listed::{Limit, Listed},
    problem::Problem,
};
use axum::{Json, extract::State};
use qudao_storage::Task;
use schemars::JsonSchema;
use serde::Deserialize;

/// Which tasks; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tasks {
    /// Name of the channel.
    channel: Option<String>,
    /// Most rows, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
}

/// The first due first. There is no next page: what is due later is not urgent.
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<Tasks>,
) -> Result<Json<Listed<Task>>, Problem> {
    let items = app.gateway.storage().tasks(query.channel.as_deref(), query.limit.0).await?;
    Ok(Json(Listed { items, next: None }))
}
