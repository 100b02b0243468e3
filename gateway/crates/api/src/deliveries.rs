//! The inbox: what came in, byte for byte, what became of it, and running it again.

use crate::{
    App,
    extract::{Path, Query},
    listed::{ById, Limit, Listed},
    personal::{Looking, Reason},
    problem::{Code, Problem, UNKNOWN_DELIVERY},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use qudao_model::{Observation, Timestamp};
use qudao_storage::{DeliveryFilter, DeliveryRow, VerdictKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const OCTETS: &str = "application/octet-stream";
const JSON: &str = "application/json";

/// Which deliveries; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deliveries {
    /// Name of the channel.
    channel: Option<String>,
    /// What became of it.
    verdict: Option<VerdictKind>,
    /// Stable word, of refused and failed ones.
    reason: Option<String>,
    /// Received at or after this time, RFC 3339.
    since: Option<Timestamp>,
    /// Received before this time, RFC 3339.
    until: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
    cursor: Option<String>,
}

/// A delivery with what was read out of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
pub(crate) struct Detail {
    #[serde(flatten)]
    row: DeliveryRow,
    /// In the order they stand in the delivery; empty for refused and failed ones.
    observations: Vec<Observation>,
}

/// What running a delivery again came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Retried {
    /// The delivery as it is now.
    delivery: DeliveryRow,
    /// The delivery that had said the same before.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<String>,
    /// Place in the feed of the last event it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<Deliveries>,
) -> Result<Json<Listed<DeliveryRow>>, Problem> {
    let filter = DeliveryFilter {
        channel: query.channel,
        verdict: query.verdict,
        reason: query.reason,
        since: query.since,
        until: query.until,
        limit: query.limit.0,
        cursor: query.cursor,
    };
    let page = app.gateway.storage().deliveries(&filter).await?;
    Ok(Json(page.into()))
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<Json<Detail>, Problem> {
    let row = row(&app, &id).await?;
    let observations = app.gateway.storage().delivery_observations(&id).await?;
    Ok(Json(Detail { row, observations }))
}

/// The body, byte for byte; or, for who asks for JSON, the whole request as a request file of `qudao try`. Where it may hold a
/// person's data somebody has to say why.
pub(crate) async fn raw(
    State(app): State<App>,
    headers: HeaderMap,
    Path(ById { id }): Path<ById>,
    Query(looking): Query<Looking>,
) -> Result<Response, Problem> {
    let reason = Reason::from(looking);
    let request = if row(&app, &id).await?.personal {
        if reason.is_silent() {
            let detail = format!("the bytes of delivery `{id}` may hold names, phones and addresses");
            return Err(Problem::new(Code::PurposeMissing, detail, "say why: `?purpose=…`; it is kept"));
        }
        let (purpose, actor) = reason.checked()?;
        app.gateway.reveal_delivery(&id, &purpose, &actor).await?
    } else {
        app.gateway.storage().delivery_request(&id).await?
    };
    let request = request.ok_or_else(|| {
        let detail = format!("of delivery `{id}` only a small record is kept, because it was rejected");
        Problem::new(Code::BytesNotKept, detail, "have the platform send it again")
    })?;
    if wants_json(&headers) {
        return Ok(Json(request).into_response());
    }
    Ok(([(header::CONTENT_TYPE, OCTETS)], request.body).into_response())
}

pub(crate) async fn retry(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<Json<Retried>, Problem> {
    let committed = app.gateway.retry(&id).await?;
    let delivery = row(&app, &id).await?;
    Ok(Json(Retried { delivery, duplicate_of: committed.duplicate_of, seq: committed.seq }))
}

async fn row(app: &App, id: &str) -> Result<DeliveryRow, Problem> {
    let found = app.gateway.storage().delivery(id).await?;
    found.ok_or_else(|| {
        Problem::new(Code::UnknownDelivery, format!("there is no delivery `{id}`"), UNKNOWN_DELIVERY)
    })
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|list| list.split(','))
        .any(|range| range.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case(JSON)))
}
