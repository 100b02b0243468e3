//! Routes of entities.

use crate::{
    App,
    describe::Described as _,
    entities::{self, AfterSales, Listings, Orders, Payments, Refunds, Slips},
    expect,
    listed::Listed,
    stock,
};
use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::Json;
use qudao_model::{AfterSale, Listing, Order, Payment, Refund, Slip, StockLevel};

pub(super) fn payments() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/payments",
            get_with(entities::list::<Payments>, |op| {
                op.named("listPayments", "entities", "Payments, the latest change first.")
                    .response_with::<200, Json<Listed<Payment>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/payments/{id}",
            get_with(entities::one::<Payment>, |op| {
                op.named("getPayment", "entities", "One payment.")
                    .response_with::<200, Json<Payment>, _>(|ok| ok.description("The payment."))
                    .by_id("payment")
                    .closed()
            }),
        )
        .api_route(
            "/v1/payments/expect",
            post_with(expect::payment, |op| {
                op.named("expectPayment", "entities", "\"This payment should exist\".")
                    .description(
                        "The platform is asked for it until it says what became of it, where the connector can ask. A notice \
                         about it with another amount is refused as `amount_mismatch`.",
                    )
                    .response_with::<200, Json<expect::ExpectedPayment>, _>(|ok| {
                        ok.description("What is expected now.")
                    })
                    .with_body()
                    .by_id("channel")
                    .closed()
            }),
        )
        .api_route(
            "/v1/refunds",
            get_with(entities::list::<Refunds>, |op| {
                op.named("listRefunds", "entities", "Refunds, the latest change first.")
                    .response_with::<200, Json<Listed<Refund>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/refunds/{id}",
            get_with(entities::one::<Refund>, |op| {
                op.named("getRefund", "entities", "One refund.")
                    .response_with::<200, Json<Refund>, _>(|ok| ok.description("The refund."))
                    .by_id("refund")
                    .closed()
            }),
        )
}

pub(super) fn orders() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/orders",
            get_with(entities::list::<Orders>, |op| {
                op.named("listOrders", "entities", "Orders, the latest change first.")
                    .response_with::<200, Json<Listed<Order>>, _>(|ok| {
                        ok.description("One page; receivers are masked.")
                    })
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/orders/{id}",
            get_with(entities::one::<Order>, |op| {
                op.named("getOrder", "entities", "One order.")
                    .response_with::<200, Json<Order>, _>(|ok| {
                        ok.description("The order; its receiver is masked.")
                    })
                    .by_id("order")
                    .closed()
            }),
        )
        .api_route(
            "/v1/aftersales",
            get_with(entities::list::<AfterSales>, |op| {
                op.named("listAftersales", "entities", "After-sales, the latest change first.")
                    .response_with::<200, Json<Listed<AfterSale>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/aftersales/{id}",
            get_with(entities::one::<AfterSale>, |op| {
                op.named("getAftersale", "entities", "One after-sale.")
                    .response_with::<200, Json<AfterSale>, _>(|ok| ok.description("The after-sale."))
                    .by_id("after-sale")
                    .closed()
            }),
        )
        .api_route(
            "/v1/listings",
            get_with(entities::list::<Listings>, |op| {
                op.named(
                    "listListings",
                    "entities",
                    "SKUs of channels that were sold before anybody said which SKU they are.",
                )
                .description("`?state=missing` is what the listings file still lacks.")
                .response_with::<200, Json<Listed<Listing>>, _>(|ok| ok.description("One page."))
                .filtered()
                .closed()
            }),
        )
}

pub(super) fn stores() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/slips",
            get_with(entities::list::<Slips>, |op| {
                op.named("listSlips", "entities", "Till receipts, the latest change first.")
                    .response_with::<200, Json<Listed<Slip>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/slips/{id}",
            get_with(entities::one::<Slip>, |op| {
                op.named("getSlip", "entities", "One till receipt.")
                    .response_with::<200, Json<Slip>, _>(|ok| ok.description("The slip."))
                    .by_id("slip")
                    .closed()
            }),
        )
        .api_route(
            "/v1/stock",
            get_with(stock::list, |op| {
                op.named("listStock", "entities", "What each store has, by store, SKU and bucket.")
                    .description("`available` is what can be sold: `on_hand` less `committed` less `safety`; it may be below zero.")
                    .response_with::<200, Json<Listed<StockLevel>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/stock/{id}",
            get_with(stock::one, |op| {
                op.named("getStock", "entities", "One stock level.")
                    .response_with::<200, Json<StockLevel>, _>(|ok| ok.description("The level."))
                    .by_id("stock level")
                    .closed()
            }),
        )
}
