//! From JD's application for a refund to facts about an after-sale. Pure. It is about the whole order, made before the goods
//! arrived; its amount is **fen**, while every amount of an order is yuan.

use crate::call;
use crate::walk::Found;
use crate::wire::{FEN_MAX, When, count};
use qudao_sdk::model::aftersale::{AfterSaleKind, AfterSaleState};
use qudao_sdk::{AfterSaleFacts, Failure, Observation, json::Id};
use serde::Deserialize;
use serde_json::Value;

/// Every status there is.
const STATES: [(&str, AfterSaleState); 12] = [
    ("0", AfterSaleState::Requested),
    ("1", AfterSaleState::Approved),
    ("2", AfterSaleState::Refused),
    ("3", AfterSaleState::Succeeded),
    ("4", AfterSaleState::FinanceRefused),
    ("5", AfterSaleState::Approved),
    ("6", AfterSaleState::InterceptPending),
    ("7", AfterSaleState::Intercepted),
    ("8", AfterSaleState::InterceptFailed),
    ("9", AfterSaleState::Approved),
    ("10", AfterSaleState::FollowingUp),
    ("11", AfterSaleState::Cancelled),
];

/// An application.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Refund {
    id: Id,
    order_id: Id,
    apply_time: When,
    check_time: When,
    /// Fen.
    apply_refund_sum: Id,
    status: Id,
}

/// The rows of an answer: a list, or one row; each as it is or wrapped.
pub(crate) fn rows(answer: &Value, method: &str) -> Result<Found, Failure> {
    let result = call::result(answer.clone(), "queryResult", method)?;
    let unwrapped = |row: &Value| row.get("refundApplyVo").unwrap_or(row).clone();
    let rows: Vec<Value> = match result.get("result").or_else(|| result.get("refundApplyVo")) {
        Some(Value::Array(rows)) => rows.iter().map(unwrapped).collect(),
        Some(row @ Value::Object(_)) => vec![unwrapped(row)],
        _ => Vec::new(),
    };
    Ok(Found { total: count(result.get("totalCount")), rows })
}

/// Facts, or why there are none.
pub(crate) fn read(row: &Value) -> Result<Observation, String> {
    let refund: Refund =
        qudao_sdk::json::read(row.to_string().as_bytes()).map_err(|error| error.to_string())?;
    let status = refund.status.0.ok_or("has no status")?;
    let known = STATES.iter().find(|(word, _)| *word == status);
    let (_, state) = *known.ok_or_else(|| format!("has the status {status}, which is not known"))?;
    let fen = refund.apply_refund_sum.0.as_deref().and_then(|text| text.parse().ok());
    let amount_fen = fen.filter(|fen| (0..=FEN_MAX).contains(fen)).ok_or("has no applyRefundSum in fen")?;
    let (applied_at, checked_at) = (refund.apply_time.0, refund.check_time.0);
    let modified_at = applied_at.max(checked_at).ok_or("has neither applyTime nor checkTime")?;
    let facts = AfterSaleFacts {
        aftersale_no: refund.id.0.ok_or("has no id")?,
        order_no: refund.order_id.0.ok_or("has no orderId")?,
        line_id: None,
        kind: AfterSaleKind::RefundOnly,
        state,
        platform_state: Some(status),
        amount_fen,
        currency: "CNY".to_owned(),
        qty: None,
        goods_back: None,
        return_waybill: None,
        phase: Some("before_completion".to_owned()),
        platform_version: None,
        created_at: applied_at,
        modified_at,
        ended_at: checked_at.filter(|_| state.is_settled()),
    };
    Ok(Observation::aftersale(modified_at, facts))
}
