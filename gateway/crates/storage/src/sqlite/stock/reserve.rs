//! What a commit of orders needs to know about stock.

use super::{load, words::Words};
use crate::{Error, Reservation, batch::Reserving, sqlite::write_error, stock::desk::Desk};
use sqlx::SqliteConnection;
use std::collections::BTreeSet;

/// A desk with everything that these orders can touch.
pub(in crate::sqlite) async fn desk_for(
    connection: &mut SqliteConnection,
    words: &mut Words,
    orders: &[Reserving],
) -> Result<Desk, Error> {
    let all = || orders.iter().flat_map(|order| &order.reservations);
    let of = |word: fn(&Reservation) -> &str| all().map(word);
    let learnt = words.learn(connection, of(|one| &one.store_code), of(|one| &one.sku)).await;
    learnt.map_err(write_error)?;
    let mut desk = Desk::default();
    for order in orders {
        if !desk.channels.contains_key(&order.channel) {
            let source = words.source(connection, &order.channel, None).await.map_err(write_error)?;
            desk.channels.insert(order.channel.clone(), source);
        }
        desk.orders.insert(order.order_id.clone());
    }
    desk.sources = words.all_sources(connection).await.map_err(write_error)?;
    for one in all() {
        let ids = (words.stores.id(&one.store_code), words.skus.id(&one.sku));
        if let (Some(store), Some(sku)) = ids {
            desk.places.insert((one.store_code.clone(), one.sku.clone()), (store, sku));
            desk.words.0.insert(store, one.store_code.clone());
            desk.words.1.insert(sku, one.sku.clone());
        }
    }
    let numbers: BTreeSet<&str> = orders.iter().map(|order| order.order_no.as_str()).collect();
    let places: BTreeSet<(i64, i64)> = desk.places.values().copied().collect();
    load::levels(connection, &places, &mut desk).await?;
    load::commitments_of_orders(connection, &numbers, &mut desk).await?;
    // What moved behind the figures of these levels, and the promises that it names.
    load::movements(connection, &mut desk).await?;
    load::commitments_of_orders(connection, &numbers, &mut desk).await?;
    load::named(connection, &numbers, &mut desk).await?;
    let held = desk.commitments.keys().map(|key| key.store);
    let stores: BTreeSet<i64> = places.iter().map(|(store, _)| *store).chain(held).collect();
    load::around(connection, &stores, &mut desk).await?;
    Ok(desk)
}
