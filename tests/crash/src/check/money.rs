//! Payments and refunds against what the platforms know, once everything was acknowledged.

use super::database::Database;
use crate::ledger::Ledger;
use anyhow::Result;
use serde_json::Value;
use sqlx::Row as _;
use std::collections::BTreeMap;

/// What a payment or refund comes to: state, and amounts in a fixed order.
type Sum = (String, Vec<Option<i64>>);

/// Every difference.
pub(super) fn truth(database: &mut Database, ledger: &Ledger) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (channel, truth) in ledger.truth() {
        let payments = truth.payments.iter().map(|payment| {
            let amounts =
                vec![Some(payment.requested_fen), payment.payer_paid_fen, Some(payment.refunded_fen)];
            (payment.order_no.clone(), (payment.state.to_owned(), amounts))
        });
        let members = ["requested_fen", "payer_paid_fen", "refunded_fen"];
        let known = known(database, (channel, "payment", "order_no"), &members)?;
        found.extend(differences((channel, "payment"), payments.collect(), known));
        let refunds = truth.refunds.iter().map(|refund| {
            (refund.refund_no.clone(), (refund.state.to_owned(), vec![Some(refund.amount_fen)]))
        });
        let known = known_refunds(database, channel)?;
        found.extend(differences((channel, "refund"), refunds.collect(), known));
    }
    Ok(found)
}

fn known_refunds(database: &mut Database, channel: &str) -> Result<BTreeMap<String, Sum>> {
    known(database, (channel, "refund", "refund_no"), &["amount_fen"])
}

/// What the gateway knows, of its own numbers only: the filled ones begin otherwise.
fn known(
    database: &mut Database,
    (channel, kind, key): (&str, &str, &str),
    members: &[&str],
) -> Result<BTreeMap<String, Sum>> {
    let sql = format!(
        "SELECT {key}, state, entity FROM entities WHERE kind = '{kind}' AND channel = '{channel}' AND order_no LIKE 'SIM%' AND ?1 = ?1"
    );
    let mut all = BTreeMap::new();
    for row in database.rows(&sql, 0) {
        let row = row?;
        let (number, state): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let entity: Value = serde_json::from_str(&row.try_get::<String, _>(2)?)?;
        let amounts = members.iter().map(|name| entity.get(*name).and_then(Value::as_i64)).collect();
        all.insert(number, (state, amounts));
    }
    Ok(all)
}

fn differences(
    (channel, kind): (&str, &str),
    truth: BTreeMap<String, Sum>,
    mut known: BTreeMap<String, Sum>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (number, should) in truth {
        match known.remove(&number) {
            None => found.push(format!("the {kind} {number} of {channel} is missing")),
            Some(is) if is != should => {
                found.push(format!("the {kind} {number} of {channel} is {is:?} and should be {should:?}"));
            }
            Some(_) => {}
        }
    }
    found.extend(known.keys().map(|number| format!("the {kind} {number} of {channel} is nobody's")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_is_a_sentence() {
        let sum = |fen| ("paid".to_owned(), vec![Some(fen)]);
        let some = |all: &[(&str, i64)]| all.iter().map(|(no, fen)| ((*no).to_owned(), sum(*fen))).collect();
        let found = differences(
            ("w", "payment"),
            some(&[("A", 1), ("B", 2), ("C", 3)]),
            some(&[("B", 2), ("C", 4), ("D", 5)]),
        );
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], "the payment A of w is missing");
        assert!(found[1].starts_with("the payment C of w is"));
        assert_eq!(found[2], "the payment D of w is nobody's");
    }
}
