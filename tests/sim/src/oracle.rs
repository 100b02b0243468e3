//! What must hold once everything works again and every platform was patient.

use crate::{courier::Courier, world::World};
use qudao_kit::market::{CHANNEL, assert_known};
use qudao_model::{AfterSale, CloudEvent, Entity, EntityKind, Order};
use qudao_pipeline::{Channels, replay};
use qudao_sim::dice::Dice;
use qudao_storage::{DeliveryFilter, EntityFilter, Storage};
use std::{collections::BTreeMap, sync::Arc};

/// Rounds in which everything must be told; a quarter of an hour each, beyond the longest back-off.
const ROUNDS: usize = 8;

/// Everything that a gateway keeps, as bytes.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    entities: Vec<String>,
    events: Vec<CloudEvent>,
}

/// Lets everything come to rest, and asserts what must hold then.
pub(crate) async fn settle(world: &mut World, seed: u64) {
    world.heal().await;
    world.enable().await;
    let mut dice = Dice::new(seed ^ 0xE4D);
    for round in 0..ROUNDS {
        world.send_rest(&mut dice).await;
        world.tell().await;
        world.hand_in().await;
        world.ask().await;
        world.post().await;
        world.wait(15 * 60);
        if round >= 3 && world.couriers.iter().all(Courier::is_done) && is_caught_up(world).await {
            break;
        }
    }
    let before = hold(world).await;
    replayed(world, &before).await;
    world.restart().await;
    let after = hold(world).await;
    assert!(before == after, "a restart changed what is kept: {}", difference(&before, &after));
}

async fn is_caught_up(world: &World) -> bool {
    let storage = world.life().gateway.storage();
    if let Some(till) = &world.till
        && !till.is_settled(storage).await
    {
        return false;
    }
    if let Some(chain) = &world.chain
        && !chain.is_settled(storage).await
    {
        return false;
    }
    let Some(market) = &world.market else { return true };
    let visible = market.truth().orders().iter().filter(|order| order.visible).count();
    orders(storage).await.len() == visible
}

/// Asserts all invariants.
async fn hold(world: &mut World) -> Kept {
    for channel in world.life().gateway.channels() {
        assert!(channel.paused.is_none(), "`{}` was paused: {:?}", channel.name, channel.paused);
    }
    let gateway = world.life().gateway.clone();
    let storage = gateway.storage();
    qudao_kit::hold(storage).await;
    let kept = kept(storage).await;
    inbox(world).await;
    for courier in &world.couriers {
        let channel = courier.channel;
        assert!(courier.is_done(), "notices of `{channel}` are not acknowledged although everything works");
        told(courier, storage).await;
    }
    if let Some(market) = &world.market {
        assert_known(&market.truth(), &orders(storage).await, &aftersales(storage).await);
    }
    if let Some(till) = &world.till {
        till.hold(storage).await;
    }
    if let Some(chain) = &world.chain {
        chain.hold(storage, gateway.now()).await;
    }
    world.post().await;
    world.hook.hold(&kept.events);
    world.reader.finish(gateway.feed(), &kept.events).await;
    kept
}

/// Each notice that was acknowledged is in the inbox, once; of no other is there more than one. Holds at any time, while a disk
/// that still fails may keep the inbox from being read.
pub(crate) async fn inbox(world: &World) {
    let Ok(bodies) = bodies(world.life().gateway.storage()).await else {
        assert!(world.disk.is_stopped(), "the inbox cannot be read although the machine runs");
        return;
    };
    for courier in &world.couriers {
        for (notice, told) in courier.told() {
            let channel = courier.channel;
            let rows = told.bodies.iter().filter_map(|body| bodies.get(&(channel.to_owned(), body.clone())));
            let rows: usize = rows.sum();
            let said = if told.acknowledged { "acknowledged" } else { "not acknowledged" };
            assert!(
                rows == 1 || (rows == 0 && !told.acknowledged),
                "notice {notice} of `{channel}` was {said} and is there {rows} times"
            );
        }
    }
}

/// Each file that was taken is on the list, once; the same is true of it. An import that is under way was cut off by the stop.
pub(crate) async fn files(world: &mut World) {
    let storage = world.life().gateway.storage().clone();
    let Some(chain) = &mut world.chain else { return };
    let Ok(rows) = chain.listed(&storage).await else {
        assert!(world.disk.is_stopped(), "the list of imports cannot be read although the machine runs");
        return;
    };
    if rows.iter().any(|row| row.state.is_unfinished()) {
        chain.seen.add("files", "import cut off");
    }
}

/// How often which body that was understood is in the inbox, by channel.
async fn bodies(storage: &Storage) -> Result<BTreeMap<(String, Vec<u8>), usize>, qudao_storage::Error> {
    let mut bodies = BTreeMap::new();
    let mut filter = DeliveryFilter { limit: 1000, ..DeliveryFilter::default() };
    loop {
        let page = storage.deliveries(&filter).await?;
        for row in page.items.iter().filter(|row| row.verdict.is_understood()) {
            let request = storage.delivery_request(&row.id).await?.expect("its bytes");
            *bodies.entry((row.channel.clone(), request.body)).or_default() += 1;
        }
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => return Ok(bodies),
        }
    }
}

/// Payments and refunds are those of the story.
async fn told(courier: &Courier, storage: &Storage) {
    let truth = courier.truth();
    let known = qudao_kit::payments(storage, of(EntityKind::Payment, courier.channel)).await;
    let mut known: Vec<_> = known
        .into_iter()
        .map(|one| (one.order_no, word(one.state), one.requested_fen, one.refunded_fen))
        .collect();
    known.sort();
    let payments = truth.payments.iter();
    let told: Vec<_> = payments
        .map(|one| (one.order_no.clone(), one.state.to_owned(), one.requested_fen, one.refunded_fen))
        .collect();
    assert_eq!(known, told, "payments of `{}`", courier.channel);
    let known = qudao_kit::refunds(storage, of(EntityKind::Refund, courier.channel)).await;
    let mut known: Vec<_> =
        known.into_iter().map(|one| (one.order_no, word(one.state), one.amount_fen)).collect();
    known.sort();
    let refunds = truth.refunds.iter();
    let mut told: Vec<_> =
        refunds.map(|one| (one.order_no.clone(), one.state.to_owned(), one.amount_fen)).collect();
    told.sort();
    assert_eq!(known, told, "refunds of `{}`", courier.channel);
}

/// How a state is written.
fn word(state: impl serde::Serialize) -> String {
    let state = serde_json::to_value(state).expect("a state");
    state.as_str().unwrap_or_default().to_owned()
}

/// The inbox, read again by the connectors into an empty database, gives the same bytes.
async fn replayed(world: &World, kept: &Kept) {
    let storage = world.life().gateway.storage();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let into = qudao_kit::storage(&folder.path().join("qudao.sqlite")).await;
    let config = qudao_kit::load(&world.folder.path().join("connectors.yaml"));
    let channels = Channels::load(&config, &qudao_kit::host(), Arc::new(qudao_kit::NoExpectations)).await;
    let channels = channels.unwrap_or_else(|findings| panic!("{findings}"));
    let report = replay(storage, &into, &channels, qudao_kit::vault(), &mut |_| {}).await;
    let report = report.unwrap_or_else(|error| panic!("no replay: {error}"));
    assert!(report.differences.is_empty(), "a replay differs: {:?}", report.differences);
    let again = self::kept(&into).await;
    into.close().await;
    assert!(again == *kept, "a replay gives other bytes: {}", difference(kept, &again));
}

async fn kept(storage: &Storage) -> Kept {
    let mut all = Vec::new();
    for kind in EntityKind::ALL {
        let found =
            qudao_kit::entities(storage, EntityFilter { limit: 1000, ..EntityFilter::new(kind) }).await;
        all.extend(found.iter().map(Entity::canonical_json));
    }
    all.sort();
    Kept { entities: all, events: qudao_kit::feed(storage).await }
}

/// The first thing that differs.
fn difference(one: &Kept, other: &Kept) -> String {
    let entity = one.entities.iter().zip(&other.entities).find(|(one, other)| one != other);
    if let Some((one, other)) = entity {
        return format!("\n{one}\n{other}");
    }
    let event = one.events.iter().zip(&other.events).find(|(one, other)| one != other);
    let counts = (one.entities.len(), other.entities.len(), one.events.len(), other.events.len());
    event.map_or_else(|| format!("{counts:?}"), |(one, other)| format!("\n{one:?}\n{other:?}"))
}

async fn orders(storage: &Storage) -> Vec<Order> {
    let mut orders = qudao_kit::orders(storage, of(EntityKind::Order, CHANNEL)).await;
    orders.sort_by(|one, other| one.order_no.cmp(&other.order_no));
    orders
}

async fn aftersales(storage: &Storage) -> Vec<AfterSale> {
    let mut aftersales = qudao_kit::aftersales(storage, of(EntityKind::AfterSale, CHANNEL)).await;
    aftersales.sort_by(|one, other| one.aftersale_no.cmp(&other.aftersale_no));
    aftersales
}

fn of(kind: EntityKind, channel: &str) -> EntityFilter {
    EntityFilter { channel: Some(channel.to_owned()), limit: 1000, ..EntityFilter::new(kind) }
}
