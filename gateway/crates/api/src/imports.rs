//! Files that were handed in: how each stands, and what a person decides about what waits.

use crate::{
    App,
    extract::{Json, Path, Query},
    listed::{ById, Limit, Listed},
    problem::{Code, Problem},
};
use axum::extract::State;
use qudao_model::Timestamp;
use qudao_storage::{ImportFilter, ImportRow, ImportState, StoreState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which imports; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Imports {
    /// Name of the channel.
    channel: Option<String>,
    /// How it stands.
    state: Option<ImportState>,
    /// Received at or after this time, RFC 3339.
    since: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
    cursor: Option<String>,
}

/// An import with its stores.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Import")]
pub(crate) struct Detail {
    #[serde(flatten)]
    row: ImportRow,
    /// How each store stands, by code; empty where nothing was decided by store.
    stores: Vec<StoreState>,
    /// How far it is, while it is being read or applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
}

/// How far an import is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportProgress")]
pub(crate) struct Progress {
    /// Rows that were read by now.
    rows: u64,
}

/// Which stores of an import; an empty body means all that wait.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Codes of stores that wait; absent: all of them.
    #[serde(default)]
    stores: Option<Vec<String>>,
}

pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<Imports>,
) -> Result<axum::Json<Listed<ImportRow>>, Problem> {
    let Imports { channel, state, since, limit, cursor } = query;
    let filter = ImportFilter { channel, state, since, limit: limit.0, cursor };
    Ok(axum::Json(app.gateway.storage().imports(&filter).await?.into()))
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<axum::Json<Detail>, Problem> {
    let found = app.gateway.storage().import(&id).await?;
    let row = found.ok_or_else(|| {
        Problem::new(Code::UnknownImport, format!("there is no import `{id}`"), UNKNOWN_IMPORT)
    })?;
    detail(&app, row).await
}

/// What waits counts from now on. The file is read once more.
pub(crate) async fn confirm(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
    which: Option<Json<Which>>,
) -> Result<axum::Json<Detail>, Problem> {
    let stores = which.and_then(|Json(which)| which.stores);
    detail(&app, app.gateway.confirm_import(&id, stores.as_deref()).await?).await
}

/// What waits never counts.
pub(crate) async fn discard(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
    which: Option<Json<Which>>,
) -> Result<axum::Json<Detail>, Problem> {
    let stores = which.and_then(|Json(which)| which.stores);
    detail(&app, app.gateway.discard_import(&id, stores.as_deref()).await?).await
}

/// Reads the stored file again under the mapping and the stores in force. Under another mapping it is another import.
pub(crate) async fn retry(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<axum::Json<Detail>, Problem> {
    detail(&app, app.gateway.retry_import(&id).await?.import).await
}

async fn detail(app: &App, row: ImportRow) -> Result<axum::Json<Detail>, Problem> {
    let stores = app.gateway.storage().import_stores(&row.id).await?;
    let progress = app.gateway.import_progress(&row.id).map(|progress| Progress { rows: progress.rows });
    Ok(axum::Json(Detail { row, stores, progress }))
}

/// What to do where there is no such import.
pub(crate) const UNKNOWN_IMPORT: &str = "`/v1/imports` lists them; ids begin with `imp_`";
