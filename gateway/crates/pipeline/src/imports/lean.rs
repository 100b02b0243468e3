//! Rows of a connector's JSON lines, borrowed from the line: a million of them a few seconds, without a `Value` or a copy each.

use qudao_model::file::Precision;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, Visitor},
};
use std::{borrow::Cow, fmt, ops::Deref};

/// Text that stays in the line where it stands there as it is. (An `Option<Cow<str>>` is copied by serde, always.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

/// A stock row. Members that nobody asks for are passed over.
#[derive(Debug, Deserialize)]
#[allow(clippy::struct_field_names, reason = "`src_row` is its name in the JSON")]
pub(crate) struct Row<'a> {
    pub(crate) src_row: u32,
    #[serde(borrow)]
    pub(crate) store_code: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) sku: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) barcode: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) bucket: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) quantity: Option<i64>,
    #[serde(borrow, default)]
    pub(crate) occurred_at: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) occurred_precision: Option<Precision>,
    #[serde(borrow, default)]
    pub(crate) doc_no: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) line_no: Option<i64>,
    #[serde(borrow, default)]
    pub(crate) order_no: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) seq: Option<i64>,
    #[serde(borrow, default)]
    pub(crate) reason: Option<Text<'a>>,
}

/// What a row is, by what it has: the kind of the file is told at its end only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Stock,
    Ticket,
    Price,
}

#[derive(Deserialize)]
struct Peek {
    #[serde(default)]
    lines: Option<IgnoredAny>,
    #[serde(default)]
    quantity: Option<IgnoredAny>,
}

impl Shape {
    /// Of a row; nothing where it is no JSON object.
    pub(crate) fn of(line: &[u8]) -> Option<Shape> {
        // A list would pass for an object without members.
        let peek: Peek =
            serde_json::from_slice(line).ok().filter(|_| line.trim_ascii_start().starts_with(b"{"))?;
        Some(match peek {
            Peek { lines: Some(_), .. } => Shape::Ticket,
            Peek { quantity: Some(_), .. } => Shape::Stock,
            Peek { .. } => Shape::Price,
        })
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Text<'a>, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        let line =
            br#"{"src_row": 2, "store_code": "0012", "sku": "A\u0042", "quantity": 8, "style": {"x": [1]}}"#;
        let row: Row<'_> = serde_json::from_slice(line).unwrap();
        assert!(matches!(row.store_code.0, Cow::Borrowed("0012")));
        assert_eq!((&*row.sku.unwrap(), row.quantity, row.src_row), ("AB", Some(8), 2));
    }

    #[test]
    fn rows_tell_what_they_are() {
        assert_eq!(Shape::of(br#"{"lines": [], "tenders": []}"#), Some(Shape::Ticket));
        assert_eq!(Shape::of(br#"{"sku": "A", "quantity": 0}"#), Some(Shape::Stock));
        assert_eq!(Shape::of(br#"{"sku": "A", "list_price_fen": 100}"#), Some(Shape::Price));
        assert_eq!(Shape::of(b"[]"), None);
    }
}
