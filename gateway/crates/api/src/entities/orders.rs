//! Orders and what buyers want back of them, as they are now. Receivers are masked here; one is shown in clear only by
//! `personal`.

use super::{Asked, Findable, Shown, word};
use crate::{
    listed::Limit,
    problem::{Code, Problem},
};
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
    since: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
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
    since: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
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
    since: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
    cursor: Option<String>,
}

impl Asked for Orders {
    type Item = Order;

    fn filter(self) -> EntityFilter {
        EntityFilter {
            channel: self.channel,
            order_no: self.order_no,
            payment_ref: self.payment,
            state: self.state.and_then(word),
            since: self.since,
            limit: self.limit.0,
            cursor: self.cursor,
            ..EntityFilter::new(EntityKind::Order)
        }
    }
}

impl Asked for AfterSales {
    type Item = AfterSale;

    fn filter(self) -> EntityFilter {
        EntityFilter {
            channel: self.channel,
            order_no: self.order_no,
            aftersale_no: self.aftersale_no,
            state: self.state.and_then(word),
            since: self.since,
            limit: self.limit.0,
            cursor: self.cursor,
            ..EntityFilter::new(EntityKind::AfterSale)
        }
    }
}

impl Asked for Listings {
    type Item = Listing;

    fn filter(self) -> EntityFilter {
        EntityFilter {
            channel: self.channel,
            state: self.state.and_then(word),
            since: self.since,
            limit: self.limit.0,
            cursor: self.cursor,
            ..EntityFilter::new(EntityKind::Listing)
        }
    }
}

impl Shown for Order {
    fn of(entity: Entity) -> Option<Order> {
        if let Entity::Order(order) = entity { Some(*order) } else { None }
    }
}

impl Findable for Order {
    const KIND: EntityKind = EntityKind::Order;

    fn unknown(id: &str) -> Problem {
        Problem::new(Code::UnknownOrder, format!("there is no order `{id}`"), UNKNOWN_ORDER)
    }
}

impl Shown for AfterSale {
    fn of(entity: Entity) -> Option<AfterSale> {
        if let Entity::AfterSale(aftersale) = entity { Some(*aftersale) } else { None }
    }
}

impl Findable for AfterSale {
    const KIND: EntityKind = EntityKind::AfterSale;

    fn unknown(id: &str) -> Problem {
        let hint = "ids begin with `aft_`; find one by `/v1/aftersales?order_no=` or `?aftersale_no=`";
        Problem::new(Code::UnknownAftersale, format!("there is no after-sale `{id}`"), hint)
    }
}

impl Shown for Listing {
    fn of(entity: Entity) -> Option<Listing> {
        if let Entity::Listing(listing) = entity { Some(listing) } else { None }
    }
}

/// What to do where there is no such order.
pub(crate) const UNKNOWN_ORDER: &str =
    "ids begin with `ord_`; find one by `/v1/orders?order_no=` or `?payment=`";
