//! Routes of orders, after-sales, listings and of who gets an order.

use crate::{App, describe::Described as _, listed::Listed, orders, personal, problem::Problem};
use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::Json;
use qudao_model::{AfterSale, Listing, Order, Receiver};
use qudao_storage::AuditEntry;

pub(super) fn routes() -> ApiRouter<App> {
    ApiRouter::new().merge(entities()).merge(receivers())
}

fn entities() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/orders",
            get_with(orders::orders, |op| {
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
            get_with(orders::order, |op| {
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
            get_with(orders::aftersales, |op| {
                op.named("listAftersales", "entities", "After-sales, the latest change first.")
                    .response_with::<200, Json<Listed<AfterSale>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/aftersales/{id}",
            get_with(orders::aftersale, |op| {
                op.named("getAftersale", "entities", "One after-sale.")
                    .response_with::<200, Json<AfterSale>, _>(|ok| ok.description("The after-sale."))
                    .by_id("after-sale")
                    .closed()
            }),
        )
        .api_route(
            "/v1/listings",
            get_with(orders::listings, |op| {
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

fn receivers() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/orders/{id}/reveal",
            post_with(personal::reveal, |op| {
                op.named("revealReceiver", "personal", "Who gets the order, in clear.")
                    .description("Who asked and why is written into the audit before this answers.")
                    .response_with::<200, Json<Receiver>, _>(|ok| ok.description("The receiver in clear."))
                    .response_with::<410, Problem, _>(|problem| {
                        problem.description("It was erased and cannot be read any more.")
                    })
                    .with_body()
                    .by_id("order, or it has no receiver")
                    .closed()
            }),
        )
        .api_route(
            "/v1/orders/{id}/forget",
            post_with(personal::forget, |op| {
                op.named("forgetReceiver", "personal", "Erases who gets the order, for ever.")
                    .description("Its key is erased, so that nobody can read it any more, here and in what was exported. The mask stays.")
                    .response_with::<200, Json<personal::Forgotten>, _>(|ok| ok.description("It is done."))
                    .with_body()
                    .by_id("order")
                    .closed()
            }),
        )
        .api_route(
            "/v1/audit",
            get_with(personal::audit, |op| {
                op.named("listAudit", "personal", "Who looked at personal data and why, the latest first.")
                    .response_with::<200, Json<Listed<AuditEntry>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
}
