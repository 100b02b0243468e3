//! The laws of the fold of orders as properties, over facts that collide as much as possible.

use super::super::{Folding, tests::event_of};
use super::scene::{CHANNEL, Scene, fact, line, parcel, payment_ref, picture, refund, returned};
use proptest::prelude::*;
use qudao_model::{
    AfterSaleFacts, AfterSaleState, Entity, OrderFact, OrderFacts, OrderPaymentState, OrderState,
    order::Mapping,
};
use qudao_storage::{Fold as _, Known};
use std::collections::BTreeSet;

fn state() -> impl Strategy<Value = OrderState> {
    use OrderState::{AwaitingPayment, Cancelled, Completed, PartlyShipped, Shipped, ToAccept, ToShip};
    prop::sample::select(vec![
        AwaitingPayment,
        ToAccept,
        ToShip,
        PartlyShipped,
        Shipped,
        Completed,
        Cancelled,
    ])
}

fn money() -> impl Strategy<Value = OrderPaymentState> {
    use OrderPaymentState::{CodDue, DepositPaid, Paid, PartlyRefunded, Refunded, Unpaid};
    prop::sample::select(vec![Unpaid, CodDue, DepositPaid, Paid, PartlyRefunded, Refunded])
}

/// A picture with one or two lines, whose amounts and words need not fit.
fn pictures() -> impl Strategy<Value = OrderFacts> {
    let words = (prop::option::weighted(0.8, state()), money(), prop::option::of(state()));
    let goods = (1_i64..4, 100_i64..103, any::<bool>(), any::<bool>());
    (words, goods, 0_i64..4, prop::option::of(0_i64..4)).prop_map(|(words, goods, second, parcel_qty)| {
        let ((state, money, of_line), (qty, fen, second_line, adjusted)) = (words, goods);
        let mut lines = vec![line(1, qty, fen, of_line)];
        lines.extend(second_line.then(|| line(2, 1, fen, state)));
        let shipments = parcel_qty.map(|qty| parcel(["", "W1"][usize::from(qty > 1)], &[("L1", qty.max(1))]));
        OrderFacts {
            adjusted,
            shipments: shipments.into_iter().collect(),
            ..picture(second, state, money, lines)
        }
    })
}

fn other_facts() -> impl Strategy<Value = OrderFacts> {
    let shipped =
        (prop::sample::select(vec!["", "W1", "W2"]), prop::sample::select(vec!["L1", "L2", "L9"]), 0_i64..3)
            .prop_map(|(waybill, line, qty)| {
                let lines: &[_] = if qty == 0 { &[] } else { &[(line, qty)] };
                fact(OrderFact::Shipped, vec![parcel(waybill, lines)])
            });
    let mapped = prop::sample::select(vec!["X", "Y"]).prop_map(|sku| OrderFacts {
        mapped: vec![Mapping { channel_sku: "C1".to_owned(), sku: sku.to_owned() }],
        ..fact(OrderFact::Mapped, vec![])
    });
    let linked = prop::sample::select(vec!["T1", "T2"]).prop_map(|no| OrderFacts {
        payment_refs: vec![payment_ref(no, Some("pay_1"))],
        ..fact(OrderFact::Linked, vec![])
    });
    let ends = prop::sample::select(vec![OrderFact::Delivered, OrderFact::Cancelled])
        .prop_map(|kind| fact(kind, vec![]));
    prop_oneof![shipped, mapped, linked, ends]
}

fn aftersales() -> impl Strategy<Value = AfterSaleFacts> {
    use AfterSaleState::{AwaitingReturn, Cancelled, Refused, Requested, Returned, Succeeded};
    let states =
        prop::sample::select(vec![Requested, AwaitingReturn, Returned, Refused, Cancelled, Succeeded]);
    let whose = (prop::sample::select(vec!["R1", "R2"]), any::<bool>(), any::<bool>());
    (states, whose, 1_i64..4, 0_i64..4).prop_map(|(state, (no, goods, whole), qty, second)| {
        let facts =
            if goods { returned(no, state, qty, second) } else { refund(no, state, qty * 100, second) };
        AfterSaleFacts { line_id: facts.line_id.filter(|_| !whole), ..facts }
    })
}

#[derive(Debug, Clone)]
enum Told {
    Picture(OrderFacts),
    Fact(i64, OrderFacts),
    AfterSale(AfterSaleFacts),
}

/// Any mixture of facts about one order; some told by one notice, some asked for.
fn facts() -> impl Strategy<Value = Vec<Known>> {
    let told = prop_oneof![
        3 => pictures().prop_map(Told::Picture),
        2 => (0_i64..4, other_facts()).prop_map(|(second, facts)| Told::Fact(second, facts)),
        2 => aftersales().prop_map(Told::AfterSale),
    ];
    let notice = prop::sample::select(vec!["", "n1", "n2", "n3"]);
    prop::collection::vec((told, notice), 1..9).prop_map(|all| {
        let mut scene = Scene::default();
        for (told, notice) in all {
            scene = match told {
                Told::Picture(facts) => scene.picture(facts),
                Told::Fact(second, facts) => scene.fact(second, facts),
                Told::AfterSale(facts) => scene.aftersale(facts),
            };
            notice.clone_into(&mut scene.0.last_mut().unwrap().dedupe_key);
        }
        scene.0
    })
}

fn bytes(known: &[Known]) -> Vec<String> {
    Folding::default().fold(CHANNEL, known).iter().map(Entity::canonical_json).collect()
}

/// The entities after each fact, one after the other.
fn histories(known: &[Known]) -> Vec<Vec<Entity>> {
    (0..=known.len()).map(|many| Folding::default().fold(CHANNEL, &known[..many])).collect()
}

proptest! {
    #[test]
    fn order_changes_nothing((known, shuffled) in facts().prop_flat_map(|known| (Just(known.clone()), Just(known).prop_shuffle()))) {
        prop_assert_eq!(bytes(&known), bytes(&shuffled));
    }

    #[test]
    fn repeats_change_nothing(known in facts(), again in any::<prop::sample::Index>(), asked in any::<bool>()) {
        let mut repeated = known.clone();
        let mut same = again.get(&known).clone();
        if asked {
            same.dedupe_key.clear();
        }
        repeated.insert(again.index(known.len()), same);
        prop_assert_eq!(bytes(&known), bytes(&repeated));
    }

    /// Readers drop an event whose id they know: two that say different things must never share one.
    #[test]
    fn event_ids_never_repeat(known in facts()) {
        let mut ids = BTreeSet::new();
        for step in histories(&known).windows(2) {
            for entity in &step[1] {
                let old = step[0].iter().find(|old| old.id() == entity.id());
                for draft in Folding::default().events(old, entity) {
                    let event = event_of(&draft, entity);
                    prop_assert!(ids.insert(event.id), "{} of version {}", event.r#type, entity.version());
                }
            }
        }
    }

    /// Whoever follows the events knows the state, the money and the holds.
    #[test]
    fn no_change_of_standing_is_silent(known in facts()) {
        for step in histories(&known).windows(2) {
            for entity in &step[1] {
                let (old, Entity::Order(new)) = (step[0].iter().find(|old| old.id() == entity.id()), entity) else { continue };
                let same = matches!(old, Some(Entity::Order(old)) if (old.state, old.payment_state, &old.holds, &old.lines) == (new.state, new.payment_state, &new.holds, &new.lines));
                prop_assert!(same || !Folding::default().events(old, entity).is_empty());
            }
        }
    }

    #[test]
    fn quantities_keep_their_bounds(known in facts()) {
        for entity in Folding::default().fold(CHANNEL, &known) {
            let Entity::Order(order) = entity else { continue };
            for line in &order.lines {
                let is = line.quantities.unwrap();
                prop_assert_eq!(is.ordered, line.qty);
                prop_assert!(is.cancelled >= 0 && is.shipped >= 0 && is.cancelled + is.shipped <= is.ordered, "{is:?}");
                prop_assert!((0..=is.shipped).contains(&is.delivered) && (0..=is.shipped).contains(&is.returned), "{is:?}");
                prop_assert!((0..=is.ordered).contains(&is.return_asked), "{is:?}");
            }
        }
    }

    /// Money that came is never forgotten, whatever is told after it.
    #[test]
    fn payment_never_goes_back(known in facts()) {
        let state = |entities: &[Entity]| entities.iter().find_map(|one| match one {
            Entity::Order(order) => Some((order.payment_state >= OrderPaymentState::DepositPaid, order.payment_state >= OrderPaymentState::Paid)),
            Entity::Refund(_) | Entity::AfterSale(_) | Entity::Listing(_) | Entity::Slip(_) | Entity::Payment(_) => None,
        });
        for step in histories(&known).windows(2) {
            prop_assert!(state(&step[0]) <= state(&step[1]));
        }
    }
}
