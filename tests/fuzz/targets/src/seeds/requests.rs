//! Requests to the private listener, from its own description: every operation, each with every parameter, cursors that can be
//! read, and bodies that get as far as the channel.

use super::Seeds;
use crate::private::{CHANNEL, FILES, WEBHOOK};
use crate::root;
use serde_json::{Value, json};

/// Places in lists: as they are, before 1970, of no time that can be, and beyond what a place can hold.
const CURSORS: [&str; 8] = [
    "1766623748000000.5",
    "1766623748000000.-1",
    "0.0",
    "-5.9223372036854775807",
    "9223372036854775807.9223372036854775807",
    "-9223372036854775808.-9223372036854775808",
    "9223372036854775808.1",
    "18446744073709551615.18446744073709551615",
];

/// Places in the feed.
const PLACES: [&str; 6] =
    ["0", "3", "-1", "9223372036854775807", "9223372036854775808", "18446744073709551615"];

/// Requests of every path that the API document names.
pub fn private() -> Seeds {
    crate::private::prepare();
    let document = std::fs::read(root().join("docs/openapi.json")).expect("the API document");
    let document: Value = serde_json::from_slice(&document).expect("JSON");
    let mut seeds = Seeds::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let name = format!("{}{}", method.to_uppercase(), path.replace(['/', '{', '}'], "_"));
            let asked = Asked { method: method.to_uppercase(), path: placed(path), document: &document };
            asked.seeds(&name, operation, &mut seeds);
        }
    }
    seeds.extend(feed());
    seeds.extend(bodies());
    seeds
}

/// One operation to ask for.
struct Asked<'a> {
    method: String,
    path: String,
    document: &'a Value,
}

impl Asked<'_> {
    fn seeds(&self, name: &str, operation: &Value, seeds: &mut Seeds) {
        let Asked { method, path, document } = self;
        let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
        let query = || parameters.iter().filter(|parameter| parameter["in"] == "query");
        let each: Vec<String> = query().filter_map(|parameter| given(document, parameter)).collect();
        seeds.push((name.to_owned(), format!("{method} {path}\n\n").into_bytes()));
        let full = format!("{method} {path}?{}\ncontent-type: application/json\n\n{{}}", each.join("&"));
        seeds.push((format!("{name}_query"), full.into_bytes()));
        // All of them together leave nothing to be listed.
        for (at, one) in each.iter().enumerate() {
            seeds.push((format!("{name}_query_{at}"), format!("{method} {path}?{one}\n\n").into_bytes()));
        }
        if query().any(|parameter| parameter["name"] == "cursor") {
            seeds.push((format!("{name}_cursor_raw"), format!("{method} {path}?cursor=1\n\n").into_bytes()));
            for (at, cursor) in CURSORS.iter().enumerate() {
                let text = format!("{method} {path}?limit=2\ncursor: {cursor}\n\n");
                seeds.push((format!("{name}_cursor_{at}"), text.into_bytes()));
            }
        }
    }
}

/// Parameters of a path that there are: an id is that of the first on its list.
fn placed(path: &str) -> String {
    let list = path.split('/').nth(2).unwrap_or_default();
    let list = if path.ends_with("/deliveries/{id}/retry") { "failed" } else { list };
    let name = match list {
        "webhooks" => WEBHOOK,
        "channels" => CHANNEL,
        _ => "more.csv",
    };
    path.replace("{id}", &format!("{{{list}}}")).replace("{name}", name).replace("{channel}", FILES)
}

/// A parameter with something that it may be; a cursor comes otherwise.
fn given(document: &Value, parameter: &Value) -> Option<String> {
    let name = parameter["name"].as_str()?;
    let schema = &parameter["schema"];
    let named = schema["$ref"].as_str().and_then(|at| document.pointer(at.strip_prefix('#')?));
    let words =
        named.map(
            |schema| {
                if schema["enum"].is_array() { &schema["enum"][0] } else { &schema["oneOf"][0]["const"] }
            },
        );
    let value = match (name, words.and_then(Value::as_str)) {
        ("cursor", _) => return None,
        (_, Some(word)) => word,
        ("channel", None) => CHANNEL,
        ("store", None) => "0012",
        ("sku", None) => "A",
        (_, None) if schema["format"] == "date-time" => "2025-01-01T00:00:00Z",
        (_, None) => "1",
    };
    Some(format!("{name}={value}"))
}

fn feed() -> Seeds {
    let mut seeds = Seeds::new();
    for (at, place) in PLACES.iter().enumerate() {
        let listed = format!("GET /v1/events?after={place}&limit=2\n\n");
        let stream = format!("GET /v1/events/stream\nlast-event-id: {place}\n\n");
        let again = format!(
            "POST /v1/webhooks/{WEBHOOK}/redeliver\ncontent-type: application/json\n\n{{\"after\":{place}}}"
        );
        for (name, text) in [("events", listed), ("stream", stream), ("redeliver", again)] {
            seeds.push((format!("{name}_{at}"), text.into_bytes()));
        }
    }
    seeds.push((
        "events_type".to_owned(),
        b"GET /v1/events?type=qudao.order.*,a&after=2&limit=5&wait=3\n\n".to_vec(),
    ));
    seeds
}

/// Bodies that are what they should be, and the same values without names.
fn bodies() -> Seeds {
    let command = json!({
        "channel": CHANNEL, "kind": "refund.create", "payload": {"refund_no": "R2"}, "idempotency_key": "c2",
        "not_after": "2027-01-01T00:00:00Z",
    });
    let expected = json!({"channel": CHANNEL, "order_no": "SO1", "amount_fen": 100});
    let reason = json!({"purpose": "a parcel came back", "actor": "zhang"});
    let good = [
        ("command", "/v1/commands", command),
        ("expect", "/v1/payments/expect", expected),
        ("confirm", "/v1/imports/{imports}/confirm", json!({"stores": ["0012"]})),
        ("discard", "/v1/imports/{imports}/discard", json!({"stores": ["0012"]})),
        ("reveal", "/v1/orders/{orders}/reveal", reason.clone()),
        ("forget", "/v1/orders/{orders}/forget", reason),
        ("redeliver", "/v1/webhooks/hq/redeliver", json!({"after": 1})),
    ];
    let mut seeds = Seeds::new();
    for (name, path, body) in good {
        let values: Vec<&Value> = body.as_object().into_iter().flatten().map(|(_, value)| value).collect();
        for (kind, body) in [("good", body.to_string()), ("values", json!(values).to_string())] {
            let text = format!("POST {path}\ncontent-type: application/json\n\n{body}");
            seeds.push((format!("body_{name}_{kind}"), text.into_bytes()));
        }
        seeds.push((format!("body_{name}_bare"), format!("POST {path}\n\n{body}").into_bytes()));
    }
    let key = json!({"channel": CHANNEL, "kind": "refund.create", "payload": {"refund_no": "R3"}});
    let text = format!("POST /v1/commands\ncontent-type: application/json\nidempotency-key: c3\n\n{key}");
    seeds.push(("body_command_key".to_owned(), text.into_bytes()));
    seeds.push((
        "file".to_owned(),
        format!("POST /v1/files/{FILES}/new.csv\n\nstore,sku,qty\n0012,A1,9\n").into_bytes(),
    ));
    seeds
}
