//! Query, path and body, with problem documents for what cannot be read.

use crate::problem::{Code, Problem};
use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    body::HttpBody as _,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request, rejection::JsonRejection},
    http::{StatusCode, Uri, header::CONTENT_TYPE, request::Parts},
};
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{fmt, marker::PhantomData};

/// May be repeated; the values are joined with commas.
const LISTS: [&str; 1] = ["type"];

/// Query parameters. Empty ones are absent, unknown and repeated ones are refused.
pub(crate) struct Query<T>(pub(crate) T);

/// Path parameters.
pub(crate) struct Path<T>(pub(crate) T);

/// A JSON body, which is an object.
pub(crate) struct Json<T>(pub(crate) T);

/// Read from an object only: serde would also read a struct from an array of its values in order, which no schema here allows.
struct Object<T>(T);

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
        match <axum::Json<Object<T>> as FromRequest<S>>::from_request(request, state).await {
            Ok(axum::Json(Object(body))) => Ok(Json(body)),
            Err(rejection) => Err(bad_body(&rejection)),
        }
    }
}

/// A body that may be left out. One that does not say what it is would pass for none, and what it leaves out be done.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Json<T>>, Problem> {
        if !request.headers().contains_key(CONTENT_TYPE) && !request.body().is_end_stream() {
            return <Json<T> as FromRequest<S>>::from_request(request, state).await.map(Some);
        }
        match <axum::Json<Object<T>> as OptionalFromRequest<S>>::from_request(request, state).await {
            Ok(body) => Ok(body.map(|axum::Json(Object(body))| Json(body))),
            Err(rejection) => Err(bad_body(&rejection)),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
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
    use axum::response::IntoResponse as _;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        row: u64,
    }

    #[test]
    fn a_body_is_an_object() {
        let read = |text: &str| {
            serde_json::from_str::<Object<Line>>(text)
                .map(|Object(line)| line)
                .map_err(|error| error.to_string())
        };
        let says = |text: &str, expect: &str| {
            let error = read(text).unwrap_err();
            assert!(error.contains(expect), "{text}: {error}");
        };
        assert_eq!(read(r#"{"row": 3}"#), Ok(Line { row: 3 }));
        says("[3]", "invalid type: sequence, expected an object");
        says("3", "invalid type: integer `3`, expected an object");
        says("null", "invalid type: null, expected an object");
        says(r#"{"row": 3, "row": 4}"#, "duplicate field `row`");
        says(r#"{"row": 3, "rows": 4}"#, "unknown field `rows`");
    }

    #[tokio::test]
    async fn a_body_that_may_be_left_out_is_not_overlooked() {
        for (media, body, expect) in [
            (None, "", Ok(None)),
            (Some("application/json"), r#"{"row": 3}"#, Ok(Some(3))),
            (None, r#"{"row": 3}"#, Err(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
            (
                Some("application/x-www-form-urlencoded"),
                r#"{"row": 3}"#,
                Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ),
            (Some("application/json"), "[3]", Err(StatusCode::BAD_REQUEST)),
        ] {
            let mut request = Request::new(axum::body::Body::from(body));
            if let Some(media) = media {
                request.headers_mut().insert(CONTENT_TYPE, media.parse().unwrap());
            }
            let read = <Json<Line> as OptionalFromRequest<()>>::from_request(request, &()).await;
            let row = read.map(|line| line.map(|Json(line)| line.row));
            assert_eq!(row.map_err(|problem| problem.into_response().status()), expect, "{media:?} {body}");
        }
    }

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
