//! The public listener: `POST /hooks/{channel}` and any path below it, nothing else.
//!
//! Turns an HTTP request into a [`Delivery`] byte for byte, hands it to the path, and returns
//! the connector's answer exactly: status, headers, body. What it refuses itself ([`Refusal`]) has a status and no body,
//! so that a stranger learns nothing but that. The body is read only once somebody wants it, and never beyond the
//! channel's limit; all bodies together are bounded too. Connections, headers and time are the listener's to bound.
//!
//! What surprises: header names arrive in lower case, because the HTTP library folds them; their order is kept within a
//! name, and repeated headers stay apart.

mod bodies;
mod intake;
mod refusal;
mod reply;
mod request;

pub use intake::Intake;
pub use refusal::Refusal;

use bodies::Bodies;

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
    routing::post,
};
use qudao_pipeline::Delivery;
use std::sync::Arc;

/// The routes of the public listener.
pub fn router<I: Intake>(intake: Arc<I>) -> Router {
    Router::new()
        .route("/hooks/{channel}", post(hook::<I>))
        .route("/hooks/{channel}/", post(hook::<I>))
        .route("/hooks/{channel}/{*below}", post(hook::<I>))
        .with_state(Hooks { intake, bodies: Bodies::new() })
}

struct Hooks<I> {
    intake: Arc<I>,
    bodies: Bodies,
}

/// Which channel a hook is for; what stands below it is the connector's business.
#[derive(serde::Deserialize)]
struct Hook {
    channel: String,
}

async fn hook<I: Intake>(
    State(Hooks { intake, bodies }): State<Hooks<I>>,
    hook: Result<Path<Hook>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let Path(Hook { channel }) = hook.map_err(|_| Refusal::PathNotText)?;
    let body_bytes_max = intake.admit(&channel)?;
    // Counts against all bodies until it is answered.
    let mut room = bodies.room(body_bytes_max);
    let request = request::read(request, &mut room).await?;
    let answer = intake.receive(Delivery { channel, request }).await?;
    Ok(reply::exactly(answer))
}

impl<I> Clone for Hooks<I> {
    fn clone(&self) -> Hooks<I> {
        Hooks { intake: Arc::clone(&self.intake), bodies: self.bodies.clone() }
    }
}
