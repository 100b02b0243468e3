//! For whoever watches: alive, ready, metrics.

use crate::App;
use aide::{OperationOutput, generate::GenContext, openapi};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

/// The text format of Prometheus.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// It answers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Alive {
    /// Always `alive`.
    status: &'static str,
}

/// Whether deliveries can be taken.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Readiness {
    /// Whether every check is well.
    ready: bool,
    /// Each check.
    checks: Vec<Check>,
}

/// One thing that must be well.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Check {
    /// `storage`, `channels`, `running`.
    name: &'static str,
    /// Whether it is.
    ok: bool,
    /// What is wrong, or how it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

pub(crate) async fn alive() -> Json<Alive> {
    Json(Alive { status: "alive" })
}

pub(crate) async fn ready(State(app): State<App>) -> Readiness {
    let checks = vec![storage(&app).await, channels(&app), running(&app)];
    Readiness { ready: checks.iter().all(|check| check.ok), checks }
}

pub(crate) async fn metrics(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, PROMETHEUS)], app.metrics.render()).into_response()
}

/// Says no more than a stranger may know: this answer needs no token.
async fn storage(app: &App) -> Check {
    let trouble = match app.gateway.storage().health().await {
        Ok(health) if health.writable => None,
        Ok(_) => Some("the last write failed"),
        Err(_) => Some("storage does not answer"),
    };
    Check::new("storage", trouble)
}

/// A gateway starts, and reloads, only with every channel connected; so this is a number to look at, never a refusal.
fn channels(app: &App) -> Check {
    let loaded = app.gateway.channels().len();
    Check { name: "channels", ok: true, detail: Some(format!("{loaded} loaded")) }
}

fn running(app: &App) -> Check {
    let ending = app.gateway.draining() || app.stop.is_cancelled();
    Check::new("running", ending.then_some("the gateway is draining"))
}

impl Check {
    fn new(name: &'static str, trouble: Option<&str>) -> Check {
        Check { name, ok: trouble.is_none(), detail: trouble.map(str::to_owned) }
    }
}

impl IntoResponse for Readiness {
    fn into_response(self) -> Response {
        let status = if self.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(self)).into_response()
    }
}

impl OperationOutput for Readiness {
    type Inner = Readiness;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut openapi::Operation,
    ) -> Option<openapi::Response> {
        Json::<Readiness>::operation_response(context, operation)
    }
}
