//! Query, path and body, with problem documents for what cannot be read.

use crate::problem::{Code, Problem};
use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request, rejection::JsonRejection},
    http::{StatusCode, Uri, request::Parts},
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// May be repeated; the values are joined with commas.
const LISTS: [&str; 1] = ["type"];

/// Query parameters. Empty ones are absent, unknown and repeated ones are refused.
pub(crate) struct Query<T>(pub(crate) T);

/// Path parameters.
pub(crate) struct Path<T>(pub(crate) T);

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query<T>, Problem> {
        let bad = |detail: String| {
            Problem::new(Code::BadQuery, detail, "`/openapi.json` lists the query parameters of each path")
        };
        let tidied = tidied(parts.uri.query().unwrap_or_default()).map_err(bad)?;
        let uri = Uri::try_from(format!("/?{tidied}")).map_err(|error| bad(error.to_string()))?;
        match axum::extract::Query::<T>::try_from_uri(&uri) {
            Ok(axum::extract::Query(query)) => Ok(Query(query)),
            Err(rejection) => {
                let text = rejection.body_text();
                let detail = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                Err(bad(detail.to_owned()))
            }
        }
    }
}

fn tidied(query: &str) -> Result<String, String> {
    let given: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|error| error.to_string())?;
    let mut kept: Vec<(String, String)> = Vec::new();
    for (name, value) in given.into_iter().filter(|(_, value)| !value.is_empty()) {
        match kept.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) if LISTS.contains(&name.as_str()) => {
                values.push(',');
                values.push_str(&value);
            }
            Some(_) => return Err(format!("`{name}` is given twice")),
            None => kept.push((name, value)),
        }
    }
    serde_urlencoded::to_string(kept).map_err(|error| error.to_string())
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Path(path)),
            Err(rejection) => {
                Err(Problem::new(Code::BadPath, rejection.body_text(), "percent-encode the path as UTF-8"))
            }
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, Problem> {
        match <axum::Json<T> as FromRequest<S>>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Json(body)),
            Err(rejection) => Err(bad_body(&rejection)),
        }
    }
}

/// A body that may be left out.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Json<T>>, Problem> {
        match <axum::Json<T> as OptionalFromRequest<S>>::from_request(request, state).await {
            Ok(body) => Ok(body.map(|axum::Json(body)| Json(body))),
            Err(rejection) => Err(bad_body(&rejection)),
        }
    }
}

fn bad_body(rejection: &JsonRejection) -> Problem {
    let text = rejection.body_text();
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(Code::BodyTooLarge, text, "nothing here takes more than 64 KiB");
    }
    if let JsonRejection::MissingJsonContentType(_) = rejection {
        return Problem::new(Code::UnsupportedMediaType, text, "send `Content-Type: application/json`");
    }
    Problem::new(Code::BadBody, text, "`/openapi.json` has the schema of the body")
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        axum::extract::Query::<T>::operation_input(context, operation);
    }
}

impl<T: JsonSchema> OperationInput for Path<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        axum::extract::Path::<T>::operation_input(context, operation);
    }
}

impl<T: JsonSchema> OperationInput for Json<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        axum::Json::<T>::operation_input(context, operation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_tidied() {
        for (query, expect) in [
            ("", Ok("")),
            ("a=1&b=", Ok("a=1")),
            ("type=x&type=y,z", Ok("type=x%2Cy%2Cz")),
            ("a=1&a=1", Err("`a` is given twice")),
            ("a=%E4%B8%80+%2B", Ok("a=%E4%B8%80+%2B")),
        ] {
            assert_eq!(tidied(query).as_deref().map_err(String::as_str), expect, "{query:?}");
        }
    }
}
