//! From HTTP to the model: nothing added, nothing decoded.

use crate::{Refusal, bodies::Room};
use axum::{
    extract::OriginalUri,
    http::{HeaderMap, request::Parts},
};
use qudao_model::{Header, Request};

/// Reads a request whose body has to fit into `room`.
pub(crate) async fn read(request: axum::extract::Request, room: &mut Room) -> Result<Request, Refusal> {
    let (head, body) = request.into_parts();
    let headers = headers(&head.headers)?;
    let body = room.read(body).await?;
    let (path, query) = as_sent(&head);
    Ok(Request { method: head.method.as_str().to_owned(), path, query, headers, body })
}

fn as_sent(head: &Parts) -> (String, Option<String>) {
    let uri = head.extensions.get::<OriginalUri>().map_or(&head.uri, |original| &original.0);
    (uri.path().to_owned(), uri.query().map(str::to_owned))
}

fn headers(map: &HeaderMap) -> Result<Vec<Header>, Refusal> {
    map.iter()
        .map(|(name, value)| match str::from_utf8(value.as_bytes()) {
            Ok(text) => Ok((name.as_str().to_owned(), text.to_owned())),
            Err(_) => Err(Refusal::HeaderNotText { name: name.as_str().to_owned() }),
        })
        .collect()
}
