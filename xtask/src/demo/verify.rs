//! Compares what the gateway says with what the platforms know. Every difference is one sentence; none is the aim.
//!
//! The feed is checked as HQ would read it: numbered without a gap, every payment and refund announced, nothing about an
//! order that was only ever forged. The entities are compared member by member.

mod orders;

pub(super) use orders::visible;

use super::erp::{self, Stores};
use super::platforms::Report;
use super::servers::Ledger;
use super::tales::AT_ALIPAY;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the gateway says, and what it was told to be listed.
#[derive(Default)]
pub(super) struct Said {
    pub(super) events: Vec<Value>,
    /// What HQ's consumer has kept of them.
    pub(super) kept: Vec<Value>,
    pub(super) payments: Vec<Value>,
    pub(super) refunds: Vec<Value>,
    pub(super) orders: Vec<Value>,
    pub(super) aftersales: Vec<Value>,
    pub(super) deliveries: Vec<Value>,
    pub(super) stores: Stores,
    /// Our SKU by channel and the channel's SKU.
    pub(super) listings: BTreeMap<(String, String), String>,
}

/// What the platforms say.
pub(super) struct Known {
    /// Of the notices.
    pub(super) reports: Vec<Report>,
    /// Of those that are asked.
    pub(super) ledgers: Vec<Ledger>,
    /// Of the one that writes files.
    pub(super) erp: Value,
}

impl Known {
    /// The ledger of the platform behind a channel.
    fn ledger(&self, channel: &str) -> Option<&Ledger> {
        self.ledgers.iter().find(|ledger| ledger.role.channel == channel)
    }

    /// Payments or refunds of a channel: those that were notified, then those that can only be asked for.
    pub(super) fn money<'a>(&'a self, report: &'a Report, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let asked = self.ledger(report.channel).into_iter();
        list(&report.truth, kind).chain(asked.flat_map(move |ledger| list(&ledger.truth, kind)))
    }
}

const PAYMENT_MEMBERS: [&str; 5] =
    ["state", "transaction_no", "requested_fen", "payer_paid_fen", "refunded_fen"];
const REFUND_MEMBERS: [&str; 2] = ["state", "amount_fen"];

/// Every difference.
pub(super) fn differences(known: &Known, said: &Said) -> Vec<String> {
    let mut found = gaps(&said.events);
    for report in &known.reports {
        let (payments, refunds) = (known.money(report, "payments"), known.money(report, "refunds"));
        found.extend(wrong_answers(report));
        found.extend(inbox(report, &said.deliveries));
        found.extend(entities((report, "payments", "order_no"), payments, &said.payments, &PAYMENT_MEMBERS));
        found.extend(entities((report, "refunds", "refund_no"), refunds, &said.refunds, &REFUND_MEMBERS));
        found.extend(announced(known, report, &said.events));
        found.extend(asked(known, report, said));
        found.extend(forged(report, said));
    }
    for shop in known.ledgers.iter().filter(|ledger| ledger.role.sells) {
        found.extend(orders::differences(shop, said));
    }
    found.extend(erp::differences(&known.erp, &said.stores, &said.events));
    found
}

fn gaps(events: &[Value]) -> Vec<String> {
    let numbers = events.iter().map(|event| event.get("seq").and_then(Value::as_u64).unwrap_or_default());
    let wrong = numbers.zip(1u64..).find(|(seq, at)| seq != at);
    wrong.map(|(seq, at)| format!("the feed has number {seq} where {at} should be")).into_iter().collect()
}

fn wrong_answers(report: &Report) -> Vec<String> {
    let wrong = report.notices.iter().filter(|notice| notice.get("right") != Some(&Value::Bool(true)));
    let sentence = |notice: &Value| {
        let (kind, order, expect, outcome, status) = (
            text(notice, "kind"),
            text(notice, "order_no"),
            text(notice, "expect"),
            text(notice, "outcome"),
            &notice["status"],
        );
        format!(
            "{}: the {kind} notice of {order} should be {expect} but was {outcome} with {status}",
            report.channel
        )
    };
    wrong.map(sentence).collect()
}

/// The inbox decided each delivery as the platforms expect.
fn inbox(report: &Report, deliveries: &[Value]) -> Option<String> {
    let mine = || posted(deliveries).filter(|row| text(row, "channel") == report.channel);
    let rows = |verdict: &str| mine().filter(|row| text(row, "verdict") == verdict).count();
    let again: u64 = mine().filter_map(|row| row.get("duplicates").and_then(Value::as_u64)).sum();
    let expected = |word: &str| report.notices.iter().filter(|notice| text(notice, "expect") == word).count();
    let said = (rows("accepted"), again, rows("rejected"), rows("failed"));
    let due = (expected("accepted"), expected("duplicate") as u64, expected("rejected"), 0);
    (said != due).then(|| {
        let words = |(a, d, r, f): (usize, u64, usize, usize)| {
            format!("{a} accepted, {d} again, {r} rejected, {f} failed")
        };
        format!("{}: the inbox says {}, the platform {}", report.channel, words(said), words(due))
    })
}

/// What came through the public listener; the rest the gateway asked for.
pub(super) fn posted(deliveries: &[Value]) -> impl Iterator<Item = &Value> {
    deliveries.iter().filter(|row| text(row, "method") == "POST")
}

fn entities<'a>(
    (report, kind, key): (&Report, &str, &str),
    truth: impl Iterator<Item = &'a Value>,
    said: &[Value],
    members: &[&str],
) -> Vec<String> {
    let mine = said.iter().filter(|entity| text(entity, "channel") == report.channel);
    let mut known: BTreeMap<&str, &Value> = mine.map(|entity| (text(entity, key), entity)).collect();
    let mut found = Vec::new();
    for truth in truth {
        let id = text(truth, key);
        let Some(entity) = known.remove(id) else {
            found.push(format!("{}: {id} is missing among the {kind}", report.channel));
            continue;
        };
        for member in members.iter().filter(|member| truth.get(**member) != entity.get(**member)) {
            found.push(format!(
                "{}: {member} of {id} is {} but should be {}",
                report.channel, entity[*member], truth[*member]
            ));
        }
    }
    found.extend(
        known
            .keys()
            .map(|id| format!("{}: {id} among the {kind} is nothing the platform knows", report.channel)),
    );
    found
}

fn announced(known: &Known, report: &Report, events: &[Value]) -> Vec<String> {
    let seen = |event_type: &str, entity: &str, key: &str, id: &str| {
        events.iter().any(|event| {
            text(event, "type") == event_type
                && text(event, "channel") == report.channel
                && event.pointer(&format!("/data/{entity}")).is_some_and(|entity| text(entity, key) == id)
        })
    };
    let mut found = Vec::new();
    for payment in known.money(report, "payments") {
        let verb = if text(payment, "state") == "closed" { "closed" } else { "paid" };
        let (event_type, id) = (format!("qudao.payment.{verb}.v1"), text(payment, "order_no"));
        if !seen(&event_type, "payment", "order_no", id) {
            found.push(format!("{}: no {event_type} for {id}", report.channel));
        }
    }
    for refund in known.money(report, "refunds") {
        let id = text(refund, "refund_no");
        if !seen("qudao.refund.succeeded.v1", "refund", "refund_no", id) {
            found.push(format!("{}: no qudao.refund.succeeded.v1 for {id}", report.channel));
        }
    }
    found
}

/// Payments that were never notified were learned of by asking, and one that paid an order of a shop is linked to it.
fn asked(known: &Known, report: &Report, said: &Said) -> Vec<String> {
    let truth = known.ledger(report.channel).into_iter().flat_map(|ledger| list(&ledger.truth, "payments"));
    let mut found = Vec::new();
    for truth in truth {
        let no = text(truth, "order_no");
        let is_it =
            |payment: &&Value| text(payment, "channel") == report.channel && text(payment, "order_no") == no;
        let Some(payment) = said.payments.iter().find(is_it) else { continue };
        let evidence: Vec<&str> = list(payment, "evidence").filter_map(Value::as_str).collect();
        if evidence != ["query"] {
            found.push(format!("{}: evidence of {no} is {evidence:?} but should be a query", report.channel));
        }
        let is_paid_by = |order: &&Value| {
            list(order, "payment_refs").any(|named| named.get("payment_id") == payment.get("id"))
        };
        let of_a_shop =
            said.orders.iter().find(|order| no.strip_prefix(AT_ALIPAY) == Some(text(order, "order_no")));
        if of_a_shop.is_some_and(|order| !is_paid_by(&order)) {
            found.push(format!("{}: {no} is not linked to its order", report.channel));
        }
    }
    found
}

/// Only within the channel: two platforms may well use one order number.
fn forged(report: &Report, said: &Said) -> Vec<String> {
    let absent = list(&report.truth, "absent").filter_map(Value::as_str);
    let mine = || said.events.iter().filter(|event| text(event, "channel") == report.channel);
    let known = |order: &&str| mine().any(|event| event.to_string().contains(&format!("\"{order}\"")));
    absent
        .filter(known)
        .map(|order| format!("{}: forged order {order} is in the feed", report.channel))
        .collect()
}

pub(super) fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::servers::{ROLES, Role};
    use super::*;
    use serde_json::json;

    fn report() -> Report {
        Report {
            channel: "pay",
            notices: vec![
                json!({"kind": "payment", "order_no": "A", "expect": "accepted", "outcome": "accepted", "right": true}),
                json!({"kind": "tampered", "order_no": "B", "expect": "rejected", "outcome": "rejected", "right": true}),
            ],
            truth: json!({
                "payments": [{"order_no": "A", "state": "paid", "transaction_no": "T", "requested_fen": 5, "refunded_fen": 0}],
                "refunds": [],
                "absent": ["B"],
            }),
        }
    }

    fn said() -> Said {
        let payment = json!({"channel": "pay", "order_no": "A", "state": "paid", "transaction_no": "T", "requested_fen": 5, "refunded_fen": 0});
        Said {
            events: vec![
                json!({"seq": 1, "type": "qudao.payment.paid.v1", "channel": "pay", "data": {"payment": payment}}),
            ],
            payments: vec![payment],
            deliveries: vec![
                json!({"channel": "pay", "method": "POST", "verdict": "accepted", "duplicates": 0}),
                json!({"channel": "pay", "method": "POST", "verdict": "rejected", "duplicates": 0}),
                json!({"channel": "pay", "method": "FETCH", "verdict": "accepted", "duplicates": 3}),
            ],
            ..Said::default()
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Report, &mut Said), expect: &[&str]) {
        let (mut report, mut said) = (report(), said());
        change(&mut report, &mut said);
        assert_eq!(
            differences(&Known { reports: vec![report], ledgers: vec![], erp: Value::Null }, &said),
            expect
        );
    }

    #[test]
    fn what_was_never_notified_has_been_asked_for_and_linked() {
        let role = Role { channel: "pay", ..ROLES[1] };
        let truth = json!({"order_no": "T200P7", "state": "paid", "transaction_no": "S", "requested_fen": 3, "refunded_fen": 0});
        let known = || {
            let ledger = Ledger {
                role,
                truth: json!({"payments": [truth.clone()], "refunds": []}),
                calls: 1,
                struck: 0,
            };
            Known { reports: vec![report()], ledgers: vec![ledger], erp: Value::Null }
        };
        let mut payment = truth.clone();
        payment["channel"] = json!("pay");
        payment["id"] = json!("pay_1");
        payment["evidence"] = json!(["query"]);
        let order = json!({"channel": "shop", "order_no": "7", "payment_refs": [{"payment_id": "pay_1"}]});
        let event = json!({"seq": 2, "type": "qudao.payment.paid.v1", "channel": "pay", "data": {"payment": payment}});
        let mut said = said();
        assert_eq!(
            differences(&known(), &said),
            ["pay: T200P7 is missing among the payments", "pay: no qudao.payment.paid.v1 for T200P7"]
        );
        said.payments.push(payment);
        said.events.push(event);
        said.orders.push(order);
        assert!(differences(&known(), &said).is_empty());
        said.orders[0]["payment_refs"] = json!([]);
        said.payments[1]["evidence"] = json!(["notice", "query"]);
        assert_eq!(
            differences(&known(), &said),
            [
                r#"pay: evidence of T200P7 is ["notice", "query"] but should be a query"#,
                "pay: T200P7 is not linked to its order",
            ]
        );
    }

    #[test]
    fn what_agrees_has_no_difference() {
        check(|_, _| (), &[]);
    }

    #[test]
    fn each_kind_of_difference_is_a_sentence() {
        check(
            |_, said| said.payments[0]["requested_fen"] = json!(6),
            &["pay: requested_fen of A is 6 but should be 5"],
        );
        check(|_, said| said.payments.clear(), &["pay: A is missing among the payments"]);
        check(|_, said| said.events[0]["seq"] = json!(2), &["the feed has number 2 where 1 should be"]);
        check(|_, said| said.events.clear(), &["pay: no qudao.payment.paid.v1 for A"]);
        check(|report, _| report.truth["absent"] = json!(["A"]), &["pay: forged order A is in the feed"]);
        let elsewhere = json!({"seq": 2, "channel": "other", "data": {"payment": {"order_no": "B"}}});
        check(|_, said| said.events.push(elsewhere), &[]);
        check(
            |report, _| report.notices[1]["right"] = json!(false),
            &["pay: the tampered notice of B should be rejected but was rejected with null"],
        );
        check(
            |_, said| said.deliveries[1]["verdict"] = json!("failed"),
            &[
                "pay: the inbox says 1 accepted, 0 again, 0 rejected, 1 failed, the platform 1 accepted, 0 again, 1 rejected, 0 failed",
            ],
        );
        check(
            |_, said| said.payments.push(json!({"channel": "pay", "order_no": "C"})),
            &["pay: C among the payments is nothing the platform knows"],
        );
    }
}
