//! Slips: told once, undone, told otherwise; and the laws of every fold.

use super::super::Folding;
use proptest::prelude::*;
use qudao_model::{
    Entity, EntityKind, Observation, Slip, SlipFacts, Timestamp,
    entity::Method,
    slip::{SlipKind, SlipLine, SlipTender},
};
use qudao_storage::{Fold as _, Known};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_766_000_000 + second).unwrap()
}

fn facts() -> SlipFacts {
    let tender = |method, amount_fen| SlipTender { method, amount_fen };
    let line = SlipLine {
        line_no: 1,
        sku: "A".to_owned(),
        qty: 2,
        unit_price_fen: Some(100),
        amount_fen: Some(200),
    };
    SlipFacts {
        store_code: "0012".to_owned(),
        terminal: Some("T1".to_owned()),
        slip_no: "000123".to_owned(),
        business_date: "2025-12-17".to_owned(),
        kind: SlipKind::Sale,
        currency: "CNY".to_owned(),
        lines: vec![line],
        tenders: vec![tender(Method::Cash, 250), tender(Method::BankCard, -50)],
        orig_slip_no: None,
        order_no: Some("T1".to_owned()),
        training: false,
        voided: false,
    }
}

fn told(second: i64, facts: SlipFacts) -> Known {
    Known { observation: Observation::slip(at(second), facts), dedupe_key: String::new() }
}

fn fold(known: &[Known]) -> Slip {
    match Folding::default().fold("erp-north", known).as_slice() {
        [Entity::Slip(slip)] => (**slip).clone(),
        other => panic!("one slip, not {other:?}"),
    }
}

/// Types of the events as the facts come in one by one.
fn events(known: &[Known]) -> Vec<String> {
    let (mut told, mut before) = (Vec::new(), None);
    for many in 1..=known.len() {
        let after = Entity::Slip(Box::new(fold(&known[..many])));
        let drafts = Folding::default().events(before.as_ref(), &after);
        told.extend(drafts.iter().map(|draft| format!("{many} {}", draft.event_type())));
        before = Some(after);
    }
    told
}

#[test]
fn a_slip_is_what_the_till_printed() {
    let slip = fold(&[told(5, facts())]);
    let key = ["0012", "T1", "000123", "2025-12-17"];
    assert_eq!(slip.id, EntityKind::Slip.id("erp-north", &key));
    assert_eq!((slip.total_fen, slip.version, slip.occurred_at), (200, 1, at(5)));
    assert!(!slip.voided && slip.anomalies.is_empty());
    assert_eq!(events(&[told(5, facts())]), ["1 qudao.slip.recorded.v1"]);
}

#[test]
fn one_that_was_undone_is_recorded_again() {
    let undone = SlipFacts { voided: true, ..facts() };
    let all = [told(5, facts()), told(9, undone)];
    let slip = fold(&all);
    assert!(slip.voided && slip.anomalies.is_empty());
    assert_eq!((slip.occurred_at, slip.updated_at, slip.version), (at(5), at(9), 2));
    assert_eq!(events(&all), ["1 qudao.slip.recorded.v1", "2 qudao.slip.recorded.v1"]);
}

#[test]
fn one_that_is_told_otherwise_is_shown_as_it_was_and_is_an_anomaly() {
    let other = SlipFacts { tenders: Vec::new(), ..facts() };
    let all = [told(5, facts()), told(9, other)];
    let slip = fold(&all);
    assert_eq!((slip.total_fen, slip.anomalies.len()), (200, 1));
    assert_eq!(events(&all), ["1 qudao.slip.recorded.v1", "2 qudao.slip.anomaly.v1"]);
}

#[test]
fn slips_of_other_tills_and_days_are_other_slips() {
    let ids: std::collections::BTreeSet<String> = [
        facts(),
        SlipFacts { terminal: None, ..facts() },
        SlipFacts { business_date: "2025-12-18".to_owned(), ..facts() },
        SlipFacts { store_code: "0031".to_owned(), ..facts() },
    ]
    .into_iter()
    .map(|facts| fold(&[told(5, facts)]).id)
    .collect();
    assert_eq!(ids.len(), 4);
}

proptest! {
    #[test]
    fn order_and_repeats_change_nothing(
        (known, shuffled) in prop::collection::vec((0_i64..3, any::<bool>(), 0_i64..3), 1..6)
            .prop_map(|all| all.into_iter().map(|(second, voided, fen)| {
                let tenders = vec![SlipTender { method: Method::Cash, amount_fen: fen }];
                told(second, SlipFacts { voided, tenders, ..facts() })
            }).collect::<Vec<_>>())
            .prop_flat_map(|known| (Just(known.clone()), Just([known.clone(), known].concat()).prop_shuffle()))
    ) {
        prop_assert_eq!(fold(&known), fold(&shuffled));
    }
}
