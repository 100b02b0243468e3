//! A refund as an after-sale.

use super::{Unreadable, needed, words};
use crate::wire::Refund;
use qudao_sdk::{AfterSaleFacts, Observation};

/// The whole of it as of its `modified`.
pub(crate) fn aftersale(refund: &Refund) -> Result<Observation, Unreadable> {
    let status = needed(refund.status.0.as_deref(), "status")?;
    let modified_at = needed(refund.modified.0, "modified")?;
    let goods_back = refund.has_good_return.0;
    let phase = match refund.refund_phase.0.as_deref() {
        Some("onsale") => Some("before_completion"),
        Some("aftersale") => Some("after_completion"),
        _ => None,
    };
    let facts = AfterSaleFacts {
        aftersale_no: needed(refund.refund_id.0.clone(), "refund_id")?,
        order_no: needed(refund.tid.0.clone(), "tid")?,
        line_id: refund.oid.0.clone(),
        kind: words::refund_kind(refund.dispute_type.0.as_deref(), goods_back),
        state: words::refund_state(status).ok_or_else(|| Unreadable::UnknownState(status.to_owned()))?,
        platform_state: Some(status.to_owned()),
        amount_fen: needed(refund.refund_fee.0, "refund_fee")?.0,
        currency: super::trade::CURRENCY.to_owned(),
        qty: refund.num,
        goods_back: Some(goods_back),
        return_waybill: refund.sid.0.clone(),
        phase: phase.map(str::to_owned),
        platform_version: refund.refund_version.0.clone(),
        created_at: refund.created.0,
        modified_at,
        ended_at: refund.end_time.0,
    };
    Ok(Observation::aftersale(modified_at, facts))
}
