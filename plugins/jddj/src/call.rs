//! One question to JDDJ: signed form out, and the answer opened as often as it is JSON in JSON. The outer code 0 is not
//! success: the service's own code stands within the data.

use crate::sign;
use qudao_sdk::{Failure, Host, Incoming, Outgoing, Retry, form, json, time, token};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where JDDJ is.
pub(crate) const ORIGIN: &str = "https://openapi.jddj.com";

/// JDDJ refuses two calls of one second, so a call's time is set back by less than this. Calls have no order.
const SPREAD_S: i64 = 30;

/// JDDJ, as one channel may call it.
pub(crate) struct Api<'host> {
    host: &'host dyn Host,
    origin: String,
    app_key: String,
}

impl<'host> Api<'host> {
    pub(crate) fn new(host: &'host dyn Host, origin: Option<&str>, app_key: &str) -> Api<'host> {
        Api { host, origin: origin.unwrap_or(ORIGIN).to_owned(), app_key: app_key.to_owned() }
    }

    /// The order of a number; no row where JDDJ does not know it.
    pub(crate) fn order(&self, order_no: &str) -> Result<Vec<Value>, Failure> {
        if !(1..=20).contains(&order_no.len()) || !order_no.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("a number of JDDJ has only digits, not {order_no:?}");
            return Err(Failure::platform("business", message));
        }
        let result = self.call("order/es/query", &json!({"orderId": order_no}))?;
        let rows = result.get("resultList").and_then(Value::as_array).into_iter().flatten();
        let its = |row: &&Value| row.get("orderId").map(json::word).as_deref() == Some(order_no);
        Ok(rows.filter(its).cloned().collect())
    }

    fn call(&self, path: &str, parameters: &Value) -> Result<Value, Failure> {
        let early = self.host.random(1).first().map_or(0, |byte| i64::from(*byte) % SPREAD_S);
        let timestamp = time::to_shanghai(self.host.now() - Duration::from_secs(early.unsigned_abs()));
        let (token, parameters) = (token("token"), parameters.to_string());
        let mut all = BTreeMap::from([
            ("token", token.as_str()),
            ("app_key", &self.app_key),
            ("timestamp", &timestamp),
            ("format", "json"),
            ("v", "1.0"),
            ("jd_param_json", &parameters),
        ]);
        let sign = sign::sign(&all, &sign::TOKENS, self.host)?;
        all.insert("sign", &sign);
        let content_type = "application/x-www-form-urlencoded;charset=utf-8";
        let request = Outgoing {
            method: "POST".to_owned(),
            url: format!("{}/djapi/{path}", self.origin),
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: form::encode(all).into_bytes(),
        };
        let answer = self.host.send_with(&request, &sign::TOKENS)?;
        opened(path, &answer)
    }
}

/// The result: what stands in the data that stands in the answer, each of which may be text.
fn opened(path: &str, answer: &Incoming) -> Result<Value, Failure> {
    let outer: Map<String, Value> = match (answer.status, json::read(&answer.body)) {
        (200, Ok(outer)) => outer,
        (429, _) => return Err(Failure::rate_limited(format!("{path}: HTTP 429"))),
        (200 | 500.., read) => {
            let why = read.err().map(|error| format!(", the answer {error}")).unwrap_or_default();
            return Err(Failure::transient(format!("{path}: HTTP {}{why}", answer.status)));
        }
        (status, _) => return Err(Failure::platform("permanent", format!("{path}: HTTP {status}"))),
    };
    succeeded(path, &outer, &["code"], &["msg"])?;
    let data = outer.get("data").cloned().map(decoded).unwrap_or_default();
    if let Value::Object(inner) = &data {
        succeeded(path, inner, &["code", "retCode"], &["msg", "retMsg"])?;
    }
    Ok(data.get("result").cloned().map(decoded).unwrap_or_default())
}

/// A code that is not 0 is a failure; data without a code of its own is not.
fn succeeded(path: &str, of: &Map<String, Value>, codes: &[&str], texts: &[&str]) -> Result<(), Failure> {
    let first = |names: &[&str]| names.iter().find_map(|name| of.get(*name)).map(json::word);
    match first(codes) {
        Some(code) if code != "0" => Err(refused(path, &code, &first(texts).unwrap_or_default())),
        Some(_) | None => Ok(()),
    }
}

/// Of most codes only the text can tell what they mean; what is not known is not tried again.
fn refused(path: &str, code: &str, text: &str) -> Failure {
    let shown: String = text.chars().filter(|char| !char.is_control()).take(200).collect();
    let message = format!("{path}: {code} {shown}");
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match code {
        "-10000" => Failure::transient(message),
        _ if says(&["limit", "限制", "限流", "频率"]) => Failure::rate_limited(message),
        _ if says(&["busy", "timeout", "time out", "繁忙", "超时"]) => Failure::transient(message),
        _ if says(&["时间戳", "timestamp"]) => {
            Failure::operator("clock_skew", message).retry(Retry::After(Duration::from_mins(1)))
        }
        _ if says(&["token"]) => Failure::operator("auth_expired", message),
        _ if says(&["签名", "signature"]) => Failure::operator("config", message),
        _ => Failure::platform("business", message),
    }
}

/// Opens a text that is JSON, as often as it is.
fn decoded(value: Value) -> Value {
    let opened = value.as_str().filter(|text| text.trim_start().starts_with('{'));
    match opened.and_then(|text| serde_json::from_str(text).ok()) {
        Some(inner) => decoded(inner),
        None => value,
    }
}
