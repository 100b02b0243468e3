//! Compares what the gateway says with what the platforms know. Every difference is one sentence; none is the aim.
//!
//! The feed is checked as HQ would read it: numbered without a gap, every payment and refund announced, nothing about an
//! order that was only ever forged. The entities are compared member by member.

use super::platforms::Report;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the gateway says.
pub(super) struct Said {
    pub(super) events: Vec<Value>,
    pub(super) payments: Vec<Value>,
    pub(super) refunds: Vec<Value>,
    pub(super) deliveries: Vec<Value>,
}

const PAYMENT_MEMBERS: [&str; 5] =
    ["state", "transaction_no", "requested_fen", "payer_paid_fen", "refunded_fen"];
const REFUND_MEMBERS: [&str; 2] = ["state", "amount_fen"];

/// Every difference.
pub(super) fn differences(reports: &[Report], said: &Said) -> Vec<String> {
    let mut found = gaps(&said.events);
    for report in reports {
        found.extend(wrong_answers(report));
        found.extend(inbox(report, &said.deliveries));
        found.extend(entities(report, "payments", &said.payments, "order_no", &PAYMENT_MEMBERS));
        found.extend(entities(report, "refunds", &said.refunds, "refund_no", &REFUND_MEMBERS));
        found.extend(announced(report, &said.events));
        found.extend(forged(report, said));
    }
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
    let mine = || deliveries.iter().filter(|row| text(row, "channel") == report.channel);
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

fn entities(report: &Report, kind: &str, said: &[Value], key: &str, members: &[&str]) -> Vec<String> {
    let mine = said.iter().filter(|entity| text(entity, "channel") == report.channel);
    let mut known: BTreeMap<&str, &Value> = mine.map(|entity| (text(entity, key), entity)).collect();
    let mut found = Vec::new();
    for truth in list(&report.truth, kind) {
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

fn announced(report: &Report, events: &[Value]) -> Vec<String> {
    let seen = |event_type: &str, entity: &str, key: &str, id: &str| {
        events.iter().any(|event| {
            text(event, "type") == event_type
                && text(event, "channel") == report.channel
                && event.pointer(&format!("/data/{entity}")).is_some_and(|entity| text(entity, key) == id)
        })
    };
    let mut found = Vec::new();
    for payment in list(&report.truth, "payments") {
        let verb = if text(payment, "state") == "closed" { "closed" } else { "paid" };
        let (event_type, id) = (format!("qudao.payment.{verb}.v1"), text(payment, "order_no"));
        if !seen(&event_type, "payment", "order_no", id) {
            found.push(format!("{}: no {event_type} for {id}", report.channel));
        }
    }
    for refund in list(&report.truth, "refunds") {
        let id = text(refund, "refund_no");
        if !seen("qudao.refund.succeeded.v1", "refund", "refund_no", id) {
            found.push(format!("{}: no qudao.refund.succeeded.v1 for {id}", report.channel));
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

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report() -> Report {
        Report {
            channel: "pay",
            seed: 1,
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
            refunds: vec![],
            deliveries: vec![
                json!({"channel": "pay", "verdict": "accepted", "duplicates": 0}),
                json!({"channel": "pay", "verdict": "rejected", "duplicates": 0}),
            ],
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Report, &mut Said), expect: &[&str]) {
        let (mut report, mut said) = (report(), said());
        change(&mut report, &mut said);
        assert_eq!(differences(&[report], &said), expect);
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
