//! The feed over HTTP: pages with waiting, and the same as server-sent events.

use crate::{
    App,
    extract::Query,
    listed::Limit,
    problem::{Code, Problem},
};
use aide::{OperationOutput, generate::GenContext, openapi};
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::StreamExt as _;
use qudao_feed::FeedQuery;
use qudao_model::{CloudEvent, fault::chain};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{convert::Infallible, future::ready, time::Duration};

/// `application/cloudevents-batch+json`
const BATCH: &str = "application/cloudevents-batch+json";
/// Longest long-poll: below the minute after which many proxies hang up.
const WAIT_SECONDS_MAX: u64 = 60;
/// Pause after which a silent stream says that it is alive; proxies hang up after 30 to 60 seconds.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Where a reader of server-sent events continues.
const LAST_EVENT_ID: &str = "last-event-id";

/// Which events, and how long to wait for them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// Only events with a greater `seq`; absent: from the first.
    #[serde(default)]
    after: u64,
    /// Most events of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// Seconds to wait while there is none, at most 60; absent: do not wait.
    #[serde(default)]
    #[schemars(with = "u64", range(max = 60))]
    wait: Wait,
    /// Types, separated by commas or by repeating the parameter; a `*` at the end stands for any rest.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = r"^[^*,]*(\*\s*)?(,[^*,]*(\*\s*)?)*$"))]
    r#type: Types,
}

/// Which events.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stream {
    /// Only events with a greater `seq`; the header `Last-Event-ID` goes before it.
    #[serde(default)]
    after: u64,
    /// Types, separated by commas or by repeating the parameter; a `*` at the end stands for any rest.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = r"^[^*,]*(\*\s*)?(,[^*,]*(\*\s*)?)*$"))]
    r#type: Types,
}

#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "u64")]
struct Wait(Duration);

impl TryFrom<u64> for Wait {
    type Error = String;

    fn try_from(seconds: u64) -> Result<Wait, String> {
        match seconds {
            0..=WAIT_SECONDS_MAX => Ok(Wait(Duration::from_secs(seconds))),
            _ => Err(format!("{seconds} is more than {WAIT_SECONDS_MAX} seconds")),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "String")]
struct Types(Vec<String>);

impl TryFrom<String> for Types {
    type Error = String;

    fn try_from(list: String) -> Result<Types, String> {
        let types: Vec<String> =
            list.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect();
        match types.iter().find(|word| word.trim_end_matches('*').contains('*') || word.ends_with("**")) {
            Some(wrong) => Err(format!("`{wrong}` has a `*` elsewhere than once at its end")),
            None => Ok(Types(types)),
        }
    }
}

/// A page of the feed.
pub(crate) struct Batch(Vec<CloudEvent>);

pub(crate) async fn page(State(app): State<App>, Query(query): Query<Page>) -> Result<Batch, Problem> {
    let query =
        FeedQuery { after: query.after, limit: query.limit.0, wait: query.wait.0, types: query.r#type.0 };
    let feed = app.gateway.feed();
    tokio::select! {
        biased;
        events = feed.page(&query) => Ok(Batch(events?)),
        () = app.stop.cancelled() => Ok(Batch(Vec::new())),
    }
}

pub(crate) async fn stream(
    State(app): State<App>,
    headers: HeaderMap,
    Query(query): Query<Stream>,
) -> Result<Response, Problem> {
    let after = last_event_id(&headers)?.unwrap_or(query.after);
    let events = app
        .gateway
        .feed()
        .stream(after, query.r#type.0)
        // A reader that sees the end comes again with the last id it has; that is all the repair there is.
        .scan((), |(), event| ready(told(event)))
        .take_until(app.stop.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Nothing ends the stream.
fn told(event: Result<CloudEvent, qudao_feed::Error>) -> Option<Result<Event, Infallible>> {
    event
        .inspect_err(|error| tracing::error!(error = %chain(error), "a stream of events ended: {error}"))
        .ok()
        .map(|event| Ok(sent(&event)))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let seq = value.to_str().ok().and_then(|text| text.parse().ok());
    seq.map(Some).ok_or_else(|| {
        let hint = "send the `id` of the last event you have, a whole number";
        Problem::new(Code::BadQuery, "`Last-Event-ID` is not a `seq`", hint)
    })
}

fn sent(event: &CloudEvent) -> Event {
    // Serialising plain structs with text keys cannot fail.
    let data = serde_json::to_string(event).unwrap_or_default();
    Event::default().id(event.seq.to_string()).event(&event.r#type).data(data)
}

impl IntoResponse for Batch {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        ([(header::CONTENT_TYPE, BATCH)], body).into_response()
    }
}

impl OperationOutput for Batch {
    type Inner = Vec<CloudEvent>;

    fn operation_response(context: &mut GenContext, _: &mut openapi::Operation) -> Option<openapi::Response> {
        Some(crate::describe::response::<Vec<CloudEvent>>(context, BATCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_take_a_star_only_at_the_end() {
        let types = |list: &str| Types::try_from(list.to_owned()).map(|types| types.0.join(" "));
        assert_eq!(types("a.b, c.*,,"), Ok("a.b c.*".to_owned()));
        assert_eq!(types("*"), Ok("*".to_owned()));
        for bad in ["a*b", "*.v1", "a.**"] {
            assert!(types(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_last_event_id_must_be_a_number() {
        let header =
            |value: &str| HeaderMap::from_iter([(LAST_EVENT_ID.parse().unwrap(), value.parse().unwrap())]);
        assert_eq!(last_event_id(&HeaderMap::new()), Ok(None));
        assert_eq!(last_event_id(&header("")), Ok(None));
        assert_eq!(last_event_id(&header("12")), Ok(Some(12)));
        assert!(last_event_id(&header("evt_x")).is_err());
        assert!(last_event_id(&header("-1")).is_err());
    }
}
