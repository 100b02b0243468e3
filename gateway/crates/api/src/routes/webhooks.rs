//! Routes of webhooks out.

use crate::{App, describe::Described as _, listed::Listed, problem::Problem, webhooks};
use aide::{
    axum::{
        ApiRouter,
        routing::{get_with, post_with},
    },
    transform::TransformOperation,
};
use axum::Json;
use qudao_pipeline::{Attempt, ParkedView, WebhookView};

pub(super) fn routes() -> ApiRouter<App> {
    ApiRouter::new().merge(looking()).merge(acting())
}

fn looking() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/webhooks",
            get_with(webhooks::list, |op| {
                op.named(
                    "listWebhooks",
                    "webhooks",
                    "Endpoints that events are sent to, and how far each has come.",
                )
                .response_with::<200, Json<Listed<WebhookView>>, _>(|ok| {
                    ok.description("All of them, by name.")
                })
                .closed()
            }),
        )
        .api_route(
            "/v1/webhooks/{name}",
            get_with(webhooks::one, |op| {
                op.named("getWebhook", "webhooks", "One endpoint, as it stands.")
                    .response_with::<200, Json<WebhookView>, _>(|ok| ok.description("The endpoint."))
                    .by_id("webhook")
                    .closed()
            }),
        )
        .api_route(
            "/v1/webhooks/{name}/parked",
            get_with(webhooks::parked, |op| {
                op.named("listParked", "webhooks", "Events that an endpoint did not take yet, and those behind them.")
                    .description(
                        "In the order of the feed, all of them. One with `failures` 0 only waits behind another one of its `subject`.",
                    )
                    .response_with::<200, Json<Listed<ParkedView>>, _>(|ok| ok.description("All of them; there is no next page."))
                    .by_id("webhook")
                    .closed()
            }),
        )
}

fn acting() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/webhooks/{name}/enable",
            post_with(webhooks::enable, |op| {
                changed(op.named("enableWebhook", "webhooks", "Has an endpoint tried again at once."))
                    .description(
                        "One that answered 410 gets nothing until then, and goes on where it was: nothing is lost. One that fails is \
                         tried at once instead of when its pause is over. Nothing to enable is no error.",
                    )
            }),
        )
        .api_route(
            "/v1/webhooks/{name}/redeliver",
            post_with(webhooks::redeliver, |op| {
                changed(op.named("redeliverWebhook", "webhooks", "Sends a part of the feed once more."))
                    .description(
                        "Every event of the endpoint's types behind `after`, in order, each with the `webhook-id` that it had before.",
                    )
                    .response_with::<409, Problem, _>(|problem| {
                        problem.description("The endpoint has not come so far: there is nothing to send once more.")
                    })
                    .with_body()
            }),
        )
        .api_route(
            "/v1/webhooks/{name}/parked/{seq}/skip",
            post_with(webhooks::skip, |op| {
                changed(op.named("skipParked", "webhooks", "Never sends a parked event, and goes on with those behind it."))
                    .description("It is written into the audit. The feed keeps the event; `redeliver` sends it all the same.")
                    .response_with::<409, Problem, _>(|problem| {
                        problem.description("The event is not parked for this endpoint.")
                    })
            }),
        )
        .api_route(
            "/v1/webhooks/{name}/ping",
            post_with(webhooks::ping, |op| {
                op.named("pingWebhook", "webhooks", "Sends one signed event that is not in the feed, and says what came of it.")
                    .description(
                        "Its type is `qudao.webhook.ping.v1`. Also sent to an endpoint that is failing or disabled; its state stays.",
                    )
                    .response_with::<200, Json<Attempt>, _>(|ok| {
                        ok.description("What came of it; `delivered` says whether the endpoint took it.")
                    })
                    .by_id("webhook")
                    .closed()
            }),
        )
}

fn changed(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.response_with::<200, Json<WebhookView>, _>(|ok| ok.description("The endpoint now."))
        .by_id("webhook")
        .closed()
}
