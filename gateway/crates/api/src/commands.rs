//! Commands: what the gateway is to ask a channel to do. An idempotency key makes asking twice the same as asking once.

use crate::{
    App,
    extract::{Json, Path, Query},
    listed::{ById, Limit, Listed},
    problem::{Code, Problem},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use qudao_model::Timestamp;
use qudao_pipeline::NewCommandRequest;
use qudao_storage::{CommandFilter, CommandRow, CommandState};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

const KEY_HEADER: &str = "idempotency-key";
/// Visible ASCII, so that a header can carry it.
const KEY_MAX: usize = 200;

/// A command to be done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCommand {
    /// Name of the channel; it must be live.
    channel: String,
    /// As the connector's manifest names it.
    kind: String,
    /// As the connector's manifest wants it.
    payload: Value,
    /// 1 to 200 visible ASCII characters of your choice, the same whenever you repeat this command; or give it as the header
    /// `Idempotency-Key`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[!-~]+$"))]
    idempotency_key: Option<String>,
    /// When it is no longer wanted, RFC 3339: then it expires unless it was sent before.
    #[serde(default)]
    not_after: Option<Timestamp>,
}

/// Which commands; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commands {
    /// Name of the channel.
    channel: Option<String>,
    /// As the manifest names it.
    kind: Option<String>,
    /// How it stands.
    state: Option<CommandState>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
    cursor: Option<String>,
}

/// 201 for a new one; 200 where the key was used for the same before: then it stands as shown.
pub(crate) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    Json(new): Json<NewCommand>,
) -> Result<(StatusCode, axum::Json<CommandRow>), Problem> {
    let idempotency_key = key(&headers, new.idempotency_key)?;
    let NewCommand { channel, kind, payload, not_after, .. } = new;
    let request = NewCommandRequest { channel, kind, idempotency_key, payload, not_after };
    let (row, new) = app.gateway.command(request).await?;
    Ok((if new { StatusCode::CREATED } else { StatusCode::OK }, axum::Json(row)))
}

pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<Commands>,
) -> Result<axum::Json<Listed<CommandRow>>, Problem> {
    let Commands { channel, kind, state, limit, cursor } = query;
    let filter = CommandFilter { channel, kind, state, limit: limit.0, cursor };
    let page = app.gateway.storage().commands(&filter).await?;
    Ok(axum::Json(page.into()))
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<axum::Json<CommandRow>, Problem> {
    let found = app.gateway.storage().command(&id).await?;
    found.map(axum::Json).ok_or_else(|| {
        let hint = "`/v1/commands` lists them; ids begin with `cmd_`";
        Problem::new(Code::UnknownCommand, format!("there is no command `{id}`"), hint)
    })
}

/// The key of header or body; both may be there where they say the same.
fn key(headers: &HeaderMap, in_body: Option<String>) -> Result<String, Problem> {
    let bad = |detail: &str| {
        let hint = "give each command a key of your own, such as its number in your system, and repeat it with the same";
        Problem::new(Code::BadIdempotencyKey, detail, hint)
    };
    let mut given = headers.get_all(KEY_HEADER).iter().map(|value| value.to_str().ok().map(str::to_owned));
    let in_header = given.next();
    if given.next().is_some() {
        return Err(bad("the header `Idempotency-Key` is given twice"));
    }
    let in_header = in_header.map(Option::unwrap_or_default);
    let key = match (in_header, in_body) {
        (Some(header), Some(body)) if header != body => {
            return Err(bad("the header `Idempotency-Key` and `idempotency_key` of the body differ"));
        }
        (Some(key), _) | (None, Some(key)) => key,
        (None, None) => return Err(bad("there is no idempotency key")),
    };
    if !(1..=KEY_MAX).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad("an idempotency key has 1 to 200 visible ASCII characters"));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn one_key_of_header_or_body_counts() {
        let long = "k".repeat(201);
        for (header, body, expect) in [
            (&["k-1"][..], None, Some("k-1")),
            (&[], Some("k-1"), Some("k-1")),
            (&["k-1"], Some("k-1"), Some("k-1")),
            (&["k-1"], Some("k-2"), None),
            (&["k-1", "k-1"], None, None),
            (&[], None, None),
            (&[""], None, None),
            (&[], Some("two words"), None),
            (&[], Some("钥匙"), None),
            (&[], Some(&long), None),
        ] {
            let mut headers = HeaderMap::new();
            for value in header {
                headers.append(KEY_HEADER, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(key(&headers, body.map(str::to_owned)).ok().as_deref(), expect, "{header:?} {body:?}");
        }
    }
}
