//! One component with every bad behaviour that a host must bear. Which one is the setting `mode`.
//!
//! It is written against the bare contract, not the SDK, so that it can do what the SDK would not.

mod asks;
mod bad;
mod files;

wit_bindgen::generate!({
    inline: "
        package qudao:zoo;
        world zoo {
            include qudao:connector/imports@1.0.0;
            export qudao:connector/describe@1.0.0;
            export qudao:connector/webhook@1.0.0;
            export qudao:connector/poll@1.0.0;
            export qudao:connector/command@1.0.0;
            import qudao:connector/source@1.0.0;
            import qudao:connector/sink@1.0.0;
            export qudao:connector/file@1.0.0;
        }
    ",
    path: "../../../sdk/wit",
    world: "qudao:zoo/zoo",
    generate_all,
});

use exports::qudao::connector::{command, describe, file, poll, webhook};
use qudao::connector::{
    clock, expectations, http, keys, log, random, settings, sink, source,
    types::{Acceptance, Answer, Failure, Header, Note, Observation, Refusal, Request, Verdict},
};

const MANIFEST: &str = r#"{
    "name": "zoo",
    "version": "0.1.0",
    "description": "Behaves badly on request.",
    "settings_schema": {
        "type": "object",
        "required": ["mode"],
        "properties": {
            "mode": {"type": "string"},
            "base_url": {"type": "string", "format": "uri"},
            "url": {"type": "string"},
            "content_type": {"type": "string"},
            "body": {"type": "string"},
            "mapping": {"type": "object", "description": "How to read a file."}
        },
        "additionalProperties": false
    },
    "secrets": [
        {"name": "mac", "kind": "hmac_sha256", "required": true, "description": "Any text."},
        {"name": "spare", "kind": "aes_256_gcm", "description": "Never needed."},
        {"name": "shared", "kind": "shared_secret", "description": "Any text."},
        {"name": "session", "kind": "token", "description": "Any text."},
        {"name": "roots", "kind": "x509_certificates", "description": "Any bundle."}
    ],
    "network": ["https://open.example", "{settings.base_url}"],
    "polls": [{"name": "orders", "every_s": 60, "description": "Orders."}],
    "fetches": [{"kind": "refund", "schedule_s": [5, 30], "give_up_s": 600}],
    "commands": [{
        "kind": "refund.create",
        "payload_schema": {"type": "object", "required": ["refund_no"], "properties": {"refund_no": {"type": "string"}}},
        "settled_by": "refund"
    }],
    "files": {"document": "mapping"}
}"#;

struct Zoo;

export!(Zoo);

impl describe::Guest for Zoo {
    fn manifest() -> String {
        MANIFEST.into()
    }
}

impl webhook::Guest for Zoo {
    fn handle(request: Request) -> Result<Verdict, Failure> {
        report_panics();
        let settings = settings::json();
        let mode = setting(&settings, "mode").unwrap_or_default();
        match mode {
            "good" => Ok(Verdict::Accepted(acceptance(&request.body))),
            "ignored" => {
                Ok(Verdict::Ignored(Acceptance { observations: vec![], ..acceptance(&request.body) }))
            }
            "rejected" => Ok(Verdict::Rejected(Refusal {
                reason: "bad_signature".into(),
                explain: "as asked".into(),
                answer: answer(401),
            })),
            "rejected_as_told" => Ok(Verdict::Rejected(Refusal {
                reason: String::from_utf8_lossy(&request.body).into(),
                explain: String::new(),
                answer: answer(401),
            })),
            "failure" => Err(Failure {
                class: "platform".into(),
                code: "busy".into(),
                message: "as asked".into(),
                retry: "now".into(),
                retry_after_ms: None,
            }),
            "imports" => Ok(Verdict::Accepted(bad::imports())),
            "fetch" => Ok(Verdict::Accepted(bad::fetch(setting(&settings, "url").unwrap_or_default()))),
            _ => Ok(Verdict::Accepted(bad::behave(mode))),
        }
    }
}

fn report_panics() {
    std::panic::set_hook(Box::new(|info| log::emit("error", &format!("panic: {info}"), &[])));
}

/// A text member of a flat JSON object without escapes.
fn setting<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = json.split_once(&format!("\"{name}\":\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// A paid payment; the dedupe key is the request's body.
fn acceptance(body: &[u8]) -> Acceptance {
    Acceptance {
        dedupe_key: format!("notice:{}", String::from_utf8_lossy(body)),
        observations: vec![observation()],
        notes: vec![],
        answer: answer(200),
    }
}

fn observation() -> Observation {
    let payload = r#"{"merchant_no":"m1","order_no":"SO1","transaction_no":"T1","state":"paid","method":"wechat_pay",
        "currency":"CNY","requested_fen":100,"evidence":"notice"}"#;
    Observation {
        entity: "payment".into(),
        key: vec!["m1".into(), "SO1".into()],
        occurred_at: 1_766_623_748_000,
        schema: "qudao.payment.v1".into(),
        payload: payload.into(),
    }
}

fn header(name: &str, value: &str) -> Header {
    Header { name: name.into(), value: value.into() }
}

fn answer(status: u16) -> Answer {
    Answer { status, headers: vec![header("Content-Type", "text/plain")], body: b"ok".to_vec() }
}
