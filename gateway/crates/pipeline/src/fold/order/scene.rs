//! Facts for tests, in few words.

use super::super::Folding;
use qudao_model::{
    AfterSale, AfterSaleFacts, AfterSaleKind, AfterSaleState, Anomaly, Entity, Observation, Order, OrderFact,
    OrderFacts, OrderPaymentState, OrderState, Timestamp,
    order::{Line, PaymentRef, Shipment, ShippedLine, Times, Totals},
};
use qudao_storage::{Fold as _, Known};

pub(super) const CHANNEL: &str = "shop-main";
pub(super) const ORDER: &str = "A1";

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_766_000_000 + second).unwrap()
}

/// A line of `qty` pieces without discounts.
pub(super) fn line(no: u32, qty: i64, unit_fen: i64, state: Option<OrderState>) -> Line {
    Line {
        line_id: Some(format!("L{no}")),
        state,
        ..Line::new(no, format!("C{no}"), format!("item {no}"), qty, unit_fen)
    }
}

/// A picture at a second, with sums that fit its lines.
pub(super) fn picture(
    second: i64,
    state: Option<OrderState>,
    money: OrderPaymentState,
    lines: Vec<Line>,
) -> OrderFacts {
    let net: i64 = lines.iter().map(|line| line.net_fen).sum();
    let paid = money >= OrderPaymentState::Paid;
    OrderFacts {
        modified_at: Some(at(second)),
        state,
        payment_state: Some(money),
        holds: if state.is_none() { vec!["platform_locked".to_owned()] } else { Vec::new() },
        currency: Some("CNY".to_owned()),
        totals: Some(Totals {
            goods_fen: net,
            payable_fen: net,
            paid_fen: if paid { net } else { 0 },
            ..Totals::default()
        }),
        lines,
        times: Some(Times {
            created_at: at(0),
            paid_at: paid.then(|| at(1)),
            shipped_at: None,
            ended_at: None,
            modified_at: Some(at(second)),
        }),
        ..OrderFacts::new(ORDER, OrderFact::Snapshot)
    }
}

/// Two lines of two pieces, all in one state.
pub(super) fn two(second: i64, state: OrderState, money: OrderPaymentState) -> OrderFacts {
    picture(second, Some(state), money, vec![line(1, 2, 500, Some(state)), line(2, 2, 250, Some(state))])
}

pub(super) fn parcel(waybill: &str, lines: &[(&str, i64)]) -> Shipment {
    let lines =
        lines.iter().map(|(id, qty)| ShippedLine { line_id: Some((*id).to_owned()), sku: None, qty: *qty });
    Shipment {
        carrier: Some("SF".to_owned()),
        waybill: (!waybill.is_empty()).then(|| waybill.to_owned()),
        shipped_at: None,
        lines: lines.collect(),
    }
}

pub(super) fn fact(kind: OrderFact, shipments: Vec<Shipment>) -> OrderFacts {
    OrderFacts { shipments, ..OrderFacts::new(ORDER, kind) }
}

pub(super) fn payment_ref(transaction_no: &str, payment_id: Option<&str>) -> PaymentRef {
    PaymentRef {
        transaction_no: Some(transaction_no.to_owned()),
        payment_id: payment_id.map(str::to_owned),
        ..PaymentRef::default()
    }
}

/// A refund of `fen` for goods of line 1 that the buyer keeps.
pub(super) fn refund(no: &str, state: AfterSaleState, fen: i64, second: i64) -> AfterSaleFacts {
    AfterSaleFacts {
        aftersale_no: no.to_owned(),
        order_no: ORDER.to_owned(),
        line_id: Some("L1".to_owned()),
        kind: AfterSaleKind::RefundOnly,
        state,
        platform_state: None,
        amount_fen: fen,
        currency: "CNY".to_owned(),
        qty: Some(1),
        goods_back: None,
        return_waybill: None,
        phase: None,
        platform_version: None,
        created_at: Some(at(0)),
        modified_at: at(second),
        ended_at: None,
    }
}

pub(super) fn returned(no: &str, state: AfterSaleState, qty: i64, second: i64) -> AfterSaleFacts {
    let kind = AfterSaleKind::ReturnAndRefund;
    AfterSaleFacts { kind, qty: Some(qty), goods_back: Some(true), ..refund(no, state, qty * 500, second) }
}

/// What was told, each fact by its own notice.
#[derive(Default, Clone)]
pub(super) struct Scene(pub(super) Vec<Known>);

impl Scene {
    pub(super) fn picture(self, facts: OrderFacts) -> Scene {
        let second = facts.modified_at.unwrap();
        self.add(Observation::order(second, facts))
    }

    pub(super) fn fact(self, second: i64, facts: OrderFacts) -> Scene {
        self.add(Observation::order(at(second), facts))
    }

    pub(super) fn aftersale(self, facts: AfterSaleFacts) -> Scene {
        self.add(Observation::aftersale(facts.modified_at, facts))
    }

    fn add(mut self, observation: Observation) -> Scene {
        let dedupe_key = observation.id("notice");
        self.0.push(Known { observation, dedupe_key });
        self
    }

    pub(super) fn entities(&self) -> Vec<Entity> {
        Folding::default().fold(CHANNEL, &self.0)
    }

    #[track_caller]
    pub(super) fn order(&self) -> Order {
        let order = self.entities().into_iter().find_map(|one| match one {
            Entity::Order(order) => Some(*order),
            Entity::Refund(_)
            | Entity::AfterSale(_)
            | Entity::Listing(_)
            | Entity::Slip(_)
            | Entity::Payment(_) => None,
        });
        order.expect("an order")
    }

    pub(super) fn aftersales(&self) -> Vec<AfterSale> {
        let aftersale = |one| match one {
            Entity::AfterSale(one) => Some(*one),
            Entity::Refund(_)
            | Entity::Order(_)
            | Entity::Listing(_)
            | Entity::Slip(_)
            | Entity::Payment(_) => None,
        };
        self.entities().into_iter().filter_map(aftersale).collect()
    }

    /// Events of the facts told one after the other: `<number of the fact> <entity>.<verb>`.
    pub(super) fn events(&self) -> Vec<String> {
        let (mut told, mut before) = (Vec::new(), Vec::<Entity>::new());
        for many in 1..=self.0.len() {
            let after = Folding::default().fold(CHANNEL, &self.0[..many]);
            for entity in &after {
                let old = before.iter().find(|old| old.id() == entity.id());
                for draft in Folding::default().events(old, entity) {
                    let word = draft.event_type().trim_start_matches("qudao.").trim_end_matches(".v1");
                    told.push(format!("{many} {word}"));
                }
            }
            before = after;
        }
        told
    }
}

pub(super) fn codes(anomalies: &[Anomaly]) -> Vec<&'static str> {
    anomalies.iter().map(|one| one.code.as_str()).collect()
}
