//! A refund, as `taobao.refund.get` tells it.

use super::{Flag, Time, Yuan};
use qudao_sdk::json::{Id, Text};
use serde::Deserialize;

/// What to ask for.
pub(crate) const FIELDS: &str = "refund_id,tid,oid,seller_nick,total_fee,refund_fee,payment,status,order_status,good_status,\
    has_good_return,refund_phase,refund_version,dispute_type,num,sid,created,modified,end_time";

#[derive(Debug, Deserialize)]
pub(crate) struct RefundAnswer {
    pub(crate) refund: Refund,
}

#[derive(Debug, Deserialize)]
#[allow(clippy::struct_field_names, reason = "the platform's names")]
pub(crate) struct Refund {
    pub(crate) refund_id: Id,
    pub(crate) tid: Id,
    pub(crate) oid: Id,
    pub(crate) seller_nick: Text,
    pub(crate) refund_fee: Yuan,
    pub(crate) status: Text,
    #[serde(default)]
    pub(crate) has_good_return: Flag,
    pub(crate) refund_phase: Text,
    pub(crate) refund_version: Id,
    pub(crate) dispute_type: Text,
    pub(crate) num: Option<i64>,
    pub(crate) sid: Text,
    pub(crate) created: Time,
    pub(crate) modified: Time,
    pub(crate) end_time: Time,
}
