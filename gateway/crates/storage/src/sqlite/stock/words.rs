//! Tables `stock_stores`, `stock_skus`, `stock_sources`: words by number, known by heart while they are used.
//!
//! A new word gets its number at once and is written with what uses it. When that fails, everything here is forgotten.

use super::super::write::json_list;
use crate::{
    Error,
    sqlite::script::{Insert, Script},
    stock::{
        level::Source,
        rule::{Meaning, Tier},
    },
};
use qudao_model::stock::Reports;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};
use std::collections::HashMap;

/// SKUs known by heart: tens of megabytes. Beyond it they are looked up anew.
const SKUS_MAX: usize = 400_000;

static STORES: Insert = Insert { head: "INSERT INTO stock_stores (id, code)", columns: 2, tail: "" };
static SKUS: Insert = Insert { head: "INSERT INTO stock_skus (id, sku)", columns: 2, tail: "" };
static SOURCES: Insert = Insert {
    head: "INSERT INTO stock_sources (id, channel, reports, tier, skew, post_lag, stale_after, epoch)",
    columns: 8,
    tail: "ON CONFLICT (id) DO UPDATE SET reports = excluded.reports, tier = excluded.tier, skew = excluded.skew,
        post_lag = excluded.post_lag, stale_after = excluded.stale_after, epoch = excluded.epoch",
};

/// Words by number.
#[derive(Default)]
pub(in crate::sqlite) struct Words {
    pub(super) stores: Table,
    pub(super) skus: Table,
    sources: Option<Sources>,
}

/// Words of one table.
#[derive(Default)]
pub(super) struct Table {
    ids: HashMap<String, i64>,
    /// Last number; nothing before the table was looked at.
    last: Option<i64>,
    new: Vec<(i64, String)>,
}

#[derive(Default)]
struct Sources {
    all: HashMap<i64, Source>,
    changed: Vec<i64>,
}

/// Which table, with its column.
#[derive(Clone, Copy)]
enum Place {
    Stores,
    Skus,
}

impl Place {
    const fn sql(self) -> (&'static str, &'static str) {
        match self {
            Place::Stores => (
                "SELECT coalesce(max(id), 0) FROM stock_stores",
                "SELECT id, code FROM stock_stores WHERE code IN (SELECT value FROM json_each(?))",
            ),
            Place::Skus => (
                "SELECT coalesce(max(id), 0) FROM stock_skus",
                "SELECT id, sku FROM stock_skus WHERE sku IN (SELECT value FROM json_each(?))",
            ),
        }
    }
}

impl Table {
    /// Number of a word that was asked for by [`Words::learn`].
    pub(super) fn id(&self, word: &str) -> Option<i64> {
        self.ids.get(word).copied()
    }

    async fn learn<'w>(
        &mut self,
        connection: &mut SqliteConnection,
        place: Place,
        words: impl Iterator<Item = &'w str>,
    ) -> Result<(), sqlx::Error> {
        let (last, find) = place.sql();
        let mut unknown: Vec<&str> = words.filter(|word| !self.ids.contains_key(*word)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        let mut next = match self.last {
            Some(last) => last,
            None => sqlx::query_scalar(AssertSqlSafe(last)).fetch_one(&mut *connection).await?,
        };
        let query = sqlx::query(AssertSqlSafe(find)).bind(json_list(&unknown));
        for row in query.fetch_all(connection).await? {
            self.ids.insert(row.try_get(1)?, row.try_get(0)?);
        }
        for word in unknown {
            if !self.ids.contains_key(word) {
                next += 1;
                self.ids.insert(word.to_owned(), next);
                self.new.push((next, word.to_owned()));
            }
        }
        self.last = Some(next);
        Ok(())
    }

    fn put(&mut self, script: &mut Script, insert: &'static Insert) -> Result<(), Error> {
        script.rows(insert, &std::mem::take(&mut self.new), |script, (id, word)| {
            script.bind(*id)?;
            script.bind(word.as_str())
        })
    }
}

impl Words {
    /// Makes sure that these have numbers.
    pub(super) async fn learn<'w>(
        &mut self,
        connection: &mut SqliteConnection,
        stores: impl Iterator<Item = &'w str>,
        skus: impl Iterator<Item = &'w str>,
    ) -> Result<(), sqlx::Error> {
        if self.skus.ids.len() > SKUS_MAX && self.skus.new.is_empty() {
            self.skus.ids.clear();
        }
        self.stores.learn(connection, Place::Stores, stores).await?;
        self.skus.learn(connection, Place::Skus, skus).await
    }

    /// Number of a channel; with `now` that is what its figures mean from now on.
    pub(super) async fn source(
        &mut self,
        connection: &mut SqliteConnection,
        channel: &str,
        now: Option<Source>,
    ) -> Result<i64, sqlx::Error> {
        let sources = self.sources(connection).await?;
        let known = sources.all.iter().find(|(_, source)| source.channel == channel);
        let id = known.map(|(id, _)| *id);
        let was = known.map(|(_, source)| source.clone());
        let id = id.unwrap_or_else(|| sources.all.keys().max().map_or(1, |last| last + 1));
        let mut is = match (now, &was) {
            (Some(now), _) => now,
            (None, Some(was)) => was.clone(),
            (None, None) => Source::of_orders(channel),
        };
        // An epoch that was heard of is not unheard.
        is.epoch = is.epoch.max(was.as_ref().map_or(is.epoch, |was| was.epoch));
        if was.as_ref() != Some(&is) {
            sources.all.insert(id, is);
            sources.changed.push(id);
        }
        Ok(id)
    }

    /// All channels that are known.
    pub(super) async fn all_sources(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<HashMap<i64, Source>, sqlx::Error> {
        Ok(self.sources(connection).await?.all.clone())
    }

    async fn sources(&mut self, connection: &mut SqliteConnection) -> Result<&mut Sources, sqlx::Error> {
        let sources = match self.sources.take() {
            Some(sources) => sources,
            None => stored(connection).await?,
        };
        Ok(self.sources.insert(sources))
    }

    /// Writes what is new.
    pub(in crate::sqlite) fn put(&mut self, script: &mut Script) -> Result<(), Error> {
        self.stores.put(script, &STORES)?;
        self.skus.put(script, &SKUS)?;
        let Some(sources) = &mut self.sources else { return Ok(()) };
        let changed = std::mem::take(&mut sources.changed);
        let changed: Vec<(i64, &Source)> =
            changed.into_iter().filter_map(|id| sources.all.get(&id).map(|source| (id, source))).collect();
        script.rows(&SOURCES, &changed, |script, (id, source)| {
            script.bind(*id)?;
            script.bind(source.channel.as_str())?;
            script.bind(match source.meaning.reports {
                Reports::OnHand => "on_hand",
                Reports::Available => "available",
            })?;
            script.bind(source.meaning.tier as i64)?;
            for number in [source.meaning.skew, source.meaning.post_lag, source.stale_after, source.epoch] {
                script.bind(number)?;
            }
            Ok(())
        })
    }
}

async fn stored(connection: &mut SqliteConnection) -> Result<Sources, sqlx::Error> {
    let sql = "SELECT id, channel, reports, tier, skew, post_lag, stale_after, epoch FROM stock_sources";
    let mut sources = Sources::default();
    for row in sqlx::query(sql).fetch_all(connection).await? {
        let reports: &str = row.try_get(2)?;
        let reports = if reports == "available" { Reports::Available } else { Reports::OnHand };
        let tier = match row.try_get::<i64, _>(3)? {
            0 => Tier::E0,
            1 => Tier::E1,
            _ => Tier::E2,
        };
        let meaning = Meaning { reports, tier, skew: row.try_get(4)?, post_lag: row.try_get(5)? };
        let (stale_after, epoch) = (row.try_get(6)?, row.try_get(7)?);
        let source = Source { channel: row.try_get(1)?, meaning, stale_after, epoch };
        sources.all.insert(row.try_get(0)?, source);
    }
    Ok(sources)
}
