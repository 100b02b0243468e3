//! The platform's own shapes: envelopes, lists, amounts and times as it writes them.
//!
//! An answer is wrapped in a member that is named by the method; a list is wrapped once more in a member that is named by its
//! element, and left out where it is empty. With `simplify` both layers go; both shapes are read.

mod message;
mod refund;
mod trade;

pub(crate) use message::{Content, Message, Messages};
pub(crate) use refund::{FIELDS as REFUND_FIELDS, Refund, RefundAnswer};
pub(crate) use trade::{FIELDS as TRADE_FIELDS, Promotion, SubOrder, Trade, TradeAnswer};

use crate::trouble::ErrorResponse;
use qudao_sdk::json::{self, Id, JsonError, Text};
use qudao_sdk::{Fen, Timestamp, time};
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::fmt;
use std::marker::PhantomData;

/// An answer without its wrapping.
pub(crate) enum Envelope<T> {
    /// What was asked for.
    Answer(T),
    /// An error.
    Error(ErrorResponse),
}

/// Opens an answer.
pub(crate) fn open<T: DeserializeOwned>(body: &[u8]) -> Result<Envelope<T>, JsonError> {
    match json::read::<Opened<T>>(body)?.0 {
        Some(envelope) => Ok(envelope),
        None => json::read(body).map(Envelope::Answer),
    }
}

/// None where there is no wrapping.
struct Opened<T>(Option<Envelope<T>>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Opened<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Opened<T>, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Opened<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Opened<T>, A::Error> {
                let mut found = None;
                while let Some(name) = members.next_key::<String>()? {
                    if name == "error_response" {
                        found = Some(Envelope::Error(members.next_value()?));
                    } else if name.ends_with("_response") {
                        found = Some(Envelope::Answer(members.next_value()?));
                    } else {
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Opened(found))
            }
        }
        from.deserialize_map(Members(PhantomData))
    }
}

/// A list in either shape. Say `#[serde(default)]` with it: an empty one is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed<T>(pub(crate) Vec<T>);

impl<T> Default for Listed<T> {
    fn default() -> Listed<T> {
        Listed(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Listed<T>, D::Error> {
        struct Elements<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = Listed<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list, or an object with one list in it")
            }

            fn visit_unit<E>(self) -> Result<Listed<T>, E> {
                Ok(Listed::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Listed<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = elements.next_element()? {
                    list.push(element);
                }
                Ok(Listed(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Listed<T>, A::Error> {
                let mut list = Vec::new();
                while members.next_key::<IgnoredAny>()?.is_some() {
                    list.extend(members.next_value::<Option<Vec<T>>>()?.unwrap_or_default());
                }
                Ok(Listed(list))
            }
        }
        from.deserialize_any(Elements(PhantomData))
    }
}

/// An amount in yuan, perhaps negative; `""` is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Yuan(pub(crate) Option<Fen>);

impl Yuan {
    /// In fen; nothing is zero.
    pub(crate) fn fen(self) -> i64 {
        self.0.unwrap_or_default().0
    }
}

impl<'de> Deserialize<'de> for Yuan {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Yuan, D::Error> {
        let read = |text: String| Fen::from_signed_yuan(&text);
        let amount = Text::deserialize(from)?.0.map(read).transpose();
        amount.map(Yuan).map_err(|_| D::Error::custom("expected an amount in yuan"))
    }
}

/// A time in Beijing; `""` is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Option<Timestamp>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        let time = Text::deserialize(from)?.0.map(|text| time::shanghai(&text)).transpose();
        time.map(Time).map_err(|_| D::Error::custom("expected a time of the form yyyy-MM-dd HH:mm:ss"))
    }
}

/// A yes that is written `true`, `"true"` or `1`, and is no where it is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Flag, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged, expecting = "expected true, false, 1 or 0")]
        enum Written {
            Truth(bool),
            Number(i64),
            Text(String),
        }
        Ok(Flag(match Option::<Written>::deserialize(from)? {
            Some(Written::Truth(truth)) => truth,
            Some(Written::Number(number)) => number == 1,
            Some(Written::Text(text)) => text == "true" || text == "1",
            None => false,
        }))
    }
}

/// A page of a list by time of change. Its rows tell only what to fetch.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Rows {
    pub(crate) total_results: Option<u32>,
    #[serde(default)]
    pub(crate) has_next: Flag,
    #[serde(default, alias = "refunds")]
    pub(crate) trades: Listed<Row>,
}

/// One row. A refund's row has both numbers.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Row {
    pub(crate) tid: Id,
    pub(crate) refund_id: Id,
    pub(crate) modified: Time,
}
