//! Leaves with a shape of their own: sizes, times, addresses, origins, places of secrets.
//!
//! Each is text in the file, has a pattern for the schema and a value for the program; both are read from the same text, and
//! nothing is guessed: `64MB` is refused and `64MiB` proposed.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Multipliers of sizes.
const SIZES: &[(&str, u64)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];
/// Multipliers of times, in milliseconds.
const SPANS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// Reads `<whole number><unit>`.
fn measure(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = units.iter().find(|(name, _)| *name == unit)?.1;
    if number.starts_with('0') {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A number of bytes: `64MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl Size {
    pub(crate) fn parse(text: &str) -> Option<Size> {
        measure(text, SIZES).map(Size)
    }
}

/// A length of time in whole milliseconds: `500ms`, `60s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) u64);

impl Span {
    pub(crate) fn parse(text: &str) -> Option<Span> {
        measure(text, SPANS).map(Span)
    }

    pub(crate) fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

/// Address of a listener: `127.0.0.1:8080`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) SocketAddr);

impl Address {
    pub(crate) fn loopback(port: u16) -> Address {
        Address(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }
}

/// An origin, `https://host[:port]`; `check` looks at the parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(pub(crate) String);

/// An address to post to; `check` looks at the parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookUrl(pub(crate) String);

/// Name of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookName(pub(crate) String);

/// A type of event, exact or ending in `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventType(pub(crate) String);

/// Where a secret is: in an environment variable or in a file. Never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum SecretRef {
    /// Name of an environment variable.
    Env(String),
    /// Path of a file, relative to the configuration.
    File(String),
}

/// Gives a leaf its text form and its schema.
macro_rules! leaf {
    ($name:ident, $read:expr, $write:expr, $schema:tt) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                let text = String::deserialize(from)?;
                let read: fn(&str) -> Option<$name> = $read;
                read(&text).ok_or_else(|| de::Error::custom(concat!("not a ", stringify!($name))))
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let write: fn(&$name) -> String = $write;
                to.serialize_str(&write(self))
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

leaf!(Size, Size::parse, |size| format!("{}B", size.0), {
    "type": "string",
    "pattern": "^[1-9][0-9]*(B|KiB|MiB|GiB)$",
    "errorMessage": "must be a size: a whole number and B, KiB, MiB or GiB",
    "examples": ["64MiB"],
});

leaf!(Span, Span::parse, |span| format!("{}ms", span.0), {
    "type": "string",
    "pattern": "^[1-9][0-9]*(ms|s|m|h)$",
    "errorMessage": "must be a length of time: a whole number and ms, s, m or h",
    "examples": ["500ms"],
});

leaf!(Address, |text| text.parse().ok().map(Address), |address| address.0.to_string(), {
    "type": "string",
    "errorMessage": "must be an address and a port",
    "examples": ["127.0.0.1:8080"],
});

leaf!(Origin, |text| Some(Origin(text.to_owned())), |origin| origin.0.clone(), {
    "type": "string",
    "examples": ["https://api.example.com"],
});

leaf!(WebhookUrl, |text| Some(WebhookUrl(text.to_owned())), |url| url.0.clone(), {
    "type": "string",
    "examples": ["https://hq.example.com/qudao"],
});

leaf!(WebhookName, |text| Some(WebhookName(text.to_owned())), |name| name.0.clone(), {
    "type": "string",
    "pattern": "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$",
    "errorMessage": "must be lower-case letters, digits and dashes, at most 40 characters",
    "examples": ["hq"],
});

leaf!(EventType, |text| Some(EventType(text.to_owned())), |kind| kind.0.clone(), {
    "type": "string",
    "pattern": "^(\\*|qudao\\.[a-z0-9_.]*\\*?)$",
    "errorMessage": "must be an event type, or the beginning of one followed by `*`",
    "examples": ["qudao.order.*"],
});

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a secret is: `{env: NAME}` or `{file: PATH}`.",
            "type": "object",
            "writeOnly": true,
            "properties": {
                "env": {
                    "description": "Name of an environment variable, in capitals.",
                    "type": "string", "pattern": "^[A-Z_][A-Z0-9_]*$", "examples": ["SHOP_WEBHOOK_KEY"],
                },
                "file": {
                    "description": "Path of a file, relative to the configuration. One trailing line break is dropped.",
                    "type": "string", "minLength": 1, "examples": ["secrets/webhook_key.txt"],
                },
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
            "examples": [{"env": "SHOP_WEBHOOK_KEY"}],
        })
    }
}

/// What was probably meant by a size or a time that is written in another way.
pub(crate) fn proposal(text: &str) -> Option<String> {
    let text = text.trim().replace(['_', ' '], "");
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "b" | "byte" | "bytes" => "B",
        "k" | "kb" | "kib" => "KiB",
        "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        "m" if unit == "M" => "MiB",
        "ms" | "msec" | "millis" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hour" | "hours" => "h",
        _ => return None,
    };
    match number.split_once('.') {
        None if number.is_empty() || number.starts_with('0') => None,
        None => Some(format!("{number}{unit}")),
        // half a second is a usual wish, and exact in milliseconds
        Some((whole, fraction)) if unit == "s" && fraction.len() <= 3 => {
            let millis = format!("{whole}{fraction:0<3}").trim_start_matches('0').to_owned();
            (!millis.is_empty()).then(|| format!("{millis}ms"))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Size, Span, proposal};

    #[test]
    fn sizes_and_times_are_read_exactly() {
        for (text, expect) in [
            ("64MiB", Some(64 << 20)),
            ("1B", Some(1)),
            ("64MB", None),
            ("0B", None),
            ("99999999999999GiB", None),
            ("", None),
        ] {
            assert_eq!(Size::parse(text).map(|size| size.0), expect, "{text}");
        }
        for (text, expect) in
            [("500ms", Some(500)), ("60s", Some(60_000)), ("2h", Some(7_200_000)), ("1d", None), ("s", None)]
        {
            assert_eq!(Span::parse(text).map(|span| span.0), expect, "{text}");
        }
    }

    #[test]
    fn other_ways_of_writing_are_translated() {
        for (text, expect) in [
            ("64MB", Some("64MiB")),
            ("64 mib", Some("64MiB")),
            ("64M", Some("64MiB")),
            ("5 min", Some("5m")),
            ("0.5s", Some("500ms")),
            ("1.25s", Some("1250ms")),
            ("fast", None),
            ("500", None),
        ] {
            assert_eq!(proposal(text).as_deref(), expect, "{text}");
        }
    }
}
