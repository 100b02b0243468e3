//! Rules for facts about orders, and what everybody may see of a receiver.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use qudao_model::order::{Line, Shipment, ShippedLine, Times, Totals};
use qudao_model::{
    Entity, EntityKind, Facts, Observation, OrderFact, OrderFacts, OrderPaymentState, OrderState, Receiver,
};

fn line() -> Line {
    Line { line_id: Some("L1".into()), ..Line::new(1, "4538661658617", "T恤", 2, 100) }
}

fn snapshot() -> OrderFacts {
    let at = "2026-03-11T16:51:04Z".parse().unwrap();
    OrderFacts {
        modified_at: Some(at),
        state: Some(OrderState::ToShip),
        payment_state: Some(OrderPaymentState::Paid),
        currency: Some("CNY".into()),
        totals: Some(Totals { goods_fen: 200, payable_fen: 200, paid_fen: 200, ..Totals::default() }),
        lines: vec![line()],
        times: Some(Times {
            created_at: at,
            paid_at: None,
            shipped_at: None,
            ended_at: None,
            modified_at: None,
        }),
        ..OrderFacts::new("2566080292969335443", OrderFact::Snapshot)
    }
}

#[track_caller]
fn check(change: impl FnOnce(&mut OrderFacts), expect: &[&str]) {
    let mut facts = snapshot();
    change(&mut facts);
    let observation = Observation::order("2026-03-11T16:51:04Z".parse().unwrap(), facts);
    let members: Vec<_> = observation.problems().iter().map(|problem| problem.member).collect();
    assert_eq!(members, expect);
}

#[test]
fn a_fact_has_what_its_kind_needs() {
    check(|_| {}, &[]);
    check(|facts| facts.modified_at = None, &["modified_at"]);
    check(|facts| facts.lines.clear(), &["lines"]);
    check(|facts| facts.state = None, &["state"]);
    check(
        |facts| {
            facts.state = None;
            facts.holds = vec!["platform_locked".into()];
        },
        &[],
    );
    check(|facts| facts.lines[0].qty = 0, &["lines.qty"]);
    check(|facts| facts.lines[0].channel_sku.clear(), &["lines.channel_sku"]);
    check(|facts| facts.currency = Some("yuan".into()), &["currency"]);
    check(|facts| facts.fact = OrderFact::Shipped, &["shipments"]);
    check(|facts| facts.fact = OrderFact::Mapped, &["mapped"]);
    check(|facts| facts.fact = OrderFact::Linked, &["payment_refs"]);
    check(|facts| facts.fact = OrderFact::Cancelled, &[]);
    let parcel = |lines| Shipment { carrier: None, waybill: Some("SF1".into()), shipped_at: None, lines };
    let nothing = ShippedLine { line_id: None, sku: None, qty: 1 };
    check(|facts| facts.shipments = vec![parcel(vec![nothing])], &["shipments"]);
}

#[test]
fn an_order_and_its_after_sales_are_one_family() {
    let order = Observation::order("2026-03-11T16:51:04Z".parse().unwrap(), snapshot());
    let facts = serde_json::json!({"aftersale_no": "A1", "order_no": "2566080292969335443", "kind": "refund_only",
        "state": "requested", "amount_fen": 1, "currency": "CNY", "modified_at": "2026-03-11T16:51:04Z"});
    let aftersale = Observation::aftersale(order.occurred_at, serde_json::from_value(facts).unwrap());
    assert_eq!(aftersale.family_id("shop"), order.entity_id("shop"));
    assert!(aftersale.entity_id("shop").starts_with("aft_") && order.entity_id("shop").starts_with("ord_"));
    for observation in [order, aftersale] {
        let read: Observation = serde_json::from_str(&observation.canonical_json()).unwrap();
        assert_eq!(read, observation);
    }
}

#[test]
fn kinds_have_one_word_everywhere() {
    for kind in EntityKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        assert_eq!(EntityKind::parse(kind.as_str()), Some(kind));
    }
    let listing = serde_json::json!({"id": "lst_1", "channel": "shop", "channel_sku": "1", "state": "missing",
        "version": 1, "updated_at": "2026-03-11T16:51:04Z", "anomalies": []});
    assert!(matches!(serde_json::from_value(listing).unwrap(), Entity::Listing(_)));
    let cancelled = r#"{"entity":"order","key":["1"],"occurred_at":"2026-03-11T16:51:04Z",
        "schema":"qudao.order.v1","order_no":"1","fact":"cancelled"}"#;
    assert!(matches!(serde_json::from_str::<Observation>(cancelled).unwrap().facts, Facts::Order(_)));
}

#[test]
fn masks_show_no_person() {
    let check = |mobile: &str, expect: &str| {
        let receiver = Receiver { mobile: Some(mobile.into()), ..Receiver::default() };
        assert_eq!(receiver.masked().mobile.as_deref(), Some(expect), "{mobile}");
        assert_eq!(receiver.masked().masked(), receiver.masked(), "{mobile}");
    };
    check("13800138000", "*******8000");
    check("*******7184", "*******7184");
    check("0571-88886666", "*******6666");
    check("110", "***");
    check("", "***");
    let receiver = Receiver {
        name: Some("欧阳小明".into()),
        buyer_message: Some("打我电话13800138000".into()),
        sealed: Some("AAAA".into()),
        oaid: Some("1f71".into()),
        ..Receiver::default()
    };
    assert!(receiver.is_personal());
    let masked = receiver.masked();
    assert_eq!((masked.name.as_deref(), masked.buyer_message.as_deref()), (Some("欧**"), Some("***")));
    assert_eq!((masked.sealed, masked.oaid.as_deref()), (None, Some("1f71")));
    let region = Receiver { city: Some("杭州市".into()), oaid: Some("1".into()), ..Receiver::default() };
    assert!(!region.is_personal());
}
