//! JSON from outside, read into a type, with errors that are safe to show.
//!
//! The texts of a JSON parser may quote what it read, and what it read may be a person's data. [`read`] keeps the place
//! and what was expected, and drops the value.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::{Value, error::Category};

/// Why bytes are not the JSON that was expected.
///
/// ```
/// # use qudao_sdk::json;
/// #[derive(Debug, serde::Deserialize)]
/// struct Amount {
///     total: i64,
/// }
/// let error = json::read::<Amount>(br#"{"total":"13800138000"}"#).unwrap_err();
/// assert_eq!(error.to_string(), "expected i64 at line 1 column 22");
/// let error = json::read::<Amount>(b"{}").unwrap_err();
/// assert_eq!(error.to_string(), "missing field `total` at line 1 column 2");
/// let error = json::read::<Amount>(b"<xml>").unwrap_err();
/// assert!(matches!(error, json::JsonError::Syntax { line: 1, column: 1 }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON at all, or cut off.
    #[error("is not JSON at line {line} column {column}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1; bytes.
        column: usize,
    },
    /// JSON of another shape.
    #[error("{expected} at line {line} column {column}")]
    Shape {
        /// What was expected, without what was found.
        expected: String,
        /// From 1.
        line: usize,
        /// From 1; bytes.
        column: usize,
    },
}

/// Reads one JSON value. Members that the type does not know are passed over unless the type refuses them; a member that it
/// knows must not repeat.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            Category::Data => JsonError::Shape { expected: expectation(&error.to_string()), line, column },
            Category::Syntax | Category::Eof | Category::Io => JsonError::Syntax { line, column },
        }
    })
}

/// A text that may be missing. Platforms also send `""` and `null` where they mean nothing; all three read as `None`.
///
/// ```
/// use qudao_sdk::json::{self, Text};
/// #[derive(serde::Deserialize)]
/// struct Order {
///     out_trade_no: Text,
///     attach: Text,
///     remark: Text,
/// }
/// let order: Order = json::read(br#"{"out_trade_no":"SO1","attach":""}"#).unwrap();
/// assert_eq!(order.out_trade_no.0.as_deref(), Some("SO1"));
/// assert_eq!((order.attach.0, order.remark.0), (None, None));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(pub Option<String>);

impl<'de> Deserialize<'de> for Text {
    // By way of `Option`, which is what makes an absent member good without `#[serde(default)]`.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        Ok(Text(text.filter(|text| !text.is_empty())))
    }
}

/// An id or an amount that a platform writes now as a number, now as text, or leaves out; `""` and `null` are nothing. Numbers
/// are whole and may be beyond 2^53.
///
/// ```
/// use qudao_sdk::json::{self, Id};
/// #[derive(serde::Deserialize)]
/// struct Trade {
///     tid: Id,
///     sku_id: Id,
///     oid: Id,
/// }
/// let trade: Trade = json::read(br#"{"tid":2566080292969335443,"sku_id":"4538661658617"}"#).unwrap();
/// assert_eq!(trade.tid.0.as_deref(), Some("2566080292969335443"));
/// assert_eq!((trade.sku_id.0.as_deref(), trade.oid.0), (Some("4538661658617"), None));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Id(pub Option<String>);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Id, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged, expecting = "expected a whole number or a text")]
        enum Written {
            Number(i64),
            Text(String),
        }
        Ok(Id(match Option::<Written>::deserialize(from)? {
            Some(Written::Number(number)) => Some(number.to_string()),
            Some(Written::Text(text)) => Some(text).filter(|text| !text.is_empty()),
            None => None,
        }))
    }
}

/// A code or a flag as text, however a platform writes it: text, number or truth value; nothing of `null`.
///
/// ```
/// use qudao_sdk::json::word;
/// let answer = serde_json::json!({"code": 0, "retCode": "0", "success": true, "data": null});
/// assert_eq!((word(&answer["code"]), word(&answer["retCode"])), ("0".to_owned(), "0".to_owned()));
/// assert_eq!((word(&answer["success"]), word(&answer["data"])), ("true".to_owned(), String::new()));
/// ```
pub fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn expectation(text: &str) -> String {
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    let known = ["missing field", "duplicate field"].iter().any(|start| text.starts_with(start));
    match text.rsplit_once("expected ") {
        _ if known => text.to_owned(),
        Some((_, expected)) => format!("expected {expected}"),
        None => "is of another shape than expected".to_owned(),
    }
}
