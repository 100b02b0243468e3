//! Orders and after-sales beside the shops' own books, to the fen: every sum, every line, every state and hold; and what
//! the gateway adds by itself, the SKU of a line and the payment of an order.

use super::super::servers::Ledger;
use super::{Said, list, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const ORDER: [&str; 4] = ["state", "payment_state", "refunded_fen", "parent_order_no"];
const TOTALS: [&str; 8] = [
    "goods_fen",
    "discount_fen",
    "platform_discount_fen",
    "adjust_fen",
    "freight_fen",
    "service_fen",
    "payable_fen",
    "paid_fen",
];
const LINE: [&str; 9] = [
    "channel_sku",
    "title",
    "qty",
    "unit_price_fen",
    "gross_fen",
    "discount_fen",
    "platform_discount_fen",
    "adjust_fen",
    "net_fen",
];
const AFTERSALE: [&str; 4] = ["order_no", "kind", "state", "amount_fen"];

/// Every difference from a shop's books.
pub(super) fn differences(shop: &Ledger, said: &Said) -> Vec<String> {
    let channel = shop.role.channel;
    let mut found = Vec::new();
    let (orders, more) = pairs((channel, "orders", "order_no"), visible(&shop.truth), &said.orders);
    found.extend(more);
    for (truth, order) in orders {
        let compare = Compare { channel, what: text(truth, "order_no") };
        found.extend(compare.order(truth, order, said));
    }
    let aftersales = list(&shop.truth, "aftersales");
    let (aftersales, more) = pairs((channel, "aftersales", "aftersale_no"), aftersales, &said.aftersales);
    found.extend(more);
    for (truth, aftersale) in aftersales {
        let compare = Compare { channel, what: text(truth, "aftersale_no") };
        found.extend(compare.members(&AFTERSALE, truth, aftersale));
    }
    found.extend(announced(shop, said));
    found.extend(missing(shop, said));
    found
}

/// Orders that the platform shows to a caller.
pub(in super::super) fn visible(truth: &Value) -> impl Iterator<Item = &Value> {
    list(truth, "orders").filter(|order| order.get("visible") != Some(&Value::Bool(false)))
}

/// What is known of both sides, and a sentence for whatever only one of them has.
fn pairs<'a>(
    (channel, kind, key): (&str, &str, &str),
    truth: impl Iterator<Item = &'a Value>,
    said: &'a [Value],
) -> (Vec<(&'a Value, &'a Value)>, Vec<String>) {
    let mine = said.iter().filter(|entity| text(entity, "channel") == channel);
    let mut known: BTreeMap<&str, &Value> = mine.map(|entity| (text(entity, key), entity)).collect();
    let (mut both, mut found) = (Vec::new(), Vec::new());
    for truth in truth {
        let id = text(truth, key);
        match known.remove(id) {
            Some(entity) => both.push((truth, entity)),
            None => found.push(format!("{channel}: {id} is missing among the {kind}")),
        }
    }
    let strange = |id: &&str| format!("{channel}: {id} among the {kind} is nothing the shop knows");
    found.extend(known.keys().map(strange));
    (both, found)
}

struct Compare<'a> {
    channel: &'a str,
    what: &'a str,
}

impl Compare<'_> {
    fn order(&self, truth: &Value, order: &Value, said: &Said) -> Vec<String> {
        let mut found = self.members(&ORDER, truth, order);
        let none = Value::Null;
        let of = |one: &'_ Value| one.get("totals").cloned().unwrap_or_default();
        found.extend(self.members(&TOTALS, &of(truth), &of(order)));
        let holds: Vec<&str> = truth.get("hold").and_then(Value::as_str).into_iter().collect();
        let said_holds: Vec<&str> = list(order, "holds").filter_map(Value::as_str).collect();
        if holds != said_holds {
            found.push(self.sentence("holds", &format!("{said_holds:?}"), &format!("{holds:?}")));
        }
        let (lines, said_lines) = (list(truth, "lines").count(), list(order, "lines").count());
        if lines != said_lines {
            found.push(self.sentence("number of lines", &said_lines.to_string(), &lines.to_string()));
        }
        for (truth, line) in list(truth, "lines").zip(list(order, "lines")) {
            found.extend(self.members(&LINE, truth, line));
            let listed = said.listings.get(&(self.channel.to_owned(), text(truth, "channel_sku").to_owned()));
            let sku = listed.map(|sku| Value::from(sku.as_str()));
            let (sku, said_sku) = (sku.as_ref().or(truth.get("sku")).unwrap_or(&none), line.get("sku"));
            if sku != said_sku.unwrap_or(&none) {
                found.push(self.sentence("sku", &shown(said_sku), &sku.to_string()));
            }
        }
        if list(order, "anomalies").next().is_some() {
            found.push(format!("{}: {} has anomalies: {}", self.channel, self.what, order["anomalies"]));
        }
        found
    }

    fn members(&self, members: &[&str], truth: &Value, said: &Value) -> Vec<String> {
        // What is absent on one side may be null on the other.
        let of = |one: &Value, member: &str| one.get(member).filter(|value| !value.is_null()).cloned();
        let differs = members.iter().filter(|member| of(truth, member) != of(said, member));
        let sentence =
            |member: &&str| self.sentence(member, &shown(said.get(*member)), &shown(truth.get(*member)));
        differs.map(sentence).collect()
    }

    fn sentence(&self, member: &str, is: &str, should: &str) -> String {
        format!("{}: {member} of {} is {is} but should be {should}", self.channel, self.what)
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), Value::to_string)
}

/// The milestones of orders and after-sales that must have been told.
fn announced(shop: &Ledger, said: &Said) -> Vec<String> {
    let channel = shop.role.channel;
    let told: BTreeSet<(&str, &str)> = said
        .events
        .iter()
        .filter(|event| text(event, "channel") == channel)
        .filter_map(|event| {
            let number = |entity: &str, key: &str| event.pointer(&format!("/data/{entity}/{key}"))?.as_str();
            Some((text(event, "type"), number("order", "order_no").or(number("aftersale", "aftersale_no"))?))
        })
        .collect();
    let mut due: Vec<(String, &str)> = Vec::new();
    for order in visible(&shop.truth) {
        let verbs = match text(order, "state") {
            "shipped" => vec!["placed", "shipped"],
            "completed" => vec!["placed", "completed"],
            "cancelled" => vec!["placed", "cancelled"],
            _ => vec!["placed"],
        };
        let paid = (text(order, "payment_state") == "paid").then_some("paid");
        due.extend(
            verbs
                .into_iter()
                .chain(paid)
                .map(|verb| (format!("qudao.order.{verb}.v1"), text(order, "order_no"))),
        );
    }
    for aftersale in list(&shop.truth, "aftersales") {
        let settled = matches!(text(aftersale, "state"), "succeeded" | "refused" | "cancelled");
        let verbs = ["opened"].into_iter().chain(settled.then_some("settled"));
        due.extend(verbs.map(|verb| (format!("qudao.aftersale.{verb}.v1"), text(aftersale, "aftersale_no"))));
    }
    let untold = due.into_iter().filter(|(event_type, number)| !told.contains(&(event_type, number)));
    untold.map(|(event_type, number)| format!("{channel}: no {event_type} for {number}")).collect()
}

/// SKUs that nobody knows are reported, each once, and no others.
fn missing(shop: &Ledger, said: &Said) -> Option<String> {
    let channel = shop.role.channel;
    let known = |line: &&Value| {
        line.get("sku").is_some_and(Value::is_string)
            || said.listings.contains_key(&(channel.to_owned(), text(line, "channel_sku").to_owned()))
    };
    let lines = visible(&shop.truth).flat_map(|order| list(order, "lines"));
    let due: BTreeSet<&str> =
        lines.filter(|line| !known(line)).map(|line| text(line, "channel_sku")).collect();
    let reports = said.events.iter().filter(|event| {
        text(event, "channel") == channel && text(event, "type") == "qudao.listing.missing.v1"
    });
    let mut told: Vec<&str> =
        reports.filter_map(|event| event.pointer("/data/listing/channel_sku")?.as_str()).collect();
    told.sort_unstable();
    (!told.iter().eq(&due))
        .then(|| format!("{channel}: reported as not listed are {told:?} but should be {due:?}"))
}

#[cfg(test)]
mod tests {
    use super::super::super::servers::ROLES;
    use super::*;
    use serde_json::json;

    fn shop() -> Ledger {
        let line = json!({"sku": null, "channel_sku": "41", "qty": 1, "net_fen": 9});
        let order = json!({
            "order_no": "A", "state": "shipped", "payment_state": "paid", "hold": null, "refunded_fen": 0,
            "parent_order_no": null, "totals": {"payable_fen": 9}, "lines": [line], "visible": true,
        });
        let unpaid = json!({"order_no": "U", "visible": false});
        let aftersale = json!({"aftersale_no": "R", "order_no": "A", "kind": "refund_only", "state": "requested", "amount_fen": 4});
        let truth = json!({"orders": [order, unpaid], "aftersales": [aftersale]});
        let role = ROLES.into_iter().find(|role| role.channel == "jd-main").unwrap();
        Ledger { role, truth, calls: 1, struck: 0 }
    }

    fn said() -> Said {
        let line = json!({"sku": "TX", "channel_sku": "41", "qty": 1, "net_fen": 9});
        let order = json!({
            "channel": "jd-main", "order_no": "A", "state": "shipped", "payment_state": "paid", "holds": [],
            "refunded_fen": 0, "totals": {"payable_fen": 9}, "lines": [line], "anomalies": [],
        });
        let aftersale = json!({
            "channel": "jd-main", "aftersale_no": "R", "order_no": "A", "kind": "refund_only", "state": "requested",
            "amount_fen": 4,
        });
        let event =
            |event_type: &str, data: Value| json!({"type": event_type, "channel": "jd-main", "data": data});
        let events = ["placed", "paid", "shipped"]
            .map(|verb| event(&format!("qudao.order.{verb}.v1"), json!({"order": {"order_no": "A"}})));
        let opened = event("qudao.aftersale.opened.v1", json!({"aftersale": {"aftersale_no": "R"}}));
        Said {
            events: events.into_iter().chain([opened]).collect(),
            orders: vec![order],
            aftersales: vec![aftersale],
            listings: [(("jd-main".to_owned(), "41".to_owned()), "TX".to_owned())].into(),
            ..Said::default()
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Said), expect: &[&str]) {
        let mut said = said();
        change(&mut said);
        assert_eq!(differences(&shop(), &said), expect);
    }

    #[test]
    fn what_agrees_has_no_difference() {
        check(|_| (), &[]);
    }

    #[test]
    fn each_kind_of_difference_is_a_sentence() {
        let order = |name: &'static str, value: Value| move |said: &mut Said| said.orders[0][name] = value;
        check(
            order("state", json!("to_ship")),
            &[r#"jd-main: state of A is "to_ship" but should be "shipped""#],
        );
        let totals = json!({"payable_fen": 8});
        check(order("totals", totals), &["jd-main: payable_fen of A is 8 but should be 9"]);
        check(order("holds", json!(["paused"])), &[r#"jd-main: holds of A is ["paused"] but should be []"#]);
        check(order("lines", json!([])), &["jd-main: number of lines of A is 0 but should be 1"]);
        check(
            |said| said.orders[0]["lines"][0]["sku"] = Value::Null,
            &[r#"jd-main: sku of A is null but should be "TX""#],
        );
        check(
            |said| said.aftersales[0]["amount_fen"] = json!(5),
            &["jd-main: amount_fen of R is 5 but should be 4"],
        );
        check(|said| said.aftersales.clear(), &["jd-main: R is missing among the aftersales"]);
        let strange = json!({"channel": "jd-main", "order_no": "U"});
        check(|said| said.orders.push(strange), &["jd-main: U among the orders is nothing the shop knows"]);
        check(|said| drop(said.events.pop()), &["jd-main: no qudao.aftersale.opened.v1 for R"]);
        check(|said| drop(said.events.remove(2)), &["jd-main: no qudao.order.shipped.v1 for A"]);
    }

    #[test]
    fn a_sku_that_nobody_knows_is_reported_once() {
        let unlisted = |said: &mut Said| {
            said.listings.clear();
            said.orders[0]["lines"][0]["sku"] = Value::Null;
        };
        check(unlisted, &[r#"jd-main: reported as not listed are [] but should be {"41"}"#]);
        let listing = json!({"listing": {"channel_sku": "41"}});
        let event = json!({"type": "qudao.listing.missing.v1", "channel": "jd-main", "data": listing});
        check(
            |said| {
                unlisted(said);
                said.events.push(event);
            },
            &[],
        );
    }
}
