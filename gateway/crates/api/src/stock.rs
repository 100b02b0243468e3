//! Stock as it is now: what each store has of each SKU, and what of it can be sold.

use crate::{
    App,
    extract::{Path, Query},
    listed::{ById, Limit, Listed},
    problem::{Code, Problem},
};
use axum::{Json, extract::State};
use qudao_model::{StockLevel, stock::Bucket};
use qudao_storage::StockFilter;
use schemars::JsonSchema;
use serde::Deserialize;

/// Which levels; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Levels {
    /// Code of the store.
    store: Option<String>,
    /// SKU.
    sku: Option<String>,
    /// What the pieces are good for.
    bucket: Option<Bucket>,
    /// Name of the channel whose figures count.
    channel: Option<String>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<Levels>,
) -> Result<Json<Listed<StockLevel>>, Problem> {
    let Levels { store, sku, bucket, channel, limit, cursor } = query;
    let filter = StockFilter { store, sku, bucket, channel, limit: limit.0, cursor };
    let page = app.gateway.storage().levels(&filter, app.gateway.now()).await?;
    Ok(Json(page.into()))
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<Json<StockLevel>, Problem> {
    let found = app.gateway.storage().level(&id, app.gateway.now()).await?;
    found.map(Json).ok_or_else(|| {
        let hint = "ids begin with `stk_`; find one by `/v1/stock?store=&sku=`";
        Problem::new(Code::UnknownLevel, format!("there is no stock level `{id}`"), hint)
    })
}
