//! Messages of the platform's message service.

use super::{Listed, Time};
use qudao_sdk::json::{Id, Text};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Messages {
    #[serde(default)]
    pub(crate) messages: Listed<Message>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: Id,
    pub(crate) topic: Text,
    /// JSON in a text.
    pub(crate) content: Text,
    pub(crate) user_nick: Text,
    pub(crate) pub_time: Time,
}

/// The content, as far as any topic tells it. Numbers are beyond 2^53.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Content {
    #[serde(default)]
    pub(crate) tid: Id,
    #[serde(default)]
    pub(crate) refund_id: Id,
    #[serde(default)]
    pub(crate) num_iid: Id,
    #[serde(default)]
    pub(crate) sku_id: Id,
    pub(crate) sku_num: Option<i64>,
    pub(crate) num: Option<i64>,
    pub(crate) increment: Option<i64>,
}
