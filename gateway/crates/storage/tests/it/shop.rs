//! Facts of a marketplace, and entities that are as their last fact says.

use crate::kit::at;
use qudao_model::{
    AfterSale, AfterSaleFacts, AfterSaleState, Entity, Facts, Listing, ListingFacts, ListingState,
    Observation, Order, OrderFacts, Receiver,
    aftersale::AfterSaleKind,
    order::{Line, OrderFact, OrderPaymentState, OrderState, PaymentRef, Times, Totals},
};

/// A snapshot: `skus` are the lines, an empty one is not known; `payments` are the serials of its payments.
pub(crate) fn ordered(second: i64, order_no: &str, skus: &[&str], payments: &[&str]) -> Observation {
    let mut facts = OrderFacts::new(order_no, OrderFact::Snapshot);
    facts.modified_at = Some(at(second));
    facts.state = Some(OrderState::ToShip);
    facts.payment_state = Some(OrderPaymentState::Paid);
    facts.currency = Some("CNY".to_owned());
    facts.totals = Some(Totals::default());
    facts.lines = (1..).zip(skus).map(|(line_no, sku)| line(line_no, sku)).collect();
    facts.times =
        Some(Times { created_at: at(0), paid_at: None, shipped_at: None, ended_at: None, modified_at: None });
    facts.receiver = Some(Receiver { city: Some("杭州市".to_owned()), ..Receiver::default() });
    facts.payment_refs = payments.iter().map(|serial| payment_ref(serial)).collect();
    Observation::order(at(second), facts)
}

pub(crate) fn asked_back(second: i64, order_no: &str, aftersale_no: &str) -> Observation {
    let facts = AfterSaleFacts {
        aftersale_no: aftersale_no.to_owned(),
        order_no: order_no.to_owned(),
        line_id: None,
        kind: AfterSaleKind::RefundOnly,
        state: AfterSaleState::Requested,
        platform_state: None,
        amount_fen: 100,
        currency: "CNY".to_owned(),
        qty: None,
        goods_back: None,
        return_waybill: None,
        phase: None,
        platform_version: None,
        created_at: None,
        modified_at: at(second),
        ended_at: None,
    };
    Observation::aftersale(at(second), facts)
}

pub(crate) fn missing(second: i64, channel_sku: &str) -> Observation {
    let facts = ListingFacts {
        channel_sku: channel_sku.to_owned(),
        state: ListingState::Missing,
        channel_item: None,
        title: None,
        order_no: Some("T1".to_owned()),
        sku: None,
    };
    Observation::listing(at(second), facts)
}

fn line(line_no: u32, sku: &str) -> Line {
    Line {
        sku: (!sku.is_empty()).then(|| sku.to_owned()),
        ..Line::new(line_no, format!("c{line_no}"), "示例", 1, 100)
    }
}

fn payment_ref(serial: &str) -> PaymentRef {
    PaymentRef { transaction_no: Some(serial.to_owned()), ..PaymentRef::default() }
}

/// What the fact alone says.
pub(crate) fn entity(id: String, channel: &str, observation: &Observation, version: usize) -> Entity {
    let (channel, version, updated_at) = (channel.to_owned(), version as u64, observation.occurred_at);
    match &observation.facts {
        Facts::Order(facts) => Entity::Order(Box::new(Order {
            id,
            channel,
            order_no: facts.order_no.clone(),
            parent_order_no: None,
            state: facts.state.unwrap(),
            payment_state: facts.payment_state.unwrap(),
            platform_state: None,
            holds: Vec::new(),
            shop_no: None,
            store_code: None,
            delivery_method: None,
            guide_ref: None,
            currency: "CNY".to_owned(),
            totals: facts.totals.unwrap(),
            refunded_fen: 0,
            lines: facts.lines.clone(),
            shipments: Vec::new(),
            buyer_ref: None,
            receiver: facts.receiver.as_ref().map(Receiver::masked),
            payment_refs: facts.payment_refs.clone(),
            times: facts.times,
            platform_notes: Vec::new(),
            version,
            updated_at,
            anomalies: Vec::new(),
        })),
        Facts::AfterSale(facts) => Entity::AfterSale(Box::new(AfterSale {
            id,
            channel: channel.clone(),
            aftersale_no: facts.aftersale_no.clone(),
            order_no: facts.order_no.clone(),
            order_id: observation.family_id(&channel),
            line_id: None,
            kind: facts.kind,
            state: facts.state,
            platform_state: None,
            amount_fen: facts.amount_fen,
            currency: facts.currency.clone(),
            qty: None,
            goods_back: None,
            return_waybill: None,
            phase: None,
            platform_version: None,
            created_at: None,
            ended_at: None,
            version,
            updated_at,
            anomalies: Vec::new(),
        })),
        Facts::Listing(facts) => Entity::Listing(Listing {
            id,
            channel,
            channel_sku: facts.channel_sku.clone(),
            state: facts.state,
            channel_item: None,
            title: None,
            order_no: facts.order_no.clone(),
            sku: None,
            version,
            updated_at,
            anomalies: Vec::new(),
        }),
        Facts::Payment(_) | Facts::Refund(_) | Facts::Slip(_) => unreachable!("not of a shop"),
    }
}
