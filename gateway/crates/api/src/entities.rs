//! Payments and refunds, as they are now.

use crate::{
    App,
    extract::{Path, Query},
    listed::{ById, Limit, Listed},
    problem::{Code, Problem},
};
use axum::{Json, extract::State};
use qudao_model::{
    Entity, EntityKind, Payment, Refund, Timestamp,
    entity::{PaymentState, RefundState},
};
use qudao_storage::EntityFilter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which payments; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payments {
    /// Name of the channel.
    channel: Option<String>,
    /// Merchant's number.
    order_no: Option<String>,
    /// Platform's serial.
    transaction_no: Option<String>,
    /// Where it stands.
    state: Option<PaymentState>,
    /// Changed at the platform at or after this time, RFC 3339.
    #[schemars(with = "Option<String>")]
    since: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Which refunds; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refunds {
    /// Name of the channel.
    channel: Option<String>,
    /// Merchant's number of the payment.
    order_no: Option<String>,
    /// Platform's serial of the payment.
    transaction_no: Option<String>,
    /// Merchant's number of the refund.
    refund_no: Option<String>,
    /// Where it stands.
    state: Option<RefundState>,
    /// Changed at the platform at or after this time, RFC 3339.
    #[schemars(with = "Option<String>")]
    since: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn payments(
    State(app): State<App>,
    Query(query): Query<Payments>,
) -> Result<Json<Listed<Payment>>, Problem> {
    let filter = EntityFilter {
        channel: query.channel,
        order_no: query.order_no,
        transaction_no: query.transaction_no,
        state: query.state.and_then(word),
        since: query.since,
        limit: query.limit.0,
        cursor: query.cursor,
        ..EntityFilter::new(EntityKind::Payment)
    };
    page(&app, &filter, payment_of).await
}

pub(crate) async fn payment(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<Json<Payment>, Problem> {
    let found = app.gateway.storage().entity(EntityKind::Payment, &id).await?;
    found.and_then(payment_of).map(Json).ok_or_else(|| {
        let hint = "ids begin with `pay_`; find one by `/v1/payments?order_no=` or `?transaction_no=`";
        Problem::new(Code::UnknownPayment, format!("there is no payment `{id}`"), hint)
    })
}

pub(crate) async fn refunds(
    State(app): State<App>,
    Query(query): Query<Refunds>,
) -> Result<Json<Listed<Refund>>, Problem> {
    let filter = EntityFilter {
        channel: query.channel,
        order_no: query.order_no,
        transaction_no: query.transaction_no,
        refund_no: query.refund_no,
        state: query.state.and_then(word),
        since: query.since,
        limit: query.limit.0,
        cursor: query.cursor,
        ..EntityFilter::new(EntityKind::Refund)
    };
    page(&app, &filter, refund_of).await
}

pub(crate) async fn refund(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<Json<Refund>, Problem> {
    let found = app.gateway.storage().entity(EntityKind::Refund, &id).await?;
    found.and_then(refund_of).map(Json).ok_or_else(|| {
        let hint = "ids begin with `rfd_`; find one by `/v1/refunds?order_no=` or `?refund_no=`";
        Problem::new(Code::UnknownRefund, format!("there is no refund `{id}`"), hint)
    })
}

/// One page of what a filter finds; `of` takes the kind that the filter is for.
pub(crate) async fn page<T>(
    app: &App,
    filter: &EntityFilter,
    of: fn(Entity) -> Option<T>,
) -> Result<Json<Listed<T>>, Problem> {
    let page = app.gateway.storage().entities(filter).await?;
    Ok(Json(Listed { items: page.items.into_iter().filter_map(of).collect(), next: page.next }))
}

fn payment_of(entity: Entity) -> Option<Payment> {
    if let Entity::Payment(payment) = entity { Some(payment) } else { None }
}

fn refund_of(entity: Entity) -> Option<Refund> {
    if let Entity::Refund(refund) = entity { Some(refund) } else { None }
}

/// A state by the word that JSON and storage use.
pub(crate) fn word(state: impl Serialize) -> Option<String> {
    serde_json::to_value(state).ok()?.as_str().map(str::to_owned)
}
