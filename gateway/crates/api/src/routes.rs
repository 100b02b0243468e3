//! Which path is answered by whom, each with its description.

mod entities;
mod files;
mod personal;
mod webhooks;
mod work;

use crate::{
    ApiOptions, App, auth, deliveries,
    describe::{self, Described as _, or_octets},
    events, health,
    listed::Listed,
    problem::{Code, Problem},
};
use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, Method, Uri, header},
    middleware,
    response::Response,
    routing::get,
};
use qudao_model::Request;
use qudao_pipeline::Gateway;
use qudao_storage::DeliveryRow;
use schemars::json_schema;
use std::sync::Arc;

/// Nothing here takes more than a few hundred bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The routes of the private listener.
pub fn router(gateway: Arc<Gateway>, options: ApiOptions) -> Router {
    let ApiOptions { token, metrics, stop } = options;
    let (routes, document) = describe::routes();
    let document = Json(document);
    routes
        .route("/openapi.json", get(async move || document.clone()))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::new(token), auth::require))
        .layer(middleware::map_response(private))
        .with_state(App { gateway, metrics, stop })
}

/// All routes with their descriptions.
pub(crate) fn api() -> ApiRouter<App> {
    ApiRouter::new()
        .merge(feed())
        .merge(webhooks::routes())
        .merge(entities::payments())
        .merge(entities::orders())
        .merge(entities::stores())
        .merge(personal::routes())
        .merge(files::routes())
        .merge(work::commands())
        .merge(inbox())
        .merge(work::channels())
        .merge(operation())
}

fn feed() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/events",
            get_with(events::page, |op| {
                op.named("listEvents", "feed", "Events after a place in the feed, in order.")
                    .description("Ask again with `after` set to the `seq` of the last event you have; `wait` long-polls.")
                    .response_with::<200, events::Batch, _>(|ok| ok.description("Events in the order of `seq`; none is an empty list."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/events/stream",
            get_with(events::stream, |op| {
                op.named("streamEvents", "feed", "The feed as server-sent events.")
                    .description("Each has `id:` the `seq`, `event:` the type, `data:` the CloudEvent. Resume with the header `Last-Event-ID`.")
                    .text("text/event-stream", "A stream that ends when the gateway goes down; connect again.")
                    .with_header("Last-Event-ID", "`id:` of the last event you have; goes before `after`.", json_schema!({"type": "integer", "format": "uint64", "minimum": 0}))
                    .filtered()
                    .closed()
            }),
        )
}

fn inbox() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/deliveries",
            get_with(deliveries::list, |op| {
                op.named("listDeliveries", "inbox", "Deliveries, the latest first.")
                    .response_with::<200, Json<Listed<DeliveryRow>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/deliveries/{id}",
            get_with(deliveries::one, |op| {
                op.named("getDelivery", "inbox", "One delivery with what was read out of it.")
                    .response_with::<200, Json<deliveries::Detail>, _>(|ok| ok.description("The delivery."))
                    .by_id("delivery")
                    .closed()
            }),
        )
        .api_route(
            "/v1/deliveries/{id}/raw",
            get_with(deliveries::raw, |op| {
                op.named("getDeliveryRaw", "inbox", "The bytes that came in.")
                    .description("The body; with `Accept: application/json` the whole request, a request file for `qudao try`. \
                                  Of a delivery that is `personal` a `purpose` is asked for, and kept in the audit.")
                    .response_with::<200, Json<Request>, _>(|ok| or_octets(ok.description("The request.")))
                    .response_with::<403, Problem, _>(|problem| {
                        problem.description("It may hold personal data, and no `purpose` is given.")
                    })
                    .response_with::<409, Problem, _>(|problem| {
                        problem.description("Its bytes were not kept, because it was rejected.")
                    })
                    .filtered()
                    .by_id("delivery")
                    .closed()
            }),
        )
        .api_route(
            "/v1/deliveries/{id}/retry",
            post_with(deliveries::retry, |op| {
                op.named("retryDelivery", "inbox", "Runs a failed delivery again.")
                    .description("As of the moment it was received, with the connector of now.")
                    .response_with::<200, Json<deliveries::Retried>, _>(|ok| ok.description("What it came to."))
                    .response_with::<409, Problem, _>(|problem| {
                        problem.description("It was accepted before, its bytes were not kept, or its channel is retired.")
                    })
                    .by_id("delivery")
                    .closed()
            }),
        )
}

fn operation() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/metrics",
            get_with(health::metrics, |op| {
                op.named("getMetrics", "operation", "Numbers for Prometheus.")
                    .text("text/plain", "The text format, version 0.0.4.")
                    .closed()
            }),
        )
        .api_route(
            "/healthz",
            get_with(health::alive, |op| {
                op.named("getHealth", "operation", "Whether the process answers. Needs no token.")
                    .response_with::<200, Json<health::Alive>, _>(|ok| ok.description("It does."))
            }),
        )
        .api_route(
            "/readyz",
            get_with(health::ready, |op| {
                op.named("getReadiness", "operation", "Whether deliveries can be taken. Needs no token.")
                    .response_with::<200, health::Readiness, _>(|ok| ok.description("Every check is well."))
                    .response_with::<503, health::Readiness, _>(|no| {
                        no.description("At least one check is not.")
                    })
            }),
        )
}

async fn nothing_here(uri: Uri) -> Problem {
    let path = uri.path();
    if path == "/" {
        let detail = format!("`{path}` is planned and not in this version");
        return Problem::new(Code::NotInThisVersion, detail, "`/openapi.json` lists what is there");
    }
    Problem::new(
        Code::NotFound,
        format!("there is nothing at `{path}`"),
        "`/openapi.json` lists what is there",
    )
}

async fn other_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("`{}` does not take {method}", uri.path());
    Problem::new(Code::MethodNotAllowed, detail, "the header `Allow` lists the methods")
}

/// What HQ reads is nobody else's: no cache keeps it, no browser guesses its type.
async fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
