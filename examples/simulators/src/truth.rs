//! What a gateway must know after it has acknowledged certain deliveries, and what it must not know.

use crate::Platform;
use crate::story::{Delivery, Happening, Notice, Refund};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The truth of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// By order number.
    pub payments: Vec<Payment>,
    /// By order number, then in the order they happened.
    pub refunds: Vec<Refunded>,
    /// Orders of refused deliveries only: there must be nothing about them.
    pub absent: Vec<String>,
}

/// A payment that must be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// Merchant's number.
    pub order_no: String,
    /// Platform's serial.
    pub transaction_no: String,
    /// Collecting account.
    pub merchant_no: String,
    /// `paid`, `partly_refunded`, `refunded` or `closed`.
    pub state: &'static str,
    /// Price.
    pub requested_fen: i64,
    /// What the payer paid; absent where nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_paid_fen: Option<i64>,
    /// Sum of refunds.
    pub refunded_fen: i64,
}

/// A refund that must be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refunded {
    /// Merchant's number of the payment.
    pub order_no: String,
    /// Merchant's number of the refund.
    pub refund_no: String,
    /// This refund.
    pub amount_fen: i64,
    /// `succeeded`, or `abnormal` where it is known to be stuck and nothing else.
    pub state: &'static str,
}

impl Truth {
    /// From all deliveries and whether each was acknowledged. An honest one that was not may be known or not.
    ///
    /// Where the platform tells running totals, a refund notice tells of the payment too, and a refund whose notice is
    /// missing counts to the next one.
    pub fn of<'a>(platform: &dyn Platform, deliveries: impl Iterator<Item = (&'a Delivery, bool)>) -> Truth {
        let mut known: BTreeMap<&str, BTreeMap<&str, &Notice>> = BTreeMap::new();
        let mut refused: BTreeSet<&str> = BTreeSet::new();
        for (delivery, acknowledged) in deliveries {
            let notice = &*delivery.notice;
            if !delivery.expect.acknowledged() {
                refused.insert(&notice.order.order_no);
            } else if acknowledged {
                known.entry(&notice.order.order_no).or_default().insert(&notice.id, notice);
            }
        }
        let mut truth = Truth { payments: Vec::new(), refunds: Vec::new(), absent: Vec::new() };
        truth.absent.extend(refused.iter().filter(|no| !known.contains_key(*no)).map(|no| (*no).to_owned()));
        for notices in known.values() {
            truth.add(platform, &notices.values().copied().collect::<Vec<_>>());
        }
        truth
    }

    fn add(&mut self, platform: &dyn Platform, notices: &[&Notice]) {
        let refunds = known_refunds(notices);
        let Some(order) = notices.first().map(|notice| &*notice.order) else { return };
        let mut refunded_fen = 0;
        for refund in refunds {
            let amount_fen = if platform.tells_running_totals() {
                refund.running_total_fen - refunded_fen
            } else {
                refund.amount_fen
            };
            refunded_fen += if refund.stuck { 0 } else { amount_fen };
            self.refunds.push(Refunded {
                order_no: order.order_no.clone(),
                refund_no: refund.refund_no.clone(),
                amount_fen,
                state: if refund.stuck { "abnormal" } else { "succeeded" },
            });
        }
        let told = |happening| notices.iter().any(|notice| notice.happening == happening);
        let paid = told(Happening::Paid) || (platform.tells_running_totals() && refunded_fen > 0);
        let state = match refunded_fen {
            0 if paid => "paid",
            _ if paid && refunded_fen == order.total_fen => "refunded",
            _ if paid => "partly_refunded",
            0 if told(Happening::Closed) => "closed",
            _ => return,
        };
        self.payments.push(Payment {
            order_no: order.order_no.clone(),
            transaction_no: order.transaction_no.clone(),
            merchant_no: platform.merchant_no().to_owned(),
            state,
            requested_fen: order.total_fen,
            payer_paid_fen: paid.then_some(order.total_fen - order.coupon_fen),
            refunded_fen,
        });
    }
}

/// Each refund once, as the best of its notices tells it, in the order they happened.
fn known_refunds<'a>(notices: &[&'a Notice]) -> Vec<&'a Refund> {
    let mut best: BTreeMap<&str, &Refund> = BTreeMap::new();
    for notice in notices {
        if let Happening::Refunded(refund) = &notice.happening {
            let known = best.entry(&refund.refund_no).or_insert(refund);
            if known.stuck {
                *known = refund;
            }
        }
    }
    let mut refunds: Vec<&Refund> = best.into_values().collect();
    refunds.sort_by_key(|refund| refund.running_total_fen);
    refunds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Keys;
    use crate::alipay::{Alipay, Mode};
    use crate::story::{Plan, Scenario, tell};
    use crate::wechat_pay::{Signing, WechatPay};

    fn story(platform: &dyn Platform, scenario: Scenario) -> Vec<Delivery> {
        tell(platform, &Plan { seed: 2, orders: 26, scenario, start: 1_768_971_497 })
    }

    #[test]
    fn sums_agree_whatever_the_order_of_telling() {
        let wechat = WechatPay::new(&Keys::BuiltIn, Signing::Both).unwrap();
        let alipay = Alipay::new(&Keys::BuiltIn, Mode::PublicKey).unwrap();
        for platform in [&wechat as &dyn Platform, &alipay] {
            let deliveries = story(platform, Scenario::Mixed);
            let told = |delivery: &Delivery| delivery.expect.acknowledged();
            let forwards = Truth::of(platform, deliveries.iter().map(|delivery| (delivery, told(delivery))));
            let backwards =
                Truth::of(platform, deliveries.iter().rev().map(|delivery| (delivery, told(delivery))));
            assert_eq!(forwards, backwards);
            assert!(!forwards.absent.is_empty() && forwards.payments.len() + forwards.absent.len() == 26);
            let refunds: i64 = forwards.refunds.iter().map(|refund| refund.amount_fen).sum();
            let refunded: i64 = forwards.payments.iter().map(|payment| payment.refunded_fen).sum();
            assert!(refunds > 0 && refunds == refunded, "{refunds} {refunded}");
        }
    }

    #[test]
    fn what_nobody_acknowledged_need_not_be_known() {
        let platform = WechatPay::new(&Keys::BuiltIn, Signing::Both).unwrap();
        let deliveries = story(&platform, Scenario::Hostile);
        let told = |acknowledged| {
            let truth = Truth::of(&platform, deliveries.iter().map(|delivery| (delivery, acknowledged)));
            (truth.payments.len(), truth.refunds.len())
        };
        assert_eq!(told(false), (0, 0));
        // Forged ones stay unknown, even to a gateway that takes them.
        assert!(told(true).0 > 0 && told(true).0 < 26);
    }
}
