//! Orders and what buyers want back of them, as they are now. Receivers are masked here; one is shown in clear only by
//! `personal`.

use crate::{
    App,
    entities::{page, word},
    extract::{Path, Query},
    listed::{ById, Limit, Listed},
    problem::{Code, Problem},
};
use axum::{Json, extract::State};
use qudao_model::{
    AfterSale, AfterSaleState, Entity, EntityKind, Listing, ListingState, Order, OrderState, Timestamp,
};
use qudao_storage::EntityFilter;
use schemars::JsonSchema;
use serde::Deserialize;

/// Which orders; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Orders {
    /// Name of the channel.
    channel: Option<String>,
    /// Platform's number.
    order_no: Option<String>,
    /// Serial of a payment that the platform or a rule names.
    payment: Option<String>,
    /// How far it is.
    state: Option<OrderState>,
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

/// Which after-sales; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AfterSales {
    /// Name of the channel.
    channel: Option<String>,
    /// Platform's number of the order.
    order_no: Option<String>,
    /// Platform's number.
    aftersale_no: Option<String>,
    /// Where it stands.
    state: Option<AfterSaleState>,
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

/// Which listings; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listings {
    /// Name of the channel.
    channel: Option<String>,
    /// `missing` for what the listings file still lacks.
    state: Option<ListingState>,
    /// Seen or mapped at or after this time, RFC 3339.
    #[schemars(with = "Option<String>")]
    since: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn orders(
    State(app): State<App>,
    Query(query): Query<Orders>,
) -> Result<Json<Listed<Order>>, Problem> {
    let filter = EntityFilter {
        channel: query.channel,
        order_no: query.order_no,
        payment_ref: query.payment,
        state: query.state.and_then(word),
        since: query.since,
        limit: query.limit.0,
        cursor: query.cursor,
        ..EntityFilter::new(EntityKind::Order)
    };
    page(&app, &filter, order_of).await
}

pub(crate) async fn order(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<Json<Order>, Problem> {
    let found = app.gateway.storage().entity(EntityKind::Order, &id).await?;
    found.and_then(order_of).map(Json).ok_or_else(|| unknown_order(format!("there is no order `{id}`")))
}

pub(crate) async fn aftersales(
    State(app): State<App>,
    Query(query): Query<AfterSales>,
) -> Result<Json<Listed<AfterSale>>, Problem> {
    let filter = EntityFilter {
        channel: query.channel,
        order_no: query.order_no,
        aftersale_no: query.aftersale_no,
        state: query.state.and_then(word),
        since: query.since,
        limit: query.limit.0,
        cursor: query.cursor,
        ..EntityFilter::new(EntityKind::AfterSale)
    };
    page(&app, &filter, aftersale_of).await
}

pub(crate) async fn aftersale(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<Json<AfterSale>, Problem> {
    let found = app.gateway.storage().entity(EntityKind::AfterSale, &id).await?;
    found.and_then(aftersale_of).map(Json).ok_or_else(|| {
        let hint = "ids begin with `aft_`; find one by `/v1/aftersales?order_no=` or `?aftersale_no=`";
        Problem::new(Code::UnknownAftersale, format!("there is no after-sale `{id}`"), hint)
    })
}

pub(crate) async fn listings(
    State(app): State<App>,
    Query(query): Query<Listings>,
) -> Result<Json<Listed<Listing>>, Problem> {
    let filter = EntityFilter {
        channel: query.channel,
        state: query.state.and_then(word),
        since: query.since,
        limit: query.limit.0,
        cursor: query.cursor,
        ..EntityFilter::new(EntityKind::Listing)
    };
    page(&app, &filter, listing_of).await
}

/// Also for what is done to an order.
pub(crate) fn unknown_order(detail: String) -> Problem {
    let hint = "ids begin with `ord_`; find one by `/v1/orders?order_no=` or `?payment=`";
    Problem::new(Code::UnknownOrder, detail, hint)
}

fn order_of(entity: Entity) -> Option<Order> {
    if let Entity::Order(order) = entity { Some(*order) } else { None }
}

fn aftersale_of(entity: Entity) -> Option<AfterSale> {
    if let Entity::AfterSale(aftersale) = entity { Some(*aftersale) } else { None }
}

fn listing_of(entity: Entity) -> Option<Listing> {
    if let Entity::Listing(listing) = entity { Some(listing) } else { None }
}
