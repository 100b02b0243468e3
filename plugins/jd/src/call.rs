//! One call of JOS: how it is signed, how its answer is opened, and what each failure means for whoever asks.
//!
//! The business parameters are one JSON text, and the signature covers its exact bytes. The outer code 0 only says that the
//! gateway of JD is content; what the service thinks stands one level down.

use data_encoding::HEXUPPER;
use qudao_sdk::json::{self, word};
use qudao_sdk::{Failure, Host, Incoming, MacAlgorithm, Outgoing, Retry, form, time, token};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where JOS is.
pub(crate) const ORIGIN: &str = "https://api.jd.com";

const TOKENS: [&str; 1] = ["access_token"];
const PARAMETERS: &str = "360buy_param_json";

/// JOS, as one channel may call it.
pub(crate) struct Api<'host> {
    host: &'host dyn Host,
    url: String,
    app_key: String,
}

impl<'host> Api<'host> {
    pub(crate) fn new(host: &'host dyn Host, origin: Option<&str>, app_key: &str) -> Api<'host> {
        let url = format!("{}/routerjson", origin.unwrap_or(ORIGIN));
        Api { host, url, app_key: app_key.to_owned() }
    }

    /// Calls a method; gives what stands under its own name in the answer.
    pub(crate) fn call(&self, method: &str, parameters: &Value) -> Result<Value, Failure> {
        let (access_token, timestamp) = (token("access_token"), time::to_shanghai(self.host.now()));
        let parameters = parameters.to_string();
        let mut all = BTreeMap::from([
            (PARAMETERS, parameters.as_str()),
            ("access_token", &access_token),
            ("app_key", &self.app_key),
            ("method", method),
            ("timestamp", &timestamp),
            ("v", "2.0"),
        ]);
        let sign = sign(&all, self.host)?;
        all.insert("sign", &sign);
        let pair = |(name, value): (&&'static str, &&str)| (*name, (*value).to_owned());
        let (body, query): (Vec<_>, Vec<_>) = all.iter().map(pair).partition(|(name, _)| *name == PARAMETERS);
        let encoded = |pairs: &[(&str, String)]| {
            form::encode(pairs.iter().map(|(name, value)| (*name, value.as_str())))
        };
        let request = Outgoing {
            method: "POST".to_owned(),
            url: format!("{}?{}", self.url, encoded(&query)),
            headers: vec![(
                "content-type".to_owned(),
                "application/x-www-form-urlencoded;charset=utf-8".to_owned(),
            )],
            body: encoded(&body).into_bytes(),
        };
        let answer = self.host.send_with(&request, &TOKENS)?;
        opened(method, &answer)
    }
}

/// Upper-case MD5 over secret, names and values in order of names, secret. Uploads (`@…`) are left out.
fn sign(parameters: &BTreeMap<&str, &str>, host: &dyn Host) -> Result<String, Failure> {
    let signed = parameters.iter().filter(|(name, value)| **name != "sign" && !value.starts_with('@'));
    let text: String = signed.flat_map(|(name, value)| [*name, *value]).collect();
    let digest = host.key("app_secret")?.mac_with(MacAlgorithm::Md5Wrapped, text.as_bytes(), &TOKENS)?;
    Ok(HEXUPPER.encode(&digest))
}

/// The object under `name`, if the service says that it did what was asked.
pub(crate) fn result(mut answer: Value, name: &str, method: &str) -> Result<Value, Failure> {
    let result = answer.get_mut(name).map(Value::take).unwrap_or_default();
    let verdict = result.get("apiResult").unwrap_or(&result);
    let said = ["success", "isSuccess"].iter().find_map(|flag| verdict.get(flag));
    match said.map(word).as_deref() {
        Some("true") | None if result.is_object() => Ok(result),
        Some(_) => {
            let text = |names: &[&str]| {
                names.iter().find_map(|name| verdict.get(*name)).map(word).unwrap_or_default()
            };
            let words = [
                text(&["numberCode", "errorCode", "code"]),
                text(&["englishErrCode", "EnglishErrCode"]),
                text(&["chineseErrCode", "ChineseErrCode"]),
            ];
            Err(Failure::platform("business", told(method, &words)))
        }
        None => Err(Failure::platform("permanent", format!("{method}: the answer has no {name}"))),
    }
}

/// What stands under the method's own name, however JD spells it.
fn opened(method: &str, answer: &Incoming) -> Result<Value, Failure> {
    let read: Result<Map<String, Value>, _> = json::read(&answer.body);
    let mut members = match (answer.status, read) {
        (200, Ok(members)) => members,
        (_, Ok(members)) if members.contains_key("error_response") => members,
        (429, _) => return Err(Failure::rate_limited(format!("{method}: HTTP 429"))),
        (200 | 500.., read) => {
            let why = read.err().map(|error| format!(", the answer {error}")).unwrap_or_default();
            return Err(Failure::transient(format!("{method}: HTTP {}{why}", answer.status)));
        }
        (status, _) => return Err(Failure::platform("permanent", format!("{method}: HTTP {status}"))),
    };
    if let Some(error) = members.get("error_response") {
        return Err(refused(method, error));
    }
    let name = method.replace('.', "_");
    let named = [format!("{name}_responce"), format!("{name}_response")];
    let only = (members.len() == 1).then(|| members.keys().next().cloned()).flatten();
    let found = named.into_iter().chain(only).find_map(|name| members.remove(&name));
    let found = found.ok_or_else(|| {
        Failure::platform("permanent", format!("{method}: the answer is of another method"))
    })?;
    match found.get("code").map(word).as_deref() {
        Some("0") | None => Ok(found),
        Some(_) => Err(refused(method, &found)),
    }
}

/// The table of gateway codes. Of others only the description can tell whether waiting helps.
fn refused(method: &str, error: &Value) -> Failure {
    let text = |name: &str| error.get(name).map(word).unwrap_or_default();
    let words = [text("code"), text("en_desc"), text("zh_desc")];
    let message = told(method, &words);
    let [code, english, chinese] = words;
    match code.as_str() {
        "2" => Failure::rate_limited(message),
        "8" => Failure::operator("clock_skew", message).retry(Retry::After(Duration::from_mins(1))),
        "11" | "12" => Failure::operator("config", message),
        "19" => Failure::operator("auth_expired", message),
        "2001" => Failure::operator("permission", message),
        "4" | "5" | "7" | "14" | "15" | "18" | "20" => Failure::defect("request_bug", message),
        _ => {
            let english = english.to_lowercase();
            let says =
                |words: &[&str]| words.iter().any(|word| english.contains(word) || chinese.contains(word));
            match () {
                () if says(&["limit", "限制", "限流"]) => Failure::rate_limited(message),
                () if says(&["busy", "timeout", "time out", "繁忙", "超时"]) => {
                    Failure::transient(message)
                }
                () => Failure::platform("permanent", message),
            }
        }
    }
}

fn told(method: &str, words: &[String]) -> String {
    let text: String = words.join(" ").chars().filter(|char| !char.is_control()).take(200).collect();
    format!("{method}: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_sdk::{KeyKind, fixtures::NativeHost};

    #[test]
    fn signatures() {
        let vectors: Vec<Value> = serde_json::from_str(include_str!("../fixtures/signing.json")).unwrap();
        assert_eq!(vectors.len(), 13);
        for vector in vectors {
            let secret = vector["app_secret"].as_str().unwrap().as_bytes();
            let key = qudao_keys::Key::parse(KeyKind::SharedSecret, secret).unwrap();
            let host = NativeHost::at("2026-03-11T00:00:00Z".parse().unwrap()).with_key("app_secret", key);
            let parameters = vector["params"].as_object().unwrap();
            let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
            assert_eq!(sign(&parameters.collect(), &host).unwrap(), vector["sign"], "{}", vector["id"]);
        }
    }

    #[track_caller]
    fn check(body: &str, expect: &str) {
        let answer = Incoming { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
        let got = opened("jingdong.a.b", &answer);
        let got = got.map_or_else(|failure| failure.to_string(), |value| value.to_string());
        assert_eq!(got, expect, "{body}");
    }

    #[test]
    fn answers_by_any_of_their_names() {
        check(r#"{"jingdong_a_b_responce":{"code":"0","x":1}}"#, r#"{"code":"0","x":1}"#);
        check(r#"{"jingdong_a_b_response":{"code":0,"x":1}}"#, r#"{"code":0,"x":1}"#);
        check(r#"{"jingdong_c_responce":{"x":1}}"#, r#"{"x":1}"#);
        check(r#"{"a":{},"b":{}}"#, "permanent: jingdong.a.b: the answer is of another method");
        check(r#"{"jingdong_a_b_responce":{"code":"19"}}"#, "auth_expired: jingdong.a.b: 19  ");
        check("<html>", "transient: jingdong.a.b: HTTP 200, the answer is not JSON at line 1 column 1");
    }

    #[test]
    fn unknown_codes_wait_only_where_waiting_is_said_to_help() {
        for (said, expect) in [
            ("Call limit of this minute", "rate_limited"),
            ("System busy", "transient"),
            ("服务超时", "transient"),
            ("Something new", "permanent"),
        ] {
            assert_eq!(
                refused("m", &serde_json::json!({"code": "77", "en_desc": said, "zh_desc": said})).code,
                expect
            );
        }
    }
}
