//! `/_sim/…`: setting the clock, asking for faults, driving the platform by hand, reading the ledger.

use super::connection::Desk;
use super::{Ask, Reply};
use crate::Error;
use crate::fault::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(untagged)]
enum Faults {
    One(Fault),
    Several(Vec<Fault>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    at: Option<Value>,
    advance: Option<i64>,
}

pub(super) fn answer(desk: &Desk, ask: &Ask, what: &str) -> Reply {
    let done = match (ask.method.as_str(), what) {
        ("GET", "ledger") => Ok(ledger(desk)),
        ("GET", "clock") => Ok(clock(desk)),
        ("POST", "clock") => read(&ask.body).and_then(|setting| set(desk, setting)),
        ("GET", "faults") => Ok(json!(desk.common.faults.pending())),
        ("POST", "faults") => read(&ask.body).map(|faults| add(desk, faults)),
        ("DELETE", "faults") => {
            desk.common.faults.clear();
            Ok(json!([]))
        }
        ("POST", what) => read(&ask.body).and_then(|how| desk.face.drive(what, how)),
        _ => Err(Error::Refused(format!("there is no {} /_sim/{what}", ask.method))),
    };
    match done {
        Ok(value) => Reply::json(&value),
        Err(error) => {
            let body = json!({"error": error.to_string()}).to_string();
            Reply::new(400, "application/json;charset=UTF-8", body.into_bytes())
        }
    }
}

/// Reads what somebody wrote by hand; nothing at all counts as an empty object.
fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Error::Refused(error.to_string()))
}

fn ledger(desk: &Desk) -> Value {
    let mut ledger = desk.face.ledger();
    if let Value::Object(members) = &mut ledger {
        members.insert("calls".to_owned(), json!(desk.common.calls.all()));
        members.insert("now".to_owned(), json!(desk.common.clock.now()));
    }
    ledger
}

fn clock(desk: &Desk) -> Value {
    let now = desk.common.clock.now();
    json!({"now": now, "utc": jiff::Timestamp::from_second(now).map(|at| at.to_string()).unwrap_or_default()})
}

fn set(desk: &Desk, setting: Setting) -> Result<Value, Error> {
    match setting.at {
        Some(Value::Number(at)) => desk.common.clock.set(at.as_i64().unwrap_or_default()),
        Some(Value::String(at)) => {
            let at: jiff::Timestamp = at.parse().map_err(|error| Error::Refused(format!("{error}")))?;
            desk.common.clock.set(at.as_second());
        }
        None => {}
        Some(_) => return Err(Error::Refused("at is RFC 3339 or unix seconds".to_owned())),
    }
    desk.common.clock.advance(setting.advance.unwrap_or(0));
    Ok(clock(desk))
}

fn add(desk: &Desk, faults: Faults) -> Value {
    match faults {
        Faults::One(fault) => desk.common.faults.add(fault),
        Faults::Several(faults) => faults.into_iter().for_each(|fault| desk.common.faults.add(fault)),
    }
    json!(desk.common.faults.pending())
}
