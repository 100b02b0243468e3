//! Calls a simulator as a client of the real platform would, with a signature made here.

#![allow(dead_code, reason = "each test file uses its part")]

use data_encoding::HEXUPPER;
use md5::{Digest, Md5};
use reqwest::{Client, Response};
use serde_json::Value;

/// 2026-03-12 00:59:51 in Beijing.
pub(crate) const NOW: i64 = 1_773_248_391;
pub(crate) const NOW_TEXT: &str = "2026-03-12 00:59:51";

pub(crate) fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// MD5 over secret, sorted names and values, secret.
pub(crate) fn sign(secret: &str, parameters: &[(String, String)]) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort();
    let text: String = sorted.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
    HEXUPPER.encode(&Md5::digest(format!("{secret}{text}{secret}")))
}

pub(crate) fn owned(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The same with another value of one parameter, or without it where the value is `-`.
pub(crate) fn changed(parameters: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    let mut changed = parameters.to_vec();
    changed.iter_mut().filter(|(at, _)| at == name).for_each(|(_, at)| value.clone_into(at));
    changed.retain(|(at, _)| value != "-" || at != name);
    changed
}

pub(crate) fn encode(parameters: &[(String, String)]) -> String {
    serde_urlencoded::to_string(parameters).unwrap()
}

/// Posts a form.
pub(crate) async fn post(url: &str, body: String) -> Result<Response, reqwest::Error> {
    let kind = "application/x-www-form-urlencoded;charset=utf-8";
    client().post(url).header("content-type", kind).body(body).send().await
}

pub(crate) async fn get_json(url: &str) -> Value {
    client().get(url).send().await.unwrap().json().await.unwrap()
}

pub(crate) async fn post_json(url: &str, body: Value) -> (u16, Value) {
    let answer = client().post(url).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Every member of the sample is in the answer, with a value of the same kind. First rows stand for all.
pub(crate) fn same_shape(sample: &Value, answer: &Value, at: &str) {
    match (sample, answer) {
        (Value::Object(sample), Value::Object(answer)) => {
            for (name, value) in sample {
                let found =
                    answer.get(name).unwrap_or_else(|| panic!("{at}.{name} is missing in {answer:?}"));
                same_shape(value, found, &format!("{at}.{name}"));
            }
        }
        (Value::Array(sample), Value::Array(answer)) => {
            if let (Some(sample), Some(answer)) = (sample.first(), answer.first()) {
                same_shape(sample, answer, &format!("{at}[0]"));
            }
        }
        (sample, answer) => {
            let kind = |value: &Value| match value {
                Value::Null => "null",
                Value::Bool(_) => "truth",
                Value::Number(_) => "number",
                Value::String(_) => "text",
                Value::Array(_) => "list",
                Value::Object(_) => "object",
            };
            assert_eq!(kind(sample), kind(answer), "{at}: {sample} and {answer}");
        }
    }
}

pub(crate) fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
