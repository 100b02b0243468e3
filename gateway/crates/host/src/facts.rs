//! Observations and notes as a guest returned them, of a webhook or of an ask, checked and converted.
//!
//! What only the gateway knows a connector may not claim: which SKU of ours is meant, which payment paid an order, and
//! what was sealed.

use crate::{Limits, Reason, bindings::wire, outcome::Stopped};
use qudao_model::{Facts, Note, Observation, OrderFact, OrderFacts, Timestamp, order::PaymentRef};
use serde_json::{Map, Value};

/// Longest word: reasons, codes and kinds of notes.
pub(crate) const WORD_BYTES: usize = 64;

/// Checks and converts all facts of a result; one bad fact makes the whole result a failure.
pub(crate) fn read(
    observations: Vec<wire::Observation>,
    notes: Vec<wire::Note>,
    limits: &Limits,
) -> Result<(Vec<Observation>, Vec<Note>), Stopped> {
    size(&observations, &notes, limits)?;
    let observations = observations
        .into_iter()
        .enumerate()
        .map(|(at, fact)| observation(fact).map_err(|text| invalid("observations", at, &text)));
    let notes = notes
        .into_iter()
        .enumerate()
        .map(|(at, told)| note(told).map_err(|text| invalid("notes", at, &text)));
    Ok((observations.collect::<Result<_, _>>()?, notes.collect::<Result<_, _>>()?))
}

/// Whether a text is a word that programs may match on.
pub(crate) fn is_word(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= WORD_BYTES
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Words joined by dots.
pub(crate) fn is_words(words: &str) -> bool {
    words.len() <= WORD_BYTES && words.split('.').all(is_word)
}

/// All that would be stored, against the limits.
fn size(observations: &[wire::Observation], notes: &[wire::Note], limits: &Limits) -> Result<(), Stopped> {
    let facts = observations.len() + notes.len();
    if facts > limits.observations {
        let explain = format!("{facts} observations and notes, at most {}", limits.observations);
        return Err(Stopped::new(Reason::LimitResult, explain));
    }
    let of_key = |key: &[String]| key.iter().map(String::len).sum::<usize>();
    let observations = observations.iter().map(|fact| fact.payload.len() + of_key(&fact.key));
    let notes = notes.iter().map(|note| note.fields.len());
    let bytes = observations.chain(notes).sum::<usize>();
    if bytes > limits.result_bytes {
        let explain = format!("{bytes} bytes of observations and notes, at most {}", limits.result_bytes);
        return Err(Stopped::new(Reason::LimitResult, explain));
    }
    Ok(())
}

fn observation(fact: wire::Observation) -> Result<Observation, String> {
    // The envelope alone says key, time and schema: the payload's own types refuse members they do not know.
    let facts = match fact.entity.as_str() {
        "payment" => serde_json::from_slice(&fact.payload).map(Facts::Payment),
        "refund" => serde_json::from_slice(&fact.payload).map(Facts::Refund),
        "order" => serde_json::from_slice(&fact.payload).map(Facts::Order),
        "aftersale" => serde_json::from_slice(&fact.payload).map(Facts::AfterSale),
        _ => return Err("entity: must be payment, refund, order or aftersale".into()),
    };
    let facts = facts.map_err(|error| format!("payload: {}", without_value(&error)))?;
    if let Some(text) = not_theirs(&facts) {
        return Err(text.into());
    }
    let occurred_at = Timestamp::from_millisecond(fact.occurred_at).map_err(|_| "occurred_at: is no time")?;
    let observation = Observation { key: fact.key, occurred_at, schema: fact.schema, facts };
    let problems: Vec<_> = observation.problems().iter().map(ToString::to_string).collect();
    if problems.is_empty() { Ok(observation) } else { Err(problems.join("; ")) }
}

/// What is wrong, without the value that is: it may be a person's, and the text is logged and kept.
fn without_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let wrong = ["invalid type: ", "invalid value: "].iter().find_map(|start| text.strip_prefix(start));
    match wrong.and_then(|wrong| wrong.split_once(' ').zip(wrong.rsplit_once(", expected "))) {
        Some(((kind, _), (_, expected))) => format!("invalid {kind}, expected {expected}"),
        None => text,
    }
}

/// What the gateway alone may say.
fn not_theirs(facts: &Facts) -> Option<&'static str> {
    match facts {
        Facts::Order(order) => not_theirs_of_order(order),
        Facts::Listing(_) => Some("entity: listings are the gateway's own"),
        Facts::AfterSale(_) | Facts::Payment(_) | Facts::Refund(_) | Facts::Slip(_) => None,
    }
}

fn not_theirs_of_order(order: &OrderFacts) -> Option<&'static str> {
    let linked = |at: &PaymentRef| {
        at.payment_id.is_some() || at.channel.is_some() || at.rule.is_some() || !at.rivals.is_empty()
    };
    if matches!(order.fact, OrderFact::Mapped | OrderFact::Linked) {
        Some("fact: mapped and linked are the gateway's own")
    } else if !order.mapped.is_empty() {
        Some("mapped: is the gateway's own")
    } else if order.receiver.as_ref().is_some_and(|who| who.sealed.is_some()) {
        Some("receiver.sealed: is the gateway's own")
    } else if order.payment_refs.iter().any(linked) {
        Some("payment_refs: what links them is the gateway's own")
    } else if order.lines.iter().any(|line| line.quantities.is_some()) {
        Some("lines.quantities: are the gateway's own")
    } else {
        None
    }
}

fn note(note: wire::Note) -> Result<Note, String> {
    if !is_words(&note.kind) {
        return Err(format!(
            "kind: must be words of a-z, 0-9 and `_` joined by dots, at most {WORD_BYTES} bytes"
        ));
    }
    let at = note.at.map(Timestamp::from_millisecond).transpose().map_err(|_| "at: is no time")?;
    let fields: Map<String, Value> =
        serde_json::from_slice(&note.fields).map_err(|error| format!("fields: {}", without_value(&error)))?;
    Ok(Note { kind: note.kind, at, fields })
}

fn invalid(list: &str, at: usize, text: &str) -> Stopped {
    Stopped::new(Reason::InvalidObservation, format!("{list}[{at}]: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(entity: &str, key: &str, payload: &Value) -> Result<Observation, String> {
        observation(wire::Observation {
            entity: entity.into(),
            key: vec![key.into()],
            occurred_at: 1_766_623_748_000,
            schema: format!("qudao.{entity}.v1"),
            payload: payload.to_string().into_bytes(),
        })
    }

    #[test]
    fn orders_and_aftersales_are_read() {
        let order =
            json!({"order_no": "O1", "fact": "cancelled", "payment_refs": [{"transaction_no": "T1"}]});
        assert_eq!(told("order", "O1", &order).unwrap().kind().as_str(), "order");
        let aftersale = json!({"aftersale_no": "A1", "order_no": "O1", "kind": "refund_only", "state": "succeeded",
            "amount_fen": 100, "currency": "CNY", "modified_at": "2026-03-12T00:00:00Z"});
        assert_eq!(told("aftersale", "A1", &aftersale).unwrap().kind().as_str(), "aftersale");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_value() {
        let check = |receiver: Value| {
            let order = json!({"order_no": "O1", "fact": "cancelled", "receiver": receiver});
            let problem = told("order", "O1", &order).unwrap_err();
            assert!(problem.starts_with("payload: "), "{problem}");
            assert!(!problem.contains("13800138000") && !problem.contains("韩"), "{problem}");
        };
        check(json!({"mobile": 13_800_138_000_i64}));
        check(json!({"encrypted": "13800138000, expected none"}));
        check(json!("13800138000"));
        let note = wire::Note { kind: "a".into(), at: None, fields: b"\"13800138000\"".to_vec() };
        assert_eq!(
            super::note(note).unwrap_err(),
            "fields: invalid string, expected a map at line 1 column 13"
        );
    }

    #[test]
    fn what_the_gateway_knows_better_is_refused() {
        let check = |members: Value, expect: &str| {
            let mut order = json!({"order_no": "O1", "fact": "cancelled"});
            order.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            let problem = told("order", "O1", &order).unwrap_err();
            assert!(problem.starts_with(expect), "{problem}");
        };
        check(json!({"fact": "mapped"}), "fact: ");
        check(json!({"fact": "linked"}), "fact: ");
        check(json!({"mapped": [{"channel_sku": "c", "sku": "s"}]}), "mapped: ");
        check(json!({"receiver": {"sealed": "eA=="}}), "receiver.sealed: ");
        check(json!({"payment_refs": [{"transaction_no": "T1"}, {"payment_id": "pay_1"}]}), "payment_refs: ");
        check(json!({"payment_refs": [{"channel": "wx"}]}), "payment_refs: ");
        let line = json!({"line_no": 1, "channel_sku": "c", "title": "t", "qty": 1, "unit_price_fen": 1, "gross_fen": 1,
            "discount_fen": 0, "platform_discount_fen": 0, "adjust_fen": 0, "net_fen": 1, "gift": false,
            "quantities": {"ordered": 1, "cancelled": 0, "shipped": 0, "delivered": 0, "return_asked": 0, "returned": 0}});
        check(json!({"lines": [line]}), "lines.quantities: ");
        let listing = json!({"channel_sku": "c", "state": "missing"});
        assert!(told("listing", "c", &listing).unwrap_err().starts_with("entity: "));
    }
}
