//! The platform's words for states, and ours. A word that is not here gives nothing: it is never guessed.

use qudao_sdk::model::aftersale::{AfterSaleKind, AfterSaleState};
use qudao_sdk::model::order::OrderState;

/// Paid, and must not be shipped: group buying, fraud checks.
pub(super) const FORBIDDEN: &str = "PAID_FORBID_CONSIGN";

/// State of a trade or line. [`FORBIDDEN`] hides how far it is.
pub(super) fn order_state(word: &str) -> Option<OrderState> {
    Some(match word {
        "TRADE_NO_CREATE_PAY" | "WAIT_BUYER_PAY" | "PAY_PENDING" | "WAIT_PRE_AUTH_CONFIRM" => {
            OrderState::AwaitingPayment
        }
        "WAIT_SELLER_SEND_GOODS" => OrderState::ToShip,
        "SELLER_CONSIGNED_PART" => OrderState::PartlyShipped,
        "WAIT_BUYER_CONFIRM_GOODS" | "TRADE_BUYER_SIGNED" => OrderState::Shipped,
        "TRADE_FINISHED" => OrderState::Completed,
        "TRADE_CLOSED" | "TRADE_CLOSED_BY_TAOBAO" => OrderState::Cancelled,
        _ => return None,
    })
}

/// State of a refund, or of a line's latest one.
pub(super) fn refund_state(word: &str) -> Option<AfterSaleState> {
    Some(match word {
        "WAIT_SELLER_AGREE" => AfterSaleState::Requested,
        "EXCHANGE_TRANSFORM_TO_REFUND" => AfterSaleState::Approved,
        "WAIT_BUYER_RETURN_GOODS" => AfterSaleState::AwaitingReturn,
        "WAIT_SELLER_CONFIRM_GOODS" => AfterSaleState::ReturnInTransit,
        "WAIT_SELLER_CONSIGN_GOODS" | "WAIT_BUYER_CONFIRM_EXCHANGE_SELLER_SEND_GOODS" => {
            AfterSaleState::Returned
        }
        "SELLER_REFUSE_BUYER" => AfterSaleState::Refused,
        "CLOSED" => AfterSaleState::Cancelled,
        "SUCCESS" => AfterSaleState::Succeeded,
        _ => return None,
    })
}

/// What the buyer wants. Where the word says nothing, whether goods come back does.
pub(super) fn refund_kind(word: Option<&str>, goods_back: bool) -> AfterSaleKind {
    match word {
        Some("REFUND") => AfterSaleKind::RefundOnly,
        Some("REFUND_AND_RETURN") => AfterSaleKind::ReturnAndRefund,
        Some("TMALL_EXCHANGE" | "TAOBAO_EXCHANGE") => AfterSaleKind::Exchange,
        Some("REPAIR") => AfterSaleKind::Repair,
        Some("RESHIPPING") => AfterSaleKind::Resend,
        _ if goods_back => AfterSaleKind::ReturnAndRefund,
        _ => AfterSaleKind::RefundOnly,
    }
}
