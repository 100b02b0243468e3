//! Routes of who gets an order, in clear.

use crate::{App, describe::Described as _, listed::Listed, personal, problem::Problem};
use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::Json;
use qudao_model::Receiver;
use qudao_storage::AuditEntry;

pub(super) fn routes() -> ApiRouter<App> {
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
