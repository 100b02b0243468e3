//! `OpenAPI` v3: the same fields as JSON over paths, signatures in headers over the whole body.

use super::{Answer, Api, ESCAPED, platform, refusal};
use crate::settings::Mode;
use crate::wire::answer::Status;
use percent_encoding::utf8_percent_encode;
use qudao_sdk::{Failure, Incoming, Outgoing, base64, json};
use serde::Deserialize;
use serde_json::Value;

const SCHEMA: &str = "ALIPAY-SHA256withRSA";
const AUTH_TOKEN: &str = "alipay-app-auth-token";

/// An error answer.
#[derive(Deserialize)]
struct ApiError {
    code: String,
}

/// Posts business fields to a path.
pub(super) fn call(api: &Api<'_>, path: &str, fields: &Value) -> Result<Answer, Failure> {
    let nonce = data_encoding::HEXLOWER.encode(&api.host.random(16));
    let body = fields.to_string();
    let millis = api.host.now().as_millisecond().to_string();
    let mut headers = vec![
        ("Authorization".to_owned(), authorization(api, &["POST", path, &millis, &nonce, &body])?),
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("alipay-request-id".to_owned(), nonce),
    ];
    if api.settings.mode == Mode::Certificate {
        headers.push(("alipay-root-cert-sn".to_owned(), api.root_cert_sn()?));
    }
    if let Some(token) = &api.settings.app_auth_token {
        headers.push((AUTH_TOKEN.to_owned(), token.clone()));
    }
    let url = format!("{}{path}", api.origin());
    let request = Outgoing { method: "POST".to_owned(), url, headers, body: body.into_bytes() };
    read(api, api.host.send(&request)?)
}

/// The header of one request: method, path with query, unix milliseconds, nonce, body.
pub fn authorization(api: &Api<'_>, signed: &[&str; 5]) -> Result<String, Failure> {
    let [method, path, millis, nonce, body] = signed;
    let mut parameters = format!("app_id={}", api.settings.app_id);
    if api.settings.mode == Mode::Certificate {
        parameters = format!("{parameters},app_cert_sn={}", api.app_cert_sn()?);
    }
    parameters = format!("{parameters},nonce={nonce},timestamp={millis}");
    let mut text = format!("{parameters}\n{method}\n{path}\n{body}\n");
    if let Some(token) = &api.settings.app_auth_token {
        text = format!("{text}{token}\n");
    }
    let sign = base64::encode(&api.host.key("app_private_key")?.sign(text.as_bytes())?);
    Ok(format!("{SCHEMA} {parameters},sign={sign}"))
}

/// Believes an answer, or says why not.
pub fn read(api: &Api<'_>, incoming: Incoming) -> Result<Answer, Failure> {
    let Incoming { status, headers, body } = incoming;
    if status >= 500 {
        return Err(Failure::transient(format!("Alipay answered {status}")));
    }
    if status >= 400 {
        let sub_code = json::read::<ApiError>(&body).map(|error| error.code).unwrap_or_default();
        let code = if status == 429 { "40005" } else { "40004" };
        return refusal(&Status { code: code.to_owned(), sub_code });
    }
    let header = |name: &str| {
        let mut values =
            headers.iter().filter(|(at, _)| at.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value.as_str()),
            _ => Err(platform("missing_header", "the answer has not exactly one of each alipay header")),
        }
    };
    let mut signed = format!("{}\n{}\n", header("alipay-timestamp")?, header("alipay-nonce")?).into_bytes();
    signed.extend_from_slice(&body);
    signed.push(b'\n');
    if !api.verify(&signed, header("alipay-signature")?)? {
        return Err(platform("bad_signature", "the signature is not Alipay's over this answer"));
    }
    json::read(&body).map(Answer::Good).map_err(|error| platform("malformed_json", &error.to_string()))
}

/// A query as it is signed and sent: a blank is `+`.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| utf8_percent_encode(text, ESCAPED).to_string().replace("%20", "+");
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}
