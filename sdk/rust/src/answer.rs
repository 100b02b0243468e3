//! What the platform is told, in the forms that platforms want.
//!
//! ```
//! use qudao_sdk::answer;
//! assert_eq!(answer::text(200, "success").body, b"success");
//! assert_eq!(answer::json(200, &serde_json::json!({"code": "SUCCESS"})).body, br#"{"code":"SUCCESS"}"#);
//! assert!(answer::empty(204).body.is_empty());
//! ```

use crate::Answer;
use serde_json::Value;

/// A status without a body.
pub fn empty(status: u16) -> Answer {
    Answer { status, headers: Vec::new(), body: Vec::new() }
}

/// Plain text in UTF-8.
pub fn text(status: u16, body: &str) -> Answer {
    with_type(status, "text/plain; charset=utf-8", body.as_bytes().to_vec())
}

/// JSON.
pub fn json(status: u16, body: &Value) -> Answer {
    with_type(status, "application/json", body.to_string().into_bytes())
}

/// Any other type.
pub fn with_type(status: u16, content_type: &str, body: Vec<u8>) -> Answer {
    Answer { status, headers: vec![("content-type".to_owned(), content_type.to_owned())], body }
}
