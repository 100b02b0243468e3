//! The rules of the fold as tables, and its two laws as properties: order and repeats change nothing.

use super::Folding;
use proptest::prelude::*;
use qudao_model::{
    CloudEvent, Entity, Facts, Observation, Payment, PaymentFacts, Refund, RefundFacts, Timestamp,
    entity::{Method, PaymentState},
    event::EventDraft,
    observation::{PaymentClaim, RefundClaim},
};
use qudao_storage::{Fold as _, Known};

const CHANNEL: &str = "test-main";

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_766_000_000 + second).unwrap()
}

pub(super) fn payment(claim: PaymentClaim, serial: &str, fen: i64, second: i64) -> Known {
    let facts = PaymentFacts {
        transaction_no: (!serial.is_empty()).then(|| serial.into()),
        paid_at: (claim == PaymentClaim::Paid).then(|| at(second)),
        ..PaymentFacts::noticed("1900000001", "SO1", claim, Method::BankCard, fen)
    };
    known(Observation::payment(at(second), facts))
}

pub(super) fn refund(
    no: &str,
    claim: RefundClaim,
    amount: Option<i64>,
    total: Option<i64>,
    second: i64,
) -> Known {
    let facts = RefundFacts {
        transaction_no: Some("4200".into()),
        amount_fen: amount,
        refunded_total_fen: total,
        succeeded_at: (claim == RefundClaim::Succeeded).then(|| at(second)),
        ..RefundFacts::noticed("1900000001", "SO1", no, claim, Method::BankCard)
    };
    known(Observation::refund(at(second), facts))
}

/// The event as a reader of the feed gets it.
pub(super) fn event_of(draft: &EventDraft, entity: &Entity) -> CloudEvent {
    serde_json::from_str(&draft.to_json(entity, CHANNEL, "dlv_1", 1)).unwrap()
}

fn known(observation: Observation) -> Known {
    let dedupe_key = observation.id("notice");
    Known { observation, dedupe_key }
}

fn fold(known: &[Known]) -> (Option<Payment>, Vec<Refund>) {
    let mut payment = None;
    let mut refunds = Vec::new();
    for entity in Folding::default().fold(CHANNEL, known) {
        match entity {
            Entity::Payment(one) => payment = Some(one),
            Entity::Refund(one) => refunds.push(one),
            Entity::Order(_) | Entity::AfterSale(_) | Entity::Listing(_) | Entity::Slip(_) => {
                panic!("of another family")
            }
        }
    }
    (payment, refunds)
}

/// State, refunded amount and anomaly codes of the payment.
#[track_caller]
fn check(known: &[Known], state: PaymentState, refunded_fen: i64, anomalies: &[&str]) {
    let payment = fold(known).0.expect("a payment");
    let codes: Vec<_> = payment.anomalies.iter().map(|one| one.code.as_str()).collect();
    assert_eq!((payment.state, payment.refunded_fen, codes.as_slice()), (state, refunded_fen, anomalies));
}

fn paid() -> Known {
    payment(PaymentClaim::Paid, "4200", 50_000, 10)
}

fn back(no: &str, fen: i64, second: i64) -> Known {
    refund(no, RefundClaim::Succeeded, Some(fen), None, second)
}

#[test]
fn the_first_line_that_applies_decides() {
    use PaymentClaim::{Authorized, Closed, Failed, Pending};
    let pending = || payment(Pending, "", 50_000, 0);
    check(&[pending()], PaymentState::Pending, 0, &[]);
    check(&[pending(), payment(Failed, "", 50_000, 5)], PaymentState::Failed, 0, &[]);
    check(&[payment(Failed, "", 50_000, 5), payment(Closed, "", 50_000, 6)], PaymentState::Closed, 0, &[]);
    check(&[pending(), payment(Authorized, "", 50_000, 6)], PaymentState::Authorized, 0, &[]);
    check(&[pending(), paid()], PaymentState::Paid, 0, &[]);
    check(&[payment(Failed, "", 50_000, 99), paid()], PaymentState::Paid, 0, &[]);
    check(&[paid(), back("R1", 20_000, 20)], PaymentState::PartlyRefunded, 20_000, &[]);
    check(&[paid(), back("R1", 20_000, 20), back("R2", 30_000, 21)], PaymentState::Refunded, 50_000, &[]);
    check(&[paid(), refund("R1", RefundClaim::Processing, Some(1), None, 20)], PaymentState::Paid, 0, &[]);
    check(&[payment(PaymentClaim::Paid, "4200", 0, 10)], PaymentState::Paid, 0, &[]);
}

#[test]
fn contradictions_are_shown_and_money_wins() {
    use PaymentClaim::{Closed, Paid, Pending};
    check(&[payment(Closed, "", 50_000, 5), paid()], PaymentState::Paid, 0, &["paid_after_close"]);
    check(&[paid(), payment(Paid, "4200", 60_000, 11)], PaymentState::Paid, 0, &["amount_conflict"]);
    check(&[paid(), payment(Paid, "4201", 50_000, 11)], PaymentState::Paid, 0, &["duplicate_payment"]);
    check(&[payment(Pending, "", 40_000, 1), paid()], PaymentState::Paid, 0, &["amount_mismatch"]);
    check(&[paid(), back("R1", 60_000, 20)], PaymentState::Refunded, 60_000, &["over_refund"]);
}

#[test]
fn parts_of_an_amount_come_with_the_amount_that_is_kept() {
    let paid_by = |fen, second| {
        let mut known = payment(PaymentClaim::Paid, "4200", fen, second);
        let Facts::Payment(facts) = &mut known.observation.facts else { panic!("a payment") };
        facts.payer_paid_fen = Some(fen - 100);
        known
    };
    let kept = fold(&[paid_by(60_000, 10), paid_by(50_000, 11)]).0.unwrap();
    assert_eq!((kept.requested_fen, kept.payer_paid_fen), (60_000, Some(59_900)));
}

#[test]
fn a_refund_before_its_payment_waits_and_is_not_erased() {
    let early = [back("R1", 9_900, 20)];
    let (none, refunds) = fold(&early);
    assert!(none.is_none());
    assert_eq!((refunds[0].payment_id.as_ref(), refunds[0].anomalies.len()), (None, 1));
    let later = [back("R1", 9_900, 20), paid()];
    check(&later, PaymentState::PartlyRefunded, 9_900, &[]);
    let (payment, refunds) = fold(&later);
    assert_eq!((refunds[0].payment_id.clone(), refunds[0].anomalies.len()), (payment.map(|one| one.id), 0));
}

#[test]
fn running_totals_become_amounts_in_any_order() {
    let total = |no, fen, second| refund(no, RefundClaim::Succeeded, None, Some(fen), second);
    let all = [paid(), total("R1", 10_000, 20), total("R2", 30_000, 30), total("R3", 50_000, 40)];
    let amounts = |known: &[Known]| fold(known).1.iter().map(|one| one.amount_fen).collect::<Vec<_>>();
    assert_eq!(amounts(&all), [10_000, 20_000, 20_000]);
    check(&all, PaymentState::Refunded, 50_000, &[]);
    // Only the last is known: the sum is right already, the split comes with the others.
    assert_eq!(amounts(&[all[3].clone(), all[0].clone()]), [50_000]);
    check(&[all[3].clone(), all[0].clone()], PaymentState::Refunded, 50_000, &[]);
    assert_eq!(amounts(&[all[3].clone(), all[1].clone()]), [10_000, 40_000]);
}

#[test]
fn events_tell_each_milestone_once_and_a_corrected_amount_again() {
    let total = |no, fen, second| refund(no, RefundClaim::Succeeded, None, Some(fen), second);
    let steps = [
        total("R2", 30_000, 30),
        paid(),
        total("R1", 10_000, 20),
        payment(PaymentClaim::Pending, "", 50_000, 0),
    ];
    let mut told = Vec::new();
    let mut before: Vec<Entity> = Vec::new();
    for many in 1..=steps.len() {
        let after = Folding::default().fold(CHANNEL, &steps[..many]);
        for entity in &after {
            let old = before.iter().find(|old| old.id() == entity.id());
            told.extend(
                Folding::default()
                    .events(old, entity)
                    .iter()
                    .map(|draft| format!("{many} {}", draft.event_type())),
            );
        }
        before = after;
    }
    let expected = [
        "1 qudao.refund.succeeded.v1",
        "2 qudao.payment.paid.v1",
        // R1 takes its part of what R2 was told to be: both are told.
        "3 qudao.refund.succeeded.v1",
        "3 qudao.refund.succeeded.v1",
    ];
    assert_eq!(told, expected);
}

/// Any mixture of facts about one payment, with small amounts so that they collide.
fn facts() -> impl Strategy<Value = Vec<Known>> {
    let claims = prop::sample::select(vec![
        PaymentClaim::Pending,
        PaymentClaim::Authorized,
        PaymentClaim::Paid,
        PaymentClaim::Closed,
        PaymentClaim::Failed,
    ]);
    let payments = (claims, prop::sample::select(vec!["4200", "4201"]), 1_i64..4, 0_i64..4)
        .prop_map(|(claim, serial, fen, second)| payment(claim, serial, fen * 100, second));
    let refund_claims = prop::sample::select(vec![
        RefundClaim::Processing,
        RefundClaim::Abnormal,
        RefundClaim::Closed,
        RefundClaim::Succeeded,
    ]);
    let refunds =
        (refund_claims, prop::sample::select(vec!["R1", "R2", "R3"]), 1_i64..5, any::<bool>(), 0_i64..4)
            .prop_map(|(claim, no, fen, is_total, second)| {
                let (amount, total) =
                    if is_total { (None, Some(fen * 100)) } else { (Some(fen * 100), None) };
                refund(no, claim, amount, total, second)
            });
    prop::collection::vec(prop_oneof![payments, refunds], 1..9)
}

fn bytes(known: &[Known]) -> Vec<String> {
    Folding::default().fold(CHANNEL, known).iter().map(Entity::canonical_json).collect()
}

proptest! {
    #[test]
    fn order_changes_nothing((known, shuffled) in facts().prop_flat_map(|known| (Just(known.clone()), Just(known).prop_shuffle()))) {
        prop_assert_eq!(bytes(&known), bytes(&shuffled));
    }

    #[test]
    fn repeats_change_nothing(known in facts(), again in any::<prop::sample::Index>()) {
        let mut repeated = known.clone();
        repeated.push(again.get(&known).clone());
        prop_assert_eq!(bytes(&known), bytes(&repeated));
    }

    /// Readers drop an event whose id they know: two that say different things must never share one.
    #[test]
    fn event_ids_never_repeat(known in facts()) {
        let (mut ids, mut before) = (std::collections::BTreeSet::new(), Vec::<Entity>::new());
        for many in 1..=known.len() {
            let after = Folding::default().fold(CHANNEL, &known[..many]);
            for entity in &after {
                let old = before.iter().find(|old| old.id() == entity.id());
                for draft in Folding::default().events(old, entity) {
                    let event = event_of(&draft, entity);
                    prop_assert!(ids.insert(event.id), "{} of version {}", event.r#type, entity.version());
                }
            }
            before = after;
        }
    }

    #[test]
    fn money_adds_up(known in facts()) {
        let (payment, refunds) = fold(&known);
        if let Some(payment) = payment {
            let sum: i64 = refunds.iter().filter(|one| one.state == RefundClaim::Succeeded).map(|one| one.amount_fen).sum();
            prop_assert_eq!(payment.refunded_fen, sum);
            prop_assert!(refunds.iter().all(|one| one.amount_fen >= 0));
        }
    }
}
