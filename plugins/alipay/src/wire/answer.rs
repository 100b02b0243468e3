//! An answer of the gateway: `{"alipay_trade_query_response": {…}, "sign": "…"}`, whose signature covers the node as it is
//! written, with its blanks, escapes and order.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::fmt;

/// The gateway took the call; the fields still decide.
pub(crate) const OK: &str = "10000";
const ERROR_NODE: &str = "error_response";

/// A node and what is said about it.
pub(crate) struct Signed<'a> {
    /// Exactly as received.
    pub(crate) node: &'a str,
    pub(crate) sign: Option<String>,
    /// Whether the call failed before it was routed.
    pub(crate) is_error: bool,
}

/// How a call ended.
pub(crate) struct Status {
    pub(crate) code: String,
    pub(crate) sub_code: String,
}

impl<'a> Signed<'a> {
    /// Cuts the node of `method` out of a body. A name that stands twice is refused: somebody else may read the other one.
    pub(crate) fn cut(body: &'a str, method: &str) -> Result<Signed<'a>, (&'static str, &'static str)> {
        let mut reader = serde_json::Deserializer::from_str(body);
        let members = reader.deserialize_map(Members);
        let members = members.map_err(|_| ("malformed_json", "the answer is no JSON object"))?;
        if repeats(&members) {
            return Err(("duplicate_node", "a name stands twice in the answer"));
        }
        let find = |name: &str| members.iter().find(|(at, _)| at == name).map(|(_, raw)| raw.get());
        let expected = format!("{}_response", method.replace('.', "_"));
        let (node, is_error) = match (find(&expected), find(ERROR_NODE)) {
            (Some(node), _) => (node, false),
            (None, Some(node)) => (node, true),
            (None, None) => return Err(("malformed_body", "the answer has no node of this method")),
        };
        let sign = find("sign").and_then(|raw| serde_json::from_str(raw).ok());
        Ok(Signed { node, sign, is_error })
    }

    /// The fields.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        serde_json::from_str(self.node).unwrap_or_default()
    }

    /// How the call ended.
    pub(crate) fn status(&self) -> Status {
        let fields = self.fields();
        let text = |name| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Status { code: text("code"), sub_code: text("sub_code") }
    }
}

fn repeats(members: &[(String, &RawValue)]) -> bool {
    members
        .iter()
        .enumerate()
        .any(|(at, (name, _))| members.iter().skip(at + 1).any(|(other, _)| other == name))
}

/// All members in order, values as they are written.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
