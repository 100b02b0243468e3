//! Rows of files that could not be taken: as JSON by pages, and whole as a table for whoever has to mend them.
//!
//! What is said about each row, and how the table looks, is the pipeline's ([`qudao_pipeline::sentences`]).

use crate::{
    App,
    extract::Query,
    listed::{Limit, Listed},
    problem::Problem,
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, stream};
use qudao_pipeline::sentences::{RejectLine, rejects_csv, rejects_csv_head};
use qudao_storage::{Error, LIMIT_MAX, RejectFilter, RejectRow, RejectState, Storage};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Which rows; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rejects {
    /// Id of the import.
    import: Option<String>,
    /// Name of the channel.
    channel: Option<String>,
    /// Word of what is wrong; docs/errors.md has a paragraph for each.
    kind: Option<String>,
    /// Code of the store, where the row has one.
    store: Option<String>,
    /// What became of it.
    state: Option<RejectState>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
    cursor: Option<String>,
}

/// Which rows of a table; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exported {
    /// Id of the import.
    import: Option<String>,
    /// Name of the channel.
    channel: Option<String>,
    /// Word of what is wrong; docs/errors.md has a paragraph for each.
    kind: Option<String>,
    /// Code of the store, where the row has one.
    store: Option<String>,
    /// What became of it.
    state: Option<RejectState>,
}

pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<Rejects>,
) -> Result<Json<Listed<RejectRow>>, Problem> {
    let Rejects { import, channel, kind, store, state, limit, cursor } = query;
    let filter = RejectFilter { import, channel, kind, store, state, limit: limit.0, cursor };
    Ok(Json(app.gateway.storage().rejects(&filter).await?.into()))
}

/// Page by page, so that a quarantine of any size takes the memory of one page. A failure on the way breaks the answer off.
pub(crate) async fn table(
    State(app): State<App>,
    Query(query): Query<Exported>,
) -> Result<Response, Problem> {
    let Exported { import, channel, kind, store, state } = query;
    let filter = RejectFilter { import, channel, kind, store, state, limit: LIMIT_MAX, cursor: None };
    let begun = Table { storage: app.gateway.storage().clone(), names: BTreeMap::new(), next: Some(filter) };
    // The first page is read before the answer begins, so that what fails at once is a problem document.
    let (first, left) = begun.page().await?.unzip();
    let rest = stream::try_unfold(left, async |left: Option<Table>| match left {
        Some(table) => Ok(table.page().await?.map(|(lines, left)| (lines, Some(left)))),
        None => Ok::<_, Error>(None),
    });
    let head = Bytes::from_static(rejects_csv_head().as_bytes());
    let parts = stream::iter([Some(head), first].into_iter().flatten().map(Ok)).chain(rest);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"quarantine.csv\""),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// A table that is being written.
struct Table {
    storage: Storage,
    /// Files of imports that were met.
    names: BTreeMap<String, String>,
    /// What comes next; nothing at the end.
    next: Option<RejectFilter>,
}

impl Table {
    /// The lines of the next page.
    async fn page(mut self) -> Result<Option<(Bytes, Table)>, Error> {
        let Some(filter) = self.next.take() else { return Ok(None) };
        let page = self.storage.rejects(&filter).await?;
        for row in &page.items {
            if !self.names.contains_key(&row.import) {
                let import = self.storage.import(&row.import).await?;
                self.names.insert(row.import.clone(), import.map(|import| import.name).unwrap_or_default());
            }
        }
        let file = |row: &RejectRow| self.names.get(&row.import).map(String::as_str).unwrap_or_default();
        let lines =
            rejects_csv(page.items.iter().map(|row| RejectLine { file: file(row), reject: &row.reject }));
        let next = page.next.map(|cursor| RejectFilter { cursor: Some(cursor), ..filter });
        Ok(Some((lines.into(), Table { next, ..self })))
    }
}
