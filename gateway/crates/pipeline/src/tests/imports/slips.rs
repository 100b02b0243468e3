//! Tickets: new, known, changed.

use super::kit::{Desk, events};
use qudao_model::{Entity, EntityKind, slip::SlipKind};
use qudao_storage::{EntityFilter, ImportState};
use serde_json::{Value, json};

pub(super) fn ticket(number: u32, amount: i64) -> Value {
    json!({
        "src_row": number, "store_code": "0012", "ticket_no": format!("T{number}"), "type": "sale",
        "occurred_at": "2013-01-05T17:30:00Z", "occurred_precision": "minute",
        "lines": [{"line_no": 1, "sku": "X", "quantity": 2, "unit_price_fen": amount, "amount_fen": amount * 2, "src_row": number}],
        "tenders": [{"kind": "cash", "amount_fen": amount}, {"kind": "wechat", "amount_fen": amount}],
    })
}

pub(super) fn sales(tickets: &[Value]) -> String {
    let mut text = json!({"kind": "sales", "verdict": "accept"}).to_string() + "\n";
    for ticket in tickets {
        text.extend([ticket.to_string(), "\n".to_owned()]);
    }
    text
}

#[tokio::test]
async fn a_ticket_becomes_a_slip() {
    let desk = Desk::new().await;
    let row = desk.import("sales.csv", &sales(&[ticket(1, 100)])).await;
    assert_eq!(row.state, ImportState::Applied);
    let slips = desk.storage.entities(&EntityFilter::new(EntityKind::Slip)).await.unwrap().items;
    let [Entity::Slip(slip)] = slips.as_slice() else { panic!("{slips:?}") };
    // Half past one at night in China.
    assert_eq!((slip.business_date.as_str(), slip.kind, slip.total_fen), ("2013-01-06", SlipKind::Sale, 200));
    let kinds: Vec<String> = events(&desk.storage).await.into_iter().map(|event| event.r#type).collect();
    assert_eq!(kinds, ["qudao.slip.recorded.v1"]);
}

#[tokio::test]
async fn known_tickets_are_passed_over_and_changed_ones_are_for_a_person() {
    let desk = Desk::new().await;
    desk.import("day.csv", &sales(&[ticket(1, 100), ticket(2, 100)])).await;
    let row = desk.import("again.csv", &sales(&[ticket(1, 100), ticket(2, 105), ticket(3, 100)])).await;
    assert_eq!(row.state, ImportState::Applied);
    let outcome = row.outcome.unwrap();
    let totals = |name: &str| outcome["totals"][name].as_u64().unwrap();
    assert_eq!((totals("slips"), totals("same"), totals("changed_after_import")), (1, 1, 1));
    assert_eq!(desk.rejects(&row.id).await, ["2 changed_after_import"]);
    let slips = desk.storage.entities(&EntityFilter::new(EntityKind::Slip)).await.unwrap().items;
    assert_eq!(slips.len(), 3);
    assert_eq!(events(&desk.storage).await.len(), 3);
}

#[tokio::test]
async fn many_tickets_go_in_parts_and_a_repeat_counts_once() {
    let desk = Desk::new().await;
    let mut tickets: Vec<Value> = (1..=450).map(|number| ticket(number, 100)).collect();
    tickets.push(ticket(1, 100));
    let row = desk.import("sales.csv", &sales(&tickets)).await;
    assert_eq!(row.outcome.unwrap()["totals"]["slips"], 450);
    let deliveries = desk.storage.deliveries(&qudao_storage::DeliveryFilter::default()).await.unwrap().items;
    assert_eq!(deliveries.iter().filter(|one| one.method == "FILE").count(), 3);
    assert_eq!(events(&desk.storage).await.len(), 450);
}

#[tokio::test]
async fn a_ticket_that_the_model_cannot_take_is_refused_alone() {
    let desk = Desk::new().await;
    let mut strange = ticket(2, 100);
    strange["tenders"][0]["kind"] = json!("shells");
    let row = desk.import("sales.csv", &sales(&[ticket(1, 100), strange])).await;
    assert_eq!(desk.rejects(&row.id).await, ["2 malformed_ticket"]);
    assert_eq!(events(&desk.storage).await.len(), 1);
}

#[tokio::test]
async fn a_file_of_tickets_that_waits_counts_when_it_is_confirmed() {
    let desk = Desk::new().await;
    let held = sales(&[ticket(1, 100)]).replace("\"accept\"", "\"hold\", \"reason\": \"too_many_rejects\"");
    let row = desk.import("sales.csv", &held).await;
    assert_eq!((row.state, events(&desk.storage).await.len()), (ImportState::Held, 0));
    assert_eq!(desk.confirm(&row.id).await.state, ImportState::Applied);
    assert_eq!(events(&desk.storage).await.len(), 1);
}

#[tokio::test]
async fn that_a_ticket_was_voided_later_is_a_fact_and_no_contradiction() {
    let desk = Desk::new().await;
    desk.import("day.csv", &sales(&[ticket(1, 100), ticket(2, 100)])).await;
    let voided = |number: u32, amount: i64| {
        let mut ticket = ticket(number, amount);
        ticket["voided"] = json!(true);
        ticket
    };
    let row = desk.import("next.csv", &sales(&[voided(1, 100), voided(2, 105)])).await;
    // Voided with another amount is something else.
    assert_eq!(desk.rejects(&row.id).await, ["2 changed_after_import"]);
    assert_eq!(row.outcome.unwrap()["totals"]["slips"], 1);
    let slips = desk.storage.entities(&EntityFilter::new(EntityKind::Slip)).await.unwrap().items;
    let voided_now: Vec<bool> = slips
        .iter()
        .map(|slip| matches!(slip, Entity::Slip(slip) if slip.slip_no == "T1" && slip.voided))
        .collect();
    assert_eq!(voided_now.iter().filter(|voided| **voided).count(), 1);
    // Told again it is known.
    let row = desk.import("again.csv", &sales(&[voided(1, 100), ticket(3, 1)])).await;
    assert_eq!(row.outcome.unwrap()["totals"]["same"], 1);
}
