//! The TMC queue: at least once, again until confirmed.

use crate::dice::Dice;
use crate::local_time::local;
use crate::market::{Edit, Sale, Stage, yuan_text};
use serde_json::{Value, json};

pub(super) struct Queue {
    messages: Vec<Message>,
    redeliver_after_s: i64,
    dice: Dice,
}

struct Message {
    id: u64,
    topic: &'static str,
    content: Value,
    published_at: i64,
    /// Not shown before.
    next_at: i64,
}

impl Queue {
    pub(super) fn new(redeliver_after_s: i64, seed: u64) -> Queue {
        Queue { messages: Vec::new(), redeliver_after_s, dice: Dice::new(seed ^ 0x7C) }
    }

    pub(super) fn publish(&mut self, topic: &'static str, content: Value, at: i64) {
        let id = format!("1{}", self.dice.digits(18)).parse().unwrap_or(1);
        self.messages.push(Message { id, topic, content, published_at: at, next_at: at });
    }

    /// Up to `quantity` messages that are due, oldest first.
    pub(super) fn consume(&mut self, quantity: usize, now: i64, shop: (&str, u64)) -> Vec<Value> {
        let due = self.messages.iter_mut().filter(|message| message.next_at <= now).take(quantity);
        due.map(|message| {
            message.next_at = now + self.redeliver_after_s;
            json!({
                "id": message.id,
                "topic": message.topic,
                "content": message.content.to_string(),
                "user_id": shop.1,
                "user_nick": shop.0,
                "pub_time": local(message.published_at),
                "pub_app_key": "12497914",
            })
        })
        .collect()
    }

    /// Forgets messages; an unknown id is no error.
    pub(super) fn confirm(&mut self, ids: &[u64]) {
        self.messages.retain(|message| !ids.contains(&message.id));
    }

    pub(super) fn unconfirmed(&self) -> usize {
        self.messages.len()
    }
}

/// Topic of what happened.
pub(super) fn topic(edit: &Edit, sale: &Sale) -> &'static str {
    match edit {
        Edit::Pay => "taobao_trade_TradeBuyerPay",
        Edit::PayDeposit => "taobao_trade_TradeBuyerStepPay",
        Edit::Ship { .. } if sale.stage == Stage::ToShip => "taobao_trade_TradePartlySellerShip",
        Edit::Ship { .. } => "taobao_trade_TradeSellerShip",
        Edit::Finish => "taobao_trade_TradeSuccess",
        Edit::Cancel => "taobao_trade_TradeClose",
        Edit::Memo { .. } => "taobao_trade_TradeMemoModified",
        Edit::Reprice { .. } => "taobao_trade_TradeModifyFee",
        Edit::Accept | Edit::Hold | Edit::Pause | Edit::Release => "taobao_trade_TradeChanged",
        Edit::AskRefund { .. } => "taobao_refund_RefundCreated",
        Edit::Agree { refund_no } if settled(sale, refund_no) => "taobao_refund_RefundSuccess",
        Edit::Agree { .. } => "taobao_refund_RefundSellerAgreeAgreement",
        Edit::SendBack { .. } => "taobao_refund_RefundBuyerReturnGoods",
        Edit::Refuse { .. } => "taobao_refund_RefundSellerRefuseAgreement",
        Edit::Withdraw { .. } => "taobao_refund_RefundClosed",
        Edit::Settle { .. } => "taobao_refund_RefundSuccess",
    }
}

fn settled(sale: &Sale, refund_no: &str) -> bool {
    sale.cases.iter().any(|case| case.no == refund_no && !case.open())
}

fn number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| json!(id), |id| json!(id))
}

/// Content of a message about a trade.
pub(super) fn of_trade(sale: &Sale, seller_nick: &str) -> Value {
    let first = sale.lines.first().map_or("", |line| line.id.as_str());
    json!({
        "buyer_nick": "样**",
        "seller_nick": seller_nick,
        "tid": number(&sale.no),
        "oid": number(first),
        "type": "guarantee_trade",
        "payment": yuan_text(sale.payable_fen()),
        "status": super::state(sale),
    })
}

/// Content of a message about a refund.
pub(super) fn of_refund(sale: &Sale, refund_no: &str, seller_nick: &str) -> Option<Value> {
    let case = sale.cases.iter().find(|case| case.no == refund_no)?;
    let line = case.line.and_then(|place| sale.lines.get(place))?;
    Some(json!({
        "buyer_nick": "样**",
        "seller_nick": seller_nick,
        "tid": number(&sale.no),
        "oid": number(&line.id),
        "refund_id": number(&case.no),
        "refund_fee": yuan_text(case.amount_fen),
        "bill_type": if case.wish == crate::market::CaseWish::ReturnAndRefund { "return_bill" } else { "refund_bill" },
        "refund_phase": if case.late { "aftersale" } else { "onsale" },
        "modified": local(case.modified_at),
    }))
}
