//! What the caller hears, in its own format. Always with status 200: the platform reads only the text.

use crate::signed::media_type;
use qudao_sdk::form::Form;
use qudao_sdk::{Answer, Refused, Request, answer};
use serde_json::json;

/// Formats that a caller speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Xml,
    Json,
}

impl Format {
    /// By the parameter `format`, else by the body's type, else XML.
    pub(crate) fn of(request: &Request) -> Format {
        let content_type = request.header_values("content-type").next().unwrap_or_default();
        let query = request.query.as_deref().unwrap_or_default();
        let said = query.split('&').filter_map(|part| Form::parse(part.as_bytes()).ok());
        let mut said = said.filter_map(|form| form.bytes("format").map(<[u8]>::to_ascii_lowercase));
        match said.next().as_deref() {
            Some(b"json") => Format::Json,
            Some(b"xml") => Format::Xml,
            _ if media_type(content_type).ends_with("json") => Format::Json,
            _ => Format::Xml,
        }
    }

    /// Taken.
    pub(crate) fn success(self) -> Answer {
        match self {
            Format::Xml => {
                xml("<response><flag>success</flag><code>0</code><message></message></response>".to_owned())
            }
            Format::Json => {
                answer::json(200, &json!({"response": {"flag": "success", "code": "0", "message": ""}}))
            }
        }
    }

    /// Not taken. The platform tries wrong signatures before it lets an address go live, and wants these words then. Who
    /// signed well is told the reason.
    pub(crate) fn failure(self, refused: &Refused) -> Answer {
        let unsigned = ["bad_signature", "app_mismatch", "merchant_mismatch", "missing_parameter"];
        let (code, message, sub_code) = match refused.reason {
            reason if unsigned.contains(&reason) => ("sign-check-failure", "Illegal request", true),
            reason => (reason, "not taken", false),
        };
        match self {
            Format::Xml => {
                let sub = format!("<sub_code>{code}</sub_code><sub_message>{message}</sub_message>");
                let sub = if sub_code { sub } else { String::new() };
                let head = format!("<flag>failure</flag><code>{code}</code><message>{message}</message>");
                xml(format!("<response>{head}{sub}</response>"))
            }
            Format::Json => {
                let mut told = json!({"flag": "failure", "code": code, "message": message});
                if let (true, Some(members)) = (sub_code, told.as_object_mut()) {
                    members.insert("sub_code".to_owned(), json!(code));
                    members.insert("sub_message".to_owned(), json!(message));
                }
                answer::json(200, &json!({"response": told}))
            }
        }
    }
}

fn xml(text: String) -> Answer {
    answer::with_type(200, "text/xml;charset=utf-8", text.into_bytes())
}
