//! Orders, after-sales and listings: found by what they name, whatever the order their facts came in.

use crate::{
    kit::{CHANNEL, Kept, fresh, polled},
    shop::{asked_back, missing, ordered},
};
use proptest::prelude::*;
use qudao_model::{Entity, EntityKind, Observation};
use qudao_storage::EntityFilter;

fn of(kind: EntityKind) -> EntityFilter {
    EntityFilter { limit: 1000, ..EntityFilter::new(kind) }
}

fn named(serial: &str) -> EntityFilter {
    EntityFilter { payment_ref: Some(serial.to_owned()), ..of(EntityKind::Order) }
}

async fn found(kept: &Kept, filter: &EntityFilter) -> Vec<String> {
    let no = |entity: Entity| match entity {
        Entity::Order(order) => order.order_no,
        Entity::AfterSale(aftersale) => aftersale.aftersale_no,
        Entity::Listing(listing) => listing.channel_sku,
        Entity::Slip(slip) => slip.slip_no,
        other @ (Entity::Payment(_) | Entity::Refund(_)) => panic!("{other:?}"),
    };
    kept.storage.entities(filter).await.unwrap().items.into_iter().map(no).collect()
}

async fn without_sku(kept: &Kept, limit: u32) -> Vec<String> {
    let mut orders: Vec<qudao_model::Order> = Vec::new();
    loop {
        let after = orders.last().map(|order| order.id.clone());
        let page = kept.storage.orders_without_sku(CHANNEL, limit, after.as_deref()).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= limit as usize);
        orders.extend(page);
    }
    assert!(orders.is_sorted_by_key(|order| &order.id));
    let mut nos: Vec<String> = orders.into_iter().map(|order| order.order_no).collect();
    nos.sort();
    nos
}

#[tokio::test]
async fn each_kind_by_each_filter() {
    let kept = fresh().await;
    kept.commit(polled(
        1,
        "POLL",
        vec![
            ordered(1, "T1", &["S1"], &["42A", "42B"]),
            ordered(2, "T2", &["S1"], &["42B"]),
            asked_back(3, "T1", "A1"),
            asked_back(4, "T9", "A2"),
        ],
    ))
    .await;
    kept.commit(polled(2, "LISTINGS", vec![missing(5, "c1")])).await;
    let mut other = polled(3, "POLL", vec![ordered(6, "T1", &["S1"], &["42A"])]);
    other.channel = "other".to_owned();
    kept.commit(other).await;

    let text = |text: &str| Some(text.to_owned());
    let (orders, aftersales) = (|| of(EntityKind::Order), || of(EntityKind::AfterSale));
    let cases = [
        (orders(), vec!["T1", "T2", "T1"]),
        (EntityFilter { order_no: text("T1"), ..orders() }, vec!["T1", "T1"]),
        (EntityFilter { state: text("to_ship"), channel: text(CHANNEL), ..orders() }, vec!["T2", "T1"]),
        (EntityFilter { state: text("shipped"), ..orders() }, vec![]),
        (named("42B"), vec!["T2", "T1"]),
        (EntityFilter { channel: text("other"), ..named("42A") }, vec!["T1"]),
        (named("42C"), vec![]),
        (aftersales(), vec!["A2", "A1"]),
        (EntityFilter { aftersale_no: text("A2"), ..aftersales() }, vec!["A2"]),
        (EntityFilter { order_no: text("T1"), state: text("requested"), ..aftersales() }, vec!["A1"]),
        (of(EntityKind::Listing), vec!["c1"]),
        (EntityFilter { state: text("missing"), ..of(EntityKind::Listing) }, vec!["c1"]),
        (EntityFilter { state: text("mapped"), ..of(EntityKind::Listing) }, vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(found(&kept, &filter).await, expected, "{filter:?}");
    }
    // By id, too: an after-sale is found by an index of its own.
    for fact in [ordered(1, "T1", &[], &[]), asked_back(3, "T1", "A1"), missing(5, "c1")] {
        let id = fact.entity_id(CHANNEL);
        let entity = kept.storage.entity(fact.kind(), &id).await.unwrap().unwrap();
        assert_eq!((entity.id(), entity.kind()), (id.as_str(), fact.kind()));
    }
    let family = ordered(1, "T1", &[], &[]).entity_id(CHANNEL);
    let facts = kept.storage.family_observations(&family).await.unwrap();
    assert_eq!(facts, [ordered(1, "T1", &["S1"], &["42A", "42B"]), asked_back(3, "T1", "A1")]);
}

#[tokio::test]
async fn an_order_is_found_by_the_payments_it_names_now() {
    let kept = fresh().await;
    kept.commit(polled(1, "POLL", vec![ordered(1, "T1", &["S1"], &["42A"])])).await;
    kept.commit(polled(2, "POLL", vec![ordered(2, "T1", &["S1"], &["42B"])])).await;
    assert_eq!(found(&kept, &named("42A")).await, [""; 0]);
    assert_eq!(found(&kept, &named("42B")).await, ["T1"]);
    kept.commit(polled(3, "POLL", vec![ordered(3, "T1", &["S1"], &["42A", "42B"])])).await;
    assert_eq!(found(&kept, &named("42A")).await, ["T1"]);
}

#[tokio::test]
async fn orders_with_a_line_that_nobody_knows_are_listed_until_somebody_does() {
    let kept = fresh().await;
    let orders: Vec<Observation> = (0..7)
        .map(|at| ordered(1, &format!("T{at}"), if at % 2 == 0 { &["S1", ""] } else { &["S1"] }, &[]))
        .collect();
    kept.commit(polled(1, "POLL", orders)).await;
    assert_eq!(without_sku(&kept, 2).await, ["T0", "T2", "T4", "T6"]);
    kept.commit(polled(2, "LISTINGS", vec![ordered(2, "T4", &["S1", "S2"], &[])])).await;
    assert_eq!(without_sku(&kept, 100).await, ["T0", "T2", "T6"]);
    assert_eq!(kept.storage.orders_without_sku("other", 10, None).await.unwrap(), []);
}

/// Everything a reader can see of one shop.
async fn seen(kept: &Kept) -> (Vec<String>, Vec<String>, Vec<Vec<String>>) {
    let mut texts = Vec::new();
    for kind in [EntityKind::Order, EntityKind::AfterSale, EntityKind::Listing] {
        let page = kept.storage.entities(&of(kind)).await.unwrap();
        texts.extend(page.items.iter().map(Entity::canonical_json));
    }
    texts.sort();
    let mut by_payment = Vec::new();
    for serial in ["42A", "42B"] {
        let mut orders = found(kept, &named(serial)).await;
        orders.sort();
        by_payment.push(orders);
    }
    (texts, without_sku(kept, 3).await, by_payment)
}

fn fact() -> impl Strategy<Value = Observation> {
    let lines = prop::sample::select(vec![&["S1"][..], &["S1", ""][..], &[""][..]]);
    let payments = prop::sample::select(vec![&[][..], &["42A"][..], &["42A", "42B"][..]]);
    prop_oneof![
        4 => (0_i64..5, 0_u8..3, lines, payments)
            .prop_map(|(second, order, skus, payments)| ordered(second, &format!("T{order}"), skus, payments)),
        2 => (0_i64..5, 0_u8..3, 0_u8..2)
            .prop_map(|(second, order, no)| asked_back(second, &format!("T{order}"), &format!("A{order}{no}"))),
        1 => (0_i64..5, 0_u8..2).prop_map(|(second, sku)| missing(second, &format!("c{sku}"))),
    ]
}

/// Commits the facts in pages of `size`, by polling and asking in turn.
async fn shop(facts: &[Observation], size: usize) -> Kept {
    let kept = fresh().await;
    for (method, page) in ["POLL", "FETCH", "COMMAND"].into_iter().cycle().zip(facts.chunks(size)) {
        kept.commit(polled(1, method, page.to_vec())).await;
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_the_same_whatever_the_order_and_however_often(
        (facts, shuffled) in prop::collection::vec(fact(), 1..25).prop_flat_map(|facts| {
            let twice = [facts.clone(), facts.clone()].concat();
            (Just(facts), Just(twice).prop_shuffle())
        }),
        sizes in (1_usize..6, 1_usize..6),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let (once, again) = (shop(&facts, sizes.0).await, shop(&shuffled, sizes.1).await);
            assert_eq!(seen(&once).await, seen(&again).await);
            // And a replay gives the same rows under the same ids.
            let replayed = fresh().await;
            let source = again.storage.replay_source();
            futures_util::pin_mut!(source);
            while let Some(one) = futures_util::StreamExt::next(&mut source).await {
                let one = one.unwrap();
                let id = one.delivery_id.clone();
                assert_eq!(replayed.storage.restore(one).await.unwrap().delivery_id, id);
            }
            assert_eq!(seen(&replayed).await, seen(&again).await);
            assert_eq!(replayed.feed().await, again.feed().await);
        });
    }
}

/// A platform may move an after-sale to another order, such as the part that an order was split into. That must not make the
/// page that says so one that nobody can ever keep.
#[tokio::test]
async fn an_aftersale_that_moves_to_another_order_is_kept() {
    let kept = fresh().await;
    kept.commit(polled(1, "POLL", vec![ordered(1, "T1", &["S1"], &[]), asked_back(2, "T1", "A1")])).await;
    kept.commit(polled(2, "POLL", vec![ordered(3, "T2", &["S1"], &[]), asked_back(4, "T2", "A1")])).await;
    let kept = kept.reopened().await;
    assert_eq!(found(&kept, &of(EntityKind::Order)).await, ["T2", "T1"]);
    let id = EntityKind::AfterSale.id(CHANNEL, &["A1"]);
    let Some(Entity::AfterSale(latest)) = kept.storage.entity(EntityKind::AfterSale, &id).await.unwrap()
    else {
        panic!("an after-sale")
    };
    assert_eq!(latest.order_no, "T2", "the last word of the platform");
    // And back again: each order goes on by itself.
    kept.commit(polled(3, "POLL", vec![asked_back(5, "T1", "A1")])).await;
    let Some(Entity::AfterSale(latest)) = kept.storage.entity(EntityKind::AfterSale, &id).await.unwrap()
    else {
        panic!("an after-sale")
    };
    assert_eq!(latest.order_no, "T1");
}
