//! Entities as they are now: one way of listing them and of finding one, for every kind.
//!
//! A kind says what it may be searched by ([`Asked`]) and what to say where there is none ([`Findable`]); the rest is here.

mod orders;
mod payments;
mod slips;

pub(crate) use orders::{AfterSales, Listings, Orders, UNKNOWN_ORDER};
pub(crate) use payments::{Payments, Refunds};
pub(crate) use slips::Slips;

use crate::{
    App,
    extract::{Path, Query},
    listed::{ById, Listed},
    problem::Problem,
};
use axum::{Json, extract::State};
use qudao_model::{Entity, EntityKind};
use qudao_storage::EntityFilter;
use serde::Serialize;

/// A kind of entity that is shown.
pub(crate) trait Shown: Sized {
    /// The entity, where it is of this kind.
    fn of(entity: Entity) -> Option<Self>;
}

/// A kind of entity that is found by its id.
pub(crate) trait Findable: Shown {
    /// Which.
    const KIND: EntityKind;

    /// There is none with this id.
    fn unknown(id: &str) -> Problem;
}

/// A query that lists entities of one kind.
pub(crate) trait Asked {
    /// What it lists.
    type Item: Shown;

    /// As storage takes it.
    fn filter(self) -> EntityFilter;
}

/// One page, the latest change first.
pub(crate) async fn list<Q: Asked>(
    State(app): State<App>,
    Query(query): Query<Q>,
) -> Result<Json<Listed<Q::Item>>, Problem> {
    let page = app.gateway.storage().entities(&query.filter()).await?;
    Ok(Json(Listed { items: page.items.into_iter().filter_map(Q::Item::of).collect(), next: page.next }))
}

/// One entity by its id.
pub(crate) async fn one<T: Findable>(
    State(app): State<App>,
    Path(ById { id }): Path<ById>,
) -> Result<Json<T>, Problem> {
    let found = app.gateway.storage().entity(T::KIND, &id).await?;
    found.and_then(T::of).map(Json).ok_or_else(|| T::unknown(&id))
}

/// A state by the word that JSON and storage use.
fn word(state: impl Serialize) -> Option<String> {
    serde_json::to_value(state).ok()?.as_str().map(str::to_owned)
}
