//! Lists of entities: the columns of each kind.

use super::word;
use crate::output::{Table, people};
use qudao_model::{AfterSale, Entity, EntityKind, Listing, Order, Payment, Receiver, Refund, Slip};

/// All of them are of that kind.
pub(super) fn table(kind: EntityKind, entities: &[Entity]) -> Table {
    let mut table = match kind {
        EntityKind::Payment | EntityKind::Refund => {
            Table::new(["UPDATED", "CHANNEL", "ORDER", "STATE", ">YUAN", ">REFUNDED", "ANOMALIES", "ID"])
        }
        EntityKind::Order => Table::new([
            "UPDATED",
            "CHANNEL",
            "ORDER",
            "STATE",
            "MONEY",
            "HOLDS",
            ">YUAN",
            "RECEIVER",
            "ANOMALIES",
            "ID",
        ]),
        EntityKind::AfterSale => Table::new([
            "UPDATED",
            "CHANNEL",
            "AFTERSALE",
            "ORDER",
            "KIND",
            "STATE",
            ">YUAN",
            "ANOMALIES",
            "ID",
        ]),
        EntityKind::Listing => {
            Table::new(["UPDATED", "CHANNEL", "CHANNEL SKU", "STATE", "SKU", "ORDER", "TITLE", "ID"])
        }
        EntityKind::Slip => {
            Table::new(["OCCURRED", "CHANNEL", "STORE", "SLIP", "KIND", ">YUAN", "ANOMALIES", "ID"])
        }
    };
    for entity in entities {
        match entity {
            Entity::Payment(payment) => table.row(payment_row(payment)),
            Entity::Refund(refund) => table.row(refund_row(refund)),
            Entity::Order(order) => table.row(order_row(order)),
            Entity::AfterSale(aftersale) => table.row(aftersale_row(aftersale)),
            Entity::Listing(listing) => table.row(listing_row(listing)),
            Entity::Slip(slip) => table.row(slip_row(slip)),
        }
    }
    table
}

fn slip_row(slip: &Slip) -> [String; 8] {
    [
        people::time(slip.occurred_at),
        slip.channel.clone(),
        slip.store_code.clone(),
        slip.slip_no.clone(),
        word(&slip.kind),
        people::yuan(slip.total_fen),
        codes(&slip.anomalies),
        slip.id.clone(),
    ]
}

fn payment_row(payment: &Payment) -> [String; 8] {
    let refunded = Some(payment.refunded_fen).filter(|fen| *fen != 0).map(people::yuan);
    [
        people::time(payment.updated_at),
        payment.channel.clone(),
        payment.order_no.clone(),
        word(&payment.state),
        people::yuan(payment.requested_fen),
        refunded.unwrap_or_default(),
        codes(&payment.anomalies),
        payment.id.clone(),
    ]
}

fn refund_row(refund: &Refund) -> [String; 8] {
    [
        people::time(refund.updated_at),
        refund.channel.clone(),
        refund.order_no.clone(),
        word(&refund.state),
        people::yuan(refund.amount_fen),
        String::new(),
        codes(&refund.anomalies),
        refund.id.clone(),
    ]
}

fn order_row(order: &Order) -> [String; 10] {
    [
        people::time(order.updated_at),
        order.channel.clone(),
        order.order_no.clone(),
        word(&order.state),
        word(&order.payment_state),
        order.holds.join(", "),
        people::yuan(order.totals.payable_fen),
        order.receiver.as_ref().map(receiver).unwrap_or_default(),
        codes(&order.anomalies),
        order.id.clone(),
    ]
}

fn aftersale_row(aftersale: &AfterSale) -> [String; 9] {
    [
        people::time(aftersale.updated_at),
        aftersale.channel.clone(),
        aftersale.aftersale_no.clone(),
        aftersale.order_no.clone(),
        word(&aftersale.kind),
        word(&aftersale.state),
        people::yuan(aftersale.amount_fen),
        codes(&aftersale.anomalies),
        aftersale.id.clone(),
    ]
}

fn listing_row(listing: &Listing) -> [String; 8] {
    [
        people::time(listing.updated_at),
        listing.channel.clone(),
        listing.channel_sku.clone(),
        word(&listing.state),
        listing.sku.clone().unwrap_or_default(),
        listing.order_no.clone().unwrap_or_default(),
        listing.title.clone().unwrap_or_default(),
        listing.id.clone(),
    ]
}

/// A mask in a few words: who and where.
fn receiver(receiver: &Receiver) -> String {
    let masked = receiver.masked();
    let place = [masked.city.or(masked.state), masked.district].into_iter().flatten().collect::<String>();
    let parts = [masked.name, masked.mobile.or(masked.phone), Some(place).filter(|place| !place.is_empty())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn codes(anomalies: &[qudao_model::Anomaly]) -> String {
    anomalies.iter().map(|anomaly| anomaly.code.as_str()).collect::<Vec<_>>().join(", ")
}
