//! Polls, fetches and commands, good and bad.

use super::{
    Failure, Note, Observation, Zoo, bad, command, header, http, keys, observation, poll, report_panics,
    setting, settings,
};

impl poll::Guest for Zoo {
    fn poll(_stream: String, cursor: Option<String>) -> Result<poll::Page, Failure> {
        report_panics();
        let settings = settings::json();
        let mode = setting(&settings, "mode").unwrap_or_default();
        match mode {
            "good" => Ok(good(cursor)),
            "fetch" => {
                let times = cursor.and_then(|times| times.parse().ok()).unwrap_or(1);
                Ok(telling((0..times).map(|_| get(&settings)).collect()))
            }
            "fetch_or_fail" => match send(&settings, &[]) {
                Ok(_) => Ok(telling(vec![])),
                Err(error) => Err(failing("platform", &error.code, "now")),
            },
            "tokens" => Ok(telling(vec![sent(&settings)])),
            "other_token" => Ok(telling(vec![told(send(&settings, &["mac".into()]))])),
            "digest" => Ok(telling(vec![digest()])),
            "certificates" => Ok(telling(certificates())),
            "failure" => Err(failing("platform", "busy", "after")),
            "odd_failure" => Err(failing("nobody", "Not A Word", "soon")),
            "cursor" => Ok(poll::Page { cursor: Some("x".repeat((16 << 10) + 1)), ..telling(vec![]) }),
            "empty_cursor" => Ok(poll::Page { cursor: Some(String::new()), ..telling(vec![]) }),
            "order" => Ok(facts(order("\"fact\":\"cancelled\""))),
            "listing" => Ok(facts(listing())),
            "mapped" => {
                Ok(facts(order("\"fact\":\"mapped\",\"mapped\":[{\"channel_sku\":\"c\",\"sku\":\"s\"}]")))
            }
            "linked" => Ok(facts(order("\"fact\":\"linked\",\"payment_refs\":[{\"payment_id\":\"pay_1\"}]"))),
            "sealed" => Ok(facts(order("\"fact\":\"cancelled\",\"receiver\":{\"sealed\":\"eA==\"}"))),
            _ => {
                let acceptance = bad::behave(mode);
                Ok(poll::Page {
                    observations: acceptance.observations,
                    notes: acceptance.notes,
                    cursor: None,
                    more: false,
                })
            }
        }
    }

    fn fetch(kind: String, key: Vec<String>) -> Result<poll::Page, Failure> {
        report_panics();
        let page = telling(vec![format!("{kind} {}", key.join("/"))]);
        Ok(poll::Page { cursor: Some("nowhere".into()), more: true, ..page })
    }
}

impl command::Guest for Zoo {
    fn run(kind: String, payload: Vec<u8>) -> Result<command::Effect, Failure> {
        report_panics();
        let settings = settings::json();
        let mode = setting(&settings, "mode").unwrap_or_default();
        let effect = |state: &str, message: String| command::Effect {
            state: state.into(),
            code: Some("OK".into()),
            message,
            observations: vec![],
            notes: vec![],
        };
        match mode {
            "bad_state" => Ok(effect("perhaps", String::new())),
            "fetch" => match send(&settings, &[]) {
                Ok(response) => Ok(effect("succeeded", response.status.to_string())),
                Err(error) => Err(failing("platform", &error.code, "never")),
            },
            _ => Ok(effect("accepted", format!("{kind} {}", String::from_utf8_lossy(&payload)))),
        }
    }
}

/// Two pages.
fn good(cursor: Option<String>) -> poll::Page {
    match cursor.as_deref() {
        None => poll::Page { cursor: Some("1".into()), more: true, ..facts(observation()) },
        Some(_) => poll::Page { cursor: Some("2".into()), more: false, ..telling(vec![]) },
    }
}

fn facts(fact: Observation) -> poll::Page {
    poll::Page { observations: vec![fact], notes: vec![], cursor: None, more: false }
}

/// What came of it, as notes.
fn telling(texts: Vec<String>) -> poll::Page {
    let note = |text: String| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        Note { kind: "told".into(), at: None, fields: format!("{{\"text\":\"{text}\"}}").into_bytes() }
    };
    poll::Page {
        observations: vec![],
        notes: texts.into_iter().map(note).collect(),
        cursor: None,
        more: false,
    }
}

fn order(members: &str) -> Observation {
    Observation {
        entity: "order".into(),
        key: vec!["O1".into()],
        schema: "qudao.order.v1".into(),
        payload: format!("{{\"order_no\":\"O1\",{members}}}").into_bytes(),
        ..observation()
    }
}

fn listing() -> Observation {
    Observation {
        entity: "listing".into(),
        key: vec!["c".into()],
        schema: "qudao.listing.v1".into(),
        payload: br#"{"channel_sku":"c","state":"mapped","sku":"s"}"#.to_vec(),
        ..observation()
    }
}

fn failing(class: &str, code: &str, retry: &str) -> Failure {
    Failure {
        class: class.into(),
        code: code.into(),
        message: "as asked".into(),
        retry: retry.into(),
        retry_after_ms: Some(1_500),
    }
}

fn get(settings: &str) -> String {
    told(send(settings, &[]))
}

/// Sends the request that the settings describe with a token in it.
fn sent(settings: &str) -> String {
    told(send(settings, &["session".into()]))
}

fn send(settings: &str, tokens: &[String]) -> Result<http::Incoming, http::HttpError> {
    let of = |name: &str| setting(settings, name).unwrap_or_default();
    let mut request =
        http::Outgoing { method: "GET".into(), url: of("url").into(), headers: vec![], body: vec![] };
    if tokens.is_empty() {
        return http::send(&request);
    }
    request.method = "POST".into();
    request.headers =
        vec![header("Content-Type", of("content_type")), header("Authorization", "Bearer ~secret.session~")];
    request.body = of("body").into();
    http::send_with(&request, tokens)
}

fn told(result: Result<http::Incoming, http::HttpError>) -> String {
    match result {
        Ok(response) => format!("{} {}", response.status, String::from_utf8_lossy(&response.body)),
        Err(error) => format!("{} sent={}", error.code, error.sent),
    }
}

fn digest() -> String {
    let key = match keys::open("shared") {
        Ok(key) => key,
        Err(error) => return error.code,
    };
    match key.mac_with("md5_wrapped", b"session~secret.session~v2.0", &["session".into()]) {
        Ok(digest) => digest.iter().map(|byte| format!("{byte:02X}")).collect(),
        Err(error) => error.code,
    }
}

fn certificates() -> Vec<String> {
    let Ok(key) = keys::open("roots") else { return vec![] };
    key.certificates()
        .into_iter()
        .map(|one| format!("{} {} {}", one.issuer, one.serial, one.signature_algorithm))
        .collect()
}
