//! From HTTP to the model: nothing added, nothing decoded.

use crate::Refusal;
use axum::{
    body::{Body, HttpBody as _},
    extract::OriginalUri,
    http::{HeaderMap, request::Parts},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use qudao_model::{Header, Request};

/// Reads a request whose body has at most `body_bytes_max` bytes.
pub(crate) async fn read(request: axum::extract::Request, body_bytes_max: usize) -> Result<Request, Refusal> {
    let (head, body) = request.into_parts();
    let headers = headers(&head.headers)?;
    let body = bounded(body, body_bytes_max).await?;
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

async fn bounded(body: Body, bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    // A body that declares its length is refused before it is sent.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(Refusal::BodyTooLarge);
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge),
        Err(_) => Err(Refusal::BodyBroken),
    }
}
